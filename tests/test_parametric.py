"""Approach 3 against published fits, SciPy and laws that are known."""

import csv
import functools
import pathlib

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest
from scipy import optimize

from scaling_jax import laws
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import parametric
from scaling_jax.analysis import simulate
from tests import law_by_hand
from tests import studies

CHINCHILLA = (
  pathlib.Path(__file__).resolve().parents[2]
  / 'shared' / 'data' / 'published' / 'chinchilla_figure4.csv'
)  # fmt: skip

BUDGETS = (1e19, 1e20, 1e21, 1e22)
LAWS = {
  'hoffmann': laws.HOFFMANN,
  'besiroglu': laws.BESIROGLU,
  'much_text': laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55),
  'much_model': laws.Chinchilla(1.2, 6e3, 60.0, 0.6, 0.2),
  'little_noise_floor': laws.Chinchilla(0.05, 40.0, 60.0, 0.25, 0.3),
}
MATRIX = [(f'{name}_{solver}', law, solver)
          for name, law in LAWS.items() for solver in fit_lib.SOLVERS]  # fmt: skip
DRAWS = 300  # one count, because each is compiled anew


def study(law=laws.HOFFMANN, noise=1e-3, seed=0, **design):
  """N, D, L of a simulated study."""
  plan = studies.design(law, **{'budgets': BUDGETS, 'models': 6} | design)
  return plan.N, plan.D, studies.noisy(law, plan, noise, seed)


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
    ('jax', 'projection'),
    ('optimistix', 'both'),
    ('optimistix', 'projection'),
  )
  def test_the_optimum(self, solver, starts):
    self.check(solver, starts)

  @pytest.mark.slow
  def test_the_optimum_from_the_whole_grid(self):
    found = self.check('optimistix', 'grid')
    self.assertEqual(found.fit.n_starts, 4500)

  @pytest.mark.slow
  def test_the_optimum_from_all_starts_with_jax(self):
    self.check('jax', 'both')

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
    N, D, L = study(models=4, reach=2.0, budgets=(1e20, 2e20), noise=0.003)
    centred = parametric.Centred.of(N, D, L)
    found = fit(N, D, L)
    drawn = parametric.draw(
      centred, found.fit.params, found.noise, DRAWS, 'noise'
    )
    undefined = np.isnan(drawn.E)
    self.assertTrue(undefined.any() and not undefined.all())
    for values in drawn:
      np.testing.assert_array_equal(np.isfinite(values), ~undefined)
      self.assertTrue(np.all(values[~undefined] > 0))
    # Where they are many nothing bounds the law, and none is shown.
    self.assertTrue(found.ok)
    open_ended = fit(N, D, L, DRAWS)
    self.assertEqual(open_ended.status, 'not_identified')
    self.assertIn(f'{undefined.mean():.0%} of studies', open_ended.sentence)
    self.assertIsNone(open_ended.law)


class RefusalTest(parameterized.TestCase):
  def test_too_few(self):
    N, D, L = study(noise=0)
    found = fit(N[:4], D[:4], L[:4], DRAWS)
    self.assertEqual(found.status, 'too_few_points')
    self.assertIn('4 runs', found.sentence)
    five = [0, 5, 11, 15, 23]
    found = fit(N[five], D[five], L[five], DRAWS)
    self.assertEqual(found.status, 'no_degrees_of_freedom')
    self.assertIsNone(found.draws)
    self.assertIsNone(found.noise)
    # Five losses without noise still tell five numbers.
    np.testing.assert_allclose(found.law, laws.HOFFMANN, rtol=1e-6)

  def test_one_budget(self):
    N, D, L = study(models=24, budgets=(1e20,), noise=0)
    found = fit(N, D, L, n_budgets=1)
    self.assertEqual(found.status, 'not_identified')
    self.assertIn('a second budget', found.sentence)
    self.assertIsNone(found.fit)
    self.assertNotIn('budget', fit(N, D, L).sentence)  # None: not asked

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


