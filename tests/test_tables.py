"""Tables: each form read back by a reader that is not ours."""

import csv
import html.parser
import io
import math
import sys
import types
import unittest.mock

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import tables
from scaling_jax.errors import UserError


def interval(value, low, high):
  return types.SimpleNamespace(value=value, low=low, high=high)


def laws() -> tables.Table:
  table = tables.Table('laws', 'Laws')
  table.add(
    {'law': 'a|b', 'alpha': interval(1 / 3, 0.3, math.inf), 'n': 12},
    {'law': 'a|b', 'alpha': '0.3333 [0.3000, ?]', 'n (runs)': '12'},
  )
  table.add(
    {
      'law': 'c_d & 5%',
      'alpha': interval(math.nan, math.nan, math.nan),
      'n': 7,
    },
    {'law': 'c_d & 5%', 'alpha': 'not_identified', 'n (runs)': '7'},
  )
  table.notes.append('E < L.')
  return table


class Reader(html.parser.HTMLParser):
  """Cells by row, the caption, the notes."""

  def __init__(self):
    super().__init__()
    self.rows, self.caption, self.notes, self._tag = [], '', [], ''

  def handle_starttag(self, tag, attrs):
    self._tag = tag
    if tag == 'tr':
      self.rows.append([])

  def handle_data(self, data):
    if self._tag in ('td', 'th'):
      self.rows[-1].append(data)
    elif self._tag == 'caption':
      self.caption = data
    elif self._tag == 'li':
      self.notes.append(data)


class TextTest(absltest.TestCase):
  def test_columns_stand_below_one_another(self):
    lines = laws().text().splitlines()
    self.assertEqual(lines[0], 'Laws')
    self.assertEqual(lines[-1], 'E < L.')
    head, first, second = lines[1:4]
    self.assertEqual(head.index('law'), first.index('a|b'))
    self.assertEqual(len(first), len(second))  # numbers end below each other
    self.assertEqual(str(laws()), laws().text())

  def test_no_rows(self):
    table = tables.Table('laws', 'Laws')
    self.assertEqual(table.text(), 'Laws\n')
    self.assertEqual(table.csv(), '\n')
    self.assertNotIn('|', table.markdown())
    self.assertIn('<caption>Laws', table.html())

  def test_white_space_within_a_cell(self):
    table = tables.Table('laws', 'Laws')
    table.add({'a': 'x'}, {'a': 'x\n  y'})
    self.assertEqual(table.rows, [['x y']])


class MarkdownTest(absltest.TestCase):
  def test_a_bar_ends_no_cell(self):
    lines = laws().markdown().splitlines()
    self.assertEqual(lines[0], '## Laws')
    grid = [line for line in lines if line.startswith('|')]
    bare = [line.replace(r'\|', '') for line in grid]
    self.assertEqual([line.count('|') for line in bare], [4, 4, 4, 4])
    self.assertRegex(grid[1], r'^\| -+ \| -+:? \| -+: \|$')
    self.assertIn(r'a\|b', grid[2])
    self.assertEqual(lines[-1], '- E < L.')


class LatexTest(parameterized.TestCase):
  @parameterized.parameters(
    ('c_d & 5%', r'c\_d \& 5\%'),
    ('a|b #1 {x} ~ ^ $', r'a$|$b \#1 \{x\} \textasciitilde{} \textasciicircum{} \$'),
    ('\\', r'\textbackslash{}'),
    ('1.82 [1.77, 1.87]', '1.82 [1.77, 1.87]'),
    ('-0.34 [-0.4, ?]', '$-0.34$ [$-0.4$, ?]'),
    ('3.05e-7 [1e-8, 4e14]', r'$3.05\times10^{-7}$ [$10^{-8}$, $4\times10^{14}$]'),
    ('[1, 2]', '{}[1, 2]'),
    ('gpt-2', 'gpt-2'),
    ('86.6K', '86.6K'),
    ('1,234', '1,234'),
    ('10¹⁴', '10$^1$$^4$'),
    ('D^0.95 ∝ N', r'D\textasciicircum{}0.95 $\propto$ N'),
  )  # fmt: skip
  def test_a_cell(self, text, latex):
    table = tables.Table('t', 'T')
    table.add({'a': text}, {'a': text})
    self.assertEqual(table.latex().splitlines()[4], latex + r' \\')

  def test_a_booktabs_tabular(self):
    lines = laws().latex().splitlines()
    self.assertEqual(lines[0], r'\begin{tabular}{lrr}')
    self.assertEqual(lines[1], r'\toprule')
    self.assertEqual(lines[3], r'\midrule')
    self.assertEqual(lines[-2:], [r'\bottomrule', r'\end{tabular}'])
    for line in (lines[2], *lines[4:6]):
      self.assertEqual(line.replace(r'\&', '').count('&'), 2)


