"""The table of devices."""

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.planner import hardware


class PeakTest(parameterized.TestCase):
  @parameterized.parameters(
    ('h100', None, ('h100', 989.4e12, 'bfloat16')),
    ('H100', 'float32', ('h100', 66.9e12, 'float32')),
    ('A100', 'tf32', ('a100', 156e12, 'tf32')),
    ('T4', None, ('t4', 65e12, 'float16')),
    ('tpu_v4', None, ('tpu-v4', 275e12, 'bfloat16')),
    ('m1', None, ('m1', 2.6e12, 'float32')),
  )
  def test_rates(self, name, precision, expected):
    found = hardware.peak(name, precision)
    self.assertEqual((found.device, found.precision), expected[::2])
    self.assertAlmostEqual(found.flops_per_s / expected[1], 1)

  @parameterized.parameters(
    ('h10', None, 'device=h100'),
    ('rtx-4080', None, 'device=rtx-4090'),
    ('foo', None, 'peak_tflops='),
    ('m1', 'bfloat16', 'precision=float32'),
    ('h100', 'int8', 'precision=bfloat16'),
  )
  def test_a_bad_name_gets_a_near_one(self, name, precision, advice):
    with self.assertRaises(UserError) as raised:
      hardware.peak(name, precision)
    self.assertIn(advice, str(raised.exception))

  def test_every_device_has_a_rate_and_a_source(self):
    for name, device in hardware.DEVICES.items():
      rates = list(hardware.rates_of(device).values())
      self.assertNotEmpty(rates, name)
      self.assertNotEmpty(device.source, name)
      # A narrower number is never slower.
      self.assertEqual(rates, sorted(rates, reverse=True), name)
      self.assertIn(name, str(hardware.Devices()))


if __name__ == '__main__':
  absltest.main()
