"""The figures of the parametric law: its surface, its misses, its forecasts.

`law_panels` draws a law by itself; the others follow `figures`' rules.
"""

from collections.abc import Iterable, Sequence
import math
from typing import Any

from matplotlib import cm
from matplotlib import colors
from matplotlib.axes import Axes
import numpy as np

from scaling_jax import laws
from scaling_jax import published_models
from scaling_jax.analysis import drawing
from scaling_jax.analysis import reach
from scaling_jax.analysis.drawing import Fits
from scaling_jax.analysis.drawing import Range

Law = laws.Chinchilla | laws.Kaplan

# Marker, and where the name goes in points: the latter two share one spot.
_MARKS = {
  'GPT-3': ('s', (-7, 7)),
  'Chinchilla': ('D', (10, -7)),
  'LLaMA-65B': ('^', (2, -20)),
}
_MODELS = [published_models.BY_NAME[name] for name in _MARKS]


def parametric_law(law: dict[str, Any]) -> laws.Chinchilla | None:
  """The fitted law, or None where a fit may not show its numbers."""
  if not drawing.ok(law):
    return None
  found = [drawing.value(law.get(name)) for name in laws.Chinchilla._fields]
  numbers = [number for number in found if number is not None]
  return laws.Chinchilla(*numbers) if len(numbers) == len(found) else None


def contours(ax: Axes, fits: Fits) -> str:
  """Contours of L(N, D), the efficient frontier, and the runs by loss."""
  runs = reach.runs(fits)
  part = drawing.law_of(fits, 'parametric')
  if not runs or not part:
    return ''
  law = parametric_law(part)
  drawing.dress(ax, drawing.LABELS['D'], drawing.LABELS['N'])
  D_range = drawing.log_range([r['D'] for r in runs], pad=0.12)
  N_range = drawing.log_range([r['N'] for r in runs], pad=0.12)
  drawing.log_axis(ax, 'x', *D_range, drawing.count)
  drawing.log_axis(ax, 'y', *N_range, drawing.count)
  losses = np.array([r['loss'] for r in runs])
  # A few runs gone wrong must not take the colours from all others.
  low, high = losses.min(), min(losses.max(), np.quantile(losses, 0.95) * 1.05)
  shade = cm.ScalarMappable(colors.Normalize(low, high), drawing.ORDERED)
  if law:
    _surface(ax, law, D_range, N_range, shade)
  ax.scatter(
    [r['D'] for r in runs], [r['N'] for r in runs], s=34, zorder=4,
    color=shade.to_rgba(losses), edgecolors='white', linewidths=0.6, gid='runs',
  )  # fmt: skip
  extend = 'max' if losses.max() > high else 'neither'
  bar = ax.figure.colorbar(
    shade, ax=ax, label=drawing.loss_label(fits), pad=0.02, extend=extend
  )
  bar.outline.set_visible(False)  # type: ignore
  text = f'{len(runs)} runs by N, D and loss'
  if not law:
    drawing.note(ax, [f'parametric: {part.get("sentence", "no fit")}'])
    return f'{text}, without a fitted law.'
  terms = ', '.join(
    f'{name} = {drawing.with_interval(part[name])}' for name in law._fields
  )
  return f'{text} over the contours of E + A/N^alpha + B/D^beta with {terms}.'


def _surface(ax, law: Law, D_range: Range, N_range: Range, shade) -> None:
  N, D = np.geomspace(*N_range, 120), np.geomspace(*D_range, 120)
  loss_ND = law.loss(N[:, None], D[None, :])
  levels = _levels(np.quantile(loss_ND, np.linspace(0.03, 0.97, 12)))
  drawn = ax.contour(
    D, N, loss_ND, levels, cmap=shade.cmap, norm=shade.norm, linewidths=1.1,
    zorder=2,
  )  # fmt: skip
  ax.clabel(drawn, fmt='%g', fontsize=7, colors='#333333')
  C = 6 * np.geomspace(N_range[0] * D_range[0], N_range[1] * D_range[1], 129)
  best = law.optimum(C)
  ax.plot(
    best.D, best.N, color=drawing.VERMILLION, linestyle='--', linewidth=1.8,
    label='efficient frontier', gid='frontier', zorder=3,
  )  # fmt: skip
  ax.legend(loc='lower left', bbox_to_anchor=(0, 1.0), frameon=False)


def _levels(losses: np.ndarray) -> list[float]:
  """The losses rounded for labels, each once, rising."""
  return sorted({float(f'{loss:.3g}') for loss in losses})


