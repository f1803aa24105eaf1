"""Curves through the losses of one budget, and where they are lowest."""

from typing import NamedTuple

import numpy as np
from scipy import interpolate

from scaling_jax import laws

N_COEFFICIENTS = 3
_FINE = 401  # points of Akima's curve that are searched


class Parabola(NamedTuple):
  """L = c2 x² + c1 x + c0 in x = log N - center; or arrays of draws of it.

  >>> log_N, L = Parabola(center=14.0, c2=0.05, c1=0.0, c0=1.5).minimum()
  >>> float(log_N), float(L)
  (14.0, 1.5)
  """

  center: float
  c2: laws.Number
  c1: laws.Number
  c0: laws.Number

  def minimum(self) -> tuple[laws.Number, laws.Number]:
    """log N and L at the minimum; nan where it opens downward."""
    c2 = np.where(np.asarray(self.c2) > 0, self.c2, np.nan)
    x = -self.c1 / (2 * c2)
    return self.center + x, self.c0 - self.c1**2 / (4 * c2)

  def loss(self, log_N: laws.Number) -> laws.Number:
    x = log_N - self.center
    return self.c2 * x**2 + self.c1 * x + self.c0


def least_squares(N: np.ndarray, L: np.ndarray) -> Parabola:
  """Through L [n] at N [n], or through each of L [B, n]."""
  log_N = np.log(N)
  center = float(np.mean(log_N))
  solve = np.linalg.pinv(np.vander(log_N - center, N_COEFFICIENTS))
  c2, c1, c0 = np.moveaxis(L @ solve.T, -1, 0)
  return Parabola(center, c2, c1, c0)


def akima_minimum(N: np.ndarray, L: np.ndarray) -> np.ndarray:
  """[B] log N where Akima's curve through L [B, n] is lowest.

  On a grid of 401 points of log N; nan where that is at an end. Losses of one N
  are averaged. Akima's curve (1970, J. ACM 17, 589) follows its points closely
  and assumes no shape.
  """
  kinds, where = np.unique(N, return_inverse=True)
  share = np.equal.outer(np.arange(len(kinds)), where).astype(float)
  mean = L @ (share / share.sum(1, keepdims=True)).T
  log_N = np.log(kinds)
  fine = np.linspace(log_N[0], log_N[-1], _FINE)
  lowest = _lowest(interpolate.Akima1DInterpolator(log_N, mean.T), fine)
  inside = (lowest > 0) & (lowest < len(fine) - 1)
  return np.where(inside, fine[lowest], np.nan)


def _lowest(curve: interpolate.PPoly, fine: np.ndarray) -> np.ndarray:
  """[B] the index into an even grid [F] of the least value of B curves.

  As np.argmin(curve(fine), axis=0), without the values of most of the grid: on
  a piece a cubic is lowest at an end or beside its one local minimum.
  """
  knots = curve.x
  c3, c2, c1, c0 = curve.c[:, :, None]  # [K - 1, 1, B] each
  # A grid point at a knot belongs to the piece on its right.
  starts = np.searchsorted(fine, knots)
  first = starts[:-1, None, None]
  last = np.append(starts[1:-1], len(fine))[:, None, None] - 1
  with np.errstate(divide='ignore', invalid='ignore'):
    root = np.sqrt(c2**2 - 3 * c3 * c1)
    # Of two equal quotients the one that loses no digits where c3 is small.
    turn = np.where(c2 < 0, (root - c2) / (3 * c3), -c1 / (c2 + root))
  step = (fine[-1] - fine[0]) / (len(fine) - 1)
  turn = (turn + (knots[:-1] - fine[0])[:, None, None]) / step
  below = np.where(np.isfinite(turn), turn, first)
  below = np.clip(below, first, last).astype(int)
  at = np.concatenate(
    [below * 0 + first, below, below + 1, below * 0 + last], 1
  )
  s = fine[np.minimum(at, len(fine) - 1)] - knots[:-1, None, None]
  value = c0 + c1 * s + c2 * s**2 + c3 * s**3
  # A piece between two grid points holds none of them.
  value = np.where((first <= at) & (at <= last), value, np.inf)
  best = value.reshape(-1, value.shape[-1]).argmin(axis=0)
  return at.reshape(-1, at.shape[-1])[best, np.arange(at.shape[-1])]
