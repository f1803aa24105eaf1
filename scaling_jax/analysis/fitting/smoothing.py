"""Training losses made smooth: means over bins of log(step), and isotonic."""

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

FIRST_STEP = 20  # before it a bin is a step or two, all noise
_NOISE_STEPS = 30  # at least, over which the noise of a bin is estimated


@dataclasses.dataclass(frozen=True, eq=False)
class LossCurve:
  """One run's training loss, smoothed, against what was spent by then.

  Attributes:
    run_id: whose.
    N: its parameters.
    C: [K] FLOPs spent, rising.
    D: [K] tokens trained on.
    L: [K] smoothed loss.

  >>> D = np.geomspace(1e6, 1e9, 50)
  >>> curve = LossCurve('run0', 1e6, 6e6 * D, D, 2 + 40 * D**-0.3)
  >>> round(float(curve.L[-1]), 3)
  2.08
  """

  run_id: str
  N: float
  C: np.ndarray
  D: np.ndarray
  L: np.ndarray


class Bins(NamedTuple):
  """Mean losses of neighbouring steps.

  Attributes:
    step: [K] mean step of each bin.
    loss: [K] mean loss, nats per token.
    steps: [K] how many they are.
    unit: the step that laws are measured in, the last.
  """

  step: np.ndarray
  loss: np.ndarray
  steps: np.ndarray
  unit: float


class Smoothed(NamedTuple):
  """A smoothed training curve.

  Attributes:
    step: [K] mean step (1-based) of each bin.
    loss: [K] mean loss in the bin, nats per token.
    sem: [K] standard error of that mean for noise that is independent from
      step to step, as random batches make it; nan for fewer than three steps.
  """

  step: np.ndarray
  loss: np.ndarray
  sem: np.ndarray


def bin_losses(losses_S: np.ndarray, bins: int, first_step: int) -> Bins:
  """Bins of equal width in log(step), at most so many, none empty.

  >>> bin_losses(np.array([4.0, 3.0, 2.0, 2.0]), 2, first_step=1).steps
  array([1, 3])
  """
  end = first_step + losses_S.size
  edges = np.rint(np.geomspace(first_step, end, bins + 1)).astype(np.int64)
  edges = np.unique(edges)
  count = np.diff(edges)
  loss = np.add.reduceat(losses_S, edges[:-1] - first_step) / count
  return Bins((edges[:-1] + edges[1:] - 1) / 2, loss, count, float(end - 1))


def smooth(
  losses_S: npt.ArrayLike, bins: int = 200, first_step: int = 1
) -> Smoothed:
  """Plain means over bins of equal width in log(step), one step at least.

  A mean has neither lag nor start-up: it is exact for a line, and lies above
  s^-p by p(p+1)/24 · w² of it, where w is the bin's width in log(step): 0.05
  for 200 bins of 20,000 steps.

  Args:
    losses_S: [S] the loss of every step, nats per token.
    bins: at most so many; fewer where some would hold no step.
    first_step: the number of the first of the losses.

  >>> float(smooth([2.5] * 1000, bins=40).loss.max())
  2.5
  """
  losses_S = np.asarray(losses_S, np.float64)
  S = losses_S.size
  if not S:
    return Smoothed(np.zeros(0), np.zeros(0), np.zeros(0))
  binned = bin_losses(losses_S, bins, first_step)
  if S < 3:
    unknown = np.full(binned.step.size, np.nan)
    return Smoothed(binned.step, binned.loss, unknown)
  # Second differences see the noise and not the trend; a bin of few steps
  # borrows from its neighbours.
  squares = np.diff(losses_S, 2) ** 2 / 6
  total = np.concatenate([[0.0], np.cumsum(squares)])
  half = np.maximum(binned.steps, _NOISE_STEPS) / 2
  middle = binned.step - first_step - 0.5
  start = np.rint(middle - half).clip(0, S - 3).astype(np.int64)
  end = np.rint(middle + half).clip(start + 1, S - 2).astype(np.int64)
  variance = (total[end] - total[start]) / (end - start)
  return Smoothed(binned.step, binned.loss, np.sqrt(variance / binned.steps))


def falling(
  losses_S: npt.ArrayLike, warmup: int, bins: int = 100
) -> tuple[np.ndarray, np.ndarray]:
  """A curve that only falls: the smoothed one by isotonic regression.

  Args:
    losses_S: [S] the loss of every step.
    warmup: steps at the start to omit; FIRST_STEP at least are omitted.
    bins: as for `smooth`.

  Returns:
    step, loss: [K], the loss falling; empty where fewer than two bins remain, a
    loss is not finite, or a mean not positive. A stretch that does not fall is
    one point at its middle.

  >>> step, loss = falling([3.0] * 20 + [2.0] * 40 + [1.0] * 40, warmup=20)
  >>> loss
  array([2., 1.])
  """
  after = max(warmup, FIRST_STEP)
  losses_S = np.asarray(losses_S, np.float64)[after:]
  if len(losses_S) < 2 or not np.all(np.isfinite(losses_S)):
    return np.empty(0), np.empty(0)
  smoothed = smooth(losses_S, bins, after + 1)
  step, loss = smoothed.step, smoothed.loss
  if len(step) < 2 or not np.all(loss > 0):
    return np.empty(0), np.empty(0)
  middles = (step[1:] + step[:-1]) / 2
  found = optimize.isotonic_regression(
    loss,
    weights=np.diff([after + 0.5, *middles, after + len(losses_S) + 0.5]),
    increasing=False,
  )
  starts = np.asarray(found.blocks)[:-1]
  log_step = np.add.reduceat(np.log(step), starts)
  return np.exp(log_step / np.diff(found.blocks)), found.x[starts]
