"""Rows that are one run told twice: checkpoints, duplicates, reruns."""

from collections.abc import Hashable, Iterable, Sequence
import dataclasses
import math
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.records import Run

_DIGITS = 4  # of a loss after its point, from which the last one may differ
_RERUN = 1e-5  # of a loss, however many digits it has
_SAME = 1e-9
POINTS = 3  # that make a curve


class Row(NamedTuple):
  """What is compared of a row.

  Attributes:
    run: its record.
    loss: in the unit of its table.
    extra: its other cells, by column.
    place: as people are told.
  """

  run: Run
  loss: float
  extra: dict[str, str]
  place: str


class Told(NamedTuple):
  """Why a row is none of its own."""

  reason: str
  kind: Exclusion


class Repetitions:
  """Finds rows that repeat each other, in any of several files."""

  def __init__(self, include: Iterable[Exclusion] = ()) -> None:
    self._include = frozenset(include)
    # Rows of the same sizes and cells, but for losses.
    self._seen: dict[Hashable, list[Row]] = {}

  def of(self, row: Row) -> Told | None:
    """Why a row is another's; None for a new one, which is kept in mind.

    Two rows are one run where all that is known of them agrees, and a rerun of
    it where all does but for the last digits of losses.
    """
    known = {name: columns.value(text) for name, text in row.extra.items()}
    others = frozenset(
      (name, text)
      for name, text in known.items()
      if text and not _is_loss(name)
    )
    key = (row.run.C, row.run.N, row.run.D, others)
    for first in self._seen.setdefault(key, []):
      told = _told(row, first)
      if told and told.kind not in self._include:
        return told
    self._seen[key].append(row)
    return None


def _told(row: Row, first: Row) -> Told | None:
  losses = {name for name in (*row.extra, *first.extra) if _is_loss(name)}
  same = all(
    columns.value(row.extra.get(name, ''))
    == columns.value(first.extra.get(name, ''))
    for name in losses
  )
  if row.loss == first.loss and same:
    return Told(run_messages.duplicate(first.place), Exclusion.DUPLICATE)
  if not _is_rerun(row.loss, first.loss):
    return None
  shown = [f'{x:.10g}' for x in (row.loss, first.loss)]
  return Told(messages.repeat(first.place, *shown), Exclusion.REPEAT)


def _is_loss(name: str) -> bool:
  meaning = roles.meaning(name)
  return meaning is not None and meaning.role in (Role.LOSS, Role.SEM)


def _is_rerun(one: float, other: float) -> bool:
  """Whether losses differ by one in the last digit that is written.

  >>> _is_rerun(3.1415, 3.1416), _is_rerun(3.14, 3.15), _is_rerun(3.1, 3.1001)
  (True, False, True)
  """
  if abs(one - other) <= _RERUN * abs(other):
    return True
  digits = max(map(_decimals, (one, other)))
  return digits >= _DIGITS and abs(one - other) < 1.5 * 10.0**-digits


def _decimals(value: float) -> int:
  text = repr(value)
  return len(text.partition('.')[2]) if 'e' not in text else 16


@dataclasses.dataclass(frozen=True)
class Trainings:
  """Rows of which several are checkpoints of one run.

  Attributes:
    checkpoints: index of an earlier row -> the index of its run's last one.
    curves: index of a last row -> its run's losses on the way.
  """

  checkpoints: dict[int, int]
  curves: dict[int, LossCurve]


def trainings(rows: Sequence[Row], *, sure: bool) -> Trainings:
  """Which rows are checkpoints of a run that went on.

  Rows of one run_id and N are, but for names that tell the model: where each
  stands for one N, or each budget of C has several of them.

  Args:
    rows: [n].
    sure: whether the run_ids are such, by the column's name.

  >>> runs = [Run('a', C=6e6 * D, N=1e6, D=D) for D in (1e8, 2e8, 4e8)]
  >>> rows = [Row(run, 4 - i, {}, '') for i, run in enumerate(runs)]
  >>> trainings(rows, sure=True).checkpoints
  {0: 2, 1: 2}
  """
  groups: dict[tuple[str, float], list[int]] = {}
  for i, row in enumerate(rows):
    key = row.run.run_id, float(row.run.N)
    groups.setdefault(key, []).append(i)
  several = [g for g in groups.values() if len(g) > 1]
  if not several or (not sure and _are_models([*groups], several, rows)):
    return Trainings({}, {})
  checkpoints: dict[int, int] = {}
  curves = {}
  for group in several:
    D = np.array([rows[i].run.D for i in group], float)
    last = group[int(np.argmax(D))]
    earlier = [
      i for i, d in zip(group, D) if d < (1 - _SAME) * float(rows[last].run.D)
    ]
    checkpoints |= dict.fromkeys(earlier, last)
    if len(earlier) + 1 >= POINTS:
      curves[last] = _curve([*earlier, last], rows)
  return Trainings(checkpoints, curves)


def _are_models(
  names: Sequence[tuple[str, float]],
  several: Sequence[Sequence[int]],
  rows: Sequence[Row],
) -> bool:
  """Whether names tell models and not runs."""
  of_N = {N for _, N in names}
  if len(of_N) == len(names) == len({name for name, _ in names}):
    return True
  log_C = np.log([float(row.run.C) for row in rows])
  N = np.array([float(row.run.N) for row in rows])
  shared = [
    len({*N[np.abs(log_C - log_C[i]) < 5e-3]}) > 2
    for group in several
    for i in group
  ]
  return 2 * sum(shared) >= len(shared)


def _curve(index: Sequence[int], rows: Sequence[Row]) -> LossCurve:
  D = np.array([float(rows[i].run.D) for i in index])
  index = [index[i] for i in np.argsort(D, kind='stable')]
  run = rows[index[-1]].run
  return LossCurve(
    run.run_id,
    float(run.N),
    np.array([float(rows[i].run.C) for i in index]),
    np.sort(D),
    np.array([rows[i].loss for i in index]),
  )


def rises(curve: LossCurve) -> bool:
  """Whether a curve can be used: positive, finite, rising in C."""
  return bool(
    np.all(np.isfinite(curve.L))
    and np.all(curve.L > 0)
    and np.all(np.diff(curve.C) > 0)
    and math.isfinite(curve.N)
  )
