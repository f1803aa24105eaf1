"""Runs of Weights & Biases: files of its offline mode, and its server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import json
import math
import struct
from typing import Any

from etils import epath

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.readers.wire import Message
from scaling_jax.analysis.runs.sheet import Evaluations
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

KIND = 'W&B run'
KIND_OF_PROJECT = 'W&B project'
MAGIC = b':W&B'

_BLOCK = 1 << 15  # bytes
_HEAD = 7  # bytes before a part: its checksum, length and kind
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

_Record = dict[str, Any]


def read(paths: Sequence[epath.Path]) -> list[Sheet]:
  """The run-*.wandb files of runs, each run as a sheet of one line.

  Args:
    paths: of the files, older ones first; a run that was resumed has several.

  Returns:
    Sheets with run_id, Name, State, the settings under their own names, and
    what was logged last.

  Raises:
    UserError: no file holds a run.
  """
  runs: dict[str, _Run] = {}
  names: dict[str, str] = {}
  for path in paths:
    run: _Run | None = None
    for frame in frames(path.read_bytes()):
      try:
        record = Message(frame)
        if run is None and 17 in record:
          run_id = record.message(17).text(1)
          run = runs.setdefault(run_id, _Run(run_id))
          run.exit_code = None
          names.setdefault(run_id, path.name)
        if run is not None:
          run.add(record)
      except ValueError:
        break  # a damaged record, and what comes after it
  if not runs:
    raise UserError(messages.no_wandb_run(str(paths[0])))
  return [
    _sheet([run.record()], [run.history], names[run_id], run_id, KIND)
    for run_id, run in runs.items()
  ]


def wandb_runs(
  project: str, *, histories: bool = False, api: Any = None
) -> Sheet:
  """The runs of a project on the server of Weights & Biases.

  Args:
    project: as 'entity/project'.
    histories: whether to fetch the validation loss of each run on its way too,
      which takes a request or more for each.
    api: a wandb.Api; without it one is made, and who is logged in counts.

  Raises:
    UserError: wandb is not installed, or the project cannot be read.
  """
  if api is None:
    api = _api(project)
  records: list[_Record] = []
  kept: list[list[_Record]] = []
  try:
    for run in api.runs(project):
      summary = {str(k): v for k, v in dict(run.summary).items()}
      head = {'run_id': run.id, 'Name': run.name, 'State': run.state}
      records.append({**head, **_public(run.config), **_public(summary)})
      kept.append(_fetch(run, summary) if histories else [])
  except Exception as error:  # whatever a server may answer
    raise UserError(messages.no_project(project, error)) from error
  if not records:
    raise UserError(messages.no_project(project, 'it has no runs'))
  stem = project.rsplit('/', 1)[-1]
  return _sheet(records, kept, f'wandb:{project}', stem, KIND_OF_PROJECT)


def _api(project: str) -> Any:
  try:
    import wandb
  except ImportError as error:
    raise UserError(
      messages.needs_package(f'wandb:{project}', 'on a server', 'logging')
    ) from error
  try:
    return wandb.Api()
  except Exception as error:  # such as nobody logged in
    raise UserError(messages.no_project(project, error)) from error


def paths_in(folder: epath.Path) -> list[epath.Path]:
  """The *.wandb files of a run's folder, or of a folder of such folders."""
  found = [*folder.glob('*.wandb')]
  for kind in ('offline-run-*', 'run-*'):
    found += folder.glob(f'{kind}/*.wandb')
  return sorted(set(found))


def frames(data: bytes) -> Iterator[bytes]:
  """The records of a file in the framing of LevelDB's log; a cut end is none.

  Blocks of 32 KiB hold parts, each after a checksum, its length and its kind.
  """
  at, parts = _HEAD, b''
  while at + _HEAD <= len(data):
    if _BLOCK - at % _BLOCK < _HEAD:  # too short for a part: filled with zeros
      at += _BLOCK - at % _BLOCK
      continue
    length, kind = struct.unpack_from('<HB', data, at + 4)
    part = data[at + _HEAD : at + _HEAD + length]
    if len(part) < length or kind not in (_FULL, _FIRST, _MIDDLE, _LAST):
      return
    at += _HEAD + length
    parts = part if kind in (_FULL, _FIRST) else parts + part
    if kind in (_FULL, _LAST):
      yield parts


