"""The update, and pmap(scan(vmap(update))), against independent truths."""

from absl.testing import absltest
from absl.testing import parameterized
import jax
import jax.numpy as jnp
import numpy as np

from configs import common
from scaling_jax.training import model as model_lib
from scaling_jax.training import optimizer as optimizer_lib
from scaling_jax.training import step as step_lib
from tests import reference

CONFIG = model_lib.GPTConfig(
  n_layer=2, n_head=2, n_embd=16, block_size=8, vocab_size=7
)
S = 12


def make_optimizer(**changes):
  train = common.get_config().train
  train.update({'warmup_steps': 2, **changes})
  return optimizer_lib.make_optimizer(optimizer_lib.AdamW.of(train))


def rates(first=0, last=S, **changes):
  train = common.get_config().train
  train.update({'warmup_steps': 2, **changes})
  return optimizer_lib.learning_rates(train, max(S, last))[first:last]


def windows(*shape, seed=0):
  rng = np.random.default_rng(seed)
  T = CONFIG.block_size
  return rng.integers(0, CONFIG.vocab_size, (*shape, T + 1)).astype(np.uint8)


def shared(windows_KSBU, devices):
  K, seeds, B, U = windows_KSBU.shape
  split = windows_KSBU.reshape(K, seeds, devices, B // devices, U)
  return np.moveaxis(split, 2, 0)


def fused_and_states(devices, config=CONFIG, seeds=(0,), grad_accum=1):
  optimizer, devices = make_optimizer(), jax.devices()[:devices]
  train_step = step_lib.make_train_step(config, optimizer, grad_accum)
  states = step_lib.init_states(config, optimizer, seeds, devices)
  return step_lib.fuse(train_step, devices), states


def first_state(config, optimizer):
  """One seed's, without the axis of seeds, on one device."""
  one = jax.devices()[:1]
  states = step_lib.init_states(config, optimizer, (0,), one)
  return jax.tree.map(lambda x: x[0], states)


def run_fused(batches, devices, config=CONFIG, **options):
  fused, states = fused_and_states(devices, config, **options)
  return fused(states, shared(batches, devices), rates(last=len(batches)))


def assert_close(one, other, tolerance):
  for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


class UpdateTest(parameterized.TestCase):
  @parameterized.parameters(False, True)
  def test_three_updates_match_float64(self, bias):
    config = CONFIG._replace(bias=bias)
    optimizer = make_optimizer()
    batches = windows(3, 4)
    state = first_state(config, optimizer)
    slow = reference.AdamW(
      reference.to_float64(state.params),
      beta1=0.9,
      beta2=0.99,
      decay=0.1,
      clip=1.0,
      rate=lambda i: reference.learning_rate(i, 1e-3, 1e-4, 2, S),
    )
    step = jax.jit(step_lib.make_train_step(config, optimizer, axis_name=None))
    for batch, rate in zip(batches, rates()):
      state, metrics = step(state, batch, rate)
      loss, gradients = reference.loss_and_gradients(
        slow.params, batch, config.n_head
      )
      norm = slow.update(gradients)
      self.assertAlmostEqual(float(metrics.loss), loss, delta=1e-5)
      self.assertAlmostEqual(float(metrics.grad_norm), norm, delta=1e-4)
    self.assertEqual(int(state.step), 3)
    initial = step_lib.init_params(config, 0)
    moved = 0.0
    for path, leaf in reference.leaves(slow.params):
      found, start = state.params, initial
      for name in path:
        found, start = found[name], start[name]
      np.testing.assert_allclose(
        found, leaf, rtol=0, atol=1e-5, err_msg=str(path)
      )
      moved = max(moved, float(np.abs(leaf - start).max()))
    self.assertGreater(moved, 1e-3)  # a hundred times the tolerance

  def test_overfits_one_batch(self):
    fused, states = fused_and_states(1)
    # Sequences with different first tokens, so that all else can be learned.
    batch = windows(1, 1, 4)
    batch[..., 0] = np.arange(4)
    repeated = shared(np.repeat(batch, 200, axis=0), 1)
    rising = rates(last=200, warmup_steps=10, learning_rate=1e-2)
    _, metrics = fused(states, repeated, rising)
    losses = np.asarray(metrics.loss)[:, 0]
    self.assertAlmostEqual(losses[0], np.log(CONFIG.vocab_size), delta=0.1)
    self.assertLess(losses[-1], 0.05)

  def test_dropout_depends_on_step_and_device(self):
    config = CONFIG._replace(dropout=0.3)
    batch = np.repeat(windows(1, 1, 4), 2, axis=0)
    _, once = run_fused(batch, 2, config)
    _, again = run_fused(batch, 2, config)
    np.testing.assert_array_equal(once.loss, again.loss)
    _, alone = run_fused(batch, 1, config)
    self.assertNotEqual(float(once.loss[0, 0]), float(alone.loss[0, 0]))


class FuseTest(parameterized.TestCase):
  def test_two_devices_equal_one(self):
    batches = windows(5, 1, 8)
    two, two_metrics = run_fused(batches, 2)
    one, one_metrics = run_fused(batches, 1)
    assert_close(two_metrics, one_metrics, 1e-5)
    assert_close(two.params, one.params, 1e-5)

  def test_replicas_stay_equal(self):
    # out_axes=None takes one device's word for all, so ask each of them.
    optimizer = make_optimizer()
    train_step = step_lib.make_train_step(CONFIG, optimizer)
    state = first_state(CONFIG, optimizer)
    every_rate = rates(last=4)

    def many(state, windows_KBU):
      batches = (windows_KBU, every_rate)
      return jax.lax.scan(lambda s, x: train_step(s, *x), state, batches)[0]

    chunk = jax.pmap(
      many,
      axis_name=step_lib.DATA,
      in_axes=(None, 0),
      devices=jax.devices()[:2],
    )
    states = chunk(state, shared(windows(4, 1, 8), 2)[:, :, 0])
    for leaf in jax.tree.leaves(states.params):
      np.testing.assert_array_equal(leaf[0], leaf[1])

  def test_seeds_side_by_side_equal_seeds_alone(self):
    batches = windows(4, 3, 4)
    together, metrics = run_fused(batches, 2, seeds=(5, 6, 7))
    self.assertEqual(metrics.loss.shape, (4, 3))
    for i, seed in enumerate((5, 6, 7)):
      alone, alone_metrics = run_fused(batches[:, i : i + 1], 2, seeds=(seed,))
      np.testing.assert_allclose(
        metrics.loss[:, i], alone_metrics.loss[:, 0], rtol=1e-5
      )
      one = jax.tree.map(lambda x, i=i: x[i : i + 1], together.params)
      assert_close(one, alone.params, 1e-5)

  @parameterized.parameters(1, 2)
  def test_gradient_accumulation_equals_the_whole_batch(self, devices):
    batches = windows(3, 1, 8)
    whole, whole_metrics = run_fused(batches, devices)
    pieces, metrics = run_fused(batches, devices, grad_accum=2)
    assert_close(metrics, whole_metrics, 1e-5)
    assert_close(pieces.params, whole.params, 1e-5)

  def test_many_steps_equal_few_and_few(self):
    batches = windows(6, 1, 4)
    fused, start = fused_and_states(2)
    copy = jax.tree.map(jnp.array, start)
    at_once, _ = fused(start, shared(batches, 2), rates(0, 6))
    half, _ = fused(copy, shared(batches[:3], 2), rates(0, 3))
    in_two, _ = fused(half, shared(batches[3:], 2), rates(3, 6))
    for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(in_two)):
      np.testing.assert_array_equal(a, b)

  @parameterized.parameters(1, 2)
  def test_results_lie_where_the_first_states_did(self, devices):
    # An update of states that lie otherwise would be compiled once more.
    fused, states = fused_and_states(devices)
    placed = jax.tree.map(lambda x: x.sharding, states)
    states, _ = fused(states, shared(windows(1, 1, 4), devices), rates(0, 1))
    self.assertEqual(jax.tree.map(lambda x: x.sharding, states), placed)

  def test_buffers_are_donated(self):
    fused, states = fused_and_states(2)
    states, _ = fused(states, shared(windows(1, 1, 4), 2), rates(0, 1))
    fused(states, shared(windows(1, 1, 4), 2), rates(0, 1))
    self.assertTrue(states.params['wte']['embedding'].is_deleted())


if __name__ == '__main__':
  absltest.main()
