"""L(N, D) and L(N, S_min), against laws that are known and points published."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve
from tests import shared_data

NS = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
DRAWS = Bootstrap(draws=200)


def grid(law=published.KAPLAN, noise=0.0, seed=0):
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
    curves.append(LossCurve(f'{N:g}', float(N), 6 * N * S, S, L))
  return curves, [S] * sizes


def held(found, law, level=0.95) -> list[bool]:
  ends = found.conf_int(level)
  return [ends[name].holds(truth) for name, truth in law._asdict().items()]


class JointTest(parameterized.TestCase):
  @parameterized.parameters(
    (published.KAPLAN,),
    (laws.Kaplan(1.35e14, 1.28e12, 0.0762, 0.1221),),
    (laws.Kaplan(2e9, 6e5, 0.034, 0.12),),
  )
  def test_exact(self, law):
    found = kaplan.fit_ND(*grid(law), bootstrap=DRAWS)
    self.assertTrue(found.ok, found.message)
    np.testing.assert_allclose(np.log(found.law), np.log(law), rtol=1e-6)
    self.assertLess(found.diagnostics.gradient_norm, 1e-5)
    self.assertGreaterEqual(found.diagnostics.n_agree, 3)

  def test_intervals_hold_the_truth(self):
    inside = [
      held(
        kaplan.fit_ND(
          *grid(noise=0.01, seed=s), bootstrap=Bootstrap(draws=200, seed=s)
        ),
        published.KAPLAN,
      )
      for s in range(25)
    ]
    self.assertGreaterEqual(np.mean(inside, axis=0).min(), 0.84)

  def test_published(self):
    N, D, L = shared_data.columns(self, 'nanogpt_kaplan_L_ND.csv')
    found = kaplan.fit_ND(N, D, L, bootstrap=Bootstrap(draws=2000))
    self.assertAlmostEqual(found.law.alpha_N, 0.0762, delta=5e-5)
    self.assertAlmostEqual(found.law.alpha_D, 0.1221, delta=5e-5)
    self.assertAlmostEqual(found.law.N_c / 1.35e14, 1, delta=0.005)
    self.assertAlmostEqual(found.law.D_c / 1.28e12, 1, delta=0.01)
    # One standard error of D_c is a factor of about five, and says so.
    sd = np.std(np.log(found.draws.D_c))
    self.assertBetween(np.exp(sd), 4, 9)
    self.assertBetween(np.std(np.log(found.draws.N_c)), 0.1, 0.5)

  def test_its_own_optimum_by_search(self):
    law, C = published.KAPLAN, 1e21
    N = np.geomspace(1e8, 1e12, 200_001)
    best = N[np.argmin(law.loss(N, C / 6 / N))]
    self.assertAlmostEqual(law.optimum(C).N / best, 1, delta=1e-3)


class AnyLevelTest(parameterized.TestCase):
  """Draws hold the truth as often as any level states."""

  @pytest.mark.slow
  def test_shares(self):
    levels = (0.5, 0.8, 0.95, 0.99)
    inside = {level: [] for level in levels}
    for seed in range(60):
      how = Bootstrap(draws=200, seed=seed)
      for found, law in (
        (kaplan.fit_ND(*grid(noise=0.01, seed=seed), bootstrap=how),
         published.KAPLAN),
        (kaplan.fit_NS(*training(0.01, seed), bootstrap=how), NS),
      ):  # fmt: skip
        for level in levels:
          inside[level] += held(found, law, level)
    # Eight numbers of a study go together: 60 studies, about 120 coins.
    for level, tolerance in zip(levels, (0.14, 0.11, 0.06, 0.04)):
      self.assertAlmostEqual(np.mean(inside[level]), level, delta=tolerance)


class PredictTest(absltest.TestCase):
  def test_shapes_and_values(self):
    N, D, L = grid(noise=0.01)
    found = kaplan.fit_ND(N, D, L, bootstrap=DRAWS)
    at = found.predict(N.reshape(5, 4), D.reshape(5, 4))
    np.testing.assert_allclose(at.value, found.law.loss(N, D).reshape(5, 4))
    self.assertEqual(at.low.shape, (5, 4))
    self.assertTrue(np.all((at.low < at.value) & (at.value < at.high)))
    one = found.predict(N[0], D[0])
    self.assertEqual((at.low[0, 0], at.high[0, 0]), (one.low, one.high))

  def test_without_draws(self):
    found = kaplan.fit_ND(*grid(noise=0.01), bootstrap=Bootstrap(draws=0))
    self.assertTrue(found.ok, found.message)
    self.assertFalse(found.conf_int()['alpha_N'].known)
    self.assertTrue(np.isfinite(found.params['alpha_N']))


class RefusalTest(parameterized.TestCase):
  def test_too_few(self):
    N, D, L = (x[:4] for x in grid())
    found = kaplan.fit_ND(N, D, L)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)

  @parameterized.parameters('N', 'D')
  def test_one_of_a_kind(self, name):
    N, D, _ = grid()
    N, D = (N * 0 + 1e6, D) if name == 'N' else (N, D * 0 + 1e9)
    found = kaplan.fit_ND(N, D, published.KAPLAN.loss(N, D))
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)

  def test_along_a_line(self):
    N = np.geomspace(1e6, 1e9, 8)
    found = kaplan.fit_ND(N, 20 * N, published.KAPLAN.loss(N, 20 * N))
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)

  def test_another_shape(self):
    # With a floor and a steep share of D no exponent is enough.
    N, D, _ = grid()
    L = 1.3 + 10 * N**-0.3 + 2e3 * D**-0.4
    found = kaplan.fit_ND(N, D, L)
    self.assertNotEqual(found.status, Status.OK)
    self.assertIsNone(found.point)
    self.assertTrue(np.isnan(found.params['alpha_N']))

  def test_a_loss_that_rises(self):
    N, D, L = grid()
    found = kaplan.fit_ND(N, D, L[::-1].copy())
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)

  def test_noise_without_a_law(self):
    rng = np.random.default_rng(0)
    N, D, _ = grid()
    found = kaplan.fit_ND(
      N, D, 3 + 0.1 * rng.normal(size=N.size), bootstrap=DRAWS
    )
    self.assertNotEqual(found.status, Status.OK)


class StepsTest(parameterized.TestCase):
  def test_exact(self):
    found = kaplan.fit_NS(*training(), bootstrap=DRAWS)
    self.assertTrue(found.ok, found.message)
    # Points between those of a curve are interpolated.
    np.testing.assert_allclose(np.log(found.law), np.log(NS), rtol=2e-3)

  def test_intervals_hold_the_truth(self):
    inside = [
      held(
        kaplan.fit_NS(
          *training(0.01, s), bootstrap=Bootstrap(draws=200, seed=s)
        ),
        NS,
      )
      for s in range(25)
    ]
    self.assertGreaterEqual(np.mean(inside, axis=0).min(), 0.84)

  def test_what_S_min_may_have_been_counts(self):
    curves, steps = training(0.003)
    one = kaplan.fit_NS(curves, steps, bootstrap=DRAWS)
    # Every S_min twice as large or half: S_c goes with it, and alpha_S not.
    scale = np.exp(np.random.default_rng(0).normal(0, 0.7, (200, 1)))
    other = kaplan.fit_NS(
      curves, steps, bootstrap=DRAWS, steps_drawn=[scale * S for S in steps]
    )
    widths = [np.std(np.log(x.draws.S_c)) for x in (one, other)]
    self.assertAlmostEqual(np.hypot(widths[0], 0.7) / widths[1], 1, delta=0.1)
    same = [np.std(x.draws.alpha_S) for x in (one, other)]
    self.assertAlmostEqual(same[1] / same[0], 1, delta=0.1)

  def test_too_few_sizes(self):
    found = kaplan.fit_NS(*training(sizes=3))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)


if __name__ == '__main__':
  absltest.main()