class DataTest(absltest.TestCase):
  def read(self, table):
    return list(csv.DictReader(io.StringIO(table.csv())))

  def test_csv_has_all_digits_and_both_ends(self):
    first, second = self.read(laws())
    self.assertEqual(
      list(first), ['law', 'alpha', 'alpha_low', 'alpha_high', 'n']
    )
    self.assertEqual(float(first['alpha']), 1 / 3)
    self.assertEqual(float(first['alpha_low']), 0.3)
    self.assertEqual(first['alpha_high'], '')  # open
    self.assertEqual((second['alpha'], second['n']), ('', '7'))

  def test_numpy_numbers_are_written_as_numbers(self):
    table = tables.Table('t', 'T')
    row = {'a': np.float64(0.1), 'b': np.int64(3), 'c': np.float32(np.nan)}
    table.add(row, {'a': '0.1'})
    self.assertEqual(table.csv(), 'a,b,c\n0.1,3,\n')

  def test_an_interval_that_the_first_row_lacks(self):
    table = tables.Table('t', 'T')
    table.add({'x': None, 'y': 1}, {'x': '–'})
    table.add({'x': interval(2.0, 1.0, 3.0), 'z': 5}, {'x': '2'})
    first, second = self.read(table)
    self.assertEqual(list(first), ['x', 'x_low', 'x_high', 'y', 'z'])
    self.assertEqual(list(first.values()), ['', '', '', '1', ''])
    self.assertEqual(list(second.values()), ['2.0', '1.0', '3.0', '', '5'])

  def test_data_frame(self):
    frame = laws().to_dataframe()
    self.assertEqual(frame.columns[1], 'alpha')
    self.assertEqual(frame['n'].sum(), 19)
    self.assertEqual(frame['alpha'][0], 1 / 3)

  def test_data_frame_without_pandas(self):
    with (
      unittest.mock.patch.dict(sys.modules, {'pandas': None}),
      self.assertRaises(UserError),
    ):
      laws().to_dataframe()


class HtmlTest(absltest.TestCase):
  def test_a_parser_reads_the_same_cells(self):
    table = laws()
    reader = Reader()
    reader.feed(table.html())
    self.assertEqual(reader.caption, 'Laws')
    self.assertEqual(reader.notes, ['E < L.'])
    self.assertEqual(reader.rows, [table.columns, *table.rows])
    self.assertEqual(table._repr_html_(), table.html())

  def test_nothing_of_a_name_is_markup(self):
    table = tables.Table('t', '<b>')
    table.add({'a': '<script>'}, {'a': '<script>'})
    table.notes.append('<i>')
    for tag in ('<b>', '<script>', '<i>'):
      self.assertNotIn(tag, table.html())


class AlignmentTest(parameterized.TestCase):
  @parameterized.parameters(
    '12', '-0.34 [-0.4, ?]', '1.2B [?, ?]', '86.6K', '95%', '1e14', '3.05e-7',
    '1.28 × 10¹⁴', '10¹⁴', '42s', '8m05s', '3h20m', '6.7 days', '28.2 ktok/s',
  )  # fmt: skip
  def test_numbers_are_flush_right(self, text):
    self.assertEqual(self.side(text), 'r')

  @parameterized.parameters(
    '2x64', 'gpt-2', 'nan', 'inf', '1_0', '?', '–', '', 'not_converged', '3d',
    '2026-11-26',
  )  # fmt: skip
  def test_words_are_flush_left(self, text):
    self.assertEqual(self.side(text), 'l')

  def side(self, text):
    table = tables.Table('t', 'T')
    table.add({'a': text}, {'a': text})
    return table.latex().splitlines()[0][-2]


class AlignedTest(absltest.TestCase):
  def test_columns(self):
    rows = [('run', 'N'), ('a', '12'), ('long', '3')]
    self.assertEqual(
      tables.aligned(rows, [True, False]), ['run    N', 'a     12', 'long   3']
    )
    self.assertEqual(
      tables.columns(rows[0], rows[1:]), 'run    N\na     12\nlong   3'
    )

  def test_markdown(self):
    found = tables.aligned(
      [('a', 'b'), ('xy', '1')], [True, False], between=' | ', before='| ',
      after=' |', rule=True,
    )  # fmt: skip
    self.assertEqual(found, ['| a  | b |', '| -- | : |', '| xy | 1 |'])

  def test_nothing(self):
    self.assertEqual(tables.aligned([], []), [])


if __name__ == '__main__':
  absltest.main()
