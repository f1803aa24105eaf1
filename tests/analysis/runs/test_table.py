"""Runs as a table: columns, choices, and DataFrames of several libraries."""

import dataclasses
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pandas as pd
import polars as pl

from scaling_jax import records
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from tests.example_records import make_run

N, D, L = [1e6, 2e6, 4e6], [1e9, 5e8, 2.5e8], [3.5, 3.4, 3.6]
FRAMES = {
  'dict': dict,
  'pandas': pd.DataFrame,
  'polars': pl.DataFrame,
  'pyarrow': lambda columns: pl.DataFrame(columns).to_arrow(),
}


def over_frames(test):
  return parameterized.named_parameters(*FRAMES.items())(test)


class RunsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.runs = Runs(
      tuple(
        make_run(run_id=f'r{i}', seed=i, val_loss=1.7 + i) for i in range(4)
      ),
      folders=('a', 'b', '', 'd'),
    )

  def test_columns(self):
    runs = self.runs
    self.assertLen(runs, 4)
    self.assertEqual(runs.loss.tolist(), [1.7, 2.7, 3.7, 4.7])
    self.assertEqual(runs.seed.tolist(), [0, 1, 2, 3])
    for name in ('C', 'N', 'D', 'S', 'sem'):
      self.assertEqual(getattr(runs, name).dtype, float)
      self.assertEqual(getattr(runs, name).shape, (4,))
    self.assertEqual(runs.column('val_bpb').tolist(), [2.45] * 4)
    self.assertEqual(list(runs.column('model')), ['gpt-0'] * 4)

  def test_some_of_them(self):
    some = self.runs.take(np.array([2, 0]))
    self.assertEqual(some.run_ids, ('r2', 'r0'))
    self.assertEqual(some.folders, ('', 'a'))
    self.assertEqual(self.runs[1:3].run_ids, ('r1', 'r2'))
    self.assertEqual(self.runs[-1], self.runs.runs[3])
    self.assertEqual([run.run_id for run in self.runs], list(self.runs.run_ids))

  def test_the_unit_tells_the_loss(self):
    in_bits = dataclasses.replace(self.runs, unit='bits/byte')
    self.assertEqual(in_bits.loss.tolist(), [2.45] * 4)
    self.assertEqual(in_bits.loss_of(in_bits[0]), 2.45)
    with self.assertRaises(ValueError):
      dataclasses.replace(self.runs, unit='nats')

  def test_lengths_must_agree(self):
    with self.assertRaises(ValueError):
      Runs(self.runs.runs, folders=('a',))

  def test_text_and_html(self):
    self.assertNotIn('\n', repr(self.runs))
    self.assertIn('4 runs', repr(self.runs))
    self.assertIn('0 runs', repr(self.runs.take([])))
    html = self.runs._repr_html_()
    self.assertIn('r3', html)
    many = Runs.from_columns(
      N=np.full(50, 1e6), D=np.full(50, 1e9), loss=np.linspace(3, 4, 50)
    )
    self.assertNotIn('run 30', many._repr_html_())
    self.assertIn('30 more', many._repr_html_())


