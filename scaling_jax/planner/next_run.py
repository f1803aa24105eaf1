"""What each planned run adds, and which run to add to a design."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax import budget
from scaling_jax.planner import run_value
from scaling_jax.planner.configs import PlannedRun
from scaling_jax.planner.run_value import Question
from scaling_jax.planner.run_value import Trial

_RATIOS = (0.5, 2000.0)  # tokens a parameter of a run worth adding
_SIZES = 13  # of the models tried as the next run, from half to twice the range


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunValue:
  """What one run adds to what is known of N_opt.

  Attributes:
    name: of a planned run; of the model of one to add.
    config: that it comes from; '' of one that is new.
    C: FLOPs of its budget.
    N, D: parameters and tokens.
    narrows: the share by which log N_opt's interval is narrower with it.
    per_percent: the same for a percent of the design's compute.
  """

  name: str
  config: str
  C: float
  N: float
  D: float
  narrows: float
  per_percent: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunValues:
  """What each run adds, and the best ones to add.

  Attributes:
    runs: that are planned.
    next: a new run that narrows N_opt the most; None where none is tried.
    next_per_flop: that narrows it the most for its FLOPs.
    repeat: a planned run whose next seed narrows it the most.
  """

  runs: tuple[RunValue, ...]
  next: RunValue | None
  next_per_flop: RunValue | None
  repeat: RunValue | None


def values(runs: Sequence[PlannedRun], asked: Question) -> RunValues | None:
  """Each planned run's value, and the best to add; None without freedom."""
  N = np.array([float(run.row.N) for run in runs])
  D = np.array([float(run.row.D) for run in runs])
  if not np.isfinite(run_value.spread(N, D, asked)).any():
    return None  # approach 3 would refuse these runs, and the notes tell why
  planned = [
    _value(run.run_id, run.config, run.row.C, trial)
    for run, trial in zip(runs, run_value.each_run(N, D, asked))
  ]
  new = _candidates(runs, N)
  sizes = [(float(n), C / (6 * n)) for _, C, n in new]
  tried = [
    _value(budget.shape_name(shape), '', C, trial)
    for (shape, C, _), trial in zip(
      new, run_value.added(N, D, sizes, asked=asked)
    )
  ]
  once = {(run.row.label, run.config): run for run in runs}.values()
  again = [(float(run.row.N), float(run.row.D)) for run in once]
  repeated = [
    _value(run.row.label, run.config, run.row.C, trial)
    for run, trial in zip(once, run_value.added(N, D, again, asked=asked))
  ]
  return RunValues(
    runs=tuple(planned),
    next=_best(tried, 'narrows'),
    next_per_flop=_best(tried, 'per_percent'),
    repeat=_best(repeated, 'narrows'),
  )


def _value(name: str, config: str, C: float, trial: Trial) -> RunValue:
  return RunValue(name=name, config=config, C=C, **trial._asdict())


def _best(found: Sequence[RunValue], by: str) -> RunValue | None:
  return max(found, key=lambda one: getattr(one, by), default=None)


def _candidates(
  runs: Sequence[PlannedRun], N: np.ndarray
) -> list[tuple[budget.Shape, float, int]]:
  """(shape, C, its N) of models of half the smallest to twice the largest.

  At each budget, those that are not planned there and train on a sensible
  number of tokens.
  """
  sizes = np.geomspace(N.min() / 2, N.max() * 2, _SIZES)
  shapes = sorted({budget.shape_near(float(x)) for x in sizes})
  there = {(run.row.C, float(run.row.N)) for run in runs}
  found = [
    (shape, C, budget.count_parameters(shape, 0, 0).N)
    for C in sorted({run.row.C for run in runs})
    for shape in shapes
  ]
  return [
    (shape, C, n)
    for shape, C, n in found
    if (C, float(n)) not in there
    and _RATIOS[0] <= C / (6 * n * n) <= _RATIOS[1]
  ]
