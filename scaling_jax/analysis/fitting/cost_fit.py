"""What the runs' compute bought, and what it might buy models of other sizes.

Runs state C beside N and D. Where that is 6 N D, or k N D with one k, or a
straight line of logarithms, it is taken as it is. Else log k(N) is that of
`costs.CostCurve` and a residual: models of a ladder differ in depth and width.
The curve's shape is drawn from its exact posterior on a grid of (fall, rate),
flat where a curve may lie at all, so that what runs don't tell stays open: how
k goes on beyond their models.
"""

from collections.abc import Sequence
import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting.isoflop_budget import IsoflopBudget
from scaling_jax.costs import FASTEST
from scaling_jax.costs import SIX_ND
from scaling_jax.costs import Cost
from scaling_jax.costs import CostCurve
from scaling_jax.costs import CostLine

_SD, _DOF = 0.02, 2  # of the residual: known beforehand, as by 2 models
_GRID = 41  # points along each side
_ZOOMS = 12
_MARGIN = 3  # cells about what is likely
_LIKELY = 16.0  # nats below the most likely: the rest is left out of the grid
_BEST = 40  # points
_SHRUNK = 0.7
_LEAST, _MOST = np.array([-FASTEST[0], 0.0]), np.array([FASTEST[1], 1.0])
_LEAST_RATE = 1e-6
_LEAST_SD = 1e-6
_APART = 1.05  # times: D in whole steps, C of a budget, differ by less
_KINDS = 200  # of N that are told apart; more are put together
_SAME_N = 1e-9  # of log N


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class CostFit:
  """C(N, D) of runs.

  Attributes:
    cost: the estimate: where that is a curve, the mean of what residuals allow.
    low, high: the smallest and the largest N of the runs.
    ratio: (low, high) of C / (6 N D) over the runs.
    residual_sd: of log C about the curve; 0 where nothing is left.
    shapes: what a curve might be; None where the cost is exact.
  """

  cost: Cost
  low: float
  high: float
  ratio: tuple[float, float] = (1.0, 1.0)
  residual_sd: float = 0.0
  shapes: '_Shapes | None' = None

  @property
  def form(self) -> str:
    """'6ND', 'ratio' of one k, 'line' or 'curve'."""
    if isinstance(self.cost, CostCurve):
      return 'curve'
    if self.cost == SIX_ND:
      return '6ND'
    return 'ratio' if self.cost.slope == -1 else 'line'

  @property
  def shaped(self) -> bool:
    """Whether C / (N D) is another for another N, by more than rounding."""
    low, high = self.ratio
    return self.form in ('line', 'curve') and high > _APART * low

  def draws(self, count: int, seed: int = 0) -> Cost:
    """Costs of arrays [count] that it might be; one where that is exact."""
    if self.shapes is None or not count:
      return self.cost
    return self.shapes.draws(count, np.random.default_rng((seed, 2)))

  def extrapolated(self, N: npt.ArrayLike) -> bool:
    """Whether the cost of N parameters is that of no model near the runs'."""
    if not self.shaped:
      return False
    within = (np.asarray(N) >= self.low / 1.01) & (
      np.asarray(N) <= self.high * 1.01
    )
    return not bool(np.all(within))


def fit(N: npt.ArrayLike, D: npt.ArrayLike, C: npt.ArrayLike) -> CostFit:
  """The cost of runs [n].

  Args:
    N: parameters.
    D: tokens.
    C: FLOPs.

  >>> N, D = np.geomspace(1e6, 1e9, 10), np.full(10, 1e10)
  >>> fit(N, D, 6 * N * D).form, fit(N, D, 0.75 * N * D).form
  ('6ND', 'ratio')
  >>> found = fit(N, D, (6 + 600 * N**-0.4) * N * D)
  >>> found.form, round(float(found.cost.flops(1e10, 1) / 6e10), 3)
  ('curve', 1.01)
  """
  N, D, C = (np.asarray(x, float) for x in (N, D, C))
  if not len(N):
    return CostFit(cost=SIX_ND, low=np.nan, high=np.nan)
  ratio = C / (6 * N * D)
  shapes: _Shapes | None = None
  cost: Cost | None = CostLine.exact(N, D, C)
  if cost is None:
    log_N, log_k = np.log(N), np.log(C / (N * D))
    shapes = _Shapes.of(log_N, log_k, _SD)
    # What was known beforehand alone is no estimate.
    cost = _Shapes.of(log_N, log_k, _LEAST_SD).mean()
  left = np.log(cost.flops(N, D) / C)
  return CostFit(
    cost=cost,
    low=float(N.min()),
    high=float(N.max()),
    ratio=(float(ratio.min()), float(ratio.max())),
    residual_sd=float(np.sqrt(np.mean(left**2))),
    shapes=shapes,
  )


