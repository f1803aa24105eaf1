"""Where a fit of approach 3 starts, and where its law has its optimum."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax import laws
from scaling_jax.analysis import parametric
from tests import law_by_hand
from tests.law_by_hand import LAWS
from tests.law_by_hand import study


class OptimumAlongTest(parameterized.TestCase):
  @parameterized.product(law=tuple(LAWS.values()), slope=(-1.0, -0.9))
  def test_numeric_minimum(self, law, slope):
    at_zero = np.log(1e21 / 6) + (slope + 1) * np.log(1e-9)
    found = optimize.minimize_scalar(
      lambda log_N: law.loss(np.exp(log_N), np.exp(slope * log_N + at_zero)),
      bounds=(10, 35),
      method='bounded',
      options={'xatol': 1e-9},
    )
    log_N = parametric.optimum_along(law, slope, at_zero)
    self.assertAlmostEqual(log_N, found.x, delta=1e-5)
    if slope == -1:
      self.assertAlmostEqual(log_N, np.log(law.optimum(1e21).N), delta=1e-10)

  @parameterized.product(law=tuple(LAWS.values()), slope=(-1.0, -0.9))
  def test_exponent_is_its_slope(self, law, slope):
    low, high = (
      parametric.optimum_along(law, slope, np.log(C) + 2) for C in (1e20, 1e22)
    )
    self.assertAlmostEqual(
      (high - low) / np.log(100), parametric.exponent_along(law, slope)
    )
    if slope == -1:
      exponent = parametric.exponent_along(law, slope)
      self.assertAlmostEqual(exponent, law.exponent_N)

  def test_a_law_of_arrays(self):
    many = laws.Chinchilla(*np.array(list(LAWS.values())).T)
    many.E[1], many.alpha[2] = np.nan, -0.1
    log_N = parametric.optimum_along(many, -1, np.log(1e21 / 6))
    one = parametric.optimum_along(laws.HOFFMANN, -1, np.log(1e21 / 6))
    self.assertEqual(log_N.shape, (5,))
    self.assertAlmostEqual(log_N[0], one)
    # A share that rises has no minimum, and no warning is given.
    self.assertSequenceEqual(list(np.isnan(log_N)), [0, 0, 1, 0, 0])


class StartsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.runs = study(noise=0.002)
    self.centred = parametric.Centred.of(*self.runs)

  def objectives(self, starts):
    N, D, L = (np.log(x) for x in self.runs)
    n, d = N - N.mean(), D - D.mean()
    out = []
    for a, b, e, alpha, beta in starts:
      terms = np.exp(a - alpha * n), np.exp(b - beta * d), np.exp(e)
      size = np.abs(np.log(sum(terms)) - L)
      out.append(np.where(size < 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum())
    return np.array(out)

  def test_a_law_and_its_parameters(self):
    for law in LAWS.values():
      params = self.centred.params(law)
      np.testing.assert_allclose(self.centred.law(params), law, rtol=1e-12)
      both = laws.Chinchilla(*np.transpose([law, law]))
      np.testing.assert_allclose(self.centred.params(both), [params, params])

  def test_hoffmann_s_grid(self):
    # Hoffmann et al. (2022), appendix D.3 of v1: the values of each parameter.
    grid = parametric.grid_starts(self.centred)
    self.assertEqual(grid.shape, (4500, 5))
    log_N, log_D = (np.log(x).mean() for x in self.runs[:2])
    a, b = grid[:, 0] + grid[:, 3] * log_N, grid[:, 1] + grid[:, 4] * log_D
    rows = np.round(np.column_stack([a, b, grid[:, 2:]]), 9)
    self.assertLen(np.unique(rows, axis=0), 4500)
    for column, values in zip(
      rows.T,
      (range(0, 30, 5), range(0, 30, 5), (-1, -0.5, 0, 0.5, 1))
      + ((0, 0.5, 1, 1.5, 2),) * 2,
    ):
      np.testing.assert_array_equal(np.unique(column), values)

  def test_the_most_promising_of_the_grid(self):
    grid = parametric.grid_starts(self.centred)
    best = self.objectives(parametric.grid_starts(self.centred, 24))
    self.assertTrue(np.all(np.diff(best) >= 0))
    every = np.sort(self.objectives(grid))[:24]
    np.testing.assert_allclose(best, every, rtol=1e-9)

  def test_projection_knows_what_is_linear(self):
    # With exponents that lie on its grid and no noise it starts at the truth.
    exponents = np.geomspace(0.05, 1.5, 24)
    law = laws.Chinchilla(1.7, 400.0, 2000.0, exponents[13], exponents[12])
    N, D, L = study(law, noise=0)
    centred = parametric.Centred.of(N, D, L)
    starts = parametric.projection_starts(centred)
    self.assertEqual(starts.shape, (24, 5))
    np.testing.assert_allclose(
      starts[0], law_by_hand.as_params(law, N, D), atol=1e-8
    )
    np.testing.assert_allclose(centred.law(starts[0]), law, rtol=1e-6)

  def test_projection_is_near_with_noise(self):
    starts = parametric.projection_starts(self.centred)
    found = self.objectives(starts)
    self.assertTrue(np.all(np.diff(found) >= 0))
    self.assertLess(
      found[-1], self.objectives(parametric.grid_starts(self.centred)).min()
    )

  def test_pad(self):
    for n, padded in ((1, 32), (31, 32), (32, 32), (33, 64)):
      x = np.arange(1.0, n + 1)
      wide = parametric.pad(np.stack([x, -x]))
      self.assertEqual(wide.shape, (2, padded))
      np.testing.assert_array_equal(wide[:, :n], [x, -x])
      self.assertFalse(wide[:, n:].any())
      np.testing.assert_array_equal(parametric.pad(x), wide[0])


if __name__ == '__main__':
  absltest.main()
