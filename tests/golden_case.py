"""Texts that people read, held against files in tests/golden.

The files alone hold wording. They show real numbers, which other tests check
and which may differ in their last digits on other machines: here a number is
as good as any other. UPDATE_GOLDEN=1 rewrites them.
"""

import os
import pathlib
import re

from absl.testing import absltest

FOLDER = pathlib.Path(__file__).parent / 'golden'
UPDATE = 'UPDATE_GOLDEN'
_NUMBER = re.compile(r'[-+]?\d[\d,.]*(e-?\d+)?[KMBTQ]?\b|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+')


class GoldenCase(absltest.TestCase):
  """A test case that knows the golden files."""

  maxDiff = None

  def golden(self, name: str, text: str) -> None:
    """Fails unless a text reads as its file does, but for numbers."""
    path = FOLDER / f'{name}.txt'
    text = text.rstrip() + '\n'
    if os.environ.get(UPDATE):
      FOLDER.mkdir(exist_ok=True)
      path.write_text(text)
    self.assertTrue(path.exists(), f'{path} is missing; set {UPDATE}=1')
    self.assertEqual(words(text), words(path.read_text()), f'see {UPDATE}')


def words(text: str) -> list[str]:
  """Lines without numbers, and without the spaces that align them."""
  return [
    ' '.join(_NUMBER.sub('#', line).split()) for line in text.splitlines()
  ]
