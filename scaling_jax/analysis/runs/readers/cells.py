"""Values of any kind as the text of cells, and names of what was measured."""

from collections.abc import Iterable, Mapping, Sequence
import datetime
import json
import math
import re
from typing import Any

import numpy as np

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.sheet import Evaluations
from scaling_jax.analysis.runs.sheet import Line

_MISSING = frozenset(('', 'nan', 'na', 'n/a', '<na>', 'none', 'null', 'nat'))
_HELD_OUT = ('val', 'valid', 'validation', 'eval', 'evaluation', 'test', 'dev')
_LOSSES = ('loss', 'nll', 'ce', 'xent', 'bpb')
_TOKENS = re.compile(
  r'(.*[/._ ])?(n_|num_|total_|train_|trained_|input_|consumed_|seen_)*tokens'
  r'(_seen|_trained|_processed|_consumed|_total)?',
  re.IGNORECASE,
)


def text(value: Any) -> str:
  """A value as a cell: a number so that nothing is lost, '' for none.

  >>> text(2.5), text(40_000_000), text(None), text(float('nan')), text(True)
  ('2.5', '40000000', '', '', 'True')
  >>> text([1, 2]), text(' cosine ')
  ('[1, 2]', 'cosine')
  """
  if hasattr(value, 'item') and getattr(value, 'shape', None) == ():
    value = value.item()
  if value is None:
    return ''
  if isinstance(value, float):
    return '' if math.isnan(value) else repr(value)
  if isinstance(value, datetime.date | datetime.time):
    shown = value.isoformat()
  elif isinstance(value, list | tuple | dict):
    shown = json.dumps(value, default=str)
  else:
    shown = str(value).strip()
  return '' if shown.casefold() in _MISSING else shown


def flat(record: Mapping[Any, Any], prefix: str = '') -> dict[str, Any]:
  """A record without records in it: their names are joined by dots.

  >>> flat({'N': 1, 'config': {'lr': 0.1, 'betas': [0.9, 0.95]}})
  {'N': 1, 'config.lr': 0.1, 'config.betas': [0.9, 0.95]}
  """
  out: dict[str, Any] = {}
  for key, value in record.items():
    name = f'{prefix}{key}'
    if isinstance(value, Mapping):
      out |= flat(value, f'{name}.')
    else:
      out[name] = value
  return out


def lines(
  records: Sequence[Mapping[Any, Any]], first: int = 1
) -> tuple[tuple[str, ...], tuple[Line, ...]]:
  """The columns and lines of records, each a mapping of names to values.

  Args:
    records: need not have the same names.
    first: the number of the first line.

  >>> lines([{'N': 1}, {'N': 2, 'loss': 2.5}])[0]
  ('N', 'loss')
  """
  plain = [flat(record) for record in records]
  names = tuple(dict.fromkeys(name for record in plain for name in record))
  return names, tuple(
    Line(first + i, {name: text(record.get(name)) for name in names})
    for i, record in enumerate(plain)
  )


def validation_loss(names: Iterable[str]) -> str:
  """The name that most likely is the loss on held-out text; '' if none is.

  >>> validation_loss(['train/loss', 'eval/loss', 'eval/loss_std', 'val/loss'])
  'val/loss'
  >>> validation_loss(['train/loss', 'eval/accuracy'])
  ''
  """
  ranked = []
  for name in names:
    words = columns.words(name)
    held = [i for i, word in enumerate(_HELD_OUT) if word in words]
    kinds = [i for i, word in enumerate(_LOSSES) if word in words]
    never = {'std', 'sem', 'min', 'max', 'best', 'aux', 'z', 'train', 'ppl'}
    if held and kinds and not never & set(words):
      ranked.append((kinds[0], held[0], len(words), len(name), name))
  return min(ranked)[-1] if ranked else ''


def tokens(names: Iterable[str]) -> str:
  """The name that most likely counts the tokens trained on; '' if none does.

  >>> tokens(['_step', 'tokens_per_second', 'train/tokens'])
  'train/tokens'
  """
  found = [name for name in names if _TOKENS.fullmatch(name)]
  return min(found, key=len) if found else ''


def evaluations(
  points: Iterable[tuple[float, float, float]],
) -> Evaluations | None:
  """What was measured on the way, in order; None if nothing was.

  Args:
    points: step, loss, and tokens; either of step and tokens may be nan, for
      all. Of two at a step the later counts; a loss that isn't finite doesn't.

  >>> evaluations([(2, 3.5, 20), (1, 4.5, 10), (2, 3.25, 20)]).loss
  array([4.5 , 3.25])
  """
  measured = [point for point in points if math.isfinite(point[1])]
  by_step = any(math.isfinite(step) for step, _, _ in measured)
  kept = {step if by_step else tokens: (step, loss, tokens)
          for step, loss, tokens in measured}  # fmt: skip
  rows = [kept[key] for key in sorted(filter(math.isfinite, kept))]
  if not rows:
    return None
  step, loss, tokens = np.array(rows, float).T
  return Evaluations(step, loss, tokens)


def number(value: Any) -> float:
  """A value as a number; nan if it is none.

  >>> number('2.5'), number(None), number([1])
  (2.5, nan, nan)
  """
  try:
    return float(value)
  except (TypeError, ValueError, OverflowError):
    return math.nan
