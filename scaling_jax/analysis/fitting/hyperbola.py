"""The hyperbola of steps and tokens that batch sizes need to reach one loss.

(S/S_min - 1)(E/E_min - 1) = 1 (McCandlish et al. 2018, arXiv 1812.06162, eq.
2.11) is S = S_min + E_min/B: that is fitted to log S, with S_min and E_min
below all that was measured.
"""

from collections.abc import Sequence
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.steps_to_loss import MIN_BATCHES
from scaling_jax.analysis.fitting.steps_to_loss import RESOLUTION
from scaling_jax.analysis.fitting.steps_to_loss import Measured
from scaling_jax.analysis.fitting.training_curve_law import student
from scaling_jax.analysis.messages import kaplan as messages

PAD = 8
WIDE = 100.0  # an interval whose ends are further apart tells nothing
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
_BOUND = 6.0  # from here on the share of a bound is all of it
_FAR = 300.0  # a logarithm that no count comes near
_DELTA = 1e3  # thousandths of log S: least squares for all that is measured
_STARTS = np.array([[u, v] for u in (-3, -1, 0, 2) for v in (-3, -1, 0, 2)])


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class BatchTarget:
  """What each batch needed to reach one loss, and the hyperbola through it.

  Attributes:
    L: nats per token.
    status, message: whether the hyperbola is identified.
    B, S, learning_rate: [n] tokens a step, steps, and the learning rate that
      was first.
    S_min, E_min: steps and tokens; nan where there is no hyperbola.
    log_S_draws, log_E_draws: [draws] what their logarithms might have been;
      empty likewise.
  """

  L: float
  status: Status
  message: str = ''
  B: np.ndarray
  S: np.ndarray
  learning_rate: np.ndarray
  S_min: float = np.nan
  E_min: float = np.nan
  log_S_draws: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty(0)
  )
  log_E_draws: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty(0)
  )

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  def estimates(self) -> dict[str, Estimate]:
    """S_min, E_min and B_crit; unknown unless the hyperbola is identified."""
    if not self.ok:
      return {name: Estimate(log=True) for name in ('S_min', 'E_min', 'B_crit')}
    S, E = np.log(self.S_min), np.log(self.E_min)
    of_S, of_E = self.log_S_draws, self.log_E_draws
    return {
      'S_min': Estimate(float(S), of_S, log=True),
      'E_min': Estimate(float(E), of_E, log=True),
      'B_crit': Estimate(float(E - S), of_E - of_S, log=True),
    }

  def B_crit(self, level: float = LEVEL) -> Interval:
    """E_min/S_min, tokens."""
    return self.estimates()['B_crit'].at(level)


@dataclasses.dataclass(frozen=True, eq=False)
class Hyperbola:
  """A target, and what it is judged by.

  Attributes:
    target: what each batch needed, and the hyperbola.
    log_B_at_level: [draws] log B_crit, whose spread at LEVEL is Student's: few
      draws of few degrees of freedom would tell that poorly.
  """

  target: BatchTarget
  log_B_at_level: np.ndarray = dataclasses.field(
    default_factory=lambda: np.empty(0)
  )


def _padded(at: Measured) -> Measured:
  """With batches that reached nothing, so that few shapes are compiled."""
  extra = (0, -len(at.B) % PAD)
  return Measured(
    at.L,
    np.pad(at.B, extra, constant_values=1.0),
    np.pad(at.S, extra, constant_values=np.nan),
    np.pad(at.learning_rate, extra, constant_values=np.nan),
  )


def residuals(params, data):
  """Thousandths of log S [n]; params make S_min and E_min shares of a bound."""
  S_min = data['S_bound'] + jax.nn.log_sigmoid(params[0])
  E_min = data['E_bound'] + jax.nn.log_sigmoid(params[1])
  return 1e3 * (jnp.logaddexp(S_min, E_min - data['log_B']) - data['log_S'])


def _data(log_B: np.ndarray, log_S: np.ndarray) -> dict[str, np.ndarray]:
  """What `residuals` takes: log_B [n], log_S [..., n]; nan counts not."""
  known = np.isfinite(log_S)
  log_E = log_S + log_B
  return {
    'log_B': np.broadcast_to(log_B, log_S.shape),
    'log_S': np.where(known, log_S, 0.0),
    'S_bound': np.min(np.where(known, log_S, np.inf), axis=-1),
    'E_bound': np.min(np.where(known, log_E, np.inf), axis=-1),
  }


def _minima(params: np.ndarray, data) -> tuple[np.ndarray, np.ndarray]:
  """log S_min and log E_min of params [..., 2]."""
  return (
    data['S_bound'] - np.logaddexp(0.0, -params[..., 0]),
    data['E_bound'] - np.logaddexp(0.0, -params[..., 1]),
  )


def _data_of(at: Measured) -> dict[str, np.ndarray]:
  return _data(np.log(at.B), np.log(at.S))


def _weights(at: Measured) -> np.ndarray:
  return at.known.astype(float)


def _fit(at: Measured) -> multistart.Minimum | None:
  if at.known.sum() < MIN_BATCHES:
    return None
  return multistart.minimize(
    residuals, _STARTS, _data_of(at), _weights(at), delta=_DELTA
  )


