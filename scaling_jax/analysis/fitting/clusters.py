"""Checkpoints of one training are not independent: variance components.

A table of several token counts a model may hold checkpoints of one run. What
moved that run off the law moved all of them, and so many rows tell less than
their number. Whether residuals of one model go together is asked of the
residuals: log L = law + b_model + e, b with variance rho times that of e, by
restricted maximum likelihood (Patterson and Thompson 1971, Biometrika 58, 545).
"""

import dataclasses

import numpy as np

MIN_TOKENS = 3  # different D a model, on average, for a cluster
MIN_MODELS = 3
RATIO = 2.7  # of twice the log likelihood: 5% by chance, rho being positive
_RATIOS = np.concatenate([[0.0], np.geomspace(0.02, 100.0, 60)])
_DIGITS = 6  # of log N, to which one model's rows agree


@dataclasses.dataclass(frozen=True, eq=False)
class Clusters:
  """Runs [n] whose residuals go together by model.

  Attributes:
    index: [n] the model of each run.
    ratios: [R] of the variance between models to that within.
    chances: [R] of each.
    squares: [R] of the residuals, whitened by each.
    dof: of the squares.
    log_likelihood: of the residuals, at the ratio that they fit best, but for
      what does not depend on it.
  """

  index: np.ndarray
  ratios: np.ndarray
  chances: np.ndarray
  squares: np.ndarray
  dof: int
  log_likelihood: float

  @property
  def ratio(self) -> float:
    """The mean of the standard deviations between, over those within."""
    return float(self.chances @ np.sqrt(self.ratios))

  def draws(
    self, rng: np.random.Generator, draws: int, spread: np.ndarray
  ) -> np.ndarray:
    """[draws, n] residuals, those of one model correlated."""
    k = rng.choice(len(self.ratios), size=draws, p=self.chances)
    sd = np.sqrt(self.squares[k] / rng.chisquare(self.dof, draws))
    of_model = rng.normal(size=(draws, int(self.index.max()) + 1))
    shared = np.sqrt(self.ratios[k])[:, None] * of_model
    own = rng.normal(size=(draws, len(self.index)))
    return sd[:, None] * (shared[:, self.index] + own) * spread


def whole_models(log_N: np.ndarray, off: np.ndarray) -> np.ndarray:
  """[n] runs of models of which more than half lie off, in a table of clusters.

  What moved all checkpoints of one training is no outlier, but how trainings
  differ.

  >>> log_N = np.repeat([1.0, 2.0, 3.0], 3)
  >>> whole_models(log_N, log_N == 2).astype(int).tolist()
  [0, 0, 0, 1, 1, 1, 0, 0, 0]
  """
  index, size = _models(log_N)
  if not _may_cluster(size):
    return np.zeros(len(log_N), bool)
  share = np.bincount(index, off) / size
  return ((share > 0.5) & (size >= MIN_TOKENS))[index]


def _models(log_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """The model of each run [n], and how many runs each has."""
  _, index = np.unique(np.round(log_N, _DIGITS), return_inverse=True)
  return index, np.bincount(index)


def _may_cluster(size: np.ndarray) -> bool:
  """Whether models have so many runs each that they may be checkpoints."""
  return len(size) >= MIN_MODELS and bool(np.mean(size) >= MIN_TOKENS)


def find(
  log_N: np.ndarray, u: np.ndarray, jacobian: np.ndarray
) -> Clusters | None:
  """The clusters that residuals show, or None.

  Args:
    log_N: [n] of each run.
    u: [n] residuals of a fit, divided by their spread.
    jacobian: [n, p] of u.
  """
  index, size = _models(log_N)
  n, p = jacobian.shape
  if not _may_cluster(size) or n <= p:
    return None
  squares, log_p, log_L = (np.empty(len(_RATIOS)) for _ in range(3))
  for k, rho in enumerate(_RATIOS):
    # V^-1/2 takes a share of a model's mean from each of its rows.
    share = (1 - 1 / np.sqrt(1 + rho * size)) / size

    def white(x: np.ndarray, share=share) -> np.ndarray:
      total = np.zeros((len(size), *x.shape[1:]))
      np.add.at(total, index, x)
      return x - (share.reshape(-1, *(1,) * (x.ndim - 1)) * total)[index]

    rows, left = white(jacobian), white(u)
    orthogonal, triangle = np.linalg.qr(rows)
    left = left - orthogonal @ (orthogonal.T @ left)
    squares[k] = max(float(left @ left), 1e-300)
    log_p[k] = -0.5 * np.log1p(rho * size).sum()
    log_p[k] -= np.log(np.abs(np.diag(triangle)) + 1e-300).sum()
    log_p[k] -= 0.5 * (n - p) * np.log(squares[k])
    log_L[k] = -0.5 * np.log1p(rho * size).sum() - 0.5 * n * np.log(squares[k])
  if 2 * (np.max(log_p) - log_p[0]) < RATIO:
    return None
  # Half-Cauchy in the ratio of standard deviations (Gelman 2006, Bayesian
  # Analysis 1, 515): a few models do not bound it.
  chances = np.exp(log_p - np.max(log_p)) * np.gradient(np.sqrt(_RATIOS))
  chances /= 1 + _RATIOS
  chances /= chances.sum()
  return Clusters(index, _RATIOS, chances, squares, n - p, float(np.max(log_L)))
