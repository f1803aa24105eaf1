"""How residuals scatter: against brute force, closed forms and simulations."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax.analysis.fitting import noise


class DeviationsTest(parameterized.TestCase):
  def test_each_is_judged_by_the_fit_without_it(self):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(12), rng.normal(size=(12, 2))])
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=12)
    y[3] += 8.0
    clean = np.arange(12) != 3
    u = y - X @ np.linalg.lstsq(X[clean], y[clean], rcond=None)[0]
    found = noise.deviations(u, X, clean)
    for i in range(12):
      rest = clean & (np.arange(12) != i)
      params, squares, *_ = np.linalg.lstsq(X[rest], y[rest], rcond=None)
      sd = np.sqrt(squares[0] / (rest.sum() - 3))
      inverse = np.linalg.inv(X[rest].T @ X[rest])
      own = np.sqrt(1 + X[i] @ inverse @ X[i])
      self.assertAlmostEqual(found[i], (y[i] - X[i] @ params) / sd / own)

  @parameterized.parameters((22, 28), (5, 11), (60, 66))
  def test_far_is_student_s(self, dof, n):
    found = noise.far(dof, n, 1)
    self.assertGreaterEqual(found, 5.0)
    chance = 2 * n * stats.t.sf(found, dof)
    self.assertLessEqual(chance, 1.001 * noise.CHANCE)
    if found > 5.0:
      self.assertAlmostEqual(chance, noise.CHANCE, places=6)
    self.assertGreaterEqual(noise.far(dof, n, 2), found)


class SizeTest(parameterized.TestCase):
  def test_of_normal_noise(self):
    rng = np.random.default_rng(1)
    found = [
      (noise.robust_sd(u, 0), noise.huber_sd(u, 2.0, 0))
      for u in rng.normal(size=(400, 60))
    ]
    robust, huber = np.mean(found, axis=0)
    self.assertAlmostEqual(robust, 1, delta=0.03)
    self.assertAlmostEqual(huber, 1, delta=0.06)

  def test_outliers_hardly_move_it(self):
    u = np.random.default_rng(2).normal(size=60)
    spoilt = np.append(u[:-4], [50.0, -80.0, 900.0, 1e4])
    self.assertLess(noise.robust_sd(spoilt, 0) / noise.robust_sd(u, 0), 1.3)

  @parameterized.parameters(-1.0, 0.0, 1.0)
  def test_the_exponent_of_many_residuals(self, g):
    rng, log_D = np.random.default_rng(3), np.linspace(-3, 3, 4000)
    r = 0.003 * np.exp(-0.5 * g * log_D) * rng.normal(size=4000)
    self.assertAlmostEqual(noise.exponent_of(r, log_D, 5).mean, g / 2, places=1)
    spoilt = np.where(np.arange(4000) % 20 == 0, 1.0, r)
    found = noise.robust_exponent(spoilt, log_D)
    self.assertAlmostEqual(found, g / 2, delta=0.1)

  def test_few_residuals_leave_the_prior(self):
    found = noise.exponent_of(np.array([1.0, -1.0]), np.array([-0.1, 0.1]), 0)
    self.assertAlmostEqual(found.mean, 0, delta=0.02)
    sd = np.sqrt(found.chances @ noise.SLOPES**2)
    self.assertAlmostEqual(sd, noise.PRIOR_SD, delta=0.02)


if __name__ == '__main__':
  absltest.main()