def _fitted(at: Measured, found: multistart.Minimum) -> np.ndarray:
  """[n] log S on the hyperbola."""
  S_min, E_min = _minima(found.params, _data_of(at))
  return np.logaddexp(S_min, E_min - np.log(at.B))


def fit(
  measured: Sequence[Measured], *, draws: int, seed: int
) -> list[Hyperbola]:
  """A hyperbola for each loss; a redrawn study is the same one in all.

  Args:
    measured: at each loss, of the same batch sizes.
    draws: redrawn studies.
    seed: of the draws.
  """
  measured = [_padded(at) for at in measured]
  fits = [_fit(at) for at in measured]
  residuals_BL = np.full((len(measured[0].B), len(measured)), np.nan)
  for k, (at, found) in enumerate(zip(measured, fits)):
    if found is not None:
      n = at.known.sum()
      residuals = np.log(at.S) - _fitted(at, found)
      residuals_BL[:, k] = residuals * np.sqrt(n / (n - 2))
  moves = _moves(residuals_BL, draws, seed)
  # The losses share their noise, which so few batches tell as Student's t does.
  dof = max(max(at.known.sum() for at in measured) - 2, 1)
  scales = bootstrap.student_scales(bootstrap.scales_rng(seed), draws, dof)
  at_level = student(LEVEL, dof) / student(LEVEL, np.inf)
  return [
    _judged(at, found, moves[:, :, k], (scales, at_level))
    for k, (at, found) in enumerate(zip(measured, fits))
  ]


def _judged(
  at: Measured,
  found: multistart.Minimum | None,
  moves: np.ndarray,
  scales: tuple[np.ndarray, float],
) -> Hyperbola:
  """One loss; the scales are Student's, of each draw and at LEVEL."""
  reached = int(at.known.sum())
  target = BatchTarget(
    L=at.L,
    status=Status.OK,
    message=messages.reached_by(reached),
    B=at.B[at.known],
    S=at.S[at.known],
    learning_rate=at.learning_rate[at.known],
  )
  if found is None:
    message = messages.reached_by_few(reached, MIN_BATCHES)
    status = Status.TOO_FEW_POINTS
    return Hyperbola(
      dataclasses.replace(target, status=status, message=message)
    )
  if found.status == Status.NOT_CONVERGED:
    return Hyperbola(
      dataclasses.replace(target, status=found.status, message=found.message)
    )
  log_min = _minima(found.params, _data_of(at))
  drawn = _drawn(at, found, moves)
  (log_S, log_E), (S_at_level, E_at_level) = (
    [
      np.clip(x + scale * (drawn_x - x), -_FAR, _FAR)
      for x, drawn_x in zip(log_min, drawn)
    ]
    for scale in scales
  )
  S_min, E_min = (float(np.exp(x)) for x in log_min)
  message = _open(target, found, S_at_level, E_at_level)
  target = dataclasses.replace(
    target,
    status=Status.NOT_IDENTIFIED if message else Status.OK,
    message=message or target.message,
    S_min=S_min,
    E_min=E_min,
    log_S_draws=log_S,
    log_E_draws=log_E,
  )
  return Hyperbola(target, E_at_level - S_at_level)


def _drawn(
  at: Measured, found: multistart.Minimum, moves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """log S_min and log E_min [draws] of studies whose steps moved so."""
  if not len(moves):
    return np.empty(0), np.empty(0)
  drawn = np.where(at.known, _fitted(at, found) + moves, np.nan)
  redrawn = _data(np.log(at.B), drawn)
  refits = multistart.refit(
    residuals,
    np.clip(found.params, -_BOUND, _BOUND),
    redrawn,
    np.tile(_weights(at), (len(drawn), 1)),
    delta=_DELTA,
    batched_data=True,
  )
  return _minima(refits.params, redrawn)


def _open(
  target: BatchTarget,
  found: multistart.Minimum,
  log_S: np.ndarray,
  log_E: np.ndarray,
) -> str:
  """Why one of the two is not identified, or ''."""
  span = float(target.B.min()), float(target.B.max())
  for name, param, drawn, which in (
    ('S_min', found.params[0], log_S, 'larger'),
    ('E_min', found.params[1], log_E, 'smaller'),
  ):
    if param > _BOUND:
      return messages.minimum_hidden(name, span)
    if len(drawn):
      low, high = np.quantile(np.exp(drawn), TAILS)
      if not high < WIDE * low:
        return messages.minimum_open(name, which, span)
  return '' if found.status == Status.OK else found.message


def _moves(residuals_BL: np.ndarray, draws: int, seed: int) -> np.ndarray:
  """[draws, B, L] by which log S of a redrawn study differs from the fit's.

  A loss whose hyperbola happens to be met well has the noise of all of them:
  it is those that are identified, and taken for themselves their intervals
  were too narrow.
  """
  rng = np.random.default_rng(seed)
  known = np.isfinite(residuals_BL)
  squares = np.where(known, residuals_BL, 0.0) ** 2
  own = np.sqrt(squares.sum(0) / np.maximum(known.sum(0), 1))
  every = np.sqrt(squares.sum() / np.maximum(known.sum(), 1))
  widened = residuals_BL * np.maximum(1.0, every / np.maximum(own, 1e-9))
  moves = bootstrap.curve_draws(rng, draws, widened)
  return moves + RESOLUTION * rng.normal(size=moves.shape)
