"""A power law with a floor for one training curve, and how the run ended.

The losses of a run after warmup are fitted by

  L(s) = floor + coefficient · s^-exponent,    s the step, from 1,

in nats per token, and two questions are put to the curve beside it. Would its
first half have predicted its end? Was it still falling when it stopped?

The learning rate enters nowhere. Where a schedule decays, annealing steepens
the end: the prediction then lies above what came, and the slope at the end
includes the annealing.
"""

from collections.abc import Callable
import dataclasses
import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting import training_curve_forecast as forecasts
from scaling_jax.analysis.fitting import training_curve_law as curve_law
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import check_level
from scaling_jax.analysis.fitting.training_curve_forecast import MIN_STEPS
from scaling_jax.analysis.fitting.training_curve_forecast import Forecast
from scaling_jax.analysis.fitting.training_curve_forecast import HalfCurve
from scaling_jax.analysis.fitting.training_curve_law import EndSlope
from scaling_jax.analysis.fitting.training_curve_law import FlooredLaws
from scaling_jax.analysis.messages import isoflop as messages
from scaling_jax.errors import UserError

CUT_SHORT = 0.005  # of the loss, a doubling: what falls faster was cut short
_LAW = ('floor', 'coefficient', 'exponent')


@dataclasses.dataclass(frozen=True, eq=False)
class _OfCurve(Estimate):
  """An estimate whose intervals the curve makes."""

  interval: Callable[[float], Interval] = Estimate().at

  def at(self, level: float = LEVEL) -> Interval:
    return self.interval(level)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class TrainingCurveFit(FitResult):
  """L(s) = floor + coefficient · s^-exponent, nats per token at step s.

  The status is of the law alone; the slope at the end and the forecast need no
  floor. Intervals are a bootstrap's, stretched as Student's quantile is beside
  the normal one at the level that is asked for.

  Attributes:
    run_id: whose curve it is.
    step, loss: [K] mean step and mean loss of the bins that were fitted.
    fitted: [K] the law at these; all three are empty where none was tried.
    n_steps: S, all steps of the run.
    cut_short: True where the 95% interval of the slope at the end lies below
      -CUT_SHORT of the loss, False where it lies above, None across.
    law, law_draws: the law in units of the last step, [1], and what it might
      have been, [R]; None where none was tried.
    unit: the last step.
    dof: degrees of freedom of the draws' variance.
    end: the line through the last steps.
    half: what `forecast` is made of; None where the first half is too short.

  >>> losses = 1.5 + 3 * np.arange(1, 2001.0) ** -0.4
  >>> found = fit(losses, warmup=50)
  >>> str(found.status), round(found.params['exponent'], 2), found.cut_short
  ('ok', 0.4, True)
  >>> found.forecast().inside
  True
  """

  title: ClassVar[str] = 'Training curve: L(s) = floor + coefficient · s^-p'
  formula: ClassVar[str] = 'L(s) = floor + coefficient · s^-exponent'

  run_id: str = ''
  step: np.ndarray
  loss: np.ndarray
  fitted: np.ndarray
  n_steps: int
  cut_short: bool | None = None
  law: FlooredLaws | None = None
  law_draws: FlooredLaws | None = None
  unit: float = np.nan
  dof: float = np.nan
  end: EndSlope | None = None
  half: HalfCurve | None = None

  def estimates(self) -> dict[str, Estimate]:
    """Values, with intervals at any level; the draws are of `law_draws`."""

    def of(name: str) -> Callable[[float], Interval]:
      return lambda level: self.conf_int(level)[name]

    return {
      name: _OfCurve(found.value, interval=of(name))
      for name, found in self.conf_int().items()
    }

  def conf_int(self, level: float = LEVEL) -> dict[str, Interval]:
    """floor (nats), coefficient (nats), exponent, slope_per_doubling (nats).

    An end that the curve does not set is open. The slope is the mean over the
    last fifth of the steps.
    """
    check_level(level)
    slope = UNKNOWN
    if self.end is not None:
      half = curve_law.student(level, self.end.dof) * self.end.slope_sem
      slope = curve_law.about(self.end.slope, half)
    return {**self._law_intervals(level), 'slope_per_doubling': slope}

  def _law_intervals(self, level: float) -> dict[str, Interval]:
    law, drawn = self.law, self.law_draws
    if law is None or drawn is None or not self._is_law:
      return dict.fromkeys(_LAW, UNKNOWN)
    floor = float(law.floor[0])
    floor_low, floor_high = curve_law.ends(floor, drawn.floor, level, self.dof)
    # Positive numbers get their intervals in logarithms.
    log_p, log_ps = math.log(law.exponent[0]), np.log(drawn.exponent)
    log_unit = math.log(self.unit)
    log_c = math.log(law.coefficient[0]) + math.exp(log_p) * log_unit
    log_cs = np.log(drawn.coefficient.clip(1e-300)) + np.exp(log_ps) * log_unit
    with np.errstate(over='ignore'):
      p_low, p_high = np.exp(curve_law.ends(log_p, log_ps, level, self.dof))
      c_low, c_high = np.exp(curve_law.ends(log_c, log_cs, level, self.dof))
    bounded_below = not curve_law.at_edge(p_low)
    bounded_above = not curve_law.at_edge(p_high)
    return {
      # A mean of -log(probability) is never below 0.
      'floor': Interval(
        floor if floor > 0 else np.nan,
        floor_low if bounded_below and floor_low > 0 else -np.inf,
        floor_high,
      ),
      'coefficient': Interval(
        math.exp(log_c),
        float(c_low) if bounded_below else -np.inf,
        float(c_high) if bounded_above else np.inf,
      ),
      'exponent': Interval(
        math.exp(log_p),
        float(p_low) if bounded_below else -np.inf,
        float(p_high) if bounded_above else np.inf,
      ),
    }

  @property
  def _is_law(self) -> bool:
    """Whether the law falls, and its exponent is inside what was searched."""
    if self.law is None or curve_law.at_edge(self.law.exponent[0]):
      return False
    return _falls(self.fitted)

  def forecast(self, level: float = LEVEL) -> Forecast:
    """The first half's prediction of the last steps' mean loss.

    It holds the law's uncertainty, the curve's misfit about any law, and the
    noise of such a mean.
    """
    check_level(level)
    from_step = self.n_steps // 2
    if self.half is None:
      return Forecast(from_step=from_step)
    return self.half.forecast(from_step, level)


