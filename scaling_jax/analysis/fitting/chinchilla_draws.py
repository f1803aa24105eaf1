"""Approach 3 redrawn: what the law would have been on other losses.

Thousands of refits begin at the fit itself and end near it. Here they run side
by side in NumPy, by the BFGS of `multistart` (optimistix's) with derivatives by
hand: one that has ended takes no more time, and nothing is compiled.
"""

from collections.abc import Callable
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
from scaling_jax.analysis.fitting.chinchilla_data import residuals
from scaling_jax.analysis.fitting.chinchilla_data import residuals_of
from scaling_jax.analysis.fitting.result import ResidualSD

POINTS = 32_768  # evaluated at once: their arrays stay in the cache
TOLERANCE = 1e-9  # relative and absolute, of conditioned parameters and loss
ARMIJO = 0.1  # the share of the reduction that a slope predicts
STUCK = 1e-6  # of a full step: one as short is not tried


def draw(
  data: LogData,
  params: np.ndarray,
  residual_sd: ResidualSD,
  bootstrap: Bootstrap,
  method: str,
  solver: str = 'auto',
) -> np.ndarray:
  """[draws, 5] refits to redrawn studies.

  Args:
    data: the runs.
    params: [5] of their fit.
    residual_sd: of log L about it.
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
  fitted = data.log_L + residuals_of(params, data)
  log_L = fitted + bootstrap_lib.noise_draws(rng, draws, n, residual_sd)
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
  found = _falling(data, _by_bfgs(data, start, log_L, weights))
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
    residuals,
    start,
    many,
    multistart.pad(weights),
    delta=DELTA,
    solver=solver,
    batched_data=True,
  )


def _by_bfgs(data, start, log_L, weights) -> multistart.Refits:
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
  out = np.swapaxes(np.linalg.inv(factor), 1, 2)
  return np.where(known[:, None, None], out, np.nan)


class Problems:
  """B redrawn studies of the same runs: their objectives and derivatives.

  With the shares m, t, f of the two terms and the floor in a loss, d log L̂ is
  (m, t, f, -m n, -t d) for log A', log B', log E, alpha, beta; sums over runs
  of products of shares with powers of n and d give every derivative.
  """

  def __init__(
    self, data: LogData, log_L: np.ndarray, weights: np.ndarray
  ) -> None:
    """Takes log_L and weights [B, n]."""
    n, d = data.log_N, data.log_D
    one = np.ones_like(n)
    self._model, self._text = np.stack([one, -n]), np.stack([one, -d])
    self._powers_n = np.stack([one, n, n * n], 1)
    self._powers_d = np.stack([one, d, d * d], 1)
    self._powers_nd = np.stack([one, n, d, n * d], 1)
    self._log_L, self._weights = log_L, weights
    self._rows = max(POINTS // len(n), 16)
    # Memory that is reused: to fetch it anew takes longer than to compute.
    self._memory = np.empty((6, self._rows, len(n)))

  def slopes(
    self, which: np.ndarray, params: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Objective [b] and gradient [b, 5] of problems `which` [b] at params."""
    value, gradient = self._in_chunks(self._slopes, which, params)
    return value, gradient

  def curvature(self, which: np.ndarray, params: np.ndarray) -> np.ndarray:
    """[b, 5, 5] of the square that meets the Huber loss at params, per delta."""
    (out,) = self._in_chunks(self._curvature, which, params)
    return out

  def _in_chunks(
    self, of: Callable, which: np.ndarray, params: np.ndarray
  ) -> list[np.ndarray]:
    rows = self._rows
    parts = [
      of(which[i : i + rows], params[i : i + rows])
      for i in range(0, max(len(which), 1), rows)
    ]
    return [np.concatenate(x) for x in zip(*parts)]

  def _shares(self, which: np.ndarray, params: np.ndarray):
    """m, t and the residual, each [b, n]."""
    m, t, r = self._memory[:3, : len(which)]
    np.exp(np.matmul(params[:, [0, 3]], self._model, out=m), out=m)
    np.exp(np.matmul(params[:, [1, 4]], self._text, out=t), out=t)
    np.add(m, t, out=r)
    r += np.exp(params[:, 2:3])
    m /= r
    t /= r
    np.log(r, out=r)
    r -= self._log_L[which]
    return m, t, r

  def _slopes(self, which: np.ndarray, params: np.ndarray):
    m, t, r = self._shares(which, params)
    pull, half = self._memory[3:5, : len(which)]
    np.clip(r, -DELTA, DELTA, out=pull)
    np.multiply(pull, -0.5, out=half)
    r += half
    pull *= self._weights[which]
    value = np.einsum('bn,bn->b', pull, r)
    m *= pull
    t *= pull
    by_n, by_d = m @ self._powers_n[:, :2], t @ self._powers_d[:, :2]
    rest = pull.sum(-1) - by_n[:, 0] - by_d[:, 0]
    columns = [by_n[:, 0], by_d[:, 0], rest, -by_n[:, 1], -by_d[:, 1]]
    return value, np.stack(columns, 1)

  def _curvature(self, which: np.ndarray, params: np.ndarray):
    """The sum over runs of v times d log L̂ times its transpose."""
    m, t, v = self._shares(which, params)
    vm, vt, product = self._memory[3:, : len(which)]
    np.maximum(np.abs(v, out=v), DELTA, out=v)
    np.divide(self._weights[which], v, out=v)
    np.multiply(v, m, out=vm)
    np.multiply(v, t, out=vt)
    m_n, t_d = vm @ self._powers_n[:, :2], vt @ self._powers_d[:, :2]
    mt = np.multiply(vm, t, out=product) @ self._powers_nd
    vm *= m
    vt *= t
    mm, tt = vm @ self._powers_n, vt @ self._powers_d
    # f = 1 - m - t
    fm = m_n - mm[:, :2] - mt[:, [0, 1]]
    ft = t_d - tt[:, :2] - mt[:, [0, 2]]
    ff = v.sum(-1) - m_n[:, 0] - t_d[:, 0] - fm[:, 0] - ft[:, 0]
    upper = {
      (0, 0): mm[:, 0], (0, 3): -mm[:, 1], (3, 3): mm[:, 2],
      (1, 1): tt[:, 0], (1, 4): -tt[:, 1], (4, 4): tt[:, 2],
      (0, 1): mt[:, 0], (1, 3): -mt[:, 1], (0, 4): -mt[:, 2], (3, 4): mt[:, 3],
      (0, 2): fm[:, 0], (2, 3): -fm[:, 1], (1, 2): ft[:, 0], (2, 4): -ft[:, 1],
      (2, 2): ff,
    }  # fmt: skip
    out = np.empty((len(v), N_PARAMS, N_PARAMS))
    for (i, j), entry in upper.items():
      out[:, i, j] = out[:, j, i] = entry
    return (out,)
