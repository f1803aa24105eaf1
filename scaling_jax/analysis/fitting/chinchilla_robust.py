"""Approach 3 on runs as they are: some failed, some noisier than others.

The scale of the Huber loss is two robust standard deviations of the residuals,
which may fall with D; runs beyond five are found from fits without them, and
excluded. Where to start is what a third of the runs cannot spoil: the fit whose
smallest residuals are least (least trimmed squares: Rousseeuw and Van Driessen
2006, Data Mining and Knowledge Discovery 12, 29).
"""

from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting import chinchilla_draws
from scaling_jax.analysis.fitting import clusters
from scaling_jax.analysis.fitting import noise
from scaling_jax.analysis.fitting import solvers
from scaling_jax.analysis.fitting.chinchilla_data import DELTA
from scaling_jax.analysis.fitting.chinchilla_data import MIN_FREEDOM
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import jacobian
from scaling_jax.analysis.fitting.chinchilla_data import projection_starts
from scaling_jax.analysis.fitting.chinchilla_data import residuals_of
from scaling_jax.analysis.fitting.noise import NoiseModel
from scaling_jax.analysis.fitting.result import ResidualSD

SUBSETS = 200  # fits without a third of what the runs have to spare
ROUNDS = 12
_RESTS = 1e-3  # of the exponent of the noise
_BEST = 8  # subsets whose fits are improved
_START = 4.0  # robust standard deviations that a fit begins with
_MOST = 1 / 4  # of the runs: more of them are no outliers but the noise


class Settled(NamedTuple):
  """A law, and which runs it is of.

  Attributes:
    params: [5], at rest but for the last digits.
    data: all runs, with their scales.
    clean: [n] which of them count.
    deviations: [n] from the law, in standard deviations.
    noise: of the clean runs.
  """

  params: np.ndarray
  data: LogData
  clean: np.ndarray
  deviations: np.ndarray
  noise: NoiseModel


def settle(
  data: LogData,
  params: np.ndarray | None = None,
  *,
  spread: np.ndarray | None = None,
  exclude: bool = True,
) -> Settled:
  """Finds the law, its scale, and the runs that are not of it.

  Args:
    data: runs [n], eight or more.
    params: [5] to begin at; None to search.
    spread: [n] by which standard deviations are known to differ already.
    exclude: whether outliers are excluded.
  """
  own = np.ones_like(data.log_L) if spread is None else spread
  if params is None:
    starts = projection_starts(data)
    every = np.ones((len(starts), len(data.log_L)))
    params = _trimmed(data, _fit(data, starts, every))
  left = residuals_of(params, data)
  slope = noise.robust_exponent(left / own, data.log_D)
  spread = own * np.exp(-slope * data.log_D)
  u = left / spread
  clean = np.abs(u) <= _START * max(
    noise.robust_sd(u, N_PARAMS), noise.LEAST_SD
  )
  clean |= clusters.whole_models(data.log_N, ~clean)
  clean |= not exclude
  before = np.inf
  for _ in range(ROUNDS):
    clean = _enough(clean, u)
    params, data = _refit(data, params, u, spread, clean)
    left = residuals_of(params, data)
    exponent = noise.exponent_of(
      (left / own)[clean], data.log_D[clean], N_PARAMS
    )
    spread = own * np.exp(-exponent.mean * data.log_D)
    u = left / spread
    rows = jacobian(params, data) / spread[:, None]
    off = -noise.deviations(u, rows, clean)
    count = int(clean.sum())
    near = np.abs(off) <= noise.far(
      count - N_PARAMS - 1, len(u), len(u) - count
    )
    near |= clusters.whole_models(data.log_N, ~near)
    rests = abs(exponent.mean - before) < _RESTS
    if rests and (not exclude or (near == clean).all()):
      break
    before = exponent.mean
    clean = near if exclude else clean
  cut = noise.cut_of(noise.robust_sd(u[clean], N_PARAMS))
  # How the noise changes with D was fitted too.
  dof = int(clean.sum()) - N_PARAMS - 1
  sd = ResidualSD(noise.huber_sd(u[clean], cut, N_PARAMS + 1), dof)
  model = NoiseModel(sd, spread[clean], data.log_D[clean], exponent)
  return Settled(params, data, clean, off, model)


def _enough(clean: np.ndarray, u: np.ndarray) -> np.ndarray:
  """The clean runs; the nearest ones where too few would be left."""
  n = len(u)
  least = max(N_PARAMS + MIN_FREEDOM, n - int(_MOST * n))
  if clean.sum() >= min(least, n):
    return clean
  out = np.zeros(n, bool)
  out[np.argsort(np.abs(u), kind='stable')[:least]] = True
  return out


def _refit(
  data: LogData,
  params: np.ndarray,
  u: np.ndarray,
  spread: np.ndarray,
  clean: np.ndarray,
) -> tuple[np.ndarray, LogData]:
  """The fit to the clean runs at a scale that their residuals tell."""
  for _ in range(3):
    cut = noise.cut_of(noise.robust_sd(u[clean], N_PARAMS))
    data = data.scaled(DELTA / cut / spread)
    params = _fit(data, params[None], clean[None].astype(float))
    u = residuals_of(params, data) / spread
  return params, data


def _fit(data: LogData, starts: np.ndarray, weights: np.ndarray) -> np.ndarray:
  """[5] the lowest end of searches from starts [S, 5] with weights [S, n]."""
  ends = _ends(data, starts, weights)
  scaled = data.scale * residuals_of(ends, data)
  loss = (weights * solvers.huber(scaled, DELTA, np)).sum(-1)
  if not np.isfinite(loss).any():
    return starts[0]
  return ends[int(np.argmin(np.where(np.isfinite(loss), loss, np.inf)))]


def _ends(data: LogData, starts: np.ndarray, weights: np.ndarray) -> np.ndarray:
  log_L = np.broadcast_to(data.log_L, weights.shape)
  return chinchilla_draws.search(data, starts, log_L, weights).params


def _trimmed(data: LogData, params: np.ndarray) -> np.ndarray:
  """[5] the fit of least trimmed squares, from fits to subsets."""
  n = len(data.log_L)
  drop = max(1, -(-(n - N_PARAMS) // 3))
  left = residuals_of(params, data)
  sd = max(noise.robust_sd(left, N_PARAMS), noise.LEAST_SD)
  data = data.scaled(noise.huber_scale(sd))
  rng = np.random.default_rng(0)  # which subsets are tried changes no law
  many = rng.random((SUBSETS, n)).argsort(1) >= drop
  single = ~np.eye(n, dtype=bool)[: 2 * SUBSETS]
  weights = np.concatenate([np.ones((1, n), bool), single, many]).astype(float)
  tried = np.concatenate(
    [params[None], _ends(data, np.tile(params, (len(weights), 1)), weights)]
  )
  for _ in range(3):
    tried, near = _nearest(data, tried, n - drop)
    again = _ends(data, tried, near.astype(float))
    tried = np.concatenate([tried, again])
  return _nearest(data, tried, n - drop)[0][0]


def _nearest(
  data: LogData, tried: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
  """The best of fits [S, 5], by their `count` least residuals, the best first.

  And which runs [S, n] those residuals are of.
  """
  size = np.abs(residuals_of(tried, data))
  kept = np.sort(size, 1)[:, :count]
  trimmed = (kept**2).sum(1)
  best = np.argsort(np.where(np.isfinite(trimmed), trimmed, np.inf))[:_BEST]
  return tried[best], size[best] <= kept[best, -1:]
