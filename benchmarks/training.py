"""How fast training is, beside nanoGPT and the machine's own matrix products.

python benchmarks/training.py --nanogpt=FOLDER [--torch=PYTHON] [--models=...]
    [--rounds=3] [--seconds=15] [--dtype=bfloat16] [--seeds=8] [--out=FILE.md]

The same models, batches, precision and text. Ours is launch.py as a person runs
it, its tokens/s those of result.json: training tokens over the seconds that
dispatches of training steps took, programs' first dispatches omitted. nanoGPT
is a checkout of github.com/karpathy/nanoGPT in an environment with PyTorch, in
eager mode and with torch.compile (see nanogpt.py beside this). The matrix
products are those of the model's MLP, one after the other on all devices. All
take turns, round by round; the table has medians, and ratios within a round.
"""

import functools
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from absl import app
from absl import flags

from scaling_jax import budget
from scaling_jax import formatting
from scaling_jax.corpus import prepare
from scaling_jax.corpus import synthetic

_NANOGPT = flags.DEFINE_string('nanogpt', None, 'A checkout; none: ours alone.')
_TORCH = flags.DEFINE_string('torch', sys.executable, 'A Python with PyTorch.')
_MODELS = flags.DEFINE_list('models', list(budget.FAMILY), 'Names.')
_ROUNDS = flags.DEFINE_integer('rounds', 3, 'Turns of everyone.')
_SECONDS = flags.DEFINE_float('seconds', 15.0, 'Of training in each turn.')
_DTYPE = flags.DEFINE_enum(
  'dtype', 'float32', ('float32', 'tf32', 'bfloat16'),
  'Of the computation; float32 and tf32 differ on GPUs alone.',
)  # fmt: skip
_SEEDS = flags.DEFINE_integer('seeds', 1, 'Trained side by side, ours only.')
_OUT = flags.DEFINE_string('out', None, 'A Markdown file for the table.')

_HERE = pathlib.Path(__file__).resolve().parent
_ROOT = _HERE.parent
_BATCH, _BLOCK = 64, 32
_CHARACTERS = 2_000_000
_ROWS = {
  'eager': 'nanoGPT, eager, tokens/s',
  'compile': 'nanoGPT, torch.compile, tokens/s',
  'ours': 'scaling_jax, tokens/s',
  'ratio': 'times the faster nanoGPT',
  'flops': 'scaling_jax, GFLOP/s',
  'matmul': 'matrix products alone, GFLOP/s',
  'share': 'share of that rate',
}
_UNITS = {'matmul': 'FLOP/s'}  # of what is no tokens/s


def main(argv):
  del argv
  with tempfile.TemporaryDirectory() as scratch:
    folder = pathlib.Path(scratch)
    source = synthetic.SyntheticSource(_CHARACTERS)
    meta = prepare.prepare(source, folder / 'data' / 'text')
    columns = {m: measure(m, folder, meta['vocab_size']) for m in _MODELS.value}
  table = markdown(columns)
  print(table)
  if _OUT.value:
    pathlib.Path(_OUT.value).write_text(table + '\n')


def measure(model, folder, vocab_size):
  """The rows of one model, as text by row."""
  shape = budget.model_shape(model)
  flops = budget.flops_per_token(shape, _BLOCK, vocab_size)
  # Enough steps, at a guess that most machines come near; whole dispatches, of
  # which the first is not timed.
  guess = 0.7 * matmul(shape) / flops / _BATCH / _BLOCK
  steps = guess * _SECONDS.value / _SEEDS.value
  dispatch = 250 if steps > 250 else 50
  steps = dispatch * (1 + math.ceil(steps / dispatch))
  contestants = {
    'matmul': functools.partial(matmul, shape),
    'ours': functools.partial(ours, model, folder, steps),
  }
  if _NANOGPT.value:
    peer = functools.partial(nanogpt, shape, folder, vocab_size)
    contestants['eager'] = peer
    contestants['compile'] = functools.partial(peer, '--compile')
  found = {name: [] for name in contestants}
  for _ in range(_ROUNDS.value):
    for name, run in contestants.items():
      found[name].append(run())
      rate = formatting.rate(found[name][-1], _UNITS.get(name, 'tok/s'))
      print(f'{model} {name} {rate}', file=sys.stderr)
  return rows(found, flops)


