"""The joint curve of approach 2: exponents shared by all budgets.

Along a budget a law E + A/N^alpha + B/D^beta is a sum of two exponentials of
log N, which a parabola misses where alpha and beta differ or the grid is wide.
So each budget has a curve

  L = c + p exp(-alpha x) + q exp(beta x),   x = log N - center,

with c, p and q of its own, and alpha and beta are shared. For given alpha and
beta the rest is linear least squares; the two are averaged over a grid, with
the weight of their posterior (Golub and Pereyra 1973, SIAM J. Numer. Anal. 10,
413, for the separation; Zellner 1971 for the integral over the noise). The
prior holds both near 0.35, as every published law is. A law of that form has
N_opt as C^(beta/(alpha + beta)): the slope of the minima themselves therefore
tells how lopsided the curves are, to about PRIOR_SLOPE, which leaves room for
laws of another form.
"""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting.result import ResidualSD

N_COEFFICIENTS = 3  # of each budget
PRIOR_EXPONENT = 0.35  # the median of alpha and of beta
PRIOR_SD = 0.3  # of their logarithms
PRIOR_SLOPE = 0.04  # sd of beta/(alpha + beta) about the slope of log N_opt
OWN_FREEDOM = 8  # degrees of freedom from which a budget's own residuals serve

_GRID = 24  # points of log alpha, and of log beta
_LIMITS = (0.04, 1.8)  # of alpha and of beta, where the first grid ends
_ZOOMS = 7  # grids at most, each about the weight of the one before
_LIGHT = 1e-4  # the share of a row of the grid that a zoom may cut away
_ROUNDING = 1e-10  # relative to the loss, below which residuals are none
_NO_SLOPE = -4.0  # log weight where too few minima exist to have a slope


class JointCurve(NamedTuple):
  """L = c + p exp(-alpha x) + q exp(beta x) in x = log N - center; or arrays.

  >>> log_N, L = JointCurve(14.0, 0.5, 0.5, c=1.0, p=0.2, q=0.2).minimum()
  >>> float(log_N), float(L)
  (14.0, 1.4)
  """

  center: float
  alpha: laws.Number
  beta: laws.Number
  c: laws.Number
  p: laws.Number
  q: laws.Number

  def minimum(self) -> tuple[laws.Number, laws.Number]:
    """log N and L at the minimum; nan where p or q is not positive."""
    p = np.where(np.asarray(self.p) > 0, self.p, np.nan)
    q = np.where(np.asarray(self.q) > 0, self.q, np.nan)
    x = np.log(self.alpha * p / (self.beta * q)) / (self.alpha + self.beta)
    return self.center + x, self.loss(self.center + x)

  def loss(self, log_N: laws.Number) -> laws.Number:
    """nats per token, or whatever unit the losses had."""
    x = log_N - self.center
    falling = self.p * np.exp(-self.alpha * x)
    return self.c + falling + self.q * np.exp(self.beta * x)


@dataclasses.dataclass(frozen=True, eq=False)
class JointFit:
  """The curves of K budgets.

  Attributes:
    curves: [K] at the posterior mean of log alpha and log beta.
    draws: [K] what each might have been, arrays [B]; B is 0 without draws.
    residual_sd: [K] of log L about them.
  """

  curves: tuple[JointCurve, ...]
  draws: tuple[JointCurve, ...]
  residual_sd: tuple[ResidualSD, ...]


def freedom(sizes: Sequence[int]) -> int:
  """Degrees of freedom that budgets of so many data leave."""
  return sum(sizes) - N_COEFFICIENTS * len(sizes)


