"""Plans and published models as people read them; every number with its unit."""

from collections.abc import Callable
import math
import shutil
import textwrap
from typing import TYPE_CHECKING

from scaling_jax import formatting
from scaling_jax.planner import hardware
from scaling_jax.planner import messages
from scaling_jax.planner import resources as resources_lib
from scaling_jax.tables import Table
from scaling_jax.tables import aligned

if TYPE_CHECKING:
  from scaling_jax.analysis.fitting.result import Interval
  from scaling_jax.planner.models import Comparison
  from scaling_jax.planner.plan import LawPlan
  from scaling_jax.planner.plan import ModelShape
  from scaling_jax.planner.plan import Plan

NOTHING = formatting.NOTHING


def plan_text(plan: 'Plan') -> str:
  """What there is, the laws side by side, and what to keep in mind."""
  return '\n'.join(
    [
      'What there is',
      *(f'  {line}' for line in _resources(plan)),
      '',
      *beside(plan_table(plan)),
      '',
      *(line for note in _notes(plan) for line in wrapped(note, '- ')),
      '',
      *(line for title in _titles(plan) for line in wrapped(title)),
    ]
  )


def plan_html(plan: 'Plan') -> str:
  table = plan_table(plan)
  table.notes += [*_resources(plan), *_notes(plan), *_titles(plan)]
  return table.html()


def plan_table(plan: 'Plan') -> Table:
  """A row for each quantity, a column for each law."""
  level = formatting.percent(plan.level)
  table = Table('plan', f'What to train ({level} intervals)')
  for name, show in _quantities(plan).items():
    row = {'': name} | {law: show(one) for law, one in plan.laws.items()}
    table.add(row, row)
  return table


def _quantities(plan: 'Plan') -> 'dict[str, Callable[[LawPlan], str]]':
  units = {law.unit for law in plan.laws.values()}
  unit = f' ({units.pop()})' if len(units) == 1 else ''
  shown: dict[str, Callable[[LawPlan], str]] = {
    'binds': lambda law: law.binds,
    'N (parameters)': lambda law: _stated(law, law.N, formatting.count),
    'D (tokens)': lambda law: _stated(law, law.D, formatting.count),
    'tokens/param': lambda law: _stated(law, law.tokens_per_param),
    f'loss{unit}': lambda law: _stated(law, law.loss),
    'compute (FLOPs)': lambda law: _stated(law, law.C, formatting.flops),
    'compute (PF-days)': lambda law: _stated(law, law.pf_days),
  }
  if plan.resources.machine:
    shown['time on the machine'] = lambda law: _stated(
      law, law.seconds, formatting.duration
    )
  if plan.resources.text:
    shown['epochs'] = lambda law: _stated(law, law.epochs)
  return shown | {
    'S (steps)': lambda law: f'{law.S:,}',
    'batch (tokens/step)': lambda law: f'{law.tokens_per_step:,}',
    **{name: _of_shape(show) for name, show in _SHAPE.items()},
  }


_SHAPE: 'dict[str, Callable[[ModelShape], str]]' = {
  'a shape near N': lambda shape: shape.name,
  'its layers, heads, width': lambda shape: ', '.join(
    f'{x:,}' for x in shape[1:4]
  ),
  'its N (parameters)': lambda shape: formatting.count(shape.N),
  'its N with embeddings': lambda shape: formatting.count(shape.N_total),
  'its vocabulary, context': lambda shape: (
    f'{shape.vocab_size:,}, {shape.block_size:,}'
  ),
}


def _of_shape(
  show: 'Callable[[ModelShape], str]',
) -> 'Callable[[LawPlan], str]':
  """What to show of a plan's shape, where one is proposed."""
  return lambda law: NOTHING if law.shape is None else show(law.shape)


def _resources(plan: 'Plan') -> list[str]:
  there, rules, lines = plan.resources, plan.rules, []
  for limit in there.limits:
    lines.append(f'compute  {resources_lib.in_units(limit.C)}: {limit.source}')
  if len(there.limits) > 1:
    least = there.limits[0]
    bound = f'{formatting.flops(least.C)} FLOPs, {least.source}'
    lines.append(f'         the least binds: {bound}')
  if there.machine and there.machine.compute is None:
    lines.append(f'machine  {there.machine}')
  if there.text:
    epochs = there.text.epochs
    often = '' if epochs == 1 else f', each up to {epochs:g} times'
    lines.append(
      f'tokens   {there.text.unique:,.0f}{often}: {there.text.source}'
    )
  if rules.N_at_20_tokens:
    count = formatting.count(rules.N_at_20_tokens)
    lines.append(f'         20 tokens a parameter: {count} parameters')
  if rules.N_of_kaplan_bound:
    count = formatting.count(rules.N_of_kaplan_bound)
    lines.append(
      f"         Kaplan's bound D >= 5e3 N^0.74: {count} parameters without"
      ' overfitting'
    )
  return lines


