"""What approach 3's fit is, and what can be asked of it."""

from collections.abc import Callable
import dataclasses
import functools
import operator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import special

from scaling_jax import laws
from scaling_jax.analysis.fitting import cost_fit
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import law_of
from scaling_jax.analysis.fitting.cost_fit import CostFit
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import asked
from scaling_jax.analysis.fitting.result import percentile_interval


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ChinchillaFit(FitResult):
  """L(N, D) = E + A/N^alpha + B/D^beta, and what it might have been.

  Attributes:
    N, D, loss: [n] what it was fitted to.
    C: [n] FLOPs of each run; None where they are 6 N D.
    center: mean log N and mean log D.
    point: [5] log A', log B', log E, alpha, beta, where A' and B' are the two
      terms at the center; None where no minimum was found.
    param_draws: [B, 5] what they might have been; nan where a redrawn study
      shows no law. Empty where there is no interval.
    residual_sd: of log L about the law, at the mean log D, of runs that count;
      of the means of seeds where there are seeds. None without a degree of
      freedom.
    method: how the draws were made: 'posterior', 'noise', 'runs' or ''.
    deviations: [n] log(loss / predicted) in standard deviations of a run of
      that D, each judged by the fit without it.
    outliers: [m] indices of runs beyond five of these, or what is as rare as
      one in 10,000 where few runs tell them: look at these.
    excludes: whether outliers were excluded from the fit.
    noise_exponent: standard deviations go as D^-noise_exponent.
    n_cells: data that were fitted: runs that differ by their seed are one.
    seed_sd: of log L between such runs; None without seeds.
    model_sd: of log L between models over that within, where several token
      counts of one model go together; 0 where they do not.
    objective: what was minimized.
  """

  title: ClassVar[str] = 'L = E + A / N^alpha + B / D^beta'
  formula: ClassVar[str] = title

  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray
  C: np.ndarray | None = None
  center: tuple[float, float] = (0.0, 0.0)
  point: np.ndarray | None = None
  param_draws: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty((0, N_PARAMS))
  )
  residual_sd: ResidualSD | None = None
  method: str = ''
  deviations: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty(0)
  )
  outliers: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty(0, int)
  )
  excludes: bool = True
  noise_exponent: float = 0.0
  n_cells: int = 0
  seed_sd: ResidualSD | None = None
  model_sd: float = 0.0
  objective: Objective = dataclasses.field(default_factory=Objective)

  @functools.cached_property
  def law(self) -> laws.Chinchilla:
    """The fitted law; of nan where there is none."""
    point = np.full(N_PARAMS, np.nan) if self.point is None else self.point
    return law_of(point, self.center)

  @functools.cached_property
  def draws(self) -> laws.Chinchilla:
    """The law of arrays [B]; [0] where there is no interval."""
    return law_of(self.param_draws, self.center)

  @functools.cached_property
  def cost_fit(self) -> CostFit:
    """What compute bought, and might buy beyond the runs' models."""
    C = 6 * self.N * self.D if self.C is None else self.C
    return cost_fit.fit(self.N, self.D, C)

  @property
  def cost(self) -> laws.Cost:
    """What C FLOPs buy, as the runs spent theirs."""
    return self.cost_fit.cost

  @functools.cached_property
  def cost_draws(self) -> laws.Cost:
    """The cost that each draw is paired with; one where it is exact."""
    return self.cost_fit.draws(len(self.param_draws))

  @property
  def middle(self) -> float:
    """The geometric mean of the least and the most C of the runs."""
    C = 6 * self.N * self.D if self.C is None else self.C
    return float(np.sqrt(C.min()) * np.sqrt(C.max())) if len(C) else np.nan

  @property
  def middle_slope(self) -> float:
    """d log D / d log N at that C, at its optimum."""
    with np.errstate(all='ignore'):
      best = self.law.optimum(self.middle, self.cost)
    return float(self.cost.slope_at(np.log(best.N)))

  @property
  def predicted(self) -> np.ndarray:
    """[n] the law's losses."""
    return np.asarray(self.law.loss(self.N, self.D))

  @property
  def residuals(self) -> np.ndarray:
    """[n] log(loss / predicted)."""
    return np.log(self.loss / self.predicted)

  @functools.cached_property
  def cells(self) -> Cells:
    """What was fitted: runs that count, seeds of one N and D being one datum."""
    return Cells.of(*(x[self.counted] for x in (self.N, self.D, self.loss)))

  @property
  def counted(self) -> np.ndarray:
    """[n] whether each run was fitted: not where an outlier is excluded."""
    out = np.ones(len(self.loss), bool)
    if self.excludes:
      out[self.outliers] = False
    return out

  def run_sd(self, D: npt.ArrayLike) -> np.ndarray:
    """The residual standard deviation of one run of D tokens; nan if unknown.

    That of a cell's mean, as runs of D tokens scatter, and what one seed adds
    to it.
    """
    D = np.asarray(D, float)
    if self.residual_sd is None:
      return np.full(D.shape, np.nan)
    variance = self.residual_sd.sd**2
    if self.seed_sd is not None and self.n_cells:
      seeds = float(np.sum(self.counted)) / self.n_cells
      variance += self.seed_sd.sd**2 * (1 - 1 / seeds)
    off = np.log(D) - self.center[1]
    return np.sqrt(variance) * np.exp(-self.noise_exponent * off)

  def estimate(
    self, of: Callable[[laws.Chinchilla], Any], *, log: bool = False
  ) -> Estimate:
    """Any number that a law gives, with its draws.

    Args:
      of: a law -> the number, or arrays [B] of a law of arrays.
      log: whether `of` gives the number's logarithm.

    >>> none = np.empty(0)
    >>> fit = ChinchillaFit(status='too_few_points', N=none, D=none, loss=none)
    >>> fit.estimate(lambda law: law.A / law.B).value
    nan
    """
    with np.errstate(all='ignore'):  # a draw may be near the largest float
      drawn = of(self.draws) if len(self.param_draws) else None
      return Estimate(float(of(self.law)), drawn, log=log)

  def estimates(self) -> dict[str, Estimate]:
    """The constants, and N_opt = N0 C^exponent_N, D_opt = D0 C^exponent_D.

    Where the cost is curved, so are N_opt and D_opt: these are their tangents
    at the geometric `middle` of the runs' C.
    """
    names = laws.Chinchilla._fields
    constants = {n: self.estimate(operator.attrgetter(n)) for n in names}
    return {**constants, **self._power_laws()}

  def _power_laws(self) -> dict[str, Estimate]:
    with np.errstate(all='ignore'):  # a draw may be near the largest float
      value = tangents(self.law, self.cost, self.middle)
      drawn: tuple[Any, ...] = (None,) * len(value)
      if len(self.param_draws):
        drawn = tangents(self.draws, self.cost_draws, self.middle)
    names = 'exponent_N', 'exponent_D', 'N0', 'D0'
    return {
      name: Estimate(float(x), of, log=name.endswith('0'))
      for name, x, of in zip(names, value, drawn)
    }

  def predict(
    self,
    N: npt.ArrayLike,
    D: npt.ArrayLike,
    level: float = LEVEL,
    *,
    of_run: bool = False,
  ) -> Interval:
    """The loss of N parameters trained on D tokens; arrays broadcast.

    Args:
      N: parameters.
      D: tokens.
      level: of the interval.
      of_run: whether the interval is one for a run, with its own residual, and
        not for the law alone.
    """
    N, D = np.broadcast_arrays(np.asarray(N, float), np.asarray(D, float))
    drawn = None
    if len(self.param_draws):
      drawn = np.asarray(_columns(self.draws, N.ndim).loss(N, D))
      if of_run and self.residual_sd is not None:
        drawn = drawn * np.exp(self.own_draws(D, seed=0))
    return percentile_interval(self.law.loss(N, D), drawn, level)

  @property
  def seeds_p_value(self) -> float:
    """How rarely means of seeds alone would lie as far from the law.

    By an F-test of the residual variance of cells against that which seeds leave
    to their means; nan where no seeds are repeated.
    """
    if self.seed_sd is None or self.residual_sd is None:
      return np.nan
    of_means = self.seed_sd.sd**2 * float(np.mean(1 / self.cells.count))
    ratio = self.residual_sd.sd**2 / max(of_means, 1e-300)
    return float(special.fdtrc(self.residual_sd.dof, self.seed_sd.dof, ratio))

  def own_draws(self, D: np.ndarray, seed: int) -> np.ndarray:
    """[B, ...] residuals that runs of D tokens might have, for each draw."""
    rng = np.random.default_rng(seed)
    count = len(self.param_draws)
    sd = self.run_sd(D)
    normal = rng.normal(size=(count, *np.shape(D)))
    if self.residual_sd is None:
      return normal * sd
    scale = self.residual_sd.scales(rng, count) / self.residual_sd.sd
    return np.reshape(scale, (-1, *np.ndim(D) * (1,))) * normal * sd

  def optimum(
    self,
    *,
    C: npt.ArrayLike | None = None,
    D: npt.ArrayLike | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    """What to train with C FLOPs; or on D tokens, and the C that asks for.

    The least loss at the cost of the runs: with C = 6 N D that is Hoffmann et
    al. 2022, eq. 4. Where the cost is curved each draw has a curve of its own.

    Args:
      C: FLOPs, of any shape.
      D: tokens, of any shape; in the place of C.
      level: of the intervals.

    Raises:
      ValueError: both or neither are given, or one is not positive.
    """
    drawn = self.draws if len(self.param_draws) else None
    return allocation(
      self.law, drawn, C=C, D=D, cost=self.cost, cost_draws=self.cost_draws,
      level=level,
    )  # fmt: skip


def allocation(
  law: laws.Chinchilla,
  draws: laws.Chinchilla | None,
  *,
  C: npt.ArrayLike | None = None,
  D: npt.ArrayLike | None = None,
  cost: laws.Cost = laws.SIX_ND,
  cost_draws: laws.Cost | None = None,
  level: float = LEVEL,
) -> Allocation:
  """The optimum of a law, with the intervals of laws that it might have been.

  Args:
    law: the law.
    draws: a law of arrays [B]; None for no intervals.
    C, D: FLOPs, or tokens, of any shape.
    cost: what C FLOPs buy.
    cost_draws: the cost of each draw; all have `cost` if None.
    level: of the intervals.

  Raises:
    ValueError: both or neither of C and D are given, or one is not positive.
  """
  x = asked(C, D)

  def best(law: laws.Chinchilla, cost: laws.Cost) -> laws.Optimum:
    with np.errstate(all='ignore'):
      return law.optimum(x, cost) if D is None else law.for_tokens(x, cost)

  center, drawn = best(law, cost), None
  if draws is not None:
    costs = cost if cost_draws is None else cost_draws.columns(np.ndim(x))
    drawn = best(_columns(draws, np.ndim(x)), costs)
  given = 'C' if D is None else 'D'
  found = {
    name: percentile_interval(
      getattr(center, name), drawn and getattr(drawn, name), level
    )
    for name in 'CNDL'.replace(given, '')
  }
  found[given] = Interval.exact(x)
  return Allocation(C=found['C'], N=found['N'], D=found['D'], loss=found['L'])


def tangents(
  law: laws.Chinchilla, cost: laws.Cost, C: float
) -> tuple[laws.Number, laws.Number, laws.Number, laws.Number]:
  """a, b, log N0 and log D0 of N_opt = N0 C^a and D_opt = D0 C^b, about C."""
  if isinstance(cost, laws.CostLine):
    a = law.exponent_along(cost.slope)
    log_N0 = law.log_N_opt(cost.intercept, cost.slope)
    log_D0 = cost.slope * log_N0 + cost.intercept
    return a, 1 + cost.slope * a, log_N0, log_D0
  best = law.optimum(C, cost)
  a = law.exponent_at(C, cost)
  b = 1 + cost.slope_at(np.log(best.N)) * a
  return a, b, np.log(best.N) - a * np.log(C), np.log(best.D) - b * np.log(C)


def _columns(law: laws.Chinchilla, ndim: int) -> laws.Chinchilla:
  """A law of arrays [B] as one that broadcasts against ndim axes."""
  return laws.Chinchilla._make(np.reshape(x, (-1, *ndim * (1,))) for x in law)
