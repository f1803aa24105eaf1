"""Plans as a terminal shows them; every number with its unit."""

import math
import shutil
import textwrap
from typing import Any

from scaling_jax import text as text_lib
from scaling_jax.analysis import words
from scaling_jax.analysis.uncertainty import Estimate
from scaling_jax.planner import have as have_lib

NOTHING = '–'
_WORTH_A_SEED = 0.01
_YEAR_S = 365.25 * 86_400


def plan(made: dict[str, Any]) -> str:
  """What there is, the laws side by side, and what to keep in mind."""
  return '\n'.join([
    'What there is', *_have(made), '', 'What to train', *_laws(made), '',
    *_notes({name: law['notes'] for name, law in made['laws'].items()}),
    *(wrapped('Losses of different laws are of different tokens and texts: do not'
              ' compare them.') if len(made['laws']) > 1 else []),
    '', *(line for name, law in made['laws'].items()
          for line in _title(name, law)),
  ])  # fmt: skip


def _title(name: str, law: dict[str, Any]) -> list[str]:
  return textwrap.wrap(
    f'{name}: {law["title"]}; N is {law["counts"]}', _width_of_terminal(),
    subsequent_indent='  ', break_long_words=False, break_on_hyphens=False,
  )  # fmt: skip


def _have(made: dict[str, Any]) -> list[str]:
  have, rules = made['have'], made['rules']
  lines = []
  limits = have['limits']
  for limit in limits:
    lines.append(f'compute  {have_lib.in_units(limit["C"])}: {limit["source"]}')
  if len(limits) > 1:
    lines.append(f'         the least binds: {limits[0]["source"]}')
  if have['machine'] and not limits:
    lines.append(f'machine  {have["machine"]}')
  if have['tokens']:
    epochs = have['epochs_allowed']
    often = '' if epochs == 1 else f', each up to {epochs:g} times'
    lines.append(f'tokens   {have["tokens"]:,.0f}{often}: {have["text"]}')
  if rules['N_at_20_tokens']:
    lines.append(
      f'         20 tokens a parameter: {_count(rules["N_at_20_tokens"])}'
      ' parameters'
    )
  if rules['N_of_kaplan_bound']:
    lines.append(
      "         Kaplan's bound D >= 5e3 N^0.74:"
      f' {_count(rules["N_of_kaplan_bound"])} parameters without overfitting'
    )
  return [f'  {line}' for line in lines]


def _laws(made: dict[str, Any]) -> list[str]:
  found = made['laws'].values()
  machine, texts = made['have']['flops_per_s'], made['have']['tokens']
  units = {law['unit'] for law in found}
  unit = f' ({units.pop()})' if len(units) == 1 else ''
  columns = {
    'binds': lambda law: law['binds'],
    'N (parameters)': lambda law: estimate(law['N'], words.amount),
    'D (tokens)': lambda law: estimate(law['D'], words.amount),
    'tokens/param': lambda law: estimate(law['tokens_per_param']),
    f'loss{unit}': lambda law: estimate(law['L']),
    'compute (FLOPs)': lambda law: estimate(law['C'], lambda x: f'{x:.3g}'),
    'compute (PF-days)': lambda law: estimate(law['pf_days']),
  }
  if machine:
    columns['time on the machine'] = lambda law: estimate(
      law['seconds'], duration
    )
  if texts:
    columns['epochs'] = lambda law: estimate(law['epochs'])
  columns |= {
    'S (steps)': lambda law: f'{law["S"]:,}',
    'batch (tokens/step)': lambda law: f'{law["tokens_per_step"]:,}',
    'a shape near N': lambda law: law['shape']['name'],
    '  layers, heads, width': lambda law: ', '.join(
      f'{law["shape"][name]:,}' for name in ('n_layer', 'n_head', 'n_embd')
    ),
    '  its N (parameters)': lambda law: _count(law['shape']['N']),
    '  with embeddings': lambda law: _count(law['shape']['N_total']),
    '  vocabulary, context': lambda law: (
      f'{law["shape"]["vocab_size"]:,}, {law["shape"]["block_size"]:,}'
    ),
  }
  rows = [['', *made['laws']]]
  rows += [[name, *map(show, found)] for name, show in columns.items()]
  left = [True] * len(rows[0])
  return [f'  {line}' for line in text_lib.aligned(rows, left)]


