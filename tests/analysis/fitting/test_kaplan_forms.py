"""Kaplan's laws as they are fitted, against their closed forms."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import kaplan_forms as forms

LAWS = {
  'ND': laws.Kaplan(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103),
  'NS': laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76),
}
CENTER = np.log([1e7, 3e4])


def points(seed=0):
  """log N and log x from the center, and four parameters."""
  rng = np.random.default_rng(seed)
  log_N, log_x = rng.normal(size=(2, 9))
  params = np.array([0.4, 0.3, 0.2, 0.5]) + 0.1 * rng.normal(size=(3, 4))
  return log_N, log_x, params


@parameterized.parameters(*forms.FORMS)
class FormTest(parameterized.TestCase):
  def test_the_law_is_what_is_fitted(self, name):
    form = forms.FORMS[name]
    log_N, log_x, params = points()
    law = form.law(params[0], CENTER)
    self.assertIsInstance(law, form.kind)
    np.testing.assert_allclose(
      form.loss(params[0], log_N, log_x, np),
      law.loss(np.exp(log_N + CENTER[0]), np.exp(log_x + CENTER[1])),
    )

  def test_logs_are_the_loss_of_one_term(self, name):
    # Where the other is infinite the loss is e^(log - exponent · log x).
    form = forms.FORMS[name]
    _, _, params = points()
    logs = form.to_logs(params[0])
    np.testing.assert_allclose(form.to_params(logs), params[0])
    alone = form.loss(params[0], np.array([0.0]), np.array([1e4]), np)
    np.testing.assert_allclose(alone, np.exp(logs[0]), rtol=1e-6)

  def test_derivatives(self, name):
    form = forms.FORMS[name]
    log_N, log_x, params = points()
    logs = form.to_logs(params)
    loss, slope, curvature = form.derivatives(logs, log_N, log_x)
    expected = [form.loss(row, log_N, log_x, np) for row in params]
    np.testing.assert_allclose(loss, expected)
    c = np.random.default_rng(1).normal(size=loss.shape)
    bent, step = curvature(c), 1e-5
    for p, move in enumerate(step * np.eye(4)):
      up, down = (
        form.derivatives(logs + m, log_N, log_x) for m in (move, -move)
      )
      np.testing.assert_allclose(
        slope[..., p], (up[0] - down[0]) / (2 * step), atol=1e-8
      )
      np.testing.assert_allclose(
        bent[:, p],
        np.einsum('bn,bnq->bq', c, up[1] - down[1]) / (2 * step),
        atol=1e-7,
      )


if __name__ == '__main__':
  absltest.main()
