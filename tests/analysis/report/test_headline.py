"""Answers, agreement, and how the held-out budget met its predictions."""

import dataclasses
import itertools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import calculator as messages
from scaling_jax.analysis.report import agreement
from scaling_jax.analysis.report import headline
from scaling_jax.analysis.report import page
from scaling_jax.analysis.runs import recipe
from tests.analysis import designs
from tests.analysis import gpt_ladder
from tests.analysis import studies
from tests.analysis.report import reports

ALL = ('envelope', 'isoflop', 'chinchilla')


def best(low, high):
  """An optimum with this interval of N, and one of D that all share."""
  return Allocation(
    C=Interval.exact(1e16), N=Interval(low, low, high),
    D=Interval(1e8, 0.9e8, 1.1e8),
  )  # fmt: skip


class AgreementTest(parameterized.TestCase):
  def test_one_alone_has_nothing_to_agree_with(self):
    self.assertEqual(agreement.compare({'chinchilla': best(1, 2)}).text, '')

  def test_together(self):
    found = agreement.compare({name: best(1e5, 2e5) for name in ALL})
    self.assertEqual(found.together, (ALL,))
    self.assertEqual((found.apart, found.vague), ((), ()))
    self.assertNotEmpty(found.text)

  def test_apart(self):
    found = agreement.compare(
      {'isoflop': best(1e5, 2e5), 'chinchilla': best(3e5, 4e5)}
    )
    self.assertEqual(found.apart, (('isoflop', 'chinchilla', ('N',)),))
    self.assertEmpty(found.together)

  @parameterized.parameters((1120, 1.09e6), (1e5, np.inf), (1e5, np.nan))
  def test_too_wide_or_open_to_tell(self, low, high):
    found = agreement.compare(
      {
        'envelope': best(low, high), 'isoflop': best(1e5, 2e5),
        'chinchilla': best(1.5e5, 3e5),
      }
    )  # fmt: skip
    (vague,) = found.vague
    self.assertEqual((vague.approach, vague.quantity), ('envelope', 'N'))
    self.assertEqual(found.together, (('isoflop', 'chinchilla'),))

  def test_wide_and_yet_apart_tells_something(self):
    found = agreement.compare(
      {'envelope': best(1, 1e4), 'chinchilla': best(1e5, 2e5)}
    )
    self.assertLen(found.apart, 1)
    self.assertLen(found.vague, 1)

  def test_of_an_analysis_those_that_are_ok(self):
    found = agreement.of_analysis(reports.failed(envelope='not_identified'))
    named = itertools.chain(*found.together, *found.apart)
    self.assertNotIn('envelope', set(named))


class AnswerTest(parameterized.TestCase):
  def test_a_lesser_approach_answers_without_a_loss(self):
    (answer,) = headline.answers(reports.failed(chinchilla='not_converged'))
    self.assertEqual(answer.approach, 'isoflop')
    self.assertLen(answer.numbers, 2)
    self.assertTrue(np.isnan(answer.best.loss.value))

  def test_none_is_ok(self):
    none = dict.fromkeys(ALL, 'not_identified')
    self.assertEmpty(headline.answers(reports.failed(**none)))
    silent = headline.silent(reports.failed(**none))
    self.assertEqual([one.status for one in silent], ['not_identified'] * 3)

  def test_it_is_ahead_of_the_budgets_that_the_law_goes_through(self):
    base = studies.analyzed().analysis
    *rest, last = base.isoflop.budgets
    for status, ahead, two in (
      (Status.OK, 10, False),
      (Status.NO_DEGREES_OF_FREEDOM, 10, False),
      (Status.NOT_IDENTIFIED, 40, True),
    ):
      isoflop = dataclasses.replace(
        base.isoflop,
        budgets=(*rest, dataclasses.replace(last, status=status)),
      )
      changed = reports.changed(isoflop=isoflop)
      (answer,) = headline.answers(
        reports.failed(changed, chinchilla='not_identified')
      )
      self.assertAlmostEqual(answer.ahead, ahead)
      self.assertEqual(answer.two_budgets, two)
      self.assertEqual(answer.fitted.of, 'budgets' if two else 'runs')

  def test_one_for_each_target(self):
    targets = (1.3e14, 1.1e15, 1.5e18)
    options = dataclasses.replace(
      studies.analyzed().analysis.options, targets=targets
    )
    found = headline.answers(reports.changed(options=options))
    self.assertEqual(tuple(answer.C for answer in found), targets)
    self.assertAlmostEqual(found[-1].ahead, 1.5e18 / designs.BUDGETS[-1])


