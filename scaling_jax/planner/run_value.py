"""What each run of a design adds, and which one to add: linear theory.

The value of a run is by how much N_opt at the target is known better with it
than without it. Near the truth log L is linear in the law's five parameters, so
that the spread of a fit is a matter of its Jacobian J [n, 5]: its parameters
have the covariance M S M' with M = (J'J)^-1 J', where S is the noise of log L.
What a law misses is the same for every seed of a run, so that S has two parts:
one of the model and its tokens, one of the seed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from scaling_jax import laws as laws_lib
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.planner import noise as noise_lib
from scaling_jax.planner.noise import Noise


class Question(NamedTuple):
  """What runs are to tell.

  Attributes:
    law: plausible laws, of arrays [K].
    noise: of the runs.
    target: FLOPs at which N_opt is asked for.
    level: of its interval.
  """

  law: laws_lib.Chinchilla
  noise: Noise
  target: float
  level: float


class Trial(NamedTuple):
  """What N_opt's spread becomes with another set of runs.

  Attributes:
    N, D: of the run that is omitted or added.
    narrows: the share by which N_opt's interval, in log N, is narrower with the
      run than without it, the median over the laws; 1 where there is no
      interval without it.
    per_percent: the same for each percent of the design's compute it costs.
  """

  N: float
  D: float
  narrows: float
  per_percent: float


def each_run(N: np.ndarray, D: np.ndarray, asked: Question) -> list[Trial]:
  """[n] trials: every run omitted in turn.

  Args:
    N, D: [n] of the runs.
    asked: what they are to tell.
  """
  whole = spread(N, D, asked)
  cost = N * D / np.sum(N * D)
  out = []
  for i in range(len(N)):
    keep = np.arange(len(N)) != i
    without = spread(N[keep], D[keep], asked)
    out.append(_trial((N[i], D[i]), whole, without, cost=cost[i]))
  return out


def added(
  N: np.ndarray,
  D: np.ndarray,
  candidates: Sequence[tuple[float, float]],
  *,
  asked: Question,
) -> list[Trial]:
  """A trial for each candidate (N, D), added to the runs; see `each_run`."""
  without = spread(N, D, asked)
  out = []
  for more_N, more_D in candidates:
    both = np.append(N, more_N), np.append(D, more_D)
    cost = more_N * more_D / np.sum(N * D)
    with_it = spread(*both, asked)
    out.append(_trial((more_N, more_D), with_it, without, cost=cost))
  return out


def spread(N: np.ndarray, D: np.ndarray, asked: Question) -> np.ndarray:
  """[K] half the width of the interval of log N_opt; inf where there is none.

  There is none where the analysis would refuse these runs. Student's quantile
  is that of as many degrees of freedom as different runs leave: a seed again
  tells nothing of what the law misses.

  >>> law = laws_lib.Chinchilla(*np.array([[1.8], [480], [2100], [0.35], [0.37]]))
  >>> asked = Question(law, Noise(0.003, 0.001), target=1e21, level=0.95)
  >>> N = np.repeat([1e8, 4e8, 1.6e9], 3)
  >>> D = np.tile([1e9, 8e9, 6.4e10], 3)
  >>> spread(N, D, asked).round(2).tolist()
  [0.37]
  """
  cell = noise_lib.cells(N, D)
  share = np.equal.outer(np.arange(np.max(cell) + 1), cell).astype(float)
  dof = len(share) - chinchilla.N_PARAMS
  first = np.unique(cell, return_index=True)[1]
  data = chinchilla.LogData.of(N[first], D[first], np.ones(len(first)))
  budgets = len(np.unique(np.round(np.log(N * D), 2)))
  if dof < 1 or chinchilla.unanswered(data, budgets):
    return np.full(np.size(asked.law.alpha), np.inf)
  J = _jacobian(N, D, asked.law)
  solve = np.linalg.pinv(J, rcond=1e-10)  # [K, 5, n]
  by_run = np.einsum('kp,kpn->kn', _gradient(N, D, asked), solve)
  # The part that a run's seeds share: their weights add up before they are
  # squared.
  by_cell = by_run @ share.T
  variance = asked.noise.shared**2 * (by_cell**2).sum(1)
  variance += asked.noise.seeds**2 * (by_run**2).sum(1)
  quantile = float(special.stdtrit(dof, (1 + asked.level) / 2))
  identified = np.linalg.matrix_rank(J, tol=1e-8) == chinchilla.N_PARAMS
  return np.where(identified, quantile * np.sqrt(variance), np.inf)


def _jacobian(
  N: np.ndarray, D: np.ndarray, law: laws_lib.Chinchilla
) -> np.ndarray:
  """d log L / d (log A', log B', log E, alpha, beta) [K, n, 5]."""
  log_N, log_D = np.log(N), np.log(D)
  n, d = log_N - log_N.mean(), log_D - log_D.mean()
  E, A, B, alpha, beta = (np.reshape(x, (-1, 1)) for x in law)
  model, tokens = A * N**-alpha, B * D**-beta
  L = E + model + tokens
  columns = (model, tokens, E, -n * model, -d * tokens)
  return np.stack([np.broadcast_to(x, L.shape) / L for x in columns], -1)


def _gradient(N: np.ndarray, D: np.ndarray, asked: Question) -> np.ndarray:
  """d log N_opt / d (log A', log B', log E, alpha, beta) [K, 5], at target.

  N_opt solves log(alpha A') - alpha x = log(beta B') - beta (c - x), where
  x = log N less its mean and c - x = log D less its mean.
  """
  law, mean_log_N = asked.law, float(np.log(N).mean())
  c = np.log(asked.target / 6) - mean_log_N - np.log(D).mean()
  x = np.log(law.optimum(asked.target).N) - mean_log_N
  total = law.alpha + law.beta
  return np.stack(
    [
      1 / total,
      -1 / total,
      0 * total,
      (1 / law.alpha - x) / total,
      (c - x - 1 / law.beta) / total,
    ],
    axis=-1,
  )


def _trial(
  run: tuple[float, float],
  with_it: np.ndarray,
  without: np.ndarray,
  *,
  cost: float,
) -> Trial:
  # Where the run makes the law possible all of it is due to the run; where
  # there is none with it either, nothing.
  ratio = np.ones_like(with_it)
  both = np.isfinite(with_it) & np.isfinite(without)
  ratio[both] = with_it[both] / without[both]
  ratio[np.isfinite(with_it) & ~np.isfinite(without)] = 0.0
  narrows = 1 - float(np.median(ratio))
  N, D = map(float, run)
  return Trial(N, D, narrows, float(narrows / (100 * cost)))
