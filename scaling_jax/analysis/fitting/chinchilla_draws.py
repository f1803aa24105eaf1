"""Approach 3 redrawn: what the law would have been on other losses.

Thousands of refits begin at the fit itself and end near it. Here they run side
by side in NumPy, by the BFGS of `multistart` (optimistix's) with derivatives by
hand: one that has ended takes no more time, and nothing is compiled.
"""

from concurrent import futures
import dataclasses
import os

import numpy as np

from scaling_jax.analysis.fitting import bootstrap as bootstrap_lib
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.chinchilla_data import DELTA
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import residuals_of
from scaling_jax.analysis.fitting.chinchilla_problems import POINTS
from scaling_jax.analysis.fitting.chinchilla_problems import Problems
from scaling_jax.analysis.fitting.noise import NoiseModel

TOLERANCE = 1e-9  # relative and absolute, of conditioned parameters and loss
ARMIJO = 0.1  # the share of the reduction that a slope predicts
STUCK = 1e-6  # of a full step: one as short is not tried


def draw(
  data: LogData,
  params: np.ndarray,
  residuals: NoiseModel,
  bootstrap: Bootstrap,
  method: str,
  solver: str = 'auto',
) -> np.ndarray:
  """[draws, 5] refits to redrawn studies.

  Args:
    data: the runs that count.
    params: [5] of their fit.
    residuals: of log L, or of L, about it.
    bootstrap: how many, and the seed.
    method: 'runs' or 'noise'.
    solver: as for `refits`.

  Returns:
    nan where a refit did not converge, or its loss does not fall with N and D:
    intervals count such draws as unbounded.
  """
  rng = np.random.default_rng(bootstrap.seed)
  n, draws = len(data.log_L), bootstrap.draws
  if method == 'runs':
    weights = bootstrap_lib.resampled_weights(rng, draws, n)
    log_L = np.broadcast_to(data.log_L, weights.shape)
    return _refits(data, params, log_L, weights, solver)
  drawn = residuals.draws(rng, draws)
  if data.of_loss:
    fitted = np.exp(data.log_L) + residuals_of(params, data)
    # A loss below zero has no logarithm; what is nearly none is as unlikely.
    log_L = np.log(np.maximum(fitted + drawn, 1e-3 * fitted))
  else:
    log_L = data.log_L + residuals_of(params, data) + drawn
  return refits(data, params, log_L, solver)


def refits(
  data: LogData, start: np.ndarray, log_L: np.ndarray, solver: str = 'auto'
) -> np.ndarray:
  """[B, 5] parameters of studies of the same runs with other losses.

  Args:
    data: the runs.
    start: [5], or [B, 5] for each study's own.
    log_L: [B, n].
    solver: 'auto' for the BFGS here; 'jax' or 'optimistix' for
      `multistart.refit`.

  Returns:
    nan where no converged law falls with N and D.
  """
  return _refits(data, start, log_L, np.ones_like(log_L), solver)


def _refits(data, start, log_L, weights, solver) -> np.ndarray:
  start = np.broadcast_to(start, (len(log_L), N_PARAMS))
  if solver != 'auto':
    return _falling(data, _by_multistart(data, start, log_L, weights, solver))
  found = _falling(data, search(data, start, log_L, weights))
  lost = np.isnan(found[:, 0])
  if lost.any():
    # A draw is no draw of the law only because one search gave up.
    again = _by_multistart(
      data, start[lost], log_L[lost], weights[lost], 'optimistix'
    )
    found[lost] = _falling(data, again)
  return found


def _falling(data: LogData, found: multistart.Refits) -> np.ndarray:
  """[B, 5]; nan where no minimum was reached, or the loss does not fall."""
  law = data.law(found.params)
  good = found.converged & (found.params[:, 3:] > 0).all(1)
  good &= np.isfinite(law.A) & np.isfinite(law.B)
  return np.where(good[:, None], found.params, np.nan)


def _by_multistart(data, start, log_L, weights, solver) -> multistart.Refits:
  many = {
    name: np.broadcast_to(x, (len(log_L), len(x)))
    for name, x in data.padded.items()
  }
  many['log_L'] = multistart.pad(log_L)
  return multistart.refit(
    data.residuals,
    start,
    many,
    multistart.pad(weights),
    delta=DELTA,
    solver=solver,
    batched_data=True,
  )


