"""Parabolas and the power laws through them, against exact minima."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import isoflop
from tests import studies

# N_opt = 0.3 C^0.48, and so D_opt = C^0.52 / 1.8.
EXPONENT, COEFFICIENT = 0.48, 0.3
LOPSIDED = laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55)
GRID = np.geomspace(0.2, 3.0, 6)  # off-centre, which exact parabolas allow


def bowl(C, curvature=0.05, grid=GRID, depth=1.5):
  """A budget whose losses lie on a parabola in log N about 0.3 C^0.48."""
  best = COEFFICIENT * C**EXPONENT
  N = best * grid
  return C, N, C / (6 * N), depth + curvature * np.log(N / best) ** 2


def bowls(budgets=studies.BUDGETS):
  return [bowl(C, 0.03 + 0.01 * i) for i, C in enumerate(budgets)]


def attention_tokens(C, N):
  """D where a budget counts 7.2 N^1.03 D: attention, with a slow drift."""
  return C / (7.2 * N * (N / 1e6) ** 0.03)


def polyfit_minimum(N, L):
  """log N and L at the minimum of numpy's parabola."""
  c2, c1, c0 = np.polyfit(np.log(N), L, 2)
  return -c1 / (2 * c2), c0 - c1**2 / (4 * c2)


def residuals(N, L):
  log_N = np.log(N) - np.log(N).mean()
  return 1 - np.polyval(np.polyfit(log_N, L, 2), log_N) / L


class ExactTest(parameterized.TestCase):
  def test_parabolas_give_back_their_minima(self):
    found = isoflop.fit(bowls(), draws=0)
    self.assertTrue(found.ok, found.sentence)
    for budget, C in zip(found.budgets, studies.BUDGETS):
      log_N, L = budget.parabola.minimum()
      best = COEFFICIENT * C**EXPONENT
      np.testing.assert_allclose(np.exp(log_N), best, rtol=1e-9)
      np.testing.assert_allclose(L, 1.5, rtol=1e-12)
      D = np.exp(budget.tokens(log_N))
      np.testing.assert_allclose(D, C / (6 * best), rtol=1e-9)
      self.assertEqual((budget.status, budget.C), ('ok', C))

  def test_power_laws_through_them(self):
    found = isoflop.fit(bowls(), draws=0)
    np.testing.assert_allclose(found.N_opt, [0.48, np.log(0.3)], rtol=1e-8)
    np.testing.assert_allclose(found.D_opt, [0.52, -np.log(1.8)], rtol=1e-8)
    for C in (1e13, 1e18):
      N, D = isoflop.at(found, C, 0.95)
      np.testing.assert_allclose(N['value'], 0.3 * C**0.48, rtol=1e-7)
      np.testing.assert_allclose(D['value'], C**0.52 / 1.8, rtol=1e-7)
      self.assertIsNone(N['low'])

  def test_without_noise_intervals_close(self):
    found = isoflop.fit(bowls(), draws=200)
    np.testing.assert_allclose(found.N_draws[:, 0], 0.48, rtol=1e-8)
    self.assertEqual([b.noise.dof for b in found.budgets], [9, 9, 9])

  def test_the_order_of_runs_and_budgets_is_nothing(self):
    plan = studies.design()
    L = studies.noisy(studies.LAW, plan, 0.003)
    groups = studies.by_budget(plan, L)
    mixed = [(C, N[::-1], D[::-1], L[::-1]) for C, N, D, L in reversed(groups)]
    one, other = isoflop.fit(groups, draws=0), isoflop.fit(mixed, draws=0)
    np.testing.assert_allclose(one.N_opt, other.N_opt, rtol=1e-12)

  @parameterized.parameters(1, 3)
  def test_noisy_ones_are_numpy_s(self, seeds):
    plan = studies.design(seeds=seeds)
    L = studies.noisy(studies.LAW, plan, 0.004)
    groups = studies.by_budget(plan, L)
    found = isoflop.fit(groups, draws=0)
    minima = [polyfit_minimum(N, L) for _, N, _, L in groups]
    for budget, (log_N, L_min) in zip(found.budgets, minima):
      at, L = budget.parabola.minimum()
      np.testing.assert_allclose(at, log_N, rtol=1e-8)
      np.testing.assert_allclose(L, L_min, rtol=1e-10)
      self.assertLen(budget.N, 7 * seeds)
    line = np.polyfit(np.log(studies.BUDGETS), [m[0] for m in minima], 1)
    np.testing.assert_allclose(found.N_opt, line, rtol=1e-7)

  def test_uneven_seeds_weigh_by_their_number(self):
    C, N, D, L = bowl(1e15)
    L = L + np.array([0.0, 0.004, -0.003, 0.001, 0.002, -0.001])
    twice = [np.append(x, x[:2]) for x in (N, D, L)]
    (budget,) = isoflop.fit([(C, *twice)], draws=0).budgets
    np.testing.assert_allclose(
      budget.parabola.minimum(), polyfit_minimum(twice[0], twice[2]), rtol=1e-8
    )


