"""The tables: what they hold, and that no status hides behind a number."""

import csv
import dataclasses
import io
import re

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np

from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import tables as messages
from scaling_jax.analysis.runs import table as table_lib
from scaling_jax.analysis.study import summary_tables
from tests import golden_case
from tests.analysis import designs
from tests.analysis import studies
from tests.analysis.report import reports

TABLES = (
  'runs', 'budgets', 'power_laws', 'parametric', 'targets', 'hold_out',
  'counting', 'kaplan', 'kaplan_vs_chinchilla', 'curves',
)  # fmt: skip
BAD = tuple(
  status
  for status in Status
  if status not in (Status.OK, Status.NO_DEGREES_OF_FREEDOM)
)


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


def named(analysis):
  return {table.name: table for table in summary_tables.tables(analysis)}


class TablesTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.analysis = studies.analyzed().analysis
    cls.tables = named(cls.analysis)

  def same(self, row, name, interval):
    for end, column in (
      ('value', name), ('low', f'{name}_low'), ('high', f'{name}_high')
    ):  # fmt: skip
      x = getattr(interval, end)
      if np.isfinite(x):
        self.assertEqual(float(row[column]), x)
      else:
        self.assertEqual(row[column], '')

  def test_all_are_there_and_written(self):
    folder = epath.Path(self.create_tempdir().full_path)
    made = self.analysis.tables()
    summary_tables.write(made, folder)
    self.assertEqual(tuple(table.name for table in made), TABLES)
    names = {path.name for path in folder.iterdir()}
    self.assertEqual(names, {'tables.md', *(f'{n}.csv' for n in TABLES)})
    text = (folder / 'tables.md').read_text()
    self.assertEqual(list(parse(text)), [table.title for table in made])
    for table in made:
      self.assertEqual((folder / f'{table.name}.csv').read_text(), table.csv())

  def test_every_row_is_whole(self):
    text = '\n'.join(table.markdown() for table in self.tables.values())
    for title, rows in parse(text).items():
      with self.subTest(title):
        self.assertGreaterEqual(len(rows), 3)
        self.assertLen({len(row) for row in rows}, 1)
        for row in rows:
          self.assertNotIn('', row)

  def test_runs(self):
    rows, runs = read(self.tables['runs']), self.analysis.runs
    self.assertLen(rows, 30)
    for row, run, loss in zip(rows, runs, runs.loss):
      self.assertEqual(row['run_id'], run.run_id)
      for name in ('C', 'N', 'D', 'S'):
        self.assertEqual(float(row[name]), getattr(run, name))
      self.assertEqual(float(row['loss']), loss)
      self.assertEqual(float(row['sem']), run.val_loss_sem)
    (shown,) = [r for r in self.tables['runs'].rows if r[0] == 'c1/gpt-0_seed1']
    self.assertEqual(
      shown[1:6], ['4e14', 'gpt-0', '221,664', '300,777,472', '9,179']
    )

  def test_budgets_and_power_laws(self):
    budgets = self.analysis.isoflop.budgets
    for row, budget in zip(read(self.tables['budgets']), budgets):
      best = budget.optimum()
      self.same(row, 'N_opt', best.N)
      self.same(row, 'D_opt', best.D)
      self.same(row, 'L_min', best.loss)
      self.same(row, 'N_opt_local', budget.N_local())
      self.assertEqual(row['status'], budget.status)
    rows = {row['approach']: row for row in read(self.tables['power_laws'])}
    for name, fit in self.analysis.approaches.items():
      row = rows[messages.written(name)]
      found = fit.conf_int()
      for column, parameter in (
        ('N0', 'N0'), ('a', 'exponent_N'), ('D0', 'D0'), ('b', 'exponent_D'),
      ):  # fmt: skip
        self.same(row, column, found[parameter])
      self.assertEqual(row['status'], 'ok')
    self.assertEqual(list(rows), ['envelope', 'isoflop', 'parametric'])

  def test_parametric_and_targets(self):
    fit = self.analysis.chinchilla
    *own, averaged = read(self.tables['parametric'])
    for row in own:
      self.same(row, 'estimate', fit.conf_int()[row['parameter']])
    self.assertEqual(averaged['parameter'], 'E_averaged')
    self.same(averaged, 'estimate', self.analysis.averaged.conf_int()['E'])
    rows = read(self.tables['targets'])
    self.assertEqual(
      [row['approach'] for row in rows],
      ['envelope', 'isoflop', 'parametric', 'parametric_averaged'],
    )
    C = 10 * designs.BUDGETS[-1]
    laws = (*self.analysis.approaches.values(), self.analysis.averaged)
    for row, one in zip(rows, laws, strict=True):
      best = one.optimum(C=C)
      self.assertEqual(float(row['C']), C)
      self.same(row, 'N', best.N)
      self.same(row, 'D', best.D)
      self.same(row, 'L', best.loss)

  def test_hold_out_counting_and_curves(self):
    held = self.analysis.hold_out
    rows = read(self.tables['hold_out'])
    self.assertLen(rows, len(held.runs) + len(held.optima))
    for row, run in zip(rows, held.runs):
      self.same(row, 'predicted', run.predicted.at())
      self.assertEqual(float(row['actual']), run.actual)
      self.assertEqual(row['inside'], 'yes' if run.inside(0.95) else 'no')
    for row, effect in zip(
      read(self.tables['counting']), self.analysis.counting
    ):
      self.same(row, 'isoflop', effect.isoflop.at())
      self.same(row, 'parametric', effect.chinchilla.at())
    curves = self.analysis.training_curves
    for row, curve in zip(read(self.tables['curves']), curves):
      forecast = curve.forecast()
      self.same(row, 'floor', curve.conf_int()['floor'])
      self.same(row, 'predicted', forecast.predicted)
      self.same(row, 'actual', forecast.actual)
      self.assertEqual(row['status'], curve.status)
      self.assertIn(row['cut_short'], ('yes', 'no', '–'))

  def test_another_level_another_interval(self):
    options = dataclasses.replace(self.analysis.options, level=0.5)
    made = named(reports.changed(options=options))
    for name in ('power_laws', 'parametric', 'targets'):
      wide, narrow = (
        read(t)[-1] for t in (self.tables[name], made[name])
      )  # fmt: skip
      (low,) = [c for c in wide if c.endswith('_low')][:1]
      column = low.removesuffix('_low')
      self.assertEqual(wide[column], narrow[column])
      self.assertLess(float(wide[low]), float(narrow[low]))


