"""What all figures share: colours, log ticks, intervals, and sentences.

An estimate is fits.json's {'value', 'low', 'high'}; a part of the fits is what
carries a 'status'. Colours are Okabe and Ito's where they name things, and
viridis without its yellow end, which white swallows, where they order them.
"""

from collections.abc import Callable, Iterable, Sequence
import math
import textwrap
from typing import Any

from matplotlib import cm
from matplotlib import colormaps
from matplotlib import colors
from matplotlib import ticker
from matplotlib.axes import Axes
import numpy as np

Fits = dict[str, Any]
Estimate = dict[str, float | None]
Range = tuple[float, float]

BLACK, GREY = '#000000', '#767676'
BLUE, ORANGE, GREEN = '#0072B2', '#E69F00', '#009E73'
VERMILLION, PURPLE = '#D55E00', '#CC79A7'
ORDERED = colors.ListedColormap(
  colormaps['viridis'](np.linspace(0, 0.82, 256)), name='viridis_on_white'
)
# The second channel beside colour; the star is kept for optima.
MARKERS = 'os^DvPX<>ph'

LABELS = {
  'N': 'N, parameters',
  'D': 'D, tokens',
  'C': 'C, FLOPs',
  'N_opt': 'N_opt, parameters',
  'D_opt': 'D_opt, tokens',
}
STYLE: dict[Any, Any] = {
  'font.family': 'DejaVu Sans',  # comes with matplotlib
  'font.size': 9,
  'axes.labelsize': 9,
  'legend.fontsize': 8,
  'legend.title_fontsize': 8,
  'xtick.labelsize': 8,
  'ytick.labelsize': 8,
  'lines.linewidth': 1.6,
  'lines.markersize': 5,
  'svg.hashsalt': 'scaling_jax',  # the same fits give the same bytes
}
_NOTE_POINTS = 7
_LEGEND_ROWS = 10  # more budgets than these become a colour bar


def ok(part: Any) -> bool:
  """Whether this part of the fits may show its numbers."""
  return bool(part) and part.get('status') == 'ok'


def law_of(fits: Fits, name: str) -> dict[str, Any]:
  """A law's part of the fits, empty where there is none."""
  return (fits.get('laws') or {}).get(name) or {}


def budget_C(fits: Fits, index: int) -> float:
  """The FLOPs of a budget, by its index in the runs."""
  budgets = law_of(fits, 'isoflop').get('budgets') or []
  if index < len(budgets):
    return budgets[index]['C']
  own = [r['C'] for r in fits['runs'] if r.get('budget') == index]
  return float(np.median(own))


def value(estimate: Estimate | None) -> float | None:
  return estimate.get('value') if estimate else None


def interval(estimate: Estimate | None) -> Range | None:
  """Both ends of the interval, or None where one of them is not known."""
  if not estimate or value(estimate) is None:
    return None
  low, high = estimate.get('low'), estimate.get('high')
  return None if low is None or high is None else (low, high)


def level_text(fits: Fits) -> str:
  return f'{100 * fits.get("level", 0.95):g} %'


def noise(fits: Fits) -> tuple[float | None, str]:
  """The relative sd of runs without a law's misses, and what it is about."""
  between_seeds = value(fits.get('seed_noise'))
  if between_seeds is not None:
    return between_seeds, 'between seeds'
  # Scatter around parabolas is the next best; one bad budget must not rule.
  budgets = law_of(fits, 'isoflop').get('budgets') or []
  found = [value(b.get('noise')) for b in budgets if ok(b)]
  known = [number for number in found if number is not None]
  return float(np.median(known)) if known else None, 'about the parabolas'


def loss_label(fits: Fits) -> str:
  return f'L, {loss_unit(fits)}'


def loss_unit(fits: Fits) -> str:
  return (fits.get('source') or {}).get('unit') or 'nats/token'


def count(number: float) -> str:
  """A count for people, to three digits: 222K, 1.97M, 70B, 1.4T."""
  for size, letter in ((1e12, 'T'), (1e9, 'B'), (1e6, 'M'), (1e3, 'K')):
    # 999,600 rounds to 1M, not to 1e+03K.
    if number >= 0.9995 * size:
      return f'{number / size:.3g}{letter}'
  return f'{number:.3g}'


def flops(number: float) -> str:
  """FLOPs in plain text: 6e13."""
  return f'{number:.3g}'.replace('e+', 'e')


