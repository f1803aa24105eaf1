"""What a form misses: a smooth function of log N and log D.

A Gaussian process of squared-exponential covariance (Kennedy and O'Hagan 2001,
"Bayesian calibration of computer models"), whose standard deviation is a
multiple of the residuals' own. One eigendecomposition serves all multiples.
"""

import dataclasses

import numpy as np

LENGTHS = (1.5, 3.0)  # nats of log N and of log D, alike
RATIOS = (1.0, 2.0, 4.0, 8.0, 16.0)  # of its sd to a run's


@dataclasses.dataclass(frozen=True, eq=False)
class Discrepancy:
  """The process over cells [k], and what is independent under it.

  Attributes:
    n, d: [k] log N and log D from the center.
    length: nats, over which it goes together; inf for no process.
    weight: [k] one over each cell's share of the residual sd.
    values: [k] eigenvalues of weight · covariance · weight.
    rotation: [k, k] to their axes, weights included.

  >>> n, d = np.array([0.0, 1.0, 2.0]), np.zeros(3)
  >>> smooth = Discrepancy.of(n, d, weight=np.ones(3), length=1.5)
  >>> r = np.array([1.0, 1.1, 0.9])  # go together, as a smooth function does
  >>> [round(float(np.sum(smooth.whiten(x, r) ** 2)), 2) for x in (0.0, 4.0)]
  [3.02, 0.08]
  """

  n: np.ndarray
  d: np.ndarray
  length: float
  weight: np.ndarray
  values: np.ndarray
  rotation: np.ndarray

  @classmethod
  def of(
    cls, n: np.ndarray, d: np.ndarray, *, weight: np.ndarray, length: float
  ) -> 'Discrepancy':
    """A process of a length."""
    covariance = _covariance(n, d, n, d, length)
    values, vectors = np.linalg.eigh(weight[:, None] * covariance * weight)
    return cls(
      n, d, length, weight, np.maximum(values, 0.0), vectors.T * weight
    )

  @classmethod
  def none(
    cls, n: np.ndarray, d: np.ndarray, *, weight: np.ndarray
  ) -> 'Discrepancy':
    """No process: residuals are independent as they are."""
    return cls(n, d, np.inf, weight, np.zeros_like(n), np.diag(weight))

  def whiten(self, ratio: float, x: np.ndarray) -> np.ndarray:
    """Residuals x [k], or columns [k, P], with unit variance and independent.

    In units of the residual sd; the process has `ratio` times that.
    """
    scale = 1 / np.sqrt(1 + ratio**2 * self.values)
    return (scale[:, None] * self.rotation) @ x

  def log_volume(self, ratio: float) -> float:
    """Half the log determinant of the residuals' covariance."""
    spread = 0.5 * np.log1p(ratio**2 * self.values).sum()
    return float(spread - np.log(self.weight).sum())

  def draws(
    self,
    rng: np.random.Generator,
    ratio: float,
    n: np.ndarray,
    d: np.ndarray,
    *,
    whitened: np.ndarray,
    sd: np.ndarray,
  ) -> np.ndarray:
    """[B, m] the process at n, d [m], given residuals at the cells.

    Normal, with mean K(x, X) V^-1 r and covariance K(x, x) - K(x, X) V^-1
    K(X, x) (Rasmussen and Williams 2006, eq. 2.23 and 2.24).

    Args:
      rng: of the draws.
      ratio: of its sd to the residuals'.
      n, d: [m] where, from the center.
      whitened: [B, k] residuals of each draw's curve, by `whiten`.
      sd: [B] of the residuals.
    """
    scale = ratio / np.sqrt(1 + ratio**2 * self.values)
    across = _covariance(n, d, self.n, self.d, self.length)
    across = ratio * (across @ self.rotation.T) * scale
    left = ratio**2 * _covariance(n, d, n, d, self.length) - across @ across.T
    values, vectors = np.linalg.eigh(left)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    own = rng.normal(size=(len(sd), len(n))) @ root.T
    return whitened @ across.T + sd[:, None] * own


def _covariance(n, d, other_n, other_d, length) -> np.ndarray:
  """[k, m] exp(-distance² / (2 length²))."""
  apart = (n[:, None] - other_n) ** 2 + (d[:, None] - other_d) ** 2
  return np.exp(-0.5 * apart / length**2)
