"""The largest budget foretold: simulated studies whose law is known."""

import unittest.mock

from absl.testing import absltest
import numpy as np
from scipy import stats

from scaling_jax.analysis import hold_out
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import uncertainty
from tests import studies

DRAWS = 200
LAST = studies.BUDGETS[-1]


def foretell(plan, L, seed=0):
  points = studies.as_points(plan, L)
  groups = points_lib.budgets(points)
  full = isoflop.fit(hold_out.as_groups(points, groups), None, DRAWS, seed)
  return hold_out.foretell(
    points, groups, full, 0.95, DRAWS, 'noise', 'auto', seed
  )


def values(found):
  """Everything foretold, of the runs and of the optimum."""
  parts = [*found['runs'], *found['optima']]
  return [part['predicted'] for part in parts]


class ForetellTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.plan = studies.design()
    cls.held = cls.plan.C == LAST

  def test_an_exact_law_is_foretold_exactly(self):
    found = foretell(self.plan, studies.noisy(studies.LAW, self.plan, 0))
    self.assertEqual(found['status'], 'ok')
    self.assertLen(found['runs'], 7)
    self.assertAlmostEqual(found['C'] / LAST, 1)
    self.assertEqual(
      [run['run_id'] for run in found['runs']],
      [f'run{i}' for i in range(14, 21)],
    )
    for run, N, D in zip(
      found['runs'], self.plan.N[self.held], self.plan.D[self.held]
    ):
      truth = studies.LAW.loss(N, D)
      self.assertEqual((run['N'], run['actual']), (N, truth))
      np.testing.assert_allclose(run['predicted']['value'], truth, rtol=1e-7)
    by_law = next(o for o in found['optima'] if o['law'] == 'parametric')
    best = studies.LAW.optimum(LAST).N
    np.testing.assert_allclose(by_law['predicted']['value'], best, rtol=1e-6)
    by_isoflop = next(o for o in found['optima'] if o['law'] == 'isoflop')
    value = by_isoflop['predicted']['value']
    np.testing.assert_allclose(value, best, rtol=0.01)

  def test_intervals_hold_most_losses(self):
    inside, optima = [], []
    for seed in range(10):
      L = studies.noisy(studies.LAW, self.plan, 0.002, seed)
      found = foretell(self.plan, L, seed)
      inside += [run['inside'] for run in found['runs']]
      held = sum(run['inside'] for run in found['runs'])
      self.assertStartsWith(found['sentence'], f'{held} of 7 losses')
      self.assertIn('4 times smaller', found['sentence'])
      best = studies.LAW.optimum(LAST).N
      optima += [
        uncertainty.holds(o['predicted'], best) for o in found['optima']
      ]
    self.assertGreaterEqual(np.mean(inside), 0.85)
    self.assertGreaterEqual(np.mean(optima), 0.8)

  def test_an_interval_is_for_a_run_and_not_for_the_law(self):
    sure = type(studies.LAW)(*(np.full(4000, x) for x in studies.LAW))
    noise = uncertainty.Noise(0.01, 12)
    known = parametric.Parametric('ok', '', None, studies.LAW, sure, noise)
    with unittest.mock.patch.object(parametric, 'fit', return_value=known):
      found = foretell(self.plan, studies.noisy(studies.LAW, self.plan, 0.01))
    reach = 0.01 * stats.t.ppf(0.975, 12)
    for run in found['runs']:
      low, value, high = (run['predicted'][k] for k in ('low', 'value', 'high'))
      self.assertAlmostEqual(np.log(high / value), reach, delta=0.1 * reach)
      self.assertAlmostEqual(np.log(value / low), reach, delta=0.1 * reach)

  def test_the_largest_budget_is_not_used(self):
    L = studies.noisy(studies.LAW, self.plan, 0.002)
    one = foretell(self.plan, L)
    other = foretell(self.plan, np.where(self.held, 1.1 * L, L))
    self.assertEqual(values(one), values(other))
    for before, after in zip(one['runs'], other['runs']):
      self.assertAlmostEqual(after['actual'], 1.1 * before['actual'])
      self.assertFalse(after['inside'])
    self.assertStartsWith(other['sentence'], '0 of 7')

  def test_nor_is_a_run_beside_or_beyond_it(self):
    L = studies.noisy(studies.LAW, self.plan, 0.002)
    known = values(foretell(self.plan, L))
    for C in (0.8 * LAST, 1e17):
      run = C, 1e7, C / 6e7
      alone = [np.append(x, y) for x, y in zip(self.plan, run)]
      more = foretell(type(self.plan)(*alone), np.append(L, 9.0))
      self.assertEqual(known, values(more))

  def test_optima_overlap_or_not(self):
    def interval(low, high):
      return {'value': low, 'low': low, 'high': high}

    one = interval(1.0, 2.0)
    for other, expected in (
      (interval(1.5, 3.0), True), (interval(0.5, 1.0), True),
      (interval(1.2, 1.3), True), (interval(2.1, 3.0), False),
      (interval(0.1, 0.9), False), (uncertainty.unknown(), None),
      (interval(1.5, None), None),
    ):  # fmt: skip
      self.assertIs(hold_out.overlap(one, other), expected)
      self.assertIs(hold_out.overlap(other, one), expected)


class StatusTest(absltest.TestCase):
  def test_fewer_than_three_budgets(self):
    for budgets, models in ((studies.BUDGETS[:1], 7), (studies.BUDGETS[:2], 7),
                            (studies.BUDGETS, 2)):  # fmt: skip
      plan = studies.design(budgets=budgets, models=models)
      found = foretell(plan, studies.noisy(studies.LAW, plan, 0.001))
      self.assertEqual(found['status'], 'too_few_points')
      count = len(budgets) if models > 2 else 0
      self.assertStartsWith(found['sentence'], f'{count} budgets of three')
      self.assertEqual(set(found), {'status', 'sentence'})

  def test_a_budget_of_two_models_is_none(self):
    plan = studies.design()
    kept = [*range(2), *range(7, 21)]
    plan = type(plan)(*(x[kept] for x in plan))
    found = foretell(plan, studies.noisy(studies.LAW, plan, 0.001))
    self.assertEqual(found['status'], 'too_few_points')

  def test_losses_that_no_law_fits(self):
    plan = studies.design()
    L = 1 + 0.1 * (plan.N / 1e6) ** 0.5 * np.where(plan.C > 1e14, 2, 1)
    found = foretell(plan, L)
    self.assertNotEqual(found['status'], 'ok')
    self.assertStartsWith(found['sentence'], 'without the largest budget: ')
    for run in found['runs']:
      self.assertIsNone(run['inside'])
      self.assertEqual(run['predicted'], uncertainty.unknown())
    for optimum in found['optima']:
      self.assertNotEqual(optimum['status'], 'ok')
      self.assertEqual(optimum['predicted'], uncertainty.unknown())


if __name__ == '__main__':
  absltest.main()
