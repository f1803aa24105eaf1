"""A power law with a floor through one noisy curve, and its noise with it.

  L(s) = floor + coefficient · s^-exponent + misfit + noise

The noise is AR(1) from step to step. The misfit, how a schedule and a model
bend a curve away from any law, is a Gaussian process in log(step): without it,
intervals are several times too narrow. Both are estimated from the curve.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting import smoothing
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.smoothing import Bins

BINS = 100  # that a law is fitted to
EXPONENTS = np.geomspace(0.02, 5.0, 241)

_BLOCKS = 20  # that the bootstrap cuts the bins into
# The misfit's length in log(step) and its variance in units of one step's
# noise: what is tried, none first.
_LENGTHS, _VARIANCES = np.array(
  [(1.0, 0.0)]
  + [
    (length, variance)
    for length in (1e-3, 0.03, 0.1, 0.2, 0.4, 0.8)
    for variance in np.geomspace(1e-5, 10.0, 13)
  ]
).T


class FlooredLaws(NamedTuple):
  """R laws: floor + coefficient · (s / unit)^-exponent, [R] each."""

  floor: np.ndarray
  coefficient: np.ndarray
  exponent: np.ndarray

  def mean_loss(self, bins: Bins) -> np.ndarray:
    """[R, K] the mean loss in each bin, nats per token."""
    powers_RK = _powers(bins, self.exponent)
    return self.floor[:, None] + self.coefficient[:, None] * powers_RK


class CurveLaw(NamedTuple):
  """A curve's law, and what bears on its intervals.

  Attributes:
    bins: what was fitted.
    law: the estimate, R = 1.
    draws: the bootstrap's.
    dof: degrees of freedom of the noise's variance.
    misfit: the variance of the curve around any law, nats².
    phi: the noise's correlation from step to step.
  """

  bins: Bins
  law: FlooredLaws
  draws: FlooredLaws
  dof: float
  misfit: float
  phi: float


class EndSlope(NamedTuple):
  """The line in log2(step) through a curve's end.

  Attributes:
    slope: nats per doubling of steps.
    slope_sem: its standard error.
    variance: of the mean loss of n steps, times n, nats².
    dof: degrees of freedom of both.
  """

  slope: float
  slope_sem: float
  variance: float
  dof: float


def at_edge(exponent: float) -> bool:
  """True where the exponent is not inside the range that was searched."""
  ratio = EXPONENTS[1] / EXPONENTS[0]
  return not EXPONENTS[0] * ratio < exponent < EXPONENTS[-1] / ratio


def _powers(bins: Bins, exponent_G: np.ndarray) -> np.ndarray:
  """[G, K] the mean of (s / unit)^-exponent over each bin's steps.

  To second order in the bin's width, which is exact for bins of one step.
  """
  p_G1 = exponent_G[:, None]
  spread_K = (bins.steps**2 - 1) / 12 / bins.step**2
  powers_GK = (bins.step / bins.unit) ** -p_G1
  return powers_GK * (1 + p_G1 * (p_G1 + 1) / 2 * spread_K)


def _solve(losses_RK, whiten_KK, bins: Bins, exponent_G) -> FlooredLaws:
  """Generalized least squares for R curves on the same bins, by projection.

  For a given exponent the law is linear, and what it explains of a curve is
  the square of one dot product: the whole grid of exponents is one matrix
  product. A parabola through the best and its neighbours refines it.
  """
  one_K = whiten_KK.sum(axis=1)
  scale = np.linalg.norm(one_K)
  one_K = one_K / scale

  def whiten(x_RK):
    x_RK = x_RK @ whiten_KK.T
    mean_R = x_RK @ one_K
    return mean_R / scale, x_RK - np.outer(mean_R, one_K)

  mean_R, y_RK = whiten(losses_RK)
  _, powers_GK = whiten(_powers(bins, exponent_G))
  powers_GK /= np.linalg.norm(powers_GK, axis=1)[:, None]
  # Not below 0: the loss falls, or there is no law.
  explained_RG = np.maximum(y_RK @ powers_GK.T, 0.0) ** 2
  best_R = explained_RG.argmax(axis=1)
  inner_R = best_R.clip(1, exponent_G.size - 2)
  rows_R = np.arange(best_R.size)
  left, mid, right = (explained_RG[rows_R, inner_R + i] for i in (-1, 0, 1))
  bend_R = np.minimum(left - 2 * mid + right, -1e-300)
  shift_R = ((left - right) / bend_R / 2).clip(-1, 1)
  refined_R = exponent_G[inner_R] * (exponent_G[1] / exponent_G[0]) ** shift_R
  exponent_R = np.where(best_R == inner_R, refined_R, exponent_G[best_R])

  power_R, slope_RK = whiten(_powers(bins, exponent_R))
  dot_R = (y_RK * slope_RK).sum(axis=1)
  coefficient_R = np.maximum(dot_R / (slope_RK**2).sum(axis=1), 0.0)
  return FlooredLaws(
    mean_R - coefficient_R * power_R, coefficient_R, exponent_R
  )


def noise_covariance(bins: Bins, phi: float) -> np.ndarray:
  """[K, K] of the bins' means, for AR(1) noise of variance 1 by step."""
  n_K = bins.steps
  sums_K = (1 - phi**n_K) / (1 - phi)
  gap_KK = np.abs(bins.step[:, None] - bins.step) - (n_K[:, None] + n_K) / 2
  means_K = sums_K / n_K
  covariance_KK = phi ** (gap_KK + 1).clip(1) * np.outer(means_K, means_K)
  within_K = (n_K * (1 + phi) - 2 * phi * sums_K) / (1 - phi) / n_K**2
  np.fill_diagonal(covariance_KK, within_K)
  return covariance_KK


