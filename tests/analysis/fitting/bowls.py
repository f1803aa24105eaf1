"""Budgets whose losses lie on a parabola in log N, and NumPy's view of them."""

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.isoflop import Group
from tests.analysis import designs

# N_opt = 0.3 C^0.48, and so D_opt = C^0.52 / 1.8.
EXPONENT, COEFFICIENT = 0.48, 0.3
LOPSIDED = laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55)
GRID = np.geomspace(0.2, 3.0, 6)  # off-center, which exact parabolas allow
NO_DRAWS = Bootstrap(draws=0)


def bowl(C, curvature=0.05, grid=GRID, depth=1.5) -> Group:
  """A budget whose losses lie on a parabola in log N about 0.3 C^0.48."""
  best = COEFFICIENT * C**EXPONENT
  N = best * grid
  return Group(C, N, C / (6 * N), depth + curvature * np.log(N / best) ** 2)


def bowls(budgets=designs.BUDGETS) -> list[Group]:
  return [bowl(C, 0.03 + 0.01 * i) for i, C in enumerate(budgets)]


def attention_tokens(C, N):
  """D where a budget counts 7.2 N^1.03 D: attention, with a slow drift."""
  return C / (7.2 * N * (N / 1e6) ** 0.03)


def polyfit_minimum(N, L):
  """log N and L at the minimum of numpy's parabola."""
  c2, c1, c0 = np.polyfit(np.log(N), L, 2)
  return -c1 / (2 * c2), c0 - c1**2 / (4 * c2)


def cell_means(group: Group) -> tuple[np.ndarray, np.ndarray]:
  """The different N, and the geometric mean of the losses of each."""
  N = np.unique(group.N)
  L = [np.exp(np.mean(np.log(group.loss[group.N == n]))) for n in N]
  return N, np.array(L)


def residuals(group: Group) -> np.ndarray:
  """Of numpy's parabola, relative to the loss."""
  log_N = np.log(group.N) - np.log(group.N).mean()
  coefficients = np.polyfit(log_N, group.loss, 2)
  return 1 - np.polyval(coefficients, log_N) / group.loss
