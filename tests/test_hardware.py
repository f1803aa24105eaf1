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
    name, rate, precision = hardware.peak(name, precision)
    self.assertEqual((name, precision), expected[::2])
    self.assertAlmostEqual(rate / expected[1], 1)

  @parameterized.parameters(
    ('h10', None, 'h10 is not known.*try h100'),
    ('rtx-4080', None, 'not known.*try rtx-4090'),
    ('foo', None, 'not known.*--peak_tflops'),
    ('m1', 'bfloat16', 'no rate listed for m1.*--precision=float32'),
    ('h100', 'int8', 'no rate listed for h100.*bfloat16'),
  )
  def test_bad_names(self, name, precision, message):
    with self.assertRaisesRegex(UserError, message):
      hardware.peak(name, precision)

  def test_every_device_has_a_rate_and_a_source(self):
    for name, device in hardware.DEVICES.items():
      rates = [getattr(device, p) for p in hardware.PRECISIONS]
      known = [x for x in rates if x is not None]
      self.assertNotEmpty(known, name)
      self.assertNotEmpty(device.source, name)
      # A narrower number is never slower.
      self.assertEqual(known, sorted(known, reverse=True), name)
      self.assertIn(name, hardware.listed())


if __name__ == '__main__':
  absltest.main()
