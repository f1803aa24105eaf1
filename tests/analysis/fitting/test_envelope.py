"""The envelope of simulated curves, against the law that made them."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import stats

from scaling_jax import published
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs
from tests.analysis.fitting.bowls import LOPSIDED
from tests.analysis.fitting.bowls import NO_DRAWS


def sizes(models, reach=64.0, law=designs.LAW):
  return law.optimum(4e14).N * np.geomspace(1 / reach, reach, models)


def curves(N, law=designs.LAW, C=(1e16,), noise=0.0, seed=0, points=400):
  """A curve for every N at every C, over the last three decades before it."""
  plan = simulate.Design.of([(end, N) for end in C])
  rng = np.random.default_rng(seed)
  return simulate.training_curves(law, plan, noise, rng, points)


def cut(curve, C):
  """The curve up to C FLOPs."""
  kept = curve.C <= C
  return dataclasses.replace(
    curve, C=curve.C[kept], D=curve.D[kept], L=curve.L[kept]
  )


def resampled(made, draws, seed=0):
  """[draws, 2] the line of N_opt of each resampled study, one by one.

  By np.polyfit and an argmin over the runs that were drawn.
  """
  made = sorted(made, key=lambda c: (c.N, c.run_id))
  N = np.array([c.N for c in made])
  grid = np.geomspace(
    min(c.C[0] for c in made), max(c.C[-1] for c in made), 1500
  )
  L = np.stack([
    np.interp(np.log(grid), np.log(c.C), c.L, left=np.inf, right=np.inf)
    for c in made
  ])  # fmt: skip
  rng = np.random.default_rng(seed)
  lines = []
  for _ in range(draws):
    rows = np.unique(rng.integers(len(N), size=len(N)))
    here = np.where(np.isfinite(L[rows]), N[rows, None], np.nan)
    best = N[rows][L[rows].argmin(axis=0)]
    reached = np.isfinite(here).any(axis=0)
    inside = reached & (best > np.nanmin(np.where(reached, here, 0), axis=0))
    inside &= best < np.nanmax(np.where(reached, here, 0), axis=0)
    if len(np.unique(best[inside])) < 2:
      lines.append([np.nan, np.nan])
    else:
      lines.append(np.polyfit(np.log(grid[inside]), np.log(best[inside]), 1))
  return np.array(lines)


class NoiselessTest(parameterized.TestCase):
  @parameterized.product(
    law=(designs.LAW, published.BESIROGLU, LOPSIDED), models=(8, 16, 31, 61)
  )
  def test_exponent_within_the_grid_s_spacing(self, law, models):
    found = envelope.fit(curves(sizes(models, law=law), law), NO_DRAWS)
    self.assertEqual(found.status, Status.OK)
    # The best are a staircase about the law: at worst half a step off at
    # either end, and the middle of each step is nearly right.
    step = np.log(64**2) / (models - 1)
    tolerance = 0.25 * step / np.log(1e3)
    for name in ('exponent_N', 'exponent_D'):
      self.assertAlmostEqual(
        found.params[name], getattr(law, name), delta=tolerance
      )
    for C in (1e13, 1e16):
      log_N = np.log(found.optimum(C=C).N.value)
      self.assertAlmostEqual(log_N, np.log(law.optimum(C).N), delta=step / 2)

  def test_the_best_are_the_law_s(self):
    N = sizes(16)
    found = envelope.fit(curves(N), NO_DRAWS)
    losses = np.stack([designs.LAW.iso_flop(found.C, n) for n in N])
    np.testing.assert_allclose(found.N, N[losses.argmin(0)])
    np.testing.assert_allclose(found.L, losses.min(0), rtol=1e-4)
    np.testing.assert_allclose(found.D, found.C / (6 * found.N))
    self.assertTrue(np.all(found.L >= designs.LAW.optimum(found.C).L))

  def test_grid_of_1500(self):
    found = envelope.fit(curves(sizes(16)), NO_DRAWS)
    self.assertLen(found.C, 1500)
    np.testing.assert_allclose(found.C, np.geomspace(1e13, 1e16, 1500))
    some = envelope.fit(curves(sizes(8, reach=4)), NO_DRAWS)
    self.assertLess(len(some.C), 1500)
    steps = np.log(some.C / 1e13) / (np.log(1e3) / 1499)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)

  def test_tokens_are_the_curves_own(self):
    # C counts 7.2 N D, as where attention is counted.
    shifted = [dataclasses.replace(c, C=1.2 * c.C) for c in curves(sizes(16))]
    found = envelope.fit(shifted, NO_DRAWS)
    np.testing.assert_allclose(found.D, found.C / (7.2 * found.N))

  def test_the_order_of_curves_is_nothing(self):
    made = curves(sizes(12), C=(1e15, 1e16), noise=0.002)
    one, other = (envelope.fit(c, Bootstrap(100)) for c in (made, made[::-1]))
    np.testing.assert_array_equal(one.N, other.N)
    np.testing.assert_array_equal(one.N_opt.line_draws, other.N_opt.line_draws)


class InteriorTest(absltest.TestCase):
  def test_neither_the_smallest_nor_the_largest_counts(self):
    N = sizes(8, reach=4)
    found = envelope.fit(curves(N), NO_DRAWS)
    self.assertTrue(found.ok)
    self.assertContainsSubset(np.unique(found.N), N[1:-1])

  def test_the_largest_at_hand_does_not_count(self):
    N = sizes(16)
    end = float(designs.LAW.compute_for_loss(1.6).C)
    made = curves(N)
    whole = envelope.fit(made, NO_DRAWS)
    last = whole.N[whole.C <= end][-1]
    # Beyond `end` nothing larger than the best there was trained.
    stopped = [cut(c, end) if c.N > last else c for c in made]
    found = envelope.fit(stopped, NO_DRAWS)
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
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertTrue(np.isnan(found.params['exponent_N']))
    self.assertEmpty(found.C)
    self.assertFalse(found.optimum(C=1e20).N.known)

  @parameterized.parameters((1, 0), (2, 0), (3, 1), (4, 2))
  def test_too_few_models(self, models, best):
    N = sizes(models, reach=3) if models > 1 else sizes(1, reach=1)
    found = envelope.fit(curves(N), Bootstrap(100))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertLen(np.unique(found.N), best)
    self.assertIsNone(found.N_opt.line)
    self.assertIsNone(found.N_opt.line_draws)

  def test_studies_that_hang_on_single_runs(self):
    made = curves(sizes(5, reach=8), noise=0.002)
    found = envelope.fit(made, Bootstrap(200))
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    share = np.mean(np.isnan(found.N_opt.draws.exponent))
    self.assertGreater(share, envelope.OPEN_DRAWS)
    exponent = found.conf_int()['exponent_N']
    self.assertTrue(np.isneginf(exponent.low))
    # It is so at every level, which the status knows nothing of.
    self.assertTrue(np.isposinf(found.conf_int(0.99)['exponent_N'].high))


class DrawsTest(parameterized.TestCase):
  @parameterized.parameters((6, (1e16,)), (12, designs.BUDGETS))
  def test_resampled_studies_are_numpy_s(self, models, C):
    made = curves(sizes(models, reach=16), C=C, noise=0.002, points=200)
    found = envelope.fit(made, Bootstrap(60))
    lines, expected = found.N_opt.line_draws, resampled(made, 60)
    center, dof = found.N_opt.line, len(np.unique(found.N)) - 2
    rng = np.random.default_rng((0, 1))
    scales = np.sqrt(dof / rng.chisquare(dof, 60))[:, None]
    np.testing.assert_allclose(
      (lines - center) / scales + center, expected, rtol=1e-9
    )

  def test_deviations_are_student_s_at_every_level(self):
    made = curves(sizes(12, reach=16), C=designs.BUDGETS, noise=0.002)
    found = envelope.fit(made, Bootstrap(4000))
    dof = len(np.unique(found.N)) - 2
    plain = resampled(made, 400)[:, 0] - found.N_opt.line[0]
    drawn = found.N_opt.draws.exponent - found.N_opt.line[0]
    self.assertLen(drawn, 4000)
    # A mixture: each deviation times Student's scale, by its distribution.
    for level in (0.5, 0.8, 0.95):
      at = np.quantile(drawn, (1 + level) / 2)
      share = stats.chi2.sf(dof * (plain / at) ** 2, dof)
      below = np.where(plain > 0, share, 1.0).mean()
      self.assertAlmostEqual(below, (1 + level) / 2, delta=0.02)


class IntervalTest(parameterized.TestCase):
  @parameterized.parameters(0.0005, 0.003)
  def test_intervals_hold_the_truth(self, noise):
    held, widths = [], []
    for seed in range(10):
      made = curves(
        sizes(12, reach=16), C=designs.BUDGETS, noise=noise, seed=seed,
        points=200,
      )  # fmt: skip
      found = envelope.fit(made, Bootstrap(draws=200, seed=seed))
      self.assertTrue(found.ok, found.message)
      for name in ('exponent_N', 'exponent_D'):
        interval = found.conf_int()[name]
        held.append(interval.holds(getattr(designs.LAW, name)))
        widths.append(interval.high - interval.low)
    self.assertGreaterEqual(np.mean(held), 0.9)
    self.assertLess(np.median(widths), 0.4)


if __name__ == '__main__':
  absltest.main()
