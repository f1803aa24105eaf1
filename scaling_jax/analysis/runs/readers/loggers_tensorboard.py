"""The event files that TensorBoard shows: one run for each folder of them."""

from collections.abc import Iterable, Iterator, Sequence
import math
import struct
from typing import Any

from etils import epath
import numpy as np

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.readers.wire import Message
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

KIND = 'TensorBoard'
PATTERN = '*tfevents*'

# Of TensorFlow's DataType: the layout of a tensor's bytes.
_DTYPES = {1: '<f4', 2: '<f8', 3: '<i4', 9: '<i8', 19: '<f2'}
_BFLOAT16 = 14
# Where a tensor's values stand if they are no bytes.
_VALUES = {1: (5, '<f4'), 2: (6, '<f8')}
_HPARAMS = '_hparams_/session_start_info'

# [k] of step and value by tag
_Points = dict[str, list[tuple[int, float]]]


def is_events(data: bytes) -> bool:
  """Whether the bytes of a file open as those of an event file do."""
  if len(data) < 24:
    return False
  (length,) = struct.unpack_from('<Q', data)
  return 9 <= length < 256 and data[12:13] == b'\x09' and (
    b'brain.Event:' in data[12 : 12 + length]
  )  # fmt: skip


def read(paths: Sequence[epath.Path], *, name: str, run_id: str) -> Sheet:
  """The event files of one run as a sheet of one line.

  Args:
    paths: later files go on where earlier ones were at their first step, as a
      run does that was restarted.
    name: of the sheet.
    run_id: of the run.

  Returns:
    A sheet with run_id, the last value by tag, hyperparameters by name and
    Step, the last one.

  Raises:
    UserError: they hold no scalars.
  """
  points: _Points = {}
  settings: dict[str, Any] = {}
  for data in sorted((p.read_bytes() for p in paths), key=_first_time):
    for tag, step, value in _scalars(data, settings):
      known = points.setdefault(tag, [])
      # Steps that come again were lost when the run was restarted.
      while known and known[-1][0] >= step:
        known.pop()
      known.append((step, value))
  if not points:
    where = str(paths[0].parent if len(paths) > 1 else paths[0])
    raise UserError(messages.no_scalars(where))
  record = {
    'run_id': run_id,
    **settings,
    **{tag: known[-1][1] for tag, known in points.items()},
    'Step': max(known[-1][0] for known in points.values()),
  }
  evaluations = _evaluations(points)
  return Sheet(
    name=name,
    stem=run_id,
    kind=KIND,
    columns=tuple(record),
    lines=(Line(1, {key: cells.text(value) for key, value in record.items()}),),
    evaluations={} if evaluations is None else {1: evaluations},
  )


def frames(data: bytes) -> Iterator[bytes]:
  """The records of a file in TensorFlow's framing; a cut-off end is left out.

  Each is its length in 8 bytes, 4 of a checksum, the record, and 4 of another.
  """
  at = 0
  while at + 12 <= len(data):
    (length,) = struct.unpack_from('<Q', data, at)
    if at + 16 + length > len(data):
      return
    yield data[at + 12 : at + 12 + length]
    at += 16 + length


def _events(data: bytes) -> Iterator[Message]:
  for frame in frames(data):
    try:
      yield Message(frame)
    except ValueError:
      return


def _first_time(data: bytes) -> float:
  return next((event.number(1) for event in _events(data)), 0.0)


def _scalars(
  data: bytes, settings: dict[str, Any]
) -> Iterator[tuple[str, int, float]]:
  """Tag, step and value; hyperparameters are put into `settings`."""
  for event in _events(data):
    found = []
    try:
      for value in event.message(5).messages(1):
        if value.text(1) == _HPARAMS:
          settings |= _hyperparameters(value)
        found.append((value.text(1), _scalar(value)))
    except ValueError:  # damaged
      continue
    for tag, number in found:
      if number is not None:
        yield tag, event.whole(2), number


def _scalar(value: Message) -> float | None:
  """A number, whether the first or the second TensorFlow wrote it."""
  if 2 in value:
    return value.number(2)
  if 8 not in value:
    return None
  tensor = value.message(8)
  dtype, content = tensor.whole(1), tensor.bytes(4)
  if dtype in _VALUES and not content:
    field, layout = _VALUES[dtype]
    content = b''.join(tensor.all_bytes(field))
    return _only(np.frombuffer(_whole_part(content, layout), layout))
  if dtype == _BFLOAT16 and len(content) == 2:
    return struct.unpack('<f', b'\0\0' + content)[0]
  if dtype in _DTYPES:
    layout = _DTYPES[dtype]
    return _only(np.frombuffer(_whole_part(content, layout), layout))
  return None


def _whole_part(content: bytes, layout: str) -> bytes:
  return content[: len(content) - len(content) % np.dtype(layout).itemsize]


def _only(values: np.ndarray) -> float | None:
  return float(values[0]) if len(values) == 1 else None


def _hyperparameters(value: Message) -> dict[str, Any]:
  """What the plugin of hyperparameters keeps: a map of names to values."""
  start = value.message(9).message(1).message(2).message(3)
  out: dict[str, Any] = {}
  for entry in start.messages(1):
    given = entry.message(2)
    if 2 in given:
      out[entry.text(1)] = given.number(2)
    elif 3 in given:
      out[entry.text(1)] = given.text(3)
    elif 4 in given:
      out[entry.text(1)] = bool(given.whole(4))
  return out


def _evaluations(points: _Points):
  loss = cells.validation_loss(points)
  if not loss:
    return None
  seen = dict(points.get(cells.tokens(points), []))
  return cells.evaluations(
    (step, value, seen.get(step, math.nan)) for step, value in points[loss]
  )


def paths_in(folder: epath.Path) -> list[epath.Path]:
  """The event files right in a folder, by name."""
  found: Iterable[epath.Path] = folder.glob(PATTERN)
  return sorted(path for path in found if path.is_file())