class TokensTest(absltest.TestCase):
  def test_a_budget_that_counts_attention(self):
    groups = []
    for C in studies.BUDGETS:
      _, N, _, L = bowl(C)
      groups.append((C, N, attention_tokens(C, N), L))
    found = isoflop.fit(groups, draws=0)
    for budget in found.budgets:
      best = COEFFICIENT * budget.C**EXPONENT
      np.testing.assert_allclose(
        np.exp(budget.tokens(np.log(best))),
        attention_tokens(budget.C, best),
        rtol=1e-9,
      )
    # D_opt = C N_opt^-1.03 / 7.2 · 1e6^0.03
    self.assertAlmostEqual(found.D_opt[0], 1 - 1.03 * EXPONENT)

  def test_beyond_the_models_tokens_are_not_clamped(self):
    C, N, _, L = bowl(1e15, grid=np.geomspace(2, 9, 5))
    D = attention_tokens(C, N)
    (budget,) = isoflop.fit([(C, N, D, L)], draws=0).budgets
    self.assertEqual(budget.status, 'minimum_at_edge')
    log_N = budget.parabola.minimum()[0]
    best = COEFFICIENT * C**EXPONENT
    np.testing.assert_allclose(np.exp(log_N), best, rtol=1e-6)
    found = np.exp(budget.tokens(log_N))
    np.testing.assert_allclose(found, attention_tokens(C, best), rtol=1e-6)
    clamped = np.interp(best, N, D)
    self.assertEqual(clamped, D[0])
    self.assertGreater(found / clamped, 1.9)


