"""Runs from a DataFrame, and to one.

pandas' and polars' frames, pyarrow's tables and dicts of arrays are read alike,
a column at a time; none of these is imported to do so.
"""

from collections.abc import Mapping, Sequence
import math
import typing
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling_jax import errors
from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs.table import BITS
from scaling_jax.analysis.runs.table import UNITS
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from scaling_jax.records import Run

if TYPE_CHECKING:
  import pandas as pd

FORMAT = 'DataFrame'

_ALIASES = {'sem': 'val_loss_sem', 'depth': 'n_layer'}
_NAMES = (*Run._fields, 'loss', *_ALIASES)
_SIZES = ('C', 'N', 'D')
_MISSING = {
  'C': messages.no_flops,
  'N': messages.no_parameters,
  'D': messages.no_tokens,
}


def read(
  df: Any, *, columns: Mapping[str, str] | None = None, unit: str
) -> Runs:
  """See `Runs.from_dataframe`."""
  if unit not in UNITS:
    raise UserError(
      f'unit={unit!r} must be the unit of the loss; choose one of'
      f' {", ".join(UNITS)}'
    )
  found = _columns(df, columns or {}, unit)
  n = len(next(iter(found.values())))
  kept, excluded = _finished(found, n)
  sizes = {
    name: _positive(name, found[name], kept)
    for name in (*_SIZES, 'loss')
    if name in found
  }
  notes = [
    _MISSING[name](f'The {FORMAT}') for name in _SIZES if name not in sizes
  ]
  if 'C' not in sizes:
    sizes['C'] = 6 * sizes['N'] * sizes['D']
  elif 'N' not in sizes:
    sizes['N'] = sizes['C'] / (6 * sizes['D'])
  elif 'D' not in sizes:
    sizes['D'] = sizes['C'] / (6 * sizes['N'])
  extra = _extra(df, columns or {}, n)
  runs = _runs(found, sizes, kept, unit)
  if not runs:
    raise UserError(
      f'the {FORMAT} holds no finished run: a row must have the status'
      " 'done', or there must be no column status; give another"
    )
  return Runs(
    runs=tuple(runs),
    counts=_counts(runs),
    excluded=tuple(excluded),
    format=FORMAT,
    unit=unit,
    notes=tuple(notes),
    extra=tuple(extra[i] for i in kept),
  )


def write(runs: Runs) -> 'pd.DataFrame':
  """See `Runs.to_dataframe`."""
  try:
    import pandas as pd
  except ImportError as error:
    raise UserError(
      'pandas is not installed: to_dataframe() needs it; pip install pandas'
    ) from error
  return pd.DataFrame([tuple(run) for run in runs], columns=list(Run._fields))


def _columns(
  df: Any, given: Mapping[str, str], unit: str
) -> dict[str, np.ndarray]:
  """[n] values by our names: the fields of Run, and 'loss'.

  Raises:
    UserError: a column that is needed or named is not there, or there is no
      row.
  """
  there = _names(df)
  source = {name: name for name in _NAMES if name in there}
  for name, theirs in given.items():
    if name not in _NAMES:
      raise UserError(
        f'columns names {name!r}: it must be one of our names, such as N, D, C,'
        f' loss, seed or run_id; {_perhaps(name, _NAMES)}'
      )
    if theirs not in there:
      raise UserError(
        f'columns={{{name!r}: {theirs!r}}} must name a column of the {FORMAT},'
        f' which has {", ".join(there)}; {_perhaps(theirs, there)}'
      )
    source[name] = theirs
  loss = _loss_name(source, given, unit)
  if loss is None or sum(name in source for name in _SIZES) < 2:
    raise UserError(
      f'the {FORMAT} has the columns {", ".join(there)}: a loss and two of C, N'
      " and D must be among them; name yours by columns={'N': ...}"
    )
  out = {'loss': _values(df, source[loss])}
  for name, theirs in source.items():
    if name != 'loss':
      out[_ALIASES.get(name, name)] = _values(df, theirs)
  for name, values in out.items():
    if len(values) != len(out['loss']):
      raise UserError(
        f'{name} has {len(values)} values and the loss {len(out["loss"])}:'
        ' columns must have one length; pass columns of one table'
      )
  if not len(out['loss']):
    raise UserError(
      f'the {FORMAT} has no row: it must have one for each run; give another'
    )
  return out


def _extra(df: Any, given: Mapping[str, str], n: int) -> list[dict[str, str]]:
  """[n] the text of the other cells of each row, by column.

  Our own table has none but those that were added to it. A column that can't be
  read is no reason to refuse the others.
  """
  there = _names(df)
  ours = {theirs: name for name, theirs in given.items()}
  taken = {*_SIZES, 'loss', 'val_loss', 'val_bpb'}
  if set(records.REQUIRED) <= set(there):
    taken |= {*Run._fields}
  out: list[dict[str, str]] = [{} for _ in range(n)]
  for name in dict.fromkeys(there):
    if ours.get(name, name) in taken or there.count(name) > 1:
      continue
    try:
      found = {name: _values(df, name)}
    except UserError:
      continue
    if len(found[name]) == n:
      for i, cells in enumerate(out):
        cells[ours.get(name, name)] = _text(found, name, i)
  return out


