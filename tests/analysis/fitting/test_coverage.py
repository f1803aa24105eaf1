"""Intervals hold the truth as often as their level, whatever it is."""

from absl.testing import absltest
import numpy as np
import pytest
from scipy import stats

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from tests.analysis import designs
from tests.analysis.fitting import law_by_hand

LEVELS = (0.5, 0.8, 0.95, 0.99)


@pytest.mark.slow
class CoverageTest(absltest.TestCase):
  def check(self, held, slack=0.0):
    """held: level -> for each study, whether each number was held.

    As a binomial would have it in all but one of 10,000 cases; and `slack`
    less.
    """
    for level, rows in held.items():
      n = len(rows)
      low, high = stats.binom(n, level).ppf([5e-5, 1 - 5e-5]) / n
      for i, share in enumerate(np.mean(rows, axis=0)):
        self.assertBetween(share, low - slack, high, f'number {i} at {level}')

  def test_power_law(self):
    law = laws.PowerLaw(30.0, -0.08)
    x = np.geomspace(1e5, 1e7, 6)
    held = {level: [] for level in LEVELS}
    for seed in range(1000):
      y = law(x) * np.exp(0.02 * np.random.default_rng(seed).normal(size=6))
      found = power_law.fit(x, y, draws=1000, seed=seed, straight=True)
      for level in LEVELS:
        intervals = found.conf_int(level)
        held[level].append([
          intervals['coefficient'].holds(law.coefficient),
          intervals['exponent'].holds(law.exponent),
          found.predict(1e9, level).holds(law(1e9)),
          found.inverse(8.0, level).holds(law.inverse(8.0)),
        ])  # fmt: skip
    self.check(held)

  def test_chinchilla(self):
    law, C = published.HOFFMANN, 1e23
    plan = designs.design(law, law_by_hand.BUDGETS, models=6)
    rng = np.random.default_rng(0)
    best = law.optimum(C)
    truth = {**law._asdict(), 'exponent_N': law.exponent_N}
    held = {level: [] for level in LEVELS}
    for seed, L in enumerate(simulate.losses(law, plan, 0.002, rng, 400)):
      found = chinchilla.fit(
        plan.N, plan.D, L, bootstrap=Bootstrap(400, seed=seed),
        starts='projection',
      )  # fmt: skip
      self.assertTrue(found.ok)
      for level in LEVELS:
        intervals, at = found.conf_int(level), found.optimum(C=C, level=level)
        held[level].append([
          *(intervals[name].holds(x) for name, x in truth.items()),
          at.N.holds(best.N),
          at.loss.holds(best.L),
        ])  # fmt: skip
    # Percentiles of a law that is not linear in its parameters: nearly.
    self.check(held, slack=0.02)


if __name__ == '__main__':
  absltest.main()
