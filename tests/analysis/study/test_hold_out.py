"""The largest budget predicted: simulated studies whose law is known."""

import dataclasses
import unittest.mock

from absl.testing import absltest
import numpy as np
from scipy import stats

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.study import hold_out
from scaling_jax.analysis.study.results import Options
from tests.analysis import designs
from tests.analysis import studies

LAW = designs.LAW
LAST = designs.BUDGETS[-1]
LEVEL = 0.95


def predict(plan, L, seed=0):
  runs = studies.as_runs(plan, L)
  groups = budgets.group(runs.C)
  asked = studies.options(method='noise', seed=seed)
  full = isoflop.fit(budgets.groups_of(runs, groups), bootstrap=asked.bootstrap)
  return hold_out.test(runs, groups, full, asked)


def intervals(found):
  """Everything predicted, of the runs and of the optimum."""
  return [part.predicted.at(LEVEL) for part in (*found.runs, *found.optima)]


class PredictionTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.plan = designs.design()
    cls.held = cls.plan.C == LAST

  def test_an_exact_law_is_predicted_exactly(self):
    found = predict(self.plan, designs.noisy(LAW, self.plan, 0))
    self.assertEqual(found.status, Status.OK)
    self.assertAlmostEqual(found.C / LAST, 1)
    self.assertEqual(
      [run.run_id for run in found.runs], [f'run{i}' for i in range(14, 21)]
    )
    for run, N, D in zip(
      found.runs, self.plan.N[self.held], self.plan.D[self.held]
    ):
      truth = LAW.loss(N, D)
      self.assertEqual((run.N, run.actual), (N, truth))
      np.testing.assert_allclose(run.predicted.value, truth, rtol=1e-7)
    by_isoflop, by_law = found.optima
    self.assertEqual(by_law.approach, 'chinchilla')
    best = LAW.optimum(LAST).N
    np.testing.assert_allclose(by_law.predicted.center, best, rtol=1e-6)
    np.testing.assert_allclose(by_isoflop.predicted.center, best, rtol=0.01)

  def test_intervals_hold_most_losses(self):
    inside, optima = [], []
    for seed in range(10):
      L = designs.noisy(LAW, self.plan, 0.002, seed)
      found = predict(self.plan, L, seed)
      own = [run.inside(LEVEL) for run in found.runs]
      self.assertEqual(found.counts(LEVEL), (sum(own), 7))
      self.assertAlmostEqual(found.ahead, 4)
      inside += own
      best = LAW.optimum(LAST).N
      optima += [o.predicted.at(LEVEL).holds(best) for o in found.optima]
    self.assertGreaterEqual(np.mean(inside), 0.85)
    self.assertGreaterEqual(np.mean(optima), 0.8)

  def test_an_interval_is_for_a_run_and_not_for_the_law(self):
    L = designs.noisy(LAW, self.plan, 0.01)
    runs = studies.as_runs(self.plan, L)
    real = chinchilla.fit(
      runs.N, runs.D, runs.loss, bootstrap=studies.options().bootstrap
    )
    sure = dataclasses.replace(
      real,
      status=Status.OK,
      residual_sd=ResidualSD(0.01, 12),
      noise_exponent=0.0,
      param_draws=np.tile(real.point, (4000, 1)),
    )
    with unittest.mock.patch.object(chinchilla, 'fit', return_value=sure):
      found = predict(self.plan, L)
    half = 0.01 * stats.t.ppf(0.975, 12)
    for run in found.runs:
      value, low, high = run.predicted.at(LEVEL)
      self.assertAlmostEqual(np.log(high / value), half, delta=0.1 * half)
      self.assertAlmostEqual(np.log(value / low), half, delta=0.1 * half)

  def test_the_largest_budget_is_not_used(self):
    L = designs.noisy(LAW, self.plan, 0.002)
    one = predict(self.plan, L)
    other = predict(self.plan, np.where(self.held, 1.1 * L, L))
    self.assertEqual(intervals(one), intervals(other))
    for before, after in zip(one.runs, other.runs):
      self.assertAlmostEqual(after.actual, 1.1 * before.actual)
      self.assertFalse(after.inside(LEVEL))
    self.assertEqual(other.counts(LEVEL), (0, 7))

  def test_nor_is_a_run_beside_or_beyond_it(self):
    L = designs.noisy(LAW, self.plan, 0.002)
    known = intervals(predict(self.plan, L))
    for C in (0.8 * LAST, 1e17):
      run = C, 1e7, C / 6e7
      alone = [np.append(x, y) for x, y in zip(self.plan, run)]
      more = predict(type(self.plan)(*alone), np.append(L, 9.0))
      self.assertEqual(known, intervals(more))


