"""Closed forms against numeric minimization and published numbers."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax import laws

LAWS = (
  ('hoffmann', laws.HOFFMANN),
  ('besiroglu', laws.BESIROGLU),
  ('lopsided', laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55)),
)


def numeric_optimum(loss, C):
  """N and L by a bounded search over log N, without any closed form."""
  found = optimize.minimize_scalar(
    lambda log_N: loss(np.exp(log_N), C / 6 / np.exp(log_N)),
    bounds=(5, 40),
    method='bounded',
    options={'xatol': 1e-10},
  )
  return np.exp(found.x), found.fun


class ChinchillaTest(parameterized.TestCase):
  def test_chinchilla_s_budget(self):
    best = laws.HOFFMANN.optimum(5.76e23)
    self.assertAlmostEqual(best.N / 1e9, 32.19, places=2)
    self.assertAlmostEqual(best.D / 1e12, 2.982, places=3)
    self.assertAlmostEqual(best.L, 1.93075, places=5)
    self.assertAlmostEqual(best.tokens_per_param, 92.6, places=1)

  @parameterized.named_parameters(*LAWS)
  def test_optimum_is_the_minimum(self, law):
    for C in (1e15, 1e20, 5.76e23):
      N, L = numeric_optimum(law.loss, C)
      best = law.optimum(C)
      np.testing.assert_allclose(best.N, N, rtol=1e-6)
      np.testing.assert_allclose(best.L, L, rtol=1e-12)
      np.testing.assert_allclose(6 * best.N * best.D, C, rtol=1e-12)

  @parameterized.named_parameters(*LAWS)
  def test_for_tokens_is_the_optimum_s_inverse(self, law):
    best = law.optimum(np.geomspace(1e15, 1e24, 4))
    back = law.for_tokens(best.D)
    for one, other in zip(best, back):
      np.testing.assert_allclose(one, other, rtol=1e-10)

  @parameterized.named_parameters(*LAWS)
  def test_exponents_are_the_frontier_s_slope(self, law):
    one, ten = law.optimum(1e20), law.optimum(1e21)
    self.assertAlmostEqual(np.log10(ten.N / one.N), law.exponent_N)
    self.assertAlmostEqual(np.log10(ten.D / one.D), law.exponent_D)
    self.assertAlmostEqual(law.exponent_N + law.exponent_D, 1)

  @parameterized.named_parameters(*LAWS)
  def test_iso_curves_lie_on_the_surface(self, law):
    N = np.geomspace(1e7, 1e12, 9)
    np.testing.assert_allclose(
      law.iso_flop(1e21, N), law.loss(N, 1e21 / 6 / N), rtol=1e-14
    )
    L = law.optimum(1e21).L + 0.1
    D = law.iso_loss(L, N)
    reached = np.isfinite(D)
    self.assertTrue(reached.any() and not reached.all())
    np.testing.assert_allclose(law.loss(N[reached], D[reached]), L, rtol=1e-12)
    # Where no data suffice, not even endless data do.
    self.assertTrue(np.all(law.loss(N[~reached], np.inf) >= L))

  @parameterized.named_parameters(*LAWS)
  def test_least_compute_for_a_loss(self, law):
    best = law.optimum(3e20)
    found = law.compute_for_loss(best.L)
    np.testing.assert_allclose(found.C, 3e20, rtol=1e-9)
    np.testing.assert_allclose(found.N, best.N, rtol=1e-9)
    self.assertEqual(law.compute_for_loss(law.E).C, np.inf)

  def test_arrays_broadcast_and_integers_do_not_overflow(self):
    N = np.array([[10**6], [10**9]])
    D = np.array([10**9, 10**12, 10**15])
    self.assertEqual(laws.HOFFMANN.loss(N, D).shape, (2, 3))
    self.assertEqual(
      laws.HOFFMANN.optimum(10**26).N, laws.HOFFMANN.optimum(1e26).N
    )


class KaplanTest(absltest.TestCase):
  def test_joint_law(self):
    self.assertAlmostEqual(laws.KAPLAN.loss(1e9, 2e11), 2.325, places=3)

  def test_neither_a_floor_nor_a_maximum(self):
    law = laws.KAPLAN
    self.assertEqual(law.loss(np.inf, np.inf), 0)
    # A maximum of the two shares would be the larger one alone.
    shares = law.loss(1e9, np.inf), law.loss(np.inf, 2e11)
    self.assertGreater(law.loss(1e9, 2e11), 1.001 * max(shares))

  def test_limits_are_the_single_laws(self):
    law = laws.KAPLAN
    np.testing.assert_allclose(
      law.loss(1e9, np.inf), (law.N_c / 1e9) ** law.alpha_N
    )
    np.testing.assert_allclose(
      law.loss(np.inf, 1e9), (law.D_c / 1e9) ** law.alpha_D
    )

  def test_optimum_is_the_minimum(self):
    N, L = numeric_optimum(laws.KAPLAN.loss, 1e21)
    best = laws.KAPLAN.optimum(1e21)
    np.testing.assert_allclose(best.N, N, rtol=1e-6)
    np.testing.assert_allclose(best.L, L, rtol=1e-12)

  def test_single_laws(self):
    # GPT-3's 174e9 parameters and 3.64e3 PF-days; L(x_c) is 1 by definition.
    self.assertAlmostEqual(laws.KAPLAN_L_N(8.8e13), 1)
    self.assertAlmostEqual(laws.KAPLAN_L_D(5.4e13), 1)
    self.assertAlmostEqual(laws.KAPLAN_L_CMIN(3.1e8), 1)
    self.assertAlmostEqual(laws.KAPLAN_L_C(1.6e7), 1)
    self.assertAlmostEqual(laws.KAPLAN_N_OPT(1.0), 1.3e9)
    self.assertEqual(laws.FLOPS_PER_PF_DAY, 8.64e19)


class CriticalBatchTest(parameterized.TestCase):
  def test_hyperbola(self):
    law, L, S_min = laws.KAPLAN_BATCH, 3.0, 5e3
    B_crit = law.tokens(L)
    self.assertAlmostEqual(B_crit, 2.1e8 / 3 ** (1 / 0.21))
    E_min = B_crit * S_min
    for B in np.geomspace(1e-2, 1e2, 9) * B_crit:
      S = S_min * (1 + B_crit / B)
      self.assertAlmostEqual((S / S_min - 1) * (B * S / E_min - 1), 1)
      self.assertAlmostEqual(law.S_min(S, B, L), S_min)
      # C_min is what E_min tokens cost.
      self.assertAlmostEqual(law.C_min(6e9 * B * S, B, L) / (6e9 * E_min), 1)

  def test_steps(self):
    law = laws.KAPLAN_L_NS
    model, steps = (6.5e13 / 1e9) ** 0.077, (2.1e3 / 1e4) ** 0.76
    self.assertAlmostEqual(law.loss(1e9, 1e4), model + steps)

  def test_exponent_of_least_compute(self):
    # Kaplan et al. 2020, eq. 6.5: about 0.054.
    found = laws.alpha_C_min(0.76, 0.21, 0.077)
    self.assertAlmostEqual(found, 0.0525, places=4)
    law, batch = laws.KAPLAN_L_NS, laws.KAPLAN_BATCH

    # The least C_min for a loss, searched numerically, falls with it so.
    def least(L):
      N = np.geomspace(1e3, 1e14, 400_001)
      left = L - (law.N_c / N) ** law.alpha_N
      with np.errstate(divide='ignore', invalid='ignore'):
        S = law.S_c * left ** (-1 / law.alpha_S)
      C = np.where(left > 0, 6 * N * batch.tokens(L) * S, np.inf)
      return np.nanmin(C)

    slope = np.log(least(2.0) / least(4.0)) / np.log(4.0 / 2.0)
    self.assertAlmostEqual(
      1 / slope,
      laws.alpha_C_min(law.alpha_S, batch.alpha_B, law.alpha_N),
      places=5,
    )


class KaplanPlansTest(absltest.TestCase):
  def test_least_compute_for_a_loss(self):
    best = laws.KAPLAN.optimum(3.15e23)
    least = laws.KAPLAN.compute_for_loss(float(best.L))
    np.testing.assert_allclose(least, best, rtol=1e-9)

  def test_tokens_without_overfitting(self):
    # The paper's own reading: sqrt(5e3 ...) aside, N = 1e9 needs 2.3e10.
    self.assertAlmostEqual(laws.KAPLAN_TOKENS(1e9) / 1e10, 2.288, places=2)


if __name__ == '__main__':
  absltest.main()
