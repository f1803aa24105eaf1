"""Which runs of a study carry which of Kaplan's laws."""

import collections
from collections.abc import Callable, Sequence
import dataclasses
import math
from typing import TypeVar

import numpy as np

from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.fitting.steps_to_loss import BatchRun
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs.histories import LoadedRun

Item = TypeVar('Item')


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Ends:
  """The ends of runs as laws of N and D see them.

  Attributes:
    N: [n] parameters.
    D: [n] tokens of text where runs had parts of it, else trained on.
    tokens: [n] trained on.
    L: [n] losses.
    schedule: [n] of the learning rate; '' if unknown.
    part: [n] whether they had a part of a text that others had whole.
  """

  N: np.ndarray
  D: np.ndarray
  tokens: np.ndarray
  L: np.ndarray
  schedule: np.ndarray
  part: np.ndarray

  @classmethod
  def of(cls, runs: Sequence[LoadedRun]) -> 'Ends':
    most = selection.longest_text(runs)
    part = np.array([selection.is_part(one.run, most) for one in runs], bool)
    tokens = np.array([one.run.D for one in runs], float)
    text = np.array([one.run.text_tokens for one in runs], float)
    loss = np.array([one.loss for one in runs], float)
    best = np.array([one.history.best_loss for one in runs], float)
    return cls(
      N=np.array([one.run.N for one in runs], float),
      # Where parts are compared, a text read once in part is what was read.
      D=np.fmin(text, tokens) if part.any() else tokens,
      tokens=tokens,
      # A text read again and again may be learned by heart: early stopping.
      L=np.where(tokens > text, best, loss),
      schedule=np.array([one.run.schedule for one in runs], str),
      part=part,
    )

  def take(self, rows: np.ndarray) -> 'Ends':
    """Those of the rows: indices, or [n] booleans."""
    return Ends(
      **{
        field.name: getattr(self, field.name)[rows]
        for field in dataclasses.fields(self)
      }
    )

  def of_one_D(self) -> 'Ends':
    """The most sizes that were trained on as many tokens of as much text."""
    return self._largest(
      lambda i: (
        _alike(self.D, i)
        & _alike(self.tokens, i)
        & (self.schedule == self.schedule[i])
      ),
      across=self.N,
      fixed=self.D,
    )

  def of_one_N(self) -> 'Ends':
    """The most amounts of text, or of tokens, at one size."""

    def together(i: int) -> np.ndarray:
      same = _alike(self.N, i) & (self.schedule == self.schedule[i])
      # Beside parts of a text stands the whole, trained on for as long.
      return same & _alike(self.tokens, i) if self.part.any() else same

    return self._largest(together, across=self.D, fixed=self.N)

  def of_both(self) -> 'Ends':
    """The runs on parts of a text, and those trained as long on the whole.

    All runs of one schedule, that of most of them, where there are no parts.
    """
    if not self.part.any():
      counts = collections.Counter(self.schedule.tolist())
      most = counts.most_common(1)[0][0] if counts else ''
      return self.take(self.schedule == most)
    rows = np.zeros(len(self.N), bool)
    for i in np.flatnonzero(self.part).tolist():
      rows |= _alike(self.tokens, i) & (self.schedule == self.schedule[i])
    return self.take(rows)

  def _largest(
    self,
    together: Callable[[int], np.ndarray],
    *,
    across: np.ndarray,
    fixed: np.ndarray,
  ) -> 'Ends':
    """The runs that go together with one of them, as different as can be.

    Of groups that are equal in that, the one with the most of what is fixed.
    """
    rounded = np.array([round(math.log(x), 2) for x in across])
    kinds: dict[bytes, int] = {}
    best, rows = (-1, -math.inf), np.zeros(len(across), bool)
    for i in range(len(across)):
      own = together(i)
      key = own.tobytes()
      if key not in kinds:
        kinds[key] = len(np.unique(rounded[own]))
      if (kinds[key], fixed[i]) > best:
        best, rows = (kinds[key], fixed[i]), own
    return self.take(rows)


def _alike(counts: np.ndarray, i: int) -> np.ndarray:
  """[n] whether they are the i-th but for rounding."""
  return np.abs(np.log(counts / counts[i])) < selection.SAME


def curves_of_one_batch(
  runs: Sequence[LoadedRun],
) -> tuple[float, list[LossCurve]]:
  """The tokens a step that most sizes share, and the curves of those runs.

  Of one schedule: a curve before its annealing lies above one without.
  """
  most = selection.longest_text(runs)
  curves = [
    (one.run, curve)
    for one in runs
    if len(one.history.losses) and not selection.is_part(one.run, most)
    if (curve := one.falling_curve()) is not None
  ]
  best = _first(
    curves,
    lambda one, other: (
      selection.alike(one[0].tokens_per_step, other[0].tokens_per_step)
      and one[0].schedule == other[0].schedule
    ),
    lambda group: (len({curve.N for _, curve in group}), len(group)),
  )
  tokens = [run.tokens_per_step for run, _ in best]
  return float(np.mean(tokens)) if best else math.nan, [c for _, c in best]


def study_of_batches(every: Sequence[LoadedRun]) -> list[BatchRun]:
  """The runs of the size that has the most batch sizes, before annealing."""
  known = [
    one
    for one in every
    if len(one.history.losses) and math.isfinite(one.run.tokens_per_step)
  ]
  best = _first(
    known,
    lambda one, other: (
      one.run.N == other.run.N
      and selection.same_text(one.run, other.run)
      and one.run.schedule == other.run.schedule
      and one.history.warmup == other.history.warmup
    ),
    lambda group: (selection.kinds(x.run.tokens_per_step for x in group), 0),
  )
  return [
    BatchRun(
      run_id=one.run_id,
      B=float(one.run.tokens_per_step),
      learning_rate=float(one.run.learning_rate),
      warmup=one.history.warmup,
      losses=one.history.losses[: one.history.unannealed],
    )
    for one in best
  ]


def _first(
  items: Sequence[Item],
  together: Callable[[Item, Item], bool],
  rank: Callable[[list[Item]], tuple[int, int]],
) -> list[Item]:
  """Of the groups that go together with one item the highest in rank."""
  groups = [[y for y in items if together(x, y)] for x in items]
  return max(groups, key=rank, default=[])
