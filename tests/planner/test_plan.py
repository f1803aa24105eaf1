"""Plans against closed forms, published numbers and plain arithmetic."""

import dataclasses
import json
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import published
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.errors import UserError
from scaling_jax.planner import law_registry
from scaling_jax.planner import messages
from scaling_jax.planner import plan
from scaling_jax.planner import resources
from scaling_jax.planner import tables
from scaling_jax.planner.resources import Token
from tests.analysis import designs
from tests.planner import own_fits

POETRY = 73_584_077
CHARACTERS = Token('characters', 66)
UNKNOWN = Token('unknown')
BPE = Token('BPE', 50_257)


def there(C=None, tokens=None, epochs=1.0, token=UNKNOWN, machine=None):
  text = resources.Text(tokens, epochs, token, 'poetry') if tokens else None
  return resources.gather(C, machine, text)


def plans(*names, **given):
  return plan.make(there(**given), law_registry.laws_of(names))


def plan_of(name, **given):
  return plans(name, **given).laws[name]


class ComputeTest(absltest.TestCase):
  def test_chinchilla_s_budget(self):
    made = plans('hoffmann', 'besiroglu', C=5.76e23)
    law = made.laws['hoffmann']
    self.assertAlmostEqual(law.N.value / 1e9, 32.19, places=2)
    self.assertAlmostEqual(law.pf_days.value, 5.76e23 / 8.64e19)
    self.assertEqual(law.binds, 'compute')
    self.assertEqual(law.tokens_per_step, 2**22)
    self.assertEqual(law.S, math.ceil(law.D.value / 2**22))
    shape = law.shape
    self.assertBetween(shape.N / law.N.value, 0.95, 1.05)
    self.assertEqual(shape.N_total - shape.N, (32_000 + 1024) * shape.n_embd)
    # Twenty tokens a parameter: C = 6 · 20 N².
    self.assertAlmostEqual(made.rules.N_at_20_tokens / 1e9, 69.28, 2)

  def test_time_is_compute_over_rate(self):
    machine = resources.Machine(peak_tflops=10.0, count=2, mfu=0.5)
    law = plan_of('hoffmann', C=1e18, machine=machine)
    self.assertAlmostEqual(law.seconds.value, 1e18 / 1e13)

  def test_a_batch_leaves_ten_thousand_steps(self):
    self.assertEqual(plan.batch(1e6), 2**11)
    self.assertEqual(plan.batch(73.6e6), 2**12)
    self.assertEqual(plan.batch(1e14), 2**22)
    for D in (3e7, 5e8, 2e10):
      self.assertBetween(D / plan.batch(D), 10_000, 20_000)

  def test_what_is_built_can_be_chosen(self):
    options = plan.BuildOptions(1 << 19, 32, 66)
    law = law_registry.law_of('hoffmann')
    made = plan.make(there(C=1e19), [law], options).laws['hoffmann']
    self.assertEqual(made.S, math.ceil(made.D.value / 2**19))
    shape = made.shape
    self.assertEqual(shape.N_total - shape.N, (32 + 66) * shape.n_embd)


