"""Parquet, Feather and Excel, as pandas, polars and openpyxl write them."""

import io
import sys
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import openpyxl
import pandas as pd
import polars as pl

from scaling_jax.analysis.runs.readers import files
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase

RUNS = {
  'run_id': ['a', 'b'],
  'N': [10_000_000, 20_000_000],
  'loss': [2.913, None],
  'done': [True, False],
}
CELLS = [
  {'run_id': 'a', 'N': '10000000', 'loss': '2.913', 'done': 'True'},
  {'run_id': 'b', 'N': '20000000', 'loss': '', 'done': 'False'},
]


def bytes_of(write, *args, **kwargs):
  out = io.BytesIO()
  write(out, *args, **kwargs)
  return out.getvalue()


def workbook(**sheets):
  book = openpyxl.Workbook()
  book.remove(book.active)
  for title, rows in sheets.items():
    sheet = book.create_sheet(title)
    for row in rows:
      sheet.append(row)
  return bytes_of(book.save)


def without(*names):
  """As if these packages were not installed."""
  return mock.patch.dict(sys.modules, dict.fromkeys(names))


class ColumnsTest(TableCase):
  @parameterized.parameters((), ('pyarrow',))
  def test_parquet_and_feather(self, *missing):
    for kind, data in (
      ('Parquet', bytes_of(pd.DataFrame(RUNS).to_parquet)),
      ('Parquet', bytes_of(pl.DataFrame(RUNS).write_parquet)),
      ('Feather', bytes_of(pl.DataFrame(RUNS).write_ipc)),
    ):
      path = self.write(data, 'runs.bin')
      with without(*missing):
        (sheet,) = files.read_sheets(path)
      self.assertEqual((sheet.kind, sheet.stem), (kind, 'runs'))
      self.assertEqual([line.cells for line in sheet.lines], CELLS)
      self.assertEqual([line.number for line in sheet.lines], [1, 2])

  def test_structs_are_flattened_and_the_index_is_not_a_column(self):
    df = pd.DataFrame({'N': [1], 'config': [{'lr': 0.5}]}, index=[7])
    (sheet,) = files.read_sheets(self.write(bytes_of(df.to_parquet), 'r'))
    self.assertEqual(sheet.columns, ('N', 'config.lr'))

  def test_refused(self):
    data = bytes_of(pl.DataFrame(RUNS).write_parquet)
    with (
      without('pyarrow', 'polars'),
      self.assertRaisesRegex(UserError, r"r\.parquet .*jax\[tables\]'"),
    ):
      files.read_sheets(self.write(data, 'r.parquet'))
    with self.assertRaisesRegex(UserError, 'cannot be read'):
      files.read_sheets(self.write(data[:50], 'short'))
    none = bytes_of(pl.DataFrame(RUNS).clear().write_parquet)
    with self.assertRaisesRegex(UserError, 'is empty'):
      files.read_sheets(self.write(none, 'none'))


class ExcelTest(TableCase):
  def test_worksheets(self):
    table = [list(RUNS), *zip(*RUNS.values())]
    data = workbook(
      small=table,
      empty=[],
      names=[['N', 'loss']],
      remarks=[['made in May'], ['by hand']],
      large=[['Our runs'], [], [None, 'N', 'loss'], [None, 8.0, 2.5]],
    )
    small, large = files.read_sheets(self.write(data, 'runs.xlsx'))
    self.assertEqual([line.cells for line in small.lines], CELLS)
    self.assertEqual(
      (small.kind, small.name, small.stem),
      ('Excel', 'runs.xlsx [small]', 'runs.small'),
    )
    (line,) = large.lines
    self.assertEqual((line.number, line.cells), (4, {'N': '8', 'loss': '2.5'}))

  def test_what_pandas_writes(self):
    data = bytes_of(pd.DataFrame(RUNS).to_excel, index=False)
    (sheet,) = files.read_sheets(self.write(data, 'runs.csv'))
    self.assertEqual([line.cells for line in sheet.lines], CELLS)
    self.assertEqual((sheet.name, sheet.stem), ('runs.csv', 'runs'))

  def test_numbers_that_were_left_text(self):
    data = workbook(a=[['N', 'loss'], ['1.234.567', 2.5], ['12,5', 2.25]])
    (sheet,) = files.read_sheets(self.write(data, 'runs.xlsx'))
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [{'N': '1234567', 'loss': '2.5'}, {'N': '12.5', 'loss': '2.25'}],
    )
    self.assertFalse(sheet.decimal_comma)

  def test_pandas_reads_what_openpyxl_may_not(self):
    path = self.write(workbook(a=[['N', 'loss'], [1, None], [2, 2.5]]), 'r.xls')
    from scaling_jax.analysis.runs.readers import frames

    with mock.patch.object(frames, '_by_openpyxl', side_effect=ImportError):
      (sheet,) = files.read_sheets(path)
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [{'N': '1', 'loss': ''}, {'N': '2', 'loss': '2.5'}],
    )

  def test_refused(self):
    data = workbook(a=[['N', 'loss'], [1, 2.5]])
    with without('openpyxl', 'python_calamine', 'pandas'):
      with self.assertRaisesRegex(UserError, r"r\.xlsx .*jax\[tables\]'"):
        files.read_sheets(self.write(data, 'r.xlsx'))
      old = self.write(b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(99), 'r.xls')
      with self.assertRaisesRegex(UserError, r'r\.xls .*\.xlsx'):
        files.read_sheets(old)
    with self.assertRaisesRegex(UserError, 'is empty'):
      files.read_sheets(self.write(workbook(a=[['N', 'loss']]), 'r.xlsx'))


if __name__ == '__main__':
  absltest.main()
