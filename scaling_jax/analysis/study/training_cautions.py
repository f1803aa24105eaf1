"""What residuals cannot see: runs that were not trained to their best.

A law takes in an excess of the loss that grows with N or shrinks with D, so that
its residuals stay small and its intervals narrow around another law. What the
runs tell of their training, and a refit without the shortest of them, may show
it.
"""

from collections.abc import Sequence
import dataclasses
import math

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import jacobian
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.messages import study as messages
from scaling_jax.analysis.runs import training
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.training import Training

WARMUP = 0.1  # of a run's steps: more of it costs short runs loss
N_RANGE = 10.0  # from the least N to the most: no one rate is best for both
SHORTEST = 4  # one of so many runs is left out
CHANCE = 0.02  # how rarely noise alone may move the exponent as far
LEAST_MOVE = 0.002  # of the exponent, that anyone would mind


@dataclasses.dataclass(frozen=True, kw_only=True)
class LongWarmup:
  """Runs that warmed up for more than WARMUP of their steps.

  Attributes:
    runs, of: so many of so many.
    most: the largest share of a run's steps.
  """

  runs: int
  of: int
  most: float

  @property
  def text(self) -> str:
    return messages.long_warmup(self.runs, self.of, WARMUP, self.most)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoDecay:
  """Runs whose learning rate was not lowered to the end: so many of so many."""

  runs: int
  of: int

  @property
  def text(self) -> str:
    return messages.no_decay(self.runs, self.of)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OneLearningRate:
  """Models far apart in size that had one learning rate, and no other tried.

  Attributes:
    rate: the peak.
    ratio: of the largest N that had it to the smallest.
  """

  rate: float
  ratio: float

  @property
  def text(self) -> str:
    return messages.one_learning_rate(self.rate, self.ratio)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShortRunsApart:
  """The exponent of N_opt moves where the shortest runs are left out.

  Attributes:
    runs: how many are left out.
    every, without: the exponent with them and without.
    half_width: of its 95% interval with them.
  """

  runs: int
  every: float
  without: float
  half_width: float

  @property
  def text(self) -> str:
    return messages.short_runs_apart(
      self.runs, self.every, self.without, self.half_width
    )


Caution = LongWarmup | NoDecay | OneLearningRate | ShortRunsApart


def cautions(
  runs: Runs,
  law: ChinchillaFit,
  *,
  tried: Runs | None = None,
  solver: str = 'auto',
) -> tuple[Caution, ...]:
  """Everything that speaks against the training of runs.

  Args:
    runs: that the law was fitted on. What they don't tell raises no caution.
    law: of these runs; where it is not ok, it is not fitted again.
    tried: all that were trained, those that lost to a better recipe too; the
      same as `runs` if None.
    solver: of the refit.

  >>> from scaling_jax.records import Run
  >>> runs = Runs(tuple(
  ...   Run(f'r{i}', C=6e14, N=1e6, D=1e8, S=500, warmup_steps=w, val_loss=3.0)
  ...   for i, w in enumerate((10, 100))
  ... ))
  >>> law = chinchilla.fit(runs.N, runs.D, runs.loss)
  >>> cautions(runs, law)
  (LongWarmup(runs=1, of=2, most=0.2),)
  """
  told = training.of_runs(runs)
  every = told if tried is None else training.of_runs(tried)
  N = {'runs': runs.N, 'tried': runs.N if tried is None else tried.N}
  found = (
    long_warmup(told),
    no_decay(told),
    one_learning_rate(N['runs'], told, N['tried'], every),
    short_runs_apart(law, solver),
  )
  return tuple(one for one in found if one is not None)


def long_warmup(told: Sequence[Training]) -> LongWarmup | None:
  """Whether runs warmed up for more than WARMUP of their steps."""
  shares = [one.warmup for one in told if one.warmup > WARMUP]
  if not shares:
    return None
  return LongWarmup(runs=len(shares), of=len(told), most=max(shares))


