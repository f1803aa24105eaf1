"""Approach 3 on runs as they are: outliers, seeds, unequal noise, checkpoints."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import noise
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.published import BESIROGLU
from tests.analysis import designs

C = np.geomspace(1e18, 10**19.5, 4)
PLAN = designs.design(BESIROGLU, C, models=7)
NUMBERS = ('E', 'alpha', 'beta', 'exponent_N')


def fit(N, D, L, draws=0, **kwargs):
  return chinchilla.fit(
    N, D, L, bootstrap=Bootstrap(draws), starts='projection',
    solver='optimistix', **kwargs,
  )  # fmt: skip


def study(sd, seed=0, plan=PLAN):
  """Losses of the plan; `sd` is one or each run's."""
  z = np.random.default_rng(seed).normal(size=len(plan.N))
  return BESIROGLU.loss(plan.N, plan.D) * np.exp(sd * z)


class OutlierTest(parameterized.TestCase):
  @parameterized.parameters(*range(24))
  def test_one_run_of_a_grid(self, which):
    N, D = (
      x.ravel()
      for x in np.meshgrid(
        [2e7, 6e7, 2e8, 6e8, 2e9, 6e9], [1e9, 4e9, 1.6e10, 6.4e10]
      )
    )
    L = BESIROGLU.loss(N, D)
    L[which] *= 1.12
    found = fit(N, D, L)
    self.assertTrue(found.ok, found.message)
    self.assertEqual(found.outliers.tolist(), [which])
    self.assertGreater(found.deviations[which], noise.FAR)
    for name in NUMBERS:
      clean = getattr(BESIROGLU, name)
      self.assertAlmostEqual(found.params[name], clean, delta=1e-5)

  @parameterized.parameters(*range(0, 28, 3))
  def test_a_run_that_failed(self, which):
    L = study(0.003)
    spoilt = L.copy()
    spoilt[which] = 10.9
    found = fit(PLAN.N, PLAN.D, spoilt, draws=200)
    self.assertTrue(found.ok, found.message)
    self.assertEqual(found.outliers.tolist(), [which])
    rest = np.arange(28) != which
    without = fit(PLAN.N[rest], PLAN.D[rest], L[rest])
    for name, interval in found.conf_int().items():
      self.assertTrue(interval.known, name)
    for name in NUMBERS:
      self.assertAlmostEqual(
        found.params[name] / without.params[name], 1, delta=0.001
      )

  def test_kept_where_asked(self):
    L = study(0.003)
    L[5] *= 1.08
    for kwargs in (
      {'keep_outliers': True},
      {'objective': Objective(delta=1e-3)},
    ):
      found = fit(PLAN.N, PLAN.D, L, **kwargs)
      self.assertEqual(found.outliers.tolist(), [5])
      self.assertTrue(found.counted.all())
      self.assertEqual(found.residual_sd.dof, 23 - (not found.objective.fixed))
    apart = fit(PLAN.N, PLAN.D, L)
    self.assertFalse(apart.counted[5])
    self.assertIn('excluded', apart.notes[0])

  def test_two_that_hide_each_other(self):
    for seed in range(12):
      L = study(0.003, seed)
      pair = np.random.default_rng(seed).choice(28, 2, replace=False)
      L[pair] *= 1.1
      found = fit(PLAN.N, PLAN.D, L)
      self.assertTrue(found.ok)
      self.assertEqual(found.outliers.tolist(), sorted(pair))

  @pytest.mark.slow
  def test_clean_runs_are_none(self):
    called = sum(
      len(fit(PLAN.N, PLAN.D, study(0.003, seed)).outliers)
      for seed in range(150)
    )
    self.assertLessEqual(called, 4)  # of 4200


class NoiseTest(absltest.TestCase):
  def test_a_size_that_falls_with_tokens(self):
    at = np.log(PLAN.D) - np.log(PLAN.D).mean()
    found = [
      fit(PLAN.N, PLAN.D, study(0.003 * np.exp(-0.5 * at), seed)).noise_exponent
      for seed in range(12)
    ]
    self.assertBetween(np.mean(found), 0.28, 0.55)
    same = [
      fit(PLAN.N, PLAN.D, study(0.003, seed)).noise_exponent
      for seed in range(12)
    ]
    self.assertBetween(np.mean(same), -0.1, 0.1)

  def test_the_sd_of_one_run(self):
    N, D = (np.repeat(x, 4) for x in (PLAN.N, PLAN.D))
    rng = np.random.default_rng(0)
    L = BESIROGLU.loss(N, D) * np.exp(
      np.repeat(0.004 * rng.normal(size=28), 4) + 0.004 * rng.normal(size=112)
    )
    found = fit(N, D, L)
    middle = np.exp(np.log(PLAN.D).mean())
    expected = 0.004 * np.sqrt(2)
    self.assertAlmostEqual(found.run_sd(middle) / expected, 1, delta=0.25)

  def test_huber_s_formula(self):
    # Normal residuals cut at twice their size: nothing is biased by it.
    z = np.random.default_rng(0).normal(size=200_000)
    self.assertAlmostEqual(noise.huber_sd(z, 2.0, 5), 1.0, delta=0.02)
    self.assertAlmostEqual(noise.huber_sd(z, 1e9, 5), 1.0, delta=0.01)
    self.assertAlmostEqual(noise.robust_sd(z, 5), 1.0, delta=0.02)


