"""A design as people read it: what its runs will resolve, and what to add."""

from collections.abc import Callable
import math

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages.tables import APPROACHES
from scaling_jax.planner import messages
from scaling_jax.planner.design import BudgetForecast
from scaling_jax.planner.design import Design
from scaling_jax.planner.next_run import RunValues
from scaling_jax.planner.predict_intervals import QUANTITIES
from scaling_jax.planner.tables import NOTHING
from scaling_jax.planner.tables import beside
from scaling_jax.planner.tables import wrapped
from scaling_jax.tables import Table

_A_SEED_ADDS = 0.01  # the least that is worth a seed
_LOST = ('not_identified', 'no_minimum')

_TITLES = {
  'exponent_N': 'a in N_opt ∝ C^a',
  'exponent_D': 'b in D_opt ∝ C^b',
  'alpha': 'alpha',
  'beta': 'beta',
  'E': 'E',
}


def text(design: Design) -> str:
  """What an experiment will resolve, run by run."""
  parts = [wrapped(_heading(design)), beside(widths_table(design))]
  rest = [table.text().rstrip().splitlines() for table in _details(design)]
  if design.run_values:
    rest.append(_next(design.run_values))
  notes = [line for note in _notes(design) for line in wrapped(note, '- ')]
  lines = [*parts[0], *parts[1][1:]]
  for part in [*rest, notes]:
    lines += ['', *part]
  return '\n'.join(lines)


def html(design: Design) -> str:
  tables = [widths_table(design), *_details(design)]
  if design.run_values:
    tables[-1].notes += _next(design.run_values)
  tables[0].notes += [_heading(design), *_notes(design)]
  return ''.join(table.html() for table in tables)


def _heading(design: Design) -> str:
  return messages.design_heading(
    design.n_runs, design.C_total, design.settings.level
  )


def widths_table(design: Design) -> Table:
  """A row for each quantity, a column for each approach."""
  table = Table('widths', 'Half of each interval')
  found = {APPROACHES[name]: one for name, one in design.approaches.items()}
  row = {'': 'gives an answer'}
  row |= {
    title: messages.answers_in(one.answers) for title, one in found.items()
  }
  table.add(row, row)
  for quantity in QUANTITIES['chinchilla']:
    at_target = f'N_opt at {formatting.flops(design.target)} FLOPs'
    row = {'': _TITLES.get(quantity, at_target)}
    row |= {
      title: _width(quantity, one.half_widths.get(quantity))
      for title, one in found.items()
    }
    table.add(row, row)
  return table


def _width(quantity: str, found: Interval | None) -> str:
  if found is None or math.isinf(found.low):
    return NOTHING
  value, low, high = (_half(quantity, x) for x in found)
  sign = '×÷' if quantity == 'N_opt' else '±'
  middle = f'{sign} {value}' if math.isfinite(found.value) else value
  return f'{middle} [{low}, {high}]'


def _half(quantity: str, half: float) -> str:
  if not math.isfinite(half):
    return 'open'
  if quantity == 'N_opt':
    return formatting.plain(math.exp(half), 3)
  show: Callable[..., str] = (
    formatting.percent if quantity == 'E' else formatting.plain
  )
  return show(half, 2)


def _details(design: Design) -> list[Table]:
  tables = []
  if design.budgets:
    tables.append(minima_table(design.budgets))
  if design.run_values:
    tables.append(run_values_table(design.run_values))
  return tables


def minima_table(budgets: tuple[BudgetForecast, ...]) -> Table:
  """A row for each budget."""
  table = Table('minima', 'Minima that the budgets will show')
  for one in budgets:
    tried = _range(one.N_low, one.N_high)
    row = {'C': one.C, 'n_models': one.n_models, 'N_low': one.N_low,
           'N_high': one.N_high, 'N_opt_low': one.N_opt_low,
           'N_opt_high': one.N_opt_high, 'shows_minimum': one.shows_minimum}  # fmt: skip
    shown = {
      'C (FLOPs)': formatting.flops(one.C),
      'models': str(one.n_models),
      'N tried': tried,
    }
    if one.n_models < 3:
      never = messages.too_few_for_a_parabola()
      shown |= {'N_opt plausible': NOTHING, 'shown': never, 'at an edge': '',
                'lost in noise': '', 'to add': ''}  # fmt: skip
    else:
      lost = sum(one.statuses.get(status, 0.0) for status in _LOST)
      edge = one.statuses.get('minimum_at_edge', 0.0)
      shown |= {
        'N_opt plausible': _range(one.N_opt_low, one.N_opt_high),
        'shown': _share(one.shows_minimum),
        'at an edge': _share(edge),
        'lost in noise': _share(lost),
        'to add': ', '.join(one.add),
      }
    table.add(row, shown)
  return table


def _range(low: float, high: float) -> str:
  return ' to '.join(dict.fromkeys(map(formatting.short, (low, high))))


def _share(x: float) -> str:
  return f'{100 * x:.0f}%'


def run_values_table(found: RunValues) -> Table:
  """A row for each planned run."""
  table = Table('run_values', 'What each run adds')
  for run in found.runs:
    table.add(
      {'run': run.name, 'C': run.C, 'N': run.N, 'D': run.D,
       'narrows': run.narrows, 'per_percent': run.per_percent},
      {'run': run.name,
       'C (FLOPs)': formatting.flops(run.C),
       'N': formatting.short(run.N),
       'D (tokens)': formatting.short(run.D),
       'narrows N_opt by': formatting.percent(run.narrows, 2),
       'per % of the FLOPs': formatting.percent(run.per_percent, 2)},
    )  # fmt: skip
  return table


def _next(found: RunValues) -> list[str]:
  lines = []
  if one := found.next:
    lines.append(messages.best_to_add(one.name, one.N, one.C, one.narrows))
  if one := found.next_per_flop:
    lines.append(
      messages.most_for_its_flops(one.name, one.N, one.C, one.narrows)
    )
  one = found.repeat
  if one and one.narrows >= _A_SEED_ADDS:
    lines.append(messages.best_seed(one.name, one.config, one.narrows))
  elif one:
    lines.append(messages.no_seed_worth_it())
  return lines


def _notes(design: Design) -> list[str]:
  settings = design.settings
  notes = [
    *design.notes,
    messages.drawn_from(design.laws),
    messages.assumed_noise(settings.noise, settings.seed_noise),
  ]
  return notes + ([messages.about_run_values()] if design.run_values else [])
