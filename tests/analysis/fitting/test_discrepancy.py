"""The discrepancy against the textbook's formulas with dense matrices."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting.discrepancy import Discrepancy

RNG = np.random.default_rng(3)
n, d = RNG.normal(0, 1.5, 12), RNG.normal(0, 1.5, 12)
WEIGHT = np.exp(0.2 * d)


def covariance(n, d, other_n, other_d, length):
  apart = (
    np.subtract.outer(n, other_n) ** 2 + np.subtract.outer(d, other_d) ** 2
  )
  return np.exp(-apart / 2 / length**2)


class DiscrepancyTest(parameterized.TestCase):
  @parameterized.parameters(0.0, 1.0, 16.0)
  def test_whitened_residuals_are_independent(self, ratio):
    smooth = Discrepancy.of(n, d, weight=WEIGHT, length=1.5)
    V = ratio**2 * covariance(n, d, n, d, 1.5) + np.diag(WEIGHT**-2)
    W = smooth.whiten(ratio, np.eye(12))
    np.testing.assert_allclose(W @ V @ W.T, np.eye(12), atol=1e-9)
    self.assertAlmostEqual(
      smooth.log_volume(ratio), np.linalg.slogdet(V)[1] / 2
    )

  def test_none(self):
    none = Discrepancy.none(n, d, weight=WEIGHT)
    r = RNG.normal(size=12)
    np.testing.assert_allclose(none.whiten(0.0, r), WEIGHT * r)
    self.assertAlmostEqual(none.log_volume(0.0), -0.2 * d.sum())

  def test_draws_have_the_conditional_mean_and_covariance(self):
    ratio, sd, count = 4.0, 1e-2, 40_000
    at_n, at_d = np.array([0.2, 1.0, 5.0]), np.array([-0.5, 0.3, -4.0])
    r = 3e-2 * RNG.normal(size=12)
    smooth = Discrepancy.of(n, d, weight=WEIGHT, length=1.5)
    white = np.tile(smooth.whiten(ratio, r), (count, 1))
    found = smooth.draws(
      RNG, ratio, at_n, at_d, whitened=white, sd=np.full(count, sd)
    )
    V = ratio**2 * covariance(n, d, n, d, 1.5) + np.diag(WEIGHT**-2)
    across = ratio**2 * covariance(at_n, at_d, n, d, 1.5)
    mean = across @ np.linalg.solve(V, r)
    own = ratio**2 * covariance(at_n, at_d, at_n, at_d, 1.5)
    spread = sd**2 * (own - across @ np.linalg.solve(V, across.T))
    np.testing.assert_allclose(found.mean(0), mean, atol=1e-3)
    np.testing.assert_allclose(np.cov(found.T), spread, atol=3e-5)


if __name__ == '__main__':
  absltest.main()
