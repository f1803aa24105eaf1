"""Which runs count, by columns that tell of their state, and how to get others."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import statuses
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase
from tests.analysis.runs.test_understand import by_flag

WORDS = {
  None: 'finished Finished DONE completed success ok exited stopped True 1',
  'crashed': 'crashed CRASHED failed killed OOM timeout NODE_FAIL error',
  'diverged': 'diverged Diverging unstable inf',
  'unfinished': 'running Running pending queued partial preempted 0 False',
  'early_stopped': 'early_stopped early-stopping truncated',
}
PHRASES = {
  None: ('', 'finished (best)', 'done ✓'),
  'crashed': ('Crashed (OOM)', 'failed: cuda error', 'timed out', 'node fail'),
  'diverged': ('diverged @ 4k', 'blew up', 'Diverged after 3k steps'),
  'unfinished': ('in progress', 'not finished', 'Running…', 'not started'),
  'early_stopped': ('Early Stopped', 'stopped early'),
}
UNKNOWN = ('archived', 'ready', '7', 'never crashed', 'v2', '100%')
EVERY = [
  (kind, text)
  for kind, words in WORDS.items()
  for text in (*words.split(), *PHRASES[kind])
]
ODD = np.isin(np.arange(28), [3, 9])


def marked(bad, good):
  return [bad if odd else good for odd in ODD]


class StatusTest(ShapesCase):
  @parameterized.parameters(*EVERY)
  def test_words(self, kind, text):
    found = statuses.of_status(text)
    self.assertEqual(found and str(found), kind, text)
    self.assertTrue(statuses.is_known(text), text)

  @parameterized.parameters(*UNKNOWN)
  def test_words_that_tell_nothing(self, text):
    self.assertIsNone(statuses.of_status(text))
    self.assertFalse(statuses.is_known(text))
    runs = Runs.from_dataframe(shapes_case.columns(state=marked(text, 'done')))
    self.assert_same(runs)
    self.assertIn(repr(text), runs.notes[0])

  @parameterized.parameters(*(one for one in EVERY if one[0]))
  def test_excluded_and_included(self, kind, text):
    df = shapes_case.columns(State=marked(text, 'finished'))
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {kind: 2})
    self.assertEqual([one.run_id for one in runs.excluded], ['run 3', 'run 9'])
    for one in runs.excluded:
      self.assertIn(repr(text), one.reason)
    self.assert_same(Runs.from_dataframe(df, include=[kind]))

  def test_all_of_one_state(self):
    for text in ('finished', 'done', '', '1', 'nan', 'None', '-'):
      runs = Runs.from_dataframe(shapes_case.columns(status=[text] * 28))
      self.assert_same(runs)
      self.assertEmpty(runs.notes)
    df = shapes_case.columns(status=['running'] * 28)
    kind, value = shapes_case.flag(self.refused(df, 'run 0'))
    self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))


class FlagsTest(ShapesCase):
  @parameterized.parameters(
    ('crashed', True, False, 'crashed'), ('Crashed', 1, 0, 'crashed'),
    ('has_diverged', 'yes', 'no', 'diverged'), ('OOM', 'x', '', 'crashed'),
    ('is_finished', 'False', 'True', 'unfinished'), ('done', 0, 1, 'unfinished'),
    ('completed', '0.0', '1.0', 'unfinished'), ('nan', 1, 0, 'diverged'),
    ('early_stopped', 'Y', 'N', 'early_stopped'),
    ('data_repeated', 'true', 'false', 'repeated_data'),
    ('incomplete', '✓', '', 'unfinished'),
  )  # fmt: skip
  def test_flags(self, name, bad, good, kind):
    df = shapes_case.columns(**{name: marked(bad, good)})
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {kind: 2})
    self.assertIn(name, runs.excluded[0].reason)
    self.assert_same(Runs.from_dataframe(df, include=[kind]))
    self.assert_same(
      Runs.from_dataframe(shapes_case.columns(**{name: [good] * 28}))
    )
    unclear = shapes_case.columns(**{name: marked('perhaps', good)})
    self.assert_same(Runs.from_dataframe(unclear))

  def test_flags_of_a_subset_of_columns(self):
    df = shapes_case.columns(
      state=marked('crashed', 'finished'),
      status=['done'] * 27 + ['diverged'],
      diverged=[1] + [0] * 27,
    )
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {'diverged': 1, 'crashed': 2})


class ProgressTest(ShapesCase):
  @parameterized.parameters(
    ('progress', (0.25, 0.5, 1)), ('progress', (25, 50, 100)),
    ('progress', ('25%', '50%', '100%')), ('pct_complete', (25, 50, 100)),
    ('% complete', (25, 50, 100)), ('completed_%', (25.0, 50.0, 100.0)),
    ('progress (%)', (25, 50, 100)), ('fraction_done', ('0.25', '.5', '1.0')),
    ('train_progress', (0.25, 0.5, 0.9999)),
  )  # fmt: skip
  def test_checkpoints(self, name, values):
    df = {'N': np.repeat(N, 3), 'D': np.repeat(D, 3),
          'loss': np.repeat(LOSS, 3) + np.tile([0.3, 0.1, 0], 28),
          name: np.tile(np.array(values, object), 28)}  # fmt: skip
    runs = Runs.from_dataframe(df)
    self.assert_same(runs)
    self.assertEqual(self.kinds(runs), {'unfinished': 56})
    self.assertIn('25%', runs.excluded[0].reason)
    self.assertLen(Runs.from_dataframe(df, include=['unfinished']), 84)

  def test_all_at_half(self):
    df = shapes_case.columns(progress=[0.5] * 28)
    kind, value = shapes_case.flag(self.refused(df, '50%'))
    self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))

  def test_steps_of_those_that_were_planned(self):
    for last in (1000, 999):  # counted from 1, or from 0
      df = shapes_case.columns(
        step=np.where(ODD, 500, last), max_steps=[1000] * 28
      )
      runs = Runs.from_dataframe(df)
      self.assertEqual(self.kinds(runs), {'unfinished': 2})
      self.assert_same(Runs.from_dataframe(df, include=['unfinished']))
    few = shapes_case.columns(_step=[99] * 28, max_steps=[100] * 28)
    self.assert_same(Runs.from_dataframe(few))


class DataTest(ShapesCase):
  def test_epochs(self):
    for name in ('epochs', 'epoch', 'train/epoch', 'num_train_epochs'):
      df = shapes_case.columns(**{name: np.where(ODD, 8, 1)})
      runs = Runs.from_dataframe(df)
      self.assertEqual(self.kinds(runs), {'repeated_data': 2})
      self.assertIn('8 times', runs.excluded[0].reason)
      self.assert_same(Runs.from_dataframe(df, include=['repeated_data']))
    self.assert_same(Runs.from_dataframe(shapes_case.columns(epochs=[4] * 28)))

  def test_a_text_that_is_stated(self):
    for name, scale in (('unique_tokens', 1), ('Unique tokens (B)', 1e9)):
      text = np.where(ODD, D / 6, D * 2) / scale
      df = shapes_case.columns(**{name: text})
      self.assertEqual(
        self.kinds(Runs.from_dataframe(df)), {'repeated_data': 2}
      )

  def test_losses_above_guessing(self):
    df = shapes_case.columns(
      loss=np.where(ODD, 11.5, LOSS), vocab_size=[50257] * 28
    )
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {'diverged': 2})
    self.assertIn('ln V', runs.excluded[0].reason)
    self.assertLen(Runs.from_dataframe(df, include=['diverged']), 28)

  def test_values_that_none_can_use_stay_out(self):
    for bad in (0.0, -1.0, np.nan, np.inf):
      df = shapes_case.columns(loss=np.where(ODD, bad, LOSS))
      runs = Runs.from_dataframe(df)
      self.assertEqual(self.kinds(runs), {'bad_value': 2})
    with self.assertRaises(UserError):
      Runs.from_dataframe(df, include=['bad_value'])


if __name__ == '__main__':
  absltest.main()
