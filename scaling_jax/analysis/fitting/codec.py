"""Fits as JSON and back: dataclasses by their type hints, arrays in base64.

Draws are kept as float32, which moves an end of an interval by a part in ten
million; everything else is exact. Nothing is executed when a file is read: its
type is looked up among the fits of this package.
"""

import base64
import dataclasses
import enum
import importlib
import json
import math
import types
import typing
from typing import Any

from etils import epath
import numpy as np

from scaling_jax.analysis.fitting import result
from scaling_jax.errors import UserError

SCHEMA = 2
_FITS = {
  'ChinchillaFit': 'chinchilla',
  'IsoflopFit': 'isoflop',
  'EnvelopeFit': 'envelope',
  'PowerLawFit': 'power_law',
  'KaplanFit': 'kaplan',
  'FrontierFit': 'frontier',
  'CriticalBatchFit': 'critical_batch',
  'TrainingCurveFit': 'training_curve',
}
_SPECIAL = {'nan': math.nan, 'inf': math.inf, '-inf': -math.inf}


def dumps(fit: result.FitResult) -> str:
  """A fit as strict JSON."""
  body = {'schema': SCHEMA, 'type': type(fit).__name__, 'fit': encode(fit)}
  return json.dumps(body, allow_nan=False)


def loads(text: str) -> result.FitResult:
  """The fit that `dumps` wrote.

  Raises:
    ValueError: the text is something else.
  """
  body = json.loads(text)
  if not isinstance(body, dict) or body.get('type') not in _FITS:
    raise ValueError('it holds no fit')
  if body.get('schema') != SCHEMA:
    raise ValueError(f'its schema is {body.get("schema")}, not {SCHEMA}')
  module = importlib.import_module(
    f'scaling_jax.analysis.fitting.{_FITS[body["type"]]}'
  )
  return decode(getattr(module, body['type']), body['fit'])


def load_fit(path: epath.PathLike) -> result.FitResult:
  """Reads the file that holds what `fit.to_json()` returned.

  Raises:
    UserError: the file is absent, or holds something else.
  """
  try:
    return loads(epath.Path(path).read_text())
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(
      f'{path} is no fit ({error}): it must hold what fit.to_json() returned;'
      ' for a fits.json use load_analysis'
    ) from error


def encode(value: Any, name: str = '') -> Any:
  """A value as JSON can hold it; `name` is of the field that it stands in."""
  if isinstance(value, np.ndarray):
    return _encode_array(value, name)
  if isinstance(value, np.generic):
    return encode(value.item(), name)
  if dataclasses.is_dataclass(value) and not isinstance(value, type):
    return {
      field.name: encode(getattr(value, field.name), field.name)
      for field in dataclasses.fields(value)
      if field.init
    }
  if isinstance(value, enum.Enum):
    return value.value
  if isinstance(value, tuple) and hasattr(value, '_asdict'):
    pairs = value._asdict().items()
    return {field: encode(item, name or field) for field, item in pairs}
  if isinstance(value, (list, tuple)):
    return [encode(item, name) for item in value]
  if isinstance(value, dict):
    return {key: encode(item, name) for key, item in value.items()}
  if isinstance(value, float) and not math.isfinite(value):
    return str(value)
  return value


def _encode_array(array: np.ndarray, name: str) -> Any:
  if array.dtype.kind in 'iub':
    return {'shape': list(array.shape), 'ints': array.ravel().tolist()}
  kind = '<f4' if 'draws' in name else '<f8'
  with np.errstate(over='ignore'):
    data = np.ascontiguousarray(array, kind)
  text = base64.b64encode(data.tobytes()).decode()
  return {'shape': list(array.shape), 'dtype': kind, 'base64': text}


def _decode_array(value: dict[str, Any]) -> np.ndarray:
  if 'ints' in value:
    return np.array(value['ints'], int).reshape(value['shape'])
  data = np.frombuffer(base64.b64decode(value['base64']), value['dtype'])
  return data.astype(np.float64).reshape(value['shape'])


def decode(hint: Any, value: Any) -> Any:
  """A value of the hinted type from what `encode` made of one."""
  origin = typing.get_origin(hint)
  if origin in (typing.Union, types.UnionType):
    return _decode_union(typing.get_args(hint), value)
  if isinstance(value, dict) and 'shape' in value and hint is not dict:
    return _decode_array(value)
  if origin is tuple:
    return _decode_tuple(typing.get_args(hint), value)
  if origin in (list, dict):
    inner = typing.get_args(hint)
    if origin is list:
      return [decode(inner[0], item) for item in value]
    return {key: decode(inner[1], item) for key, item in value.items()}
  if hint in (float, Any) and isinstance(value, str) and value in _SPECIAL:
    return _SPECIAL[value]
  if hint is float and isinstance(value, int):
    return float(value)
  if isinstance(hint, type):
    return _decode_class(hint, value)
  return value


def _decode_union(hints: tuple[Any, ...], value: Any) -> Any:
  if value is None and type(None) in hints:
    return None
  rest = [hint for hint in hints if hint is not type(None)]
  array = isinstance(value, dict) and 'shape' in value
  if array and np.ndarray in rest:
    return _decode_array(value)
  return decode(rest[0], value)


def _decode_tuple(hints: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
  if len(hints) == 2 and hints[1] is Ellipsis:
    return tuple(decode(hints[0], item) for item in value)
  return tuple(decode(hint, item) for hint, item in zip(hints, value))


def _decode_class(hint: type, value: Any) -> Any:
  if issubclass(hint, enum.Enum):
    return hint(value)
  if dataclasses.is_dataclass(hint) or hasattr(hint, '_fields'):
    hints = typing.get_type_hints(hint)
    return hint(
      **{
        name: decode(hints.get(name, Any), item) for name, item in value.items()
      }
    )
  return value
