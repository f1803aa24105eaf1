"""The tables: what they hold, and that no status hides behind a number."""

import copy
import csv
import io
import re

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np

from scaling_jax.analysis import summary
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis import words
from tests import studies

SECRET = {'value': 0.987654, 'low': 0.987653, 'high': 0.987655}
TABLES = (
  'runs', 'budgets', 'power_laws', 'parametric', 'targets', 'hold_out',
  'conventions', 'kaplan', 'bridge', 'curves',
)  # fmt: skip
BAD = (
  'minimum_at_edge', 'no_minimum', 'too_few_points', 'not_converged',
  'not_identified',
)  # fmt: skip


def parse(markdown):
  """{title: [rows of cells]} of every table, the heading's row first."""
  found = {}
  for section in re.split(r'^## ', markdown, flags=re.M)[1:]:
    title, *lines = section.splitlines()
    rows = []
    for line in lines:
      if line.startswith('|'):
        cells = re.split(r'(?<!\\)\|', line)
        rows.append([cell.strip() for cell in cells[1:-1]])
    found[title] = rows
  return found


def read(table):
  return list(csv.DictReader(io.StringIO(table.csv())))


def named(fits):
  return {table.name: table for table in summary.tables(fits)}


def markdown(fits):
  return '\n'.join(table.markdown() for table in summary.tables(fits))


def analyzed():
  """A copy of the analysis of thirty runs, to be changed at will."""
  return copy.deepcopy(studies.analyzed().fits)


class FormatTest(parameterized.TestCase):
  @parameterized.parameters(
    (None, '?'), (0.0, '0'), (0.51234, '0.5123'), (221664, '221,664'),
    (1.5, '1.500'), (0.02, '0.02000'), (-100.0, '-100.0'), (999.94, '999.9'),
    (999.96, '1,000'), (3.9374e6, '3.937e+06'), (2.2e-5, '2.200e-05'),
    (-0.05945, '-0.05945'), (-12345.6, '-12,346'),
  )  # fmt: skip
  def test_number(self, x, text):
    self.assertEqual(words.number(x), text)

  @parameterized.parameters(
    (None, '?'), (221664, '221,664'), (3937408, '3.937M'), (1.2442e9, '1.244B'),
    (1e12, '1.000T'), (34e9, '34.00B'), (3e15, '3.000e+15'),
  )  # fmt: skip
  def test_amount(self, x, text):
    self.assertEqual(words.amount(x), text)

  @parameterized.parameters(
    (None, '?'), (86605.6, '86.6K'), (113328.5, '113K'), (7697727, '7.70M'),
    (999_900, '1.00M'), (999, '999.0'), (1.6e9, '1.60B'), (3e15, '3.000e+15'),
  )  # fmt: skip
  def test_short(self, x, text):
    self.assertEqual(words.short(x), text)

  def test_estimate(self):
    x = {'value': 0.5, 'low': 0.4, 'high': 0.6}
    self.assertEqual(words.estimate(x), '0.5000 [0.4000, 0.6000]')
    self.assertEqual(words.estimate({**x, 'high': None}), '0.5000 [0.4000, ?]')
    self.assertEqual(words.estimate(uncertainty.unknown()), '–')
    bare = uncertainty.estimate(0.5, None, 0.95)
    self.assertEqual(
      words.estimate(bare, 'no_degrees_of_freedom'),
      'no_degrees_of_freedom',
    )
    for status in BAD:
      self.assertEqual(words.estimate(x, status), status)
      self.assertEqual(words.estimate(uncertainty.unknown(), status), status)


class TablesTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.fits = studies.analyzed().fits
    cls.tables = named(cls.fits)

  def test_all_are_there_and_written(self):
    folder = epath.Path(self.create_tempdir().full_path)
    made = summary.write(self.fits, folder)
    self.assertEqual(tuple(table.name for table in made), TABLES)
    names = {path.name for path in folder.iterdir()}
    self.assertEqual(names, {'tables.md', *(f'{n}.csv' for n in TABLES)})
    text = (folder / 'tables.md').read_text()
    self.assertEqual(list(parse(text)), [table.title for table in made])
    for table in made:
      self.assertEqual((folder / f'{table.name}.csv').read_text(), table.csv())

  def test_markdown_parses(self):
    for title, rows in parse(markdown(self.fits)).items():
      with self.subTest(title):
        self.assertGreaterEqual(len(rows), 3)
        self.assertLen({len(row) for row in rows}, 1)
        for cell in rows[1]:
          self.assertRegex(cell, r'^-+:?$')
        for row in rows:
          self.assertNotIn('', row)

  def test_plain_text_holds_the_same_cells(self):
    for name, table in self.tables.items():
      with self.subTest(name):
        lines = table.plain().splitlines()
        self.assertEqual(lines[0], table.title)
        for line, row in zip(lines[2:], table.rows):
          self.assertEqual(line.split(), ' '.join(row).split())

  def test_csvs_read_back(self):
    for name, table in self.tables.items():
      with self.subTest(name):
        rows = read(table)
        self.assertLen(rows, len(table.rows))
        self.assertLen(set(table.csv_columns), len(table.csv_columns))
        for row, wrote in zip(rows, table.csv_rows):
          for text, value in zip(row.values(), wrote):
            if isinstance(value, float):
              self.assertEqual(float(text), value)
            else:
              self.assertEqual(text, str(value))

  def test_runs(self):
    rows = read(self.tables['runs'])
    self.assertLen(rows, 30)
    for row, run in zip(rows, self.fits['runs']):
      self.assertEqual(row['run_id'], run['run_id'])
      for name in ('C', 'N', 'D', 'S', 'loss', 'sem'):
        self.assertEqual(float(row[name]), run[name])
    (shown,) = [r for r in self.tables['runs'].rows if r[0] == 'c1/gpt-0_seed1']
    self.assertEqual(
      shown[1:6], ['4e+14', 'gpt-0', '221,664', '300,777,472', '9,179']
    )

  def test_budgets_and_power_laws(self):
    laws = self.fits['laws']
    for row, b in zip(read(self.tables['budgets']), laws['isoflop']['budgets']):
      for name in ('N_opt', 'D_opt', 'L_min'):
        self.same(row, name, b[name])
      self.assertEqual(row['status'], b['status'])
    rows = {row['approach']: row for row in read(self.tables['power_laws'])}
    for name in ('envelope', 'isoflop'):
      for column, field, part in (
        ('N0', 'N_opt', 'coefficient'), ('a', 'N_opt', 'exponent'),
        ('D0', 'D_opt', 'coefficient'), ('b', 'D_opt', 'exponent'),
      ):  # fmt: skip
        self.same(rows[name], column, laws[name][field][part])
      self.assertEqual(rows[name]['status'], 'ok')
    self.same(rows['parametric'], 'a', laws['parametric']['exponent_N'])

  def test_parametric_and_targets(self):
    law = self.fits['laws']['parametric']
    for row in read(self.tables['parametric']):
      self.same(row, 'estimate', law[row['parameter']])
    notes = ' '.join(self.tables['parametric'].notes)
    self.assertIn(f'{law["n_agree"]} of {law["n_starts"]} starts', notes)
    rows = read(self.tables['targets'])
    self.assertEqual(
      [row['approach'] for row in rows], ['envelope', 'isoflop', 'parametric']
    )
    C = 10 * studies.BUDGETS[-1]
    (at,) = [row for row in law['at'] if row['C'] == C]
    self.assertEqual(float(rows[-1]['C']), C)
    self.same(rows[-1], 'N', at['N_opt'])
    self.same(rows[-1], 'D', at['D_opt'])
    self.same(rows[-1], 'L', at['L'])
    self.assertEqual((rows[0]['L'], rows[0]['L_low']), ('', ''))

  def same(self, row, name, estimate):
    for end, column in (
      ('value', name), ('low', f'{name}_low'), ('high', f'{name}_high')
    ):  # fmt: skip
      self.assertEqual(float(row[column]), estimate[end])


