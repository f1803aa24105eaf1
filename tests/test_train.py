"""Whole runs: what they leave, how they resume, how they fail."""

import functools
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest.mock

from absl.testing import absltest
from etils import epath
import jax
import numpy as np
import pytest

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.corpus import prepare
from scaling_jax.errors import UserError
from scaling_jax.training import checkpoint as checkpoint_lib
from scaling_jax.training import job as job_lib
from scaling_jax.training import train as train_lib
from tests import tiny

ROOT = pathlib.Path(__file__).parents[1]


def without_clocks(value):
  """The fields that must not depend on how fast the machine was."""
  clocks = {'wall_s', 'tokens_per_s'}
  return {k: v for k, v in value._asdict().items() if k not in clocks}


class Killed(Exception):
  """Stands for a process that ends here."""


class TrainTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.root = tiny.make_corpus(self.create_tempdir().full_path)

  def assert_same_records(self, one, other):
    losses = [
      np.load(f / records.TRAIN_LOSS, allow_pickle=False) for f in (one, other)
    ]
    np.testing.assert_array_equal(*losses)
    metrics = [records.read_metrics(f) for f in (one, other)]
    self.assertEqual(*([without_clocks(e) for e in m] for m in metrics))
    results = [without_clocks(records.read_result(f)) for f in (one, other)]
    for result in results:
      del result['experiment']
    self.assertEqual(*results)

  def assert_goes_on_to_the_same(self, config, step):
    """Resumed, a run resumes from `step` and ends as the one named whole."""
    stream = tiny.Silence()
    tiny.train(config, self.root, stream=stream)
    self.assertIn(f'resumes from step {step}', stream.text)
    self.assert_same_records(
      tiny.folder(self.root, experiment='whole'), tiny.folder(self.root)
    )

  def interrupted(self, config, after, seeds=(0,), by=Killed):
    """Trains until `after` dispatches are done, saves as configured, dies."""
    calls = 0
    original = train_lib._Group._report

    def report(group):
      nonlocal calls
      calls += 1
      if calls > after:
        raise by
      original(group)

    with (
      unittest.mock.patch.object(train_lib._Group, '_report', report),
      self.assertRaises(by),
    ):
      tiny.train(config, self.root, seeds)

  def test_a_run_leaves_every_file(self):
    (run,) = tiny.train(tiny.make_config(), self.root)
    folder = tiny.folder(self.root)
    self.assertEqual(
      {p.name for p in folder.iterdir()},
      {'config.json', 'metrics.jsonl', 'train_loss.npy', 'result.json',
       'checkpoints'},
    )  # fmt: skip
    self.assertEqual((run.S, run.D, run.batch_size), (18, 18 * 8 * 32, 8))
    self.assertEqual(run.status, 'done')
    self.assertEqual(run.device, 'cpu x 2')
    counts = budget.count_parameters(budget.Shape(1, 1, 16), 32, 27)
    self.assertEqual((run.N, run.N_total), (counts.N, counts.total))
    self.assertEqual(
      run.flops, run.D * budget.flops_per_token(budget.Shape(1, 1, 16), 32, 27)
    )
    losses = np.load(folder / 'train_loss.npy', allow_pickle=False)
    self.assertEqual((losses.dtype, losses.shape), (np.float32, (18,)))
    lines = records.read_metrics(folder)
    self.assertEqual([line.step for line in lines], [0, 10, 18])
    self.assertAlmostEqual(lines[0].val_loss, math.log(27), delta=0.1)
    self.assertLess(lines[-1].val_loss, lines[0].val_loss)
    self.assertAlmostEqual(
      lines[1].train_loss, float(losses[:10].mean()), places=5
    )
    self.assertAlmostEqual(run.val_bpb, run.val_loss / math.log(2), places=9)
    config = records.read_json(folder / 'config.json')
    self.assertEqual(config['config']['model']['n_embd'], 16)
    train, corpus = config['config']['train'], config['corpus']
    self.assertEqual(
      run[-len(records.RECIPE) :],
      (train['learning_rate'], train['min_learning_rate'], train['schedule'],
       train['warmup_steps'], 8 * 32, corpus['train_tokens'], 27,
       run.text, 'char'),
    )  # fmt: skip
    # The text by the first digits of its splits' hashes.
    hashes = config['identity']['sha256']
    self.assertEqual(run.text, f'{hashes["train"][:8]}-{hashes["val"][:8]}')
    self.assertEqual(corpus['tokenizer'], 'char')
    self.assertEqual(records.read_result(folder), run)
    self.assertEqual(config['versions']['jax'], jax.__version__)

  def test_first_loss_is_that_of_the_first_batch(self):
    from scaling_jax.corpus import batches
    from scaling_jax.training import step as step_lib

    tiny.train(tiny.make_config(), self.root)
    job = job_lib.make_job(
      tiny.make_config(), '1x16', self.root / 'runs', self.root
    )
    windows = batches.batch_at(job.dataset.train, 0, 0, 8, 32)
    params = step_lib.init_params(job.gpt, 0)
    losses = functools.partial(
      step_lib.token_losses, step_lib.graphdef(job.gpt)
    )
    expected = jax.jit(losses)(params, windows)
    found = np.load(tiny.folder(self.root) / 'train_loss.npy')
    self.assertAlmostEqual(found[0], float(expected.mean()), delta=1e-5)

  def test_a_finished_run_is_not_trained_again(self):
    first = tiny.train(tiny.make_config(), self.root)
    with unittest.mock.patch.object(train_lib, '_Group') as group:
      again = tiny.train(tiny.make_config(), self.root)
    group.assert_not_called()
    self.assertEqual(first, again)

  def test_a_resumed_run_equals_an_uninterrupted_one(self):
    tiny.train(tiny.make_config(experiment='whole'), self.root)
    config = tiny.make_config(checkpoint__every_seconds=0.0)
    for after in (2, 1):  # dies after 10 steps, resumes, dies after 15
      self.interrupted(config, after)
      self.assertIsNone(records.read_result(tiny.folder(self.root)))
    self.assert_goes_on_to_the_same(config, 15)

  def test_ctrl_c_keeps_the_step_it_came_at(self):
    tiny.train(tiny.make_config(experiment='whole'), self.root)
    config = tiny.make_config()  # saves at the end alone
    self.interrupted(config, 2, by=KeyboardInterrupt)
    self.assert_goes_on_to_the_same(config, 15)

  def test_ctrl_c_before_an_evaluation_leaves_it_due(self):
    tiny.train(tiny.make_config(experiment='whole'), self.root)
    evaluate = train_lib._Group._evaluate

    def stopped(group, evaluator):
      if group.step == 10:
        raise KeyboardInterrupt
      evaluate(group, evaluator)

    config = tiny.make_config()
    with (
      unittest.mock.patch.object(train_lib._Group, '_evaluate', stopped),
      self.assertRaises(KeyboardInterrupt),
    ):
      tiny.train(config, self.root)
    self.assert_goes_on_to_the_same(config, 10)

  def test_ctrl_c_in_the_last_update_keeps_it(self):
    config = tiny.make_config()
    self.interrupted(config, 5, by=KeyboardInterrupt)
    stream = tiny.Silence()
    (run,) = tiny.train(config, self.root, stream=stream)
    self.assertIn('resumes from step 18', stream.text)
    self.assertEqual(run.status, 'done')

  def test_seeds_that_stopped_apart_go_on_apart(self):
    tiny.train(tiny.make_config(experiment='alone'), self.root, (0, 1))
    config = tiny.make_config(checkpoint__every_seconds=0.0)
    self.interrupted(config, 2)
    device = unittest.mock.Mock(platform='gpu')
    job = job_lib.make_job(config, '1x16', self.root / 'runs', self.root)
    groups = []

    class Group(train_lib._Group):
      def __init__(self, job, runs, line):
        groups.append([run.seed for run in runs])
        super().__init__(job._replace(devices=jax.devices()), runs, line)

    with unittest.mock.patch.object(train_lib, '_Group', Group):
      line = train_lib.progress_lib.Display(stream=tiny.Silence())
      train_lib.train(job._replace(devices=[device]), (0, 1), line)
    self.assertEqual(groups, [[1], [0]])
    for seed in (0, 1):
      self.assert_same_records(
        tiny.folder(self.root, seed, 'alone'), tiny.folder(self.root, seed)
      )

  def test_an_unfinished_save_is_passed_over(self):
    tiny.train(tiny.make_config(experiment='whole'), self.root)
    config = tiny.make_config(checkpoint__every_seconds=0.0)
    self.interrupted(config, 3)
    saved = tiny.folder(self.root) / checkpoint_lib.FOLDER
    latest = max(int(p.name) for p in saved.iterdir() if p.name.isdigit())
    (saved / str(latest)).rename(saved / f'{latest}.orbax-checkpoint-tmp-0')
    tiny.train(config, self.root)
    self.assert_same_records(
      tiny.folder(self.root, experiment='whole'), tiny.folder(self.root)
    )

  @pytest.mark.slow
  def test_dropout_resumes_exactly_too(self):
    changes = {'model__dropout': 0.2, 'train__grad_accum': 2}
    tiny.train(tiny.make_config(experiment='whole', **changes), self.root)
    config = tiny.make_config(checkpoint__every_seconds=0.0, **changes)
    self.interrupted(config, 2)
    tiny.train(config, self.root)
    self.assert_same_records(
      tiny.folder(self.root, experiment='whole'), tiny.folder(self.root)
    )

  @pytest.mark.slow
  def test_seeds_side_by_side(self):
    # As on a GPU: the CPU takes seeds one after the other.
    tiny.train(tiny.make_config(experiment='alone'), self.root, (0, 1))
    job = job_lib.make_job(
      tiny.make_config(), '1x16', self.root / 'runs', self.root
    )
    line = train_lib.progress_lib.Display(stream=tiny.Silence())
    runs = [train_lib.seed_run_lib.SeedRun(job, seed) for seed in (0, 1)]
    for run in runs:
      run.claim()
    together = train_lib._Group(job, runs, line).train()
    for seed, run in enumerate(together):
      alone = records.read_result(tiny.folder(self.root, seed, 'alone'))
      self.assertAlmostEqual(run.val_loss, alone.val_loss, delta=1e-5)
    self.assertNotEqual(together[0].val_loss, together[1].val_loss)

  def test_one_device_gives_the_same_losses(self):
    two = tiny.train(tiny.make_config(), self.root)[0]
    config = tiny.make_config(experiment='one')
    one = tiny.train(config, self.root, devices=jax.devices()[:1])[0]
    self.assertAlmostEqual(one.val_loss, two.val_loss, delta=1e-5)

  def test_divergence_stops_the_run_and_keeps_its_record(self):
    config = tiny.make_config(
      train__learning_rate=1e30, train__min_learning_rate=1e30,
      train__grad_clip=0.0, train__warmup_steps=3,
    )  # fmt: skip
    (run,) = tiny.train(config, self.root)
    self.assertEqual(run.status, 'diverged')
    self.assertLess(run.S, 18)
    self.assertTrue(math.isnan(run.val_loss))
    losses = np.load(tiny.folder(self.root) / 'train_loss.npy')
    self.assertLen(losses, run.S)
    self.assertFalse(np.isfinite(losses[-1]))
    self.assertTrue(np.isfinite(losses[:-1]).all())
    text = (tiny.folder(self.root) / 'result.json').read_text()
    self.assertIsNone(json.loads(text)['val_loss'])
    with unittest.mock.patch.object(train_lib, '_Group') as group:
      tiny.train(config, self.root)
    group.assert_not_called()

  def test_another_configuration_is_refused(self):
    self.interrupted(tiny.make_config(checkpoint__every_seconds=0.0), 1)
    for changes in ({'model__n_embd': 32}, {'train__learning_rate': 1.0}):
      with self.assertRaisesRegex(
        UserError, 'holds a run with.*choose another'
      ):
        tiny.train(tiny.make_config(**changes), self.root)

  def test_how_often_to_save_may_change(self):
    self.interrupted(tiny.make_config(checkpoint__every_seconds=0.0), 1)
    (run,) = tiny.train(tiny.make_config(checkpoint__keep=5), self.root)
    self.assertEqual(run.status, 'done')

  def test_a_checkpoint_of_another_model_is_refused(self):
    self.interrupted(tiny.make_config(checkpoint__every_seconds=0.0), 2)
    path = tiny.folder(self.root) / records.CONFIG
    path.write_text(path.read_text().replace('"n_layer": 1', '"n_layer": 2'))
    config = tiny.make_config(model__n_layer=2)
    with self.assertRaisesRegex(UserError, 'must be of this model'):
      tiny.train(config, self.root)

  def test_unwritable_workdir(self):
    (self.root / 'runs').write_text('a file, no folder')
    with self.assertRaisesRegex(UserError, 'cannot be written'):
      tiny.train(tiny.make_config(), self.root)

  def test_a_model_never_beats_the_entropy(self):
    (run,) = tiny.train(tiny.make_config(), self.root)
    meta = records.read_json(self.root / 'synthetic' / 'meta.json')
    self.assertGreater(run.val_loss, meta['entropy_nats_per_character'])


