"""Sweeps in other projects' tables, and what is no sweep."""

import itertools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pandas as pd

from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs import sweeps
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.selection import Reason
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.published import HOFFMANN
from tests.analysis.runs.table_case import TableCase

SIZES = tuple(itertools.product((1e6, 4e6, 1.6e7, 6.4e7), (1e8, 4e8, 1.6e9)))
RATES = (1e-4, 1e-3, 1e-2)
PENALTY = 0.01  # of log L, that a rate beside the best costs


def swept(
  name='lr', values=RATES, best=1, seeds=1, noise=0.001, penalty=PENALTY
):
  """A row for each size, value and seed, in this order."""
  rng = np.random.default_rng(0)
  rows = [
    {
      'N': N, 'D': D, name: value, 'seed': seed,
      'loss': float(HOFFMANN.loss(N, D))
      * np.exp(penalty * abs(k - best) + noise * rng.normal()),
    }
    for N, D in SIZES
    for k, value in enumerate(values)
    for seed in range(seeds)
  ]  # fmt: skip
  return pd.DataFrame(rows)


class SweepCase(TableCase):
  def selected(self, df, **to_csv):
    """What is selected of a frame; of its CSV it must be the same."""
    of_frame = Runs.from_dataframe(df)
    path = self.write(df.to_csv(**{'index': False, **to_csv}), 'sweep.csv')
    of_file = read_runs(path)
    self.assertEmpty(of_file.excluded)
    found = [
      selection.select(histories.load(runs)) for runs in (of_frame, of_file)
    ]
    self.assertEqual(found[0].hoffmann, found[1].hoffmann)
    self.assertEqual(found[0].notes, found[1].notes)
    return found[0]

  def check_best(self, df, name, value, shown=None, **to_csv):
    found = self.selected(df, **to_csv)
    expected = np.flatnonzero(df[name] == value)
    self.assertEqual(found.hoffmann, tuple(expected))
    self.assertEqual(found.kaplan, tuple(expected))
    (aside,) = found.set_aside
    self.assertEqual(aside.reason, Reason.BETTER_RECIPE)
    self.assertLen(aside.run_ids, len(df) - len(expected))
    self.assertEqual(aside.columns, (shown or name,))
    (note,) = found.notes
    self.assertStartsWith(note, f'{len(df) - len(expected)} runs lost to a')
    self.assertIn(f'better {shown or name} at the same N and D', note)

  def check_all(self, df, **to_csv):
    found = self.selected(df, **to_csv)
    self.assertEqual(found.hoffmann, tuple(range(len(df))))
    self.assertEmpty(found.notes)


class SweepTest(SweepCase):
  @parameterized.parameters(
    'lr', 'learning_rate', 'Peak LR', 'config/optim.lr', 'wd', 'η', 'шаг',
    '学习率', 'colour',
  )  # fmt: skip
  def test_the_best_of_each_size_counts(self, name):
    self.check_best(swept(name), name, 1e-3)

  def test_words(self):
    df = swept('optimizer', ('sgd', 'AdamW', 'lion'))
    self.check_best(df, 'optimizer', 'AdamW')
    self.check_best(df.rename(columns={'optimizer': 'o'}), 'o', 'AdamW')

  def test_an_index_is_no_recipe(self):
    self.check_best(swept(), 'lr', 1e-3, index=True)
    df = swept()
    df.insert(0, 'Unnamed: 0', range(len(df)))
    self.check_best(df, 'lr', 1e-3)

  def test_all_seeds_of_the_best_recipe_count(self):
    self.check_best(swept(seeds=3, noise=1e-4), 'lr', 1e-3)

  def test_the_best_is_by_the_mean_of_its_seeds(self):
    df = pd.DataFrame({
      'N': [1e6] * 4, 'D': [1e8] * 4, 'lr': [1, 1, 2, 2], 'seed': [0, 1, 0, 1],
      'loss': [2.9, 3.3, 3.0, 3.05],
    })  # fmt: skip
    self.assertEqual(self.selected(df).hoffmann, (2, 3))

  def test_two_columns(self):
    df = pd.DataFrame({
      'N': [1e6] * 4, 'D': [1e8] * 4, 'lr': [1, 1, 2, 2], 'wd': [0, 1, 0, 1],
      'loss': [3.1, 3.2, 3.0, 3.05],
    })  # fmt: skip
    found = self.selected(df)
    self.assertEqual(found.hoffmann, (2,))
    self.assertIn('3 runs lost to a better lr or wd', found.notes[0])

  def test_a_random_search_is_a_sweep(self):
    df = swept()
    df['lr'] *= np.exp(np.random.default_rng(0).normal(size=len(df)))
    kept = self.selected(df).hoffmann
    best = df.groupby(['N', 'D'])['loss'].idxmin()
    self.assertEqual(kept, tuple(sorted(best)))

  def test_batches_round_tokens(self):
    df = swept('batch_size', (65536, 131072, 524288))
    df['D'] = np.ceil(df['D'] / df['batch_size']) * df['batch_size']
    self.assertGreater(df['D'].nunique(), 3)
    self.check_best(df, 'batch_size', 131072)

  def test_tokens_that_differ_by_no_batch_are_not_one(self):
    df = swept('batch_size', (64, 64, 64))
    df['D'] *= np.tile([1, 1.01, 1.005], len(SIZES))
    self.check_all(df)

  def test_a_wandb_export(self):
    df = swept('config/lr').rename(columns={'loss': 'val_loss'})
    rng = np.random.default_rng(0)
    df.insert(0, 'Name', [f'brisk-sun-{i}' for i in range(len(df))])
    df['State'], df['Tags'], df['_step'] = 'finished', '', 1000
    df['Created'] = '2026-01-01T00:00:00.000Z'
    df['Runtime'] = rng.integers(100, 999, len(df))
    df['train/loss'] = df['val_loss'] * 0.99
    self.check_best(df, 'config/lr', 1e-3)

  def test_a_column_of_ours_that_the_caller_names(self):
    df = swept('z')
    runs = Runs.from_dataframe(df, columns={'learning_rate': 'z'})
    (aside,) = selection.select(histories.load(runs)).set_aside
    self.assertEqual(aside.columns, ('learning_rate',))

  def test_counted_values_that_matter(self):
    self.check_best(swept('setting', (0, 1, 2)), 'setting', 1)


