"""The end of a training curve, as the law of its first half predicts it."""

import dataclasses
import math

import numpy as np

from scaling_jax.analysis.fitting import training_curve_law as curve_law
from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.smoothing import Bins
from scaling_jax.analysis.fitting.training_curve_law import EndSlope

MIN_STEPS = 30  # after warmup: the least for a law with three parameters
TAIL = 0.2  # of the steps, where the slope at the end is taken
LAST = 0.05  # of the steps, what the forecast is about


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecast:
  """The mean loss of a curve's last steps, as its first half predicts it.

  Attributes:
    from_step: the last that the prediction knows.
    predicted: nats per token; unknown where the first half is too short.
    actual: what it was, with the error of such a mean.
    inside: whether `predicted` holds it; None where there is no prediction.
  """

  from_step: int
  predicted: Interval = UNKNOWN
  actual: Interval = UNKNOWN
  inside: bool | None = None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class HalfCurve:
  """The mean loss of the last steps: as it was, and by the first half's law.

  Attributes:
    actual: nats per token.
    actual_sem, actual_dof: its standard error, and the degrees of freedom that
      tell it.
    predicted: by the law.
    draws: [R] what that might have been.
    dof: degrees of freedom of the draws' variance.
    misfit_sd: of the curve about any law.
    noise_sem, noise_dof: of such a mean with the noise of the first half.
  """

  actual: float
  actual_sem: float
  actual_dof: float
  predicted: float
  draws: np.ndarray
  dof: float
  misfit_sd: float
  noise_sem: float
  noise_dof: float

  def forecast(self, from_step: int, level: float) -> Forecast:
    """Both as intervals at a level."""
    value = self.predicted
    low, high = curve_law.ends(value, self.draws, level, self.dof)
    # What comes has noise of its own, as much as the first half had.
    own = curve_law.student(level, self.noise_dof) * self.noise_sem
    own = math.hypot(own, curve_law.student(level, self.dof) * self.misfit_sd)
    own += 1e-9 * abs(value)  # rounding, where a curve has no noise
    low = value - math.hypot(value - low, own)
    high = value + math.hypot(high - value, own)
    width = curve_law.student(level, self.actual_dof) * self.actual_sem
    return Forecast(
      from_step=from_step,
      predicted=Interval(value, low, high),
      actual=curve_law.about(self.actual, width),
      inside=bool(low <= self.actual <= high),
    )


def half_curve(
  losses_S: np.ndarray, warmup: int, end: EndSlope, draws: int, seed: int
) -> HalfCurve | None:
  """Fits the first half; None where it has too few steps after warmup.

  Args:
    losses_S: [S] nats per token.
    warmup: steps.
    end: the line through the last steps.
    draws, seed: of the bootstrap.
  """
  S, half = losses_S.size, losses_S.size // 2
  last = max(1, math.ceil(LAST * S))
  if half - warmup < MIN_STEPS:
    return None
  actual = losses_S[-last:].mean()
  found = curve_law.fit_law(losses_S[warmup:half], warmup + 1, draws, seed)
  middle, loss, count = np.array([[S - (last - 1) / 2], [actual], [last]])
  there = Bins(middle, loss, count, found.bins.unit)
  before = curve_law.fit_end(
    losses_S[:half], half, tail_steps(half, warmup), found.phi
  )
  return HalfCurve(
    actual=float(actual),
    actual_sem=math.sqrt(end.variance / last),
    actual_dof=end.dof,
    predicted=float(found.law.mean_loss(there)[0, 0]),
    draws=found.draws.mean_loss(there)[:, 0],
    dof=found.dof,
    misfit_sd=math.sqrt(found.misfit),
    noise_sem=math.sqrt(before.variance / last),
    noise_dof=before.dof,
  )


def tail_steps(S: int, warmup: int) -> int:
  """How many of the last steps the slope at the end is taken over."""
  return min(math.ceil(TAIL * S), S - warmup)
