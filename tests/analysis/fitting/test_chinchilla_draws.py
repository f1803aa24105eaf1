"""Redrawn laws: their spread, and their minima beside multistart's."""

import os
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting import chinchilla_draws
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.noise import NoiseModel
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs
from tests.analysis.fitting import law_by_hand
from tests.analysis.fitting.law_by_hand import BUDGETS
from tests.analysis.fitting.law_by_hand import LAWS
from tests.analysis.fitting.law_by_hand import study

DRAWS = 300


def fit(N, D, L, draws=DRAWS, method='auto', seed=0, **kwargs):
  return chinchilla.fit(
    N,
    D,
    L,
    bootstrap=Bootstrap(draws, method, seed),
    starts='projection',
    **kwargs,
  )


def redrawn(found, seed=0, draws=60):
  """Runs, the fit's parameters, and losses of redrawn studies."""
  data = LogData.of(found.N, found.D, found.loss)
  rng = np.random.default_rng(seed)
  noise = bootstrap.noise_draws(rng, draws, len(found.N), found.residual_sd)
  return data, found.point, np.log(found.predicted) + noise


def noise_of(found):
  """Residuals alike in all runs."""
  log_D = np.log(found.D)
  one = np.ones(len(log_D))
  return NoiseModel(found.residual_sd, one, log_D - log_D.mean())


class SpreadTest(parameterized.TestCase):
  def test_that_of_least_squares(self):
    # Where all residuals are far below delta the fit is least squares, whose
    # errors are known; draws are wider by Student's (dof / (dof - 2))^(1/2).
    N, D, L = study(noise=1e-4)
    found = fit(N, D, L, objective=Objective(loss='squares'))
    self.assertEqual(found.method, 'noise')
    drawn = law_by_hand.as_params(found.draws, N, D).std(axis=1)
    errors = law_by_hand.standard_errors(published.HOFFMANN, N, D)
    np.testing.assert_allclose(
      drawn, errors * found.residual_sd.sd * np.sqrt(19 / 17), rtol=0.12
    )

  def test_that_of_many_studies(self):
    # Above delta nothing is known in closed form, but it can be simulated.
    law = published.HOFFMANN
    plan = designs.design(law, BUDGETS, models=6)
    L = simulate.losses(law, plan, 0.003, np.random.default_rng(0), studies=100)
    fits = [
      fit(plan.N, plan.D, one, draws=DRAWS * (i < 12), solver='auto')
      for i, one in enumerate(L)
    ]
    self.assertTrue(all(found.ok for found in fits))
    spread = np.std(
      [law_by_hand.as_params(found.law, plan.N, plan.D) for found in fits],
      axis=0,
    )
    variances = [
      law_by_hand.as_params(found.draws, plan.N, plan.D).var(axis=1) * 17 / 19
      for found in fits[:12]
    ]
    ratio = np.sqrt(np.mean(variances, axis=0)) / spread
    np.testing.assert_allclose(ratio, 1, atol=0.2)

  def test_runs_are_resampled_on_demand(self):
    few = study(noise=0.002)
    self.assertEqual(fit(*few, draws=0).method, 'noise')
    found = fit(*few, method='runs')
    self.assertEqual(found.method, 'runs')
    errors = law_by_hand.standard_errors(published.HOFFMANN, *few[:2])
    spread = np.nanstd([found.draws.alpha, found.draws.beta], axis=1)
    np.testing.assert_array_less(0.4 * errors[3:] * 0.002, spread)
    np.testing.assert_array_less(spread, 2.5 * errors[3:] * 0.002)

  def test_deterministic_by_seed(self):
    one, same, other = (fit(*study(), seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.param_draws, same.param_draws)
    self.assertFalse(np.any(one.draws.alpha == other.draws.alpha))
    self.assertEqual(one.law, other.law)
    none = fit(*study(), draws=0)
    self.assertEqual(none.param_draws.shape, (0, 5))
    self.assertEqual(none.law, one.law)


class MinimaTest(parameterized.TestCase):
  """The minima of the BFGS in NumPy are optimistix's, and the objective's."""

  @parameterized.product(
    law=tuple(LAWS.values()), noise=(1e-4, 3e-3), by=('noise', 'runs')
  )
  def test_they_are_multistart_s(self, law, noise, by):
    found = fit(*study(law, noise), draws=0)
    data, start, log_L = redrawn(found)
    if by == 'noise':
      mine = chinchilla_draws.refits(data, start, log_L)
      theirs = chinchilla_draws.refits(data, start, log_L, 'optimistix')
    else:
      mine, theirs = (
        chinchilla_draws.draw(
          data, start, noise_of(found), Bootstrap(60), 'runs', solver
        )
        for solver in ('auto', 'optimistix')
      )
    both = np.isfinite(mine[:, 0]) & np.isfinite(theirs[:, 0])
    self.assertGreater(both.mean(), 0.9)
    self.assertLessEqual(np.sum(np.isnan(mine) ^ np.isnan(theirs)), 5 * 2)
    off = np.abs(mine - theirs)[both] / np.abs(theirs[both]).max(0)
    self.assertLess(np.median(off), 1e-8)
    # Where resampled runs have two minima, rounding may choose.
    self.assertGreater(np.mean(off.max(1) < 1e-6), 0.97)

  def test_derivatives(self):
    found = fit(*study(noise=3e-3), draws=0)
    data, start, log_L = redrawn(found, draws=4)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, log_L.shape) * 1.0
    params = start + 0.1 * rng.normal(size=(4, 5))
    problems = chinchilla_draws.Problems(data, log_L, weights)
    which, step = np.arange(4), 1e-6 * np.eye(5)
    value, gradient = problems.slopes(which, params)
    curvature = problems.curvature(which, params)
    for k in range(4):
      left = chinchilla_data.residuals_of(params[k], data)
      left = left + data.log_L - log_L[k]
      huber = multistart.huber(left, chinchilla_data.DELTA, np)
      self.assertAlmostEqual(value[k], np.sum(weights[k] * huber))
      jacobian = (
        np.stack(
          [
            chinchilla_data.residuals_of(params[k] + s, data)
            - chinchilla_data.residuals_of(params[k] - s, data)
            for s in step
          ]
        )
        / 2e-6
      )
      pull = weights[k] * np.clip(left, -1e-3, 1e-3)
      np.testing.assert_allclose(gradient[k], jacobian @ pull, rtol=1e-6)
      size = weights[k] / np.maximum(np.abs(left), 1e-3)
      np.testing.assert_allclose(
        curvature[k], (jacobian * size) @ jacobian.T, rtol=1e-6
      )

  def test_each_from_its_own_start(self):
    found = fit(*study(noise=1e-3), draws=0)
    data, start, log_L = redrawn(found)
    once = chinchilla_draws.refits(data, start, log_L)
    again = chinchilla_draws.refits(data, once, log_L)
    np.testing.assert_allclose(again, once, rtol=1e-6)

  def test_as_many_threads_as_one(self):
    found = fit(*study(noise=1e-3), draws=0)
    data, start, log_L = redrawn(found, draws=700)
    with mock.patch.object(os, 'cpu_count', lambda: 1):
      one = chinchilla_draws.refits(data, start, log_L)
    with mock.patch.object(os, 'cpu_count', lambda: 3):
      three = chinchilla_draws.refits(data, start, log_L)
    np.testing.assert_allclose(three, one, rtol=1e-6)

  def test_a_study_that_is_no_study(self):
    found = fit(*study(noise=1e-3), draws=0)
    data, start, log_L = redrawn(found, draws=3)
    whole = chinchilla_draws.refits(data, start, log_L)
    log_L[1] = np.nan
    log_L[2, 0] = np.inf
    drawn = chinchilla_draws.refits(data, start, log_L)
    np.testing.assert_allclose(drawn[0], whole[0], rtol=1e-9)
    self.assertTrue(np.isnan(drawn[1:]).all())


