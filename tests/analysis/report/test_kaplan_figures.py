"""What Kaplan's figures draw, against the laws they are drawn from."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.report.figures import kaplan
from tests import axes_case
from tests.analysis import kaplan_study
from tests.analysis import studies
from tests.analysis.report import reports
from tests.axes_case import AxesCase
from tests.axes_case import data
from tests.axes_case import drawn
from tests.axes_case import texts

PF_DAY = laws.FLOPS_PER_PF_DAY
REASON = 'for a reason'


def failed(study):
  """Every law of the study with another status; numbers stay behind it."""
  changes = {'status': Status.NOT_IDENTIFIED, 'message': REASON, 'notes': ()}

  def fail(fit):
    parts = {}
    for name in ('L_fit', 'N_fit'):
      if hasattr(fit, name):
        parts[name] = fail(getattr(fit, name))
    return dataclasses.replace(fit, **parts, **changes)

  at = study.at_critical_batch
  at = dataclasses.replace(
    at,
    **{
      name: fail(getattr(at, name))
      for name in ('frontier', 'B_fit', 'S_fit', 'steps')
    },
  )
  batch = study.critical_batch
  targets = tuple(
    dataclasses.replace(t, status=Status.NOT_IDENTIFIED) for t in batch.targets
  )
  return dataclasses.replace(
    study,
    critical_batch=fail(dataclasses.replace(batch, targets=targets)),
    at_critical_batch=at,
    **{
      name: fail(getattr(study, name))
      for name in ('L_N', 'L_D', 'L_ND', 'frontier')
    },
  )


class FiguresTest(AxesCase):
  def setUp(self):
    super().setUp()
    self.analysis = kaplan_study.analysis()
    self.laws = self.analysis.kaplan
    self.at = self.laws.at_critical_batch

  def draw(self, name):
    return kaplan.FIGURES[name](self.ax, self.analysis)

  @parameterized.parameters(*kaplan.FIGURES)
  def test_draws_and_tells(self, name):
    alt = self.draw(name)
    self.assertEndsWith(alt, '.')
    self.assertNotIn('without a law', alt)
    self.assertNotEmpty(self.ax.get_xlabel())
    self.assertNotEmpty(self.ax.get_ylabel())

  @parameterized.parameters(*kaplan.FIGURES)
  def test_no_law_where_it_is_not_ok(self, name):
    self.analysis = reports.changed(self.analysis, kaplan=failed(self.laws))
    alt = self.draw(name)
    for gid in ('law', 'law-interval', *axes_case.gids(self.ax, 'hyperbola')):
      self.assertEmpty(drawn(self.ax, gid))
    if alt and name != 'critical_batch_steps':
      self.assertIn(REASON, alt)
      self.assertIn(REASON, texts(self.ax))

  @parameterized.parameters('N', 'D')
  def test_points_and_the_line(self, letter):
    alt = self.draw(f'kaplan_L_{letter}')
    fit = getattr(self.laws, f'L_{letter}')
    np.testing.assert_array_equal(data(self.ax, 'points'), [fit.x, fit.y])
    x, y = data(self.ax, 'law')
    x_c, alpha = fit.kaplan_form()
    np.testing.assert_allclose(y, fit.law(x))
    self.assertIn(messages.number(alpha), alt)
    # L(N) at one D is curved, which leaves N_c beyond its points unknown.
    self.assertEqual(fit.curved, letter == 'N')
    self.assertEqual(np.isnan(x_c.value), fit.curved)
    self.assertEqual(messages.number(x_c) in alt, not fit.curved)

  @parameterized.parameters(
    ('kaplan_N_opt', 'N_opt'), ('kaplan_N_opt_Cmin', 'N_opt'),
    ('kaplan_B_Cmin', 'B_fit'), ('kaplan_S_Cmin', 'S_fit'),
  )  # fmt: skip
  def test_growth_in_PF_days(self, name, attribute):
    self.draw(name)
    owner = self.at if name.endswith('Cmin') else self.laws
    fit = getattr(owner, attribute)
    x, y = data(self.ax, 'law')
    np.testing.assert_allclose(y, fit.law(x))
    np.testing.assert_allclose(x[[0, -1]], [fit.x.min(), fit.x.max()])
    self.assertLess(x.max(), 1)  # such small models take parts of a day
    self.assertIn('PF-days', self.ax.get_xlabel())

  @parameterized.parameters('kaplan_L_C', 'kaplan_L_Cmin')
  def test_the_hull(self, name):
    self.draw(name)
    owner = self.at if name.endswith('Cmin') else self.laws
    fit = owner.frontier
    x, y = data(self.ax, 'hull')
    np.testing.assert_allclose(x[[0, -1]] * PF_DAY, fit.C[[0, -1]])
    self.assertTrue(np.all(np.diff(y) <= 0))
    touches = data(self.ax, 'touches')
    np.testing.assert_allclose(touches[0] * PF_DAY, [t.C for t in fit.inner])
    self.assertLen(owner.curves, 7)
    for c in owner.curves:
      x, y = data(self.ax, f'curve-{c.run_id}')
      np.testing.assert_allclose(x[[0, -1]] * PF_DAY, c.C[[0, -1]])
      np.testing.assert_allclose(y[[0, -1]], c.L[[0, -1]])

  @parameterized.parameters('kaplan_L_ND', 'kaplan_L_NS')
  def test_families(self, name):
    alt = self.draw(name)
    fit = self.laws.L_ND if name == 'kaplan_L_ND' else self.at.steps
    for N in np.unique(fit.N):
      x, y = data(self.ax, f'law-{N:g}')
      np.testing.assert_allclose(y, fit.law.loss(N, x))
    for interval in fit.conf_int().values():
      self.assertIn(messages.number(interval), alt)

  def test_hyperbolas(self):
    self.draw('critical_batch_steps')
    for i, target in enumerate(self.analysis.critical_batch.targets):
      S, E = data(self.ax, f'loss-{i}')
      np.testing.assert_allclose(E / S, target.B)
      if target.ok:
        S, E = data(self.ax, f'hyperbola-{i}')
        np.testing.assert_allclose(
          (S / target.S_min - 1) * (E / target.E_min - 1), 1, rtol=1e-6
        )
      else:
        self.assertEmpty(drawn(self.ax, f'hyperbola-{i}'))

  def test_other_studies_draw_what_they_have(self):
    self.analysis = studies.analyzed().analysis
    self.assertIn('training curves against C', self.draw('kaplan_L_C'))
    self.assertEqual(self.draw('critical_batch'), '')
    self.assertEqual(self.draw('kaplan_L_Cmin'), '')


if __name__ == '__main__':
  absltest.main()
