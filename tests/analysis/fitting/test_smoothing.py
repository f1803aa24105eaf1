"""Training losses made smooth, against means, lines and laws."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import smoothing


def law(S, floor=1.5, coefficient=3.0, exponent=0.4):
  return floor + coefficient * np.arange(1, S + 1.0) ** -exponent


class SmoothTest(parameterized.TestCase):
  @parameterized.parameters((1, 200), (2, 200), (50, 200), (5000, 200), (90, 7))
  def test_line_and_constant_are_exact(self, S, bins):
    step = np.arange(1, S + 1)
    for losses in (np.full(S, 2.5), 4.0 - 1e-4 * step):
      curve = smoothing.smooth(losses, bins)
      self.assertLessEqual(curve.step.size, bins)
      np.testing.assert_allclose(
        curve.loss, np.interp(curve.step, step, losses), rtol=1e-12
      )

  def test_every_step_is_in_one_bin(self):
    losses = np.random.default_rng(0).random(3000)
    for first in (1, 101):
      binned = smoothing.bin_losses(losses, 200, first)
      self.assertEqual(binned.steps.sum(), 3000)
      self.assertGreaterEqual(binned.steps.min(), 1)
      self.assertAlmostEqual(binned.steps @ binned.loss, losses.sum())
      self.assertEqual(binned.unit, first + 2999)
      log_width = np.log1p(binned.steps / binned.step)[-50:]
      np.testing.assert_allclose(log_width, log_width.mean(), rtol=0.1)

  def test_power_law_has_the_bias_it_tells(self):
    S, p = 20_000, 0.5
    curve = smoothing.smooth(law(S, 0.0, 1.0, p))
    relative = curve.loss * curve.step**p - 1
    w = math.log(S) / 200
    self.assertLess(relative.max(), 2 * p * (p + 1) / 24 * w**2 + 1e-6)

  def test_sem_is_the_scatter_of_the_mean(self):
    rng = np.random.default_rng(1)
    truth = law(2000)
    found = [
      smoothing.smooth(truth + 0.03 * rng.standard_normal(2000), 40)
      for _ in range(200)
    ]
    scatter = np.std([c.loss for c in found], axis=0)
    sem = np.sqrt(np.mean([c.sem**2 for c in found], axis=0))
    # The first steps bend too much for their differences to be noise alone.
    np.testing.assert_allclose(sem[12:], scatter[12:], rtol=0.25)

  def test_nothing_is_nothing(self):
    self.assertEqual([x.size for x in smoothing.smooth(np.zeros(0))], [0, 0, 0])
    self.assertTrue(np.isnan(smoothing.smooth(np.ones(2)).sem).all())


class FallingTest(parameterized.TestCase):
  @parameterized.parameters(0, 100, 1000)
  def test_a_power_law_is_itself(self, after):
    losses = 5 * np.arange(1.0, 20_001) ** -0.2
    step, loss = smoothing.falling(losses, after)
    self.assertGreater(step[0], after)
    np.testing.assert_allclose(loss / (5 * step**-0.2), 1, atol=5e-4)

  def test_noise_never_makes_it_rise(self):
    rng = np.random.default_rng(0)
    clean = 5 * np.arange(1.0, 5001) ** -0.1
    step, loss = smoothing.falling(clean + 0.2 * rng.normal(size=5000), 20)
    self.assertTrue(np.all(np.diff(loss) < 0))
    self.assertTrue(np.all(np.diff(step) > 0))
    middle = slice(3, -3)
    self.assertLess(np.abs(loss / (5 * step**-0.1) - 1)[middle].max(), 0.05)

  @parameterized.parameters(0, 5, 21)
  def test_too_short(self, S):
    step, loss = smoothing.falling(np.linspace(3, 2, S), 20)
    self.assertEmpty(step)
    self.assertEmpty(loss)

  def test_a_loss_that_is_no_number(self):
    losses = np.linspace(3, 2, 500)
    losses[300] = np.nan
    self.assertEmpty(smoothing.falling(losses, 20)[0])


if __name__ == '__main__':
  absltest.main()