def _notes(plan: 'Plan') -> list[str]:
  """Each note once, after the laws that it is true of."""
  of: dict[str, list[str]] = {}
  for name, law in plan.laws.items():
    for note in law.notes:
      of.setdefault(note, []).append(name)
  notes = [messages.by_law(names, note) for note, names in of.items()]
  return notes + ([messages.losses_differ()] if len(plan.laws) > 1 else [])


def _titles(plan: 'Plan') -> list[str]:
  return [
    f'{name}: {law.title}; N is {law.counts}' for name, law in plan.laws.items()
  ]


def models_text(found: 'Comparison') -> str:
  """The published models, a table for each law."""
  parts = [table.text().rstrip() for table in models_tables(found)]
  return '\n\n'.join([*parts, '\n'.join(wrapped(messages.about_models()))])


def models_tables(found: 'Comparison') -> list[Table]:
  tables = []
  for name, law in found.laws.items():
    table = Table(
      name,
      f'{law.title}\nN in parameters, D in tokens, C in FLOPs, losses in'
      f' {law.unit}',
    )
    for model, row in zip(found.models, law.rows):
      far = row.beyond is not None and row.beyond.far
      mark = '~{}'.format if far else str
      table.add(
        {'model': model.name, 'year': model.year, 'N': model.N, 'D': model.D,
         'C': model.C, 'loss': row.loss, 'loss_opt': row.loss_opt,
         'N_opt': row.N_opt, 'D_opt': row.D_opt, 'wasted': row.wasted},
        {'model': model.name,
         'year': str(model.year),
         'N': formatting.short(model.N),
         'D': formatting.short(model.D),
         'C': formatting.flops(model.C),
         'loss as built': mark(interval(row.loss)),
         'at the optimum': mark(interval(row.loss_opt)),
         'N there': mark(formatting.short(row.N_opt)),
         'D there': mark(formatting.short(row.D_opt)),
         'C wasted': mark(f'{100 * row.wasted:.1f}%')},
      )  # fmt: skip
    tables.append(table)
  return tables


def devices_table() -> Table:
  """The peak rate of each device by precision."""
  table = Table('devices', 'Peak rates, TFLOP/s, dense')
  for name, device in hardware.DEVICES.items():
    rates = {p: getattr(device, p) for p in hardware.PRECISIONS}
    shown = {
      p: NOTHING if x is None else formatting.plain(x, 5)
      for p, x in rates.items()
    }
    table.add(
      {'device': name, **rates, 'source': device.source},
      {'device': name, **shown, 'source': device.source},
    )
  return table


def _stated(
  law: 'LawPlan',
  found: 'Interval | None',
  show: Callable[..., str] = formatting.number,
) -> str:
  """An interval; with ~ what has none, so far from the runs."""
  text = interval(found, show)
  if found is None or text == NOTHING or not (law.beyond and law.beyond.far):
    return text
  return text if found.low == found.high else f'~{text}'


def interval(
  found: 'Interval | None', show: Callable[..., str] = formatting.number
) -> str:
  """value [low, high]; the value alone where it is exact or has no interval.

  Which of the two it is, the notes tell.
  """
  if found is None or not math.isfinite(found.value):
    return NOTHING
  if math.isnan(found.low) and math.isnan(found.high):
    return show(found.value)
  return formatting.interval(found, show)


def beside(table: Table) -> list[str]:
  """The lines of a table whose columns are read side by side."""
  rows = [table.columns, *table.rows]
  lines = aligned(rows, [True] * len(table.columns))
  return [table.title, *(f'  {line}' for line in lines)]


def wrapped(text: str, first: str = '') -> list[str]:
  """A text as lines of the terminal's width, at most 96."""
  width = min(96, shutil.get_terminal_size((88, 24)).columns)
  return textwrap.wrap(
    text,
    width,
    initial_indent=first,
    subsequent_indent='  ',
    break_long_words=False,
    break_on_hyphens=False,
  )
