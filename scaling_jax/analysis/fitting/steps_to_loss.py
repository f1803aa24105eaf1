"""How many steps each batch size needs to reach a loss.

S is read off the mean loss over bins of steps, which has no lag and no
start-up, made to fall by isotonic regression, between two bins by
interpolation; never within the warmup. Of several learning rates the one that
reaches a loss first is a batch's own.
"""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.fitting import smoothing

MIN_BATCHES = 3  # two parameters, and one to judge them by
LOSSES = 12  # that are looked at, evenly in log L
RESOLUTION = 0.002  # of S, relative: what bins and interpolation leave of it

_NEVER = (np.nan, np.nan)


@dataclasses.dataclass(frozen=True, eq=False)
class BatchRun:
  """A run of a study of batch sizes.

  Attributes:
    run_id: whose.
    B: tokens a step.
    learning_rate: the peak; nan if unknown.
    warmup: steps.
    losses: [S] of every step, nats per token.

  >>> BatchRun('large', B=65_536, learning_rate=1e-3).warmup
  0
  """

  run_id: str
  B: float
  learning_rate: float = np.nan
  warmup: int = 0
  losses: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
  """What each batch size needed to reach one loss.

  Attributes:
    L: nats per token.
    B: [n] tokens a step.
    S: [n] steps; nan where the loss was not reached, or within the warmup.
    learning_rate: [n] the one that reached it first.
  """

  L: float
  B: np.ndarray
  S: np.ndarray
  learning_rate: np.ndarray

  @property
  def known(self) -> np.ndarray:
    """[n] whether the batch reached the loss."""
    return np.isfinite(self.S)


def measure(runs: Sequence[BatchRun]) -> list[Measured]:
  """From the highest to the lowest loss that enough batch sizes pass.

  Empty where none is passed by MIN_BATCHES of them after their warmup.

  >>> losses = 5 * np.arange(1.0, 2001) ** -0.3
  >>> runs = [BatchRun(f'{B}', B, losses=losses) for B in (1e3, 1e4, 1e5)]
  >>> at = measure(runs)[6]
  >>> exact = (5 / at.L) ** (1 / 0.3)
  >>> bool(np.all(abs(at.S / exact - 1) < 0.01))
  True
  """
  paths = [_Path.of(run) for run in runs]
  losses = _losses(paths)
  if losses is None:
    return []
  batches = sorted({run.B for run in runs})
  out = []
  for L in losses:
    at = _first(paths, float(L))
    S, rate = np.array([at.get(B, _NEVER) for B in batches]).T
    out.append(Measured(float(L), np.array(batches), S, rate))
  return out


@dataclasses.dataclass(frozen=True, eq=False)
class _Path:
  """A run's loss as it falls: log step [K] against falling loss [K]."""

  run: BatchRun
  log_step: np.ndarray
  L: np.ndarray

  @classmethod
  def of(cls, run: BatchRun) -> '_Path':
    step, L = smoothing.falling(run.losses, run.warmup)
    return cls(run, np.log(step), L)

  def step_at(self, L: float) -> float:
    """Where the loss falls to L; nan if before the first bin or never."""
    if not len(self.L) or not self.L[-1] <= L <= self.L[0]:
      return np.nan
    return float(np.exp(np.interp(-L, -self.L, self.log_step)))


def _losses(paths: Sequence[_Path]) -> np.ndarray | None:
  """[LOSSES] from the highest to the lowest that enough batches pass."""
  own = _by_batch(paths)
  if len(own) < MIN_BATCHES:
    return None
  starts = [min(path.L[0] for path in of_B) for of_B in own.values()]
  ends = [min(path.L[-1] for path in of_B) for of_B in own.values()]
  high, low = sorted(starts)[-MIN_BATCHES], sorted(ends)[MIN_BATCHES - 1]
  return np.geomspace(high, low, LOSSES) if low < high else None


def _by_batch(paths: Sequence[_Path]) -> dict[float, list[_Path]]:
  """The paths that show anything, by their tokens a step."""
  own: dict[float, list[_Path]] = {}
  for path in paths:
    if len(path.L):
      own.setdefault(path.run.B, []).append(path)
  return own


def _first(
  paths: Sequence[_Path], L: float
) -> dict[float, tuple[float, float]]:
  """The fewest steps to L and their learning rate, for each batch there."""
  best = {}
  for B, of_B in _by_batch(paths).items():
    # A rate that passed L within its warmup may have been the fastest.
    if all(path.L[0] >= L for path in of_B):
      steps: dict[float, list[float]] = {}
      for path in of_B:
        steps.setdefault(path.run.learning_rate, []).append(path.step_at(L))
      # Seeds of one rate count together: the first of many is lucky.
      means = [(float(np.exp(np.mean(np.log(S)))), r) for r, S in steps.items()]
      reached = [at for at in means if np.isfinite(at[0])]
      if reached:
        best[B] = min(reached)
  return best
