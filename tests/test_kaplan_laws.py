"""Kaplan's laws on a simulated study: every one of them is recovered."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import kaplan_laws
from scaling_jax.analysis import points
from scaling_jax.analysis import simulate
from scaling_jax.analysis import study
from scaling_jax.analysis import trained
from scaling_jax.analysis import uncertainty
from tests import kaplan_study
from tests import studies

A = kaplan_study.ALPHA_C
STEPS, BATCH, JOINT = (
  kaplan_study.STEPS, kaplan_study.BATCH, kaplan_study.JOINT
)  # fmt: skip

# name in fits.json -> number -> the truth.
TRUTH = {
  'kaplan_L_ND': JOINT._asdict(),
  'critical_batch': BATCH._asdict(),
  'kaplan_L_Cmin': {'alpha_C': A},
  'kaplan_N_opt_Cmin': {'exponent': A / STEPS.alpha_N},
  'kaplan_B_Cmin': {'exponent': A / BATCH.alpha_B},
  'kaplan_S_Cmin': {'exponent': A / STEPS.alpha_S},
  'kaplan_L_NS': STEPS._asdict(),
  'kaplan_consistency': {'measured': A, 'foretold': A},
}
TOLERANCE = {'kaplan_S_Cmin': 0.5, 'kaplan_L_NS': 0.1}


def logarithm(name: str, number: str, x: float) -> float:
  """Scales are known by their logarithm."""
  return float(np.log(x)) if number.endswith(('_c', '_star')) else x


class TruthTest(parameterized.TestCase):
  @parameterized.parameters(*TRUTH)
  def test_is_recovered_in_full(self, name):
    part = kaplan_study.fits()['laws'][name]
    self.assertEqual(part['status'], 'ok', part['sentence'])
    for number, truth in TRUTH[name].items():
      got = part[number]
      with self.subTest(number):
        ratio = logarithm(name, number, got['value']) / logarithm(
          name, number, truth
        )
        self.assertAlmostEqual(ratio, 1, delta=TOLERANCE.get(name, 0.06))
        self.assertTrue(uncertainty.holds(got, truth), (got, truth))

  def test_exponents_of_one_quantity(self):
    # At these lengths L(N) is all but (N_c/N)^alpha_N, and the text of the
    # largest model tells alpha_D.
    fits = kaplan_study.fits()['laws']
    for name, number, truth in (
      ('kaplan_L_N', 'alpha_N', STEPS.alpha_N),
      ('kaplan_L_D', 'alpha_D', JOINT.alpha_D),
    ):
      part = fits[name]
      self.assertEqual(part['status'], 'ok', part['sentence'])
      self.assertAlmostEqual(part[number]['value'] / truth, 1, delta=0.35)

  def test_by_which_runs(self):
    fits = kaplan_study.fits()
    by_model = {r['N'] for r in fits['runs'] if r['run_id'].startswith('n/')}
    self.assertEqual({N for N, _ in fits['laws']['kaplan_L_N']['points']},
                     by_model)  # fmt: skip
    self.assertLen(fits['laws']['kaplan_L_D']['points'], 4)
    self.assertLen(fits['laws']['kaplan_L_ND']['points'], 12)
    self.assertLen(fits['laws']['kaplan_L_C']['curves'], 7)
    self.assertAlmostEqual(
      fits['laws']['kaplan_L_C']['B'] / kaplan_study.B, 1, delta=1e-3
    )
    counted = [r['run_id'] for r in fits['runs'] if r['counted']]
    self.assertLen(counted, 7)
    self.assertTrue(all(run_id.startswith('n/') for run_id in counted))

  def test_beyond_the_losses_that_B_crit_was_fitted_on(self):
    for name in ('kaplan_L_Cmin', 'kaplan_L_NS', 'kaplan_B_Cmin'):
      notes = kaplan_study.fits()['laws'][name]['notes']
      self.assertLen(notes, 1)
      self.assertRegex(
        notes[0], r'^B_crit\(L\) was fitted on losses from .* extrapolated at'
      )

  def test_compute_is_in_PF_days(self):
    part = kaplan_study.fits()['laws']['kaplan_L_C']
    law = laws.PowerLaw(
      part['C_c']['value'] ** part['alpha_C']['value'],
      -part['alpha_C']['value'],
    )
    for x, L in part['points']:
      self.assertAlmostEqual(law(x) / L, 1, delta=0.01)
    at = part['touches'][1]
    self.assertAlmostEqual(
      part['points'][0][0], at['C'] / laws.FLOPS_PER_PF_DAY
    )


class ChoiceTest(absltest.TestCase):
  """Which runs a law goes through where several kinds are given together."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    every = [
      trained.Trained.of(p) for p in points.read([kaplan_study.folder()]).points
    ]
    cls.sizes = [t for t in every if t.point.run_id.startswith('n/')]
    cls.batches = [t for t in every if t.point.run_id.startswith('batches/')]

  def test_annealed_and_unannealed_runs_make_no_line_together(self):
    warm = [
      t._replace(schedule='cosine', point=t.point._replace(loss=2 * t.best))
      for t in self.sizes[:3]
    ]
    found = kaplan_laws.fit([], [*self.sizes, *warm], draws=studies.DRAWS)
    self.assertLen(found.L_N.x, 7)
    np.testing.assert_allclose(sorted(found.L_N.y, reverse=True), found.L_N.y)

  def test_L_D_is_of_the_largest_model(self):
    N, D = (x.ravel() for x in np.meshgrid([1e6, 1e7, 1e8], [1e8, 1e9, 1e10]))
    # As where every size spends the same budgets: the smallest has most D.
    D = D * 1e8 / N
    made = studies.as_points(
      simulate.Design(6 * N * D, N, D), laws.KAPLAN.loss(N, D)
    )
    every = [trained.Trained.of(p) for p in made]
    found = kaplan_laws.fit(every, every, draws=studies.DRAWS).L_D
    np.testing.assert_allclose(found.y, laws.KAPLAN.loss(1e8, found.x))
    self.assertIn('at 100M parameters', found.sentence)

  def test_batches_are_compared_before_their_annealing(self):
    bent = []
    for t in self.batches:
      half = len(t.losses) // 2
      left = np.arange(1, len(t.losses) - half + 1) / (len(t.losses) - half)
      losses = t.losses.astype(float)
      losses[half:] *= 1 - 0.1 * left
      bent.append(t._replace(
        losses=losses, unannealed=half, schedule='cosine'
      ))  # fmt: skip
    found = kaplan_laws.fit(bent, [], draws=studies.DRAWS).critical
    self.assertTrue(found.ok, found.sentence)
    self.assertAlmostEqual(found.law.alpha_B / BATCH.alpha_B, 1, delta=0.06)

  def test_another_warmup_is_another_study(self):
    other = self.batches[0]._replace(B=7e3, warmup=500)
    found = kaplan_laws.fit([*self.batches, other], [], draws=studies.DRAWS)
    self.assertEqual(found.critical.n_batches, len(kaplan_study.BATCHES))

  def test_a_text_read_again_and_again_counts_by_its_best(self):
    again = [
      t._replace(
        text=t.point.D / 9, best=t.best,
        point=t.point._replace(loss=t.best + 1),
      )
      for t in self.sizes
    ]  # fmt: skip
    one, other = (
      kaplan_laws.fit([], runs, draws=studies.DRAWS).L_N
      for runs in (self.sizes, again)
    )
    np.testing.assert_array_equal(one.y, other.y)


