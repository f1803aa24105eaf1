"""Akima's curve, searched piece by piece, against SciPy's on the whole grid."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import interpolate

from scaling_jax.analysis.fitting import parabola


def by_scipy(N, L):
  """[B] log N of the least of 401 values, all computed; nan at an end."""
  kinds = np.unique(N)
  mean = np.stack([L[:, n == N].mean(axis=1) for n in kinds])
  fine = np.linspace(*np.log(kinds[[0, -1]]), 401)
  lowest = interpolate.Akima1DInterpolator(np.log(kinds), mean)(fine).argmin(0)
  return np.where((lowest > 0) & (lowest < 400), fine[lowest], np.nan)


class AkimaTest(parameterized.TestCase):
  @parameterized.product(models=(3, 4, 7, 11), noise=(0.0, 1e-4, 3e-3, 0.05))
  def test_the_same_grid_point(self, models, noise):
    rng = np.random.default_rng(models)
    for crowded in (False, True):
      log_N = np.sort(rng.uniform(11, 16, models))
      if crowded:  # closer than two points of the grid
        log_N[1] = log_N[0] + 1e-3
      N = np.exp(np.repeat(log_N, 2))
      clean = 1.5 + 0.02 * (np.log(N) - rng.uniform(11, 16)) ** 2
      L = clean * np.exp(noise * rng.normal(size=(500, len(N))))
      np.testing.assert_allclose(
        parabola.akima_minimum(N, L), by_scipy(N, L), rtol=1e-12
      )

  def test_a_flat_curve_has_no_minimum_inside(self):
    found = parabola.akima_minimum(np.array([1e5, 1e6, 1e7]), np.ones((2, 3)))
    self.assertTrue(np.isnan(found).all())


class ParabolaTest(absltest.TestCase):
  def test_many_at_once_are_numpy_s(self):
    rng = np.random.default_rng(0)
    N = np.geomspace(1e5, 1e7, 6)
    L = 1.5 + 0.05 * (np.log(N) - 14) ** 2 + 1e-3 * rng.normal(size=(20, 6))
    found = parabola.least_squares(N, L)
    for i, row in enumerate(L):
      x = np.log(N) - found.center
      np.testing.assert_allclose(
        [found.c2[i], found.c1[i], found.c0[i]],
        np.polyfit(x, row, 2),
        rtol=1e-8,
      )
    at, lowest = found.minimum()
    np.testing.assert_allclose(
      np.diagonal(found.loss(at[:, None])), lowest, rtol=1e-12
    )

  def test_one_that_opens_downward(self):
    at, lowest = parabola.Parabola(14.0, -0.05, 0.0, 1.5).minimum()
    self.assertTrue(np.isnan(at) and np.isnan(lowest))


if __name__ == '__main__':
  absltest.main()
