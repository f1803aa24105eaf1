"""Rows that are one run told twice: checkpoints, duplicates, reruns."""

import bisect
import collections
from collections.abc import Hashable, Iterable, Mapping, Sequence
import dataclasses
import math
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import sweeps
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.records import Run

_DIGITS = 4  # of a loss after its point, from which the last one may differ
_RERUN = 1e-5  # of a loss, however many digits it has
_SAME = 1e-9
_ROUNDING = 5e-3  # of log C or log D
_NAMED_SO = 0.3  # that a model's N may differ from its name's
_NEAR = 1.25  # times a C: no two budgets are so near
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
    # Rows of the same sizes and cells, but for losses: (loss, count, row) by
    # loss, since there may be thousands.
    self._seen: dict[Hashable, list[tuple[float, int, Row]]] = {}

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
    seen = self._seen.setdefault(key, [])
    reach = max(2 * 10.0**-_DIGITS, 2 * _RERUN * row.loss)
    low = bisect.bisect_left(seen, row.loss - reach, key=lambda one: one[0])
    high = bisect.bisect_right(seen, row.loss + reach, key=lambda one: one[0])
    for _, _, first in sorted(seen[low:high], key=lambda one: one[1]):
      told = _told(row, first)
      if told and told.kind not in self._include:
        return told
    bisect.insort(seen, (row.loss, len(seen), row), key=lambda one: one[0])
    return None


def _told(row: Row, first: Row) -> Told | None:
  losses = {name for name in (*row.extra, *first.extra) if _is_loss(name)}
  same = all(
    columns.value(row.extra.get(name, ''))
    == columns.value(first.extra.get(name, ''))
    for name in losses
  )
  if row.loss == first.loss and same:
    return Told(messages.duplicate(first.place), Exclusion.DUPLICATE)
  if not _is_rerun(row.loss, first.loss):
    return None
  text = messages.repeat(first.place, first.loss, row.loss)
  return Told(text, Exclusion.REPEAT)


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
  text = f'{value:.12g}'  # as it was written: 3.1 + 1e-4 is no 3.1001
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


def trainings(
  rows: Sequence[Row],
  *,
  sure: bool,
  on_the_way: bool = False,
  named: bool = False,
) -> Trainings:
  """Which rows are checkpoints of a run that went on.

  Rows of one run_id and N are, but for names that tell the model: where each
  budget of C has several of them, where each is the count of its parameters, or
  where each stands for one N and is not known for a run's; and but for names
  that rows of several N share.

  Args:
    rows: [n].
    sure: whether the run_ids are such, by the column's name.
    on_the_way: whether steps tell how far each row was.
    named: whether the run_ids were asked to be such.

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
  if not several:
    return Trainings({}, {})
  if not named and _are_models(groups, rows, sure, on_the_way):
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
  groups: Mapping[tuple[str, float], Sequence[int]],
  rows: Sequence[Row],
  sure: bool,
  on_the_way: bool,
) -> bool:
  """Whether names tell the model, or nothing, and no training."""
  if not on_the_way and all(map(_is_size, groups)):
    return True
  names = [*groups]
  if not sure and _of_several_sizes(names):
    return True
  several = [g for g in groups.values() if len(g) > 1]
  of_C, of_D = (
    sweeps.labels(
      np.log([float(getattr(row.run, name)) for row in rows]), _ROUNDING
    ).tolist()
    for name in 'CD'
  )
  # Checkpoints at the same tokens may fall on one C too, but at more C than D.
  if max(of_C) >= max(of_D):
    return not (sure or on_the_way) and _of_one_N_each(names)
  if _are_shares(several, rows, of_C):
    return False
  if not (sure or on_the_way) and _of_one_N_each(names):
    return True
  return _share_budgets(several, rows, of_C)


def _of_one_N_each(names: Sequence[tuple[str, float]]) -> bool:
  return len({*names}) == len({N for _, N in names}) == len(dict(names))


def _of_several_sizes(names: Sequence[tuple[str, float]]) -> bool:
  """Whether most names are of several N, such as that of a text."""
  count = collections.Counter(name for name, _ in names)
  return 2 * sum(count[name] > 1 for name, _ in names) > len(names)


def _are_shares(
  several: Sequence[Sequence[int]], rows: Sequence[Row], of_C: Sequence[int]
) -> bool:
  """Whether the earlier C of a name are shares of its last, and no budgets.

  Budgets are further apart than a run's last evaluations; and where names end
  at several C, the earlier ones of models are where others end.
  """
  C = [np.sort([float(rows[i].run.C) for i in group]) for group in several]
  last = [x[-1] / x[-2] for x in C]
  if float(np.median(last)) < _NEAR:
    return True
  ends = {max(of_C[i] for i in group) for group in several}
  before = [
    of_C[i] in ends
    for group in several
    for i in group
    if of_C[i] < max(of_C[i] for i in group)
  ]
  return len(ends) > 1 and 2 * sum(before) < len(before)


def _is_size(name: tuple[str, float]) -> bool:
  """Whether a name is the count of its model's parameters, such as 70M."""
  run_id, N = name
  return abs(numbers.parse(run_id) / N - 1) < _NAMED_SO


def _share_budgets(
  several: Sequence[Sequence[int]], rows: Sequence[Row], of_C: Sequence[int]
) -> bool:
  """Whether names tell models, since budgets of C have several of them."""
  models: dict[int, set[float]] = {}
  for label, row in zip(of_C, rows):
    models.setdefault(label, set()).add(float(row.run.N))
  shared = [len(models[of_C[i]]) > 2 for group in several for i in group]
  return 2 * sum(shared) >= len(shared)


def _curve(index: Sequence[int], rows: Sequence[Row]) -> LossCurve:
  index = sorted(index, key=lambda i: float(rows[i].run.D))
  run = rows[index[-1]].run
  return LossCurve(
    run.run_id,
    float(run.N),
    np.array([float(rows[i].run.C) for i in index]),
    np.array([float(rows[i].run.D) for i in index]),
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
