"""Steps to a loss, against curves whose steps are known."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import steps_to_loss
from scaling_jax.analysis.fitting.steps_to_loss import BatchRun


def power(S, p=0.3, scale=5.0):
  return scale * np.arange(1.0, S + 1) ** -p


def run(B, losses, warmup=0, rate=1e-3):
  return BatchRun(f'B{B:g}', B, rate, warmup, losses)


class MeasureTest(parameterized.TestCase):
  @parameterized.parameters(300, 5_000, 60_000)
  def test_a_step_and_not_an_index(self, S):
    # L = scale · S^-p is passed at (scale / L)^(1/p).
    made = [run(B, power(S, scale=scale)) for B, scale in
            ((1e2, 5.0), (1e3, 4.8), (1e4, 4.6))]  # fmt: skip
    found = steps_to_loss.measure(made)
    self.assertLen(found, steps_to_loss.LOSSES)
    for at in found[1:-1]:
      for S_at, scale in zip(at.S, (5.0, 4.8, 4.6)):
        if np.isfinite(S_at):
          self.assertAlmostEqual(S_at / (scale / at.L) ** (1 / 0.3), 1, 2)

  def test_none_within_the_warmup(self):
    made = [run(B, power(2000), warmup) for B, warmup in
            ((1e2, 20), (1e3, 20), (1e4, 500), (1e5, 20))]  # fmt: skip
    for at in steps_to_loss.measure(made):
      self.assertTrue(np.all(at.S[at.known] > 20))
      if at.L > 1.01 * power(500)[-1]:
        self.assertFalse(at.known[2])
      elif at.L < 0.9 * power(500)[-1]:
        self.assertTrue(at.known[2] or at.L < power(2000)[-1])

  def test_of_several_rates_the_first(self):
    made = [run(B, power(2000)) for B in (1e2, 1e3, 1e4)]
    made.append(run(1e4, power(2000, scale=4.9), rate=3e-3))
    for at in steps_to_loss.measure(made):
      if at.known[2]:
        self.assertEqual(at.learning_rate[2], 3e-3)

  def test_a_rate_that_was_past_the_loss_in_its_warmup(self):
    made = [run(B, power(2000)) for B in (1e2, 1e3, 1e4)]
    made.append(run(1e4, power(2000, scale=4.0), warmup=400, rate=3e-3))
    for at in steps_to_loss.measure(made):
      # It may have been first: the slower one does not stand in for it.
      if at.L > 1.01 * 4.0 * 400**-0.3:
        self.assertFalse(at.known[2])

  def test_noise_moves_steps_by_little(self):
    rng = np.random.default_rng(0)
    clean = power(20_000)
    made = [
      run(B, clean + 0.1 * rng.normal(size=clean.size)) for B in (1e2, 1e3, 1e4)
    ]
    for at in steps_to_loss.measure(made)[3:-2]:
      exact = (5.0 / at.L) ** (1 / 0.3)
      np.testing.assert_allclose(at.S / exact, 1, atol=0.15)

  @parameterized.parameters(0, 1, 2)
  def test_too_few_batches_have_a_curve(self, n):
    made = [run(10.0**i, power(2000)) for i in range(n)]
    self.assertEmpty(steps_to_loss.measure([*made, run(1e9, power(10))]))

  def test_a_run_that_diverged(self):
    bad = power(2000)
    bad[1500:] = np.nan
    made = [run(B, power(2000)) for B in (1e2, 1e3, 1e4)]
    found = steps_to_loss.measure([*made, run(1e5, bad)])
    self.assertFalse(any(at.known[3] for at in found))


if __name__ == '__main__':
  absltest.main()
