"""The figures of the runs themselves: what they reached, and how."""

from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
import numpy as np

from scaling_jax.analysis import drawing
from scaling_jax.analysis import reach
from scaling_jax.analysis.drawing import Fits


def bpb_against_depth(ax: Axes, fits: Fits) -> str:
  """Bits per byte against the number of layers, a line for each budget."""
  if len({run.get('depth') for run in reach.runs(fits)}) < 2:
    return ''  # a column of points says nothing of depth
  ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
  return _bpb(ax, fits, lambda run: run.get('depth') or None, 'depth, layers')


def bpb_against_tokens_per_param(ax: Axes, fits: Fits) -> str:
  """Bits per byte against D / N, with Chinchilla's 20 marked."""
  label = 'D / N, tokens per parameter'
  text = _bpb(ax, fits, lambda run: run['D'] / run['N'], label)
  if text:
    ratios = [r['D'] / r['N'] for r in reach.runs(fits)]
    low, high = drawing.log_range([*ratios, 20])
    drawing.log_axis(ax, 'x', low, high, drawing.count)
    ax.axvline(20, color=drawing.BLACK, linewidth=1, linestyle='--', gid='20')
    ax.annotate(
      '20: Hoffmann et al. 2022', (20, 1), xycoords=('data', 'axes fraction'),
      xytext=(0, 3), textcoords='offset points', fontsize=7, va='bottom',
      ha='center' if low * 2 < 20 < high / 2 else 'left',
    )  # fmt: skip
  return text


def _bpb(ax, fits: Fits, x_of, label: str) -> str:
  runs = [
    r for r in reach.runs(fits)
    if r.get('bpb') is not None and x_of(r) is not None
  ]  # fmt: skip
  if not runs:
    return ''
  drawing.dress(ax, label, 'L, bits/byte')
  ax.set_ylim(*drawing.linear_range([r['bpb'] for r in runs]))
  groups = sorted({_group(r) for r in runs})
  n = sum(g >= 0 for g in groups)
  least = []
  for g in groups:
    own = sorted((r for r in runs if _group(r) == g), key=x_of)
    best = min(own, key=lambda r: r['bpb'])
    i = groups.index(g) - (len(groups) - n)
    color = drawing.ordered(i, n) if g >= 0 else drawing.GREY
    C = drawing.power(drawing.budget_C(fits, g)) if g >= 0 else 'no budget'
    x, y = [x_of(r) for r in own], [r['bpb'] for r in own]
    ax.plot(
      x, y, linestyle='none', marker=drawing.marker(i) if g >= 0 else '.',
      color=color, alpha=0.8, markeredgecolor='white', markeredgewidth=0.4,
      label=C, gid=f'budget-{g}-runs',
    )  # fmt: skip
    if g >= 0:
      ax.plot(*_means(x, y), color=color, linewidth=1, gid=f'budget-{g}-means')
      least.append(
        f'{best["bpb"]:.3g} at {x_of(best):.3g} for C ='
        f' {drawing.flops(drawing.budget_C(fits, g))}'
      )
  drawing.key_of_budgets(
    ax, [drawing.budget_C(fits, g) for g in groups if g >= 0]
  )
  told = f': the least is {drawing.listed(least)}' if least else ''
  return f'Bits per byte of {len(runs)} runs against {label}{told}.'


def _group(run: dict[str, Any]) -> int:
  return -1 if run.get('budget') is None else run['budget']


def _means(x, y) -> tuple[np.ndarray, np.ndarray]:
  """The mean over seeds, that is over runs of the same x."""
  xs, where = np.unique(x, return_inverse=True)
  return xs, np.bincount(where, y) / np.bincount(where)


