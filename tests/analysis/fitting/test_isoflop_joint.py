"""The joint curve, against its own closed form, a search, and simulation.

Measured with 400 studies a row, the share of 95% intervals that hold the truth
and their median width: see docs/log.md.
"""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize
from scipy import stats

from scaling_jax import laws
from scaling_jax.analysis.fitting import codec
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import isoflop_joint
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.isoflop import Group
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs
from tests.analysis.fitting.bowls import NO_DRAWS
from tests.analysis.fitting.bowls import bowl

BUDGETS = np.geomspace(1e18, 10**19.5, 4)
LAWS = {
  'lopsided': simulate.law_through(1e19, 4e8, alpha=0.5, beta=0.3),
  'reversed': simulate.law_through(1e19, 4e8, alpha=0.3, beta=0.5),
  'chinchilla': laws.Chinchilla(1.69, 406.4, 410.7, 0.34, 0.28),
}
# The five losses of a budget whose minimum is visible, but weak.
WEAK = np.array([1.704, 1.676, 1.718, 1.801, 1.932])


def study(law, noise=0.0, seed=0, models=7, reach=4.0, budgets=BUDGETS):
  plan = designs.design(law, budgets, models, reach)
  return designs.by_budget(plan, designs.noisy(law, plan, noise, seed))


def fit_arrays(groups, draws=0, seed=0):
  return isoflop_joint.fit(
    np.log([g.C for g in groups]),
    [np.log(g.N) for g in groups],
    [g.loss for g in groups],
    draws,
    np.random.default_rng(seed),
  )


class CurveTest(parameterized.TestCase):
  @parameterized.parameters((0.5, 0.3), (0.2, 0.7), (0.35, 0.35))
  def test_the_minimum_is_that_of_a_search(self, alpha, beta):
    curve = isoflop_joint.JointCurve(15.0, alpha, beta, 1.5, 0.3, 0.2)
    log_N, L = curve.minimum()
    found = optimize.minimize_scalar(
      curve.loss, bounds=(5, 25), method='bounded', options={'xatol': 1e-10}
    )
    self.assertAlmostEqual(float(log_N), found.x, places=6)
    self.assertAlmostEqual(float(L), found.fun, places=12)

  @parameterized.parameters((-0.1, 0.2), (0.2, 0.0), (-0.1, -0.1))
  def test_one_that_does_not_turn_has_none(self, p, q):
    curve = isoflop_joint.JointCurve(15.0, 0.4, 0.3, 1.5, p, q)
    self.assertTrue(np.isnan(curve.minimum()).all())


class ExactTest(parameterized.TestCase):
  @parameterized.product(law=sorted(LAWS), reach=(4.0, 30**0.5, 170**0.5))
  def test_without_noise_the_law_comes_back(self, law, reach):
    law = LAWS[law]
    groups = study(law, models=9, reach=reach)
    found = fit_arrays(groups)
    for group, curve in zip(groups, found.curves):
      best = law.optimum(group.C)
      log_N, L = curve.minimum()
      self.assertAlmostEqual(float(log_N), float(np.log(best.N)), places=3)
      self.assertAlmostEqual(float(L), float(best.L), places=4)
      np.testing.assert_allclose(
        [curve.alpha, curve.beta], [law.alpha, law.beta], rtol=0.02
      )

  def test_given_the_exponents_it_is_linear_least_squares(self):
    groups = study(LAWS['lopsided'], 0.003)
    for group, curve in zip(groups, fit_arrays(groups).curves):
      x = np.log(group.N) - curve.center
      basis = [
        np.ones_like(x),
        np.exp(-curve.alpha * x),
        np.exp(curve.beta * x),
      ]
      weighted = np.stack(basis, -1) / group.loss[:, None]
      expected, *_ = np.linalg.lstsq(weighted, np.ones_like(x), rcond=None)
      np.testing.assert_allclose(
        [curve.c, curve.p, curve.q], expected, rtol=1e-7
      )

  def test_draws_of_a_coefficient_are_student_s(self):
    # Seven models in one budget; given the exponents the loss at a model is
    # Student's t with four degrees of freedom.
    (group,) = study(LAWS['lopsided'], 0.001, budgets=BUDGETS[:1])
    found = fit_arrays([group], draws=4000)
    sd, dof = found.residual_sd[0]
    self.assertEqual(dof, 4)
    drawn = found.draws[0]
    same = np.flatnonzero(drawn.alpha == stats.mode(drawn.alpha).mode)
    self.assertGreater(len(same), 100)
    spread = np.std(np.asarray(drawn.loss(np.log(group.N[3])))) / group.loss[3]
    self.assertBetween(spread / sd, 0.3, 1.2)

  def test_two_data_a_budget_are_too_few(self):
    groups = [bowl(1e15, grid=np.array([0.5, 1, 2]))] * 2
    with self.assertRaises(ValueError):
      fit_arrays(groups)


