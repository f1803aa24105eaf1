"""Runs in processes of their own, real ones: shares, failures, Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import unittest.mock

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np
import pytest

from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import experiment
from scaling_jax.training import launchers
from scaling_jax.training import progress
from scaling_jax.training import train as train_lib
from tests import test_launch
from tests import tiny


def config(**changes):
  c = tiny.make_config(**changes)
  c.models = ('1x16',)
  c.sweep['train.learning_rate'] = (1e-3, 2e-3)
  return c


def run(c, root, parallel=1):
  """Runs the experiment; returns its records and what was shown."""
  stream = tiny.Silence()
  shown = progress.Display
  with unittest.mock.patch.object(
    experiment.progress_lib,
    'Display',
    lambda *arguments: shown(*arguments, stream=stream),
  ):
    try:
      runs = experiment.run(c, root / 'runs', root, parallel)
    except UserError as error:
      return error, stream.text
  return runs, stream.text


class SharesTest(parameterized.TestCase):
  @parameterized.parameters(
    (4, 2, [[0, 1], [2, 3]]),
    (5, 2, [[0, 1], [2, 3, 4]]),
    (2, 3, [[0], [0], [1]]),
    (1, 2, [[0], [0]]),
  )
  def test_every_core_has_its_process(self, cores, parallel, expected):
    with (
      unittest.mock.patch.object(
        os, 'sched_getaffinity', lambda _: set(range(cores)), create=True
      ),
      unittest.mock.patch.object(devices_lib, 'gpus', list),
    ):
      found = launchers.shares(parallel)
    self.assertEqual([share['cores'] for share in found], expected)
    self.assertEqual([share['environment'] for share in found], [{}] * parallel)
    self.assertEqual(
      [share['n_cores'] for share in found], [len(own) for own in expected]
    )

  def test_where_processes_are_not_bound_to_cores(self):
    with (
      unittest.mock.patch.object(
        launchers.os, 'sched_getaffinity', create=True
      ),
      unittest.mock.patch.object(devices_lib, 'cores', lambda: 8),
      unittest.mock.patch.object(devices_lib, 'gpus', list),
    ):
      del launchers.os.sched_getaffinity
      found = launchers.shares(3)
    self.assertEqual([share['cores'] for share in found], [[]] * 3)
    self.assertEqual([share['n_cores'] for share in found], [2] * 3)

  @parameterized.parameters(
    (['0'], 3, ['0', '0', '0'], '0.300'),
    (['4', '7'], 2, ['4', '7'], '0.900'),
    (['0', '1'], 3, ['0', '0', '1'], '0.450'),
    (['0', '1', '2', '3'], 2, ['0,1', '2,3'], '0.900'),
  )
  def test_gpus_and_their_memory(self, gpus, parallel, visible, fraction):
    with (
      unittest.mock.patch.object(devices_lib, 'gpus', lambda: gpus),
      unittest.mock.patch.dict(os.environ),
    ):
      os.environ.pop('XLA_PYTHON_CLIENT_MEM_FRACTION', None)
      found = [share['environment'] for share in launchers.shares(parallel)]
    self.assertEqual([e['CUDA_VISIBLE_DEVICES'] for e in found], visible)
    self.assertEqual(
      {e['XLA_PYTHON_CLIENT_MEM_FRACTION'] for e in found}, {fraction}
    )

  def test_gpus_that_a_person_chose(self):
    with unittest.mock.patch.dict(os.environ, CUDA_VISIBLE_DEVICES='2,3'):
      self.assertEqual(devices_lib.gpus(), ['2', '3'])
    for none in ('', '-1'):
      with unittest.mock.patch.dict(os.environ, CUDA_VISIBLE_DEVICES=none):
        self.assertEqual(devices_lib.gpus(), [])


class ExperimentCase(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.root = tiny.make_corpus(self.create_tempdir().full_path)
    self.folder = self.root / 'runs' / 'tiny'


class OneByOneTest(ExperimentCase):
  def test_a_sweep_and_its_table(self):
    runs, text = run(config(), self.root)
    self.assertEqual(
      [r.run_id for r in runs],
      ['1x16_learning_rate0.001_seed0', '1x16_learning_rate0.002_seed0'],
    )
    self.assertNotEqual(runs[0].val_loss, runs[1].val_loss)
    self.assertLen(records.write_results(self.folder), 2)
    self.assertIn('[1 of 2 runs done', text)
    self.assertIn('1x16_learning_rate0.002_seed0: val loss', text)
    planned = records.read_planned(self.folder)
    self.assertEqual(
      planned['1x16_learning_rate0.001_seed0'],
      {'C': runs[0].C, 'N': runs[0].N, 'D': runs[0].D, 'S': 18},
    )
    again, text = run(config(), self.root)
    self.assertEqual(again, runs)
    self.assertNotIn('step', text)

  def test_results_grow_as_runs_end(self):
    lengths = []
    train = train_lib.train

    def counted(*arguments):
      path = self.folder / records.RESULTS
      lengths.append(len(path.read_text().splitlines()) if path.exists() else 0)
      return train(*arguments)

    with unittest.mock.patch.object(launchers.train_lib, 'train', counted):
      run(config(), self.root)
    self.assertEqual(lengths, [0, 2])

  def test_a_failed_run_does_not_stop_the_others(self):
    train = train_lib.train

    def broken(job, *arguments):
      if job.config.train.learning_rate == 1e-3:
        raise MemoryError('no room\nfor this one')
      return train(job, *arguments)

    with unittest.mock.patch.object(launchers.train_lib, 'train', broken):
      error, text = run(config(), self.root)
    self.assertRegex(
      str(error),
      r'1 of 2 runs failed \(1x16_learning_rate0.001: MemoryError: no room for'
      r' this one .*error.txt.*the same command tries them again',
    )
    self.assertIn('1x16_learning_rate0.002_seed0', text)
    self.assertLen(records.read_runs(self.folder), 1)
    details = self.folder / '1x16_learning_rate0.001_seed0' / launchers.ERROR
    self.assertIn('Traceback', details.read_text())
    runs, _ = run(config(), self.root)
    self.assertLen(runs, 2)

  def test_bad_input_comes_before_any_training(self):
    c = config()
    c.sweep['train.batch_size'] = (8, 0)
    error, _ = run(c, self.root)
    self.assertRegex(str(error), 'train.batch_size=0 must be at least 1')
    self.assertFalse(self.folder.exists())
    error, _ = run(config(), self.root, parallel=0)
    self.assertRegex(str(error), 'parallel=0 must be at least 1')

  def test_a_seed_that_fails_costs_itself_alone(self):
    train = train_lib.train

    def broken(job, seeds, line):
      if seeds == (1,):
        raise ValueError('unlucky')
      return train(job, seeds, line)

    c = config(seeds=(0, 1, 2))
    c.sweep['train.learning_rate'] = (1e-3,)
    with unittest.mock.patch.object(launchers.train_lib, 'train', broken):
      error, _ = run(c, self.root)
    self.assertRegex(
      str(error), r'1 of 3 runs failed \(1x16_learning_rate0.001 seed 1: Value'
    )
    self.assertEqual(
      [r.seed for r in records.write_results(self.folder)], [0, 2]
    )
    details = self.folder / '1x16_learning_rate0.001_seed1' / launchers.ERROR
    self.assertTrue(details.exists())
    run(c, self.root)
    self.assertFalse(details.exists())

  @pytest.mark.slow
  def test_a_damaged_record_stops_nothing_else(self):
    run(config(), self.root)
    first, second = (
      self.folder / f'1x16_learning_rate{rate}_seed0' / records.RESULT
      for rate in ('0.001', '0.002')
    )
    second.unlink()
    first.write_text('{"run_id": ')
    error, _ = run(config(), self.root)
    self.assertRegex(str(error), '1 of 2 runs failed .*delete it to resume')
    self.assertLen(records.read_runs(self.folder), 1)

  def test_a_lost_ctrl_c_is_found_again(self):
    # As where it comes while the garbage collector calls back.
    train = train_lib._Group._advance
    steps = []

    def interrupted(group, windows):
      if group.step == 5:
        with contextlib.suppress(KeyboardInterrupt):
          signal.raise_signal(signal.SIGINT)
      steps.append(group.step)
      return train(group, windows)

    with (
      unittest.mock.patch.object(train_lib._Group, '_advance', interrupted),
      self.assertRaises(experiment.Stopped),
    ):
      run(config(steps=30), self.root)
    self.assertEqual(steps, [0, 5])
    runs, text = run(config(steps=30), self.root)
    self.assertIn('resumes from step 10', text)
    self.assertLen(runs, 2)

  def test_ctrl_c_while_a_run_starts(self):
    def stopped(*_):
      raise KeyboardInterrupt

    with (
      unittest.mock.patch.object(train_lib._Group, '_restore', stopped),
      self.assertRaises(experiment.Stopped),
    ):
      run(config(), self.root)

  def test_devices_that_a_share_does_not_have(self):
    with unittest.mock.patch.object(devices_lib, 'gpus', list):
      error, _ = run(config(devices=64), self.root, parallel=2)
    self.assertRegex(str(error), 'devices=64 must be at most .*parallel=1')
    self.assertFalse(self.folder.exists())

  def test_ctrl_c_counts_what_is_done(self):
    train = train_lib.train

    def stopped(job, *arguments):
      if job.config.train.learning_rate == 2e-3:
        raise KeyboardInterrupt
      return train(job, *arguments)

    with (
      unittest.mock.patch.object(launchers.train_lib, 'train', stopped),
      self.assertRaisesRegex(
        experiment.Stopped, 'with 1 of 2 runs done; the same command resumes'
      ),
    ):
      run(config(), self.root)
    self.assertLen(records.read_runs(self.folder), 1)


@pytest.mark.slow
class SeveralAtATimeTest(ExperimentCase):
  def test_the_same_runs_as_one_by_one(self):
    alone, _ = run(config(experiment='alone'), self.root)
    c = config(seeds=(0, 1))
    together, text = run(c, self.root, parallel=2)
    self.assertLen(together, 4)
    of_seed_0 = [r for r in together if r.seed == 0]
    for one, other in zip(alone, of_seed_0):
      self.assertEqual(one.run_id, other.run_id)
      self.assertAlmostEqual(one.val_loss, other.val_loss, delta=1e-5)
    self.assertIn('of 4 runs done', text)
    self.assertLen(records.write_results(self.folder), 4)
    again, text = run(c, self.root, parallel=2)
    self.assertEqual(again, together)
    self.assertNotIn('step', text)

  def test_a_process_that_dies_costs_its_run_alone(self):
    c = config(steps=200)
    c.checkpoint.every_seconds = 0.0
    run_id = '1x16_learning_rate0.001_seed0'
    doomed = str(self.folder / run_id)
    real = launchers._Worker._listen

    def listen(worker, process):
      if str(worker.unit.job.folder / worker.unit.run_ids[0]) == doomed:
        process.kill()
      real(worker, process)

    with unittest.mock.patch.object(launchers._Worker, '_listen', listen):
      error, _ = run(c, self.root, parallel=2)
    self.assertRegex(
      str(error), '1 of 2 runs failed .*its process ended with signal 9'
    )
    self.assertLen(records.read_runs(self.folder), 1)

  def test_errors_cross_over(self):
    run(config(), self.root)
    other = config(train__weight_decay=0.5)
    other.sweep['train.learning_rate'] = (2e-3, 3e-3)
    error, _ = run(other, self.root, parallel=2)
    self.assertRegex(
      str(error),
      r'1 of 2 runs failed \(1x16_learning_rate0.002: .* holds a run with'
      ' train.weight_decay=0.1, not 0.5',
    )

  def test_ctrl_c_keeps_what_is_done_and_resumes(self):
    """A real sweep, a real signal, and the numbers of a run left alone."""
    c = 'configs/quickstart.py:smoke'
    arguments = [
      f'--config={c}', f'--config.data_dir={self.root}',
      '--config.steps=3000', '--config.eval.every_steps=50', '--parallel=2',
    ]  # fmt: skip
    stopped = f'--workdir={self.root}/stopped'
    process = subprocess.Popen(
      [sys.executable, 'launch.py', *arguments, stopped],
      cwd=test_launch.ROOT, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    folder = epath.Path(self.root) / 'stopped' / 'quickstart-smoke'
    metrics = folder / '1x32_seed0' / records.METRICS
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.read_text().count('\n') > 3):
      self.assertLess(time.monotonic(), deadline)
      time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    self.assertEqual(process.returncode, 130, err)
    self.assertRegex(err, r'stopped with \d of 2 runs done; the same command')
    self.assertLen(err.strip().splitlines(), 1)
    self.assertIn('1x32: stopped and kept at step', out)
    done = test_launch.launch(*arguments, stopped)
    self.assertEqual(done.returncode, 0, done.stderr)
    self.assertIn('1x32: resumes from step', done.stdout)
    whole = test_launch.launch(*arguments, f'--workdir={self.root}/whole')
    self.assertEqual(whole.returncode, 0, whole.stderr)
    for run_id in ('1x16_seed0', '1x32_seed0'):
      one, other = (
        np.load(self.root / name / 'quickstart-smoke' / run_id
                / records.TRAIN_LOSS)
        for name in ('stopped', 'whole')
      )  # fmt: skip
      np.testing.assert_array_equal(one, other)


if __name__ == '__main__':
  absltest.main()
