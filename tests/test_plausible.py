"""Laws that might be true."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws as laws_lib
from scaling_jax.analysis import study
from scaling_jax.errors import UserError
from scaling_jax.planner import known
from scaling_jax.planner import plausible
from tests import studies


def rng():
  return np.random.default_rng(0)


class AnywhereTest(absltest.TestCase):
  def test_each_range_is_spread_evenly(self):
    C, count = 3e14, 40
    found = plausible.anywhere(C, count, rng()).law
    best = found.optimum(C)
    np.testing.assert_allclose(best.L, 1, rtol=1e-9)
    share = {
      'alpha': (found.alpha, plausible.EXPONENTS, float),
      'beta': (found.beta, plausible.EXPONENTS, float),
      'reducible': (1 - found.E, plausible.REDUCIBLE, np.log),
      'ratio': (best.D / best.N, plausible.TOKENS_PER_PARAM, np.log),
    }
    for name, (x, ends, scale) in share.items():
      low, high = scale(ends[0]), scale(ends[1])
      scaled = np.asarray(x if scale is float else scale(x))
      where = np.sort((scaled - low) / (high - low))
      np.testing.assert_allclose(
        where, (np.arange(count) + 0.5) / count, atol=1e-6, err_msg=name
      )
    for one in found:
      self.assertLen(np.unique(one), count)

  def test_no_two_qualities_move_together(self):
    found = plausible.anywhere(1e15, 60, rng()).law
    together = np.corrcoef([found.alpha, found.beta, np.log(1 - found.E)])
    self.assertLess(np.abs(together - np.eye(3)).max(), 0.35)


class NearTest(parameterized.TestCase):
  def test_published(self):
    law = known.law_of('besiroglu')
    found = plausible.near(law, 1e20, 50, rng()).law
    self.assertEqual(np.shape(found.alpha), (50,))
    self.assertAlmostEqual(np.median(found.alpha), law.law.alpha, places=2)
    fixed = plausible.near(known.law_of('hoffmann'), 1e20, 3, rng()).law
    np.testing.assert_allclose(np.transpose(fixed), [laws_lib.HOFFMANN] * 3)

  def test_one_s_own_by_its_intervals(self):
    folder = self.create_tempdir().full_path
    fits = studies.analyzed().fits
    study.write(fits, folder)
    law = known.law_of(folder)
    C = studies.BUDGETS[1]
    found = plausible.near(law, C, 4000, rng()).law
    best = found.optimum(C)
    at = law.for_compute(C)
    for drawn, interval in (
      (best.N, at.N), (found.alpha, law.parts['alpha']),
      (found.beta, law.parts['beta']),
    ):  # fmt: skip
      low, high = np.quantile(drawn, [0.025, 0.975])
      self.assertAlmostEqual(np.median(drawn) / interval['value'], 1, 1)
      self.assertAlmostEqual(
        np.log(high / low) / np.log(interval['high'] / interval['low']), 1, 1
      )
    np.testing.assert_allclose(best.L, at.L['value'], rtol=1e-9)
    low, high = np.quantile(found.E, [0.025, 0.975])
    E = law.parts['E']
    self.assertAlmostEqual((high - low) / (E['high'] - E['low']), 1, 1)

  def test_intervals_of_another_level_are_read_as_such(self):
    folder = self.create_tempdir().full_path
    study.write(studies.analyzed().fits, folder)
    law = known.law_of(folder)
    one, other = (
      plausible.near(dataclasses.replace(law, level=x), 4e14, 4000, rng()).law
      for x in (0.95, 0.8)
    )
    # Of a normal, 95 % are 1.53 times as wide as 80 %.
    ratio = np.std(np.log(other.alpha)) / np.std(np.log(one.alpha))
    self.assertAlmostEqual(ratio, 1.5294, places=3)

  def test_what_is_open_is_not_taken_for_known(self):
    folder = self.create_tempdir().full_path
    study.write(studies.analyzed().fits, folder)
    law = known.law_of(folder)
    alpha = {**law.parts['alpha'], 'high': None}
    law = dataclasses.replace(law, parts={**law.parts, 'alpha': alpha})
    with self.assertRaisesRegex(UserError, 'leaves alpha open'):
      plausible.near(law, 4e14, 5, rng())

  def test_kaplan_s_form_cannot_be_judged_by(self):
    with self.assertRaisesRegex(UserError, 'has not the form.*besiroglu'):
      plausible.near(known.law_of('kaplan'), 1e20, 3, rng())


if __name__ == '__main__':
  absltest.main()