def residuals(ax: Axes, fits: Fits) -> str:
  """How far each run lies from the law, in percent of its loss."""
  part = drawing.law_of(fits, 'parametric')
  rows = _with_prediction(fits, part)
  if not rows:
    return ''
  budgets = sorted({r['budget'] for r in rows if r['budget'] is not None})
  size = np.abs([r['residual'] for r in rows])
  # One run far off must not flatten all others: it goes to the edge.
  limit = min(size.max(), 4 * np.quantile(size, 0.8)) * 1.15
  drawing.dress(ax, f'predicted {drawing.loss_label(fits)}', 'log(L / law), %')
  ax.set_xlim(*drawing.linear_range([r['predicted'] for r in rows], 0.04))
  ax.set_ylim(-limit, limit)
  noise, about = drawing.noise(fits)
  if noise:
    ax.axhspan(
      -100 * noise, 100 * noise, color='#e8e8e8', zorder=0, gid='noise',
      label='\n'.join(
        drawing.wrap(f'scatter {about}, ±{100 * noise:.2g} %', 14)
      ),
    )  # fmt: skip
  ax.axhline(0, color=drawing.BLACK, linewidth=0.9, zorder=1, gid='zero')
  Cs = [drawing.budget_C(fits, b) for b in budgets]
  for b in [*budgets, None]:
    own = [r for r in rows if r['budget'] == b]
    if own:
      i = budgets.index(b) if b is not None else 0
      style = {'color': drawing.GREY, 'marker': '.', 'label': 'no budget'}
      if b is not None:
        color = drawing.ordered(i, len(budgets))
        style = {'color': color, 'marker': drawing.marker(i)}
        style['label'] = drawing.power(Cs[i])
      _residual_points(ax, own, limit, style, f'residuals-{b}')
  drawing.key_of_budgets(ax, Cs)
  beyond = int((size > limit).sum())
  if beyond:
    drawing.note(ax, [
      f'Arrows: {beyond} beyond, up to {size.max():.2g} % off.'
    ])  # fmt: skip
  told = f', {beyond} of them beyond the figure' if beyond else ''
  spread = np.quantile(size, 0.5)
  band = f', beside a scatter {about} of {100 * noise:.2g} %' if noise else ''
  return (
    f'Residuals of {len(rows)} runs from the parametric law{told}: half lie'
    f' within {spread:.2g} %{band}, and the farthest is {size.max():.2g} % off.'
  )


def _with_prediction(fits: Fits, part: dict[str, Any]) -> list[dict[str, Any]]:
  """The runs a law was fitted to, with its prediction and the miss in %."""
  if not drawing.ok(part):
    return []
  runs = fits.get('runs') or []
  none: list[Any] = [None] * len(runs)
  L, off = part.get('predicted') or none, part.get('residuals') or none
  return [
    dict(run, predicted=L[i], residual=100 * off[i])
    for i, run in enumerate(runs)
    if L[i] is not None and off[i] is not None
  ]


def _residual_points(ax, rows, limit: float, style, gid: str) -> None:
  inside = [r for r in rows if abs(r['residual']) <= limit]
  ax.plot(
    [r['predicted'] for r in inside], [r['residual'] for r in inside],
    linestyle='none', alpha=0.85, markeredgecolor='white',
    markeredgewidth=0.4, gid=gid, zorder=3, **style,
  )  # fmt: skip
  for r in rows:
    if abs(r['residual']) > limit:
      ax.plot(
        r['predicted'], math.copysign(limit, r['residual']), clip_on=False,
        marker=r'$\uparrow$' if r['residual'] > 0 else r'$\downarrow$',
        color=style['color'], markersize=8, gid=f'beyond-{r["run_id"]}',
      )  # fmt: skip


def predicted(ax: Axes, fits: Fits) -> str:
  """Predicted against actual loss; runs held out carry their intervals."""
  rows = _with_prediction(fits, drawing.law_of(fits, 'parametric'))
  part = fits.get('hold_out') or {}
  held = part.get('runs') or [] if drawing.ok(part) else []
  held = [h for h in held if drawing.value(h.get('predicted')) is not None]
  if not rows and not held:
    return ''
  # What a forecast is judged on is not shown as fitted too.
  apart = {h['run_id'] for h in held}
  rows = [r for r in rows if r['run_id'] not in apart]
  unit = drawing.loss_label(fits)
  drawing.dress(ax, f'actual {unit}', f'predicted {unit}')
  losses = [x for r in rows for x in (r['loss'], r['predicted'])]
  losses += [x for h in held for x in (h['actual'], h['predicted']['value'])]
  ax.set(xlim=drawing.linear_range(losses), ylim=drawing.linear_range(losses))
  _against_actual(ax, rows, held, drawing.level_text(fits))
  ax.legend(loc='upper left', frameon=False)
  if part and not drawing.ok(part):
    drawing.note(ax, [f'held out: {part.get("sentence", "no fit")}'])
    # The legend's corner is the note's.
    ax.legend(loc='lower right', frameon=False)
  near = [h['actual'] for h in held]
  if len(near) > 1 and max(losses) - min(losses) > 3 * (max(near) - min(near)):
    _magnified(ax, rows, held)
  text = f'Predicted against actual loss of {len(rows)} fitted runs'
  if not held:
    return f'{text}.'
  inside = sum(bool(h.get('inside')) for h in held)
  worst = max(abs(h['actual'] / h['predicted']['value'] - 1) for h in held)
  return (
    f'{text}; of {len(held)} runs held out at C ='
    f' {drawing.flops(part["C"])}, {inside} lie inside their'
    f' {drawing.level_text(fits)} intervals, and the farthest is'
    f' {100 * worst:.2g} % off.'
  )


