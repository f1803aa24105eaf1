"""How runs were made, and what is told where nobody knows."""

import dataclasses

from absl.testing import absltest

from scaling_jax import records
from scaling_jax.analysis.runs import provenance
from scaling_jax.analysis.runs.recipe import Corpus
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from tests.analysis.runs.table_case import TableCase
from tests.example_records import make_run


def config(C):
  train = {'warmup_steps': 20, 'batch_size': 64}
  return {
    'identity': {
      'C': C, 'train': train, 'seed': 0, 'experiment': 'c', 'seeds': [0, 1],
    },
    'config': {'train': train},
    'versions': {'jax': '0.0.1', 'commit': 'abc1234'},
    'devices': 'cpu x 1',
    'corpus': {'name': 'poetry', 'train_tokens': 10**6},
  }  # fmt: skip


class MadeTest(TableCase):
  def setUp(self):
    super().setUp()
    for i, C in enumerate((6e13, 6e13, 3e14)):
      self.run_folder(
        config=config(C), C=C, seed=i % 2, run_id=f'r{i}', wall_s=10.0,
        device='' if i else 'cpu x 2',
      )  # fmt: skip
    self.made = provenance.of_runs(read_runs(self.folder / 'runs'))

  def test_settings(self):
    self.assertEqual(self.made.n_described, 3)
    self.assertEqual(self.made.unknown, ())
    self.assertEqual(
      {setting.name: setting.value for setting in self.made.common},
      {'train.batch_size': 64, 'train.warmup_steps': 20, 'seeds': [0, 1]},
    )
    (differing,) = self.made.differing
    self.assertEqual(differing.name, 'C')
    self.assertEqual(
      [(shared.value, shared.run_ids) for shared in differing.values],
      [(6e13, ('r0', 'r1')), (3e14, ('r2',))],
    )

  def test_machine_and_corpus(self):
    commit, jax = self.made.versions
    self.assertEqual((commit.name, commit.value), ('commit', 'abc1234'))
    self.assertEqual((jax.value, len(jax.values)), ('0.0.1', 1))
    self.assertLen(jax.values[0].run_ids, 3)
    # The record's own word, or else the config's.
    self.assertEqual(
      [(shared.value, shared.run_ids) for shared in self.made.devices],
      [('cpu x 2', ('r0',)), ('cpu x 1', ('r1', 'r2'))],
    )
    self.assertEqual(self.made.seeds, (0, 1))
    self.assertEqual(self.made.datasets, ('poetry',))
    self.assertEqual(self.made.wall_s, 30)
    self.assertEqual(
      self.made.corpus, Corpus(name='poetry', train_tokens=10**6)
    )


class DamagedTest(TableCase):
  def made(self, **contents):
    """Of runs whose config.json hold these; None: there is none."""
    folders = []
    for name, content in contents.items():
      folder = self.folder / name
      folder.mkdir()
      if content is not None:
        (folder / records.CONFIG).write_text(content)
      folders.append(str(folder))
    runs = Runs(
      tuple(make_run(run_id=name) for name in contents), tuple(folders)
    )
    return provenance.of_runs(runs)

  def test_what_cannot_be_read_is_unknown(self):
    found = self.made(
      gone=None, torn='{"config": ', empty='{}', listed='[1]', odd='{"config":3}',
      good='{"config": {"a": {"b": 1}}, "versions": 3, "corpus": []}',
    )  # fmt: skip
    self.assertEqual(found.n_described, 1)
    self.assertEqual(
      {one.run_id for one in found.unknown},
      {'gone', 'torn', 'empty', 'listed', 'odd'},
    )
    self.assertLen({one.reason for one in found.unknown}, 3)
    (common,) = found.common
    self.assertEqual((common.name, common.value), ('a.b', 1))
    self.assertIsNone(found.corpus)
    self.assertEqual(found.versions, ())

  def test_corpora_that_differ_have_no_common_floor(self):
    one = '{"config": {"a": 1}, "corpus": {"floor_nats_per_token": %s}}'
    self.assertIsNone(self.made(x=one % 1, y=one % 2).corpus)
    same = self.made(z=one % 1, w=one % 1).corpus
    self.assertEqual(same, Corpus(floor_nats_per_token=1))

  def test_parts_of_one_corpus_are_that_corpus(self):
    part = '{"config": {"a": 1}, "corpus": {"name": "c", "train_tokens": %d}}'
    found = self.made(x=part % 10, y=part % 1000, z=part % 100)
    self.assertEqual(found.corpus, Corpus(name='c', train_tokens=1000))
    unknown = self.made(a=part % 10, b='{"config": {"a": 1}}')
    self.assertIsNone(unknown.corpus)

  def test_another_projects_table(self):
    path = self.write('N,D,loss\n1e7,1e9,2.5\n1e8,1e9,2.3\n')
    found = provenance.of_runs(read_runs(path))
    self.assertEqual(found.n_described, 0)
    self.assertLen(found.unknown, 2)
    self.assertEqual(
      dataclasses.replace(found, unknown=(), devices=(), seeds=()),
      provenance.Provenance(),
    )


if __name__ == '__main__':
  absltest.main()
