"""Schedule, decay mask and clipping against their definitions."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import jax.numpy as jnp
import numpy as np

from configs import common
from scaling_jax.errors import UserError
from scaling_jax.training import model as model_lib
from scaling_jax.training import optimizer as optimizer_lib
from scaling_jax.training import step as step_lib
from tests import reference


def train_config(**changes):
  train = common.get_config().train
  train.update(changes)
  return train


class ScheduleTest(parameterized.TestCase):
  def test_table(self):
    train = train_config(
      learning_rate=1e-3, min_learning_rate=1e-4, warmup_steps=4
    )
    schedule = optimizer_lib.make_schedule(train, 10)
    # Warmup: fifths of the peak. Then floor + range · (1 + cos(π k / 6)) / 2.
    expected = [2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 9.397114317e-4, 7.75e-4, 5.5e-4,
                3.25e-4, 1.602885683e-4, 1e-4]  # fmt: skip
    found = [float(schedule(i)) for i in range(11)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)

  @parameterized.parameters(22_028, 101, 100, 60, 1)
  def test_nanogpt_s_rule(self, S):
    schedule = optimizer_lib.make_schedule(train_config(), S)
    steps = np.unique(np.linspace(0, S - 1, 40).astype(int))
    found = [float(schedule(i)) for i in steps]
    expected = [reference.learning_rate(i, 1e-3, 1e-4, 100, S) for i in steps]
    np.testing.assert_allclose(found, expected, rtol=1e-5)

  def test_a_constant_rate_without_warmup(self):
    train = train_config(schedule='constant', warmup_steps=0)
    rates = optimizer_lib.learning_rates(train, 7)
    np.testing.assert_allclose(rates, np.full(7, 1e-3), rtol=1e-6)

  @parameterized.parameters(
    ('linear', 0, 10, [1.0, 0.91, 0.82]),
    ('constant', 1, 10, [0.5, 1.0, 1.0]),
    ('cosine', 0, 2, [1.0, 0.55, 0.1]),
  )
  def test_other_schedules(self, schedule, warmup, S, expected):
    train = train_config(
      learning_rate=1.0,
      min_learning_rate=0.1,
      warmup_steps=warmup,
      schedule=schedule,
    )
    rate = optimizer_lib.make_schedule(train, S)
    found = [float(rate(i)) for i in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)

  def test_bad_schedules(self):
    with self.assertRaisesRegex(UserError, "schedule='step' must be one of"):
      optimizer_lib.make_schedule(train_config(schedule='step'), 9)
    with self.assertRaisesRegex(UserError, 'warmup_steps=-1'):
      optimizer_lib.make_schedule(train_config(warmup_steps=-1), 9)

  def test_every_rate_at_once(self):
    train = train_config(warmup_steps=30)
    found = optimizer_lib.learning_rates(train, 200)
    self.assertEqual(found.dtype, np.float32)
    expected = [reference.learning_rate(i, 1e-3, 1e-4, 30, 200)
                for i in range(200)]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-5)


class OptimizerTest(absltest.TestCase):
  def test_decay_mask(self):
    config = model_lib.GPTConfig(2, 2, 8, 4, 5, bias=True)
    mask = optimizer_lib.decay_mask(step_lib.init_params(config, 0))
    decayed = {'.'.join(p) for p, on in reference.leaves(mask) if on}
    self.assertEqual(
      decayed,
      {
        'wte.embedding',
        'wpe.embedding',
        'blocks.attn.qkv.kernel',
        'blocks.attn.proj.kernel',
        'blocks.mlp.fc.kernel',
        'blocks.mlp.proj.kernel',
      },
    )

  def test_clipping_by_the_global_norm(self):
    # One Adam step moves by rate · sign where eps is negligible, whatever the
    # scale; with a huge eps it moves by rate · gradient / eps, which shows it.
    for norm, shrink in ((0.5, 1.0), (20.0, 1 / 20)):
      train = train_config(weight_decay=0.0, warmup_steps=0, beta1=0.0)
      optimizer = optimizer_lib.make_optimizer(optimizer_lib.AdamW.of(train))
      params = {'a': jnp.zeros(1), 'b': jnp.zeros((1, 1))}
      grads = {'a': jnp.full(1, 0.6 * norm), 'b': jnp.full((1, 1), 0.8 * norm)}
      _, state = optimizer.update(
        grads, optimizer.init(params), params, learning_rate=1e-3
      )
      first = state[1].mu
      self.assertAlmostEqual(
        float(first['a'][0]), 0.6 * norm * shrink, places=6
      )
      seen = math.hypot(float(first['a'][0]), float(first['b'][0, 0]))
      self.assertAlmostEqual(seen, min(norm, 1.0), places=6)


if __name__ == '__main__':
  absltest.main()