class SeedsTest(absltest.TestCase):
  def test_the_fit_is_that_of_means(self):
    N, D = (np.repeat(x, 4) for x in (PLAN.N, PLAN.D))
    rng = np.random.default_rng(1)
    shared = np.repeat(0.002 * rng.normal(size=28), 4)
    L = BESIROGLU.loss(N, D) * np.exp(shared + 2e-4 * rng.normal(size=112))
    many, means = fit(N, D, L), Cells.of(N, D, L)
    few = fit(means.N, means.D, means.loss)
    np.testing.assert_allclose(many.law, few.law, rtol=1e-6)
    self.assertEqual(many.n_cells, 28)
    self.assertEqual(many.residual_sd.dof, 22)
    self.assertAlmostEqual(many.seed_sd.sd / 2e-4, 1, delta=0.2)
    self.assertTrue(any('buy little' in note for note in many.notes))

  def test_a_seed_that_failed(self):
    N, D = (np.repeat(x, 4) for x in (PLAN.N, PLAN.D))
    rng = np.random.default_rng(2)
    L = BESIROGLU.loss(N, D) * np.exp(2e-3 * rng.normal(size=112))
    L[37] = 10.9
    found = fit(N, D, L)
    self.assertEqual(found.outliers.tolist(), [37])
    self.assertEqual(found.n_cells, 28)


class ClusterTest(absltest.TestCase):
  def test_checkpoints_of_one_training(self):
    sizes, tokens = np.geomspace(3e7, 3e9, 7), np.geomspace(1e9, 1e11, 10)
    N, D = (x.ravel() for x in np.meshgrid(sizes, tokens, indexing='ij'))
    rng = np.random.default_rng(0)
    own = 0.007 * rng.normal(size=70)
    of_model = np.repeat(0.014 * rng.normal(size=7), 10)
    clean = BESIROGLU.loss(N, D)
    found = fit(N, D, clean * np.exp(of_model + own), draws=200)
    alone = fit(N, D, clean * np.exp(own), draws=200)
    self.assertBetween(found.model_sd, 0.8, 5)
    self.assertEqual(found.method, 'noise')
    self.assertEqual(alone.model_sd, 0)

    def width(fit):
      x = fit.conf_int()['exponent_N']
      return x.high - x.low

    self.assertGreater(width(found), 2 * width(alone))


class ObjectiveTest(parameterized.TestCase):
  @parameterized.parameters(
    {'delta': 1e-3},
    {'delta': 1e-2, 'residuals': 'loss'},
    {'loss': 'squares'},
    {'loss': 'squares', 'residuals': 'loss'},
  )
  def test_scipy_s_minimum(self, **kwargs):
    from scipy import optimize

    L = study(0.004, seed=3)
    found = fit(PLAN.N, PLAN.D, L, objective=Objective(**kwargs))
    self.assertTrue(found.ok, found.message)
    n, d = (np.log(x) - np.log(x).mean() for x in (PLAN.N, PLAN.D))
    delta = kwargs.get('delta', 1e9)

    def value(p):
      law = np.exp(p[0] - p[3] * n) + np.exp(p[1] - p[4] * d) + np.exp(p[2])
      of_L = kwargs.get('residuals') == 'loss'
      r = np.abs(law - L if of_L else np.log(law / L))
      return np.sum(np.where(r < delta, 0.5 * r**2, delta * (r - 0.5 * delta)))

    best = optimize.minimize(
      lambda p: 1e3 * value(p), found.point, method='Nelder-Mead',
      options={'maxiter': 20000, 'xatol': 1e-10, 'fatol': 1e-14},
    )  # fmt: skip
    self.assertAlmostEqual(
      found.diagnostics.objective / (best.fun / 1e3), 1, delta=1e-6
    )
    mean = fit(
      PLAN.N, PLAN.D, L, objective=Objective(**kwargs, reduction='mean')
    )
    self.assertAlmostEqual(
      mean.diagnostics.objective * 28 / found.diagnostics.objective, 1
    )

  @parameterized.parameters(
    {'residuals': 'x'}, {'loss': 'x'}, {'reduction': 'x'}, {'delta': 0.0},
    {'delta': 1e-3, 'loss': 'squares'},
  )  # fmt: skip
  def test_what_it_cannot_be(self, **kwargs):
    with self.assertRaises(ValueError):
      Objective(**kwargs)


if __name__ == '__main__':
  absltest.main()
