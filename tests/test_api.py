"""The public API, as a researcher with arrays in a notebook calls it."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized
from matplotlib.figure import Figure
import numpy as np
import pandas as pd

import scaling_jax as sj
from tests.analysis import designs

FEW = sj.Bootstrap(draws=200)
LAW = designs.LAW


def columns():
  plan = designs.design()
  return plan.C, plan.N, plan.D, designs.noisy(LAW, plan, 0.001)


class FitTest(parameterized.TestCase):
  def test_arrays_lists_and_columns_of_a_frame_give_the_same(self):
    _, N, D, L = columns()
    frame = pd.DataFrame({'N': N, 'D': D, 'loss': L})
    one = sj.fit_chinchilla(N, D, L, bootstrap=FEW)
    for other in (
      sj.fit_chinchilla(list(N), list(D), list(L), bootstrap=FEW),
      sj.fit_chinchilla(frame.N, frame['D'], frame['loss'], bootstrap=FEW),
    ):
      self.assertEqual(other.params, one.params)
    self.assertEqual(one.status, 'ok')
    self.assertIs(one.status, sj.Status.OK)
    for name, truth in LAW._asdict().items():
      self.assertTrue(one.conf_int()[name].holds(truth), name)

  def test_runs_of_a_frame(self):
    C, N, D, L = columns()
    frame = pd.DataFrame({'flops': C, 'n_params': N, 'n_tokens': D, 'val': L})
    runs = sj.Runs.from_dataframe(
      frame,
      columns={'C': 'flops', 'N': 'n_params', 'D': 'n_tokens', 'loss': 'val'},
    )
    fit = sj.fit_chinchilla(runs, bootstrap=FEW)
    self.assertEqual(
      fit.params, sj.fit_chinchilla(N, D, L, C=C, bootstrap=FEW).params
    )
    iso = sj.fit_isoflop(runs, bootstrap=FEW)
    self.assertEqual(
      iso.params, sj.fit_isoflop(C, N, D, L, bootstrap=FEW).params
    )
    back = runs.to_dataframe()
    np.testing.assert_allclose(back['N'], N)

  def test_prediction_and_optimum(self):
    C, N, D, L = columns()
    fit = sj.fit_chinchilla(N, D, L, bootstrap=FEW)
    self.assertIsInstance(fit.predict(1e7, 1e9), sj.Interval)
    many = fit.predict(np.array([1e6, 1e7]), 1e9, level=0.5)
    self.assertEqual(many.value.shape, (2,))
    self.assertTrue(np.all(many.low <= many.value))
    best = fit.optimum(C=1e17)
    truth = LAW.optimum(1e17)
    self.assertTrue(best.N.holds(truth.N) and best.D.holds(truth.D))
    self.assertTrue(best.loss.holds(truth.L))
    np.testing.assert_allclose(6 * best.N.value * best.D.value, 1e17)
    again = fit.optimum(D=best.D.value)
    np.testing.assert_allclose(again.C.value, 1e17, rtol=1e-9)
    ahead = fit.optimum(C=np.geomspace(1e15, 1e18, 4))
    self.assertEqual(ahead.N.low.shape, (4,))
    self.assertTrue(np.all(C > 0))

  def test_a_wider_level_is_a_wider_interval(self):
    _, N, D, L = columns()
    fit = sj.fit_chinchilla(N, D, L, bootstrap=FEW)
    half, most = fit.conf_int(0.5)['E'], fit.conf_int(0.95)['E']
    self.assertLess(most.low, half.low)
    self.assertLess(half.high, most.high)
    for level in (0, 1, 95, -1):
      with self.assertRaises(ValueError):
        fit.conf_int(level)

  def test_estimates_never_raise_for_a_status(self):
    fits = (
      sj.fit_chinchilla([1e6, 2e6], [1e8, 1e8], [3.0, 2.9]),
      sj.fit_isoflop([1e15] * 2, [1e6, 2e6], loss=[3.0, 2.9]),
      sj.fit_envelope([]),
      sj.fit_power_law([1, 2], [1, 2]),
      sj.fit_kaplan([1e6], [1e8], [3.0]),
      sj.fit_critical_batch([]),
    )
    for fit in fits:
      with self.subTest(type(fit).__name__):
        self.assertFalse(fit.ok)
        self.assertNotEmpty(fit.message)
        for x in fit.conf_int().values():
          self.assertTrue(np.isnan(x.value))
        self.assertTrue(all(map(np.isnan, fit.params.values())))
        # The status stands in the place of every number.
        for row in fit.summary().rows:
          self.assertEqual(row[-1], fit.status)
    for fit in fits[:3]:
      self.assertTrue(np.isnan(fit.optimum(C=1e18).N.value))
    self.assertTrue(np.isnan(fits[0].predict(1e6, 1e8).value))

  @parameterized.parameters(
    ({'N': [1e6, -1]}, 'N[1]=-1'),
    ({'N': [1e6, np.nan]}, 'N[1]=nan'),
    ({'loss': [3.0]}, 'loss'),
    ({'D': None}, 'D is missing'),
    ({'N': ['many', 'few']}, 'N'),
  )
  def test_bad_columns_are_refused(self, changed, named):
    good = {'N': [1e6, 2e6], 'D': [1e8, 1e8], 'loss': [3.0, 2.9]}
    with self.assertRaises(sj.UserError) as caught:
      sj.fit_chinchilla(**(good | changed))
    self.assertIn(named, str(caught.exception))

  def test_summary_is_text_and_html(self):
    _, N, D, L = columns()
    fit = sj.fit_chinchilla(N, D, L, bootstrap=FEW)
    summary = fit.summary()
    self.assertIn('alpha', str(summary))
    self.assertIn('<table', summary._repr_html_())
    self.assertIn('<table', fit._repr_html_())
    self.assertIn(r'\begin{tabular}', summary.latex())
    frame = summary.to_dataframe()
    self.assertLess(frame['estimate_low'][0], frame['estimate'][0])

  def test_plot_draws_on_ones_own_axes(self):
    C, N, D, L = columns()
    for fit in (
      sj.fit_chinchilla(N, D, L, bootstrap=FEW),
      sj.fit_isoflop(C, N, D, L, bootstrap=FEW),
      sj.fit_power_law(N, L),
    ):
      ax = Figure().subplots()
      self.assertIs(fit.plot(ax), ax)
      self.assertNotEmpty(ax.lines)

  def test_outliers_are_named(self):
    _, N, D, L = columns()
    self.assertEmpty(sj.fit_chinchilla(N, D, L, bootstrap=FEW).outliers)

  def test_a_fit_comes_back_from_its_file(self):
    _, N, D, L = columns()
    fit = sj.fit_chinchilla(N, D, L, bootstrap=FEW)
    path = pathlib.Path(self.create_tempdir().full_path) / 'fit.json'
    path.write_text(fit.to_json())
    self.assertEqual(sj.load_fit(path).params, fit.params)


class RoadTest(absltest.TestCase):
  def test_from_runs_to_a_report_and_back(self):
    C, N, D, L = columns()
    folder = pathlib.Path(self.create_tempdir().full_path)
    pd.DataFrame({'C': C, 'N': N, 'D': D, 'loss': L}).to_csv(
      folder / 'runs.csv', index=False
    )
    runs = sj.read_runs(folder / 'runs.csv')
    analysis = sj.analyze(runs, sj.Options(bootstrap=FEW))
    self.assertIsInstance(analysis, sj.Analysis)
    page = sj.write_report(analysis, folder / 'report', figures=False)
    self.assertTrue(page.exists())
    back = sj.load_analysis(folder / 'report' / 'fits.json')
    self.assertEqual(back.chinchilla.params, analysis.chinchilla.params)
    self.assertIn('3, parametric', str(analysis))

  def test_published_and_simulated(self):
    law = sj.laws.Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    self.assertEqual(law, sj.published.HOFFMANN)
    N, D = np.array([1e8, 1e9]), np.array([1e10, 1e11])
    np.testing.assert_array_equal(
      sj.simulate(law, N, D, noise=0.0, seed=0), law.loss(N, D)
    )
    one = sj.simulate(law, N, D, noise=0.01, seed=1)
    np.testing.assert_array_equal(one, sj.simulate(law, N, D, 0.01, 1))
    self.assertTrue(np.any(one != law.loss(N, D)))

  def test_a_plan(self):
    plan = sj.plan(flops=5.76e23, law='hoffmann')
    self.assertIn('hoffmann', str(plan))


if __name__ == '__main__':
  absltest.main()
