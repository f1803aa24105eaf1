"""Several laws in one report: each is that of its own runs."""

import csv
import functools
import pathlib
import tempfile

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.messages import side_by_side as messages
from scaling_jax.analysis.report import side_by_side
from scaling_jax.analysis.runs import groups
from scaling_jax.analysis.runs.table import Runs
from tests import golden_case
from tests.analysis import designs
from tests.analysis import studies

_FOLDER = tempfile.TemporaryDirectory(prefix='scaling_jax_tests_')
LABELS = ('Llama 3', 'llama-3 <b>')


@functools.cache
def written():
  """The folder of two laws, and what was shown of them."""
  plan = designs.design()
  losses = [designs.noisy(designs.LAW, plan, 0.002, seed) for seed in (0, 1)]
  runs = Runs.from_dataframe({
    'C': np.tile(plan.C, 2), 'N': np.tile(plan.N, 2), 'D': np.tile(plan.D, 2),
    'loss': np.concatenate(losses), 'experiment': np.repeat(LABELS, len(plan.N)),
  })  # fmt: skip
  shown = []
  out = pathlib.Path(tempfile.mkdtemp(dir=_FOLDER.name)) / 'out'
  path = side_by_side.write(
    groups.of_runs(runs), out, studies.options(), show=shown.extend,
    figures=False,
  )  # fmt: skip
  return pathlib.Path(path), '\n'.join(shown), plan, losses


class WriteTest(absltest.TestCase):
  def test_a_law_for_each(self):
    path, _, plan, losses = written()
    with (path.parent / 'laws.csv').open(newline='') as file:
      rows = list(csv.DictReader(file))
    self.assertEqual([row['group'] for row in rows], [*LABELS])
    for row, L in zip(rows, losses):
      best = designs.LAW.optimum(float(row['C']))
      self.assertEqual(int(row['n_runs']), len(L))
      np.testing.assert_allclose(float(row['N']), float(best.N), rtol=0.2)
      np.testing.assert_allclose(float(row['D']), float(best.D), rtol=0.2)
    # Other losses, other laws.
    self.assertNotEqual(rows[0]['N'], rows[1]['N'])
    self.assertLen(plan.N, int(rows[0]['n_runs']))

  def test_at_one_C(self):
    path, *_ = written()
    with (path.parent / 'laws.csv').open(newline='') as file:
      found = {float(row['C']) for row in csv.DictReader(file)}
    self.assertEqual(found, {max(designs.BUDGETS)})

  def test_a_report_of_each_beside_that_of_all(self):
    path, *_ = written()
    text = path.read_text()
    for name in side_by_side.folders([*LABELS]):
      self.assertTrue((path.parent / name / 'index.html').exists(), name)
      self.assertTrue((path.parent / name / 'fits.json').exists(), name)
      self.assertIn(f'{name}/index.html', text)
    self.assertIn('llama-3 &lt;b&gt;', text)
    self.assertNotIn('llama-3 <b>', text)  # a label is text, never markup

  def test_what_is_shown(self):
    _, shown, *_ = written()
    for label in LABELS:
      self.assertIn(messages.heading(label), shown)
    self.assertIn('The runs differ in experiment', shown)


class FoldersTest(absltest.TestCase):
  def test_names(self):
    for labels, names in (
      (['a', 'A', 'a!'], ['a', 'a_2', 'a_3']), (['', '???'], ['group', 'group_2']),
      (['../..', '/etc'], ['group', 'etc']), (['c4 (gpt2)'], ['c4-gpt2']),
      (['x' * 300], ['x' * 60]), (['a_2', 'a', 'A'], ['a_2', 'a', 'a_3']),
    ):  # fmt: skip
      found = side_by_side.folders(labels)
      self.assertLen(set(found), len(labels))
      self.assertEqual(found, names)
      for name in found:
        self.assertEqual(pathlib.PurePath(name).name, name)


class WordingTest(golden_case.GoldenCase):
  def test_messages(self):
    self.golden(
      'side_by_side',
      '\n'.join([
        messages.title('experiment', 2), messages.TITLE,
        messages.intro('experiment', ['a', 'b']), messages.heading('a'),
        messages.about_a(), messages.whole_report('a'),
      ]),
    )  # fmt: skip


if __name__ == '__main__':
  absltest.main()
