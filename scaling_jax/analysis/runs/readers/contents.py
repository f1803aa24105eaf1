"""The bytes of a file as text: unpacked, decoded, and refused by name."""

import bz2
import gzip
import io
import lzma
from typing import Any, NamedTuple
import zipfile
import zlib

from scaling_jax.analysis.messages import files as messages
from scaling_jax.errors import UserError

LIMIT = 1 << 30  # bytes: no table of runs is longer

_PACKED: dict[bytes, Any] = {
  b'\x1f\x8b': gzip.open,
  b'BZh': bz2.open,
  b'\xfd7zXZ\0': lzma.open,
}
_ZIP = (b'PK\x03\x04', b'PK\x05\x06')

_CSV = 'save its table as CSV'
_PICKLE = 'a Python pickle, which may run any code when it is opened'
_FROM_PYTHON = 'save it as CSV (df.to_csv)'
_ARRAYS = 'NumPy arrays without column names'
_IMAGE = 'an image'
_UNPACK = 'unpack it and give the table'
# First bytes -> what it is, and what to do.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
  (b'%PDF', 'a PDF', 'copy its table to a CSV'),
  (b'\x89PNG', _IMAGE, 'give the numbers behind it as CSV'),
  (b'\xff\xd8\xff', _IMAGE, 'give the numbers behind it as CSV'),
  (b'GIF8', _IMAGE, 'give the numbers behind it as CSV'),
  (b'\x93NUMPY', _ARRAYS, _FROM_PYTHON),
  (b'SQLite format 3\0', 'an SQLite database', 'export the table as CSV'),
  (b'\x89HDF\r\n', 'an HDF5 file', _FROM_PYTHON),
  (b'\x28\xb5\x2f\xfd', 'compressed by zstandard', _UNPACK),
  (b'7z\xbc\xaf\x27\x1c', 'a 7z archive', _UNPACK),
  (b'Rar!', 'a RAR archive', _UNPACK),
  (b'{\\rtf', 'a rich text document', _CSV),
  (
    b'version https://git-lfs', 'a pointer of Git LFS, not the file itself',
    'fetch it with git lfs pull',
  ),
)  # fmt: skip
_SUFFIXES = {
  '.pkl': (_PICKLE, _FROM_PYTHON),
  '.pickle': (_PICKLE, _FROM_PYTHON),
  '.joblib': (_PICKLE, _FROM_PYTHON),
  '.pt': ('a checkpoint of PyTorch', 'give the records of its training'),
  '.pth': ('a checkpoint of PyTorch', 'give the records of its training'),
  '.ckpt': ('a checkpoint', 'give the records of its training'),
  '.safetensors': ('the weights of a model', 'give the records of its run'),
  '.py': ('a Python file', 'run it, and give the table that it writes'),
  '.ipynb': ('a notebook', _FROM_PYTHON),
  '.yaml': ('a YAML file', _CSV),
  '.yml': ('a YAML file', _CSV),
}
# Part of a member's name -> what a zip archive is.
_MEMBERS: tuple[tuple[str, str, str], ...] = (
  ('word/document.xml', 'a Word document', 'copy its table to a CSV'),
  ('ppt/presentation.xml', 'a presentation', 'copy its table to a CSV'),
  ('content.xml', 'an OpenDocument file', 'save it as .xlsx or CSV'),
  ('.iwa', 'a Numbers file', 'export it as CSV'),
  ('data.pkl', 'a checkpoint of PyTorch', 'give the records of its training'),
)


class Text(NamedTuple):
  """A file's text.

  Attributes:
    text: without a byte order mark; ends of lines as they were.
    windows: whether it had to be taken for cp1252.
  """

  text: str
  windows: bool = False


def unpack(data: bytes, path: str, depth: int = 0) -> bytes:
  """What was compressed, as it was before; other bytes as they are.

  Args:
    data: gzip, bzip2, xz or a zip of one file, whatever its name, is unpacked.
    path: as people are told.
    depth: how often it was unpacked.

  Raises:
    UserError: it is cut off, too big, or an archive of several files.

  >>> unpack(gzip.compress(b'N,D,loss'), 'runs.csv')
  b'N,D,loss'
  """
  if depth > 2:
    return data
  for magic, opened in _PACKED.items():
    if data.startswith(magic):
      try:
        with opened(io.BytesIO(data)) as file:
          inner = file.read(LIMIT + 1)
      except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as e:
        raise UserError(messages.corrupt(path, 'a packed file', e)) from e
      return unpack(_limited(inner, path), path, depth + 1)
  if data.startswith(_ZIP) and not is_excel(data):
    return unpack(_member(data, path), path, depth + 1)
  return data