def _likeliest_noise(
  bins: Bins, law: FlooredLaws, phi: float
) -> tuple[np.ndarray, float, float]:
  """The misfit of the greatest restricted likelihood (REML), given a law.

  Returns:
    the Cholesky factor [K, K] of the bins' covariance, the misfit's length in
    log(step), and its variance, both variances in units of one step's noise.
  """
  K = bins.step.size
  log_K = np.log(bins.step)
  apart_KK = np.abs(log_K[:, None] - log_K)
  misfits = np.exp(-apart_KK / _LENGTHS[:, None, None])
  misfits *= _VARIANCES[:, None, None]
  factors = np.linalg.cholesky(noise_covariance(bins, phi) + misfits)
  # The law's tangents at its exponent, orthonormal, and the losses.
  nearby = law.exponent[0] * np.array([1.0, 1.01])
  tangents = np.column_stack([np.ones(K), _powers(bins, nearby).T])
  columns = np.column_stack([np.linalg.qr(tangents)[0], bins.loss])
  r = np.linalg.qr(np.linalg.solve(factors, columns), mode='r')
  logs = np.log(np.abs(np.diagonal(r, axis1=1, axis2=2)).clip(1e-150))
  cost = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
  cost += logs[:, :3].sum(axis=1) + (K - 3) * logs[:, 3]
  best = int(np.argmin(cost))
  return factors[best], float(_LENGTHS[best]), float(_VARIANCES[best])


def _neighbours_correlation(noise_S: np.ndarray) -> float:
  """From differences, which a slow drift does not enter."""
  steps = np.diff(noise_S)
  power = steps @ steps
  ratio = steps[1:] @ steps[:-1] / power if power > 0 else -0.5
  return float(np.clip(1 + 2 * ratio, 0.0, 0.98))


