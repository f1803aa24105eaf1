"""Approach 3 on few runs: the exact posterior over a grid of its exponents.

Given alpha and beta the law is linear in E, A and B, so that their posterior
and that of the noise are known in closed form (variable projection); what is
left is a grid of two dimensions. Where a dozen runs hardly tell five
parameters, refits of redrawn studies end nowhere in one of ten; this gives a
draw in each.
"""

from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting import noise as noise_lib
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import residuals_of
from scaling_jax.analysis.fitting.noise import NoiseModel

GRID = 40  # exponents along each axis
ZOOMS = 3
RANGE = (0.03, 2.0)  # of the exponents
PRIOR = (0.35, 0.5)  # of an exponent: log-normal about it, with this sd of log
_LINEAR = 3  # A, B and E
_TAIL = 1e-4  # of the probability, that a zoom may omit at each end
_OUTSIDE = 3.0  # nats by which a center with a negative term counts less
_NODES = np.linspace(-2.5, 2.5, 7)  # standard deviations of the exponent's
_TRIES = 4  # draws for each one that is kept: terms below zero are dropped


class _Grid(NamedTuple):
  """Exponents [G, 2], what is linear given them, and log weights [G]."""

  exponents: np.ndarray
  inverse: np.ndarray  # [G, 3, 3] of X'X
  linear: np.ndarray  # [G, 3] of A', B', E
  squares: np.ndarray  # [G] of what is left
  log_p: np.ndarray


def draw(
  data: LogData,
  params: np.ndarray,
  noise: NoiseModel,
  draws: int,
  seed: int,
) -> np.ndarray:
  """[draws, 5] of the posterior.

  With relative residuals of variance s², flat in A, B, E and log s, and in the
  exponents log-normal about 0.35 with the volume of what they move (Jeffreys):
  p(alpha, beta) ∝ S^-((n - 3)/2) sqrt(|J'J| / |X'X|) prior.

  Args:
    data: the runs that count, at their scales.
    params: [5] of their fit, to which residuals are relative.
    noise: how it differs between runs; its size is that of least squares.
    draws: how many.
    seed: of the draws.

  Returns:
    nan where a draw has no term above zero.
  """
  rng = np.random.default_rng(seed)
  left = residuals_of(params, data)
  by = 1.0 if data.of_loss else np.exp(data.log_L + left)
  axes = np.geomspace(*RANGE, GRID), np.geomspace(*RANGE, GRID)
  for _ in range(ZOOMS):
    p = _chances(_grid(data, axes, by * noise.spread).log_p)
    axes = _zoomed(axes, p.reshape(GRID, GRID))
  if noise.exponent is None:
    spreads = [noise.spread]
    prior = np.zeros(1)
  else:
    root = np.sqrt(noise.exponent.chances)  # as wide as the prior leaves it
    mean = 2 * noise.exponent.mean
    sd = np.sqrt(root @ (noise_lib.SLOPES - mean) ** 2 / root.sum())
    slopes = mean + sd * _NODES
    spreads = [
      noise.own_spread * np.exp(-0.5 * g * noise.log_D) for g in slopes
    ]
    prior = -0.5 * (slopes / noise_lib.PRIOR_SD) ** 2
  grids = [
    _grid(data, axes, by * spread, float(more))
    for spread, more in zip(spreads, prior)
  ]
  whole = _Grid(*(np.concatenate(x) for x in zip(*grids)))
  return _draws(whole, axes, len(left), draws, rng)


def _chances(log_p: np.ndarray) -> np.ndarray:
  p = np.exp(log_p - log_p.max())
  return p / p.sum()


def _grid(data, axes, by, more: float = 0.0) -> _Grid:
  """The grid with residuals divided by `by` [n]; log weights get `more`."""
  inverse_sd, target = 1 / by, np.exp(data.log_L) / by
  alpha, beta = (x.ravel() for x in np.meshgrid(*axes, indexing='ij'))
  A = np.repeat(np.exp(-axes[0][:, None] * data.log_N), GRID, 0)
  B = np.tile(np.exp(-axes[1][:, None] * data.log_D), (GRID, 1))
  X = np.stack([A, B, np.ones_like(A)], -1) * inverse_sd[:, None]
  XX = np.swapaxes(X, 1, 2) @ X
  # What is nearly singular far from the data has no weight there.
  XX += 1e-13 * np.trace(XX, axis1=1, axis2=2)[:, None, None] * np.eye(_LINEAR)
  inverse = np.linalg.inv(XX)
  linear = np.einsum('gij,gnj,n->gi', inverse, X, target, optimize=True)
  left = target - np.einsum('gni,gi->gn', X, linear)
  squares = np.maximum(np.sum(left**2, 1), 1e-300)
  moved = np.stack([X[..., 0] * data.log_N, X[..., 1] * data.log_D], -1)
  J = np.concatenate([X, moved * linear[:, None, :2]], -1)
  volume = np.linalg.slogdet(np.swapaxes(J, 1, 2) @ J)[1]
  n = len(target)
  log_p = more - np.log(by).sum() - 0.5 * (n - _LINEAR) * np.log(squares)
  log_p += 0.5 * (volume - np.linalg.slogdet(XX)[1])
  exponents = np.stack([alpha, beta], -1)
  # The grid is even in the logarithm: Jeffreys' volume is of the exponent.
  log_p += np.log(exponents).sum(1)
  log_p -= 0.5 * np.sum((np.log(exponents / PRIOR[0]) / PRIOR[1]) ** 2, 1)
  log_p -= _OUTSIDE * (linear <= 0).any(1)
  return _Grid(exponents, inverse, linear, squares, log_p)


def _zoomed(axes, p):
  """Axes about where the probability p [G, G] is."""
  out = []
  for axis, share in zip(axes, (p.sum(1), p.sum(0))):
    some = np.flatnonzero(share > _TAIL)
    low, high = max(some[0] - 1, 0), min(some[-1] + 1, GRID - 1)
    out.append(np.geomspace(axis[low], axis[high], GRID))
  return tuple(out)


def _draws(grid, axes, n, draws, rng) -> np.ndarray:
  p = _chances(grid.log_p)
  k = rng.choice(len(p), size=_TRIES * draws, p=p)
  s2 = grid.squares[k] / rng.chisquare(n - _LINEAR, len(k))
  factor = np.linalg.cholesky(
    grid.inverse + 1e-14 * np.trace(
      grid.inverse, axis1=1, axis2=2
    )[:, None, None] * np.eye(_LINEAR)
  )[k]  # fmt: skip
  moved = np.einsum('kij,kj->ki', factor, rng.normal(size=(len(k), _LINEAR)))
  linear = grid.linear[k] + np.sqrt(s2)[:, None] * moved
  steps = np.array([np.log(axis[1] / axis[0]) for axis in axes])
  shift = np.exp(steps * (rng.random((len(k), 2)) - 0.5))
  good = np.flatnonzero((linear > 0).all(1))[:draws]
  out = np.full((draws, N_PARAMS), np.nan)
  out[: len(good)] = np.concatenate(
    [np.log(linear[good]), grid.exponents[k][good] * shift[good]], 1
  )
  return out
