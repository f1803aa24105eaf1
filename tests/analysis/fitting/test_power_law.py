"""Lines through logarithms, against Student's textbook intervals."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import percentile_interval
from tests import shared_data

LEVELS = (0.5, 0.8, 0.95, 0.99)


def points(n=7, noise=0.0, seed=0, slope=-0.08, scale=30.0):
  x = np.geomspace(1e5, 1e7, n)
  rng = np.random.default_rng(seed)
  return x, scale * x**slope * np.exp(noise * rng.normal(size=n))


class FitTest(parameterized.TestCase):
  def test_exact(self):
    found = power_law.fit(*points())
    self.assertTrue(found.ok)
    np.testing.assert_allclose(found.line, [-0.08, np.log(30.0)], rtol=1e-9)
    np.testing.assert_allclose(found.law, (30.0, -0.08))
    self.assertEqual(list(found.params), ['coefficient', 'exponent'])
    np.testing.assert_allclose(list(found.params.values()), found.law)

  @parameterized.product(n=(3, 4, 12), level=LEVELS)
  def test_intervals_are_student_s(self, n, level):
    x, y = points(n, 0.02)
    found = power_law.fit(x, y, draws=200_000)
    by_scipy = stats.linregress(np.log(x), np.log(y))
    np.testing.assert_allclose(
      found.line, [by_scipy.slope, by_scipy.intercept], rtol=1e-9
    )
    half = stats.t.ppf((1 + level) / 2, n - 2)
    for i, error in enumerate((by_scipy.stderr, by_scipy.intercept_stderr)):
      got = percentile_interval(found.line[i], found.line_draws[:, i], level)
      # At one degree of freedom a quantile of so many draws is some % off.
      for end, sign in ((got.low, -1), (got.high, 1)):
        off = (end - found.line[i]) / (sign * half * error)
        self.assertAlmostEqual(off, 1, delta=0.05 if level < 0.99 else 0.1)

  def test_curvature_is_polyfit_s(self):
    x, y = points(9, 0.02)
    found = power_law.fit(x, y).curvature
    by_numpy, covariance = np.polyfit(np.log(x), np.log(y), 2, cov=True)
    self.assertAlmostEqual(found.value, by_numpy[0])
    self.assertAlmostEqual(found.sd, np.sqrt(covariance[0, 0]))
    t = by_numpy[0] / np.sqrt(covariance[0, 0])
    self.assertAlmostEqual(found.p_value, 2 * stats.t.sf(abs(t), 6))

  @parameterized.parameters((5, 0.02), (7, 1e-4), (12, 0.0))
  def test_a_straight_line_is_seldom_curved(self, n, noise):
    alarms = [power_law.fit(*points(n, noise, i)).curved for i in range(500)]
    self.assertLessEqual(np.mean(alarms), 0.024)  # 12: once in 500 at 0.01

  def test_a_floor_is_a_curve(self):
    x = np.geomspace(1e5, 1e8, 7)
    for i in range(100):
      noise = np.exp(0.003 * np.random.default_rng(i).normal(size=7))
      y = (1.7 + 30 * x**-0.3) * noise
      found = power_law.fit(x, y)
      self.assertTrue(found.curved)
      self.assertTrue(found.ok)
      self.assertNotEmpty(found.notes)
      inside, beyond = found.predict(x[[0, -1]]), found.predict([9e4, 1e9])
      self.assertTrue(np.isfinite(list(inside)).all())
      self.assertTrue(np.isnan(list(beyond)).all())
      self.assertTrue(np.isnan(found.inverse(1.0).value))
      x_c, alpha = found.kaplan_form()
      self.assertTrue(alpha.known)
      self.assertTrue(np.isnan(x_c.value))

  def test_three_points_and_one_fixed_line_are_not_tested(self):
    self.assertTrue(np.isnan(power_law.fit(*points(3)).curvature.p_value))
    found = power_law.fit(*points(7), straight=True)
    self.assertIsNone(found.curvature)
    self.assertFalse(found.curved)

  @parameterized.parameters(0, 1, 2)
  def test_too_few(self, n):
    x, y = points(n) if n else (np.empty(0), np.empty(0))
    found = power_law.fit(x, y)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertIsNone(found.line)
    self.assertTrue(np.isnan(list(found.params.values())).all())
    self.assertTrue(np.isnan(list(found.predict(1e6))).all())
    self.assertTrue(np.isnan(list(found.inverse(2.0))).all())
    self.assertTrue(np.isnan(found.law).all())
    self.assertEqual(np.shape(found.draws), (2, 0))
    self.assertIs(found.in_units(2.0).line, None)

  def test_repeated_sizes_are_one(self):
    x, y = points(2)
    found = power_law.fit(np.tile(x, 3), np.tile(y, 3))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)

  def test_without_draws_there_is_no_interval(self):
    found = power_law.fit(*points(noise=0.01), draws=0)
    self.assertTrue(found.ok)
    value, low, high = found.predict(1e6)
    self.assertTrue(np.isfinite(value) and np.isnan([low, high]).all())
    self.assertIs(power_law.must_slope(found, 1, 'it rises'), found)


class PredictTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.found = power_law.fit(*points(noise=0.01))

  def test_arrays_are_taken_one_by_one(self):
    x = np.array([[1e5, 1e6], [1e7, 1e9]])
    found = self.found.predict(x, 0.8)
    self.assertEqual(np.shape(found.low), (2, 2))
    for i in np.ndindex(2, 2):
      alone = self.found.predict(x[i], 0.8)
      self.assertEqual([end[i] for end in found], list(alone))
    np.testing.assert_allclose(found.value, self.found.law(x))

  def test_it_is_the_law_s_draws(self):
    found, drawn = self.found.predict(1e9, 0.9), self.found.draws(1e9)
    by_hand = percentile_interval(self.found.law(1e9), drawn, 0.9)
    np.testing.assert_allclose(list(found), list(by_hand), rtol=1e-12)

  def test_the_inverse(self):
    back = self.found.inverse(self.found.law(3e6))
    self.assertAlmostEqual(back.value / 3e6, 1)
    self.assertTrue(back.low < 3e6 < back.high)
    drawn = self.found.draws.inverse(self.found.law(3e6))
    by_hand = percentile_interval(back.value, drawn, 0.95)
    np.testing.assert_allclose(list(back), list(by_hand), rtol=1e-9)

  def test_another_unit(self):
    other = self.found.in_units(1e3)
    np.testing.assert_allclose(other.law(4e2), self.found.law(4e5))
    np.testing.assert_allclose(
      list(other.predict(4e2)), list(self.found.predict(4e5))
    )
    one, two = self.found.kaplan_form(), other.kaplan_form()
    np.testing.assert_allclose(list(two[0].scaled(1e3)), list(one[0]))
    self.assertEqual(two[1], one[1])

  def test_kaplan_s_form(self):
    x_c, alpha = self.found.kaplan_form(0.8)
    self.assertAlmostEqual((x_c.value / 1e6) ** alpha.value,
                           self.found.law(1e6))  # fmt: skip
    self.assertEqual(alpha.value, -self.found.law.exponent)
    self.assertTrue(x_c.low < x_c.value < x_c.high)

  def test_a_bias_widens_where_it_points(self):
    bias = np.array([0.01, -0.1])
    found = dataclasses.replace(self.found, bias=bias)
    plain, wide = self.found.conf_int(), found.conf_int()
    self.assertAlmostEqual(wide['exponent'].low, plain['exponent'].low - 0.01)
    self.assertEqual(wide['exponent'].high, plain['exponent'].high)
    self.assertAlmostEqual(
      wide['coefficient'].high / plain['coefficient'].high, np.exp(0.1)
    )
    # At x the estimate's logarithm is 0.01 log x - 0.1 too high.
    x = np.exp(30.0)
    self.assertAlmostEqual(
      found.predict(x).low / self.found.predict(x).low, np.exp(-0.2)
    )
    y = self.found.law(x)  # reached later, since the law falls
    self.assertAlmostEqual(
      found.inverse(y).low / self.found.inverse(y).low,
      np.exp(0.2 / self.found.law.exponent),
    )


class SlopeTest(parameterized.TestCase):
  @parameterized.parameters((-0.08, Status.OK), (0.08, Status.NOT_IDENTIFIED))
  def test_a_loss_must_fall(self, slope, status):
    found = power_law.fit(*points(noise=1e-3, slope=slope))
    judged = power_law.must_slope(found, -1, 'the loss falls with N')
    self.assertEqual(judged.status, status)
    np.testing.assert_array_equal(judged.line, found.line)

  def test_noise_hides_it(self):
    found = power_law.fit(*points(4, noise=1.0, slope=-0.02))
    judged = power_law.must_slope(found, -1, 'the loss falls with N')
    self.assertEqual(judged.status, Status.NOT_IDENTIFIED)

  def test_an_open_interval_shows_nothing(self):
    found = power_law.fit(*points(noise=1e-3))
    draws = found.line_draws.copy()
    draws[: len(draws) // 2] = np.nan
    wild = dataclasses.replace(found, line_draws=draws)
    judged = power_law.must_slope(wild, -1, 'it falls')
    self.assertEqual(judged.status, Status.NOT_IDENTIFIED)

  def test_what_is_no_line_stays(self):
    found = power_law.fit(*points(2))
    self.assertIs(power_law.must_slope(found, -1, ''), found)


class LinesTest(absltest.TestCase):
  def test_least_squares_of_each_row(self):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=6), rng.normal(size=(9, 6))
    y[3, 2], y[4, 1:] = np.nan, np.nan
    found = power_law.lines(x, y)
    for row, line in zip(y, found):
      known = np.isfinite(row)
      if known.sum() < 2:
        self.assertTrue(np.isnan(line).all())
        continue
      expected = np.polyfit(x[known], row[known], 1)
      np.testing.assert_allclose(line, expected, rtol=1e-9)

  def test_x_of_each_row(self):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 9, 6))
    found = power_law.lines(x, y)
    for row, other, line in zip(x, y, found):
      np.testing.assert_allclose(line, np.polyfit(row, other, 1), rtol=1e-9)


class PublishedTest(absltest.TestCase):
  def test_L_N(self):
    N, L = shared_data.columns(self, 'nanogpt_kaplan_L_N.csv')
    N_c, alpha = power_law.fit(N, L).kaplan_form()
    self.assertAlmostEqual(alpha.value, 0.0822, delta=5e-5)
    self.assertAlmostEqual(N_c.value / 3.9e13, 1, delta=0.005)
    # shehper/scaling_laws state 0.0823 and 3.81e13.
    self.assertTrue(alpha.holds(0.0823))
    self.assertTrue(N_c.holds(3.81e13))


if __name__ == '__main__':
  absltest.main()
