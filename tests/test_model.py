"""The GPT against closed forms and an independent float64 reference."""

import math

from absl.testing import absltest
from absl.testing import parameterized
from flax import nnx
import jax
import jax.numpy as jnp
import numpy as np

from scaling_jax import budget
from scaling_jax.training import model as model_lib
from scaling_jax.training import step as step_lib
from tests import reference

SMALL = model_lib.GPTConfig(
  n_layer=3, n_head=4, n_embd=32, block_size=16, vocab_size=11
)


def noisy_params(config, seed=0):
  """Initial parameters moved far enough that no term is negligible."""
  params = step_lib.init_params(config, seed)
  leaves, tree = jax.tree.flatten(params)
  keys = jax.random.split(jax.random.key(seed + 1), len(leaves))
  moved = [
    p + 0.2 * jax.random.normal(k, p.shape) for p, k in zip(leaves, keys)
  ]
  return jax.tree.unflatten(tree, moved)


def windows(config, batch=3, seed=0):
  rng = np.random.default_rng(seed)
  shape = (batch, config.block_size + 1)
  return rng.integers(0, config.vocab_size, shape).astype(np.uint8)


class ParametersTest(parameterized.TestCase):
  @parameterized.product(name=list(budget.FAMILY), bias=[False, True])
  def test_leaves_match_the_closed_form(self, name, bias):
    shape = budget.model_shape(name)
    config = model_lib.GPTConfig(*shape, 32, 66, bias=bias)
    abstract = jax.eval_shape(lambda: step_lib.init_params(config, 0))
    counted = budget.count_parameters(shape, 32, 66, bias)
    self.assertEqual(
      sum(math.prod(p.shape) for p in jax.tree.leaves(abstract)), counted.total
    )
    inner = {k: v for k, v in abstract.items() if k not in ('wte', 'wpe')}
    self.assertEqual(
      sum(math.prod(p.shape) for p in jax.tree.leaves(inner)), counted.N
    )

  @parameterized.parameters((False, 124_337_664), (True, 124_439_808))
  def test_gpt2(self, bias, total):
    config = model_lib.GPTConfig(12, 12, 768, 1024, 50257, bias=bias)
    abstract = jax.eval_shape(lambda: step_lib.init_params(config, 0))
    self.assertEqual(
      sum(math.prod(p.shape) for p in jax.tree.leaves(abstract)), total
    )

  def test_initial_standard_deviations(self):
    config = SMALL._replace(n_embd=128, n_layer=4, vocab_size=200, bias=True)
    params = step_lib.init_params(config, 0)
    blocks = params['blocks']
    residual = 0.02 / math.sqrt(2 * config.n_layer)
    for leaf, std in (
      (params['wte']['embedding'], 0.02),
      (params['wpe']['embedding'], 0.02),
      (blocks['attn']['qkv']['kernel'], 0.02),
      (blocks['mlp']['fc']['kernel'], 0.02),
      (blocks['attn']['proj']['kernel'], residual),
      (blocks['mlp']['proj']['kernel'], residual),
    ):
      # Five standard errors of a sample's standard deviation.
      room = 5 / math.sqrt(2 * leaf.size)
      self.assertAlmostEqual(float(leaf.std()) / std, 1.0, delta=room)
      self.assertLess(abs(float(leaf.mean())), 5 * std / math.sqrt(leaf.size))
    for norm in (blocks['ln_1'], blocks['ln_2'], params['ln_f']):
      np.testing.assert_array_equal(norm['scale'], 1.0)
      np.testing.assert_array_equal(norm['bias'], 0.0)
    np.testing.assert_array_equal(blocks['mlp']['fc']['bias'], 0.0)

  def test_layers_and_seeds_differ(self):
    params = step_lib.init_params(SMALL, 0)
    kernel = params['blocks']['mlp']['fc']['kernel']
    self.assertGreater(float(jnp.abs(kernel[0] - kernel[1]).max()), 0.01)
    other = step_lib.init_params(SMALL, 1)['blocks']['mlp']['fc']['kernel']
    self.assertGreater(float(jnp.abs(kernel - other).max()), 0.01)


