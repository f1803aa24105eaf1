"""Studies of a known law: as budgets, as points, and as folders of runs."""

import functools
import math
import tempfile
from typing import Any, NamedTuple

from etils import epath
import numpy as np

from scaling_jax import budget
from scaling_jax import laws
from scaling_jax import records
from scaling_jax.analysis import figures
from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import report
from scaling_jax.analysis import rows
from scaling_jax.analysis import simulate
from scaling_jax.analysis import study

BUDGETS = (1e14, 4e14, 1.6e15)
LAW = simulate.law_through(C=4e14, N=1e6)
NOISE = 0.002
DRAWS = 200  # compiled once for all tests
WARMUP = 20
BLOCK_SIZE, BATCH_SIZE, VOCAB_SIZE = 32, 1024, 66


def design(
  law: laws.Chinchilla = LAW,
  budgets=BUDGETS,
  models: int = 7,
  reach: float = 4.0,
  shift: float = 1.0,
  seeds: int = 1,
) -> simulate.Design:
  """Models from 1/reach to reach times `shift` times each budget's optimum."""
  grid = np.repeat(np.geomspace(1 / reach, reach, models), seeds) * shift
  return simulate.Design.of([(C, law.optimum(C).N * grid) for C in budgets])


def noisy(law, plan, noise, seed=0) -> np.ndarray:
  return simulate.losses(law, plan, noise, np.random.default_rng(seed))


def by_budget(plan: simulate.Design, L: np.ndarray):
  """What `isoflop.fit` takes."""
  return [
    (C, plan.N[plan.C == C], plan.D[plan.C == C], L[plan.C == C])
    for C in np.unique(plan.C)
  ]


def as_points(plan: simulate.Design, L, counts=None) -> list[rows.Point]:
  """Points; `counts` maps a convention's name to arrays (N, C)."""
  out = []
  for i, (C, N, D, loss) in enumerate(
    zip(*(np.asarray(x).tolist() for x in (*plan, L)))
  ):
    counted = {
      name: (float(n[i]), float(c[i]))
      for name, (n, c) in (counts or {}).items()
    }
    out.append(
      rows.Point(
        run_id=f'run{i}', C=C, N=N, D=D, loss=loss, sem=math.nan, seed=0,
        model='', depth=0, S=0, bpb=math.nan, folder='', counts=counted,
      )
    )  # fmt: skip
  return out


def as_source(points) -> points_lib.Source:
  return points_lib.Source(
    tuple(points), (), 'C,N,D,loss', 'nats/token', ('runs.csv',), ()
  )


def analyze(source: points_lib.Source, **settings) -> dict[str, Any]:
  return study.analyze(source, study.Settings(draws=DRAWS, **settings))


class Analyzed(NamedTuple):
  """Runs on disk, and what the analysis says of them."""

  folder: epath.Path
  runs: list[records.Run]
  source: points_lib.Source
  fits: dict[str, Any]


@functools.cache
def analyzed() -> Analyzed:
  """Two seeds of five models at three budgets; not to be changed."""
  folder = epath.Path(tempfile.mkdtemp(dir=_FOLDER.name))
  runs = write_runs(folder, NOISE, seeds=(0, 1))
  source = points_lib.read([folder])
  return Analyzed(folder, runs, source, analyze(source))


# FLOP counts off every grid, up to a thousand times the largest budget.
ELSEWHERE = (1.3e14, 1.1e15, 2.3e16, 4.1e17, 1.5e18)


@functools.cache
def analyzed_elsewhere() -> dict[str, Any]:
  """The laws of `analyzed` with ELSEWHERE for targets; without its curves."""
  source = analyzed().source
  points = tuple(p._replace(folder='') for p in source.points)
  return analyze(source._replace(points=points), targets=ELSEWHERE)


@functools.cache
def reported() -> tuple[epath.Path, dict[str, str]]:
  """The report of `analyzed` in a folder of its own, and its alt texts."""
  folder = epath.Path(tempfile.mkdtemp(dir=_FOLDER.name))
  alts = figures.draw_all(analyzed().fits, folder)
  return report.write(analyzed().fits, folder, alts), alts


_FOLDER = tempfile.TemporaryDirectory(prefix='scaling_jax_tests_')


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


def _config(run: records.Run, law) -> dict[str, Any]:
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
