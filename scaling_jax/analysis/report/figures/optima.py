"""The figures of the optima: where each budget is best spent, and the laws.

Each follows the rules of `figures`: an Axes and an Analysis in, an alt text
out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax.analysis.fitting import plots
from scaling_jax.analysis.fitting.isoflop import IsoflopBudget
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import CountingEffect

EXTRAPOLATED = 100  # beyond the largest budget, at most that many times
_POINTS = 13  # of each stretch of a law and its band
_SAME = 1.01  # FLOPs that differ by less are the same on an axis

# Colour and line of each approach, in the order of the legend.
_STYLES: dict[str, tuple[str, Any]] = {
  'isoflop': (drawing.BLUE, '-'),
  'chinchilla': (drawing.VERMILLION, '-.'),
  'envelope': (drawing.GREEN, (0, (1, 1.2))),
}


# gids begin with the names that fits.json has.
GIDS = {
  'isoflop': 'isoflop',
  'chinchilla': 'parametric',
  'envelope': 'envelope',
}


def isoflop(ax: Axes, analysis: Analysis) -> str:
  """Loss against N at every budget, with the curve through its runs."""
  fit, level = analysis.isoflop, analysis.level
  if not fit.budgets:
    return ''
  plots.isoflop(ax, fit, level=level, unit=analysis.runs.unit)
  return messages.isoflop(
    sum(len(b.N) for b in fit.budgets),
    len(fit.budgets),
    [(b.C, b.optimum(level=level).N) for b in fit.budgets if b.ok],
  )


class _Curve(NamedTuple):
  """A law's optimum along C.

  Attributes:
    approach: whose.
    exponent: of the law.
    C: [K] rising, `last` among them.
    best: N_opt or D_opt there.
    last: where extrapolation begins.
  """

  approach: str
  exponent: Interval
  C: np.ndarray
  best: Interval
  last: float

  @property
  def known(self) -> np.ndarray:
    """[K] whether both ends of the interval are known."""
    return np.isfinite(self.best.low) & np.isfinite(self.best.high)

  def wider_than(self, limits: drawing.Range) -> bool:
    """Whether its band is somewhere wider than a figure of these limits."""
    known = self.known
    ratio = self.best.high[known] / self.best.low[known]
    return bool(np.any(ratio > limits[1] / limits[0]))


def optimal(ax: Axes, analysis: Analysis, quantity: str = 'N_opt') -> str:
  """The optimum against C: every budget's, and the laws through them.

  Args:
    ax: is drawn on.
    analysis: gives the laws.
    quantity: 'N_opt' or 'D_opt'.
  """
  budgets, level = analysis.isoflop.budgets, analysis.level
  singles = [
    (i, b.C, _of(b, quantity, level)) for i, b in enumerate(budgets) if b.ok
  ]
  Cs = [b.C for b in budgets] or analysis.counted.C.tolist()
  if not Cs:
    return ''
  first, last = min(Cs), max(Cs)
  end = _end(analysis, last)
  curves = [
    _curve(analysis, name, quantity, (first, last, end))
    for name in _STYLES
    if analysis.approaches[name].ok
  ]
  if not singles and not curves:
    return ''
  wide = _too_wide(curves, singles)
  shown = [c for c in curves if c not in wide]
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS[quantity])
  right = end if curves else last
  x_range = drawing.log_range([first, right], pad=0.03)
  drawing.log_axis(ax, 'x', x_range, drawing.flops)
  drawing.log_axis(ax, 'y', _limits(shown, singles), formatting.short)
  if curves:
    # What no law used is extrapolated, also where there are runs.
    _shade(ax, min(max(c.last for c in curves), last), x_range[1])
  for curve in shown:
    _draw(ax, curve)
  for curve in wide:
    _name_only(ax, curve)
  for i, C, best in singles:
    drawing.estimate_mark(
      ax, C, best, along='y', color=drawing.BLUE, marker='o',
      gid=f'budget-{i}-{quantity}',
      label='single budgets' if i == singles[0][0] else '_',
    )  # fmt: skip
  drawing.legend_above(ax)
  drawing.note(ax, [
    messages.failed(name, fit.message)
    for name in ('isoflop', 'chinchilla')
    if not (fit := analysis.approaches[name]).ok and fit.message
  ])  # fmt: skip
  return messages.optimal(
    quantity,
    [(C, best) for _, C, best in singles],
    {c.approach: c.exponent for c in curves},
  )


def _of(budget: IsoflopBudget, quantity: str, level: float) -> Interval:
  best = budget.optimum(level=level)
  return best.N if quantity == 'N_opt' else best.D


def _end(analysis: Analysis, last: float) -> float:
  """How far to draw: to the farthest target, but not into the void."""
  ahead = [C for C in analysis.targets if last < C]
  return min(max(ahead, default=10 * last), EXTRAPOLATED * last)


def _curve(
  analysis: Analysis,
  approach: str,
  quantity: str,
  where: tuple[float, float, float],
) -> _Curve:
  first, last, end = where
  fit = analysis.approaches[approach]
  fitted = analysis.fitted_range(approach)
  bend = last if fitted is None else min(fitted.high, last)
  if bend < first * _SAME:
    bend = last
  C = np.concatenate(
    [np.geomspace(first, bend, _POINTS), np.geomspace(bend, end, _POINTS)[1:]]
  )
  best = fit.optimum(C=C, level=analysis.level)
  return _Curve(
    approach,
    fit.conf_int(analysis.level)[f'exponent_{quantity[0]}'],
    C,
    best.N if quantity == 'N_opt' else best.D,
    bend,
  )


def _limits(
  curves: Sequence[_Curve], singles: Sequence[tuple[int, float, Interval]]
) -> drawing.Range:
  seen = [best.value for *_, best in singles]
  seen += [x for c in curves for x in c.best.value[[0, -1]]]
  ends = [x for *_, best in singles for x in (best.low, best.high)]
  ends += [x for c in curves for x in (*c.best.low, *c.best.high)]
  return drawing.log_range(seen, ends)


def _too_wide(
  curves: Sequence[_Curve], singles: Sequence[tuple[int, float, Interval]]
) -> list[_Curve]:
  """The laws whose bands are wider than a figure of the others.

  Beside others such a band would cover all, and a bare line look the surest.
  """
  wide = [
    curve
    for curve in curves
    if (others := [c for c in curves if c is not curve])
    and curve.wider_than(_limits(others, singles))
  ]
  return [] if len(wide) == len(curves) else wide


def _shade(ax: Axes, left: float, right: float) -> None:
  """Marks the budgets that nothing was trained at."""
  ax.axvspan(left, right, color='#f0f0f0', zorder=0, gid='extrapolated')
  ax.text(
    (left * right) ** 0.5, 0.015, 'extrapolated', fontsize=7, ha='center',
    color='#555555', transform=ax.get_xaxis_transform(), zorder=1,
  )  # fmt: skip


def _draw(ax: Axes, curve: _Curve) -> None:
  color, style = _STYLES[curve.approach]
  bend = int(np.searchsorted(curve.C, curve.last * (1 - 1e-9)))
  for part, width, line, label, gid in (
    (
      slice(0, bend + 1), 1.8, style,
      messages.growth(curve.approach, curve.exponent), 'law',
    ),
    (slice(bend, None), 1.0, (0, (4, 3)), '_', 'beyond'),
  ):  # fmt: skip
    ax.plot(
      curve.C[part], curve.best.value[part], color=color, linewidth=width,
      linestyle=line, label=label, zorder=3, gid=f'{GIDS[curve.approach]}-{gid}',
    )  # fmt: skip
  known = curve.known
  if known.any():
    ax.fill_between(
      curve.C[known], curve.best.low[known], curve.best.high[known],
      color=color, alpha=0.16, linewidth=0, zorder=1.5,
      gid=f'{GIDS[curve.approach]}-band',
    )  # fmt: skip


def _name_only(ax: Axes, curve: _Curve) -> None:
  color, style = _STYLES[curve.approach]
  ax.plot(
    [], [], color=color, linestyle=style, gid=f'{GIDS[curve.approach]}-wide',
    label=messages.too_wide(curve.approach),
  )  # fmt: skip


def exponents(ax: Axes, analysis: Analysis) -> str:
  """The exponent of N_opt by what is counted, by approaches 2 and 3."""
  rows = [c for c in analysis.counting if _any(c)]
  if not rows:
    return ''
  drawing.dress(ax, 'exponent a in N_opt ∝ C^a', '')
  ax.axvline(0.5, color=drawing.GREY, linewidth=1, linestyle=':', gid='half')
  told = []
  for y, row in enumerate(rows):
    found = row.isoflop.at(analysis.level), row.chinchilla.at(analysis.level)
    told.append((row.name, *found))
    for approach, interval, shift, marker in (
      ('isoflop', found[0], -0.13, 'o'), ('chinchilla', found[1], 0.13, 's'),
    ):  # fmt: skip
      drawing.estimate_mark(
        ax, y + shift, interval, along='x', marker=marker,
        color=_STYLES[approach][0], gid=f'{GIDS[approach]}-{y}',
        label='_' if y else messages.approach(approach),
      )  # fmt: skip
  ax.set_yticks(
    range(len(rows)), [drawing.wrapped(row.name, 26) for row in rows]
  )
  ax.set_ylim(len(rows) - 0.5, -0.5)
  drawing.legend_above(ax, ncols=2)
  return messages.exponents(told)


def _any(row: CountingEffect) -> bool:
  both: tuple[Estimate, Estimate] = (row.isoflop, row.chinchilla)
  return any(np.isfinite(one.value) for one in both)
