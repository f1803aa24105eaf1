"""How runs scatter about a law: a robust size, unequal sizes, and outliers.

Losses of short runs scatter more than those of long ones, a few runs lie far
off, and a study has a dozen runs or a hundred. What is here asks residuals for
all of that, with nothing but the residuals.
"""

import dataclasses

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting.chinchilla_data import DELTA
from scaling_jax.analysis.fitting.chinchilla_data import log_sum
from scaling_jax.analysis.fitting.clusters import Clusters
from scaling_jax.analysis.fitting.objective import EFFICIENT
from scaling_jax.analysis.fitting.result import ResidualSD

FAR = 5.0  # standard deviations from which a run is called an outlier
CHANCE = 3e-4  # of a study, that normal noise leaves one by least squares
PRIOR_SD = 0.5  # of g in variance ∝ D^-g
LEAST_SD = 1e-6  # of log L: losses are not known better
_NORMAL = 1.4826  # standard deviation over the median size, of a normal
SLOPES = np.linspace(-3.0, 3.0, 61)
_HEAVY = 3.0  # degrees of freedom of Student's t that outliers don't move


@dataclasses.dataclass(frozen=True, eq=False)
class Exponent:
  """What residuals [n] tell of g in a variance that goes as D^-g.

  Attributes:
    mean: of the posterior of g / 2: standard deviations go as D^-mean.
    chances: [G] the posterior at SLOPES.
    sizes: [G] of the residual standard deviation at each, over that at the
      mean.
  """

  mean: float
  chances: np.ndarray
  sizes: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseModel:
  """Residuals of a fit: their size, and how it differs between runs.

  Attributes:
    residual_sd: of a run at the mean log D, and its degrees of freedom.
    spread: [n] by which a run's standard deviation differs from that.
    log_D: [n] from the mean.
    exponent: how standard deviations fall with D; None where they do not.
    clusters: of runs whose residuals go together; None for none.
  """

  residual_sd: ResidualSD
  spread: np.ndarray
  log_D: np.ndarray
  exponent: Exponent | None = None
  clusters: Clusters | None = None

  @property
  def own_spread(self) -> np.ndarray:
    """[n] the spread but for what D makes of it."""
    if self.exponent is None:
      return self.spread
    return self.spread * np.exp(self.exponent.mean * self.log_D)

  def draws(self, rng: np.random.Generator, draws: int) -> np.ndarray:
    """[draws, n] residuals; each draw has a size, and an exponent, of its own."""
    if self.clusters is not None:
      return self.clusters.draws(rng, draws, self.spread)
    sd = self.residual_sd.scales(rng, draws)
    normal = rng.normal(size=(draws, len(self.spread)))
    if self.exponent is None:
      return sd[:, None] * normal * self.spread
    k = rng.choice(len(SLOPES), size=draws, p=self.exponent.chances)
    sd = sd * self.exponent.sizes[k]
    spread = np.exp(-0.5 * SLOPES[k, None] * self.log_D) * self.own_spread
    return sd[:, None] * normal * spread


def robust_sd(u: np.ndarray, n_params: int) -> float:
  """1.4826 times the median size of all but the least n_params residuals.

  A fit may pass through as many runs as it has parameters, whatever their
  noise.

  >>> round(robust_sd(np.array([0.0, 1.0, -1.0, 1.0, 90.0]), 1), 4)
  1.4826
  """
  return _NORMAL * float(np.median(np.sort(np.abs(u))[n_params:]))


def huber_sd(u: np.ndarray, cut: float, n_params: int) -> float:
  """The sd of normal residuals whose Huber fit scatters as this one does.

  K sqrt(sum psi² / (n - p)) / m, psi the residuals cut at `cut`, m the share
  within, K = 1 + (p/n)(1 - m)/m (Huber 1981, Robust Statistics, eq. 7.6.6).

  Args:
    u: [n] residuals, divided by their spread.
    cut: where the Huber loss turns.
    n_params: p, of the fit.
  """
  n = len(u)
  psi = np.clip(u, -cut, cut)
  m = max(float(np.mean(np.abs(u) <= cut)), 1 / n)
  K = 1 + n_params / n * (1 - m) / m
  return K * float(np.sqrt(psi @ psi / (n - n_params))) / m