@pytest.mark.slow
class ScalingTest(absltest.TestCase):
  def test_loss_falls_with_n_and_with_d_towards_the_entropy(self):
    root = epath.Path(self.create_tempdir().full_path)
    meta = prepare.prepare_synthetic(root / 'synthetic', n_characters=2_000_000)

    def loss(name, steps):
      config = tiny.make_config(
        experiment=f's{steps}', steps=steps, train__batch_size=64,
        train__learning_rate=3e-3, train__steps_per_dispatch=50,
        eval__every_steps=250, eval__batches=100,
      )  # fmt: skip
      job = job_lib.make_job(config, name, root / 'runs', root)
      line = train_lib.progress_lib.Display(stream=tiny.Silence())
      return train_lib.train(job, (0,), line)[0].val_loss

    small, middle, large = (loss(name, 600) for name in ('1x8', '1x32', '2x64'))
    self.assertGreater(small, middle + 0.05)
    self.assertGreater(middle, large + 0.05)
    short, middling = (loss('2x64', steps) for steps in (150, 300))
    self.assertGreater(short, middling + 0.05)
    self.assertGreater(middling, large + 0.05)
    self.assertGreater(large, meta['context_entropy_nats_per_character']['32'])


@pytest.mark.slow
class KillTest(absltest.TestCase):
  def test_killed_at_any_moment_the_same_command_ends_the_same(self):
    root = tiny.make_corpus(self.create_tempdir().full_path)

    def command(experiment):
      return [
        sys.executable, str(ROOT / 'launch.py'),
        '--config=configs/c0.py:2x32', f'--workdir={root / "runs"}',
        f'--config.experiment={experiment}', f'--config.data_dir={root}',
        '--config.dataset=synthetic', '--config.eval.batches=20',
        '--config.steps=600', '--config.checkpoint.every_seconds=0.2',
        '--config.eval.every_steps=50',
      ]  # fmt: skip

    environment = {**os.environ, 'XLA_FLAGS': ''}
    subprocess.run(
      command('whole'), cwd=ROOT, check=True, capture_output=True,
      env=environment,
    )  # fmt: skip
    killed = root / 'runs' / 'killed' / '2x32_seed0'
    rng = np.random.default_rng(0)
    for _ in range(3):
      process = subprocess.Popen(
        command('killed'), cwd=ROOT, stdout=subprocess.DEVNULL, env=environment
      )
      while not (killed / 'metrics.jsonl').exists() and process.poll() is None:
        time.sleep(0.05)
      time.sleep(rng.uniform(0.5, 3.0))
      process.send_signal(signal.SIGKILL)
      process.wait()
    last = subprocess.run(
      command('killed'), cwd=ROOT, check=True, capture_output=True, text=True,
      env=environment,
    )  # fmt: skip
    self.assertIn('done', last.stdout)
    whole = root / 'runs' / 'whole' / '2x32_seed0'
    one, other = (np.load(f / 'train_loss.npy') for f in (whole, killed))
    np.testing.assert_array_equal(one, other)
    one, other = (records.read_result(f) for f in (whole, killed))
    self.assertEqual(one.val_loss, other.val_loss)


if __name__ == '__main__':
  absltest.main()
