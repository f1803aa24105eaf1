"""Exponents under other ways to count, against closed and numeric forms."""

from absl.testing import absltest
import numpy as np
from scipy import optimize

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.study import counting_effect
from tests.analysis import designs
from tests.analysis import studies

LAW = designs.LAW
EMBEDDING = 3e5


def compare(plan, L, counts):
  return compare_runs(studies.as_runs(plan, L, counts))


def compare_runs(runs):
  grouping = budgets.Grouping(groups=tuple(map(tuple, budgets.group(runs.C))))
  asked = studies.options()
  own = chinchilla.fit(
    runs.N, runs.D, runs.loss, C=runs.C, n_budgets=grouping.n_budgets,
    bootstrap=asked.bootstrap,
  )  # fmt: skip
  found = counting_effect.compare(runs, grouping, own, asked)
  return {one.name: one for one in found}


def numeric_exponent(count_N, count_C):
  """log N_opt against log C_opt, each optimum by a search over log N."""
  N, C = [], []
  for budget in designs.BUDGETS:
    x = optimize.minimize_scalar(
      lambda log_N, C=budget: LAW.iso_flop(C, np.exp(log_N)),
      bounds=(8, 22),
      method='bounded',
      options={'xatol': 1e-10},
    ).x
    D = budget / (6 * np.exp(x))
    N.append(count_N(np.exp(x)))
    C.append(count_C(np.exp(x), D))
  return np.polyfit(np.log(C), np.log(N), 1)[0]


class CountingEffectTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    # Close to the optimum a parabola has next to no bias.
    self.plan = designs.design(models=7, reach=1.3)
    self.L = np.asarray(LAW.loss(self.plan.N, self.plan.D))

  def test_the_laws_own(self):
    row = compare(self.plan, self.L, {'own': (self.plan.N, self.plan.C)})['own']
    self.assertAlmostEqual(row.isoflop.value, LAW.exponent_N, places=4)
    self.assertAlmostEqual(row.chinchilla.value, LAW.exponent_N, places=6)
    for one in (row.isoflop, row.chinchilla):
      value, low, high = one.at()
      self.assertLessEqual(low, value)
      self.assertLessEqual(value, high)

  def test_the_embedding_counts_too(self):
    C, N, D = self.plan
    more = N + EMBEDDING
    found = compare(
      self.plan,
      self.L,
      {'own': (N, C), 'mixed': (more, C), 'all': (more, 6 * more * D)},
    )

    def count(n):
      return n + EMBEDDING

    expected = {
      'own': LAW.exponent_N,
      'mixed': numeric_exponent(count, lambda n, d: 6 * n * d),
      'all': numeric_exponent(count, lambda n, d: 6 * count(n) * d),
    }
    for name, exponent in expected.items():
      value = found[name].isoflop.value
      self.assertAlmostEqual(value, exponent, delta=3e-3, msg=name)
    # A constant that small models feel most flattens the growth.
    self.assertLess(expected['all'], expected['own'] - 0.05)
    # The law in N + constant is none of approach 3's, but it moves that way.
    by_law = {name: row.chinchilla.value for name, row in found.items()}
    self.assertLess(by_law['all'], by_law['own'] - 0.05)
    self.assertLess(expected['mixed'], expected['all'])
    # One fit serves both; what a FLOP buys sets them apart: by brute force the
    # slope of its minima along 6 N D of the smaller count.
    law = chinchilla.fit(more, D, self.L, bootstrap=Bootstrap(draws=0)).law
    grid = np.exp(np.linspace(13, 16, 300_001)) + EMBEDDING
    middle = np.sqrt(C.min() * C.max())
    best = [
      grid[np.argmin(law.loss(grid, C / (6 * (grid - EMBEDDING))))]
      for C in (middle / 1.2, middle * 1.2)
    ]
    slope = np.log(best[1] / best[0]) / np.log(1.44)
    self.assertAlmostEqual(by_law['mixed'], slope, delta=0.02)

  def test_flops_that_grow_faster_than_N_in_closed_form(self):
    # The least of A / N^alpha + B / D^beta along C = 5 N^1.2 D.
    _, N, D = self.plan
    row = compare(self.plan, self.L, {'more': (N, 5 * N**1.2 * D)})['more']
    exponent = LAW.beta / (LAW.alpha + 1.2 * LAW.beta)
    self.assertAlmostEqual(row.isoflop.value, exponent, places=4)
    self.assertAlmostEqual(row.chinchilla.value, exponent, places=6)

  def test_a_power_of_N_in_closed_form(self):
    # In N' = N^1.3 the law holds with alpha / 1.3, and 6 N' D = C N^0.3.
    exponent = LAW.beta / (LAW.alpha / 1.3 + LAW.beta)
    # The same models at each budget: C' at the optimum is not at their middle.
    N = LAW.optimum(4e14).N * np.geomspace(0.2, 5, 9)
    same = simulate.Design.of([(C, N) for C in designs.BUDGETS])
    for plan, delta in ((self.plan, 1e-4), (same, 0.02)):
      L = np.asarray(LAW.loss(plan.N, plan.D))
      power = plan.N**1.3
      counts = {'power': (power, 6 * power * plan.D)}
      row = compare(plan, L, counts)['power']
      self.assertAlmostEqual(row.isoflop.value, exponent, delta=delta)
      self.assertAlmostEqual(row.chinchilla.value, exponent, places=6)

  def test_the_fit_s_own_number_is_stated_as_it_is(self):
    # Minima off their line: the interval is wider by their scatter, and the
    # number that the fit states is not computed twice.
    plan = designs.design(budgets=(1e14, 4e14, 1.6e15, 6.4e15), models=7)
    off = np.select([plan.C == 4e14, plan.C == 1.6e15], [0.3, -0.3], 0.0)
    L = np.asarray(LAW.loss(plan.N * np.exp(off), plan.D * np.exp(-off)))
    L *= np.exp(5e-4 * np.random.default_rng(0).normal(size=L.size))
    full = plan.N + EMBEDDING
    runs = studies.as_runs(
      plan, L, {'as given': (plan.N, plan.C), 'all': (full, plan.C)}
    )
    analysis = studies.analyze(runs)
    given, other = analysis.counting
    own = analysis.isoflop.estimates()['exponent_N']
    self.assertEqual(given.isoflop.value, own.value)
    np.testing.assert_array_equal(given.isoflop.draws, own.draws)
    # The other count is widened as much.
    widths = [x.high - x.low for x in (own.at(), other.isoflop.at())]
    self.assertGreater(widths[0], 0.1)
    self.assertBetween(widths[1] / widths[0], 0.6, 1.6)

  def test_only_what_all_runs_can_tell(self):
    C, N, _ = self.plan
    runs = studies.as_runs(
      self.plan,
      self.L,
      {'own': (N, C), 'some': (2 * N, C), 'twice': (2 * N, C)},
    )
    del runs.counts[5]['some']
    found = compare_runs(runs)
    self.assertEqual(list(found), ['own', 'twice'])
    # A factor moves no exponent.
    self.assertAlmostEqual(
      found['twice'].isoflop.value, found['own'].isoflop.value
    )

  def test_noise_widens_and_intervals_hold(self):
    plan = designs.design(models=7)
    L = designs.noisy(LAW, plan, 0.001)
    row = compare(plan, L, {'own': (plan.N, plan.C)})['own']
    for one in (row.isoflop, row.chinchilla):
      _, low, high = one.at()
      self.assertBetween(LAW.exponent_N, low, high)
      self.assertBetween(high - low, 0.01, 0.3)

  def test_nothing_known_nothing_shown(self):
    plan = designs.design(budgets=designs.BUDGETS[:1])
    L = np.asarray(LAW.loss(plan.N, plan.D))
    self.assertEqual(compare(plan, L, {'own': (plan.N, plan.C)}), {})


if __name__ == '__main__':
  absltest.main()
