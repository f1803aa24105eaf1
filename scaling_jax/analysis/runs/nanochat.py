"""nanochat's tables of isoFLOP runs, of both generations.

They name their columns in their own way, and state parameters by group, so
that N and C can be counted in several.
"""

from collections.abc import Mapping
import dataclasses

from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.records import Run

NAME = 'nanochat'
BY_GROUP = 'nanochat (transformer + head)'
_BOTH = frozenset(('flops_budget', 'depth', 'tokens_trained', 'val_bpb'))
_FIRST = _BOTH | {'num_scaling_params'}
_SECOND = _BOTH | {'params_transformer', 'params_lm_head'}
COLUMNS = _FIRST | _SECOND | {'num_params', 'params_total', 'model_dim'}


def generation(columns: Mapping | tuple[str, ...]) -> str:
  """Which of the two a table is by its columns; '' for neither.

  >>> generation(('flops_budget', 'depth', 'num_scaling_params',
  ...             'tokens_trained', 'val_bpb'))
  'nanochat'
  """
  there = {*columns}
  if there >= _FIRST:
    return NAME
  return BY_GROUP if there >= _SECOND else ''


def with_names(sheet: Sheet) -> Sheet:
  """The sheet, with a column N in one of nanochat's; any other as it is."""
  kind = generation(sheet.columns)
  if not kind or 'N' in sheet.columns:
    return sheet
  lines = []
  for line in sheet.lines:
    cells = line.cells
    if kind == NAME:
      N = cells.get('num_scaling_params', '')
    else:
      groups = [
        numbers.parse(cells.get(name, ''))
        for name in ('params_transformer', 'params_lm_head')
      ]
      N = repr(sum(groups))
    lines.append(line._replace(cells={**cells, 'N': N}))
  return dataclasses.replace(
    sheet, kind=kind, columns=(*sheet.columns, 'N'), lines=tuple(lines)
  )


def counts(sheet: Sheet, cells: Mapping[str, str], run: Run) -> Counts | None:
  """How else N and C of a row can be counted; None for another's table."""
  kind = generation(sheet.columns)

  def number(name: str) -> float:
    return numbers.parse(cells.get(name, ''))

  N, D, C = float(run.N), float(run.D), float(run.C)
  if kind == NAME:
    return counting.nanochat(N, D, C, number('num_params'))
  if kind == BY_GROUP:
    return counting.nanochat_by_group(
      number('params_transformer'),
      number('params_lm_head'),
      D=D,
      C=C,
      total=number('params_total'),
    )
  return None
