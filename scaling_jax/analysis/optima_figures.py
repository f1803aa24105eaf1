"""The figures of the optima: where each budget is best spent, and the laws.

Each follows `figures`' rules: an Axes and the content of fits.json in, a
sentence out.
"""

from collections.abc import Callable
import math
from typing import Any, NamedTuple

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import drawing
from scaling_jax.analysis import law_figures
from scaling_jax.analysis import reach
from scaling_jax.analysis import words
from scaling_jax.analysis.drawing import Fits

EXTRAPOLATED = 100  # beyond the largest budget, at most that many times


def isoflop(ax: Axes, fits: Fits) -> str:
  """Loss against N at every budget, with the parabola through its runs."""
  law = drawing.law_of(fits, 'isoflop')
  budgets = law.get('budgets') or []
  runs = [r for r in fits.get('runs') or [] if r.get('budget') is not None]
  if not budgets or not runs:
    return ''
  fitted = [
    b for b in budgets if drawing.ok(b) and drawing.value(b.get('N_opt'))
  ]
  ends = [e for b in fitted for e in drawing.interval(b['N_opt']) or ()]
  Ns = [r['N'] for r in runs] + [drawing.value(b['N_opt']) for b in fitted]
  top = drawing.far_above([r['loss'] for r in runs])
  beyond = [r['loss'] for r in runs if r['loss'] > top]
  losses = [r['loss'] for r in runs if r['loss'] <= top]
  losses += [drawing.value(b['L_min']) for b in fitted]
  drawing.dress(ax, drawing.LABELS['N'], drawing.loss_label(fits))
  drawing.log_axis(ax, 'x', *drawing.log_range(Ns, ends), drawing.count)
  ax.set_ylim(*drawing.linear_range(losses))
  for i, budget in enumerate(budgets):
    own = [r for r in runs if r['budget'] == i]
    _one_budget(ax, i, len(budgets), budget, own)
  ax.plot([], [], '*', color=drawing.GREY, markersize=9,
          markeredgecolor=drawing.BLACK,
          label=f'minimum,\n{drawing.level_text(fits)} interval')  # fmt: skip
  drawing.key_of_budgets(ax, [b['C'] for b in budgets])
  above = (
    f'Above the figure: {len(beyond)} of {len(runs)} runs, up to'
    f' {max([*beyond, 0]):.3g}.'
  )
  drawing.note(ax, [above if beyond else '', *_failures(budgets)])
  minima = drawing.listed(
    [
      f'N = {drawing.with_interval(b["N_opt"], words.short)} at C ='
      f' {drawing.flops(b["C"])}'
      for b in fitted
    ]
  )
  found = f'the parabolas turn at {minima}' if minima else 'no minimum is shown'
  return (
    f'Loss against N for {len(runs)} runs at {len(budgets)} budgets: {found}.'
  )


def _failures(budgets: list[dict[str, Any]]) -> list[str]:
  """Each reason once, with the budgets that share it."""
  where: dict[str, list[str]] = {}
  for b in budgets:
    if not drawing.ok(b):
      reason = b.get('sentence') or b.get('status') or 'no fit'
      where.setdefault(reason, []).append(drawing.flops(b['C']))
  return [f'C = {drawing.listed(Cs)}: {text}' for text, Cs in where.items()]


def _one_budget(ax, i, n, budget, runs) -> None:
  color, marker = drawing.ordered(i, n), drawing.marker(i)
  ax.plot(
    [r['N'] for r in runs], [r['loss'] for r in runs], linestyle='none',
    marker=marker, color=color, alpha=0.75, markeredgecolor='white',
    markersize=5 if n < 12 else 4,
    markeredgewidth=0.4, label=drawing.power(budget['C']),
    gid=f'budget-{i}-runs', zorder=3,
  )  # fmt: skip
  curve = budget.get('parabola')
  if not drawing.ok(budget):
    return
  if curve:
    low, high = np.log(budget['N_low']), np.log(budget['N_high'])
    # Some way beyond what was tried, to show where the parabola would go.
    beyond = 0.25 * (high - low)
    for start, stop, style, gid in (
      (low, high, '-', 'parabola'),
      (low - beyond, low, '--', 'parabola-below'),
      (high, high + beyond, '--', 'parabola-above'),
    ):
      x = np.linspace(start, stop, 101)
      y = np.polyval(curve['coefficients'], x - curve['center'])
      # Above the runs is room for a note, not for a curve.
      y[y > ax.get_ylim()[1]] = np.nan
      ax.plot(
        np.exp(x), y, style, color=color, zorder=2,
        linewidth=1.5 if style == '-' else 0.9, gid=f'budget-{i}-{gid}',
      )  # fmt: skip
  if drawing.value(budget.get('L_min')) is not None:
    drawing.estimate_mark(
      ax, budget['L_min']['value'], budget['N_opt'], along='x', color=color,
      marker='*', size=9, gid=f'budget-{i}-minimum',
    )  # fmt: skip


