"""Plans against closed forms, published numbers and plain arithmetic."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax import laws as laws_lib
from scaling_jax.planner import have as have_lib
from scaling_jax.planner import known
from scaling_jax.planner import plan
from tests import studies

POETRY = 73_584_077
CHARACTERS = known.Token('characters', 66)
UNKNOWN = known.Token('unknown')
BPE = known.Token('BPE', 50_257)


def have(C=None, tokens=None, epochs=1.0, token=UNKNOWN, machine=None):
  return have_lib.Have(
    (have_lib.compute(C),) if C else (),
    machine,
    have_lib.Text(tokens, epochs, token, 'poetry') if tokens else None,
  )


def plans(*names, **there):
  found = [known.law_of(name) for name in names]
  return plan.make(have(**there), found)


def notes(made, name):
  return ' '.join(made['laws'][name]['notes'])


class ComputeTest(absltest.TestCase):
  def test_chinchilla_s_budget(self):
    made = plans('hoffmann', 'besiroglu', C=5.76e23)
    law = made['laws']['hoffmann']
    self.assertAlmostEqual(law['N']['value'] / 1e9, 32.19, places=2)
    self.assertAlmostEqual(law['pf_days']['value'], 5.76e23 / 8.64e19)
    self.assertEqual(law['binds'], 'compute')
    self.assertEqual(law['tokens_per_step'], 2**22)
    self.assertEqual(law['S'], math.ceil(law['D']['value'] / 2**22))
    shape = law['shape']
    self.assertBetween(shape['N'] / law['N']['value'], 0.95, 1.05)
    self.assertEqual(
      shape['N_total'] - shape['N'], (32_000 + 1024) * shape['n_embd']
    )
    # Twenty tokens a parameter: C = 6 · 20 N².
    self.assertAlmostEqual(made['rules']['N_at_20_tokens'] / 1e9, 69.28, 2)

  def test_time_is_compute_over_rate(self):
    machine = have_lib.machine(None, 10.0, None, 2, 0.5)
    law = plans('hoffmann', C=1e18, machine=machine)['laws']['hoffmann']
    self.assertAlmostEqual(law['seconds']['value'], 1e18 / 1e13)

  def test_a_batch_leaves_ten_thousand_steps(self):
    self.assertEqual(plan.batch(1e6), 2**11)
    self.assertEqual(plan.batch(73.6e6), 2**12)
    self.assertEqual(plan.batch(1e14), 2**22)
    for D in (3e7, 5e8, 2e10):
      self.assertBetween(D / plan.batch(D), 10_000, 20_000)


class TokensTest(parameterized.TestCase):
  def test_proportional_is_not_equal(self):
    rules = plans('kaplan', tokens=POETRY)['rules']
    # By hand: (73,584,077 / 5000)^(1 / 0.74), and a twentieth.
    self.assertAlmostEqual(rules['N_of_kaplan_bound'] / 4.287e5, 1, places=3)
    self.assertAlmostEqual(rules['N_at_20_tokens'] / 3.679e6, 1, places=3)

  def test_tokens_alone_decide(self):
    made = plans('besiroglu', tokens=POETRY)
    law = made['laws']['besiroglu']
    self.assertEqual(law['binds'], 'tokens')
    self.assertEqual(law['D']['value'], POETRY)
    self.assertEqual(law['epochs']['value'], 1)
    best = laws_lib.BESIROGLU.for_tokens(POETRY)
    self.assertAlmostEqual(law['C']['value'] / best.C, 1)
    self.assertIn('The tokens decide', notes(made, 'besiroglu'))

  @parameterized.parameters('hoffmann', 'besiroglu', 'kaplan')
  def test_a_week_of_a_laptop_on_poetry_is_bound_by_its_text(self, name):
    made = plans(name, C=6.87e18, tokens=POETRY)
    law = made['laws'][name]
    self.assertEqual(law['binds'], 'tokens')
    self.assertLess(law['C']['value'], 1e-3 * 6.87e18)
    self.assertIn('The data bind', notes(made, name))
    self.assertIn('more text serves better', notes(made, name))

  @parameterized.parameters('hoffmann', 'besiroglu', 'kaplan')
  def test_a_great_text_leaves_compute_to_bind(self, name):
    made = plans(name, C=1e20, tokens=1e13)
    alone = plans(name, C=1e20)
    self.assertEqual(made['laws'][name]['binds'], 'compute')
    self.assertEqual(made['laws'][name]['N'], alone['laws'][name]['N'])
    self.assertIn('The compute binds', notes(made, name))
    self.assertLess(made['laws'][name]['epochs']['value'], 1)

  def test_the_two_bounds_meet(self):
    """Text that is just enough leaves the same plan whichever binds."""
    best = laws_lib.HOFFMANN.optimum(1e20)
    for share, binds in ((0.999, 'tokens'), (1.001, 'compute')):
      law = plans('hoffmann', C=1e20, tokens=share * float(best.D))
      law = law['laws']['hoffmann']
      self.assertEqual(law['binds'], binds)
      self.assertAlmostEqual(law['N']['value'] / best.N, 1, places=2)
      self.assertLessEqual(law['D']['value'], share * best.D * (1 + 1e-9))

  def test_compute_left_over_is_told(self):
    best = laws_lib.BESIROGLU.for_tokens(1e11)
    made = plans('besiroglu', C=3 * float(best.C), tokens=1e11)
    N = 3 * float(best.C) / 6e11
    self.assertIn(f'{N / 1e9:.1f}'[:3], notes(made, 'besiroglu'))
    self.assertIn('there is 3 times as much', notes(made, 'besiroglu'))

  def test_kaplan_never_asks_for_more_tokens_than_there_are(self):
    # At small budgets N_opt(C) wants more tokens than D >= 5e3 N^0.74 does.
    made = plans('kaplan', C=1e12, tokens=7e7)
    law = made['laws']['kaplan']
    self.assertEqual(law['D']['value'], 7e7)
    self.assertAlmostEqual(6 * law['N']['value'] * 7e7 / 1e12, 1)
    self.assertEqual(law['binds'], 'tokens')
    self.assertIn('smaller model', notes(made, 'kaplan'))

  def test_epochs(self):
    made = plans('besiroglu', tokens=1e9, epochs=10)
    law = made['laws']['besiroglu']
    self.assertEqual(law['D']['value'], 1e10)
    self.assertEqual(law['epochs']['value'], 10)
    self.assertIn('beyond 4', notes(made, 'besiroglu'))
    four = notes(plans('besiroglu', tokens=1e9, epochs=4), 'besiroglu')
    self.assertNotIn('beyond 4', four)


class SanityTest(absltest.TestCase):
  def test_characters_are_no_bpe_tokens(self):
    for token, expected in (
      (CHARACTERS, 'Your tokens are characters'),
      (UNKNOWN, 'Taken for BPE tokens'),
    ):
      made = plans('kaplan', tokens=1e9, token=token)
      self.assertIn(expected, notes(made, 'kaplan'))
    made = plans('kaplan', tokens=1e9, token=BPE)
    self.assertNotIn('BPE', notes(made, 'kaplan'))

  def test_worse_than_guessing(self):
    made = plans('besiroglu', tokens=1e6)
    self.assertGreater(
      made['laws']['besiroglu']['L']['value'], math.log(32_000)
    )
    self.assertIn('worse than guessing', notes(made, 'besiroglu'))
    self.assertNotIn('guessing', notes(plans('besiroglu', C=1e21), 'besiroglu'))

  def test_outside_the_range(self):
    self.assertIn(
      'fewer than the least', notes(plans('hoffmann', C=1e15), 'hoffmann')
    )
    inside = notes(plans('hoffmann', C=1e21), 'hoffmann')
    self.assertNotIn('fitted on', inside)
    self.assertIn('No interval', inside)

  def test_a_shape_counts_as_its_law_does(self):
    for name, count in (('hoffmann', 'N_total'), ('kaplan', 'N')):
      law = plans(name, C=1e19)['laws'][name]
      ratio = law['shape'][count] / law['N']['value']
      self.assertBetween(ratio, 0.9, 1.1, name)

  def test_too_little_to_train(self):
    made = plans('kaplan', tokens=900)
    self.assertIn('No shape is near', notes(made, 'kaplan'))
    self.assertIn('A batch of 2,048 tokens is more', notes(made, 'kaplan'))
    made = plans('kaplan', C=1e21)
    self.assertNotIn('No shape', notes(made, 'kaplan'))

  def test_a_law_of_another_text(self):
    folder = self.create_tempdir()
    from scaling_jax.analysis import study

    study.write(studies.analyzed().fits, folder.full_path)
    law = known.law_of(folder.full_path)
    made = plan.make(have(tokens=1e8, token=CHARACTERS), [law])
    said = notes(made, law.name)
    self.assertIn('fitted on simulated: on another text', said)
    self.assertNotIn('BPE', said)


if __name__ == '__main__':
  absltest.main()
