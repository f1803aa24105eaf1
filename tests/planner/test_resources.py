"""Compute from machines and days; text."""

import math
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.planner import resources
from scaling_jax.planner.resources import Machine


class MachineTest(parameterized.TestCase):
  def test_a_week_of_a_laptop(self):
    week = Machine(peak_tflops=11.36, mfu=1.0, days=7)
    self.assertAlmostEqual(week.compute.C / 1e18, 6.87, places=2)

  def test_eight_h100_for_a_week(self):
    week = Machine('h100', count=8, days=7, mfu=0.4)
    expected = 8 * 989.4e12 * 0.4 * 7 * 86_400
    self.assertAlmostEqual(week.compute.C, expected, delta=1e9)
    self.assertEqual(week.peak.precision, 'bfloat16')

  def test_without_days_it_is_a_rate(self):
    machine = Machine(peak_tflops=10.0, count=2, mfu=0.5)
    self.assertIsNone(machine.compute)
    self.assertAlmostEqual(machine.flops_per_s, 1e13)

  @parameterized.parameters(
    ({'peak_tflops': -1.0}, 'peak_tflops=-1'),
    ({'peak_tflops': math.inf}, 'peak_tflops=inf'),
    ({'device': 'h100', 'mfu': 0.0}, 'mfu=0'),
    ({'device': 'h100', 'mfu': 1.5}, 'mfu=1.5'),
    ({'device': 'h100', 'mfu': math.nan}, 'mfu=nan'),
    ({'device': 'h100', 'count': 0}, 'count=0'),
    ({'device': 'h100', 'days': 0.0}, 'days=0'),
    ({'device': 'h100', 'days': math.nan}, 'days=nan'),
    ({'device': 'h100', 'days': 1e20}, '1e20 days of'),
    ({'device': 'h100', 'peak_tflops': 1.0}, 'peak_tflops=1'),
    ({'peak_tflops': 1.0, 'precision': 'tf32'}, 'precision=tf32'),
    ({'days': 3}, 'days=3'),
    ({}, 'device='),
  )
  def test_bad_input_is_named(self, given, named):
    with self.assertRaises(UserError) as raised:
      Machine(**given)
    self.assertIn(named, str(raised.exception))


class GatherTest(parameterized.TestCase):
  def test_the_least_compute_binds(self):
    week = Machine('h100', days=7)
    for flops, least in ((1e20, 1e20), (1e25, week.compute.C)):
      found = resources.gather(flops, week)
      self.assertEqual(found.C, least)
      self.assertLen(found.limits, 2)

  def test_tokens_alone_bound_no_compute(self):
    found = resources.gather(text=resources.Text(1e9))
    self.assertIsNone(found.C)

  def test_a_rate_is_no_amount(self):
    for machine in (None, Machine('h100')):
      with self.assertRaises(UserError):
        resources.gather(machine=machine)

  @parameterized.parameters(0.0, -1.0, math.nan, math.inf, 1e300)
  def test_no_amount(self, flops):
    with self.assertRaises(UserError):
      resources.gather(flops)


class TextTest(parameterized.TestCase):
  def test_epochs_multiply(self):
    self.assertEqual(resources.text_of(1e9, epochs=4).D, 4e9)

  def test_a_corpus_is_counted(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'a.txt'
    path.write_text('abcdefghi\n' * 100)
    found = resources.text_of(corpus=path)
    self.assertEqual(found.unique, 900)
    self.assertEqual(found.token, resources.Token('characters', 10))
    self.assertEqual(found.name, 'a.txt')

  def test_the_kind_of_token(self):
    self.assertEqual(resources.text_of(1e9).token.kind, 'unknown')
    found = resources.text_of(1e9, tokenizer='gpt2', vocab_size=50_257)
    self.assertEqual(found.token, resources.Token('BPE', 50_257))
    found = resources.text_of(1e9, tokenizer='char')
    self.assertEqual(found.token, resources.Token('characters'))

  @parameterized.parameters(
    ({'tokens': math.nan}, 'tokens=nan'),
    ({'tokens': 1e200}, 'tokens'),
    ({'tokens': 1e9, 'corpus': 'x'}, 'corpus=x'),
    ({'tokens': 1e9, 'epochs': 0.0}, 'epochs=0'),
    ({'epochs': 2.0}, 'epochs=2'),
    ({'tokenizer': 'char'}, 'tokenizer=char'),
  )
  def test_bad_input_is_named(self, given, named):
    with self.assertRaises(UserError) as raised:
      resources.text_of(**given)
    self.assertIn(named, str(raised.exception))

  def test_no_text(self):
    self.assertIsNone(resources.text_of())


if __name__ == '__main__':
  absltest.main()
