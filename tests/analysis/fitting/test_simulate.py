"""Simulated studies have the law, the noise and the shape they are asked."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize
from scipy import stats

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import simulate

LAW = laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55)


def design():
  return simulate.Design.of([(6e13, (1e5, 1e6)), (3e14, (2e5, 8e5, 3e6))])


class DesignTest(absltest.TestCase):
  def test_arrays(self):
    plan = design()
    np.testing.assert_array_equal(plan.C, [6e13] * 2 + [3e14] * 3)
    np.testing.assert_array_equal(plan.N, [1e5, 1e6, 2e5, 8e5, 3e6])
    np.testing.assert_allclose(plan.D, [1e8, 1e7, 2.5e8, 6.25e7, 5e7 / 3])
    self.assertEqual({x.dtype for x in plan}, {np.dtype(float)})

  def test_integers_beyond_64_bits(self):
    plan = simulate.Design.of([(10**24, (10**20, 10**9))])
    np.testing.assert_allclose(plan.D, [1e4 / 6, 1e15 / 6])


class LossesTest(absltest.TestCase):
  def test_without_noise_it_is_the_law(self):
    rng = np.random.default_rng(0)
    found = simulate.losses(LAW, design(), 0, rng)
    for N, D, L in zip(design().N, design().D, found):
      self.assertAlmostEqual(L, 0.5 + 40 / N**0.21 + 9000 / D**0.55)

  def test_mean_and_sd(self):
    noise, studies = 0.02, 20_000
    found = simulate.losses(
      LAW, design(), noise, np.random.default_rng(0), studies
    )
    self.assertEqual(found.shape, (studies, 5))
    logs = np.log(found / LAW.loss(design().N, design().D)) / noise
    # Four standard errors of each.
    np.testing.assert_allclose(logs.mean(axis=0), 0, atol=4 / studies**0.5)
    np.testing.assert_allclose(logs.std(axis=0), 1, atol=3 / studies**0.5)
    self.assertGreater(stats.kstest(logs[:, 0], stats.norm.cdf).pvalue, 0.01)
    # Runs are independent of each other.
    between = np.corrcoef(logs.T)[np.triu_indices(5, 1)]
    np.testing.assert_allclose(between, 0, atol=4 / studies**0.5)

  def test_by_seed(self):
    one, same, other = (
      simulate.losses(LAW, design(), 0.01, np.random.default_rng(seed))
      for seed in (1, 1, 2)
    )
    self.assertEqual(one.shape, (5,))
    np.testing.assert_array_equal(one, same)
    self.assertFalse(np.any(one == other))


class SimulateTest(absltest.TestCase):
  def test_a_law_of_any_kind_and_noise_by_seed(self):
    N, D = np.array([[1e6], [1e7]]), np.array([1e8, 1e9, 1e10])
    for law in (LAW, published.KAPLAN):
      clean = simulate.simulate(law, N, D)
      np.testing.assert_allclose(clean, law.loss(N, D))
      one, same, other = (
        simulate.simulate(law, N, D, noise=0.01, seed=seed)
        for seed in (1, 1, 2)
      )
      self.assertEqual(one.shape, (2, 3))
      np.testing.assert_array_equal(one, same)
      self.assertFalse(np.any(one == other))
      np.testing.assert_allclose(one, clean, rtol=0.05)


class CurvesTest(absltest.TestCase):
  def test_without_noise_each_point_is_the_law_s(self):
    plan = design()
    curves = simulate.training_curves(
      LAW, plan, 0, np.random.default_rng(0), points=50
    )
    self.assertLen({curve.run_id for curve in curves}, 5)
    for curve, C, N, D in zip(curves, plan.C, plan.N, plan.D):
      self.assertEqual(curve.N, N)
      self.assertEqual((len(curve.L), len(curve.C)), (50, 50))
      np.testing.assert_allclose(curve.C[-1], C, rtol=1e-12)
      np.testing.assert_allclose(curve.D[[0, -1]], (D / 1000, D), rtol=1e-12)
      np.testing.assert_allclose(curve.C, 6 * N * curve.D, rtol=1e-12)
      np.testing.assert_allclose(curve.L, LAW.loss(N, curve.D), rtol=1e-12)
      self.assertTrue(np.all(np.diff(curve.L) < 0))

  def test_noise_of_the_run_and_of_its_points(self):
    plan = simulate.Design.of([(1e15, np.full(2000, 1e6))])
    curves = simulate.training_curves(LAW, plan, 0.01, np.random.default_rng(0))
    self.assertEqual(curves[0].L.shape, (200,))
    shifts = np.array([
      np.log(curve.L / LAW.loss(curve.N, curve.D)) / 0.01 for curve in curves
    ])  # fmt: skip
    # A run's mean moves by 1, and by 0.5/200^(1/2) more; its points by 0.5.
    self.assertAlmostEqual(shifts.mean(axis=1).std(), 1, delta=0.07)
    self.assertAlmostEqual(shifts.std(axis=1).mean(), 0.5, delta=0.01)
    self.assertAlmostEqual(shifts.mean(), 0, delta=0.1)


class BatchRunsTest(absltest.TestCase):
  def test_each_step_is_on_both_laws(self):
    steps, batch = published.KAPLAN_L_NS, laws.CriticalBatch(2e7, 0.235)
    rng = np.random.default_rng(0)
    made = simulate.batch_runs(
      steps, batch, 1e6, (1e3, 3e4), 1e7, 0.0, rng, warmup=9
    )
    for run, B in zip(made, (1e3, 3e4)):
      self.assertEqual((run.B, run.warmup), (B, 9))
      self.assertLen(run.losses, int(1e7 / B))
      S = np.arange(1, len(run.losses) + 1)
      L = run.losses[10:]
      np.testing.assert_allclose(
        steps.loss(1e6, batch.S_min(S[10:], B, L)) / L, 1, atol=1e-4
      )


class LawThroughTest(parameterized.TestCase):
  @parameterized.parameters(
    (6e13, 4e5, {}),
    (5.76e23, 7e10, {'E': 1.7, 'reducible': 0.2}),
    (1e19, 1e8, {'alpha': 0.21, 'beta': 0.55}),
  )
  def test_its_optimum(self, C, N, choices):
    law = simulate.law_through(C, N, **choices)
    found = optimize.minimize_scalar(
      lambda x: law.loss(np.exp(x), C / 6 / np.exp(x)),
      bounds=(np.log(N) - 8, np.log(N) + 8),
      method='bounded',
      options={'xatol': 1e-10},
    )
    self.assertAlmostEqual(found.x, np.log(N), delta=1e-6)
    floor = choices.get('E', 1.0)
    self.assertEqual(law.E, floor)
    self.assertAlmostEqual(found.fun, floor + choices.get('reducible', 0.6))
    self.assertEqual(law.alpha, choices.get('alpha', 0.35))
    self.assertEqual(law.beta, choices.get('beta', 0.37))


if __name__ == '__main__':
  absltest.main()
