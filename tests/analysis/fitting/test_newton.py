"""Newton's refits, against `multistart` and minima that are known."""

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.fitting import kaplan_forms as forms
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting import newton

X = np.linspace(-1, 1, 12)


def lines(y_BN):
  """Problems y = a + b x."""

  def problem(params, which):
    slope = np.broadcast_to(
      np.stack([np.ones(12), X], -1), (len(params), 12, 2)
    )
    r = params[:, :1] + params[:, 1:] * X - y_BN[which]
    return newton.Residuals(r, slope, lambda c: np.zeros((len(c), 2, 2)))

  return problem


def double_well(params, which):
  """r = (p² - 1, p/10): a maximum at 0, minima about -1 and 1."""
  del which
  p = params[:, 0]
  return newton.Residuals(
    np.stack([p**2 - 1, p / 10], -1),
    np.stack([2 * p, np.full_like(p, 0.1)], -1)[..., None],
    lambda c: (2 * c[:, 0])[:, None, None],
  )


class RefitTest(absltest.TestCase):
  def test_lines(self):
    y = np.random.default_rng(0).normal(size=(900, 12))
    found = newton.refit(lines(y), np.zeros(2), 900, delta=100.0)
    self.assertTrue(found.converged.all())
    expected = np.polynomial.polynomial.polyfit(X, y.T, 1).T
    np.testing.assert_allclose(found.params, expected, atol=1e-9)

  def test_outliers_pull_no_more_than_delta(self):
    y = np.tile(1 + 2 * X, (2, 1))
    y[1, 6] += 1e6
    found = newton.refit(lines(y), np.zeros(2), 2, delta=0.5)
    self.assertTrue(found.converged.all())
    np.testing.assert_allclose(found.params[0], [1, 2], atol=1e-9)
    # The others share its pull: their residuals and half of delta sum to none.
    r = found.params[1, 0] + found.params[1, 1] * X - y[1]
    pull = np.clip(r, -0.5, 0.5)
    self.assertAlmostEqual(pull.sum(), 0, delta=1e-9)
    self.assertAlmostEqual((pull * X).sum(), 0, delta=1e-9)

  def test_a_maximum_is_left(self):
    found = newton.refit(double_well, np.array([1e-3]), 1, delta=100.0)
    self.assertTrue(found.converged[0])
    self.assertAlmostEqual(found.params[0, 0], np.sqrt(1 - 0.005), delta=1e-9)

  def test_what_is_nowhere_finite(self):
    def problem(params, which):
      found = lines(np.zeros((3, 12)))(params, which)
      return found._replace(r=np.where(which[:, None] == 1, np.nan, found.r))

    found = newton.refit(problem, np.ones(2), 3, delta=1.0)
    np.testing.assert_array_equal(found.converged, [True, False, True])

  def test_the_refits_of_multistart(self):
    form = forms.ND
    rng = np.random.default_rng(0)
    log_N, log_x = rng.normal(size=(2, 20))
    params = np.array([0.9, 0.8, 0.3, 0.4])
    loss = form.loss(params, log_N, log_x, np)
    redrawn = loss + 0.02 * rng.normal(size=(50, 20))

    def problem(logs, which):
      L, slope, curvature = form.derivatives(logs, log_N, log_x)
      return newton.Residuals(
        1e3 * (L - redrawn[which]), 1e3 * slope, lambda c: 1e3 * curvature(c)
      )

    ours = newton.refit(problem, form.to_logs(params), 50, delta=100.0)
    data = {
      name: np.broadcast_to(x, (50, 20))
      for name, x in (('log_N', log_N), ('log_x', log_x), ('L', redrawn))
    }
    theirs = multistart.refit(
      form.residuals,
      params,
      data,
      np.ones((50, 20)),
      delta=100.0,
      batched_data=True,
    )
    both = ours.converged & theirs.converged
    self.assertGreater(both.mean(), 0.95)
    np.testing.assert_allclose(
      form.to_params(ours.params)[both], theirs.params[both], rtol=1e-5
    )


if __name__ == '__main__':
  absltest.main()
