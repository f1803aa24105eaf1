"""Anyone's file of runs as sheets: what kind of file it is decides its reader.

The first bytes tell the kind; a file's name is not believed.
"""

import dataclasses

from etils import epath

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs import contents
from scaling_jax.analysis.runs import delimited
from scaling_jax.analysis.runs import json_table
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

_PACKED = frozenset(('.gz', '.bz2', '.xz', '.zip'))


def read_sheets(path: epath.PathLike) -> list[Sheet]:
  r"""The tables of a file, or of the folder of a run.

  Args:
    path: text with a delimiter, JSON, Parquet, Excel, the records of Hugging
      Face's Trainer, TensorBoard or Weights & Biases; text may be compressed.

  Raises:
    UserError: it is not there, is something else or has no line.

  >>> path = epath.Path(getfixture('tmp_path')) / 'runs.csv'
  >>> _ = path.write_text('N,D,loss\n1e7,1e9,2.5\n')
  >>> [(sheet.name, sheet.columns) for sheet in read_sheets(path)]
  [('runs.csv', ('N', 'D', 'loss'))]
  """
  path = epath.Path(path)
  if not path.exists():
    raise UserError(messages.not_there(str(path)))
  if path.is_dir():
    raise UserError(messages.folder(str(path)))
  contents.refuse(b'', str(path))
  data = contents.unpack(path.read_bytes(), str(path))
  contents.refuse(data, str(path))
  return _of_text(path, data)


def _of_text(path: epath.Path, data: bytes) -> list[Sheet]:
  text, windows = contents.decode(data, str(path))
  if not text.strip():
    raise UserError(messages.empty(str(path)))
  name, stem = path.name, stem_of(path)
  if json_table.is_json(text):
    sheets = json_table.read(text, str(path), name=name, stem=stem)
  else:
    sheets = [delimited.read(text, str(path), name=name, stem=stem)]
  if windows:
    note = messages.windows_text(name)
    sheets = [
      dataclasses.replace(sheet, notes=(*sheet.notes, note)) for sheet in sheets
    ]
  return sheets


def stem_of(path: epath.Path) -> str:
  """A file's name without what tells its kind.

  >>> stem_of(epath.Path('a/runs.csv.gz')), stem_of(epath.Path('isoflops'))
  ('runs', 'isoflops')
  """
  name = epath.Path(path.name)
  if name.suffix.lower() in _PACKED:
    name = epath.Path(name.stem)
  return name.stem
