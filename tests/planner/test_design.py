"""Experiments judged before they are trained."""

import dataclasses
import functools

from absl.testing import absltest
import numpy as np

from scaling_jax import budget
from scaling_jax.analysis.fitting.chinchilla import LogData
from scaling_jax.analysis.fitting.chinchilla import unanswered
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.planner import configs
from scaling_jax.planner import design
from scaling_jax.planner import law_registry
from scaling_jax.planner import messages
from scaling_jax.planner import prior
from scaling_jax.planner import run_value
from scaling_jax.planner.noise import Noise
from scaling_jax.planner.predict_intervals import QUANTITIES
from tests.planner import own_fits
from tests.planner.test_configs import HOMEWORK
from tests.planner.test_configs import config

QUICK = design.Settings(laws=12, draws=200)
FILES = {6e13: 'c0.py', 3e14: 'c1.py', 6e14: 'c2.py'}


@functools.cache
def homework():
  return design.judge(configs.planned_runs(HOMEWORK), settings=QUICK)


def half(made, approach, quantity):
  return made.approaches[approach].half_widths_of_all[quantity].value


class ForecastTest(absltest.TestCase):
  def test_every_quantity_has_a_width(self):
    for name, one in homework().approaches.items():
      self.assertEqual(tuple(one.half_widths), QUANTITIES[name])
      self.assertAlmostEqual(sum(one.statuses.values()), 1, msg=name)
      self.assertAlmostEqual(one.answers, one.statuses.get('ok', 0))
      for x in one.half_widths.values():
        self.assertTrue(0 < x.low <= x.value <= x.high)

  def test_budgets_add_up(self):
    found = homework().budgets
    self.assertEqual([b.n_models for b in found], [4, 3, 4])
    for one in found:
      self.assertAlmostEqual(sum(one.statuses.values()), 1)
      shown = sum(one.statuses.get(s, 0)
                  for s in ('ok', 'no_degrees_of_freedom'))  # fmt: skip
      self.assertAlmostEqual(one.shows_minimum, shown)
    self.assertIn('no_degrees_of_freedom', found[1].statuses)

  def test_the_two_exponents_add_up(self):
    found = homework().approaches['chinchilla'].half_widths
    self.assertAlmostEqual(found['exponent_N'].value, found['exponent_D'].value)

  def test_less_noise_resolves_more(self):
    settings = QUICK._replace(noise=0.001, seed_noise=0.00025)
    made = design.judge(configs.planned_runs(HOMEWORK), settings=settings)
    for name in QUANTITIES:
      self.assertLess(
        half(made, name, 'N_opt'), half(homework(), name, 'N_opt')
      )
      found, before = (x.approaches[name] for x in (made, homework()))
      self.assertGreaterEqual(found.answers, before.answers)

  def test_the_same_seed_gives_the_same(self):
    again = design.judge(configs.planned_runs(HOMEWORK), settings=QUICK)
    self.assertEqual(again.to_json(), homework().to_json())

  def test_near_a_law_of_one_s_own(self):
    law = law_registry.law_of(own_fits.chinchilla_fit())
    runs = configs.planned_runs(HOMEWORK)
    made = design.judge(runs, law, QUICK._replace(laws=4))
    self.assertEqual(made.laws, messages.laws_of_spread(4, law.title))
    self.assertEqual(sum(made.approaches['chinchilla'].statuses.values()), 1)


