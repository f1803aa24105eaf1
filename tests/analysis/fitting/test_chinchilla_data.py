"""Where a search for approach 3's law starts, and the way back to a law."""

from absl.testing import absltest
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from tests.analysis.fitting import law_by_hand
from tests.analysis.fitting.law_by_hand import LAWS
from tests.analysis.fitting.law_by_hand import study


class StartsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.runs = study(noise=0.002)
    self.data = LogData.of(*self.runs)

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
      params = self.data.params(law)
      np.testing.assert_allclose(self.data.law(params), law, rtol=1e-12)
      both = laws.Chinchilla(*np.transpose([law, law]))
      np.testing.assert_allclose(self.data.params(both), [params, params])

  def test_hoffmann_s_grid(self):
    # Hoffmann et al. (2022), appendix D.3 of v1: the values of each parameter.
    grid = chinchilla_data.grid_starts(self.data)
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
    grid = chinchilla_data.grid_starts(self.data)
    best = self.objectives(chinchilla_data.grid_starts(self.data, 24))
    self.assertTrue(np.all(np.diff(best) >= 0))
    every = np.sort(self.objectives(grid))[:24]
    np.testing.assert_allclose(best, every, rtol=1e-9)

  def test_projection_knows_what_is_linear(self):
    # With exponents that lie on its grid and no noise it starts at the truth.
    exponents = np.geomspace(0.05, 1.5, 24)
    law = laws.Chinchilla(1.7, 400.0, 2000.0, exponents[13], exponents[12])
    N, D, L = study(law, noise=0)
    data = LogData.of(N, D, L)
    starts = chinchilla_data.projection_starts(data)
    self.assertEqual(starts.shape, (24, 5))
    np.testing.assert_allclose(
      starts[0], law_by_hand.as_params(law, N, D), atol=1e-8
    )
    np.testing.assert_allclose(data.law(starts[0]), law, rtol=1e-6)

  def test_projection_is_near_with_noise(self):
    starts = chinchilla_data.projection_starts(self.data)
    found = self.objectives(starts)
    self.assertTrue(np.all(np.diff(found) >= 0))
    grid = chinchilla_data.grid_starts(self.data)
    self.assertLess(found[-1], self.objectives(grid).min())


if __name__ == '__main__':
  absltest.main()
