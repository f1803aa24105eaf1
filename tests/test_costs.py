"""What compute buys, against minima by brute force and closed forms."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax import costs
from scaling_jax import laws
from scaling_jax import published

LAW = published.BESIROGLU
MIXED = laws.Interacting(*LAW, k=0.7)
# Attention and head that fade with N; experts; embeddings that N counts.
CURVES = (
  ('attention', costs.CostCurve(np.log(1e8), np.log(10.0), 0.15, 0.4)),
  ('head', costs.CostCurve(np.log(1e7), np.log(30.0), 0.5, 0.7)),
  ('embeddings', costs.CostCurve(np.log(1e8), np.log(4.0), -0.2, 0.9)),
  ('fast', costs.CostCurve(np.log(1e8), np.log(4.0), -0.4, 2.0)),
  ('a line', costs.CostCurve(np.log(1e8), np.log(10.0), 0.1, 0.1)),
  ('experts', costs.CostCurve(np.log(1e8), np.log(0.75), 0.0, 0.5)),
)  # fmt: skip


def by_brute_force(law, cost, C):
  """log N of the least loss, by a search over a grid and then in its cell."""
  x = np.linspace(2, 50, 4001)
  i = int(np.argmin(law.loss(np.exp(x), cost.tokens(np.exp(x), C))))
  return optimize.minimize_scalar(
    lambda x: law.loss(np.exp(x), cost.tokens(np.exp(x), C)),
    bounds=(x[i - 1], x[i + 1]), method='bounded', options={'xatol': 1e-10},
  )  # fmt: skip


class CostCurveTest(parameterized.TestCase):
  @parameterized.named_parameters(*CURVES)
  def test_optimum_is_the_minimum_along_it(self, cost):
    for law in (LAW, MIXED):
      for C in (1e15, 1e19, 1e23):
        best, found = law.optimum(C, cost), by_brute_force(law, cost, C)
        self.assertAlmostEqual(np.log(best.N), found.x, delta=1e-5)
        np.testing.assert_allclose(best.L, found.fun, rtol=1e-12)
        np.testing.assert_allclose(cost.flops(best.N, best.D), C, rtol=1e-12)

  @parameterized.named_parameters(*CURVES)
  def test_inverses(self, cost):
    # While N outgrows its embeddings more compute may want fewer tokens: then
    # there is no one C to a D.
    C = np.geomspace(1e20 if cost.rate > 1 else 1e16, 1e24, 9)
    best = LAW.optimum(C, cost)
    np.testing.assert_allclose(cost.params(C, best.D), best.N, rtol=1e-9)
    np.testing.assert_allclose(cost.tokens(best.N, C), best.D, rtol=1e-9)
    back = LAW.for_tokens(best.D, cost)
    for one, other in zip(back, best):
      np.testing.assert_allclose(one, other, rtol=1e-7)

  @parameterized.named_parameters(*CURVES)
  def test_exponent_is_the_slope_of_its_optima(self, cost):
    for C in (1e17, 1e21):
      low, high = (LAW.optimum(C * x, cost).N for x in (0.999, 1.001))
      slope = np.log(high / low) / np.log(1.001 / 0.999)
      self.assertAlmostEqual(LAW.exponent_at(C, cost), slope, places=5)

  @parameterized.named_parameters(*CURVES)
  def test_growth_is_a_derivative(self, cost):
    x, h = np.linspace(10, 30, 11), 1e-5
    t, bend = cost.growth(x)
    self.assertTrue((np.asarray(t) > 0).all())
    by_hand = 1 + (cost.log_k(x + h) - cost.log_k(x - h)) / (2 * h)
    np.testing.assert_allclose(t, by_hand, atol=1e-8)
    by_hand = (cost.growth(x + h)[0] - cost.growth(x - h)[0]) / (2 * h)
    np.testing.assert_allclose(bend, by_hand, atol=1e-8)

  def test_a_sum_of_powers(self):
    # 6 + b N^-q, whatever the center.
    center, q, b = np.log(3e8), 0.4, 900.0
    k = 6 + b * np.exp(-q * center)
    cost = costs.CostCurve(center, np.log(k), q * (k - 6) / k, q)
    N = np.geomspace(1e5, 1e13, 17)
    np.testing.assert_allclose(cost.flops(N, 2.0), (6 + b * N**-q) * N * 2)

  def test_at_its_limits_it_is_a_line(self):
    for fall in (0.1, -0.1):
      cost = costs.CostCurve(np.log(1e8), np.log(9.0), fall, abs(fall))
      slope = fall - 1
      line = costs.CostLine(slope, -np.log(9) - fall * np.log(1e8))
      for C in (1e18, 1e22):
        np.testing.assert_allclose(
          LAW.optimum(C, cost), LAW.optimum(C, line), rtol=1e-9
        )
      self.assertAlmostEqual(
        LAW.exponent_at(1e20, cost), LAW.exponent_along(slope)
      )
    six = costs.CostCurve(0.0, np.log(6), 0.0, 0.7)
    np.testing.assert_allclose(
      LAW.optimum(1e21, six), LAW.optimum(1e21), rtol=1e-9
    )

  def test_draws_are_one_by_one(self):
    many = costs.CostCurve(18.0, *np.array([x[1:] for _, x in CURVES]).T)
    law = laws.Chinchilla(*(np.full(len(CURVES), x) for x in LAW))
    law.alpha[1] = np.nan
    C = np.array([1e18, 1e22])
    columns = laws.Chinchilla(*(x[:, None] for x in law))
    best = columns.optimum(C, many.columns(1))
    self.assertEqual(np.shape(best.N), (len(CURVES), 2))
    for i in range(len(CURVES)):
      one = LAW.optimum(C, many._replace(**{
        name: getattr(many, name)[i] for name in ('level', 'fall', 'rate')
      }))  # fmt: skip
      expected = one.N * np.nan if i == 1 else one.N
      np.testing.assert_allclose(best.N[i], expected, rtol=1e-9)

  def test_laws_without_a_minimum(self):
    cost = CURVES[0][1]
    for law in (LAW._replace(A=np.inf), LAW._replace(beta=np.nan)):
      self.assertTrue(np.isnan(law.optimum(1e20, cost).N))

  def test_costs_nothing_where_C_does_not_grow(self):
    # All of k fades as 1 / N: C does not depend on N, and N has no end.
    cost = costs.CostCurve(0.0, 0.0, 1.0, 1.0)
    self.assertTrue(np.isnan(LAW.optimum(1e20, cost).N))


class CostLineTest(absltest.TestCase):
  N, D = np.geomspace(1e6, 1e9, 7), np.full(7, 1e10)

  def test_exact(self):
    N, D = self.N, self.D
    off = 1 + 0.005 * np.sin(np.arange(7))
    six, half = 6 * N * D * off, 0.75 * N * D * off
    self.assertEqual(costs.CostLine.exact(N, D, six), costs.SIX_ND)
    found = costs.CostLine.exact(N, D, half)
    self.assertEqual(found.slope, -1)
    self.assertAlmostEqual(np.exp(-found.intercept), 0.75, delta=0.004)
    line = costs.CostLine(-0.8, 1.0)
    found = costs.CostLine.exact(N, D, line.flops(N, D))
    np.testing.assert_allclose(found, line, rtol=1e-9)
    curve = CURVES[0][1].flops(N, D)
    self.assertIsNone(costs.CostLine.exact(N, D, curve))
    # Two sizes lie on any line, and tell none.
    self.assertIsNone(costs.CostLine.exact(N[:2], D[:2], curve[:2]))

  def test_params(self):
    line = costs.CostLine(-0.8, 1.0)
    C = line.flops(self.N, self.D)
    np.testing.assert_allclose(line.params(C, self.D), self.N)


if __name__ == '__main__':
  absltest.main()
