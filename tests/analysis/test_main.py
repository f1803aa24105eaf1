"""The analysis' command line: one sentence for errors, odd runs named."""

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
from absl.testing import parameterized
import jax
import numpy as np
import pytest

from scaling_jax import compile_cache
from scaling_jax import records
from scaling_jax.analysis import __main__ as cli
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.study import schema
from tests.analysis import designs
from tests.analysis import studies

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAW = designs.LAW
DRAWS = f'--draws={studies.DRAWS}'


def call(*arguments):
  """The exit status, and what was printed, of a call in this process."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.ExitStack() as stack:
    patch = unittest.mock.patch.object
    stack.enter_context(patch(compile_cache, 'keep', lambda: None))
    stack.enter_context(contextlib.redirect_stdout(out))
    stack.enter_context(contextlib.redirect_stderr(err))
    status = 0
    try:
      cli.main(['analysis', *map(str, arguments)])
    except SystemExit as exit:
      status = exit.code
    finally:
      cli.FLAGS.unparse_flags()
      for name in cli.FLAGS:
        cli.FLAGS[name].unparse()
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
    plan = designs.design(**changes)
    return self.write(plan, designs.noisy(LAW, plan, 0.001))

  def refused(self, named, *arguments):
    status, out, err = call(*arguments)
    self.assertEqual(status, 2, err)
    self.assertStartsWith(err, 'scaling_jax.analysis: ')
    self.assertLen(err.strip().splitlines(), 1)
    self.assertIn(named, err)
    self.assertEqual(out, '')

  def analyzed(self, *arguments):
    """The Analysis of fits.json, and tables.md."""
    status, out, err = call(*arguments, f'--out={self.out}', DRAWS,
                            '--nofigures')  # fmt: skip
    self.assertEqual((status, err), (0, ''))
    page = self.out / 'index.html'
    self.assertEqual(out.splitlines()[-1], f'report: {page}')
    self.assertNotIn('<figure', page.read_text())
    text = (self.out / 'tables.md').read_text()
    self.assertNotRegex(text, r'\| +nan\b|\[nan|nan\]')
    return schema.load_analysis(self.out), text


class RefusedTest(Case):
  @parameterized.parameters(
    ('--level=2', '--level=2'),
    ('--level=nan', '--level=nan'),
    ('--level=abc', "'abc'"),
    ('--draws=3', '--draws=3'),
    ('--draws=1e3', 'draws'),
    ('--C=abc', '--C=abc'),
    ('--C=1e16,-1', '--C=-1'),
    ('--C=nan', '--C=nan'),
    ('--C=inf', '--C=inf'),
    ('--seed=-1', '--seed=-1'),
    ('--solver=newton', 'auto|jax|optimistix'),
    ('--bootstrap=x', 'auto|posterior|noise|runs'),
    ('--drop_highest=-1', 'drop_highest=-1'),
    ('--drop_highest=21', 'drop_highest=21'),
    ('--levels=0.9', 'levels'),
  )
  def test_flags(self, flag, named):
    self.refused(named, self.good(), f'--out={self.out}', flag)
    self.assertEmpty(list(self.folder.glob('out/*')))

  def test_no_runs_and_no_out(self):
    self.refused('no runs', f'--out={self.out}')
    self.refused('--out', self.good())

  def test_nothing_to_read(self):
    out = f'--out={self.out}'
    missing = self.folder / 'missing'
    self.refused(str(missing), missing, out)
    empty = self.folder / 'empty'
    empty.mkdir()
    self.refused(str(empty), empty, out)
    for text, named in (
      ('', 'bad.csv'),
      ('C,N,loss\n1,2,3\n', 'bad.csv'),
      ('C,N,D,loss\n', 'bad.csv'),
      ('N,D,loss\n1e6,1e8,nan\n1e6,1e8,-2\n', 'loss=nan'),
      ('N,D,loss\n1e6,1e8,\n', 'loss'),
    ):
      path = self.folder / 'bad.csv'
      path.write_text(text)
      self.refused(named, path, out)
    self.assertFalse(self.out.exists())

  def test_out_cannot_be_written(self):
    runs = self.good()
    file = self.folder / 'file'
    file.write_text('mine')
    self.refused(str(file), runs, f'--out={file}')
    self.refused(str(file), runs, f'--out={file}/below')
    self.assertEqual(file.read_text(), 'mine')
    if os.path.isdir('/proc/self'):  # a folder where no one can make a file
      self.refused('/proc/self', runs, '--out=/proc/self')

  def test_two_corpora(self):
    texts = ('verse', 'prose', 'verse')
    rows = ''.join(f'{i}e7,1e9,3.{i},{x}\n' for i, x in enumerate(texts, 1))
    path = self.folder / 'runs.csv'
    path.write_text(f'N,D,loss,corpus\n{rows}')
    status, out, err = call(path, f'--out={self.out}', '--nofigures')
    self.assertEqual((status, err), (0, ''))
    self.assertIn('== prose', out)
    for text, count in (('verse', 2), ('prose', 1)):
      runs = schema.load_analysis(self.out / text).runs
      self.assertEqual([run.dataset for run in runs], [text] * count)
      self.assertIn(text, (self.out / 'index.html').read_text())

  def test_in_a_process(self):
    found = process('runs')
    self.assertEqual(found.returncode, 2)
    self.assertStartsWith(found.stderr, 'scaling_jax.analysis: --out')
    self.assertLen(found.stderr.strip().splitlines(), 1)


class OddRunsTest(Case):
  def test_losses_that_are_none_and_duplicates(self):
    runs = self.good()
    lines = runs.read_text().splitlines()
    bad = [lines[1].rsplit(',', 1)[0] + f',{x}' for x in ('nan', '-2', 'much')]
    runs.write_text('\n'.join([*lines, *bad, lines[1], '']))
    found, text = self.analyzed(runs)
    self.assertLen(found.runs, 21)
    excluded = [one.run_id for one in found.runs.excluded]
    self.assertEqual(excluded, [f'runs:{i}' for i in (23, 24, 25, 26)])
    for name in excluded:
      self.assertIn(name, text)
    self.assertTrue(found.isoflop.ok)

  def test_one_budget(self):
    found, text = self.analyzed(self.good(budgets=[4e14]))
    statuses = {name: fit.status for name, fit in found.approaches.items()}
    self.assertEqual(
      statuses,
      {
        'envelope': Status.TOO_FEW_POINTS,
        'isoflop': Status.TOO_FEW_POINTS,
        'chinchilla': Status.NOT_IDENTIFIED,
      },
    )
    rows = re.findall(r'^\| +(\d, \w+) +\| (.*) \|$', text, re.M)
    for name, row in rows:
      for cell in row.replace(' ', '').split('|'):
        self.assertIn(cell, set(statuses.values()), name)
    for name in ('targets', 'hold_out', 'parametric'):
      self.assertFalse((self.out / f'{name}.csv').exists())

  def test_one_run(self):
    found, text = self.analyzed(self.good(budgets=[4e14], models=1))
    self.assertIsNone(found.headline)
    self.assertNotRegex(text, r'\d \[')

  def test_training_losses_that_are_damaged(self):
    studies.write_runs(self.folder / 'runs', studies.NOISE)
    folder = self.folder / 'runs' / 'c1'
    short, torn = folder / 'gpt-2_seed0', folder / 'gpt-3_seed0'
    records.write_npy(short / records.TRAIN_LOSS, np.ones(9, np.float32))
    (torn / records.TRAIN_LOSS).write_bytes(b'no array')
    found, _ = self.analyzed(folder)
    self.assertLen(found.runs, 5)
    problems = {one.run_id for one in found.selection.problems}
    self.assertEqual(problems, {'gpt-2_seed0', 'gpt-3_seed0'})
    self.assertLen(found.envelope.curves, 3)

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
    found, _ = self.analyzed(self.folder / 'runs')
    self.assertLen(found.runs, 13)
    self.assertEqual(
      {one.run_id for one in found.runs.excluded},
      {'c0/gpt-0_seed0', 'c0/gpt-4_seed0'},
    )
    curves = {curve.run_id: curve for curve in found.training_curves}
    self.assertLen(curves, 12)
    self.assertNotIn('c1/gpt-0_seed0', curves)
    self.assertEqual(curves['c1/gpt-4_seed0'].status, Status.NOT_IDENTIFIED)
    in_envelope = {curve.run_id for curve in found.envelope.curves}
    self.assertEqual(in_envelope, set(curves) - {'c1/gpt-4_seed0'})
    first = found.isoflop.budgets[0]
    self.assertEqual(first.status, Status.NO_DEGREES_OF_FREEDOM)


class EndToEndTest(Case):
  def test_run_folders(self):
    known = studies.analyzed()
    found, text = self.analyzed(known.folder)
    # The same runs and seed give the same numbers.
    for name, fit in known.analysis.approaches.items():
      self.assertEqual(found.approaches[name].params, fit.params)
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
    for table in found.tables():
      if table.rows:
        self.assertTrue((self.out / f'{table.name}.csv').exists())

  def test_options_reach_the_fits(self):
    found, text = self.analyzed(
      self.good(), '--level=0.8', '--C=3e16,1e17', '--seed=3',
      '--drop_highest=2', '--bootstrap=runs', '--solver=optimistix',
    )  # fmt: skip
    self.assertEqual(found.level, 0.8)
    self.assertEqual(found.targets, (3e16, 1e17))
    self.assertLen(found.runs, 19)
    asked = found.options.bootstrap
    self.assertEqual((asked.seed, asked.method), (3, 'runs'))
    law = found.chinchilla
    self.assertEqual(
      (law.diagnostics.solver, law.method), ('optimistix', 'runs')
    )
    self.assertRegex(text, r'\| +3e16 \| +2, isoFLOP')
    self.assertRegex(text, r'\| +1e17 \| +3, parametric')

  def test_what_is_printed(self):
    runs = studies.analyzed().folder
    ask = (runs, f'--out={self.out}', DRAWS, '--nofigures')
    _, brief, _ = call(*ask)
    _, all_, _ = call(*ask, '--runs')
    self.assertNotIn('gpt-0_seed1', brief.partition('Approach 2')[0])
    self.assertIn('c0/gpt-0_seed1', all_)
    self.assertLess(len(brief), len(all_))

  @pytest.mark.slow
  def test_in_a_process_with_figures(self):
    runs = studies.analyzed().folder
    found = process(runs, f'--out={self.out}', DRAWS, '--png')
    self.assertEqual((found.returncode, found.stderr), (0, ''))
    self.assertRegex(found.stdout, r'2, isoFLOP +\d')
    names = {path.name for path in self.out.iterdir()}
    self.assertContainsSubset(
      {'fits.json', 'tables.md', 'isoflop.svg', 'isoflop.png'}, names
    )
    page = (self.out / 'index.html').read_text()
    self.assertIn('id="figure-isoflop"', page)
    fits = json.loads((self.out / 'fits.json').read_text())
    a = fits['laws']['isoflop']['N_opt']['exponent']
    self.assertBetween(LAW.exponent_N, a['low'], a['high'])


if __name__ == '__main__':
  absltest.main()