def published(made: dict[str, Any]) -> str:
  """The published models, a table for each law."""
  parts = []
  for law in made['laws'].values():
    header = ('model', 'year', 'N', 'D', 'C', 'loss as built',
              'at the optimum', 'N there', 'D there', 'C wasted')  # fmt: skip
    rows = [
      (
        model['name'],
        str(model['year']),
        words.short(model['N']),
        words.short(model['D']),
        f'{model["C"]:.2e}',
        estimate(row['L']),
        estimate(row['L_opt']),
        words.short(row['N_opt']),
        words.short(row['D_opt']),
        f'{100 * row["wasted"]:.1f} %',
      )
      for model, row in zip(made['models'], law['rows'])
    ]
    parts.append(
      f'{law["title"]}\nN in parameters, D in tokens, C in FLOPs, losses in'
      f' {law["unit"]}\n{text_lib.table(header, rows)}'
    )
  parts.append(
    'C = 6 N D, N with embeddings. Wasted is the share of C that this law would'
    ' not\nneed for the loss as built; a model trained beyond its optimum is'
    " bought to be cheap\nto run. Kaplan's rows are of L(N, D), whose optimum"
    ' grows as C^0.575 and not, as\nthe planner has it, C^0.73. Every model'
    ' lies beyond what the laws were fitted on\nin D or N, and has its own'
    ' tokens: compare a row with its optimum, not with others.'
  )
  return '\n\n'.join(parts)


def design(made: dict[str, Any]) -> str:
  """What an experiment will resolve, run by run."""
  set_to = made['settings']
  level = f'{100 * set_to["level"]:g} %'
  lines = [
    f'What these {made["n_runs"]} runs of {made["C_total"]:.3g} FLOPs will'
    f' resolve: {level} intervals where',
    'there is an answer, the middle one of the plausible laws [and the range of two'
    ' in three]',
    *_widths(made),
  ]
  if made['budgets']:
    lines += ['', 'Minima that the budgets will show', *_minima(made)]
  if made['worth']:
    lines += ['', 'What each run is worth', *_worth(made), '', *_next(made)]
  notes = [*made['notes'], *_assumptions(made)]
  return '\n'.join([*lines, '', *(x for note in notes for x in wrapped(note))])


_QUANTITIES = {
  'a': 'a in N_opt ∝ C^a',
  'b': 'b in D_opt ∝ C^b',
  'alpha': 'alpha',
  'beta': 'beta',
  'E': 'E',
  'N_opt': 'N_opt',
}


def _widths(made: dict[str, Any]) -> list[str]:
  found = made['approaches'].values()
  rows = [
    ['', *(words.TITLES[name] for name in made['approaches'])],
    ['gives an answer', *(_counted_on(one['answers']) for one in found)],
  ]
  for quantity, title in _QUANTITIES.items():
    if quantity == 'N_opt':
      title = f'N_opt at {made["target"]:.3g} FLOPs'
    halves = (one['half_widths'].get(quantity) for one in found)
    rows.append([title, *(_width(quantity, half) for half in halves)])
  return [f'  {x}' for x in text_lib.aligned(rows, [True] * len(rows[0]))]


def _width(quantity: str, x: Estimate | None) -> str:
  if x is None:
    return NOTHING

  def show(half: float | None) -> str:
    if half is None or not math.isfinite(half):
      return 'open'
    if quantity == 'N_opt':
      return f'{math.exp(half):,.3g}'
    return (
      f'{words.plain(100 * half, 2)} %'
      if quantity == 'E'
      else words.plain(half, 2)
    )

  value, low, high = (show(x[key]) for key in ('value', 'low', 'high'))
  if low == 'open':
    return NOTHING
  sign = '×÷' if quantity == 'N_opt' else '±'
  middle = value if value == 'open' else f'{sign} {value}'
  return f'{middle} [{low}, {high}]'


def _minima(made: dict[str, Any]) -> list[str]:
  header = ('C (FLOPs)', 'models', 'N tried', 'N_opt plausible', 'shown',
            'at an edge', 'lost in noise', 'to add')  # fmt: skip
  rows = []
  for budget in made['budgets']:
    ends = (words.short(budget[k]) for k in ('N_low', 'N_high'))
    tried = ' to '.join(dict.fromkeys(ends))
    if budget['n_models'] < 3:
      rows.append((f'{budget["C"]:.3g}', str(budget['n_models']), tried,
                   NOTHING, 'never: a parabola needs three', '', '', ''))  # fmt: skip
      continue
    rows.append((
      f'{budget["C"]:.3g}',
      str(budget['n_models']),
      tried,
      ' to '.join(words.short(budget[k]) for k in ('N_opt_low', 'N_opt_high')),
      _counted_on(budget['shows_minimum']),
      _share(budget['statuses'].get('minimum_at_edge', 0.0)),
      _share(
        sum(budget['statuses'].get(x, 0.0)
            for x in ('not_identified', 'no_minimum'))
      ),
      ', '.join(budget['add']),
    ))  # fmt: skip
  return [f'  {x}' for x in text_lib.table(header, rows).splitlines()]


