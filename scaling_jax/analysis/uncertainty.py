"""Intervals: how draws are made, and what becomes of them.

Two ways to draw what a study might have been:

  runs   Runs are resampled with replacement (a run with all its checkpoints,
         because those are not independent). Right where runs are many.
  noise  New losses are the fitted ones times exp(s z), z normal, where s² is
         drawn too: the residual variance times nu over a chi-square of nu
         degrees of freedom. In a study of a dozen runs and five parameters
         this holds the truth as often as it says, where resampling does not.

benchmarks/coverage.py measures how often the intervals hold the truth.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

METHODS = ('auto', 'runs', 'noise')
RUNS_PER_PARAMETER = 10  # from here on runs are resampled

Estimate = dict[str, float | None]


class Noise(NamedTuple):
  """The scatter of log L about a fit: sd, and its degrees of freedom."""

  sd: float
  dof: int

  def scales(self, rng: np.random.Generator, draws: int) -> np.ndarray:
    """[draws] standard deviations that this one might stand for."""
    return self.sd * np.sqrt(self.dof / rng.chisquare(self.dof, draws))


def choose_method(method: str, n_runs: int, n_params: int) -> str:
  """'runs' or 'noise'; 'auto' takes 'runs' from ten runs a parameter on."""
  if method not in METHODS:
    raise ValueError(f'method={method!r} must be one of {", ".join(METHODS)}')
  if method != 'auto':
    return method
  return 'runs' if n_runs >= RUNS_PER_PARAMETER * n_params else 'noise'


def noise_of(residuals: np.ndarray, n_params: int) -> Noise | None:
  """The noise that residuals of log L show; None without freedom left."""
  dof = int(np.size(residuals)) - n_params
  if dof < 1:
    return None
  return Noise(float(np.sqrt(np.sum(np.square(residuals)) / dof)), dof)


def noise_draws(
  rng: np.random.Generator, draws: int, n: int, noise: Noise
) -> np.ndarray:
  """[draws, n] log-noise; each draw has a standard deviation of its own."""
  return noise.scales(rng, draws)[:, None] * rng.normal(size=(draws, n))


def curve_draws(
  rng: np.random.Generator, draws: int, left_RK: np.ndarray
) -> np.ndarray:
  """[draws, R, K] normal noise along R curves, correlated as residuals are.

  Args:
    rng: where it comes from.
    draws: how many.
    left_RK: residuals of R curves at K points each, nan where one has none. A
      point's noise has their mean square there, and two points' noise their
      mean product.
  """
  known = np.isfinite(left_RK)
  counts = np.maximum(known.sum(0), 1)
  curves = np.where(known, left_RK, 0.0) / np.sqrt(counts)
  shares = rng.normal(size=(draws, *2 * (len(left_RK),)))
  return shares @ curves


def wider(level: float, dof: float) -> float:
  """Student's quantile over the normal one: what few points add to draws."""
  tail = (1 + level) / 2
  return float(stats.t.ppf(tail, dof) / stats.norm.ppf(tail))


def resampled_weights(
  rng: np.random.Generator, draws: int, n: int
) -> np.ndarray:
  """[draws, n]: how often each run was drawn, with replacement."""
  return rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float)


def estimate(value: Any, draws: Any, level: float) -> Estimate:
  """A number with its percentile interval, as fits.json holds it.

  Args:
    value: the estimate; None or not finite where there is none.
    draws: [B] what it might have been; None where that is not known. A draw
      that is not finite counts as unbounded on both sides: an interval whose
      tail holds such draws has no bound there.
    level: of the interval, such as 0.95.
  """
  if value is None or not np.isfinite(value):
    return unknown()
  if draws is None:
    return {'value': float(value), 'low': None, 'high': None}
  draws = np.asarray(draws, float)
  tail = (1 - level) / 2
  undefined = ~np.isfinite(draws)
  low = np.quantile(np.where(undefined, -np.inf, draws), tail, method='lower')
  high = np.quantile(
    np.where(undefined, np.inf, draws), 1 - tail, method='higher'
  )
  return {
    'value': float(value),
    'low': _finite(min(low, value)),
    'high': _finite(max(high, value)),
  }


def exp_estimate(log_value: Any, log_draws: Any, level: float) -> Estimate:
  """`estimate` of a number that is known, and drawn, as its logarithm."""
  with np.errstate(over='ignore'):
    found = {
      name: None if x is None else _finite(np.exp(x))
      for name, x in estimate(log_value, log_draws, level).items()
    }
  return unknown() if found['value'] is None else found


def unknown() -> Estimate:
  return {'value': None, 'low': None, 'high': None}


def widen(
  interval: Estimate, bias: float | None, ratio: bool = False
) -> Estimate:
  """Stretches an interval to where it would lie without a known bias.

  Args:
    interval: of the biased estimate.
    bias: estimate minus truth, as foretold; of its logarithm if `ratio`.
    ratio: whether the bias is a factor and not a difference.
  """
  if bias is None or not np.isfinite(bias):
    return interval
  out = dict(interval)
  for end, shift in (('low', -max(bias, 0)), ('high', -min(bias, 0))):
    x = interval[end]
    if x is not None:  # an open end stays open
      out[end] = float(x * np.exp(shift) if ratio else x + shift)
  return out


def power_law_at(
  line: np.ndarray,
  draws: np.ndarray | None,
  C: float,
  level: float,
  bias: np.ndarray | None = None,
) -> Estimate:
  """y = exp(intercept) C^slope, with its interval.

  Args:
    line: [2] slope and intercept of log y against log C.
    draws: [B, 2] what they might have been, or None.
    C: FLOPs.
    level: of the interval.
    bias: [2] of slope and intercept as foretold, or None.
  """
  x = np.array([np.log(C), 1.0])
  found = exp_estimate(line @ x, None if draws is None else draws @ x, level)
  return widen(found, None if bias is None else float(bias @ x), ratio=True)


def holds(interval: Estimate, truth: float) -> bool | None:
  """Whether the interval holds the truth; None where it has no bounds."""
  if interval['low'] is None or interval['high'] is None:
    return None
  return bool(interval['low'] <= truth <= interval['high'])


def sd_interval(noise: Noise, level: float) -> Estimate:
  """A standard deviation with its chi-square interval."""
  tail = (1 - level) / 2
  least, most = stats.chi2.ppf([tail, 1 - tail], noise.dof)
  return {
    'value': noise.sd,
    'low': float(noise.sd * np.sqrt(noise.dof / most)),
    'high': float(noise.sd * np.sqrt(noise.dof / least)),
  }


def seed_noise(cells: list[np.ndarray], level: float) -> Estimate:
  """The sd of log L between seeds of one model and budget, pooled.

  Args:
    cells: for each model and budget, the losses of its seeds.
    level: of the interval.
  """
  many = [np.log(cell) for cell in cells if len(cell) > 1]
  dof = sum(len(cell) - 1 for cell in many)
  if not dof:
    return unknown()
  squares = sum(float(np.sum((cell - cell.mean()) ** 2)) for cell in many)
  return sd_interval(Noise(float(np.sqrt(squares / dof)), dof), level)


def _finite(x: float) -> float | None:
  return float(x) if np.isfinite(x) else None
