"""Anyone's file of runs as sheets: what kind of file it is decides its reader.

The first bytes tell the kind; a file's name is not believed.
"""

import dataclasses
import re

from etils import epath

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import contents
from scaling_jax.analysis.runs.readers import delimited
from scaling_jax.analysis.runs.readers import frames
from scaling_jax.analysis.runs.readers import json_table
from scaling_jax.analysis.runs.readers import loggers_chart
from scaling_jax.analysis.runs.readers import loggers_tensorboard
from scaling_jax.analysis.runs.readers import loggers_trainer
from scaling_jax.analysis.runs.readers import loggers_wandb
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

_PLAIN = re.compile(r'version_\d+|logs?|runs?|tb|tensorboard|events')
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
    return _of_folder(path)
  contents.refuse(b'', str(path))
  data = path.read_bytes()
  if data.startswith(loggers_wandb.MAGIC):
    return loggers_wandb.read([path])
  if loggers_tensorboard.is_events(data):
    return [_of_events([path], path.name)]
  data = contents.unpack(data, str(path))
  contents.refuse(data, str(path))
  where, name, stem = str(path), path.name, stem_of(path)
  if frames.kind_of(data):
    return [frames.read_columns(data, where, name=name, stem=stem)]
  if contents.is_excel(data):
    return frames.read_excel(data, where, name=name, stem=stem)
  return _of_text(path, data)


def is_run_folder(folder: epath.PathLike) -> bool:
  """Whether a folder holds what a logger of another project kept of a run.

  >>> folder = epath.Path(getfixture('tmp_path'))
  >>> is_run_folder(folder)
  False
  >>> _ = (folder / 'trainer_state.json').write_text('{}')
  >>> is_run_folder(folder)
  True
  """
  folder = epath.Path(folder)
  return folder.is_dir() and any(
    logger.paths_in(folder)
    for logger in (loggers_trainer, loggers_wandb, loggers_tensorboard)
  )


def is_checkpoint(folder: epath.Path) -> bool:
  """Whether a folder is read with that of its run, above it."""
  folder = epath.Path(folder)
  return folder.match(loggers_trainer.CHECKPOINTS) and bool(
    loggers_trainer.paths_in(folder.parent)
  )


def _of_folder(folder: epath.Path) -> list[Sheet]:
  """The first of what is there; W&B keeps more than TensorBoard."""
  if loggers_trainer.paths_in(folder):
    return [loggers_trainer.read(folder)]
  if paths := loggers_wandb.paths_in(folder):
    return loggers_wandb.read(paths)
  if paths := loggers_tensorboard.paths_in(folder):
    return [_of_events(paths, folder.name)]
  raise UserError(messages.folder(str(folder)))


def _of_events(paths: list[epath.Path], name: str) -> Sheet:
  # Lightning names every folder of events version_0, and others logs.
  folder = epath.Path(paths[0].absolute()).parent
  run_id = folder.name
  if _PLAIN.fullmatch(run_id):
    run_id = f'{folder.parent.name}/{run_id}'
  return loggers_tensorboard.read(paths, name=name, run_id=run_id)


def _of_text(path: epath.Path, data: bytes) -> list[Sheet]:
  if path.name == loggers_trainer.FILE:
    return [loggers_trainer.read(path)]
  text, windows = contents.decode(data, str(path))
  if not text.strip():
    raise UserError(messages.empty(str(path)))
  name, stem = path.name, stem_of(path)
  if json_table.is_json(text):
    sheets = json_table.read(text, str(path), name=name, stem=stem)
  else:
    sheet = delimited.read(text, str(path), name=name, stem=stem)
    chart = loggers_chart.is_chart(sheet.columns)
    sheets = [loggers_chart.read(sheet) if chart else sheet]
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