class BriefTest(golden_case.GoldenCase):
  def test_it_asks_for_the_laws_alone(self):
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.001)
    found = studies.analyze(studies.as_runs(plan, L))
    names = [table.name for table in summary_tables.brief_tables(found)]
    self.assertEqual(names, ['power_laws', 'parametric', 'targets'])
    for part in ('kaplan', 'hold_out', 'counting', 'training_curves'):
      self.assertNotIn(part, vars(found))

  def test_wording(self):
    analysis = studies.analyzed().analysis
    tables = [table.text() for table in analysis.tables()]
    self.golden(
      'terminal', '\n'.join([summary_tables.brief(analysis), *tables])
    )


class StatusTest(parameterized.TestCase):
  @parameterized.parameters(*BAD)
  def test_its_status_stands_in_a_number_s_place(self, status):
    base = studies.analyzed().analysis
    isoflop = dataclasses.replace(
      base.isoflop,
      status=status,
      budgets=tuple(
        dataclasses.replace(budget, status=status, message='for a reason')
        for budget in base.isoflop.budgets
      ),
    )
    hold_out = dataclasses.replace(
      base.hold_out,
      optima=tuple(
        dataclasses.replace(one, status=status) for one in base.hold_out.optima
      ),
    )
    curves = tuple(
      dataclasses.replace(one, status=status) for one in base.training_curves
    )
    made = named(
      reports.failed(
        reports.changed(
          isoflop=isoflop, hold_out=hold_out, training_curves=curves
        ),
        chinchilla=status,
        envelope=status,
      )
    )
    self.assertNotIn('targets', made)
    self.assertNotIn('parametric', made)
    for row in made['power_laws'].rows:
      self.assertEqual(row[1:], [status] * 4)
    for row in made['budgets'].rows:
      self.assertEqual(row[2:7], [status] * 5)
      self.assertEqual(row[7], '–')
    for row in made['hold_out'].rows[-2:]:
      self.assertEqual(row[1], status)
    for row in made['curves'].rows:
      self.assertEqual(row[1:3], [status] * 2)
    notes = ' '.join(made['budgets'].notes + made['power_laws'].notes)
    self.assertGreater(notes.count('for a reason'), 2)
    # A program finds the status beside its numbers.
    for name in ('power_laws', 'budgets', 'curves'):
      self.assertEqual({row['status'] for row in read(made[name])}, {status})

  def test_three_models_have_no_interval(self):
    plan = designs.design(models=3)
    L = designs.noisy(designs.LAW, plan, 0.002)
    runs = studies.as_runs(plan, L, {'own': (plan.N, plan.C)})
    made = named(studies.analyze(runs))
    none = str(Status.NO_DEGREES_OF_FREEDOM)
    self.assertEqual(set(made['power_laws'].rows[1][1:]), {none})
    for cell in (c for r in made['budgets'].rows for c in r[2:5]):
      self.assertEqual(cell, none)
    for row in read(made['budgets']):
      self.assertEqual((row['N_opt_low'], row['N_opt_high']), ('', ''))
    approaches = [row['approach'] for row in read(made['targets'])]
    self.assertNotIn('isoflop', approaches)

  def test_nothing_found(self):
    plan = designs.design(models=5)
    rng = np.random.default_rng(0)
    L = 1.5 * np.exp(0.01 * rng.normal(size=plan.N.size))
    runs = studies.as_runs(plan, L, {'own': (plan.N, plan.C)})
    made = named(studies.analyze(runs))
    self.assertEqual(set(made), {'runs', 'budgets', 'power_laws', 'hold_out'})
    for name in ('budgets', 'power_laws'):
      for row in made[name].rows:
        for cell in row[1:]:
          self.assertRegex(cell, r'^(\d|[a-z_]+|–)$')
    for row in made['hold_out'].rows:
      self.assertRegex(row[1], r'^([a-z_]+|–)$')
      self.assertEqual(row[3], '–')


