"""From a config to checked numbers."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from configs import c0
from configs import c1
from configs import c2
from configs import common
from configs import critical_batch
from configs import kaplan_n
from configs import kaplan_nd
from scaling_jax.errors import UserError
from scaling_jax.training import devices
from scaling_jax.training import settings
from scaling_jax.training import sweep


class ConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    (c0, 6e13, ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3')),
    (c1, 3e14, ('gpt-1', 'gpt-2', 'gpt-3')),
    (c2, 6e14, ('gpt-1', 'gpt-2', 'gpt-3', 'gpt-4')),
  )
  def test_budgets(self, module, C, models):
    config = module.get_config()
    self.assertEqual((config.C, config.models), (C, models))
    self.assertEqual(config.train.batch_size * config.model.block_size, 2048)

  def test_an_argument_narrows(self):
    config = c1.get_config('gpt-2,seeds=3')
    self.assertEqual((config.models, config.seeds), (('gpt-2',), (0, 1, 2)))
    self.assertEqual(settings.shape_of(config), (9, 8, 96))
    self.assertEqual(settings.make_plan(config).S, 24_484)

  @parameterized.parameters('gpt-9', 'gpt-2,seeds=x', 'gpt-2,seeds=0', 'a=b')
  def test_bad_arguments(self, arg):
    with self.assertRaises(UserError):
      c1.get_config(arg)

  def test_each_model_gets_its_shape_and_overrides_stay(self):
    config = c1.get_config()
    config.model.n_head = 2
    shapes = [
      settings.shape_of(settings.for_model(config, name))
      for name in config.models
    ]
    self.assertEqual(shapes, [(4, 2, 96), (9, 2, 96), (10, 2, 128)])
    self.assertIsNone(config.model.n_layer)

  @parameterized.parameters(
    ('train.batch_size', 0),
    ('train.grad_accum', 0),
    ('model.block_size', -1),
    ('eval.every_steps', 0),
    ('checkpoint.keep', 0),
  )
  def test_sizes_must_be_positive(self, field, value):
    config = c0.get_config('gpt-0')
    section, name = field.split('.')
    config[section][name] = value
    with self.assertRaisesRegex(
      UserError, f'{field}={value} must be at least 1'
    ):
      settings.make_plan(config)

  @parameterized.parameters(
    ('train', 'dtype', 'float16', 'must be float32 or bfloat16'),
    ('model', 'dropout', 1.0, 'below 1'),
  )
  def test_bad_models(self, section, name, value, message):
    config = c0.get_config('gpt-0')
    config[section][name] = value
    with self.assertRaisesRegex(UserError, message):
      settings.gpt_config(config, 66)

  def test_n_embd_must_divide(self):
    config = c0.get_config('gpt-0')
    config.model.n_head = 5
    with self.assertRaisesRegex(UserError, 'n_embd=96 must divide by n_head=5'):
      settings.for_model(config, 'gpt-0')

  def test_devices_must_divide_the_batch(self):
    config = common.get_config()
    config.train.batch_size = 65
    with self.assertRaisesRegex(
      UserError, 'batch_size=65 must divide by 2 devices; try 64 or 66'
    ):
      settings.check_devices(config, 2)
    settings.check_devices(config, 5)

  @parameterized.parameters((1e6, 250), (4e9, 125), (3e10, 25), (1e15, 1))
  def test_steps_per_dispatch(self, step_flops, K):
    config = common.get_config()
    found = settings.steps_per_dispatch(config, step_flops, 'cpu')
    self.assertEqual(found, K)

  def test_identity_ignores_how_a_run_is_kept(self):
    one, other = c0.get_config('gpt-0'), c0.get_config('gpt-0,seeds=4')
    other.checkpoint.every_seconds = 5.0
    sha256 = {'train': 'a', 'val': 'b'}
    self.assertEqual(
      settings.identity(one, 0, sha256), settings.identity(other, 0, sha256)
    )
    other.train.beta2 = 0.95
    self.assertNotEqual(
      settings.identity(one, 0, sha256), settings.identity(other, 0, sha256)
    )


class DevicesTest(absltest.TestCase):
  def test_choose(self):
    self.assertLen(devices.choose(None, 8), 2)
    self.assertLen(devices.choose(1, 8), 1)
    self.assertLen(devices.choose(None, 7), 1)  # as many as divide it
    self.assertLen(devices.choose(None, 8, update_flops=1e7), 1)  # too small
    self.assertLen(devices.choose(2, 8, update_flops=1e7), 2)  # asked for
    self.assertLen(devices.choose(None, 8, update_flops=1e9), 2)
    with self.assertRaisesRegex(UserError, 'devices=3 must be between 1 and'):
      devices.choose(3, 8)
    self.assertEqual(devices.describe(devices.choose(2, 8)), 'cpu x 2')


class SmokeTest(parameterized.TestCase):
  @parameterized.parameters('4x64,smoke', 'smoke,4x64')
  def test_a_model_narrows_it_wherever_it_stands(self, arg):
    config = kaplan_n.get_config(arg)
    self.assertEqual(config.models, ('4x64',))
    self.assertEqual(config.steps, 60_000)


class KaplanTest(parameterized.TestCase):
  @parameterized.parameters(kaplan_n, kaplan_nd, critical_batch)
  def test_recipe(self, module):
    for cell in sweep.expand(module.get_config()):
      c = cell.config
      self.assertEqual(c.model.block_size, 1024)
      self.assertEqual((c.train.warmup_steps, c.model.dropout), (3000, 0.1))
      self.assertEqual(
        (c.train.schedule, c.train.min_learning_rate), ('cosine', 0.0)
      )
      if module is not critical_batch:
        tokens = settings.sequences_per_step(c) * c.model.block_size
        self.assertEqual(tokens, 2**19)

  def test_the_sizes_are_those_published(self):
    # shehper/scaling_laws counts 12 n_layer n_embd² alone.
    counts = [98304, 196608, 393216, 786432, 1572864, 4423680, 6291456]
    cells = sweep.expand(kaplan_n.get_config())
    for cell, count in zip(cells, counts, strict=True):
      shape = settings.shape_of(cell.config)
      self.assertEqual(12 * shape.n_layer * shape.n_embd**2, count)
      N = settings.parameters(cell.config)
      self.assertAlmostEqual(N / count, 1, delta=0.02)
      rate = cell.config.train.learning_rate
      self.assertAlmostEqual(rate, 0.003239 - 0.0001395 * math.log(N), 12)

  def test_the_rate_of_a_size_is_set_once(self):
    once = settings.for_model(kaplan_n.get_config(), '2x64')
    twice = settings.for_model(once, '2x64')
    self.assertEqual(once.to_dict(), twice.to_dict())
    # Records of before the rule stay those of the same runs.
    self.assertNotIn('learning_rate_per_log_N', once.train)

  def test_sweeps(self):
    cells = sweep.expand(critical_batch.get_config())
    self.assertLen(cells, 15)
    plans = [settings.make_plan(cell.config) for cell in cells]
    self.assertLess(max(p.D for p in plans) / min(p.D for p in plans), 1.001)
    cells = sweep.expand(kaplan_nd.get_config())
    self.assertLen({cell.config.data_fraction for cell in cells}, 5)
    self.assertLen({cell.model for cell in cells}, 3)

  def test_no_rate_is_left(self):
    config = kaplan_n.get_config('2x64')
    config.train.learning_rate = 1e-3
    with self.assertRaisesRegex(
      UserError, r'leaves 2x64 .* above 0; set train.learning_rate_per_log_N=0'
    ):
      settings.for_model(config, '2x64')


if __name__ == '__main__':
  absltest.main()
