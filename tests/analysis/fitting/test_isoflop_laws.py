"""Approach 2 on studies of a known law: bias, noise, and what it recovers."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize
from scipy import stats

from scaling_jax import published
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.isoflop import Group
from tests import shared_data
from tests.analysis import designs
from tests.analysis.fitting.bowls import LOPSIDED
from tests.analysis.fitting.bowls import NO_DRAWS
from tests.analysis.fitting.bowls import attention_tokens
from tests.analysis.fitting.bowls import bowl
from tests.analysis.fitting.bowls import bowls
from tests.analysis.fitting.bowls import polyfit_minimum
from tests.analysis.fitting.bowls import residuals


def same_models(law):
  """The same seven at each budget: off-center at the first and the last."""
  N = law.optimum(4e14).N * np.geomspace(1 / 8, 8, 7)
  return simulate.Design.of([(C, N) for C in designs.BUDGETS])


class BiasTest(absltest.TestCase):
  def test_as_predicted_so_it_is(self):
    plan = same_models(LOPSIDED)
    L = np.asarray(LOPSIDED.loss(plan.N, plan.D))
    groups = designs.by_budget(plan, L)
    found = isoflop.fit(groups, LOPSIDED, NO_DRAWS, curve='parabola')
    shifts = []
    for budget in found.budgets:
      best = LOPSIDED.optimum(budget.C)
      log_N, L_min = polyfit_minimum(budget.N, budget.loss)
      shifts.append(log_N - np.log(best.N))
      np.testing.assert_allclose(budget.bias[0], shifts[-1], rtol=1e-6)
      np.testing.assert_allclose(budget.bias[1], L_min - best.L, rtol=1e-6)
    of_line = np.polyfit(np.log(designs.BUDGETS), shifts, 1)
    bias = found.N_opt.bias
    np.testing.assert_allclose(bias, of_line, rtol=1e-6)
    self.assertGreater(abs(bias[0]), 0.02)
    # What is predicted is all that parts the parabolas from the law.
    self.assertAlmostEqual(
      found.params['exponent_N'] - bias[0], LOPSIDED.exponent_N
    )

  def test_of_a_budget_that_counts_attention(self):
    C, N = 4e14, 1e6 * np.geomspace(0.3, 5, 6)
    D = attention_tokens(C, N)
    L = np.asarray(designs.LAW.loss(N, D))
    group = Group(C, N, D, L)
    (budget,) = isoflop.fit(
      [group], designs.LAW, NO_DRAWS, curve='parabola'
    ).budgets
    truth = optimize.minimize_scalar(
      lambda x: designs.LAW.loss(np.exp(x), attention_tokens(C, np.exp(x))),
      bounds=(10, 18),
      method='bounded',
      options={'xatol': 1e-10},
    ).x
    expected = polyfit_minimum(N, L)[0] - truth
    self.assertAlmostEqual(budget.bias[0], expected, places=6)

  def test_intervals_stretch_to_where_the_truth_is(self):
    plan = same_models(LOPSIDED)
    L = designs.noisy(LOPSIDED, plan, 0.001)
    groups = designs.by_budget(plan, L)
    found = isoflop.fit(
      groups, LOPSIDED, Bootstrap(draws=400), curve='parabola'
    )
    plain = dataclasses.replace(
      found,
      N_opt=dataclasses.replace(found.N_opt, bias=None),
      D_opt=dataclasses.replace(found.D_opt, bias=None),
    )
    for C, sign in ((1e12, 1), (1e17, -1)):
      bias = found.N_opt.bias @ [np.log(C), 1.0]
      self.assertGreater(sign * bias, 0.05)
      narrow, wide = plain.optimum(C=C), found.optimum(C=C)
      for one, other, x in (
        (narrow.N, wide.N, bias),
        (narrow.D, wide.D, -bias),
      ):
        self.assertAlmostEqual(other.low / one.low, np.exp(-max(x, 0)))
        self.assertAlmostEqual(other.high / one.high, np.exp(-min(x, 0)))
      best = LOPSIDED.optimum(C)
      self.assertTrue(wide.N.holds(best.N))
      self.assertTrue(wide.D.holds(best.D))

  def test_without_a_law_nothing_is_predicted(self):
    found = isoflop.fit(bowls(), bootstrap=NO_DRAWS)
    self.assertIsNone(found.N_opt.bias)
    self.assertEqual({b.bias for b in found.budgets}, {None})


class ResidualSDTest(absltest.TestCase):
  def test_many_runs_keep_their_own(self):
    rng = np.random.default_rng(1)
    groups = [bowl(C) for C in (1e14, 1e15)]
    groups.append(bowl(1e16, grid=np.geomspace(0.2, 5, 12)))
    groups = [
      dataclasses.replace(
        g, loss=g.loss * np.exp(sd * rng.normal(size=g.N.size))
      )
      for g, sd in zip(groups, (1e-3, 1e-3, 2e-2))
    ]
    budgets = isoflop.fit(groups, bootstrap=NO_DRAWS, curve='parabola').budgets
    left = [residuals(g) for g in groups]
    small = np.concatenate(left[:2])
    pooled = np.sqrt(small @ small / 6)
    own = np.sqrt(left[2] @ left[2] / 9)
    found = [b.residual_sd for b in budgets]
    np.testing.assert_allclose(
      [x.sd for x in found], [pooled, pooled, own], rtol=1e-6
    )
    self.assertEqual([x.dof for x in found], [6, 6, 9])


class ScatterTest(absltest.TestCase):
  """Minima that lie off their line by more than noise predicts."""

  def fit(self, shift, noise=1e-4):
    rng = np.random.default_rng(2)
    groups = []
    for C, off in zip((1e14, 1e15, 1e16, 1e17), (0, shift, -shift, 0)):
      N = bowl(C).N
      best = 0.3 * C**0.48 * np.exp(off)
      L = 1.5 + 0.05 * np.log(N / best) ** 2
      L = L * np.exp(noise * rng.normal(size=N.size))
      groups.append(Group(C, N, C / (6 * N), L))
    return isoflop.fit(
      groups, bootstrap=Bootstrap(draws=2000), curve='parabola'
    )

  def sds(self, found):
    """The sd of the exponent's draws, and numpy's by the scatter alone."""
    minima = [b.parabola.minimum()[0] for b in found.budgets]
    x = np.log([b.C for b in found.budgets])
    _, covariance = np.polyfit(x, minima, 1, cov=True)
    return np.nanstd(found.N_opt.draws.exponent), np.sqrt(covariance[0, 0])

  def test_off_the_line_intervals_grow_to_the_scatter(self):
    found = self.fit(0.2)
    self.assertTrue(found.ok)
    drawn, scattered = self.sds(found)
    np.testing.assert_allclose(drawn, scattered, rtol=0.25)
    self.assertGreater(drawn, 10 * self.sds(self.fit(0))[0])
    exponent = found.params['exponent_N']
    self.assertAlmostEqual(
      np.nanmedian(found.N_opt.draws.exponent), exponent, 2
    )

  def test_each_budget_s_own_interval_grows_as_much(self):
    found, alike = self.fit(0.2), self.fit(0)
    x = np.log(found.N_opt.x)
    minima = np.log(found.N_opt.y)
    off = minima - np.polyval(np.polyfit(x, minima, 1), x)
    widths = []
    for fit in (found, alike):
      interval = fit.budgets[1].optimum().N
      widths.append(np.log(interval.high / interval.low))
    self.assertGreater(widths[0], 10 * widths[1])
    # An sd of the scatter about the line, with two degrees of freedom; the
    # budgets' residuals have twelve.
    scatter = np.sqrt(np.sum(off**2) / 2)
    sd = widths[0] / (2 * stats.t.ppf(0.975, 12))
    np.testing.assert_allclose(sd, scatter, rtol=0.25)

  def test_scatter_is_told_where_it_widens(self):
    self.assertNotEqual(self.fit(0.2).message, self.fit(0).message)


class RecoveryTest(parameterized.TestCase):
  @parameterized.product(
    law=(designs.LAW, published.BESIROGLU, LOPSIDED), noise=(0.0005, 0.002)
  )
  def test_exponent(self, law, noise):
    plan = designs.design(law, models=9)
    held = []
    for seed in range(40):
      L = designs.noisy(law, plan, noise, seed)
      groups = designs.by_budget(plan, L)
      found = isoflop.fit(groups, law, Bootstrap(draws=200, seed=seed))
      self.assertTrue(found.ok, found.message)
      interval = found.conf_int()['exponent_N']
      held.append(interval.holds(law.exponent_N))
      width = interval.high - interval.low
      self.assertLess(abs(interval.value - law.exponent_N), 2 * width)
    self.assertGreaterEqual(np.mean(held), 0.85)


class PublishedTest(absltest.TestCase):
  def test_nanochat_january_2026(self):
    C, _, N, _, D, L = shared_data.columns(self, shared_data.NANOCHAT.name)
    groups = [Group(x, N[x == C], D[x == C], L[x == C]) for x in np.unique(C)]
    found = isoflop.fit(
      groups, bootstrap=Bootstrap(draws=200), curve='parabola'
    )
    optima = [b.optimum().N.value / 1e6 for b in found.budgets]
    published_optima = [110.7, 167.8, 250.7, 381.8]
    np.testing.assert_allclose(optima, published_optima, rtol=0.01)
    self.assertAlmostEqual(found.params['exponent_N'], 0.54, delta=0.01)
    self.assertAlmostEqual(found.params['exponent_D'], 0.49, delta=0.01)


if __name__ == '__main__':
  absltest.main()
