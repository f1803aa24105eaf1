"""Variance components of a balanced one-way layout, whose sums are known."""

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.fitting import clusters

MODELS, EACH = 9, 6
LOG_N = np.repeat(np.linspace(16, 20, MODELS), EACH)


def layout(between, seed=0):
  """Residuals about one mean, and its jacobian."""
  rng = np.random.default_rng(seed)
  of_model = between * np.repeat(rng.normal(size=MODELS), EACH)
  u = of_model + rng.normal(size=len(LOG_N))
  return u - u.mean(), np.ones((len(LOG_N), 1))


class ClustersTest(absltest.TestCase):
  def test_squares_by_the_analysis_of_variance(self):
    u, ones = layout(2.0)
    found = clusters.find(LOG_N, u, ones)
    means = u.reshape(MODELS, EACH).mean(1)
    between = EACH * np.sum(means**2)
    within = np.sum((u.reshape(MODELS, EACH) - means[:, None]) ** 2)
    for rho, squares in zip(found.ratios, found.squares):
      self.assertAlmostEqual(squares, within + between / (1 + EACH * rho))
    self.assertEqual(found.dof, len(u) - 1)

  def test_the_ratio_of_many_studies(self):
    found = [clusters.find(LOG_N, *layout(2.0, seed)) for seed in range(40)]
    self.assertNotIn(None, found)
    ratio = np.median([one.ratio for one in found])
    self.assertAlmostEqual(ratio, 2.0, delta=0.4)

  def test_independent_residuals_are_seldom_taken_for_clusters(self):
    alarms = [
      clusters.find(LOG_N, *layout(0.0, seed)) is not None
      for seed in range(200)
    ]
    self.assertLessEqual(np.mean(alarms), 0.1)  # 5% and two sd

  def test_draws_are_correlated_by_model(self):
    found = clusters.find(LOG_N, *layout(3.0))
    drawn = found.draws(np.random.default_rng(0), 4000, np.ones(len(LOG_N)))
    own = np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]
    other = np.corrcoef(drawn[:, 0], drawn[:, EACH])[0, 1]
    rho = found.chances @ (found.ratios / (1 + found.ratios))
    self.assertAlmostEqual(own, rho, delta=0.07)
    self.assertAlmostEqual(other, 0, delta=0.06)

  def test_two_models_or_two_tokens_are_none(self):
    u, ones = layout(3.0)
    self.assertIsNone(clusters.find(LOG_N[:12], u[:12], ones[:12]))
    every = np.arange(len(u))[np.arange(len(u)) % EACH < 2]
    self.assertIsNone(clusters.find(LOG_N[every], u[every], ones[every]))


if __name__ == '__main__':
  absltest.main()
