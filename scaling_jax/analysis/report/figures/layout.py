"""Room for the text around axes.

A constrained layout draws a figure twice more than its file needs, which was
half of the time that a report's figures took. Here the room is reckoned from
the letters; lengths are in points.
"""

import functools
import math
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.axis import YAxis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from scaling_jax import drawing

_INCH = 72.0
_EDGE = 6.0  # around everything
_BETWEEN = 10.0  # panels
_LEAST = 14.0  # right and above: half of a tick's label, a note on a line
_TICK = 7.0  # from the axes to the label of a tick
_PAD = 4.0  # from there to the label of the axis
_LINE = 1.2  # height of a line of text, in font sizes


class _Room(NamedTuple):
  """What text needs around axes; `share` is of their width, at the right."""

  left: float
  bottom: float
  right: float
  top: float
  share: float


def settle(page: Figure) -> None:
  """Places the axes of a figure so that all around them can be seen.

  Axes of one row share their height, and those of one column their width.
  """
  grid = {}
  for ax in page.axes:  # colour bars and insets are children of these
    spec = ax.get_subplotspec()
    assert spec is not None
    grid[spec.rowspan.start, spec.colspan.start] = ax
  rows, columns = 1 + max(i for i, _ in grid), 1 + max(j for _, j in grid)
  room = {at: _room(ax) for at, ax in grid.items()}

  def column(j: int, name: str) -> float:
    return max(getattr(room[i, j], name) for i in range(rows))

  def row(i: int, name: str) -> float:
    return max(getattr(room[i, j], name) for j in range(columns))

  width, height = (_INCH * x for x in page.get_size_inches())
  w = width - 2 * _EDGE - _BETWEEN * (columns - 1)
  w -= sum(column(j, 'left') + column(j, 'right') for j in range(columns))
  w /= sum(1 + column(j, 'share') for j in range(columns))
  h = height - 2 * _EDGE - _BETWEEN * (rows - 1)
  h -= sum(row(i, 'bottom') + row(i, 'top') for i in range(rows))
  h /= rows
  top = height - _EDGE
  for i in range(rows):
    y = top - row(i, 'top') - h
    left = _EDGE
    for j in range(columns):
      x = left + column(j, 'left')
      ax = grid[i, j]
      ax.set_position((x / width, y / height, w / width, h / height))
      _place_labels(ax, room[i, j], w, h)
      left = x + w * (1 + column(j, 'share')) + column(j, 'right') + _BETWEEN
    top = y - row(i, 'bottom') - _BETWEEN


def _room(ax: Axes) -> _Room:
  left, bottom = _axis_room(ax.yaxis), _axis_room(ax.xaxis)
  right = top = _LEAST
  share = 0.0
  if ax.get_title('left'):
    top = max(top, 6 + 9 * _LINE)
  legend = ax.get_legend()
  if legend is not None and legend.get_gid() == drawing.BESIDE:
    right, share = max(right, _legend_size(legend)[0]), 0.01
  elif legend is not None and legend.get_gid() == drawing.ABOVE:
    top = max(top, _legend_size(legend)[1] + 3)
  for bar in ax.child_axes:
    if bar.get_gid() == drawing.BAR:
      right = max(right, _axis_room(bar.yaxis))
      share = max(share, 0.055)
  return _Room(left, bottom, right, top, share)


def _axis_room(axis: Axis) -> float:
  """Ticks, their labels, and the axis's own."""
  own = _label_room(axis)
  label = axis.label
  return own + (_size(label)[1] + _PAD if label.get_text() else 0.0)


def _label_room(axis: Axis) -> float:
  """Ticks and their labels."""
  size = 8.0
  at = axis.get_majorticklocs()
  low, high = sorted(axis.get_view_interval())
  texts = axis.get_major_formatter().format_ticks(list(at))
  shown = [t for x, t in zip(at, texts) if low <= x <= high and t]
  if not shown:
    return 0.0
  if isinstance(axis, YAxis):
    return _TICK + max(_width(text, size) for text in shown)
  return _TICK + max(_height(text, size) for text in shown)


def _place_labels(ax: Axes, room: _Room, w: float, h: float) -> None:
  """Matplotlib would measure all tick labels again for this."""
  ax.yaxis.set_label_coords(-(_label_room(ax.yaxis) + _PAD) / w, 0.5)
  ax.xaxis.set_label_coords(0.5, -(_label_room(ax.xaxis) + _PAD) / h)
  for bar in ax.child_axes:
    if bar.get_gid() == drawing.BAR:
      from_bar = (_label_room(bar.yaxis) + _PAD) / (0.035 * w)
      bar.yaxis.set_label_coords(1 + from_bar, 0.5)


def _legend_size(legend: Legend) -> tuple[float, float]:
  """Width and height, one row taken for as high as the highest."""
  texts = legend.get_texts()
  size = float(texts[0].get_fontsize()) if texts else 8.0
  columns = min(legend._ncols, len(texts)) or 1  # type: ignore[attr-defined]
  handle = size * (2.0 + 0.8 + 2.0)  # the line, a gap, and between columns
  widest = max((_size(text)[0] for text in texts), default=0.0)
  rows = math.ceil(len(texts) / columns)
  height = rows * (max((_size(t)[1] for t in texts), default=0.0) + 0.5 * size)
  width = columns * (handle + widest)
  title = legend.get_title()
  if title.get_text():
    width = max(width, _size(title)[0] + size)
    height += _size(title)[1]
  return width + 0.8 * size, height + 0.8 * size


def _size(text: Text) -> tuple[float, float]:
  size = float(text.get_fontsize())
  return _width(text.get_text(), size), _height(text.get_text(), size)


def _width(text: str, size: float) -> float:
  lines = text.split('\n')
  return size * max(sum(map(_advance, line)) for line in lines)


def _height(text: str, size: float) -> float:
  return size * _LINE * len(text.split('\n'))


@functools.cache
def _advance(letter: str) -> float:
  """Width of a letter of the figures' font, in font sizes."""
  family = drawing.STYLE['font.sans-serif'][0]
  font = font_manager.get_font(font_manager.findfont(family))
  font.set_size(100, 72)
  return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 100
