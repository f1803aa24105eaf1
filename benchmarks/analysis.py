"""What an analysis costs in a fresh process: to the laws, to the report.

python benchmarks/analysis.py [--csv=FILE] [--before=CHECKOUT] [--rounds=3]

A CSV of 28 runs at four budgets is made if none is given. Each round runs, in
processes of their own and one after the other, so that a noisy machine is noisy
for all: the analysis without a compilation cache ("cold") and with one ("warm"),
and `fit_chinchilla` on 240 runs with 4000 draws likewise. With --before the same
analysis of an older checkout takes its turn in every round.

Prints the median of the seconds to the first law and to the end, and of CPU
seconds; ratios of --before to this tree from the same rounds.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from absl import app
from absl import flags
import numpy as np

from scaling_jax import formatting
from scaling_jax import published
from scaling_jax import tables
from scaling_jax.analysis.fitting import simulate

_CSV = flags.DEFINE_string('csv', None, 'Runs to analyze.')
_BEFORE = flags.DEFINE_string('before', None, 'An older checkout.')
_ROUNDS = flags.DEFINE_integer('rounds', 3, 'Rounds.')

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIRST_LAW = 'N_opt = N0 C^a'
FIT = """
import time
start = time.perf_counter()
import numpy as np, scaling_jax as sj
from scaling_jax import compile_cache
compile_cache.keep()
rng = np.random.default_rng(0)
N, D = 10 ** rng.uniform(7, 10, 240), 10 ** rng.uniform(9, 11.5, 240)
loss = sj.simulate(sj.published.BESIROGLU, N, D, noise=0.005)
imported = time.perf_counter()
fit = sj.fit_chinchilla(N, D, loss)
assert fit.ok, fit.message
print(time.perf_counter() - imported)
sj.fit_chinchilla(N, D, loss * 1.001)
"""


def main(argv):
  if len(argv) > 1:
    raise app.UsageError(f'{argv[1]!r} is no flag')
  with tempfile.TemporaryDirectory() as scratch:
    folder = pathlib.Path(scratch)
    csv = pathlib.Path(_CSV.value).resolve() if _CSV.value else _made(folder)
    trees = {'this tree': ROOT}
    if _BEFORE.value:
      trees['before'] = pathlib.Path(_BEFORE.value).resolve()
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for i in range(_ROUNDS.value):
      for name, tree in trees.items():
        cache = folder / f'cache-{name}-{i}'
        for state in ('cold', 'warm'):
          out = folder / f'out-{name}'
          timed = _analysis(tree, csv, out, cache)
          found.setdefault((name, f'analysis, {state}'), []).append(timed)
      cache = folder / f'cache-fit-{i}'
      for state in ('cold', 'warm'):
        timed = _fit(cache)
        found.setdefault(('this tree', f'fit, {state}'), []).append(timed)
  _report(found)


def _made(folder: pathlib.Path) -> pathlib.Path:
  """28 runs at four budgets, losses by Besiroglu's law and 0.3% of noise."""
  law = published.BESIROGLU
  plan = simulate.Design.of(
    [
      (C, law.optimum(C).N * np.geomspace(0.25, 4, 7))
      for C in np.geomspace(1e18, 10**19.5, 4)
    ]
  )
  L = simulate.losses(law, plan, 0.003, np.random.default_rng(0))
  path = folder / 'runs.csv'
  rows = [','.join(map(repr, map(float, row))) for row in zip(*plan, L)]
  path.write_text('\n'.join(['C,N,D,loss', *rows, '']))
  return path


def _environment(tree: pathlib.Path, cache: pathlib.Path) -> dict[str, str]:
  return {
    **os.environ,
    'PYTHONPATH': str(tree),
    'PYTHONUNBUFFERED': '1',
    'JAX_COMPILATION_CACHE_DIR': str(cache),
  }


def _analysis(tree, csv, out, cache) -> tuple[float, float, float]:
  """Seconds to the first law, to the end, and of CPU."""
  before, start = _cpu_s(), time.perf_counter()
  first = float('nan')
  with subprocess.Popen(
    [sys.executable, '-m', 'scaling_jax.analysis', str(csv), f'--out={out}'],
    cwd=tree,
    env=_environment(tree, cache),
    stdout=subprocess.PIPE,
    text=True,
  ) as process:
    assert process.stdout is not None
    for line in process.stdout:
      if line.startswith(FIRST_LAW):
        first = time.perf_counter() - start
  if process.returncode:
    raise SystemExit(f'the analysis of {tree} failed')
  return first, time.perf_counter() - start, _cpu_s() - before


def _fit(cache) -> tuple[float, float, float]:
  """Seconds of the first fit in a process, of the process, and of CPU."""
  before, start = _cpu_s(), time.perf_counter()
  done = subprocess.run(
    [sys.executable, '-c', FIT],
    cwd=ROOT,
    env=_environment(ROOT, cache),
    capture_output=True,
    text=True,
    check=True,
  )
  return (
    float(done.stdout), time.perf_counter() - start, _cpu_s() - before
  )  # fmt: skip


def _cpu_s() -> float:
  used = resource.getrusage(resource.RUSAGE_CHILDREN)
  return used.ru_utime + used.ru_stime


def _report(found) -> None:
  table = tables.Table('analysis', 'Seconds, medians of the rounds')
  for (tree, what), rows in found.items():
    first, whole, cpu = (statistics.median(column) for column in zip(*rows))
    older = found.get(('before', what))
    ratio = '–'
    if older and tree == 'this tree':
      pairs = [b[1] / a[1] for a, b in zip(rows, older)]
      ratio = formatting.factor(statistics.median(pairs))
    table.add(
      {'tree': tree, 'what': what, 'first': first, 'whole': whole, 'cpu': cpu},
      {
        'tree': tree,
        'what': what,
        'first law or fit (s)': f'{first:.2f}',
        'whole process (s)': f'{whole:.2f}',
        'CPU (s)': f'{cpu:.2f}',
        'before takes': ratio,
      },
    )
  print(table)


if __name__ == '__main__':
  app.run(main)