class NoiseTest(absltest.TestCase):
  def test_a_budget_of_many_runs_has_its_own(self):
    law = LAWS['chinchilla']
    clean, noisy = (
      study(law, noise, models=16, budgets=BUDGETS[:2])[i]
      for i, noise in enumerate((1e-4, 1e-2))
    )
    small = study(law, 1e-4, seed=3, budgets=BUDGETS[2:])
    found = fit_arrays([clean, noisy, *small])
    self.assertEqual([x.dof for x in found.residual_sd], [13, 13, 8, 8])
    sds = [x.sd for x in found.residual_sd]
    self.assertEqual(sds[2], sds[3])
    for sd, truth in zip(sds, (1e-4, 1e-2, 1e-4)):
      self.assertBetween(sd / truth, 0.5, 1.7)


class StatedTest(parameterized.TestCase):
  def fit(self, groups, **kwargs):
    return isoflop.fit(groups, bootstrap=Bootstrap(draws=400), **kwargs)

  def test_the_joint_curve_answers(self):
    found = self.fit(study(LAWS['lopsided'], 0.001))
    self.assertTrue(found.ok)
    for budget in found.budgets:
      self.assertIs(budget.curve, budget.joint)
      self.assertIsNone(budget.bias)
      self.assertTrue(budget.N_parabola().known)

  def test_both_looks_are_stated_and_where_they_differ(self):
    for law, reach, differ in (
      ('lopsided', 13.0, True),
      ('chinchilla', 1.5, False),
    ):
      groups = study(LAWS[law], 1e-4, models=9, reach=reach)
      found = self.fit(groups)
      self.assertLen(found.notes, 1)
      for budget in found.budgets:
        self.assertLen(budget.notes, differ)
        truth = LAWS[law].optimum(budget.C).N
        self.assertLess(abs(np.log(budget.optimum().N.value / truth)), 0.1)

  def test_too_few_data_keep_their_parabolas(self):
    groups = [bowl(C, grid=np.array([0.3, 1, 2, 3])) for C in (1e15,)]
    (budget,) = self.fit(groups).budgets
    self.assertIsNone(budget.joint)
    self.assertIs(budget.curve, budget.parabola)

  @parameterized.product(step=(1e-5, 0.1, 1.0, 8.0), rise=(0.0, 0.1))
  def test_losses_without_a_minimum_have_none(self, step, rise):
    N = 1e6 * np.exp(step * np.arange(6))
    groups = [
      Group(C, N, C / 6 / N, 2 + rise * np.arange(6)) for C in (1e15, 1e16)
    ]
    found = self.fit(groups)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    self.assertFalse(any(b.counts for b in found.budgets))

  def test_an_unknown_curve_is_refused(self):
    with self.assertRaises(ValueError):
      isoflop.fit([], curve='cubic')

  @parameterized.parameters(1, 2)
  def test_a_weak_minimum_has_its_interval_and_a_note(self, budgets):
    groups = [
      Group(C, N, C / 6 / N, WEAK)
      for C in 1e15 * 4.0 ** np.arange(budgets)
      for N in [1e6 * (C / 1e15) ** 0.5 * 3.0 ** np.arange(5)]
    ]
    found = isoflop.fit(groups, bootstrap=Bootstrap(draws=4000))
    for budget in found.budgets:
      self.assertEqual(budget.status, Status.OK)
      hidden = np.mean(np.isnan(budget.draws.log_N))
      self.assertBetween(hidden, 0, 0.025)
      self.assertTrue(budget.optimum().N.known)
      if budgets == 1:
        self.assertGreater(hidden, 0.005)
        undrawn = isoflop.fit(groups, bootstrap=NO_DRAWS).budgets[0]
        self.assertLen(budget.notes, len(undrawn.notes) + 1)
        self.assertFalse(budget.optimum(level=0.99).N.known)

  def test_two_of_many_budgets_are_not_ok_without_a_word(self):
    inside = [bowl(C) for C in (1e15, 1e16)]
    edge = [bowl(C, grid=np.geomspace(3, 9, 5)) for C in 1e17 * np.arange(1, 8)]
    all_ok, few = self.fit(inside), self.fit([*inside, *edge])
    self.assertEqual([b.counts for b in few.budgets], [True] * 2 + [False] * 7)
    self.assertLen(few.notes, len(all_ok.notes))
    self.assertIn('2 of 9', few.message)
    self.assertNotIn('of 2', all_ok.message)

  def test_through_json(self):
    found = self.fit(study(LAWS['lopsided'], 0.001))
    back = codec.loads(codec.dumps(found))
    for one, other in zip(found.budgets, back.budgets):
      self.assertEqual(other.joint, one.joint)
      self.assertEqual(other.notes, one.notes)
      for name, x in one.estimates().items():
        np.testing.assert_allclose(
          [*other.estimates()[name].at()], [*x.at()], rtol=1e-4
        )
      np.testing.assert_allclose(
        [*other.N_parabola()], [*one.N_parabola()], rtol=1e-4
      )
    again = codec.loads(codec.dumps(isoflop.fit([bowl(1e15)], None, NO_DRAWS)))
    self.assertIsNone(again.budgets[0].draws)


