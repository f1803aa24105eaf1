"""What all figures share: colours, log ticks, axes, and marks with intervals.

Colours are Okabe and Ito's where they name things, and viridis without its
yellow end, which white swallows, where they order them. An interval is anything
that unpacks into value, low and high.
"""

from collections.abc import Callable, Iterable, Sequence
import math
import textwrap
from typing import Any

from matplotlib import cm
from matplotlib import colormaps
from matplotlib import colors
from matplotlib import path
from matplotlib import ticker
from matplotlib.axes import Axes
import numpy as np

from scaling_jax import formatting

Range = tuple[float, float]
Text = Callable[[float], str]
Interval = Iterable[float]  # value, low, high

BLACK, GREY = '#000000', '#767676'
BLUE, ORANGE, GREEN = '#0072B2', '#E69F00', '#009E73'
VERMILLION, PURPLE = '#D55E00', '#CC79A7'
ORDERED = colors.ListedColormap(
  colormaps['viridis'](np.linspace(0, 0.82, 256)), name='viridis_on_white'
)
# The second channel beside colour; the star is kept for optima.
MARKERS = 'os^DvPX<>ph'
_UP = np.array([(0, -1), (0, 1), (-0.5, 0.3), (0, 1), (0.5, 0.3)])
_STROKES = (path.Path.MOVETO, path.Path.LINETO) * 2 + (path.Path.LINETO,)
UP, DOWN = path.Path(_UP, _STROKES), path.Path(-_UP, _STROKES)  # arrows

LABELS = {
  'N': 'N, parameters',
  'D': 'D, tokens',
  'C': 'C, FLOPs',
  'S': 'S, steps',
  'N_opt': 'N_opt, parameters',
  'D_opt': 'D_opt, tokens',
}
STYLE: dict[Any, Any] = {
  'font.family': 'sans-serif',
  # The first comes with matplotlib; the others are as wide where it is not.
  'font.sans-serif': ['DejaVu Sans', 'Verdana', 'Arial'],
  'font.size': 9,
  'axes.labelsize': 9,
  'legend.fontsize': 8,
  'legend.title_fontsize': 8,
  'xtick.labelsize': 8,
  'ytick.labelsize': 8,
  'lines.linewidth': 1.6,
  'lines.markersize': 5,
  'svg.fonttype': 'none',  # letters can be searched and take half the space
  'svg.hashsalt': 'scaling_jax',  # the same fits give the same bytes
}
# gids of what stands around axes.
ABOVE, BESIDE, BAR = 'legend-above', 'legend-beside', 'colour-bar'
_NOTE_POINTS = 7
LEGEND_ROWS = 10  # more budgets than these become a colour bar


def flops(number: float) -> str:
  """FLOPs on an axis: 6 × 10¹³."""
  return formatting.flops(number, style='unicode')


def loss(number: float) -> str:
  """A loss on an axis, to three digits and no zeros at the end."""
  return f'{number:.3g}'


def ends(interval: Interval) -> Range | None:
  """Both ends of an interval, or None where one of them is not known."""
  value, low, high = interval
  return (low, high) if np.isfinite([value, low, high]).all() else None


def dress(ax: Axes, xlabel: str, ylabel: str) -> None:
  """Labels, a thin grid below everything and no box."""
  ax.set_xlabel(xlabel)
  ax.set_ylabel(ylabel)
  ax.set_facecolor('white')
  ax.set_axisbelow(True)
  ax.grid(True, linewidth=0.5, color='#dddddd')
  ax.spines[['top', 'right']].set_visible(False)


def log_ticks(low: float, high: float) -> list[float]:
  """Round numbers from low to high, three to eight, evenly spaced by eye.

  >>> log_ticks(2e5, 4e6)
  [200000.0, 500000.0, 1000000.0, 2000000.0]
  """
  decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
  for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
    grid = [float(f'{d}e{k}') for k in decades for d in digits]
    ticks = [tick for tick in grid if low <= tick <= high]
    if len(ticks) >= (3 if len(digits) == 3 else 4):
      return ticks[:: math.ceil(len(ticks) / 8)]
  # Less than a factor of two or three: a log scale is as good as linear.
  even = ticker.MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
  return [float(tick) for tick in even if low <= tick <= high]


