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

from configs import c0
from configs import c1
from configs import c2
from configs import common
from scaling_jax import budget
from scaling_jax import formatting
from scaling_jax.training import experiment
from scaling_jax.training import job as job_lib

_MODELS = flags.DEFINE_list('models', list(budget.FAMILY), 'Names.')
_DATASET = flags.DEFINE_string('dataset', 'gutenberg_poetry', 'A corpus.')

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_BATCHES = 100  # in the evaluations that are timed


def main(argv):
  del argv
  best_s = min(seconds_to(['--helpshort'], 'config') for _ in range(5))
  print(f'launch.py to its flags read: {formatting.duration(best_s)}')
  timed = {model: first_steps(model) for model in _MODELS.value}
  for model, found in timed.items():
    cold, warm, bare = (
      formatting.duration(found[turn]) for turn in ('cold', 'warm', 'bare')
    )
    print(
      f'{model}: first step {cold} cold, {warm} warm, {bare} warm but for the'
      ' evaluation before it'
    )
  print('evaluation, as a share of training and evaluation:')
  speeds = {model: speed(model) for model in _MODELS.value}
  parts = []
  for name, config in (('c0', c0), ('c1', c1), ('c2', c2)):
    for model in config.get_config().models:
      if model in speeds:
        parts.append(seconds_of(config.get_config(), model, *speeds[model]))
        print(f'  {name} {model}: {share(*parts[-1])}')
  print(f'  all of them: {share(*map(sum, zip(*parts)))}')


def command(*arguments):
  return [sys.executable, '-u', str(_ROOT / 'launch.py'), *arguments]


def seconds_to(arguments, text, environment=None):
  """Seconds until launch.py prints a line that holds the text."""
  started = time.perf_counter()
  lines = []
  with subprocess.Popen(
    command(*arguments),
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    cwd=_ROOT,
    env={**os.environ, **(environment or {})},
  ) as process:
    for line in process.stdout:
      lines.append(line)
      if text in line:
        seconds = time.perf_counter() - started
        process.kill()
        return seconds
  sys.exit(f'launch.py ended before it printed {text!r}: {"".join(lines)}')


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
  """Seconds of a training step, and of evaluating one token."""
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
  if len(lines) < 4:
    sys.exit(f'launch.py ended before its fourth evaluation of {model}')
  # Between the evaluations at 10, 20 and 30: ten steps and an evaluation each.
  step_s = statistics.median(
    (line['tokens'] / line['step']) / line['tokens_per_s']
    for line in lines[2:4]
  )
  both_s = (lines[3]['wall_s'] - lines[1]['wall_s']) / 2
  config = common.get_config()
  evaluated = _BATCHES * config.eval.batch_size * config.model.block_size
  return step_s, (both_s - 10 * step_s) / evaluated


def seconds_of(config, model, step_s, token_s):
  """Seconds of a run's training steps, and of its evaluations."""
  config.dataset = _DATASET.value
  job = job_lib.make_job(config, model, 'runs', _ROOT / 'data', devices=[])
  return job.plan.S * step_s, experiment.evaluated_tokens(job) * token_s


def share(training_s, evaluation_s):
  return formatting.percent(evaluation_s / (training_s + evaluation_s))


if __name__ == '__main__':
  app.run(main)