def _against_actual(ax, rows, held, level: str) -> None:
  ax.axline((1, 1), slope=1, color=drawing.GREY, linewidth=0.9, zorder=1)
  if rows:
    ax.plot(
      [r['loss'] for r in rows], [r['predicted'] for r in rows], 'o',
      color=drawing.GREY, markersize=3.5, alpha=0.7, markeredgewidth=0,
      label='fitted', gid='fitted', zorder=2,
    )  # fmt: skip
  for inside, color, marker in (
    (True, drawing.BLUE, 'D'), (False, drawing.VERMILLION, 'X'),
  ):  # fmt: skip
    own = [h for h in held if bool(h.get('inside')) is inside]
    where = 'inside' if inside else 'outside'
    for i, h in enumerate(own):
      drawing.estimate_mark(
        ax, h['actual'], h['predicted'], along='y', color=color, marker=marker,
        size=5, gid=f'held-out-{h["run_id"]}',
        label='_' if i else f'held out, {where} its {level} interval',
      )  # fmt: skip


def _magnified(ax, rows, held) -> None:
  """The runs held out again, in the corner that the diagonal leaves free."""
  inset = ax.inset_axes((0.6, 0.12, 0.39, 0.42), zorder=6)
  x = [h['actual'] for h in held]
  y = [h['predicted']['value'] for h in held]
  ends = [e for h in held for e in drawing.interval(h['predicted']) or ()]
  inset.set(
    xlim=drawing.linear_range(x, 0.15), ylim=drawing.linear_range([*y, *ends])
  )
  inset.tick_params(labelsize=7)
  inset.locator_params(nbins=4)
  inset.grid(True, linewidth=0.4, color='#dddddd')
  inset.set_axisbelow(True)
  inset.set_title('held out, magnified', fontsize=7)
  _against_actual(inset, rows, held, '')


def law_panels(
  axes: Sequence[Axes],
  law: Law,
  name: str,
  runs: Iterable[dict[str, Any]] = (),
  loss_label: str = 'L, nats/token',
) -> str:
  """A law by itself, in four panels.

  Loss against N and against D, the frontier N_opt(C) with three models that
  were trained, and the loss over C and N.

  Args:
    axes: four of them.
    law: has `loss(N, D)` and `optimum(C)`.
    name: heads the figure's description.
    runs: fits.json's runs; the panels cover them and a decade around.
    loss_label: names the loss and its unit.
  """
  runs = list(runs)
  N = _decades([r['N'] for r in runs], (1e7, 1e12))
  D = _decades([r['D'] for r in runs], (1e9, 1e13))
  C = _decades([r['C'] for r in runs], (1e18, 1e26))
  _slices(axes[0], law, ('N', N), ('D', D), loss_label)
  _slices(axes[1], law, ('D', D), ('N', N), loss_label)
  text = _frontier(axes[2], law, C, runs)
  _landscape(axes[3], law, C, N, runs)
  for letter, ax in zip('abcd', axes):
    ax.set_title(letter, loc='left', fontsize=9, fontweight='bold')
  return f'{name} in four panels: {text}.'


def _decades(values: list[float], otherwise: Range) -> Range:
  if not values:
    return otherwise
  return min(values) / 10, max(values) * 10