class OptimumAlongTest(parameterized.TestCase):
  @parameterized.product(law=tuple(LAWS.values()), slope=(-1.0, -0.9))
  def test_numeric_minimum(self, law, slope):
    at_zero = np.log(1e21 / 6) + (slope + 1) * np.log(1e-9)
    found = optimize.minimize_scalar(
      lambda log_N: law.loss(np.exp(log_N), np.exp(slope * log_N + at_zero)),
      bounds=(10, 35),
      method='bounded',
      options={'xatol': 1e-9},
    )
    log_N = parametric.optimum_along(law, slope, at_zero)
    self.assertAlmostEqual(log_N, found.x, delta=1e-5)
    if slope == -1:
      self.assertAlmostEqual(log_N, np.log(law.optimum(1e21).N), delta=1e-10)

  def test_a_law_of_arrays(self):
    many = laws.Chinchilla(*np.array(list(LAWS.values())).T)
    many.E[1], many.alpha[2] = np.nan, -0.1
    log_N = parametric.optimum_along(many, -1, np.log(1e21 / 6))
    one = parametric.optimum_along(laws.HOFFMANN, -1, np.log(1e21 / 6))
    self.assertEqual(log_N.shape, (5,))
    self.assertAlmostEqual(log_N[0], one)
    # A share that rises has no minimum, and no warning is given.
    self.assertSequenceEqual(list(np.isnan(log_N)), [0, 0, 1, 0, 0])


class StartsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.runs = study(noise=0.002)
    self.centred = parametric.Centred.of(*self.runs)

  def objectives(self, starts):
    N, D, L = (np.log(x) for x in self.runs)
    n, d = N - N.mean(), D - D.mean()
    out = []
    for a, b, e, alpha, beta in starts:
      terms = np.exp(a - alpha * n), np.exp(b - beta * d), np.exp(e)
      size = np.abs(np.log(sum(terms)) - L)
      out.append(np.where(size < 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum())
    return np.array(out)

  def test_hoffmann_s_grid(self):
    # Hoffmann et al. (2022), appendix D.3 of v1: the values of each parameter.
    grid = parametric.grid_starts(self.centred)
    self.assertEqual(grid.shape, (4500, 5))
    log_N, log_D = (np.log(x).mean() for x in self.runs[:2])
    a, b = grid[:, 0] + grid[:, 3] * log_N, grid[:, 1] + grid[:, 4] * log_D
    rows = np.round(np.column_stack([a, b, grid[:, 2:]]), 9)
    self.assertLen(np.unique(rows, axis=0), 4500)
    for column, values in zip(
      rows.T,
      (range(0, 30, 5), range(0, 30, 5), (-1, -0.5, 0, 0.5, 1))
      + ((0, 0.5, 1, 1.5, 2),) * 2,
    ):
      np.testing.assert_array_equal(np.unique(column), values)

  def test_the_most_promising_of_the_grid(self):
    grid = parametric.grid_starts(self.centred)
    best = self.objectives(parametric.grid_starts(self.centred, 24))
    self.assertTrue(np.all(np.diff(best) >= 0))
    every = np.sort(self.objectives(grid))[:24]
    np.testing.assert_allclose(best, every, rtol=1e-9)

  def test_projection_knows_what_is_linear(self):
    # With exponents that lie on its grid and no noise it starts at the truth.
    exponents = np.geomspace(0.05, 1.5, 24)
    law = laws.Chinchilla(1.7, 400.0, 2000.0, exponents[13], exponents[12])
    N, D, L = study(law, noise=0)
    centred = parametric.Centred.of(N, D, L)
    starts = parametric.projection_starts(centred)
    self.assertEqual(starts.shape, (24, 5))
    np.testing.assert_allclose(
      starts[0], law_by_hand.as_params(law, N, D), atol=1e-8
    )
    np.testing.assert_allclose(centred.law(starts[0]), law, rtol=1e-6)

  def test_projection_is_near_with_noise(self):
    starts = parametric.projection_starts(self.centred)
    found = self.objectives(starts)
    self.assertTrue(np.all(np.diff(found) >= 0))
    self.assertLess(
      found[-1], self.objectives(parametric.grid_starts(self.centred)).min()
    )

  def test_pad(self):
    for n, padded in ((1, 32), (31, 32), (32, 32), (33, 64)):
      x = np.arange(1.0, n + 1)
      wide = parametric.pad(np.stack([x, -x]))
      self.assertEqual(wide.shape, (2, padded))
      np.testing.assert_array_equal(wide[:, :n], [x, -x])
      self.assertFalse(wide[:, n:].any())
      np.testing.assert_array_equal(parametric.pad(x), wide[0])


if __name__ == '__main__':
  absltest.main()
