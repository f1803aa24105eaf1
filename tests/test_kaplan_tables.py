"""Kaplan's tables: each number of the fits, or its status in its place."""

import copy
import csv
import io

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import kaplan_tables
from scaling_jax.analysis import summary
from tests import kaplan_study
from tests import studies

SECRET = {'value': 0.98765, 'low': 0.98764, 'high': 0.98766}


def read(table):
  return list(csv.DictReader(io.StringIO(table.csv())))


class TablesTest(parameterized.TestCase):
  def test_every_number_is_there(self):
    fits = kaplan_study.fits()
    rows = read(kaplan_tables.laws(fits))
    by_name = {(row['law'], row['number']): row for row in rows}
    for name, law, part in kaplan_tables.parts(fits):
      for number in law.numbers:
        row = by_name[name, number]
        self.assertEqual(row['status'], part['status'])
        for end in ('value', 'low', 'high'):
          column = 'estimate' if end == 'value' else f'estimate_{end}'
          self.assertEqual(float(row[column]), part[number][end])

  def test_what_each_law_lacks_is_said_once(self):
    notes = kaplan_tables.laws(kaplan_study.fits()).notes
    self.assertLen(set(notes), len(notes))
    (beyond,) = [note for note in notes if 'extrapolated' in note]
    self.assertStartsWith(beyond, 'L(C_min); N_opt(C_min); B_crit(C_min); ')

  @parameterized.parameters('too_few_points', 'not_identified')
  def test_a_status_stands_in_a_number_s_place(self, status):
    fits = copy.deepcopy(kaplan_study.fits())
    for name, law, part in kaplan_tables.parts(fits):
      if name != 'kaplan_L_N':
        part.update(status=status, sentence='for a reason')
        part.update(dict.fromkeys(law.numbers, SECRET))
    for at in fits['laws']['critical_batch']['losses']:
      at.update(status=status, S_min=SECRET, E_min=SECRET, B_crit=SECRET)
    for row in fits['bridge']:
      row.update(status=status, exponent=SECRET)
    for make in (kaplan_tables.laws, kaplan_tables.losses,
                 kaplan_tables.bridge):  # fmt: skip
      text = make(fits).markdown()
      self.assertNotIn('0.987', text)
      self.assertIn(status, text)

  def test_losses_that_were_left_out_are_named(self):
    fits = kaplan_study.fits()
    table = kaplan_tables.losses(fits)
    losses = fits['laws']['critical_batch']['losses']
    bad = [at for at in losses if at['status'] != 'ok']
    self.assertLen(table.rows, len(losses))
    self.assertLen(table.notes, len({at['sentence'] for at in bad}))
    notes = ' '.join(table.notes)
    for at in bad:
      self.assertIn(f'{at["L"]:.4g}'[:4], notes)
      self.assertIn(at['sentence'], notes)

  def test_which_tables_a_terminal_shows(self):
    kaplan = ('kaplan', 'critical_batch', 'bridge')
    self.assertEqual(summary.brief(kaplan_study.fits()), kaplan)
    hoffmann = ('power_laws', 'parametric', 'targets')
    self.assertEqual(summary.brief(studies.analyzed().fits), hoffmann)

  def test_no_law_no_table(self):
    fits = copy.deepcopy(kaplan_study.fits())
    for _, _, part in kaplan_tables.parts(fits):
      part['status'] = 'too_few_points'
    # That a study of batches bears no law is an answer.
    self.assertNotEmpty(kaplan_tables.laws(fits).rows)
    fits['laws']['critical_batch']['n_batches'] = 1
    self.assertEmpty(kaplan_tables.laws(fits).rows)


if __name__ == '__main__':
  absltest.main()
