"""docs/formats.md: each example is read, and gives what the page says it does.

A block of console text is an example: `$ cat FILE` is followed by the file's
text, and `$ python -m scaling_jax.analysis ...` by what is printed of what was
taken for what, on lines that may be folded.
"""

import contextlib
import doctest
import pathlib
import re
import shlex

from absl.testing import absltest

from scaling_jax.analysis import flags
from scaling_jax.analysis.runs import points
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.runs.vocabulary import Role

ROOT = pathlib.Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'formats.md').read_text()
PROGRAM = 'python -m scaling_jax.analysis '


def blocks(language):
  return re.findall(rf'^```{language}\n(.*?)^```$', PAGE, re.M | re.S)


def commands(block):
  """(command, what follows it) of a block, in order."""
  joined = block.replace('\\\n', '')
  parts = re.split(r'^\$ (.*)\n', joined, flags=re.M)
  return list(zip(parts[1::2], parts[2::2]))


def sources(arguments):
  """What the program prints of what was taken for what."""
  try:
    rest = flags.FLAGS(['analysis', *arguments])[1:]
    assert flags.OUT.value
    try:
      return run_folders.read_runs(*rest, **flags.reading()).sources
    except points.HoldsPoints:
      return (points.read_points(*rest, **flags.reading()).source,)
  finally:
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
      flags.FLAGS[name].unparse()


def section(title):
  found = re.search(rf'^## {title}\n(.*?)(?=^## |\Z)', PAGE, re.M | re.S)
  assert found is not None, title
  return found[1]


def names(text):
  return re.findall(r'`([^`]+)`', text)


class ExampleTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.enter_context(contextlib.chdir(self.folder))

  def test_console(self):
    examples = blocks('console')
    self.assertGreater(len(examples), 8)
    for block in examples:
      told = 0
      for command, text in commands(block):
        with self.subTest(command):
          if command.startswith('cat '):
            self.assertLessEqual(len(text.splitlines()), 5)
            path = self.folder / command.removeprefix('cat ')
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            continue
          self.assertStartsWith(command, PROGRAM)
          found = sources(shlex.split(command.removeprefix(PROGRAM)))
          self.assertEqual(' '.join(found), ' '.join(text.split()))
          told += 1
      self.assertGreater(told, 0, block)

  def test_python(self):
    examples = blocks('python')
    self.assertGreaterEqual(len(examples), 2)
    for i, text in enumerate(examples):
      test = doctest.DocTestParser().get_doctest(text, {}, f'{i}', None, 0)
      self.assertNotEmpty(test.examples)
      found = doctest.DocTestRunner().run(test)
      self.assertEqual(found.failed, 0, text)


class ListsTest(absltest.TestCase):
  def test_names(self):
    rows = re.findall(
      r'`(\S+)`: ((?:`[^`]+`,?\s*)+)', section('Names that are known')
    )
    for role, known in rows:
      for name in (role, *names(known)):
        with self.subTest(f'{role}: {name}'):
          found = roles.meaning(name)
          self.assertEqual(found and found.role, role)
    told = {role for role, _ in rows}
    self.assertEqual(told, {*map(str, Role)} - {str(Role.FLAG)})

  def test_kinds(self):
    bullets = re.findall(r'^- .*(?:\n  .*)*', section('What is excluded'), re.M)
    told = {*names(' '.join(bullets))}
    self.assertEqual(told, {*map(str, table.INCLUDABLE)})

  def test_links(self):
    for target in re.findall(r'\]\(([^)#]+)', PAGE):
      self.assertTrue((ROOT / 'docs' / target).exists(), target)

  def test_it_is_short(self):
    self.assertLess(len(PAGE.splitlines()), 300)


if __name__ == '__main__':
  absltest.main()
