"""Parquet, Feather and Excel by whichever package is there to read them."""

from collections import Counter
from collections.abc import Iterator, Sequence
import io
from typing import Any
import warnings

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.readers import decimals
from scaling_jax.analysis.runs.readers import delimited
from scaling_jax.analysis.runs.readers import json_table
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

PARQUET = 'Parquet'
FEATHER = 'Feather'
EXCEL = 'Excel'

_MAGIC = {b'PAR1': PARQUET, b'ARROW1': FEATHER}
_ZIP = b'PK'  # of a workbook of the new kind
_EXTRA = 'tables'


def kind_of(data: bytes) -> str:
  """PARQUET or FEATHER if bytes open as one, or else ''.

  >>> kind_of(b'PAR1...'), kind_of(b'N,D')
  ('Parquet', '')
  """
  return next((k for m, k in _MAGIC.items() if data.startswith(m)), '')


def read_columns(data: bytes, path: str, *, name: str, stem: str) -> Sheet:
  """A Parquet or Feather file as a sheet.

  Args:
    data: of the file.
    path: as people are told of errors.
    name: of the sheet.
    stem: see `Sheet`.

  Raises:
    UserError: no package can read it, it is damaged, or has no row.
  """
  kind = kind_of(data)
  readers = (_by_pyarrow, _by_polars)
  for reader in readers:
    try:
      records = reader(data, kind)
      break
    except ImportError:
      continue
    except Exception as error:  # whatever a library of frames may raise
      raise UserError(messages.corrupt(path, kind, error)) from error
  else:
    raise UserError(messages.needs_package(path, f'{kind}', _EXTRA))
  if not records:
    raise UserError(messages.empty(path))
  return json_table.of_records(records, name=name, stem=stem, kind=kind)


def read_excel(data: bytes, path: str, *, name: str, stem: str) -> list[Sheet]:
  """The worksheets of a workbook that hold a line of names and a row.

  Args:
    data: of the file, .xlsx or .xls.
    path: as people are told of errors.
    name: of the workbook.
    stem: see `Sheet`.

  Raises:
    UserError: no package can read it, it is damaged, or no worksheet has a row.
  """
  readers = (_by_openpyxl, _by_calamine, _by_pandas)
  for reader in readers[0 if data.startswith(_ZIP) else 1 :]:
    try:
      with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of styles and the like
        found = dict(reader(data))
      break
    except ImportError:
      continue
    except Exception as error:  # whatever a library of workbooks may raise
      raise UserError(messages.corrupt(path, EXCEL, error)) from error
  else:
    if not data.startswith(_ZIP):
      raise UserError(messages.old_excel(path))
    raise UserError(messages.needs_package(path, EXCEL, _EXTRA))
  filled = {title: rows for title, rows in found.items() if len(rows) > 1}
  if not filled:
    raise UserError(messages.empty(path))
  # A worksheet of one column has remarks, if another has more.
  wide = {k: v for k, v in filled.items() if len(v[0].cells) > 1}
  filled = wide or filled
  several = len(filled) > 1
  return [
    delimited.of_rows(
      rows,
      path,
      name=f'{name} [{title}]' if several else name,
      stem=f'{stem}.{title}' if several else stem,
      kind=EXCEL,
      delimiter=',',
    )
    for title, rows in filled.items()
  ]


def _by_pyarrow(data: bytes, kind: str) -> list[dict[str, Any]]:
  from pyarrow import feather
  from pyarrow import parquet

  if kind == PARQUET:
    table = parquet.read_table(io.BytesIO(data))
  else:
    table = feather.read_table(io.BytesIO(data))
  # pandas keeps the numbers of rows so.
  names = [n for n in table.column_names if not n.startswith('__index_level_')]
  return table.select(names).to_pylist()


def _by_polars(data: bytes, kind: str) -> list[dict[str, Any]]:
  import polars as pl

  if kind == PARQUET:
    return pl.read_parquet(io.BytesIO(data)).to_dicts()
  return pl.read_ipc(io.BytesIO(data)).to_dicts()


_Sheets = Iterator[tuple[str, list[delimited.Row]]]


def _by_openpyxl(data: bytes) -> _Sheets:
  import openpyxl

  book = openpyxl.load_workbook(
    io.BytesIO(data), read_only=True, data_only=True
  )
  for sheet in book.worksheets:
    yield sheet.title, _rows(list(sheet.iter_rows(values_only=True)))


def _by_calamine(data: bytes) -> _Sheets:
  import python_calamine

  book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
  for title in book.sheet_names:
    rows = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
    yield title, _rows(rows)


def _by_pandas(data: bytes) -> _Sheets:
  import pandas as pd

  found = pd.read_excel(
    io.BytesIO(data), sheet_name=None, header=None, dtype=object
  )
  for title, frame in found.items():
    yield str(title), _rows(frame.to_numpy().tolist())


def _rows(values: Sequence[Sequence[Any]]) -> list[delimited.Row]:
  """Cells as text, without columns and rows in which there is nothing."""
  written = [x for row in values for x in row if isinstance(x, str)]
  comma = decimals.find(written).comma
  texts = [
    [
      decimals.with_point(x) if comma and isinstance(x, str) else _text(x)
      for x in row
    ]
    for row in values
  ]
  filled = Counter(i for row in texts for i, cell in enumerate(row) if cell)
  # A cell alone in its column is a title, a remark or a name without values.
  used = sorted(i for i, count in filled.items() if count > 1)
  rows = [
    delimited.Row(n, [row[i] if i < len(row) else '' for i in used])
    for n, row in enumerate(texts, 1)
  ]
  return [row for row in rows if any(row.cells)]


def _text(value: Any) -> str:
  """A cell; workbooks have no whole numbers, but 8.0 is shown as 8."""
  if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
    return str(int(value))
  return cells.text(value)
