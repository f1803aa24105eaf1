"""The tables of an analysis: what a terminal shows, and what files hold.

A number whose fit is not ok is never shown: its status stands in its place, and
its message below.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from etils import epath
import numpy as np

from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.fitting.isoflop import IsoflopBudget
from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.messages import tables as messages
from scaling_jax.analysis.study import hold_out_tables
from scaling_jax.analysis.study import kaplan_tables
from scaling_jax.tables import Table

if TYPE_CHECKING:
  from scaling_jax.analysis.study.analyze import Analysis

MARKDOWN = 'tables.md'
_NONE = '–'
_SHOWN = (Status.OK, Status.NO_DEGREES_OF_FREEDOM)


def tables(analysis: 'Analysis') -> list[Table]:
  """Every table that has something to show.

  runs: budget, model, N, D, S, loss. budgets: N_opt, D_opt, L_min. power_laws:
  N0, a, D0, b of each approach. parametric: the five parameters. targets: what
  to train. hold_out, predictions, counting. kaplan, critical_batch, kaplan_vs_chinchilla:
  Kaplan's laws. curves: one for each run.
  """
  return _made(
    analysis, _runs, _budgets, _power_laws, _parametric, _targets, hold_out_tables.largest,
    hold_out_tables.every, _counting, kaplan_tables.laws, kaplan_tables.losses,
    kaplan_tables.comparison, _curves,
  )  # fmt: skip


def brief_tables(analysis: 'Analysis') -> list[Table]:
  """The laws alone: Hoffmann's, or Kaplan's where he has none."""
  answers = any(fit.ok for fit in analysis.approaches.values())
  if not answers and kaplan_tables.any_ok(analysis):
    return _made(
      analysis,
      kaplan_tables.laws,
      kaplan_tables.losses,
      kaplan_tables.comparison,
    )
  return _made(analysis, _power_laws, _parametric, _targets)


def brief(analysis: 'Analysis') -> str:
  """The laws alone, as a terminal shows them."""
  return '\n'.join(table.text() for table in brief_tables(analysis))


def write(made: Sequence[Table], folder: epath.PathLike) -> None:
  """Writes tables.md and one CSV a table."""
  folder = epath.Path(folder)
  text = '\n'.join(table.markdown() for table in made)
  records.write_atomic(folder / MARKDOWN, text)
  for table in made:
    if table.rows:
      records.write_atomic(folder / f'{table.name}.csv', table.csv())


def notes(analysis: 'Analysis') -> tuple[str, ...]:
  """What to know of the runs: of their files, and which count for which law."""
  alone = len(analysis.grouping.alone)
  of_budgets = (run_messages.no_budget(alone),) if alone else ()
  return (*analysis.runs.notes, *of_budgets, *analysis.selection.notes)


def excluded(analysis: 'Analysis') -> list[str]:
  """Runs that no law uses, and why, as the table of runs notes them."""
  return [
    messages.excluded(run.run_id, run.reason) for run in analysis.runs.excluded
  ]


def _made(
  analysis: 'Analysis', *makers: Callable[['Analysis'], Table]
) -> list[Table]:
  every = [make(analysis) for make in makers]
  return [table for table in every if table.rows or table.notes]


def _table(name: str) -> Table:
  return Table(name, messages.TITLES[name])


def _loss_name(analysis: 'Analysis') -> str:
  return f'loss ({analysis.runs.unit})'


def _runs(analysis: 'Analysis') -> Table:
  table, runs = _table('runs'), analysis.runs
  known = [bool(np.isfinite(run.val_loss_sem)) for run in runs]
  order = sorted(
    range(len(runs)), key=lambda i: (runs[i].C, runs[i].N, runs[i].seed)
  )
  for i in order:
    run, loss = runs[i], float(runs.loss[i])
    sem = run.val_loss_sem if known[i] else None
    table.add(
      {
        'run_id': run.run_id, 'C': run.C, 'model': run.model, 'seed': run.seed,
        'N': run.N, 'D': run.D, 'S': run.S, 'loss': loss, 'sem': sem,
      },
      {
        'run': run.run_id,
        'C (FLOPs)': formatting.flops(run.C),
        'model': run.model or _NONE,
        'N': f'{run.N:,.0f}',
        'D (tokens)': f'{run.D:,.0f}',
        'S': f'{run.S:,}' if run.S else _NONE,
        _loss_name(analysis): f'{loss:.4f}',
        '± (s.e.)': _NONE if sem is None else f'{sem:.4f}',
      },
    )  # fmt: skip
  if any(known):
    table.notes.append(messages.standard_error(analysis.level))
  table.notes += [*runs.sources, *excluded(analysis), *notes(analysis)]
  if analysis.seed_sd is not None:
    sd = analysis.seed_sd.interval(analysis.level)
    table.notes.append(messages.seed_sd(_share(sd)))
  return table


def _share(x: Interval) -> str:
  return formatting.interval(x, formatting.percent)


def _budgets(analysis: 'Analysis') -> Table:
  table = _table('budgets')
  for budget in analysis.isoflop.budgets:
    best = budget.optimum(level=analysis.level)
    local = budget.N_local(level=analysis.level)
    parabola = budget.N_parabola(level=analysis.level)
    found = {'N_opt': best.N, 'D_opt': best.D, 'L_min': best.loss}
    n_models, status = len(np.unique(budget.N)), budget.status
    shows = (formatting.count, formatting.count, formatting.number)
    table.add(
      {
        'C': budget.C,
        'n_models': n_models,
        **found,
        'N_opt_parabola': parabola,
        'N_opt_local': local,
        'bias': budget.bias[0] if budget.bias else None,
        'status': str(status),
      },
      {
        'C (FLOPs)': formatting.flops(budget.C),
        'models': str(n_models),
        **{
          name: formatting.estimate(x, status, show)
          for (name, x), show in zip(found.items(), shows)
        },
        'N_opt by a parabola': formatting.estimate(
          parabola, status, formatting.count
        ),
        'N_opt by Akima': formatting.estimate(local, status, formatting.count),
        "parabola's bias": _bias(budget),
      },
    )
    for message in (budget.message, *budget.notes):
      if message:
        table.notes.append(messages.at_flops(budget.C, message))
  return table


def _bias(budget: IsoflopBudget) -> str:
  if budget.bias is None or budget.status not in _SHOWN:
    return _NONE
  share = round(100 * float(np.expm1(budget.bias[0])), 1) or 0.0
  return f'{share:+.1f}%'


def _power_laws(analysis: 'Analysis') -> Table:
  table = _table('power_laws')
  names = {'N0': 'N0', 'a': 'exponent_N', 'D0': 'D0', 'b': 'exponent_D'}
  for approach, fit in analysis.approaches.items():
    title, found = messages.APPROACHES[approach], fit.conf_int(analysis.level)
    numbers = {column: found[name] for column, name in names.items()}
    table.add(
      {
        'approach': messages.written(approach),
        **numbers,
        'status': str(fit.status),
      },
      {
        'approach': title,
        **{k: formatting.estimate(x, fit.status) for k, x in numbers.items()},
      },
    )
    table.notes.append(messages.about(title, fit.message))
    if approach == 'isoflop':
      table.notes += [messages.about(title, note) for note in fit.notes]
  return table


def _parametric(analysis: 'Analysis') -> Table:
  table, fit = _table('parametric'), analysis.chinchilla
  if fit.status not in _SHOWN:
    return table
  found = fit.conf_int(analysis.level)
  for name in ('E', 'A', 'B', 'alpha', 'beta'):
    table.add(
      {'parameter': name, 'estimate': found[name]},
      {
        'parameter': name,
        'estimate': formatting.estimate(found[name], fit.status),
      },
    )
  if analysis.averaged is not None:
    E = analysis.averaged.conf_int(analysis.level)['E']
    table.add(
      {'parameter': 'E_averaged', 'estimate': E},
      {
        'parameter': messages.E_AVERAGED,
        'estimate': formatting.estimate(E, fit.status),
      },
    )
  if fit.diagnostics is not None:
    line = formatting.diagnostics(fit.diagnostics)
    table.notes.append(messages.sentence(line))
  table.notes += [*fit.notes, *analysis.form_notes, *analysis.cautions]
  if fit.residual_sd is not None:
    sd = fit.residual_sd.interval(analysis.level)
    table.notes.append(messages.residual_sd(_share(sd)))
  return table


def _targets(analysis: 'Analysis') -> Table:
  table = _table('targets')
  laws: dict[str, tuple[str, Any]] = {
    name: (messages.APPROACHES[name], fit)
    for name, fit in analysis.approaches.items()
    if fit.ok
  }
  if analysis.averaged is not None:
    laws['chinchilla_averaged'] = messages.AVERAGED, analysis.averaged
  for C in analysis.targets:
    for approach, (title, fit) in laws.items():
      best = fit.optimum(C=C, level=analysis.level)
      table.add(
        {
          'C': C, 'approach': messages.written(approach), 'N': best.N, 'D': best.D,
          'L': best.loss,
        },
        {
          'C (FLOPs)': formatting.flops(C),
          'approach': title,
          'N': formatting.estimate(best.N, show=formatting.count),
          'D (tokens)': formatting.estimate(best.D, show=formatting.count),
          _loss_name(analysis): formatting.estimate(best.loss),
        },
      )  # fmt: skip
  if analysis.averaged is not None:
    table.notes.append(messages.averaged(analysis.averaged.shares))
  if table.rows:
    table.notes.append(messages.no_loss_by_1_and_2())
  return table


def _counting(analysis: 'Analysis') -> Table:
  table = _table('counting')
  for effect in analysis.counting:
    found = {
      'isoflop': effect.isoflop.at(analysis.level),
      'chinchilla': effect.chinchilla.at(analysis.level),
    }
    table.add(
      {
        'name': effect.name,
        **{messages.written(k): x for k, x in found.items()},
      },
      {
        'counted': effect.name,
        **{
          messages.APPROACHES[k]: formatting.estimate(x)
          for k, x in found.items()
        },
      },
    )
  return table


def _curves(analysis: 'Analysis') -> Table:
  table = _table('curves')
  for curve in analysis.training_curves:
    found, status = curve.conf_int(analysis.level), curve.status
    forecast = curve.forecast(analysis.level)
    predicted, actual = forecast.predicted, forecast.actual
    names = ('floor', 'exponent', 'slope_per_doubling')
    cut_short = messages.yes_no(curve.cut_short)
    table.add(
      {
        'run_id': curve.run_id,
        **{name: found.get(name, UNKNOWN) for name in names},
        'cut_short': cut_short,
        'predicted': predicted,
        'actual': actual,
        'status': str(status),
      },
      {
        'run': curve.run_id,
        'floor': formatting.estimate(found['floor'], status),
        'p': formatting.estimate(found['exponent'], status),
        'end, per doubling': formatting.estimate(found['slope_per_doubling']),
        'cut short': cut_short,
        'end predicted at half': formatting.estimate(predicted),
        'actual end': formatting.estimate(actual),
      },
    )
    if status != Status.OK:
      table.notes.append(messages.about(curve.run_id, curve.message))
  if table.rows:
    table.notes.append(messages.cut_short(training_curve.CUT_SHORT))
  return table
