"""The whole analysis, against the law that its runs were simulated from."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting.result import Status
from scaling_jax.errors import UserError
from tests.analysis import designs
from tests.analysis import studies

LAW = designs.LAW


def plain(plan, L, **changes):
  """The analysis of a table's runs."""
  runs = studies.as_runs(plan, L, {'own': (plan.N, plan.C)})
  return studies.analyze(runs, **changes)


def small():
  """Seven models at three budgets, one seed."""
  plan = designs.design()
  return plan, designs.noisy(LAW, plan, 0.001)


class TruthTest(absltest.TestCase):
  """A simulated study's intervals hold what it was simulated from."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.known = studies.analyzed()
    cls.found = cls.known.analysis

  def test_exponents(self):
    for name, fit in self.found.approaches.items():
      with self.subTest(name):
        self.assertEqual(fit.status, Status.OK)
        a, b = (fit.conf_int()[f'exponent_{x}'] for x in 'ND')
        self.assertTrue(a.holds(LAW.exponent_N), str(a))
        self.assertTrue(b.holds(LAW.exponent_D), str(b))
        self.assertAlmostEqual(a.value + b.value, 1, delta=0.001)
        if name != 'envelope':
          self.assertLess(a.high - a.low, 0.15)

  def test_parameters_and_residuals(self):
    fit = self.found.chinchilla
    for name, truth in LAW._asdict().items():
      self.assertTrue(fit.conf_int()[name].holds(truth), name)
    self.assertTrue(
      fit.residual_sd.interval().holds(studies.NOISE / np.sqrt(2))
    )
    runs = self.found.counted
    np.testing.assert_allclose(fit.predicted, fit.law.loss(runs.N, runs.D))
    np.testing.assert_allclose(
      fit.residuals, np.log(runs.loss / fit.predicted), atol=1e-12
    )

  def test_optima_at_each_budget(self):
    for budget in self.found.isoflop.budgets:
      best, found = LAW.optimum(budget.C), budget.optimum()
      self.assertEqual(budget.status, Status.OK)
      self.assertLen(set(budget.N), 5)
      self.assertTrue(found.N.holds(best.N))
      self.assertTrue(found.D.holds(best.D))
      self.assertTrue(found.loss.holds(best.L))
      self.assertTrue(budget.N_local().holds(best.N))

  def test_ten_times_the_largest_budget(self):
    (C,) = self.found.targets
    self.assertEqual(C, 10 * designs.BUDGETS[-1])
    best = LAW.optimum(C)
    for fit in self.found.approaches.values():
      found = fit.optimum(C=C)
      self.assertTrue(found.N.holds(best.N))
      self.assertTrue(found.D.holds(best.D))
      self.assertEqual(found.C.value, C)
    self.assertTrue(self.found.chinchilla.optimum(C=C).loss.holds(best.L))
    self.assertEqual(self.found.headline, 'chinchilla')

  def test_hold_out(self):
    found = self.found.hold_out
    self.assertEqual(found.status, Status.OK)
    self.assertLen(found.runs, 10)
    self.assertGreaterEqual(found.counts(0.95)[0], 8)

  def test_curves_fall_to_what_endless_data_would_bring(self):
    held = []
    for curve, run in zip(self.found.training_curves, self.found.runs):
      self.assertEqual(curve.run_id, run.run_id)
      if curve.ok:
        found = curve.conf_int()
        held += [
          found['floor'].holds(LAW.loss(run.N, math.inf)),
          found['exponent'].holds(LAW.beta),
        ]
    self.assertGreater(len(held), 50)
    self.assertGreaterEqual(np.mean(held), 0.85)

  def test_counting(self):
    found = {one.name: one for one in self.found.counting}
    self.assertLen(found, 5)
    own = found['Kaplan: no embeddings, 6ND']
    for one in (own.isoflop, own.chinchilla):
      self.assertTrue(one.at().holds(LAW.exponent_N))
    np.testing.assert_allclose(
      own.chinchilla.value, self.found.chinchilla.law.exponent_N, rtol=1e-6
    )

  def test_seed_sd(self):
    L = np.log(self.found.runs.loss).reshape(15, 2)
    pooled = np.sqrt(np.mean((L[:, 0] - L[:, 1]) ** 2) / 2)
    self.assertAlmostEqual(self.found.seed_sd.sd, pooled)
    self.assertTrue(self.found.seed_sd.interval().holds(studies.NOISE))

  def test_runs_and_budgets(self):
    self.assertLen(self.found.runs, 30)
    for i, record in enumerate(self.known.records):
      self.assertEqual(self.found.runs.loss[i], record.val_loss)
      budget = self.found.isoflop.budgets[self.found.budget[i]]
      self.assertAlmostEqual(budget.C / record.C, 1)

  def test_fitted_range(self):
    for name in ('chinchilla', 'isoflop'):
      found = self.found.fitted_range(name)
      np.testing.assert_allclose((found.low, found.high), (1e14, 1.6e15))
      self.assertEqual(found.of, 'runs')
    self.assertEqual(found.n_budgets, 3)


class OptionsTest(absltest.TestCase):
  def test_drop_highest(self):
    plan, L = small()
    runs = studies.as_runs(plan, L)
    found = studies.analyze(runs, drop_highest=2)
    worst = np.argsort(L)[-2:]
    self.assertLen(found.runs, len(L) - 2)
    self.assertEqual(
      {out.run_id for out in found.runs.excluded}, {f'run{i}' for i in worst}
    )
    for count in (-1, len(L)):
      with self.assertRaisesRegex(UserError, f'drop_highest={count}'):
        studies.analyze(runs, drop_highest=count)

  def test_targets(self):
    plan, L = small()
    found = studies.analyze(studies.as_runs(plan, L), targets=(3e15, 1e20))
    self.assertEqual(found.targets, (3e15, 1e20))

  def test_nothing_is_computed_before_it_is_asked_for(self):
    plan, L = small()
    found = studies.analyze(studies.as_runs(plan, L))
    self.assertNotIn('chinchilla', vars(found))
    _ = found.chinchilla
    self.assertIn('chinchilla', vars(found))
    self.assertNotIn('hold_out', vars(found))


class FormTest(absltest.TestCase):
  def test_a_shape_that_the_law_misses_is_noted(self):
    plan, L = small()
    found = plain(plan, L)
    self.assertEmpty(found.form_notes)
    self.assertIsNone(found.seed_sd)
    shifted = L * np.where(plan.C == designs.BUDGETS[1], 1.008, 1)
    found = plain(plan, shifted)
    self.assertTrue(found.form_test.rejected)
    self.assertLen(found.form_notes, 2)


class FewRunsTest(parameterized.TestCase):
  """Numbers are known, or a status says why not."""

  def test_one_budget(self):
    plan = designs.design(budgets=[4e14])
    found = plain(plan, designs.noisy(LAW, plan, 0.001))
    self.assertEqual(found.isoflop.status, Status.TOO_FEW_POINTS)
    self.assertEqual(found.isoflop.budgets[0].status, Status.OK)
    self.assertEqual(found.chinchilla.status, Status.NOT_IDENTIFIED)
    self.assertEqual(found.envelope.status, Status.TOO_FEW_POINTS)
    self.assertEqual(found.hold_out.status, Status.TOO_FEW_POINTS)
    self.assertIsNone(found.headline)
    for fit in found.approaches.values():
      self.assertTrue(np.isnan(fit.params['exponent_N']))
      self.assertTrue(np.isnan(fit.optimum(C=1e16).N.value))

  def test_a_budget_and_runs_alone_are_not_one_budget(self):
    plan = designs.design(budgets=[4e14])
    C = np.geomspace(1e14, 2e15, 9) * 1.07
    N = LAW.optimum(C).N * np.tile([0.4, 1.0, 2.5], 3)
    plan = type(plan)(*map(np.append, plan, (C, N, C / (6 * N))))
    found = plain(plan, designs.noisy(LAW, plan, 0.001))
    self.assertEqual(found.chinchilla.status, Status.OK)
    self.assertTrue(
      found.chinchilla.conf_int()['exponent_N'].holds(LAW.exponent_N)
    )
    self.assertLen(found.isoflop.budgets, 1)
    self.assertGreaterEqual(len(found.grouping.alone), 8)
    self.assertIsNone(found.budget[-1])

  @parameterized.parameters((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
  def test_a_handful(self, models, budgets):
    plan = designs.design(models=models, budgets=designs.BUDGETS[:budgets])
    found = plain(plan, designs.noisy(LAW, plan, 0.001))
    for name, fit in found.approaches.items():
      self.assertNotEqual(fit.status, Status.OK, name)
      self.assertNotEmpty(fit.message)
    self.assertEmpty(found.counting)
    self.assertEmpty(found.kaplan_vs_chinchilla)


if __name__ == '__main__':
  absltest.main()
