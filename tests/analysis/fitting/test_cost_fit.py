"""The cost of runs, and optima along it, against counts of real GPT shapes."""

import dataclasses
import functools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax import budget
from scaling_jax import costs
from scaling_jax.analysis.fitting import averaged
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import cost_fit
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.published import BESIROGLU as LAW
from tests.analysis.gpt_ladder import BUDGETS
from tests.analysis.gpt_ladder import CONTEXT
from tests.analysis.gpt_ladder import VOCAB
from tests.analysis.gpt_ladder import best_of_all
from tests.analysis.gpt_ladder import ladder
from tests.analysis.gpt_ladder import per_token


@functools.cache
def fitted(**counted):
  N, D, C = ladder(**counted)
  return chinchilla.fit(
    N, D, LAW.loss(N, D), C=C, bootstrap=Bootstrap(draws=200)
  )


class CountsTest(absltest.TestCase):
  def test_the_truth_is_of_the_counts(self):
    for n in (4, 9):
      shape = budget.Shape(n, n, 64 * n)
      N, flops = per_token(64.0 * n)
      self.assertEqual(N, budget.count_parameters(shape, 0, 0).N)
      self.assertEqual(flops, budget.flops_per_token(shape, CONTEXT, VOCAB))

  def test_as_the_issue_has_it(self):
    N, D, C = ladder()
    ratio = C / (6 * N * D)
    self.assertBetween(ratio.max(), 2.3, 2.5)
    self.assertBetween(ratio.min(), 1.5, 1.7)


class OptimumTest(parameterized.TestCase):
  """Noise-free runs whose C holds attention and head."""

  def test_constants_are_found(self):
    np.testing.assert_allclose(
      [fitted().params[name] for name in LAW._fields], LAW, rtol=1e-3
    )

  @parameterized.parameters(*BUDGETS)
  def test_within_the_runs(self, C):
    N, L = best_of_all(C)
    best = fitted().optimum(C=C)
    self.assertAlmostEqual(best.N.value / N, 1, delta=0.01)
    self.assertAlmostEqual(best.loss.value / L, 1, delta=3e-4)
    self.assertTrue(best.N.holds(N))

  def test_ten_times_beyond(self):
    C = 10 * BUDGETS[-1]
    N, _ = best_of_all(C)
    best = fitted().optimum(C=C)
    self.assertAlmostEqual(best.N.value / N, 1, delta=0.03)
    self.assertTrue(best.N.holds(N))
    # A straight line is much further off.
    line = costs.CostLine.of_runs(*ladder())
    self.assertGreater(fitted().law.optimum(C, line).N / N, 1.1)
    # It grows by itself: the cost of larger models is less known.
    near = fitted().optimum(C=BUDGETS[1]).N
    spread = [np.log(x.high / x.low) for x in (near, best.N)]
    self.assertGreater(spread[1], 2 * spread[0])

  def test_by_tokens(self):
    best = fitted().optimum(C=2e16)
    back = fitted().optimum(D=best.D.value)
    np.testing.assert_allclose(back.C.value, 2e16, rtol=1e-9)
    self.assertLess(back.C.low, 2e16)
    self.assertGreater(back.C.high, 2e16)

  def test_the_exponent_is_the_tangent_in_the_middle(self):
    found, C = fitted(), np.sqrt(BUDGETS[0] * BUDGETS[-1])
    N = [best_of_all(C * x)[0] for x in (0.8, 1.25)]
    slope = np.log(N[1] / N[0]) / np.log(1.25 / 0.8)
    self.assertAlmostEqual(found.params['exponent_N'], slope, delta=0.005)
    at = found.params['N0'] * C ** found.params['exponent_N']
    best = found.optimum(C=C)
    self.assertAlmostEqual(at / best.N.value, 1)
    at = found.params['D0'] * C ** found.params['exponent_D']
    self.assertAlmostEqual(at / best.D.value, 1)

  def test_an_average_over_forms_follows_too(self):
    N, D, C = ladder()
    rng = np.random.default_rng(0)
    loss = LAW.loss(N, D) * np.exp(1e-3 * rng.normal(size=len(N)))
    law = chinchilla.fit(N, D, loss, C=C, bootstrap=Bootstrap(draws=200))
    found = averaged.fit(law, draws=400)
    for C in (BUDGETS[1], 10 * BUDGETS[-1]):
      best = found.optimum(C=C)
      self.assertTrue(best.N.holds(best_of_all(C)[0]))
      self.assertAlmostEqual(
        law.cost.flops(best.N.value, best.D.value) / C, 1, delta=0.01
      )

  def test_a_head_of_many_tokens(self):
    counted = {'context': 1024, 'vocab': 50_257}
    C = 10 * BUDGETS[-1]
    N, _ = best_of_all(C, **counted)
    best = fitted(**counted).optimum(C=C).N
    self.assertAlmostEqual(best.value / N, 1, delta=0.06)

  def test_experts_at_one_eighth(self):
    """N of all experts: the same models and tokens, whatever N is called."""
    N, D, C = ladder()
    C = 6 * N * D
    loss = LAW.loss(N, D)
    none = Bootstrap(draws=0)
    plain = chinchilla.fit(N, D, loss, C=C, bootstrap=none)
    all_ = chinchilla.fit(8 * N, D, loss, C=C, bootstrap=none)
    self.assertEqual(all_.cost_fit.form, 'ratio')
    for C in (1e16, 1e18):
      one, other = plain.optimum(C=C), all_.optimum(C=C)
      self.assertAlmostEqual(other.N.value / one.N.value, 8, places=3)
      self.assertAlmostEqual(other.D.value / one.D.value, 1, places=4)

  def test_6ND_is_what_it_was(self):
    N, D, _ = ladder()
    found = fitted()
    six = dataclasses.replace(found, C=6 * N * D * 1.002)
    without = dataclasses.replace(found, C=None)
    for C in (1e16, 1e21):
      truth = found.law.optimum(C)
      for fit in (six, without):
        self.assertEqual(fit.cost, costs.SIX_ND)
        self.assertEqual(fit.optimum(C=C).N.value, truth.N)
    self.assertEqual(six.params['exponent_N'], found.law.exponent_N)


