"""Where text comes from: a file, or a folder of .txt files, read in pieces."""

from collections.abc import Iterator
from typing import Protocol

from etils import epath

from scaling_jax.errors import UserError

_PIECE = 1 << 24  # characters


class Source(Protocol):
  """Text that can be read more than once, in pieces."""

  description: str

  def pieces(self) -> Iterator[str]: ...


def _texts_below(folder: epath.Path) -> Iterator[epath.Path]:
  for path in sorted(folder.iterdir()):
    if path.is_dir():
      yield from _texts_below(path)
    elif path.suffix == '.txt':
      yield path


class TextSource:
  """A UTF-8 text file, or the .txt files below a folder in the order of names.

  Line ends are read as '\\n', as Python reads text. A file of a folder that
  does not end with one is given one, so that its last line stays a line.
  """

  def __init__(self, path: epath.PathLike):
    path = epath.Path(path).expanduser()
    if not path.exists():
      raise UserError(
        f'{path} does not exist: it must be a text file or a folder of'
        ' .txt files; check the path'
      )
    self._files = [path]
    if path.is_dir():
      self._files = list(_texts_below(path))
      if not self._files:
        raise UserError(
          f'{path} has no .txt files: a folder must hold at least one;'
          ' check the path, or name a text file'
        )
    self._ends_lines = path.is_dir()
    self.description = path.name

  def pieces(self) -> Iterator[str]:
    for file in self._files:
      last = ''
      try:
        with file.open('r', encoding='utf-8') as stream:
          while piece := stream.read(_PIECE):
            last = piece[-1]
            yield piece
      except UnicodeDecodeError as error:
        raise UserError(
          f'{file} is not UTF-8 ({error.reason} near byte {error.start}): text'
          ' must be UTF-8; convert it, with iconv for example'
        ) from error
      if self._ends_lines and last not in ('', '\n'):
        yield '\n'
