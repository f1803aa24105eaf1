"""What people read of tables: what was taken for what, what is missing."""

from collections.abc import Collection, Mapping, Sequence
import shlex
import textwrap

import numpy as np

_MEANS = {
  'N': 'parameters (N)',
  'D': 'tokens (D)',
  'C': 'FLOPs (C)',
  'loss': 'the loss',
  'B_crit': 'the critical batch (B_crit)',
}
_KINDS = {
  'N': 'counts of parameters',
  'D': 'counts of tokens',
  'C': 'counts of FLOPs',
  'loss': 'losses',
  'B_crit': 'critical batches',
}
_WIDTH = 200  # characters of a list of names


def listed(names: Collection[str], width: int = _WIDTH) -> str:
  """Names as a list that stays on a line or two."""
  text = ', '.join(names)
  if len(text) <= width:
    return text
  shown = textwrap.shorten(text, width, placeholder='')
  count = len(names) - shown.count(', ') - 1
  return f'{shown.rstrip(",")} and {count} more'


def column_twice(source: str, column: str, role: str) -> str:
  return (
    f'{source} has {column!r} as the name of two columns: it must be clear'
    f' which one holds {_MEANS.get(role, str(role))}; rename the other'
  )


def no_such_column(
  source: str,
  name: str,
  column: str,
  columns: Sequence[str],
  near: Sequence[str],
) -> str:
  remedy = f'try {" or ".join(near)}' if near else 'rename it'
  return (
    f'columns={{{name!r}: {column!r}}} must name a column of {source}, which'
    f' has {listed(columns)}, or be a number for all rows; {remedy}'
  )


def ambiguous(source: str, role: str, names: Sequence[str]) -> str:
  flags = ' or '.join(f'--columns={role}={quoted(name)}' for name in names[:3])
  return (
    f'{source} has {len(names)} {_KINDS[role]}, {listed(names)}: it must be'
    f' clear which one is {role}; add {flags}'
    f' (in Python columns={{{str(role)!r}: {names[0]!r}}})'
  )


def quoted(name: str) -> str:
  """A name or a value as a shell takes it.

  >>> quoted('val loss'), quoted('val/loss')
  ("'val loss'", 'val/loss')
  """
  return shlex.quote(name)


def insufficient(
  source: str,
  kind: str,
  columns: Sequence[str],
  taken: Collection[str],
  sizes: Collection[str],
) -> str:
  """Of a table that no law can use, and the flags that would mend it."""
  missing = ['loss'] if 'loss' not in taken else []
  if len(sizes) < 2:
    others = [role for role in ('N', 'D') if role not in sizes]
    missing += others[: 2 - len(sizes)]
  flags = [f'{role}=COLUMN' for role in missing]
  steps = ''
  if 'D' in missing and 'S' in taken:
    flags[missing.index('D')] = 'tokens_per_step=524288'
    steps = (
      ', D here from its steps and the tokens of each, batch size × context ×'
      ' accumulation × devices, such as 524288'
    )
  lacks = ' and '.join(_MEANS[role] for role in missing)
  points = ''
  if missing in (['N'], ['D']) and not steps:
    x = next(iter(sizes))
    points = f', or {x} and the loss alone for points of L({x})'
  return (
    f'{source} ({kind}) has the columns {listed(columns)}, of'
    f' which none is known as {lacks}: a loss and two of C, N and D are'
    f' needed{steps}{points}; add --columns={",".join(flags)} (in Python'
    f' columns={{{_python(flags)}}})'
  )


def _python(flags: Sequence[str]) -> str:
  pairs = (flag.split('=') for flag in flags)
  return ', '.join(
    f'{name!r}: {value if value.isdigit() else repr(value)}'
    for name, value in pairs
  )


def of_tables(names: Sequence[str], text: str) -> str:
  """What is so of one table, or of several."""
  others = len(names) - 1
  more = f' and {others} more' if others else ''
  return f'{names[0]}{more}: {text}'