class NoLawTest(absltest.TestCase):
  def test_draws_that_are_no_law_are_not_numbers(self):
    # Text hardly matters here, so that in some draws it does harm.
    law = laws.Chinchilla(2.0, 400.0, 4.0, 0.34, 0.28)
    N, D, L = study(law, 0.01, models=8, reach=2.0, budgets=(1e20, 2e20, 4e20))
    found = fit(N, D, L, draws=0)
    self.assertTrue(found.ok)
    drawn = chinchilla_draws.draw(
      LogData.of(N, D, L), found.point, noise_of(found), Bootstrap(DRAWS),
      'noise',
    )  # fmt: skip
    undefined = np.isnan(drawn[:, 0])
    self.assertTrue(undefined.any() and not undefined.all())
    for values in LogData.of(N, D, L).law(drawn):
      np.testing.assert_array_equal(np.isfinite(values), ~undefined)
      self.assertTrue(np.all(values[~undefined] > 0))
    # Where they are many nothing bounds the law, and none is shown.
    open_ended = fit(N, D, L)
    self.assertEqual(open_ended.status, Status.NOT_IDENTIFIED)
    self.assertIsNone(open_ended.point)
    self.assertTrue(np.isnan(open_ended.law).all())

  def test_which_refits_are_draws(self):
    found = fit(*study(), draws=0)
    params = np.tile(found.point, (5, 1))
    params[2, 3], params[3, 4], params[4, 0] = -0.1, 0.0, 800.0
    refits = multistart.Refits(params, np.array([1, 0, 1, 1, 1], bool))
    with mock.patch.object(multistart, 'refit', return_value=refits):
      drawn = chinchilla_draws.draw(
        LogData.of(found.N, found.D, found.loss),
        found.point,
        noise_of(found),
        Bootstrap(5),
        'runs',
        'optimistix',
      )
    np.testing.assert_array_equal(drawn[0], found.point)
    self.assertTrue(np.isnan(drawn[1:]).all())


if __name__ == '__main__':
  absltest.main()
