"""Kaplan's laws on a simulated study: every one of them is recovered."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.study import kaplan_study
from tests.analysis import kaplan_study as simulated
from tests.analysis import studies

A = simulated.ALPHA_C
STEPS, BATCH, JOINT = simulated.STEPS, simulated.BATCH, simulated.JOINT

# law -> number -> the truth.
TRUTH = {
  'kaplan_L_ND': JOINT._asdict(),
  'critical_batch': BATCH._asdict(),
  'kaplan_L_Cmin': {'alpha_C': A},
  'kaplan_N_opt_Cmin': {'exponent': A / STEPS.alpha_N},
  'kaplan_B_Cmin': {'exponent': A / BATCH.alpha_B},
  'kaplan_S_Cmin': {'exponent': A / STEPS.alpha_S},
  'kaplan_L_NS': STEPS._asdict(),
  'kaplan_consistency': {'measured': A, 'predicted': A},
}
TOLERANCE = {'kaplan_S_Cmin': 0.5, 'kaplan_L_NS': 0.1}


def by_name(study) -> dict[str, kaplan_study.Law]:
  return {law.name: law for law in study.laws}


def fit(every, tuned) -> kaplan_study.KaplanStudy:
  return kaplan_study.fit(every, tuned, bootstrap=simulated.BOOTSTRAP)


def changed(one, *, history=None, **run):
  """A loaded run with other fields of its run, and of its history."""
  return dataclasses.replace(
    one,
    run=one.run._replace(**run),
    history=dataclasses.replace(one.history, **(history or {})),
  )


def table(N, D, L):
  """Runs of a table, without folders."""
  design = simulate.Design(6 * N * D, N, D)
  return histories.load(studies.as_runs(design, L))


class TruthTest(parameterized.TestCase):
  @parameterized.parameters(*TRUTH)
  def test_is_recovered_in_full(self, name):
    law = by_name(simulated.fitted())[name]
    self.assertTrue(law.ok, law.message)
    for number, truth in TRUTH[name].items():
      got = law.estimates[number]
      with self.subTest(number):
        # Scales are known by their logarithm.
        value, exact = got.value, np.log(truth) if got.log else truth
        tolerance = TOLERANCE.get(name, 0.06)
        self.assertAlmostEqual(value / exact, 1, delta=tolerance)
        self.assertTrue(got.at().holds(truth), (got.at(), truth))

  def test_exponents_of_one_quantity(self):
    # At these lengths L(N) is all but (N_c/N)^alpha_N, and the text of the
    # largest model tells alpha_D.
    study = simulated.fitted()
    for fit_of_one, truth in (
      (study.L_N, STEPS.alpha_N),
      (study.L_D, JOINT.alpha_D),
    ):
      self.assertTrue(fit_of_one.ok, fit_of_one.message)
      self.assertAlmostEqual(-fit_of_one.line[0] / truth, 1, delta=0.35)

  def test_by_which_runs(self):
    study = simulated.fitted()
    sizes = [one for one in simulated.loaded() if 'n/' in one.run_id]
    self.assertLen(sizes, 7)
    self.assertEqual({*study.L_N.x}, {one.run.N for one in sizes})
    self.assertLen(study.L_D.x, 4)
    self.assertLen(study.L_ND.x, 12)
    self.assertLen(study.curves, 7)
    self.assertAlmostEqual(study.tokens_per_step / simulated.B, 1, delta=1e-3)
    self.assertEqual(study.critical_batch.n_batches, len(simulated.BATCHES))

  def test_beyond_the_losses_that_B_crit_was_fitted_on(self):
    study = simulated.fitted()
    self.assertGreater(study.at_critical_batch.beyond, 0)
    self.assertNotEmpty(study.extrapolated)
    found = by_name(study)
    for name in ('kaplan_L_Cmin', 'kaplan_L_NS', 'kaplan_B_Cmin'):
      self.assertEqual(found[name].notes, (study.extrapolated,))
    self.assertEmpty(found['kaplan_L_C'].notes)

  def test_compute_is_in_PF_days(self):
    study = simulated.fitted()
    for fit_of_C, frontier in (
      (study.L_C, study.frontier),
      (study.at_critical_batch.L_C, study.at_critical_batch.frontier),
    ):
      np.testing.assert_allclose(
        fit_of_C.law(fit_of_C.x), fit_of_C.y, rtol=0.01
      )
      np.testing.assert_allclose(
        fit_of_C.x * laws.FLOPS_PER_PF_DAY, [t.C for t in frontier.inner]
      )
    at = study.at_critical_batch
    np.testing.assert_allclose(at.B_fit.x, at.L_C.x)
    # C_min = 6 N B_crit S_min.
    C_min = 6 * at.N_opt.y * at.B_fit.y * at.S_fit.y
    np.testing.assert_allclose(C_min, at.S_fit.x * laws.FLOPS_PER_PF_DAY)

  def test_consistency(self):
    check = simulated.fitted().consistency
    self.assertTrue(check.ok, check.message)
    self.assertTrue(check.overlap(0.95))
    self.assertTrue(check.measured.at(0.8).known)


class ChoiceTest(absltest.TestCase):
  """Which runs a law goes through where several kinds are given together."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    every = simulated.loaded()
    cls.sizes = [one for one in every if one.run_id.startswith('n/')]
    cls.batches = [one for one in every if one.run_id.startswith('batches/')]

  def test_annealed_and_unannealed_runs_make_no_line_together(self):
    warm = [
      dataclasses.replace(
        changed(one, schedule='cosine'), loss=2 * one.history.best_loss
      )
      for one in self.sizes[:3]
    ]
    found = fit([], [*self.sizes, *warm])
    self.assertLen(found.L_N.x, 7)
    np.testing.assert_allclose(sorted(found.L_N.y, reverse=True), found.L_N.y)

  def test_L_D_is_of_the_largest_model(self):
    N, D = (x.ravel() for x in np.meshgrid([1e6, 1e7, 1e8], [1e8, 1e9, 1e10]))
    # As where every size spends the same budgets: the smallest has most D.
    D = D * 1e8 / N
    every = table(N, D, published.KAPLAN.loss(N, D))
    found = fit(every, every).L_D
    np.testing.assert_allclose(found.y, published.KAPLAN.loss(1e8, found.x))

  def test_batches_are_compared_before_their_annealing(self):
    bent = []
    for one in self.batches:
      losses = one.history.losses.astype(float)
      half = len(losses) // 2
      left = np.arange(1, len(losses) - half + 1) / (len(losses) - half)
      losses[half:] *= 1 - 0.1 * left
      history = {'losses': losses, 'unannealed': half}
      bent.append(changed(one, history=history, schedule='cosine'))
    found = fit(bent, []).critical_batch
    self.assertTrue(found.ok, found.message)
    self.assertAlmostEqual(found.law.alpha_B / BATCH.alpha_B, 1, delta=0.06)

  def test_another_warmup_is_another_study(self):
    other = changed(
      self.batches[0], tokens_per_step=7e3, history={'warmup': 500}
    )
    found = fit([*self.batches, other], [])
    self.assertEqual(found.critical_batch.n_batches, len(simulated.BATCHES))

  def test_a_text_read_again_and_again_counts_by_its_best(self):
    again = [
      dataclasses.replace(
        changed(one, text_tokens=one.run.D / 9),
        loss=one.history.best_loss + 1,
      )
      for one in self.sizes
    ]
    one, other = (fit([], runs).L_N for runs in (self.sizes, again))
    np.testing.assert_array_equal(one.y, other.y)


