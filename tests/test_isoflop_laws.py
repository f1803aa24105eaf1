"""Approach 2 on studies of a known law: bias, noise, and what it recovers."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax import laws
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import points
from scaling_jax.analysis import simulate
from scaling_jax.analysis import uncertainty
from tests import studies
from tests.shared_data import NANOCHAT
from tests.test_isoflop import LOPSIDED
from tests.test_isoflop import attention_tokens
from tests.test_isoflop import bowl
from tests.test_isoflop import bowls
from tests.test_isoflop import polyfit_minimum
from tests.test_isoflop import residuals


def same_models(law):
  """The same seven at each budget: off-centre at the first and the last."""
  N = law.optimum(4e14).N * np.geomspace(1 / 8, 8, 7)
  return simulate.Design.of([(C, N) for C in studies.BUDGETS])


class BiasTest(absltest.TestCase):
  def test_as_foretold_so_it_is(self):
    plan = same_models(LOPSIDED)
    L = np.asarray(LOPSIDED.loss(plan.N, plan.D))
    found = isoflop.fit(studies.by_budget(plan, L), LOPSIDED, draws=0)
    shifts = []
    for budget in found.budgets:
      best = LOPSIDED.optimum(budget.C)
      log_N, L_min = polyfit_minimum(budget.N, budget.L)
      shifts.append(log_N - np.log(best.N))
      np.testing.assert_allclose(budget.bias[0], shifts[-1], rtol=1e-6)
      np.testing.assert_allclose(budget.bias[1], L_min - best.L, rtol=1e-6)
    of_exponent = np.polyfit(np.log(studies.BUDGETS), shifts, 1)
    np.testing.assert_allclose(found.N_bias, of_exponent, rtol=1e-6)
    self.assertGreater(abs(found.N_bias[0]), 0.02)
    # What is foretold is all that parts the parabolas from the law.
    self.assertAlmostEqual(
      found.N_opt[0] - found.N_bias[0], LOPSIDED.exponent_N
    )

  def test_of_a_budget_that_counts_attention(self):
    C, N = 4e14, 1e6 * np.geomspace(0.3, 5, 6)
    D = attention_tokens(C, N)
    L = np.asarray(studies.LAW.loss(N, D))
    group = (C, N, D, L)
    (budget,) = isoflop.fit([group], studies.LAW, draws=0).budgets
    truth = optimize.minimize_scalar(
      lambda x: studies.LAW.loss(np.exp(x), attention_tokens(C, np.exp(x))),
      bounds=(10, 18),
      method='bounded',
      options={'xatol': 1e-10},
    ).x
    expected = polyfit_minimum(N, L)[0] - truth
    self.assertAlmostEqual(budget.bias[0], expected, places=6)

  def test_intervals_stretch_to_where_the_truth_is(self):
    plan = same_models(LOPSIDED)
    L = studies.noisy(LOPSIDED, plan, 0.001)
    found = isoflop.fit(studies.by_budget(plan, L), LOPSIDED, draws=400)
    for C, sign in ((1e12, 1), (1e17, -1)):
      bias = found.N_bias @ [np.log(C), 1.0]
      self.assertGreater(sign * bias, 0.05)
      plain = isoflop.at(found._replace(N_bias=None, D_bias=None), C, 0.95)
      wider = isoflop.at(found, C, 0.95)
      for one, other, x in zip(plain, wider, (bias, -bias)):
        low, high = (other[end] / one[end] for end in ('low', 'high'))
        self.assertAlmostEqual(low, np.exp(-max(x, 0)))
        self.assertAlmostEqual(high, np.exp(-min(x, 0)))
      best = LOPSIDED.optimum(C)
      self.assertTrue(uncertainty.holds(wider[0], best.N))
      self.assertTrue(uncertainty.holds(wider[1], best.D))

  def test_without_a_law_nothing_is_foretold(self):
    found = isoflop.fit(bowls(), draws=0)
    self.assertIsNone(found.N_bias)
    self.assertEqual({b.bias for b in found.budgets}, {None})


class NoiseTest(absltest.TestCase):
  def test_many_runs_keep_their_own(self):
    rng = np.random.default_rng(1)
    groups = [bowl(C) for C in (1e14, 1e15)]
    groups.append(bowl(1e16, grid=np.geomspace(0.2, 5, 12)))
    groups = [
      (C, N, D, L * np.exp(sd * rng.normal(size=N.size)))
      for (C, N, D, L), sd in zip(groups, (1e-3, 1e-3, 2e-2))
    ]
    found = isoflop.fit(groups, draws=0).budgets
    left = [residuals(N, L) for _, N, _, L in groups]
    small = np.concatenate(left[:2])
    pooled = np.sqrt(small @ small / 6)
    own = np.sqrt(left[2] @ left[2] / 9)
    np.testing.assert_allclose(
      [b.noise.sd for b in found], [pooled, pooled, own], rtol=1e-6
    )
    self.assertEqual([b.noise.dof for b in found], [6, 6, 9])


class ScatterTest(absltest.TestCase):
  """Minima that lie off their line by more than noise would have them."""

  def fit(self, shift, noise=1e-4):
    rng = np.random.default_rng(2)
    groups = []
    for C, off in zip((1e14, 1e15, 1e16, 1e17), (0, shift, -shift, 0)):
      _, N, _, _ = bowl(C)
      best = 0.3 * C**0.48 * np.exp(off)
      L = 1.5 + 0.05 * np.log(N / best) ** 2
      L = L * np.exp(noise * rng.normal(size=N.size))
      groups.append((C, N, C / (6 * N), L))
    return isoflop.fit(groups, draws=2000)

  def test_on_the_line_nothing_is_said(self):
    self.assertNotIn('scatter', self.fit(0).sentence)

  def test_off_the_line_intervals_grow_to_the_scatter(self):
    found = self.fit(0.2)
    self.assertTrue(found.ok)
    self.assertRegex(found.sentence, r'scatter \d+\.\d times as much')
    minima = [b.parabola.minimum()[0] for b in found.budgets]
    x = np.log([b.C for b in found.budgets])
    _, covariance = np.polyfit(x, minima, 1, cov=True)
    # numpy's errors are those of the scatter about the line alone.
    np.testing.assert_allclose(
      np.nanstd(found.N_draws[:, 0]), np.sqrt(covariance[0, 0]), rtol=0.25
    )
    self.assertAlmostEqual(np.nanmedian(found.N_draws[:, 0]), found.N_opt[0], 2)


class RecoveryTest(parameterized.TestCase):
  @parameterized.product(
    law=(studies.LAW, laws.BESIROGLU, LOPSIDED), noise=(0.0005, 0.002)
  )
  def test_exponent(self, law, noise):
    plan = studies.design(law, models=9)
    held = []
    for seed in range(40):
      L = studies.noisy(law, plan, noise, seed)
      found = isoflop.fit(studies.by_budget(plan, L), law, 200, seed)
      self.assertTrue(found.ok, found.sentence)
      interval = uncertainty.widen(
        uncertainty.estimate(found.N_opt[0], found.N_draws[:, 0], 0.95),
        found.N_bias[0],
      )
      held.append(uncertainty.holds(interval, law.exponent_N))
      width = interval['high'] - interval['low']
      self.assertLess(abs(interval['value'] - law.exponent_N), 2 * width)
    self.assertGreaterEqual(np.mean(held), 0.85)


@absltest.skipUnless(NANOCHAT.exists(), f'the points are not at {NANOCHAT}')
class PublishedTest(absltest.TestCase):
  def test_nanochat_january_2026(self):
    runs = points.read([NANOCHAT]).points
    groups = hold_out.as_groups(runs, points.budgets(runs))
    found = isoflop.fit(groups, draws=200)
    optima = [np.exp(b.parabola.minimum()[0]) / 1e6 for b in found.budgets]
    published = [110.7, 167.8, 250.7, 381.8]
    np.testing.assert_allclose(optima, published, rtol=0.01)
    self.assertAlmostEqual(found.N_opt[0], 0.54, delta=0.01)
    self.assertAlmostEqual(found.D_opt[0], 0.49, delta=0.01)


class ManyLinesTest(absltest.TestCase):
  def test_many_lines(self):
    x = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 4.0, 9.0]]))
    y = 0.5 * x + np.array([[1.0], [2.0]])
    np.testing.assert_allclose(
      isoflop.lines(x, y), [[0.5, 1.0], [0.5, 2.0]], rtol=1e-9
    )


if __name__ == '__main__':
  absltest.main()
