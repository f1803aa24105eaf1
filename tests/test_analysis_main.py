"""The analysis' command line: one sentence for errors, words for odd runs."""

import contextlib
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import unittest.mock

from absl.testing import absltest
from absl.testing import flagsaver
from absl.testing import parameterized
import jax
import numpy as np
import pytest

from scaling_jax import compile_cache
from scaling_jax import records
from scaling_jax.analysis import __main__ as cli
from scaling_jax.analysis import summary
from tests import studies

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAW = studies.LAW
DRAWS = f'--draws={studies.DRAWS}'


def call(*arguments):
  """The exit status, and what was printed, of a call in this process."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.ExitStack() as stack:
    stack.enter_context(flagsaver.flagsaver())
    patch = unittest.mock.patch.object
    stack.enter_context(patch(compile_cache, 'keep', lambda: None))
    stack.enter_context(contextlib.redirect_stdout(out))
    stack.enter_context(contextlib.redirect_stderr(err))
    status = 0
    try:
      cli._guarded(cli._parse(['analysis', *map(str, arguments)]))
    except SystemExit as exit:
      status = exit.code
  return status, out.getvalue(), err.getvalue()


def process(*arguments):
  cache = jax.config.jax_compilation_cache_dir  # that of this session
  return subprocess.run(
    [sys.executable, '-m', 'scaling_jax.analysis', *map(str, arguments)],
    cwd=ROOT,
    capture_output=True,
    text=True,
    env={**os.environ, 'JAX_COMPILATION_CACHE_DIR': str(cache)},
    timeout=300,
  )


class Case(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.out = self.folder / 'out'

  def write(self, plan, L, name='runs.csv'):
    path = self.folder / name
    path.write_text(studies.as_csv(plan, L))
    return path

  def good(self, **changes):
    plan = studies.design(**changes)
    return self.write(plan, studies.noisy(LAW, plan, 0.001))

  def refused(self, message, *arguments):
    status, out, err = call(*arguments)
    self.assertEqual(status, 2, err)
    self.assertStartsWith(err, 'scaling_jax.analysis: ')
    self.assertLen(err.strip().splitlines(), 1)
    self.assertRegex(err, message)
    self.assertEqual(out, '')

  def analyzed(self, *arguments):
    """The content of fits.json and tables.md."""
    status, out, err = call(*arguments, f'--out={self.out}', DRAWS,
                            '--nofigures')  # fmt: skip
    self.assertEqual((status, err), (0, ''))
    self.assertIn(f'{self.out}/fits.json', out)
    page = self.out / 'index.html'
    self.assertEqual(out.splitlines()[-1], f'report: {page}')
    self.assertNotIn('<figure', page.read_text())
    text = (self.out / 'tables.md').read_text()
    self.assertNotRegex(text, r'\| +nan\b|\[nan|nan\]')
    return json.loads((self.out / 'fits.json').read_text()), text


class RefusedTest(Case):
  @parameterized.parameters(
    ('--level=2', '--level=2 must be from 0.5 to below 1; try'),
    ('--level=nan', '--level=nan must be'),
    ('--level=abc', "could not convert string to float: 'abc'"),
    ('--draws=3', '--draws=3 must be 100 or more'),
    ('--draws=1e3', 'draws'),
    ('--C=abc', '--C=abc must be a positive number of FLOPs; try'),
    ('--C=1e16,-1', '--C=-1 must be'),
    ('--C=nan', '--C=nan must be'),
    ('--C=inf', '--C=inf must be'),
    ('--seed=-1', '--seed=-1 must be 0 or more; try'),
    ('--solver=newton', 'one of <auto|jax|optimistix>'),
    ('--bootstrap=x', 'one of <auto|runs|noise>'),
    ('--drop_highest=-1', 'drop_highest=-1 must be 0 or more'),
    ('--drop_highest=21', 'drop_highest=21 must be .* 21 runs'),
    ('--levels=0.9', "Unknown command line flag 'levels'"),
  )
  def test_flags(self, flag, message):
    self.refused(message, self.good(), f'--out={self.out}', flag)
    self.assertEmpty(list(self.folder.glob('out/*')))

  def test_no_runs_and_no_out(self):
    self.refused('no runs are given', f'--out={self.out}')
    self.refused('--out is missing', self.good())

  def test_nothing_to_read(self):
    out = f'--out={self.out}'
    missing = self.folder / 'missing'
    self.refused(f'{missing} does not exist', missing, out)
    empty = self.folder / 'empty'
    empty.mkdir()
    self.refused(f'{empty} holds no run', empty, out)
    for text, message in (
      ('', 'is empty'),
      ('C,N,loss\n1,2,3\n', 'fit no format'),
      ('C,N,D,loss\n', 'holds no run that can be used'),
      ('N,D,loss\n1e6,1e8,nan\n1e6,1e8,-2\n', '2 left out.*loss=nan'),
      ('N,D,loss\n1e6,1e8,\n', 'loss is empty'),
    ):
      path = self.folder / 'bad.csv'
      path.write_text(text)
      self.refused(message, path, out)
    self.assertFalse(self.out.exists())

  def test_out_cannot_be_written(self):
    runs = self.good()
    file = self.folder / 'file'
    file.write_text('mine')
    self.refused('cannot be written', runs, f'--out={file}')
    self.refused('cannot be written', runs, f'--out={file}/below')
    self.assertEqual(file.read_text(), 'mine')
    if os.path.isdir('/proc/self'):  # a folder where no one can make a file
      self.refused(
        '/proc/self cannot be written .*; choose another',
        runs,
        '--out=/proc/self',
      )

  def test_two_corpora(self):
    runs = studies.write_runs(self.folder / 'runs', studies.NOISE)
    run = self.folder / 'runs' / 'c0' / runs[0].run_id
    records.write_result(run, runs[0]._replace(dataset='prose'))
    out = f'--out={self.out}'
    self.refused('trained on prose and simulated', self.folder / 'runs', out)

  def test_in_a_process(self):
    found = process('runs')
    self.assertEqual(found.returncode, 2)
    self.assertStartsWith(
      found.stderr, 'scaling_jax.analysis: --out is missing'
    )
    self.assertLen(found.stderr.strip().splitlines(), 1)


class OddRunsTest(Case):
  def test_losses_that_are_none_and_duplicates(self):
    runs = self.good()
    lines = runs.read_text().splitlines()
    bad = [lines[1].rsplit(',', 1)[0] + f',{x}' for x in ('nan', '-2', 'much')]
    runs.write_text('\n'.join([*lines, *bad, lines[1], '']))
    fits, text = self.analyzed(runs)
    self.assertEqual(fits['source']['n_runs'], 21)
    for name, reason in (
      (23, 'loss=nan must be a positive number'),
      (24, 'loss=-2 must be a positive number'),
      (25, "loss='much' must be a number"),
      (26, 'it is a duplicate of line 2'),
    ):
      self.assertRegex(text, f'Left out: runs:{name}: .*{reason}')
    self.assertEqual(fits['laws']['isoflop']['status'], 'ok')

  def test_one_budget(self):
    fits, text = self.analyzed(self.good(budgets=[4e14]))
    rows = re.findall(r'^\| +(\d, \w+) +\| (.*) \|$', text, re.M)
    cells = {name: set(row.replace(' ', '').split('|')) for name, row in rows}
    self.assertEqual(
      cells,
      {
        '1, envelope': {'too_few_points'},
        '2, isoFLOP': {'too_few_points'},
        '3, parametric': {'not_identified'},
      },
    )
    self.assertIn('all runs share one budget', text)
    for name in ('targets', 'hold_out', 'parametric'):
      self.assertFalse((self.out / f'{name}.csv').exists())
    self.assertIsNone(fits['laws']['parametric']['exponent_N']['value'])

  def test_one_run(self):
    _, text = self.analyzed(self.good(budgets=[4e14], models=1))
    self.assertIn('too_few_points', text)
    self.assertNotRegex(text, r'\d \[')

  def test_training_losses_that_are_damaged(self):
    studies.write_runs(self.folder / 'runs', studies.NOISE)
    folder = self.folder / 'runs' / 'c1'
    short, torn = folder / 'gpt-2_seed0', folder / 'gpt-3_seed0'
    records.write_npy(short / records.TRAIN_LOSS, np.ones(9, np.float32))
    (torn / records.TRAIN_LOSS).write_bytes(b'no array')
    fits, text = self.analyzed(folder)
    self.assertEqual(fits['source']['n_runs'], 5)
    self.assertRegex(text, 'gpt-2_seed0: train_loss.npy holds 9 of 2,041 steps')
    self.assertIn('gpt-3_seed0: its train_loss.npy or', text)
    (torn / records.CONFIG).write_text('{}')
    fits, text = self.analyzed(folder)
    self.assertIn('gpt-3_seed0: its train_loss.npy or', text)
    self.assertLen(fits['laws']['envelope']['curves'], 3)

  def test_unfinished_diverged_and_without_curves(self):
    studies.write_runs(self.folder / 'runs', studies.NOISE)
    runs = [self.folder / 'runs' / name for name in (
      'c0/gpt-0_seed0', 'c0/gpt-4_seed0', 'c1/gpt-0_seed0', 'c1/gpt-4_seed0',
    )]  # fmt: skip
    unfinished, diverged, lost, wild = runs
    (unfinished / records.RESULT).unlink()
    result = records.read_result(diverged)
    records.write_result(
      diverged, result._replace(status='diverged', val_loss=math.nan)
    )
    (lost / records.TRAIN_LOSS).unlink()
    losses = np.load(wild / records.TRAIN_LOSS)
    losses[100] = np.nan
    records.write_npy(wild / records.TRAIN_LOSS, losses)
    fits, text = self.analyzed(self.folder / 'runs')
    self.assertEqual(fits['source']['n_runs'], 13)
    self.assertRegex(text, 'Left out: c0/gpt-0_seed0: it is unfinished')
    self.assertRegex(text, "Left out: c0/gpt-4_seed0: .*'diverged'")
    curves = {curve['run_id']: curve for curve in fits['curves']}
    self.assertLen(curves, 12)
    self.assertNotIn('c1/gpt-0_seed0', curves)
    self.assertEqual(curves['c1/gpt-4_seed0']['status'], 'not_identified')
    self.assertIn('diverged', curves['c1/gpt-4_seed0']['sentence'])
    in_envelope = {c['run_id'] for c in fits['laws']['envelope']['curves']}
    self.assertEqual(in_envelope, set(curves) - {'c1/gpt-4_seed0'})
    first = fits['laws']['isoflop']['budgets'][0]
    self.assertEqual(first['status'], 'no_degrees_of_freedom')


class EndToEndTest(Case):
  def test_run_folders(self):
    known = studies.analyzed()
    fits, text = self.analyzed(known.folder)
    # The same runs and seed give the same numbers, to the last bit.
    self.assertEqual(fits, known.fits)
    rows = re.findall(r'^\| +(\d, \w+) +\|(.*)\|$', text, re.M)[:3]
    self.assertLen(rows, 3)
    for name, row in rows:
      with self.subTest(name):
        for cell, truth in zip(
          row.split('|')[1::2], (LAW.exponent_N, LAW.exponent_D)
        ):
          value, low, high = map(float, re.findall(r'-?[\d.]+', cell))
          self.assertBetween(truth, low, high)
          self.assertAlmostEqual(value, truth, delta=0.05)
    for table in summary.tables(fits):
      self.assertTrue((self.out / f'{table.name}.csv').exists())

  def test_flags_are_heard(self):
    fits, text = self.analyzed(
      self.good(), '--level=0.8', '--C=3e16,1e17', '--seed=3',
      '--drop_highest=2', '--bootstrap=runs', '--solver=optimistix',
    )  # fmt: skip
    self.assertEqual(fits['level'], 0.8)
    self.assertEqual(fits['source']['targets'], [3e16, 1e17])
    self.assertEqual(fits['source']['n_runs'], 19)
    asked = fits['source']['settings']
    self.assertEqual((asked['seed'], asked['method']), (3, 'runs'))
    law = fits['laws']['parametric']
    self.assertEqual((law['solver'], law['method']), ('optimistix', 'runs'))
    self.assertRegex(text, r'\| +3e\+16 \| +2, isoFLOP')
    self.assertRegex(text, r'\| +1e\+17 \| +3, parametric')
    self.assertEqual(text.count('one of the 2 highest losses'), 2)

  @pytest.mark.slow
  def test_in_a_process_with_figures(self):
    runs = studies.analyzed().folder
    found = process(runs, f'--out={self.out}', DRAWS)
    self.assertEqual((found.returncode, found.stderr), (0, ''))
    self.assertRegex(found.stdout, r'2, isoFLOP +\d')
    names = {path.name for path in self.out.iterdir()}
    self.assertContainsSubset(
      {'fits.json', 'tables.md', 'isoflop.svg', 'isoflop.png'}, names
    )
    page = (self.out / 'index.html').read_text()
    self.assertIn('<figure id="figure-isoflop">', page)
    fits = json.loads((self.out / 'fits.json').read_text())
    a = fits['laws']['isoflop']['N_opt']['exponent']
    self.assertBetween(LAW.exponent_N, a['low'], a['high'])


if __name__ == '__main__':
  absltest.main()
