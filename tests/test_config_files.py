"""Configs by their paths: read, refused, and listed."""

import os
import pathlib
import sys

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.errors import UserError
from scaling_jax.training import config_files

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONFIG = """
import ml_collections
from configs import common
def get_config(arg=None):
  c = ml_collections.ConfigDict({'experiment': 'mine', 'arg': arg})
  c.C = common.C
  return c
"""


class ConfigFilesCase(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    (self.root / 'configs').mkdir()

  def write(self, name, text):
    path = self.root / 'configs' / name
    path.write_text(text)
    return str(path)

  def refused(self, given, flag=''):
    with self.assertRaises(UserError) as caught:
      config_files.load(given, flag)
    message = str(caught.exception)
    self.assertLen(message.splitlines(), 1)
    return message


class LoadTest(ConfigFilesCase):
  def test_our_own(self):
    path = str(ROOT / 'configs' / 'c0.py')
    self.assertLen(config_files.load(path).models, 4)
    self.assertEqual(config_files.load(f'{path}:gpt-2').models, ('gpt-2',))
    self.assertEqual(
      config_files.load(f'{path}:gpt-2,seeds=3').seeds, (0, 1, 2)
    )

  def test_it_may_import_its_neighbours(self):
    self.write('__init__.py', '')
    self.write('common.py', 'C = 1e12')
    path = self.write('mine.py', CONFIG)
    before = list(sys.path)
    ours = {n: m for n, m in sys.modules.items() if n.startswith('configs')}
    for name in ours:
      del sys.modules[name]
    try:
      found = config_files.load(f'{path}:a,b=1')
    finally:
      for name in [n for n in sys.modules if n.startswith('configs')]:
        del sys.modules[name]
      sys.modules.update(ours)
    self.assertEqual((found.C, found.arg), (1e12, 'a,b=1'))
    self.assertEqual(sys.path, before)

  @parameterized.parameters(
    ('def get_config(arg=None):\n  return {}', 'dict'),
    ('x = 1', 'get_config'),
    ('import nothing_of_this_name', 'nothing_of_this_name'),
    ('def get_config(arg=None', 'SyntaxError'),
    ('def get_config(arg=None):\n  return open("/nowhere/at/all")', 'No such file'),
    ('def get_config(arg=None):\n  raise KeyError("lr")', "KeyError: 'lr'"),
  )  # fmt: skip
  def test_what_is_no_config(self, text, part):
    path = self.write('mine.py', text)
    message = self.refused(path, 'config')
    self.assertStartsWith(message, f'--config={path} ')
    self.assertIn(part, message)

  def test_what_the_config_refuses(self):
    message = self.refused(str(ROOT / 'configs' / 'c0.py') + ':gpt-9')
    self.assertStartsWith(message, "unknown model 'gpt-9'")

  def test_what_cannot_be_read(self):
    self.assertIn('no such file', self.refused('nowhere.py'))
    self.assertIn('folder', self.refused(str(self.root)))
    self.assertIn('.py', self.refused(self.write('mine.txt', 'x')))
    self.assertStartsWith(self.refused(''), "'' cannot be read")
    self.assertStartsWith(self.refused('c.py', 'design'), '--design=c.py ')


class NeighboursTest(ConfigFilesCase):
  def setUp(self):
    super().setUp()
    before = os.getcwd()
    self.addCleanup(os.chdir, before)
    os.chdir(self.root)

  def test_those_beside_it(self):
    for name in ('b.py', 'a.py', 'common.py'):
      self.write(name, 'def get_config(arg=None):\n  return 1\n')
    self.write('setup.py', '')
    both = ['configs/a.py', 'configs/b.py']
    self.assertEqual(config_files.neighbours('configs/c.py'), both)
    self.assertEqual(config_files.neighbours('elsewhere/c.py'), both)
    path = self.root / 'configs' / 'c.py'
    self.assertEqual(
      config_files.neighbours(path), [str(self.root / x) for x in both]
    )

  def test_a_checkout_s_where_there_is_none(self):
    for name in config_files.neighbours('c.py'):
      self.assertTrue(pathlib.Path(name).is_file(), name)
    stems = {pathlib.Path(x).stem for x in config_files.neighbours('c.py')}
    self.assertContainsSubset({'c0', 'c1', 'c2', 'quickstart'}, stems)
    self.assertNotIn('common', stems)

  def test_the_near_ones_are_suggested(self):
    for name in ('large.py', 'small.py', 'quickstart.py'):
      self.write(name, 'def get_config(arg=None):\n  return 1\n')
    message = config_files.unreadable('configs/smal.py:x', 'config')
    self.assertEndsWith(message, 'try configs/small.py')
    everything = config_files.unreadable('configs/zzzzzz.py')
    self.assertEndsWith(
      everything,
      'try configs/large.py or configs/quickstart.py or configs/small.py',
    )


if __name__ == '__main__':
  absltest.main()
