"""What `summary()` of each kind of fit reads like."""

from absl.testing import absltest

from tests import golden_case
from tests.analysis import kaplan_study
from tests.analysis import studies


class SummaryTest(golden_case.GoldenCase):
  def fits(self):
    found, kaplan = studies.analyzed().analysis, kaplan_study.analysis().kaplan
    curve, *_ = found.training_curves
    return (
      found.chinchilla, found.isoflop, found.envelope, curve, kaplan.L_N,
      kaplan.L_ND, kaplan.frontier, kaplan.critical_batch,
    )  # fmt: skip

  def test_wording(self):
    texts = [fit.summary().text() for fit in self.fits()]
    self.golden('summary', '\n'.join(texts))

  def test_html_holds_what_the_text_does(self):
    for fit in self.fits():
      table = fit.summary()
      html = table._repr_html_()
      for row in table.rows:
        for cell in row:
          self.assertIn(cell, html)


if __name__ == '__main__':
  absltest.main()
