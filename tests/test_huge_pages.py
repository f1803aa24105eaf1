"""Processes that ask glibc for huge pages, once."""

import os
import pathlib
import subprocess
import sys
import unittest.mock

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.training import huge_pages

ON_REQUEST = 'always [madvise] never\n'


class HugePagesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = pathlib.Path(self.create_tempdir().full_path)
    self.setting = folder / 'enabled'
    self.enter_context(
      unittest.mock.patch.object(huge_pages, '_SETTING', self.setting)
    )

  @parameterized.parameters(
    (ON_REQUEST, '', 'glibc.malloc.hugetlb=1'),
    (ON_REQUEST, 'glibc.malloc.check=3',
     'glibc.malloc.check=3:glibc.malloc.hugetlb=1'),
    (ON_REQUEST, 'glibc.malloc.hugetlb=0', None),  # a person's own choice
    ('[always] madvise never\n', '', None),
    ('always madvise [never]\n', '', None),
    (None, '', None),  # no such file: not Linux
  )  # fmt: skip
  def test_asks_where_it_helps(self, setting, given, expected):
    if setting is not None:
      self.setting.write_text(setting)
    with unittest.mock.patch.dict(os.environ, {'GLIBC_TUNABLES': given}):
      found = huge_pages.environment().get('GLIBC_TUNABLES')
    self.assertEqual(found, expected)

  def test_program_starts_anew_once_with_its_arguments(self):
    self.setting.write_text(ON_REQUEST)
    script = self.create_tempfile(
      'script.py',
      'import os, pathlib, sys\n'
      'from scaling_jax.training import huge_pages\n'
      f'huge_pages._SETTING = pathlib.Path({str(self.setting)!r})\n'
      'print("started", os.getpid())\n'
      'huge_pages.ask()\n'
      'print(sys.argv[1:], os.environ["GLIBC_TUNABLES"], __debug__)\n',
    ).full_path
    environment = {k: v for k, v in os.environ.items() if k != 'GLIBC_TUNABLES'}
    done = subprocess.run(
      [sys.executable, '-O', script, '--a=b c', 'd'],
      capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    first, second, last = done.stdout.splitlines()
    self.assertEqual(first, second)  # twice, and the process is the same
    self.assertEqual(last, "['--a=b c', 'd'] glibc.malloc.hugetlb=1 False")


if __name__ == '__main__':
  absltest.main()
