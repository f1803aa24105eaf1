"""Lines through logarithms, against Student's textbook intervals."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis import log_line
from scaling_jax.analysis import uncertainty
from tests import shared_data


def points(n=7, noise=0.0, seed=0, slope=-0.08, scale=30.0):
  x = np.geomspace(1e5, 1e7, n)
  rng = np.random.default_rng(seed)
  return x, scale * x**slope * np.exp(noise * rng.normal(size=n))


class FitTest(parameterized.TestCase):
  def test_exact(self):
    found = log_line.fit(*points(), 'sizes')
    self.assertTrue(found.ok)
    np.testing.assert_allclose(found.line, [-0.08, np.log(30.0)], rtol=1e-9)

  @parameterized.parameters(3, 4, 12)
  def test_intervals_are_student_s(self, n):
    x, y = points(n, 0.02)
    found = log_line.fit(x, y, 'sizes', draws=200_000)
    by_scipy = stats.linregress(np.log(x), np.log(y))
    np.testing.assert_allclose(
      found.line, [by_scipy.slope, by_scipy.intercept], rtol=1e-9
    )
    half = stats.t.ppf(0.975, n - 2)
    for column, error in ((0, by_scipy.stderr), (1, by_scipy.intercept_stderr)):
      got = uncertainty.estimate(
        found.line[column], found.draws[:, column], 0.95
      )
      # At one degree of freedom a quantile of so many draws is 2 % off.
      for end, sign in (('low', -1), ('high', 1)):
        off = (got[end] - found.line[column]) / (sign * half * error)
        self.assertAlmostEqual(off, 1, delta=0.05)

  @parameterized.parameters(0, 1, 2)
  def test_too_few(self, n):
    x, y = points(n) if n else (np.empty(0), np.empty(0))
    found = log_line.fit(x, y, 'sizes at one D')
    self.assertEqual(found.status, 'too_few_points')
    self.assertEqual(
      found.sentence, f'a power law needs 3 sizes at one D, and there are {n}'
    )
    self.assertIsNone(found.line)

  def test_repeated_sizes_are_one(self):
    x, y = points(2)
    found = log_line.fit(np.tile(x, 3), np.tile(y, 3), 'sizes')
    self.assertEqual(found.status, 'too_few_points')


class SlopeTest(parameterized.TestCase):
  @parameterized.parameters((-0.08, 'ok'), (0.08, 'not_identified'))
  def test_a_loss_must_fall(self, slope, status):
    found = log_line.fit(*points(noise=1e-3, slope=slope), 'sizes')
    judged = log_line.must_slope(found, -1, 'the loss falls with N', 0.95)
    self.assertEqual(judged.status, status)
    if status != 'ok':
      self.assertIn('do not show that the loss falls with N', judged.sentence)

  def test_noise_hides_it(self):
    found = log_line.fit(*points(4, noise=1.0, slope=-0.02), 'sizes')
    judged = log_line.must_slope(found, -1, 'the loss falls with N', 0.95)
    self.assertEqual(judged.status, 'not_identified')

  def test_an_open_interval_is_said(self):
    found = log_line.fit(*points(noise=1e-3, slope=0.08), 'sizes')
    draws = found.draws.copy()
    draws[: len(draws) // 2] = np.nan
    judged = log_line.must_slope(found._replace(draws=draws), -1, 'so', 0.95)
    self.assertIn('no interval', judged.sentence)

  def test_what_is_no_line_stays(self):
    found = log_line.fit(*points(2), 'sizes')
    self.assertIs(log_line.must_slope(found, -1, '', 0.95), found)


class PublishedTest(absltest.TestCase):
  def test_L_N(self):
    N, L = shared_data.columns(self, 'nanogpt_kaplan_L_N.csv')
    found = log_line.fit(N, L, 'sizes')
    slope, intercept = found.line
    self.assertAlmostEqual(-slope, 0.0822, delta=5e-5)
    self.assertAlmostEqual(np.exp(-intercept / slope) / 3.9e13, 1, delta=0.005)
    # shehper/scaling_laws state 0.0823 and 3.81e13.
    alpha = uncertainty.estimate(-slope, -found.draws[:, 0], 0.95)
    self.assertTrue(uncertainty.holds(alpha, 0.0823))
    N_c = uncertainty.exp_estimate(
      -intercept / slope, -found.draws[:, 1] / found.draws[:, 0], 0.95
    )
    self.assertTrue(uncertainty.holds(N_c, 3.81e13))


if __name__ == '__main__':
  absltest.main()
