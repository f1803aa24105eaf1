"""The table behind a chart of Weights & Biases: runs side by side."""

from collections.abc import Sequence
import math
from typing import NamedTuple

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs import columns as names_of_columns
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.sheet import Evaluations
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet

KIND = 'W&B chart'

_LOW, _HIGH, _BETWEEN = '__MIN', '__MAX', ' - '
_STEPS = ('Step', '_step', 'global_step', 'trainer/global_step')


class _Series(NamedTuple):
  """A column of a chart: what was measured of a run."""

  column: str
  run: str
  metric: str


def is_chart(columns: Sequence[str]) -> bool:
  """Whether columns are those of a chart: 'run - loss' with __MIN and __MAX.

  The chart of a single run leaves its name out.

  >>> is_chart(['Step', 'a - loss', 'a - loss__MIN', 'a - loss__MAX'])
  True
  >>> is_chart(['Name', 'State', 'loss'])
  False
  """
  there = set(columns)
  return any({c + _LOW, c + _HIGH} <= there for c in columns)


def read(sheet: Sheet) -> Sheet:
  """One line for each run of a chart: what was measured last of it.

  Args:
    sheet: the table as it was found.

  Returns:
    A sheet with run_id, Name, the metrics by their own names, each with its
    last value, and the last step (or what else the chart has for its x axis).
    What the validation loss was on the way is in `evaluations`.
  """
  axis = sheet.columns[0]
  series = _series(sheet)
  by_run: dict[str, list[_Series]] = {}
  for one in series:
    by_run.setdefault(one.run, []).append(one)
  lines, evaluations = [], {}
  records: list[dict[str, str]] = []
  for number, (run, members) in enumerate(by_run.items(), 1):
    record = {'run_id': run, 'Name': run}
    for one in members:
      values = [x for x in _column(sheet, one.column) if math.isfinite(x)]
      name = 'Step' if one.metric == '_step' else one.metric
      record[name] = cells.text(values[-1]) if values else ''
    reached = [
      x
      for x, row in zip(_column(sheet, axis), sheet.lines)
      if any(row.cells.get(one.column, '') for one in members)
    ]
    x_name = 'Step' if axis in _STEPS else axis
    record.setdefault(x_name, cells.text(reached[-1]) if reached else '')
    records.append(record)
    found = _evaluations(sheet, axis, members)
    if found is not None:
      evaluations[number] = found
  columns = tuple(dict.fromkeys(name for record in records for name in record))
  lines = [
    Line(i, {name: record.get(name, '') for name in columns})
    for i, record in enumerate(records, 1)
  ]
  return Sheet(
    name=sheet.name,
    stem=sheet.stem,
    kind=KIND,
    columns=columns,
    lines=tuple(lines),
    evaluations=evaluations,
    notes=_notes(sheet, series),
  )


def _notes(sheet: Sheet, series: Sequence[_Series]) -> tuple[str, ...]:
  twice = [one.run for one in series if sheet.columns.count(one.column) > 1]
  sampled = messages.sampled_chart(sheet.name)
  if not twice:
    return (sampled,)
  names = tuple(dict.fromkeys(twice))
  return (sampled, messages.runs_of_one_name(sheet.name, names))


def _series(sheet: Sheet) -> list[_Series]:
  """The columns behind the first, without the least and greatest values."""
  out = []
  for column in dict.fromkeys(sheet.columns[1:]):
    if column.endswith((_LOW, _HIGH)):
      continue
    if _BETWEEN in column:
      run, metric = column.rsplit(_BETWEEN, 1)
      out.append(_Series(column, run, metric))
    elif column + _LOW in sheet.columns:
      out.append(_Series(column, sheet.stem, column))
  return out


def _column(sheet: Sheet, name: str) -> list[float]:
  return [cells.number(line.cells.get(name)) for line in sheet.lines]


def _evaluations(
  sheet: Sheet, axis: str, members: Sequence[_Series]
) -> Evaluations | None:
  """The validation loss of a run, or all there is if it is a loss."""
  measured = {one.metric: one.column for one in members}
  loss = cells.validation_loss(measured)
  others = [
    metric
    for metric in measured
    if 'loss' in names_of_columns.words(metric) and metric != '_step'
  ]
  if not loss and len(others) == 1:
    loss = others[0]
  steps = [math.nan] * len(sheet.lines)
  tokens = [math.nan] * len(sheet.lines)
  if '_step' in measured:
    steps = _column(sheet, measured['_step'])
  elif axis in _STEPS:
    steps = _column(sheet, axis)
  if cells.tokens([axis]):
    tokens = _column(sheet, axis)
  if not loss:
    return None
  losses = _column(sheet, measured[loss])
  return cells.evaluations(zip(steps, losses, tokens))