class NoSweepTest(SweepCase):
  @parameterized.parameters(
    'seed', 'trial', 'init_seed', 'replica', 'setting', 'k'
  )
  def test_seeds(self, name):
    df = swept('x', (0, 1, 2), penalty=0.0, noise=0.003)
    del df['seed']
    self.check_all(df.rename(columns={'x': name}))

  def test_what_vandals_leave(self):
    df = swept('seed', range(3), penalty=0.0, noise=0.01)
    n = len(df)
    df['empty'], df['constant'], df['lr'] = np.nan, 3, 1e-3
    df['text'] = [f'x{i}' for i in range(n)]
    df['mixed'] = [i if i % 2 else f'a{i}' for i in range(n)]
    df['perplexed'] = np.exp(df['loss'])
    df['rounded'] = df['loss'].round(1)
    df['ünïcode \U0001f600'] = df['N'] * 2
    df['when'] = pd.date_range('2026-01-01', periods=n)
    df['of size'] = df['D'].map('{:g} tokens'.format)
    self.check_all(df)

  def test_a_rate_for_each_size(self):
    df = swept('seed', range(3), penalty=0.0)
    df['lr'] = 1 / df['N']
    self.check_all(df)

  def test_what_is_not_known_sets_nothing_aside(self):
    df = swept('seed', range(3), penalty=0.0)
    df['lr'] = np.tile([1e-3, np.nan, 1e-3], len(SIZES))
    self.check_all(df)

  def test_one_size_tells_nothing_of_an_unknown_column(self):
    df = swept('colour', ('red', 'green', 'blue')).iloc[:3]
    self.check_all(df)

  def test_spellings_of_a_value(self):
    df = swept('lr', ('1e-3', '0.001', ' 1.0E-3'), penalty=0.0)
    self.check_all(df)

  def test_false_alarms_of_counted_seeds(self):
    """Of 300 tables of seeds at most one in twenty is taken for a sweep."""
    rng = np.random.default_rng(1)
    N, D = np.repeat(np.array(SIZES), 3, axis=0).T
    extra = [{'setting': str(i % 3)} for i in range(len(N))]
    alarms = 0
    for _ in range(300):
      L = HOFFMANN.loss(N, D) * np.exp(0.003 * rng.normal(size=len(N)))
      alarms += bool(sweeps.lost(N, D, L, extra).rows)
    self.assertLessEqual(alarms, 15)


class DuplicateTest(TableCase):
  def read(self, text, name='table.csv'):
    return read_runs(self.write(text, name))

  def test_rows_that_differ_in_any_column_are_no_duplicates(self):
    runs = self.read(
      'N,D,loss,lr\n1e6,1e8,2.5,1\n1e6,1e8,2.5,2\n1e6,1e8,2.5,\n'
    )
    self.assertLen(runs, 3)
    self.assertEqual([x['lr'] for x in runs.extra], ['1', '2', ''])

  def test_rows_that_differ_in_none_are(self):
    runs = self.read(
      'N,D,loss,lr,x\n1e6,1e8,2.5,1e-3,a\n1e6,1e8,2.50,0.001, A\n'
    )
    (out,) = runs.excluded
    self.assertEqual(out.kind, Exclusion.DUPLICATE)

  def test_across_files_whatever_the_order_of_columns(self):
    one = self.write('N,D,loss,lr\n1e6,1e8,2.5,3\n', 'one.csv')
    two = self.write('lr,loss,D,N\n3,2.5,1e8,1e6\n4,2.5,1e8,1e6\n', 'two.csv')
    runs = read_runs(one, two)
    self.assertLen(runs, 2)
    self.assertLen(runs.excluded, 1)


class ExtraTest(TableCase):
  def test_it_goes_where_its_run_goes(self):
    runs = Runs.from_dataframe(swept())
    some = runs.take([2, 0])
    self.assertEqual([x['lr'] for x in some.extra], ['0.01', '0.0001'])
    self.assertEqual(runs[1:].extra, runs.extra[1:])
    with self.assertRaisesRegex(ValueError, '1 rows of other columns'):
      Runs(runs.runs, extra=({},))

  def test_our_own_table_has_none(self):
    given = Runs.from_columns(N=[1e6, 2e6], D=[1e8, 2e8], loss=[3, 3])
    self.assertEqual(given.extra[0], {})
    again = Runs.from_dataframe(given.to_dataframe().assign(colour='red'))
    self.assertEqual(again.extra[0], {'colour': 'red'})


if __name__ == '__main__':
  absltest.main()
