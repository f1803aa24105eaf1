"""python -m scaling_jax.planner as a person meets it."""

import contextlib
import io
import json
import math
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.planner import __main__ as planner

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAPTOP = '--peak_tflops=11.36 --mfu=1 --days=7 --tokens=73584077'


def ask(line: str) -> str:
  return planner.run(line.split())


def as_json(case: absltest.TestCase, line: str):
  def no_constant(name):
    case.fail(f'{name} is no JSON')

  return json.loads(ask(f'{line} --json'), parse_constant=no_constant)


class JsonTest(parameterized.TestCase):
  def test_a_plan_for_machines(self):
    made = as_json(self, f'plan {LAPTOP}')
    self.assertAlmostEqual(made['have']['C'] / 6.87e18, 1, 3)
    self.assertEqual(list(made['laws']), ['hoffmann', 'besiroglu', 'kaplan'])
    law = made['laws']['besiroglu']
    self.assertEqual(law['binds'], 'tokens')
    self.assertEqual(law['D']['value'], 73_584_077)
    self.assertAlmostEqual(
      law['seconds']['value'], law['C']['value'] / 11.36e12
    )
    # A thousand times below the least of its runs, 1.4e18 FLOPs.
    self.assertIsNone(law['N']['low'])
    self.assertEqual(law['beyond']['what'], 'C')
    self.assertGreater(law['beyond']['factor'], 1e3)
    self.assertIsNone(made['laws']['hoffmann']['N']['low'])

  def test_the_time_on_a_device_without_days(self):
    made = as_json(self, 'plan --flops=1e20 --device=h100 --mfu=0.5')
    seconds = made['laws']['kaplan']['seconds']['value']
    self.assertAlmostEqual(seconds, 1e20 / (989.4e12 / 2), delta=1)

  def test_a_corpus_is_counted(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'a.txt'
    path.write_text('abcdefghi\n' * 100_000)
    made = as_json(self, f'plan --corpus={path} --law=besiroglu')
    self.assertEqual(made['have']['tokens'], 900_000)
    self.assertEqual(
      made['have']['token'], {'kind': 'characters', 'vocab_size': 10}
    )

  @parameterized.parameters(
    'models', 'devices', f'config {ROOT}/configs/c0.py',
    f'design {ROOT}/configs/c0.py',
  )  # fmt: skip
  def test_every_question(self, line):
    self.assertNotEmpty(as_json(self, line))

  def test_an_argument_with_a_comma(self):
    made = as_json(self, f'design {ROOT}/configs/c0.py:gpt-0,seeds=3')
    self.assertEqual(made['n_runs'], 3)

  def test_a_design_without_a_law_is_still_json(self):
    made = as_json(self, f'design {ROOT}/configs/c0.py:gpt-0')
    half = made['approaches']['parametric']['half_widths']['alpha']
    self.assertEqual(half, {'value': None, 'low': None, 'high': None})
    self.assertTrue(math.isfinite(made['target']))
    self.assertEqual(made['worth'], {})


class RefusedTest(parameterized.TestCase):
  @parameterized.parameters(
    ('plan', '--flops='),
    ('plan --device=h100', '--days='),
    ('plan --days=3', '--days=3'),
    ('plan --epochs=2 --flops=1e9', '--epochs=2'),
    ('plan --flops=-1', '--flops=-1'),
    ('plan --flops=0', '--flops=0'),
    ('plan --tokens=nan', '--tokens=nan'),
    ('plan --tokens=1e9 --corpus=x', '--corpus=x'),
    ('plan --flops=1e300', '1e32'),
    ('plan --tokens=1e200', '1e18'),
    ('plan --device=h100 --days=1e20', '1e32'),
    ('plan --device=h100 --peak_tflops=1 --days=1', '--peak_tflops=1'),
    ('plan --flops=1e32 --law=besiroglu', '1.3e31'),
    ('plan --flops=1e7 --law=besiroglu', '1.4e9'),
    ('plan --tokens=3', '1e2'),
    ('plan --tokens=900 --law=kaplan', 'N is 0.0'),
    ('plan --flops=1e20 --law=kaplan,kaplan', '--law=kaplan,kaplan'),
    ('plan --device=h1000 --days=1', '--device=h100'),
    ('plan --flops=1e20 --law=hofman', '--law=hoffmann'),
    ('plan --flops=1e20 --tokens_per_step=0', '--tokens_per_step=0'),
    ('plan --flops=1e20 --block_size=0', '--block_size=0'),
    ('plan --flops=1e20 --level=1', '--level=1'),
    ('plan --law=kaplan', '--flops='),
    ('design configs/c0.py --noise=0', '--noise=0'),
    ('design configs/c0.py --noise=0.001 --seed_noise=0.1', '--noise=0.001'),
    ('design configs/c0.py --law=kaplan', '--law=besiroglu'),
    ('design configs/c0.py --law=kaplan,hoffmann', '--law=kaplan,hoffmann'),
    ('design configs/c0.py --level=1', '--level=1'),
    ('design configs/c0.py --seed=-1', '--seed=-1'),
    ('config nowhere.py', 'configs/c0.py'),
  )
  def test_one_line_names_what_is_wrong(self, line, named):
    with self.assertRaises(UserError) as raised:
      ask(line)
    self.assertIn(named, str(raised.exception))
    self.assertNotIn('\n', str(raised.exception))


class ProgramTest(parameterized.TestCase):
  def run_program(self, line, code=0):
    found = subprocess.run(
      [sys.executable, '-m', 'scaling_jax.planner', *line.split()],
      cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    self.assertEqual(found.returncode, code, found.stderr)
    return found

  @parameterized.parameters('--help', 'plan --help', 'design -h')
  def test_help(self, line):
    found = self.run_program(line)
    self.assertIn('examples:', found.stdout)
    self.assertEqual(found.stderr, '')

  @parameterized.parameters('plan --flops=x', 'plan --noise=3', 'plan', '7')
  def test_bad_input_is_one_line_and_exit_code_2(self, line):
    found = self.run_program(line, 2)
    self.assertLen(found.stderr.strip().splitlines(), 1)
    self.assertStartsWith(found.stderr, 'scaling_jax.planner: ')

  def test_an_old_spelling_names_the_new_one(self):
    found = self.run_program('--devices --json')
    self.assertNotEmpty(json.loads(found.stdout))
    self.assertLen(found.stderr.strip().splitlines(), 1)
    new = 'python -m scaling_jax.planner devices --json\n'
    self.assertEndsWith(found.stderr, new)

  def test_both_spellings_print_the_same(self):
    out = io.StringIO()
    with (
      contextlib.redirect_stdout(out),
      contextlib.redirect_stderr(io.StringIO()),
    ):
      planner.main(['planner', '--flops=1e20', '--law=hoffmann'])
    self.assertEqual(
      out.getvalue(), ask('plan --flops=1e20 --law=hoffmann') + '\n'
    )


if __name__ == '__main__':
  absltest.main()
