"""What is said of runs that were not trained to their best, and when nothing."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.study import schema
from scaling_jax.analysis.study import training_cautions
from scaling_jax.analysis.study.training_cautions import LongWarmup
from scaling_jax.analysis.study.training_cautions import NoDecay
from scaling_jax.analysis.study.training_cautions import OneLearningRate
from scaling_jax.analysis.study.training_cautions import ShortRunsApart
from tests.analysis import designs
from tests.analysis import studies

UNTUNED = 'the intervals do not hold untuned training'
NO_LAW = chinchilla.fit([1e6], [1e8], [3.0])
STUDIES = 40  # benchmarks/cautions.py makes 200


def fitted(plan, L):
  return chinchilla.fit(plan.N, plan.D, L, bootstrap=Bootstrap(draws=0))


def table(N, **told):
  n = len(N)
  columns = {'N': N, 'D': np.full(n, 1e8), 'loss': np.full(n, 3.0), **told}
  return Runs.from_dataframe(columns)


def found(runs, tried=None):
  return training_cautions.cautions(runs, NO_LAW, tried=tried)


class ToldTest(parameterized.TestCase):
  def test_warmup(self):
    steps = [400, 900, 1100, 5000]
    runs = table([1e6] * 4, S=steps, warmup_steps=[100] * 4)
    self.assertEqual(found(runs), (LongWarmup(runs=2, of=4, most=0.25),))
    self.assertEmpty(found(runs.take([2, 3])))

  def test_no_decay(self):
    runs = table([1e6] * 3, schedule=['constant', 'cosine', ''])
    self.assertEqual(found(runs), (NoDecay(runs=1, of=3),))
    self.assertEmpty(found(runs.take([1, 2])))

  @parameterized.parameters('learning_rate', 'Peak LR')
  def test_one_rate(self, name):
    runs = table([1e6, 4e6, 2e7], **{name: [1e-3] * 3})
    self.assertEqual(found(runs), (OneLearningRate(rate=1e-3, ratio=20.0),))

  def test_not_one_rate(self):
    N = [1e6, 4e6, 2e7]
    for told in (
      {'lr': [1e-3, 1e-3, 5e-4]},
      {'lr': [1e-3, 1e-3, np.nan]},
      {'lr': [1e-3] * 3, 'mup': [True] * 3},
      {},
    ):
      self.assertEmpty(found(table(N, **told)), told)
    self.assertEmpty(found(table([1e6, 4e6, 9e6], lr=[1e-3] * 3)))

  def test_a_rate_that_was_tuned_where_it_matters(self):
    runs = table([1e6, 4e6, 2e7], lr=[1e-3] * 3)
    tried = table([1e6, 4e6, 2e7, 2e7], lr=[1e-3, 1e-3, 1e-3, 1e-4])
    self.assertEmpty(found(runs, tried))
    # Tuned for a model between them, it was not for the others.
    tried = table([1e6, 4e6, 2e7, 4e6], lr=[1e-3, 1e-3, 1e-3, 1e-4])
    self.assertLen(found(runs, tried), 1)

  def test_what_is_not_told_raises_nothing(self):
    self.assertEmpty(found(table([1e6, 1e8])))
    runs = table(
      [1e6, 1e8], warmup_steps=[1e4] * 2, schedule=[None] * 2, lr=['?', 'auto']
    )
    self.assertEmpty(found(runs))

  def test_texts(self):
    every = (
      LongWarmup(runs=2, of=4, most=0.25),
      NoDecay(runs=1, of=3),
      OneLearningRate(rate=1e-3, ratio=20.0),
      ShortRunsApart(runs=7, every=0.5, without=0.6, half_width=0.05),
    )
    shown = ('2 of 4', '1 of 3', '0.001', '0.6')
    for one, number in zip(every, shown):
      self.assertEndsWith(one.text, f'{UNTUNED}.')
      self.assertIn(number, one.text)


class RefitTest(absltest.TestCase):
  def test_clean_studies_seldom_alarm(self):
    plan = designs.design()
    rng = np.random.default_rng(0)
    raised = sum(
      training_cautions.short_runs_apart(fitted(plan, L)) is not None
      for L in simulate.losses(designs.LAW, plan, 0.002, rng, STUDIES)
    )
    # 5% of them and two standard deviations.
    self.assertLessEqual(raised, 4)

  def test_exact_losses_do_not(self):
    plan = designs.design()
    law = fitted(plan, designs.noisy(designs.LAW, plan, 0.0))
    self.assertIsNone(training_cautions.short_runs_apart(law))

  def test_short_runs_of_another_law(self):
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.001)
    short = plan.D < np.quantile(plan.D, 0.25)
    one = training_cautions.short_runs_apart(
      fitted(plan, L * np.where(short, 1 + 0.05 * plan.D.min() / plan.D, 1))
    )
    self.assertEqual(one.runs, short.sum())
    self.assertGreater(abs(one.without - one.every), one.half_width)
    expected = fitted(
      type(plan)(*(x[~short] for x in plan)), L[~short]
    ).law.exponent_N
    self.assertAlmostEqual(one.without, expected, places=4)

  def test_the_sd_of_a_move_is_that_of_redrawn_studies(self):
    plan = designs.design()
    law = fitted(plan, designs.noisy(designs.LAW, plan, 1e-4))
    keep = plan.D >= np.sort(plan.D)[len(plan.D) // 4]
    cells = Cells.of(law.N, law.D, law.loss)
    kept = cells.D >= np.sort(cells.D)[len(cells) // 4]
    half, sd = training_cautions._half_width_and_sd(law, cells, kept)
    fits = [
      (fitted(plan, L), fitted(type(plan)(*(x[keep] for x in plan)), L[keep]))
      for L in simulate.losses(
        designs.LAW, plan, 1e-4, np.random.default_rng(1), 40
      )
    ]
    every, fewer = (
      np.array([x.law.exponent_N for x in found]) for found in zip(*fits)
    )
    scale = 1e-4 / law.residual_sd.sd
    self.assertBetween(np.std(fewer - every) / (sd * scale), 0.75, 1.35)
    self.assertBetween(2.1 * np.std(every) / (half * scale), 0.75, 1.35)

  def test_seeds_are_one_datum_and_outliers_none(self):
    plan = designs.design()
    short = plan.D < np.quantile(plan.D, 0.25)
    L = designs.noisy(designs.LAW, plan, 0.001)
    L = L * np.where(short, 1 + 0.05 * plan.D.min() / plan.D, 1)
    one = training_cautions.short_runs_apart(fitted(plan, L))
    twice = type(plan)(*(np.repeat(x, 2) for x in plan))
    moved = np.tile([1 - 2e-4, 1 + 2e-4], len(L))
    two = training_cautions.short_runs_apart(
      fitted(twice, np.repeat(L, 2) * moved)
    )
    self.assertEqual(two.runs, 2 * one.runs)
    self.assertAlmostEqual(two.every, one.every, places=3)
    self.assertAlmostEqual(two.without, one.without, places=3)

  def test_nothing_of_a_law_that_is_not_ok(self):
    self.assertIsNone(training_cautions.short_runs_apart(NO_LAW))


class AnalysisTest(absltest.TestCase):
  def analysis(self, **told):
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.001)
    runs = Runs.from_dataframe(
      {'C': plan.C, 'N': plan.N, 'D': plan.D, 'loss': L,
       **{name: [value] * len(L) for name, value in told.items()}}
    )  # fmt: skip
    return studies.analyze(runs)

  def test_they_are_shown_and_come_back(self):
    found = self.analysis(lr=1e-3, schedule='constant')
    self.assertLen(found.cautions, 2)
    text = found.to_json()
    notes = json.loads(text)['laws']['parametric']['notes']
    tables = {one.name: one for one in found.tables()}
    for caution in found.cautions:
      self.assertIn(caution, notes)
      self.assertIn(caution, tables['parametric'].notes)
    path = self.create_tempfile('fits.json', text).full_path
    self.assertEqual(schema.load_analysis(path).cautions, found.cautions)
    body = json.loads(text)
    del body['state']['cautions']  # as files of before
    path = self.create_tempfile('old.json', json.dumps(body)).full_path
    self.assertEqual(schema.load_analysis(path).cautions, found.cautions)

  def test_nothing_of_a_plain_table(self):
    self.assertEmpty(self.analysis().cautions)


if __name__ == '__main__':
  absltest.main()