def power(number: float) -> str:
  """FLOPs as matplotlib's mathtext, 6 × 10¹³."""
  exponent = math.floor(math.log10(number) + 1e-9)
  digits = f'{number / 10.0**exponent:.3g}'
  ten = rf'10^{{{exponent}}}'
  return f'${ten}$' if digits == '1' else rf'${digits}\!\times\!{ten}$'


def three_digits(number: float) -> str:
  """A zero at the end is a digit too."""
  return f'{number:#.3g}'.rstrip('.')


def with_interval(
  estimate: Estimate, text: Callable[[float], str] = three_digits
) -> str:
  """An estimate in words: 0.490 [0.463, 0.520]."""
  number = value(estimate)
  if number is None:
    return 'none'
  ends = interval(estimate)
  if ends is None:
    return f'{text(number)} (no interval)'
  return f'{text(number)} [{text(ends[0])}, {text(ends[1])}]'


def listed(parts: Sequence[str]) -> str:
  """Joins parts for one sentence; of many, the first and the last."""
  if len(parts) > 4:
    parts = [parts[0], f'{len(parts) - 2} between', parts[-1]]
  return ', '.join(parts)


def wrap(text: str, letters: int) -> list[str]:
  return textwrap.wrap(text, letters)


def dress(ax: Axes, xlabel: str, ylabel: str) -> None:
  """Labels, a thin grid below everything and no box."""
  ax.set_xlabel(xlabel)
  ax.set_ylabel(ylabel)
  ax.set_facecolor('white')
  ax.set_axisbelow(True)
  ax.grid(True, linewidth=0.5, color='#dddddd')
  ax.spines[['top', 'right']].set_visible(False)


def log_ticks(low: float, high: float) -> list[float]:
  """Round numbers from low to high, three to eight, evenly spaced by eye."""
  decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
  for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
    grid = [float(f'{d}e{k}') for k in decades for d in digits]
    ticks = [tick for tick in grid if low <= tick <= high]
    if len(ticks) >= (3 if len(digits) == 3 else 4):
      return ticks[:: math.ceil(len(ticks) / 8)]
  # Less than a factor of two or three: a log scale is as good as linear.
  even = ticker.MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
  return [float(tick) for tick in even if low <= tick <= high]


def log_axis(
  ax: Axes, which: str, low: float, high: float, text: Callable[[float], str]
) -> None:
  """Makes axis 'x' or 'y' logarithmic over a range, its ticks in `text`."""
  ax.set(**{f'{which}scale': 'log', f'{which}lim': (low, high)})
  axis = ax.xaxis if which == 'x' else ax.yaxis
  axis.set_major_locator(ticker.FixedLocator(log_ticks(low, high)))
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
  logs = np.log10([x for x in inner if x is not None and x > 0])
  low, high = float(logs.min()), float(logs.max())
  reach = max(0.5 * (high - low), 1 / 3)
  for end in ends:
    if end is not None and end > 0:
      low = min(low, max(math.log10(end), float(logs.min()) - reach))
      high = max(high, min(math.log10(end), float(logs.max()) + reach))
  margin = max(pad * (high - low), 0.05)
  return 10 ** (low - margin), 10 ** (high + margin)


def linear_range(inner: Iterable[float], pad: float = 0.06) -> Range:
  points = [x for x in inner if x is not None]
  low, high = min(points), max(points)
  margin = pad * (high - low) or 0.01 * abs(high) or 1.0
  return low - margin, high + margin


def far_above(losses: Sequence[float]) -> float:
  """The loss above which a run would flatten what a figure is about."""
  middle, upper = np.quantile(losses, (0.5, 0.9))
  return float(middle + 3 * (upper - middle))


def ordered(i: int, n: int) -> Any:
  """The colour of the i-th of n ordered things."""
  return ORDERED(0.4 if n == 1 else i / (n - 1))


def marker(i: int) -> str:
  return MARKERS[i % len(MARKERS)]