def optimal(ax: Axes, fits: Fits, quantity: str = 'N_opt') -> str:
  """The optimum against C: every budget's, and the laws through them.

  Args:
    ax: is drawn on.
    fits: the content of fits.json.
    quantity: 'N_opt' or 'D_opt'.
  """
  isoflop_law = drawing.law_of(fits, 'isoflop')
  budgets = isoflop_law.get('budgets') or []
  all_C = [b['C'] for b in budgets] or [
    r['C'] for r in reach.runs(fits) if r.get('C')
  ]
  curves = [
    curve
    for name in ('isoflop', 'parametric', 'envelope')
    if (curve := _optimum_law(fits, name, quantity))
  ]
  points = [
    (i, b) for i, b in enumerate(budgets)
    if drawing.ok(b) and drawing.value(b.get(quantity))
  ]  # fmt: skip
  if not all_C or not (points or curves):
    return ''
  first, last = min(all_C), max(all_C)
  at = [a['C'] for c in curves for a in c.at if last < a['C']]
  end = min(max(at, default=10 * last), EXTRAPOLATED * last)
  if not curves:
    end = last
  bands = {c.name: _band(c.at, quantity, first, end) for c in curves}
  best = [drawing.value(b[quantity]) for _, b in points]
  ends = [e for _, b in points for e in drawing.interval(b[quantity]) or ()]

  def limits(drawn: list[_Curve]) -> drawing.Range:
    seen = best + [c.f(C) for c in drawn for C in (first, end)]
    widest = [e for c in drawn for e in bands[c.name][1:].flat]
    return drawing.log_range(seen, [*ends, *widest])

  wide = _too_wide(curves, bands, limits)
  shown = [c for c in curves if c not in wide]
  y_range = limits(shown)
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS[quantity])
  left, right = drawing.log_range([first, end], pad=0.03)
  drawing.log_axis(ax, 'x', left, right, drawing.power)
  drawing.log_axis(ax, 'y', *y_range, drawing.count)
  if curves:
    # What no law used is extrapolated, also where there are runs.
    _shade(ax, min(max(c.last for c in curves), last), right)
  for curve in shown:
    _draw_curve(
      ax, curve, bands[curve.name], (first, min(curve.last, last), end)
    )
  _name_the_wide(ax, wide)
  for i, b in points:
    drawing.estimate_mark(
      ax, b['C'], b[quantity], along='y', color=drawing.BLUE, marker='o',
      gid=f'budget-{i}-{quantity}',
      label='single budgets' if i == points[0][0] else '_',
    )  # fmt: skip
  ax.legend(
    loc='lower left', bbox_to_anchor=(0, 1.01), borderaxespad=0, frameon=False
  )
  drawing.note(ax, [
    f'{name}: {part["sentence"]}'
    for name in ('isoflop', 'parametric')
    if (part := drawing.law_of(fits, name))
    and not drawing.ok(part) and part.get('sentence')
  ])  # fmt: skip
  return _optimal_alt(quantity, points, curves)


def _shade(ax, left: float, right: float) -> None:
  """Marks the budgets that nothing was trained at."""
  ax.axvspan(left, right, color='#f0f0f0', zorder=0, gid='extrapolated')
  ax.text(
    (left * right) ** 0.5, 0.015, 'extrapolated', fontsize=7, ha='center',
    color='#555555', transform=ax.get_xaxis_transform(), zorder=1,
  )  # fmt: skip


_APPROACHES = {
  'isoflop': ('isoFLOP', drawing.BLUE, '-'),
  'parametric': ('parametric', drawing.VERMILLION, '-.'),
  'envelope': ('envelope', drawing.GREEN, (0, (1, 1.2))),
}


class _Curve(NamedTuple):
  """A law's optimum: f(C), its exponent, its intervals at some C.

  Attributes:
    last: the largest FLOP count that the law was fitted on.
  """

  name: str
  f: Callable[[Any], Any]
  exponent: drawing.Estimate
  at: list[dict[str, Any]]
  last: float


def _too_wide(curves, bands, limits) -> list[_Curve]:
  """The laws whose bands are wider than a figure of the others.

  Beside others such a band would cover all, and a bare line look the surest.
  """
  wide = [
    c for c in curves
    if (others := [o for o in curves if o is not c])
    and _wider(bands[c.name], limits(others))
  ]  # fmt: skip
  return [] if len(wide) == len(curves) else wide


def _wider(band: np.ndarray, limits: drawing.Range) -> bool:
  """Whether a law's band is somewhere wider than a figure of these limits."""
  low, high = band[1:]
  return bool(np.any(high / low > limits[1] / limits[0]))


