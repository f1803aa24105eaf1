"""How many steps each batch size needs to reach a loss.

S is read off the mean loss over bins of steps, which has no lag and no
start-up, made to fall by isotonic regression, between two bins by
interpolation; never within the warmup. Of several learning rates the one that
gets to a loss first is a batch's own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis import curves as curves_lib

MIN_BATCHES = 3  # two parameters, and one to judge them by
LOSSES = 12  # that are looked at, evenly in log L


class BatchRun(NamedTuple):
  """A run as this study sees it.

  Attributes:
    run_id: whose.
    B: tokens a step.
    rate: the peak learning rate; nan if unknown.
    warmup: steps.
    losses: [S] of every step, nats per token.
  """

  run_id: str
  B: float
  rate: float
  warmup: int
  losses: np.ndarray


class Measured(NamedTuple):
  """What each batch size needed to reach one loss.

  Attributes:
    L: nats per token.
    B: [n] tokens a step.
    S: [n] steps; nan where the loss was not reached, or within the warmup.
    rate: [n] the learning rate that got there first.
  """

  L: float
  B: np.ndarray
  S: np.ndarray
  rate: np.ndarray

  @property
  def known(self) -> np.ndarray:
    return np.isfinite(self.S)

  @property
  def at(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = self.known
    return self.B[known], self.S[known], self.rate[known]


def measure(runs: Sequence[BatchRun]) -> list[Measured]:
  """From the highest to the lowest loss that enough batch sizes pass.

  Empty where none is passed by MIN_BATCHES of them after their warmup.
  """
  paths = [_Path.of(run) for run in runs]
  losses = _losses(paths)
  if losses is None:
    return []
  batches = sorted({run.B for run in runs})
  out = []
  for L in losses:
    at = _reach(paths, float(L))
    S, rate = np.array([at.get(B, _NEVER) for B in batches]).T
    out.append(Measured(float(L), np.array(batches), S, rate))
  return out


_NEVER = (np.nan, np.nan)


class _Path(NamedTuple):
  """A run's loss as it falls: log step [K] against falling loss [K]."""

  run: BatchRun
  log_step: np.ndarray
  L: np.ndarray

  @classmethod
  def of(cls, run: BatchRun) -> '_Path':
    step, L = curves_lib.falling(run.losses, run.warmup)
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


def _reach(
  paths: Sequence[_Path], L: float
) -> dict[float, tuple[float, float]]:
  """The fewest steps to L and their learning rate, for each batch there."""
  best = {}
  for B, of_B in _by_batch(paths).items():
    # A rate that passed L within its warmup may have been the fastest.
    if all(path.L[0] >= L for path in of_B):
      steps: dict[float, list[float]] = {}
      for path in of_B:
        steps.setdefault(path.run.rate, []).append(path.step_at(L))
      # Seeds of one rate count together: the first of many is lucky.
      means = [(float(np.exp(np.mean(np.log(S)))), r) for r, S in steps.items()]
      reached = [at for at in means if np.isfinite(at[0])]
      if reached:
        best[B] = min(reached)
  return best
