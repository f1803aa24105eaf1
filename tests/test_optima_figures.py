"""The figures of the optima, against the law that the example is made from."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis import drawing
from scaling_jax.analysis import figures
from tests import simulated_fits
from tests import test_figures


class OptimalTest(test_figures.Case):
  @parameterized.parameters('N_opt', 'D_opt')
  def test_lines_are_the_minima_of_the_law(self, quantity):
    alt = figures.optimal(self.ax, self.fits, quantity)
    for name in ('isoflop', 'parametric'):
      for C, found in test_figures.data(self.ax, f'{name}-law').T[::16]:
        N = np.exp(np.linspace(math.log(1e4), math.log(1e9), 200_001))
        N = N[np.argmin(simulated_fits.LAW.iso_flop(C, N))]
        best = N if quantity == 'N_opt' else C / 6 / N
        self.assertAlmostEqual(found / best, 1, delta=2e-3)
    for i, budget in enumerate(self.laws['isoflop']['budgets']):
      self.assert_interval(f'budget-{i}-{quantity}', budget[quantity], 'y')
    exponent = self.laws['isoflop'][quantity]['exponent']
    text = '{value:.2f}}}$ [{low:.2f}, {high:.2f}]'.format(**exponent)
    self.assertIn(text, test_figures.texts(self.ax))
    self.assertIn(f'{exponent["value"]:.3g}', alt)
    self.assertEqual(self.ax.get_ylabel(), drawing.LABELS[quantity])

  def test_the_band_and_what_lies_beyond(self):
    figures.optimal(self.ax, self.fits)
    (band,) = test_figures.drawn(self.ax, 'isoflop-band')
    corners = band.get_paths()[0].vertices
    for at in self.laws['isoflop']['at']:
      for end in ('low', 'high'):
        off = np.log(corners / (at['C'], at['N_opt'][end]))
        self.assertLess(np.abs(off).max(axis=1).min(), 1e-9)
    (beyond,) = test_figures.drawn(self.ax, 'isoflop-beyond')
    self.assertNotEqual(beyond.get_linestyle(), '-')
    (shade,) = test_figures.drawn(self.ax, 'extrapolated')
    self.assertEqual(shade.get_x(), 6e14)

  def test_beyond_begins_at_the_last_budget_that_the_law_used(self):
    simulated_fits.fail(self.laws['isoflop']['budgets'][-1])
    figures.optimal(self.ax, self.fits)
    for name, last in (('isoflop', 3e14), ('parametric', 6e14)):
      self.assertAlmostEqual(
        test_figures.data(self.ax, f'{name}-law')[0][-1] / last, 1
      )
      self.assertAlmostEqual(
        test_figures.data(self.ax, f'{name}-beyond')[0][0] / last, 1
      )
    other = test_figures.axes()
    simulated_fits.fail(self.laws['parametric'])
    simulated_fits.fail(self.laws['envelope'])
    figures.optimal(other, self.fits)
    (shade,) = test_figures.drawn(other, 'extrapolated')
    self.assertEqual(shade.get_x(), 3e14)

  def test_a_band_wider_than_the_figure_leaves_no_bare_line(self):
    self.laws['envelope']['at'] = [
      {**at, 'N_opt': {**at['N_opt'], 'low': 1.0, 'high': 1e15}}
      for at in self.laws['envelope']['at']
    ]
    limits = []
    for _ in range(2):
      ax = test_figures.axes()
      figures.optimal(ax, self.fits)
      limits.append(ax.get_ylim())
      self.assertEmpty(test_figures.drawn(ax, 'envelope-law'))
      self.assertLen(test_figures.drawn(ax, 'isoflop-band'), 1)
      self.assertIn(
        'envelope: band wider than the figure', test_figures.texts(ax)
      )
      del self.laws['envelope']['at'][0]  # the rest is as wide
    self.assertEqual(*limits)
    # Alone it is what the page goes by, and is drawn as far as it reaches.
    simulated_fits.fail(self.laws['isoflop'])
    simulated_fits.fail(self.laws['parametric'])
    figures.optimal(self.ax, self.fits)
    self.assertLen(test_figures.drawn(self.ax, 'envelope-band'), 1)
    self.assertLen(test_figures.drawn(self.ax, 'envelope-law'), 1)

  def test_laws_that_failed_are_sentences(self):
    simulated_fits.fail(self.laws['isoflop'], 'Three budgets are too few.')
    simulated_fits.fail(self.laws['parametric'], 'Five parameters, four runs.')
    del self.laws['envelope']
    figures.optimal(self.ax, self.fits)
    self.assertEmpty(test_figures.drawn(self.ax, 'isoflop-law'))
    self.assertEmpty(test_figures.drawn(self.ax, 'parametric-law'))
    self.assertLen(test_figures.drawn(self.ax, 'budget-0-N_opt'), 1)
    self.assertIn('Three budgets are too few.', test_figures.texts(self.ax))
    self.assertIn('Five parameters, four runs.', test_figures.texts(self.ax))


if __name__ == '__main__':
  absltest.main()
