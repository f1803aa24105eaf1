"""The report's section on Kaplan's laws."""

import copy

from absl.testing import absltest

from scaling_jax.analysis import bridge
from scaling_jax.analysis import kaplan_tables
from scaling_jax.analysis import report
from tests import kaplan_study
from tests import studies
from tests import test_report


def page(fits):
  return test_report.Page(report.page(fits)).text


class SectionTest(absltest.TestCase):
  def test_laws_losses_and_bridge(self):
    text = page(kaplan_study.fits())
    for law in kaplan_tables.LAWS.values():
      self.assertIn(law.title, text)
    self.assertIn('The critical batch at each loss', text)
    self.assertIn('From Kaplan to Hoffmann', text)

  def test_five_lines_explain_what_moves_the_exponent(self):
    text = page(kaplan_study.fits())
    lines = [
      why for name, (_, why) in bridge.ROWS.items()
      if name not in ('kaplan', 'hoffmann')
    ]  # fmt: skip
    self.assertLen(lines, 5)
    for line in lines:
      self.assertEqual(text.count(line), 1)

  def test_a_law_that_is_not_ok_is_named_with_its_reason(self):
    fits = copy.deepcopy(kaplan_study.fits())
    fits['laws']['kaplan_L_D'].update(
      status='not_identified', sentence='text was all alike'
    )
    self.assertIn('L(D): not_identified Text was all alike.', page(fits))

  def test_where_hoffmann_is_silent_kaplan_is_pointed_to(self):
    self.assertIn('What they do show stands under', page(kaplan_study.fits()))
    self.assertNotIn(
      'What they do show stands under', page(studies.analyzed().fits)
    )

  def test_without_any_law_there_is_no_section(self):
    fits = copy.deepcopy(studies.analyzed().fits)
    for _, _, part in kaplan_tables.parts(fits):
      part['status'] = 'too_few_points'
    fits['bridge'] = []
    self.assertNotIn("Kaplan's laws", page(fits))


if __name__ == '__main__':
  absltest.main()
