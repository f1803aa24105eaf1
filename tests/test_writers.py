"""Logs hold what the records hold, and never decide how a run ends."""

import importlib.util
import json
import math
import os
import struct
import tempfile
import unittest.mock

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np
import pytest

from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import job as job_lib
from scaling_jax.training import settings
from scaling_jax.training import train as train_lib
from scaling_jax.training import writers
from tests import tiny


def needs(package):
  return pytest.mark.skipif(
    importlib.util.find_spec(package) is None,
    reason=f'{package} is not installed: pip install "scaling_jax[logging]"',
  )


def read_tensorboard(folder):
  """{tag: {step: float32}} as TensorBoard shows it, and the text summaries.

  Files in order; a session's start makes it forget the steps from there on.
  """
  from tensorboardX.proto import event_pb2

  points, texts = [], {}
  for path in sorted(folder.iterdir()):
    data = path.read_bytes()
    while data:
      (length,) = struct.unpack('<Q', data[:8])
      event = event_pb2.Event.FromString(data[12 : 12 + length])
      data = data[16 + length :]
      if event.session_log.status == event_pb2.SessionLog.START:
        points = [p for p in points if p[1] < event.step]
      for value in event.summary.value:
        if value.HasField('simple_value'):
          points.append((value.tag, event.step, value.simple_value))
        else:
          texts[value.tag] = value.tensor.string_val[0].decode()
  shown = {}
  for tag, step, value in points:
    series = shown.setdefault(tag, {})
    assert step not in series, f'{tag} has two points at step {step}'
    series[step] = value
  return shown, texts


def wandb_records(path):
  """The records of a .wandb file: LevelDB's log format, a protobuf each."""
  from wandb.proto import wandb_internal_pb2

  data, at, parts = path.read_bytes(), 7, b''
  while at < len(data):
    left = 32768 - at % 32768
    if left < 7:
      at += left
      continue
    _, length, kind = struct.unpack('<IHB', data[at : at + 7])
    parts += data[at + 7 : at + 7 + length]
    at += 7 + length
    if kind in (1, 4):  # whole, or the last part
      yield wandb_internal_pb2.Record.FromString(parts)
      parts = b''


def read_wandb(path):
  """{tag: {step: value}} of a .wandb file, its summary, and its run."""
  shown, summary, run = {}, {}, None
  for record in wandb_records(path):
    if record.HasField('run'):
      run = record.run
    for item in record.summary.update:
      name = '.'.join([item.key, *item.nested_key]).strip('.')
      summary[name] = json.loads(item.value_json)
    row = {
      '/'.join(item.nested_key) or item.key: json.loads(item.value_json)
      for item in record.history.item
    }
    for tag in row.keys() - {'_step', '_timestamp', '_runtime'}:
      series = shown.setdefault(tag, {})
      assert row['_step'] not in series
      series[row['_step']] = row[tag]
  return shown, summary, run


