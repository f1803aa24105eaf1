"""The figures of the parametric law: its surface, its residuals, its test.

Each follows the rules of `figures`: an Axes and an Analysis in, an alt text
out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib import cm
from matplotlib import colors
from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.study.analyze import Analysis

_GRID = 60  # points of a surface along each side


def contours(ax: Axes, analysis: Analysis) -> str:
  """Contours of L(N, D), the efficient frontier, and the runs by loss."""
  runs, fit = analysis.counted, analysis.chinchilla
  if not len(runs):
    return ''
  N, D, L = runs.N, runs.D, runs.loss
  drawing.dress(ax, drawing.LABELS['D'], drawing.LABELS['N'])
  D_range = drawing.log_range(D, pad=0.12)
  N_range = drawing.log_range(N, pad=0.12)
  drawing.log_axis(ax, 'x', D_range, formatting.short)
  drawing.log_axis(ax, 'y', N_range, formatting.short)
  # A few runs gone wrong must not take the colours from all others.
  low, high = L.min(), min(L.max(), np.quantile(L, 0.95) * 1.05)
  shade = cm.ScalarMappable(colors.Normalize(low, high), drawing.ORDERED)
  if fit.ok:
    _surface(ax, fit.law, fit.cost, (D_range, N_range), shade)
  ax.scatter(
    D, N, s=34, zorder=4, color=shade.to_rgba(L),  # type: ignore[arg-type]
    edgecolors='white', linewidths=0.6, gid='runs',
  )  # fmt: skip
  drawing.colour_bar(
    ax,
    shade,
    messages.loss_label(runs.unit),
    extend='max' if L.max() > high else 'neither',
  )
  if not fit.ok:
    drawing.note(ax, [messages.failed('chinchilla', fit.message)])
    return messages.contours(len(runs), {})
  found = fit.conf_int(analysis.level)
  terms = {name: found[name] for name in laws.Chinchilla._fields}
  return messages.contours(len(runs), terms)


def _surface(
  ax: Axes,
  law: laws.Chinchilla,
  cost: laws.Cost,
  limits: tuple[drawing.Range, drawing.Range],
  shade: cm.ScalarMappable,
) -> None:
  D_range, N_range = limits
  N, D = np.geomspace(*N_range, _GRID), np.geomspace(*D_range, _GRID)
  loss_ND = law.loss(N[:, None], D[None, :])
  levels = rounded(np.quantile(loss_ND, np.linspace(0.03, 0.97, 12)))
  drawn = ax.contour(
    D, N, loss_ND, levels, cmap=shade.cmap, norm=shade.norm, linewidths=1.1,
    zorder=2,
  )  # fmt: skip
  ax.clabel(drawn, fmt='%g', fontsize=7, colors='#333333')
  C = np.geomspace(
    cost.flops(N_range[0], D_range[0]), cost.flops(N_range[1], D_range[1]), 65
  )
  best = law.optimum(C, cost)
  ax.plot(
    best.D, best.N, color=drawing.VERMILLION, linestyle='--', linewidth=1.8,
    label='efficient frontier', gid='frontier', zorder=3,
  )  # fmt: skip
  drawing.legend_above(ax)


def rounded(losses: np.ndarray) -> list[float]:
  """The losses rounded for labels, each once, rising."""
  return sorted({float(f'{loss:.3g}') for loss in losses})


class _Residuals(NamedTuple):
  """Runs and their residuals from the law, in percent of the loss.

  Attributes:
    run_ids: [n].
    predicted, percent: [n].
    budget: [n] index, or None.
    limit: of the figure; what is beyond goes to its edge.
  """

  run_ids: tuple[str, ...]
  predicted: np.ndarray
  percent: np.ndarray
  budget: list[int | None]
  limit: float

  @property
  def beyond(self) -> np.ndarray:
    return np.abs(self.percent) > self.limit


def residuals(ax: Axes, analysis: Analysis) -> str:
  """How far each run lies from the law, in percent of its loss."""
  fit, runs = analysis.chinchilla, analysis.counted
  if not fit.ok:
    return ''
  percent = 100 * fit.residuals
  size = np.abs(percent)
  # One run far off must not flatten all others: it goes to the edge.
  limit = min(size.max(), 4 * np.quantile(size, 0.8)) * 1.15
  budget = [analysis.budget[i] for i in analysis.selection.hoffmann]
  rows = _Residuals(runs.run_ids, fit.predicted, percent, budget, limit)
  label = messages.loss_label(runs.unit)
  drawing.dress(ax, f'predicted {label}', 'log(L / law), %')
  ax.set_xlim(*drawing.linear_range(fit.predicted, 0.04))
  ax.set_ylim(-limit, limit)
  ax.axhline(0, color=drawing.BLACK, linewidth=0.9, zorder=1, gid='zero')
  Cs = _by_budget(ax, analysis, rows)
  sd, about = _sd(analysis)
  if sd:
    label = messages.residual_sd(about, sd.sd)
    if len(analysis.isoflop.budgets) <= drawing.LEGEND_ROWS:
      label = drawing.wrapped(label, 16)  # it stands beside the axes
    ax.axhspan(
      -100 * sd.sd, 100 * sd.sd, color='#e8e8e8', zorder=0, gid='residual-sd',
      label=label,
    )  # fmt: skip
  _ring(ax, analysis, rows.predicted, np.clip(percent, -limit, limit))
  drawing.key_of_budgets(ax, Cs)
  n_beyond = int(rows.beyond.sum())
  farthest = float(size.max()) / 100
  if n_beyond:
    drawing.note(ax, [messages.far_residuals(n_beyond, farthest)])
  return messages.residuals(
    len(percent),
    beyond=n_beyond,
    half=float(np.median(size)) / 100,
    farthest=farthest,
    sd=(sd.sd, about) if sd else None,
  )


def _ring(ax: Axes, analysis: Analysis, x: np.ndarray, y: np.ndarray) -> None:
  """A ring about each outlier among points [n]."""
  fit = analysis.chinchilla
  if len(fit.outliers):
    ax.plot(
      x[fit.outliers], y[fit.outliers], linestyle='none', marker='o',
      markersize=11, fillstyle='none', color=drawing.BLACK, clip_on=False,
      zorder=6, gid='outliers', label=messages.outliers(excluded=fit.excludes),
    )  # fmt: skip


def _sd(analysis: Analysis) -> tuple[ResidualSD | None, str]:
  """The residual sd of runs without a law's misfit, and what it is about."""
  if analysis.seed_sd is not None:
    return analysis.seed_sd, 'between seeds'
  # Residuals from isoFLOP curves are next best; one bad budget must not rule.
  found = [b.residual_sd for b in analysis.isoflop.budgets if b.ok]
  known = sorted(sd for sd in found if sd is not None)
  return (known[len(known) // 2] if known else None), 'about the isoFLOP curves'


def _by_budget(ax: Axes, analysis: Analysis, rows: _Residuals) -> list[float]:
  """Draws the residuals of each budget; returns the FLOPs of those."""
  budgets = sorted({b for b in rows.budget if b is not None})
  Cs = [analysis.isoflop.budgets[b].C for b in budgets]
  for b in [*budgets, None]:
    own = np.array([budget == b for budget in rows.budget])
    if not own.any():
      continue
    style: dict[str, Any] = {'color': drawing.GREY, 'marker': '.'}
    style['label'] = 'no budget'
    if b is not None:
      i = budgets.index(b)
      color = drawing.ordered(i, len(budgets))
      style = {'color': color, 'marker': drawing.marker(i)}
      style['label'] = drawing.flops(Cs[i])
    inside = own & ~rows.beyond
    drawing.points(
      ax, rows.predicted[inside], rows.percent[inside], alpha=0.85,
      gid=f'residuals-{b}', zorder=3, **style,
    )  # fmt: skip
    for k in np.flatnonzero(own & rows.beyond):
      up = rows.percent[k] > 0
      ax.plot(
        [rows.predicted[k]], [rows.limit if up else -rows.limit],
        clip_on=False, marker=drawing.UP if up else drawing.DOWN,
        color=style['color'], markersize=8, fillstyle='none',
        gid=f'beyond-{rows.run_ids[k]}',
      )  # fmt: skip
  return Cs


class _Held(NamedTuple):
  """A run held out, and the loss that was predicted for it."""

  run_id: str
  actual: float
  predicted: Interval

  @property
  def inside(self) -> bool:
    return self.predicted.holds(self.actual) is True


def predicted(ax: Axes, analysis: Analysis) -> str:
  """Predicted against actual loss; runs held out carry their intervals."""
  fit, test, level = analysis.chinchilla, analysis.hold_out, analysis.level
  held = [
    _Held(run.run_id, run.actual, run.predicted.at(level))
    for run in (test.runs if test.ok else ())
    if np.isfinite(run.predicted.value)
  ]
  fitted = np.empty((0, 2))
  if fit.ok:
    # What a prediction is judged on is not shown as fitted too.
    apart = {run.run_id for run in held}
    keep = [run.run_id not in apart for run in analysis.counted]
    fitted = np.column_stack([fit.loss, fit.predicted])[keep]
  if not len(fitted) and not held:
    return ''
  label = messages.loss_label(analysis.runs.unit)
  drawing.dress(ax, f'actual {label}', f'predicted {label}')
  losses = [*fitted.ravel()]
  losses += [x for run in held for x in (run.actual, run.predicted.value)]
  limits = drawing.linear_range(losses)
  ax.set(xlim=limits, ylim=limits)
  _against_actual(ax, fitted, held, level)
  ax.legend(loc='upper left', frameon=False)
  if not test.ok:
    drawing.note(ax, [messages.no_hold_out(test.message)])
    # The legend's corner is the note's.
    ax.legend(loc='lower right', frameon=False)
  near = [run.actual for run in held]
  if len(near) > 1 and np.ptp(losses) > 3 * np.ptp(near):
    _magnified(ax, fitted, held, level)
  text = messages.predicted(len(fitted))
  if not held:
    return f'{text}.'
  told = messages.held_out_runs(
    len(held),
    C=test.C,
    inside=sum(run.inside for run in held),
    level=level,
    farthest=max(abs(run.actual / run.predicted.value - 1) for run in held),
  )
  return f'{text}; {told}.'


def _against_actual(
  ax: Axes, fitted: np.ndarray, held: Sequence[_Held], level: float
) -> None:
  ax.axline((1, 1), slope=1, color=drawing.GREY, linewidth=0.9, zorder=1)
  if len(fitted):
    drawing.points(
      ax, fitted[:, 0], fitted[:, 1], color=drawing.GREY, markersize=3.5,
      alpha=0.7, markeredgewidth=0, label='fitted', gid='fitted', zorder=2,
    )  # fmt: skip
  for inside, color, marker in (
    (True, drawing.BLUE, 'D'), (False, drawing.VERMILLION, 'X'),
  ):  # fmt: skip
    own = [run for run in held if run.inside is inside]
    for i, run in enumerate(own):
      drawing.estimate_mark(
        ax, run.actual, run.predicted, along='y', color=color, marker=marker,
        size=5, gid=f'held-out-{run.run_id}',
        label='_' if i else messages.held_out(inside=inside, level=level),
      )  # fmt: skip


def _magnified(
  ax: Axes, fitted: np.ndarray, held: Sequence[_Held], level: float
) -> None:
  """The runs held out again, in the corner that the diagonal leaves free."""
  inset = ax.inset_axes((0.6, 0.12, 0.39, 0.42), zorder=6)
  x = [run.actual for run in held]
  y = [run.predicted.value for run in held]
  y += [x for run in held for x in drawing.ends(run.predicted) or ()]
  inset.set(xlim=drawing.linear_range(x, 0.15), ylim=drawing.linear_range(y))
  inset.tick_params(labelsize=7)
  inset.locator_params(nbins=4)
  inset.grid(True, linewidth=0.4, color='#dddddd')
  inset.set_axisbelow(True)
  inset.set_title('held out, magnified', fontsize=7)
  _against_actual(inset, fitted, held, level)
