"""Redrawn laws: their spread, and their minima beside multistart's."""

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


class SpreadTest(parameterized.TestCase):
  def test_that_of_least_squares(self):
    # Where all residuals are far below delta the fit is least squares, whose
    # errors are known; draws are wider by Student's (dof / (dof - 2))^(1/2).
    N, D, L = study(noise=1e-4)
    found = fit(N, D, L)
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
  """Newton's minima are those of optimistix, and of the objective."""

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
          data, start, found.residual_sd, Bootstrap(60), 'runs', solver
        )
        for solver in ('auto', 'optimistix')
      )
    both = np.isfinite(mine[:, 0]) & np.isfinite(theirs[:, 0])
    self.assertGreater(both.mean(), 0.9)
    off = np.abs(mine - theirs)[both] / np.abs(theirs[both]).max(0)
    self.assertLess(np.median(off), 1e-7)
    # Where resampled runs have two minima, each may find another.
    self.assertGreater(np.mean(off.max(1) < 1e-5), 0.95)

  def test_derivatives(self):
    found = fit(*study(noise=3e-3), draws=0)
    data, start, log_L = redrawn(found, draws=4)
    weights = np.random.default_rng(0).integers(0, 3, log_L.shape) * 1.0
    problems = chinchilla_draws.Problems(data, log_L, weights)
    which, params = np.arange(4), start + 0.1 * np.random.default_rng(1).normal(
      size=(4, 5)
    )  # fmt: skip
    here = problems.local(which, params)
    step = 1e-6 * np.eye(5)
    for i in range(5):
      up, down = (problems.local(which, params + s * step[i]) for s in (1, -1))
      np.testing.assert_allclose(
        (up.objective - down.objective) / 2e-6,
        here.gradient[:, i],
        rtol=1e-5,
        atol=1e-8,
      )
      np.testing.assert_allclose(
        (up.gradient - down.gradient) / 2e-6,
        here.curvature[:, i],
        rtol=1e-4,
        atol=1e-6,
      )
    by_hand = multistart.huber(
      chinchilla_data.residuals_of(params[0], data) + data.log_L - log_L[0],
      chinchilla_data.DELTA,
      np,
    )
    self.assertAlmostEqual(here.objective[0], np.sum(weights[0] * by_hand))
    square = problems.square(which, params)
    np.testing.assert_allclose(square.gradient, here.gradient, rtol=1e-9)
    self.assertTrue(np.all(np.linalg.eigvalsh(square.curvature) > 0))

  def test_each_from_its_own_start(self):
    found = fit(*study(noise=1e-3), draws=0)
    data, start, log_L = redrawn(found)
    once = chinchilla_draws.refits(data, start, log_L)
    again = chinchilla_draws.refits(data, once, log_L)
    np.testing.assert_allclose(again, once, rtol=1e-7)

  def test_what_newton_does_not_finish_is_finished(self):
    found = fit(*study(noise=1e-3), draws=0)
    data, start, log_L = redrawn(found, draws=9)
    whole = chinchilla_draws.refits(data, start, log_L)
    with mock.patch.object(chinchilla_draws, 'MAX_STEPS', 2):
      cut = chinchilla_draws.refits(data, start, log_L)
    np.testing.assert_allclose(cut, whole, rtol=1e-6)


class NoLawTest(absltest.TestCase):
  def test_draws_that_are_no_law_are_not_numbers(self):
    # Text hardly matters here, so that in some draws it does harm.
    law = laws.Chinchilla(2.0, 400.0, 4.0, 0.34, 0.28)
    N, D, L = study(law, 0.01, models=8, reach=2.0, budgets=(1e20, 2e20, 4e20))
    found = fit(N, D, L, draws=0)
    self.assertTrue(found.ok)
    drawn = chinchilla_draws.draw(
      LogData.of(N, D, L), found.point, found.residual_sd, Bootstrap(DRAWS),
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
        found.residual_sd,
        Bootstrap(5),
        'runs',
        'optimistix',
      )
    np.testing.assert_array_equal(drawn[0], found.point)
    self.assertTrue(np.isnan(drawn[1:]).all())


if __name__ == '__main__':
  absltest.main()