def _optimum_law(fits: Fits, name: str, quantity: str) -> _Curve | None:
  """The law's curve, None where the law may not show its numbers."""
  law = drawing.law_of(fits, name)
  if not drawing.ok(law):
    return None
  at = sorted(law.get('at') or [], key=lambda a: a['C'])
  fitted = reach.of_law(fits, name)
  last = fitted.high if fitted else math.inf
  if name == 'parametric':
    surface = law_figures.parametric_law(law)
    exponent = law.get(f'exponent_{quantity[0]}') or {}
    if surface is None or drawing.value(exponent) is None:
      return None
    return _Curve(
      name,
      lambda C: getattr(surface.optimum(C), quantity[0]),
      exponent,
      at,
      last,
    )
  power_law = law.get(quantity) or {}
  coefficient = drawing.value(power_law.get('coefficient'))
  power = drawing.value(power_law.get('exponent'))
  if coefficient is None or power is None:
    return None
  line = laws.PowerLaw(coefficient, power)
  return _Curve(name, lambda C: line(C), power_law['exponent'], at, last)


def _band(at, quantity: str, first: float, end: float) -> np.ndarray:
  """[3, K]: C from first to end, and the interval's ends there."""
  rows = [
    (a['C'], *ends)
    for a in at
    if (ends := drawing.interval(a.get(quantity))) and min(ends) > 0
  ]
  if len(rows) < 2:
    return np.zeros((3, 0))
  logs = np.log(rows).T
  low, high = np.log([first, end]).clip(logs[0, 0], logs[0, -1])
  inner = logs[0][(low < logs[0]) & (logs[0] < high)]
  C = np.array([low, *inner, high])
  return np.exp([C, *(np.interp(C, logs[0], row) for row in logs[1:])])


def _draw_curve(ax, curve, band, where) -> None:
  first, last, end = where
  name = curve.name
  title, color, style = _APPROACHES[name]
  power, *rest = drawing.with_interval(
    curve.exponent, '{:.2f}'.format
  ).split(' ', 1)  # fmt: skip
  for C, width, line, label, gid in (
    (
      np.geomspace(first, last, 65), 1.8, style,
      f'{title}: $C^{{{power}}}$ {"".join(rest)}', 'law',
    ),
    (np.geomspace(last, end, 65), 1.0, (0, (4, 3)), '_', 'beyond'),
  ):  # fmt: skip
    ax.plot(
      C, curve.f(C), color=color, linewidth=width, linestyle=line,
      label=label, zorder=3, gid=f'{name}-{gid}',
    )  # fmt: skip
  if band.size:
    ax.fill_between(
      *band, color=color, alpha=0.16, linewidth=0, zorder=1.5,
      gid=f'{name}-band',
    )  # fmt: skip


def _name_the_wide(ax, wide: list[_Curve]) -> None:
  for curve in wide:
    title, color, style = _APPROACHES[curve.name]
    ax.plot(
      [], [], color=color, linestyle=style, gid=f'{curve.name}-wide',
      label=f'{title}: band wider than the figure',
    )  # fmt: skip


def _optimal_alt(quantity, points, curves) -> str:
  optima = drawing.listed(
    [
      f'{drawing.with_interval(b[quantity], words.short)} at C ='
      f' {drawing.flops(b["C"])}'
      for _, b in points
    ]
  )
  exponents = ', '.join(
    f'C^{drawing.with_interval(c.exponent)} ({_APPROACHES[c.name][0]})'
    for c in curves
  )
  grows = f'the laws grow as {exponents}' if exponents else 'no law is shown'
  return f'{quantity} against C: {optima or "no single optimum"}; {grows}.'


def exponents(ax: Axes, fits: Fits) -> str:
  """The exponent of N_opt under each convention, by approaches 2 and 3."""
  rows = [
    c for c in fits.get('conventions') or []
    if drawing.value(c.get('isoflop')) is not None
    or drawing.value(c.get('parametric')) is not None
  ]  # fmt: skip
  if not rows:
    return ''
  drawing.dress(ax, r'a of $N_{opt} \propto C^a$', '')
  ax.axvline(0.5, color=drawing.GREY, linewidth=1, linestyle=':', gid='half')
  for y, row in enumerate(rows):
    for name, shift, marker in (
      ('isoflop', -0.13, 'o'), ('parametric', 0.13, 's'),
    ):  # fmt: skip
      if row.get(name):
        drawing.estimate_mark(
          ax, y + shift, row[name], along='x', marker=marker,
          color=_APPROACHES[name][1], gid=f'{name}-{y}',
          label='_' if y else f'approach {"3" if shift > 0 else "2"}, {_APPROACHES[name][0]}',
        )  # fmt: skip
  ax.set_yticks(range(len(rows)), [_wrapped(row['name']) for row in rows])
  ax.set_ylim(len(rows) - 0.5, -0.5)
  ax.legend(
    loc='lower left', bbox_to_anchor=(0, 1.01), borderaxespad=0, ncols=2,
    frameon=False,
  )  # fmt: skip
  told = '; '.join(
    f'{row["name"]}: isoFLOP {drawing.with_interval(row.get("isoflop"))},'
    f' parametric {drawing.with_interval(row.get("parametric"))}'
    for row in rows
  )
  return f'The exponent of N_opt by what N and C count: {told}.'


def _wrapped(name: str) -> str:
  return '\n'.join(drawing.wrap(name, 26))
