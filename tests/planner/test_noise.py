"""The noise of planned runs."""

from absl.testing import absltest
import numpy as np

from scaling_jax.planner import noise


class NoiseTest(absltest.TestCase):
  def test_both_parts_make_the_whole(self):
    found = noise.Noise(0.003, 0.001)
    self.assertAlmostEqual(found.shared**2 + found.seeds**2, 0.003**2)
    self.assertEqual(noise.Noise(0.001, 0.001).shared, 0)

  def test_seeds_share_a_cell(self):
    N = np.array([1e6, 2e6, 1e6, 1e6])
    D = np.array([1e8, 1e8, 1e8, 3e8])
    cell = noise.cells(N, D)
    self.assertEqual(cell[0], cell[2])
    self.assertLen(set(cell), 3)
    self.assertEqual(set(cell), {0, 1, 2})


if __name__ == '__main__':
  absltest.main()
