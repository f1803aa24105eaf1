"""Our own runs: however deep they lie, swept, repeated or unusable."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs import identity
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase
from tests.example_records import make_run

TEXT = {'train': '3f2a91bc' * 8, 'val': '77d01e22' * 8}
OTHER = {'train': 'ab12cd34' * 8, 'val': '77d01e22' * 8}


def config_of(seed=0, sha256=None, train_tokens=1000, **train):
  """As a run leaves it."""
  whole = {
    'learning_rate': 1e-3, 'min_learning_rate': 1e-4, 'warmup_steps': 100,
    'schedule': 'cosine', 'beta2': 0.99, **train,
  }  # fmt: skip
  return {
    'identity': {'train': whole, 'seed': seed, 'sha256': sha256 or TEXT},
    'config': {'train': whole},
    'corpus': {'train_tokens': train_tokens, 'vocab_size': 66},
  }


class DepthTest(TableCase):
  def test_an_experiment_in_folders_is_found_from_the_workdir(self):
    for experiment in ('a', 'a/b', 'a/b/c', 'd/e'):
      self.run_folder(experiment=experiment)
    names = tuple(f'{x}/gpt-0_seed0' for x in ('a', 'a/b', 'a/b/c', 'd/e'))
    runs = read_runs(self.folder / 'runs')
    self.assertCountEqual(runs.run_ids, names)
    self.assertEmpty(runs.notes)
    # An experiment is itself alone.
    self.assertEqual(
      read_runs(self.folder / 'runs/a').run_ids, ('gpt-0_seed0',)
    )
    self.assertLen(read_runs(self.folder / 'runs' / 'd'), 1)

  def test_what_is_inside_of_runs_or_hidden_is_no_run(self):
    folder = self.run_folder(experiment='a/b')
    for name in ('runs/.old', f'{folder}/checkpoints'):
      self.run_folder(workdir=name, experiment='c')
    self.run_folder(workdir='runs/1/2/3/4', experiment='5')
    self.assertEqual(read_runs(self.folder / 'runs').run_ids, ('gpt-0_seed0',))

  def test_an_unfinished_run_is_named_by_its_experiment(self):
    folder = self.run_folder(experiment='a/b')
    self.run_folder(experiment='c')
    stopped = folder.parent / 'stopped'
    stopped.mkdir()
    told = {'identity': {'experiment': 'a/b'}}
    records.write_json(stopped / records.CONFIG, told)
    records.write_planned(folder.parent, {'later': {}})
    runs = read_runs(self.folder / 'runs')
    self.assertEqual(runs.run_ids, ('a/b/gpt-0_seed0', 'c/gpt-0_seed0'))
    self.assertEqual(
      [out.run_id for out in runs.excluded], ['a/b/stopped', 'a/b/later']
    )


class SweptTest(TableCase):
  def sweep(self):
    """Two seeds at each of two values, the second one's mean the better."""
    for value, losses in ((0.9, (1.7, 1.6)), (0.99, (1.62, 1.61))):
      for seed, loss in enumerate(losses):
        self.run_folder(
          run_id=f'gpt-0_beta2{value}_seed{seed}', seed=seed, val_loss=loss,
          config=config_of(seed, beta2=value),
        )  # fmt: skip
    return self.folder / 'runs' / 'c0'

  def test_folders_and_results_csv_tell_the_same(self):
    experiment = self.sweep()
    records.write_results(experiment)
    table = (experiment / records.RESULTS).read_text()
    alone = self.write(table, 'elsewhere/results.csv')
    for path in (experiment, experiment / records.RESULTS, alone):
      runs = read_runs(path)
      self.assertEqual(
        {run.run_id: extra['train.beta2'] for run, extra in zip(runs, runs.extra)},
        {run.run_id: run.run_id.split('beta2')[1][:-6] for run in runs},
      )  # fmt: skip
      self.assertEqual({len(extra) for extra in runs.extra}, {1})

  def test_the_best_counts_and_the_report_names_the_field(self):
    runs = read_runs(self.sweep())
    found = selection.select(histories.load(runs))
    self.assertEqual([runs[i].val_loss for i in found.hoffmann], [1.62, 1.61])
    (aside,) = found.set_aside
    self.assertEqual(aside.columns, ('train.beta2',))
    self.assertIn('train.beta2', aside.text)

  def test_seeds_alone_are_no_sweep(self):
    for seed in range(3):
      self.run_folder(
        run_id=f's{seed}',
        seed=seed,
        config=config_of(seed),
        val_loss=1.7 + seed,
      )
    runs = read_runs(self.folder / 'runs')
    self.assertEqual(runs.extra, ({}, {}, {}))
    self.assertLen(selection.select(histories.load(runs)).hoffmann, 3)