class TokensTest(parameterized.TestCase):
  def test_proportional_is_not_equal(self):
    rules = plans('kaplan', tokens=POETRY).rules
    # By hand: (73,584,077 / 5000)^(1 / 0.74), and a twentieth.
    self.assertAlmostEqual(rules.N_of_kaplan_bound / 4.287e5, 1, places=3)
    self.assertAlmostEqual(rules.N_at_20_tokens / 3.679e6, 1, places=3)

  def test_tokens_alone_decide(self):
    law = plan_of('besiroglu', tokens=POETRY)
    self.assertEqual(law.binds, 'tokens')
    self.assertEqual(law.D.value, POETRY)
    self.assertEqual(law.epochs.value, 1)
    best = published.BESIROGLU.for_tokens(POETRY)
    self.assertAlmostEqual(law.C.value / best.C, 1)
    self.assertIn(messages.tokens_decide(), law.notes)

  @parameterized.parameters(*law_registry.NAMES)
  def test_a_week_of_a_laptop_on_poetry_is_bound_by_its_text(self, name):
    law = plan_of(name, C=6.87e18, tokens=POETRY)
    self.assertEqual(law.binds, 'tokens')
    self.assertLess(law.C.value, 1e-3 * 6.87e18)
    note = messages.data_bind(
      law.C.value, 6.87e18 / law.C.value, messages.too_much_compute()
    )
    self.assertIn(note, law.notes)

  @parameterized.parameters(*law_registry.NAMES)
  def test_a_great_text_leaves_compute_to_bind(self, name):
    law = plan_of(name, C=1e20, tokens=1e13)
    alone = plan_of(name, C=1e20)
    self.assertEqual(law.binds, 'compute')
    self.assertEqual(law.N, alone.N)
    worth = law_registry.law_of(name).optimum(D=1e13).C.value
    self.assertIn(messages.compute_binds(worth), law.notes)
    self.assertLess(law.epochs.value, 1)

  def test_the_two_bounds_meet(self):
    """Text that is just enough leaves the same plan whichever binds."""
    best = published.HOFFMANN.optimum(1e20)
    for share, binds in ((0.999, 'tokens'), (1.001, 'compute')):
      law = plan_of('hoffmann', C=1e20, tokens=share * float(best.D))
      self.assertEqual(law.binds, binds)
      self.assertAlmostEqual(law.N.value / best.N, 1, places=2)
      self.assertLessEqual(law.D.value, share * best.D * (1 + 1e-9))

  def test_compute_left_over_is_stated(self):
    best = published.BESIROGLU.for_tokens(1e11)
    law = plan_of('besiroglu', C=3 * float(best.C), tokens=1e11)
    N = 3 * float(best.C) / 6e11
    rest = messages.all_of_it(N, float(published.BESIROGLU.loss(N, 1e11)))
    self.assertIn(messages.data_bind(float(best.C), 3, rest), law.notes)

  def test_kaplan_never_asks_for_more_tokens_than_there_are(self):
    # At small budgets N_opt(C) wants more tokens than D >= 5e3 N^0.74 does.
    law = plan_of('kaplan', C=1e12, tokens=7e7)
    self.assertEqual(law.D.value, 7e7)
    self.assertAlmostEqual(6 * law.N.value * 7e7 / 1e12, 1)
    self.assertEqual(law.binds, 'tokens')
    wanted = law_registry.law_of('kaplan').optimum(C=1e12).D.value
    self.assertIn(messages.data_bind_smaller_model(wanted), law.notes)

  def test_epochs(self):
    for epochs, many in ((10, True), (4, False)):
      law = plan_of('besiroglu', tokens=1e9, epochs=epochs)
      self.assertEqual(law.D.value, epochs * 1e9)
      self.assertEqual(law.epochs.value, epochs)
      self.assertEqual(messages.repeated(epochs, 4) in law.notes, many)

  def test_a_law_without_a_best_use_of_tokens(self):
    """Where more compute wants no more tokens, compute must be known."""
    fit = own_fits.isoflop_fit()
    falling = dataclasses.replace(fit, D_opt=fit.N_opt, N_opt=fit.D_opt)
    line = falling.D_opt.line * [-1, 1]
    falling = dataclasses.replace(
      falling, D_opt=dataclasses.replace(falling.D_opt, line=line)
    )
    law = law_registry.law_of(falling)
    with self.assertRaises(UserError):
      plan.make(there(tokens=1e9), [law])
    made = plan.make(there(C=1e15, tokens=1e9), [law]).laws[law.name]
    self.assertEqual(made.binds, 'compute')


class NotesTest(absltest.TestCase):
  def test_characters_are_no_bpe_tokens(self):
    fitted = law_registry.law_of('kaplan').token
    for token, note in (
      (CHARACTERS, messages.other_tokens(CHARACTERS, fitted)),
      (UNKNOWN, messages.taken_for_bpe()),
    ):
      self.assertIn(note, plan_of('kaplan', tokens=1e9, token=token).notes)
    without = plan_of('kaplan', tokens=1e9, token=BPE)
    some = plan_of('kaplan', tokens=1e9, token=UNKNOWN)
    self.assertLen(some.notes, len(without.notes) + 1)

  def test_worse_than_guessing(self):
    law = plan_of('besiroglu', tokens=1e6)
    loss = law.loss.value
    self.assertGreater(loss, math.log(32_000))
    self.assertIn(messages.worse_than_guessing(loss, 32_000), law.notes)

  def test_inside_its_range_only_the_interval_is_missed(self):
    why = messages.no_interval(messages.hoffmann_has_no_interval())
    self.assertEqual(plan_of('hoffmann', C=1e21).notes, (why,))
    self.assertEqual(plan_of('besiroglu', C=1e21).notes, ())
    self.assertLen(plan_of('hoffmann', C=1e16).notes, 3)

  def test_a_shape_counts_as_its_law_does(self):
    for name, count in (('hoffmann', 'N_total'), ('kaplan', 'N')):
      law = plan_of(name, C=1e19)
      ratio = getattr(law.shape, count) / law.N.value
      self.assertBetween(ratio, 0.9, 1.1, name)

  def test_too_little_to_train(self):
    options = plan.BuildOptions(tokens_per_step=1 << 14)
    given = there(tokens=9e3)
    made = plan.make(given, [law_registry.law_of('kaplan')], options)
    law = made.laws['kaplan']
    N, shape = law.N.value, law.shape
    for note in (
      messages.no_shape_near(N, shape.name, shape.N, with_embeddings=False),
      messages.batch_beyond_text(1 << 14, 9e3),
    ):
      self.assertIn(note, law.notes)

  def test_a_law_of_another_text(self):
    law = dataclasses.replace(
      law_registry.law_of(own_fits.chinchilla_fit()),
      corpus='prose',
      token=CHARACTERS,
    )
    given = there(tokens=1e8, token=CHARACTERS)
    made = plan.make(given, [law]).laws['fit']
    self.assertIn(messages.other_text('prose'), made.notes)
    same = dataclasses.replace(law, corpus='poetry')
    made = plan.make(given, [same]).laws['fit']
    self.assertNotIn(messages.other_text('poetry'), made.notes)


