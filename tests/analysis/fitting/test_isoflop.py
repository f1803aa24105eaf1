"""Parabolas and the power laws through them, against exact minima."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.isoflop import Group
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs
from tests.analysis.fitting.bowls import COEFFICIENT
from tests.analysis.fitting.bowls import EXPONENT
from tests.analysis.fitting.bowls import LOPSIDED
from tests.analysis.fitting.bowls import NO_DRAWS
from tests.analysis.fitting.bowls import attention_tokens
from tests.analysis.fitting.bowls import bowl
from tests.analysis.fitting.bowls import bowls
from tests.analysis.fitting.bowls import cell_means
from tests.analysis.fitting.bowls import polyfit_minimum
from tests.analysis.fitting.bowls import residuals

DRAWN = Bootstrap(draws=400)
PARABOLA = 'parabola'


class ExactTest(parameterized.TestCase):
  def test_parabolas_give_back_their_minima(self):
    found = isoflop.fit(bowls(), bootstrap=NO_DRAWS, curve=PARABOLA)
    self.assertEqual(found.status, Status.OK)
    for budget, C in zip(found.budgets, designs.BUDGETS):
      minimum = budget.optimum()
      best = COEFFICIENT * C**EXPONENT
      np.testing.assert_allclose(minimum.N.value, best, rtol=1e-9)
      np.testing.assert_allclose(minimum.loss.value, 1.5, rtol=1e-12)
      np.testing.assert_allclose(minimum.D.value, C / (6 * best), rtol=1e-9)
      self.assertEqual((budget.status, budget.C), (Status.OK, C))
      self.assertEqual((minimum.C.low, minimum.C.high), (C, C))

  def test_power_laws_through_them(self):
    found = isoflop.fit(bowls(), bootstrap=NO_DRAWS, curve=PARABOLA)
    expected = {
      'N0': 0.3, 'exponent_N': 0.48, 'D0': 1 / 1.8, 'exponent_D': 0.52
    }  # fmt: skip
    self.assertEqual(found.params.keys(), expected.keys())
    for name, value in expected.items():
      np.testing.assert_allclose(found.params[name], value, rtol=1e-7)
    for C in (1e13, 1e18):
      best = found.optimum(C=C)
      np.testing.assert_allclose(best.N.value, 0.3 * C**0.48, rtol=1e-7)
      np.testing.assert_allclose(best.D.value, C**0.52 / 1.8, rtol=1e-7)
      self.assertFalse(best.N.known)
      self.assertTrue(np.isnan(best.loss.value))

  def test_without_noise_intervals_close(self):
    found = isoflop.fit(bowls(), bootstrap=Bootstrap(draws=200), curve=PARABOLA)
    np.testing.assert_allclose(found.N_opt.draws.exponent, 0.48, rtol=1e-8)
    dofs = [budget.residual_sd.dof for budget in found.budgets]
    self.assertEqual(dofs, [9, 9, 9])

  def test_the_order_of_runs_and_budgets_is_nothing(self):
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.003)
    groups = designs.by_budget(plan, L)
    mixed = [
      Group(g.C, g.N[::-1], g.D[::-1], g.loss[::-1]) for g in reversed(groups)
    ]
    one, other = (isoflop.fit(x, bootstrap=NO_DRAWS) for x in (groups, mixed))
    for name, value in one.params.items():
      np.testing.assert_allclose(other.params[name], value, rtol=1e-12)

  @parameterized.parameters(1, 3)
  def test_noisy_ones_are_numpy_s(self, seeds):
    plan = designs.design(seeds=seeds)
    L = designs.noisy(designs.LAW, plan, 0.004)
    groups = designs.by_budget(plan, L)
    found = isoflop.fit(groups, bootstrap=NO_DRAWS, curve=PARABOLA)
    minima = [polyfit_minimum(*cell_means(g)) for g in groups]
    for budget, (log_N, L_min) in zip(found.budgets, minima):
      at, L = budget.parabola.minimum()
      np.testing.assert_allclose(at, log_N, rtol=1e-8)
      np.testing.assert_allclose(L, L_min, rtol=1e-10)
      self.assertLen(budget.N, 7 * seeds)
    line = np.polyfit(np.log(designs.BUDGETS), [m[0] for m in minima], 1)
    np.testing.assert_allclose(found.N_opt.line, line, rtol=1e-7)

  def test_seeds_of_one_model_are_one_datum(self):
    one = bowl(1e15)
    L = one.loss + np.array([0.0, 0.004, -0.003, 0.001, 0.002, -0.001])
    alone = dataclasses.replace(one, loss=L)
    # Two seeds each, whose geometric means are as before.
    apart = np.array([1.01, 0.97, 1.02, 0.99, 1.0, 1.01])
    N, D = (np.tile(x, 2) for x in (one.N, one.D))
    seeds = np.append(L * apart, L / apart)
    first, second = (
      isoflop.fit([group], bootstrap=DRAWN).budgets[0]
      for group in (alone, Group(1e15, N, D, seeds))
    )
    self.assertLen(second.N, 12)
    for name, x in first.estimates().items():
      np.testing.assert_allclose(
        [*second.estimates()[name].at()], [*x.at()], rtol=1e-9
      )
    np.testing.assert_allclose(second.residual_sd, first.residual_sd)

  def test_means_of_more_seeds_weigh_more(self):
    """One seed or eight: the minima lie nearer to the truth than unweighted."""
    plan, rng = designs.design(), np.random.default_rng(0)
    count = np.where(np.arange(len(plan.N)) % 3 == 0, 1, 8)
    index = np.repeat(np.arange(len(plan.N)), count)
    seeds = type(plan)(*(x[index] for x in plan))
    off = {'weighted': [], 'alike': []}
    for _ in range(40):
      L = designs.LAW.loss(seeds.N, seeds.D)
      L = L * np.exp(0.004 * rng.normal(size=len(L)))
      means = np.exp(np.bincount(index, np.log(L)) / count)
      for name, groups in (
        ('weighted', designs.by_budget(seeds, L)),
        ('alike', designs.by_budget(plan, means)),
      ):
        off[name] += [
          np.log(b.optimum().N.value / designs.LAW.optimum(b.C).N)
          for b in isoflop.fit(groups).budgets
        ]
    weighted, alike = (np.sqrt(np.mean(np.square(x))) for x in off.values())
    self.assertBetween(weighted / alike, 0.6, 0.9)

  def test_same_seed_same_draws(self):
    plan = designs.design()
    groups = designs.by_budget(plan, designs.noisy(designs.LAW, plan, 0.003))
    one, again, other = (
      isoflop.fit(groups, bootstrap=Bootstrap(draws=50, seed=seed))
      for seed in (1, 1, 2)
    )
    lines = [x.N_opt.line_draws for x in (one, again, other)]
    np.testing.assert_array_equal(lines[0], lines[1])
    self.assertFalse(np.array_equal(lines[0], lines[2]))


class TokensTest(absltest.TestCase):
  def test_a_budget_that_counts_attention(self):
    groups = [
      dataclasses.replace(g, D=attention_tokens(g.C, g.N))
      for g in map(bowl, designs.BUDGETS)
    ]
    found = isoflop.fit(groups, bootstrap=NO_DRAWS)
    for budget in found.budgets:
      best = COEFFICIENT * budget.C**EXPONENT
      np.testing.assert_allclose(
        np.exp(budget.log_D(np.log(best))),
        attention_tokens(budget.C, best),
        rtol=1e-9,
      )
    # D_opt = C N_opt^-1.03 / 7.2 · 1e6^0.03
    self.assertAlmostEqual(found.params['exponent_D'], 1 - 1.03 * EXPONENT)

  def test_beyond_the_models_tokens_are_not_clamped(self):
    C = 1e15
    one = bowl(C, grid=np.geomspace(2, 9, 5))
    D = attention_tokens(C, one.N)
    group = dataclasses.replace(one, D=D)
    (budget,) = isoflop.fit([group], bootstrap=NO_DRAWS, curve=PARABOLA).budgets
    self.assertEqual(budget.status, Status.MINIMUM_AT_EDGE)
    best = COEFFICIENT * C**EXPONENT
    found = budget.optimum()
    np.testing.assert_allclose(found.N.value, best, rtol=1e-6)
    np.testing.assert_allclose(
      found.D.value, attention_tokens(C, best), rtol=1e-6
    )
    clamped = np.interp(best, one.N, D)
    self.assertEqual(clamped, D[0])
    self.assertGreater(found.D.value / clamped, 1.9)


class StatusTest(parameterized.TestCase):
  def status(self, group, others=()):
    found = isoflop.fit([group, *others], bootstrap=DRAWN)
    return found, next(b for b in found.budgets if b.C == group.C)

  @parameterized.parameters(1, 3)
  def test_two_models(self, seeds):
    one = bowl(1e15)
    N, D, L = (np.repeat(x[1:3], seeds) for x in (one.N, one.D, one.loss))
    _, budget = self.status(Group(1e15, N, D, L))
    self.assertEqual(budget.status, Status.TOO_FEW_POINTS)
    self.assertIsNone(budget.parabola)
    self.assertFalse(budget.counts)
    self.assertTrue(np.isnan(budget.optimum().N.value))
    self.assertTrue(np.isnan(budget.N_local().value))

  def test_three_models_alone(self):
    first, second = (bowl(C, grid=np.array([0.3, 1, 3])) for C in (1e15, 1e16))
    found, budget = self.status(first, [second])
    self.assertEqual(budget.status, Status.NO_DEGREES_OF_FREEDOM)
    self.assertIsNone(budget.residual_sd)
    self.assertIsNone(budget.draws)
    # The exponent stands without an interval, and says so.
    self.assertEqual(found.status, Status.NO_DEGREES_OF_FREEDOM)
    exponent = found.conf_int()['exponent_N']
    self.assertAlmostEqual(exponent.value, EXPONENT)
    self.assertFalse(exponent.known)

  def test_three_models_with_the_others_residuals(self):
    plan = designs.design(models=7)
    first, *others = designs.by_budget(
      plan, designs.noisy(designs.LAW, plan, 0.003)
    )
    N, D, L = (x[1::2] for x in (first.N, first.D, first.loss))
    found = isoflop.fit(
      [Group(first.C, N, D, L), *others], bootstrap=DRAWN, curve=PARABOLA
    )
    budget = found.budgets[0]
    self.assertEqual(budget.status, Status.NO_DEGREES_OF_FREEDOM)
    pooled = np.concatenate([residuals(g) for g in others])
    self.assertAlmostEqual(budget.residual_sd.sd, np.sqrt(pooled @ pooled / 8))
    self.assertEqual(budget.residual_sd.dof, 8)
    self.assertTrue(budget.optimum().N.known)
    self.assertTrue(found.ok)

  def test_seeds_give_three_models_no_freedom(self):
    # What seeds share moves a minimum as much, and they do not tell it.
    plan = designs.design(models=3, seeds=2)
    L = designs.noisy(designs.LAW, plan, 0.002)
    groups = designs.by_budget(plan, L)
    found = isoflop.fit(groups, bootstrap=DRAWN)
    self.assertEqual(found.status, Status.NO_DEGREES_OF_FREEDOM)
    for budget in found.budgets:
      self.assertEqual(budget.status, Status.NO_DEGREES_OF_FREEDOM)
      self.assertIsNone(budget.residual_sd)

  @parameterized.parameters(
    (np.geomspace(2, 9, 5),), (np.geomspace(0.1, 0.6, 5),)
  )  # fmt: skip
  def test_minimum_beyond_the_models(self, grid):
    inside = [bowl(2e15), bowl(4e15)]
    found, budget = self.status(bowl(1e15, grid=grid), inside)
    self.assertEqual(budget.status, Status.MINIMUM_AT_EDGE)
    # The power law rests on the others alone.
    self.assertTrue(found.ok)
    self.assertEqual([b.counts for b in found.budgets], [False, True, True])
    np.testing.assert_array_equal(found.N_opt.x, [2e15, 4e15])
    self.assertAlmostEqual(found.params['exponent_N'], EXPONENT)

  def test_open_downward(self):
    found, budget = self.status(bowl(1e15, curvature=-0.05))
    self.assertEqual(budget.status, Status.NO_MINIMUM)
    self.assertTrue(np.isnan(budget.optimum().N.value))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)

  def test_flat_and_noisy(self):
    # The cubic is orthogonal to parabolas: it is all noise.
    cubic = np.array([-1, 1, 1, 0, -1, -1, 1])
    one = bowl(1e15, 1e-3, np.geomspace(0.3, 3, 7))
    for size, status in ((1e-5, Status.OK), (1e-2, Status.NOT_IDENTIFIED)):
      noisy = dataclasses.replace(one, loss=one.loss + size * cubic)
      found, budget = self.status(noisy)
      self.assertEqual(budget.status, status)
      self.assertEqual(budget.counts, status == Status.OK)
    self.assertTrue(np.isnan(found.params['exponent_N']))

  @parameterized.parameters(
    (np.geomspace(0.7, 9, 5), True),
    (np.geomspace(0.1, 1.4, 5), True),
    (np.geomspace(0.2, 4, 5), False),
  )
  def test_off_center(self, grid, noted):
    _, budget = self.status(bowl(1e15, grid=grid))
    self.assertEqual(budget.status, Status.OK)
    self.assertLen(budget.notes, noted)

  def test_one_budget_or_none(self):
    found = isoflop.fit([bowl(1e15)], bootstrap=NO_DRAWS)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertEqual(found.budgets[0].status, Status.OK)
    none = isoflop.fit([])
    self.assertEqual(none.status, Status.TOO_FEW_POINTS)
    for fit in (found, none):
      self.assertTrue(np.isnan(list(fit.params.values())).all())
      best = fit.optimum(C=1e20)
      self.assertFalse(best.N.known or best.D.known)


class LocalTest(absltest.TestCase):
  def test_curves_are_near_the_truth_where_a_parabola_is_not(self):
    plan = designs.design(LOPSIDED, models=15, reach=12.0)
    L = np.asarray(LOPSIDED.loss(plan.N, plan.D))
    groups = designs.by_budget(plan, L)
    for budget in isoflop.fit(groups, bootstrap=NO_DRAWS).budgets:
      truth = LOPSIDED.optimum(budget.C).N
      self.assertLess(abs(np.log(budget.N_local().value / truth)), 0.02)
      self.assertLess(abs(np.log(budget.optimum().N.value / truth)), 0.001)
      second = budget.N_parabola().value
      self.assertGreater(abs(np.log(second / truth)), 0.2)

  def test_seeds_are_averaged_however_many(self):
    one = bowl(1e15)
    third = np.array([0, 0, 1, 0, 0, 0]) * 0.006
    N, D = (np.append(x, x[2:4]) for x in (one.N, one.D))
    twice = np.append(one.loss, one.loss[2:4] + third[2:4])
    both = [
      Group(1e15, N, D, twice),
      Group(2e15, one.N, one.D, one.loss + third / 2),
    ]
    first, second = isoflop.fit(both, bootstrap=NO_DRAWS).budgets
    self.assertAlmostEqual(first.local, second.local)

  def test_none_inside(self):
    one = bowl(1e15, 0.01)
    one.loss[0] = one.loss.min() - 1e-4
    (budget,) = isoflop.fit([one], bootstrap=NO_DRAWS).budgets
    self.assertTrue(np.isnan(budget.N_local().value))
    self.assertLen(budget.notes, 1)


if __name__ == '__main__':
  absltest.main()
