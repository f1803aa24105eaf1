"""How far plans lie beyond the runs behind their laws."""

import dataclasses
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.errors import UserError
from scaling_jax.planner import bounds
from scaling_jax.planner import law_registry
from scaling_jax.planner import messages
from scaling_jax.planner import models
from scaling_jax.planner import plan
from scaling_jax.planner import resources
from tests.planner import own_fits

# Of Hoffmann's figure 4: the data's own, from 1.397e18 to 1.296e22.
LEAST, MOST = 1.4e18, 1.3e22


def plan_of(law, **given):
  text = resources.Text(given.pop('tokens')) if 'tokens' in given else None
  there = resources.gather(given.get('C'), None, text)
  (made,) = plan.make(there, [law_registry.law_of(law)]).laws.values()
  return made


def allocation(C, N, D):
  return Allocation(C=Interval(C), N=Interval(N), D=Interval(D))


class BeyondTest(parameterized.TestCase):
  @parameterized.parameters(
    (1e21, None, 1), (MOST * 50, 'C', 50), (LEAST / 20, 'C', 20)
  )
  def test_the_factor_is_of_the_nearer_end(self, C, what, factor):
    law = law_registry.law_of('besiroglu')
    found = bounds.farthest(law, law.optimum(C=C))
    if what is None:
      self.assertIsNone(found)
    else:
      self.assertEqual((found.what, found.above), (what, C > MOST))
      self.assertAlmostEqual(found.factor, factor)

  def test_the_farthest_of_three(self):
    law = law_registry.law_of('hoffmann')  # N to 16e9, D from 5e9
    found = bounds.farthest(law, allocation(1e21, 16e10, 5e7))
    self.assertEqual((found.what, round(found.factor)), ('D', 100))

  def test_one_s_own_law_has_the_range_of_its_runs(self):
    fit = own_fits.chinchilla_fit()
    ranges = law_registry.law_of(fit).ranges
    self.assertEqual(ranges['N'], (fit.N.min(), fit.N.max()))
    self.assertEqual(ranges['D'], (fit.D.min(), fit.D.max()))
    C = 6 * fit.N * fit.D
    np.testing.assert_allclose(ranges['C'], (C.min(), C.max()))


class PlanTest(parameterized.TestCase):
  @parameterized.parameters((0.9, True), (1.1, False))
  def test_a_thousand_times_beyond_no_interval_is_stated(self, share, certain):
    for C in (MOST * 1e3 * share, LEAST / 1e3 / share):
      made = plan_of('besiroglu', C=C)
      self.assertEqual(made.N.known, certain)
      self.assertEqual(made.loss.known, certain)
      self.assertEqual(made.C, Interval.exact(C))
      note = messages.nothing_is_certain(made.beyond)
      self.assertEqual(note in made.notes, not certain)

  def test_the_number_stays(self):
    made = plan_of('besiroglu', C=1e27)
    best = law_registry.law_of('besiroglu').optimum(C=1e27)
    self.assertEqual(made.N.value, best.N.value)
    self.assertIn('~', str(plan.make(
      resources.gather(1e27), [law_registry.law_of('besiroglu')]
    )))  # fmt: skip

  @parameterized.parameters(
    ({'C': 1e32}, '1.3e31'), ({'C': 1e8}, '1.4e9'), ({'tokens': 1e2}, 'C=')
  )
  def test_absurd_questions_are_refused_with_the_range(self, given, named):
    with self.assertRaisesRegex(UserError, named):
      plan_of('besiroglu', **given)

  def test_no_model_has_less_than_a_parameter(self):
    with self.assertRaisesRegex(UserError, 'one parameter'):
      plan_of('kaplan', tokens=900)

  def test_absurd_answers_are_refused(self):
    """A law of one's own whose N_opt explodes."""
    law = law_registry.law_of(own_fits.chinchilla_fit())
    wild = allocation(1e15, 1e30, 1e8)
    with self.assertRaisesRegex(UserError, 'N=1e30'):
      bounds.checked(law, wild)


class AgreementTest(absltest.TestCase):
  def test_closed_forms_agree(self):
    for name in law_registry.NAMES:
      for C in (1e13, 1e20, 1e26):
        law = law_registry.law_of(name)
        self.assertIsNone(bounds.implied_N(law, law.optimum(C=C)), name)

  def test_lines_that_part_are_named(self):
    fit = own_fits.isoflop_fit()  # N_opt = 2 C^0.4 and D_opt = C^0.6 / 12
    line = fit.D_opt.line + np.array([0.05, -0.05 * math.log(1e15)])
    apart = dataclasses.replace(
      fit, D_opt=dataclasses.replace(fit.D_opt, line=line)
    )
    law = law_registry.law_of(apart)
    self.assertIsNone(bounds.implied_N(law, law.optimum(C=1e15)))
    made = plan_of(apart, C=1e18)
    # D is 1000^0.05 what goes with C and N.
    implied = made.N.value / 1000**0.05
    self.assertAlmostEqual(bounds.implied_N(law, made.allocation) / implied, 1)
    self.assertIn(messages.do_not_agree(made.N.value, implied), made.notes)
    self.assertEmpty([
      note for note in plan_of(fit, C=1e18).notes if 'agree' in note
    ])  # fmt: skip


class ModelsTest(absltest.TestCase):
  def test_models_far_beyond_a_law_are_marked(self):
    made = models.compare(law_registry.laws_of('besiroglu'))
    far = {
      model.name
      for model, row in zip(made.models, made.laws['besiroglu'].rows)
      if row.beyond.far
    }
    # By hand: 6 x 405e9 x 15.6e12 is 2,916 times 1.3e22; Falcon's is 291 times.
    self.assertEqual(far, {'Llama 3.1 405B'})


if __name__ == '__main__':
  absltest.main()
