"""The calculator's arithmetic against analyses and redrawn laws themselves."""

import json
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis import calculator
from scaling_jax.analysis import parametric
from scaling_jax.analysis import rows
from scaling_jax.analysis import uncertainty
from tests import studies

# Interpolating an end moves it by less than this share of the interval's width.
SHARE = 0.03


class Case(parameterized.TestCase):
  def close(self, found, truth):
    self.assertAlmostEqual(found['value'] / truth['value'], 1, delta=1e-4)
    width = truth['high'] - truth['low']
    for end in ('low', 'high'):
      self.assertAlmostEqual(found[end], truth[end], delta=SHARE * width)


class ReadTest(Case):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.fits = studies.analyzed().fits
    cls.law = calculator.data(cls.fits)

  def test_flops_as_an_analysis_at_those_targets(self):
    fits = studies.analyzed_elsewhere()
    truths = {row['C']: row for row in fits['laws']['parametric']['at']}
    for C in studies.ELSEWHERE:
      found, truth = calculator.read(self.law, 'C', C), truths[C]
      self.close(found.N, truth['N_opt'])
      self.close(found.D, truth['D_opt'])
      self.close(found.L, truth['L'])
      self.assertEqual(found.C, {'value': C, 'low': C, 'high': C})
      ratio = found.tokens_per_param
      self.assertAlmostEqual(
        ratio['value'], found.D['value'] / found.N['value']
      )
      # At C = 6 N D the ratio is one with N: C / (6 N^2), ends reversed.
      for end, other in (('low', 'high'), ('high', 'low')):
        exact = C / (6 * truth['N_opt'][other] ** 2)
        self.assertAlmostEqual(ratio[end] / exact, 1, delta=0.02)

  def test_tokens_as_each_redrawn_law_has_it(self):
    source = studies.analyzed().source
    N, D, L = rows.columns(source.points, 'N', 'D', 'loss')
    law = parametric.fit(N, D, L, 3, studies.DRAWS)
    low, high = np.log(calculator.limits(self.law, 'D'))
    rng = np.random.default_rng(2)
    for tokens in np.exp(rng.uniform(low, high, 6)).tolist():
      found = calculator.read(self.law, 'D', tokens)
      # D_opt rises with C, so that halving finds the C that wants D tokens.
      ends = np.full(len(law.draws.E), 1e5), np.full(len(law.draws.E), 1e30)
      for _ in range(200):
        middle = np.sqrt(ends[0] * ends[1])
        less = law.draws.optimum(middle).D < tokens
        ends = np.where(less, middle, ends[0]), np.where(less, ends[1], middle)
      drawn = law.draws.optimum(ends[0])
      for name, draws in (('C', drawn.C), ('N', drawn.N), ('L', drawn.L)):
        estimate = getattr(found, name)
        truth = uncertainty.estimate(estimate['value'], draws, 0.95)
        self.close(estimate, truth)
      best = law.law.optimum(found.C['value'])
      self.assertAlmostEqual(best.D / tokens, 1, delta=1e-6)
      self.assertAlmostEqual(best.N / found.N['value'], 1, delta=1e-6)
      self.assertAlmostEqual(best.L / found.L['value'], 1, delta=1e-6)

  def test_the_grid_itself_is_exact_and_beyond_is_nothing(self):
    at = self.fits['laws']['parametric']['at']
    for row in (at[0], at[7], at[-1]):
      found = calculator.read(self.law, 'C', row['C'])
      for end in ('value', 'low', 'high'):
        self.assertAlmostEqual(found.N[end] / row['N_opt'][end], 1, delta=1e-7)
        self.assertAlmostEqual(found.L[end] / row['L'][end], 1, delta=1e-7)
    self.assertIsNone(calculator.read(self.law, 'C', at[0]['C'] / 1.01))
    self.assertIsNone(calculator.read(self.law, 'C', at[-1]['C'] * 1.01))

  def test_an_open_end_stays_open(self):
    law = json.loads(json.dumps(self.law))
    law['flops'][3][2] = None  # N's high
    C = math.exp(law['flops'][3][0]) * 1.01
    found = calculator.read(law, 'C', C)
    self.assertIsNone(found.N['high'])
    self.assertIsNone(found.tokens_per_param['low'])
    self.assertIsNotNone(found.N['low'])


class SourceTest(Case):
  def fits(self, **statuses):
    fits = json.loads(json.dumps(studies.analyzed().fits))
    for name, status in statuses.items():
      fits['laws'][name]['status'] = status
    return fits

  def test_the_best_law_that_is_ok(self):
    self.assertEqual(calculator.source(self.fits()), 'parametric')
    fits = self.fits(parametric='not_identified')
    law = calculator.data(fits)
    self.assertEqual(law['law'], 'isoflop')
    row = fits['laws']['isoflop']['at'][5]
    found = calculator.read(law, 'C', row['C'] * 1.1)
    exponent = fits['laws']['isoflop']['N_opt']['exponent']['value']
    expected = row['N_opt']['value'] * 1.1**exponent
    self.assertAlmostEqual(found.N['value'] / expected, 1, delta=1e-9)
    self.assertIsNone(found.L)
    self.assertIsNone(calculator.read(law, 'D', 1e8))

  def test_an_envelope_reaches_as_far_as_its_points(self):
    fits = self.fits(parametric='not_converged', isoflop='no_minimum')
    end = max(point['C'] for point in fits['laws']['envelope']['points'])
    for point in fits['laws']['envelope']['points']:
      point['C'] /= 2
    law = calculator.data(fits)
    self.assertEqual(law['fitted']['high'], end / 2)
    said = calculator.where(law, end)
    self.assertStartsWith(
      said, 'Extrapolated, 2 times the largest FLOP count of the envelope'
    )
    self.assertIn('range of the envelope', calculator.where(law, end / 2))

  def test_no_law(self):
    fits = self.fits(
      parametric='not_converged', isoflop='no_minimum',
      envelope='too_few_points',
    )  # fmt: skip
    self.assertIsNone(calculator.source(fits))
    self.assertIsNone(calculator.data(fits)['law'])


class AmountTest(parameterized.TestCase):
  @parameterized.parameters(
    ('1e18', 1e18), ('2.5e9', 2.5e9), ('10B', 1e10), ('3T', 3e12),
    (' 1,000,000 ', 1e6), ('1_000', 1e3), ('.5k', 500), ('7 m', 7e6),
    ('1E+3', 1e3), ('2.', 2), ('', None), ('0', None), ('-1', None),
    ('1e999', None), ('abc', None), ('1e', None), ('1 G', None), ('.', None),
    ('1,234.5', 1234.5), ('12,345B', 1.2345e13), ('1,5e12', None),
    ('1,5', None), ('0,125', None), ('1,234e12', None), ('1,00', None),
    ('1234,567', None), ('1.234,5', None), (',5', None), ('1,000,', None),
    ('1..2', None), ('<b>', None), ('nan', None), ('Infinity', None),
  )  # fmt: skip
  def test_what_people_type(self, text, expected):
    self.assertEqual(calculator.amount(text), expected)
    if expected is None:
      said = calculator.complaint(text)
      self.assertEqual('point for decimals' in said, ',' in text)


if __name__ == '__main__':
  absltest.main()