class CostFitTest(parameterized.TestCase):
  def test_draws_are_the_same_again(self):
    found = cost_fit.fit(*ladder())
    one, same, other = (found.draws(50, seed) for seed in (0, 0, 1))
    self.assertEqual(one.center, same.center)
    np.testing.assert_array_equal(one[1:], same[1:])
    self.assertFalse(np.array_equal(one.level, other.level))

  def test_an_exact_cost_has_no_draws(self):
    N, D, _ = ladder()
    for C in (6 * N * D, N * D / 1.3, 5 * N**1.1 * D):
      found = cost_fit.fit(N, D, C)
      self.assertEqual(found.draws(50), found.cost)
      self.assertIsInstance(found.cost, costs.CostLine)

  def test_extrapolated(self):
    N, D, C = ladder()
    found = cost_fit.fit(N, D, C)
    self.assertFalse(found.extrapolated(N))
    self.assertTrue(found.extrapolated(2 * N.max()))
    self.assertTrue(found.extrapolated(N.min() / 2))
    self.assertFalse(cost_fit.fit(N, D, N * D).extrapolated(1e15))

  def test_no_runs(self):
    self.assertEqual(cost_fit.fit([], [], []).cost, costs.SIX_ND)

  def test_seeds_are_one_datum(self):
    N, D, C = ladder()
    once, twice = (
      cost_fit.fit(*(np.tile(x, k) for x in (N, D, C))).draws(500).fall.std()
      for k in (1, 2)
    )
    self.assertEqual(once, twice)

  def test_hundreds_of_models_are_put_together(self):
    N = np.geomspace(1e6, 1e9, 1000)
    C = (6 + 600 * N**-0.4) * N
    found = cost_fit.fit(N, np.ones(1000), C)
    np.testing.assert_allclose(found.cost.flops(N, 1), C, rtol=2e-3)

  @parameterized.parameters(1e7, 1e8, 1e9, 1e10)
  def test_intervals_hold_the_cost(self, N):
    """Of models that scatter by 2% about the truth, and larger ones."""
    rng, inside = np.random.default_rng(1), 0
    models = np.geomspace(2e6, 1e8, 12)
    truth = 6 + 400 * N**-0.35
    for _ in range(100):
      k = 6 + 400 * models**-0.35
      C = k * models * np.exp(0.02 * rng.normal(size=len(models)))
      drawn = cost_fit.fit(models, np.ones_like(models), C).draws(400)
      low, high = np.quantile(drawn.flops(N, 1) / N, (0.025, 0.975))
      inside += low < truth < high
    self.assertGreaterEqual(inside, 90)

  def test_of_budgets(self):
    N, D, C = ladder()
    groups = isoflop.Group.of(
      C, N, D, LAW.loss(N, D), [np.flatnonzero(C == c) for c in BUDGETS]
    )
    fit = isoflop.fit(groups, bootstrap=Bootstrap(draws=0))
    found = cost_fit.of_budgets(fit.budgets)
    self.assertEqual(found.form, 'curve')
    self.assertEqual(cost_fit.of_budgets(()).cost, costs.SIX_ND)


@pytest.mark.slow
class CoverageTest(absltest.TestCase):
  def test_intervals_hold_N_opt(self):
    """0.3% of noise in the loss and 2% in C, ten times beyond the runs."""
    N, D, C = ladder()
    truth, inside, studies = best_of_all(10 * BUDGETS[-1])[0], 0, 40
    for seed in range(studies):
      rng = np.random.default_rng(seed)
      loss = LAW.loss(N, D) * np.exp(0.003 * rng.normal(size=len(N)))
      by_model = np.tile(0.02 * rng.normal(size=6), len(BUDGETS))
      found = chinchilla.fit(
        N, D, loss, C=C * np.exp(by_model), bootstrap=Bootstrap(draws=400)
      )
      inside += found.optimum(C=10 * BUDGETS[-1]).N.holds(truth) is not False
    self.assertGreaterEqual(inside, 35)


if __name__ == '__main__':
  absltest.main()
