"""L(N, D) and L(N, S_min), against laws that are known and points published."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import kaplan
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.envelope import TrainingCurve
from tests import shared_data

NS = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
DRAWS = 200


def grid(law=laws.KAPLAN, noise=0.0, seed=0):
  N, D = (
    x.ravel()
    for x in np.meshgrid(np.geomspace(1e6, 1e8, 4), np.geomspace(1e7, 1e10, 5))
  )
  rng = np.random.default_rng(seed)
  return N, D, law.loss(N, D) + noise * rng.normal(size=N.size)


def training(noise=0.0, seed=0, sizes=7):
  """Curves, and S_min at their points; a run's noise moves all of it."""
  rng = np.random.default_rng(seed)
  S = np.geomspace(50, 3e4, 120)
  curves = []
  for N in np.geomspace(1e5, 1e8, sizes):
    L = NS.loss(N, S) * np.exp(
      noise * (rng.normal() + 0.3 * rng.normal(size=120))
    )
    curves.append(TrainingCurve(f'{N:g}', float(N), 6 * N * S, S, L))
  return curves, [S] * sizes


def held(found, law) -> list[bool]:
  return [
    bool(uncertainty.holds(uncertainty.estimate(value, drawn, 0.95), truth))
    for value, drawn, truth in zip(found.law, found.draws, law)
  ]


class JointTest(parameterized.TestCase):
  @parameterized.parameters(
    (laws.KAPLAN,),
    (laws.Kaplan(1.35e14, 1.28e12, 0.0762, 0.1221),),
    (laws.Kaplan(2e9, 6e5, 0.034, 0.12),),
  )
  def test_exact(self, law):
    found = kaplan.fit_ND(*grid(law), draws=DRAWS)
    self.assertTrue(found.ok, found.sentence)
    np.testing.assert_allclose(np.log(found.law), np.log(law), rtol=1e-6)
    self.assertLess(found.fit.gradient_norm, 1e-5)
    self.assertGreaterEqual(found.fit.n_agree, 3)

  def test_intervals_hold_the_truth(self):
    inside = [
      held(kaplan.fit_ND(*grid(noise=0.01, seed=s), DRAWS, s), laws.KAPLAN)
      for s in range(25)
    ]
    self.assertGreaterEqual(np.mean(inside, axis=0).min(), 0.84)

  def test_published(self):
    N, D, L = shared_data.columns(self, 'nanogpt_kaplan_L_ND.csv')
    found = kaplan.fit_ND(N, D, L, draws=2000)
    self.assertAlmostEqual(found.law.alpha_N, 0.0762, delta=5e-5)
    self.assertAlmostEqual(found.law.alpha_D, 0.1221, delta=5e-5)
    self.assertAlmostEqual(found.law.N_c / 1.35e14, 1, delta=0.005)
    self.assertAlmostEqual(found.law.D_c / 1.28e12, 1, delta=0.01)
    # One standard error of D_c is a factor of about five, and says so.
    sd = np.std(np.log(found.draws.D_c))
    self.assertBetween(np.exp(sd), 4, 9)
    self.assertBetween(np.std(np.log(found.draws.N_c)), 0.1, 0.5)

  def test_its_own_optimum_by_search(self):
    law, C = laws.KAPLAN, 1e21
    N = np.geomspace(1e8, 1e12, 200_001)
    best = N[np.argmin(law.loss(N, C / 6 / N))]
    self.assertAlmostEqual(law.optimum(C).N / best, 1, delta=1e-3)


class RefusalTest(parameterized.TestCase):
  def test_too_few(self):
    N, D, L = (x[:4] for x in grid())
    found = kaplan.fit_ND(N, D, L)
    self.assertEqual(found.status, 'too_few_points')
    self.assertEqual(
      found.sentence,
      '4 runs cannot carry four parameters and judge them: 5 are needed',
    )

  @parameterized.parameters('N', 'D')
  def test_one_of_a_kind(self, name):
    N, D, _ = grid()
    N, D = (N * 0 + 1e6, D) if name == 'N' else (N, D * 0 + 1e9)
    found = kaplan.fit_ND(N, D, laws.KAPLAN.loss(N, D))
    self.assertEqual(found.status, 'not_identified')
    self.assertIn(f'share one {name}', found.sentence)

  def test_along_a_line(self):
    N = np.geomspace(1e6, 1e9, 8)
    found = kaplan.fit_ND(N, 20 * N, laws.KAPLAN.loss(N, 20 * N))
    self.assertEqual(found.status, 'not_identified')
    self.assertIn('move together', found.sentence)

  def test_another_shape(self):
    # With a floor and a steep share of D no exponent is enough.
    N, D, _ = grid()
    L = 1.3 + 10 * N**-0.3 + 2e3 * D**-0.4
    found = kaplan.fit_ND(N, D, L)
    self.assertNotEqual(found.status, 'ok')
    self.assertIsNone(found.law)

  def test_a_loss_that_rises(self):
    N, D, L = grid()
    found = kaplan.fit_ND(N, D, L[::-1].copy())
    self.assertEqual(found.status, 'not_identified')

  def test_noise_without_a_law(self):
    rng = np.random.default_rng(0)
    N, D, _ = grid()
    found = kaplan.fit_ND(N, D, 3 + 0.1 * rng.normal(size=N.size), DRAWS)
    self.assertNotEqual(found.status, 'ok')


class StepsTest(parameterized.TestCase):
  def test_exact(self):
    found = kaplan.fit_NS(*training(), draws=DRAWS)
    self.assertTrue(found.ok, found.sentence)
    # Points between those of a curve are interpolated.
    np.testing.assert_allclose(np.log(found.law), np.log(NS), rtol=2e-3)

  def test_intervals_hold_the_truth(self):
    inside = [
      held(kaplan.fit_NS(*training(0.01, s), DRAWS, s), NS) for s in range(25)
    ]
    self.assertGreaterEqual(np.mean(inside, axis=0).min(), 0.84)

  def test_what_S_min_may_have_been_counts(self):
    curves, steps = training(0.003)
    one = kaplan.fit_NS(curves, steps, DRAWS)
    # Every S_min twice as large or half: S_c goes with it, and alpha_S not.
    scale = np.exp(np.random.default_rng(0).normal(0, 0.7, (DRAWS, 1)))
    other = kaplan.fit_NS(
      curves, steps, DRAWS, steps_drawn=[scale * S for S in steps]
    )
    widths = [np.std(np.log(x.draws.S_c)) for x in (one, other)]
    self.assertAlmostEqual(np.hypot(widths[0], 0.7) / widths[1], 1, delta=0.1)
    same = [np.std(x.draws.alpha_S) for x in (one, other)]
    self.assertAlmostEqual(same[1] / same[0], 1, delta=0.1)

  def test_too_few_sizes(self):
    found = kaplan.fit_NS(*training(sizes=3))
    self.assertEqual(found.status, 'too_few_points')
    self.assertIn(
      'of 4 sizes at one batch size, and there are 3', found.sentence
    )


if __name__ == '__main__':
  absltest.main()