class ForwardTest(parameterized.TestCase):
  @parameterized.product(bias=[False, True], unroll=[0, 1])
  def test_logits_match_float64(self, bias, unroll):
    config = SMALL._replace(bias=bias, unroll=unroll)
    params = noisy_params(config)
    tokens_BT = windows(config)[:, :-1]
    graph = step_lib.graphdef(config)
    found = nnx.merge(graph, params)(jnp.asarray(tokens_BT, jnp.int32))
    expected = reference.logits(
      reference.to_float64(params), tokens_BT, config.n_head
    )
    self.assertGreater(expected.std(), 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)

  @parameterized.parameters(False, True)
  def test_gradients_match_float64(self, bias):
    config = SMALL._replace(bias=bias)
    params = noisy_params(config)
    batch = windows(config)
    graph = step_lib.graphdef(config)
    loss, found = jax.value_and_grad(
      lambda p: step_lib.token_losses(graph, p, batch).mean()
    )(params)
    expected_loss, expected = reference.loss_and_gradients(
      reference.to_float64(params), batch, config.n_head
    )
    self.assertAlmostEqual(float(loss), expected_loss, delta=1e-5)
    for path, leaf in reference.leaves(expected):
      np.testing.assert_allclose(
        reference_get(found, path),
        leaf,
        rtol=1e-4,
        atol=1e-5,
        err_msg=str(path),
      )

  def test_a_future_token_has_no_gradient(self):
    params = noisy_params(SMALL)
    graph = step_lib.graphdef(SMALL)
    tokens_BT = jnp.asarray(windows(SMALL)[:1, :-1], jnp.int32)
    seen = 7

    def logit_of(offset_TM):
      moved = jax.tree.map(lambda x: x, params)
      # Each position has its own vector, so its gradient tells what saw it.
      moved['wpe'] = {'embedding': params['wpe']['embedding'] + offset_TM}
      return nnx.merge(graph, moved)(tokens_BT)[0, seen].sum()

    shape = params['wpe']['embedding'].shape
    gradient_TM = jax.jit(jax.grad(logit_of))(jnp.zeros(shape))
    gradient_T = jnp.abs(gradient_TM).sum(axis=1)
    np.testing.assert_array_equal(gradient_T[seen + 1 :], 0.0)
    self.assertGreater(float(gradient_T[: seen + 1].min()), 0.0)

  def test_bfloat16_is_near_and_keeps_float32_parameters(self):
    config = SMALL._replace(dtype='bfloat16')
    params = step_lib.init_params(config, 0)
    self.assertTrue(
      all(p.dtype == jnp.float32 for p in jax.tree.leaves(params))
    )
    tokens_BT = jnp.asarray(windows(config)[:, :-1], jnp.int32)
    low = nnx.merge(step_lib.graphdef(config), params)(tokens_BT)
    high = nnx.merge(step_lib.graphdef(SMALL), params)(tokens_BT)
    self.assertEqual(low.dtype, jnp.float32)
    np.testing.assert_allclose(low, high, atol=0.02)
    self.assertGreater(float(jnp.abs(low - high).max()), 0.0)


class DropoutTest(absltest.TestCase):
  def test_share_and_scale(self):
    x = jnp.ones((200, 200))
    y = np.asarray(model_lib.dropout(x, 0.25, jax.random.key(0)))
    self.assertAlmostEqual((y == 0).mean(), 0.25, delta=0.02)
    np.testing.assert_allclose(y[y > 0], 1 / 0.75, rtol=1e-6)

  def test_four_sites_each_change_the_logits(self):
    # With a site's own weights silenced, the others still drop: count them by
    # the number of bernoulli draws in the program.
    config = SMALL._replace(dropout=0.5, n_layer=1)
    graph, params = step_lib.graphdef(config), step_lib.init_params(config, 0)
    tokens_BT = jnp.zeros((1, 16), jnp.int32)

    def forward(key):
      return nnx.merge(graph, params)(tokens_BT, key)

    program = str(jax.make_jaxpr(forward)(jax.random.key(0)))
    self.assertEqual(program.count('name=_bernoulli'), 4)

  def test_evaluation_drops_nothing(self):
    config = SMALL._replace(dropout=0.5)
    params = noisy_params(SMALL)
    tokens_BT = jnp.asarray(windows(SMALL)[:, :-1], jnp.int32)
    np.testing.assert_array_equal(
      nnx.merge(step_lib.graphdef(config), params)(tokens_BT),
      nnx.merge(step_lib.graphdef(SMALL), params)(tokens_BT),
    )

  def test_key_decides_the_mask(self):
    config = SMALL._replace(dropout=0.5)
    graph, params = step_lib.graphdef(config), noisy_params(SMALL)
    tokens_BT = jnp.asarray(windows(SMALL)[:, :-1], jnp.int32)
    one, again, other = (
      nnx.merge(graph, params)(tokens_BT, jax.random.key(k)) for k in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    self.assertGreater(float(jnp.abs(one - other).max()), 0.1)


def reference_get(tree, path):
  for name in path:
    tree = tree[name]
  return tree


if __name__ == '__main__':
  absltest.main()