def exponent_of(
  residuals: np.ndarray, log_D: np.ndarray, n_params: int
) -> Exponent:
  """How standard deviations fall with D.

  The posterior of g in a variance that goes as D^-g, g ~ N(0, 0.5²), over a
  grid, the size of the noise integrated.

  Args:
    residuals: [n].
    log_D: [n] from its mean.
    n_params: of the fit.
  """
  n = len(residuals)
  log_u2 = _log_squares(residuals) + SLOPES[:, None] * log_D
  total = log_sum(log_u2, 1)
  # Residuals of a fit are smaller than noise: they count as n - p.
  share = 1 - n_params / n
  log_p = share * (0.5 * SLOPES * log_D.sum() - 0.5 * n * total)
  chances = _posterior(log_p)
  mean = float(chances @ SLOPES)
  at = log_sum(_log_squares(residuals) + mean * log_D)
  return Exponent(0.5 * mean, chances, np.exp(0.5 * (total - at)))


def robust_exponent(residuals: np.ndarray, log_D: np.ndarray) -> float:
  """The same, of residuals [n] that hold outliers: by Student's t."""
  log_u2 = _log_squares(residuals) + SLOPES[:, None] * log_D
  center = np.median(log_u2, 1, keepdims=True) + 0.8  # of chi², roughly
  sizes = center[..., None] + np.linspace(-2, 2, 21)[:, None]
  ratio = np.exp(log_u2[:, None] - sizes)
  of_size = -0.5 * (_HEAVY + 1) * np.log1p(ratio / _HEAVY) - 0.5 * sizes
  log_p = of_size.sum(-1).max(-1) + 0.5 * SLOPES * log_D.sum()
  return 0.5 * float(_posterior(log_p) @ SLOPES)


def _log_squares(residuals: np.ndarray) -> np.ndarray:
  return 2 * np.log(np.maximum(np.abs(residuals), 0.1 * LEAST_SD))


def _posterior(log_p: np.ndarray) -> np.ndarray:
  log_p = log_p - 0.5 * (SLOPES / PRIOR_SD) ** 2
  p = np.exp(log_p - log_p.max())
  return p / p.sum()


def far(dof: int, n: int, count: int) -> float:
  """Standard deviations beyond which runs are outliers.

  Five; or, where few runs tell the standard deviation (Student's t), so many
  that normal noise leaves any of n runs as far from a least squares fit in one
  of 3,000 studies. A robust fit, which a run can leave further, makes it one in
  a hundred of twelve runs. Where two are excluded, each of their pairs might
  have been.

  Args:
    dof: of the standard deviation.
    n: runs.
    count: how many lie off.

  >>> [round(far(dof, n, 1), 1) for dof, n in ((200, 206), (22, 28), (5, 11))]
  [5.0, 5.7, 14.6]
  """
  choices = n if count < 2 else n * (n - 1) / 2
  rare = CHANCE / 2 / choices
  return max(FAR, -float(special.stdtrit(max(dof, 1), rare)))


def deviations(
  u: np.ndarray, jacobian: np.ndarray, clean: np.ndarray
) -> np.ndarray:
  """[n] distances from the law in standard deviations, each judged by others.

  Of a clean run its externally studentized residual (Cook and Weisberg 1982,
  eq. 2.2.8): by the fit and the standard deviation without it. Of another its
  distance from the fit to the clean ones.

  Args:
    u: [n] residuals of the fit to the clean runs, divided by their spread.
    jacobian: [n, p] of u.
    clean: [n] which runs were fitted.
  """
  p = jacobian.shape[1]
  left, singular, right = np.linalg.svd(jacobian[clean], full_matrices=False)
  del left
  singular = np.maximum(singular, 1e-9 * singular[0])
  leverage = np.sum((jacobian @ right.T / singular) ** 2, 1)
  dof = int(clean.sum()) - p
  squares = float(u[clean] @ u[clean])
  out = u / np.sqrt(1 + leverage) / max(np.sqrt(squares / dof), LEAST_SD)
  room = np.maximum(1 - leverage[clean], 1e-6)
  without = np.maximum(squares - u[clean] ** 2 / room, 0) / max(dof - 1, 1)
  sd = np.maximum(np.sqrt(without), LEAST_SD)
  out[clean] = u[clean] / np.sqrt(room) / sd
  return out


def huber_scale(sd: float) -> float:
  """By which residuals are multiplied, so that DELTA is where their cut is."""
  return DELTA / cut_of(sd)


def cut_of(sd: float) -> float:
  """Where the Huber loss turns for residuals of this standard deviation."""
  return EFFICIENT * max(sd, LEAST_SD)