class FromDataFrameTest(parameterized.TestCase):
  @over_frames
  def test_names_of_theirs(self, frame):
    df = frame(
      {
        'n_params': N, 'tokens': D, 'final': L, 'seed': [3, 4, 5],
        'name': ['a', 'b', 'a'], 'other': [1, 2, 3],
      }
    )  # fmt: skip
    runs = Runs.from_dataframe(
      df,
      columns={
        'N': 'n_params', 'D': 'tokens', 'loss': 'final', 'run_id': 'name'
      },
    )  # fmt: skip
    self.assertEqual(runs.run_ids, ('a', 'b', 'a (2)'))
    self.assertEqual((runs.N.tolist(), runs.D.tolist()), (N, D))
    self.assertEqual((runs.loss.tolist(), runs.unit), (L, 'nats/token'))
    self.assertEqual(runs.C.tolist(), [6e15] * 3)
    self.assertEqual([run.seed for run in runs], [3, 4, 5])
    self.assertEqual(runs.folders, ('', '', ''))
    (source,) = runs.sources
    self.assertIn('C = 6ND', source)
    self.assertIn('Not read: other', source)
    self.assertEqual(list(runs.counts[0]), ['as given'])

  @parameterized.parameters('C', 'N', 'D')
  def test_any_two_sizes(self, missing):
    columns = {'C': [6e15] * 3, 'N': N, 'D': D, 'val_loss': L}
    del columns[missing]
    runs = Runs.from_dataframe(pd.DataFrame(columns))
    np.testing.assert_allclose(runs.C, 6e15)
    np.testing.assert_allclose(runs.N, N)
    np.testing.assert_allclose(runs.D, D)
    how = {'C': 'C = 6ND', 'N': 'N = C/6D', 'D': 'D = C/6N'}
    self.assertIn(how[missing], runs.sources[0])

  def test_all_sizes(self):
    columns = {'C': [6e15, 7e15, 8e15], 'N': N, 'D': D, 'loss': L}
    runs = Runs.from_dataframe(columns)
    self.assertEqual(runs.C.tolist(), [6e15, 7e15, 8e15])
    self.assertEmpty(runs.notes)
    self.assertEqual(
      runs.counts[1], {'as given': (2e6, 7e15), '6ND': (2e6, 6e15)}
    )

  @parameterized.parameters('loss', 'val_bpb', 'val_loss')
  def test_bits(self, name):
    runs = Runs.from_dataframe({'N': N, 'D': D, name: L}, unit='bits/byte')
    self.assertEqual((runs.loss.tolist(), runs.unit), (L, 'bits/byte'))
    self.assertTrue(math.isnan(runs[0].val_loss) or name == 'val_loss')

  @parameterized.parameters('pandas', 'polars')
  def test_our_own_table_comes_back(self, library):
    given = Runs(
      tuple(make_run(run_id=f'r{i}', N=221664 + i, seed=i) for i in range(3))
    )
    df = given.to_dataframe()
    self.assertEqual(list(df.columns), list(records.Run._fields))
    if library == 'polars':
      df = pl.from_pandas(df)
    runs = Runs.from_dataframe(df)
    for one, other in zip(runs, given):
      same = one._replace(
        tokens_per_param=other.tokens_per_param,
        tokens_per_step=other.tokens_per_step,
      )
      self.assertEqual(repr(same._replace(N=0, D=0, N_total=0)),
                       repr(other._replace(N=0, D=0, N_total=0)))  # fmt: skip
      self.assertEqual((one.N, one.D), (other.N, other.D))
    self.assertLen(runs.counts[0], 5)
    self.assertEmpty(runs.notes)

  def test_bits_come_back(self):
    given = Runs.from_dataframe({'N': N, 'D': D, 'loss': L}, unit='bits/byte')
    again = Runs.from_dataframe(given.to_dataframe(), unit='bits/byte')
    self.assertEqual(again.loss.tolist(), L)

  @over_frames
  def test_diverged_runs_are_excluded(self, frame):
    df = frame(
      {
        'N': N, 'D': D, 'loss': [3.5, math.nan, 3.6],
        'status': ['done', 'diverged', 'done'], 'run_id': ['a', 'b', 'c'],
      }
    )  # fmt: skip
    runs = Runs.from_dataframe(df)
    self.assertEqual(runs.run_ids, ('a', 'c'))
    (out,) = runs.excluded
    self.assertEqual((out.run_id, out.kind), ('b', Exclusion.DIVERGED))

  @parameterized.parameters('pandas', 'polars')
  def test_missing_cells(self, library):
    columns = {
      'N': N, 'D': D, 'loss': L, 'seed': [1, None, 3],
      'model': ['small', None, 'large'], 'sem': [None, 0.1, 0.2],
    }  # fmt: skip
    if library == 'pandas':
      df = pd.DataFrame(columns).convert_dtypes()
    else:
      df = pl.DataFrame(columns)
    runs = Runs.from_dataframe(df)
    self.assertEqual([run.seed for run in runs], [1, 0, 3])
    self.assertEqual([run.model for run in runs], ['small', '', 'large'])
    np.testing.assert_array_equal(runs.sem, [np.nan, 0.1, 0.2])

  def test_steps_tell_the_batch(self):
    runs = Runs.from_dataframe({'N': N, 'D': D, 'loss': L, 'S': [1000] * 3})
    self.assertEqual(runs.column('tokens_per_step').tolist(), [1e6, 5e5, 2.5e5])

  def refused(self, df, *parts, **given):
    with self.assertRaises(UserError) as caught:
      Runs.from_dataframe(df, **given)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in parts:
      self.assertIn(part, message)

  @over_frames
  def test_bad_values(self, frame):
    for name, value in (
      ('N', 0.0), ('D', -1.0), ('loss', math.nan), ('C', math.inf),
      ('loss', None),
    ):  # fmt: skip
      columns = {'C': [6e15] * 3, 'N': N, 'D': D, 'loss': L}
      columns[name] = [*columns[name][:1], value, columns[name][2]]
      self.check_row_1_is_excluded(frame(columns), name)
    words = {'N': N, 'D': D, 'loss': ['3.5', 'low', '3.6']}
    self.check_row_1_is_excluded(frame(words), 'loss')

  def check_row_1_is_excluded(self, df, name):
    runs = Runs.from_dataframe(df)
    self.assertEqual(runs.run_ids, ('run 0', 'run 2'))
    (out,) = runs.excluded
    self.assertEqual((out.run_id, out.kind), ('run 1', Exclusion.BAD_VALUE))
    self.assertIn(f'row 1 of the DataFrame: {name}', out.reason)

  def test_names_that_are_no_texts(self):
    df = pd.DataFrame({0: [1e6, 2e6], ('a', 'D'): [1e9, 5e8], 'loss': [3, 2]})
    df.columns = [0, ('a', 'D'), 'loss']
    runs = Runs.from_dataframe(df, columns={'N': '0', 'D': 'a.D'})
    self.assertEqual(runs.N.tolist(), [1e6, 2e6])
    self.assertEqual(runs.D.tolist(), [1e9, 5e8])

  def test_columns_that_are_not_there(self):
    df = pd.DataFrame({'n_params': N, 'D': D, 'loss': L})
    df = df.rename(columns={'n_params': 'size'})
    self.refused(df, 'size, D, loss')
    self.refused(df, 'sizes', columns={'N': 'sizes'})
    self.refused(df, 'count', columns={'count': 'size'})
    df = df.rename(columns={'size': 'n_params'})
    self.refused(df.drop(columns='loss'), columns={'N': 'n_params'})
    self.refused(df.iloc[:0], columns={'N': 'n_params'})
    self.refused(df, 'nats', columns={'N': 'n_params'}, unit='nats')

  def test_what_is_no_table(self):
    self.refused([1, 2, 3], 'list')
    self.refused({'N': N, 'D': D[:2], 'loss': L}, 'D')
    self.refused({'N': N, 'D': D, 'loss': [L, L, L]}, 'loss')
    twice = pd.DataFrame([[1, 2, 3, 4]], columns=['N', 'N', 'D', 'loss'])
    self.refused(twice, 'N')


if __name__ == '__main__':
  absltest.main()
