"""Numbers as people write them, and the units beside them."""

import itertools
import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs import numbers

# Text -> its number where points are decimal, and where commas are.
BOTH = {
  '1.2e9': 1.2e9, '1.2E+09': 1.2e9, '20.15M': 20.15e6, '8.3B': 8.3e9,
  '8.3 B': 8.3e9, '5%': 0.05, '50 %': 0.5, '1e18': 1e18, '6×10^18': 6e18,
  '6 x 10^18': 6e18, '6*10**18': 6e18, '6·10¹⁸': 6e18, '10^18': 1e18,
  '10⁹': 1e9, '1e18 FLOPs': 1e18, '20B tokens': 20e9, '300 billion': 3e11,
  '1.5T': 1.5e12, '−3': -3.0, '~70M': 70e6, '≈70M': 70e6, '1_000_000': 1e6,
  "1'000'000": 1e6, '1 000 000': 1e6, '1\u00a0000\u202f000': 1e6, '12k': 12e3,
  '124M params': 124e6, '0.5 PF-days': 4.32e19, '6 EFLOP': 6e18, '+5': 5.0,
  '1,2 Mrd': 1.2e9, '1.2 Mio.': 1.2e6, '2.5 nats': 2.5, '1e-3': 1e-3,
  '3.1 nats/token': 3.1, '３': 3.0, '1.5 × 10⁹': 1.5e9, '1e400': math.inf,
}  # fmt: skip
POINT = {
  '1,234': 1234.0, '1,234,567': 1234567.0, '1,000.5': 1000.5, '3.14±0.02': 3.14,
  '3.1415 +/- 0.01': 3.1415, '3.1 +- 0.1': 3.1, '1,234.5e3': 1234.5e3,
}  # fmt: skip
COMMA = {
  '2,913': 2.913, '1.234': 1234.0, '1.234.567': 1234567.0, '1.234,5': 1234.5,
  '1 234,5': 1234.5, '2,9e9': 2.9e9, '20,15M': 20.15e6, '5,5%': 0.055,
}  # fmt: skip
NONE = (
  '', ' ', 'nan', 'NaN', 'None', 'N/A', '-', '—', 'abc', 'True', '0x10', '2^20',
  '1/2', '7B-v2', 'GPT-2 124M', '1..2', '1.2.3', '1,00,000', '1.2 GB', 'e5',
  '1e9,5', '3.1.2024', '12:30', '<na>',
)  # fmt: skip

FACTORS = {
  '': 1.0, 'tokens': 1.0, 'params': 1.0, 'FLOP': 1.0, 'k': 1e3, 'M': 1e6,
  'm': 1e6, 'millions': 1e6, 'in millions': 1e6, 'Mio.': 1e6, 'B': 1e9,
  'bn': 1e9, 'G': 1e9, 'Mrd.': 1e9, 'milliards': 1e9, 'T': 1e12, '亿': 1e8,
  'B tokens': 1e9, 'million params': 1e6, 'billions of tokens': 1e9,
  'x1e6': 1e6, '1e9': 1e9, '10^9': 1e9, '×10⁹': 1e9, '1e+9': 1e9, '10⁶': 1e6,
  'GFLOPs': 1e9, 'TFLOP': 1e12, 'PFLOP': 1e15, 'EFLOP': 1e18, 'ZFLOP': 1e21,
  '1e18 FLOP': 1e18, 'PF-days': 8.64e19, 'PFLOP/s-days': 8.64e19,
  'petaflop/s-day': 8.64e19, '%': 0.01, 'percent': 0.01,
}  # fmt: skip


def alike(one, other):
  return one == other or (math.isnan(one) and math.isnan(other))


class ParseTest(parameterized.TestCase):
  @parameterized.parameters(*BOTH.items())
  def test_in_every_table(self, text, value):
    for comma in (False, True):
      self.assertEqual(numbers.parse(text, decimal_comma=comma), value)

  @parameterized.parameters(*POINT.items())
  def test_with_points(self, text, value):
    self.assertEqual(numbers.parse(text), value)

  @parameterized.parameters(*COMMA.items())
  def test_with_commas(self, text, value):
    self.assertEqual(numbers.parse(text, decimal_comma=True), value)

  @parameterized.parameters(*NONE)
  def test_no_number(self, text):
    self.assertTrue(math.isnan(numbers.parse(text)), text)

  def test_what_python_writes_comes_back(self):
    for value in (1e6, 3.0, 0.1, 1.23456789e-7, 4.5e22, 221664, 2.9134):
      for text in (repr(value), f'{value:,}', f'{value:_}', f'{value:.17e}'):
        self.assertEqual(numbers.parse(text), value, text)

  def test_every_suffix_multiplies(self):
    for (suffix, factor), lead in itertools.product(
      (('k', 1e3), ('M', 1e6), ('B', 1e9), ('G', 1e9), ('T', 1e12)),
      ('1', '2.5', '20.15', '0.07'),
    ):
      for text in (f'{lead}{suffix}', f'{lead} {suffix}', f' {lead}{suffix} '):
        self.assertAlmostEqual(
          numbers.parse(text) / (float(lead) * factor), 1, places=14
        )


class FactorTest(parameterized.TestCase):
  @parameterized.parameters(*FACTORS.items())
  def test_units(self, unit, factor):
    self.assertEqual(numbers.factor(unit), factor)

  @parameterized.parameters(
    'furlongs', 'GB', 'TFLOP/s', 'GFLOPs per second', 'tflop s', '-1', 'nats',
    'B/s', 'M/B', '1e',
  )  # fmt: skip
  def test_no_unit_of_a_size(self, unit):
    self.assertNotIn(numbers.factor(unit), {*FACTORS.values()} - {1.0})


if __name__ == '__main__':
  absltest.main()