def understood(parts: Sequence[str], unread: Sequence[str]) -> str:
  """What was taken for what, and the columns that vary and were not read."""
  text = f'{"; ".join(parts)}.'
  if unread:
    text += f' Not read: {listed(unread)}.'
  return text


def part(role: str, column: str, unit: str) -> str:
  """One column as what it was taken for."""
  in_unit = f' ({unit})' if unit else ''
  same = column == role
  return f'{role}{in_unit}' if same else f'{role} = {column}{in_unit}'


_FACTORS = {
  1e3: 'thousands',
  1e6: 'millions',
  1e9: 'billions',
  1e12: 'trillions',
  8.64e19: 'PF-days',
  0.01: '%',
}


def unit(factor: float) -> str:
  """A unit as people read it.

  >>> unit(1e6), unit(8.64e19), unit(1e18), unit(1.0)
  ('millions', 'PF-days', '1e18', '')
  """
  number = f'{factor:g}'.replace('e+', 'e')
  return _FACTORS.get(factor, number if factor != 1 else '')


def constant(value: float) -> str:
  return f'{value:g} in all rows'


def no_losses(source: str, column: str, low: float, high: float) -> str:
  return (
    f'{source} has {column} of {low:.4g} to {high:.4g} nats a token, above ln V of'
    ' any vocabulary: add --units=loss:perplexity, or'
    ' --units=loss:nats if that is what they are (in Python'
    " units={'loss': 'perplexity'})"
  )


def loss_unit(stated: str, kept: str) -> str:
  """A loss' unit, and what it was turned into."""
  return stated if stated == kept else f'{stated}, read as {kept}'


def unknown_statuses(source: str, column: str, found: Sequence[str]) -> str:
  what = ', '.join(map(repr, found[:4])) + ', …' * (len(found) > 4)
  return (
    f'{source} has {column} {what}, which is not known to mean that a run'
    ' failed: those runs count.'
  )


def nanochat_generations() -> str:
  return (
    "nanochat's tables of two generations differ in data, in how they count"
    ' parameters and in bits per byte: their losses are not of one law.'
  )


# Why a row is excluded.


def no_run_but(what: str) -> str:
  return f'it is no run: a cell of it says {what}'


def flagged(column: str, value: str) -> str:
  return f'its {column} is {value.strip()}'


def partly(done: float) -> str:
  return f'it is a checkpoint at {100 * done:.3g}% of its training'


def repeated(epochs: float) -> str:
  return (
    f'it saw its text {epochs:.3g} times, and more than four epochs are worth'
    ' less than new text'
  )


def other_unit(named: str, unit: str) -> str:
  return f'its loss is in {named}, and that of others in {unit}'


def no_perplexity(column: str, value: float) -> str:
  return f'{column}={value:g} must be above 1 as a perplexity'


def checkpoint(steps: str, of: str) -> str:
  return f'it is a checkpoint of {of}, which goes on to {steps} tokens'


def off(ratio: float, likely: Mapping[str, str]) -> str:
  unit = f': {_units(likely)} would explain it' if likely else ''
  return f'its C is {ratio:.3g} times 6ND{unit}'


def jumps(ratio: float, others: float) -> str:
  return (
    f'its C is {ratio:.3g} times 6ND, where {others:.3g} would be like the'
    ' others of its size'
  )


def many_jumps(source: str, count: int, of: int) -> str:
  return (
    f'{source}: C / 6ND of {count} of {of} runs is off the smooth line of the'
    ' others; look whether C, N and D are counted in one way.'
  )


def odd_ratio(N: float, D: float) -> str:
  return f'{N:.4g} parameters and {D:.4g} tokens are in no unit of the others'


def _units(likely: Mapping[str, str]) -> str:
  return ' and '.join(f'{role} in {unit}' for role, unit in likely.items())


