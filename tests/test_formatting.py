"""Numbers as text: each checked against what a person would write."""

import math
import re
import types

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import formatting

INF, NAN = math.inf, math.nan
NUMBERS = (
  formatting.number, formatting.plain, formatting.count, formatting.short,
  formatting.whole, formatting.loss, formatting.flops, formatting.duration,
)  # fmt: skip


def interval(value, low, high):
  return types.SimpleNamespace(value=value, low=low, high=high)


class OneWayTest(absltest.TestCase):
  """What several helpers once showed in as many ways."""

  def test_485_seconds(self):
    for seconds in (485, 485.0, 484.6, np.float64(485.3), np.int64(485)):
      self.assertEqual(formatting.duration(seconds), '8m05s')

  def test_ten_to_the_fourteen(self):
    for C in (9.996e13, 1e14, 1.0004e14, np.float64(9.996e13)):
      self.assertEqual(formatting.flops(C), '1e14')
      self.assertEqual(formatting.flops(C, 'unicode'), '10¹⁴')
      self.assertEqual(formatting.flops(C, 'mathtext'), '$10^{14}$')

  def test_86_612_parameters(self):
    for N in (86_612, 86_612.0, np.float32(86_612), np.int64(86_612)):
      self.assertEqual(formatting.count(N), '86,612')
      self.assertEqual(formatting.number(N), '86,612')
      self.assertEqual(formatting.whole(N), '86,612')
      self.assertEqual(formatting.short(N), '86.6K')

  def test_999_950_parameters(self):
    for N in (999_950, 999_950.0, np.int64(999_950)):
      self.assertEqual(formatting.short(N), '1M')
      self.assertEqual(formatting.count(N), '999,950')
      self.assertEqual(formatting.number(N), '999,950')
      self.assertEqual(formatting.rate(N, 'tok/s'), '1 Mtok/s')

  def test_95_percent(self):
    self.assertEqual(formatting.percent(0.95), '95%')


class CarryTest(parameterized.TestCase):
  """Just below a unit, digits never grow beyond it."""

  @parameterized.parameters(
    (formatting.count, 6, 18, 4), (formatting.short, 3, 18, 3)
  )
  def test_suffixes(self, show, first, last, digits):
    for power in range(first, last):
      for below in (1e-2, 1e-3, 1e-4, 1e-5, 1e-7):
        x = 10**power * (1 - below)
        text = show(x).replace(',', '')
        value = float(text.rstrip('KMBTQ') or 'nan')
        value *= 1000 ** ' KMBTQ'.index((text[-1:] + ' ')[text[-1:].isdigit()])
        self.assertAlmostEqual(value / x, 1, delta=0.5 * 10 ** (1 - digits))
        if text[-1] in 'KMBTQ':
          self.assertLess(float(text[:-1]), 1000)
          self.assertGreaterEqual(float(text[:-1]), 1)

  def test_durations_are_read_back_and_grow(self):
    units = {'s': 1, 'm': 60, 'h': 3600, 'd': 86_400, 'y': 365.25 * 86_400}
    edges = [10, 60, 3600, 86_400, 10 * 86_400, 365.25 * 86_400]
    before = 0.0
    for s in sorted(
      {e * (1 + d) for e in edges for d in np.linspace(-0.02, 0.02, 401)}
    ):
      text = formatting.duration(float(s)).replace(',', '')
      parts = re.findall(r'([\d.]+) ?([smhdy])', text)
      shown = sum(float(x) * units[unit] for x, unit in parts)
      self.assertAlmostEqual(shown / s, 1, delta=0.051, msg=text)
      self.assertGreaterEqual(shown, before, msg=text)
      for x, _ in parts[1:]:
        self.assertLess(float(x), 60, msg=text)
      before = shown

  def test_rates(self):
    for power in range(3, 21):
      for below in (1e-2, 1e-3, 1e-4, 1e-6):
        x = 10**power * (1 - below)
        value, unit = formatting.rate(x, 'B/s').split(' ')
        prefix = 10 ** (3 * ' kMGTPE'.index((' ' + unit)[-4]))
        value = float(value.replace(',', ''))
        self.assertLess(value, 10_000 if prefix == 1 else 1000)
        self.assertAlmostEqual(value * prefix / x, 1, delta=0.006)

  def test_a_share_below_one_is_not_all(self):
    for share, text in (
      (0.994, '99.4%'), (0.9996, '99.96%'), (0.9999, '99.99%'),
      (1 - 1e-7, '99.99999%'), (1.0, '100%'), (1 - 1e-12, '100%'),
      (0.99999, '99.999%'),
    ):  # fmt: skip
      self.assertEqual(formatting.percent(share), text)
    self.assertEqual(formatting.percent(0.999, 2), '99.9%')


