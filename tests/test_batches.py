"""Batches as functions of (seed, step), and every validation token once."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.corpus import batches

TOKENS = np.arange(1000, dtype=np.uint16)


class BatchAtTest(absltest.TestCase):
  def test_windows_are_runs_of_the_text(self):
    windows = batches.batch_at(TOKENS, 0, 5, 64, 8)
    self.assertEqual(windows.shape, (64, 9))
    self.assertEqual(windows.dtype, TOKENS.dtype)
    np.testing.assert_array_equal(np.diff(windows.astype(int), axis=1), 1)

  def test_a_function_of_seed_and_step(self):
    def first(seed, step):
      return batches.batch_at(TOKENS, seed, step, 8, 4)

    np.testing.assert_array_equal(first(1, 7), first(1, 7))
    for seed, step in ((1, 8), (2, 7), (7, 1)):
      self.assertFalse(np.array_equal(first(1, 7), first(seed, step)))

  def test_every_start_is_as_likely_the_ends_included(self):
    n, block_size = 20, 8
    starts = np.concatenate(
      [
        batches.batch_at(TOKENS[:n], 0, s, 64, block_size)[:, 0]
        for s in range(200)
      ]
    )
    counts = np.bincount(starts, minlength=n)
    self.assertEqual(
      np.flatnonzero(counts).tolist(), list(range(n - block_size))
    )
    expected = len(starts) / (n - block_size)
    chi2 = ((counts[: n - block_size] - expected) ** 2 / expected).sum()
    self.assertLess(chi2, 31.3)  # 99.9 % of chi-square with 11 degrees

  def test_the_only_window(self):
    windows = batches.batch_at(TOKENS[:9], 0, 0, 4, 8)
    np.testing.assert_array_equal(windows, np.tile(TOKENS[:9], (4, 1)))

  def test_first_draws_are_pinned(self):
    # A change here would break every resumed run.
    windows = batches.batch_at(TOKENS, 0, 0, 4, 8)
    self.assertEqual(windows[:, 0].tolist(), [731, 338, 281, 796])


class EvaluationTest(parameterized.TestCase):
  def test_the_sample_is_fixed(self):
    one = batches.evaluation_batches(TOKENS, 5, 4, 8)
    np.testing.assert_array_equal(
      one, batches.evaluation_batches(TOKENS, 5, 4, 8)
    )
    self.assertEqual(one.shape, (5, 4, 9))
    self.assertGreater(len(np.unique(one[..., 0])), 15)

  @parameterized.product(n=[2, 9, 64, 65, 66, 1000], batch_size=[1, 3, 16])
  def test_whole_split_counts_each_target_once(self, n, batch_size):
    windows, counts = batches.whole_split(TOKENS[:n], batch_size, 8)
    targets = []
    for window, count in zip(windows.reshape(-1, 9), counts.ravel()):
      np.testing.assert_array_equal(np.diff(window[: count + 1].astype(int)), 1)
      targets += window[1 : count + 1].tolist()
    self.assertEqual(targets, list(range(1, n)))


if __name__ == '__main__':
  absltest.main()
