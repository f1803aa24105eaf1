"""The critical batch of simulated runs, against the law that made them."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import critical_batch
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Status
from tests import shared_data

STEPS = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
LAW = laws.CriticalBatch(B_star=2e7, alpha_B=0.235)
BATCHES = (2e3, 4e3, 16e3, 64e3, 128e3)
N = 8e5
DRAWS = Bootstrap(draws=200)


def runs(batches=BATCHES, noise=0.0, seed=0, tokens=1e8, **more):
  rng = np.random.default_rng(seed)
  return simulate.batch_runs(STEPS, LAW, N, batches, tokens, noise, rng, **more)


def S_min_at(L):
  left = L - (STEPS.N_c / N) ** STEPS.alpha_N
  return STEPS.S_c * left ** (-1 / STEPS.alpha_S)


class TruthTest(parameterized.TestCase):
  def test_exact(self):
    found = critical_batch.fit(runs(), bootstrap=DRAWS)
    self.assertTrue(found.ok, found.message)
    self.assertAlmostEqual(found.law.alpha_B / LAW.alpha_B, 1, delta=0.02)
    self.assertGreaterEqual(sum(t.ok for t in found.targets), 5)
    for target in found.targets:
      if target.ok:
        S_min = S_min_at(target.L)
        self.assertAlmostEqual(target.S_min / S_min, 1, delta=0.01)
        B_crit = target.E_min / target.S_min
        self.assertAlmostEqual(B_crit / LAW.tokens(target.L), 1, delta=0.05)

  def test_fitted_minima_lie_below_all_that_was_measured(self):
    for seed in range(4):
      for target in critical_batch.fit(
        runs(noise=0.1, seed=seed), bootstrap=DRAWS
      ).targets:
        if np.isfinite(target.S_min):
          self.assertLessEqual(target.S_min, target.S.min() * (1 + 1e-9))
          E = target.B * target.S
          self.assertLessEqual(target.E_min, E.min() * (1 + 1e-9))

  def test_intervals_hold_the_truth(self):
    held = []
    for seed in range(12):
      made = runs(noise=0.02, seed=seed, step_noise=0.05, tokens=3e7)
      found = critical_batch.fit(
        made, bootstrap=Bootstrap(draws=200, seed=seed)
      )
      if not found.ok:
        continue
      held += [t.B_crit().holds(LAW.tokens(t.L)) for t in found.targets if t.ok]
    self.assertGreater(len(held), 30)
    self.assertGreater(np.mean(held), 0.88)  # benchmarks/kaplan.py has more

  def test_the_law_where_the_hyperbola_is_one(self):
    # At the critical batch a run takes twice the steps and twice the tokens.
    L = 5.0
    B = LAW.tokens(L)
    S = 2 * S_min_at(L)
    self.assertAlmostEqual(LAW.S_min(S, B, L), S / 2)
    self.assertAlmostEqual(LAW.C_min(6 * N * B * S, B, L), 3 * N * B * S)

  def test_published(self):
    L, B = shared_data.columns(self, 'nanogpt_critical_batch.csv')
    found = critical_batch.law_of(power_law.fit(L, B))
    self.assertAlmostEqual(-1 / found.law.alpha_B, -4.26, delta=0.005)
    self.assertAlmostEqual(found.law.B_star / 2.19e7, 1, delta=0.005)


class RefusalTest(parameterized.TestCase):
  @parameterized.parameters(1, 2)
  def test_few_batches(self, n):
    found = critical_batch.fit(runs(BATCHES[:n]))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertEqual(found.n_batches, n)
    self.assertEmpty(found.targets)
    self.assertTrue(np.isnan(found.law.alpha_B))

  def test_no_run(self):
    self.assertEqual(critical_batch.fit([]).status, Status.TOO_FEW_POINTS)

  def test_losses_that_are_never_reached(self):
    made = runs((2e3, 4e3, 64e3, 128e3))
    # The small batches stop before the large ones' warmup is over.
    cut = [
      dataclasses.replace(run, losses=run.losses[:200]) if run.B < 1e4 else run
      for run in made
    ]
    late = [
      dataclasses.replace(run, warmup=700) if run.B > 1e4 else run
      for run in cut
    ]
    found = critical_batch.fit(late)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertEmpty(found.targets)

  @parameterized.parameters(
    ((20.0, 30.0, 40.0, 60.0), 'S_min'), ((1e6, 1.5e6, 2e6, 3e6), 'E_min')
  )
  def test_batches_all_on_one_side(self, batches, name):
    tokens = 1e6 if batches[0] < 1e3 else 1e9
    made = runs(batches, noise=0.02, tokens=tokens)
    found = critical_batch.fit(made, bootstrap=DRAWS)
    bad = [t for t in found.targets if not t.ok]
    self.assertNotEmpty(bad)
    # Batches of one side bound one of the two, and leave the other open.
    other = {'S_min': 'E_min', 'E_min': 'S_min'}[name]
    spread = {'S_min': [], 'E_min': []}
    for target in bad:
      self.assertFalse(target.B_crit().known)
      spread['S_min'].append(np.std(target.log_S_draws))
      spread['E_min'].append(np.std(target.log_E_draws))
    self.assertGreater(max(spread[name]), 1.0)
    self.assertGreater(np.median(spread[name]), 5 * np.median(spread[other]))

  def test_the_law_goes_through_what_is_identified(self):
    found = critical_batch.fit(runs(noise=0.05, seed=3), bootstrap=DRAWS)
    self.assertTrue(found.ok, found.message)
    good = [t.L for t in found.targets if t.ok]
    self.assertLess(len(good), len(found.targets))
    self.assertEqual(found.fitted_range, (min(good), max(good)))


class WeightsTest(absltest.TestCase):
  def test_a_loss_that_is_hardly_known_does_not_rule(self):
    slopes = []
    for seed in range(16):
      found = critical_batch.fit(
        runs(noise=0.01, seed=seed, tokens=3e7),
        bootstrap=Bootstrap(draws=200, seed=seed),
      )
      if found.ok:
        slopes.append(found.law.alpha_B / LAW.alpha_B)
    self.assertGreater(len(slopes), 8)
    self.assertLess(np.abs(np.log(slopes)).max(), 0.35)

  def test_seeds_of_one_batch_count_together(self):
    lucky = [dataclasses.replace(run, losses=run.losses[40:]) for run in runs()]
    late = [
      dataclasses.replace(
        run, losses=np.concatenate([np.full(40, 40.0), run.losses])
      )
      for run in runs()
    ]
    both = critical_batch.fit([*lucky, *late], bootstrap=DRAWS)
    for target in both.targets:
      if target.L < 6 and len(target.S) == len(BATCHES):
        exact = S_min_at(target.L) * (1 + LAW.tokens(target.L) / target.B)
        np.testing.assert_allclose(
          target.S, np.sqrt((exact - 40) * (exact + 40)), rtol=0.01
        )


class RatesTest(absltest.TestCase):
  def test_the_faster_rate_counts(self):
    made = runs()
    slow = [
      dataclasses.replace(
        run,
        learning_rate=1e-4,
        losses=np.interp(
          np.arange(1, len(run.losses) + 1) / 1.5,
          np.arange(1, len(run.losses) + 1),
          run.losses,
        ),
      )
      for run in made
    ]
    one = critical_batch.fit(made, bootstrap=DRAWS)
    both = critical_batch.fit([*slow, *made], bootstrap=DRAWS)
    self.assertAlmostEqual(one.law.alpha_B, both.law.alpha_B, delta=1e-3)
    self.assertLen(one.notes, 1)
    self.assertLen(both.notes, 1)
    self.assertNotEqual(one.notes, both.notes)


if __name__ == '__main__':
  absltest.main()
