"""Agreement, and the held-out budget's verdict, on changed analyses."""

import copy
import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import report
from scaling_jax.analysis import verdicts
from tests import studies

LAWS = ('envelope', 'isoflop', 'parametric')


def fits_of(**intervals):
  """The simulated study whose approaches say these intervals of N at 1.6e16.

  Args:
    **intervals: (low, high) of N by approach; those not named are not ok.
  """
  fits = copy.deepcopy(studies.analyzed().fits)
  for name in LAWS:
    law = fits['laws'][name]
    if name not in intervals:
      law['status'] = 'not_identified'
      continue
    low, high = intervals[name]
    N = {'value': low, 'low': low, 'high': high}
    D = {'value': 1e8, 'low': 0.9e8, 'high': 1.1e8}
    law['at'] = [{'C': fits['source']['targets'][0], 'N_opt': N, 'D_opt': D}]
  return fits


class AgreementTest(parameterized.TestCase):
  @parameterized.parameters(
    ({'parametric': (1, 2)}, ''),
    (
      {'isoflop': (1e5, 2e5), 'parametric': (1.5e5, 3e5)},
      'Approaches 2 and 3 do not contradict each other.',
    ),
    (
      dict.fromkeys(LAWS, (1e5, 2e5)),
      'Approaches 1, 2 and 3 do not contradict each other.',
    ),
    (
      {'isoflop': (1e5, 2e5), 'parametric': (3e5, 4e5)},
      'Approaches 2 and 3 disagree on N: their intervals lie apart.',
    ),
    (
      {**dict.fromkeys(LAWS, (1e5, 2e5)), 'envelope': (1120, 1.09e6)},
      'Approaches 2 and 3 do not contradict each other; approach 1 is too wide'
      ' to tell (N from 1.12K to 1.09M).',
    ),
    (
      {'isoflop': (1e5, None), 'parametric': (1e5, 2e5)},
      'Approach 2 is open on N, and cannot tell.',
    ),
    # Wide, and yet apart from the other: that says something.
    (
      {'envelope': (1, 1e4), 'parametric': (1e5, 2e5)},
      'Approaches 1 and 3 disagree on N: their intervals lie apart; approach 1'
      ' is too wide to tell (N from 1.000 to 10.0K).',
    ),
  )  # fmt: skip
  def test_one_sentence(self, intervals, said):
    self.assertEqual(verdicts.agreement(fits_of(**intervals)), said)


def held(inside, n):
  """The study whose held-out budget has so many of n losses inside."""
  fits = copy.deepcopy(studies.analyzed().fits)
  (run, *_) = fits['hold_out']['runs']
  fits['hold_out']['runs'] = [
    {**run, 'inside': k < inside} for k in range(n)
  ]  # fmt: skip
  return fits


class HoldOutTest(parameterized.TestCase):
  @parameterized.parameters((4, 7), (6, 6), (5, 6), (4, 6), (18, 20), (9, 10))
  def test_too_few_inside_by_the_binomial(self, inside, n):
    chance = sum(
      math.comb(n, k) * 0.95**k * 0.05 ** (n - k) for k in range(inside + 1)
    )
    found = verdicts.held(held(inside, n))
    self.assertEqual(found, (inside, n, chance < 0.05))
    page = report.page(held(inside, n))
    badge = '<span class="status not-ok">too narrow</span>'
    self.assertEqual(page.count(badge), 2 if chance < 0.05 else 0)
    self.assertIn(f'{inside} of {n} losses lie in the intervals', page)

  def test_how_far_ahead(self):
    # Budgets of 1e14, 4e14 and 1.6e15; the last is held out.
    fits = held(9, 10)
    self.assertAlmostEqual(fits['hold_out']['ahead'], 4, places=5)
    said = verdicts.tested(fits)
    self.assertStartsWith(said, 'Tested 4 times ahead: 9 of 10 losses')
    self.assertIn('this asks for ten times', said)

  def test_a_law_without_a_loss_is_tested_by_its_optimum(self):
    fits = held(1, 10)
    fits['laws']['parametric']['status'] = 'not_identified'
    (own,) = (o for o in fits['hold_out']['optima'] if o['law'] == 'isoflop')
    for inside, said in (
      (True, 'foretold for N_opt meets'), (False, 'lie apart'),
      (None, 'Not tested ahead'),
    ):  # fmt: skip
      own['inside'] = inside
      self.assertIn(said, verdicts.tested(fits))


if __name__ == '__main__':
  absltest.main()
