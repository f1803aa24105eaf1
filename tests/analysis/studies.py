"""Simulated studies of a known law: as tables of runs, and as folders."""

import functools
import math
import tempfile
from typing import NamedTuple

from etils import epath
import numpy as np

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study import analyze as analyze_lib
from scaling_jax.analysis.study.results import Options
from tests.analysis.designs import BUDGETS
from tests.analysis.designs import LAW

NOISE = 0.002
DRAWS = 200  # compiled once for all tests
WARMUP = 20
BLOCK_SIZE, BATCH_SIZE, VOCAB_SIZE = 32, 1024, 66


def as_runs(plan: simulate.Design, L, counts=None) -> table.Runs:
  """A table of runs; `counts` maps a way of counting to arrays (N, C)."""
  rows, counted = [], []
  for i, (C, N, D, loss) in enumerate(
    zip(*(np.asarray(x).tolist() for x in (*plan, L)))
  ):
    rows.append(records.Run(run_id=f'run{i}', C=C, N=N, D=D, val_loss=loss))
    counted.append(
      {
        name: table.Count(float(n[i]), float(c[i]))
        for name, (n, c) in (counts or {}).items()
      }
    )
  return table.Runs(
    runs=tuple(rows),
    counts=tuple(counted),
    format='C,N,D,loss',
    files=('runs.csv',),
  )


def options(**changes) -> Options:
  """Options with few draws."""
  seed = changes.pop('seed', 0)
  method = changes.pop('method', 'auto')
  return Options(
    bootstrap=Bootstrap(draws=DRAWS, method=method, seed=seed), **changes
  )


def analyze(runs: table.Runs, **changes) -> analyze_lib.Analysis:
  return analyze_lib.analyze(runs, options(**changes))


class Analyzed(NamedTuple):
  """Runs on disk, their table, and the analysis of it."""

  folder: epath.Path
  records: list[records.Run]
  analysis: analyze_lib.Analysis


_FOLDER = tempfile.TemporaryDirectory(prefix='scaling_jax_tests_')


@functools.cache
def analyzed() -> Analyzed:
  """Two seeds of five models at three budgets; not to be changed."""
  folder = epath.Path(tempfile.mkdtemp(dir=_FOLDER.name))
  written = write_runs(folder, NOISE, seeds=(0, 1))
  runs = run_folders.read_runs(folder)
  return Analyzed(folder, written, analyze(runs))


def as_csv(plan: simulate.Design, L) -> str:
  columns = [np.asarray(x).tolist() for x in (*plan, L)]
  lines = [','.join(map(repr, row)) for row in zip(*columns)]
  return '\n'.join(['C,N,D,loss', *lines, ''])


def write_runs(
  folder: epath.PathLike, noise: float, seeds=(0,), law=LAW
) -> list[records.Run]:
  """The family at three budgets, as training would have left it.

  Args:
    folder: gets an experiment for each budget.
    noise: sd of log L between seeds; of each step's loss ten times that.
    seeds: of each model and budget.
    law: the truth, also of every point of a training curve.
  """
  rng = np.random.default_rng(0)
  runs = []
  for i, C in enumerate(BUDGETS):
    for model, shape in budget.FAMILY.items():
      for seed in seeds:
        run, losses = _simulated(
          f'c{i}', C, model, shape, seed, law, noise, rng
        )
        place = epath.Path(folder) / run.experiment / run.run_id
        place.mkdir(parents=True)
        records.write_json(place / records.CONFIG, _config(run, law))
        records.write_npy(place / records.TRAIN_LOSS, losses)
        records.write_result(place, run)
        runs.append(run)
    records.write_results(epath.Path(folder) / f'c{i}')
  return runs


def _config(run: records.Run, law) -> dict:
  """A config.json, whose corpus has the law's floor for its entropy."""
  train = {'warmup_steps': WARMUP, 'batch_size': BATCH_SIZE}
  identity = {'C': run.C, 'model': {'n_embd': run.n_embd}, 'train': train}
  return {
    'identity': {**identity, 'experiment': run.experiment, 'seed': run.seed},
    'config': {'train': train},
    'versions': {'jax': '0.0.1', 'commit': 'abc1234'},
    'devices': 'cpu x 1',
    'corpus': {
      'name': 'simulated',
      'train_tokens': 10**9,
      'val_tokens': 10**6,
      'vocab_size': VOCAB_SIZE,
      'floor_nats_per_token': law.E,
    },
  }


def _simulated(experiment, C, model, shape, seed, law, noise, rng):
  count = budget.count_parameters(shape, BLOCK_SIZE, VOCAB_SIZE)
  per_step = BLOCK_SIZE * BATCH_SIZE
  plan = budget.plan(count.N, per_step, C)
  shift = noise * rng.normal()
  seen = per_step * np.arange(1, plan.S + 1)
  every = np.exp(shift + 10 * noise * rng.normal(size=plan.S))
  losses = (law.loss(count.N, seen) * every).astype(np.float32)
  L = float(law.loss(count.N, plan.D) * np.exp(shift))
  per_token = budget.flops_per_token(shape, BLOCK_SIZE, VOCAB_SIZE)
  return records.Run(
    run_id=f'{model}_seed{seed}', experiment=experiment, dataset='simulated',
    model=model, **shape._asdict(), seed=seed, batch_size=BATCH_SIZE,
    block_size=BLOCK_SIZE, C=C, N=count.N, D=plan.D, S=plan.S,
    N_total=count.total, flops=float(per_token * plan.D),
    tokens_per_param=plan.tokens_per_param,
    train_loss=float(losses[-250:].mean()), val_loss=L, val_loss_sem=1e-3,
    val_bpb=L / math.log(2), wall_s=1.0, tokens_per_s=float(plan.D),
    device='cpu x 1', status='done',
  ), losses  # fmt: skip
