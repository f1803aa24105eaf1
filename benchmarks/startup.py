"""What a run costs besides its steps.

PYTHONPATH=. python benchmarks/startup.py [--models=gpt-0,...] [--dataset=gutenberg_poetry]

Seconds until the command line is read; until a model's first step is made, with
nothing compiled before and with every program kept, and how many of them the
evaluation before it takes; and from the seconds of a step and of an evaluation
the share of the homework's runs that evaluations take, the last one over the
whole split. The corpus must be prepared.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from absl import app
from absl import flags

from configs import common
from scaling_jax import budget

_MODELS = flags.DEFINE_list('models', list(budget.FAMILY), 'Names.')
_DATASET = flags.DEFINE_string('dataset', 'gutenberg_poetry', 'A corpus.')

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_TOKENS_PER_STEP = 2048
_BATCHES = 100  # in the evaluations that are timed
_BUDGETS = {'c0': 6e13, 'c1': 3e14, 'c2': 6e14}
_RUNS = {
  'c0': ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3'),
  'c1': ('gpt-1', 'gpt-2', 'gpt-3'),
  'c2': ('gpt-1', 'gpt-2', 'gpt-3', 'gpt-4'),
}


def main(argv):
  del argv
  best_s = min(seconds_to(['--helpshort'], '') for _ in range(5))
  print(f'launch.py to its flags read: {best_s:.2f} s')
  timed = {model: first_steps(model) for model in _MODELS.value}
  for model, found in timed.items():
    print(
      f'{model}: first step {found["cold"]:.1f} s cold,'
      f' {found["warm"]:.1f} s warm, {found["bare"]:.1f} s warm but for the'
      ' evaluation before it'
    )
  speeds = {model: speed(model) for model in _MODELS.value}
  print('evaluation, as a share of training and evaluation:')
  for name, models in _RUNS.items():
    for model in models:
      if model in speeds:
        print(f'  {name} {model}: {share(name, model, *speeds[model]):.1%}')
  print(f'  all of them: {share_of_all(speeds):.1%}')


def command(*arguments):
  return [sys.executable, '-u', str(_ROOT / 'launch.py'), *arguments]


def seconds_to(arguments, text, environment=None):
  """Seconds until launch.py prints a line that holds the text, or ends."""
  started = time.perf_counter()
  with subprocess.Popen(
    command(*arguments),
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    cwd=_ROOT,
    env={**os.environ, **(environment or {})},
  ) as process:
    for line in process.stdout:
      if text and text in line:
        break
    seconds = time.perf_counter() - started
    process.kill()
  return seconds


def first_steps(model):
  """Seconds to the first step: cold, warm, and warm with a tiny evaluation."""
  with tempfile.TemporaryDirectory() as folder:

    def first(turn, *options):
      arguments = [
        f'--config=configs/c2.py:{model}', f'--workdir={folder}/{turn}',
        f'--config.dataset={_DATASET.value}', '--config.steps=1000',
        '--config.train.steps_per_dispatch=1', *options,
      ]  # fmt: skip
      cache = {'JAX_COMPILATION_CACHE_DIR': f'{folder}/cache'}
      return seconds_to(arguments, 'step 1/', cache)

    cold = first('cold')
    warm = min(first(f'warm-{i}') for i in range(3))
    tiny = '--config.eval.batches=1'
    first('fill', tiny)
    bare = min(first(f'bare-{i}', tiny) for i in range(3))
  return {'cold': cold, 'warm': warm, 'bare': bare}


def speed(model):
  """Seconds of a training step, and of evaluating one batch."""
  with tempfile.TemporaryDirectory() as folder:
    arguments = [
      f'--config=configs/c2.py:{model}', f'--config.dataset={_DATASET.value}',
      f'--workdir={folder}', '--config.steps=1000',
      '--config.eval.every_steps=10', f'--config.eval.batches={_BATCHES}',
      '--config.train.steps_per_dispatch=10',
    ]  # fmt: skip
    with subprocess.Popen(
      command(*arguments), stdout=subprocess.DEVNULL, cwd=_ROOT
    ) as process:
      lines = []
      while len(lines) < 4 and process.poll() is None:
        time.sleep(0.2)
        for path in pathlib.Path(folder).glob('*/*/metrics.jsonl'):
          lines = [json.loads(line) for line in path.read_text().splitlines()]
      process.kill()
  # Between the evaluations at 10, 20 and 30: ten steps and an evaluation each.
  step_s = statistics.median(
    _TOKENS_PER_STEP / line['tokens_per_s'] for line in lines[2:4]
  )
  both_s = (lines[3]['wall_s'] - lines[1]['wall_s']) / 2
  return step_s, (both_s - 10 * step_s) / _BATCHES


def seconds_of(name, model, step_s, batch_s):
  """Seconds of a run's training steps, and of its evaluations."""
  meta = json.loads((_ROOT / 'data' / _DATASET.value / 'meta.json').read_text())
  shape = budget.model_shape(model)
  N = budget.count_parameters(shape, 32, meta['vocab_size']).N
  S = budget.plan(N, _TOKENS_PER_STEP, _BUDGETS[name]).S
  config = common.get_config().eval
  sampled = (1 + (S - 1) // config.every_steps) * config.batches
  whole = meta['counts']['val']['tokens'] / _TOKENS_PER_STEP
  return S * step_s, (sampled + whole) * batch_s


def share(name, model, step_s, batch_s):
  training, rest = seconds_of(name, model, step_s, batch_s)
  return rest / (training + rest)


def share_of_all(speeds):
  pairs = [
    seconds_of(name, model, *speeds[model])
    for name, models in _RUNS.items()
    for model in models
    if model in speeds
  ]
  training, rest = map(sum, zip(*pairs))
  return rest / (training + rest)


if __name__ == '__main__':
  app.run(main)
