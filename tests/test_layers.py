"""Hand-written backward passes against autodiff of the plain definitions."""

from absl.testing import absltest
from absl.testing import parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from scaling_jax.training import attention
from scaling_jax.training import layers


def normal(seed, *shape):
  return jax.random.normal(jax.random.key(seed), shape)


def assert_same_gradients(found, expected, arguments):
  """Two functions agree in value and in the gradient of a random projection."""
  out = expected(*arguments)
  weights = normal(99, *out.shape)
  np.testing.assert_allclose(found(*arguments), out, rtol=1e-5, atol=1e-5)
  gradients = [
    jax.grad(lambda *a, f=f: jnp.sum(f(*a) * weights), argnums=(0, 1))(
      *arguments
    )
    for f in (found, expected)
  ]
  for one, other in zip(*gradients):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


class LayersTest(parameterized.TestCase):
  @parameterized.parameters((5, 3), (3, 5), (4, 4))
  def test_matmul(self, n_in, n_out):
    arguments = (normal(0, 7, n_in), normal(1, n_in, n_out))
    assert_same_gradients(layers.matmul, jnp.matmul, arguments)

  def test_layer_norm(self):
    def plain(x, scale):
      centred = x - x.mean(-1, keepdims=True)
      variance = (centred**2).mean(-1, keepdims=True)
      return centred / jnp.sqrt(variance + 1e-5) * scale

    arguments = (3 * normal(0, 6, 8) + 2, normal(1, 8))
    assert_same_gradients(layers.layer_norm, plain, arguments)

  def test_layer_norm_of_a_constant_row(self):
    y, vjp = jax.vjp(layers.layer_norm, jnp.full((1, 8), 1e4), jnp.ones(8))
    np.testing.assert_array_equal(y, 0.0)
    self.assertTrue(np.isfinite(vjp(jnp.ones((1, 8)))[0]).all())

  def test_gelu_is_exact(self):
    x = np.linspace(-6, 6, 101)
    found = layers.gelu(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(found, x * special.ndtr(x), atol=1e-6)

  def test_attention_backward_matches_autodiff(self):
    T, H = 6, 2
    assert_same_gradients(
      lambda x, _: attention.attend(x, T, H),
      lambda x, _: attention.attend_with(lambda p: p, x, T, H),
      (normal(0, 3 * T, 3 * 8), jnp.zeros(1)),
    )

  def test_attention_under_vmap(self):
    x = normal(0, 4, 12, 3 * 8)
    found = jax.vmap(lambda x: attention.attend(x, 6, 2))(x)
    each = jnp.stack([attention.attend(one, 6, 2) for one in x])
    np.testing.assert_allclose(found, each, rtol=1e-5, atol=1e-6)


if __name__ == '__main__':
  absltest.main()
