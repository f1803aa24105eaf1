"""Experiments' configs by their paths, as launch.py takes them."""

import importlib.util
import pathlib
from typing import Any

import ml_collections

from scaling_jax.corpus import dataset
from scaling_jax.errors import UserError
from scaling_jax.training import forecast
from scaling_jax.training import sweep


def load(given: str, flag: str) -> ml_collections.ConfigDict:
  """The config of FILE.py or FILE.py:ARG.

  Args:
    given: the path and its argument.
    flag: that it was given for, for the error.

  Raises:
    UserError: it can't be read, or is no config.
  """
  name, _, arg = given.partition(':')
  path = pathlib.Path(name)
  if not path.is_file() or path.suffix != '.py':
    known = sorted(p.name for p in pathlib.Path('configs').glob('*.py'))
    known = [n for n in known if n != 'common.py']
    raise UserError(
      f'--{flag}={given} cannot be read: it must be a config file; try'
      f' {" or ".join(f"configs/{n}" for n in known) or "configs/c0.py"}, from'
      ' the folder of launch.py'
    )
  spec = importlib.util.spec_from_file_location(f'_planned_{path.stem}', path)
  assert spec is not None and spec.loader is not None
  module = importlib.util.module_from_spec(spec)
  try:
    spec.loader.exec_module(module)
    config = module.get_config(arg or None)
  except UserError:
    raise
  except Exception as error:  # whatever a person's file may raise
    raise UserError(
      f'--{flag}={given} is no config ({error}): it must define'
      ' get_config(arg=None), as configs/c0.py does; look there'
    ) from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise UserError(
      f'--{flag}={given} gives a {type(config).__name__}: its get_config must'
      ' return an ml_collections.ConfigDict; look at configs/c0.py'
    )
  return config


def rows(
  config: ml_collections.ConfigDict, given: str
) -> tuple[list[forecast.Row], str]:
  """What it would train, and what is not known of it, in words or ''."""
  cells = sweep.expand(config)
  data_dir = config.data_dir or _data_beside(given)
  meta: dict[str, Any] | None = None
  missing = ''
  try:
    meta = dataset.load_meta(config.dataset, data_dir)
  except dataset.NotPrepared as error:
    missing = f'What depends on its tokens is not known, because {error}'
  return forecast.rows(cells, meta), missing


def _data_beside(given: str) -> pathlib.Path:
  # launch.py looks beside itself, and configs/ lies there too.
  return pathlib.Path(given.partition(':')[0]).resolve().parent.parent / 'data'
