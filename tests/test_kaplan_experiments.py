"""Kaplan's experiments from launch.py to the laws, on the embedded corpus."""

import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
import pytest

from scaling_jax.analysis import kaplan_figures
from scaling_jax.analysis import kaplan_tables

ROOT = pathlib.Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess:
  return subprocess.run(
    [sys.executable, *command], cwd=ROOT, capture_output=True, text=True,
    timeout=1200, env={**os.environ, 'XLA_FLAGS': ''},
  )  # fmt: skip


class SmokeTest(absltest.TestCase):
  @pytest.mark.slow
  def test_every_law_from_three_commands(self):
    folder = self.create_tempdir().full_path
    for name in ('kaplan_n', 'kaplan_nd', 'critical_batch'):
      found = run(
        'launch.py', f'--config=configs/{name}.py:smoke',
        f'--workdir={folder}', '--noanalyze',
      )  # fmt: skip
      self.assertEqual(found.returncode, 0, found.stderr)
    runs = [str(path) for path in pathlib.Path(folder).iterdir()]
    found = run('-m', 'scaling_jax.analysis', *runs, f'--out={folder}/report')
    self.assertEqual(found.returncode, 0, found.stderr)
    fits = json.loads(pathlib.Path(folder, 'report/fits.json').read_text())
    for name in kaplan_tables.LAWS:
      part = fits['laws'][name]
      self.assertEqual(part['status'], 'ok', f'{name}: {part["sentence"]}')
    for name in kaplan_figures.FIGURES:
      self.assertTrue(pathlib.Path(folder, f'report/{name}.svg').exists(), name)
    # The corpus' floor is known, and no power law without one goes below it
    # within the runs.
    for _, L in fits['laws']['kaplan_L_N']['points']:
      self.assertGreater(L, 1.340284)

  def test_a_part_of_the_text_smaller_than_a_block(self):
    folder = self.create_tempdir().full_path
    config = pathlib.Path(folder, 'small.py')
    config.write_text(
      'from configs import kaplan_nd\n'
      'def get_config(arg=None):\n'
      "  c = kaplan_nd.get_config('smoke')\n"
      "  c.sweep['data_fraction'] = (1e-6, 0.1)\n"
      '  return c\n'
    )
    found = run('launch.py', f'--config={config}', f'--workdir={folder}')
    self.assertEqual(found.returncode, 2, found.stderr)
    self.assertNotIn('Traceback', found.stderr)
    self.assertRegex(
      found.stderr,
      r'has 9 tokens \(at data_fraction=1e-06\): it must be longer than a block'
      r' of 16; use more text or a smaller model.block_size',
    )


if __name__ == '__main__':
  absltest.main()