def fit_law(losses_S, first_step: int, draws: int, seed: int) -> CurveLaw:
  """The law by generalized least squares, and a block bootstrap around it.

  Blocks of whitened residuals are drawn, so that what the noise's model
  leaves of their correlation counts too.

  Args:
    losses_S: [S] float64 nats per token, thirty steps at least.
    first_step: the number of the first of them.
    draws: bootstrap samples.
    seed: of the bootstrap.
  """
  bins = smoothing.bin_losses(losses_S, BINS, first_step)
  K = bins.step.size
  plain_KK = np.diag(np.sqrt(bins.steps))
  law = _solve(bins.loss[None], plain_KK, bins, EXPONENTS)
  every = np.arange(first_step, first_step + losses_S.size)
  steps = Bins(every, losses_S, np.ones(every.size), bins.unit)
  phi = _neighbours_correlation(losses_S - law.mean_loss(steps)[0])
  factor_KK, length, variance = _likeliest_noise(bins, law, phi)
  whiten_KK = np.linalg.inv(factor_KK)

  law = _solve(bins.loss[None], whiten_KK, bins, EXPONENTS)
  width = math.log(EXPONENTS[1] / EXPONENTS[0])
  if not at_edge(law.exponent[0]):
    for _ in range(2):
      around = law.exponent[0] * np.exp(np.linspace(-width, width, 41))
      law = _solve(bins.loss[None], whiten_KK, bins, around)
      width /= 20

  fitted_K = law.mean_loss(bins)[0]
  noise_K = whiten_KK @ (bins.loss - fitted_K) * math.sqrt(K / (K - 3))
  size = math.ceil(K / _BLOCKS)
  rng = np.random.default_rng(seed)
  starts = rng.integers(0, K - size + 1, (draws, math.ceil(K / size)))
  at_RK = (starts[:, :, None] + np.arange(size)).reshape(draws, -1)[:, :K]
  drawn_RK = fitted_K + noise_K[at_RK] @ factor_KK.T
  drawn = _solve(drawn_RK, whiten_KK, bins, EXPONENTS)
  # A long misfit fits into a curve few times, and one too small to be found
  # may still be there: a third of those times, three at least, held the truth
  # as often as it should on simulated curves.
  dof = np.clip(math.log(bins.unit / first_step) / length / 3, 3, _BLOCKS)
  misfit = float(variance * (noise_K**2).mean())
  return CurveLaw(bins, law, drawn, float(dof), misfit, phi)


def fit_end(losses_S, S: int, steps: int, phi: float) -> EndSlope:
  """A line through the last steps, at most so many of the S.

  By least squares over batches of steps. Its error is that of AR(1) noise of
  correlation phi, or the scatter of the batches where they are enough to tell
  and tell of more.
  """
  tail = losses_S[-steps:]
  n = tail.size
  m = int(np.clip(n // 50, 5, 20))
  edges = np.linspace(0, n, m + 1).astype(np.int64)
  log2_step = np.log2(np.arange(S - n + 1, S + 1))
  x_M = np.add.reduceat(log2_step, edges[:-1]) / np.diff(edges)
  y_M = np.add.reduceat(tail, edges[:-1]) / np.diff(edges)
  x_M -= x_M.mean()
  y_M -= y_M.mean()
  power = x_M @ x_M
  slope = x_M @ y_M / power
  # From differences: a line through few independent steps takes their noise.
  moves_S = np.diff(tail - slope * log2_step)
  variance = (moves_S**2).mean() / 2 * (1 + phi) / (1 - phi) ** 2
  if m >= 10:
    scatter = ((y_M - slope * x_M) ** 2).sum() / (m - 2)
    variance = max(variance, scatter * n / m)
  slope_sem = math.sqrt(variance * m / n / power)
  dof = max(3.0, n * (1 - phi) / (1 + phi) - 2)
  return EndSlope(float(slope), slope_sem, float(variance), dof)


def student(level: float, dof: float) -> float:
  """Half the width of Student's interval, in standard errors."""
  return float(special.stdtrit(dof, (1 + level) / 2))


def about(value: float, half: float) -> Interval:
  """An interval of so much on either side."""
  return Interval(float(value), float(value - half), float(value + half))


def ends(
  value: float, draws_R: np.ndarray, level: float, dof: float
) -> tuple[float, float]:
  """The draws' quantiles, widened about the value as t is beside a normal."""
  tails = (1 - level) / 2, (1 + level) / 2
  low, high = np.quantile(draws_R, tails) - value
  low, high = min(low, 0.0), max(high, 0.0)  # at low levels draws may lie aside
  widen = student(level, dof) / float(special.ndtri(tails[1]))
  return float(value + widen * low), float(value + widen * high)
