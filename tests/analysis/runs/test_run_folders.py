"""Runs from folders and our own tables, against numbers worked out by hand."""

import json
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import records
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import groups
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase
from tests.example_records import make_run
from tests.shared_data import PUBLISHED

NANOCHAT = 'flops_budget,depth,num_scaling_params,tokens_trained,val_bpb'


def kinds(runs):
  return [out.kind for out in runs.excluded]


class ReadTest(TableCase):
  def test_a_record(self):
    folder = self.run_folder()
    runs = read_runs(folder)
    (run,) = runs
    self.assertEqual(run[:25], make_run()[:25])
    self.assertEqual((runs.loss[0], runs.sem[0]), (1.7, 0.002))
    self.assertEqual(runs.folders, (str(folder),))
    self.assertEqual((runs.format, runs.unit), ('scaling_jax', 'nats/token'))
    self.assertEqual(runs.files, (str(folder / 'result.json'),))
    self.assertEqual((runs.excluded, runs.notes), ((), ()))

  def test_without_the_losses_of_each_step_there_is_no_folder(self):
    self.assertEqual(read_runs(self.run_folder(losses=None)).folders, ('',))

  def test_run_experiment_and_experiments(self):
    first = self.run_folder(experiment='c0')
    self.run_folder(experiment='c0', run_id='gpt-0_seed1', seed=1)
    self.run_folder(experiment='c1', C=3e14)
    (self.folder / 'runs' / 'figures').mkdir()
    for path, names in (
      (first, ('gpt-0_seed0',)),
      (first.parent, ('gpt-0_seed0', 'gpt-0_seed1')),
      (
        self.folder / 'runs',
        ('c0/gpt-0_seed0', 'c0/gpt-0_seed1', 'c1/gpt-0_seed0'),
      ),
    ):
      with self.subTest(path.name):
        # Runs that share N, D and loss are two where run_id differs.
        found = read_runs(path)
        self.assertEqual(found.run_ids, names)
        self.assertEmpty(found.excluded)

  def test_results_csv_is_what_the_folders_are(self):
    self.run_folder(val_bpb=math.nan)
    self.run_folder(run_id='gpt-0_seed1', seed=1, losses=None)
    experiment = self.folder / 'runs' / 'c0'
    records.write_results(experiment)
    by_table = read_runs(experiment / 'results.csv')
    by_folder = read_runs(experiment)
    self.assertEqual(repr(by_table.runs), repr(by_folder.runs))
    self.assertEqual(by_table.counts, by_folder.counts)
    self.assertEqual(by_table.folders, (str(experiment / 'gpt-0_seed0'), ''))
    self.assertEqual(by_table.folders, by_folder.folders)
    self.assertEqual(by_table.files, (str(experiment / 'results.csv'),))

  def test_results_csv_alone(self):
    self.run_folder()
    records.write_results(self.folder / 'runs' / 'c0')
    table = (self.folder / 'runs' / 'c0' / 'results.csv').read_text()
    path = self.write(table, 'elsewhere/c0/results.csv')
    for given in (path, path.parent, path.parent.parent):
      runs = read_runs(given)
      self.assertEqual((runs.folders, runs[0].val_loss), (('',), 1.7))
    # Beside a run of the same name from another experiment.
    self.run_folder(workdir='.', experiment='c1', C=3e14)
    runs = read_runs(self.write(table, 'c1/copied.csv'))
    self.assertEqual((runs.folders, runs[0].C), (('',), 6e13))

  def test_given_twice_counts_once(self):
    folder = self.run_folder()
    records.write_results(folder.parent)
    for paths in (
      [folder, folder],
      [folder.parent / 'results.csv', folder],
      [folder, folder.parent / 'results.csv', folder.parent.parent],
    ):
      runs = read_runs(*paths)
      self.assertEqual(runs.folders, (str(folder),))
      self.assertEmpty(runs.excluded)
      self.assertLen(runs.notes, 1)

  def test_of_two_copies_the_one_with_losses_counts(self):
    bare = self.run_folder(workdir='bare', losses=None)
    whole = self.run_folder(workdir='whole')
    for paths in ([bare, whole], [whole, bare]):
      self.assertEqual(read_runs(*paths).folders, (str(whole),))

  def test_one_run_with_two_results(self):
    first = self.run_folder(val_loss=1.7)
    second = self.run_folder(workdir='again', val_loss=1.8)
    runs = read_runs(first, second)
    self.assertEqual(runs.loss.tolist(), [1.7])
    self.assertEqual(runs.excluded[0].run_id, 'gpt-0_seed0')
    self.assertEqual(kinds(runs), [Exclusion.TWO_RESULTS])

  def test_unfinished_runs(self):
    self.run_folder()
    for name in ('fresh', 'stopped', 'torn'):
      folder = self.folder / 'runs' / 'c0' / name
      folder.mkdir()
      (folder / records.CONFIG).write_text('{}')
    evaluations = [
      records.Evaluation(s, s, 1.0, None, 2.0, 0.1, 3.0, None, None, None, 1.0)
      for s in (0, 250)
    ]
    records.write_metrics(self.folder / 'runs/c0/stopped', evaluations)
    (self.folder / 'runs/c0/torn' / records.METRICS).write_text('{"step": 25')
    runs = read_runs(self.folder / 'runs')
    self.assertLen(runs, 1)
    self.assertEqual(
      [out.run_id for out in runs.excluded], ['fresh', 'stopped', 'torn']
    )
    self.assertEqual(kinds(runs), [Exclusion.UNFINISHED] * 3)
    self.assertIn('250', runs.excluded[1].reason)

  def test_planned_runs_that_were_not_started(self):
    folder = self.run_folder()
    records.write_planned(
      folder.parent, {name: {} for name in ('gpt-0_seed0', 'gpt-1_seed0')}
    )
    runs = read_runs(folder.parent)
    self.assertEqual([out.run_id for out in runs.excluded], ['gpt-1_seed0'])
    self.assertEqual(kinds(runs), [Exclusion.NOT_STARTED])

  @parameterized.parameters(
    ({'status': 'diverged', 'val_loss': math.nan}, Exclusion.DIVERGED),
    ({'val_loss': math.nan}, Exclusion.BAD_VALUE),
    ({'val_loss': 0.0}, Exclusion.BAD_VALUE),
    ({'val_loss': -1.5}, Exclusion.BAD_VALUE),
    ({'C': math.nan}, Exclusion.BAD_VALUE),
    ({'N': 0}, Exclusion.BAD_VALUE),
    ({'D': -5}, Exclusion.BAD_VALUE),
  )
  def test_runs_that_no_law_can_use(self, changes, kind):
    bad = self.run_folder(run_id='bad', **changes)
    with self.assertRaisesRegex(UserError, 'bad'):
      read_runs(bad)
    self.run_folder()
    runs = read_runs(bad.parent)
    self.assertLen(runs, 1)
    self.assertEqual(runs.excluded[0].run_id, 'bad')
    self.assertEqual(kinds(runs), [kind])

  @parameterized.parameters('', '[]', '{"run_id": "x"}', '{"run_id": "x"')
  def test_a_damaged_record(self, text):
    folder = self.run_folder(run_id='bad')
    (folder / records.RESULT).write_text(text)
    self.run_folder()
    runs = read_runs(folder.parent)
    self.assertLen(runs, 1)
    self.assertEqual(kinds(runs), [Exclusion.UNREADABLE])

  @parameterized.parameters(25, 32)
  def test_lines_of_results_csv(self, columns):
    header = ','.join(records.Run._fields[:columns])
    good = ','.join(str(value) for value in make_run()[:columns])
    infinite = good.replace('seed0', 'seed1').replace('1.7', 'inf')
    wordy = good.replace('gpt-0_seed0', 'wordy').replace('221664', 'many')
    lines = [header, good, infinite, wordy, 'short,c7']
    runs = read_runs(self.write('\n'.join(lines)))
    self.assertEqual(runs.run_ids, ('gpt-0_seed0',))
    self.assertEqual(
      {out.run_id: out.kind for out in runs.excluded},
      dict.fromkeys(('gpt-0_seed1', 'wordy', 'short'), Exclusion.BAD_VALUE),
    )
    reasons = {out.run_id: out.reason for out in runs.excluded}
    self.assertIn('line 4 of table.csv', reasons['wordy'])
    self.assertIn('many', reasons['wordy'])


