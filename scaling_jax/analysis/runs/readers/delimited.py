"""Text with a line for each run and a delimiter between its cells: a Sheet."""

from collections.abc import Iterator, Sequence
import csv
import io
import itertools
import re
from typing import NamedTuple

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.runs.readers import decimals
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

KINDS = {',': 'CSV', '\t': 'TSV', ';': 'CSV', '|': 'CSV', ' ': 'text'}

_TRIED = 1000  # lines that choose the delimiter
_STATED = re.compile(r'"?sep=([,;|\t:^~ ])"?\s*', re.IGNORECASE)
_RULE = re.compile(r'\s*:?-+:?\s*')  # of a table in Markdown


class Row(NamedTuple):
  """The cells of a line.

  Attributes:
    number: of the line, from 1; a record of several counts by its last.
    cells: their text.
  """

  number: int
  cells: list[str]


def read(text: str, path: str, *, name: str, stem: str) -> Sheet:
  r"""A table of text.

  Args:
    text: commas, tabs, semicolons, bars or, if none of these tells cells apart,
      spaces between the cells; column names in the first line. Blank lines,
      lines with # before the names, and a title above them don't count.
    path: as people are told of errors.
    name: of the sheet.
    stem: see `Sheet`.

  Raises:
    UserError: it is no such text, or there is no line below the names.

  >>> sheet = read('N;D;loss\n1e7;1e9;2,5\n', 'a.csv', name='a.csv', stem='a')
  >>> sheet.lines[0].cells, sheet.decimal_comma
  ({'N': '1e7', 'D': '1e9', 'loss': '2,5'}, True)
  """
  lines = io.StringIO(text, newline='').readlines()
  stated = _blank_preamble(lines)
  try:
    delimiter = stated or find_delimiter(lines)
    rows = list(_rows(lines, delimiter))
  except csv.Error as error:
    raise UserError(messages.no_text(path, error)) from error
  if not any(line.strip() for line in lines):
    raise UserError(messages.empty(path))
  rows = _with_commented_names(text, rows, delimiter)
  return of_rows(
    rows, path, name=name, stem=stem, kind=KINDS.get(delimiter, 'CSV'),
    delimiter=delimiter,
  )  # fmt: skip


def of_rows(
  rows: Sequence[Row],
  path: str,
  *,
  name: str,
  stem: str,
  kind: str,
  delimiter: str,
) -> Sheet:
  """The rows of a table as a sheet; the first has the names.

  Raises:
    UserError: there is no row below the names.
  """
  rows = [row for row in rows if any(cell.strip() for cell in row.cells)]
  rows = _without_title(rows)
  if len(rows) < 2:
    raise UserError(messages.empty(path))
  columns, rows = _columns(rows, delimiter)
  found = decimals.find(
    itertools.chain.from_iterable(row.cells for row in rows), delimiter
  )
  notes = (messages.mixed_decimals(name, found.comma),) if found.mixed else ()
  return Sheet(
    name=name,
    stem=stem,
    kind=kind,
    columns=columns,
    lines=tuple(as_line(row, columns) for row in rows),
    decimal_comma=found.comma,
    notes=notes,
  )


def as_line(row: Row, columns: Sequence[str]) -> Line:
  """A row's cells by column; of two columns of a name, the first counts.

  >>> as_line(Row(2, ['1', '2', '']), ['N', 'D'])
  Line(number=2, cells={'N': '1', 'D': '2'}, fault='')
  """
  cells = row.cells
  # A comma at a line's end opens a cell that holds nothing: no harm.
  while len(cells) > len(columns) and not cells[-1].strip():
    cells = cells[:-1]
  fault = ''
  if len(cells) != len(columns):
    fault = run_messages.wrong_cells(len(cells), len(columns))
  found: dict[str, str] = {}
  for column, cell in zip(columns, cells):
    found.setdefault(column, cell.strip())
  return Line(row.number, found, fault)


def find_delimiter(lines: Sequence[str]) -> str:
  r"""What stands between the cells; a comma if nothing does.

  The names decide first, for they hold no delimiters of another kind as a rule:
  whatever parts them into the most cells that the lines below have as well.

  >>> find_delimiter(['N;loss, nats\n', '1e7;2,5\n', '2e7;2,4\n'])
  ';'
  >>> find_delimiter(['N  D  loss\n', '1e7 1e9  2.5\n'])
  ' '
  """
  best = max(',\t;|', key=lambda delimiter: _merit(lines, delimiter))
  if _merit(lines, best)[0] > 0:
    return best
  by_spaces = _merit(lines, ' ')
  return ' ' if by_spaces[0] > 0.9 else ','