def log_axis(ax: Axes, which: str, limits: Range, text: Text) -> None:
  """Makes axis 'x' or 'y' logarithmic over a range, its ticks in `text`."""
  ax.set(**{f'{which}scale': 'log', f'{which}lim': limits})
  axis = ax.xaxis if which == 'x' else ax.yaxis
  ticks = log_ticks(*limits)
  axis.set_major_locator(ticker.FixedLocator(ticks))
  axis.set_major_formatter(ticker.FuncFormatter(lambda tick, _: text(tick)))
  axis.set_minor_locator(ticker.NullLocator())


def log_range(
  inner: Iterable[float], ends: Iterable[float] = (), pad: float = 0.06
) -> Range:
  """Limits around positive points, which intervals may widen but not rule.

  Args:
    inner: what must be seen whole.
    ends: ends of intervals; beyond half the points' span, or a third of a
      decade, they run out of the figure.
    pad: margin in shares of the span.
  """
  logs = np.log10([x for x in inner if np.isfinite(x) and x > 0])
  low, high = float(logs.min()), float(logs.max())
  most = max(0.5 * (high - low), 1 / 3)
  for end in ends:
    if np.isfinite(end) and end > 0:
      low = min(low, max(math.log10(end), float(logs.min()) - most))
      high = max(high, min(math.log10(end), float(logs.max()) + most))
  margin = max(pad * (high - low), 0.05)
  return 10 ** (low - margin), 10 ** (high + margin)


def narrow_range(inner: Sequence[float] | np.ndarray) -> Range:
  """Limits of a log axis around losses, which move by little."""
  logs = np.log(inner)
  margin = max(np.ptp(logs), 1e-3) / 3
  return (
    float(np.exp(logs.min() - margin)),
    float(np.exp(logs.max() + margin)),
  )


def linear_range(inner: Iterable[float], pad: float = 0.06) -> Range:
  """Limits around points, with a margin in shares of their span."""
  points = [float(x) for x in inner if np.isfinite(x)]
  low, high = min(points), max(points)
  margin = pad * (high - low) or 0.01 * abs(high) or 1.0
  return low - margin, high + margin


def far_above(losses: Sequence[float] | np.ndarray) -> float:
  """The loss above which a run would flatten what a figure is about."""
  middle, upper = np.quantile(losses, (0.5, 0.9))
  return float(middle + 3 * (upper - middle))


def ordered(i: int, n: int) -> Any:
  """The colour of the i-th of n ordered things."""
  return ORDERED(0.4 if n == 1 else i / (n - 1))


def marker(i: int) -> str:
  return MARKERS[i % len(MARKERS)]


def points(
  ax: Axes,
  x: Sequence[float] | np.ndarray,
  y: Sequence[float] | np.ndarray,
  **options: Any,
) -> None:
  """Markers with a thin white edge, which keeps those that overlap apart."""
  edge = {'markeredgecolor': 'white', 'markeredgewidth': 0.4}
  ax.plot(x, y, **{'linestyle': 'none', 'marker': 'o', **edge, **options})


def estimate_mark(
  ax: Axes,
  at: float,
  interval: Interval,
  *,
  along: str,
  color: Any,
  marker: str,
  size: float = 6,
  gid: str,
  label: str = '_',
  zorder: float = 5,
) -> None:
  """One estimate: a marker, and a capped whisker along 'x' or 'y'.

  Without an interval the marker is open: nobody knows how far off it may be.
  `gid` names the marker, and `gid-interval` the whisker, in the SVG.
  """
  value, *_ = interval
  if not np.isfinite(value):
    return
  span = ends(interval)
  if span is not None:
    xs, ys = (span, (at, at)) if along == 'x' else ((at, at), span)
    cap = '|' if along == 'x' else '_'
    ax.plot(
      xs, ys, color=color, linewidth=1.3, marker=cap, markersize=size,
      markeredgewidth=1.3, zorder=zorder - 0.1, gid=f'{gid}-interval',
    )  # fmt: skip
  x, y = (value, at) if along == 'x' else (at, value)
  ax.plot(
    [x], [y], linestyle='none', marker=marker, markersize=size,
    color=color if span else 'white', label=label, gid=gid, zorder=zorder,
    markeredgecolor=BLACK if span else color,
    markeredgewidth=0.6 if span else 1.3,
  )  # fmt: skip


