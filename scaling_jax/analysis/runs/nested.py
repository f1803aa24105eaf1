"""Cells that hold records, as W&B's own example of an export leaves them.

A column `summary` of {'val/loss': 3.2} becomes a column summary.val/loss, be
its cells dicts of a DataFrame, JSON, or Python's way of writing dicts.
"""

from collections.abc import Mapping
import dataclasses
import json
import re
from typing import Any

from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.sheet import Sheet

# Python's texts, and its words that JSON writes otherwise.
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_WORDS = {'None': 'null', 'True': 'true', 'False': 'false', 'nan': 'NaN',
          'inf': 'Infinity'}  # fmt: skip
_WORD = re.compile(r'\b(None|True|False|nan|inf)\b')


def flattened(sheet: Sheet) -> Sheet:
  """The sheet, with a column for each field of the records in its cells.

  >>> from scaling_jax.analysis.runs.sheet import Line
  >>> line = Line(2, {'name': 'a', 'summary': "{'val/loss': 3.2, 'ok': True}"})
  >>> sheet = Sheet(name='a.csv', stem='a', kind='CSV', lines=(line,),
  ...               columns=('name', 'summary'))
  >>> flattened(sheet).lines[0].cells
  {'name': 'a', 'summary.val/loss': '3.2', 'summary.ok': 'True'}
  """
  records = {
    name: found
    for name in dict.fromkeys(sheet.columns)
    if (found := _records(sheet, name)) is not None
  }
  if not records:
    return sheet
  lines = []
  for i, line in enumerate(sheet.lines):
    out: dict[str, str] = {}
    for name, text in line.cells.items():
      if name in records:
        record = cells.flat(records[name][i], f'{name}.')
        out |= {key: cells.text(value) for key, value in record.items()}
      else:
        out[name] = text
    lines.append(line._replace(cells=out))
  names = dict.fromkeys(name for line in lines for name in line.cells)
  kept = [name for name in sheet.columns if name not in records]
  return dataclasses.replace(
    sheet,
    columns=(*kept, *(name for name in names if name not in kept)),
    lines=tuple(lines),
  )


def _records(sheet: Sheet, name: str) -> list[Mapping[str, Any]] | None:
  """A column's records; None where a cell holds anything else."""
  texts = [line.cells.get(name, '').strip() for line in sheet.lines]
  if not any(texts) or not all(x[:1] + x[-1:] in ('', '{}') for x in texts):
    return None
  found = [parse(text) if text else {} for text in texts]
  return None if None in found else found  # type: ignore[return-value]


def parse(text: str) -> Mapping[str, Any] | None:
  """The record that a text writes as JSON or as Python; None if it is none.

  >>> parse("{'lr': 1e-3, 'tags': ['a', None], \\"it's\\": nan}")
  {'lr': 0.001, 'tags': ['a', None], "it's": nan}
  >>> parse('{1, 2}') is None
  True
  """
  for written in (text, _as_json(text)):
    try:
      found = json.loads(written)
    except (ValueError, RecursionError):
      continue
    return found if isinstance(found, dict) else None
  return None


def _as_json(text: str) -> str:
  """Python's literals as JSON has them."""
  out, at = [], 0
  for match in _TEXT.finditer(text):
    out.append(_words_as_json(text[at : match.start()]))
    inner = match[1] if match[1] is not None else match[2]
    out.append(json.dumps(inner.replace("\\'", "'")))
    at = match.end()
  return ''.join((*out, _words_as_json(text[at:])))


def _words_as_json(between: str) -> str:
  """What stands between texts: words, and the brackets of tuples."""
  plain = between.replace('(', '[').replace(')', ']')
  return _WORD.sub(lambda m: _WORDS[m[0]], plain)