def of_budgets(budgets: Sequence[IsoflopBudget]) -> CostFit:
  """The cost of the runs of budgets, each of which spent the budget's C.

  6 N D where that is it within what the runs of one budget differ by.
  """
  columns = [(b.N, b.D, np.full(len(b.N), b.C)) for b in budgets if b.counts]
  empty = [(np.empty(0),) * 3]
  N, D, C = (np.concatenate(x) for x in zip(*(columns or empty)))
  six = 6 * N * D
  about = np.all(np.abs(np.log(C / six)) < np.log(_APART))
  return fit(N, D, six if about else C)


@dataclasses.dataclass(frozen=True, eq=False)
class _Shapes:
  """The posterior of a curve on a grid of u = (fall, v).

  The rate is |fall| + v (most - |fall|), v in [0, 1]: between a straight line and
  what fades as fast as anything does, `costs.FASTEST`.

  Attributes:
    x, y: [n] log N about its mean, and log k; one datum for each N.
    center: mean log N.
    sd: of the residual, as known beforehand by _DOF models.
    low, cell: [2] the least point of the grid, and how far points lie apart.
  """

  x: np.ndarray
  y: np.ndarray
  center: float
  sd: float
  low: np.ndarray
  cell: np.ndarray

  @classmethod
  def of(cls, log_N: np.ndarray, log_k: np.ndarray, sd: float) -> '_Shapes':
    x, y = _by_model(log_N, log_k)
    center = float(np.mean(x))
    low, high = _LEAST, _MOST
    for _ in range(_ZOOMS):
      cell = (high - low) / (_GRID - 1)
      found = cls(x - center, y, center, sd, low, cell)
      size = high - low
      # A narrow ridge may hide between points: a few of the best count always.
      floor = min(-_LIKELY, np.sort(found.log_p)[-_BEST])
      u = found.points[found.log_p >= floor]
      near = _MARGIN * cell
      low = np.maximum(u.min(0) - near, _LEAST)
      high = np.minimum(u.max(0) + near, _MOST)
      if np.all(high - low > _SHRUNK * size):
        break
    return found

  @functools.cached_property
  def points(self) -> np.ndarray:
    """[G, 2] of the grid."""
    grid = np.indices((_GRID, _GRID)).reshape(2, -1).T
    return self.low + grid * self.cell

  @functools.cached_property
  def _left(self) -> tuple[np.ndarray, np.ndarray]:
    """[G] the level at the center, and the sum of squares about the curve."""
    fall, rate = _shape(self.points)
    curve = CostCurve(0.0, 0.0, fall[:, None], rate[:, None])
    left = self.y - curve.log_k(self.x)
    level = left.mean(1)
    return level, ((left - level[:, None]) ** 2).sum(1)

  @property
  def _dof(self) -> int:
    return len(self.x) - 1 + _DOF

  @functools.cached_property
  def log_p(self) -> np.ndarray:
    """[G] log posterior less its largest; flat in (fall, rate) beforehand."""
    squares = self._left[1] + _DOF * self.sd**2
    with np.errstate(divide='ignore'):
      flat = np.log(_room(self.points[:, 0]))
    found = flat - self._dof / 2 * np.log(squares)
    return found - np.max(found)

  @functools.cached_property
  def _p(self) -> np.ndarray:
    p = np.exp(self.log_p)
    return p / p.sum()

  def mean(self) -> CostCurve:
    """The curve of the mean fall, rate and level."""
    fall, rate = (float(self._p @ x) for x in _shape(self.points))
    curve = CostCurve(0.0, 0.0, fall, rate)
    level = float(np.mean(self.y - curve.log_k(self.x)))
    return CostCurve(self.center, level, fall, rate)

  def draws(self, count: int, rng: np.random.Generator) -> CostCurve:
    """Of arrays [count]."""
    i = rng.choice(len(self._p), count, p=self._p)
    u = self.points[i] + self.cell * rng.uniform(-0.5, 0.5, (count, 2))
    fall, rate = _shape(np.clip(u, _LEAST, _MOST))
    level, squares = (x[i] for x in self._left)
    n, dof = len(self.x), self._dof
    sd = np.sqrt((squares + _DOF * self.sd**2) / rng.chisquare(dof, count))
    level = level + sd * rng.normal(size=count) / np.sqrt(n)
    return CostCurve(self.center, level, fall, rate)


def _shape(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """(fall, rate) [...] at u [..., 2]."""
  fall, v = u[..., 0], u[..., 1]
  rate = np.abs(fall) + v * _room(fall)
  return fall, np.maximum(rate, _LEAST_RATE)


def _room(fall: np.ndarray) -> np.ndarray:
  """Between the least and the largest rate."""
  most = np.where(fall < 0, *FASTEST)
  return np.maximum(most - np.abs(fall), 0.0)


def _by_model(
  log_N: np.ndarray, log_k: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """[m] log N and the mean log k of each, at most _KINDS of them."""
  order = np.argsort(log_N, kind='stable')
  x, y = log_N[order], log_k[order]
  kind = np.concatenate([[0], np.cumsum(np.diff(x) > _SAME_N)])
  if kind[-1] >= _KINDS:
    kind = kind * _KINDS // (kind[-1] + 1)
  count = np.bincount(kind)
  return tuple(np.bincount(kind, of) / count for of in (x, y))  # type: ignore[return-value]
