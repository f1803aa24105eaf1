"""The posterior of a small study: by its linear limit, and by known laws."""

from absl.testing import absltest
import numpy as np
from scipy import stats

from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import chinchilla_posterior
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import jacobian
from scaling_jax.analysis.fitting.chinchilla_data import residuals_of
from scaling_jax.analysis.fitting.noise import NoiseModel
from scaling_jax.analysis.fitting.result import ResidualSD
from tests.analysis import designs

LAW = published.BESIROGLU
PLAN = designs.design(LAW, budgets=(1e18, 1e19, 1e20), models=5)


class PosteriorTest(absltest.TestCase):
  def test_student_s_where_noise_is_small(self):
    """Least squares that are linear have a posterior in closed form."""
    L = designs.noisy(LAW, PLAN, 1e-5)
    fit = chinchilla.fit(PLAN.N, PLAN.D, L, bootstrap=Bootstrap(draws=0))
    data = LogData.of(PLAN.N, PLAN.D, L)
    n, rows = len(L), jacobian(fit.point, data)
    left = residuals_of(fit.point, data)
    point = fit.point - np.linalg.lstsq(rows, left, rcond=None)[0]
    left = residuals_of(point, data)
    dof = n - 5
    sd = np.sqrt(left @ left / dof)
    noise = NoiseModel(ResidualSD(sd, dof), np.ones(n), data.log_D)
    drawn = chinchilla_posterior.draw(data, point, noise, 20_000, 0)
    scale = sd * np.sqrt(np.diag(np.linalg.inv(rows.T @ rows)))
    for level in (0.025, 0.16, 0.5, 0.84, 0.975):
      expected = point + scale * stats.t.ppf(level, dof)
      found = np.quantile(drawn, level, axis=0)
      np.testing.assert_allclose((found - expected) / scale, 0, atol=0.12)

  def test_every_draw_is_a_law_on_eleven_runs(self):
    homework = designs.design(LAW, budgets=(6e13, 3e14, 6e14), models=4)
    for seed in range(10):
      L = designs.noisy(LAW, homework, 0.003, seed)
      fit = chinchilla.fit(
        homework.N, homework.D, L, bootstrap=Bootstrap(draws=400),
        starts='projection', solver='optimistix',
      )  # fmt: skip
      self.assertTrue(fit.ok, fit.message)
      self.assertEqual(fit.method, 'posterior')
      self.assertTrue(np.isfinite(fit.param_draws).all())
      self.assertTrue((fit.param_draws[:, 3:] > 0).all())

  def test_a_seed_is_a_seed(self):
    L = designs.noisy(LAW, PLAN, 0.003)
    one, same, other = (
      chinchilla.fit(
        PLAN.N, PLAN.D, L, bootstrap=Bootstrap(draws=50, seed=seed)
      ).param_draws
      for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    self.assertFalse(np.array_equal(one, other))


if __name__ == '__main__':
  absltest.main()