def _merit(lines: Sequence[str], delimiter: str) -> tuple[float, ...]:
  """How well a delimiter parts the lines: more is better, 0 not at all."""
  try:
    rows = list(itertools.islice(_rows(lines, delimiter), _TRIED))
  except csv.Error:
    return (0, 0, 0)
  rows = _without_title(rows)
  if not rows:
    return (0, 0, 0)
  widths = [len(_trimmed(row.cells)) for row in rows]
  names, below = widths[0], widths[1:]
  if names < 2:
    return (0, 0, 0)
  # Names of rows may go without a name of theirs.
  extra = delimiter in ' \t'
  alike = sum(
    names <= len(row.cells) and width <= names + extra
    for row, width in zip(rows[1:], below)
  )
  numbers = sum(_is_number(cell) for row in rows for cell in row.cells)
  share = alike / len(below) if below else 1
  return (round(share, 1) or 0.01, names, numbers)


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[Row]:
  if delimiter == ' ':
    lines = [re.sub(r'[ \t]+', ' ', line.strip()) + '\n' for line in lines]
  reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
  for cells in reader:
    if delimiter == '|':
      cells = _without_frame(cells)
    if any(cell.strip() for cell in cells):
      yield Row(reader.line_num, cells)


def _without_frame(cells: list[str]) -> list[str]:
  """The cells of a line of Markdown; none if it is the rule below the names."""
  if len(cells) > 2 and not cells[0].strip() and not cells[-1].strip():
    cells = cells[1:-1]
  return [] if all(map(_RULE.fullmatch, cells)) else cells


def _blank_preamble(lines: list[str]) -> str:
  """Blanks what stands above the names, and returns a delimiter it states."""
  delimiter = ''
  for i, line in enumerate(lines):
    stated = _STATED.fullmatch(line)
    if stated and not delimiter:
      delimiter = stated[1]
    elif line.strip() and not line.lstrip().startswith('#'):
      break
    lines[i] = '\n'
  return delimiter


def _with_commented_names(
  text: str, rows: list[Row], delimiter: str
) -> list[Row]:
  """The rows, below names in a comment if they have no names of their own."""
  first = _trimmed(rows[0].cells) if rows else []
  if 2 * sum(map(_is_number, first)) < max(len(first), 1):
    return rows
  lines = io.StringIO(text, newline='').readlines()
  above = [
    Row(i + 1, row.cells)
    for i, line in enumerate(lines[: rows[0].number - 1])
    if line.lstrip().startswith('#')
    for row in _rows([line.lstrip().lstrip('#')], delimiter)
  ]
  fits = [row for row in above if len(row.cells) == len(rows[0].cells)]
  return [*fits[-1:], *rows]


def _without_title(rows: list[Row]) -> list[Row]:
  """The rows without those of one cell above a table of several."""
  widths = [len(_trimmed(row.cells)) for row in rows]
  most = max(set(widths), key=widths.count, default=0)
  filled = [sum(bool(cell.strip()) for cell in row.cells) for row in rows]
  first = next((i for i, count in enumerate(filled) if count > 1), 0)
  return rows[first:] if most > 1 and first <= 3 else rows


def _columns(
  rows: Sequence[Row], delimiter: str
) -> tuple[tuple[str, ...], list[Row]]:
  """The names, and the rows below them."""
  columns = [name.strip() for name in rows[0].cells]
  below = list(rows[1:])
  while len(columns) > 1 and not columns[-1]:
    last = len(columns) - 1
    if any(any(c.strip() for c in row.cells[last:]) for row in below):
      break
    columns.pop()
  # R leaves out the name of its names of rows. A comma may be a decimal one.
  if delimiter in ' \t' and all(
    len(_trimmed(row.cells)) == len(columns) + 1 for row in below
  ):
    columns.insert(0, '')
  return tuple(columns), below


def _trimmed(cells: Sequence[str]) -> list[str]:
  """The cells but for empty ones at the end."""
  out = list(cells)
  while out and not out[-1].strip():
    out.pop()
  return out


def _is_number(text: str) -> bool:
  try:
    float(text.strip().replace(',', '.'))
  except ValueError:
    return False
  return True
