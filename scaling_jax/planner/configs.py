"""Experiments' configs: what they would train, and the runs of a design."""

from collections.abc import Sequence
import dataclasses
import os
import pathlib
from typing import Any, NamedTuple, TypeAlias

import ml_collections

from scaling_jax import formatting
from scaling_jax.corpus import dataset
from scaling_jax.errors import UserError
from scaling_jax.training import config_files
from scaling_jax.training import forecast
from scaling_jax.training import sweep

ConfigLike: TypeAlias = str | os.PathLike[str] | ml_collections.ConfigDict

# launch.py looks for data beside itself, where this package lies too.
_DATA = pathlib.Path(__file__).resolve().parents[2] / 'data'


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigForecast:
  """What a config would train.

  Attributes:
    experiment: its name.
    rows: a model at a point of the sweep each.
    missing: what is not known of it, and why; '' where all is.
  """

  experiment: str
  rows: tuple[forecast.Row, ...]
  missing: str = ''

  def to_json(self) -> str:
    """The same for machines; docs/planner.md has its fields."""
    from scaling_jax.planner import schema

    return schema.dumps(schema.of_config(self))

  def __str__(self) -> str:
    parts = [forecast.tables(self.rows), self.missing]
    return '\n\n'.join(filter(None, parts))


class PlannedRun(NamedTuple):
  """A run of a design: its row, its seed, and the config it comes from."""

  row: forecast.Row
  seed: int
  config: str

  @property
  def run_id(self) -> str:
    return f'{self.row.label}_seed{self.seed}'


class _Loaded(NamedTuple):
  """A config, what to call it, and where its data lie."""

  config: ml_collections.ConfigDict
  name: str
  data_dir: pathlib.Path


def _load(given: ConfigLike) -> _Loaded:
  if isinstance(given, ml_collections.ConfigDict):
    return _Loaded(
      given, given.experiment, pathlib.Path(given.data_dir or _DATA)
    )
  name = os.fspath(given)
  config = config_files.load(name)
  # launch.py looks beside itself, and configs/ lies there too.
  beside = pathlib.Path(name.partition(':')[0]).resolve().parent.parent / 'data'
  return _Loaded(config, name, pathlib.Path(config.data_dir or beside))


def read(given: ConfigLike) -> ConfigForecast:
  """What the config of FILE.py or FILE.py:ARG, or a ConfigDict, would train.

  Raises:
    UserError: it can't be read, or is no config.
  """
  return _forecast(_load(given))


def _forecast(loaded: _Loaded) -> ConfigForecast:
  config, missing = loaded.config, ''
  cells = sweep.expand(config)
  meta: dict[str, Any] | None = None
  try:
    meta = dataset.load_meta(config.dataset, loaded.data_dir)
  except dataset.NotPrepared as error:
    missing = f'What depends on its tokens is not known, because {error}'
  return ConfigForecast(
    experiment=config.experiment,
    rows=tuple(forecast.rows(cells, meta)),
    missing=missing,
  )


def planned_runs(
  given: ConfigLike | Sequence[ConfigLike],
) -> list[PlannedRun]:
  """The runs of configs, each a file, FILE.py:ARG, or a ConfigDict.

  Raises:
    UserError: none is given, one can't be read, a run is named twice, or they
      train on different texts.
  """
  if isinstance(given, str | os.PathLike | ml_collections.ConfigDict):
    given = [given]
  if not given:
    raise UserError(
      'no config is given: a design needs one or more; try configs/c0.py'
    )
  loaded = [_load(one) for one in given]
  texts = {one.config.dataset for one in loaded}
  if len(texts) > 1:
    raise UserError(
      f'the configs train on {" and ".join(sorted(texts))}: a law is of one'
      ' text; give configs of one dataset'
    )
  runs = [
    PlannedRun(row, seed, one.name)
    for one in loaded
    for row in _forecast(one).rows
    for seed in one.config.seeds
  ]
  _check_distinct(runs)
  return runs


def _check_distinct(runs: Sequence[PlannedRun]) -> None:
  seen: set[tuple] = set()
  for run in runs:
    alike = (run.run_id, run.row.C, run.row.D)
    if alike in seen:
      raise UserError(
        f'the configs name {run.run_id} at {formatting.flops(run.row.C)} FLOPs'
        ' twice: each run counts once; drop one, or repeat seeds as in'
        f' {run.config.partition(":")[0]}:seeds=2'
      )
    seen.add(alike)