def loss_curves(ax: Axes, fits: Fits) -> str:
  """Smoothed training curves and the power law with a floor through each."""
  curves = [c for c in fits.get('curves') or [] if c.get('points')]
  curves = [c for c in curves if c['points']['step']]
  if not curves:
    return ''
  N_of = {r['run_id']: r['N'] for r in fits.get('runs') or []}
  known = [N_of[c['run_id']] for c in curves if c['run_id'] in N_of]
  mappable = drawing.colours_of_N(known) if known else None
  drawing.dress(ax, 'S, steps', 'training loss, nats/token')
  steps = [s for c in curves for s in c['points']['step']]
  losses = [L for c in curves for L in c['points']['loss']]
  drawing.log_axis(ax, 'x', *drawing.log_range(steps, pad=0.02), drawing.count)
  drawing.log_axis(
    ax, 'y', *drawing.log_range(losses, pad=0.04), '{:.3g}'.format
  )
  fitted = []
  for c in curves:
    N = N_of.get(c['run_id'])
    color = mappable.to_rgba(N) if mappable and N else drawing.GREY
    ax.plot(
      c['points']['step'], c['points']['loss'], color=color, linewidth=2.2,
      alpha=0.65, gid=f'curve-{c["run_id"]}',
    )  # fmt: skip
    if drawing.ok(c) and c.get('fitted'):
      fitted.append(c)
      ax.plot(
        c['points']['step'], c['fitted'], color=drawing.BLACK, linewidth=0.8,
        linestyle=(0, (4, 3)), gid=f'law-{c["run_id"]}', zorder=3,
        label='_' if len(fitted) > 1 else r'floor + coefficient · $S^{-exponent}$',
      )  # fmt: skip
  if mappable:
    drawing.bar_of_N(ax, mappable)
  if fitted:
    ax.legend(
      loc='lower left', bbox_to_anchor=(0, 1.0), borderaxespad=0,
      frameon=False,
    )  # fmt: skip
  without = sum(not drawing.ok(c) for c in curves)
  if without:
    drawing.note(
      ax,
      [f'{without} of {len(curves)} curves carry no such law: see the table'],
    )
  return f'Training loss of {len(curves)} runs against steps; {_told(fitted)}.'


def _told(fitted: list[dict[str, Any]]) -> str:
  exponents = [e for c in fitted if (e := drawing.value(c.get('exponent')))]
  if not exponents:
    return 'no law is shown'
  low, high = min(exponents), max(exponents)
  return (
    f'{len(fitted)} fitted laws fall to their floors with exponents from'
    f' {low:.2g} to {high:.2g}'
  )


def envelope(ax: Axes, fits: Fits) -> str:
  """Training curves against compute, and the least loss at every C."""
  law = drawing.law_of(fits, 'envelope')
  curves = law.get('curves') or []
  if not curves:
    return ''
  points = law.get('points') or [] if drawing.ok(law) else []
  ends = [c['L'][-1] for c in curves]
  low = min(L for c in curves for L in c['L'])
  # A curve starts at the loss of guessing, far above where curves cross.
  high = max([*ends, *(p['L'] for p in points)])
  drawing.dress(ax, drawing.LABELS['C'], drawing.loss_label(fits))
  span = high - low or 0.1 * high
  top = high + 0.35 * span
  Cs = [C for c in curves for C, L in zip(c['C'], c['L']) if top >= L]
  drawing.log_axis(ax, 'x', *drawing.log_range(Cs, pad=0.03), drawing.power)
  ax.set_ylim(low - 0.06 * span, top)
  mappable = drawing.colours_of_N([c['N'] for c in curves])
  for c in curves:
    ax.plot(
      c['C'], c['L'], color=mappable.to_rgba(c['N']), linewidth=0.7,
      gid=f'curve-{c["run_id"]}',
    )  # fmt: skip
  drawing.bar_of_N(ax, mappable)
  pieces = _pieces(points, curves)
  for i, piece in enumerate(pieces):
    ax.plot(
      [p['C'] for p in piece], [p['L'] for p in piece], color=drawing.BLACK,
      linewidth=2, label='_' if i else 'envelope', gid='envelope', zorder=4,
    )  # fmt: skip
  if pieces:
    ax.legend(loc='upper right', frameon=False)
  if not drawing.ok(law):
    drawing.note(ax, [f'envelope: {law.get("sentence", "no fit")}'])
  text = f'Loss against C along {len(curves)} training curves'
  if not points:
    return f'{text}, without an envelope.'
  first, last = points[0], points[-1]
  steps = (
    '; it steps up where shorter runs, annealed by then, end'
    if len(pieces) > 1
    else ''
  )
  return (
    f'{text}; their envelope falls from {first["L"]:.3g} at C ='
    f' {drawing.flops(first["C"])} to {last["L"]:.3g} at C ='
    f' {drawing.flops(last["C"])}{steps}.'
  )


def _pieces(points, curves) -> list[list[dict[str, float]]]:
  """The envelope cut where it rises because curves end there.

  A run that ends has been annealed and lies below longer runs at that point:
  a line on to those would show a loss that rises with compute.
  """
  ends = np.sort([c['C'][-1] for c in curves])
  out: list[list[dict[str, float]]] = []
  before = None
  for point in points:
    ended = before and np.any(
      (ends >= before['C'] * (1 - 1e-9)) & (ends < point['C'])
    )
    if before is None or (ended and point['L'] > before['L']):
      out.append([])
    out[-1].append(point)
    before = point
  return out
