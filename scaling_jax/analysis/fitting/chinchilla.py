"""Approach 3: L(N, D) = E + A/N^alpha + B/D^beta fitted to every run.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.3: the Huber loss (delta 1e-3)
of log L, summed over runs, at its least from many starts.
"""

from collections.abc import Callable
import dataclasses
import functools
import operator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import special

from scaling_jax import laws
from scaling_jax.analysis.fitting import bootstrap as bootstrap_lib
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting import chinchilla_draws
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.chinchilla_data import ALONG_A_LINE
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import law_of
from scaling_jax.analysis.fitting.chinchilla_data import unanswered
from scaling_jax.analysis.fitting.chinchilla_draws import refits
from scaling_jax.analysis.fitting.multistart import pad
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import asked
from scaling_jax.analysis.fitting.result import percentile_interval
from scaling_jax.analysis.messages import chinchilla as messages

__all__ = (
  'ALONG_A_LINE', 'N_PARAMS', 'OPEN_DRAWS', 'ChinchillaFit', 'LogData',
  'allocation', 'fit', 'pad', 'refits', 'unanswered',
)  # fmt: skip

OPEN_DRAWS = 0.005  # the share of draws without a law that is too many
OUTLIER = 5.0  # standard deviations of a normal residual that is no accident
_NORMAL = 1.4826  # standard deviation over the median size, of a normal


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
    residual_sd: of log L about the law; None without a degree of freedom.
    method: how the draws were made: 'runs', 'noise' or ''.
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
  def cost(self) -> laws.CostLine:
    """What C FLOPs buy, as the runs spent theirs."""
    if self.C is None:
      return laws.SIX_ND
    return laws.CostLine.of_runs(self.N, self.D, self.C)

  @property
  def predicted(self) -> np.ndarray:
    """[n] the law's losses."""
    return np.asarray(self.law.loss(self.N, self.D))

  @property
  def residuals(self) -> np.ndarray:
    """[n] log(loss / predicted)."""
    return np.log(self.loss / self.predicted)

  @property
  def outliers(self) -> np.ndarray:
    """Indices of runs that noise does not explain: look at these.

    Their residuals are beyond five standard deviations, or what is as rare of
    so few runs (Student's t). The standard deviation is 1.4826 times the median
    size of the n - 5 largest residuals, which a few outliers don't move: the
    law may pass through five runs whatever their noise.
    """
    if self.residual_sd is None or self.point is None:
      return np.empty(0, int)
    size = np.abs(self.residuals)
    sd = _NORMAL * float(np.median(np.sort(size)[N_PARAMS:]))
    rare = -special.stdtrit(self.residual_sd.dof, special.ndtr(-OUTLIER))
    # Within delta a residual counts by its square: it is not taken for one.
    return np.flatnonzero(size > max(rare * sd, chinchilla_data.DELTA))

  def estimate(
    self, of: Callable[[laws.Chinchilla], Any], *, log: bool = False
  ) -> Estimate:
    """Any number that a law gives, with its draws.

    Args:
      of: a law -> the number, or arrays [B] of a law of arrays.
      log: whether `of` gives the number's logarithm.

    >>> fit([1e6], [1e8], [3.0]).estimate(lambda law: law.A / law.B).value
    nan
    """
    with np.errstate(all='ignore'):  # a draw may be near the largest float
      drawn = of(self.draws) if len(self.param_draws) else None
      return Estimate(float(of(self.law)), drawn, log=log)

  def estimates(self) -> dict[str, Estimate]:
    slope, intercept = self.cost

    def log_N0(law):
      return law.log_N_opt(intercept, slope)

    names = laws.Chinchilla._fields
    return {
      **{n: self.estimate(operator.attrgetter(n)) for n in names},
      'exponent_N': self.estimate(lambda x: x.exponent_along(slope)),
      'exponent_D': self.estimate(
        lambda x: 1 + slope * x.exponent_along(slope)
      ),
      'N0': self.estimate(log_N0, log=True),
      'D0': self.estimate(lambda x: slope * log_N0(x) + intercept, log=True),
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
        rng = np.random.default_rng(0)
        own = bootstrap_lib.noise_draws(
          rng, len(drawn), N.size, self.residual_sd
        )
        drawn = drawn * np.exp(own.reshape(len(drawn), *N.shape))
    return percentile_interval(self.law.loss(N, D), drawn, level)

  def optimum(
    self,
    *,
    C: npt.ArrayLike | None = None,
    D: npt.ArrayLike | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    """What to train with C FLOPs; or on D tokens, and the C that asks for.

    The least loss along the cost line of the runs: with C = 6 N D that is
    Hoffmann et al. 2022, eq. 4.

    Args:
      C: FLOPs, of any shape.
      D: tokens, of any shape; in the place of C.
      level: of the intervals.

    Raises:
      ValueError: both or neither are given, or one is not positive.
    """
    drawn = self.draws if len(self.param_draws) else None
    return allocation(self.law, drawn, C=C, D=D, cost=self.cost, level=level)


def allocation(
  law: laws.Chinchilla,
  draws: laws.Chinchilla | None,
  *,
  C: npt.ArrayLike | None = None,
  D: npt.ArrayLike | None = None,
  cost: laws.CostLine = laws.SIX_ND,
  level: float = LEVEL,
) -> Allocation:
  """The optimum of a law, with the intervals of laws that it might have been.

  Args:
    law: the law.
    draws: a law of arrays [B]; None for no intervals.
    C, D: FLOPs, or tokens, of any shape.
    cost: what C FLOPs buy.
    level: of the intervals.

  Raises:
    ValueError: both or neither of C and D are given, or one is not positive.
  """
  x = asked(C, D)

  def best(law: laws.Chinchilla) -> laws.Optimum:
    with np.errstate(all='ignore'):
      return law.optimum(x, cost) if D is None else law.for_tokens(x, cost)

  center = best(law)
  drawn = None if draws is None else best(_columns(draws, np.ndim(x)))
  given = 'C' if D is None else 'D'
  found = {
    name: percentile_interval(
      getattr(center, name), drawn and getattr(drawn, name), level
    )
    for name in 'CNDL'.replace(given, '')
  }
  found[given] = Interval.exact(x)
  return Allocation(C=found['C'], N=found['N'], D=found['D'], loss=found['L'])


def _columns(law: laws.Chinchilla, ndim: int) -> laws.Chinchilla:
  """A law of arrays [B] as one that broadcasts against ndim axes."""
  return laws.Chinchilla._make(np.reshape(x, (-1, *ndim * (1,))) for x in law)


def fit(
  N: npt.ArrayLike,
  D: npt.ArrayLike,
  loss: npt.ArrayLike,
  *,
  C: npt.ArrayLike | None = None,
  n_budgets: int | None = None,
  bootstrap: Bootstrap | None = None,
  solver: str = 'auto',
  starts: str = 'both',
) -> ChinchillaFit:
  """Fits the law and draws what it might have been.

  Args:
    N: [n] parameters of each run.
    D: [n] tokens.
    loss: [n] final losses.
    C: [n] FLOPs; 6 N D if None.
    n_budgets: compute budgets among the runs; where it is one, the model's
      and the data's term cannot be told apart. None: not checked.
    bootstrap: how draws are made.
    solver: 'jax', 'optimistix' or 'auto': see `multistart.minimize`.
    starts: 'projection' for variable projection, 'grid' for Hoffmann's 4500,
      'both' for the first and the most promising of the second.

  Returns:
    'ok'; 'too_few_points' and 'no_degrees_of_freedom' with fewer than five or
    eight runs; 'not_converged' where no three starts agree; 'not_identified'
    where the runs leave the law open.

  Raises:
    ValueError: no solver, or no starts, have that name.

  >>> from scaling_jax.published import HOFFMANN
  >>> N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
  >>> found = fit(N, D, HOFFMANN.loss(N, D), bootstrap=Bootstrap(draws=100))
  >>> str(found.status), round(found.params['alpha'], 3)
  ('ok', 0.34)
  >>> best = found.optimum(C=1e22, level=0.8)
  >>> print(f'{best.N.value:.2e} parameters, {best.D.value:.2e} tokens')
  5.16e+09 parameters, 3.23e+11 tokens
  >>> fit(N[:4], D[:4], HOFFMANN.loss(N[:4], D[:4])).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  bootstrap = bootstrap or Bootstrap()
  N, D, loss = (np.asarray(x, float) for x in (N, D, loss))
  empty = ChinchillaFit(
    status=Status.TOO_FEW_POINTS,
    N=N,
    D=D,
    loss=loss,
    C=None if C is None else np.asarray(C, float),
  )
  data = LogData.of(N, D, loss) if len(N) else None
  refused = chinchilla_data.refusal(data, n_budgets)
  if refused or data is None:
    status, message = refused or (empty.status, '')
    return dataclasses.replace(empty, status=status, message=message)
  found = multistart.minimize(
    chinchilla_data.residuals,
    chinchilla_data.starts_of(data, starts),
    data.padded,
    multistart.pad(np.ones(len(loss))),
    chinchilla_data.DELTA,
    solver,
  )
  status, message = found.status, found.message
  if status == Status.OK and not (found.params[3:] > 0).all():
    status = Status.NOT_IDENTIFIED
    message = messages.rising(*map(float, found.params[3:]))
  out = dataclasses.replace(
    empty,
    status=status,
    message=message,
    diagnostics=found.diagnostics,
    center=(data.mean_log_N, data.mean_log_D),
    point=found.params if status == Status.OK else None,
  )
  return _with_draws(out, data, bootstrap, solver) if out.ok else out


def _with_draws(
  out: ChinchillaFit, data: LogData, bootstrap: Bootstrap, solver: str
) -> ChinchillaFit:
  """The fit with its draws, or why it gets none."""
  point = out.point
  assert point is not None
  few = chinchilla_data.too_few(len(out.loss))
  if few:
    return dataclasses.replace(out, status=few[0], message=few[1])
  left = np.log(out.law.loss(out.N, out.D)) - data.log_L
  residual_sd = ResidualSD.of(left, N_PARAMS)
  assert residual_sd is not None
  method = bootstrap_lib.choose_method(bootstrap.method, len(left), N_PARAMS)
  out = dataclasses.replace(out, residual_sd=residual_sd, method=method)
  if not bootstrap.draws:
    return out
  drawn = chinchilla_draws.draw(
    data, point, residual_sd, bootstrap, method, solver
  )
  undefined = float(np.mean(np.isnan(drawn[:, 0])))
  if undefined > OPEN_DRAWS:
    return dataclasses.replace(
      out,
      status=Status.NOT_IDENTIFIED,
      message=messages.open_draws(undefined),
      point=None,
    )
  return dataclasses.replace(out, param_draws=drawn)