def estimate_mark(
  ax: Axes,
  at: float,
  estimate: Estimate,
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
  number = value(estimate)
  ends = interval(estimate)
  if number is None:
    return
  if ends is not None:
    xs, ys = (ends, (at, at)) if along == 'x' else ((at, at), ends)
    cap = '|' if along == 'x' else '_'
    ax.plot(
      xs, ys, color=color, linewidth=1.3, marker=cap, markersize=size,
      markeredgewidth=1.3, zorder=zorder - 0.1, gid=f'{gid}-interval',
    )  # fmt: skip
  x, y = (number, at) if along == 'x' else (at, number)
  ax.plot(
    [x], [y], linestyle='none', marker=marker, markersize=size,
    color=color if ends else 'white', label=label, gid=gid, zorder=zorder,
    markeredgecolor=BLACK if ends else color,
    markeredgewidth=0.6 if ends else 1.3,
  )  # fmt: skip


def note(ax: Axes, sentences: Iterable[str], width: float = 0.8) -> None:
  """Writes sentences small along the top, and makes room for them there.

  Args:
    ax: has its limits already.
    sentences: repeated ones are written once; of many, the first three.
    width: share of the axes' present width that a line may take.
  """
  unique = list(dict.fromkeys(s for s in sentences if s))
  if len(unique) > 3:
    unique = [*unique[:2], f'And {len(unique) - 2} more like these.']
  if not unique:
    return
  box = ax.get_window_extent().transformed(
    ax.get_figure(root=True).dpi_scale_trans.inverted()  # type: ignore
  )
  letters = int(width * box.width * 72 / (0.53 * _NOTE_POINTS))
  lines = [line for s in unique for line in textwrap.wrap(s, letters)]
  share = (len(lines) + 1) * 1.35 * _NOTE_POINTS / (72 * box.height)
  bottom, top = ax.get_ylim()
  if ax.get_yscale() == 'log':
    log_axis_top = (top / bottom) ** (1 / (1 - share))
    ax.set_ylim(bottom, bottom * log_axis_top)
  else:
    ax.set_ylim(bottom, bottom + (top - bottom) / (1 - share))
  ax.text(
    0.015, 0.985, '\n'.join(lines), transform=ax.transAxes, va='top',
    fontsize=_NOTE_POINTS, color='#333333', gid='note', linespacing=1.3,
    zorder=10, bbox={'facecolor': 'white', 'edgecolor': 'none', 'pad': 1},
  )  # fmt: skip


def legend_beside(ax: Axes, **options: Any) -> None:
  """A legend to the right of the axes, where it can't cover anything."""
  ax.legend(
    loc='upper left', bbox_to_anchor=(1.01, 1.0), borderaxespad=0,
    frameon=False, **options,
  )  # fmt: skip


def key_of_budgets(ax: Axes, Cs: Sequence[float]) -> None:
  """Says which colour is which budget, in a legend or, of many, a bar.

  Args:
    ax: carries one labelled artist, `power(C)`, for each budget.
    Cs: the budgets in the order of their colours.
  """
  if len(Cs) <= _LEGEND_ROWS:
    legend_beside(ax, title=LABELS['C'])
    return
  index = colors.Normalize(0, len(Cs) - 1)
  bar = ax.figure.colorbar(
    cm.ScalarMappable(index, ORDERED), ax=ax, label=LABELS['C'], pad=0.02
  )
  ticks = np.unique(np.linspace(0, len(Cs) - 1, 7).round()).astype(int)
  bar.set_ticks(
    list(ticks), labels=[power(float(f'{Cs[i]:.2g}')) for i in ticks]
  )
  bar.minorticks_off()
  bar.outline.set_visible(False)  # type: ignore
  known = {power(C) for C in Cs}
  others = [
    (handle, label)
    for handle, label in zip(*ax.get_legend_handles_labels())
    if label not in known
  ]
  if others:
    ax.legend(
      *zip(*others), loc='lower left', bbox_to_anchor=(0, 1.01), ncols=3,
      borderaxespad=0, frameon=False,
    )  # fmt: skip


def colours_of_N(Ns: Iterable[float]) -> cm.ScalarMappable:
  """Colour by N on a log scale; `to_rgba` gives the colour of one N."""
  low, high = min(Ns), max(Ns)
  if low == high:
    low, high = low / 1.5, high * 1.5
  return cm.ScalarMappable(colors.LogNorm(low, high), ORDERED)


def bar_of_N(ax: Axes, mappable: cm.ScalarMappable) -> None:
  """The colour bar of N, in counts that people read."""
  bar = ax.figure.colorbar(mappable, ax=ax, label=LABELS['N'], pad=0.02)
  ticks = log_ticks(*bar.mappable.get_clim())  # type: ignore
  bar.set_ticks(ticks, labels=[count(tick) for tick in ticks])
  bar.minorticks_off()
  bar.outline.set_visible(False)  # type: ignore
