"""Closed forms against numeric minimization."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax import laws
from scaling_jax import published

LAWS = (
  ('hoffmann', published.HOFFMANN),
  ('besiroglu', published.BESIROGLU),
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
    self.assertEqual(published.HOFFMANN.loss(N, D).shape, (2, 3))
    self.assertEqual(
      published.HOFFMANN.optimum(10**26).N, published.HOFFMANN.optimum(1e26).N
    )


class InteractingTest(parameterized.TestCase):
  KS = ((0.6,), (1.0,), (1.4,))

  def law(self, k, of=published.BESIROGLU):
    return laws.Interacting(*of, k)

  def test_at_one_it_is_chinchilla_s(self):
    N, D = np.geomspace(1e6, 1e12, 7), np.geomspace(1e13, 1e8, 7)
    one, other = self.law(1.0), published.BESIROGLU
    np.testing.assert_allclose(one.loss(N, D), other.loss(N, D), rtol=1e-14)
    np.testing.assert_allclose(
      one.optimum(1e21), other.optimum(1e21), rtol=1e-12
    )
    np.testing.assert_allclose(
      one.compute_for_loss(2.5), other.compute_for_loss(2.5), rtol=1e-9
    )

  @parameterized.parameters(*KS)
  def test_loss_by_hand(self, k):
    E, A, B, alpha, beta = published.HOFFMANN
    N, D = 3e8, 5e10
    model, text = A / N**alpha, B / D**beta
    by_hand = E + (model ** (1 / k) + text ** (1 / k)) ** k
    self.assertAlmostEqual(self.law(k, published.HOFFMANN).loss(N, D), by_hand)

  @parameterized.parameters(*KS)
  def test_optimum_is_the_minimum(self, k):
    law = self.law(k)
    for C in (1e16, 1e20, 5.76e23):
      N, L = numeric_optimum(law.loss, C)
      best = law.optimum(C)
      np.testing.assert_allclose(best.N, N, rtol=1e-6)
      np.testing.assert_allclose(best.L, L, rtol=1e-12)
      np.testing.assert_allclose(6 * best.N * best.D, C, rtol=1e-12)
    ten = law.optimum(10 * C)
    self.assertAlmostEqual(np.log10(ten.N / best.N), law.exponent_N)
    self.assertAlmostEqual(np.log10(ten.D / best.D), law.exponent_D)

  @parameterized.parameters(*KS)
  def test_inverses(self, k):
    law = self.law(k)
    best = law.optimum(np.geomspace(1e15, 1e24, 4))
    np.testing.assert_allclose(law.for_tokens(best.D), best, rtol=1e-9)
    found = law.compute_for_loss(best.L[1])
    np.testing.assert_allclose(found, [x[1] for x in best], rtol=1e-9)
    self.assertEqual(law.compute_for_loss(law.E).C, np.inf)
    D = law.iso_loss(best.L[2], best.N[2])
    np.testing.assert_allclose(D, best.D[2], rtol=1e-9)
    self.assertEqual(law.iso_loss(law.E, best.N[2]), np.inf)
    np.testing.assert_allclose(law.iso_flop(best.C, best.N), best.L, rtol=1e-12)


class CostLineTest(parameterized.TestCase):
  COST = laws.CostLine(-0.8, 1.0)

  @parameterized.named_parameters(*LAWS)
  def test_optimum_is_the_minimum_along_it(self, law):
    C = 1e20
    found = optimize.minimize_scalar(
      lambda log_N: law.loss(
        np.exp(log_N), np.exp(np.log(C) - 0.8 * log_N + 1.0)
      ),
      bounds=(5, 60), method='bounded', options={'xatol': 1e-10},
    )  # fmt: skip
    best = law.optimum(C, self.COST)
    np.testing.assert_allclose(best.N, np.exp(found.x), rtol=1e-6)
    np.testing.assert_allclose(best.L, found.fun, rtol=1e-12)
    np.testing.assert_allclose(self.COST.flops(best.N, best.D), C, rtol=1e-12)
    np.testing.assert_allclose(self.COST.tokens(best.N, C), best.D, rtol=1e-12)
    back = law.for_tokens(best.D, self.COST)
    np.testing.assert_allclose(back, best, rtol=1e-9)
    ten = law.optimum(10 * C, self.COST)
    self.assertAlmostEqual(
      np.log10(ten.N / best.N), law.exponent_along(self.COST.slope)
    )

  def test_of_runs(self):
    N, D = np.meshgrid(np.geomspace(1e5, 1e8, 5), np.geomspace(1e8, 1e10, 3))
    N, D = N.ravel(), D.ravel()
    self.assertEqual(laws.CostLine.of_runs(N, D, 6.02 * N * D), laws.SIX_ND)
    found = laws.CostLine.of_runs(N, D, self.COST.flops(N, D))
    np.testing.assert_allclose(found, self.COST, rtol=1e-9)
    # One size tells no slope: C grows with D alone.
    one = laws.CostLine.of_runs(N[:1].repeat(3), D[:3], 7 * N[0] * D[:3])
    np.testing.assert_allclose(one, (-1.0, -np.log(7)), rtol=1e-9)


class AlongCostLineTest(parameterized.TestCase):
  @parameterized.product(
    law=[law for _, law in LAWS], slope=(-1.0, -0.9), C=(1e18, 1e21)
  )
  def test_numeric_minimum(self, law, slope, C):
    cost = laws.CostLine(slope, -np.log(6) + (slope + 1) * np.log(1e-9))
    at_zero = np.log(C) + cost.intercept
    found = optimize.minimize_scalar(
      lambda log_N: law.loss(np.exp(log_N), np.exp(slope * log_N + at_zero)),
      bounds=(5, 40),
      method='bounded',
      options={'xatol': 1e-9},
    )
    self.assertAlmostEqual(law.log_N_opt(at_zero, slope), found.x, delta=1e-5)
    best = law.optimum(C, cost)
    self.assertAlmostEqual(np.log(best.N), found.x, delta=1e-5)
    np.testing.assert_allclose(best.L, found.fun, rtol=1e-12)
    np.testing.assert_allclose(cost.flops(best.N, best.D), C, rtol=1e-12)
    np.testing.assert_allclose(cost.tokens(best.N, C), best.D, rtol=1e-12)
    back = law.for_tokens(best.D, cost)
    np.testing.assert_allclose(back, best, rtol=1e-9)

  @parameterized.product(law=[law for _, law in LAWS], slope=(-1.0, -0.9))
  def test_exponent_is_its_slope(self, law, slope):
    low, high = (law.log_N_opt(np.log(C) + 2, slope) for C in (1e20, 1e22))
    self.assertAlmostEqual(
      (high - low) / np.log(100), law.exponent_along(slope)
    )
    if slope == -1:
      self.assertAlmostEqual(law.exponent_along(slope), law.exponent_N)

  def test_hoffmann_s_closed_form(self):
    # Eq. 4: N = G (C/6)^a, D = (C/6)^b / G.
    for _, law in LAWS:
      best = law.optimum(1e21)
      G, a, b = law.G, law.exponent_N, law.exponent_D
      np.testing.assert_allclose(best.N, G * (1e21 / 6) ** a, rtol=1e-12)
      np.testing.assert_allclose(best.D, (1e21 / 6) ** b / G, rtol=1e-12)

  def test_a_law_of_arrays(self):
    many = laws.Chinchilla(*np.array([law for _, law in LAWS]).T)
    many.E[1], many.alpha[2] = np.nan, -0.1
    log_N = many.log_N_opt(np.log(1e21 / 6))
    one = published.HOFFMANN.log_N_opt(np.log(1e21 / 6))
    self.assertAlmostEqual(log_N[0], one)
    # A share that rises has no minimum, and no warning is given.
    self.assertSequenceEqual(list(np.isnan(log_N)), [0, 0, 1])


class KaplanTest(absltest.TestCase):
  def test_joint_law(self):
    self.assertAlmostEqual(published.KAPLAN.loss(1e9, 2e11), 2.325, places=3)

  def test_neither_a_floor_nor_a_maximum(self):
    law = published.KAPLAN
    self.assertEqual(law.loss(np.inf, np.inf), 0)
    # A maximum of the two shares would be the larger one alone.
    shares = law.loss(1e9, np.inf), law.loss(np.inf, 2e11)
    self.assertGreater(law.loss(1e9, 2e11), 1.001 * max(shares))

  def test_limits_are_the_single_laws(self):
    law = published.KAPLAN
    np.testing.assert_allclose(
      law.loss(1e9, np.inf), (law.N_c / 1e9) ** law.alpha_N
    )
    np.testing.assert_allclose(
      law.loss(np.inf, 1e9), (law.D_c / 1e9) ** law.alpha_D
    )

  def test_optimum_is_the_minimum(self):
    N, L = numeric_optimum(published.KAPLAN.loss, 1e21)
    best = published.KAPLAN.optimum(1e21)
    np.testing.assert_allclose(best.N, N, rtol=1e-6)
    np.testing.assert_allclose(best.L, L, rtol=1e-12)


class CriticalBatchTest(parameterized.TestCase):
  def test_hyperbola(self):
    law, L, S_min = published.KAPLAN_BATCH, 3.0, 5e3
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
    law = published.KAPLAN_L_NS
    model, steps = (6.5e13 / 1e9) ** 0.077, (2.1e3 / 1e4) ** 0.76
    self.assertAlmostEqual(law.loss(1e9, 1e4), model + steps)

  def test_exponent_of_least_compute(self):
    # Kaplan et al. 2020, eq. 6.5: about 0.054.
    found = laws.alpha_C_min(0.76, 0.21, 0.077)
    self.assertAlmostEqual(found, 0.0525, places=4)
    law, batch = published.KAPLAN_L_NS, published.KAPLAN_BATCH

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
    best = published.KAPLAN.optimum(3.15e23)
    least = published.KAPLAN.compute_for_loss(float(best.L))
    np.testing.assert_allclose(least, best, rtol=1e-9)


if __name__ == '__main__':
  absltest.main()
