"""How the runs were made, from the config.json that each of them left.

What can't be read is unknown, and stated so: a law needs losses alone, and
other projects' tables come without configs.
"""

from collections.abc import Iterable, Sequence
import dataclasses
import json
import math

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import recipe
from scaling_jax.analysis.runs.recipe import Corpus
from scaling_jax.analysis.runs.recipe import Value
from scaling_jax.analysis.runs.table import Runs

# Stated for each run in its record, so that they need no list of their own.
_OF_THE_RUN = ('seed', 'experiment')


@dataclasses.dataclass(frozen=True)
class Unknown:
  """A run of which it is not known how it was made, and why not."""

  run_id: str
  reason: str


@dataclasses.dataclass(frozen=True)
class Shared:
  """A value, None where runs have none, and the runs that share it."""

  value: Value
  run_ids: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Setting:
  """A setting by its dotted name, and each of its values among the runs."""

  name: str
  values: tuple[Shared, ...]

  @property
  def value(self) -> Value:
    """The first; the only one of a setting that all runs have in common."""
    return self.values[0].value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provenance:
  """How runs were made.

  Attributes:
    n_described: runs whose config.json was read.
    unknown: the others.
    common: settings of one value.
    differing: settings of several.
    versions: of the code and its libraries.
    devices: value None where unknown.
    seeds: in order.
    datasets: in order.
    corpus: of all runs, whole where some had a part of it; None if unknown, or
      where there are several.
    wall_s: seconds of all runs together; None if unknown.
  """

  n_described: int = 0
  unknown: tuple[Unknown, ...] = ()
  common: tuple[Setting, ...] = ()
  differing: tuple[Setting, ...] = ()
  versions: tuple[Setting, ...] = ()
  devices: tuple[Shared, ...] = ()
  seeds: tuple[int, ...] = ()
  datasets: tuple[str, ...] = ()
  corpus: Corpus | None = None
  wall_s: float | None = None


def of_runs(runs: Runs) -> Provenance:
  """Reads the config.json of each run that has a folder.

  >>> runs = Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4])
  >>> found = of_runs(runs)
  >>> found.n_described, len(found.unknown), found.seeds
  (0, 2, (0,))
  """
  found: dict[str, recipe.ConfigFile] = {}
  unknown = []
  for run, folder in zip(runs.runs, runs.folders):
    try:
      found[run.run_id] = _read(folder)
    except (OSError, ValueError) as error:
      unknown.append(Unknown(run.run_id, str(error)))
  settings = _settings({i: file.settings for i, file in found.items()})
  devices = {i: file.devices for i, file in found.items()}
  wall_s = [run.wall_s for run in runs]
  return Provenance(
    n_described=len(found),
    unknown=tuple(unknown),
    common=tuple(s for s in settings if len(s.values) == 1),
    differing=tuple(s for s in settings if len(s.values) > 1),
    versions=_settings({i: file.versions for i, file in found.items()}),
    devices=_shared(
      (run.run_id, run.device or devices.get(run.run_id) or None)
      for run in runs
    ),
    seeds=tuple(sorted({run.seed for run in runs})),
    datasets=tuple(sorted({run.dataset for run in runs if run.dataset})),
    corpus=_largest([file.corpus for file in found.values()]),
    wall_s=sum(wall_s) if all(map(math.isfinite, wall_s)) else None,
  )


def _read(folder: str) -> recipe.ConfigFile:
  if not folder:
    raise ValueError(messages.no_folder())
  file = recipe.read_config(folder)
  if not file.settings:
    raise ValueError(messages.no_settings())
  return file


def _settings(parts: dict[str, dict[str, Value]]) -> tuple[Setting, ...]:
  """By name, in order; None stands for a run without the setting."""
  names = sorted({name for part in parts.values() for name in part})
  return tuple(
    Setting(name, _shared((i, part.get(name)) for i, part in parts.items()))
    for name in names
    if name not in _OF_THE_RUN
  )


def _shared(pairs: Iterable[tuple[str, Value]]) -> tuple[Shared, ...]:
  """Which runs share a value, in the order of the runs."""
  groups: dict[str, tuple[Value, list[str]]] = {}
  for run_id, value in pairs:
    key = json.dumps(value, sort_keys=True)
    groups.setdefault(key, (value, []))[1].append(run_id)
  return tuple(Shared(value, tuple(ids)) for value, ids in groups.values())


def _largest(corpora: Sequence[Corpus | None]) -> Corpus | None:
  """The corpus of all runs, whole where some had a part of it; else None.

  Of several, such as contexts of two lengths, none is that of all runs.
  """
  most: Corpus | None = None
  for corpus in corpora:
    if corpus is None:
      return None
    tokens = corpus.train_tokens or 0.0
    if most is None or tokens > (most.train_tokens or 0.0):
      most = corpus
  if most is None:
    return None
  alike = dataclasses.replace(most, train_tokens=None)
  same = all(
    corpus is not None
    and dataclasses.replace(corpus, train_tokens=None) == alike
    for corpus in corpora
  )
  return most if same else None
