"""An analysis in plain numbers, as fits.json states it (docs/fits.md)."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.fitting.cost_fit import CostFit
from scaling_jax.analysis.fitting.envelope import EnvelopeFit
from scaling_jax.analysis.fitting.isoflop import IsoflopBudget
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.training_curve import TrainingCurveFit
from scaling_jax.analysis.study import plain
from scaling_jax.analysis.study import plain_kaplan
from scaling_jax.analysis.study import summary_tables
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.plain import Plain
from scaling_jax.analysis.study.results import HoldOut

ENVELOPE_POINTS = 300  # of the envelope that the file states


def of_analysis(analysis: Analysis) -> Plain:
  """Everything but the fits themselves; what is not known is nan."""
  level = analysis.level
  return {
    'level': level,
    'source': _source(analysis),
    'runs': _runs(analysis),
    'provenance': dataclasses.asdict(analysis.provenance),
    'seed_sd': plain.residual_sd(analysis.seed_sd, level),
    'laws': {
      'isoflop': _isoflop(analysis.isoflop, analysis.targets, level),
      'envelope': _envelope(analysis.envelope, analysis.targets, level),
      'parametric': _chinchilla(analysis),
      **plain_kaplan.laws(analysis.kaplan, level),
    },
    'lead': _lead(analysis),
    'hold_out': _hold_out(analysis.hold_out, level),
    'earlier_hold_outs': [
      _hold_out(one, level) for one in analysis.earlier_hold_outs
    ],
    'counting': [
      {
        'name': one.name,
        'isoflop': plain.at(one.isoflop, level),
        'parametric': plain.at(one.chinchilla, level),
      }
      for one in analysis.counting
    ],
    'kaplan_vs_chinchilla': plain_kaplan.readings(
      analysis.kaplan_vs_chinchilla, level
    ),
    'curves': [_curve(curve, level) for curve in analysis.training_curves],
  }


def _source(analysis: Analysis) -> Plain:
  runs, options = analysis.runs, analysis.options
  return {
    'format': runs.format,
    'unit': runs.unit,
    'files': list(runs.files),
    'columns': list(runs.sources),
    'notes': list(summary_tables.notes(analysis)),
    'excluded': [
      {'run_id': one.run_id, 'reason': one.reason} for one in runs.excluded
    ],
    'n_runs': len(runs),
    'targets': list(analysis.targets),
    'options': {
      'level': options.level,
      **dataclasses.asdict(options.bootstrap),
      'solver': options.solver,
      'drop_highest': options.drop_highest,
    },
    'version': analysis.version,
  }


def _runs(analysis: Analysis) -> list[Plain]:
  """Every run, with its budget where it belongs to one."""
  counted = set(analysis.selection.hoffmann)
  loss = analysis.runs.loss
  return [
    {
      'run_id': run.run_id,
      'C': run.C,
      'N': run.N,
      'D': run.D,
      'S': run.S,
      'loss': float(loss[i]),
      'sem': run.val_loss_sem,
      'seed': run.seed,
      'model': run.model,
      'depth': run.n_layer,
      'bpb': run.val_bpb,
      'dataset': run.dataset,
      'device': run.device,
      'wall_s': run.wall_s,
      'tokens_per_s': run.tokens_per_s,
      'budget': analysis.budget[i],
      'counted': i in counted,
    }
    for i, run in enumerate(analysis.runs)
  ]


def _power_laws(fit: IsoflopFit | EnvelopeFit, level: float) -> Plain:
  return {
    name: {k: plain.interval(x) for k, x in line.conf_int(level).items()}
    for name, line in (('N_opt', fit.N_opt), ('D_opt', fit.D_opt))
  }


def _optima(fit, targets: Sequence[float], level: float) -> list[Plain]:
  if not fit.ok:
    return []
  return [_allocation(fit.optimum(C=C, level=level)) for C in targets]


def _allocation(best: Allocation) -> Plain:
  return {
    'C': best.C.value,
    'N_opt': plain.interval(best.N),
    'D_opt': plain.interval(best.D),
    'L': plain.interval(best.loss),
  }


def _isoflop(fit: IsoflopFit, targets, level: float) -> Plain:
  return {
    **plain.judged(fit),
    'notes': list(fit.notes),
    'budgets': [_budget(budget, level) for budget in fit.budgets],
    **_power_laws(fit, level),
    'at': _optima(fit, targets, level),
  }


def _budget(budget: IsoflopBudget, level: float) -> Plain:
  curve, joint = budget.parabola, budget.joint
  best = budget.optimum(level=level)
  return {
    'C': budget.C,
    **plain.judged(budget),
    'notes': list(budget.notes),
    'n_models': len(np.unique(budget.N)),
    'residual_sd': plain.residual_sd(budget.residual_sd, level),
    'N_low': float(budget.N[0]),
    'N_high': float(budget.N[-1]),
    'N_opt': plain.interval(best.N),
    'D_opt': plain.interval(best.D),
    'L_min': plain.interval(best.loss),
    'N_opt_parabola': plain.interval(budget.N_parabola(level=level)),
    'N_opt_local': plain.interval(budget.N_local(level=level)),
    'bias': budget.bias[0] if budget.bias else None,
    'joint': joint
    and {
      'center': joint.center,
      'exponents': [float(joint.alpha), float(joint.beta)],
      'coefficients': [float(joint.c), float(joint.p), float(joint.q)],
    },
    'parabola': curve
    and {
      'center': curve.center,
      'coefficients': [float(curve.c2), float(curve.c1), float(curve.c0)],
    },
  }


def _envelope(fit: EnvelopeFit, targets, level: float) -> Plain:
  thin = slice(None, None, max(1, len(fit.C) // ENVELOPE_POINTS))
  rows = zip(fit.C[thin], fit.N[thin], fit.D[thin], fit.L[thin])
  return {
    **plain.judged(fit),
    **_power_laws(fit, level),
    'points': [dict(zip('CNDL', map(float, row))) for row in rows],
    'at': _optima(fit, targets, level),
  }


def _chinchilla(analysis: Analysis) -> Plain:
  fit, level = analysis.chinchilla, analysis.level
  found: list[tuple[str, np.ndarray]] = []
  if np.isfinite(fit.law.E):
    found = [('predicted', fit.predicted), ('residuals', fit.residuals)]
  out = {
    **plain.stated(fit, level),
    'notes': [*fit.notes, *analysis.form_notes, *analysis.cautions],
    'method': fit.method,
    'minimized': dataclasses.asdict(fit.objective),
    'n_cells': fit.n_cells,
    'noise_exponent': fit.noise_exponent,
    'seed_sd': plain.residual_sd(fit.seed_sd, level),
    'model_sd': fit.model_sd,
    'outliers': [
      {
        'run_id': analysis.counted.run_ids[i],
        'standard_deviations': float(fit.deviations[i]),
        'excluded': fit.excludes,
      }
      for i in fit.outliers
    ],
    'residual_sd': plain.residual_sd(fit.residual_sd, level),
    **plain.diagnostics(fit.diagnostics),
    'predicted': [],
    'residuals': [],
    'at': _optima(fit, analysis.targets, level),
    'averaged': _averaged(analysis),
    'cost': _cost(fit.cost_fit),
  }
  for name, values in found:
    of = dict(zip(analysis.selection.hoffmann, map(float, values)))
    out[name] = [of.get(i) for i in range(len(analysis.runs))]
  return out


def _cost(found: CostFit) -> Plain:
  """What compute bought: its form, and the constants of it."""
  return {
    'form': found.form,
    **found.cost._asdict(),
    'over_6ND': list(found.ratio),
    'N': [found.low, found.high],
    'residual_sd': found.residual_sd,
  }


def _averaged(analysis: Analysis) -> Plain | None:
  fit, level = analysis.averaged, analysis.level
  if fit is None:
    return None
  return {
    'E': plain.interval(fit.conf_int(level)['E']),
    'shares': fit.shares,
    'at': [
      _allocation(fit.optimum(C=C, level=level)) for C in analysis.targets
    ],
  }


def _lead(analysis: Analysis) -> Plain:
  """The approach to go by, and its numbers."""
  lead = analysis.lead
  found = [analysis.optimum(C=C) for C in analysis.targets]
  return {
    'law': {'chinchilla': 'parametric'}.get(lead.approach or '', lead.approach),
    'doubts': {
      {'chinchilla': 'parametric'}.get(name, name): list(texts)
      for name, texts in analysis.doubts.items()
    },
    'averaged': lead.wider,
    'withheld': lead.withheld,
    'at': [_allocation(best) for best in found if best is not None],
  }


def _hold_out(found: HoldOut, level: float) -> Plain:
  return {
    **plain.judged(found),
    'C': found.C,
    'ahead': found.ahead,
    'p_value': found.p_value,
    'runs': [
      {
        'run_id': run.run_id,
        'N': run.N,
        'actual': run.actual,
        'predicted': plain.at(run.predicted, level),
        'inside': run.inside(level),
        'too_wide': run.too_wide(level),
      }
      for run in found.runs
    ],
    'optima': [
      {
        'law': {'chinchilla': 'parametric'}.get(one.approach, one.approach),
        **plain.judged(one),
        'predicted': plain.at(one.predicted, level),
        'actual': plain.at(one.actual, level),
        'overlap': one.overlap(level),
        'too_wide': one.too_wide(level),
      }
      for one in found.optima
    ],
  }


def _curve(fit: TrainingCurveFit, level: float) -> Plain:
  forecast = fit.forecast(level)
  return {
    'run_id': fit.run_id,
    **plain.stated(fit, level),
    'cut_short': fit.cut_short,
    'forecast': {
      'from_step': forecast.from_step,
      'predicted': plain.interval(forecast.predicted),
      'actual': plain.interval(forecast.actual),
      'inside': forecast.inside,
    },
    'points': {'step': fit.step.tolist(), 'loss': fit.loss.tolist()},
    'fitted': fit.fitted.tolist(),
  }
