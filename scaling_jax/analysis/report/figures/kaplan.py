"""The figures of Kaplan's laws.

Each follows the rules of `figures`: an Axes and an Analysis in, an alt text
out.
"""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax.analysis.fitting import plot_lines
from scaling_jax.analysis.fitting import plots
from scaling_jax.analysis.fitting.critical_batch import BatchTarget
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.frontier import FrontierFit
from scaling_jax.analysis.fitting.kaplan import KaplanFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.study.analyze import Analysis

_LABELS = {'C': 'C, PF-days', 'C_min': 'C_min, PF-days'}
_HYPERBOLA = 100  # points


def L_N(ax: Axes, analysis: Analysis) -> str:
  """Final loss against N on one amount of text."""
  return _loss_line(ax, analysis, analysis.kaplan.L_N, 'N')


def L_D(ax: Axes, analysis: Analysis) -> str:
  """Final loss against the text there was, at one N."""
  return _loss_line(ax, analysis, analysis.kaplan.L_D, 'D')


def _loss_line(ax: Axes, analysis: Analysis, fit: PowerLawFit, x: str) -> str:
  if len(fit.x) < 2:
    return ''
  text = messages.loss_line(len(fit.x), x)
  unit, level = analysis.runs.unit, analysis.level
  return text + loss_line(ax, fit, x, level=level, unit=unit)


def loss_line(
  ax: Axes, fit: PowerLawFit, x: str, *, level: float, unit: str
) -> str:
  """Losses against N, D or C in PF-days, and the line; the law in words."""
  x_c, alpha = fit.kaplan_form(level)
  labels = plot_lines.PowerLawLabels(
    x=_LABELS.get(x) or drawing.LABELS[x],
    y=messages.loss_label(unit),
    line=messages.kaplan_power(x, alpha),
    x_text=drawing.flops if x in _LABELS else formatting.short,
    y_text=drawing.loss,
    narrow=True,
  )
  plot_lines.power_law(ax, fit, level=level, labels=labels)
  if not fit.ok:
    return messages.without_law('', fit.message)
  return messages.loss_line_law('', x, alpha, x_c)


def batch_line(
  ax: Axes, fit: PowerLawFit, law: CriticalBatchFit, *, level: float, unit: str
) -> str:
  """Points of B_crit against the loss, and the line; the law in words."""
  found = law.conf_int(level)
  labels = plot_lines.PowerLawLabels(
    x=messages.loss_label(unit),
    y='B_crit, tokens',
    line=messages.critical_batch_power(found['alpha_B']),
    x_text=drawing.loss,
  )
  plot_lines.power_law(ax, fit, level=level, labels=labels)
  ax.invert_xaxis()  # as training goes
  if not law.ok:
    return messages.without_law('', law.message)
  return messages.critical_batch_law('', found['B_star'], found['alpha_B'])


def L_ND(ax: Axes, analysis: Analysis) -> str:
  """Loss against D, a line for each N."""
  return _family(ax, analysis, analysis.kaplan.L_ND)


def L_NS(ax: Axes, analysis: Analysis) -> str:
  """Loss against S_min along whole curves, a line for each N."""
  found = analysis.kaplan.at_critical_batch
  return '' if found is None else _family(ax, analysis, found.steps)


def _family(ax: Axes, analysis: Analysis, fit: KaplanFit) -> str:
  if not len(fit.N):
    return ''
  plots.kaplan(
    ax,
    fit,
    level=analysis.level,
    unit=analysis.runs.unit,
    notes=_notes(analysis, fit) if fit.form == 'NS' else (),
  )
  against = {'ND': 'D', 'NS': 'S_min'}[fit.form]
  text = messages.family(against, len(np.unique(fit.N)))
  if not fit.ok:
    return messages.without_law(text, fit.message)
  return messages.family_law(text, fit.conf_int(analysis.level))


def _notes(analysis: Analysis, fit: FitResult) -> tuple[str, ...]:
  """Where a law at the critical batch size rests on an extrapolated one."""
  note = analysis.kaplan.extrapolated
  return (note,) if fit.ok and note else ()


def L_C(ax: Axes, analysis: Analysis) -> str:
  """Training curves, their lower hull, and the line through its models."""
  found = analysis.kaplan
  return _hull(ax, analysis, found.frontier, found.curves, 'C')


def L_Cmin(ax: Axes, analysis: Analysis) -> str:
  """The same against C_min."""
  found = analysis.kaplan.at_critical_batch
  if found is None:
    return ''
  return _hull(ax, analysis, found.frontier, found.curves, 'C_min')


def _hull(
  ax: Axes,
  analysis: Analysis,
  fit: FrontierFit,
  curves: Sequence[LossCurve],
  compute: str,
) -> str:
  if len(curves) < 2:
    return ''
  plot_lines.frontier(
    ax,
    fit,
    level=analysis.level,
    unit=analysis.runs.unit,
    curves=curves,
    labels=(_LABELS[compute], laws.FLOPS_PER_PF_DAY),
    notes=_notes(analysis, fit.L_fit) if compute == 'C_min' else (),
  )
  text = messages.hull(len(curves), compute)
  if not fit.L_fit.ok:
    return messages.hull_without_law(text, fit.L_fit.message)
  _, alpha = fit.L_fit.kaplan_form(analysis.level)
  return messages.hull_law(text, len(fit.inner), alpha)


