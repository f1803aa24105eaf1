"""What simulated studies gave, as JSON lines, and the tables made of them.

The first line holds the settings, each of the others one approach's answer to
one repetition of a study. A run that is cut off goes on where it stopped.
NumPy alone is imported, so that a peer's own environment can use it.
"""

from collections.abc import Iterable, Sequence
import dataclasses
import json
import pathlib
from typing import NamedTuple

import numpy as np


class Stated(NamedTuple):
  """A number with its interval at one level, and the truth."""

  number: str
  level: float
  truth: float
  value: float
  low: float
  high: float


@dataclasses.dataclass
class Record:
  """One approach's answer to one repetition of a study.

  Attributes:
    study: its key.
    i: which repetition.
    approach: '3', '2', '1', or a peer's name.
    ok: whether it answers.
    seconds: the fit took.
    stated: every number at every level; nan where there is none.
    runs: how many there were.
    outliers: indices of the runs called so.
    spoiled: indices of the runs that something befell.
    rejected: whether the law's form was; None where it was not tested.
  """

  study: str
  i: int
  approach: str
  ok: bool
  seconds: float
  stated: list[Stated]
  runs: int = 0
  outliers: list[int] = dataclasses.field(default_factory=list)
  spoiled: list[int] = dataclasses.field(default_factory=list)
  rejected: bool | None = None

  @property
  def key(self) -> tuple[str, int, str]:
    return self.study, self.i, self.approach


class Records:
  """A file of them, read as far as it goes and appended to.

  Raises:
    ValueError: the file was made with other settings.
  """

  def __init__(self, path: str, settings: dict):
    self._path = pathlib.Path(path)
    self.all: list[Record] = []
    if not self._path.exists():
      self._path.parent.mkdir(parents=True, exist_ok=True)
      self._append(settings)
      return
    text = self._path.read_text()
    whole = text[: text.rfind('\n') + 1]
    if whole != text:  # a line that was cut off
      self._path.write_text(whole)
    first, *lines = whole.splitlines()
    if json.loads(first) != settings:
      raise ValueError(
        f'{path} was made with {first}, not {json.dumps(settings)}; '
        'use another --out'
      )
    self.all = [record_of(line) for line in lines]

  def add(self, record: Record) -> None:
    self._append(dataclasses.asdict(record))
    self.all.append(record)

  def _append(self, one: dict) -> None:
    with open(self._path, 'a') as file:
      file.write(json.dumps(one) + '\n')


def record_of(line: str) -> Record:
  fields = json.loads(line)
  stated = [Stated(*one) for one in fields.pop('stated')]
  return Record(stated=stated, **fields)


def read(path: str) -> list[Record]:
  """The records of a file, whatever its settings."""
  lines = pathlib.Path(path).read_text().splitlines()
  return [record_of(line) for line in lines[1:]]


class Share(NamedTuple):
  """How a number fared in all repetitions, at one level.

  Attributes:
    held: the share of intervals that hold the truth; an open end holds all on
      its side.
    width: the median of those with both ends.
    open: the share without an end.
    missing: the share of studies that state no such number.
    intervals: how many state it.
  """

  held: float
  width: float
  open: float
  missing: float
  intervals: int

  @classmethod
  def of(cls, stated: Sequence[Stated]) -> 'Share | None':
    """None where most repetitions state no number."""
    known = [x for x in stated if np.isfinite(x.value)]
    if len(known) < max(len(stated) / 2, 1):
      return None
    inside = [x.low <= x.truth <= x.high for x in known]
    widths = np.array([x.high - x.low for x in known])
    widths = widths[np.isfinite(widths)]
    return cls(
      float(np.mean(inside)),
      float(np.median(widths)) if widths.size else np.nan,
      1 - len(widths) / len(known),
      1 - len(known) / len(stated),
      len(known),
    )

  def __str__(self) -> str:
    notes = [f'{self.width:.2g}']
    if self.open >= 0.005:
      notes.append(f'{self.open:.0%} open')
    if self.missing >= 0.005:
      notes.append(f'{self.missing:.0%} none')
    return f'{100 * self.held:.1f} ({", ".join(notes)})'


def shares(
  records: Iterable[Record], level: float
) -> dict[tuple[str, str], Share | None]:
  """(study, 'approach: number') -> how it fared."""
  found: dict[tuple[str, str], list[Stated]] = {}
  for record in records:
    for x in record.stated:
      if x.level == level:
        column = f'{record.approach}: {x.number}'
        found.setdefault((record.study, column), []).append(x)
  return {key: Share.of(stated) for key, stated in found.items()}


def held_table(
  records: Sequence[Record],
  level: float,
  numbers: Sequence[str] | None = None,
) -> str:
  """Lines are studies, columns numbers; held in %, and the median width.

  Args:
    records: what to count.
    level: of the intervals.
    numbers: columns, as 'approach: number'; None for all.
  """
  found = shares(records, level)
  studies = list(dict.fromkeys(study for study, _ in found))
  numbers = numbers or list(dict.fromkeys(number for _, number in found))
  return markdown(
    ['study', *numbers],
    [
      [study, *(str(found.get((study, number)) or '–') for number in numbers)]
      for study in studies
    ],
  )


def runs_table(records: Sequence[Record]) -> str:
  """What approach 3 said of each study's runs and of the law's form."""
  rows = []
  for study in dict.fromkeys(record.study for record in records):
    ours = [x for x in records if x.study == study and x.approach == '3']
    if not ours:
      continue
    called, clean, named, spoiled = np.sum(
      [
        (
          len(set(x.outliers) - set(x.spoiled)),
          x.runs - len(x.spoiled),
          len(set(x.outliers) & set(x.spoiled)),
          len(x.spoiled),
        )
        for x in ours
        if x.ok
      ]
      or [(0, 0, 0, 0)],
      axis=0,
    )
    tested = [x.rejected for x in ours if x.rejected is not None]
    rows.append(
      [
        study,
        str(len(ours)),
        f'{100 * np.mean([x.ok for x in ours]):.1f}',
        f'{1000 * called / clean:.2f}' if clean else '–',
        f'{100 * named / spoiled:.1f}' if spoiled else '–',
        f'{100 * np.mean(tested):.1f}' if tested else '–',
        f'{np.median([x.seconds for x in ours]):.2f}',
      ]
    )
  return markdown(
    [
      'study', 'studies', 'answer, %', 'clean runs called outliers, per 1,000',
      'spoiled runs named, %', 'form rejected, %', 'seconds a fit',
    ],
    rows,
  )  # fmt: skip


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  lines = [header, ['---'] * len(header), *rows]
  return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'