class StatusTest(parameterized.TestCase):
  def status(self, *group, others=()):
    found = isoflop.fit([group, *others], draws=400)
    return found, next(b for b in found.budgets if b.C == group[0])

  @parameterized.parameters(1, 3)
  def test_two_models(self, seeds):
    C, N, D, L = bowl(1e15)
    few = (np.repeat(x[1:3], seeds) for x in (N, D, L))
    _, budget = self.status(C, *few)
    self.assertEqual(budget.status, 'too_few_points')
    self.assertIn('there are 2', budget.sentence)
    self.assertIsNone(budget.parabola)
    self.assertFalse(budget.counts)

  def test_three_models_alone(self):
    three = [bowl(C, grid=np.array([0.3, 1, 3])) for C in (1e15, 1e16)]
    found, budget = self.status(*three[0], others=three[1:])
    self.assertEqual(budget.status, 'no_degrees_of_freedom')
    self.assertIn('no noise is known', budget.sentence)
    self.assertIsNone(budget.noise)
    self.assertIsNone(budget.draws)
    # The exponent stands without an interval, and says so.
    self.assertEqual(found.status, 'no_degrees_of_freedom')
    self.assertAlmostEqual(found.N_opt[0], EXPONENT)
    self.assertIsNone(found.N_draws)

  def test_three_models_borrow_the_others_noise(self):
    plan = studies.design(models=7)
    groups = studies.by_budget(plan, studies.noisy(studies.LAW, plan, 0.003))
    three = tuple(x[1::2] for x in groups[0][1:])
    found, budget = self.status(groups[0][0], *three, others=groups[1:])
    self.assertEqual(budget.status, 'no_degrees_of_freedom')
    self.assertIn('borrows the noise', budget.sentence)
    pooled = np.concatenate([residuals(N, L) for _, N, _, L in groups[1:]])
    self.assertAlmostEqual(budget.noise.sd, np.sqrt(pooled @ pooled / 8))
    self.assertEqual(budget.noise.dof, 8)
    self.assertIsNotNone(budget.draws)
    self.assertTrue(found.ok)

  def test_seeds_give_three_models_freedom(self):
    plan = studies.design(models=3, seeds=2)
    L = studies.noisy(studies.LAW, plan, 0.002)
    for budget in isoflop.fit(studies.by_budget(plan, L), draws=400).budgets:
      self.assertEqual(budget.status, 'ok')
      self.assertEqual(budget.noise.dof, 9)

  @parameterized.parameters(
    (np.geomspace(2, 9, 5), 'below', 'smallest', 0),
    (np.geomspace(0.1, 0.6, 5), 'above', 'largest', -1),
  )
  def test_minimum_beyond_the_models(self, grid, side, which, edge):
    C, N, D, L = bowl(1e15, grid=grid)
    inside = [bowl(2e15), bowl(4e15)]
    found, budget = self.status(C, N, D, L, others=inside)
    self.assertEqual(budget.status, 'minimum_at_edge')
    self.assertIn(f'{side} the models tried, whose {which}', budget.sentence)
    self.assertIn(f'{N[edge]:.4g} parameters', budget.sentence)
    # The power law rests on the others alone.
    self.assertTrue(found.ok)
    self.assertIn('through 2 budgets; 1 left out', found.sentence)
    self.assertAlmostEqual(found.N_opt[0], EXPONENT)

  def test_open_downward(self):
    C, N, D, L = bowl(1e15, curvature=-0.05)
    found, budget = self.status(C, N, D, L)
    self.assertEqual(budget.status, 'no_minimum')
    self.assertTrue(np.isnan(budget.parabola.minimum()[0]))
    self.assertEqual(found.status, 'too_few_points')

  def test_flat_and_noisy(self):
    # The cubic is orthogonal to parabolas: it is all noise.
    cubic = np.array([-1, 1, 1, 0, -1, -1, 1])
    C, N, D, L = bowl(1e15, 1e-3, np.geomspace(0.3, 3, 7))
    _, budget = self.status(C, N, D, L + 1e-5 * cubic)
    self.assertEqual(budget.status, 'ok')
    found, budget = self.status(C, N, D, L + 1e-2 * cubic)
    self.assertEqual(budget.status, 'not_identified')
    self.assertRegex(budget.sentence, r'turn the parabola over in \d+%')
    self.assertFalse(budget.counts)
    self.assertIsNone(found.N_opt)

  @parameterized.parameters(
    (np.geomspace(0.7, 9, 5), 'lower'),
    (np.geomspace(0.1, 1.4, 5), 'upper'),
    (np.geomspace(0.2, 4, 5), ''),
  )
  def test_off_centre(self, grid, side):
    _, budget = self.status(*bowl(1e15, grid=grid))
    self.assertEqual(budget.status, 'ok')
    said = [note for note in budget.notes if 'off-centre' in note]
    self.assertEqual([side in note for note in said], [True] * bool(side))

  def test_one_budget_or_none(self):
    found = isoflop.fit([bowl(1e15)], draws=0)
    self.assertEqual(found.status, 'too_few_points')
    self.assertIn('1 of 1 budgets', found.sentence)
    self.assertIsNone(found.N_opt)
    self.assertEqual(found.budgets[0].status, 'ok')
    self.assertIn('0 of 0 budgets', isoflop.fit([]).sentence)


class LocalTest(absltest.TestCase):
  def test_akima_is_near_the_truth_where_a_parabola_is_not(self):
    plan = studies.design(LOPSIDED, models=15, reach=12.0)
    L = np.asarray(LOPSIDED.loss(plan.N, plan.D))
    for budget in isoflop.fit(studies.by_budget(plan, L), draws=0).budgets:
      truth = np.log(LOPSIDED.optimum(budget.C).N)
      self.assertLess(abs(budget.local - truth), 0.02)
      self.assertGreater(abs(budget.parabola.minimum()[0] - truth), 0.2)

  def test_seeds_are_averaged_however_many(self):
    C, N, D, L = bowl(1e15)
    third = np.array([0, 0, 1, 0, 0, 0]) * 0.006
    more = [np.append(x, y) for x, y in ((N, N[2:4]), (D, D[2:4]))]
    twice = np.append(L, L[2:4] + third[2:4])
    both = [(C, *more, twice), (2 * C, N, D, L + third / 2)]
    one, other = (b.local for b in isoflop.fit(both, draws=0).budgets)
    self.assertAlmostEqual(one, other)

  def test_none_inside(self):
    C, N, D, L = bowl(1e15, 0.01)
    L[0] = L.min() - 1e-4
    (budget,) = isoflop.fit([(C, N, D, L)], draws=0).budgets
    self.assertTrue(np.isnan(budget.local))
    self.assertIn('Akima', ' '.join(budget.notes))


if __name__ == '__main__':
  absltest.main()
