"""Plans and designs as a terminal shows them."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.planner import known
from scaling_jax.planner import say


class NumbersTest(parameterized.TestCase):
  @parameterized.parameters(
    (42.0, '42 s'),
    (486.0, '8.1 min'),
    (3.3 * 3600, '3.3 h'),
    (6.7 * 86_400, '6.7 days'),
    (1204 * 365.25 * 86_400, '1,200 years'),
  )
  def test_durations(self, seconds, words):
    self.assertEqual(say.duration(seconds), words)

  @parameterized.parameters(
    (None, '–'),
    ({'value': None, 'low': None, 'high': None}, '–'),
    (known.exactly(2.5), '2.500'),
    ({'value': 2.5, 'low': 2.0, 'high': 3.0}, '2.500 [2.000, 3.000]'),
    ({'value': 2.5, 'low': None, 'high': 3.0}, '2.500 [?, 3.000]'),
    ({'value': 2.5, 'low': None, 'high': None}, '2.500'),
  )
  def test_estimates(self, x, words):
    self.assertEqual(say.estimate(x), words)


class DesignTest(absltest.TestCase):
  def made(self, **half):
    widths = {'value': 0.1, 'low': 0.05, 'high': math.inf, **half}
    approach = {'answers': 0.5, 'half_widths': {
      'a': widths, 'E': widths, 'N_opt': widths}}  # fmt: skip
    return {
      'settings': {'level': 0.95, 'noise': 0.003, 'seed_noise': 0.00075},
      'n_runs': 2, 'C_total': 1e15, 'target': 1e16, 'laws': 'two laws',
      'approaches': {'isoflop': approach}, 'budgets': [], 'worth': {},
      'notes': ['a note'],
    }  # fmt: skip

  def test_half_widths(self):
    text = say.design(self.made())
    self.assertRegex(text, r'a in N_opt ∝ C\^a +± 0\.1 \[0\.05, open\]')
    self.assertRegex(text, r'E +± 10 % \[5 %, open\]')
    self.assertRegex(text, r'N_opt at 1e\+16 FLOPs +×÷ 1\.11 \[1\.05, open\]')
    self.assertRegex(text, r'gives an answer +in 50 %\n')
    self.assertIn('- a note', text)

  def test_open(self):
    text = say.design(self.made(value=math.inf))
    self.assertRegex(text, r'∝ C\^a +open \[0\.05, open\]')
    text = say.design(self.made(value=math.inf, low=math.inf))
    self.assertRegex(text, r'∝ C\^a +–\n')


if __name__ == '__main__':
  absltest.main()
