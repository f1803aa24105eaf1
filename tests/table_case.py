"""A folder of its own for each test, and files written into it."""

import pathlib

from absl.testing import parameterized


class TableCase(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def write(self, text, name='table.csv'):
    path = self.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
      path.write_bytes(text)
    else:
      path.write_text(text)
    return path
