"""A test case for what is drawn on axes, by the gids of the artists."""

import itertools

from absl.testing import parameterized
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np


def axes() -> Axes:
  return Figure((6, 4), 150).subplots()


def drawn(ax: Axes, gid: str) -> list:
  """The artists of this gid."""
  return [a for a in ax.findobj() if a.get_gid() == gid]


def data(ax: Axes, gid: str) -> np.ndarray:
  """[2, K] of the one line of this gid."""
  (line,) = drawn(ax, gid)
  return np.array(line.get_data(), float)


def gids(ax: Axes, prefix: str) -> list[str]:
  """All gids that begin so, in the order in which they were drawn."""
  every = [a.get_gid() for a in ax.findobj()]
  return [gid for gid in every if gid and gid.startswith(prefix)]


def texts(ax: Axes) -> str:
  """All text that is seen."""
  return ' '.join(
    t.get_text() for t in ax.findobj(match=lambda a: hasattr(a, 'get_text'))
  )


class AxesCase(parameterized.TestCase):
  """Axes of its own for each test."""

  def setUp(self):
    super().setUp()
    self.ax = axes()

  def assert_interval(self, gid: str, interval, along: str) -> None:
    """The marker sits on the value, the whisker ends at low and high."""
    k = 'xy'.index(along)
    self.assertEqual(data(self.ax, gid)[k], interval.value)
    ends = data(self.ax, f'{gid}-interval')[k]
    np.testing.assert_array_equal(ends, [interval.low, interval.high])

  def assert_apart(self, boxes) -> None:
    """No two bounding boxes overlap."""
    for one, other in itertools.combinations(boxes, 2):
      self.assertFalse(one.overlaps(other), (one, other))