def _counted_on(share: float) -> str:
  said = f'in {_share(share)}'
  return f'{said}: do not count on it' if share < 0.5 else said


def _worth(made: dict[str, Any]) -> list[str]:
  header = ('run', 'C (FLOPs)', 'N', 'D (tokens)', 'narrows N_opt by',
            'per % of the FLOPs')  # fmt: skip
  rows = [
    (
      run['run_id'],
      f'{run["C"]:.3g}',
      words.short(run['N']),
      words.short(run['D']),
      _narrower(run['narrows']),
      _narrower(run['per_percent']),
    )
    for run in made['worth']['runs']
  ]
  return [f'  {x}' for x in text_lib.table(header, rows).splitlines()]


def _next(made: dict[str, Any]) -> list[str]:
  found = made['worth']
  lines = []
  for key, title in (
    ('next', 'Best run to add'), ('next_per_flop', 'Most for its FLOPs')
  ):  # fmt: skip
    if one := found[key]:
      lines.append(
        f'{title}: {one["model"]} ({words.short(one["N"])} parameters) at'
        f' {one["C"]:.3g} FLOPs narrows N_opt by {_narrower(one["narrows"])}.'
      )
  one = found['repeat']
  if one and one['narrows'] >= _WORTH_A_SEED:
    lines.append(
      f'Best seed to repeat: {one["model"]} of {one["config"]}, by'
      f' {_narrower(one["narrows"])}.'
    )
  elif one:
    lines.append('Seeds to repeat: none, they narrow N_opt by less than 1 %.')
  return lines


def _assumptions(made: dict[str, Any]) -> list[str]:
  set_to = made['settings']
  said = [
    f'Drawn from {made["laws"]}.',
    f'Losses scatter by {_percent(set_to["noise"])} about the law, which is'
    " approach 3's noise: its shape is never quite theirs; and by"
    f" {_percent(set_to['seed_noise'])} between seeds, which is approach 2's."
    ' --noise and --seed_noise change them.',
  ]
  if made['worth']:
    said.append(
      "A run narrows approach 3's N_opt by so much against the same runs"
      ' without it. A repeated seed averages its own noise, and not what the law'
      ' misses.'
    )
  return said


def _percent(x: float) -> str:
  return f'{100 * x:.3g} %'


def _share(x: float) -> str:
  return f'{100 * x:.0f} %'


def _narrower(x: float) -> str:
  return f'{words.plain(100 * x, 2)} %'


def estimate(x: Estimate | None, show=words.number) -> str:
  """value [low, high]; the value alone where it is exact or has no interval.

  Which of the two it is, the notes say.
  """
  if x is None or x['value'] is None:
    return NOTHING
  low, high = x['low'], x['high']
  if low == high:
    return show(x['value'])
  ends = ', '.join('?' if end is None else show(end) for end in (low, high))
  return f'{show(x["value"])} [{ends}]'


def duration(seconds: float) -> str:
  """42 s, 8.1 min, 3.3 h, 6.7 days, 1,204 years."""
  for limit, unit_s, unit in (
    (60, 1, 's'), (3600, 60, 'min'), (86_400, 3600, 'h'),
    (_YEAR_S, 86_400, 'days'), (math.inf, _YEAR_S, 'years'),
  ):  # fmt: skip
    if seconds < limit:
      count = words.plain(seconds / unit_s, 3)
      # One day, and not 1 days.
      one = count == '1' and unit in ('days', 'years')
      return f'{count} {unit[:-1] if one else unit}'
  raise ValueError(seconds)


def _notes(by_name: dict[str, list[str]]) -> list[str]:
  """Each note once, after the laws that it is true of."""
  of: dict[str, list[str]] = {}
  for name, notes in by_name.items():
    for note in notes:
      of.setdefault(note, []).append(name)
  lines = []
  for note, names in of.items():
    lines += wrapped(f'{", ".join(names)}: {note}')
  return lines


def wrapped(note: str) -> list[str]:
  """A note as lines of the terminal's width, at most 100."""
  return textwrap.wrap(
    note, _width_of_terminal(), initial_indent='- ', subsequent_indent='  ',
    break_long_words=False, break_on_hyphens=False,
  )  # fmt: skip


def _width_of_terminal() -> int:
  return min(100, shutil.get_terminal_size((88, 24)).columns)


def _count(x: float) -> str:
  return f'{x:,.0f}' if x < 1e6 else words.amount(x)
