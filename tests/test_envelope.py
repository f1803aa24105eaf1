"""The envelope of simulated curves, against the law that made them."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import envelope
from scaling_jax.analysis import simulate
from scaling_jax.analysis import uncertainty
from tests import studies

LOPSIDED = laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55)


def sizes(models, reach=64.0, law=studies.LAW):
  return law.optimum(4e14).N * np.geomspace(1 / reach, reach, models)


def curves(N, law=studies.LAW, C=(1e16,), noise=0.0, seed=0, points=400):
  """A curve for every N at every C, over the last three decades before it."""
  plan = simulate.Design.of([(end, N) for end in C])
  rng = np.random.default_rng(seed)
  return simulate.training_curves(law, plan, noise, rng, points)


def cut(curve, C):
  """The curve up to C FLOPs."""
  kept = curve.C <= C
  return curve._replace(C=curve.C[kept], D=curve.D[kept], L=curve.L[kept])


class NoiselessTest(parameterized.TestCase):
  @parameterized.product(
    law=(studies.LAW, laws.BESIROGLU, LOPSIDED), models=(8, 16, 31, 61)
  )
  def test_exponent_within_the_grid_s_spacing(self, law, models):
    found = envelope.fit(curves(sizes(models, law=law), law), draws=0)
    self.assertTrue(found.ok, found.sentence)
    # The winners are a staircase about the law: at worst half a step off at
    # either end, and the middle of each step is nearly right.
    step = np.log(64**2) / (models - 1)
    tolerance = 0.25 * step / np.log(1e3)
    self.assertAlmostEqual(found.N_opt[0], law.exponent_N, delta=tolerance)
    self.assertAlmostEqual(found.D_opt[0], law.exponent_D, delta=tolerance)
    for C in (1e13, 1e16):
      log_N = np.polyval(found.N_opt, np.log(C))
      self.assertAlmostEqual(log_N, np.log(law.optimum(C).N), delta=step / 2)

  def test_winners_are_the_law_s(self):
    N = sizes(16)
    found = envelope.fit(curves(N), draws=0)
    losses = np.stack([studies.LAW.iso_flop(found.C, n) for n in N])
    np.testing.assert_allclose(found.N, N[losses.argmin(0)])
    np.testing.assert_allclose(found.L, losses.min(0), rtol=1e-4)
    np.testing.assert_allclose(found.D, found.C / (6 * found.N))
    self.assertTrue(np.all(found.L >= studies.LAW.optimum(found.C).L))

  def test_grid_of_1500(self):
    found = envelope.fit(curves(sizes(16)), draws=0)
    self.assertLen(found.C, 1500)
    np.testing.assert_allclose(found.C, np.geomspace(1e13, 1e16, 1500))
    some = envelope.fit(curves(sizes(8, reach=4)), draws=0)
    self.assertLess(len(some.C), 1500)
    steps = np.log(some.C / 1e13) / (np.log(1e3) / 1499)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)

  def test_tokens_are_the_curves_own(self):
    # C counts 7.2 N D, as where attention is counted.
    shifted = [c._replace(C=1.2 * c.C) for c in curves(sizes(16))]
    found = envelope.fit(shifted, draws=0)
    np.testing.assert_allclose(found.D, found.C / (7.2 * found.N))

  def test_the_order_of_curves_is_nothing(self):
    made = curves(sizes(12), C=(1e15, 1e16), noise=0.002)
    one, other = (envelope.fit(c, 100) for c in (made, made[::-1]))
    np.testing.assert_array_equal(one.N, other.N)
    np.testing.assert_array_equal(one.N_draws, other.N_draws)


class InteriorTest(absltest.TestCase):
  def test_neither_the_smallest_nor_the_largest_counts(self):
    N = sizes(8, reach=4)
    found = envelope.fit(curves(N), draws=0)
    self.assertTrue(found.ok)
    self.assertContainsSubset(np.unique(found.N), N[1:-1])

  def test_the_largest_at_hand_is_no_winner(self):
    N = sizes(16)
    end = float(studies.LAW.compute_for_loss(1.6).C)
    made = curves(N)
    whole = envelope.fit(made, draws=0)
    last = whole.N[whole.C <= end][-1]
    # Beyond `end` nothing larger than the winner there was trained.
    stopped = [cut(c, end) if c.N > last else c for c in made]
    found = envelope.fit(stopped, draws=0)
    self.assertTrue(np.any(whole.N > last))
    self.assertFalse(np.any(found.N > last))
    self.assertLessEqual(found.C[found.N == last].max(), end)
    # Before that nothing has changed.
    before = found.C <= end
    np.testing.assert_allclose(found.C[before], whole.C[whole.C <= end])
    np.testing.assert_allclose(found.N[before], whole.N[whole.C <= end])


class StatusTest(parameterized.TestCase):
  def test_no_curves(self):
    found = envelope.fit([])
    self.assertEqual(found.status, 'too_few_points')
    self.assertIn('no run', found.sentence)
    self.assertIsNone(found.N_opt)
    self.assertEmpty(found.C)

  @parameterized.parameters((1, 0), (2, 0), (3, 1), (4, 2))
  def test_too_few_models(self, models, winners):
    N = sizes(models, reach=3) if models > 1 else sizes(1, reach=1)
    found = envelope.fit(curves(N), draws=100)
    self.assertEqual(found.status, 'too_few_points')
    self.assertRegex(found.sentence, rf'\b{winners} .* needs 3')
    self.assertIsNone(found.N_opt)
    self.assertIsNone(found.N_draws)

  def test_studies_that_hang_on_single_runs(self):
    found = envelope.fit(curves(sizes(5, reach=8), noise=0.002), draws=200)
    self.assertEqual(found.status, 'not_identified')
    self.assertRegex(found.sentence, r'\d+% of resampled studies show no power')
    share = np.mean(np.isnan(found.N_draws[:, 0]))
    self.assertGreater(share, envelope.OPEN_DRAWS)
    estimate = uncertainty.estimate(found.N_opt[0], found.N_draws[:, 0], 0.95)
    self.assertIsNone(estimate['low'])


class IntervalTest(parameterized.TestCase):
  @parameterized.parameters(0.0005, 0.003)
  def test_intervals_hold_the_truth(self, noise):
    held, widths = [], []
    for seed in range(10):
      made = curves(
        sizes(12, reach=16), C=studies.BUDGETS, noise=noise, seed=seed,
        points=200,
      )  # fmt: skip
      found = envelope.fit(made, 200, seed)
      self.assertTrue(found.ok, found.sentence)
      for value, draws, truth in (
        (found.N_opt[0], found.N_draws[:, 0], studies.LAW.exponent_N),
        (found.D_opt[0], found.D_draws[:, 0], studies.LAW.exponent_D),
      ):
        interval = uncertainty.estimate(value, draws, 0.95)
        held.append(uncertainty.holds(interval, truth))
        widths.append(interval['high'] - interval['low'])
    self.assertGreaterEqual(np.mean(held), 0.9)
    self.assertLess(np.median(widths), 0.4)


if __name__ == '__main__':
  absltest.main()
