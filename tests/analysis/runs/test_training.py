"""How runs were trained, by records and by columns of every spelling."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs import training
from scaling_jax.records import Run

RUN = Run('a', N=1e6, D=1e8)


def of(**extra):
  return training.of_run(
    RUN, {k.replace('__', ' '): v for k, v in extra.items()}
  )


class RateTest(parameterized.TestCase):
  @parameterized.parameters(
    'lr', 'LR', 'peak_lr', 'learning_rate', 'Learning__Rate', 'maxLR', 'η'
  )
  def test_spellings(self, name):
    self.assertEqual(of(**{name: '3e-4'}).learning_rate, 3e-4)

  @parameterized.parameters(
    {'min_lr': '1e-5'}, {'lr': 'auto'}, {'lr': ''}, {'lr': '-1'}, {},
    {'lr': 'nan'}, {'lr_decay': '0.1'}, {'lr': '1', 'LR': '2'},
    {'flow rate': '2'},
  )  # fmt: skip
  def test_not_known(self, **extra):
    self.assertTrue(math.isnan(of(**extra).learning_rate))

  def test_the_peak_of_several(self):
    self.assertEqual(of(lr='1e-5', peak_lr='1e-3').learning_rate, 1e-3)

  def test_a_record_goes_first(self):
    run = RUN._replace(learning_rate=2e-3)
    self.assertEqual(training.of_run(run, {'lr': '1'}).learning_rate, 2e-3)

  def test_a_rate_by_rule(self):
    for extra in ({'mup': 'True'}, {'lr_scaling': '1/width'},
                  {'parametrization': 'muP'}):  # fmt: skip
      self.assertTrue(of(lr='1e-3', **extra).scaled, extra)
    for extra in ({'mup': 'False'}, {'mup': ''}, {'parametrization': 'SP'}):
      self.assertFalse(of(lr='1e-3', **extra).scaled, extra)


class WarmupTest(parameterized.TestCase):
  @parameterized.parameters(
    ({'warmup_steps': '100', 'steps': '1000'}, 0.1),
    ({'Warmup': '100', 'num_iterations': '400'}, 0.25),
    ({'warm-up steps': '100', 'tokens_per_step': '1e5'}, 0.1),
    ({'warmup_ratio': '0.2'}, 0.2),
    ({'warmup_frac': '1'}, 1.0),
    ({'warmup': '0.03'}, 0.03),
    ({'warmup percent': '5'}, 0.05),
    ({'warmup_tokens': '2e7'}, 0.2),
  )
  def test_spellings(self, extra, share):
    self.assertAlmostEqual(training.of_run(RUN, extra).warmup, share)

  @parameterized.parameters(
    {'warmup_steps': '100'}, {'warmup': 'True'}, {'warmup': ''}, {},
    {'warmup_steps': '2000', 'steps': '1000'}, {'warmup_type': '0.5'},
  )  # fmt: skip
  def test_not_known(self, **extra):
    self.assertTrue(math.isnan(training.of_run(RUN, extra).warmup))

  def test_records(self):
    run = RUN._replace(warmup_steps=100, S=500)
    self.assertEqual(training.of_run(run, {}).warmup, 0.2)
    run = RUN._replace(warmup_steps=100, tokens_per_step=1e5)
    self.assertEqual(training.of_run(run, {}).warmup, 0.1)


class DecayTest(parameterized.TestCase):
  @parameterized.parameters(
    ({'schedule': 'constant'}, False),
    ({'lr_scheduler': 'Constant_with_Warmup'}, False),
    ({'lr schedule': 'none'}, False),
    ({'schedule': 'cosine'}, True),
    ({'sched': 'WSD'}, True),
    ({'schedule': 'constant', 'cooldown_frac': '0.2'}, None),
    ({'schedule': 'constant', 'cooldown_frac': '0'}, False),
    ({'schedule': 'constant', 'weight_decay': '0.1'}, False),
    ({'schedule': ''}, None),
    ({'schedule': 'nan'}, None),
    ({}, None),
  )
  def test_spellings(self, extra, decays):
    self.assertIs(training.of_run(RUN, extra).decays, decays)

  def test_records(self):
    run = RUN._replace(schedule='cosine', learning_rate=1e-3)
    for floor, decays in ((1e-4, True), (math.nan, True), (1e-3, False)):
      one = run._replace(min_learning_rate=floor)
      self.assertIs(training.of_run(one, {}).decays, decays)


if __name__ == '__main__':
  absltest.main()
