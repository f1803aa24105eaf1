"""Which runs one law can be of."""

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs import identity
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.records import Run
from tests.analysis.runs.table_case import TableCase

ONE, OTHER = '3f2a91bc-77d01e22', '3f2a91bc-00000000'


def runs_of(*fields):
  return Runs(
    tuple(
      Run(f'run{i}', C=6e15, N=1e6, D=1e9, val_loss=3.0, **one)
      for i, one in enumerate(fields)
    ),
  )


class StudiesTest(absltest.TestCase):
  def check(self, fields, *wanted):
    found = identity.studies(runs_of(*fields))
    self.assertEqual(list(found.values()), [list(group) for group in wanted])
    return list(found)

  def test_one_text_is_one_study_whatever_its_folder_is_called(self):
    fields = [
      {'dataset': 'poetry', 'text': ONE}, {'dataset': 'copy', 'text': ONE},
      {'dataset': 'copy'}, {},
    ]  # fmt: skip
    self.assertEqual(self.check(fields, range(4)), ['poetry'])

  def test_two_texts_of_one_name_are_two(self):
    texts = ('3f2a91bc-77d01e22', 'ab12cd34-77d01e22')
    fields = [{'dataset': 'poetry', 'text': text} for text in texts]
    self.assertEqual(
      self.check(fields, [0], [1]), ['poetry (3f2a91bc…)', 'poetry (ab12cd34…)']
    )

  def test_labels_differ_however_alike_texts_are(self):
    fields = [{'dataset': 'poetry', 'text': text} for text in (ONE, OTHER)]
    (one, other) = self.check(fields, [0], [1])
    self.assertIn(ONE, one)
    self.assertIn(OTHER, other)

  def test_tokenizers_and_contexts_are_told_apart(self):
    fields = [
      {'dataset': 'poetry', 'vocab_size': kinds, 'block_size': context}
      for kinds, context in ((66, 32), (50257, 32), (50257, 64))
    ]
    labels = self.check(fields, [0], [1], [2])
    self.assertIn('66 kinds', labels[0])
    self.assertNotIn('context', labels[0])
    self.assertIn('context 32', labels[1])
    self.assertIn('context 64', labels[2])

  def test_what_does_not_tell_belongs_with_the_only_other(self):
    some = {'dataset': 'poetry', 'block_size': 32}
    self.check([{}, some, {'block_size': 32}, {}], range(4))
    self.check([some, {'dataset': 'poetry'}, {'vocab_size': 66}], range(3))

  def test_what_might_belong_to_several_is_of_its_own(self):
    fields = [{}, {'dataset': 'a'}, {'dataset': 'b'}, {'vocab_size': 66}]
    labels = self.check(fields, [0, 3], [1], [2])
    self.assertEqual(labels[1:], ['a', 'b'])

  def test_nothing_told_is_one(self):
    self.check([{}, {}], [0, 1])

  def test_other_projects_columns(self):
    table = {
      'N': [1e6, 2e6, 4e6], 'D': [1e8, 2e8, 4e8], 'loss': [3.2, 3.1, 3.0],
      'config/tokenizer': ['gpt2', 'llama', 'GPT2'],
      'seq_len': ['1024', '1024', ''], 'vocab_size': ['50257', 'many', '-1'],
    }  # fmt: skip
    runs = Runs.from_dataframe(table)
    found = identity.studies(runs)
    self.assertEqual([*found.values()], [[0, 2], [1]])
    self.assertIn('gpt2', next(iter(found)))
    self.assertEqual([run.vocab_size for run in runs], [50257, 0, 0])


class FilesTest(TableCase):
  """Tables that are read together, one of which names no text."""

  @parameterized.parameters('dataset', 'tokenizer')
  def test_a_table_without_the_column_is_of_its_own(self, column):
    one = self.write(f'N,D,loss,{column}\n1e7,2e8,3.9,c4\n2e7,4e8,3.6,C4\n')
    other = self.write('N,D,loss\n1e7,2e8,3.7\n2e7,4e8,3.4\n', 'other.csv')
    for paths in ((one, other), (other, one)):
      found = identity.studies(run_folders.read_runs(*paths))
      self.assertEqual(list(found.values()), [[0, 1], [2, 3]])

  def test_an_empty_cell_is_of_the_only_other(self):
    path = self.write('N,D,loss,dataset\n1e7,2e8,3.9,c4\n2e7,4e8,3.6,\n')
    self.assertLen(identity.studies(run_folders.read_runs(path)), 1)

  def test_run_folders_of_one_name_and_two_texts(self):
    folders = [
      self.run_folder(workdir=text, dataset=text) for text in ('prose', 'verse')
    ]
    runs = run_folders.read_runs(*folders)
    self.assertEmpty(runs.excluded)
    self.assertEqual([*identity.studies(runs)], ['prose', 'verse'])


if __name__ == '__main__':
  absltest.main()