class StatusTest(parameterized.TestCase):
  @parameterized.parameters(*BAD)
  def test_its_status_stands_in_a_number_s_place(self, status):
    fits = analyzed()
    laws = fits['laws']
    for law in laws.values():
      law.update(status=status, sentence='for a reason')
    for law in (laws[name] for name in words.TITLES):
      for row in law['at']:
        row.update(N_opt=SECRET, D_opt=SECRET)
      for name in ('N_opt', 'D_opt'):
        law[name] = {'coefficient': SECRET, 'exponent': SECRET}
    for name in ('E', 'A', 'B', 'alpha', 'beta', 'N0', 'D0', 'exponent_N',
                 'exponent_D'):  # fmt: skip
      laws['parametric'][name] = SECRET
    for part in laws['isoflop']['budgets']:
      part.update(status=status, N_opt=SECRET, D_opt=SECRET, L_min=SECRET,
                  N_opt_local=SECRET, sentence='for a reason')  # fmt: skip
    for part in fits['hold_out']['optima']:
      part.update(status=status, predicted=SECRET)
    for part in fits['curves']:
      part.update(status=status, floor=SECRET, exponent=SECRET)
    text = markdown(fits)
    self.assertNotIn('0.9876', text)
    self.assertNotIn('0.9877', text)
    self.assertGreater(text.count('for a reason'), 5)
    made = named(fits)
    self.assertNotIn('targets', made)
    self.assertNotIn('parametric', made)
    for row in made['power_laws'].rows:
      self.assertEqual(row[1:], [status] * 4)
    for row in made['budgets'].rows:
      self.assertEqual(row[2:6], [status] * 4)
    # A program finds the status beside its numbers.
    for name in ('power_laws', 'budgets', 'curves'):
      self.assertEqual({row['status'] for row in read(made[name])}, {status})

  def test_three_models_have_no_interval_and_say_so(self):
    plan = studies.design(models=3)
    L = studies.noisy(studies.LAW, plan, 0.002)
    points = studies.as_points(plan, L, {'own': (plan.N, plan.C)})
    made = named(studies.analyze(studies.as_source(points)))
    row = made['power_laws'].rows[1]
    for cell in row[1:]:
      self.assertEqual(cell, 'no_degrees_of_freedom')
    self.assertIn('no noise to judge by', ' '.join(made['power_laws'].notes))
    for cell in (c for r in made['budgets'].rows for c in r[2:5]):
      self.assertEqual(cell, 'no_degrees_of_freedom')
    for row in read(made['budgets']):
      self.assertEqual((row['N_opt_low'], row['N_opt_high']), ('', ''))
    approaches = [row[1] for row in made['targets'].rows]
    self.assertNotIn('2, isoFLOP', approaches)

  def test_nothing_found(self):
    plan = studies.design(models=5)
    rng = np.random.default_rng(0)
    L = 1.5 * np.exp(0.01 * rng.normal(size=plan.N.size))
    points = studies.as_points(plan, L, {'own': (plan.N, plan.C)})
    made = named(studies.analyze(studies.as_source(points)))
    self.assertEqual(set(made), {'runs', 'budgets', 'power_laws', 'hold_out'})
    for name in ('budgets', 'power_laws'):
      for row in made[name].rows:
        for cell in row[1:]:
          self.assertRegex(cell, r'^(\d|[a-z_]+|–)$')
    for row in made['hold_out'].rows:
      self.assertRegex(row[1], r'^([a-z_]+|–)$')
      self.assertEqual(row[3], '–')


class WordsTest(absltest.TestCase):
  def test_a_name_may_hold_anything(self):
    fits = analyzed()
    fits['runs'][0]['run_id'] = 'a|b,"c"\nd'
    (table, *_) = summary.tables(fits)
    rows = parse(table.markdown())['Runs']
    self.assertLen({len(row) for row in rows}, 1)
    self.assertLen(rows, 32)
    self.assertIn(r'a\|b,"c" d', [row[0] for row in rows])
    self.assertEqual(read(table)[0]['run_id'], 'a|b,"c"\nd')

  def test_what_was_left_out_and_noted(self):
    fits = analyzed()
    fits['source']['left_out'] = [{'run_id': 'x', 'reason': 'it diverged'}]
    fits['source']['notes'] = ['C was computed.']
    (table, *_) = summary.tables(fits)
    self.assertIn('Left out: x: it diverged', table.notes)
    self.assertIn('C was computed.', table.notes)
    self.assertIn('C was computed.', table.markdown())

  def test_a_standard_error_is_called_one(self):
    fits = analyzed()
    table = named(fits)['runs']
    self.assertEqual(table.columns[-1], '± (s.e.)')
    self.assertIn('± is one standard error', ' '.join(table.notes))
    for run in fits['runs']:
      run['sem'] = None
    self.assertNotIn('±', ' '.join(named(fits)['runs'].notes))

  def test_bias_is_a_share(self):
    fits = analyzed()
    budgets = fits['laws']['isoflop']['budgets']
    for budget, bias in zip(budgets, (np.log(2), -np.log(2), None)):
      budget['bias'] = bias
    shown = [row[-1] for row in named(fits)['budgets'].rows]
    self.assertEqual(shown, ['+100.0 %', '-50.0 %', '–'])


if __name__ == '__main__':
  absltest.main()
