"""Intervals and estimates, against order statistics and closed forms."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status


class IntervalTest(parameterized.TestCase):
  @parameterized.parameters(0.5, 0.8, 0.95, 0.99)
  def test_percentiles_are_order_statistics(self, level):
    draws = np.random.default_rng(0).permutation(np.arange(1001.0))
    value, low, high = result.percentile_interval(500.0, draws, level)
    self.assertEqual(value, 500.0)
    self.assertAlmostEqual(low, np.floor(500 * (1 - level)), delta=1)
    self.assertAlmostEqual(high, np.ceil(500 * (1 + level)), delta=1)

  def test_arrays_are_taken_one_by_one(self):
    draws = np.random.default_rng(0).normal(size=(400, 2, 3))
    value = np.arange(6.0).reshape(2, 3)
    found = result.percentile_interval(value, draws, 0.9)
    for i in range(2):
      for j in range(3):
        alone = result.percentile_interval(value[i, j], draws[:, i, j], 0.9)
        self.assertEqual(found.low[i, j], alone.low)
        self.assertEqual(found.high[i, j], alone.high)

  def test_draws_that_are_undefined_open_the_tail_that_holds_them(self):
    draws = np.append(np.arange(1000.0), [np.nan] * 5)
    self.assertTrue(result.percentile_interval(500, draws, 0.95).known)
    wide = result.percentile_interval(500, draws, 0.999)
    self.assertEqual((wide.low, wide.high), (-np.inf, np.inf))
    self.assertIsNone(wide.holds(500))

  def test_without_draws_or_value(self):
    for draws in (None, np.empty(0)):
      found = result.percentile_interval(1.5, draws, 0.95)
      self.assertEqual(found.value, 1.5)
      self.assertTrue(np.isnan([found.low, found.high]).all())
    found = result.percentile_interval(np.nan, np.arange(9.0), 0.95)
    self.assertTrue(np.isnan(list(found)).all())

  def test_a_level_is_a_share(self):
    for level in (0, 1, 95, -0.5, np.nan):
      with self.assertRaises(ValueError):
        result.percentile_interval(1.0, np.arange(9.0), level)

  def test_the_value_lies_inside(self):
    found = result.percentile_interval(20.0, np.arange(9.0), 0.5)
    self.assertEqual(found.high, 20.0)

  def test_widened_by_a_bias(self):
    found = Interval(1.0, 0.9, 1.1)
    above = found.widened(0.3)  # the estimate is too high by so much
    np.testing.assert_allclose(list(above), [1.0, 0.6, 1.1])
    below = found.widened(-0.3)
    np.testing.assert_allclose(list(below), [1.0, 0.9, 1.4])
    ratio = found.widened(np.log(2), ratio=True)
    np.testing.assert_allclose(list(ratio), [1.0, 0.45, 1.1])
    for none in (None, np.nan):
      self.assertEqual(found.widened(none), found)

  def test_overlap(self):
    one = Interval(1.0, 1.0, 2.0)
    for low, high, expected in (
      (1.5, 3.0, True), (0.5, 1.0, True), (1.2, 1.3, True), (2.1, 3.0, False),
      (0.1, 0.9, False), (np.nan, np.nan, None), (1.5, np.inf, None),
    ):  # fmt: skip
      other = Interval(low, low, high)
      self.assertIs(one.overlaps(other), expected)
      self.assertIs(other.overlaps(one), expected)

  def test_a_rising_function_keeps_open_ends_open(self):
    found = Interval(0.0, -np.inf, 1.0).map(np.exp)
    self.assertEqual((found.value, found.low), (1.0, -np.inf))
    self.assertAlmostEqual(found.high, np.e)


class EstimateTest(absltest.TestCase):
  def test_a_logarithm(self):
    draws = np.random.default_rng(0).normal(size=4001)
    found = Estimate(0.0, draws, log=True)
    plain = Estimate(1.0, np.exp(draws))
    self.assertEqual(found.center, 1.0)
    for level in (0.5, 0.95):
      np.testing.assert_allclose(
        list(found.at(level)), list(plain.at(level)), rtol=1e-12
      )

  def test_unknown(self):
    self.assertTrue(np.isnan(Estimate().center))
    self.assertFalse(Estimate().at().known)


class ResidualSDTest(absltest.TestCase):
  def test_chi_square(self):
    rng = np.random.default_rng(0)
    held = np.zeros(3)
    levels = (0.5, 0.8, 0.95)
    for _ in range(400):
      found = ResidualSD.of(0.3 * rng.normal(size=12), 0)
      held += [found.interval(level).holds(0.3) for level in levels]
    tolerance = 4 * np.sqrt(0.25 / 400)
    np.testing.assert_allclose(held / 400, levels, atol=tolerance)

  def test_scales_spread_as_students_t_has_it(self):
    rng = np.random.default_rng(0)
    drawn = ResidualSD(1.0, 4).scales(rng, 200_000) * rng.normal(size=200_000)
    for p in (0.9, 0.975):
      self.assertAlmostEqual(
        np.quantile(drawn, p) / stats.t.ppf(p, 4), 1, delta=0.02
      )

  def test_no_freedom(self):
    self.assertIsNone(ResidualSD.of(np.ones(3), 3))


class StatusTest(absltest.TestCase):
  def test_a_status_is_its_word(self):
    self.assertEqual(Status('no_minimum'), 'no_minimum')
    self.assertEqual(f'{Status.OK}', 'ok')
    self.assertLen(Status, 7)


if __name__ == '__main__':
  absltest.main()