def _slices(
  ax,
  law: Law,
  x_axis: tuple[str, Range],
  several: tuple[str, Range],
  loss_label: str,
) -> None:
  """Loss across one of N and D, a line for each of five of the other."""
  (across, x_range), (along, z_range) = x_axis, several
  x = np.geomspace(*x_range, 129)
  drawing.dress(ax, drawing.LABELS[across], loss_label)
  top = -np.inf
  for i, exact in enumerate(np.geomspace(*z_range, 5)):
    z = float(f'{exact:.1g}')
    loss = law.loss(x, z) if across == 'N' else law.loss(z, x)
    top = max(top, float(np.max(loss)))
    ax.plot(
      x, loss, color=drawing.ordered(i, 5), label=drawing.count(z),
      linestyle=('-', '--', '-.', ':', (0, (5, 1, 1, 1, 1, 1)))[i],
      gid=f'{along}-{i}',
    )  # fmt: skip
  if isinstance(law, laws.Chinchilla):
    ax.axhline(law.E, color=drawing.BLACK, linewidth=0.8, gid='floor')
    ax.annotate(
      f'E = {law.E:.3g}', (0, law.E), xycoords=('axes fraction', 'data'),
      xytext=(3, -9), textcoords='offset points', fontsize=7,
    )  # fmt: skip
    ax.set_ylim(law.E - 0.09 * (top - law.E), top + 0.03 * (top - law.E))
  drawing.log_axis(ax, 'x', *x_range, drawing.count)
  title = {'N': 'N,\nparameters', 'D': 'D,\ntokens'}[along]
  drawing.legend_beside(ax, title=title, fontsize=7, title_fontsize=7)


def _frontier(ax, law: Law, C_range: Range, runs) -> str:
  """N_opt against C from the runs' budgets to the largest of the models."""
  end = max(C_range[1], 1e27)
  C = np.geomspace(C_range[0], end, 129)
  N = np.asarray(law.optimum(C).N)
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS['N_opt'])
  Ns: list[float] = [*N, *(m.N for m in _MODELS)]
  Ns += [r['N'] for r in runs]
  drawing.log_axis(ax, 'x', C_range[0], end, drawing.power)
  drawing.log_axis(ax, 'y', *drawing.log_range(Ns), drawing.count)
  largest = max((r['C'] for r in runs), default=end)
  tried = largest >= C
  ax.plot(C, N, '--', color=drawing.VERMILLION, linewidth=1.2, gid='beyond')
  ax.plot(C[tried], N[tried], color=drawing.VERMILLION, gid='frontier')
  if runs:
    ax.plot(
      [r['C'] for r in runs], [r['N'] for r in runs], '.', markersize=4,
      color=drawing.GREY, gid='runs', zorder=1.5,
    )  # fmt: skip
  for model in _MODELS:
    marker, offset = _MARKS[model.name]
    ax.plot(
      [model.C], [model.N], marker=marker, linestyle='none', zorder=4,
      color=drawing.BLUE, markeredgecolor='white', gid=model.name,
    )  # fmt: skip
    ax.annotate(
      model.name, (model.C, model.N), xytext=offset, textcoords='offset points',
      fontsize=7, ha='right' if offset[0] < 0 else 'left', va='center',
      arrowprops={'arrowstyle': '-', 'linewidth': 0.5, 'shrinkB': 2}, zorder=5,
      bbox={'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.5},
    )  # fmt: skip
  if largest * 100 < min(m.C for m in _MODELS):
    return (
      f'N_opt grows from {drawing.count(N[0])} at C = {drawing.flops(C[0])} to'
      f' {drawing.count(N[tried][-1])} at {drawing.flops(largest)}, far below'
      f' the compute of {", ".join(_MARKS)}'
    )
  return 'at its compute, ' + ', '.join(
    f'{model.name} has {drawing.count(model.N)} parameters where the law would'
    f' have {drawing.count(float(law.optimum(model.C).N))}'
    for model in _MODELS
  )


def _landscape(ax, law: Law, C_range: Range, N_range: Range, runs) -> None:
  """Contours of the loss over C and N, D being C / (6 N)."""
  C, N = np.geomspace(*C_range, 160), np.geomspace(*N_range, 160)
  loss_NC = law.loss(N[:, None], C[None, :] / (6 * N[:, None]))
  best = law.optimum(C)
  # Levels that the frontier meets at even steps of compute.
  met = np.asarray(law.optimum(np.geomspace(*C_range, 11)).L)
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS['N'])
  drawing.log_axis(ax, 'x', *C_range, drawing.power)
  drawing.log_axis(ax, 'y', *N_range, drawing.count)
  drawn = ax.contour(
    C, N, loss_NC, _levels(met), cmap=drawing.ORDERED, linewidths=1
  )
  ax.clabel(drawn, fmt='%g', fontsize=6.5, colors='#333333')
  ax.plot(C, best.N, color=drawing.VERMILLION, linestyle='--', gid='frontier')
  if runs:
    ax.plot(
      [r['C'] for r in runs], [r['N'] for r in runs], '.', markersize=4,
      color=drawing.GREY, gid='runs', zorder=1.5,
    )  # fmt: skip
