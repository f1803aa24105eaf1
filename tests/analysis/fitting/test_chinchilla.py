"""Approach 3 against published fits, SciPy and laws that are known."""

import csv
import functools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import percentile_interval
from tests.analysis.fitting import law_by_hand
from tests.analysis.fitting.law_by_hand import LAWS
from tests.analysis.fitting.law_by_hand import study
from tests.shared_data import CHINCHILLA

MATRIX = [
  (f'{name}_{solver}', law, solver)
  for name, law in LAWS.items()
  for solver in multistart.SOLVERS
]
DRAWS = 300
LEVELS = (0.5, 0.8, 0.95, 0.99)
HOFFMANN_S = Objective(delta=1e-3)


def fit(N, D, L, draws=0, starts='projection', **kwargs):
  return chinchilla.fit(
    N, D, L, bootstrap=Bootstrap(draws), starts=starts, **kwargs
  )


@functools.cache
def figure4():
  """N, D, L of Hoffmann et al.'s figure 4, the five highest losses last."""
  with CHINCHILLA.open(encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  rows.sort(key=lambda row: float(row['loss']))
  N, C, L = (
    np.array([float(row[name]) for row in rows])
    for name in ('Model Size', 'Training FLOP', 'loss')
  )
  return N, C / (6 * N), L


def without_highest():
  return [x[:240] for x in figure4()]


@absltest.skipUnless(
  CHINCHILLA.is_file(), f'the published points are not at {CHINCHILLA}'
)
class PublishedTest(parameterized.TestCase):
  @parameterized.parameters(
    ('auto', 'both'),
    ('auto', 'projection'),
    ('optimistix', 'both'),
    ('optimistix', 'projection'),
  )
  def test_the_optimum(self, solver, starts):
    self.check(solver, starts)

  @pytest.mark.slow
  def test_the_optimum_from_the_whole_grid(self):
    found = self.check('optimistix', 'grid')
    self.assertEqual(found.diagnostics.n_starts, 4500)

  @parameterized.parameters('both', 'projection')
  @pytest.mark.slow
  def test_the_optimum_with_jax(self, starts):
    self.check('jax', starts)

  def check(self, solver, starts):
    found = fit(
      *without_highest(), solver=solver, starts=starts, objective=HOFFMANN_S
    )
    self.assertEqual(found.status, Status.OK, found.message)
    self.assertAlmostEqual(
      found.diagnostics.objective, 0.00101827402, delta=1e-9
    )
    self.assertAlmostEqual(found.law.alpha, 0.3473105, delta=1e-5)
    self.assertAlmostEqual(found.law.beta, 0.3671724, delta=1e-5)
    self.assertAlmostEqual(found.law.E / 1.8172181, 1, delta=1e-4)
    self.assertAlmostEqual(found.law.A / 477.826, 1, delta=1e-4)
    self.assertAlmostEqual(found.law.B / 2143.417, 1, delta=1e-4)
    self.assertEqual((found.method, found.residual_sd.dof), ('runs', 235))
    return found

  def test_scipy_from_the_published_fit(self):
    objective, params = law_by_hand.by_scipy(
      published.BESIROGLU, *without_highest()
    )
    self.assertAlmostEqual(objective, 0.00101827402, delta=1e-9)
    np.testing.assert_allclose(params[3:], (0.3473105, 0.3671724), atol=1e-5)

  def test_the_bootstrap(self):
    # Besiroglu et al. (2024), table 1: standard errors of 4000 resamples.
    found = fit(
      *without_highest(), draws=1000, starts='both', objective=HOFFMANN_S
    )
    self.assertEqual(found.method, 'runs')
    for name, expected, within in (
      ('alpha', 0.0154, 0.1), ('beta', 0.0206, 0.1), ('E', 0.0253, 0.1),
      ('A', 125, 0.1), ('B', 1290, 0.2),
    ):  # fmt: skip
      drawn = getattr(found.draws, name)
      self.assertEqual(drawn.shape, (1000,))
      self.assertTrue(np.all(np.isfinite(drawn)))
      self.assertAlmostEqual(np.std(drawn) / expected, 1, delta=within)

  def test_what_besiroglu_excluded_are_outliers(self):
    # He excluded the five of the highest losses; one of these fits the law.
    found = fit(*figure4()).outliers
    self.assertContainsSubset((241, 242, 243, 244), found)
    self.assertLessEqual(len(found), 8)


class KnownLawTest(parameterized.TestCase):
  @parameterized.named_parameters(*MATRIX)
  def test_exact_without_noise(self, law, solver):
    found = fit(*study(law, noise=0), solver=solver)
    self.assertEqual(found.status, Status.OK, found.message)
    np.testing.assert_allclose(found.law, law, rtol=1e-6)
    self.assertEmpty(found.outliers)

  @parameterized.named_parameters(*MATRIX)
  def test_within_its_errors(self, law, solver):
    for noise in (0.001, 0.003):
      N, D, L = study(law, noise)
      found = fit(N, D, L, solver=solver, objective=HOFFMANN_S)
      self.assertEqual(found.status, Status.OK, found.message)
      objective, params = law_by_hand.by_scipy(law, N, D, L)
      self.assertAlmostEqual(
        found.diagnostics.objective / objective, 1, delta=1e-8
      )
      mine = law_by_hand.as_params(found.law, N, D)
      np.testing.assert_allclose(mine, params, atol=1e-5)
      # Beyond delta the Huber loss costs at most a factor of (pi/2)^(1/2).
      z = (
        (mine - law_by_hand.as_params(law, N, D))
        / law_by_hand.standard_errors(law, N, D)
        / noise
      )
      self.assertLess(np.abs(z).max(), 4 * np.sqrt(np.pi / 2))

  def test_any_unit_of_loss(self):
    N, D, L = study(noise=0.002)
    nats, bits = fit(N, D, L), fit(N, D, L / np.log(2))
    for name in ('E', 'A', 'B'):
      ratio = getattr(bits.law, name) / getattr(nats.law, name)
      self.assertAlmostEqual(ratio * np.log(2), 1, delta=1e-6)
    self.assertAlmostEqual(nats.law.alpha, bits.law.alpha, delta=1e-8)
    self.assertAlmostEqual(nats.residual_sd.sd, bits.residual_sd.sd, delta=1e-9)

  def test_residuals(self):
    N, D, L = study(noise=0.002)
    found = fit(N, D, L, objective=Objective(loss='squares'))
    np.testing.assert_allclose(found.predicted, found.law.loss(N, D))
    left = np.log(L) - np.log(found.law.loss(N, D))
    np.testing.assert_allclose(found.residuals, left, atol=1e-14)
    self.assertAlmostEqual(found.residual_sd.sd, np.sqrt(np.sum(left**2) / 19))
    self.assertEqual(found.residual_sd.dof, 19)

  def test_an_outlier_is_named(self):
    N, D, L = study(noise=0.002)
    self.assertEmpty(fit(N, D, L).outliers)
    L[7] *= 1.05
    found = fit(N, D, L)
    self.assertTrue(found.ok)
    self.assertSequenceEqual(list(found.outliers), [7])


class ResultTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.runs = study(noise=0.002)
    cls.found = fit(*cls.runs, draws=DRAWS)
    N, D, _ = cls.runs
    # What is counted in these FLOPs weighs more in small models.
    cls.costly = fit(*cls.runs, draws=DRAWS, C=6 * N * D * (N / 1e9) ** -0.1)

  def test_parameters(self):
    found, law = self.found.params, self.found.law
    self.assertEqual(
      list(found),
      ['E', 'A', 'B', 'alpha', 'beta', 'exponent_N', 'exponent_D', 'N0', 'D0'],
    )
    np.testing.assert_allclose(list(found.values())[:5], law)
    self.assertAlmostEqual(found['exponent_N'], law.exponent_N)
    self.assertAlmostEqual(found['exponent_D'], law.exponent_D)
    best = law.optimum(1e22)
    self.assertAlmostEqual(
      found['N0'] * 1e22 ** found['exponent_N'] / best.N, 1
    )
    self.assertAlmostEqual(
      found['D0'] * 1e22 ** found['exponent_D'] / best.D, 1
    )

  @parameterized.parameters(*LEVELS)
  def test_intervals_are_of_the_draws(self, level):
    found, drawn = self.found.conf_int(level), self.found.draws
    for name in ('E', 'alpha', 'exponent_N'):
      by_hand = percentile_interval(
        getattr(self.found.law, name), getattr(drawn, name), level
      )
      np.testing.assert_allclose(list(found[name]), list(by_hand))

  def test_the_cost_of_the_runs(self):
    found = self.costly.conf_int()
    law, cost = self.costly.law, self.costly.cost
    self.assertAlmostEqual(cost.slope, -0.9)
    np.testing.assert_allclose(
      self.costly.C, cost.flops(self.costly.N, self.costly.D)
    )
    best = law.optimum(1e22, cost)
    self.assertAlmostEqual(
      found['N0'].value * 1e22 ** found['exponent_N'].value / best.N, 1
    )
    self.assertAlmostEqual(
      found['D0'].value * 1e22 ** found['exponent_D'].value / best.D, 1
    )
    # N and D do not share C's exponent of one.
    both = found['exponent_N'].value + found['exponent_D'].value
    self.assertNotAlmostEqual(both, 1, delta=0.01)

  def test_optimum(self):
    for found in (self.found, self.costly):
      best = found.optimum(C=1e22, level=0.8)
      self.assertEqual(list(best.C), [1e22] * 3)
      for name, one in (('N', best.N), ('D', best.D), ('L', best.loss)):
        by_hand = percentile_interval(
          getattr(found.law.optimum(1e22, found.cost), name),
          getattr(found.draws.optimum(1e22, found.cost), name),
          0.8,
        )
        self.assertEqual(one, by_hand)
      np.testing.assert_allclose(
        found.cost.flops(best.N.value, best.D.value), 1e22
      )
      back = found.optimum(D=best.D.value, level=0.8)
      np.testing.assert_allclose(back.C.value, 1e22, rtol=1e-9)
      np.testing.assert_allclose(back.N.value, best.N.value, rtol=1e-9)
      self.assertTrue(back.C.low < 1e22 < back.C.high)
      self.assertEqual(back.D.low, back.D.high)

  def test_arrays_are_taken_one_by_one(self):
    C = np.array([[1e20, 1e21, 1e22], [1e23, 1e24, 1e25]])
    best = self.found.optimum(C=C)
    self.assertEqual(np.shape(best.loss.high), (2, 3))
    alone = self.found.optimum(C=1e24)
    self.assertEqual([end[1, 1] for end in best.N], list(alone.N))
    N, D = np.array([[1e8], [1e9]]), np.array([1e10, 1e11, 1e12])
    found = self.found.predict(N, D, 0.8)
    self.assertEqual(np.shape(found.value), (2, 3))
    alone = self.found.predict(1e9, 1e11, 0.8)
    self.assertEqual([end[1, 1] for end in found], list(alone))
    self.assertEqual(alone.value, self.found.law.loss(1e9, 1e11))

  def test_a_run_scatters_about_the_law(self):
    law, run = (
      self.found.predict(1e9, 1e11, 0.95, of_run=one) for one in (False, True)
    )
    self.assertEqual(law.value, run.value)
    sd = float(self.found.run_sd(1e11)) * law.value
    drawn = self.found.draws.loss(1e9, 1e11)
    expected = 2 * 1.96 * np.hypot(np.std(drawn), sd * np.sqrt(18 / 16))
    self.assertAlmostEqual((run.high - run.low) / expected, 1, delta=0.15)

  def test_any_number_of_a_law(self):
    found = self.found.estimate(lambda law: law.A / law.B).at(0.8)
    self.assertAlmostEqual(found.value, self.found.law.A / self.found.law.B)
    self.assertTrue(found.known)

  def test_what_it_cannot_be_asked(self):
    for asked in ({}, {'C': 1e20, 'D': 1e9}, {'C': -1.0}, {'D': np.nan}):
      with self.assertRaises(ValueError):
        self.found.optimum(**asked)

  def test_without_draws_there_is_no_interval(self):
    found = fit(*self.runs)
    self.assertTrue(found.ok)
    for one in (*found.conf_int().values(), found.optimum(C=1e22).N):
      self.assertTrue(np.isfinite(one.value))
      self.assertTrue(np.isnan([one.low, one.high]).all())

  def test_without_a_law_nothing_raises(self):
    for N in ([], [1e6, 2e6]):
      found = fit(N, N, N)
      self.assertEqual(found.status, Status.TOO_FEW_POINTS)
      self.assertTrue(np.isnan(list(found.params.values())).all())
      best = found.optimum(C=1e20)
      self.assertTrue(np.isnan([*best.N, *best.D, *best.loss]).all())
      self.assertTrue(np.isnan(list(found.predict(1e9, 1e11))).all())
      self.assertTrue(np.isnan(found.residuals).all())
      self.assertEmpty(found.outliers)
      self.assertEqual(np.shape(found.draws), (5, 0))


class RefusalTest(parameterized.TestCase):
  def test_too_few(self):
    N, D, L = study(noise=0)
    found = fit(N[:4], D[:4], L[:4], DRAWS)
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)
    some = [0, 5, 11, 15, 23, 8, 12, 19]
    for n in (5, 6, 7):
      found = fit(N[some[:n]], D[some[:n]], L[some[:n]], DRAWS)
      self.assertEqual(found.status, Status.NO_DEGREES_OF_FREEDOM)
      self.assertEmpty(found.param_draws)
      # Five losses without noise still tell five numbers.
      np.testing.assert_allclose(found.law, published.HOFFMANN, rtol=1e-5)
    self.assertTrue(fit(N[some], D[some], L[some]).ok)

  def test_one_budget(self):
    N, D, L = study(models=24, budgets=(1e20,), noise=0)
    found = fit(N, D, L, n_budgets=1)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    self.assertIsNone(found.diagnostics)

  def test_tokens_that_are_a_power_of_parameters(self):
    N = np.geomspace(1e7, 1e9, 24)
    for power in (-1.0, 0.5, 1.0):
      D = 1e10 * (N / 1e8) ** power
      # The terms exchanged fit as well: A/N^alpha is a power of D, too.
      law = laws.Chinchilla(1.7, 400.0, 400.0, 0.3, 0.25)
      other = laws.Chinchilla(
        1.7,
        400 * (1e10 / 1e8**power) ** -0.25,
        400 * (1e10 ** (1 / power) / 1e8) ** 0.3,
        0.25 * power,
        0.3 / power,
      )
      np.testing.assert_allclose(law.loss(N, D), other.loss(N, D), rtol=1e-9)
      found = fit(N, D, law.loss(N, D))
      self.assertEqual(found.status, Status.NOT_IDENTIFIED)
      self.assertIsNone(found.diagnostics)

  def test_one_or_two_sizes(self):
    N, D, L = study(noise=0)
    two = np.where(np.arange(24) % 2, 1e9, 2e9)
    for n, d in (
      (np.full(24, 1e9), D),
      (N, np.full(24, 1e10)),
      (N, two * 10),
      (two * (1 + 1e-9 * N / N.max()), D),
    ):
      found = fit(n, d, L)
      self.assertEqual(found.status, Status.NOT_IDENTIFIED)
      self.assertIsNone(found.diagnostics)

  @parameterized.parameters(*multistart.SOLVERS)
  def test_a_loss_that_rises_with_size(self, solver):
    N, D, _ = study()
    found = fit(N, D, 1.5 + 1e-3 * N**0.25 + 400 * D**-0.3, solver=solver)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    self.assertIsNone(found.point)
    self.assertLess(found.diagnostics.objective, 1e-12)

  @parameterized.named_parameters(
    ('of_nothing', lambda N, D: np.full(24, 3.0)),
    ('of_N_alone', lambda N, D: 2 + 300 * N**-0.3),
    ('of_D_alone', lambda N, D: 2 + 300 * D**-0.3),
    ('without_a_floor', lambda N, D: 300 * N**-0.3 + 400 * D**-0.2),
  )
  def test_a_loss(self, loss):
    N, D, _ = study()
    found = fit(N, D, loss(N, D), DRAWS)
    self.assertIn(found.status, (Status.NOT_IDENTIFIED, Status.NOT_CONVERGED))
    self.assertTrue(np.isnan(found.law).all())

  def test_three_kinds_of_runs(self):
    N, D, L = (np.repeat(x[:3], 7) for x in study())
    found = fit(N, D, L, DRAWS)  # seven seeds of each
    self.assertEqual(found.status, Status.TOO_FEW_POINTS)

  def test_unknown_names(self):
    for name, known in (
      ('starts', 'both, projection, grid'),
      ('solver', 'auto, jax, optimistix'),
    ):
      with self.assertRaisesRegex(ValueError, f"{name}='best'.*{known}"):
        fit(*study(), **{name: 'best'})


if __name__ == '__main__':
  absltest.main()
