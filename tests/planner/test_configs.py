"""What configs would train."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from configs import quickstart
from scaling_jax.errors import UserError
from scaling_jax.planner import configs

ROOT = pathlib.Path(__file__).resolve().parents[2]


def config(name):
  return str(ROOT / 'configs' / name)


HOMEWORK = [config(name) for name in ('c0.py', 'c1.py', 'c2.py')]


class PlannedRunsTest(parameterized.TestCase):
  def test_the_homework_s_eleven_runs(self):
    runs = configs.planned_runs(HOMEWORK)
    self.assertLen(runs, 11)
    self.assertEqual(
      [r.row.C for r in runs], [6e13] * 4 + [3e14] * 3 + [6e14] * 4
    )

  def test_seeds_are_runs(self):
    runs = configs.planned_runs([config('c0.py:gpt-1,seeds=3')])
    self.assertEqual(
      [run.run_id for run in runs], [f'gpt-1_seed{i}' for i in range(3)]
    )

  def test_a_config_of_one_s_own(self):
    own = configs.planned_runs([quickstart.get_config()])
    of_file = configs.planned_runs([ROOT / 'configs' / 'quickstart.py'])
    self.assertEqual([r.row for r in own], [r.row for r in of_file])
    self.assertEqual(own[0].config, 'quickstart')

  @parameterized.parameters(
    (['c9.py'], 'c9.py'),
    (['c0.py', 'c0.py'], 'gpt-0_seed0'),
    (['c0.py', 'quickstart.py'], 'gutenberg_poetry and synthetic'),
    (['c0.py:gpt-9'], 'gpt-9'),
    (['common.py'], 'C='),
    ([], 'configs/c0.py'),
  )
  def test_bad_input_is_named(self, names, named):
    with self.assertRaises(UserError) as raised:
      configs.planned_runs([config(name) for name in names])
    self.assertIn(named, str(raised.exception))


class ReadTest(absltest.TestCase):
  def test_the_rows_of_a_config(self):
    found = configs.read(config('c0.py'))
    self.assertEqual(found.experiment, 'c0')
    row = found.rows[2]
    self.assertEqual(
      (row.model, row.N, row.D, row.S), ('gpt-2', 997_152, 10_029_056, 4897)
    )


if __name__ == '__main__':
  absltest.main()