def _units_flag(likely: Mapping[str, str]) -> str:
  text = ','.join(f'{role}:{unit}' for role, unit in likely.items())
  python = ', '.join(f'{str(r)!r}: {u!r}' for r, u in likely.items())
  return f'--units={text} (in Python units={{{python}}})'


def all_off(
  source: str,
  ratio: np.ndarray,
  likely: Mapping[str, str],
  allowed: tuple[float, float],
) -> str:
  low, high = float(np.min(ratio)), float(np.max(ratio))
  span = f'{low:.3g}' if high < 1.001 * low else f'{low:.3g} to {high:.3g}'
  if likely:
    remedy = f'if it is {_units(likely)}, add {_units_flag(likely)}'
  elif high < allowed[0]:
    remedy = (
      'if N counts all experts of a mixture, give the active parameters, or add'
      ' --include=inconsistent to fit the runs as they are'
    )
  else:
    remedy = (
      'correct the column that is off, or add --include=inconsistent to fit the'
      ' runs as they are'
    )
  return (
    f'{source} has C of {span} times 6ND, and no way of counting gives other'
    f' than {allowed[0]:g} to {allowed[1]:g}: {remedy}'
  )


def implausible(
  source: str, N: np.ndarray, D: np.ndarray, likely: Mapping[str, str]
) -> str:
  remedy = (
    f'if it is {_units(likely)}, add {_units_flag(likely)}'
    if likely
    else 'name the units with --units=N:M,D:B, or add --include=inconsistent'
  )
  return (
    f'{source} has models of {_span(N)} parameters on {_span(D)} tokens, which'
    f' are no sizes of language models: {remedy}'
  )


def no_sizes(N: np.ndarray, D: np.ndarray, by: Mapping[str, float]) -> str:
  """Of arrays, and what they might have to be multiplied by."""
  likely = ' and '.join(f'{name} by {x:g}' for name, x in by.items())
  remedy = (
    f'multiply {likely}, if those are their units'
    if likely
    else 'give N in parameters and D in tokens'
  )
  return (
    f'N of {_span(N)} and D of {_span(D)} are no parameters and tokens of'
    f' language models: {remedy}'
  )


def _span(values: np.ndarray) -> str:
  low, high = float(np.min(values)), float(np.max(values))
  return f'{low:.4g}' if low == high else f'{low:.4g} to {high:.4g}'


# Runs of several laws.


def no_match(asked: Sequence[str], met: Mapping[str, Sequence[str]]) -> str:
  there = '; '.join(
    f'{name} is {listed(values)}' if values else f'there is no {name}'
    for name, values in met.items()
  )
  first, values = next(iter(met.items()))
  python = f'where={{{first!r}: {values[0]!r}}}' if values else 'where={...}'
  flag = quoted(f'{first}={values[0]}') if values else 'COLUMN=VALUE'
  return (
    f'no run has {" and ".join(asked)}: {there}; ask for another, such as'
    f' --where={flag} (in Python {python})'
  )


def of_texts() -> str:
  return 'text, tokenizer, context or experiment'


def joined(study: str, experiment: str) -> str:
  return f'{study}, {experiment}' if experiment else study


def no_value(by: str) -> str:
  return f'without {by}'


def no_column_to_split(by: str, names: Sequence[str]) -> str:
  return (
    f'by={by!r} must be a column of the runs, of which there are'
    f' {listed(names)}; name another'
  )


def several_laws(
  by: str, labels: Sequence[str], column: str, value: str
) -> str:
  """Of runs that one law can't be of.

  Args:
    by: what they differ in.
    labels: of the groups.
    column: that tells them apart; '' if none does.
    value: of it, of one of them.
  """
  text = (
    f'the runs differ in {by} ({listed(labels)}), and the losses of one law must'
    ' not: '
  )
  if not column:
    return f'{text}pass those of one at a time'
  return (
    f'{text}choose one by --where={quoted(f"{column}={value}")}, or fit a law'
    f' each by --by={quoted(column)} (in Python runs.split({column!r}))'
  )
