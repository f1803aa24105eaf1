"""What a fit might have been: draws, from which every interval is read.

Three ways:

  runs   Runs are resampled with replacement (a run with all its checkpoints,
         because those are not independent). Right where runs are many.
  noise  New losses are the fitted ones times exp(s z), z normal, where s² is
         drawn too: the residual variance times nu over a chi-square of nu
         degrees of freedom. In a study of a dozen runs and five parameters
         this holds the truth as often as its level, where resampling does not.
  posterior   Nothing is redrawn: the exact posterior over a grid of exponents,
         for the fewest runs (`chinchilla_posterior`).

benchmarks/coverage.py measures how often the intervals hold the truth.
"""

import dataclasses

import numpy as np

from scaling_jax.analysis.fitting.result import ResidualSD

METHODS = ('auto', 'posterior', 'noise', 'runs')
RUNS_PER_PARAMETER = 10  # from here on runs are resampled
FEW_RUNS_PER_PARAMETER = 4  # below, approach 3's posterior is on a grid


@dataclasses.dataclass(frozen=True)
class Bootstrap:
  """How draws are made. The level of an interval is chosen later, with it.

  Attributes:
    draws: how many; 0 for none, and then there are no intervals.
    method: 'posterior', 'noise', 'runs', or 'auto', which takes the first below
      four runs a parameter and the last from ten on.
    seed: of the draws.

  Raises:
    ValueError: the number is negative, or no method has that name.

  >>> Bootstrap(draws=400).method
  'auto'
  """

  draws: int = 4000
  method: str = 'auto'
  seed: int = 0

  def __post_init__(self):
    _check_method(self.method)
    if self.draws < 0:
      raise ValueError(f'draws={self.draws} must be 0 or more; try draws=4000')


def choose_method(method: str, n_runs: int, n_params: int) -> str:
  """'auto' by the runs a parameter: 'posterior' below 4, 'runs' from 10 on."""
  _check_method(method)
  if method != 'auto':
    return method
  if n_runs >= RUNS_PER_PARAMETER * n_params:
    return 'runs'
  few = n_runs < FEW_RUNS_PER_PARAMETER * n_params
  return 'posterior' if few else 'noise'


def _check_method(method: str) -> None:
  if method not in METHODS:
    raise ValueError(f'method={method!r} must be one of {", ".join(METHODS)}')


def noise_draws(
  rng: np.random.Generator, draws: int, n: int, residual_sd: ResidualSD
) -> np.ndarray:
  """[draws, n] log-noise; each draw has a standard deviation of its own."""
  return residual_sd.scales(rng, draws)[:, None] * rng.normal(size=(draws, n))


def curve_draws(
  rng: np.random.Generator, draws: int, residuals_RK: np.ndarray
) -> np.ndarray:
  """[draws, R, K] normal noise along R curves, correlated as residuals are.

  Args:
    rng: where it comes from.
    draws: how many.
    residuals_RK: of R curves at K points each, nan where one has none. A
      point's noise has their mean square there, and two points' noise their
      mean product.
  """
  known = np.isfinite(residuals_RK)
  counts = np.maximum(known.sum(0), 1)
  curves = np.where(known, residuals_RK, 0.0) / np.sqrt(counts)
  shares = rng.normal(size=(draws, *2 * (len(residuals_RK),)))
  return shares @ curves


def student_scales(
  rng: np.random.Generator, draws: int, dof: float
) -> np.ndarray:
  """[draws] factors that make deviations of normal draws Student's.

  sqrt(dof / chi²_dof): quantiles at every level then allow for a standard
  deviation that dof degrees of freedom tell.

  Args:
    rng: its own, `scales_rng`, so that the deviations stay what they were.
    draws: how many.
    dof: degrees of freedom; at least 1.
  """
  return np.sqrt(dof / rng.chisquare(dof, draws))


def scales_rng(seed: int) -> np.random.Generator:
  """Where `student_scales` come from, beside the draws of the same seed."""
  return np.random.default_rng((seed, 1))


def resampled_weights(
  rng: np.random.Generator, draws: int, n: int
) -> np.ndarray:
  """[draws, n]: how often each run was drawn, with replacement."""
  return rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float)
