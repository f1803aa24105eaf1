"""The tables: Markdown and CSV, and what a terminal shows, from fits.json.

A number whose fit is not ok is never shown bare: its status stands in its
place, and the sentence below.
"""

from typing import Any

from etils import epath
import numpy as np

from scaling_jax import records
from scaling_jax.analysis import kaplan_tables
from scaling_jax.analysis import reach
from scaling_jax.analysis import words
from scaling_jax.analysis.summary_table import Table
from scaling_jax.analysis.words import estimate

Fits = dict[str, Any]


def tables(fits: Fits) -> list[Table]:
  """The homework's tables, then what the other laws say; empty ones left out.

  runs: budget, model, N, D, S, loss. budgets: N_opt, D_opt, L_min. power_laws:
  N0, a, D0, b of each approach. parametric: the five parameters. targets: what
  to train. hold_out, conventions. kaplan, critical_batch, bridge: Kaplan's laws.
  curves.
  """
  made = (
    _runs, _budgets, _power_laws, _parametric, _targets, _hold_out,
    _conventions, kaplan_tables.laws, kaplan_tables.losses,
    kaplan_tables.bridge, _curves,
  )  # fmt: skip
  every = [make(fits) for make in made]
  return [table for table in every if table.rows or table.notes]


def brief(fits: Fits) -> tuple[str, ...]:
  """Names of the tables of laws: Hoffmann's, or Kaplan's where he has none."""
  hoffmann = any(fits['laws'][name]['status'] == 'ok' for name in words.TITLES)
  if hoffmann or not kaplan_tables.any_ok(fits):
    return ('power_laws', 'parametric', 'targets')
  return ('kaplan', 'critical_batch', 'bridge')


def write(fits: Fits, folder: epath.PathLike) -> list[Table]:
  """Writes tables.md and one CSV a table; returns the tables."""
  folder = epath.Path(folder)
  made = tables(fits)
  text = '\n'.join(table.markdown() for table in made)
  records.write_atomic(folder / 'tables.md', text)
  for table in made:
    if table.rows:
      records.write_atomic(folder / f'{table.name}.csv', table.csv())
  return made


def left_out(fits: Fits) -> list[str]:
  """Runs that no law used, and why, as the table of runs notes them."""
  return [
    f'Left out: {entry["run_id"]}: {entry["reason"]}'
    for entry in fits['source']['left_out']
  ]


def _loss_name(fits: Fits) -> str:
  return f'loss ({fits["source"]["unit"]})'


def _runs(fits: Fits) -> Table:
  table = Table('runs', 'Runs')
  for run in sorted(fits['runs'], key=lambda r: (r['C'], r['N'], r['seed'])):
    row = {
      name: run[name]
      for name in ('run_id', 'C', 'model', 'seed', 'N', 'D', 'S', 'loss', 'sem')
    }
    shown = {
      'run': run['run_id'],
      'C (FLOPs)': f'{run["C"]:.3g}',
      'model': run['model'] or '–',
      'N': f'{run["N"]:,.0f}',
      'D (tokens)': f'{run["D"]:,.0f}',
      'S': f'{run["S"]:,}' if run['S'] else '–',
      _loss_name(fits): f'{run["loss"]:.4f}',
      '± (s.e.)': f'{run["sem"]:.4f}' if _known(run['sem']) else '–',
    }
    table.add(row, shown)
  if any(_known(run['sem']) for run in fits['runs']):
    table.notes.append(
      '± is one standard error of a loss, over the tokens it was evaluated on,'
      f' and no interval at {100 * fits["level"]:g} %.'
    )
  table.notes += left_out(fits)
  table.notes += fits['source']['notes']
  seeds = fits['seed_noise']
  if seeds['value'] is not None:
    table.notes.append(f'Seeds scatter by {_percent(seeds)} of the loss.')
  return table


def _percent(x: words.Estimate) -> str:
  value, low, high = (100 * x[k] for k in ('value', 'low', 'high'))  # type: ignore
  return f'{value:.2f} % [{low:.2f}, {high:.2f}]'


def _known(x: float | None) -> bool:
  return x is not None and x == x


def _budgets(fits: Fits) -> Table:
  table = Table('budgets', 'Approach 2: the optimum at each budget')
  law = fits['laws']['isoflop']
  for b in law['budgets']:
    row = {
      name: b[name] for name in ('C', 'n_models', 'N_opt', 'D_opt', 'L_min')
    }
    row |= {name: b[name] for name in ('N_opt_local', 'bias', 'status')}
    shown = {'C (FLOPs)': f'{b["C"]:.3g}', 'models': str(b['n_models'])}
    for name in ('N_opt', 'D_opt'):
      shown[name] = estimate(b[name], b['status'], words.amount)
    shown['L_min'] = estimate(b['L_min'], b['status'])
    local = estimate(b['N_opt_local'], b['status'], words.amount)
    shown['N_opt by Akima'] = local
    shown["parabola's bias"] = (
      '–'
      if b['bias'] is None or b['status'] not in ('ok', 'no_degrees_of_freedom')
      else f'{100 * np.expm1(b["bias"]):+.1f} %'
    )
    table.add(row, shown)
    for sentence in [b['sentence'], *b['notes']]:
      if sentence:
        table.notes.append(f'At {b["C"]:.3g} FLOPs: {sentence}.')
  return table