class CostTest(absltest.TestCase):
  def test_a_cost_beyond_the_models_is_said(self):
    analysis = gpt_ladder.analyzed()
    (answer,) = headline.answers(analysis)
    N = analysis.counted.N
    text = messages.cost_extrapolated(float(N.min()), float(N.max()))
    self.assertEqual(answer.cost_extrapolated, text)
    self.assertIn(text, headline.sentences(analysis))
    self.assertIn(text, page.page(analysis))
    truth, _ = gpt_ladder.best_of_all(answer.C)
    self.assertTrue(answer.best.N.holds(truth))

  def test_nothing_is_said_of_6ND(self):
    (answer,) = headline.answers(studies.analyzed().analysis)
    self.assertGreater(answer.ahead, 1)
    self.assertEqual(answer.cost_extrapolated, '')


def held(inside, n):
  """The study whose held-out budget has so many of n losses inside."""
  base = studies.analyzed().analysis.hold_out
  (run, *_) = base.runs
  (other, *_) = (one for one in base.runs)
  within = dataclasses.replace(
    run, predicted=Estimate(run.actual, run.actual * np.linspace(0.9, 1.1))
  )
  beyond = dataclasses.replace(
    other, actual=2 * other.actual,
    predicted=Estimate(other.actual, other.actual * np.linspace(0.9, 1.1)),
  )  # fmt: skip
  runs = (within,) * inside + (beyond,) * (n - inside)
  return reports.changed(hold_out=dataclasses.replace(base, runs=runs))


class HeldOutTest(parameterized.TestCase):
  @parameterized.parameters((4, 7, 0.001), (6, 6, 0.9), (5, 6, 0.02))
  def test_narrow_where_a_true_law_would_not_be_as_far(self, inside, n, p):
    analysis = held(inside, n)
    changed = dataclasses.replace(analysis.hold_out, p_value=p)
    found = headline.held_out_count(reports.changed(analysis, hold_out=changed))
    self.assertEqual((found.inside, found.n), (inside, n))
    self.assertEqual(found.narrow, p < 0.005)

  def test_an_answer_far_beyond_the_models(self):
    (answer,) = headline.answers(studies.analyzed().analysis)
    self.assertEqual(answer.reach, '')
    N, D = (float(x.value) for x in (answer.best.N, answer.best.D))
    for largest, told in (
      ((N / 200, D), True),
      ((N, D / 120), True),
      ((N, D), False),
    ):
      far = dataclasses.replace(answer, largest=largest)
      self.assertEqual(far.reach != '', told)

  def test_how_far_ahead(self):
    # Budgets of 1e14, 4e14 and 1.6e15; the last is held out.
    analysis = held(9, 10)
    (answer,) = headline.answers(analysis)
    found = headline.tested(analysis, answer)
    self.assertAlmostEqual(found.ahead, 4, places=5)
    self.assertAlmostEqual(found.asked, 10)
    self.assertEqual((found.losses.inside, found.losses.n), (9, 10))

  def test_a_law_without_a_loss_is_tested_by_its_optimum(self):
    base = studies.analyzed().analysis.hold_out
    for actual, overlap in (
      (Estimate(0.0, np.linspace(-1, 1)), False),
      (Estimate(np.nan), None),
    ):
      optima = tuple(
        dataclasses.replace(one, actual=actual) for one in base.optima
      )
      hold_out = dataclasses.replace(base, optima=optima)
      analysis = reports.failed(
        reports.changed(hold_out=hold_out), chinchilla='not_identified'
      )
      if overlap is False:  # and no wider interval is known
        self.assertEmpty(headline.answers(analysis))
        self.assertTrue(analysis.lead.withheld)
        self.assertLen(analysis.lead.doubts, 1)
        continue
      (answer,) = headline.answers(analysis)
      self.assertIsNone(headline.tested(analysis, answer))


class FloorTest(parameterized.TestCase):
  def floor(self, entropy, **statuses):
    base = studies.analyzed().analysis
    corpus = recipe.Corpus(name='simulated', floor_nats_per_token=entropy)
    made = dataclasses.replace(base.provenance, corpus=corpus)
    return headline.floor(
      reports.failed(reports.changed(provenance=made), **statuses)
    )

  @parameterized.parameters(
    (0.5, 'above'), (9.0, 'below'), (designs.LAW.E, 'inside')
  )
  def test_the_interval_beside_the_entropy(self, entropy, side):
    found = self.floor(entropy)
    self.assertEqual((found.entropy, found.side), (entropy, side))

  @parameterized.parameters(None, 0, -1)
  def test_an_entropy_that_is_not_known(self, entropy):
    found = self.floor(entropy)
    self.assertIsNone(found.entropy)
    self.assertEqual(found.side, '')

  def test_no_fitted_floor(self):
    found = self.floor(designs.LAW.E, chinchilla='not_converged')
    self.assertTrue(np.isnan(found.fitted.value))
    self.assertEqual(found.status, Status.NOT_CONVERGED)


if __name__ == '__main__':
  absltest.main()
