"""The product of what a config sweeps, and the names of its runs."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from configs import common
from scaling_jax.errors import UserError
from scaling_jax.training import settings
from scaling_jax.training import sweep


def config(**fields):
  c = common.get_config()
  c.C = 1e12
  c.models = ('1x16', '2x32')
  for name, value in fields.items():
    c[name] = value
  return c


def labels(c):
  return [cell.label for cell in sweep.expand(c)]


class ExpandTest(parameterized.TestCase):
  def test_no_sweep_is_the_models(self):
    cells = sweep.expand(config())
    self.assertEqual([cell.label for cell in cells], ['1x16', '2x32'])
    self.assertEqual([cell.config.model.n_embd for cell in cells], [16, 32])

  def test_the_product(self):
    c = config()
    c.sweep['C'] = (1e11, 2.5e13)
    c.sweep['train.learning_rate'] = (1e-3, 4e-3)
    self.assertEqual(
      labels(c),
      [
        f'{model}_C{C}_learning_rate{rate}'
        for C in ('1e11', '2.5e13')
        for rate in ('0.001', '0.004')
        for model in ('1x16', '2x32')
      ],
    )
    last = sweep.expand(c)[-1].config
    self.assertEqual((last.C, last.train.learning_rate), (2.5e13, 4e-3))
    self.assertNotIn('sweep', last)

  def test_names_do_not_change_when_values_are_added(self):
    c = config()
    c.sweep['C'] = (1e11,)
    before = labels(c)
    c.sweep['C'] = (1e10, 1e11)
    self.assertLess(set(before), set(labels(c)))

  def test_names_tell_values_and_fields_apart(self):
    c = config(models=('1x16',))
    c.sweep['C'] = (1e11, 1.00000001e11)
    c.sweep['train.schedule'] = ('linear',)
    c.sweep['train.batch_size'] = (8,)
    c.sweep['eval.batch_size'] = (16,)
    rest = '_eval.batch_size16_train.batch_size8_schedule-linear'
    self.assertEqual(
      labels(c), [f'1x16_C1e11{rest}', f'1x16_C100000001000{rest}']
    )

  def test_numpy_numbers_make_the_same_names(self):
    c = config(models=('1x16',))
    c.sweep['C'] = tuple(np.array([1e11, 123456789.0]))
    self.assertEqual(labels(c), ['1x16_C1e11', '1x16_C123456789'])
    c.sweep['C'] = (10**11, 123456789)
    self.assertEqual(labels(c), ['1x16_C1e11', '1x16_C123456789'])

  def test_a_sweep_is_no_part_of_what_a_run_is(self):
    c = config(models=('1x16',))
    c.sweep['C'] = (1e11, 1e12)
    swept = sweep.expand(c)[1].config
    plain = sweep.expand(config(models=('1x16',)))[0].config
    self.assertEqual(
      settings.identity(swept, 0, {}), settings.identity(plain, 0, {})
    )

  @parameterized.parameters(
    ('train.learn_rate', (1,), 'no field that can be.*try train.learning_rate'),
    ('models', ('1x16',), 'config.models lists them'),
    ('seeds', (1, 2), 'config.seeds lists them'),
    ('experiment', ('a', 'b'), 'no field that can be swept'),
    ('C', (), 'one value or more'),
    ('C', 1e12, r'one value or more; try \(1000000000000.0,\)'),
    ('train.schedule', 'linear', 'one value or more'),
    ('C', (1e12, 1e12), 'holds a value twice'),
    ('C', ([1e11, 1e12],), 'take the inner brackets away'),
    ('train.batch_size', (8, 'nine'), "holds 'nine', which does not fit"),
  )
  def test_bad_sweeps(self, name, values, message):
    c = config()
    c.sweep[name] = values
    with self.assertRaisesRegex(UserError, message):
      sweep.expand(c)

  def test_budgets_where_steps_are_set(self):
    c = config(steps=10)
    c.sweep['C'] = (1e11, 1e12)
    with self.assertRaisesRegex(UserError, 'steps=10 sets how long'):
      sweep.expand(c)

  @parameterized.parameters(
    ({'models': ()}, 'models=.* is empty'),
    ({'seeds': ()}, 'seeds=.* is empty'),
    ({'seeds': (0, -1)}, 'seed -1 must be a whole number'),
    ({'seeds': (0, 0)}, r'holds one twice.*try \(0,\)'),
    ({'models': ('1x16', '1x16')}, 'holds one twice'),
    ({'models': ('gpt-9',)}, "unknown model 'gpt-9'"),
  )
  def test_bad_lists(self, fields, message):
    with self.assertRaisesRegex(UserError, message):
      sweep.expand(config(**fields))


if __name__ == '__main__':
  absltest.main()