class NumberTest(parameterized.TestCase):
  @parameterized.parameters(*NUMBERS)
  def test_what_is_not_known(self, show):
    for x in (None, NAN, INF, -INF, np.float64(NAN)):
      self.assertEqual(show(x), '?')

  @parameterized.parameters(
    (0, '0'), (-0.0, '0'), (1.5, '1.500'), (-1.5, '-1.500'), (12, '12.00'),
    (999.96, '1,000'), (86_612, '86,612'), (999_999.4, '999,999'),
    (999_999.5, '1e6'), (3_937_408, '3.937e6'), (1e-3, '0.001000'),
    (0.00099994, '9.999e-4'), (0.00099996, '0.001000'), (-3.052e-7, '-3.052e-7'),
    (9.996e13, '9.996e13'), (9.99996e13, '1e14'), (6e13, '6e13'),
    (np.float32(0.25), '0.2500'), (np.int64(7), '7.000'),
  )  # fmt: skip
  def test_number(self, x, text):
    self.assertEqual(formatting.number(x), text)

  @parameterized.parameters(
    (500.0, 2, '500'), (0.0456, 2, '0.046'), (7, 1, '7')
  )
  def test_few_digits(self, x, digits, text):
    self.assertEqual(formatting.number(x, digits), text)

  def test_digits_are_those_of_the_value(self):
    for x in np.geomspace(1e-12, 1e20, 400):
      for show in (formatting.number, formatting.plain):
        shown = float(show(float(x), 6).replace(',', ''))
        self.assertAlmostEqual(shown / x, 1, delta=1e-5)

  @parameterized.parameters(
    (0.0412, 3, '0.0412'), (6.8, 3, '6.8'), (1234.5, 2, '1,200'),
    (100.0, 2, '100'), (0, 3, '0'), (3e-15, 3, '0.000000000000003'),
  )  # fmt: skip
  def test_plain(self, x, digits, text):
    self.assertEqual(formatting.plain(x, digits), text)

  def test_no_plus_and_no_leading_zeros_in_exponents(self):
    for x in (1e-9, 1e9, 1e100, 5e-300):
      for show in (formatting.number, formatting.flops, formatting.scientific):
        self.assertNotRegex(show(x), r'e\+|e-?0')


class CountTest(parameterized.TestCase):
  @parameterized.parameters(
    (86_612, '86,612'), (221_664, '221,664'), (999_999, '999,999'),
    (999_999.7, '1.000M'), (3_937_408, '3.937M'), (1.244e9, '1.244B'),
    (120e6, '120.0M'), (9.9999e17, '1e18'), (2e20, '2e20'), (17, '17'), (-17.0, '-17'), (12.34, '12.34'),
  )  # fmt: skip
  def test_count(self, x, text):
    self.assertEqual(formatting.count(x), text)

  @parameterized.parameters(
    (86_612, '86.6K'), (1_090_000, '1.09M'), (999_950, '1M'), (999.6, '1K'),
    (12, '12'), (0, '0'), (2.5e12, '2.5T'), (120e6, '120M'), (9.9999e17, '1e18'),
  )  # fmt: skip
  def test_short(self, x, text):
    self.assertEqual(formatting.short(x), text)

  def test_two_digits(self):
    self.assertEqual(formatting.short(123e6, 2), '120M')

  def test_whole(self):
    self.assertEqual(formatting.whole(50_143_232), '50,143,232')

  def test_losses_align(self):
    self.assertEqual(formatting.loss(10.98), '10.9800')
    self.assertEqual(formatting.loss(0.00204), '0.0020')


class FlopsTest(parameterized.TestCase):
  @parameterized.parameters(
    (1.28e14, '1.28e14', '1.28 × 10¹⁴', r'$1.28\!\times\!10^{14}$'),
    (9.996e13, '1e14', '10¹⁴', '$10^{14}$'),
    (6e13, '6e13', '6 × 10¹³', r'$6\!\times\!10^{13}$'),
    (1e22, '1e22', '10²²', '$10^{22}$'),
    (-1e14, '-1e14', '-10¹⁴', '$-10^{14}$'),
    (-6e13, '-6e13', '-6 × 10¹³', r'$-6\!\times\!10^{13}$'),
    (0, '0', '0', '0'),
    (None, '?', '?', '?'),
  )
  def test_styles(self, C, plain, unicode, mathtext):
    self.assertEqual(formatting.flops(C), plain)
    self.assertEqual(formatting.flops(C, 'unicode'), unicode)
    self.assertEqual(formatting.flops(C, 'mathtext'), mathtext)


class ShareTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.95, '95%'), (0.00318, '0.318%'), (1, '100%'), (0, '0%'), (1.2345, '123%'),
    (-0.05, '-5%'), (1e-9, '1e-7%'),    (NAN, '?'), (None, '?'),
  )  # fmt: skip
  def test_percent(self, share, text):
    self.assertEqual(formatting.percent(share), text)

  @parameterized.parameters(
    (10, 'ten times'), (10 * (1 + 1e-9), 'ten times'), (10.4, '10 times'),
    (2.46, '2.5 times'), (1234, '1,200 times'), (None, '? times'),
  )  # fmt: skip
  def test_factor(self, x, text):
    self.assertEqual(formatting.factor(x), text)


class DurationTest(parameterized.TestCase):
  @parameterized.parameters(
    (0, '0s'), (0.25, '0.25s'), (4.2, '4.2s'), (9.96, '10s'), (41.7, '42s'),
    (59.6, '1m00s'), (485, '8m05s'), (500.5, '8m20s'), (3599.6, '1h00m'),
    (12_000, '3h20m'), (86_399.7, '1 day'), (188_400, '2.2 days'),
    (580_000, '6.7 days'), (365.2 * 86_400, '365 days'),
    (365.25 * 86_400, '1 year'), (4e10, '1,270 years'), (3e20, '9.51e12 years'),
    (-485, '-8m05s'), (1e-9, '1e-9s'), (3659, '1h01m'), (99.6 * 86_400, '100 days'),
  )  # fmt: skip
  def test_one_way(self, seconds, text):
    self.assertEqual(formatting.duration(seconds), text)

  @parameterized.parameters(
    (950.0, '950 tok/s'), (9_999.9, '10 ktok/s'), (23_600.0, '23.6 ktok/s'),
    (999_950.0, '1 Mtok/s'), (1.543e11, '154 Gtok/s'), (9.9e14, '990 Ttok/s'),
    (2e15, '2 Ptok/s'), (0, '0 tok/s'), (-28e3, '-28 ktok/s'), (None, '? tok/s'),
  )  # fmt: skip
  def test_rate(self, x, text):
    self.assertEqual(formatting.rate(x, 'tok/s'), text)


class IntervalTest(parameterized.TestCase):
  @parameterized.parameters(
    (1.82, 1.77, 1.87, '1.820 [1.770, 1.870]'),
    (1.82, -INF, 1.87, '1.820 [?, 1.870]'),
    (1.82, 1.77, INF, '1.820 [1.770, ?]'),
    (1.82, -INF, INF, '1.820 [?, ?]'),
    (1.82, NAN, NAN, '1.820 [?, ?]'),
    (1.82, None, None, '1.820 [?, ?]'),
    (1.82, 1.82, 1.82, '1.820'),
    (NAN, 1.77, 1.87, '–'),
  )
  def test_interval(self, value, low, high, text):
    self.assertEqual(formatting.interval(interval(value, low, high)), text)

  def test_shown_as_asked(self):
    found = interval(3.9e6, 3.5e6, 4.2e6)
    self.assertEqual(
      formatting.interval(found, formatting.short), '3.9M [3.5M, 4.2M]'
    )

  @parameterized.parameters(
    ('ok', 1.77, '1.820 [1.770, 1.870]'),
    ('no_degrees_of_freedom', 1.77, '1.820 [1.770, 1.870]'),
    ('not_identified', 1.77, 'not_identified'),
    ('minimum_at_edge', 1.77, 'minimum_at_edge'),
  )
  def test_a_status_hides_a_value(self, status, low, text):
    found = interval(1.82, low, 1.87)
    self.assertEqual(formatting.estimate(found, status), text)

  def test_never_a_bare_number(self):
    found = interval(1.82, NAN, NAN)
    self.assertEqual(formatting.estimate(found), 'no interval')
    self.assertEqual(
      formatting.estimate(found, 'no_degrees_of_freedom'),
      'no_degrees_of_freedom',
    )
    self.assertEqual(formatting.estimate(interval(NAN, NAN, NAN)), '–')


class DiagnosticsTest(absltest.TestCase):
  def test_one_line(self):
    found = types.SimpleNamespace(
      objective=0.001018274023, gradient_norm=1.7e-6, n_agree=37, n_starts=48,
      condition=61.94,
    )  # fmt: skip
    text = formatting.diagnostics(found)
    for name in ('objective', 'gradient_norm', 'condition'):
      unknown = types.SimpleNamespace(**{**vars(found), name: NAN})
      self.assertIn('?', formatting.diagnostics(unknown))
    for part in ('0.00101827402,', '1.7e-6,', '37 of 48', '61.9'):
      self.assertIn(part, text)


if __name__ == '__main__':
  absltest.main()
