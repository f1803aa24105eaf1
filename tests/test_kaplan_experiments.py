"""Kaplan's experiments from launch.py to the laws, on the embedded corpus."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
import pytest

from scaling_jax.analysis.study import schema

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
    study = schema.load_analysis(f'{folder}/report').kaplan
    drawn = {path.stem for path in pathlib.Path(folder, 'report').glob('*.svg')}
    status = {law.name: law.status for law in study.laws}
    self.assertLen(status, 12)
    alone = ('L_N', 'L_D', 'L_ND', 'L_C', 'N_opt')
    for name in (f'kaplan_{law}' for law in alone):
      self.assertEqual(status.pop(name), 'ok', name)
      self.assertIn(name, drawn)
    # How a processor rounds decides whether three losses bound the slope of
    # B_crit(L), and without it there is no law at the critical batch size.
    batch = status.pop('critical_batch')
    self.assertIn(batch, ('ok', 'not_identified'))
    self.assertTrue(any(target.ok for target in study.critical_batch.targets))
    self.assertIn('critical_batch_steps', drawn)
    expected = 'ok' if batch == 'ok' else 'too_few_points'
    self.assertEqual(set(status.values()), {expected})
    # The corpus' floor is known, and no power law without one goes below it
    # within the runs.
    for L in study.L_N.y:
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
    self.assertIn('data_fraction=1e-06', found.stderr)


if __name__ == '__main__':
  absltest.main()
