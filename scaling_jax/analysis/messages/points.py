"""What people read of tables of points for Kaplan's laws."""

from collections.abc import Sequence

import numpy as np

from scaling_jax import formatting

# What each law is of: its name in files, as `tables.KAPLAN_LAWS` writes it.
LAWS = {
  'N': 'kaplan_L_N',
  'D': 'kaplan_L_D',
  'C': 'kaplan_L_C',
  'B_crit': 'critical_batch',
}
_WHERE = {
  'N': 'sizes, each trained on more tokens than limit it',
  'D': 'amounts of text, each learned by a model that they limit',
  'C': 'compute budgets, each spent on its best model',
  'B_crit': 'losses, each with its critical batch',
}
WHAT = {
  'N': 'different N',
  'D': 'different D',
  'C': 'different C',
  'B_crit': 'different losses',
}
LOSS_FALLS_WITH_C = 'the loss falls with C'
NO_FLOOR = (
  'The law has no floor: it describes the range of its points, and no loss far'
  ' beyond them.'
)
_UNITS = {'N': 'parameters', 'D': 'tokens', 'C': 'FLOPs', 'B_crit': 'tokens'}


def short(x: str) -> str:
  """What a law is of, as in L(N).

  >>> short('N'), short('B_crit')
  ('L(N)', 'B_crit(L)')
  """
  return 'B_crit(L)' if x == 'B_crit' else f'L({x})'


def no_runs(source: str, x: str) -> str:
  """Of a table of points where runs are wanted."""
  return (
    f'{source} holds points of {short(x)} and no runs, which need a loss and two'
    ' of C, N and D: give it to the analysis by itself (in Python read_points)'
  )


def no_points(source: str) -> str:
  """Of a table that is none of points."""
  return (
    f'{source} holds no points of one law: it must tell a loss and one of N, D'
    ' and C alone, or a loss and a critical batch; read runs by read_runs'
  )


def several_tables(source: str, count: int) -> str:
  return (
    f'{source} holds {count} tables: points are of one law; save one of them as'
    ' a file'
  )


def not_of_points(flag: str) -> str:
  return (
    f'{flag} is asked for, and points of one law have none: choose rows by'
    ' --where, or omit it'
  )


def implausible(source: str, x: str, low: float, high: float) -> str:
  unit = {'N': 'N:M', 'D': 'D:B', 'C': 'C:PF-days', 'B_crit': 'B_crit:M'}[x]
  return (
    f'{source} has {x} of {low:.4g} to {high:.4g} {_UNITS[x]}, which are none of'
    f' language models: add --units={unit} or what they are in, or'
    ' --include=inconsistent to fit them as they are'
  )


def title(x: str) -> str:
  return f"Kaplan's law {short(x)}"


def lead(x: str, n: int, unit: str, source: str) -> str:
  """What the points are."""
  return (
    f'From {n} points of {source}, which the law takes for {_WHERE[x]}. The loss'
    f' is in {unit}.'
  )


def opening(x: str, sizes: np.ndarray, losses: np.ndarray, *, unit: str) -> str:
  """The points in a line: how many, and from where to where."""
  show = formatting.flops if x == 'C' else formatting.short
  count = '1 point' if len(sizes) == 1 else f'{len(sizes)} points'
  return (
    f'{count} of {short(x)}: {x} {_span(sizes, show)} {_UNITS[x]}, loss'
    f' {_span(losses, formatting.number)} {unit}.'
  )


def assumes(x: str) -> str:
  """What such a law takes for granted, and how to ask for more."""
  if x == 'B_crit':
    return ''
  missing = {'N': 'D', 'D': 'N', 'C': 'N'}[x]
  what = {'N': 'parameters', 'D': 'tokens'}[missing]
  return (
    f'No column is known as {what}, so that {short(x)} alone is fitted: it takes'
    f' the points for {_WHERE[x]}. For what to train, add'
    f' --columns={missing}=COLUMN.'
  )


def _span(values: np.ndarray, show: formatting.Show) -> str:
  low, high = show(float(np.min(values))), show(float(np.max(values)))
  return low if low == high else f'{low} to {high}'


def straight(p_value: float) -> str:
  return (
    'The points do not show that they lie on a curve and not on a line (t-test,'
    f' {formatting.chance(p_value)}).'
  )


def alt(x: str, n: int) -> str:
  """What is seen of the points."""
  if x == 'B_crit':
    return f'The critical batch at {n} losses'
  return f'Loss of {n} points against {x}'


def excluded(reasons: Sequence[str]) -> list[str]:
  return [f'Excluded: {reason}.' for reason in reasons]
