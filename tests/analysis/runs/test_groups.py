"""Runs that one law can be of, and runs that need one each."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import groups
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import BUDGET
from tests.analysis.runs.shapes_case import ShapesCase
from tests.analysis.runs.test_understand import by_flag

HALVES = np.arange(28) % 2


def halves(first, second):
  return [second if half else first for half in HALVES]


# Column -> its two values.
DIFFERENT = {
  'dataset': ('c4', 'pile'), 'corpus': ('c4', 'the pile'), 'text': ('a', 'b'),
  'Tokenizer': ('gpt2', 'llama'), 'vocab_size': (32000, 50257),
  'seq_len': (1024, 2048), 'Context Length': (1024, 4096),
}  # fmt: skip


class GroupsTest(ShapesCase):
  @parameterized.parameters(*DIFFERENT.items())
  def test_what_losses_are_not_comparable_on(self, name, values):
    df = shapes_case.columns(**{name: halves(*values)})
    runs = Runs.from_dataframe(df)
    found = groups.of_runs(runs)
    self.assertEqual([len(some) for some in found.runs.values()], [14, 14])
    with self.assertRaises(UserError) as caught:
      groups.one_law(runs)
    message = str(caught.exception)
    kind, value = shapes_case.flag(message)
    self.assertEqual(kind, 'where')
    chosen = Runs.from_dataframe(df, **by_flag(kind, value))
    self.assertLen(chosen, 14)
    groups.one_law(chosen)  # which it can
    column = message.rpartition('runs.split(')[2].rstrip(')').strip("'")
    for some in runs.split(column).values():
      self.assertLen(some, 14)
      groups.one_law(some)

  def test_texts_with_tokenizers_of_their_own(self):
    runs = Runs.from_dataframe(
      shapes_case.columns(
        dataset=halves('c4', 'pile'), tokenizer=halves('a', 'b')
      )
    )
    self.assertLen(groups.of_runs(runs).runs, 2)

  @parameterized.parameters('experiment', 'project', 'Study', 'model_family')
  def test_experiments_with_budgets_of_their_own(self, name):
    df = shapes_case.columns(**{name: halves('llama_3', 'ours')})
    runs = Runs.from_dataframe(df)
    found = groups.of_runs(runs)
    self.assertEqual((found.by, [*found.runs]), (name, ['llama_3', 'ours']))
    with self.assertRaises(UserError) as caught:
      groups.one_law(runs)
    self.assertIn(f'--by={name}', str(caught.exception))
    kind, value = shapes_case.flag(str(caught.exception))
    self.assertLen(Runs.from_dataframe(df, **by_flag(kind, value)), 14)

  def test_what_is_one_law(self):
    for others in (
      {}, {'dataset': ['c4'] * 28}, {'seq_len': [1024] * 28},
      {'experiment': [f'budget {C:g}' for C in BUDGET]},
      {'experiment': [f'run {i}' for i in range(28)]},
      {'experiment': ['a'] * 25 + ['b'] * 3}, {'project': ['p'] * 28},
      {'model': halves('gpt', 'llama')}, {'seed': halves(0, 1)},
      {'dataset': ['c4'] * 14 + [''] * 14},
    ):  # fmt: skip
      runs = Runs.from_dataframe(shapes_case.columns(**others))
      self.assertLen(groups.of_runs(runs).runs, 1, others.keys())
      groups.one_law(runs)


class SplitTest(ShapesCase):
  def test_by_columns_and_fields(self):
    runs = Runs.from_dataframe(
      shapes_case.columns(**{'My Group': halves('a', ''), 'seed': halves(0, 1)})
    )
    for name, labels in (
      ('My Group', ['a', 'without My Group']),
      ('my_group', ['a', 'without my_group']), ('seed', ['0', '1']),
    ):  # fmt: skip
      parts = runs.split(name)
      self.assertEqual([*parts], labels)
      self.assertEqual(sum(map(len, parts.values())), 28)
    with self.assertRaisesRegex(UserError, 'My Group'):
      runs.split('group_')

  def test_each_value_may_need_several_laws(self):
    texts = ['c4', 'c4', 'pile', 'pile'] * 7
    df = shapes_case.columns(dataset=texts, colour=halves('red', 'blue'))
    runs = Runs.from_dataframe(df | {'seed': [0] * 28})
    found = groups.by_column(runs, 'colour')
    every = [f'{colour}, {text}' for colour in ('red', 'blue')
             for text in ('c4', 'pile')]  # fmt: skip
    self.assertEqual([*found.runs], every)
    self.assertIn('colour', found.by)
    self.assertEqual([*groups.by_column(runs, 'seed').runs], ['c4', 'pile'])
    self.assertEqual([*groups.by_column(runs, 'dataset').runs], ['c4', 'pile'])

  def test_by_what_a_column_is(self):
    rates = [0.001, 0.002] * 14
    runs = Runs.from_dataframe(shapes_case.columns(lr=rates))
    self.assertEqual([*runs.split('learning_rate')], ['0.001', '0.002'])
    runs = Runs.from_dataframe(shapes_case.columns())
    (label,) = runs.split('learning_rate')
    self.assertEqual(label, 'without learning_rate')


if __name__ == '__main__':
  absltest.main()