class CoverageTest(parameterized.TestCase):
  """A few studies; benchmarks/coverage.py has the many."""

  @parameterized.parameters(
    # Nothing may be wider than this: N_opt, a, log N_opt(10 C).
    ('lopsided', 7, 0.001, (0.05, 0.013, 0.07)),
    ('lopsided', 5, 0.001, (0.065, 0.018, 0.1)),
    ('chinchilla', 7, 0.003, (0.15, 0.06, 0.26)),
  )
  def test_intervals_hold_and_are_narrow(self, name, models, noise, limits):
    law, C = LAWS[name], 10 * BUDGETS[-1]
    held, widths = [], []
    for seed in range(40):
      groups = study(law, noise, seed, models)
      found = isoflop.fit(groups, bootstrap=Bootstrap(draws=400, seed=seed))
      numbers = [
        (found.budgets[1].optimum().N.map(np.log), law.optimum(BUDGETS[1]).N),
        (found.conf_int()['exponent_N'], np.exp(law.exponent_N)),
        (found.optimum(C=C).N.map(np.log), law.optimum(C).N),
      ]
      held.append([x.holds(np.log(truth)) for x, truth in numbers])
      widths.append([x.high - x.low for x, _ in numbers])
    for share in np.mean(held, 0):
      self.assertGreaterEqual(40 * share, stats.binom.ppf(0.001, 40, 0.95))
    np.testing.assert_array_less(np.median(widths, 0), limits)

  def test_seeds_are_one_datum(self):
    # Four seeds a model: 0.2% is shared by them, 0.02% is each one's own.
    law, held = LAWS['chinchilla'], []
    for study_seed in range(40):
      plan = designs.design(law, BUDGETS, 7, seeds=4)
      rng = np.random.default_rng(study_seed)
      shared = np.repeat(rng.normal(size=plan.N.size // 4), 4)
      own = rng.normal(size=plan.N.size)
      L = law.loss(plan.N, plan.D) * np.exp(2e-3 * shared + 2e-4 * own)
      found = isoflop.fit(
        designs.by_budget(plan, L), bootstrap=Bootstrap(draws=400)
      )
      for budget in found.budgets:
        best, truth = budget.optimum(), law.optimum(budget.C)
        self.assertEqual(budget.residual_sd.dof, 16)
        held.append([best.N.holds(truth.N), best.loss.holds(truth.L)])
    for share in np.mean(held, 0):
      self.assertBetween(share, 0.9, 1.0)


if __name__ == '__main__':
  absltest.main()