class LogCase(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    folder = tempfile.TemporaryDirectory()
    cls.addClassCleanup(folder.cleanup)
    cls.corpora = tiny.make_corpus(folder.name)

  def setUp(self):
    super().setUp()
    self.root = epath.Path(self.create_tempdir().full_path)
    os.symlink(self.corpora / 'synthetic', self.root / 'synthetic')
    self.folder = tiny.folder(self.root)

  def interrupted(self, config, after):
    """Trains until `after` dispatches are done, and dies."""
    calls = 0

    def report(group):
      nonlocal calls
      calls += 1
      if calls > after:
        raise KeyboardInterrupt

    with (
      unittest.mock.patch.object(train_lib._Group, '_report', report),
      self.assertRaises(KeyboardInterrupt),
    ):
      tiny.train(config, self.root)

  def assert_holds_the_records(self, shown, rtol, folder=None):
    """Every loss, every evaluation, and nothing else."""
    folder = folder or self.folder
    losses = np.load(folder / records.TRAIN_LOSS)
    expected = {'train/loss': dict(enumerate(losses.tolist(), 1))}
    for evaluation in records.read_metrics(folder):
      for name, value in evaluation._asdict().items():
        if name != 'step' and value is not None and not np.isnan(value):
          series = expected.setdefault(f'eval/{name}', {})
          series[evaluation.step] = value
    self.assertEqual(shown.keys(), expected.keys())
    for tag, series in expected.items():
      self.assertEqual(list(shown[tag]), list(series), tag)
      np.testing.assert_allclose(
        list(shown[tag].values()), list(series.values()), rtol, err_msg=tag
      )


@needs('tensorboardX')
class TensorBoardTest(LogCase):
  def test_holds_the_records(self):
    (run,) = tiny.train(tiny.make_config(log__tensorboard=True), self.root)
    shown, texts = read_tensorboard(self.folder / 'tensorboard')
    self.assert_holds_the_records(shown, rtol=1e-7)
    self.assertIn(f'| val_loss | {run.val_loss} |', *texts.values())

  def test_a_resumed_run_has_no_point_twice(self):
    config = tiny.make_config(
      log__tensorboard=True, checkpoint__every_seconds=0.0
    )
    # Dies at 5, before a checkpoint; then at 15, five steps after one.
    for after in (0, 2):
      self.interrupted(config, after)
    tiny.train(config, self.root)
    files = list((self.folder / 'tensorboard').iterdir())
    self.assertLen(files, 3)
    shown, _ = read_tensorboard(self.folder / 'tensorboard')
    self.assert_holds_the_records(shown, rtol=1e-7)

  def test_switched_on_midway_it_holds_all(self):
    self.interrupted(tiny.make_config(checkpoint__every_seconds=0.0), 2)
    tiny.train(tiny.make_config(log__tensorboard=True), self.root)
    shown, _ = read_tensorboard(self.folder / 'tensorboard')
    self.assert_holds_the_records(shown, rtol=1e-7)

  def test_seeds_side_by_side_have_logs_of_their_own(self):
    # As on a GPU: the CPU takes seeds one after the other.
    job = job_lib.make_job(
      tiny.make_config(log__tensorboard=True),
      '1x16', self.root / 'runs', self.root,
    )  # fmt: skip
    line = train_lib.progress_lib.Display(stream=tiny.Silence())
    runs = [train_lib.seed_run_lib.SeedRun(job, seed) for seed in (0, 1)]
    for run in runs:
      run.claim()
    train_lib._Group(job, runs, line).train()
    for run in runs:
      shown, _ = read_tensorboard(run.folder / 'tensorboard')
      self.assert_holds_the_records(shown, 1e-7, run.folder)

  def test_divergence_is_shown(self):
    config = tiny.make_config(
      log__tensorboard=True,
      train__learning_rate=1e30, train__min_learning_rate=1e30,
      train__grad_clip=0.0, train__warmup_steps=3,
    )  # fmt: skip
    (run,) = tiny.train(config, self.root)
    shown, texts = read_tensorboard(self.folder / 'tensorboard')
    self.assertEqual(max(shown['train/loss']), run.S)
    self.assertFalse(math.isfinite(shown['train/loss'][run.S]))
    self.assertIn('| status | diverged |', *texts.values())

  def test_a_log_that_cannot_be_opened_is_reported_once(self):
    (self.root / 'tensorboard').write_text('a file, no folder')
    messages = []
    logs = writers.Logs(18, messages.append)
    logs.add(
      'TensorBoard', lambda: writers.TensorBoard(self.root / 'tensorboard')
    )
    logs.losses(0, np.ones(5))
    logs.close()
    self.assertLen(messages, 1)
    self.assertRegex(messages[0], 'TensorBoard failed .*metrics.jsonl holds')

  def test_a_log_that_fails_midway_is_reported_once(self):
    (expected,) = tiny.train(tiny.make_config(experiment='other'), self.root)
    stream = tiny.Silence()
    full = OSError(28, 'No space left on device')
    with unittest.mock.patch(
      'tensorboardX.record_writer.RecordWriter.flush', side_effect=full
    ):
      (run,) = tiny.train(
        tiny.make_config(log__tensorboard=True), self.root, stream=stream
      )
    self.assertEqual(stream.text.count('No space left on device'), 1)
    self.assertEqual(run.val_loss, expected.val_loss)


@needs('wandb')
class WandBTest(LogCase):
  def paths(self):
    import wandb

    wandb.teardown()  # finish() returns before its file is whole
    return sorted((self.folder / 'wandb').glob('offline-run-*/*.wandb'))

  def test_offline_holds_the_records(self):
    (run,) = tiny.train(tiny.make_config(log__wandb='offline'), self.root)
    shown, summary, about = read_wandb(*self.paths())
    self.assert_holds_the_records(shown, rtol=1e-12)
    for name, value in run._asdict().items():
      self.assertEqual(summary[name], value, name)
    self.assertEqual(
      (about.project, about.run_group, about.display_name),
      ('scaling_jax', 'tiny', '1x16_seed0'),
    )
    config = {item.key: item.value_json for item in about.config.update}
    self.assertEqual(json.loads(config['N']), run.N)
    self.assertEqual(json.loads(config['train'])['batch_size'], 8)

  def test_each_offline_session_holds_the_run_from_its_start(self):
    config = tiny.make_config(
      log__wandb='offline', checkpoint__every_seconds=0.0
    )
    self.interrupted(config, 2)
    tiny.train(config, self.root)
    first, last = sorted(self.paths(), key=lambda p: p.stat().mtime)
    self.assertEqual(first.name, last.name)  # one id: one run on the server
    shown, _, _ = read_wandb(last)
    self.assert_holds_the_records(shown, rtol=1e-12)

  def test_online_goes_on_where_the_server_stands(self):
    log = tiny.make_config(log__wandb='online').log
    with unittest.mock.patch('wandb.init') as init:
      init.return_value.step = 11
      writer = writers.WandB(log, self.folder, {'experiment': 'tiny'})
      again = writers.WandB(log, self.folder, {'experiment': 'tiny'})
      other = writers.WandB(
        log, self.root / 'elsewhere' / 'tiny' / self.folder.name,
        {'experiment': 'tiny'},
      )  # fmt: skip
    del again, other
    ids = [call.kwargs['id'] for call in init.call_args_list]
    self.assertEqual(ids[0], ids[1])
    self.assertNotEqual(ids[0], ids[2])
    for step in (10, 11, 12):
      writer.write(step, {'train/loss': 1.0})
    run = init.return_value
    self.assertEqual(
      [call.kwargs['step'] for call in run.log.call_args_list], [11, 12]
    )
    writer.close(None)
    run.finish.assert_called_once_with(exit_code=1)

  def test_a_server_out_of_reach_is_reported_once(self):
    import wandb

    log = tiny.make_config(log__wandb='online').log
    messages = []
    logs = writers.Logs(18, messages.append)
    lost = wandb.errors.CommError('the network is\n unreachable')
    with unittest.mock.patch('wandb.init', side_effect=lost):
      logs.add(
        'W&B', lambda: writers.WandB(log, self.folder, {'experiment': 'tiny'})
      )
    logs.losses(0, np.ones(5))
    logs.close()
    self.assertLen(messages, 1)
    self.assertStartsWith(
      messages[0], 'W&B failed (the network is unreachable)'
    )


@needs('wandb')
@needs('tensorboardX')
class BothTest(LogCase):
  def test_logs_change_no_number(self):
    logs = {'log__tensorboard': True, 'log__wandb': 'offline'}
    (plain,) = tiny.train(tiny.make_config(experiment='plain'), self.root)
    (logged,) = tiny.train(tiny.make_config(**logs), self.root)
    folders = [tiny.folder(self.root, 0, name) for name in ('plain', 'tiny')]
    one, other = (np.load(f / records.TRAIN_LOSS) for f in folders)
    np.testing.assert_array_equal(one, other)
    self.assertEqual(plain.val_loss, logged.val_loss)
    names = [{path.name for path in folder.iterdir()} for folder in folders]
    self.assertEqual(names[1] - names[0], {'tensorboard', 'wandb'})


class ChoiceTest(parameterized.TestCase):
  def test_logs_are_no_part_of_a_run(self):
    plain, logged = (
      settings.identity(tiny.make_config(**changes), 0, {})
      for changes in ({}, {'log__tensorboard': True, 'log__wandb': 'offline'})
    )
    self.assertEqual(plain, logged)

  @parameterized.parameters(
    ({'log__tensorboard': True}, 'tensorboardX'),
    ({'log__wandb': 'online'}, 'wandb'),
  )
  def test_what_is_not_installed_is_reported_before_training(
    self, changes, name
  ):
    # No corpus is there either: logs are checked before it is read.
    with (
      unittest.mock.patch.dict('sys.modules', {name: None}),
      self.assertRaisesRegex(UserError, rf'needs {name}.*scaling_jax\[logging'),
    ):
      job_lib.make_job(tiny.make_config(**changes), '1x16', 'runs', 'nowhere')

  def test_unknown_modes_are_refused(self):
    with self.assertRaisesRegex(UserError, "log.wandb='yes' must be"):
      writers.check(tiny.make_config(log__wandb='yes').log, 'runs')

  @needs('wandb')
  def test_offline_needs_a_local_folder(self):
    log = tiny.make_config(log__wandb='offline').log
    with self.assertRaisesRegex(UserError, 'needs a local folder, and gs://'):
      writers.check(log, 'gs://bucket/runs/tiny')

  def test_long_runs_log_a_thousand_losses_whatever_the_dispatches(self):
    losses = np.arange(1, 25_001, dtype=np.float64)

    def steps(sizes):
      writer = unittest.mock.Mock()
      logs = writers.Logs(len(losses))
      logs.add('mock', lambda: writer)
      done = 0
      while done < len(losses):
        n = next(sizes)
        logs.losses(done, losses[done : done + n])
        done += n
      calls = [call.args for call in writer.write.call_args_list]
      for step, values in calls:
        self.assertEqual(values, {'train/loss': step})
      return [step for step, _ in calls]

    one = steps(iter([len(losses)]))
    self.assertEqual(one, list(range(25, 25_001, 25)))
    sizes = np.random.default_rng(0).integers(1, 200, len(losses))
    self.assertEqual(steps(iter(sizes)), one)


if __name__ == '__main__':
  absltest.main()