class TextTest(TableCase):
  def test_a_part_of_one_text_is_a_part(self):
    self.run_folder(config=config_of())
    self.run_folder(run_id='part', config=config_of(train_tokens=100))
    runs = read_runs(self.folder / 'runs')
    self.assertEqual({run.text for run in runs}, {'3f2a91bc-77d01e22'})
    (aside,) = selection.select(histories.load(runs)).set_aside
    self.assertEqual(
      (aside.reason, aside.run_ids),
      (selection.Reason.PART_OF_TEXT, ('part',)),
    )

  def test_two_texts_of_one_name_are_two_corpora(self):
    self.run_folder(config=config_of())
    self.run_folder(run_id='other', config=config_of(sha256=OTHER))
    found = identity.studies(read_runs(self.folder / 'runs'))
    self.assertEqual(
      found, {'poetry (3f2a91bc…)': [0], 'poetry (ab12cd34…)': [1]}
    )

  def test_one_text_of_two_names_is_one(self):
    self.run_folder(config=config_of())
    self.run_folder(run_id='other', dataset='copy', config=config_of())
    found = identity.studies(read_runs(self.folder / 'runs'))
    self.assertEqual(list(found.values()), [[0, 1]])


class RepeatTest(TableCase):
  def excluded(self, **changes):
    config = changes.pop('config', config_of())
    one = self.run_folder(val_loss=3.14151, config=config_of())
    two = self.run_folder(workdir='again', config=config, **changes)
    runs = read_runs(one, two)
    self.assertEqual(runs.loss.tolist(), [3.14151])
    (out,) = runs.excluded
    return out

  def test_the_last_digit_is_a_repeat(self):
    out = self.excluded(val_loss=3.14162, wall_s=70.0, device='gpu x 1')
    self.assertEqual(out.kind, Exclusion.REPEAT)
    self.assertIn('3.1416', out.reason)
    self.assertIn('3.1415', out.reason)

  def test_as_is_the_same_loss_on_another_machine(self):
    out = self.excluded(val_loss=3.14151, device='gpu x 1')
    self.assertEqual(out.kind, Exclusion.REPEAT)

  @parameterized.parameters(
    {'val_loss': 3.1422}, {'val_loss': 3.14152, 'C': 7e13},
    {'val_loss': 3.14152, 'seed': 1},
    {'val_loss': 3.14152, 'config': config_of(beta2=0.5)},
  )  # fmt: skip
  def test_anything_more_is_another_result(self, **changes):
    self.assertEqual(self.excluded(**changes).kind, Exclusion.TWO_RESULTS)

  def test_what_one_record_does_not_tell_is_no_difference(self):
    one = self.run_folder(vocab_size=66, text='3f2a91bc-77d01e22')
    two = self.run_folder(workdir='again')
    runs = read_runs(one, two)
    self.assertEmpty(runs.excluded)
    self.assertLen(runs.notes, 1)


class RefusedTest(TableCase):
  def refusal(self, path):
    with self.assertRaises(UserError) as caught:
      read_runs(path)
    return str(caught.exception)

  def test_unfinished_runs_are_to_be_finished(self):
    folder = self.folder / 'c0' / 'gpt-0_seed0'
    folder.mkdir(parents=True)
    (folder / records.CONFIG).write_text('{}')
    message = self.refusal(folder.parent)
    self.assertIn('finish with launch.py', message)
    self.assertNotIn('correct', message)

  def test_a_cell_is_to_be_corrected(self):
    header = ','.join(records.REQUIRED)
    bad = ','.join(map(str, make_run(val_loss=math.inf)[:25]))
    for text in (f'{header}\n{bad}\n', 'N,D,loss\n1e6,1e9,0\n1e6,1e9,x\n'):
      message = self.refusal(self.write(text))
      self.assertIn('correct', message)
      self.assertNotIn('launch.py', message)

  def test_what_diverged(self):
    folder = self.run_folder(status='diverged', val_loss=math.nan)
    message = self.refusal(folder)
    self.assertIn('learning rate', message)
    self.assertNotIn('launch.py', message)

  def test_every_kind_has_its_remedy(self):
    kinds = (
      Exclusion.UNFINISHED, Exclusion.BAD_VALUE, Exclusion.DIVERGED,
      Exclusion.UNREADABLE,
    )  # fmt: skip
    out = [Excluded('a', 'it is', kind) for kind in kinds]
    for part in ('finish with', 'correct', 'learning rate', 'delete'):
      self.assertIn(part, messages.no_run_of_ours('x', out))


if __name__ == '__main__':
  absltest.main()
