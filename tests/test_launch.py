"""The command line as a person meets it, in a process of its own."""

import csv
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import pytest

from scaling_jax.training import experiment
from tests import test_records
from tests import tiny

ROOT = pathlib.Path(__file__).parents[1]


def launch(*arguments):
  environment = {**os.environ, 'XLA_FLAGS': '', 'COLUMNS': '200'}
  return subprocess.run(
    [sys.executable, str(ROOT / 'launch.py'), *arguments],
    cwd=ROOT,
    capture_output=True,
    text=True,
    env=environment,
    timeout=300,
  )


class LaunchTest(parameterized.TestCase):
  @parameterized.parameters(
    ('', '--config is missing'),
    ('--config=configs/nope.py', 'no such file.*configs/c1.py'),
    ('--config=configs/quikstart.py', 'no such file.*try configs/quickstart.py$'),
    ('--config configs/quikstart.py', 'no such file.*try configs/quickstart.py$'),
    ('--config=configs', 'it is a folder'),
    ('--config=tests/__init__.py', "no attribute 'get_config'.*configs/c0.py"),
    ('--config=configs/c1.py:gpt-9', "unknown model 'gpt-9'"),
    ('--config=configs/c1.py --config.train.learn_rate=1',
     "unknown config field 'train.learn_rate'.*train.learning_rate"),
    ('--config=configs/c1.py --config.train.beta1=x', 'could not convert'),
    ('--config=configs/c0.py:gpt-0 --config.C=1e6', 'too small for one step'),
    ('--config=configs/c0.py:gpt-0 --config.model.n_head=5',
     'n_embd=96 must divide by n_head=5'),
    ('--config=configs/c0.py:gpt-0 --config.devices=2'
     ' --config.train.batch_size=65', 'batch_size=65 must divide by 2 devices'),
    ('--config=configs/c0.py --config.dataset=prose', "unknown dataset 'prose'"),
    ('--config=configs/c0.py --config.seeds=a', "seed 'a' must be a whole"),
    ('--confg=configs/c0.py', 'Did you mean: config'),
    ('--config=configs/c0.py --parallel=0', 'parallel=0 must be at least 1'),
    ('--config=configs/quickstart.py --config.steps=9', 'changes nothing where'),
  )  # fmt: skip
  def test_bad_input_is_one_line(self, arguments, message):
    found = launch(*arguments.split())
    self.assertEqual(found.returncode, 2, found.stderr)
    self.assertRegex(found.stderr, message)
    self.assertLen(found.stderr.strip().splitlines(), 1)
    self.assertStartsWith(found.stderr, 'launch.py: ')

  def test_corpus_never_prepared(self):
    data = epath.Path(self.create_tempdir().full_path)
    (data / 'gutenberg_poetry').mkdir()
    (data / 'gutenberg_poetry' / 'prepare.py').write_text('')
    arguments = ['--config=configs/c1.py', f'--config.data_dir={data}']
    found = launch(*arguments)
    self.assertEqual(found.returncode, 2)
    self.assertRegex(found.stderr, 'never prepared.*prepare.py --input=FILE')
    self.assertLen(found.stderr.strip().splitlines(), 1)
    dry = launch(*arguments, '--dry_run')
    self.assertEqual(dry.returncode, 0, dry.stderr)
    self.assertRegex(
      dry.stdout, r'gpt-2 +997,152 +50,143,232 +24,484 +3e14 +\?'
    )
    self.assertIn('never prepared', dry.stdout)

  @pytest.mark.slow
  def test_smoke_from_dry_run_to_results(self):
    root = tiny.make_corpus(self.create_tempdir().full_path)
    arguments = ['--config=configs/quickstart.py:smoke',
                 f'--config.data_dir={root}', f'--workdir={root}/runs']  # fmt: skip
    dry = launch(*arguments, '--dry_run')
    self.assertEqual(dry.returncode, 0, dry.stderr)
    self.assertRegex(dry.stdout, r'1x32 .* [\d.m]+s\n')
    self.assertFalse((root / 'runs').exists())

    found = launch(*arguments)
    self.assertEqual(found.returncode, 0, found.stderr)
    self.assertEqual(found.stderr, '')
    path = root / 'runs' / 'quickstart-smoke' / 'results.csv'
    with path.open() as file:
      rows = list(csv.DictReader(file))
    self.assertEqual([r['model'] for r in rows], ['1x16', '1x32'])
    self.assertEqual({r['status'] for r in rows}, {'done'})
    report = root / 'runs' / 'quickstart-smoke' / 'report' / 'index.html'
    self.assertEqual(found.stdout.splitlines()[-1], f'report: {report}')
    self.assertIn('too_few_points', report.read_text())
    again = launch(*arguments, '--noanalyze')
    self.assertEqual(again.returncode, 0, again.stderr)
    self.assertNotIn('report', again.stdout)
    self.assertNotIn('step ', again.stdout)


class TableTest(absltest.TestCase):
  def test_results(self):
    text = experiment.results_table([test_records.make_run()])
    self.assertEqual(
      text.splitlines()[1].split(),
      ['gpt-0_seed0', '221,664', '45,113,344', '22,028', '1.7000', '0.0020',
       '2.4500', '8m20s', '100,000', 'done'],
    )  # fmt: skip


if __name__ == '__main__':
  absltest.main()