class OtherStudiesTest(absltest.TestCase):
  def test_without_a_study_of_batches(self):
    N, D = np.repeat([1e6, 1e7, 1e8], 3), np.tile([1e8, 1e9, 1e10], 3)
    every = table(N, D, published.KAPLAN.loss(N, D))
    study = fit(every, every)
    found = by_name(study)
    self.assertIsNone(study.at_critical_batch)
    for name in ('critical_batch', 'kaplan_L_Cmin', 'kaplan_L_NS',
                 'kaplan_consistency'):  # fmt: skip
      self.assertEqual(found[name].status, Status.TOO_FEW_POINTS)
      for number in found[name].estimates.values():
        self.assertFalse(number.at().known)
    self.assertEqual(found['kaplan_L_NS'].message, study.without_batch)
    self.assertIsNone(study.consistency.overlap(0.95))

  def test_a_table_carries_laws_of_N_and_D(self):
    N, D = (
      x.ravel()
      for x in np.meshgrid(
        np.geomspace(1e6, 1e8, 4), np.geomspace(1e8, 1e10, 4)
      )
    )
    law = published.KAPLAN
    every = table(N, D, law.loss(N, D))
    found = fit(every, every)
    self.assertTrue(found.L_ND.ok, found.L_ND.message)
    np.testing.assert_allclose(found.L_ND.law.alpha_D, 0.103, rtol=1e-4)
    # Of one D the largest, of one N the largest.
    np.testing.assert_array_equal(np.unique(found.L_N.x), np.unique(N))
    np.testing.assert_allclose(found.L_N.y, law.loss(found.L_N.x, 1e10))
    np.testing.assert_allclose(found.L_D.y, law.loss(1e8, found.L_D.x))
    self.assertEqual(found.frontier.status, Status.TOO_FEW_POINTS)

  def test_three_sizes_state_nothing_beyond_them(self):
    for sizes in (3, 5):
      N = np.geomspace(1e6, 1e8, sizes)
      noise = np.exp(1e-3 * np.random.default_rng(0).normal(size=sizes))
      every = table(N, np.full(sizes, 1e10), 30 * N**-0.1 * noise)
      found = fit(every, every).L_N
      self.assertTrue(found.ok, found.message)
      self.assertEqual(found.bounded, sizes == 3)
      self.assertEqual(len(found.notes), int(sizes == 3))
      self.assertTrue(found.predict(1e7).known)
      self.assertEqual(found.predict(1e9).known, sizes == 5)

  def test_one_run(self):
    every = table(np.array([1e6]), np.array([1e8]), [2.0])
    for law in fit(every, every).laws:
      self.assertEqual(law.status, Status.TOO_FEW_POINTS, law.name)
      self.assertNotEmpty(law.message)

  def test_no_run(self):
    for law in fit([], []).laws:
      self.assertEqual(law.status, Status.TOO_FEW_POINTS, law.name)


if __name__ == '__main__':
  absltest.main()
