"""The F-test of approach 3's form: alarms, power, and when it abstains."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize
from scipy import stats

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import form
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from tests.analysis import designs

LAW = published.BESIROGLU
PLAN = designs.design(LAW, budgets=tuple(np.geomspace(1e18, 10**19.5, 4)))


def fitted(L, plan=PLAN):
  return chinchilla.fit(
    plan.N, plan.D, L, bootstrap=Bootstrap(draws=0), starts='projection',
    solver='optimistix',
  )  # fmt: skip


def checked(law, noise, count=25, plan=PLAN):
  rng = np.random.default_rng(0)
  return [
    form.check(fitted(L, plan))
    for L in simulate.losses(law, plan, noise, rng, count)
  ]


class FormTest(parameterized.TestCase):
  @parameterized.parameters(
    (LAW,), (published.HOFFMANN,),
    (simulate.law_through(3e18, 2e8, alpha=0.5, beta=0.3),),
  )  # fmt: skip
  def test_seldom_of_its_own_form(self, law):
    alarms = sum(one.rejected for one in checked(law, 0.003))
    self.assertLessEqual(alarms, 2)  # of 25 at 1.2%: three once in 300

  @parameterized.parameters((0.7, 0.001), (0.7, 0.003), (1.3, 0.001))
  def test_terms_that_interact(self, k, noise):
    found = checked(laws.Interacting(*LAW, k=k), noise)
    self.assertGreaterEqual(sum(one.rejected for one in found), 22)
    kinds = [one.form for one in found]
    self.assertGreater(kinds.count('interaction'), kinds.count('exponent'))

  def test_the_p_value_by_scipy(self):
    L = designs.noisy(laws.Interacting(*LAW, k=0.8), PLAN, 0.003)
    fit = fitted(L)
    found = form.check(dataclasses.replace(fit, noise_exponent=0.0))

    def squares(loss, start):
      best = optimize.least_squares(
        lambda x: loss(x) - np.log(L), start, x_scale=np.abs(start) + 0.1,
        xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=20_000,
      )  # fmt: skip
      return 2 * best.cost

    def chinchilla_loss(x):
      return np.log(
        laws.Chinchilla(*np.exp(x[:3]), *x[3:]).loss(PLAN.N, PLAN.D)
      )

    def interacting_loss(x):
      law = laws.Interacting(*np.exp(x[:3]), *x[3:5], np.exp(x[5]))
      return np.log(law.loss(PLAN.N, PLAN.D))

    E, A, B, alpha, beta = fit.law
    start = np.array([*np.log([E, A, B]), alpha, beta])
    plain = squares(chinchilla_loss, start)
    wide = squares(interacting_loss, np.append(start, -0.1))
    F = (plain - wide) / wide * (len(L) - 6)
    p = min(2 * stats.f.sf(F, 1, len(L) - 6), 1.0)
    self.assertEqual(found.form, 'interaction')
    np.testing.assert_allclose(found.p_value, p, rtol=0.02)

  def test_it_abstains(self):
    fit = fitted(designs.noisy(LAW, PLAN, 0.003))
    self.assertIsNotNone(form.check(fit))
    self.assertIsNone(form.check(dataclasses.replace(fit, model_sd=2.0)))
    few = designs.design(LAW, budgets=(1e18, 1e19), models=4)
    self.assertIsNone(form.check(fitted(designs.noisy(LAW, few, 0.001), few)))


if __name__ == '__main__':
  absltest.main()
