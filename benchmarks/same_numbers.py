"""Whether two versions of the analysis give the same numbers on the same runs.

python benchmarks/same_numbers.py BEFORE AFTER

BEFORE and AFTER are folders that hold a fits.json each, or folders of such
folders with the same names. Every estimate must agree to nine digits and every
status must be the same; intervals that differ are listed. A file of schema 1 is
read by the names that its fields have now.
"""

from collections.abc import Iterator
import json
import math
import pathlib
import sys
from typing import Any

DIGITS = 1e-9
ENDS = (
  1e-6  # of an interval: its draws pass through float64 sums of other order
)
NAMES = {
  'noise': 'residual_sd',
  'seed_noise': 'seed_sd',
  'conventions': 'counting',
  'bridge': 'kaplan_vs_chinchilla',
  'foretold': 'predicted',
  'left_out': 'excluded',
  'made': 'provenance',
}
# Text for people; and what only one of the versions states.
IGNORED = {
  'sentence', 'message', 'notes', 'state', 'schema', 'source', 'what', 'why',
  'provenance', 'curves', 'at_tokens', 'hull', 'version',
}  # fmt: skip


def main(before: str, after: str) -> int:
  """Compares every pair; returns how many numbers or statuses differ."""
  wrong = 0
  for one, other in pairs(pathlib.Path(before), pathlib.Path(after)):
    old, new = read(one), read(other)
    found = Comparison()
    found.walk('', renamed(old), new)
    if 'curves' in old and 'curves' in new:
      found.walk('curves', renamed(old)['curves'], new['curves'])
    wrong += len(found.wrong)
    print(
      f'{other.parent.name}: {found.estimates} estimates agree within'
      f' {found.largest:.1e}, {found.statuses} statuses; {len(found.wrong)}'
      f' differ; {len(found.moved)} of {found.intervals} intervals moved'
    )
    for line in [*found.wrong, *found.moved]:
      print(f'  {line}')
  return wrong


def pairs(
  before: pathlib.Path, after: pathlib.Path
) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
  if (before / 'fits.json').exists():
    yield before / 'fits.json', after / 'fits.json'
    return
  for one in sorted(before.glob('*/fits.json')):
    other = after / one.parent.name / 'fits.json'
    if other.exists():
      yield one, other


def read(path: pathlib.Path) -> dict[str, Any]:
  return json.loads(path.read_text())


def renamed(value: Any) -> Any:
  """A file of schema 1 by the names of today; others as they are."""
  if isinstance(value, dict):
    out = {NAMES.get(k, k): renamed(v) for k, v in value.items()}
    if 'law' in out and 'inside' in out:
      out['overlap'] = out.pop('inside')
    return out
  if isinstance(value, list):
    return [renamed(item) for item in value]
  return value


class Comparison:
  """What agrees and what does not, gathered while two files are walked."""

  def __init__(self) -> None:
    self.estimates = self.statuses = self.intervals = 0
    self.largest = 0.0
    self.wrong: list[str] = []
    self.moved: list[str] = []

  def walk(self, where: str, old: Any, new: Any) -> None:
    """Compares what both have; what one alone has is another format."""
    if isinstance(old, dict) and isinstance(new, dict):
      if set(new) == {'value', 'low', 'high'}:
        self._interval(where, old, new)
        return
      for name in new.keys() & old.keys() - IGNORED:
        self.walk(f'{where}.{name}', old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list):
      self._list(where, old, new)
    elif where.endswith('.status'):
      self.statuses += 1
      if old != new:
        self.wrong.append(f'{where}: {old} -> {new}')
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)):
      self._number(where, old, new)
    elif old != new and not isinstance(old, str):
      self.wrong.append(f'{where}: {old} -> {new}')

  def _list(self, where: str, old: list, new: list) -> None:
    if where.endswith('.at'):  # a grid before, the targets now
      by_C = {row['C']: row for row in old}
      old = [by_C.get(row['C'], {}) for row in new]
    if len(old) != len(new):
      self.wrong.append(f'{where}: {len(old)} -> {len(new)} entries')
    for i, (one, other) in enumerate(zip(old, new)):
      self.walk(f'{where}[{i}]', one, other)

  def _number(self, where: str, old: float, new: float) -> None:
    if where.endswith(('gradient_norm', 'n_agree')):
      return  # of the search, and not of what was found
    self.estimates += 1
    off = difference(old, new)
    self.largest = max(self.largest, off)
    if off > (1e-6 if where.endswith('condition') else DIGITS):
      self.wrong.append(f'{where}: {old!r} -> {new!r}')

  def _interval(self, where: str, old: dict, new: dict) -> None:
    if None not in (old['value'], new['value']):
      self._number(f'{where}.value', old['value'], new['value'])
    elif old['value'] != new['value']:
      self.wrong.append(f'{where}: {old["value"]} -> {new["value"]}')
    self.intervals += 1
    for end in ('low', 'high'):
      one, other = old[end], new[end]
      if one == other:
        continue
      if None in (one, other) or difference(one, other) > ENDS:
        self.moved.append(f'{where}: {shown(old)} -> {shown(new)}')
        break


def difference(one: float, other: float) -> float:
  """Relative, or absolute where both are near nothing."""
  return abs(one - other) / max(abs(one), abs(other), 1e-12)


def shown(found: dict) -> str:
  ends = (
    '?' if found[k] is None or math.isnan(found[k]) else f'{found[k]:.5g}'
    for k in ('value', 'low', 'high')
  )
  value, low, high = ends
  return f'{value} [{low}, {high}]'


if __name__ == '__main__':
  if len(sys.argv) != 3:
    sys.exit(__doc__)
  sys.exit(min(main(*sys.argv[1:]), 1))
