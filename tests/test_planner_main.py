"""python -m scaling_jax.planner as a person meets it."""

import contextlib
import io
import json
import math
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import flagsaver
from absl.testing import parameterized

from scaling_jax import errors
from scaling_jax.planner import __main__ as planner
from tests import studies

ROOT = pathlib.Path(__file__).parents[1]
POETRY = '--tokens=73584077'
LAPTOP = '--peak_tflops=11.36 --mfu=1 --days=7'


def ask(arguments):
  """What it prints, in this process."""
  out = io.StringIO()
  saved = flagsaver.save_flag_values(planner.FLAGS)
  try:
    with contextlib.redirect_stdout(out):
      planner._main(planner.FLAGS(['planner', *arguments.split()]))
  finally:
    flagsaver.restore_flag_values(saved, planner.FLAGS)
  return out.getvalue()


class PrintsTest(parameterized.TestCase):
  def test_sanity(self):
    text = ask(f'{LAPTOP} {POETRY}')
    for part in (
      '6.87e+18 FLOPs (0.07952 PF-days)',
      '20 tokens a parameter: 3.679M',
      "Kaplan's bound D >= 5e3 N^0.74: 428,727 parameters",
      'The data bind',
      'N (parameters)', 'D (tokens)', 'loss (nats/token)', 'compute (FLOPs)',
      'compute (PF-days)', 'time on the machine', 'epochs', 'S (steps)',
      'layers, heads, width',
    ):  # fmt: skip
      self.assertIn(part, text)
    for law in ('hoffmann', 'besiroglu', 'kaplan'):
      self.assertIn(law, text)

  def test_the_least_compute_binds(self):
    text = ask('--flops=1e20 --device=h100 --days=7')
    self.assertIn('the least binds: --flops', text)
    text = ask('--flops=1e25 --device=h100 --days=7')
    self.assertIn('the least binds: 7 days of 1 × h100', text)

  def test_a_device_without_days_gives_the_time(self):
    text = ask('--flops=1e20 --device=h100 --mfu=0.5')
    # 1e20 / (989.4e12 / 2) s = 56.1 h
    self.assertIn('2.34 days', text)

  def test_a_corpus_is_counted(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'a.txt'
    path.write_text('abcdefghi\n' * 100)
    text = ask(f'--corpus={path} --law=besiroglu')
    self.assertIn('900: a.txt, 1,000 tokens by char of 10 kinds', text)
    self.assertIn('Your tokens are characters', text)

  def test_one_s_own_law_stands_beside(self):
    from scaling_jax.analysis import study

    folder = pathlib.Path(self.create_tempdir().full_path) / 'mine'
    folder.mkdir()
    study.write(studies.analyzed().fits, folder)
    text = ask(f'--flops=1e16 --law=besiroglu,{folder}/fits.json')
    self.assertRegex(text, r'besiroglu +mine')

  def test_models(self):
    text = ask('--models --law=besiroglu')
    for name in (
      'GPT-3',
      'Gopher',
      'Chinchilla',
      'LLaMA-65B',
      'Llama 3.1 405B',
    ):
      self.assertIn(name, text)
    self.assertRegex(text, r'Chinchilla .*0\.1 %')

  def test_devices(self):
    self.assertRegex(ask('--devices'), r'h100 +989\.4 .*NVIDIA H100 whitepaper')

  def test_config(self):
    text = ask(f'--config={ROOT}/configs/c0.py')
    self.assertRegex(text, r'gpt-2 +997,152 +10,029,056 +4,897')
    self.assertIn('without positions', text)

  def test_design(self):
    text = ask(
      f'--design={ROOT}/configs/quickstart.py --noise=0.001 --level=0.8'
    )
    self.assertIn('18 runs', text)
    self.assertIn('80 % intervals', text)
    self.assertIn('scatter by 0.1 % about the law', text)


class JsonTest(parameterized.TestCase):
  def test_the_same_for_machines(self):
    made = json.loads(ask(f'{LAPTOP} {POETRY} --json'))
    self.assertAlmostEqual(made['have']['C'] / 6.87e18, 1, 3)
    law = made['laws']['besiroglu']
    self.assertEqual(law['binds'], 'tokens')
    self.assertEqual(law['D']['value'], 73_584_077)
    self.assertAlmostEqual(
      law['seconds']['value'], law['C']['value'] / 11.36e12
    )
    self.assertLess(law['N']['low'], law['N']['value'])

  @parameterized.parameters(
    '--models', '--devices', f'--config={ROOT}/configs/c0.py',
    f'--design={ROOT}/configs/c0.py',
  )  # fmt: skip
  def test_every_question(self, arguments):
    def no_constant(name):
      self.fail(f'{name} is no JSON')

    made = json.loads(ask(f'{arguments} --json'), parse_constant=no_constant)
    self.assertNotEmpty(made)

  def test_an_argument_with_a_comma(self):
    made = json.loads(
      ask(f'--design={ROOT}/configs/c0.py:gpt-0,seeds=3 --json')
    )
    self.assertEqual(made['n_runs'], 3)

  def test_a_design_without_a_law_is_still_json(self):
    made = json.loads(ask(f'--design={ROOT}/configs/c0.py:gpt-0 --json'))
    half = made['approaches']['parametric']['half_widths']['alpha']
    self.assertEqual(half, {'value': None, 'low': None, 'high': None})
    self.assertTrue(math.isfinite(made['target']))


class BadInputTest(parameterized.TestCase):
  @parameterized.parameters(
    ('', 'nothing is given.*try --device=h100 --days=7'),
    ('--device=h100', 'says no amount'),
    ('--days=3', '--days is of a device'),
    ('--epochs=2 --flops=1e9', '--epochs is of a text'),
    ('--flops=-1', r'--flops=-1 must be a positive number \(FLOPs\)'),
    ('--flops=0', 'positive number'),
    ('--tokens=nan', 'positive number'),
    ('--tokens=1e9 --corpus=x', 'two of a kind'),
    ('--flops=1e300', 'must be from 1e.06 to 1e.32'),
    ('--tokens=1e200', 'must be from 100 to 1e.18'),
    ('--device=h100 --days=1e20', 'check its exponent'),
    ('--corpus=', '--corpus is empty'),
    ('--design=', '--design is empty'),
    ('--design=,', 'cannot be read'),
    ('--device=h100 --peak_tflops=1 --days=1', 'two of a kind'),
    ('--flops=1e20 --law=kaplan,kaplan', 'two of a kind'),
    ('--device=h1000 --days=1', 'not known.*try h100'),
    ('--flops=1e20 --law=hofman', 'not known.*--law=hoffmann'),
    ('--flops=1e20 --tokens_per_step=0', 'must be at least 1'),
    ('--flops=1e20 --block_size=0', 'must be at least 1'),
    ('--flops=1e20 --law=', '--law is empty'),
    ('--models --devices', 'ask two things'),
    ('--models --flops=1', 'ask two things'),
    ('--design=configs/c0.py --noise=0', 'positive number'),
    (
      '--design=configs/c0.py --noise=0.001 --seed_noise=0.1',
      'at most --noise',
    ),
    ('--design=configs/c0.py --law=kaplan', 'has not the form'),
    ('--design=configs/c0.py --law=kaplan,hoffmann', 'judged near one'),
    ('--design=configs/c0.py --level=1', 'from 0.5 to 0.98'),
    ('--design=configs/c0.py --seed=-1', 'must be 0 or more'),
    ('--config=nowhere.py', 'cannot be read'),
    ('7', "'7' is no flag"),
  )
  def test_one_sentence(self, arguments, message):
    with self.assertRaisesRegex(errors.UserError, message) as raised:
      ask(arguments)
    self.assertNotIn('\n', str(raised.exception))

  def test_help(self):
    found = subprocess.run(
      [sys.executable, '-m', 'scaling_jax.planner', '--help'],
      cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    self.assertEqual(found.returncode, 0, found.stderr)
    for part in ('--flops=5.76e23', '--tokens_per_step', 'Tokens of context'):
      self.assertIn(part, found.stdout)

  @parameterized.parameters(
    ('--flops=1e20 --flops=1e21', '--flops is given 2 times'),
    ('--flops=x', "could not convert string to float: 'x'; see --help"),
    ('--law=kaplan', 'nothing is given'),
  )
  def test_as_a_program(self, arguments, message):
    found = subprocess.run(
      [sys.executable, '-m', 'scaling_jax.planner', *arguments.split()],
      cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    self.assertEqual(found.returncode, 2, found.stderr)
    self.assertRegex(found.stderr, message)
    self.assertLen(found.stderr.strip().splitlines(), 1)
    self.assertStartsWith(found.stderr, 'scaling_jax.planner: ')


if __name__ == '__main__':
  absltest.main()
