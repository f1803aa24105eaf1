"""Laws that might be true."""

from absl.testing import absltest
import numpy as np

from scaling_jax import published
from scaling_jax.errors import UserError
from scaling_jax.planner import law_registry
from scaling_jax.planner import prior
from tests.planner import own_fits


def rng():
  return np.random.default_rng(0)


def near(law, count):
  return prior.near(law_registry.law_of(law), count, rng()).law


class AnywhereTest(absltest.TestCase):
  def test_each_range_is_spread_evenly(self):
    C, count = 3e14, 40
    found = prior.anywhere(C, count, rng()).law
    best = found.optimum(C)
    np.testing.assert_allclose(best.L, 1, rtol=1e-9)
    share = {
      'alpha': (found.alpha, prior.EXPONENTS, float),
      'beta': (found.beta, prior.EXPONENTS, float),
      'reducible': (1 - found.E, prior.REDUCIBLE, np.log),
      'ratio': (best.D / best.N, prior.TOKENS_PER_PARAM, np.log),
    }
    for name, (x, ends, scale) in share.items():
      low, high = scale(ends[0]), scale(ends[1])
      scaled = np.asarray(x if scale is float else scale(x))
      where = np.sort((scaled - low) / (high - low))
      np.testing.assert_allclose(
        where, (np.arange(count) + 0.5) / count, atol=1e-6, err_msg=name
      )
    for one in found:
      self.assertLen(np.unique(one), count)

  def test_no_two_qualities_move_together(self):
    found = prior.anywhere(1e15, 60, rng()).law
    together = np.corrcoef([found.alpha, found.beta, np.log(1 - found.E)])
    self.assertLess(np.abs(together - np.eye(3)).max(), 0.35)


class NearTest(absltest.TestCase):
  def test_published(self):
    found = near('besiroglu', 50)
    self.assertEqual(np.shape(found.alpha), (50,))
    alpha = published.BESIROGLU.alpha
    self.assertAlmostEqual(np.median(found.alpha), alpha, places=2)
    fixed = near('hoffmann', 3)
    np.testing.assert_allclose(np.transpose(fixed), [published.HOFFMANN] * 3)

  def test_one_s_own_by_its_draws_jointly(self):
    fit = own_fits.chinchilla_fit(draws=2000)
    found = near(fit, 1500)
    drawn = np.transpose(fit.draws)
    self.assertTrue(np.isin(np.transpose(found), drawn).all())
    # Alpha and beta move against each other, which intervals would not tell.
    for one in (fit.draws, found):
      self.assertLess(np.corrcoef(one.alpha, one.beta)[0, 1], -0.2)

  def test_a_draw_without_a_law_is_none_of_them(self):
    fit = own_fits.chinchilla_fit()
    fit.param_draws[::3] = np.nan
    self.assertTrue(np.isfinite(near(fit, 200)).all())

  def test_few_draws_are_drawn_again(self):
    found = near(own_fits.chinchilla_fit(draws=10), 50)
    self.assertEqual(np.shape(found.E), (50,))
    self.assertLessEqual(len(np.unique(found.E)), 10)

  def test_without_draws_the_law_is_repeated(self):
    fit = own_fits.chinchilla_fit(draws=0)
    np.testing.assert_allclose(np.transpose(near(fit, 3)), [fit.law] * 3)

  def test_another_form_cannot_be_judged_by(self):
    for law in ('kaplan', own_fits.isoflop_fit()):
      with self.assertRaises(UserError):
        near(law, 3)


if __name__ == '__main__':
  absltest.main()
