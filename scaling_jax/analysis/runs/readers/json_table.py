"""JSON with a record for each run, in any of its usual shapes: Sheets."""

from collections.abc import Mapping, Sequence
import json
import re
from typing import Any

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

KIND = 'JSON'
KIND_OF_LINES = 'JSON lines'

# Lists of what one run was like on its way.
_HISTORIES = frozenset(
  ('history', 'log_history', 'logs', 'evals', 'evaluations', 'checkpoints')
)

_Records = list[Mapping[str, Any]]


def is_json(text: str) -> bool:
  r"""Whether a text opens as JSON does.

  >>> is_json(' {"N": 1}'), is_json('[]'), is_json('N,D\n')
  (True, True, False)
  """
  start = text.lstrip()
  return start.startswith('{') or (
    start.startswith('[') and start[1:].lstrip()[:1] in ('{', '[', ']')
  )


def load(text: str) -> Any:
  """The value of a JSON text, or of None if it is JSON lines.

  Raises:
    ValueError: it is neither.
  """
  try:
    return json.loads(text)
  except RecursionError as error:
    raise ValueError('it is nested too deeply') from error
  except ValueError:
    first = next(line for line in _lines(text) if line.strip())
    if not isinstance(_record(first), Mapping):
      raise
    return None


def read(text: str, path: str, *, name: str, stem: str) -> list[Sheet]:
  r"""The tables of a JSON text.

  Args:
    text: an object on each line; or a list of objects; or an object that holds
      such lists, columns of one length, an object for each run, what pandas
      writes, or the values of a single run. Objects in these are flattened.
    path: as people are told of errors.
    name: of the sheet.
    stem: see `Sheet`.

  Raises:
    UserError: it is no JSON, or none of these.

  >>> text = '{"N": 1e7, "config": {"lr": 0.1}}\n{"N": 2e7}\n'
  >>> read(text, 'a.jsonl', name='a.jsonl', stem='a')[0].lines[0].cells
  {'N': '10000000.0', 'config.lr': '0.1'}
  """
  try:
    value = load(text)
  except ValueError as error:
    raise UserError(messages.no_json(path, error)) from error
  if value is None:
    return [_of_lines(text, name, stem)]
  tables = _tables(value)
  if not tables or not any(tables.values()):
    raise UserError(messages.no_records(path))
  several = len(tables) > 1
  return [
    of_records(
      records,
      name=f'{name} [{key}]' if several else name,
      stem=f'{stem}.{key}' if several else stem,
      kind=KIND,
    )
    for key, records in tables.items()
    if records
  ]


def of_records(
  records: Sequence[Mapping[Any, Any]], *, name: str, stem: str, kind: str
) -> Sheet:
  """Records as a sheet, numbered from 1."""
  columns, lines = cells.lines(records)
  return Sheet(name=name, stem=stem, kind=kind, columns=columns, lines=lines)


def _of_lines(text: str, name: str, stem: str) -> Sheet:
  found: list[tuple[int, Mapping[str, Any], str]] = []
  for number, line in enumerate(_lines(text), 1):
    if not line.strip():
      continue
    try:
      record = _record(line)
    except ValueError as error:
      found.append((number, {}, messages.no_json_line(error)))
      continue
    if isinstance(record, Mapping):
      found.append((number, record, ''))
    else:
      found.append((number, {}, messages.no_record()))
  columns, lines = cells.lines([record for _, record, _ in found])
  return Sheet(
    name=name,
    stem=stem,
    kind=KIND_OF_LINES,
    columns=columns,
    lines=tuple(
      Line(number, line.cells, fault)
      for (number, _, fault), line in zip(found, lines)
    ),
  )


def _lines(text: str) -> list[str]:
  # splitlines() would part a string at every separator that Unicode knows.
  return re.split(r'\r\n|\r|\n', text)


def _record(line: str) -> Any:
  try:
    return json.loads(line)
  except RecursionError as error:
    raise ValueError('it is nested too deeply') from error


def _tables(value: Any) -> dict[str, _Records]:
  """Records by the name they go by; '' where they have none."""
  if isinstance(value, list):
    return {'': _of_list(value)}
  if not isinstance(value, Mapping) or not value:
    return {}
  if {'columns', 'data'} <= set(value):
    return {'': _with_names(value['columns'], value['data'])}
  lists = {k: v for k, v in value.items() if isinstance(v, list) and v}
  of_objects = {k: _of_list(v) for k, v in lists.items()
                if all(isinstance(x, Mapping) for x in v)}  # fmt: skip
  if of_objects:
    beside = {k: v for k, v in value.items() if k not in lists}
    return {
      k: [{**beside, **record} for record in records]
      if k.casefold() in _HISTORIES
      else records
      for k, records in of_objects.items()
    }
  if lists and len({len(v) for v in lists.values()}) == 1:
    same = {k: v for k, v in value.items() if k not in lists}
    return {'': [{**same, **dict(zip(lists, row))}
                 for row in zip(*lists.values())]}  # fmt: skip
  return {'': _of_objects(value)}


def _of_list(value: list[Any]) -> _Records:
  """The records of a list of them, or of lists below a list of names."""
  if value and all(isinstance(x, Mapping) for x in value):
    return value
  if value and all(isinstance(x, list) for x in value):
    return _with_names(value[0], value[1:])
  return []


def _with_names(names: Any, rows: Any) -> _Records:
  if not isinstance(names, list) or not isinstance(rows, list):
    return []
  if not all(isinstance(n, str) for n in names):
    return []
  if not all(isinstance(r, list) and len(r) == len(names) for r in rows):
    return []
  return [dict(zip(names, row)) for row in rows]


def _of_objects(value: Mapping[str, Any]) -> _Records:
  """An object of columns or of runs, both of them objects; or a single run."""
  inner = list(value.values())
  if len(inner) > 1 and all(isinstance(x, Mapping) and x for x in inner):
    common = set.intersection(*(set(x) for x in inner))
    if all(str(key).isdigit() for x in inner for key in x):
      rows = dict.fromkeys(key for x in inner for key in x)
      return [{name: column.get(row) for name, column in value.items()}
              for row in rows]  # fmt: skip
    if len(common) > 1:
      return [{'run_id': key, **record} for key, record in value.items()]
  if all(isinstance(x, list) for x in inner):
    return []
  return [value]