def is_excel(data: bytes) -> bool:
  """Whether it is a workbook of Excel, of the old or the new kind."""
  if data.startswith(b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'):
    return True
  if not data.startswith(_ZIP):
    return False
  try:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      return any(n.startswith('xl/workbook') for n in archive.namelist())
  except (zipfile.BadZipFile, ValueError):
    return False


def refuse(data: bytes, path: str) -> None:
  """Raises UserError if a file is known for something else than a table."""
  low = path.lower()
  for suffix, (what, remedy) in _SUFFIXES.items():
    if low.endswith(suffix):
      raise UserError(messages.refused(path, what, remedy))
  for magic, what, remedy in _MAGIC:
    if data.startswith(magic):
      raise UserError(messages.refused(path, what, remedy))
  if data[:1] == b'\x80' and data[1:2] in (b'\2', b'\3', b'\4', b'\5'):
    raise UserError(messages.refused(path, _PICKLE, _FROM_PYTHON))
  if data[257:262] == b'ustar':
    raise UserError(messages.refused(path, 'a tar archive', _UNPACK))
  start = data[:1000].decode('utf-8', 'ignore').lstrip('\ufeff \t\r\n').lower()
  if start.startswith(('<!doctype html', '<html', '<head', '<body')):
    remedy = 'download the file itself, not the page that shows it'
    raise UserError(messages.refused(path, 'a web page (HTML)', remedy))
  if start.startswith(('<?xml', '<svg', '<!--')):
    raise UserError(messages.refused(path, 'an XML file', _CSV))


def decode(data: bytes, path: str) -> Text:
  """The text of a file.

  Args:
    data: UTF-8, UTF-16 or UTF-32, each with or without a byte order mark (but
      UTF-32 with it); or cp1252, where that gives plain text.
    path: as people are told.

  Raises:
    UserError: it is no text.

  >>> decode('N\\tD'.encode('utf-16'), 'runs.txt')
  Text(text='N\\tD', windows=False)
  """
  try:
    encoding = _encoding(data)
    text = data.decode(encoding)
    if '\0' in text:
      raise ValueError('a zero byte')
  except UnicodeDecodeError as error:
    text = _of_windows(data)
    if encoding != 'utf-8-sig' or not text:
      raise UserError(messages.no_text(path, error)) from error
    return Text(text, windows=True)
  except ValueError as error:
    raise UserError(messages.no_text(path, error)) from error
  return Text(text)


def _encoding(data: bytes) -> str:
  if data.startswith((b'\xff\xfe\0\0', b'\0\0\xfe\xff')):
    return 'utf-32'
  if data.startswith((b'\xff\xfe', b'\xfe\xff')):
    return 'utf-16'
  # Plain letters in UTF-16 have a zero byte each, always on the same side.
  start = data[:4096]
  half = len(start) / 2
  even, odd = start[::2].count(0), start[1::2].count(0)
  if odd > 0.7 * half and even < 0.05 * half:
    return 'utf-16-le'
  if even > 0.7 * half and odd < 0.05 * half:
    return 'utf-16-be'
  return 'utf-8-sig'


def _of_windows(data: bytes) -> str:
  """The text of bytes in cp1252; '' if it can hardly be text."""
  high = sum(byte > 127 for byte in data)
  control = any(byte < 32 and byte not in b'\t\n\r\f' for byte in data)
  if control or high > 0.2 * len(data):
    return ''
  try:
    return data.decode('cp1252')
  except UnicodeDecodeError:
    return ''


def _member(data: bytes, path: str) -> bytes:
  """The one file of a zip archive."""
  try:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      names = [
        info.filename
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith('__MACOSX/')
      ]
      for part, what, remedy in _MEMBERS:
        if any(name.endswith(part) for name in names):
          raise UserError(messages.refused(path, what, remedy))
      if names and all(name.endswith('.npy') for name in names):
        raise UserError(messages.refused(path, _ARRAYS, _FROM_PYTHON))
      if len(names) != 1:
        raise UserError(messages.several_members(path, names))
      with archive.open(names[0]) as file:
        return _limited(file.read(LIMIT + 1), path)
  except UserError:
    raise
  except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, EOFError,
          NotImplementedError, zlib.error) as e:  # fmt: skip
    raise UserError(messages.corrupt(path, 'a zip archive', e)) from e


def _limited(data: bytes, path: str) -> bytes:
  if len(data) > LIMIT:
    raise UserError(messages.too_big(path, LIMIT))
  return data
