"""A CSV file as text: lines, and what is in their cells.

Nothing here knows what the columns mean; `foreign` does.
"""

from collections.abc import Sequence
import csv
import io
import math
from typing import NamedTuple

from etils import epath

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.errors import UserError


class Unusable(ValueError):
  """No law can use this run; the message tells why, and `kind` a program."""

  def __init__(self, reason: str, kind: Exclusion = Exclusion.BAD_VALUE):
    super().__init__(reason)
    self.kind = kind


class Line(NamedTuple):
  """One line of a table.

  Attributes:
    number: in the file, from 1; a record of several lines counts by its last.
    cells: column name -> text.
    fault: why the cells can't be told apart, or '' when they can.
  """

  number: int
  cells: dict[str, str]
  fault: str


def read_rows(path: epath.Path) -> list[tuple[int, list[str]]]:
  """Line numbers and cells of the lines that are not blank.

  Args:
    path: UTF-8 with or without a byte order mark, commas between the cells, the
      column names in the first line that is not blank. Blank lines don't count.

  Raises:
    UserError: no text, no CSV, or nothing in it.
  """
  data = path.read_bytes()
  try:
    if b'\0' in data:
      raise ValueError('a zero byte')
    text = data.decode('utf-8-sig')
    reader = csv.reader(io.StringIO(text, newline=''), skipinitialspace=True)
    rows = [(reader.line_num, row) for row in reader]
  except (ValueError, csv.Error) as error:
    raise UserError(
      f'{path} is not a table ({error}): it must be a CSV file in UTF-8; give'
      ' a run folder or a CSV'
    ) from error
  rows = [(n, row) for n, row in rows if any(cell.strip() for cell in row)]
  if not rows:
    raise UserError(
      f'{path} is empty: it must hold a line of column names and a line for'
      ' each run; give another file'
    )
  return rows


def as_line(number: int, columns: Sequence[str], row: list[str]) -> Line:
  """A line's cells by column."""
  # A comma at a line's end opens a cell that holds nothing: no harm.
  while len(row) > len(columns) and not row[-1].strip():
    row = row[:-1]
  fault = ''
  if len(row) != len(columns):
    fault = messages.wrong_cells(len(row), len(columns))
  return Line(number, dict(zip(columns, row)), fault)


def positive(name: str, value: float) -> float:
  """The value, or Unusable if no logarithm can be taken of it."""
  if not 0 < value < math.inf:
    raise Unusable(messages.not_positive(name, value))
  return value


def number(line: Line, column: str) -> float:
  """A cell that must hold a positive number, or else Unusable is raised."""
  text = line.cells[column].strip()
  if not text:
    raise Unusable(messages.empty_cell(column))
  try:
    value = float(text)
  except ValueError:
    raise Unusable(messages.no_number(column, text)) from None
  return positive(column, value)


def optional(line: Line, column: str) -> float:
  """A cell that may be absent, empty or senseless: then it is nan."""
  try:
    value = float(line.cells.get(column, ''))
  except ValueError:
    return math.nan
  return value if math.isfinite(value) else math.nan


def whole(line: Line, column: str) -> int:
  """The same for a whole number, 0 where there is none."""
  value = optional(line, column)
  return 0 if math.isnan(value) else int(value)
