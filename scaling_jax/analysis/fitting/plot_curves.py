"""Training curves as pictures: loss against steps, or against compute."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import cm
from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting.envelope import EnvelopeFit
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.fitting.training_curve import TrainingCurveFit
from scaling_jax.analysis.messages import figures as messages

LEVEL = result.LEVEL
_CURVE = 160  # points of a training curve, which has many more
_ENVELOPE = 300


def envelope(
  ax: Axes, fit: EnvelopeFit, *, level: float = LEVEL, unit: str = ''
) -> None:
  """Training curves against compute, and the least loss at every C."""
  del level
  curves = fit.curves
  drawing.dress(ax, drawing.LABELS['C'], messages.loss_label(unit))
  if not curves:
    drawing.note(ax, failure(fit))
    return
  pieces = envelope_pieces(fit) if fit.ok else []
  low = min(float(np.min(c.L)) for c in curves)
  # A curve starts at the loss of guessing, far above where curves cross.
  high = max(
    *(float(c.L[-1]) for c in curves),
    *(float(L.max()) for _, L in pieces),
    low,
  )
  span = high - low or 0.1 * high
  top = high + 0.35 * span
  Cs = np.concatenate([c.C[top >= c.L] for c in curves])
  drawing.log_axis(ax, 'x', drawing.log_range(Cs, pad=0.03), drawing.flops)
  ax.set_ylim(low - 0.06 * span, top)
  loss_curves(ax, curves, width=0.7)
  for i, (C, L) in enumerate(pieces):
    ax.plot(
      C, L, color=drawing.BLACK, linewidth=2, label='_' if i else 'envelope',
      gid='envelope', zorder=4,
    )  # fmt: skip
  if pieces:
    ax.legend(loc='upper right', frameon=False)
  drawing.note(ax, failure(fit, 'envelope'))


def envelope_pieces(fit: EnvelopeFit) -> list[tuple[np.ndarray, np.ndarray]]:
  """C and L of the envelope, cut where it rises because curves end there.

  A run that ends has been annealed and lies below longer runs at that point:
  a line on to those would show a loss that rises with compute.
  """
  if not len(fit.C):
    return []
  ends = np.sort([c.C[-1] for c in fit.curves])
  before, after = fit.C[:-1] * (1 - 1e-9), fit.C[1:]
  ended = np.searchsorted(ends, after) > np.searchsorted(ends, before)
  cuts = np.flatnonzero(ended & (fit.L[1:] > fit.L[:-1])) + 1
  return [
    (C[thin(len(C), _ENVELOPE)], L[thin(len(C), _ENVELOPE)])
    for C, L in zip(np.split(fit.C, cuts), np.split(fit.L, cuts))
  ]


def loss_curves(
  ax: Axes,
  curves: Sequence[LossCurve],
  *,
  width: float = 0.9,
  unit: float = 1.0,
) -> cm.ScalarMappable:
  """Loss along training curves against C, coloured by N; C in any unit."""
  mappable = drawing.colours_of_N([c.N for c in curves])
  for c in curves:
    at = thin(len(c.C), _CURVE)
    ax.plot(
      c.C[at] / unit, c.L[at], color=drawing.colour_of_N(mappable, c.N), linewidth=width,
      gid=f'curve-{c.run_id}',
    )  # fmt: skip
  drawing.bar_of_N(ax, mappable)
  return mappable


def thin(n: int, most: int) -> np.ndarray:
  """At most so many indices of n, evenly, both ends among them."""
  return np.unique(np.linspace(0, n - 1, min(n, most)).round()).astype(int)


def training_curve(
  ax: Axes, fit: TrainingCurveFit, *, level: float = LEVEL, unit: str = ''
) -> None:
  """The smoothed training loss against steps, and the law through it."""
  del level, unit  # a training loss is in nats per token
  training_curves(ax, [fit])
  drawing.note(ax, failure(fit))


def training_curves(
  ax: Axes,
  fits: Sequence[TrainingCurveFit],
  N_of: Mapping[str, float] | None = None,
) -> None:
  """Several training curves, coloured by N where that is known by run_id."""
  drawing.dress(ax, drawing.LABELS['S'], 'training loss, nats/token')
  fits = [fit for fit in fits if len(fit.step)]
  if not fits:
    return
  sizes = [N_of[f.run_id] for f in fits if f.run_id in N_of] if N_of else []
  mappable = drawing.colours_of_N(sizes) if sizes else None
  steps = np.concatenate([fit.step for fit in fits])
  losses = np.concatenate([fit.loss for fit in fits])
  low_high = drawing.log_range(steps, pad=0.02)
  drawing.log_axis(ax, 'x', low_high, formatting.short)
  drawing.log_axis(ax, 'y', drawing.log_range(losses, pad=0.04), drawing.loss)
  labelled = False
  for fit in fits:
    color: Any = drawing.GREY
    if mappable is not None and N_of and fit.run_id in N_of:
      color = drawing.colour_of_N(mappable, N_of[fit.run_id])
    at = thin(len(fit.step), _CURVE)
    ax.plot(
      fit.step[at], fit.loss[at], color=color, linewidth=2.2, alpha=0.65,
      gid=f'curve-{fit.run_id}',
    )  # fmt: skip
    if fit.ok and len(fit.fitted):
      at = thin(len(fit.step), _CURVE // 2)
      ax.plot(
        fit.step[at], fit.fitted[at], color=drawing.BLACK, linewidth=0.8,
        linestyle=(0, (4, 3)), gid=f'law-{fit.run_id}', zorder=3,
        label='_' if labelled else messages.CURVE_LAW,
      )  # fmt: skip
      labelled = True
  if mappable is not None:
    drawing.bar_of_N(ax, mappable)
  if labelled:
    drawing.legend_above(ax)


def failure(fit: Any, name: str = '') -> list[str]:
  """Why a fit shows no line, for a note; empty where it is ok."""
  if fit.ok:
    return []
  return [f'{name}: {fit.message}' if name else fit.message or str(fit.status)]
