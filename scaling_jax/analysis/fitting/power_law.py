"""A power law of one quantity: a straight line through logarithms.

By least squares of log y, which is what one residual standard deviation for
all relative errors asks for, and with Student's intervals, which are exact
for it. A line that is curved within its points is no law beyond them: a t-test
of the term (log x)² asks for that.
"""

from collections.abc import Callable
import dataclasses
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from scaling_jax import laws
from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import power_law as messages

MIN_POINTS = 3  # different x: two parameters, and one to judge them by
CHANCE = 0.01  # of a straight line, that it seems curved
_LEAST_SD = 1e-9  # of log y, that numbers have by their digits
_BEYOND = 1e-6  # of log x, past the points


class Curvature(NamedTuple):
  """The term c (log x)² that a line lacks.

  Attributes:
    value, sd: of c, by least squares.
    dof: degrees of freedom of its sd; 0 where nothing is left to test by.
  """

  value: float
  sd: float
  dof: int

  @property
  def p_value(self) -> float:
    """How rarely a straight line would show as much; nan if not tested."""
    if not self.dof:
      return np.nan
    t = abs(self.value) / max(self.sd, 1e-300)
    return float(2 * special.stdtr(self.dof, -t))

  @property
  def rejects(self) -> bool:
    """Whether the points lie on a curve."""
    return self.p_value < CHANCE


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PowerLawFit(FitResult):
  """y = coefficient · x^exponent, and what it might have been.

  Attributes:
    x, y: [n] what it was fitted to.
    line: [2] slope and intercept of log y against log x; None where there is
      no fit.
    line_draws: [B, 2] what they might have been; None where not known.
    bias: [2] of slope and intercept, estimate minus truth, as predicted; it
      widens intervals. None for none.
    residual_sd: of log y; None where it is not known.
    curvature: of log y against log x; None where it is not asked for.
    bounded: whether numbers beyond the points are unknown: where curvature
      rejects the line.

  >>> found = fit([1e6, 1e7, 1e8, 1e9], [3.1, 2.5, 2.0, 1.6], draws=400)
  >>> str(found.status), round(found.params['exponent'], 3)
  ('ok', -0.096)
  >>> y = found.predict(1e10)
  >>> round(float(y.value), 2), y.known
  (1.29, True)
  """

  title: ClassVar[str] = 'Power law'
  formula: ClassVar[str] = 'y = coefficient · x^exponent'

  x: np.ndarray
  y: np.ndarray
  line: np.ndarray | None = None
  line_draws: np.ndarray | None = None
  bias: np.ndarray | None = None
  residual_sd: ResidualSD | None = None
  curvature: Curvature | None = None
  bounded: bool = False

  @property
  def curved(self) -> bool:
    """Whether the points lie on a curve."""
    return self.curvature is not None and self.curvature.rejects

  def _known_at(self, log_x: float) -> bool:
    if not self.bounded:
      return True
    low, high = np.log(min(self.x)), np.log(max(self.x))
    return bool(low - _BEYOND <= log_x <= high + _BEYOND)

  @property
  def law(self) -> laws.PowerLaw:
    """The fitted law; of nan where there is none."""
    return _law(np.full(2, np.nan) if self.line is None else self.line)

  @property
  def draws(self) -> laws.PowerLaw:
    """The law of arrays [B]; [0] where none are known."""
    return _law(
      np.empty((0, 2)) if self.line_draws is None else self.line_draws
    )

  def estimates(self) -> dict[str, Estimate]:
    slope, intercept = (None, None) if self.bias is None else self.bias
    return {
      'coefficient': self._estimate(
        lambda line: line[..., 1], bias=intercept, log=True
      ),
      'exponent': self._estimate(lambda line: line[..., 0], bias=slope),
    }

  def _estimate(
    self,
    of: Callable[[np.ndarray], Any],
    *,
    bias: float | None = None,
    log: bool = False,
  ) -> Estimate:
    """A number made of `line`, and of each of its draws."""
    if self.line is None:
      return Estimate(log=log)
    draws = None if self.line_draws is None else of(self.line_draws)
    return Estimate(
      float(of(self.line)),
      draws,
      bias=None if bias is None else float(bias),
      log=log,
    )

  def estimate_at(self, x: float) -> Estimate:
    """y at one x, as its logarithm; unknown beyond the points if `bounded`."""
    if not self._known_at(np.log(x)):
      return Estimate(log=True)
    at = np.array([np.log(x), 1.0])
    bias = None if self.bias is None else self.bias @ at
    return self._estimate(lambda line: line @ at, bias=bias, log=True)

  def predict(self, x: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """y at x of any shape: of the law, not of a point with its residual.

    Unknown beyond the points of a line that is `bounded`.
    """
    return _each(lambda one: self.estimate_at(one).at(level), x)

  def inverse(self, y: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """The x at which the law is y, of any shape."""
    return _each(lambda one: self._inverse_at(one).at(level), y)

  def _inverse_at(self, y: float) -> Estimate:
    if self.line is None:
      return Estimate(log=True)
    rises = np.sign(self.line[0])
    log_x = float((np.log(y) - self.line[1]) / self.line[0])
    if not self._known_at(log_x):
      return Estimate(log=True)
    bias = None
    if self.bias is not None:
      bias = -(self.bias @ [log_x, 1.0]) / self.line[0]

    def at(line):
      # A law that turns the other way is no answer.
      slope = np.where(np.sign(line[..., 0]) == rises, line[..., 0], np.nan)
      return (np.log(y) - line[..., 1]) / slope

    return self._estimate(at, bias=bias, log=True)

  def kaplan_form(self, level: float = LEVEL) -> tuple[Interval, Interval]:
    """x_c and alpha of y = (x_c/x)^alpha (Kaplan 2020, eqs. 1.1 to 1.3)."""
    x_c, alpha = self.kaplan_estimates()
    return x_c.at(level), alpha.at(level)

  def kaplan_estimates(self) -> tuple[Estimate, Estimate]:
    """x_c, as its logarithm, and alpha of y = (x_c/x)^alpha.

    x_c, at which y is 1, is unknown where it lies beyond the points of a line
    that is `bounded`.
    """

    def x_c(line):
      # A redrawn loss that does not fall has no scale.
      slope = line[..., 0]
      if line.ndim > 1:
        slope = np.where(slope < 0, slope, np.nan)
      return -line[..., 1] / slope

    scale = self._estimate(x_c, log=True)
    if self.line is not None and not self._known_at(scale.value):
      scale = Estimate(log=True)
    return scale, self._estimate(lambda line: -line[..., 0])

  def in_units(self, unit: float) -> 'PowerLawFit':
    """The same fit with x measured in another unit, such as PF-days."""
    moved = np.array([[1.0, np.log(unit)], [0.0, 1.0]])

    def of(lines: np.ndarray | None) -> np.ndarray | None:
      return None if lines is None else lines @ moved

    return dataclasses.replace(
      self,
      x=self.x / unit,
      line=of(self.line),
      line_draws=of(self.line_draws),
      bias=of(self.bias),
    )


def _law(line: np.ndarray) -> laws.PowerLaw:
  with np.errstate(over='ignore'):
    return laws.PowerLaw._make((np.exp(line[..., 1])[()], line[..., 0][()]))


def _each(of: Callable[[float], Interval], x: npt.ArrayLike) -> Interval:
  """Intervals of numbers, in the shape of the numbers."""
  x = np.asarray(x, float)
  rows = np.array([[*of(float(one))] for one in x.ravel()], float)
  columns = rows.reshape(-1, 3).T
  return Interval(*(column.reshape(x.shape)[()] for column in columns))


def fit(
  x: npt.ArrayLike,
  y: npt.ArrayLike,
  *,
  what: str = 'different x',
  draws: int = 4000,
  seed: int = 0,
  straight: bool = False,
) -> PowerLawFit:
  """Fits log y = slope · log x + intercept by least squares.

  Args:
    x, y: [n], positive.
    what: names the different x in messages, as in 'sizes at one D'.
    draws: of the coefficients; 0 for none.
    seed: of the draws.
    straight: whether curvature is not asked for, as where y has errors that are
      no noise.

  Returns:
    'ok'; or 'too_few_points' with fewer than three different x. With four or
    more the line is tested for curvature.

  >>> fit([1e6, 1e7], [3.1, 2.5]).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  >>> floor = fit([1e5, 1e6, 1e7, 1e8, 1e9], [4.6, 3.1, 2.36, 1.98, 1.79])
  >>> floor.curved, floor.predict(1e10).known
  (True, False)
  """
  x, y = np.asarray(x, float), np.asarray(y, float)
  log_x, log_y = np.log(x), np.log(y)
  kinds = len(np.unique(np.round(log_x, 6)))
  if kinds < MIN_POINTS:
    return PowerLawFit(
      status=Status.TOO_FEW_POINTS,
      message=messages.too_few(what, kinds, MIN_POINTS),
      x=x,
      y=y,
    )
  center = log_x.mean()
  basis = np.column_stack([log_x - center, np.ones(len(x))])
  orthogonal, triangle = np.linalg.qr(basis)
  at_center = np.linalg.solve(triangle, orthogonal.T @ log_y)
  residual_sd = ResidualSD.of(basis @ at_center - log_y, 2)
  assert residual_sd is not None
  curvature = None if straight else _curvature(basis, log_y)
  notes: tuple[str, ...] = ()
  if curvature is not None and curvature.rejects:
    notes = (messages.curved(curvature.p_value, min(x), max(x)),)
  rng = np.random.default_rng(seed)
  scatter = bootstrap.noise_draws(rng, draws, 2, residual_sd)
  drawn = at_center + np.linalg.solve(triangle, scatter.T).T
  moved = np.array([[1.0, -center], [0.0, 1.0]])  # from center to x = 1
  return PowerLawFit(
    status=Status.OK,
    message=messages.fitted(len(x), residual_sd.sd),
    notes=notes,
    x=x,
    y=y,
    line=at_center @ moved,
    line_draws=drawn @ moved if draws else None,
    residual_sd=residual_sd,
    curvature=curvature,
    bounded=curvature is not None and curvature.rejects,
  )


def _curvature(basis: np.ndarray, log_y: np.ndarray) -> Curvature:
  """Of points whose line is of log x, centered, and 1: basis [n, 2]."""
  square = basis[:, 0] ** 2
  off = square - basis @ np.linalg.lstsq(basis, square, rcond=None)[0]
  norm = float(off @ off)
  dof = len(log_y) - 3
  kinds = len(np.unique(np.round(basis[:, 0], 6)))
  if dof < 1 or kinds <= MIN_POINTS:
    return Curvature(np.nan, np.nan, 0)
  value = float(off @ log_y) / norm
  whole = np.column_stack([basis, off])
  left = log_y - whole @ np.linalg.lstsq(whole, log_y, rcond=None)[0]
  sd = max(float(np.sqrt(left @ left / dof)), _LEAST_SD)
  return Curvature(value, sd / float(np.sqrt(norm)), dof)


def must_slope(found: PowerLawFit, sign: int, what: str) -> PowerLawFit:
  """The fit, or 'not_identified' where its exponent may have the other sign.

  Args:
    found: a fit; without draws it is returned as it is.
    sign: of the exponent to be, 1 or -1.
    what: the points do not show, as in 'the loss falls with N'.
  """
  if not found.ok or found.line_draws is None or not len(found.line_draws):
    return found
  slope = found.conf_int(LEVEL)['exponent']
  bound = slope.low if sign > 0 else slope.high
  if sign * bound > 0:
    return found
  return dataclasses.replace(
    found,
    status=Status.NOT_IDENTIFIED,
    message=messages.not_shown(found.message, what, slope),
  )


def lines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """[B, 2] slope and intercept through each of y [B, k] at x [k] or [B, k].

  A point that is not finite in a row is omitted from it, as a budget that shows
  no minimum would be omitted from a study.

  >>> lines(np.array([0.0, 1, 2]), np.array([[1.0, 3, 5], [1, np.nan, 3]]))
  array([[2., 1.],
         [1., 1.]])
  """
  w = (np.isfinite(y) & np.isfinite(x)).astype(float)
  x, y = np.where(w > 0, x, 0.0), np.where(w > 0, y, 0.0)
  n = w.sum(-1)
  with np.errstate(divide='ignore', invalid='ignore'):
    mean_x, mean_y = (w * x).sum(-1) / n, (w * y).sum(-1) / n
    off = w * (x - mean_x[:, None])
    slope = (off * y).sum(-1) / (off * x).sum(-1)
  slope = np.where(n >= 2, slope, np.nan)
  return np.stack([slope, mean_y - slope * mean_x], -1)