def _power_laws(fits: Fits) -> Table:
  table = Table('power_laws', 'N_opt = N0 C^a and D_opt = D0 C^b')
  for name, title in words.TITLES.items():
    law = fits['laws'][name]
    if name == 'parametric':
      numbers = {
        'N0': law['N0'],
        'a': law['exponent_N'],
        'D0': law['D0'],
        'b': law['exponent_D'],
      }
    else:
      numbers = {
        'N0': law['N_opt']['coefficient'],
        'a': law['N_opt']['exponent'],
        'D0': law['D_opt']['coefficient'],
        'b': law['D_opt']['exponent'],
      }
    shown = {k: estimate(v, law['status']) for k, v in numbers.items()}
    table.add(
      {'approach': name, **numbers, 'status': law['status']},
      {'approach': title, **shown},
    )
    table.notes.append(f'{title}: {law["sentence"]}.')
  return table


def _parametric(fits: Fits) -> Table:
  law = fits['laws']['parametric']
  table = Table('parametric', 'Approach 3: L = E + A / N^alpha + B / D^beta')
  if law['status'] not in ('ok', 'no_degrees_of_freedom'):
    return table
  for name in ('E', 'A', 'B', 'alpha', 'beta'):
    table.add(
      {'parameter': name, 'estimate': law[name]},
      {'parameter': name, 'estimate': estimate(law[name], law['status'])},
    )
  table.notes.append(
    f'Certificate: objective {law["objective"]:.9g}, gradient'
    f' {law["gradient_norm"]:.1e}, {law["n_agree"]} of {law["n_starts"]} starts'
    f' agree, condition number {law["condition"]:.3g}.'
  )
  table.notes += law['notes']
  noise = law['noise']
  if noise['value'] is not None:
    table.notes.append(f'Runs scatter by {_percent(noise)} about the law.')
  return table


def _targets(fits: Fits) -> Table:
  table = Table('targets', 'What to train')
  for C in fits['source']['targets']:
    for name, title in words.TITLES.items():
      law = fits['laws'][name]
      at = reach.stated(law, C)
      if at is None or law['status'] != 'ok':
        continue
      loss = at.get('L', {'value': None, 'low': None, 'high': None})
      table.add(
        {
          'C': C,
          'approach': name,
          'N': at['N_opt'],
          'D': at['D_opt'],
          'L': loss,
        },
        {
          'C (FLOPs)': f'{C:.3g}',
          'approach': title,
          'N': estimate(at['N_opt'], show=words.amount),
          'D (tokens)': estimate(at['D_opt'], show=words.amount),
          _loss_name(fits): estimate(loss),
        },
      )
  if table.rows:
    table.notes.append(
      'Approaches 1 and 2 say what to train, and not the loss that it reaches.'
    )
  return table


def _hold_out(fits: Fits) -> Table:
  found = fits['hold_out']
  table = Table('hold_out', 'The largest budget, foretold from the others')
  for run in found.get('runs', []):
    inside = {True: 'yes', False: 'no', None: '–'}[run['inside']]
    table.add(
      {
        'what': run['run_id'],
        'predicted': run['predicted'],
        'actual': run['actual'],
        'inside': inside,
      },
      {
        'what': f'loss of {run["run_id"]}',
        'predicted': estimate(run['predicted']),
        'actual': words.number(run['actual']),
        'inside': inside,
      },
    )
  for optimum in found.get('optima', []):
    title = words.TITLES[optimum['law']]
    actual = optimum['actual']
    inside = {True: 'overlap', False: 'apart', None: '–'}[optimum['inside']]
    table.add(
      {
        'what': f'N_opt by {optimum["law"]}',
        'predicted': optimum['predicted'],
        'actual': actual['value'],
        'inside': inside,
      },
      {
        'what': f'N_opt by {title}',
        'predicted': estimate(
          optimum['predicted'], optimum['status'], words.amount
        ),
        'actual': estimate(actual, show=words.amount),
        'inside': inside,
      },
    )
    if optimum['status'] != 'ok':
      table.notes.append(f'N_opt by {title}: {optimum["sentence"]}.')
  table.notes.append(f'{found["sentence"]}.')
  return table


def _conventions(fits: Fits) -> Table:
  table = Table('conventions', 'The exponent a of N_opt, by what is counted')
  for row in fits['conventions']:
    table.add(
      row,
      {
        'counted': row['name'],
        **{
          words.TITLES[name]: estimate(row[name])
          for name in ('isoflop', 'parametric')
        },
      },
    )
  return table


def _curves(fits: Fits) -> Table:
  table = Table('curves', 'Training curves: L(s) = floor + c s^-p')
  for curve in fits['curves']:
    status = curve['status']
    forecast = curve.get('forecast') or {}
    cut_short = {True: 'yes', False: 'no', None: '–'}[curve['cut_short']]
    numbers = {
      name: curve[name] for name in ('floor', 'exponent', 'slope_per_doubling')
    }
    foretold = {
      name: forecast.get(name) or {'value': None, 'low': None, 'high': None}
      for name in ('predicted', 'actual')
    }
    shown = {
      'run': curve['run_id'],
      'floor': estimate(curve['floor'], status),
      'p': estimate(curve['exponent'], status),
      'end, per doubling': estimate(curve['slope_per_doubling']),
      'cut short': cut_short,
      'end foretold at half': estimate(foretold['predicted']),
      'actual end': estimate(foretold['actual']),
    }
    row = {'run_id': curve['run_id'], **numbers, 'cut_short': cut_short}
    table.add({**row, **foretold, 'status': status}, shown)
    if status != 'ok':
      table.notes.append(f'{curve["run_id"]}: {curve["sentence"]}')
  if table.rows:
    table.notes.append(
      'Cut short: the training loss was still falling by more than 0.5 % for'
      ' each doubling of steps at the end, annealing included.'
    )
  return table