def fit(
  log_C: np.ndarray,
  log_N: Sequence[np.ndarray],
  loss: Sequence[np.ndarray],
  draws: int,
  rng: np.random.Generator,
  spread: Sequence[np.ndarray] | None = None,
) -> JointFit:
  """Fits every budget's curve with shared exponents.

  Args:
    log_C: [K] of FLOPs.
    log_N, loss: K arrays [n_k], of three different N or more each.
    draws: of the curves; 0 for none.
    rng: where they come from.
    spread: K arrays [n_k] by which standard deviations of log L differ; None
      where they do not.

  Raises:
    ValueError: the data leave no degree of freedom.

  >>> x = np.linspace(12, 16, 7)
  >>> loss = 2 + 0.1 * np.exp(0.4 * (14 - x)) + 0.1 * np.exp(0.2 * (x - 14))
  >>> rng = np.random.default_rng(0)
  >>> found = fit(np.array([34.0]), [x], [loss], 0, rng)
  >>> round(float(found.curves[0].minimum()[0]), 2)
  15.16
  """
  if freedom([len(one) for one in loss]) < 1:
    raise ValueError('a joint fit needs more data than three a budget')
  if spread is None:
    spread = [np.ones_like(one) for one in loss]
  budgets = [_Budget.of(*one) for one in zip(log_N, loss, spread)]
  pools = _Pools.of([len(one) for one in loss])
  alpha, beta, weight = _posterior(np.asarray(log_C), budgets, pools)
  grid = [one.solve(alpha, beta) for one in budgets]
  squares = np.stack([one.squares for one in grid])  # [K, G]
  mean = np.exp(np.log(np.stack([alpha, beta])) @ weight)[:, None]
  at = rng.choice(len(weight), size=draws, p=weight)
  curves, drawn = [], []
  for one, solved, sd in zip(budgets, grid, pools.sds(squares[:, at], rng)):
    c, p, q = one.solve(*mean).coefficients[0].tolist()
    of_mean = float(mean[0, 0]), float(mean[1, 0])
    curves.append(JointCurve(one.center, *of_mean, c, p, q))
    scatter = solved.scatter[at] @ rng.normal(size=(draws, N_COEFFICIENTS, 1))
    c_p_q = solved.coefficients[at] + sd[:, None] * scatter[..., 0]
    drawn.append(JointCurve(one.center, alpha[at], beta[at], *c_p_q.T))
  return JointFit(
    tuple(curves), tuple(drawn), tuple(pools.residual_sds(squares @ weight))
  )


class _Solved(NamedTuple):
  """Linear least squares of one budget, at G pairs of exponents.

  Attributes:
    coefficients: [G, 3] c, p and q.
    squares: [G] the sum of squared residuals, relative to the loss.
    scatter: [G, 3, 3] by which a normal vector becomes a draw of the
      coefficients, per residual sd.
    log_N: [G] the minimum's; nan where there is none.
    variance: [G] of log_N, per residual variance.
  """

  coefficients: np.ndarray
  squares: np.ndarray
  scatter: np.ndarray
  log_N: np.ndarray
  variance: np.ndarray


class _Budget(NamedTuple):
  """Of one budget [n]: x = log N - center, the loss, and its relative scale."""

  center: float
  x: np.ndarray
  loss: np.ndarray
  spread: np.ndarray

  @classmethod
  def of(
    cls, log_N: np.ndarray, loss: np.ndarray, spread: np.ndarray
  ) -> '_Budget':
    center = float(np.mean(log_N))
    loss = np.asarray(loss, float)
    return cls(center, np.asarray(log_N) - center, loss, spread)

  def solve(self, alpha: np.ndarray, beta: np.ndarray) -> _Solved:
    """The best c, p, q for each of [G] pairs of exponents."""
    falling = np.exp(-np.multiply.outer(alpha, self.x))
    rising = np.exp(np.multiply.outer(beta, self.x))
    basis = np.stack([np.ones_like(rising), falling, rising], -1)
    # Relative to the loss, as the noise is.
    Q, R = np.linalg.qr(basis / (self.loss * self.spread)[:, None])
    scatter = np.linalg.inv(R)
    target = np.swapaxes(Q, -1, -2) @ (1 / self.spread)
    coefficients = (scatter @ target[..., None])[..., 0]
    fitted = (basis @ coefficients[..., None])[..., 0]
    squares = np.sum(((1 - fitted / self.loss) / self.spread) ** 2, -1)
    squares = squares + len(self.x) * _ROUNDING**2
    curves = JointCurve(self.center, alpha, beta, *coefficients.T)
    p, q = coefficients.T[1:]
    # How log N moves with c, p and q: to first order.
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
      moves = np.stack([np.zeros_like(p), 1 / p, -1 / q], -1)
      moves = moves / (alpha + beta)[:, None]
      of_noise = (moves[:, None, :] @ scatter)[:, 0]
      variance = np.sum(of_noise**2, -1)
    return _Solved(
      coefficients,
      squares,
      scatter,
      np.asarray(curves.minimum()[0]),
      variance,
    )


