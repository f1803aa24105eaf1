"""The time left, against sweeps whose end is known."""

import types
import unittest.mock

from absl.testing import absltest

from scaling_jax import budget
from scaling_jax.training import pace
from scaling_jax.training import progress


def job(label, C=1e13, N=100_000):
  return types.SimpleNamespace(
    label=label, plan=budget.plan(N, 2048, C), flops_per_token=6 * N,
    dataset=types.SimpleNamespace(val=range(1000)),
  )  # fmt: skip


def report(label, share, S=1000):
  return progress.Report(
    label, round(share * S), S, 2.0, None, None, None, None
  )


def expecting(labels, parallel=1):
  left = pace.Pace(parallel)
  for label in labels:
    left.expect(job(label), (0,))
  return left


class PaceTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    patch = unittest.mock.patch.object(pace.time, 'monotonic')
    self.clock = self.enterContext(patch)
    self.clock.return_value = 0.0

  def test_alike_runs(self):
    left = expecting('abcd')
    self.assertIsNone(left.left_s([]))
    self.clock.return_value = 100.0
    left.end('a')
    self.assertAlmostEqual(left.left_s([]), 300.0)
    self.clock.return_value = 150.0
    left.left_s([report('b', 0.0)])
    self.assertAlmostEqual(left.left_s([report('b', 0.5)]), 250.0)

  def test_what_was_done_before_is_not_taken_for_speed(self):
    left = expecting('ab')
    left.left_s([report('a', 0.8)])  # goes on from a checkpoint
    self.clock.return_value = 10.0
    self.assertAlmostEqual(left.left_s([report('a', 0.9)]), 110.0)
    left.end('a')
    self.clock.return_value = 20.0
    self.assertAlmostEqual(left.left_s([]), 100.0)

  def test_two_at_a_time(self):
    left = expecting('abc', 2)
    self.clock.return_value = 100.0
    left.end('a')
    left.end('b')
    # One is left, and the second process can't help: as long as before.
    self.assertAlmostEqual(left.left_s([]), 100.0)

  def test_larger_runs_weigh_more(self):
    left = pace.Pace()
    small, large = (
      left.expect(job('s', C=1e12), (0,)),
      left.expect(job('l', C=1e14), (0,)),
    )
    self.assertGreater(large, 20 * small)

  def test_a_failed_run_was_no_work(self):
    left = expecting('abc')
    self.clock.return_value = 100.0
    left.end('a')
    left.drop('b')
    self.assertAlmostEqual(left.left_s([]), 100.0)

  def test_nothing_left(self):
    left = pace.Pace()
    left.expect(job('a'), (0,))
    self.assertIn('a', left)
    left.end('a')
    self.assertNotIn('a', left)
    self.clock.return_value = 9.0
    self.assertIsNone(left.left_s([]))


if __name__ == '__main__':
  absltest.main()