def rows(found, flops):
  """Medians, and the ratios of each round with their range."""
  cells = {}
  for name in ('eager', 'compile', 'ours'):
    if name in found:
      cells[name] = formatting.whole(statistics.median(found[name]))
  if 'eager' in found:
    peers = map(max, found['eager'], found['compile'])
    cells['ratio'] = spread([o / p for o, p in zip(found['ours'], peers)])
  speed = statistics.median(found['ours']) * flops
  cells['flops'] = formatting.whole(speed / 1e9)
  products = statistics.median(found['matmul'])
  cells['matmul'] = formatting.whole(products / 1e9)
  shares = [o * flops / m for o, m in zip(found['ours'], found['matmul'])]
  cells['share'] = spread(shares)
  return cells


def spread(values):
  middle, low, high = (
    formatting.number(x, 3)
    for x in (statistics.median(values), min(values), max(values))
  )
  return f'{middle} ({low}–{high})'


def output(command):
  """What the command prints last, read as JSON."""
  done = subprocess.run(
    [str(part) for part in command],
    cwd=_ROOT,
    stdout=subprocess.PIPE,
    text=True,
    check=True,
  )
  return json.loads(done.stdout.splitlines()[-1])


def ours(model, folder, steps):
  """Tokens/s of all seeds together, by launch.py."""
  workdir = pathlib.Path(tempfile.mkdtemp(dir=folder))
  command = [
    sys.executable, 'launch.py', f'--config=configs/c2.py:{model},seeds={_SEEDS.value}',
    f'--workdir={workdir}', f'--config.data_dir={folder / "data"}',
    '--config.dataset=text', f'--config.steps={steps}', '--config.eval.batches=1',
  ]  # fmt: skip
  if _DTYPE.value == 'bfloat16':
    command.append('--config.train.dtype=bfloat16')
  precision = 'highest' if _DTYPE.value == 'float32' else 'default'
  environment = {'JAX_DEFAULT_MATMUL_PRECISION': precision}
  subprocess.run(
    command, cwd=_ROOT, env={**os.environ, **environment},
    stdout=subprocess.DEVNULL, check=True,
  )  # fmt: skip
  speeds = [
    json.loads(path.read_text())['tokens_per_s']
    for path in workdir.glob('*/*/result.json')
  ]
  assert len(speeds) == _SEEDS.value, workdir
  return sum(speeds) if trained_together(workdir) else speeds[0]


def trained_together(workdir):
  """Whether seeds shared their dispatches; on a CPU they take turns."""
  config = next(workdir.glob('*/*/config.json'))
  return not json.loads(config.read_text())['devices'].startswith('cpu')


def nanogpt(shape, folder, vocab_size, *options):
  command = [
    _TORCH.value, _HERE / 'nanogpt.py', f'--nanogpt={_NANOGPT.value}',
    f'--train_bin={folder / "data" / "text" / "train.bin"}',
    f'--vocab_size={vocab_size}', f'--model={",".join(map(str, shape))}',
    f'--seconds={_SECONDS.value}', f'--dtype={_DTYPE.value}', *options,
  ]  # fmt: skip
  return output(command)['tokens_per_s']


def machine(shape):
  """What machine.py prints of the MLP's products; it is beside this file."""
  return output([
    sys.executable, _HERE / 'machine.py', f'--n_embd={shape.n_embd}',
    f'--tokens={_BATCH * _BLOCK}', f'--dtype={_DTYPE.value}',
  ])  # fmt: skip


def matmul(shape):
  return machine(shape)['flops_per_s']


def markdown(columns):
  """The table, with what it was measured on above it."""
  about = machine(budget.model_shape(_MODELS.value[0]))['about']
  about += f'; {_DTYPE.value}, {_SEEDS.value} seed(s)'
  names = [n for n in _ROWS if any(n in cells for cells in columns.values())]
  lines = [
    about,
    '',
    '| | ' + ' | '.join(columns) + ' |',
    '|---' * (len(columns) + 1) + '|',
  ]
  for name in names:
    cells = ' | '.join(cells.get(name, '–') for cells in columns.values())
    lines.append(f'| {_ROWS[name]} | {cells} |')
  return '\n'.join(lines)


if __name__ == '__main__':
  app.run(main)
