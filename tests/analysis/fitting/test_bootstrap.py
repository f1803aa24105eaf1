"""Draws and their intervals against SciPy's distributions and simulation."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import percentile_interval


class MethodTest(parameterized.TestCase):
  @parameterized.parameters(
    ('auto', 49, 5, 'noise'),
    ('auto', 50, 5, 'runs'),
    ('auto', 20, 2, 'runs'),
    ('runs', 6, 5, 'runs'),
    ('noise', 1000, 5, 'noise'),
  )
  def test_choice(self, method, n_runs, n_params, expected):
    self.assertEqual(
      bootstrap.choose_method(method, n_runs, n_params), expected
    )

  def test_what_it_cannot_be(self):
    for make in (
      lambda: bootstrap.Bootstrap(method='x'),
      lambda: bootstrap.choose_method('x', 50, 5),
    ):
      with self.assertRaisesRegex(
        ValueError, "method='x'.*auto, posterior, noise, runs"
      ):
        make()
    with self.assertRaisesRegex(ValueError, 'draws=-1'):
      bootstrap.Bootstrap(draws=-1)


class NoiseTest(absltest.TestCase):
  def test_residual_sd_of_a_regression(self):
    # The variance is unbiased whatever is fitted, and so is the pooled one.
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(12, 5))
    left = np.eye(12) - columns @ np.linalg.pinv(columns)
    found = [
      ResidualSD.of(left @ rng.normal(scale=0.3, size=12), 5)
      for _ in range(4000)
    ]
    squares = np.array([one.sd**2 for one in found])
    # The mean of 4000 has a standard error of (2 / 7 / 4000)^(1/2) = 0.8%.
    self.assertAlmostEqual(squares.mean() / 0.09, 1, delta=0.03)
    self.assertEqual({one.dof for one in found}, {7})

  def test_draws_are_student_s(self):
    for dof in (3, 19):
      drawn = bootstrap.noise_draws(
        np.random.default_rng(1), 40_000, 2, ResidualSD(0.02, dof)
      )
      self.assertEqual(drawn.shape, (40_000, 2))
      for column in drawn.T:
        test = stats.kstest(column / 0.02, stats.t(dof).cdf)
        self.assertGreater(test.pvalue, 0.01)
      for q in (0.025, 0.25, 0.5, 0.9, 0.975):
        self.assertAlmostEqual(
          np.quantile(drawn, q) / 0.02, stats.t(dof).ppf(q), delta=0.06
        )

  def test_draws_share_a_standard_deviation(self):
    # Given its draw's own sd, a row is normal; rows differ as chi-square does.
    drawn = bootstrap.noise_draws(
      np.random.default_rng(2), 3000, 500, ResidualSD(1.0, 4)
    )
    chi2 = 4 / drawn.var(axis=1, ddof=1)
    for q in (0.1, 0.5, 0.9):
      expected = stats.chi2(4).ppf(q)
      self.assertAlmostEqual(np.quantile(chi2, q) / expected, 1, delta=0.08)

  def test_draws_by_seed(self):
    one, same, other = (
      bootstrap.noise_draws(
        np.random.default_rng(seed), 3, 4, ResidualSD(1.0, 5)
      )
      for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one, same)
    self.assertFalse(np.any(one == other))

  def test_resampled_weights(self):
    weights = bootstrap.resampled_weights(np.random.default_rng(0), 20_000, 12)
    self.assertEqual((weights.shape, weights.dtype), ((20_000, 12), float))
    np.testing.assert_array_equal(weights.sum(axis=1), 12)
    # Each count is binomial (12, 1/12).
    for k in range(4):
      share = np.mean(weights == k)
      expected = stats.binom(12, 1 / 12).pmf(k)
      self.assertAlmostEqual(share, expected, delta=0.005)


class StudentTest(parameterized.TestCase):
  @parameterized.product(dof=(2, 9), level=(0.5, 0.8, 0.95, 0.99))
  def test_normal_deviations_become_student_s_at_every_level(self, dof, level):
    rng = np.random.default_rng(0)
    scales = bootstrap.student_scales(bootstrap.scales_rng(0), 200_000, dof)
    drawn = scales * rng.normal(size=200_000)
    found = percentile_interval(0.0, drawn, level)
    half = stats.t(dof).ppf((1 + level) / 2)
    self.assertAlmostEqual(found.high / half, 1, delta=0.05)
    self.assertAlmostEqual(found.low / half, -1, delta=0.05)

  def test_the_scales_have_a_stream_of_their_own(self):
    one, same, other = (
      bootstrap.student_scales(bootstrap.scales_rng(seed), 5, 3)
      for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    self.assertFalse(np.any(one == other))
    plain = bootstrap.student_scales(np.random.default_rng(0), 5, 3)
    self.assertFalse(np.any(one == plain))


class PercentileTest(parameterized.TestCase):
  @parameterized.parameters((0.95, 25, 978), (0.9, 50, 953), (0.5, 250, 753))
  def test_they_are_draws_and_wide_rather_than_narrow(self, level, low, high):
    # Of 0 to 1003 the 2.5% quantile is 25.075, and so on.
    draws = np.random.default_rng(0).permutation(np.arange(1004.0))
    found = percentile_interval(500.0, draws, level)
    self.assertEqual(found, Interval(500.0, low, high))

  def test_normal_quantiles(self):
    draws = np.random.default_rng(0).normal(2, 3, 200_000)
    for level in (0.9, 0.95):
      found = percentile_interval(2.0, draws, level)
      z = 3 * stats.norm.ppf((1 + level) / 2)
      self.assertAlmostEqual(found.low, 2 - z, delta=0.05)
      self.assertAlmostEqual(found.high, 2 + z, delta=0.05)

  @parameterized.product(bad=(np.nan, np.inf, -np.inf), count=(24, 26))
  def test_draws_that_are_not_finite_are_unbounded(self, bad, count):
    # 2.5% of 1000 are 25: more such draws leave no bound on either side.
    draws = np.random.default_rng(0).normal(size=1000)
    draws[:count] = bad
    found = percentile_interval(0.0, draws, 0.95)
    self.assertEqual(np.isfinite([found.low, found.high]).all(), count < 25)
    # They widen it even where it has bounds.
    clean = percentile_interval(0.0, draws[count:], 0.95)
    self.assertLess(found.low, clean.low)
    self.assertGreater(found.high, clean.high)

  def test_of_a_logarithm_beyond_floats(self):
    found = Estimate(700.0, np.array([600.0, 800.0]), log=True).at(0.9)
    self.assertAlmostEqual(found.low / np.exp(600.0), 1)
    self.assertEqual(found.high, np.inf)
    tiny = Estimate(-1.0, np.array([-1e4, 0.0]), log=True).at(0.9)
    self.assertEqual((tiny.low, tiny.high), (0.0, 1.0))

  @parameterized.product(dof=(1, 4, 30), level=(0.9, 0.95))
  def test_an_sd_s_interval_holds_the_truth_at_its_level(self, dof, level):
    rng = np.random.default_rng(dof)
    sds = 0.01 * np.sqrt(rng.chisquare(dof, 3000) / dof)
    held = [ResidualSD(sd, dof).interval(level).holds(0.01) for sd in sds]
    # Four standard errors of a share of 3000.
    self.assertAlmostEqual(
      np.mean(held), level, delta=4 * np.sqrt(level * (1 - level) / 3000)
    )


class CurveDrawsTest(absltest.TestCase):
  def test_points_of_a_curve_move_as_residuals_do(self):
    rng = np.random.default_rng(0)
    left = rng.normal(size=(5, 1)) * [1.0, 2.0, -1.0]
    left[3:, 2] = np.nan
    drawn = bootstrap.curve_draws(rng, 40_000, left)
    self.assertEqual(drawn.shape, (40_000, 5, 3))
    self.assertTrue(np.all(np.isfinite(drawn)))
    for run in range(5):
      got = np.mean(drawn[:, run] ** 2, axis=0)
      np.testing.assert_allclose(
        got / np.nanmean(left**2, axis=0), 1, atol=0.04
      )
      # The second point is the first twice over.
      np.testing.assert_allclose(
        drawn[:, run, 1], 2 * drawn[:, run, 0], rtol=1e-9
      )
    across = np.corrcoef(drawn[:, 0, 0], drawn[:, 1, 0])[0, 1]
    self.assertLess(abs(across), 0.03)

  def test_nothing_known_nothing_moved(self):
    rng = np.random.default_rng(0)
    left = np.array([[1.0, np.nan], [2.0, np.nan]])
    self.assertTrue(np.all(bootstrap.curve_draws(rng, 9, left)[:, :, 1] == 0))


if __name__ == '__main__':
  absltest.main()
