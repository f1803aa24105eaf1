"""What Kaplan's figures draw, against the numbers they are drawn from."""

import copy

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import kaplan_figures
from scaling_jax.analysis import kaplan_tables
from tests import kaplan_study
from tests import studies
from tests import test_figures

PF_DAY = laws.FLOPS_PER_PF_DAY


class FiguresTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.fits = copy.deepcopy(kaplan_study.fits())
    self.laws = self.fits['laws']
    self.ax = test_figures.axes()

  def draw(self, name):
    return kaplan_figures.FIGURES[name](self.ax, self.fits)

  def test_each_has_a_title(self):
    self.assertEqual(
      tuple(kaplan_figures.FIGURES), tuple(kaplan_tables.FIGURES)
    )

  @parameterized.parameters(*kaplan_figures.FIGURES)
  def test_says_what_is_seen(self, name):
    alt = self.draw(name)
    self.assertEndsWith(alt, '.')
    self.assertNotIn('without a law', alt)
    self.assertNotEmpty(self.ax.get_xlabel())
    self.assertNotEmpty(self.ax.get_ylabel())

  @parameterized.parameters(*kaplan_figures.FIGURES)
  def test_no_law_where_it_is_not_ok(self, name):
    for part in self.laws.values():
      part.update(status='not_identified', sentence='for a reason')
    for at in self.laws['critical_batch']['losses']:
      at['status'] = 'not_identified'
    alt = self.draw(name)
    for gid in ('law', 'law-interval', 'hyperbola-0'):
      self.assertEmpty(test_figures.drawn(self.ax, gid))
    if alt and name != 'critical_batch_steps':
      self.assertIn('without a law: for a reason', alt)
      self.assertIn('for a reason', test_figures.texts(self.ax))

  @parameterized.parameters(*kaplan_figures.FIGURES)
  def test_nothing_where_there_is_nothing(self, name):
    # Two budgets' curves are there, and no study of batches.
    self.fits = {'laws': {}, 'source': {'unit': 'nats/token'}}
    self.assertEqual(self.draw(name), '')
    self.assertEmpty(self.ax.lines)

  @parameterized.parameters('kaplan_L_N', 'kaplan_L_D')
  def test_points_and_the_line(self, name):
    self.draw(name)
    part = self.laws[name]
    np.testing.assert_allclose(
      test_figures.data(self.ax, 'points').T, part['points']
    )
    x, y = test_figures.data(self.ax, 'law')
    letter = name[-1]
    scale, alpha = (
      part[f'{letter}_c']['value'],
      part[f'alpha_{letter}']['value'],
    )
    np.testing.assert_allclose(y, (scale / x) ** alpha, rtol=1e-6)

  @parameterized.parameters(
    'kaplan_N_opt', 'kaplan_N_opt_Cmin', 'kaplan_B_Cmin', 'kaplan_S_Cmin'
  )
  def test_growth_in_PF_days(self, name):
    self.draw(name)
    part = self.laws[name]
    x, y = test_figures.data(self.ax, 'law')
    law = laws.PowerLaw(part['coefficient']['value'], part['exponent']['value'])
    np.testing.assert_allclose(y, law(x), rtol=1e-6)
    self.assertIn('PF-days', self.ax.get_xlabel())

  @parameterized.parameters('kaplan_L_C', 'kaplan_L_Cmin')
  def test_the_hull(self, name):
    self.draw(name)
    part = self.laws[name]
    x, y = test_figures.data(self.ax, 'hull')
    np.testing.assert_allclose(x * PF_DAY, part['hull']['C'])
    self.assertTrue(np.all(np.diff(y) <= 0))
    touches = test_figures.data(self.ax, 'touches')
    inside = [t for t in part['touches'] if t['inside']]
    np.testing.assert_allclose(touches[0] * PF_DAY, [t['C'] for t in inside])
    self.assertLen(part['curves'], 7)
    for c in part['curves']:
      drawn = test_figures.data(self.ax, f'curve-{c["run_id"]}')
      np.testing.assert_allclose(drawn[1], c['L'])

  @parameterized.parameters(
    ('kaplan_L_ND', laws.Kaplan), ('kaplan_L_NS', laws.KaplanSteps)
  )
  def test_families(self, name, kind):
    self.draw(name)
    part = self.laws[name]
    law = kind(*(part[field]['value'] for field in kind._fields))
    for N in {p['N'] for p in part['points']}:
      x, y = test_figures.data(self.ax, f'law-{N:g}')
      np.testing.assert_allclose(y, law.loss(N, x))

  def test_hyperbolas(self):
    self.draw('critical_batch_steps')
    for i, at in enumerate(self.laws['critical_batch']['losses']):
      S, E = test_figures.data(self.ax, f'loss-{i}')
      np.testing.assert_allclose(E / S, [b['B'] for b in at['batches']])
      if at['status'] == 'ok':
        S, E = test_figures.data(self.ax, f'hyperbola-{i}')
        ends = at['S_min']['value'], at['E_min']['value']
        np.testing.assert_allclose(
          (S / ends[0] - 1) * (E / ends[1] - 1), 1, rtol=1e-6
        )

  def test_B_crit(self):
    self.draw('critical_batch')
    x, y = test_figures.data(self.ax, 'law')
    part = self.laws['critical_batch']
    law = laws.CriticalBatch(part['B_star']['value'], part['alpha_B']['value'])
    np.testing.assert_allclose(y, law.tokens(x), rtol=1e-6)
    low, high = self.ax.get_xlim()
    self.assertGreater(low, high)  # the loss falls as training goes

  def test_other_studies_draw_what_they_have(self):
    self.fits = studies.analyzed().fits
    self.assertIn('training curves against C', self.draw('kaplan_L_C'))
    self.assertEqual(self.draw('critical_batch'), '')
    self.assertEqual(self.draw('kaplan_L_Cmin'), '')


if __name__ == '__main__':
  absltest.main()