def planned(fit, name='fit', **given):
  law = law_registry.laws_of([fit])[0]
  return plan.make(there(**given), [law]).laws[law.name]


class CostTest(parameterized.TestCase):
  """Laws of runs whose C is not 6 N D."""

  def curved(self, times=1.0):
    fit = own_fits.chinchilla_fit()
    k = 6 + 1500 * fit.N**-0.4
    return dataclasses.replace(fit, C=times * k * fit.N * fit.D)

  def test_the_optimum_is_along_the_cost(self):
    fit = self.curved()
    C = float(fit.C.max())
    made = planned(fit, C=C)
    N = np.exp(np.linspace(8, 25, 400_001))
    by_force = N[np.argmin(fit.law.loss(N, C / ((6 + 1500 * N**-0.4) * N)))]
    self.assertAlmostEqual(made.N.value / by_force, 1, delta=0.01)
    self.assertIsNotNone(made.shape)

  def test_all_of_the_tokens_take_a_model_that_C_pays_for(self):
    fit = self.curved()
    law = law_registry.laws_of([fit])[0]
    C = float(fit.C.max())
    N = law.params_for(C, 1e8)
    self.assertAlmostEqual((6 + 1500 * N**-0.4) * N * 1e8 / C, 1, delta=0.01)
    published_law = law_registry.law_of('hoffmann')
    self.assertAlmostEqual(published_law.params_for(C, 1e8), C / 6e8)

  def test_extrapolated_is_counted_in_the_runs_own_C(self):
    for times in (8.0, 1 / 8):
      fit = self.curved(times)
      made = planned(fit, C=24 * float(fit.C.max()))
      self.assertIn(messages.beyond(24, 'runs'), made.notes)

  def test_a_cost_beyond_the_models_is_said(self):
    fit = self.curved()
    note = messages.cost_extrapolated(float(fit.N.min()), float(fit.N.max()))
    far, near = (
      planned(fit, C=C) for C in (1e4 * fit.C.max(), float(fit.C.min()))
    )
    self.assertIn(note, far.notes)
    self.assertNotIn(note, near.notes)

  @parameterized.parameters(8.0, 1 / 8)
  def test_no_dense_shape_where_6ND_is_not_C(self, times):
    fit = own_fits.chinchilla_fit()
    fit = dataclasses.replace(fit, C=times * 6 * fit.N * fit.D)
    made = planned(fit, C=1e16)
    self.assertIsNone(made.shape)
    self.assertIn(messages.no_dense_shape(times), made.notes)
    best = fit.law.optimum(1e16 / times)
    self.assertAlmostEqual(made.N.value / best.N, 1, delta=1e-6)
    whole = plan.make(there(C=1e16), [law_registry.laws_of([fit])[0]])
    (law,) = json.loads(whole.to_json())['laws'].values()
    self.assertIsNone(law['shape'])
    (row,) = (x for x in str(whole).splitlines() if 'a shape near N' in x)
    self.assertEqual(row.split()[-1], tables.NOTHING)

  def test_approach_2_by_its_budgets(self):
    design = designs.design()
    L = designs.LAW.loss(design.N, design.D)
    groups = designs.by_budget(
      design._replace(N=8 * design.N), L
    )  # N of all experts
    fit = isoflop.fit(groups, bootstrap=Bootstrap(draws=0))
    made = planned(fit, C=1e16)
    self.assertIsNone(made.shape)
    law = law_registry.laws_of([fit])[0]
    self.assertEqual(law.cost.form, 'ratio')
    self.assertAlmostEqual(law.params_for(1e16, 1e9) / (8e16 / 6e9), 1)


class OwnTest(absltest.TestCase):
  def test_one_s_own_law_stands_beside(self):
    fit = own_fits.chinchilla_fit()
    laws = law_registry.laws_of(['besiroglu', fit])
    made = plan.make(there(C=1e18), laws)
    self.assertEqual(list(made.laws), ['besiroglu', 'fit'])
    best = designs.LAW.optimum(1e18)
    self.assertAlmostEqual(made.laws['fit'].N.value / best.N, 1)
    self.assertTrue(made.laws['fit'].N.known)


if __name__ == '__main__':
  absltest.main()
