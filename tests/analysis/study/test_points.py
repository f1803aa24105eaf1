"""Kaplan's laws of one quantity through points of known laws."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import published
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.runs.points import Points
from scaling_jax.analysis.study import points as points_lib
from tests import shared_data

PF_DAY = 1e15 * 24 * 3600
X = {
  'N': np.geomspace(1e5, 1e9, 8),
  'D': np.geomspace(1e7, 1e11, 8),
  'C': np.geomspace(1e14, 1e21, 8),
  'B_crit': np.linspace(6, 3, 8),
}
# Kaplan et al. 2020, table 5 and eqs. 1.1 to 1.4.
TRUTH = {
  'N': {'N_c': 8.8e13, 'alpha_N': 0.076},
  'D': {'D_c': 5.4e13, 'alpha_D': 0.095},
  'C': {'C_c': 1.6e7, 'alpha_C': 0.057},
  'B_crit': {'B_star': 2e8, 'alpha_B': 0.21},
}


def true(of, x):
  scale, alpha = TRUTH[of].values()
  if of == 'B_crit':
    return scale / x ** (1 / alpha)
  return (scale / (x / PF_DAY if of == 'C' else x)) ** alpha


def points(of, noise=0.0, seed=0, x=None, y=None):
  x = X[of] if x is None else np.asarray(x, float)
  y = true(of, x) if y is None else np.asarray(y, float)
  rng = np.random.default_rng(seed)
  y = y * np.exp(noise * rng.normal(size=len(x)))
  names = tuple(map(str, range(len(x))))
  return Points(of=of, x=x, y=y, names=names, file='a.csv', source='a.csv: N.')


class PointsTest(parameterized.TestCase):
  @parameterized.parameters(*TRUTH)
  def test_exact_points_give_the_law(self, of):
    found = points_lib.fit(points(of))
    self.assertEqual(found.law.status, Status.OK)
    self.assertEqual([*found.law.estimates], [*TRUTH[of]])
    for name, truth in TRUTH[of].items():
      self.assertAlmostEqual(found.law.estimates[name].center / truth, 1, 6)

  @parameterized.parameters(*TRUTH)
  def test_intervals_hold_the_truth(self, of):
    held = dict.fromkeys(TRUTH[of], 0)
    studies = 200
    for seed in range(studies):
      found = points_lib.fit(points(of, 0.02, seed))
      for name, truth in TRUTH[of].items():
        held[name] += bool(found.law.estimates[name].at(0.8).holds(truth))
    # Where chance shows a curve (1 in 100), N_c and its likes are unknown.
    for name, count in held.items():
      self.assertBetween(count / studies, 0.72, 0.88, name)

  @parameterized.parameters(*TRUTH)
  def test_two_points_are_no_law(self, of):
    found = points_lib.fit(points(of, x=X[of][:2]))
    self.assertEqual(found.law.status, Status.TOO_FEW_POINTS)
    for row in found.table().rows:
      self.assertEqual(row[-1], 'too_few_points')
    self.assertIn('3 different', found.table().notes[0])

  @parameterized.parameters(*TRUTH)
  def test_three_points_state_nothing_beyond(self, of):
    found = points_lib.fit(points(of, 1e-3, x=X[of][::3]))
    self.assertEqual(found.law.status, Status.OK)
    scale, exponent = found.law.estimates.values()
    self.assertFalse(np.isfinite(scale.center))
    self.assertTrue(np.isfinite(exponent.center))
    self.assertFalse(found.line.predict(2 * max(found.line.x)).known)

  @parameterized.parameters(*TRUTH)
  def test_points_on_a_curve_state_nothing_beyond(self, of):
    x = X[of]
    floor = 1.5 if of != 'B_crit' else 4e4
    found = points_lib.fit(points(of, 1e-3, y=true(of, x) + floor))
    self.assertEqual(found.law.status, Status.OK)
    self.assertTrue(found.line.curved)
    scale, _ = found.law.estimates.values()
    self.assertFalse(np.isfinite(scale.center))
    self.assertIn('curve', ' '.join(found.table().notes))
    self.assertFalse(found.line.predict(2 * max(found.line.x)).known)
    self.assertTrue(found.line.predict(np.median(found.line.x)).known)

  @parameterized.parameters(*TRUTH)
  def test_noise_shows_no_law(self, of):
    found = points_lib.fit(points(of, 0.3, 1, y=np.full(8, 3e5)))
    self.assertEqual(found.law.status, Status.NOT_IDENTIFIED)
    self.assertEqual(found.fit.status, Status.NOT_IDENTIFIED)

  def test_a_law_that_rises_is_none(self):
    found = points_lib.fit(points('N', 1e-3, y=X['N'] ** 0.1))
    self.assertEqual(found.law.status, Status.NOT_IDENTIFIED)

  def test_a_line_says_that_it_was_tested(self):
    found = points_lib.fit(points('N', 0.01))
    notes = ' '.join(found.table().notes)
    self.assertIn('t-test', notes)
    self.assertIn('no floor', notes)

  def test_data(self):
    found = points_lib.fit(points('C'))
    frame = found.data().to_dataframe()
    self.assertEqual([*frame.columns], ['name', 'C', 'loss'])
    np.testing.assert_array_equal(frame['C'], X['C'])

  def test_kaplan_s_own_constants(self):
    # Of L(N, D), eq. 1.5, where D limits nothing: alpha_N is that of L(N).
    law = published.KAPLAN
    L = law.loss(X['N'], 1e30)
    found = points_lib.fit(points('N', y=L))
    estimates = found.law.estimates
    self.assertAlmostEqual(estimates['alpha_N'].center / law.alpha_N, 1, 3)
    self.assertAlmostEqual(estimates['N_c'].center / law.N_c, 1, 1)


class PublishedTest(absltest.TestCase):
  def test_sizes(self):
    # shehper/scaling_laws states alpha_N 0.0823 and N_c 3.81e13.
    N, L = shared_data.columns(self, 'nanogpt_kaplan_L_N.csv')
    found = points_lib.fit(points('N', x=N, y=L)).law
    alpha, N_c = found.estimates['alpha_N'], found.estimates['N_c']
    self.assertAlmostEqual(alpha.center, 0.0823, delta=2e-4)
    self.assertAlmostEqual(N_c.center / 3.81e13, 1, delta=0.03)
    self.assertTrue(alpha.at().holds(0.0823))

  def test_critical_batch(self):
    L, B = shared_data.columns(self, 'nanogpt_critical_batch.csv')
    found = points_lib.fit(points('B_crit', x=L, y=B))
    self.assertEqual(found.law.status, Status.OK)
    slope = np.polyfit(np.log(L), np.log(B), 1)[0]
    alpha_B = found.law.estimates['alpha_B']
    self.assertAlmostEqual(alpha_B.center, -1 / slope, places=6)
    # Its points lie on a curve, and B* is far beyond them.
    self.assertFalse(np.isfinite(found.law.estimates['B_star'].center))


if __name__ == '__main__':
  absltest.main()
