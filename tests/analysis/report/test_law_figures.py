"""The figures of the parametric law, against the law and its runs."""

import dataclasses

from absl.testing import absltest
from matplotlib.figure import Figure
import numpy as np

from scaling_jax import published
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.report.figures import law
from scaling_jax.analysis.report.figures import panels
from scaling_jax.analysis.study.analyze import Analysis
from tests.analysis import studies
from tests.analysis.report import reports
from tests.axes_case import AxesCase
from tests.axes_case import data
from tests.axes_case import drawn
from tests.axes_case import texts


def study() -> Analysis:
  return studies.analyzed().analysis


class LawTest(AxesCase):
  def setUp(self):
    super().setUp()
    self.fit = study().chinchilla

  def test_contours_lie_on_the_law(self):
    alt = law.contours(self.ax, study())
    (surface,) = [a for a in self.ax.collections if hasattr(a, 'levels')]
    for level, path in zip(surface.levels, surface.get_paths()):
      D, N = path.vertices.T
      np.testing.assert_allclose(self.fit.law.loss(N, D), level, rtol=3e-3)
    D, N = data(self.ax, 'frontier')
    # Along the frontier no exchange of N for D at the same C helps.
    slope = self.fit.cost.slope
    for shift in (0.9, 1.1):
      np.testing.assert_array_less(
        self.fit.law.loss(N, D),
        self.fit.law.loss(N * shift, D * shift**slope),
      )
    (points,) = drawn(self.ax, 'runs')
    counted = study().counted
    np.testing.assert_array_equal(
      points.get_offsets(), np.column_stack([counted.D, counted.N])
    )
    self.assertIn(messages.number(self.fit.conf_int()['alpha']), alt)

  def test_contours_of_a_failed_law_are_the_runs(self):
    alt = law.contours(self.ax, reports.failed(chinchilla='not_converged'))
    self.assertLen(self.ax.collections, 1)
    self.assertLen(drawn(self.ax, 'note'), 1)
    self.assertNotIn(messages.number(self.fit.conf_int()['alpha']), alt)

  def test_residuals(self):
    law.residuals(self.ax, study())
    counted = study().counted
    budget = np.array(study().grouping.budget_of)
    for i in range(3):
      x, y = data(self.ax, f'residuals-{i}')
      np.testing.assert_allclose(x * np.exp(y / 100), counted.loss[budget == i])
    (band,) = drawn(self.ax, 'residual-sd')
    sd = study().seed_sd.sd
    self.assertAlmostEqual(band.get_y(), -100 * sd)
    self.assertAlmostEqual(band.get_height(), 200 * sd)

  def test_residuals_far_off_are_arrows(self):
    loss = self.fit.loss.copy()
    loss[2] *= np.exp(0.9)
    analysis = reports.changed(
      chinchilla=dataclasses.replace(self.fit, loss=loss)
    )
    self.assertIn('90', law.residuals(self.ax, analysis))
    self.assertLess(self.ax.get_ylim()[1], 10)
    self.assertLen(drawn(self.ax, f'beyond-{study().counted[2].run_id}'), 1)

  def test_predicted(self):
    alt = law.predicted(self.ax, study())
    test = study().hold_out
    inside, n = test.counts(0.95)
    self.assertIn(f'{n} runs held out', alt)
    self.assertIn(f'{inside} lie inside', alt)
    for inset in self.ax.child_axes:
      inset.remove()  # repeats what it magnifies
    for run in test.runs:
      self.assert_interval(
        f'held-out-{run.run_id}', run.predicted.at(0.95), 'y'
      )
    (points,) = drawn(self.ax, 'fitted')
    self.assertLen(points.get_xdata(), len(study().counted) - len(test.runs))

  def test_held_out_by_their_intervals(self):
    test = study().hold_out
    first = dataclasses.replace(test.runs[0], actual=test.runs[0].actual * 1.3)
    runs = (first, *test.runs[1:])
    law.predicted(
      self.ax, reports.changed(hold_out=dataclasses.replace(test, runs=runs))
    )
    marks = {
      drawn(self.ax, f'held-out-{run.run_id}')[0].get_marker() for run in runs
    }
    self.assertLen(marks, 2)


class PanelsTest(AxesCase):
  def test_a_published_law(self):
    four = Figure().subplots(2, 2).ravel()
    alt = panels.panels(four, published.HOFFMANN, 'Hoffmann et al.')
    for i, D in enumerate((1e9, 1e10, 1e11, 1e12, 1e13)):
      N, L = data(four[0], f'D-{i}')
      expected = 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28
      np.testing.assert_allclose(L, expected)
      np.testing.assert_array_equal(data(four[0], 'floor')[1], 1.69)
    C, N = data(four[2], 'frontier')
    np.testing.assert_allclose(
      np.diff(np.log(N)) / np.diff(np.log(C)), 0.28 / 0.62
    )
    spots = {m: data(four[2], m)[:, 0] for m in ('GPT-3', 'Chinchilla')}
    np.testing.assert_allclose(spots['GPT-3'], (3.15e23, 175e9))
    np.testing.assert_allclose(spots['Chinchilla'], (5.88e23, 70e9))
    self.assertIn('LLaMA-65B', texts(four[2]))
    self.assertIn('Hoffmann et al.', alt)
    self.assertEqual([ax.get_xlabel()[0] for ax in four], ['N', 'D', 'C', 'C'])

  def test_the_fitted_law_along_the_cost_of_its_runs(self):
    four = Figure().subplots(2, 2).ravel()
    panels.law_panels(four, study())
    C, N = data(four[2], 'frontier')
    np.testing.assert_allclose(N, study().chinchilla.optimum(C=C).N.value)


if __name__ == '__main__':
  absltest.main()
