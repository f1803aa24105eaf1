"""What run folders tell of how a run went."""

import dataclasses
import math

from absl.testing import absltest
from absl.testing import parameterized
import ml_collections
import numpy as np

from scaling_jax import records
from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from scaling_jax.training import optimizer
from tests.analysis.runs.table_case import TableCase
from tests.example_records import make_run

S, WARMUP = 2000, 20
TRAIN = {
  'learning_rate': 1e-3, 'min_learning_rate': 0.0, 'warmup_steps': WARMUP,
  'schedule': 'constant',
}  # fmt: skip


def losses(S=S):
  noise = np.random.default_rng(0).normal(scale=0.01, size=S)
  return (1.7 + 3 * np.arange(1, S + 1) ** -0.3 + noise).astype(np.float32)


def evaluation(step, loss):
  return records.Evaluation(
    step=step, tokens=0, flops=0.0, train_loss=loss, val_loss=loss,
    val_loss_sem=1e-3, val_bpb=loss, lr=1e-3, grad_norm=1.0, tokens_per_s=1.0,
    wall_s=1.0,
  )  # fmt: skip


class HistoryTest(TableCase):
  def run_of(self, train=None, workdir='runs', **changes):
    """A run folder with a curve, and its only run as it is loaded."""
    fields = {'S': S, 'D': 1024 * S, 'val_loss': 2.0}
    fields['C'] = 6 * changes.get('N', 221_664) * fields['D']
    folder = self.run_folder(
      config={
        'config': {'train': TRAIN if train is None else train},
        'corpus': {'train_tokens': 10**8},
      },
      losses=losses(),
      workdir=workdir,
      **{**fields, **changes},
    )
    return folder, self.load(folder)

  def load(self, folder):
    (one,) = histories.load(read_runs(folder))
    return one

  def test_a_run(self):
    folder, one = self.run_of()
    self.assertEqual(one.run_id, 'gpt-0_seed0')
    self.assertEqual(one.run.tokens_per_step, 1024)
    self.assertEqual((one.run.learning_rate, one.run.schedule),
                     (1e-3, 'constant'))  # fmt: skip
    self.assertEqual(one.run.text_tokens, 10**8)
    self.assertEqual((one.loss, one.history.best_loss), (2.0, 2.0))
    self.assertEqual(one.history.folder, str(folder))
    self.assertEqual((one.history.warmup, one.history.unannealed), (WARMUP, S))
    np.testing.assert_array_equal(one.history.losses, losses())
    self.assertEqual(one.history.problem, '')
    self.assertLen(one.counts, 5)

  def test_the_curve_starts_after_the_warmup(self):
    _, one = self.run_of()
    curve = one.history.curve
    self.assertEqual((curve.run_id, curve.N), (one.run_id, one.run.N))
    self.assertGreater(curve.D[0] / 1024, WARMUP)
    np.testing.assert_allclose(curve.C, 6 * curve.N * curve.D)
    truth = 1.7 + 3 * (curve.D / 1024) ** -0.3
    np.testing.assert_allclose(curve.L, truth, atol=0.05)

  def test_the_curve_counts_C_as_its_run_does(self):
    # Budgets are counted in the runs' C, and so is the envelope's range.
    for times in (8.0, 1 / 8):
      with self.subTest(times=times):
        D = 1024 * S
        C = times * 6 * 221_664 * D
        _, one = self.run_of(C=C, workdir=f'runs{times}')
        curve = one.history.curve
        np.testing.assert_allclose(curve.C, C * curve.D / D)
        # Kaplan's laws are of 6ND, whatever else is counted.
        kaplan = one.falling_curve()
        np.testing.assert_allclose(kaplan.C, 6 * kaplan.N * kaplan.D)

  def test_a_budget_rounded_up_to_whole_steps_is_6ND(self):
    D = 1024 * S
    _, one = self.run_of(C=6 * 221_664 * (D - 1000))
    curve = one.history.curve
    np.testing.assert_array_equal(curve.C, 6 * curve.N * curve.D)

  def test_the_falling_curve_only_falls_and_ends_where_annealing_starts(self):
    _, one = self.run_of({**TRAIN, 'schedule': 'linear'})
    self.assertLess(one.history.unannealed, S)
    curve = one.falling_curve()
    self.assertTrue(np.all(np.diff(curve.L) < 0))
    self.assertGreater(curve.D[0] / 1024, WARMUP)
    self.assertLess(curve.D[-1] / 1024, one.history.unannealed)
    np.testing.assert_allclose(curve.C, 6 * curve.N * curve.D)

  def test_early_stopping(self):
    folder, _ = self.run_of(val_loss=2.1)
    # The sample's loss has risen by 0.2 from its lowest to the end.
    lines = [(S // 2, 2.0), (S - 1, 2.2), (S, 2.1)]
    records.write_metrics(folder, [evaluation(*line) for line in lines])
    one = self.load(folder)
    self.assertAlmostEqual(one.loss - one.history.best_loss, 0.2)

  def test_without_a_folder_the_record_is_all(self):
    runs = Runs((make_run(),))
    (one,) = histories.load(runs)
    self.assertIsNone(one.history.curve)
    self.assertIsNone(one.falling_curve())
    self.assertEqual(one.history.best_loss, 1.7)
    self.assertEqual(one.history.unannealed, one.run.S)
    self.assertEmpty(one.history.losses)
    self.assertEqual((one.history.folder, one.history.problem), ('', ''))

  def test_the_loss_is_in_the_runs_unit(self):
    runs = Runs((make_run(),), unit='bits/byte')
    (one,) = histories.load(runs)
    self.assertEqual((one.loss, one.history.best_loss), (2.45, 2.45))

  def test_a_damaged_array_is_a_problem(self):
    folder, _ = self.run_of()
    (folder / records.TRAIN_LOSS).write_bytes(b'no array')
    one = self.load(folder)
    self.assertNotEmpty(one.history.problem)
    self.assertIsNone(one.falling_curve())
    self.assertIsNone(one.history.curve)

  @parameterized.parameters('torn', '{}', '{"config": {"train": {}}}')
  def test_an_unknown_warmup_is_a_problem(self, text):
    folder, _ = self.run_of()
    (folder / records.CONFIG).write_text(text)
    one = self.load(folder)
    self.assertNotEmpty(one.history.problem)
    self.assertEmpty(one.history.losses)

  def test_a_record_with_its_recipe_needs_no_config(self):
    folder, one = self.run_of()
    records.write_result(folder, one.run)
    (folder / records.CONFIG).write_text('torn')
    again = self.load(folder)
    self.assertEqual(again.history.problem, '')
    self.assertEqual(again.history.warmup, WARMUP)
    self.assertIsNotNone(again.history.curve)

  def test_steps_that_are_missing_are_a_problem(self):
    _, one = self.run_of(S=S + 1)
    self.assertIn('2,000', one.history.problem)
    self.assertEmpty(one.history.losses)

  def test_too_few_steps_make_no_curve(self):
    folder, one = self.run_of()
    for found in (losses(40), np.full(S, np.nan, np.float32)):
      records.write_npy(folder / records.TRAIN_LOSS, found)
      records.write_result(folder, one.run._replace(S=len(found)))
      again = self.load(folder)
      self.assertEqual(again.history.problem, '')
      self.assertIsNone(again.history.curve)
      self.assertLen(again.history.losses, len(found))

  def test_the_fit_of_a_curve(self):
    _, one = self.run_of()
    found = histories.fit_curve(one, draws=20)
    self.assertEqual((found.status, found.run_id), ('ok', 'gpt-0_seed0'))
    broken = dataclasses.replace(
      one,
      history=dataclasses.replace(
        one.history, losses=np.empty(0), problem='it is torn'
      ),
    )
    found = histories.fit_curve(broken, draws=20)
    self.assertEqual(found.status, 'too_few_points')
    self.assertEqual(found.message, 'it is torn')


class ReadLossesTest(TableCase):
  RUN = make_run()._replace(warmup_steps=7)

  def test_what_a_run_left(self):
    folder = self.run_folder(losses=losses(50))
    found, warmup = histories.read_losses(folder, self.RUN)
    np.testing.assert_array_equal(found, losses(50))
    self.assertEqual(warmup, 7)

  def test_absent_or_empty(self):
    folder = self.run_folder(losses=None)
    for write in (False, True):
      if write:
        (folder / records.TRAIN_LOSS).write_bytes(b'')
      found, warmup = histories.read_losses(folder, self.RUN)
      self.assertEqual((len(found), warmup), (0, 7))

  def test_other_files_are_refused(self):
    folder = self.run_folder(losses=None)
    path = folder / records.TRAIN_LOSS
    path.write_bytes(b'not an array')
    with self.assertRaisesRegex(UserError, records.TRAIN_LOSS):
      histories.read_losses(folder, self.RUN)
    records.write_npy(path, losses(9))
    path.write_bytes(path.read_bytes()[:-20])
    with self.assertRaisesRegex(UserError, records.TRAIN_LOSS):
      histories.read_losses(folder, self.RUN)

  def test_the_warmup_must_be_known(self):
    with self.assertRaisesRegex(UserError, 'warmup_steps'):
      histories.read_losses(self.run_folder(), make_run())


class ScheduleTest(parameterized.TestCase):
  @parameterized.product(
    schedule=('cosine', 'linear', 'constant'),
    floor=(0.0, 1e-4, 6e-4),
    warmup=(0, 100),
  )
  def test_half_of_the_peak(self, schedule, floor, warmup):
    peak = 1e-3
    train = {
      'learning_rate': peak, 'min_learning_rate': floor,
      'warmup_steps': warmup, 'schedule': schedule,
    }  # fmt: skip
    rates = optimizer.learning_rates(ml_collections.ConfigDict(train), S)
    below = np.flatnonzero(rates[warmup:] < peak / 2)
    expected = below[0] + warmup if below.size else S
    found = histories.unannealed(make_run(S=S, **train))
    self.assertAlmostEqual(found, expected, delta=2)

  def test_an_unknown_recipe_counts_whole(self):
    run = make_run(S=70)
    self.assertTrue(math.isnan(run.warmup_steps))
    self.assertEqual(histories.unannealed(run), 70)
    linear = run._replace(
      schedule='linear', learning_rate=1.0, min_learning_rate=0.0
    )
    self.assertEqual(histories.unannealed(linear), 35)


if __name__ == '__main__':
  absltest.main()