class _Run:
  """What the records of a file say of its run, one after another."""

  def __init__(self, run_id: str) -> None:
    self.run_id = run_id
    self.name = ''
    self.config: _Record = {}
    self.summary: _Record = {}
    self.history: list[_Record] = []
    self.exit_code: int | None = None

  def add(self, record: Message) -> None:
    if 17 in record:
      run = record.message(17)
      self.name = run.text(8) or self.name
      self.config |= _items(run.message(4))
      self.summary |= _items(run.message(5))
    if 5 in record:
      self.config |= _items(record.message(5))
    if 3 in record:
      self.summary |= _items(record.message(3))
    if 2 in record:
      history = record.message(2)
      items = _items(history)
      if 2 in history:
        items.setdefault('_step', history.message(2).whole(1))
      self.history.append(items)
    if 18 in record:
      self.exit_code = record.message(18).whole(1)

  def record(self) -> _Record:
    states = {None: 'running', 0: 'finished'}
    head = {
      'run_id': self.run_id,
      'Name': self.name or self.run_id,
      'State': states.get(self.exit_code, 'crashed'),
    }
    last: _Record = {}
    for items in self.history:
      last |= items
    # The summary may state a best value on purpose.
    return {**head, **_public(self.config), **_public(last | self.summary)}


def _items(holder: Message) -> _Record:
  """The names and values that are kept as a list of items."""
  out: _Record = {}
  for item in holder.messages(1):
    nested = [data.decode('utf-8', 'replace') for data in item.all_bytes(2)]
    name = item.text(1) or '.'.join(nested)
    if name:
      out[name] = _value(item)
  return out


def _value(item: Message) -> Any:
  if 5 in item:
    return item.zigzag(5)
  if 6 in item:
    return item.number(6)
  if 7 in item:
    return item.text(7)
  if 4 in item:
    return bool(item.whole(4))
  try:
    return json.loads(item.text(8) or item.text(16) or 'null')
  except (ValueError, RecursionError):
    return None


def _public(values: Mapping[str, Any]) -> _Record:
  """What a person logged, and the last step; pictures and the like are not."""
  flat = cells.flat({
    key: value
    for key, value in values.items()
    if not (isinstance(value, Mapping) and '_type' in value)
  })  # fmt: skip
  out = {key: value for key, value in flat.items() if not key.startswith('_')}
  if '_step' in flat:
    out['Step'] = flat['_step']
  return out


def _fetch(run: Any, summary: _Record) -> list[_Record]:
  loss, tokens = cells.validation_loss(summary), cells.tokens(summary)
  if not loss:
    return []
  names = [name for name in ('_step', loss, tokens) if name]
  return list(run.scan_history(keys=names))


def _sheet(
  records: list[_Record],
  histories: Iterable[list[_Record]],
  name: str,
  stem: str,
  kind: str,
) -> Sheet:
  columns, plain = cells.lines(records)
  evaluations = {}
  for line, history in zip(plain, histories):
    found = _evaluations(history)
    if found is not None:
      evaluations[line.number] = found
  return Sheet(
    name=name,
    stem=stem,
    kind=kind,
    columns=columns,
    lines=tuple(Line(*line) for line in plain),
    evaluations=evaluations,
  )


def _evaluations(history: list[_Record]) -> Evaluations | None:
  names = list(dict.fromkeys(name for items in history for name in items))
  loss, tokens = cells.validation_loss(names), cells.tokens(names)
  points, seen = [], math.nan
  for items in history:
    if tokens in items:
      seen = cells.number(items[tokens])
    if loss in items:
      step = cells.number(items.get('_step'))
      points.append((step, cells.number(items[loss]), seen))
  return cells.evaluations(points)