class RunValuesTest(absltest.TestCase):
  def test_extremes_are_worth_more_than_the_middle(self):
    narrows = {(r.name, r.C): r.narrows for r in homework().run_values.runs}
    self.assertGreater(
      narrows['gpt-0_seed0', 6e13], narrows['gpt-2_seed0', 6e13]
    )
    self.assertGreater(
      narrows['gpt-4_seed0', 6e14], narrows['gpt-2_seed0', 6e14]
    )

  def test_the_next_run_is_new_and_narrows_as_a_study_with_it(self):
    found = homework().run_values
    best = found.next
    N = budget.count_parameters(budget.model_shape(best.name), 0, 0).N
    self.assertEqual(best.N, N)
    self.assertNotIn((best.C, best.N), {(r.C, r.N) for r in found.runs})
    self.assertAlmostEqual(6 * best.N * best.D / best.C, 1)
    self.assertGreaterEqual(best.narrows, found.next_per_flop.narrows)
    # The vmapped fits, which know nothing of linear theory, see it too.
    more = config(f'{FILES[best.C]}:{best.name}')
    runs = configs.planned_runs([*HOMEWORK, more])
    made = design.judge(runs, settings=QUICK).approaches['chinchilla']
    before = homework().approaches['chinchilla']
    self.assertGreater(made.answers, before.answers)
    for quantity, x in made.half_widths_of_all.items():
      self.assertLessEqual(
        x.value, before.half_widths_of_all[quantity].value, quantity
      )

  def test_what_is_recommended_is_the_best_of_what_was_tried(self):
    found = homework().run_values
    plan = design.columns(configs.planned_runs(HOMEWORK))
    laws = prior.anywhere(
      np.sqrt(6e13 * 6e14), QUICK.laws, np.random.default_rng(QUICK.seed)
    )
    noise = Noise(QUICK.noise, QUICK.seed_noise)
    asked = run_value.Question(laws.law, noise, 6e15, QUICK.level)
    best = (found.next, found.next_per_flop, found.repeat)
    again = run_value.added(
      plan.N, plan.D, [(x.N, x.D) for x in best], asked=asked
    )
    for trial, one in zip(again, best):
      self.assertAlmostEqual(trial.narrows, one.narrows)
    repeats = run_value.added(
      plan.N, plan.D, list(zip(plan.N, plan.D)), asked=asked
    )
    most = max(x.narrows for x in repeats)
    self.assertAlmostEqual(found.repeat.narrows, most)
    self.assertGreaterEqual(
      found.next_per_flop.per_percent, found.next.per_percent
    )


class FewTest(absltest.TestCase):
  def refusal(self, runs, n_budgets):
    plan = design.columns(runs)
    data = LogData.of(plan.N, plan.D, np.ones(len(runs)))
    return unanswered(data, n_budgets)[1]

  def test_runs_that_resolve_nothing(self):
    runs = configs.planned_runs([config('c0.py:gpt-0'), config('c1.py:gpt-1')])
    made = design.judge(runs, settings=QUICK)
    self.assertEqual(made.approaches['chinchilla'].answers, 0)
    self.assertIsNone(made.run_values)
    self.assertIn(messages.isoflop_will_not_answer(), made.notes)
    why = messages.chinchilla_will_not_answer(self.refusal(runs, 2))
    self.assertIn(why, made.notes)

  def test_one_budget_is_noted(self):
    models = ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3', 'gpt-4')
    runs = configs.planned_runs([config(f'c1.py:{m},seeds=2') for m in models])
    made = design.judge(runs, settings=QUICK)
    self.assertIsNone(made.run_values)
    why = messages.chinchilla_will_not_answer(self.refusal(runs, 1))
    self.assertIn(why, made.notes)

  def test_too_many_epochs_are_noted(self):
    runs = [
      r._replace(
        row=r.row._replace(epochs=7.25 if 'gpt-1' in r.run_id else 1.0)
      )
      for r in configs.planned_runs(HOMEWORK)
    ]
    made = design.judge(runs, settings=QUICK._replace(laws=2))
    note = messages.too_many_epochs([('gpt-1', 7.25)], 4)
    self.assertIn(note, made.notes)


class HalfWidthTest(absltest.TestCase):
  def test_half_of_an_interval(self):
    found = Interval(2.0, 1.0, 4.0)
    self.assertEqual(design.half_width('alpha', found), 1.5)
    self.assertEqual(design.half_width('E', found), 0.75)
    self.assertAlmostEqual(design.half_width('N_opt', found), np.log(2))

  def test_open_and_unknown_ends(self):
    for ends in ({'low': -np.inf}, {'high': np.inf}, {'low': np.nan}):
      found = dataclasses.replace(Interval(2.0, 1.0, 4.0), **ends)
      self.assertEqual(design.half_width('alpha', found), np.inf)


if __name__ == '__main__':
  absltest.main()