def fit(
  losses: npt.ArrayLike,
  warmup: int,
  *,
  run_id: str = '',
  draws: int = 200,
  seed: int = 0,
) -> TrainingCurveFit:
  """Fits L(s) = floor + coefficient · s^-exponent and judges how it ended.

  The intervals allow for noise that is correlated from step to step, and for a
  curve that wanders around its law. On simulated laws of 300 to 22,000 steps
  with white and AR(1) noise, those at 0.95 hold the truth 92 to 98 times of
  100; 86 where a thousand steps' noise hides that the curve wanders.

  Args:
    losses: [S] the loss of every step from the first, nats per token.
    warmup: steps at the start that are omitted.
    run_id: whose they are.
    draws: of the bootstrap.
    seed: of the bootstrap; the same seed gives the same numbers.

  Returns:
    'ok'; 'too_few_points' with fewer than thirty steps after warmup;
    'not_identified' where the loss diverges or does not fall, or the curve does
    not bound its exponent or its floor.

  Raises:
    UserError: an argument out of its range.

  >>> fit([3.0, 2.5], warmup=0).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  losses_S = _checked(losses, warmup, draws)
  if (refusal := _refusal(losses_S, warmup, run_id)) is not None:
    return refusal
  S = losses_S.size
  found = curve_law.fit_law(losses_S[warmup:], warmup + 1, draws, seed)
  end = curve_law.fit_end(
    losses_S, S, forecasts.tail_steps(S, warmup), found.phi
  )
  fit_of_law = TrainingCurveFit(
    status=Status.OK,
    run_id=run_id,
    step=found.bins.step,
    loss=found.bins.loss,
    fitted=found.law.mean_loss(found.bins)[0],
    n_steps=S,
    law=found.law,
    law_draws=found.draws,
    unit=found.bins.unit,
    dof=found.dof,
    end=end,
    half=forecasts.half_curve(losses_S, warmup, end, draws, seed),
  )
  return _judged(
    fit_of_law, losses_S[-forecasts.tail_steps(S, warmup) :].mean()
  )


def _checked(losses: npt.ArrayLike, warmup: int, draws: int) -> np.ndarray:
  losses_S = np.asarray(losses, np.float64)
  if losses_S.ndim != 1:
    raise UserError(f'losses of shape {losses_S.shape}: one axis is needed')
  if warmup < 0 or draws < 1:
    raise UserError(
      f'warmup={warmup}, draws={draws}: a warmup of 0 or more and a draw at'
      ' least are needed; try draws=200'
    )
  return losses_S


def _refusal(
  losses_S: np.ndarray, warmup: int, run_id: str
) -> TrainingCurveFit | None:
  """The answer where no law can be fitted; None where one can be tried."""
  S = losses_S.size
  wrong = np.flatnonzero(~np.isfinite(losses_S))
  after = max(S - warmup, 0)
  if wrong.size:
    status = Status.NOT_IDENTIFIED
    message = messages.diverged(wrong[0] + 1, losses_S[wrong[0]])
  elif after < MIN_STEPS:
    status = Status.TOO_FEW_POINTS
    message = messages.too_few_steps(after, MIN_STEPS, warmup)
  else:
    return None
  none = np.empty(0)
  return TrainingCurveFit(
    status=status,
    message=message,
    run_id=run_id,
    step=none,
    loss=none,
    fitted=none,
    n_steps=S,
  )


def _judged(found: TrainingCurveFit, tail_loss: float) -> TrainingCurveFit:
  """The fit with its status and its notes, by intervals at LEVEL."""
  status, message = _status(found)
  slope = found.conf_int(LEVEL)['slope_per_doubling']
  limit = CUT_SHORT * tail_loss
  cut_short: bool | None = None
  if slope.high < -limit:
    cut_short = True
  elif slope.low >= -limit:
    cut_short = False
  notes = [messages.curve_end(cut_short, slope)]
  ahead = found.forecast(LEVEL)
  if ahead.inside is not None:
    notes.append(
      messages.curve_forecast(ahead.predicted, ahead.actual.value, ahead.inside)
    )
  return dataclasses.replace(
    found,
    status=status,
    message=message,
    notes=tuple(notes),
    cut_short=cut_short,
  )


def _status(found: TrainingCurveFit) -> tuple[Status, str]:
  law = found.conf_int(LEVEL)
  floor, exponent = law['floor'], law['exponent']
  lowest, highest = map(float, curve_law.EXPONENTS[[0, -1]])
  if not _falls(found.fitted):
    return Status.NOT_IDENTIFIED, messages.not_falling()
  if np.isnan(exponent.value):
    return Status.NOT_IDENTIFIED, messages.exponent_at_edge(lowest, highest)
  if not exponent.known:
    return Status.NOT_IDENTIFIED, messages.exponent_open(
      exponent.value, lowest, highest
    )
  if not np.isfinite(floor.low):
    return Status.NOT_IDENTIFIED, messages.floor_open(floor.high)
  return Status.OK, messages.curve_law(floor, exponent)


def _falls(fitted_K: np.ndarray) -> bool:
  """True where the law falls by more than rounding does."""
  return bool(fitted_K[0] - fitted_K[-1] > 1e-9 * abs(fitted_K[0]))
