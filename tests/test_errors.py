"""Errors that a person reads, and the names that come near theirs."""

import contextlib
import io

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax import errors

KNOWN = ('a100', 'h100', 'h200', 'tpu-v4', 'GPT-3')


class SuggestTest(parameterized.TestCase):
  @parameterized.parameters(
    ('h10', ['h100', 'h200', 'a100']),
    ('gpt-3', ['GPT-3']),  # as it is spelled
    ('GPT3', ['GPT-3']),
    ('TPU v4', ['tpu-v4']),
    ('a100', ['a100', 'h100', 'h200']),
    ('xyz', []),
    ('', []),
  )
  def test_near_names(self, given, expected):
    self.assertEqual(errors.suggest(given, KNOWN), expected)

  def test_how_many_and_how_near(self):
    self.assertEqual(errors.suggest('h10', KNOWN, n=1), ['h100'])
    self.assertEqual(errors.suggest('h10', KNOWN, cutoff=0.7), ['h100'])

  def test_names_that_differ_in_case_alone(self):
    self.assertEqual(errors.suggest('n', ('N', 'n')), ['n', 'N'])
    self.assertEqual(errors.suggest('N', ('n', 'N'), n=1), ['N'])

  def test_nothing_is_known(self):
    self.assertEqual(errors.suggest('a', iter(())), [])


class GuardedTest(absltest.TestCase):
  def run_main(self, main):
    """Exit code and stderr; None where it returned."""
    shown, code = io.StringIO(), None
    with contextlib.redirect_stderr(shown):
      try:
        errors.guarded(main, ['prog', 'x'], 'prog.py', 'stopped; start again')
      except SystemExit as stopped:
        code = stopped.code
    return code, shown.getvalue()

  def test_nothing_goes_wrong(self):
    seen = []
    self.assertEqual(self.run_main(seen.append), (None, ''))
    self.assertEqual(seen, [['prog', 'x']])

  def test_what_a_person_got_wrong(self):
    def main(argv):
      raise errors.UserError(f'{argv[1]} is no number; try 3')

    code, shown = self.run_main(main)
    self.assertEqual(code, 2)
    self.assertEqual(shown, 'prog.py: x is no number; try 3\n')

  def test_ctrl_c(self):
    def silent(_):
      raise KeyboardInterrupt

    def telling(_):
      raise KeyboardInterrupt('stopped with 1 of 2 done')

    self.assertEqual(
      self.run_main(silent), (130, 'prog.py: stopped; start again\n')
    )
    self.assertEqual(
      self.run_main(telling), (130, 'prog.py: stopped with 1 of 2 done\n')
    )

  def test_a_mistake_of_the_program_keeps_its_traceback(self):
    def main(_):
      raise ValueError('not for a person')

    with self.assertRaisesRegex(ValueError, 'not for a person'):
      self.run_main(main)


if __name__ == '__main__':
  absltest.main()