class OtherStudiesTest(parameterized.TestCase):
  def test_without_a_study_of_batches(self):
    found = studies.analyzed().fits['laws']
    self.assertEqual(found['critical_batch']['status'], 'too_few_points')
    for name in ('kaplan_L_Cmin', 'kaplan_L_NS', 'kaplan_consistency'):
      self.assertEqual(found[name]['status'], 'too_few_points')
      self.assertIn('configs/critical_batch.py', found[name]['sentence'])

  def test_a_table_carries_laws_of_N_and_D(self):
    N, D = (
      x.ravel()
      for x in np.meshgrid(
        np.geomspace(1e6, 1e8, 4), np.geomspace(1e8, 1e10, 4)
      )
    )
    design = simulate.Design(6 * N * D, N, D)
    made = studies.as_points(design, laws.KAPLAN.loss(N, D))
    every = [trained.Trained.of(p) for p in made]
    found = kaplan_laws.fit(every, every, draws=studies.DRAWS)
    self.assertTrue(found.L_ND.ok, found.L_ND.sentence)
    np.testing.assert_allclose(found.L_ND.law.alpha_D, 0.103, rtol=1e-4)
    # Of one D the largest, of one N the largest.
    np.testing.assert_array_equal(np.unique(found.L_N.x), np.unique(N))
    np.testing.assert_allclose(found.L_N.y, laws.KAPLAN.loss(found.L_N.x, 1e10))
    np.testing.assert_allclose(found.L_D.y, laws.KAPLAN.loss(1e8, found.L_D.x))
    self.assertIsNone(found.adjusted)
    self.assertEqual(found.frontier.status, 'too_few_points')

  def test_one_run(self):
    source = studies.as_source(
      studies.as_points(studies.design(budgets=(1e14,), models=1), [2.0])
    )
    found = study.analyze(source, study.Settings(draws=studies.DRAWS))['laws']
    for name, part in found.items():
      if name.startswith('kaplan') or name == 'critical_batch':
        self.assertEqual(part['status'], 'too_few_points', name)
        self.assertNotEmpty(part['sentence'])


if __name__ == '__main__':
  absltest.main()
