"""Approach 3 against published fits, SciPy and laws that are known."""

import csv
import functools
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax import laws
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import parametric
from scaling_jax.analysis import simulate
from tests import law_by_hand
from tests import studies
from tests.law_by_hand import BUDGETS
from tests.law_by_hand import LAWS
from tests.law_by_hand import study
from tests.shared_data import CHINCHILLA

MATRIX = [(f'{name}_{solver}', law, solver)
          for name, law in LAWS.items() for solver in fit_lib.SOLVERS]  # fmt: skip
DRAWS = 300  # one count, because each is compiled anew


def fit(N, D, L, draws=0, starts='projection', **kwargs):
  return parametric.fit(N, D, L, draws=draws, starts=starts, **kwargs)


@functools.cache
def chinchilla():
  """N, D, L of Hoffmann et al.'s figure 4 without its five highest losses."""
  with CHINCHILLA.open(encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  rows.sort(key=lambda row: float(row['loss']))
  N, C, L = (
    np.array([float(row[name]) for row in rows[:240]])
    for name in ('Model Size', 'Training FLOP', 'loss')
  )
  return N, C / (6 * N), L


@absltest.skipUnless(
  CHINCHILLA.is_file(), f'the published points are not at {CHINCHILLA}'
)
class ChinchillaTest(parameterized.TestCase):
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
    self.assertEqual(found.fit.n_starts, 4500)

  @parameterized.parameters('both', 'projection')
  @pytest.mark.slow
  def test_the_optimum_with_jax(self, starts):
    self.check('jax', starts)

  def check(self, solver, starts):
    N, D, L = chinchilla()
    found = fit(N, D, L, solver=solver, starts=starts)
    self.assertEqual(found.status, 'ok', found.sentence)
    self.assertAlmostEqual(found.fit.objective, 0.00101827402, delta=1e-9)
    self.assertAlmostEqual(found.law.alpha, 0.3473105, delta=1e-5)
    self.assertAlmostEqual(found.law.beta, 0.3671724, delta=1e-5)
    self.assertAlmostEqual(found.law.E / 1.8172181, 1, delta=1e-4)
    self.assertAlmostEqual(found.law.A / 477.826, 1, delta=1e-4)
    self.assertAlmostEqual(found.law.B / 2143.417, 1, delta=1e-4)
    self.assertIsNone(found.draws)
    self.assertEqual((found.method, found.noise.dof), ('runs', 235))
    return found

  def test_scipy_from_the_published_fit(self):
    objective, params = law_by_hand.by_scipy(laws.BESIROGLU, *chinchilla())
    self.assertAlmostEqual(objective, 0.00101827402, delta=1e-9)
    np.testing.assert_allclose(params[3:], (0.3473105, 0.3671724), atol=1e-5)

  @pytest.mark.slow
  def test_the_bootstrap(self):
    # Besiroglu et al. (2024), table 1: standard errors of 4000 resamples.
    found = fit(*chinchilla(), draws=1000, starts='both')
    self.assertEqual(found.method, 'runs')
    for name, expected, within in (
      ('alpha', 0.0154, 0.1), ('beta', 0.0206, 0.1), ('E', 0.0253, 0.1),
      ('A', 125, 0.1), ('B', 1290, 0.2),
    ):  # fmt: skip
      drawn = getattr(found.draws, name)
      self.assertEqual(drawn.shape, (1000,))
      self.assertTrue(np.all(np.isfinite(drawn)))
      self.assertAlmostEqual(np.std(drawn) / expected, 1, delta=within)


class KnownLawTest(parameterized.TestCase):
  @parameterized.named_parameters(*MATRIX)
  def test_exact_without_noise(self, law, solver):
    found = fit(*study(law, noise=0), solver=solver)
    self.assertEqual(found.status, 'ok', found.sentence)
    np.testing.assert_allclose(found.law, law, rtol=1e-6)

  @parameterized.named_parameters(*MATRIX)
  def test_within_its_errors(self, law, solver):
    for noise in (0.001, 0.003):
      N, D, L = study(law, noise)
      found = fit(N, D, L, solver=solver)
      self.assertEqual(found.status, 'ok', found.sentence)
      objective, params = law_by_hand.by_scipy(law, N, D, L)
      self.assertAlmostEqual(found.fit.objective / objective, 1, delta=1e-8)
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
    self.assertAlmostEqual(nats.noise.sd, bits.noise.sd, delta=1e-10)

  def test_noise_is_of_the_residuals(self):
    N, D, L = study(noise=0.002)
    found = fit(N, D, L)
    left = np.log(found.law.loss(N, D)) - np.log(L)
    self.assertAlmostEqual(found.noise.sd, np.sqrt(np.sum(left**2) / 19))
    self.assertEqual(found.noise.dof, 19)


class DrawsTest(parameterized.TestCase):
  def test_noise_draws_have_the_spread_of_studies(self):
    # Where all residuals are far below delta the fit is least squares, whose
    # errors are known; draws are wider by Student's (dof / (dof - 2))^(1/2).
    N, D, L = study(noise=1e-4)
    found = fit(N, D, L, DRAWS)
    self.assertEqual(found.method, 'noise')
    drawn = law_by_hand.as_params(found.draws, N, D).std(axis=1)
    expected = law_by_hand.standard_errors(laws.HOFFMANN, N, D) * found.noise.sd
    np.testing.assert_allclose(drawn, expected * np.sqrt(19 / 17), rtol=0.12)

  def test_noise_draws_have_the_spread_of_many_studies(self):
    # Above delta nothing is known in closed form, but it can be simulated.
    plan = studies.design(laws.HOFFMANN, BUDGETS, models=6)
    L = simulate.losses(
      laws.HOFFMANN, plan, 0.003, np.random.default_rng(0), studies=100
    )
    fits = [fit(plan.N, plan.D, one, solver='optimistix') for one in L]
    self.assertTrue(all(found.ok for found in fits))
    spread = np.std(
      [law_by_hand.as_params(found.law, plan.N, plan.D) for found in fits],
      axis=0,
    )
    variances = []
    for one in L[:12]:
      found = fit(plan.N, plan.D, one, DRAWS, solver='optimistix')
      drawn = law_by_hand.as_params(found.draws, plan.N, plan.D)
      variances.append(drawn.var(axis=1) * 17 / 19)
    ratio = np.sqrt(np.mean(variances, axis=0)) / spread
    np.testing.assert_allclose(ratio, 1, atol=0.2)

  def test_runs_are_resampled_on_demand(self):
    few = study(noise=0.002)
    self.assertEqual(fit(*few).method, 'noise')
    found = fit(*few, DRAWS, method='runs')
    self.assertEqual(found.method, 'runs')
    errors = law_by_hand.standard_errors(laws.HOFFMANN, *few[:2])[3:] * 0.002
    spread = np.nanstd([found.draws.alpha, found.draws.beta], axis=1)
    np.testing.assert_array_less(0.4 * errors, spread)
    np.testing.assert_array_less(spread, 2.5 * errors)

  def test_deterministic_by_seed(self):
    one, same, other = (fit(*study(), DRAWS, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.draws, same.draws)
    self.assertFalse(np.any(one.draws.alpha == other.draws.alpha))
    self.assertEqual(one.law, other.law)
    none = fit(*study())
    self.assertIsNone(none.draws)
    self.assertEqual(none.law, one.law)

  def test_draws_that_are_no_law_are_not_numbers(self):
    # Text hardly matters here, so that in some draws it does harm.
    law = laws.Chinchilla(2.0, 400.0, 4.0, 0.34, 0.28)
    N, D, L = study(law, 0.01, models=8, reach=2.0, budgets=(1e20, 2e20, 4e20))
    found = fit(N, D, L)
    self.assertTrue(found.ok)
    drawn = parametric.draw(
      parametric.Centred.of(N, D, L), found.fit.params, found.noise, DRAWS,
      'noise',
    )  # fmt: skip
    undefined = np.isnan(drawn.E)
    self.assertTrue(undefined.any() and not undefined.all())
    for values in drawn:
      np.testing.assert_array_equal(np.isfinite(values), ~undefined)
      self.assertTrue(np.all(values[~undefined] > 0))
    # Where they are many nothing bounds the law, and none is shown.
    open_ended = fit(N, D, L, DRAWS)
    self.assertEqual(open_ended.status, 'not_identified')
    self.assertIn(f'{undefined.mean():.0%} of studies', open_ended.sentence)
    self.assertIsNone(open_ended.law)

  def test_which_refits_are_draws(self):
    N, D, L = study()
    found = fit(N, D, L)
    params = np.tile(found.fit.params, (5, 1))
    params[2, 3], params[3, 4], params[4, 0] = -0.1, 0.0, 800.0
    certified = np.array([True, False, True, True, True])
    refits = fit_lib.Refits(params, certified)
    with mock.patch.object(fit_lib, 'refit', return_value=refits):
      drawn = parametric.draw(
        parametric.Centred.of(N, D, L), found.fit.params, found.noise, 5, 'runs'
      )
    for values in drawn:
      self.assertSequenceEqual(list(np.isnan(values)), [0, 1, 1, 1, 1])
    self.assertAlmostEqual(drawn.A[0] / found.law.A, 1)


class RefusalTest(parameterized.TestCase):
  def test_too_few(self):
    N, D, L = study(noise=0)
    found = fit(N[:4], D[:4], L[:4], DRAWS)
    self.assertEqual(found.status, 'too_few_points')
    self.assertIn('4 runs', found.sentence)
    some = [0, 5, 11, 15, 23, 8, 12, 19]
    for n in (5, 6, 7):
      found = fit(N[some[:n]], D[some[:n]], L[some[:n]], DRAWS)
      self.assertEqual(found.status, 'no_degrees_of_freedom')
      self.assertIn(f'{n} runs', found.sentence)
      self.assertIsNone(found.draws)
      # Five losses without noise still tell five numbers.
      np.testing.assert_allclose(found.law, laws.HOFFMANN, rtol=1e-5)
    self.assertTrue(fit(N[some], D[some], L[some]).ok)

  def test_one_budget(self):
    N, D, L = study(models=24, budgets=(1e20,), noise=0)
    found = fit(N, D, L, n_budgets=1)
    self.assertEqual(found.status, 'not_identified')
    self.assertIn('a second budget', found.sentence)
    self.assertIsNone(found.fit)

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
      self.assertEqual(found.status, 'not_identified')
      self.assertIn(f'D as N^{power:.2f}', found.sentence)

  def test_one_or_two_sizes(self):
    N, D, L = study(noise=0)
    two = np.where(np.arange(24) % 2, 1e9, 2e9)
    for n, d, words in (
      (np.full(24, 1e9), D, '1 different N'),
      (N, np.full(24, 1e10), '1 different D'),
      (N, two * 10, '2 different D'),
      (two * (1 + 1e-9 * N / N.max()), D, '2 different N'),
    ):
      found = fit(n, d, L)
      self.assertEqual(found.status, 'not_identified')
      self.assertIn(words, found.sentence)

  @parameterized.parameters(*fit_lib.SOLVERS)
  def test_a_loss_that_rises_with_size(self, solver):
    N, D, _ = study()
    found = fit(N, D, 1.5 + 1e-3 * N**0.25 + 400 * D**-0.3, solver=solver)
    self.assertEqual(found.status, 'not_identified')
    self.assertIn('does not fall with both N and D', found.sentence)
    self.assertIn('alpha -0.25', found.sentence)
    self.assertIsNone(found.law)
    self.assertLess(found.fit.objective, 1e-12)

  @parameterized.named_parameters(
    ('of_nothing', lambda N, D: np.full(24, 3.0)),
    ('of_N_alone', lambda N, D: 2 + 300 * N**-0.3),
    ('of_D_alone', lambda N, D: 2 + 300 * D**-0.3),
    ('without_a_floor', lambda N, D: 300 * N**-0.3 + 400 * D**-0.2),
  )
  def test_a_loss(self, loss):
    N, D, _ = study()
    found = fit(N, D, loss(N, D), DRAWS)
    self.assertEqual(found.status, 'not_identified')
    self.assertIsNone(found.law)

  def test_three_kinds_of_runs(self):
    N, D, L = (np.repeat(x[:3], 7) for x in study())
    found = fit(N, D, L, DRAWS)
    self.assertEqual(found.status, 'not_identified')

  def test_unknown_words(self):
    for name, known in (
      ('starts', 'both, projection, grid'),
      ('solver', 'auto, jax, optimistix'),
      ('method', 'auto, runs, noise'),
    ):
      with self.assertRaisesRegex(ValueError, f"{name}='best'.*{known}"):
        fit(*study(), **{name: 'best'})


if __name__ == '__main__':
  absltest.main()