class ChanceTest(absltest.TestCase):
  """How rarely a true law leaves losses as far off: uniform if it is right."""

  def test_seldom_small_under_the_law(self):
    plan = designs.design()
    found = [
      predict(plan, designs.noisy(LAW, plan, 0.003, seed), seed).p_value
      for seed in range(30)
    ]
    self.assertTrue(np.isfinite(found).all())
    self.assertLessEqual(np.sum(np.array(found) < 0.05), 5)  # 1.5; 1 in 100
    self.assertBetween(np.mean(found), 0.3, 0.75)

  def test_small_where_the_last_budget_is_another_law_s(self):
    plan = designs.design()
    L = designs.noisy(LAW, plan, 0.003) * np.where(plan.C == LAST, 1.03, 1)
    self.assertLess(predict(plan, L).p_value, 0.01)

  def test_not_known_without_draws(self):
    plan = designs.design()
    runs = studies.as_runs(plan, designs.noisy(LAW, plan, 0.003))
    groups = budgets.group(runs.C)
    full = isoflop.fit(budgets.groups_of(runs, groups))
    asked = Options(bootstrap=Bootstrap(draws=0))
    found = hold_out.test(runs, groups, full, asked)
    self.assertTrue(np.isnan(found.p_value))


class EveryBudgetTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    several = tuple(np.geomspace(1e14, 1e16, 5))
    cls.plan = designs.design(budgets=several, models=5)
    runs = studies.as_runs(cls.plan, designs.noisy(LAW, cls.plan, 0.002))
    groups = budgets.group(runs.C)
    asked = studies.options()
    full = isoflop.fit(
      budgets.groups_of(runs, groups), bootstrap=asked.bootstrap
    )
    cls.several, cls.runs = several, runs
    cls.found = hold_out.test_earlier(runs, groups, full, asked)
    cls.last = hold_out.test(runs, groups, full, asked)

  def test_each_from_those_below(self):
    got = [held.C for held in (*self.found, self.last)]
    np.testing.assert_allclose(got, self.several[2:], rtol=1e-6)
    for held, C in zip(self.found, self.several[2:]):
      self.assertLen(held.runs, 5)
      self.assertAlmostEqual(held.ahead, 10**0.5)
      below = self.runs.loss[self.runs.C < 0.9 * C]
      self.assertAlmostEqual(held.runs[0].span, np.ptp(below))

  def test_as_wide_as_all_losses_below_is_no_test(self):
    for held in self.found:
      for run in held.runs:
        self.assertIsNotNone(run.inside(LEVEL))
        _, low, high = run.predicted.at(LEVEL)
        wide = dataclasses.replace(run, span=0.99 * (high - low))
        self.assertTrue(wide.too_wide(LEVEL))
        self.assertIsNone(wide.inside(LEVEL))
        self.assertFalse(wide.too_wide(0.5))
      wide = [dataclasses.replace(run, span=0.0) for run in held.runs]
      held = dataclasses.replace(held, runs=tuple(wide))
      self.assertEqual(held.counts(LEVEL), (0, 0))


class StatusTest(absltest.TestCase):
  def test_fewer_than_three_budgets(self):
    for several, models in (
      (designs.BUDGETS[:1], 7), (designs.BUDGETS[:2], 7), (designs.BUDGETS, 2),
    ):  # fmt: skip
      plan = designs.design(budgets=several, models=models)
      found = predict(plan, designs.noisy(LAW, plan, 0.001))
      self.assertEqual(found.status, Status.TOO_FEW_POINTS)
      self.assertEmpty(found.runs)
      self.assertTrue(np.isnan(found.C))

  def test_a_budget_of_two_models_is_none(self):
    plan = designs.design()
    kept = [*range(2), *range(7, 21)]
    plan = type(plan)(*(x[kept] for x in plan))
    found = predict(plan, designs.noisy(LAW, plan, 0.001))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)

  def test_losses_that_no_law_fits(self):
    plan = designs.design()
    L = 1 + 0.1 * (plan.N / 1e6) ** 0.5 * np.where(plan.C > 1e14, 2, 1)
    found = predict(plan, L)
    self.assertNotEqual(found.status, Status.OK)
    self.assertEqual(found.counts(LEVEL), (0, 0))
    for part in (*found.runs, *found.optima):
      self.assertTrue(np.isnan(part.predicted.center))


if __name__ == '__main__':
  absltest.main()
