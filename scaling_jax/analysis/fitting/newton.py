"""Least squares of many small problems at once, each from a start near its own.

Newton's method on the sum of Huber_delta(residual), in NumPy. A redrawn study's
minimum lies so near the fit's own that a few steps reach it, and nothing has to
be compiled for them; where no start is near, `multistart` searches.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting import multistart

MAX_STEPS = 200
CHUNK = 400  # problems at once
REST = 1e-9  # a gradient that no further step is worth
_RIDGE = 1e-13  # of a scaled curvature: a flat direction is no division by zero
_DAMPING = 1e-6  # of the first step
_STUCK = 1e8  # damping from which no step is worth trying


class Residuals(NamedTuple):
  """Residuals of B problems and their derivatives in P parameters.

  Attributes:
    r: [B, n]; of a problem that its parameters are not allowed in, nan.
    jacobian: [B, n, P].
    curvature: c [B, n] -> [B, P, P], the sum over n of c times the second
      derivatives of r.
  """

  r: np.ndarray
  jacobian: np.ndarray
  curvature: Callable[[np.ndarray], np.ndarray]


# Parameters [B, P] and the indices [B] of their problems -> residuals.
Problem = Callable[[np.ndarray, np.ndarray], Residuals]


def refit(
  problem: Problem, start: np.ndarray, draws: int, delta: float
) -> multistart.Refits:
  """The minima of `draws` problems.

  Args:
    problem: residuals and derivatives.
    start: [P], where each begins.
    draws: how many.
    delta: where the Huber loss turns from a square to a line.
  """
  # So few at once that their derivatives stay in the processor's cache.
  parts = [
    _refit(problem, start, np.arange(i, min(i + CHUNK, draws)), delta)
    for i in range(0, draws, CHUNK)
  ]
  params, gradient = (np.concatenate(x) for x in zip(*parts))
  return multistart.Refits(params, gradient <= multistart.GRADIENT_TOLERANCE)


def _refit(problem, start, which, delta) -> tuple[np.ndarray, np.ndarray]:
  """Parameters [B, P] and gradient norms [B] of the problems `which` [B]."""
  params = np.tile(np.asarray(start, float), (len(which), 1))
  damping = np.full(len(which), _DAMPING)
  gradient = np.full(len(which), np.inf)
  active = np.arange(len(which))
  with np.errstate(all='ignore'):  # what is not finite is not a minimum
    state = _State.at(problem(params, which), delta)
    for _ in range(MAX_STEPS):
      gradient[active] = state.gradient_norm(delta)
      go_on = np.isfinite(state.objective) & (damping[active] < _STUCK)
      go_on &= gradient[active] > REST
      active, state = active[go_on], state.of(go_on)
      if not len(active):
        break
      tried = params[active] + state.step(damping[active])
      new = _State.at(problem(tried, which[active]), delta)
      # Rounding alone may lift what lies at the bottom.
      better = new.objective <= state.objective * (1 + 1e-13)
      params[active] = np.where(better[:, None], tried, params[active])
      damping[active] *= np.where(better, 0.1, 10.0)
      state = new.where(better, state)
  return params, gradient


class _State(NamedTuple):
  """Objective [B], gradient [B, P], and two curvatures [B, P, P].

  `full` is the objective's own; `square` that of the square which meets it,
  always positive, by which gradients are measured as in `multistart`.
  """

  objective: np.ndarray
  gradient: np.ndarray
  full: np.ndarray
  square: np.ndarray

  @classmethod
  def at(cls, found: Residuals, delta: float) -> '_State':
    size = np.abs(found.r)
    pull = np.clip(found.r, -delta, delta)
    turned = np.swapaxes(found.jacobian, -1, -2)
    square = (turned * np.minimum(1.0, delta / size)[:, None]) @ found.jacobian
    inner = (turned * (size < delta)[:, None]) @ found.jacobian
    return cls(
      multistart.huber(found.r, delta, np).sum(-1),
      (turned @ pull[..., None])[..., 0],
      inner + found.curvature(pull),
      square,
    )

  def of(self, rows: np.ndarray) -> '_State':
    return _State(*(x[rows] for x in self))

  def where(self, better: np.ndarray, other: '_State') -> '_State':
    """These where better [B], the other's elsewhere."""
    return _State(
      *(
        np.where(better.reshape(-1, *(1,) * (one.ndim - 1)), one, two)
        for one, two in zip(self, other)
      )
    )

  def _scale(self) -> np.ndarray:
    """[B, P] in whose units the square's curvature has a diagonal of one."""
    return np.sqrt(np.einsum('bpp->bp', self.square)) + 1e-150

  def gradient_norm(self, delta: float) -> np.ndarray:
    """[B] per delta, where the square's curvature is one in any direction."""
    scale = self._scale()
    scaled = _finite(self.square / (scale[:, :, None] * scale[:, None, :]))
    ridge = _RIDGE * np.eye(scale.shape[-1])
    slope = self.gradient / scale
    step = _solve(scaled + ridge, slope[..., None])[..., 0]
    return np.sqrt(np.maximum(np.sum(slope * step, -1), 0.0) / delta)

  def step(self, damping: np.ndarray) -> np.ndarray:
    """[B, P] Newton's, but away from where the objective curves downward."""
    scale = self._scale()
    scaled = _finite(self.full / (scale[:, :, None] * scale[:, None, :]))
    slope = (self.gradient / scale)[..., None]
    P = scale.shape[-1]
    lifted = scaled + (damping + _RIDGE)[:, None, None] * np.eye(P)
    step = _solve(lifted, slope)
    minors = [np.linalg.det(scaled[:, :k, :k]) for k in range(1, P + 1)]
    down = ~np.all(np.stack(minors) > 0, axis=0)
    values, vectors = np.linalg.eigh(scaled[down])
    along = np.swapaxes(vectors, -1, -2) @ slope[down]
    length = np.abs(values) + damping[down, None] + _RIDGE
    step[down] = vectors @ (along / length[..., None])
    return -step[..., 0] / scale


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
  """The solution of each, the least one of a matrix that is singular."""
  try:
    return np.linalg.solve(matrix, right)
  except np.linalg.LinAlgError:
    return np.linalg.pinv(matrix) @ right


def _finite(matrix: np.ndarray) -> np.ndarray:
  return np.where(np.isfinite(matrix), matrix, 0.0)
