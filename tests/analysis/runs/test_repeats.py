"""Checkpoints, duplicates and reruns, and what looks like them."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs.table import Runs
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import BUDGET
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase


def again(first=3, **changes):
  """The runs, and the first few once more with changes."""
  df = {name: np.r_[x, x[:first]] for name, x in shapes_case.columns().items()}
  return df | changes


class DuplicatesTest(ShapesCase):
  def test_the_same_row(self):
    runs = Runs.from_dataframe(again())
    self.assert_same(runs)
    self.assertEqual(self.kinds(runs), {'duplicate': 3})
    self.assertIn('row 0 ', runs.excluded[0].reason)
    self.assertLen(Runs.from_dataframe(again(), include=['duplicate']), 31)

  def test_the_last_digit(self):
    loss = np.r_[LOSS, LOSS[:3] + 1e-4]
    runs = Runs.from_dataframe(again(loss=loss))
    self.assert_same(runs)
    self.assertEqual(self.kinds(runs), {'repeat': 3})
    self.assertIn(f'{LOSS[0]:.10g}', runs.excluded[0].reason)
    self.assertLen(
      Runs.from_dataframe(again(loss=loss), include=['repeat']), 31
    )

  def test_losses_that_are_further_apart_are_seeds(self):
    for apart in (2e-4, 1e-3, 0.01, -0.02):
      runs = Runs.from_dataframe(again(loss=np.r_[LOSS, LOSS[:3] + apart]))
      self.assertLen(runs, 31)
    two_digits = again(
      loss=[*np.round(LOSS, 2), *(np.round(LOSS[:3], 2) + 0.01)]
    )
    self.assertLen(Runs.from_dataframe(two_digits), 31)

  @parameterized.parameters(
    'seed', 'run_id', 'lr', 'note', 'Name', 'dataset_version', 'node'
  )
  def test_a_difference_in_any_column_is_no_duplicate(self, name):
    marks = [f'{i}' for i in range(31)]
    self.assertLen(Runs.from_dataframe(again(**{name: marks})), 31)
    same = Runs.from_dataframe(again(**{name: ['1'] * 31}))
    if name not in ('run_id', 'Name'):
      self.assertEqual(self.kinds(same), {'duplicate': 3})

  def test_as_cells_are_spelled(self):
    spelled = again(rate=['1e-3'] * 28 + ['0.001', ' 0.0010 ', '1E-3'])
    self.assertEqual(self.kinds(Runs.from_dataframe(spelled)), {'duplicate': 3})


def checkpoints(
  name='run_id', names=None, share=(0.125, 0.25, 0.5, 1.0), **other
):
  """Four rows of each of three models, on the way to 8e8 tokens."""
  n = np.repeat([1e7, 2e7, 4e7], 4)
  d = np.tile(np.array(share) * 8e8, 3)
  names = names or ['sweet-sun-3', 'old-moon-4', 'bold-dew-9']
  loss = 3 + 1e7 / n + 1e8 / d
  return {name: np.repeat(names, 4), 'N': n, 'D': d, 'loss': loss, **other}


class CheckpointsTest(ShapesCase):
  @parameterized.parameters(
    {}, {'step': np.tile([1, 2, 4, 8], 3)}, {'share': (0.1, 0.3, 0.7, 1.0)},
    {'name': 'id'}, {'name': 'uid'},
    {'name': 'Name', 'step': np.tile([1, 2, 4, 8], 3)},
    {'names': ['10M', '20M', '40M'], 'step': np.tile([1, 2, 4, 8], 3)},
  )  # fmt: skip
  def test_of_one_run(self, **of):
    df = checkpoints(**of)
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {'checkpoint': 9})
    self.assertEqual(runs.D.tolist(), [8e8] * 3)
    for curve, last in zip(runs.curves, df['loss'][3::4]):
      self.assertLen(curve.L, 4)
      self.assertEqual(curve.L[-1], last)
    self.assertLen(Runs.from_dataframe(df, include=['checkpoint']), 12)

  def test_that_were_asked_for(self):
    df = checkpoints('Name', names=['10M', '20M', '40M'])
    self.assertLen(Runs.from_dataframe(df), 12)
    runs = Runs.from_dataframe(df, columns={'run_id': 'Name'})
    self.assertEqual(self.kinds(runs), {'checkpoint': 9})

  @parameterized.parameters('Name', 'run', 'run_id', 'id', 'model', 'size')
  def test_a_grid_whose_names_are_sizes_has_none(self, name):
    for names in (['10M', '20M', '40M'], ['0.01B', '0.02B', '0.04B'],
                  ['10,000,000', '2e7', '40 M']):  # fmt: skip
      runs = Runs.from_dataframe(checkpoints(name, names))
      self.assertLen(runs, 12)
      self.assertEmpty(runs.excluded)

  @parameterized.parameters('Name', 'run', 'run_id', 'id')
  def test_budgets_whose_names_are_models_have_none(self, name):
    n = np.tile(N[:7], 4)
    df = {name: [f'gpt-{i % 7}' for i in range(28)], 'N': n,
          'D': (BUDGET / (6 * n)).round(), 'C': BUDGET, 'loss': LOSS}  # fmt: skip
    for steps in ({}, {'steps': (df['D'] / 5e5).round()}):
      runs = Runs.from_dataframe(df | steps)
      self.assertLen(runs, 28)
      self.assertEmpty(runs.excluded)

  @parameterized.product(
    name=['run_id', 'Name'], shares=[(0.25, 0.5, 1.0), np.arange(1, 11) / 10]
  )
  def test_shares_of_budgets_are_on_the_way(self, name, shares):
    """The history of an isoFLOP sweep: as many C as shares, for all models."""
    count = len(shares)
    n, share = np.repeat(N, count), np.tile(shares, len(N))
    d = np.repeat(BUDGET / (6 * N), count) * share
    names = np.repeat([f'sun-{i}-sea' for i in range(len(N))], count)
    loss = 1.7 + 400 / n**0.34 + 400 / d**0.28
    df = {name: names, 'N': n, 'D': d, 'loss': loss}
    kept = np.arange(len(n)) % 7 > 0  # some were not logged
    for rows in (kept | True, kept):
      runs = Runs.from_dataframe({k: x[rows] for k, x in df.items()})
      self.assertLen(runs, len(N))
      self.assertEqual({*self.kinds(runs)}, {'checkpoint'})

  @parameterized.parameters('Name', 'name', 'run')
  def test_a_name_that_several_sizes_share_is_no_run(self, name):
    df = checkpoints(name, names=['c4', 'c4', 'c4'])
    self.assertLen(Runs.from_dataframe(df), 12)

  def test_one_run_id_of_two_models(self):
    runs = Runs.from_dataframe(
      shapes_case.columns(run_id=['a'] * 14 + ['b'] * 14)
    )
    self.assert_same(runs)
    self.assertLen(set(runs.run_ids), 28)

  def test_seeds_of_one_run_id(self):
    df = checkpoints(share=(1.0, 1.0, 1.0, 1.0))
    df['loss'] = df['loss'] + np.tile([0, 0.01, 0.02, 0.03], 3)
    self.assertLen(Runs.from_dataframe(df), 12)


class SeedsTest(ShapesCase):
  def test_without_a_column_of_them(self):
    noise = np.random.default_rng(0).normal(0, 0.01, 84)
    df = {'N': np.repeat(N, 3), 'D': np.repeat(D, 3),
          'loss': np.repeat(LOSS, 3) + noise}  # fmt: skip
    runs = Runs.from_dataframe(df)
    self.assertLen(runs, 84)


if __name__ == '__main__':
  absltest.main()
