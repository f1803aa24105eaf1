"""Experiments judged before they are trained."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import budget
from scaling_jax.errors import UserError
from scaling_jax.planner import design
from scaling_jax.planner import plausible
from scaling_jax.planner import say
from scaling_jax.planner import worth
from scaling_jax.planner.noise import Noise

ROOT = pathlib.Path(__file__).parents[1]
QUICK = design.Settings(laws=12, draws=200)


def config(name):
  return str(ROOT / 'configs' / name)


HOMEWORK = [config(name) for name in ('c0.py', 'c1.py', 'c2.py')]


class ReadTest(parameterized.TestCase):
  def test_the_homework_s_eleven_runs(self):
    runs = design.read(HOMEWORK)
    self.assertLen(runs, 11)
    self.assertEqual(
      [r.row.C for r in runs], [6e13] * 4 + [3e14] * 3 + [6e14] * 4
    )

  def test_seeds_are_runs(self):
    runs = design.read([config('c0.py:gpt-1,seeds=3')])
    self.assertEqual(
      [run.run_id for run in runs], [f'gpt-1_seed{i}' for i in range(3)]
    )

  @parameterized.parameters(
    (['c9.py'], 'cannot be read.*c0.py'),
    (['c0.py', 'c0.py'], 'names gpt-0_seed0 at 6e.13 FLOPs twice'),
    (['c0.py', 'quickstart.py'], 'gutenberg_poetry and synthetic.*one text'),
    (['c0.py:gpt-9'], "unknown model 'gpt-9'"),
    (['common.py'], 'positive number of FLOPs'),
  )
  def test_bad_input(self, names, message):
    with self.assertRaisesRegex(UserError, message):
      design.read([config(name) for name in names])

  def test_what_is_no_config(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    path = folder / 'x.py'
    for text, message in (
      ('', 'must define get_config'),
      ('def get_config(arg=None):\n  return 3\n', 'gives a int'),
      ('import nowhere\n', 'is no config'),
      ('def (', 'is no config'),
    ):
      path.write_text(text)
      with self.assertRaisesRegex(UserError, message):
        design.read([str(path)])


class JudgeTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.made = design.judge(design.read(HOMEWORK), settings=QUICK)

  def half(self, made, approach, quantity):
    return made['approaches'][approach]['half_widths_of_all'][quantity]['value']

  def test_every_quantity_has_a_width(self):
    for name, one in self.made['approaches'].items():
      self.assertEqual(tuple(one['half_widths']), design.QUANTITIES[name])
      self.assertAlmostEqual(sum(one['statuses'].values()), 1, msg=name)
      self.assertAlmostEqual(one['answers'], one['statuses'].get('ok', 0))
      for x in one['half_widths'].values():
        self.assertTrue(0 < x['low'] <= x['value'] <= x['high'])

  def test_budgets_add_up(self):
    found = self.made['budgets']
    self.assertEqual([b['n_models'] for b in found], [4, 3, 4])
    for budget_ in found:
      self.assertAlmostEqual(sum(budget_['statuses'].values()), 1)
      shown = sum(budget_['statuses'].get(s, 0)
                  for s in ('ok', 'no_degrees_of_freedom'))  # fmt: skip
      self.assertAlmostEqual(budget_['shows_minimum'], shown)
    self.assertIn('no_degrees_of_freedom', found[1]['statuses'])

  def test_extremes_are_worth_more_than_the_middle(self):
    worth = {r['run_id'] + r['config'][-5:]: r['narrows']
             for r in self.made['worth']['runs']}  # fmt: skip
    self.assertGreater(worth['gpt-0_seed0c0.py'], worth['gpt-2_seed0c0.py'])
    self.assertGreater(worth['gpt-4_seed0c2.py'], worth['gpt-2_seed0c2.py'])

  def test_the_next_run_is_new_and_narrows_as_a_study_with_it(self):
    best = self.made['worth']['next']
    N = budget.count_parameters(budget.model_shape(best['model']), 0, 0).N
    self.assertEqual(best['N'], N)
    there = {(r['C'], r['N']) for r in self.made['worth']['runs']}
    self.assertNotIn((best['C'], best['N']), there)
    self.assertAlmostEqual(6 * best['N'] * best['D'] / best['C'], 1)
    self.assertGreaterEqual(
      best['narrows'], self.made['worth']['next_per_flop']['narrows']
    )
    # The vmapped fits, which know nothing of linear theory, see it too.
    name = {6e13: 'c0.py', 3e14: 'c1.py', 6e14: 'c2.py'}[best['C']]
    runs = design.read([*HOMEWORK, config(f'{name}:{best["model"]}')])
    found = design.judge(runs, settings=QUICK)['approaches']['parametric']
    before = self.made['approaches']['parametric']
    self.assertGreater(found['answers'], before['answers'])
    for quantity, half in found['half_widths_of_all'].items():
      self.assertLessEqual(
        half['value'], before['half_widths_of_all'][quantity]['value'], quantity
      )

  def test_what_is_recommended_is_the_best_of_what_was_tried(self):
    found = self.made['worth']
    runs = design.read(HOMEWORK)
    N = np.array([float(r.row.N) for r in runs])
    D = np.array([float(r.row.D) for r in runs])
    laws = plausible.anywhere(
      np.sqrt(6e13 * 6e14), QUICK.laws, np.random.default_rng(QUICK.seed)
    )
    noise = Noise(QUICK.noise, QUICK.seed_noise)
    ask = (laws.law, noise, 6e15, QUICK.level)
    best = {key: found[key] for key in ('next', 'next_per_flop', 'repeat')}
    again = worth.added(N, D, [(x['N'], x['D']) for x in best.values()], *ask)
    for trial, one in zip(again, best.values()):
      self.assertAlmostEqual(trial.narrows, one['narrows'])
    repeats = worth.added(N, D, list(zip(N, D)), *ask)
    self.assertAlmostEqual(
      found['repeat']['narrows'], max(x.narrows for x in repeats)
    )
    self.assertGreaterEqual(
      best['next_per_flop']['per_percent'], best['next']['per_percent']
    )

  def test_the_two_exponents_add_up(self):
    half = self.made['approaches']['parametric']['half_widths']
    self.assertAlmostEqual(half['a']['value'], half['b']['value'])

  def test_one_budget_is_told_to_be_one(self):
    models = ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3', 'gpt-4')
    runs = design.read([config(f'c1.py:{m},seeds=2') for m in models])
    made = design.judge(runs, settings=QUICK)
    self.assertEqual(made['worth'], {})
    self.assertIn('a second budget is needed', ' '.join(made['notes']))

  def test_less_noise_resolves_more(self):
    settings = QUICK._replace(noise=0.001, seed_noise=0.00025)
    made = design.judge(design.read(HOMEWORK), settings=settings)
    for name in design.APPROACHES:
      self.assertLess(
        self.half(made, name, 'N_opt'), self.half(self.made, name, 'N_opt')
      )
      found, before = (x['approaches'][name] for x in (made, self.made))
      self.assertGreaterEqual(found['answers'], before['answers'])

  def test_the_same_seed_says_the_same(self):
    again = design.judge(design.read(HOMEWORK), settings=QUICK)
    self.assertEqual(again, self.made)

  def test_text(self):
    text = say.design(self.made)
    for part in ('11 runs', '95 % intervals', 'N_opt at 6e+15 FLOPs', '×÷',
                 'gpt-4_seed0', 'Best run to add', 'gives an answer'):  # fmt: skip
      self.assertIn(part, text)
    for line in text.splitlines():
      self.assertLessEqual(len(line), 100, line)


class FewTest(absltest.TestCase):
  def test_runs_that_resolve_nothing(self):
    made = design.judge(
      design.read([config('c0.py:gpt-0'), config('c1.py:gpt-1')]),
      settings=QUICK,
    )
    self.assertEqual(made['approaches']['parametric']['answers'], 0)
    self.assertEqual(made['worth'], {})
    told = ' '.join(made['notes'])
    self.assertIn('2 runs cannot carry five parameters', told)
    self.assertIn('Approach 2 will not answer', told)
    self.assertIn('a parabola needs three', say.design(made))

  def test_too_many_epochs_are_told(self):
    runs = design.read(HOMEWORK)
    runs = [r._replace(row=r.row._replace(epochs=7.25)) if r.row.model == 'gpt-1'
            else r._replace(row=r.row._replace(epochs=1.0)) for r in runs]  # fmt: skip
    made = design.judge(runs, settings=QUICK)
    self.assertIn('gpt-1 (7.2)', made['notes'][0])

  def test_half_widths(self):
    interval = {'value': 2.0, 'low': 1.0, 'high': 4.0}
    self.assertEqual(design.half_width('alpha', interval), 1.5)
    self.assertEqual(design.half_width('E', interval), 0.75)
    self.assertAlmostEqual(design.half_width('N_opt', interval), np.log(2))
    for end in ('low', 'high'):
      self.assertEqual(
        design.half_width('alpha', {**interval, end: None}), np.inf
      )


if __name__ == '__main__':
  absltest.main()
