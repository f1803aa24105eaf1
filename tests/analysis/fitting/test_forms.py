"""The forms against closed forms, and their slopes against differences."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import forms

N, D = np.geomspace(1e7, 1e10, 9), np.geomspace(3e11, 2e9, 9)
CENTER = (20.0, 23.0)
n, d = np.log(N) - CENTER[0], np.log(D) - CENTER[1]
POINT = np.array([-0.9, -0.6, 0.55, 0.34, 0.28])
PLAIN = {
  'E': np.exp(0.55),
  'A': np.exp(-0.9 + 0.34 * CENTER[0]),
  'B': np.exp(-0.6 + 0.28 * CENTER[1]),
  'alpha': 0.34,
  'beta': 0.28,
}


class FormsTest(parameterized.TestCase):
  def test_chinchilla_is_the_law(self):
    found = np.exp(forms.CHINCHILLA.log_loss(POINT, n, d))
    law = laws.Chinchilla(**PLAIN)
    np.testing.assert_allclose(found, law.loss(N, D), rtol=1e-12)

  @parameterized.parameters(0.5, 1.0, 1.6)
  def test_interaction_is_the_law(self, k):
    at = np.append(POINT, np.log(k))
    found = np.exp(forms.INTERACTION.log_loss(at, n, d))
    law = laws.Interacting(**PLAIN, k=k)
    np.testing.assert_allclose(found, law.loss(N, D), rtol=1e-12)
    self.assertAlmostEqual(forms.INTERACTION.extra(at), k)

  def test_exponent_by_hand(self):
    found = np.exp(forms.EXPONENT.log_loss(np.append(POINT, 0.02), n, d))
    text = np.exp(-0.6 - (0.28 + 0.02 * n) * d)
    by_hand = PLAIN['E'] + PLAIN['A'] * N**-0.34 + text
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)
    self.assertEqual(forms.EXPONENT.extra(np.append(POINT, 0.02)), 0.02)

  @parameterized.named_parameters((f.name, f) for f in forms.ALL)
  def test_jacobian(self, form):
    at = np.append(POINT, 0.2)[: form.n_params]
    steps = 1e-6 * np.eye(form.n_params)
    slopes = [
      (form.log_loss(at + h, n, d) - form.log_loss(at - h, n, d)) / 2e-6
      for h in steps
    ]
    np.testing.assert_allclose(
      form.jacobian(at, n, d), np.transpose(slopes), atol=1e-8
    )

  @parameterized.named_parameters((f.name, f) for f in forms.ALL)
  def test_many_at_once(self, form):
    at = np.random.default_rng(0).normal(0.3, 0.05, (4, form.n_params))
    found = form.log_loss(at.T[..., None], n, d)
    self.assertEqual(found.shape, (4, len(n)))
    np.testing.assert_allclose(found[2], form.log_loss(at[2], n, d))


if __name__ == '__main__':
  absltest.main()
