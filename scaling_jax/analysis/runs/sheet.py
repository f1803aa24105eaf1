"""A table of runs as it was found: named columns, and the text in their cells.

Every reader of files ends in a Sheet. Nothing here knows what the columns mean.
"""

from collections.abc import Mapping
import dataclasses
from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
  """One line of a table.

  Attributes:
    number: in the file, from 1; a record of several lines counts by its last.
    cells: column name -> text; '' where nothing is known.
    fault: why the cells can't be told apart, or '' when they can.
  """

  number: int
  cells: dict[str, str]
  fault: str = ''


class Evaluations(NamedTuple):
  """What a logger kept of one run on its way.

  Attributes:
    step: [k] updates made, rising.
    loss: [k] in the unit of the table's loss.
    tokens: [k] trained on; nan where unknown.
  """

  step: np.ndarray
  loss: np.ndarray
  tokens: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Sheet:
  """A table, before anyone asks what its columns mean.

  Attributes:
    name: as people are told, such as 'runs.csv' or 'the DataFrame'.
    stem: what names runs that have no name: 'runs' in 'runs:2'; '' calls them
      'run 2'.
    kind: of file, such as 'CSV' or 'JSON lines'.
    columns: names, in their order; one may come twice.
    lines: of which each is a run, or a checkpoint of one.
    decimal_comma: whether 3,25 is a number below 4.
    evaluations: of a run on its way, by the number of its line.
    notes: what a reader of the results should know of the file, a message each.
    word: for a line of it, as people are told.
  """

  name: str
  stem: str
  kind: str
  columns: tuple[str, ...]
  lines: tuple[Line, ...]
  decimal_comma: bool = False
  evaluations: Mapping[int, Evaluations] = dataclasses.field(
    default_factory=dict
  )
  notes: tuple[str, ...] = ()
  word: str = 'line'

  def run_name(self, line: Line) -> str:
    """What a run is called that has no name of its own."""
    return f'{self.stem}:{line.number}' if self.stem else f'run {line.number}'

  def place(self, line: Line) -> str:
    """Where a line stands, as people are told."""
    return f'{self.word} {line.number} of {self.name}'
