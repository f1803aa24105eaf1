"""Approach 3's problem: runs as logarithms, residuals, starts, what refuses it.

Parameters are fitted as logarithms, with log N and log D measured from their
means, so that A and B do not move with the exponents.
"""

import dataclasses
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from scaling_jax import laws
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import chinchilla as messages

N_PARAMS = 5
DELTA = 1e-3
MIN_FREEDOM = 3  # with fewer the intervals were measured to be too narrow
ALONG_A_LINE = 0.05  # of the scatter of log D, that is not log N's
STARTS = ('both', 'projection', 'grid')

Refusal = tuple[Status, str]
# log of a sum of exponentials along an axis: NumPy's types lack it.
log_sum: Any = np.logaddexp.reduce


@dataclasses.dataclass(frozen=True, eq=False)
class LogData:
  """Runs [n] as the fit takes them, and the way back to a law.

  Attributes:
    log_N, log_D: [n], from the center.
    log_L: [n].
    mean_log_N, mean_log_D: the center.
    scale: [n] by which residuals are multiplied, so that DELTA is where their
      Huber loss turns.
    of_loss: whether residuals are of L and not of log L.
  """

  log_N: np.ndarray
  log_D: np.ndarray
  log_L: np.ndarray
  mean_log_N: float
  mean_log_D: float
  scale: np.ndarray
  of_loss: bool = False

  @classmethod
  def of(cls, N, D, L, center: tuple[float, float] | None = None) -> 'LogData':
    """Runs [n] about a center of log N and log D; about their means if None."""
    log_N, log_D = np.log(np.asarray(N, float)), np.log(np.asarray(D, float))
    n, d = center or (float(log_N.mean()), float(log_D.mean()))
    log_L = np.log(np.asarray(L, float))
    return cls(log_N - n, log_D - d, log_L, n, d, np.ones_like(log_L))

  def scaled(self, scale: npt.ArrayLike) -> 'LogData':
    """The same runs with other scales, [n] or one for all."""
    return dataclasses.replace(
      self, scale=np.broadcast_to(scale, self.log_L.shape)
    )

  def take(self, rows: np.ndarray) -> 'LogData':
    """Some of the runs, by index or mask; the center stays."""
    return dataclasses.replace(
      self,
      log_N=self.log_N[rows],
      log_D=self.log_D[rows],
      log_L=self.log_L[rows],
      scale=self.scale[rows],
    )

  @property
  def residuals(self) -> multistart.Residuals:
    """What `multistart` minimizes: a function at the top of this module."""
    return residuals_of_L if self.of_loss else residuals

  @property
  def padded(self) -> dict[str, np.ndarray]:
    """What `residuals` takes, padded: few shapes are compiled, not each n."""
    return {
      'log_N': multistart.pad(self.log_N),
      'log_D': multistart.pad(self.log_D),
      'log_L': multistart.pad(self.log_L),
      'scale': multistart.pad(self.scale),
    }

  def law(self, params: np.ndarray) -> laws.Chinchilla:
    """The law behind params [5], or a law of arrays behind params [B, 5]."""
    return law_of(params, (self.mean_log_N, self.mean_log_D))

  def params(self, law: laws.Chinchilla) -> np.ndarray:
    """[5], or [B, 5] of a law of arrays: the inverse of `law`."""
    return np.stack(
      [
        np.log(law.A) - law.alpha * self.mean_log_N,
        np.log(law.B) - law.beta * self.mean_log_D,
        np.log(law.E),
        law.alpha,
        law.beta,
      ],
      axis=-1,
    )


def law_of(params: np.ndarray, center: tuple[float, float]) -> laws.Chinchilla:
  """The law behind log A', log B', log E, alpha, beta [..., 5].

  Args:
    params: A' and B' are the two terms at the center.
    center: mean log N and mean log D.
  """
  a, b, e, alpha, beta = np.moveaxis(np.asarray(params, float), -1, 0)
  with np.errstate(over='ignore', invalid='ignore'):
    return laws.Chinchilla(
      E=np.exp(e)[()],
      A=np.exp(a + alpha * center[0])[()],
      B=np.exp(b + beta * center[1])[()],
      alpha=alpha[()],
      beta=beta[()],
    )


def log_loss(params, data, xp=jnp):
  """log L̂ [n]; params are log A', log B', log E, alpha, beta.

  Args:
    params: [5], or [5, ..., 1] for many laws at once.
    data: log_N and log_D, each [n].
    xp: jax.numpy, or numpy where nothing is to be differentiated.
  """
  a, b, e, alpha, beta = params
  model = xp.exp(a - alpha * data['log_N'])
  text = xp.exp(b - beta * data['log_D'])
  return xp.log(xp.exp(e) + model + text)


def residuals(params, data):
  """scale · (log L̂ - log L) [n]."""
  return data['scale'] * (log_loss(params, data) - data['log_L'])


def residuals_of_L(params, data):
  """scale · (L̂ - L) [n]."""
  return data['scale'] * (
    jnp.exp(log_loss(params, data)) - jnp.exp(data['log_L'])
  )