class RecipeTest(TableCase):
  """A record's own recipe, or the one of the config.json beside it."""

  CONFIG = {  # noqa: RUF012
    'config': {
      'train': {
        'learning_rate': 1e-3, 'min_learning_rate': 1e-4, 'warmup_steps': 20,
        'schedule': 'cosine',
      }
    },
    'corpus': {'train_tokens': 10**9, 'vocab_size': 66},
  }  # fmt: skip
  RECIPE = (1e-3, 1e-4, 'cosine', 20, 2048, 10**9, 66, '', '')

  def test_an_old_record_takes_it_from_its_config(self):
    for losses in (None, np.ones(3)):
      folder = self.run_folder(
        workdir=f'runs{losses is None}', losses=losses, config=self.CONFIG
      )
      (run,) = read_runs(folder)
      self.assertEqual(run[25:], self.RECIPE)

  def test_a_new_record_holds_it(self):
    run = make_run(**dict(zip(records.RECIPE, self.RECIPE)))
    folder = self.run_folder(run, config='torn')
    self.assertEqual(tuple(read_runs(folder)), (run,))
    records.write_results(folder.parent)
    table = (folder.parent / records.RESULTS).read_text()
    (copied,) = read_runs(self.write(table, 'elsewhere.csv'))
    self.assertEqual(copied, run)

  @parameterized.parameters('torn', '[]', '{}', '{"config": 3, "corpus": []}')
  def test_what_is_not_told_is_unknown(self, config):
    (run,) = read_runs(self.run_folder(config=config))
    unknown = records.Run('x')._replace(tokens_per_step=2048.0)
    self.assertEqual(repr(run[25:]), repr(unknown[25:]))