class NotesTest(absltest.TestCase):
  def runs(self, **changes):
    return dataclasses.replace(studies.analyzed().analysis.runs, **changes)

  def test_a_name_may_hold_anything(self):
    base = studies.analyzed().analysis.runs
    first = base[0]._replace(run_id='a|b,"c"\nd')
    runs = self.runs(runs=(first, *base.runs[1:]))
    (table, *_) = summary_tables.tables(reports.changed(runs=runs))
    (rows,) = parse(table.markdown()).values()
    self.assertLen({len(row) for row in rows}, 1)
    self.assertLen(rows, 32)
    self.assertIn(r'a\|b,"c" d', [row[0] for row in rows])
    self.assertEqual(read(table)[0]['run_id'], 'a|b,"c"\nd')

  def test_what_was_excluded_and_noted(self):
    before = named(studies.analyzed().analysis)['runs'].notes
    excluded = (table_lib.Excluded('x', 'it diverged'),)
    runs = self.runs(excluded=excluded, notes=('C was computed.',))
    table = named(reports.changed(runs=runs))['runs']
    new = set(table.notes) - set(before)
    self.assertLen(new, 2)
    self.assertIn('C was computed.', new)
    self.assertTrue(any('x: it diverged' in note for note in new))

  def test_a_standard_error_has_a_note(self):
    base = studies.analyzed().analysis.runs
    without = tuple(run._replace(val_loss_sem=np.nan) for run in base)
    with_note = named(studies.analyzed().analysis)['runs'].notes
    table = named(reports.changed(runs=self.runs(runs=without)))['runs']
    self.assertLen(table.notes, len(with_note) - 1)
    self.assertEqual({row[-1] for row in table.rows}, {'–'})

  def test_bias_is_a_share(self):
    base = studies.analyzed().analysis.isoflop
    biases = ((np.log(2), 0.0), (-np.log(2), 0.0), None)
    budgets = tuple(
      dataclasses.replace(budget, bias=bias)
      for budget, bias in zip(base.budgets, biases)
    )
    isoflop = dataclasses.replace(base, budgets=budgets)
    shown = named(reports.changed(isoflop=isoflop))['budgets'].rows
    self.assertEqual([row[-1] for row in shown], ['+100.0%', '-50.0%', '–'])


if __name__ == '__main__':
  absltest.main()