class _Pools(NamedTuple):
  """Which budgets share a residual sd: those too small for one of their own.

  Attributes:
    members: the budgets of each pool; K budgets together are in all pools.
    dof: degrees of freedom of each.
  """

  members: tuple[tuple[int, ...], ...]
  dof: tuple[int, ...]

  @classmethod
  def of(cls, sizes: Sequence[int]) -> '_Pools':
    dof = [n - N_COEFFICIENTS for n in sizes]
    own = [k for k, one in enumerate(dof) if one >= OWN_FREEDOM]
    small = [k for k, one in enumerate(dof) if one < OWN_FREEDOM]
    if small and sum(dof[k] for k in small) < 1:
      pools = [tuple(range(len(sizes)))]  # their noise is the others'
    else:
      pools = [(k,) for k in own] + ([tuple(small)] if small else [])
    return cls(tuple(pools), tuple(sum(dof[k] for k in pool) for pool in pools))

  def log_likelihood(self, squares: np.ndarray) -> np.ndarray:
    """[G] of squares [K, G]: each pool's sd is integrated over 1/sd.

    The exponents take about one degree of freedom of a pool, which matters
    where there are few: without it the intervals of studies with two are too
    narrow (L_min of eleven runs: 91% in the place of 95%).
    """
    out = np.zeros(squares.shape[1])
    for pool, dof in zip(self.members, self.dof):
      out -= (dof - 1) / 2 * np.log(squares[list(pool)].sum(0))
    return out

  def variances(self, squares: np.ndarray) -> np.ndarray:
    """[K, ...] of each budget's residuals, by squares [K, ...]."""
    out = np.empty_like(squares)
    for pool, dof in zip(self.members, self.dof):
      out[list(pool)] = squares[list(pool)].sum(0) / dof
    return out

  def sds(self, squares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[K, B] residual sds that squares [K, B] might stand for."""
    out = np.sqrt(self.variances(squares))
    for pool, dof in zip(self.members, self.dof):
      chi_square = rng.chisquare(dof, squares.shape[1])
      out[list(pool)] *= np.sqrt(dof / chi_square)
    return out

  def residual_sds(self, squares: np.ndarray) -> list[ResidualSD]:
    """[K] of squares [K]."""
    dof = {k: n for pool, n in zip(self.members, self.dof) for k in pool}
    sds = np.sqrt(self.variances(squares))
    return [ResidualSD(float(sd), dof[k]) for k, sd in enumerate(sds)]


def _posterior(
  log_C: np.ndarray, budgets: Sequence[_Budget], pools: _Pools
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """alpha and beta [G] on a grid, and the weight [G] of each.

  Grids of the logarithms, each about what weighs in the one before.
  """
  low, high = (np.full(2, np.log(limit)) for limit in _LIMITS)
  for _ in range(_ZOOMS):
    axes = np.linspace(low, high, _GRID).T  # [2, _GRID]
    pairs = np.exp(np.stack(np.meshgrid(*axes, indexing='ij')))
    alpha, beta = pairs.reshape(2, -1)
    log_weight = _log_posterior(log_C, budgets, pools, alpha, beta)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    table = weight.reshape(_GRID, _GRID)
    heavy = [np.flatnonzero(table.sum(axis) > _LIGHT) for axis in (1, 0)]
    ends = [
      (x[max(one[0] - 1, 0)], x[min(one[-1] + 1, _GRID - 1)])
      for x, one in zip(axes, heavy)
    ]
    narrower = np.array(ends).T
    if np.all(np.diff(narrower, axis=0)[0] > 0.7 * (high - low)):
      break
    low, high = narrower
  return alpha, beta, weight


def _log_posterior(
  log_C: np.ndarray,
  budgets: Sequence[_Budget],
  pools: _Pools,
  alpha: np.ndarray,
  beta: np.ndarray,
) -> np.ndarray:
  """[G] of pairs of exponents, up to a constant."""
  solved = [one.solve(alpha, beta) for one in budgets]
  squares = np.stack([one.squares for one in solved])
  off = np.log(np.stack([alpha, beta]) / PRIOR_EXPONENT) / PRIOR_SD
  out = pools.log_likelihood(squares) - 0.5 * np.sum(off**2, 0)
  if len(budgets) < 2:
    return out
  variance = pools.variances(squares) * [one.variance for one in solved]
  slope, of_slope = _slope(
    log_C, np.stack([one.log_N for one in solved]), variance
  )
  room = PRIOR_SLOPE**2 + of_slope
  missed = slope - beta / (alpha + beta)
  agreed = -0.5 * (missed**2 / room + np.log(room / PRIOR_SLOPE**2))
  return out + np.where(np.isfinite(agreed), agreed, _NO_SLOPE)


def _slope(
  x: np.ndarray, y: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """[G] of lines through y [K, G] at x [K] by their variances, and its own.

  nan where fewer than two of y are finite.
  """
  known = np.isfinite(y) & np.isfinite(variance)
  weight = np.where(known, 1 / np.where(known, variance, 1.0), 0.0)
  y = np.where(known, y, 0.0)
  total = weight.sum(0)
  with np.errstate(divide='ignore', invalid='ignore'):
    off = x[:, None] - (weight * x[:, None]).sum(0) / total
    spread = (weight * off**2).sum(0)
    slope = (weight * off * y).sum(0) / spread
    few = known.sum(0) < 2
    return np.where(few, np.nan, slope), np.where(few, np.nan, 1 / spread)