class RefusedTest(TableCase):
  def refused(self, paths, *parts):
    with self.assertRaises(UserError) as caught:
      read_runs(*paths)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in parts:
      self.assertIn(part, message)

  def test_nothing_there(self):
    self.refused([])
    self.refused([[]])
    missing = self.folder / 'missing'
    self.refused([missing], str(missing))
    empty = self.folder / 'empty'
    empty.mkdir()
    self.refused([empty], str(empty))
    (empty / 'c0').mkdir()
    self.refused([empty], str(empty))

  def test_what_is_no_path(self):
    for given in (3, None, {'N': [1e6]}, [3]):
      self.refused([given], 'is no path', 'from_dataframe')

  def test_a_list_is_as_good_as_its_paths(self):
    folder = self.run_folder()
    found = read_runs(folder)
    for given in ([folder], str(folder), [str(folder)], (folder,)):
      self.assertEqual(repr(read_runs(given).runs), repr(found.runs))

  def test_only_unfinished_runs(self):
    folder = self.folder / 'c0' / 'gpt-0_seed0'
    folder.mkdir(parents=True)
    (folder / records.CONFIG).write_text(json.dumps({}))
    self.refused([folder.parent], 'gpt-0_seed0')

  def test_units_do_not_mix(self):
    bits = self.write(f'{NANOCHAT}\n1e18,8,40e6,3e9,0.9\n', 'bits.csv')
    nats = self.write('N,D,loss\n1e7,1e9,2.5\n', 'nats.csv')
    self.refused([bits, nats], 'bits.csv', 'bits/byte', 'nats.csv', 'nats/tok')
    self.refused([self.run_folder(), bits], 'gpt-0_seed0', 'nats/token')

  def test_corpora_do_not_mix(self):
    one = self.run_folder()
    two = self.run_folder(run_id='other', dataset='prose')
    runs = read_runs(one, two)
    with self.assertRaisesRegex(UserError, 'poetry.*prose.*--by='):
      groups.one_law(runs)

  def test_formats_of_one_unit_do(self):
    nats = self.write('N,D,loss\n1e7,1e9,2.5\n')
    runs = read_runs(self.run_folder(), nats)
    self.assertEqual(runs.format, 'scaling_jax + CSV')
    self.assertEqual(runs.run_ids, ('gpt-0_seed0', 'table:2'))
    self.assertLen(runs.notes, 1)
    self.assertLen(runs.sources, 1)


@absltest.skipUnless(
  PUBLISHED.is_dir(), f'the published points are not at {PUBLISHED}'
)
class PublishedTest(absltest.TestCase):
  def test_chinchilla(self):
    runs = read_runs(PUBLISHED / 'chinchilla_figure4.csv')
    self.assertLen(runs, 245)
    self.assertEmpty(runs.excluded)
    self.assertEqual(runs.unit, 'nats/token')
    self.assertAlmostEqual(runs.loss[0], 5.005581996196243)
    self.assertAlmostEqual(runs.N[0], 6795600349.289497)
    found = budgets.group(runs.C)
    self.assertCountEqual([i for group in found for i in group], range(245))
    large = [group for group in found if len(group) >= 8]
    # The budgets of Hoffmann et al. (2022), figure 3. The plot's points lie a
    # few per cent below them.
    asked = [6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21]
    self.assertLen(large, len(asked))
    for group, budget in zip(large, asked):
      self.assertBetween(np.median(runs.C[group]) / budget, 0.88, 1.02)

  def test_nanochat(self):
    runs = read_runs(PUBLISHED / 'nanochat_isoflop.csv')
    self.assertLen(runs, 28)
    self.assertEmpty(runs.excluded)
    self.assertEqual((runs.format, runs.unit), ('nanochat', 'bits/byte'))
    sizes = [len(group) for group in budgets.group(runs.C)]
    self.assertEqual(sizes, [7, 7, 7, 7])

  def test_kaplan(self):
    self.assertLen(read_runs(PUBLISHED / 'nanogpt_kaplan_L_ND.csv'), 15)


if __name__ == '__main__':
  absltest.main()