def no_decay(told: Sequence[Training]) -> NoDecay | None:
  """Whether runs are known to have ended at their peak learning rate."""
  flat = sum(one.decays is False for one in told)
  return NoDecay(runs=flat, of=len(told)) if flat else None


def one_learning_rate(
  N: np.ndarray,
  told: Sequence[Training],
  N_tried: np.ndarray,
  tried: Sequence[Training],
) -> OneLearningRate | None:
  """Whether one rate trained all runs, untried beside others at far sizes.

  Args:
    N: [n] parameters of the runs that count.
    told: [n] how they were trained.
    N_tried, tried: the same of all that were trained.
  """
  rates = {_rounded(one.learning_rate) for one in told}
  if len(rates) != 1 or any(one.scaled for one in told):
    return None
  (rate,) = rates
  by_N: dict[float, set[float]] = {}
  for n, one in zip(N_tried, tried):
    by_N.setdefault(_rounded(n), set()).add(_rounded(one.learning_rate))
  untuned = [n for n in N if by_N.get(_rounded(n), set()) <= {rate}]
  ratio = max(untuned) / min(untuned) if untuned else 1.0
  if not math.isfinite(rate) or ratio < N_RANGE:
    return None
  return OneLearningRate(rate=rate, ratio=float(ratio))


def _rounded(x: float) -> float:
  return float(f'{x:.4g}')


def short_runs_apart(
  law: ChinchillaFit, solver: str = 'auto'
) -> ShortRunsApart | None:
  """Whether the law of all runs but the shortest quarter has another exponent.

  By more than its half width with all runs, and by more than noise alone moves
  it: a quarter of the runs tells so much that its loss moves the exponent
  beyond the half width in four of ten studies of a law that holds.
  """
  if not law.ok or law.point is None or law.residual_sd is None:
    return None
  cells = law.cells
  least = np.sort(cells.D)[len(cells) // SHORTEST] * (1 - 1e-6)
  keep = cells.D >= least
  if keep.all():
    return None
  long = law.counted & (law.D >= least)
  fewer = chinchilla.fit(
    law.N[long],
    law.D[long],
    law.loss[long],
    bootstrap=Bootstrap(draws=0),
    solver=solver,
  )
  if not fewer.ok:
    return None
  slope = law.middle_slope
  every, without = (float(x.law.exponent_along(slope)) for x in (law, fewer))
  half_width, sd = _half_width_and_sd(law, cells, keep)
  limit = -special.stdtrit(law.residual_sd.dof, CHANCE / 2) * sd
  if abs(without - every) <= max(half_width, limit, LEAST_MOVE):
    return None
  return ShortRunsApart(
    runs=int(np.sum(law.counted & ~long)),
    every=every,
    without=without,
    half_width=half_width,
  )


def _half_width_and_sd(
  law: ChinchillaFit, cells: Cells, keep: np.ndarray
) -> tuple[float, float]:
  """The exponent's half width, and the sd of its move without some cells.

  The move is linear in the cells' noise where that is small: by the
  least-squares solutions of all cells and of those that are kept.
  """
  assert law.point is not None
  assert law.residual_sd is not None
  noise, dof = law.residual_sd
  data = LogData.of(cells.N, cells.D, cells.loss, law.center)
  rows = jacobian(law.point, data)
  to_params = np.linalg.pinv(rows)
  fewer = np.zeros_like(to_params)
  fewer[:, keep] = np.linalg.pinv(rows[keep])
  alpha, beta, slope = law.law.alpha, law.law.beta, law.middle_slope
  along = np.array([0, 0, 0, -beta, alpha]) / (alpha - beta * slope) ** 2
  moved = float(np.linalg.norm(along @ (fewer - to_params)))
  stated = law.conf_int(LEVEL)['exponent_N']
  half = float(stated.high - stated.low) / 2
  if not math.isfinite(half):
    quantile = special.stdtrit(dof, (1 + LEVEL) / 2)
    half = float(quantile * noise * np.linalg.norm(along @ to_params))
  return half, noise * moved
