"""The command line of the planner, read."""

import contextlib
import inspect
import io

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.planner import api
from scaling_jax.planner import arguments
from scaling_jax.planner import old_spellings
from scaling_jax.planner.arguments import COMMANDS
from scaling_jax.planner.arguments import FLAGS


class ParseTest(parameterized.TestCase):
  def test_only_what_was_given_comes_out(self):
    found = arguments.parse(['plan', '--flops=1e20', '--count', '8'])
    self.assertEqual(found, ('plan', {'flops': 1e20, 'count': 8}, False))

  def test_configs_may_stand_among_flags(self):
    found = arguments.parse(
      ['design', 'a.py', '--noise=0.01', 'b.py:gpt-0,seeds=3', '--json']
    )
    self.assertEqual(found.values['configs'], ['a.py', 'b.py:gpt-0,seeds=3'])
    self.assertEqual(found.values['noise'], 0.01)
    self.assertTrue(found.json)

  def test_lists_and_other_spellings_of_flags(self):
    found = arguments.parse(['plan', '-law=kaplan,a/b.json', '--peak-tflops=1'])
    self.assertEqual(
      found.values, {'law': ['kaplan', 'a/b.json'], 'peak_tflops': 1.0}
    )

  @parameterized.parameters(
    ('plan --noise=0.01', 'design'),
    ('design a.py --flops=1e20', 'plan'),
    ('models --days=3', 'plan'),
    ('devices --law=kaplan', 'models'),
  )
  def test_a_flag_of_another_question_names_it(self, line, command):
    with self.assertRaises(UserError) as raised:
      arguments.parse(line.split())
    self.assertIn(f'{arguments.PROGRAM} ', str(raised.exception))
    self.assertIn(command, str(raised.exception))

  @parameterized.parameters(
    ('plan --flop=1e20', '--flops'),
    ('plan --tokenizr=char', '--tokenizer'),
    ('design a.py --seednoise=0.1', '--seed_noise'),
    ('pln --flops=1e20', 'plan'),
    ('desing a.py', 'design'),
    ('configs/c0.py', 'config configs/c0.py'),
    ('', 'plan'),
    ('plan --flops', '--flops=5.76e23'),
    ('plan --flops=x', '--flops=5.76e23'),
    ('plan --count=1.5', '--count=8'),
    ('plan --flops=1 --flops=2', '--flops'),
    ('plan --corpus=', 'corpus=FOLDER'),
    ('plan --law=', 'law=besiroglu'),
    ('plan 7', "'7'"),
    ('config', 'configs/c0.py'),
    ('design', 'configs/c0.py'),
    ('config a.py b.py', "'b.py'"),
    ('config a.py --x=1', '--json'),
  )
  def test_one_line_names_what_to_do(self, line, advice):
    with self.assertRaises(UserError) as raised:
      arguments.parse(line.split())
    self.assertIn(advice, str(raised.exception))
    self.assertNotIn('\n', str(raised.exception))

  @parameterized.parameters('', *COMMANDS)
  def test_help_shows_every_flag_and_example(self, name):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as end:
      arguments.parse([*name.split(), '--help'])
    self.assertEqual(end.exception.code, 0)
    shown = [COMMANDS[name]] if name else COMMANDS.values()
    for command in shown:
      for part in (command.help, *command.examples):
        self.assertIn(part, out.getvalue())
    for flag in COMMANDS[name].flags if name else ():
      self.assertIn(f'--{flag}=', out.getvalue())

  def test_every_example_is_read(self):
    for name, command in COMMANDS.items():
      for example in command.examples:
        found = arguments.parse([name, *example.split()])
        self.assertEqual(found.command, name)


class ApiTest(absltest.TestCase):
  def test_every_flag_is_an_argument_of_the_api(self):
    machine = set(inspect.signature(api.Machine).parameters)
    for name in ('plan', 'design', 'models'):
      known = set(inspect.signature(getattr(api, name)).parameters)
      known |= machine if name == 'plan' else set()
      self.assertLessEqual(set(COMMANDS[name].flags), known)

  def test_messages_are_spelled_as_flags(self):
    names = ' '.join(f'{name}=1' for name in FLAGS)
    flags = ' '.join(f'--{name}=1' for name in FLAGS)
    self.assertEqual(arguments.as_flags(names), flags)
    for text in ('a.py:seeds=2', '--flops=1', 'x/law=1', 'C=6e13'):
      self.assertEqual(arguments.as_flags(text), text)


class OldSpellingsTest(parameterized.TestCase):
  @parameterized.parameters(
    ('--flops=1e20 --law=kaplan', 'plan --flops=1e20 --law=kaplan'),
    ('--device h100 --days 7 --json', 'plan --device h100 --days 7 --json'),
    ('--days=3', 'plan --days=3'),
    ('--models', 'models'),
    ('--models --json', 'models --json'),
    ('--devices', 'devices'),
    ('--config=configs/c0.py', 'config configs/c0.py'),
    ('--config configs/c0.py --json', 'config configs/c0.py --json'),
    ('--json --design=a.py,b.py', 'design a.py b.py --json'),
    (
      '--design=a.py,b.py:gpt-0,seeds=3 --noise=0.01',
      'design a.py b.py:gpt-0,seeds=3 --noise=0.01',
    ),
  )
  def test_they_become_new_ones(self, old, new):
    self.assertTrue(old_spellings.is_old(old.split()))
    self.assertEqual(old_spellings.translate(old.split()), new.split())
    self.assertIn(f'{arguments.PROGRAM} {new}', old_spellings.note(old.split()))
    arguments.parse(new.split())

  @parameterized.parameters('', 'plan --flops=1', '--help', '--nothing=3', '7')
  def test_what_is_none(self, line):
    self.assertFalse(old_spellings.is_old(line.split()))

  @parameterized.parameters(
    ('--models --devices', '--devices'),
    ('--models --flops=1', '--flops'),
    ('--design=', 'configs/c0.py'),
    ('--config', 'configs/c0.py'),
  )
  def test_two_questions_or_none(self, line, named):
    with self.assertRaises(UserError) as raised:
      old_spellings.translate(line.split())
    self.assertIn(named, str(raised.exception))


if __name__ == '__main__':
  absltest.main()
