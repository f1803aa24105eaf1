"""Approach 3's objective and its derivatives by hand, of many studies at once."""

from collections.abc import Callable

import numpy as np

from scaling_jax.analysis.fitting.chinchilla_data import DELTA
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData

POINTS = 32_768  # evaluated at once: their arrays stay in the cache


class Problems:
  """B redrawn studies of the same runs: their objectives and derivatives.

  With the shares m, t, f of the two terms and the floor in a loss, d log L̂ is
  (m, t, f, -m n, -t d) for log A', log B', log E, alpha, beta; sums over runs
  of products of shares with powers of n and d give every derivative. Where
  residuals are of L and not of log L, L̂ multiplies each.
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
    self._L = np.exp(log_L) if data.of_loss else None
    self._scale = data.scale
    self._rows = max(POINTS // len(n), 16)
    # Memory that is reused: to fetch it anew takes longer than to compute.
    self._memory = np.empty((7, self._rows, len(n)))

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
    """m, t, the scaled residual and its slope by log L̂, each [b, n]."""
    m, t, r, by_log = self._memory[:4, : len(which)]
    np.exp(np.matmul(params[:, [0, 3]], self._model, out=m), out=m)
    np.exp(np.matmul(params[:, [1, 4]], self._text, out=t), out=t)
    np.add(m, t, out=r)
    r += np.exp(params[:, 2:3])
    m /= r
    t /= r
    if self._L is None:
      by_log[:] = self._scale
      np.log(r, out=r)
      r -= self._log_L[which]
    else:
      np.multiply(r, self._scale, out=by_log)
      r -= self._L[which]
    r *= self._scale
    return m, t, r, by_log

  def _slopes(self, which: np.ndarray, params: np.ndarray):
    m, t, r, by_log = self._shares(which, params)
    pull, half = self._memory[4:6, : len(which)]
    np.clip(r, -DELTA, DELTA, out=pull)
    np.multiply(pull, -0.5, out=half)
    r += half
    pull *= self._weights[which]
    value = np.einsum('bn,bn->b', pull, r)
    pull *= by_log
    m *= pull
    t *= pull
    by_n, by_d = m @ self._powers_n[:, :2], t @ self._powers_d[:, :2]
    rest = pull.sum(-1) - by_n[:, 0] - by_d[:, 0]
    columns = [by_n[:, 0], by_d[:, 0], rest, -by_n[:, 1], -by_d[:, 1]]
    return value, np.stack(columns, 1)

  def _curvature(self, which: np.ndarray, params: np.ndarray):
    """The sum over runs of v times d log L̂ times its transpose."""
    m, t, v, by_log = self._shares(which, params)
    vm, vt, product = self._memory[4:, : len(which)]
    np.maximum(np.abs(v, out=v), DELTA, out=v)
    np.divide(self._weights[which], v, out=v)
    v *= np.square(by_log, out=by_log)
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
