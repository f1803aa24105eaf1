"""What compute buys: the tokens of C FLOPs for a model of N parameters.

C = k(N) N D. Where C counts what 6 N D does, k is 6. Attention, head and
embeddings weigh more in small models, so that k(N) falls with N, and fades into
a constant where they no longer weigh. Numbers and NumPy arrays go in and come
out; arrays broadcast. Nothing here reads, writes or fits.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Number = float | npt.NDArray[np.float64]

# The largest rates: of a k that rises, and of one that falls. C falls nowhere
# with N, and embeddings rise no faster.
FASTEST = (2.0, 1.0)
_SAME = 0.01  # of log k: runs whose k differs by less have one
_EXACT = 1e-6  # of log k: what is left of a straight line by rounding alone
_DOUBLINGS = 12  # of a bracket's width in log N, to e^4096
_STEPS = 80  # halvings at worst; Newton's steps take six
_NEAR = 1e-13  # relative, of log N
_FAR = 700.0  # nats: beyond, exp overflows


class CostLine(NamedTuple):
  """log D = log C + slope · log N + intercept: what C FLOPs buy in tokens.

  -1 and -log 6 where C = 6 N D; -1 and another number where it is in one ratio
  to that, as of a mixture of experts.

  >>> CostLine.of_runs([1e6, 1e7], [1e9, 1e9], [6e15, 6e16]) == SIX_ND
  True
  """

  slope: float
  intercept: float

  @classmethod
  def of_runs(
    cls, N: npt.ArrayLike, D: npt.ArrayLike, C: npt.ArrayLike
  ) -> 'CostLine':
    """By what runs [n] spent, in least squares of logarithms.

    Where C is 6 N D but for rounding to whole steps, that is SIX_ND.
    """
    return cls.exact(N, D, C) or cls._through(*_logs(N, D, C))

  @classmethod
  def exact(
    cls, N: npt.ArrayLike, D: npt.ArrayLike, C: npt.ArrayLike
  ) -> 'CostLine | None':
    """The line that runs [n] lie on; None where they lie on none.

    C in one ratio to 6 N D may be off by 1%, which rounding to whole steps
    leaves, and any other line by a part in a million.
    """
    log_N, log_D, log_C = _logs(N, D, C)
    if np.all(np.abs(np.log(6) + log_N + log_D - log_C) < _SAME):
      return SIX_ND
    log_k = log_C - log_N - log_D
    level = float(np.mean(log_k))
    if np.ptp(log_N) < 1e-9 or np.all(np.abs(log_k - level) < _EXACT):
      return cls(-1.0, -level)
    line = cls._through(log_N, log_D, log_C)
    left = log_D - log_C - line.slope * log_N - line.intercept
    if np.all(np.abs(left) < _EXACT) and len(np.unique(log_N)) > 2:
      return line
    return cls(-1.0, -level) if np.all(abs(log_k - level) < _SAME) else None

  @classmethod
  def _through(
    cls, log_N: np.ndarray, log_D: np.ndarray, log_C: np.ndarray
  ) -> 'CostLine':
    slope, intercept = np.polyfit(log_N, log_D - log_C, 1)
    return cls(float(slope), float(intercept))

  def log_tokens(self, log_N: Number, log_C: Number) -> Number:
    """log D that C buys at log N."""
    return self.slope * log_N + log_C + self.intercept

  def tokens(self, N: Number, C: Number) -> Number:
    """The D that C buys for N parameters."""
    return np.exp(self.log_tokens(np.log(_floats(N)), np.log(_floats(C))))

  def flops(self, N: Number, D: Number) -> Number:
    """The C that N parameters and D tokens cost."""
    log_C = np.log(_floats(D)) - self.slope * np.log(_floats(N))
    return np.exp(log_C - self.intercept)

  def params(self, C: Number, D: Number) -> Number:
    """The N that C pays for on D tokens."""
    log_N = np.log(_floats(D)) - np.log(_floats(C)) - self.intercept
    return np.exp(log_N / self.slope)

  def slope_at(self, log_N: Number) -> Number:
    """d log D / d log N at one C: the same everywhere."""
    return self.slope + np.zeros_like(log_N)

  def columns(self, ndim: int) -> 'CostLine':
    """Itself: it has no arrays, whatever the axes."""
    return self


class CostCurve(NamedTuple):
  """C = k(N) N D, where k(N) fades into a constant with N.

  (k(N) / k(N_c))^s = 1 - f + f (N / N_c)^-rate, f = |fall| / rate, s being the
  sign of fall: 6 + b N^-rate of a dense model's attention and head, say, which
  are N^-1/3 and N^-2/3 of its layers; for s = -1 what N counts and C does not,
  such as embeddings. At rate = |fall| it is a straight line.

  Attributes:
    center: log N_c.
    level: log k(N_c).
    fall: -d log k / d log N at N_c. Negative where k rises.
    rate: the power of N that the rest fades with; from |fall| to FASTEST.

  >>> cost = CostCurve(np.log(1e8), np.log(9), fall=1 / 6, rate=1 / 2)
  >>> print(np.round(cost.flops(np.array([1e8, 1e12]), 1e9) / 1e9 / [1e8, 1e12], 2))
  [9.   6.03]
  """

  center: Number
  level: Number
  fall: Number
  rate: Number

  def log_k(self, log_N: Number) -> Number:
    """log C / (N D) at log N."""
    ahead = np.clip(self.rate * (log_N - self.center), -_FAR, _FAR)
    rest = np.log1p(self._share * np.expm1(-ahead))
    return self.level + np.sign(self.fall) * rest

  @property
  def _share(self) -> Number:
    """f: of what fades in the whole, at the center."""
    with np.errstate(divide='ignore', invalid='ignore'):
      share = np.abs(self.fall) / self.rate
    return np.clip(np.where(np.asarray(self.fall) == 0, 0.0, share), 0.0, 1.0)

  def growth(self, log_N: Number) -> tuple[Number, Number]:
    """t = d log C / d log N at one D, which is positive, and dt / d log N."""
    s, q, f = np.sign(self.fall), self.rate, self._share
    ahead = np.clip(q * (log_N - self.center), -_FAR, _FAR)
    fading = f / (f + (1 - f) * np.exp(ahead))
    return 1 - s * q * fading, s * q**2 * fading * (1 - fading)

  def log_tokens(self, log_N: Number, log_C: Number) -> Number:
    """log D that C buys at log N."""
    return log_C - log_N - self.log_k(log_N)

  def tokens(self, N: Number, C: Number) -> Number:
    """The D that C buys for N parameters."""
    return np.exp(self.log_tokens(np.log(_floats(N)), np.log(_floats(C))))

  def flops(self, N: Number, D: Number) -> Number:
    """The C that N parameters and D tokens cost."""
    log_N = np.log(_floats(N))
    return np.exp(np.log(_floats(D)) + log_N + self.log_k(log_N))

  def params(self, C: Number, D: Number) -> Number:
    """The N that C pays for on D tokens."""
    log_ND = np.log(_floats(C)) - np.log(_floats(D))

    def left(log_N):
      return log_ND - log_N - self.log_k(log_N), -self.growth(log_N)[0]

    return np.exp(falling_root(left, log_ND - self.level))

  def slope_at(self, log_N: Number) -> Number:
    """d log D / d log N at one C; -1 where C is in one ratio to N D."""
    return -self.growth(log_N)[0]

  def columns(self, ndim: int) -> 'CostCurve':
    """A cost of arrays [B] as one that broadcasts against ndim axes."""
    shape = (-1, *ndim * (1,))
    return CostCurve(self.center, *(np.reshape(x, shape) for x in self[1:]))


Cost = CostLine | CostCurve
SIX_ND = CostLine(-1.0, -float(np.log(6)))


def falling_root(of, start: Number) -> Number:
  """Where a falling function is zero, elementwise; nan where it nowhere is.

  Newton's steps within a bracket, and halves of it where they leave that.

  Args:
    of: x [...] -> its values and derivatives there, both [...].
    start: of the search.
  """
  with np.errstate(all='ignore'):
    y = np.asarray(of(np.asarray(start, float))[0], float)
    x = np.array(np.broadcast_to(start, y.shape), float)
    low, high, step = x.copy(), x.copy(), 1.0
    for _ in range(_DOUBLINGS):
      below, above = of(low)[0] < 0, of(high)[0] > 0
      if not (below.any() or above.any()):
        break
      low, high = (
        np.where(below, low - step, low),
        np.where(above, high + step, high),
      )
      step *= 2
    bracketed = (of(low)[0] >= 0) & (of(high)[0] <= 0)
    for _ in range(_STEPS):
      y, slope = of(x)
      low, high = np.where(y > 0, x, low), np.where(y > 0, high, x)
      next_x = x - y / slope
      inside = (next_x >= low) & (next_x <= high)
      next_x = np.where(inside, next_x, (low + high) / 2)
      moved = np.abs(next_x - x) > _NEAR * np.maximum(1, np.abs(x))
      x = next_x
      if not np.any(moved & bracketed):
        break
  return np.where(bracketed, x, np.nan)[()]


def _logs(
  N: npt.ArrayLike, D: npt.ArrayLike, C: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  log_N, log_D, log_C = np.log(np.array([N, D, C], float))
  return log_N, log_D, log_C


def _floats(x: Number) -> Number:
  # Integers of 2^63 and beyond are common here, and NumPy's would overflow.
  return np.asarray(x, np.float64)[()]
