"""From an experiment's config to its runs: the product of what it sweeps."""

from collections.abc import Sequence
import copy
import itertools
from typing import Any, NamedTuple

import ml_collections
import numpy as np

from scaling_jax import errors
from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import settings

# What the runs of one experiment share, or list in a place of its own.
_LISTED = {'models': 'config.models', 'seeds': 'config.seeds'}
_SHARED = ('analyze', 'data_dir', 'devices', 'experiment', 'parallel', 'sweep')


class Cell(NamedTuple):
  """One model at one point of the sweep; its seeds are runs.

  Attributes:
    label: the run's name but for its seed: '2x32', or '2x32_C1e11' with every
      swept field in it.
    model: the model's name.
    config: of this cell alone, nothing swept.
  """

  label: str
  model: str
  config: ml_collections.ConfigDict


def expand(config: ml_collections.ConfigDict) -> list[Cell]:
  """Every model at every point of `config.sweep`.

  Fields come in the order of their names, as a ConfigDict keeps them. A field
  makes part of the names of its runs even where it has one value only, so that a
  value added later does not rename what was trained.

  Raises:
    UserError: there is no model or seed, or a swept field is unknown, can't be
      swept, or has no values, or one twice, or one that does not fit.
  """
  _check_lists(config)
  sweep = {name: _plain(config.sweep[name]) for name in config.sweep}
  for name, values in sweep.items():
    _check_field(config, name)
    _check_values(name, values)
  cells = []
  for point in itertools.product(*sweep.values()):
    chosen = dict(zip(sweep, point))
    at = _with_values(config, chosen)
    suffix = ''.join(f'_{_name_part(f, v, sweep)}' for f, v in chosen.items())
    cells += [
      Cell(model + suffix, model, settings.for_model(at, model))
      for model in config.models
    ]
  return cells


def _check_lists(config: ml_collections.ConfigDict) -> None:
  if not config.models:
    raise UserError('models=() is empty: it must name a model; try gpt-0')
  if not config.seeds:
    raise UserError('seeds=() is empty: it must hold a seed; try 0')
  for seed in config.seeds:
    if not isinstance(seed, int) or not 0 <= seed < 1 << 32:
      raise UserError(
        f'seed {seed!r} must be a whole number from 0 to below 2^32; try 0'
      )
  for name in ('models', 'seeds'):
    if len(set(config[name])) < len(config[name]):
      raise UserError(
        f'{name}={tuple(config[name])} holds one twice: each is trained once;'
        f' try {tuple(dict.fromkeys(config[name]))}'
      )


def _check_field(config: ml_collections.ConfigDict, name: str) -> None:
  if name in _LISTED:
    raise UserError(
      f'sweep[{name!r}] is not swept here: {_LISTED[name]} lists them; try'
      f' {_LISTED[name]}=(...)'
    )
  if name == 'C' and config.steps is not None:
    raise UserError(
      f"sweep['C'] changes nothing where steps={config.steps} sets how long runs"
      ' are; set one of the two'
    )
  known = sorted(records.flatten(config.to_dict()))
  known = [n for n in known if n.partition('.')[0] not in (*_LISTED, *_SHARED)]
  if name not in known:
    near = errors.suggest(name, known, n=2)
    raise UserError(
      f'sweep[{name!r}] is no field that can be swept: it must be one that'
      f' configs/common.py declares; try {" or ".join(near or known[:2])}'
    )


def _plain(values: Any) -> Any:
  """NumPy's numbers as Python's own, which their names are made of."""
  if isinstance(values, (list, tuple)):
    return tuple(v.item() if isinstance(v, np.generic) else v for v in values)
  return values


def _check_values(name: str, values: Any) -> None:
  if isinstance(values, str) or not isinstance(values, Sequence) or not values:
    raise UserError(
      f'sweep[{name!r}]={values!r} must be a list of one value or more; try'
      f' ({values or 1!r},)'
      if np.ndim(values) == 0
      else f'sweep[{name!r}] must be a list or tuple of one value or more, not'
      f' {values!r}; try tuple(...)'
    )
  if any(np.ndim(value) for value in values):
    raise UserError(
      f'sweep[{name!r}]={values!r} must hold numbers or strings, each a value of'
      ' one run; take the inner brackets away'
    )
  if len(set(values)) < len(values):
    raise UserError(
      f'sweep[{name!r}]={tuple(values)} holds a value twice: each is one run;'
      f' try {tuple(dict.fromkeys(values))}'
    )


def _with_values(
  config: ml_collections.ConfigDict, values: dict[str, Any]
) -> ml_collections.ConfigDict:
  # The sweep's dotted names can't be copied; the rest is, with its types.
  fields = config.items(preserve_field_references=True)
  config = ml_collections.ConfigDict()
  for name, field in fields:
    if name != 'sweep':
      config[name] = copy.deepcopy(field)
  for name, value in values.items():
    *sections, field = name.split('.')
    section = config
    for inner in sections:
      section = section[inner]
    try:
      section[field] = value
    except TypeError as error:
      raise UserError(
        f'sweep[{name!r}] holds {value!r}, which does not fit:'
        f' {" ".join(str(error).split())}; look at configs/common.py'
      ) from error
  return config


def _name_part(name: str, value: Any, sweep: dict[str, Any]) -> str:
  """A field and its value as part of a folder's name: 'C1e11'."""
  last = name.rpartition('.')[2]
  alike = [other for other in sweep if other.rpartition('.')[2] == last]
  short = last if len(alike) == 1 else name
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    return f'{short}-{value}'.replace('/', '-')
  text = f'{value:g}'
  if float(text) != value:
    text = repr(float(value)).removesuffix('.0')
  return short + text.replace('e+', 'e')
