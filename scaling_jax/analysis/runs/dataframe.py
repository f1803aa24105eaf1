"""Runs from a DataFrame, and to one.

pandas' and polars' frames, pyarrow's tables and dicts of arrays are read alike,
a column at a time; none of these is imported to do so.
"""

from collections.abc import Mapping
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import foreign
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.readers import decimals
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import NATS
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.errors import UserError
from scaling_jax.records import Run

if TYPE_CHECKING:
  import pandas as pd

FORMAT = 'DataFrame'
_NAME = f'the {FORMAT}'


def read(df: Any, wanted: Wanted) -> Runs:
  """See `Runs.from_dataframe`."""
  tables = foreign.Tables(wanted)
  tables.add(sheet_of(df))
  if wanted.where and not tables.runs and not tables.excluded:
    raise UserError(checks.no_match(wanted.where, tables.met))
  if not tables.runs:
    raise UserError(checks.no_usable_run(_NAME, tables.excluded))
  runs = [one.run for one in tables.runs]
  names = checks.own_names(run.run_id for run in runs)
  return Runs(
    runs=tuple(run._replace(run_id=name) for run, name in zip(runs, names)),
    counts=_counts(runs, tuple(one.counts for one in tables.runs)),
    excluded=tuple(tables.excluded),
    format=FORMAT,
    unit=tables.units[0][0] if tables.units else NATS,
    sources=tuple(tables.sources),
    notes=tuple(tables.notes),
    extra=tuple(one.extra for one in tables.runs),
    curves=tuple(one.curve for one in tables.runs),
  )


def write(runs: Runs) -> 'pd.DataFrame':
  """See `Runs.to_dataframe`."""
  try:
    import pandas as pd
  except ImportError as error:
    raise UserError(
      'pandas is not installed: to_dataframe() needs it; pip install pandas'
    ) from error
  out = pd.DataFrame([tuple(run) for run in runs], columns=list(Run._fields))
  more = dict.fromkeys(name for extra in runs.extra for name in extra)
  for name in more:
    if name not in out:
      out[name] = [extra.get(name, '') for extra in runs.extra]
  return out


def sheet_of(df: Any) -> Sheet:
  """A DataFrame as a sheet of texts.

  A column that can't be read is no reason to refuse the others: its cells are
  empty.

  Raises:
    UserError: it is no DataFrame, its columns differ in length, or it has no
      row.

  >>> sheet_of({'N': [1e6], 'seed': [0]}).lines[0].cells
  {'N': '1000000.0', 'seed': '0'}
  """
  labels = _labels(df)
  names = [_name(label) for label in labels]
  columns = {
    name: _texts(df, label)
    for name, label in zip(names, labels)
    if names.count(name) == 1
  }
  lengths = {len(texts) for texts in columns.values() if texts is not None}
  if len(lengths) > 1:
    sizes = ', '.join(
      f'{name} {len(texts)}' for name, texts in columns.items() if texts
    )
    raise UserError(
      f'{_NAME} has columns of several lengths ({sizes}): they must have one;'
      ' pass columns of one table'
    )
  n = max(lengths, default=0)
  if not n:
    raise UserError(
      f'{_NAME} has no row: it must have one for each run; give another'
    )
  return Sheet(
    name=_NAME,
    stem='',
    kind=FORMAT,
    columns=tuple(names),
    lines=tuple(
      Line(i, {name: texts[i] for name, texts in columns.items() if texts})
      for i in range(n)
    ),
    word='row',
  )


def _name(label: Any) -> str:
  """A column's name as text; that of several levels is joined by dots."""
  parts = label if isinstance(label, tuple) else (label,)
  return '.'.join(str(part) for part in parts if str(part))


def _labels(df: Any) -> list[Any]:
  # pyarrow's columns are the data, and column_names their names.
  for name in ('column_names', 'columns'):
    names = getattr(df, name, None)
    if names is not None:
      return list(names)
  if isinstance(df, Mapping):
    return list(df)
  raise UserError(
    f'{type(df).__name__} is no {FORMAT}: it must be one of pandas or polars,'
    ' or a dict of arrays; for files use read_runs'
  )


def _texts(df: Any, label: Any) -> list[str] | None:
  """The cells of a column; None where it is none of plain values."""
  try:
    column = df[label]
    values = column.to_numpy() if hasattr(column, 'to_numpy') else column
    values = np.atleast_1d(np.asarray(values))
  except Exception:  # whatever a library of frames may raise
    return None
  if values.ndim != 1:
    return None
  plain = values.tolist()
  texts = [x for x in plain if isinstance(x, str)]
  if decimals.find(texts).comma:
    plain = [decimals.with_point(x) if isinstance(x, str) else x for x in plain]
  return [cells.text(x) for x in plain]


def _counts(runs: list[Run], given: tuple[Counts, ...]) -> tuple[Counts, ...]:
  if all(math.isfinite(r.N_total) and math.isfinite(r.flops) for r in runs):
    return tuple(map(counting.of_run, runs))
  return given
