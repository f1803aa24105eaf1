"""Compute from machines and days."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.planner import have


def machine(**changes):
  asked = {'device': None, 'peak_tflops': None, 'precision': None, 'count': 1,
           'mfu': have.MFU, **changes}  # fmt: skip
  return have.machine(**asked)


class MachineTest(parameterized.TestCase):
  def test_a_week_of_a_laptop(self):
    limit = have.for_days(machine(peak_tflops=11.36, mfu=1.0), 7)
    self.assertAlmostEqual(limit.C / 1e18, 6.87, places=2)
    self.assertIn('0.07952 PF-days', have.in_units(limit.C))
    self.assertIn('7 days of 1 × 11.36 TFLOP/s', limit.source)

  def test_eight_h100_for_a_week(self):
    limit = have.for_days(machine(device='h100', count=8, mfu=0.4), 7)
    self.assertAlmostEqual(limit.C, 8 * 989.4e12 * 0.4 * 7 * 86_400, delta=1e9)
    self.assertIn('8 × h100 at 40 % of 989.4 TFLOP/s (bfloat16)', limit.source)

  @parameterized.parameters(
    ({'peak_tflops': -1.0}, r'--peak_tflops=-1 must be a positive number'),
    ({'peak_tflops': math.inf}, 'positive number'),
    ({'device': 'h100', 'mfu': 0.0}, 'above 0 and at most 1'),
    ({'device': 'h100', 'mfu': 1.5}, 'above 0 and at most 1'),
    ({'device': 'h100', 'mfu': math.nan}, 'above 0 and at most 1'),
    ({'device': 'h100', 'count': 0}, 'must be 1 device or more'),
    ({'peak_tflops': 1.0, 'precision': 'tf32'}, 'leave it away'),
  )
  def test_bad_input(self, changes, message):
    with self.assertRaisesRegex(UserError, message):
      machine(**changes)

  @parameterized.parameters(0.0, -1.0, math.nan, math.inf)
  def test_no_amount(self, x):
    with self.assertRaisesRegex(UserError, 'positive number'):
      have.compute(x)
    with self.assertRaisesRegex(UserError, 'positive number'):
      have.for_days(machine(peak_tflops=1.0), x)


if __name__ == '__main__':
  absltest.main()