def _perhaps(name: str, names: Sequence[str]) -> str:
  near = errors.suggest(name, names, cutoff=0.6)
  return f'try {" or ".join(near)}' if near else 'rename it'


def _loss_name(
  source: Mapping[str, str], given: Mapping[str, str], unit: str
) -> str | None:
  """The name that the loss goes by: one of `columns`, before any other."""
  in_bits = ('val_bpb',) if unit == BITS else ()
  order = ('loss', *in_bits, 'val_loss')
  named = [name for name in order if name in given]
  there = [name for name in order if name in source]
  return next(iter([*named, *there]), None)


def _names(df: Any) -> list[str]:
  # pyarrow's columns are the data, and column_names their names.
  for name in ('column_names', 'columns'):
    names = getattr(df, name, None)
    if names is not None:
      return [str(x) for x in names]
  if isinstance(df, Mapping):
    return [str(x) for x in df]
  raise UserError(
    f'{type(df).__name__} is no {FORMAT}: it must be one of pandas or polars,'
    ' or a dict of arrays; for files use read_runs'
  )


def _values(df: Any, name: str) -> np.ndarray:
  try:
    column = df[name]
    values = column.to_numpy() if hasattr(column, 'to_numpy') else column
    values = np.atleast_1d(np.asarray(values))
  except Exception as error:  # whatever a library of frames may raise
    raise UserError(
      f'column {name!r} cannot be read ({error}): it must be one column of a'
      f' {FORMAT} in memory; collect or convert it first'
    ) from error
  if values.ndim != 1:
    raise UserError(
      f'column {name!r} has the shape {values.shape}: it must be one column of'
      ' plain values; rename the others of this name'
    )
  return values


def _finished(
  found: dict[str, np.ndarray], n: int
) -> tuple[list[int], list[Excluded]]:
  """The rows whose status, if there is one, is 'done'; and the others."""
  kept, excluded = [], []
  for i in range(n):
    status = _text(found, 'status', i) or 'done'
    if status == 'done':
      kept.append(i)
      continue
    reason = messages.not_done(status)
    name = _text(found, 'run_id', i) or f'run {i}'
    excluded.append(Excluded(name, reason, Exclusion.NOT_DONE))
  return kept, excluded


def _positive(name: str, column: np.ndarray, kept: Sequence[int]) -> np.ndarray:
  """[kept] of a column that must hold positive numbers."""
  out = []
  for i in kept:
    try:
      value = float(column[i])
    except (TypeError, ValueError):
      value = math.nan
    if not 0 < value < math.inf:
      raise UserError(
        f'{name}={column[i]} in row {i} must be a positive number; drop the row'
        ' or correct it'
      )
    out.append(value)
  return np.array(out)


def _runs(
  found: dict[str, np.ndarray],
  sizes: dict[str, np.ndarray],
  kept: Sequence[int],
  unit: str,
) -> list[Run]:
  hints = typing.get_type_hints(Run)
  others = [name for name in Run._fields if name in found and name not in sizes]
  loss_name = 'val_bpb' if unit == BITS else 'val_loss'
  runs = []
  for row, i in enumerate(kept):
    fields: dict[str, Any] = {}
    for name in others:
      if hints[name] is str:
        fields[name] = _text(found, name, i)
      else:
        fields[name] = _number(found[name][i], hints[name] is int)
    fields |= {name: float(sizes[name][row]) for name in _SIZES}
    fields[loss_name] = float(sizes['loss'][row])
    fields['status'] = 'done'
    fields['run_id'] = fields.get('run_id') or f'run {i}'
    run = Run(**fields)
    if math.isnan(run.tokens_per_step) and run.S:
      run = run._replace(tokens_per_step=run.D / run.S)
    runs.append(run._replace(tokens_per_param=run.D / run.N))
  names = checks.own_names(run.run_id for run in runs)
  return [run._replace(run_id=name) for run, name in zip(runs, names)]


def _number(value: Any, whole: bool) -> records.Amount:
  """A value that may be missing or senseless: then it is nan, or 0 if whole."""
  try:
    number = float(value)
  except (TypeError, ValueError):
    number = math.nan
  if not math.isfinite(number):
    return 0 if whole else math.nan
  return int(number) if whole else number


def _text(found: dict[str, np.ndarray], name: str, i: int) -> str:
  """A cell of text; '' where there is none."""
  value = found[name][i] if name in found else None
  try:
    missing = value is None or bool(value != value)  # nan
  except TypeError:  # pandas' NA is neither
    missing = True
  return '' if missing else str(value).strip()


def _counts(runs: Sequence[Run]) -> tuple[Counts, ...]:
  if all(math.isfinite(r.N_total) and math.isfinite(r.flops) for r in runs):
    return tuple(map(counting.of_run, runs))
  return counting.without_repetition(
    [counting.given(run.N, run.D, run.C) for run in runs]
  )
