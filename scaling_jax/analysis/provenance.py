"""How the runs were made, from the config.json that each of them left.

What can't be read is said to be unknown: a law needs losses alone, and other
projects' tables come without configs.
"""

from collections.abc import Iterable, Sequence
import json
import math
from typing import Any, NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.rows import Point

# Stated for each run in its record, so that they need no list of their own.
_OF_THE_RUN = ('seed', 'experiment')


class _Made(NamedTuple):
  """One run's config.json, in parts that are {} where it has none."""

  run_id: str
  settings: dict[str, Any]
  versions: dict[str, Any]
  devices: str
  corpus: dict[str, Any]


def made(points: Sequence[Point]) -> dict[str, Any]:
  """The part of fits.json named made (docs/fits.md)."""
  found, unknown = [], []
  for point in points:
    try:
      found.append(_read(point))
    except (OSError, ValueError) as error:
      unknown.append({'run_id': point.run_id, 'reason': str(error)})
  names = sorted({name for run in found for name in run.settings})
  settings = {
    name: _grouped((run.run_id, run.settings.get(name)) for run in found)
    for name in names
    if name not in _OF_THE_RUN
  }
  versions = sorted({name for run in found for name in run.versions})
  devices = {run.run_id: run.devices for run in found}
  corpora = _grouped((run.run_id, run.corpus or None) for run in found)
  wall_s = [p.wall_s for p in points]
  return {
    'n_known': len(found),
    'unknown': unknown,
    'common': {
      name: groups[0]['value']
      for name, groups in settings.items()
      if len(groups) == 1
    },
    'differing': [
      {'name': name, 'values': groups}
      for name, groups in settings.items()
      if len(groups) > 1
    ],
    'versions': {
      name: _grouped((run.run_id, run.versions.get(name)) for run in found)
      for name in versions
    },
    'devices': _grouped(
      (p.run_id, p.device or devices.get(p.run_id) or None) for p in points
    ),
    'seeds': sorted({p.seed for p in points}),
    'datasets': sorted({p.dataset for p in points if p.dataset}),
    'corpus': _largest([group['value'] for group in corpora]),
    'wall_s': sum(wall_s) if all(map(math.isfinite, wall_s)) else None,
  }


def _largest(corpora: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
  """The corpus of all runs, whole where some had a part of it; else None.

  Of several, such as contexts of two lengths, none is that of all runs.
  """
  most: dict[str, Any] | None = None
  for corpus in corpora:
    if corpus is None:
      return None
    if most is None or _tokens(corpus) > _tokens(most):
      most = corpus
  alike = {**most, 'train_tokens': None} if most else None
  same = (c and {**c, 'train_tokens': None} == alike for c in corpora)
  return most if all(same) else None


def _tokens(corpus: dict[str, Any]) -> float:
  tokens = corpus.get('train_tokens')
  return tokens if isinstance(tokens, (int, float)) else 0.0


def _read(point: Point) -> _Made:
  """What a run's config.json says.

  Raises:
    OSError, ValueError: there is none to read; the message says why.
  """
  if not point.folder:
    raise ValueError('no whole run folder was given')
  path = epath.Path(point.folder) / records.CONFIG
  if not path.exists():
    raise ValueError(f'its folder holds no {records.CONFIG}')
  try:
    content = records.read_json(path)
  except ValueError as error:
    raise ValueError(f'its {records.CONFIG} is no JSON') from error
  parts = content if isinstance(content, dict) else {}
  settings = _part(parts, 'identity') or _part(parts, 'config')
  if not settings:
    raise ValueError(f'its {records.CONFIG} states no settings')
  devices = parts.get('devices')
  return _Made(
    point.run_id,
    records.flatten(settings),
    _part(parts, 'versions'),
    devices if isinstance(devices, str) else '',
    _part(parts, 'corpus'),
  )


def _part(parts: dict[str, Any], name: str) -> dict[str, Any]:
  part = parts.get(name)
  return part if isinstance(part, dict) else {}


def _grouped(pairs: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
  """[{value, run_ids}]: which runs share a value, in the order of the runs."""
  groups: dict[str, dict[str, Any]] = {}
  for run_id, value in pairs:
    key = json.dumps(value, sort_keys=True)
    group = groups.setdefault(key, {'value': value, 'run_ids': []})
    group['run_ids'].append(run_id)
  return list(groups.values())