def N_opt(ax: Axes, analysis: Analysis) -> str:
  """The models that have their best on the hull against C."""
  fit = analysis.kaplan.N_opt
  return _growth(ax, analysis, fit, 'C', drawing.LABELS['N_opt'])


def _at_critical_batch(name: str, label: str) -> Callable[..., str]:
  """The figure of one of the power laws of C_min."""

  def draw(ax: Axes, analysis: Analysis) -> str:
    found = analysis.kaplan.at_critical_batch
    if found is None:
      return ''
    return _growth(ax, analysis, getattr(found, name), 'C_min', label)

  return draw


def _growth(
  ax: Axes, analysis: Analysis, fit: PowerLawFit, compute: str, label: str
) -> str:
  """A power law of compute in PF-days."""
  if len(fit.x) < 2:
    return ''
  level, quantity = analysis.level, label.partition(',')[0]
  exponent = fit.conf_int(level)['exponent']
  labels = plot_lines.PowerLawLabels(
    x=_LABELS[compute],
    y=label,
    line=messages.power(quantity, compute, exponent),
    x_text=drawing.flops,
  )
  notes = _notes(analysis, fit) if compute == 'C_min' else ()
  plot_lines.power_law(ax, fit, level=level, labels=labels, notes=notes)
  text = messages.hull_growth(quantity, compute, len(fit.x))
  if not fit.ok:
    return messages.without_law(text, fit.message)
  return messages.hull_growth_law(text, compute, exponent)


def steps_and_tokens(ax: Axes, analysis: Analysis) -> str:
  """Steps against tokens to each loss, and the hyperbola through them."""
  targets = [t for t in analysis.critical_batch.targets if len(t.B)]
  if not targets:
    return ''
  drawing.dress(ax, 'S, steps to the loss', 'E, tokens to the loss')
  S = np.concatenate([t.S for t in targets])
  E = np.concatenate([t.S * t.B for t in targets])
  S_range = drawing.log_range(S)
  drawing.log_axis(ax, 'x', S_range, formatting.short)
  drawing.log_axis(ax, 'y', drawing.log_range(E), formatting.short)
  for i, target in enumerate(targets):
    color = drawing.ordered(i, len(targets))
    drawing.points(
      ax, target.S, target.S * target.B, marker=drawing.marker(i),
      markersize=4.5, zorder=4, color=color if target.ok else 'white',
      markeredgecolor=color, markeredgewidth=1.0,
      label=messages.target(target.L, ok=target.ok), gid=f'loss-{i}',
    )  # fmt: skip
    if target.ok:
      _hyperbola(ax, target, S_range[1], color, f'hyperbola-{i}')
  drawing.legend_beside(ax, title=messages.loss_label(analysis.runs.unit))
  n_ok = sum(target.ok for target in targets)
  return messages.steps_and_tokens(len(targets), n_ok)


def _hyperbola(
  ax: Axes, target: BatchTarget, end: float, color, gid: str
) -> None:
  """E = E_min / (1 - S_min/S), of which S_min and E_min are the ends."""
  S_min, E_min = target.S_min, target.E_min
  S = S_min * (1 + np.geomspace(1e-3, end / S_min, _HYPERBOLA))
  E = E_min * S / (S - S_min)
  ax.plot(S, E, color=color, linewidth=1, gid=gid, zorder=2)


def critical_batch(ax: Axes, analysis: Analysis) -> str:
  """B_crit against the loss, and the power law through it."""
  fit, level = analysis.critical_batch, analysis.level
  n = sum(target.ok for target in fit.targets)
  if not n:
    return ''
  plot_lines.critical_batch(ax, fit, level=level, unit=analysis.runs.unit)
  text = messages.critical_batch(n)
  if not fit.ok:
    return messages.without_law(text, fit.message)
  found = fit.conf_int(level)
  return messages.critical_batch_law(text, found['B_star'], found['alpha_B'])


FIGURES: dict[str, Callable[[Axes, Analysis], str]] = {
  'kaplan_L_N': L_N,
  'kaplan_L_D': L_D,
  'kaplan_L_ND': L_ND,
  'kaplan_L_C': L_C,
  'kaplan_N_opt': N_opt,
  'critical_batch_steps': steps_and_tokens,
  'critical_batch': critical_batch,
  'kaplan_L_Cmin': L_Cmin,
  'kaplan_N_opt_Cmin': _at_critical_batch('N_opt', drawing.LABELS['N_opt']),
  'kaplan_B_Cmin': _at_critical_batch('B_fit', 'B_crit, tokens'),
  'kaplan_S_Cmin': _at_critical_batch('S_fit', 'S_min, steps'),
  'kaplan_L_NS': L_NS,
}
