"""A fit as a picture: what it was fitted to, the fit, and its intervals.

What is not ok shows its points and its message, never a fitted line or number.
The report's figures are these, with labels and units of their own.
"""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax.analysis.fitting import plot_curves
from scaling_jax.analysis.fitting import plot_lines
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.envelope import EnvelopeFit
from scaling_jax.analysis.fitting.frontier import FrontierFit
from scaling_jax.analysis.fitting.isoflop import IsoflopBudget
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.kaplan import KaplanFit
from scaling_jax.analysis.fitting.plot_curves import failure
from scaling_jax.analysis.fitting.training_curve import TrainingCurveFit
from scaling_jax.analysis.messages import figures as messages

LEVEL = result.LEVEL
_POINTS = 33  # of a smooth line on logarithmic axes
_LINES = 6  # of a law, where every run has an N of its own
_SIZE = (6.4, 4.4)


def plot(
  fit: result.FitResult,
  ax: Axes | None = None,
  *,
  level: float = LEVEL,
  unit: str = '',
) -> Axes:
  """Draws a fit of any kind; returns the Axes.

  Args:
    fit: what `fit_chinchilla` and its likes return.
    ax: is drawn on; one of a new figure if None.
    level: of the intervals.
    unit: of the loss, for the label of its axis.

  Raises:
    TypeError: nothing here draws such a fit.

  >>> from matplotlib.figure import Figure
  >>> fit = power_law.fit([1e6, 1e7, 1e8], [3.1, 2.5, 2.1], draws=50)
  >>> plot(fit, Figure().subplots()).get_xscale()
  'log'
  """
  for kind, draw in _PLOTS.items():
    if isinstance(fit, kind):
      if ax is None:
        from matplotlib import pyplot  # chooses a backend: not before

        ax = pyplot.subplots(figsize=_SIZE, layout='constrained')[1]
      draw(ax, fit, level=level, unit=unit)
      return ax
  raise TypeError(f'{type(fit).__name__} has no plot')


# Chinchilla's and Kaplan's laws of two quantities.


def chinchilla(
  ax: Axes, fit: ChinchillaFit, *, level: float = LEVEL, unit: str = ''
) -> None:
  """Loss against D: the runs by N, and the law's line for some N."""
  del level  # the lines have no band: they would cover one another
  labels = (drawing.LABELS['D'], messages.loss_label(unit))
  law = fit.law.loss if fit.ok else None
  _family(ax, (fit.N, fit.D, fit.loss), law, labels)
  drawing.note(ax, failure(fit))


def kaplan(
  ax: Axes,
  fit: KaplanFit,
  *,
  level: float = LEVEL,
  unit: str = '',
  notes: Sequence[str] = (),
) -> None:
  """Loss against D or S_min: the runs by N, and the law's line for some N."""
  del level
  against = drawing.LABELS['D'] if fit.form == 'ND' else 'S_min, steps'
  labels = (against, messages.loss_label(unit))
  law = fit.law.loss if fit.ok else None
  _family(ax, (fit.N, fit.x, fit.L), law, labels)
  drawing.note(ax, messages.few([*failure(fit), *fit.notes, *notes]))


def _family(
  ax: Axes,
  columns: tuple[np.ndarray, np.ndarray, np.ndarray],
  law: Callable[[Any, Any], Any] | None,
  labels: tuple[str, str],
) -> None:
  """Points of (N, x, L) by N, and L(N, x) for each N, or for some of many."""
  N, x, L = columns
  drawing.dress(ax, *labels)
  if not len(N):
    return
  sizes = np.unique(N)
  mappable = drawing.colours_of_N(sizes)
  few = len(sizes) <= 2 * _LINES
  for i, own in enumerate(sizes):
    at = np.flatnonzero(own == N)
    at = at[np.argsort(x[at])]
    color = drawing.colour_of_N(mappable, own)
    drawing.points(
      ax, x[at], L[at], marker=drawing.marker(i) if few else 'o',
      markersize=4, color=color, gid=f'points-{own:g}', zorder=4,
    )  # fmt: skip
    if law is not None and few:
      ends = (x[at[0]], x[at[-1]])
      _law_line(ax, law, own, ends, color)
  if law is not None and not few:
    for own in np.geomspace(sizes[0], sizes[-1], _LINES):
      color = drawing.colour_of_N(mappable, own)
      _law_line(ax, law, own, (x.min(), x.max()), color)
  if len(sizes) > 1:
    drawing.bar_of_N(ax, mappable)
  drawing.log_axis(ax, 'x', drawing.log_range(x), formatting.short)
  drawing.log_axis(ax, 'y', drawing.log_range(L, pad=0.04), drawing.loss)


