"""A CSV of runs as text: what it is, by the names of its columns.

Nothing here knows what a law is; `points` turns the lines into numbers.
"""

from collections.abc import Sequence
import csv
import io
import math
import textwrap
from typing import NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.errors import UserError

NATS = 'nats/token'
BITS = 'bits/byte'


class Format(NamedTuple):
  """Columns that tell a kind of table, whatever else it has.

  Attributes:
    name: as people are told.
    unit: of the loss.
    needs: the columns without which it is not this format.
  """

  name: str
  unit: str
  needs: tuple[str, ...]


OURS = Format('scaling_jax', NATS, records.Run._fields)
NANOCHAT = Format(
  'nanochat',
  BITS,
  ('flops_budget', 'depth', 'num_scaling_params', 'tokens_trained', 'val_bpb'),
)
NANOCHAT_BY_GROUP = Format(
  'nanochat (transformer + head)',
  BITS,
  (
    'flops_budget', 'depth', 'params_transformer', 'params_lm_head',
    'tokens_trained', 'val_bpb',
  ),
)  # fmt: skip
PLAIN = Format('C,N,D,loss', NATS, ('N', 'D', 'loss'))
MODEL_SIZE = Format(
  'Model Size,Training FLOP,loss',
  NATS,
  ('Model Size', 'Training FLOP', 'loss'),
)
FORMATS = (OURS, NANOCHAT, NANOCHAT_BY_GROUP, PLAIN, MODEL_SIZE)


class Unusable(ValueError):
  """No law can use this run; the message says why."""


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


class Table(NamedTuple):
  """A CSV file whose format is known."""

  path: epath.Path
  format: Format
  columns: tuple[str, ...]
  lines: tuple[Line, ...]


def read_table(path: epath.PathLike) -> Table:
  """Reads a CSV and tells its format.

  Args:
    path: UTF-8 with or without a byte order mark, commas between the cells, the
      column names in the first line that is not blank. Blank lines don't count.

  Raises:
    UserError: no text, no CSV, or columns that fit no format.
  """
  path = epath.Path(path)
  rows = [(n, row) for n, row in _rows(path) if any(c.strip() for c in row)]
  if not rows:
    raise UserError(
      f'{path} is empty: it must hold a line of column names and a line for'
      ' each run; give another file'
    )
  columns = tuple(name.strip() for name in rows[0][1])
  # Kaplan's columns, and a part of ours, name the plain format's loss so.
  if 'loss' not in columns:
    plain = tuple('loss' if c == 'val_loss' else c for c in columns)
  else:
    plain = columns
  kind = _format(columns) or _format(plain)
  if kind is None:
    raise UserError(_unknown(path, columns))
  if kind is PLAIN:
    columns = plain
  for name in kind.needs:
    if columns.count(name) > 1:
      raise UserError(
        f'{path} has {columns.count(name)} columns named {name!r}: it must be'
        ' told which one counts; rename the others'
      )
  lines = tuple(_line(number, columns, row) for number, row in rows[1:])
  return Table(path, kind, columns, lines)


def positive(name: str, value: float) -> float:
  """The value, or Unusable if no logarithm can be taken of it."""
  if not 0 < value < math.inf:
    raise Unusable(f'{name}={value:g} must be a positive number')
  return value


def number(line: Line, column: str) -> float:
  """A cell that must hold a positive number, or else Unusable is raised."""
  text = line.cells[column].strip()
  if not text:
    raise Unusable(f'{column} is empty')
  try:
    value = float(text)
  except ValueError:
    raise Unusable(f'{column}={text!r} must be a number') from None
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


def _rows(path: epath.Path) -> list[tuple[int, list[str]]]:
  """Line numbers and cells."""
  data = path.read_bytes()
  try:
    if b'\0' in data:
      raise ValueError('a zero byte')
    text = data.decode('utf-8-sig')
    reader = csv.reader(io.StringIO(text, newline=''), skipinitialspace=True)
    return [(reader.line_num, row) for row in reader]
  except (ValueError, csv.Error) as error:
    raise UserError(
      f'{path} is not a table ({error}): it must be a CSV file in UTF-8; give'
      ' a run folder or a CSV'
    ) from error


def _format(columns: Sequence[str]) -> Format | None:
  fits = (kind for kind in FORMATS if set(kind.needs) <= set(columns))
  return next(fits, None)


def _line(number: int, columns: Sequence[str], row: list[str]) -> Line:
  # A comma at a line's end opens a cell that holds nothing: no harm.
  while len(row) > len(columns) and not row[-1].strip():
    row = row[:-1]
  fault = ''
  if len(row) != len(columns):
    fault = f'it has {len(row)} cells instead of {len(columns)}'
  return Line(number, dict(zip(columns, row)), fault)


def _unknown(path: epath.Path, columns: Sequence[str]) -> str:
  found = textwrap.shorten(', '.join(columns), 400, placeholder=' …')
  needs = [
    f'{kind.name!r} needs {", ".join(kind.needs)}'
    for kind in FORMATS
    if kind is not OURS
  ]
  return (
    f'{path} has the columns [{found}], which fit no format: {OURS.name!r}'
    f' needs all {len(OURS.needs)} columns of a results.csv, {OURS.needs[0]} to'
    f' {OURS.needs[-1]}; {"; ".join(needs)}; rename the columns, with commas'
    ' between them'
  )
