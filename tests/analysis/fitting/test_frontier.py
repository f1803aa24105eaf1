"""The hull of simulated curves, against the frontier in closed form."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import frontier
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve

LAW = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
# min over N of L(N, S) at C = 6 N B S: both shares fall as one power of C.
ALPHA_C = 1 / (1 / LAW.alpha_N + 1 / LAW.alpha_S)
B = 1e5


def curves(N, steps=(1e2, 1e6), points=300, noise=0.0, seed=0):
  rng = np.random.default_rng(seed)
  out = []
  for i, n in enumerate(N):
    S = np.geomspace(*steps, points)
    L = LAW.loss(n, S) * np.exp(noise * rng.normal())
    out.append(LossCurve(f'run{i}', float(n), 6 * n * B * S, B * S, L))
  return out


SIZES = np.geomspace(1e5, 1e8, 7)


class FrontierTest(parameterized.TestCase):
  @parameterized.parameters(5, 7, 15)
  def test_the_law_in_closed_form(self, models):
    found = frontier.unjudged(curves(np.geomspace(1e5, 1e8, models)))
    self.assertTrue(found.ok, found.message)
    self.assertLen(found.inner, models - 2)
    self.assertAlmostEqual(
      -found.L_fit.params['exponent'] / ALPHA_C, 1, delta=0.02
    )
    a = ALPHA_C / LAW.alpha_N
    self.assertAlmostEqual(found.N_fit.params['exponent'] / a, 1, delta=0.02)

  def test_a_model_touches_about_its_best(self):
    for touch in frontier.unjudged(curves(SIZES)).inner:
      # There alpha_N (N_c/N)^alpha_N = alpha_S (S_c/S)^alpha_S.
      model = (LAW.N_c / touch.N) ** LAW.alpha_N
      share = LAW.alpha_N / LAW.alpha_S * model
      S = LAW.S_c * share ** (-1 / LAW.alpha_S)
      self.assertAlmostEqual(
        np.log(touch.C / (6 * touch.N * B * S)), 0, delta=0.25
      )
      self.assertLess(touch.low, touch.C)
      self.assertLess(touch.C, touch.high)

  def test_the_hull_lies_below_every_curve(self):
    made = curves(SIZES, noise=0.01)
    found = frontier.unjudged(made)
    for curve in made:
      inside = (curve.C >= found.C[0]) & (curve.C <= found.C[-1])
      hull = np.interp(
        np.log(curve.C[inside]), np.log(found.C), np.log(found.L)
      )
      self.assertTrue(np.all(np.log(curve.L[inside]) >= hull - 1e-4))
    self.assertTrue(np.all(np.diff(found.L) <= 0))

  @parameterized.parameters(0.002, 0.01)
  def test_intervals_hold_the_truth(self, noise):
    held, n = np.zeros(2), 0
    for seed in range(60):
      found = frontier.unjudged(
        curves(SIZES, noise=noise, seed=seed),
        bootstrap=Bootstrap(draws=1000, seed=seed),
      )
      if not found.ok:
        continue
      n += 1
      ends = found.conf_int()
      held += [
        ends['alpha_C'].holds(ALPHA_C),
        ends['exponent_N'].holds(ALPHA_C / LAW.alpha_N),
      ]
    self.assertGreater(n, 50)
    self.assertGreaterEqual(held.min() / n, 0.85)


class SlopeTest(absltest.TestCase):
  def test_exponents_that_may_be_none_are_none(self):
    open_, judged = 0, 0
    for seed in range(20):
      found = frontier.fit(
        curves(SIZES, noise=0.05, seed=seed),
        bootstrap=Bootstrap(draws=1000, seed=seed),
      )
      if not found.ok:
        continue
      open_ += found.conf_int()['exponent_N'].low <= 0
      judged += found.N_fit.status == Status.NOT_IDENTIFIED
    self.assertEqual(open_, judged)
    self.assertGreater(judged, 0)


class WindowTest(parameterized.TestCase):
  def test_a_curve_that_ends_on_the_hull_has_no_best(self):
    made = curves(SIZES)
    whole = frontier.unjudged(made)
    at = whole.inner[2]
    cut = [
      dataclasses.replace(
        c, **{name: getattr(c, name)[c.C < at.C] for name in 'CDL'}
      )
      if c.N == at.N
      else c
      for c in made
    ]
    found = frontier.unjudged(cut)
    self.assertIn(at.N, [t.N for t in found.touches])
    self.assertNotIn(at.N, [t.N for t in found.inner])

  def test_curves_above_the_hull_change_nothing(self):
    made = curves(SIZES)
    one = frontier.unjudged(made)
    lifted = [dataclasses.replace(c, L=1.1 * c.L) for c in made]
    other = frontier.unjudged([*lifted, *made])
    self.assertEqual(one.params, other.params)

  @parameterized.parameters(0, 1, 2, 4)
  def test_too_few(self, models):
    found = frontier.unjudged(curves(np.geomspace(1e5, 1e7, models)))
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertLen(found.inner, max(models - 2, 0))
    self.assertTrue(np.isnan(found.params['alpha_C']))


if __name__ == '__main__':
  absltest.main()
