"""Intervals and draws against SciPy's distributions and simulation."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis import uncertainty


def interval(low, high, value=1.0):
  return {'value': value, 'low': low, 'high': high}


UNKNOWN = interval(None, None, None)


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
      uncertainty.choose_method(method, n_runs, n_params), expected
    )

  def test_unknown(self):
    with self.assertRaisesRegex(ValueError, "method='x'.* auto, runs, noise"):
      uncertainty.choose_method('x', 50, 5)


class NoiseTest(absltest.TestCase):
  def test_of_residuals(self):
    found = uncertainty.noise_of(np.array([3.0, -4.0, 0.0, 0.0]), 2)
    self.assertEqual(found.dof, 2)
    self.assertAlmostEqual(found.sd, np.sqrt(25 / 2))
    self.assertIsNone(uncertainty.noise_of(np.ones(5), 5))
    self.assertIsNone(uncertainty.noise_of(np.ones(3), 5))

  def test_of_a_regression_with_a_known_sd(self):
    # The variance is unbiased whatever is fitted, and so is the pooled one.
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(12, 5))
    left = np.eye(12) - columns @ np.linalg.pinv(columns)
    found = [
      uncertainty.noise_of(left @ rng.normal(scale=0.3, size=12), 5)
      for _ in range(4000)
    ]
    squares = np.array([noise.sd**2 for noise in found])
    # The mean of 4000 has a standard error of (2 / 7 / 4000)^(1/2) = 0.8 %.
    self.assertAlmostEqual(squares.mean() / 0.09, 1, delta=0.03)
    self.assertEqual({noise.dof for noise in found}, {7})

  def test_draws_are_student_s(self):
    for dof in (3, 19):
      noise = uncertainty.Noise(0.02, dof)
      drawn = uncertainty.noise_draws(
        np.random.default_rng(1), 40_000, 2, noise
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
    noise = uncertainty.Noise(1.0, 4)
    drawn = uncertainty.noise_draws(np.random.default_rng(2), 3000, 500, noise)
    chi2 = 4 / drawn.var(axis=1, ddof=1)
    for q in (0.1, 0.5, 0.9):
      expected = stats.chi2(4).ppf(q)
      self.assertAlmostEqual(np.quantile(chi2, q) / expected, 1, delta=0.08)

  def test_draws_by_seed(self):
    one, same, other = (
      uncertainty.noise_draws(
        np.random.default_rng(seed), 3, 4, uncertainty.Noise(1.0, 5)
      )
      for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one, same)
    self.assertFalse(np.any(one == other))

  def test_resampled_weights(self):
    weights = uncertainty.resampled_weights(
      np.random.default_rng(0), 20_000, 12
    )
    self.assertEqual((weights.shape, weights.dtype), ((20_000, 12), float))
    np.testing.assert_array_equal(weights.sum(axis=1), 12)
    # Each count is binomial (12, 1/12).
    for k in range(4):
      share = np.mean(weights == k)
      expected = stats.binom(12, 1 / 12).pmf(k)
      self.assertAlmostEqual(share, expected, delta=0.005)


class EstimateTest(parameterized.TestCase):
  @parameterized.parameters((0.95, 25, 978), (0.9, 50, 953), (0.5, 250, 753))
  def test_percentiles_are_draws_and_wide_rather_than_narrow(
    self, level, low, high
  ):
    # Of 0 to 1003 the 2.5 % quantile is 25.075, and so on.
    draws = np.random.default_rng(0).permutation(np.arange(1004.0))
    found = uncertainty.estimate(500, draws, level)
    self.assertEqual(found, interval(low, high, 500.0))

  def test_normal_quantiles(self):
    draws = np.random.default_rng(0).normal(2, 3, 200_000)
    for level in (0.9, 0.95):
      found = uncertainty.estimate(2.0, draws, level)
      z = 3 * stats.norm.ppf((1 + level) / 2)
      self.assertAlmostEqual(found['low'], 2 - z, delta=0.05)
      self.assertAlmostEqual(found['high'], 2 + z, delta=0.05)

  def test_it_holds_the_value(self):
    draws = np.linspace(0, 1, 100)
    self.assertEqual(uncertainty.estimate(-3.0, draws, 0.9)['low'], -3.0)
    self.assertEqual(uncertainty.estimate(7.0, draws, 0.9)['high'], 7.0)

  @parameterized.parameters(
    (np.nan, 24, True), (np.nan, 26, False),
    (np.inf, 24, True), (np.inf, 26, False),
    (-np.inf, 24, True), (-np.inf, 26, False),
  )  # fmt: skip
  def test_draws_that_are_not_finite_are_unbounded(self, bad, count, bounded):
    # 2.5 % of 1000 are 25: more such draws leave no bound on either side.
    draws = np.random.default_rng(0).normal(size=1000)
    draws[:count] = bad
    found = uncertainty.estimate(0.0, draws, 0.95)
    for side in ('low', 'high'):
      self.assertEqual(found[side] is not None, bounded)
    # They widen it even where it has bounds.
    if bounded:
      clean = uncertainty.estimate(0.0, draws[count:], 0.95)
      self.assertLess(found['low'], clean['low'])
      self.assertGreater(found['high'], clean['high'])

  def test_nothing_to_say(self):
    draws = np.arange(10.0)
    for value in (None, np.nan, np.inf, -np.inf):
      self.assertEqual(uncertainty.estimate(value, draws, 0.95), UNKNOWN)
      self.assertEqual(uncertainty.exp_estimate(value, draws, 0.95), UNKNOWN)
    self.assertEqual(uncertainty.unknown(), UNKNOWN)
    alone = interval(None, None, 2.0)
    self.assertEqual(uncertainty.estimate(np.float32(2), None, 0.95), alone)
    self.assertEqual(
      uncertainty.estimate(1.0, np.full(9, np.nan), 0.95), interval(None, None)
    )

  def test_plain_numbers_for_json(self):
    found = uncertainty.estimate(np.float64(1), np.arange(3), 0.95)
    self.assertEqual({type(x) for x in found.values()}, {float})

  def test_of_a_logarithm(self):
    logs = np.random.default_rng(0).normal(size=999)
    found = uncertainty.exp_estimate(0.1, logs, 0.9)
    same = uncertainty.estimate(np.exp(0.1), np.exp(logs), 0.9)
    for name, value in same.items():
      self.assertAlmostEqual(found[name], value, places=12)
    alone = uncertainty.exp_estimate(0.0, None, 0.9)
    self.assertEqual(alone, interval(None, None))

  def test_of_a_logarithm_beyond_floats(self):
    found = uncertainty.exp_estimate(700.0, np.array([600.0, 800.0]), 0.9)
    self.assertAlmostEqual(found['low'] / np.exp(600.0), 1)
    self.assertIsNone(found['high'])
    self.assertEqual(
      uncertainty.exp_estimate(800.0, np.array([600.0, 900.0]), 0.9), UNKNOWN
    )
    tiny = uncertainty.exp_estimate(-1.0, np.array([-1e4, 0.0]), 0.9)
    self.assertEqual((tiny['low'], tiny['high']), (0.0, 1.0))


class WidenTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.5, False, 1.5, 4.0),  # the estimate is too high: the truth lies below
    (-0.5, False, 2.0, 4.5),
    (0.0, False, 2.0, 4.0),
    (np.log(2), True, 1.0, 4.0),
    (-np.log(2), True, 2.0, 8.0),
    (None, False, 2.0, 4.0),
    (np.nan, True, 2.0, 4.0),
    (np.inf, False, 2.0, 4.0),
  )
  def test_towards_the_truth(self, bias, ratio, low, high):
    before = interval(2.0, 4.0, 3.0)
    after = uncertainty.widen(before, bias, ratio)
    self.assertAlmostEqual(after['low'], low)
    self.assertAlmostEqual(after['high'], high)
    self.assertEqual(after['value'], 3.0)
    self.assertEqual(before, interval(2.0, 4.0, 3.0))

  def test_an_open_end_stays_open(self):
    widen = uncertainty.widen
    self.assertEqual(widen(UNKNOWN, 0.5), UNKNOWN)
    self.assertEqual(widen(interval(None, 4.0), 0.5), interval(None, 4.0))
    self.assertEqual(widen(interval(None, 4.0), -0.5), interval(None, 4.5))
    self.assertEqual(widen(interval(2.0, None), 0.5), interval(1.5, None))

  def test_holds(self):
    for truth, held in (
      (1.9, False),
      (2, True),
      (3, True),
      (4, True),
      (5, False),
    ):
      self.assertIs(uncertainty.holds(interval(2.0, 4.0), truth), held)
    self.assertIsNone(uncertainty.holds(interval(None, 4.0), 3))
    self.assertIsNone(uncertainty.holds(interval(2.0, None), 3))


class SdTest(parameterized.TestCase):
  @parameterized.product(dof=(1, 4, 30), level=(0.9, 0.95))
  def test_holds_the_truth_as_often_as_it_says(self, dof, level):
    rng = np.random.default_rng(dof)
    sds = 0.01 * np.sqrt(rng.chisquare(dof, 3000) / dof)
    held = [
      uncertainty.holds(
        uncertainty.sd_interval(uncertainty.Noise(sd, dof), level), 0.01
      )
      for sd in sds
    ]
    # Four standard errors of a share of 3000.
    self.assertAlmostEqual(
      np.mean(held), level, delta=4 * np.sqrt(level * (1 - level) / 3000)
    )

  def test_table(self):
    # Chi-square of 10 degrees of freedom: 3.247 and 20.483 at 2.5 and 97.5 %.
    found = uncertainty.sd_interval(uncertainty.Noise(2.0, 10), 0.95)
    self.assertAlmostEqual(found['low'], 2 * np.sqrt(10 / 20.483), places=4)
    self.assertAlmostEqual(found['high'], 2 * np.sqrt(10 / 3.247), places=4)
    self.assertEqual(found['value'], 2.0)

  def test_between_seeds(self):
    # Deviations of log L of ±0.01, and of -0.02, 0 and 0.02: 2 e-4 and 8 e-4
    # over 1 + 2 degrees of freedom. A lone run tells nothing.
    cells = [
      3 * np.exp([0.01, -0.01]),
      2 * np.exp([-0.02, 0.0, 0.02]),
      np.array([5.0]),
    ]
    found = uncertainty.seed_noise(cells, 0.95)
    sd = np.sqrt(1e-3 / 3)
    self.assertAlmostEqual(found['value'], sd)
    expected = uncertainty.sd_interval(uncertainty.Noise(sd, 3), 0.95)
    self.assertAlmostEqual(found['low'], expected['low'])
    self.assertAlmostEqual(found['high'], expected['high'])

  def test_between_seeds_is_unbiased(self):
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 4, 4000)
    cells = [2.5 * np.exp(0.003 * rng.normal(size=n)) for n in sizes]
    found = uncertainty.seed_noise(cells, 0.95)
    self.assertAlmostEqual(found['value'] / 0.003, 1, delta=0.04)
    self.assertTrue(uncertainty.holds(found, 0.003))

  def test_without_a_second_seed(self):
    for cells in ([], [np.array([2.0])] * 5):
      self.assertEqual(uncertainty.seed_noise(cells, 0.95), UNKNOWN)


class CurveDrawsTest(absltest.TestCase):
  def test_points_of_a_curve_move_as_residuals_do(self):
    rng = np.random.default_rng(0)
    left = rng.normal(size=(5, 1)) * [1.0, 2.0, -1.0]
    left[3:, 2] = np.nan
    drawn = uncertainty.curve_draws(rng, 40_000, left)
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
    self.assertTrue(np.all(uncertainty.curve_draws(rng, 9, left)[:, :, 1] == 0))


if __name__ == '__main__':
  absltest.main()
