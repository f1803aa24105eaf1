"""Power laws as pictures: points, the line through them, and its band."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax.analysis.fitting import plot_curves
from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.frontier import FrontierFit
from scaling_jax.analysis.fitting.plot_curves import failure
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import figures as messages

LEVEL = result.LEVEL
_BAND = 25  # points of a line and its band
_HULL = 300


class PowerLawLabels(NamedTuple):
  """How a power law is labelled.

  Attributes:
    x, y: of the axes.
    line: of the legend.
    x_text, y_text: a tick as text.
    narrow: whether y is a loss, which moves by little.
  """

  x: str = 'x'
  y: str = 'y'
  line: str = ''
  x_text: drawing.Text = formatting.short
  y_text: drawing.Text = formatting.short
  narrow: bool = False


def power_law(
  ax: Axes,
  fit: PowerLawFit,
  *,
  level: float = LEVEL,
  unit: str = '',
  labels: PowerLawLabels | None = None,
  notes: Sequence[str] = (),
) -> None:
  """Points, the line through them, and its band, on two log axes."""
  del unit
  exponent = fit.conf_int(level)['exponent']
  labels = labels or PowerLawLabels(line=messages.power('y', 'x', exponent))
  drawing.dress(ax, labels.x, labels.y)
  if not len(fit.x):
    return
  drawing.points(
    ax, fit.x, fit.y, color=drawing.BLUE, markeredgewidth=0.6, gid='points',
    zorder=4,
  )  # fmt: skip
  ends = band(ax, fit, labels.line, level=level)
  drawing.log_axis(ax, 'x', drawing.log_range(fit.x), labels.x_text)
  if labels.narrow:
    y_range = drawing.narrow_range(fit.y)
  else:
    y_range = drawing.log_range(fit.y, ends)
  drawing.log_axis(ax, 'y', y_range, labels.y_text)
  if fit.ok:
    drawing.legend_above(ax)
  drawing.note(ax, messages.few([*failure(fit), *fit.notes, *notes]))


def band(
  ax: Axes,
  fit: PowerLawFit,
  label: str,
  *,
  level: float = LEVEL,
) -> np.ndarray:
  """The fitted line over its points and its interval; the interval's ends."""
  if not fit.ok:
    return np.empty(0)
  x = np.geomspace(fit.x.min(), fit.x.max(), _BAND)
  return _line_and_band(ax, x, fit.predict(x, level), label)


def _line_and_band(
  ax: Axes, x: np.ndarray, y: result.Interval, label: str
) -> np.ndarray:
  ax.plot(
    x, y.value, color=drawing.VERMILLION, label=label, gid='law', zorder=3
  )
  known = np.isfinite(y.low) & np.isfinite(y.high)
  if known.any():
    ax.fill_between(
      x[known], y.low[known], y.high[known], color=drawing.VERMILLION,
      alpha=0.15, linewidth=0, gid='law-interval', zorder=1,
    )  # fmt: skip
  return np.concatenate([y.low[known], y.high[known]])


def frontier(
  ax: Axes,
  fit: FrontierFit,
  *,
  level: float = LEVEL,
  unit: str = '',
  curves: Sequence[LossCurve] = (),
  labels: tuple[str, float] = (drawing.LABELS['C'], 1.0),
  notes: Sequence[str] = (),
) -> None:
  """The lower hull of training curves, the models on it, and L(C).

  Args:
    ax, fit, level: what to draw where.
    unit: of the loss.
    curves: the training curves.
    labels: the x axis, and FLOPs in its unit.
    notes: written in the figure too.
  """
  label, flops = labels
  drawing.dress(ax, label, messages.loss_label(unit))
  if curves:
    plot_curves.loss_curves(ax, curves, unit=flops)
  if not len(fit.C):
    drawing.note(ax, failure(fit.L_fit))
    return
  at = plot_curves.thin(len(fit.C), _HULL)
  ax.plot(
    fit.C[at] / flops, fit.L[at], '--', zorder=3, color=drawing.GREY,
    linewidth=1.2, label='lower hull', gid='hull',
  )  # fmt: skip
  inner = set(fit.inner)
  for inside, name in ((True, 'best on the hull'), (False, 'excluded')):
    own = [t for t in fit.touches if (t in inner) is inside]
    if own:
      ax.plot(
        [t.C / flops for t in own], [t.L for t in own], 'o', zorder=5,
        color=drawing.BLACK if inside else 'white', markersize=5, label=name,
        markeredgecolor=drawing.BLACK, markeredgewidth=0.8,
        gid='touches' if inside else 'ends',
      )  # fmt: skip
  law = fit.L_fit.in_units(flops)
  _, alpha = law.kaplan_form(level)
  band(ax, law, f'alpha_C {messages.number(alpha)}', level=level)
  C, L = [fit.C / flops], [fit.L]
  C += [c.C[[0, -1]] / flops for c in curves]
  L += [c.L for c in curves]
  C_range = drawing.log_range(np.concatenate(C), pad=0.03)
  L_range = drawing.log_range(np.concatenate(L), pad=0.03)
  drawing.log_axis(ax, 'x', C_range, drawing.flops)
  drawing.log_axis(ax, 'y', L_range, drawing.loss)
  drawing.legend_above(ax, ncols=2)
  drawing.note(ax, messages.few([*failure(fit.L_fit), *fit.notes, *notes]))


def critical_batch(
  ax: Axes, fit: CriticalBatchFit, *, level: float = LEVEL, unit: str = ''
) -> None:
  """B_crit against the loss, and the power law through it."""
  drawing.dress(ax, messages.loss_label(unit), 'B_crit, tokens')
  targets = [target for target in fit.targets if target.ok]
  if targets:
    marks = [target.B_crit(level) for target in targets]
    for i, (target, B) in enumerate(zip(targets, marks)):
      drawing.estimate_mark(
        ax, target.L, B, along='y', color=drawing.BLUE, marker='o',
        gid=f'loss-{i}',
      )  # fmt: skip
    L = [target.L for target in targets]
    if fit.ok:
      x = np.geomspace(min(L), max(L), _BAND)
      alpha_B = fit.conf_int(level)['alpha_B']
      _line_and_band(
        ax, x, fit.tokens(x, level), messages.critical_batch_power(alpha_B)
      )
    L_range = drawing.log_range(L, pad=0.1)
    drawing.log_axis(ax, 'x', L_range, drawing.loss)
    ax.invert_xaxis()  # as training goes
    ends = [x for B in marks for x in (B.low, B.high)]
    B_range = drawing.log_range([B.value for B in marks], ends)
    drawing.log_axis(ax, 'y', B_range, formatting.short)
  if fit.ok:
    drawing.legend_above(ax)
  drawing.note(ax, messages.few([*failure(fit), *fit.notes]))
