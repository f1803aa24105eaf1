"""The figures of the runs themselves: what they reached, and how.

Each follows the rules of `figures`: an Axes and an Analysis in, an alt text
out.
"""

from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax.analysis.fitting import plot_curves
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.study.analyze import Analysis

_HOFFMANN = 20  # tokens per parameter


def bpb_against_depth(ax: Axes, analysis: Analysis) -> str:
  """Bits per byte against the number of layers, a line for each budget."""
  depth = analysis.counted.column('n_layer')
  depth = np.where(depth > 0, depth, np.nan)
  if len(np.unique(depth)) < 2:
    return ''  # a column of points shows nothing of depth
  ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
  return _bpb(ax, analysis, depth, 'depth, layers')


def bpb_against_tokens_per_param(ax: Axes, analysis: Analysis) -> str:
  """Bits per byte against D / N, with Chinchilla's 20 marked."""
  runs = analysis.counted
  ratio = runs.D / runs.N
  text = _bpb(ax, analysis, ratio, 'D / N, tokens per parameter')
  if text:
    low, high = drawing.log_range([*ratio, _HOFFMANN])
    drawing.log_axis(ax, 'x', (low, high), formatting.short)
    ax.axvline(
      _HOFFMANN, color=drawing.BLACK, linewidth=1, linestyle='--', gid='20'
    )
    ax.annotate(
      f'{_HOFFMANN}: Hoffmann et al. 2022', (_HOFFMANN, 1),
      xycoords=('data', 'axes fraction'), xytext=(0, 3),
      textcoords='offset points', fontsize=7, va='bottom',
      ha='center' if low * 2 < _HOFFMANN < high / 2 else 'left',
    )  # fmt: skip
  return text


def _bpb(ax: Axes, analysis: Analysis, x: np.ndarray, label: str) -> str:
  bpb = analysis.counted.column('val_bpb')
  known = np.isfinite(bpb) & np.isfinite(x)
  if not known.any():
    return ''
  drawing.dress(ax, label, 'L, bits/byte')
  ax.set_ylim(*drawing.linear_range(bpb[known]))
  budget = np.array(
    [
      -1 if analysis.budget[i] is None else analysis.budget[i]
      for i in analysis.selection.hoffmann
    ],
    int,
  )
  groups = [int(g) for g in np.unique(budget[known])]
  n = sum(g >= 0 for g in groups)
  Cs: list[float] = []
  least: list[tuple[float, float, float]] = []
  for g in groups:
    own = np.flatnonzero(known & (budget == g))
    own = own[np.argsort(x[own], kind='stable')]
    style: dict[str, Any] = {
      'color': drawing.GREY, 'marker': '.', 'label': 'no budget',
    }  # fmt: skip
    if g >= 0:
      i, C = len(Cs), analysis.isoflop.budgets[g].C
      Cs.append(C)
      style = {
        'color': drawing.ordered(i, n), 'marker': drawing.marker(i),
        'label': drawing.flops(C),
      }  # fmt: skip
      xs, where = np.unique(x[own], return_inverse=True)  # a mean over seeds
      means = np.bincount(where, bpb[own]) / np.bincount(where)
      ax.plot(
        xs, means, color=style['color'], linewidth=1, gid=f'budget-{g}-means'
      )
      best = own[np.argmin(bpb[own])]
      least.append((C, float(x[best]), float(bpb[best])))
    drawing.points(
      ax, x[own], bpb[own], alpha=0.8, gid=f'budget-{g}-runs', **style
    )
  drawing.key_of_budgets(ax, Cs)
  return messages.bpb(int(known.sum()), label, least)


def loss_curves(ax: Axes, analysis: Analysis) -> str:
  """Smoothed training curves and the power law with a floor through each."""
  curves = [fit for fit in analysis.training_curves if len(fit.step)]
  if not curves:
    return ''
  N_of = {run.run_id: run.N for run in analysis.runs}
  plot_curves.training_curves(ax, curves, N_of)
  fitted = [fit for fit in curves if fit.ok]
  without = len(curves) - len(fitted)
  if without:
    drawing.note(ax, [messages.curves_without_law(without, len(curves))])
  return messages.loss_curves(
    len(curves), [fit.params['exponent'] for fit in fitted]
  )


def envelope(ax: Axes, analysis: Analysis) -> str:
  """Training curves against compute, and the least loss at every C."""
  fit = analysis.envelope
  if not fit.curves:
    return ''
  plot_curves.envelope(ax, fit, unit=analysis.runs.unit)
  pieces = plot_curves.envelope_pieces(fit) if fit.ok else []
  first = last = None
  if pieces:
    (C, L), (C_last, L_last) = pieces[0], pieces[-1]
    first, last = (C[0], L[0]), (C_last[-1], L_last[-1])
  return messages.envelope(
    len(fit.curves), first, last, steps_up=len(pieces) > 1
  )
