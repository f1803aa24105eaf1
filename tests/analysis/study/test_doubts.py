"""Which approach leads, by simulated studies whose law is known to be wrong."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.report import agreement
from scaling_jax.analysis.study import doubts
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import HeldOutOptimum
from scaling_jax.analysis.study.results import HoldOut
from scaling_jax.analysis.study.results import Options
from tests.analysis import designs
from tests.analysis import studies

BUDGETS = tuple(np.geomspace(1e18, 10**19.5, 4))
PLAN = designs.design(published.BESIROGLU, budgets=BUDGETS, models=7)
NARROW, WIDE = (Interval(1e9, 0.8e9, 1.2e9), Interval(1.1e9, 0.5e9, 3e9))


@dataclasses.dataclass(frozen=True)
class Fit:
  """As much of a fit as a lead asks of it."""

  ok: bool = True


def lead(law=(), isoflop=(), *, silent=(), minima=4, averaged=True):
  return doubts.lead(
    {x: Fit(x not in silent) for x in ('envelope', 'isoflop', 'chinchilla')},
    {'chinchilla': tuple(law), 'isoflop': tuple(isoflop)},
    minima=minima,
    averaged=averaged,
  )


def study(law, noise=0.001, seed=0):
  """An analysis of PLAN with losses of another law."""
  rng = np.random.default_rng(seed)
  L = law.loss(PLAN.N, PLAN.D) * np.exp(noise * rng.normal(size=len(PLAN.N)))
  return studies.analyze(studies.as_runs(PLAN, L))


class LeadTest(parameterized.TestCase):
  def test_approach_3_where_nothing_speaks_against_it(self):
    self.assertEqual(lead(isoflop=['apart']).approach, 'chinchilla')
    self.assertEmpty(lead().doubts)

  def test_approach_2_where_a_test_speaks_against_3(self):
    self.assertEqual(lead(['form']), doubts.Lead(approach='isoflop'))

  @parameterized.parameters(
    {'minima': 2}, {'isoflop': ['apart']}, {'silent': ['isoflop']}
  )
  def test_the_wider_interval_where_2_is_no_better(self, **kwargs):
    found = lead(['form'], **kwargs)
    self.assertEqual(found.approach, 'chinchilla')
    self.assertTrue(found.wider)
    self.assertEqual(found.doubts, ('form',))
    found = lead(['form'], averaged=False, **kwargs)
    self.assertTrue(found.withheld)
    self.assertFalse(found.wider)

  def test_where_approach_3_does_not_answer(self):
    silent = ['chinchilla']
    self.assertEqual(lead(silent=silent).approach, 'isoflop')
    self.assertFalse(lead(silent=silent, minima=2).withheld)
    self.assertTrue(lead(isoflop=['apart'], silent=silent).withheld)
    silent += ['isoflop']
    self.assertEqual(lead(silent=silent).approach, 'envelope')
    self.assertIsNone(lead(silent=[*silent, 'envelope']).approach)

  def test_wider_holds_both(self):
    one = Allocation(C=Interval.exact(1e20), N=NARROW, D=NARROW)
    other = Allocation(C=Interval.exact(1e20), N=WIDE, D=WIDE, loss=NARROW)
    found = doubts.wider(one, other)
    self.assertEqual(list(found.N), [1.1e9, 0.5e9, 3e9])
    self.assertEqual(list(found.C), [1e20] * 3)
    self.assertEqual(list(doubts.wider(other, one).N), [1e9, 0.5e9, 3e9])


class AgainstTest(parameterized.TestCase):
  @parameterized.parameters((0.01, 2, 0), (0.002, 2, 1), (0.002, 3, 0))
  def test_losses_are_judged_by_how_many_budgets_are(self, p, budgets, count):
    of = [HoldOut(status=Status.OK, C=1e18, p_value=p)]
    of += [HoldOut(status=Status.OK, C=1e19, p_value=0.5)] * (budgets - 1)
    found = doubts.against((), of, 0.95)
    self.assertLen(found['chinchilla'], count)
    self.assertEmpty(found['isoflop'])

  @parameterized.parameters((0.0, 0), (5.0, 1))
  def test_optima_that_lie_apart(self, off, count):
    draws = np.random.default_rng(0).normal(size=400)
    for approach in ('isoflop', 'chinchilla'):
      one = HeldOutOptimum(
        approach=approach, status=Status.OK, message='',
        predicted=Estimate(20.0, 20 + 0.1 * draws, log=True),
        actual=Estimate(20.0 + off, 20 + off + 0.1 * draws, log=True),
        tried=(np.exp(15), np.exp(30)),
      )  # fmt: skip
      held = HoldOut(status=Status.OK, C=1e18, optima=(one,))
      self.assertLen(doubts.against((), [held], 0.95)[approach], count)
      wide = dataclasses.replace(one, tried=(np.exp(19.9), np.exp(20.1)))
      self.assertIsNone(wide.overlap(0.95))
      held = HoldOut(status=Status.OK, C=1e18, optima=(wide,))
      self.assertEmpty(doubts.against((), [held], 0.95)[approach])


class StudyTest(absltest.TestCase):
  def test_a_law_of_its_form(self):
    found = study(published.BESIROGLU)
    self.assertEqual(found.lead, doubts.Lead(approach='chinchilla'))
    self.assertLen(found.predictions, 2)
    self.assertGreater(min(one.p_value for one in found.predictions), 0.01)
    self.assertEqual(agreement.contradiction(found), '')

  def test_without_draws_there_is_nothing_to_average(self):
    runs = study(published.BESIROGLU).runs
    found = Analysis(runs, Options(bootstrap=Bootstrap(draws=0)))
    self.assertIsNone(found.averaged)
    self.assertEqual(found.headline, 'chinchilla')
    self.assertTrue(np.isfinite(found.optimum(C=1e20).N.value))

  def test_terms_that_interact(self):
    law = laws.Interacting(*published.BESIROGLU, k=0.7)
    found = study(law, seed=2)
    truth = law.optimum(10 * BUDGETS[-1])
    self.assertEqual(found.headline, 'isoflop')
    self.assertNotEmpty(found.doubts['chinchilla'])
    best = found.optimum(C=10 * BUDGETS[-1])
    self.assertTrue(best.N.holds(truth.N))
    self.assertFalse(found.chinchilla.conf_int()['E'].holds(law.E))
    self.assertTrue(found.averaged.conf_int()['E'].holds(law.E))
    # Approach 3 alone: its interval must hold the averaged one.
    alone = studies.analyze(found.runs)
    for name in ('chinchilla', 'isoflop', 'envelope'):
      setattr(alone, name, getattr(found, name))
    alone.isoflop = dataclasses.replace(
      found.isoflop, status=Status.NOT_IDENTIFIED
    )
    self.assertTrue(alone.lead.wider)
    best = alone.optimum(C=10 * BUDGETS[-1])
    self.assertTrue(best.loss.holds(truth.L))
    own = found.chinchilla.optimum(C=10 * BUDGETS[-1])
    self.assertFalse(own.loss.holds(truth.L))


if __name__ == '__main__':
  absltest.main()