def residuals_of(params: np.ndarray, data: LogData) -> np.ndarray:
  """[..., n] of params [..., 5], unscaled: of log L, or of L."""
  columns = np.moveaxis(params, -1, 0)[..., None]
  fitted = log_loss(columns, {'log_N': data.log_N, 'log_D': data.log_D}, np)
  if data.of_loss:
    return np.exp(fitted) - np.exp(data.log_L)
  return fitted - data.log_L


def jacobian(params: np.ndarray, data: LogData) -> np.ndarray:
  """[n, 5] of the unscaled residuals."""
  a, b, e, alpha, beta = params
  terms = np.stack([
    a - alpha * data.log_N, b - beta * data.log_D, e + 0 * data.log_N
  ])  # fmt: skip
  log_L = log_sum(terms, 0)
  m, t, f = np.exp(terms - log_L)
  out = np.stack([m, t, f, -m * data.log_N, -t * data.log_D], -1)
  return out * np.exp(log_L)[:, None] if data.of_loss else out


def starts_of(data: LogData, starts: str) -> np.ndarray:
  """[S, 5] where a search begins: see `chinchilla.fit`."""
  if starts == 'projection':
    return projection_starts(data)
  if starts == 'grid':
    return grid_starts(data)
  if starts != 'both':
    raise ValueError(f'starts={starts!r} must be one of {", ".join(STARTS)}')
  return np.concatenate([projection_starts(data), grid_starts(data, 24)])


def projection_starts(data: LogData, count: int = 24) -> np.ndarray:
  """[count, 5] by variable projection (Golub and Pereyra 1973).

  Given alpha and beta the law is linear in E, A and B: a grid over the two and
  a least-squares solution for the three; those best by the Huber loss.
  """
  grid = np.geomspace(0.05, 1.5, 24)
  alpha, beta = (x.ravel() for x in np.meshgrid(grid, grid))
  columns = (
    np.stack(
      [
        np.exp(-alpha[:, None] * data.log_N),
        np.exp(-beta[:, None] * data.log_D),
        np.ones((len(alpha), len(data.log_L))),
      ],
      axis=-1,
    )
    / np.exp(data.log_L)[:, None]
  )  # relative errors, as in log L
  linear = np.linalg.pinv(columns).sum(-1)
  # A share below zero has no logarithm: such starts begin near nothing.
  linear = np.maximum(linear, 1e-3 * np.abs(linear).max(1, keepdims=True))
  starts = np.column_stack([np.log(linear), alpha, beta])
  return _best(starts, data, count)


def grid_starts(data: LogData, count: int | None = None) -> np.ndarray:
  """Hoffmann's grid of 4500, or the `count` best of it by the Huber loss."""
  exponents = np.arange(0, 2.5, 0.5)
  logs = np.arange(0, 30, 5.0)
  grid = np.array(
    list(
      itertools.product(
        logs, logs, np.arange(-1, 1.5, 0.5), exponents, exponents
      )
    )
  )
  grid[:, 0] -= grid[:, 3] * data.mean_log_N
  grid[:, 1] -= grid[:, 4] * data.mean_log_D
  return grid if count is None else _best(grid, data, count)


def _best(starts: np.ndarray, data: LogData, count: int) -> np.ndarray:
  scaled = data.scale * residuals_of(starts, data)
  loss = multistart.huber(scaled, DELTA, np).sum(-1)
  return starts[np.argsort(loss, kind='stable')[:count]]


def unanswered(data: LogData, n_budgets: int | None) -> Refusal | None:
  """Why these runs will get no interval, whatever their losses, or None."""
  return refusal(data, n_budgets) or too_few(len(data.log_L))


def too_few(n: int) -> Refusal | None:
  """Why n runs get no interval, or None."""
  need = N_PARAMS + MIN_FREEDOM
  if n >= need:
    return None
  return Status.NO_DEGREES_OF_FREEDOM, messages.no_freedom(n, need)


def refusal(data: LogData | None, n_budgets: int | None) -> Refusal | None:
  """Why these runs cannot carry five parameters, or None."""
  n = len(data.log_L) if data is not None else 0
  if n < N_PARAMS or data is None:
    return Status.TOO_FEW_POINTS, messages.too_few_runs(n, N_PARAMS)
  for name, values in (('N', data.log_N), ('D', data.log_D)):
    kinds = len(np.unique(np.round(values, 6)))
    if kinds < 3:
      return Status.NOT_IDENTIFIED, messages.too_few_values(name, kinds)
  if n_budgets == 1:
    return Status.NOT_IDENTIFIED, messages.one_budget()
  # The law reads the same with its two terms exchanged where D is a power of
  # N: both answers fit alike, and only one is reported.
  line = np.polyfit(data.log_N, data.log_D, 1)
  off = np.std(data.log_D - np.polyval(line, data.log_N))
  if off < ALONG_A_LINE * np.std(data.log_D):
    return Status.NOT_IDENTIFIED, messages.along_a_line(float(line[0]))
  return None