def _law_line(
  ax: Axes,
  law: Callable[[Any, Any], Any],
  N: float,
  ends: drawing.Range,
  color: Any,
) -> None:
  x = np.geomspace(ends[0], ends[1], _POINTS)
  ax.plot(x, law(N, x), color=color, linewidth=1, gid=f'law-{N:g}')


# Approach 2.


def isoflop(
  ax: Axes, fit: IsoflopFit, *, level: float = LEVEL, unit: str = ''
) -> None:
  """Loss against N at every budget, with the curve through its runs."""
  drawing.dress(ax, drawing.LABELS['N'], messages.loss_label(unit))
  budgets = fit.budgets
  if not budgets:
    return
  best = [b.optimum(level=level) for b in budgets if b.ok]
  N = np.concatenate([b.N for b in budgets])
  L = np.concatenate([b.loss for b in budgets])
  top = drawing.far_above(L)
  ends = [x for one in best for x in (one.N.low, one.N.high)]
  shown = [*N, *(one.N.value for one in best)]
  drawing.log_axis(ax, 'x', drawing.log_range(shown, ends), formatting.short)
  lowest = [one.loss.value for one in best]
  ax.set_ylim(*drawing.linear_range([*L[top >= L], *lowest]))
  for i, budget in enumerate(budgets):
    _budget(ax, budget, (i, len(budgets)), level)
  if best:
    ax.plot(
      [], [], '*', color=drawing.GREY, markersize=9,
      markeredgecolor=drawing.BLACK, label=messages.minimum(level),
    )  # fmt: skip
  drawing.key_of_budgets(ax, [b.C for b in budgets])
  beyond = int((top < L).sum())
  above = messages.above_the_figure(beyond, len(L), float(L.max()))
  note = [above if beyond else '', *_failed_budgets(budgets)]
  drawing.note(ax, messages.few(note))


def _budget(
  ax: Axes, budget: IsoflopBudget, place: tuple[int, int], level: float
) -> None:
  """A budget's runs, and its curve some way beyond them."""
  i, n = place
  color = drawing.ordered(*place)
  drawing.points(
    ax, budget.N, budget.loss, marker=drawing.marker(i), color=color,
    alpha=0.75, markersize=5 if n < 12 else 4, label=drawing.flops(budget.C),
    gid=f'budget-{i}-runs', zorder=3,
  )  # fmt: skip
  if not budget.ok or budget.curve is None:
    return
  low, high = np.log(budget.N.min()), np.log(budget.N.max())
  beyond = 0.25 * (high - low)
  for start, stop, style, gid in (
    (low, high, '-', 'curve'),
    (low - beyond, low, '--', 'curve-below'),
    (high, high + beyond, '--', 'curve-above'),
  ):
    x = np.linspace(start, stop, _POINTS)
    y = np.array(budget.curve.loss(x))
    # Above the runs is room for a note, not for a curve.
    y[y > ax.get_ylim()[1]] = np.nan
    ax.plot(
      np.exp(x), y, style, color=color, zorder=2,
      linewidth=1.5 if style == '-' else 0.9, gid=f'budget-{i}-{gid}',
    )  # fmt: skip
  best = budget.optimum(level=level)
  drawing.estimate_mark(
    ax, best.loss.value, best.N, along='x', color=color, marker='*', size=9,
    gid=f'budget-{i}-minimum',
  )  # fmt: skip


def _failed_budgets(budgets: Sequence[IsoflopBudget]) -> list[str]:
  """Each reason once, with the budgets that share it."""
  where: dict[str, list[float]] = {}
  for budget in budgets:
    if not budget.ok:
      reason = budget.message or str(budget.status)
      where.setdefault(reason, []).append(budget.C)
  return [messages.failed_budgets(Cs, why) for why, Cs in where.items()]


_PLOTS: dict[type, Callable[..., None]] = {
  ChinchillaFit: chinchilla,
  IsoflopFit: isoflop,
  EnvelopeFit: plot_curves.envelope,
  power_law.PowerLawFit: plot_lines.power_law,
  KaplanFit: kaplan,
  FrontierFit: plot_lines.frontier,
  CriticalBatchFit: plot_lines.critical_batch,
  TrainingCurveFit: plot_curves.training_curve,
}