def search(
  data: LogData, start: np.ndarray, log_L: np.ndarray, weights: np.ndarray
) -> multistart.Refits:
  """The minima of B problems, each from its start, on all cores."""
  threads = min(os.cpu_count() or 1, -(-log_L.size // POINTS), 8)
  parts = [
    (data, start[rows], log_L[rows], weights[rows])
    for rows in np.array_split(np.arange(len(start)), max(threads, 1))
  ]
  if threads < 2:
    found = [_bfgs(*part) for part in parts]
  else:
    with futures.ThreadPoolExecutor(threads) as pool:
      found = list(pool.map(_bfgs, *zip(*parts)))
  return multistart.Refits(*(np.concatenate(x) for x in zip(*found)))


@dataclasses.dataclass
class _Lanes:
  """Where the searches of B problems are, in conditioned parameters u.

  Attributes:
    u: [B, 5] the last place that was accepted.
    value: [B] the objective there, per delta.
    slope: [B, 5] its gradient.
    inverse: [B, 5, 5] of the curvature, as BFGS knows it.
    step: [B, 5] of full length.
    length: [B] of the next step.
  """

  u: np.ndarray
  value: np.ndarray
  slope: np.ndarray
  inverse: np.ndarray
  step: np.ndarray
  length: np.ndarray

  @classmethod
  def at_zero(cls, B: int) -> '_Lanes':
    inverse = np.tile(np.eye(N_PARAMS), (B, 1, 1))
    u, slope, step = np.zeros((3, B, N_PARAMS))
    return cls(u, np.full(B, np.inf), slope, inverse, step, np.zeros(B))

  def move(self, i: np.ndarray, value: np.ndarray, slope: np.ndarray):
    """Takes the steps of problems i where Armijo's rule accepts them.

    Args:
      i: indices [b] of the problems.
      value: [b] the objective after the step.
      slope: [b, 5] its gradient there.

    Returns:
      Which of them [b] have come to rest.
    """
    moved = self.length[i, None] * self.step[i]
    predicted = np.sum(self.slope[i] * moved, -1)
    change = value - self.value[i]
    first = np.isinf(self.value[i])
    accept = first | ((change <= ARMIJO * predicted) & (predicted <= 0))
    u = self.u[i] + moved
    near = np.abs(moved) < TOLERANCE * (1 + np.abs(u))
    near_value = np.abs(change) < TOLERANCE * (1 + np.abs(value))
    rest = accept & near.all(-1) & near_value & ~first
    self.length[i] = np.where(accept, 1.0, 0.5 * self.length[i])
    i, moved, u, value, slope = (x[accept] for x in (i, moved, u, value, slope))
    self._bend(i, moved, slope - self.slope[i])
    self.u[i], self.value[i], self.slope[i] = u, value, slope
    self.step[i] = -np.einsum('bpq,bq->bp', self.inverse[i], slope)
    return rest

  def _bend(self, i: np.ndarray, moved: np.ndarray, turned: np.ndarray) -> None:
    """BFGS's update of the inverse curvature (Nocedal and Wright, eq. 6.17)."""
    inner = np.sum(turned * moved, -1)
    some = inner > np.finfo(float).eps
    i, moved, turned, inner = i[some], moved[some], turned[some], inner[some]
    bent = np.einsum('bpq,bq->bp', self.inverse[i], turned)
    both = moved[:, :, None] * bent[:, None]
    both = (both + np.swapaxes(both, 1, 2)) / inner[:, None, None]
    share = (inner + np.sum(turned * bent, -1)) / inner**2
    square = moved[:, :, None] * moved[:, None]
    self.inverse[i] += share[:, None, None] * square - both


def _bfgs(data, start, log_L, weights) -> multistart.Refits:
  """The minima of B problems, each from its start."""
  problems = Problems(data, log_L, weights)
  lanes = _Lanes.at_zero(len(start))
  every = np.arange(len(start))
  with np.errstate(all='ignore'):  # what is not finite is no minimum
    metric = _metric(problems.curvature(every, start))
    active = every
    for _ in range(multistart.MAX_STEPS):
      u = lanes.u[active] + lanes.length[active, None] * lanes.step[active]
      params = start[active] + np.einsum('bpq,bq->bp', metric[active], u)
      value, gradient = problems.slopes(active, params)
      slope = np.einsum('bpq,bp->bq', metric[active], gradient)
      rest = lanes.move(active, value / DELTA, slope / DELTA)
      active = active[~rest & (lanes.length[active] > STUCK)]
      if not len(active):
        break
    params = start + np.einsum('bpq,bq->bp', metric, lanes.u)
    value, gradient = problems.slopes(every, params)
    metric = _metric(problems.curvature(every, params))
    slope = np.einsum('bpq,bp->bq', metric, gradient) / DELTA
    converged = np.abs(slope).max(-1) <= multistart.GRADIENT_TOLERANCE
  return multistart.Refits(params, converged & np.isfinite(value))


def _metric(curvature: np.ndarray) -> np.ndarray:
  """[B, 5, 5] M such that M' curvature M is one: see `multistart`."""
  P = curvature.shape[1]
  factor = np.zeros_like(curvature)
  for j in range(P):
    below = curvature[:, j:, j] - np.einsum(
      'bik,bk->bi', factor[:, j:, :j], factor[:, j, :j]
    )
    # A direction that the data leave open gets a long step, not an endless one.
    pivot = np.maximum(below[:, 0], 1e-12 * curvature[:, j, j])
    factor[:, j, j] = np.sqrt(pivot)
    factor[:, j + 1 :, j] = below[:, 1:] / factor[:, j, j][:, None]
  known = np.isfinite(factor).all((1, 2)) & (
    np.einsum('bpp->bp', factor) > 0
  ).all(1)
  factor = np.where(known[:, None, None], factor, np.eye(P))
  inverse = np.zeros_like(factor)
  for j in range(P):
    row = np.eye(P)[j] - np.einsum(
      'bk,bkq->bq', factor[:, j, :j], inverse[:, :j]
    )
    inverse[:, j] = row / factor[:, j, j][:, None]
  out = np.swapaxes(inverse, 1, 2)
  return np.where(known[:, None, None], out, np.nan)