def note(ax: Axes, messages: Iterable[str], width: float = 0.8) -> None:
  """Writes messages small along the top, and makes room for them there.

  Args:
    ax: has its limits already.
    messages: repeated ones are written once.
    width: share of the axes' present width that a line may take.
  """
  unique = list(dict.fromkeys(m for m in messages if m))
  if not unique:
    return
  box = ax.get_window_extent().transformed(
    ax.get_figure(root=True).dpi_scale_trans.inverted()  # type: ignore
  )
  letters = max(int(width * box.width * 72 / (0.53 * _NOTE_POINTS)), 12)
  lines = [line for m in unique for line in textwrap.wrap(m, letters)]
  share = (len(lines) + 1) * 1.35 * _NOTE_POINTS / (72 * box.height)
  share = min(share, 0.7)
  bottom, top = ax.get_ylim()
  if ax.get_yscale() == 'log':
    ax.set_ylim(bottom, bottom * (top / bottom) ** (1 / (1 - share)))
  else:
    ax.set_ylim(bottom, bottom + (top - bottom) / (1 - share))
  ax.text(
    0.015, 0.985, '\n'.join(lines), transform=ax.transAxes, va='top',
    fontsize=_NOTE_POINTS, color='#333333', gid='note', linespacing=1.3,
    zorder=10, bbox={'facecolor': 'white', 'edgecolor': 'none', 'pad': 1},
  )  # fmt: skip


def wrapped(text: str, letters: int) -> str:
  """Text in lines of so many letters."""
  return '\n'.join(textwrap.wrap(text, letters))


def legend_beside(ax: Axes, **options: Any) -> None:
  """A legend to the right of the axes, where it can't cover anything."""
  ax.legend(
    loc='upper left', bbox_to_anchor=(1.01, 1.0), borderaxespad=0,
    frameon=False, **options,
  ).set_gid(BESIDE)  # fmt: skip


def legend_above(ax: Axes, **options: Any) -> None:
  """A legend over the axes, where it can't cover anything."""
  ax.legend(
    loc='lower left', bbox_to_anchor=(0, 1.01), borderaxespad=0, frameon=False,
    **options,
  ).set_gid(ABOVE)  # fmt: skip


def colour_bar(
  ax: Axes,
  mappable: cm.ScalarMappable,
  label: str,
  ticks: Sequence[float] | None = None,
  texts: Sequence[str] = (),
  **options: Any,
) -> None:
  """A colour bar at the right, which moves with the axes."""
  beside = ax.inset_axes((1.02, 0, 0.035, 1))
  beside.set_gid(BAR)
  bar = ax.figure.colorbar(mappable, cax=beside, label=label, **options)
  if ticks is not None:
    bar.set_ticks(list(ticks), labels=list(texts))
    bar.minorticks_off()
  bar.outline.set_visible(False)  # type: ignore


def key_of_budgets(ax: Axes, Cs: Sequence[float]) -> None:
  """Which colour is which budget: a legend or, of many, a colour bar.

  Args:
    ax: carries one labelled artist, `flops(C)`, for each budget.
    Cs: the budgets in the order of their colours.
  """
  if len(Cs) <= LEGEND_ROWS:
    legend_beside(ax, title=LABELS['C'])
    return
  index = colors.Normalize(0, len(Cs) - 1)
  ticks = np.unique(np.linspace(0, len(Cs) - 1, 7).round()).astype(int)
  colour_bar(
    ax,
    cm.ScalarMappable(index, ORDERED),
    LABELS['C'],
    ticks.tolist(),
    [flops(float(f'{Cs[i]:.2g}')) for i in ticks],
  )
  budgets = {flops(C) for C in Cs}
  others = [
    (handle, label)
    for handle, label in zip(*ax.get_legend_handles_labels())
    if label not in budgets
  ]
  if others:
    handles, labels = zip(*others)
    legend_above(ax, handles=handles, labels=labels, ncols=3)


def colours_of_N(Ns: Iterable[float]) -> cm.ScalarMappable:
  """Colour by N on a log scale."""
  Ns = list(Ns)
  low, high = min(Ns), max(Ns)
  if low == high:
    low, high = low / 1.5, high * 1.5
  return cm.ScalarMappable(colors.LogNorm(low, high), ORDERED)


def colour_of_N(mappable: cm.ScalarMappable, N: float) -> Any:
  """The colour of one N."""
  return mappable.to_rgba(np.array(N))


def bar_of_N(ax: Axes, mappable: cm.ScalarMappable) -> None:
  """The colour bar of N, in counts that people read."""
  ticks = log_ticks(*mappable.get_clim())  # type: ignore
  texts = [formatting.short(tick) for tick in ticks]
  colour_bar(ax, mappable, LABELS['N'], ticks, texts)
