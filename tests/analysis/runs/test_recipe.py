"""What a config.json tells."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax import records
from scaling_jax.analysis.runs import recipe
from tests.analysis.runs.table_case import TableCase
from tests.example_records import make_run

FULL = {
  'identity': {'C': 6e13, 'model': {'n_embd': 96}, 'seed': 0},
  'config': {
    'train': {
      'learning_rate': 1e-3, 'min_learning_rate': 1e-4, 'warmup_steps': 100,
      'schedule': 'cosine',
    }
  },
  'corpus': {'name': 'poetry', 'train_tokens': 1000, 'vocab_size': 66},
  'versions': {'jax': '0.0.1'},
  'devices': 'cpu x 1',
}  # fmt: skip


class ReadTest(TableCase):
  def read(self, config):
    folder = self.run_folder(config=config)
    return recipe.read_config(folder)

  def test_all_of_it(self):
    found = self.read(FULL)
    self.assertEqual(found.settings, {'C': 6e13, 'model.n_embd': 96, 'seed': 0})
    self.assertEqual(found.versions, {'jax': '0.0.1'})
    self.assertEqual(found.devices, 'cpu x 1')
    self.assertEqual(
      found.corpus,
      recipe.Corpus(name='poetry', train_tokens=1000, vocab_size=66),
    )
    self.assertEqual(
      found.recipe, (1e-3, 1e-4, 'cosine', 100, 1000, 66, '', '')
    )

  def test_settings_of_the_config_where_there_is_no_identity(self):
    found = self.read({'config': {'a': {'b': 1}}})
    self.assertEqual(found.settings, {'a.b': 1})

  @parameterized.parameters(
    '{}', '[1]', '{"config": 3, "versions": 3, "devices": 3, "corpus": []}',
    '{"config": {"train": 3}, "corpus": {"train_tokens": "many"}}',
  )  # fmt: skip
  def test_senseless_parts_are_empty(self, text):
    found = self.read(text)
    self.assertEqual(repr(found.recipe), repr(recipe.Recipe()))
    self.assertEqual((found.versions, found.devices), ({}, ''))

  @parameterized.parameters(None, '{"config": ', '')
  def test_none_to_read(self, text):
    folder = self.run_folder()
    if text is None:
      (folder / records.CONFIG).unlink()
    else:
      (folder / records.CONFIG).write_text(text)
    with self.assertRaisesRegex(ValueError, records.CONFIG):
      recipe.read_config(folder)


class CompletedTest(TableCase):
  def test_a_record_with_a_recipe_stays(self):
    folder = self.run_folder(config=FULL)
    run = make_run(schedule='linear', warmup_steps=3, tokens_per_step=8)
    self.assertEqual(recipe.completed(run, folder), run)

  def test_a_record_of_before_there_were_texts_takes_its_text(self):
    sha256 = {'train': '3f2a91bc' * 8, 'val': '77d01e22' * 8}
    config = {
      **FULL,
      'identity': {'sha256': sha256},
      'corpus': {**FULL['corpus'], 'tokenizer': 'char'},
    }
    run = make_run(schedule='linear', warmup_steps=3, tokens_per_step=8)
    found = recipe.completed(run, self.run_folder(config=config))
    self.assertEqual(
      found, run._replace(text='3f2a91bc-77d01e22', tokenizer='char')
    )

  def test_without_a_folder_steps_tell_the_batch(self):
    run = recipe.completed(make_run(), None)
    self.assertEqual(run.tokens_per_step, 2048)
    self.assertTrue(math.isnan(run.learning_rate))
    unknown = recipe.completed(make_run(S=0), None)
    self.assertTrue(math.isnan(unknown.tokens_per_step))


if __name__ == '__main__':
  absltest.main()
