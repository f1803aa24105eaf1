"""How runs were made, and what is said where nobody knows."""

import pathlib

from absl.testing import absltest

from scaling_jax import records
from scaling_jax.analysis import points
from scaling_jax.analysis import provenance
from tests import studies


class MadeTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.made = studies.analyzed().fits['made']

  def test_settings(self):
    self.assertEqual(self.made['n_known'], 30)
    self.assertEqual(self.made['unknown'], [])
    self.assertEqual(
      self.made['common'],
      {
        'train.batch_size': studies.BATCH_SIZE,
        'train.warmup_steps': studies.WARMUP,
      },
    )
    differing = {row['name']: row['values'] for row in self.made['differing']}
    self.assertEqual(set(differing), {'C', 'model.n_embd'})
    budgets = {row['value']: len(row['run_ids']) for row in differing['C']}
    self.assertEqual(budgets, dict.fromkeys(studies.BUDGETS, 10))

  def test_machine_and_corpus(self):
    (commit,) = self.made['versions']['commit']
    self.assertEqual((commit['value'], len(commit['run_ids'])), ('abc1234', 30))
    (device,) = self.made['devices']
    self.assertEqual(device['value'], 'cpu x 1')
    self.assertEqual(self.made['seeds'], [0, 1])
    self.assertEqual(self.made['datasets'], ['simulated'])
    self.assertEqual(self.made['wall_s'], 30)
    corpus = self.made['corpus']
    self.assertEqual(corpus['floor_nats_per_token'], studies.LAW.E)


class DamagedTest(absltest.TestCase):
  def made(self, **contents):
    """Of three runs, whose config.json hold these; None: there is none."""
    folder = pathlib.Path(self.create_tempdir().full_path)
    found = []
    for point in studies.analyzed().source.points[: len(contents)]:
      name, content = list(contents.items())[len(found)]
      (folder / name).mkdir()
      if content is not None:
        (folder / name / records.CONFIG).write_text(content)
      found.append(point._replace(run_id=name, folder=str(folder / name)))
    return provenance.made(found)

  def test_what_cannot_be_read_is_unknown(self):
    found = self.made(
      gone=None, torn='{"config": ', empty='{}', listed='[1]', odd='{"config":3}',
      good='{"config": {"a": {"b": 1}}, "versions": 3, "corpus": []}',
    )  # fmt: skip
    self.assertEqual(found['n_known'], 1)
    reasons = {row['run_id']: row['reason'] for row in found['unknown']}
    self.assertEqual(set(reasons), {'gone', 'torn', 'empty', 'listed', 'odd'})
    self.assertRegex(reasons['gone'], 'holds no config.json')
    self.assertRegex(reasons['torn'], 'is no JSON')
    self.assertEqual(found['common'], {'a.b': 1})
    self.assertIsNone(found['corpus'])
    self.assertEqual(found['versions'], {})

  def test_corpora_that_differ_have_no_common_floor(self):
    one = '{"config": {"a": 1}, "corpus": {"floor_nats_per_token": %s}}'
    self.assertIsNone(self.made(x=one % 1, y=one % 2)['corpus'])
    same = self.made(x=one % 1, y=one % 1)['corpus']
    self.assertEqual(same, {'floor_nats_per_token': 1})

  def test_parts_of_one_corpus_are_that_corpus(self):
    part = '{"config": {"a": 1}, "corpus": {"name": "c", "train_tokens": %d}}'
    found = self.made(x=part % 10, y=part % 1000, z=part % 100)
    self.assertEqual(found['corpus'], {'name': 'c', 'train_tokens': 1000})

  def test_another_projects_table(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'runs.csv'
    plan = studies.design()
    path.write_text(studies.as_csv(plan, studies.LAW.loss(plan.N, plan.D)))
    found = provenance.made(points.read([path]).points)
    self.assertEqual(found['n_known'], 0)
    self.assertLen(found['unknown'], 21)
    self.assertIsNone(found['corpus'])
    self.assertIsNone(found['wall_s'])


if __name__ == '__main__':
  absltest.main()
