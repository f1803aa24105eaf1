"""Round ticks, limits, and messages in figures."""

from absl.testing import absltest
from absl.testing import parameterized
from matplotlib import colors
from matplotlib.figure import Figure
import numpy as np

from scaling_jax import drawing


class AxesTest(parameterized.TestCase):
  @parameterized.parameters(
    (1e5, 1e7), (2e5, 4e6), (9e5, 1.3e6), (3e14, 9e14), (1e6, 1e12), (1e2, 1e30)
  )
  def test_log_ticks(self, low, high):
    ticks = drawing.log_ticks(low, high)
    self.assertBetween(len(ticks), 3, 8)
    self.assertBetween(min(ticks), low, high)
    self.assertBetween(max(ticks), low, high)

  def test_log_axis(self):
    ax = Figure().subplots()
    drawing.log_axis(ax, 'y', (1e3, 1e6), drawing.flops)
    self.assertEqual(ax.get_yscale(), 'log')
    self.assertEqual(ax.get_ylim(), (1e3, 1e6))
    texts = [text.get_text() for text in ax.get_yticklabels()]
    self.assertEqual(texts, ['10³', '10⁴', '10⁵', '10⁶'])

  def test_intervals_widen_limits_but_do_not_rule(self):
    low, high = drawing.log_range([10, 1000], [2.0, 1e30, np.inf, np.nan])
    self.assertBetween(low, 1, 2)
    self.assertBetween(high, 1e4, 2e4)

  def test_limits_of_one_point(self):
    for limits in (drawing.log_range([3.0]), drawing.linear_range([3.0])):
      self.assertLess(limits[0], 3)
      self.assertGreater(limits[1], 3)

  def test_limits_of_losses(self):
    low, high = drawing.narrow_range([2.0, 2.2])
    self.assertAlmostEqual(np.log(high / low) / np.log(1.1), 5 / 3)


class MarkTest(parameterized.TestCase):
  @parameterized.parameters('x', 'y')
  def test_whisker_along_an_axis(self, along):
    ax = Figure().subplots()
    drawing.estimate_mark(
      ax, 7.0, (2.0, 1.0, 3.0), along=along, color='red', marker='o', gid='it'
    )
    whisker, mark = ax.lines
    self.assertEqual((whisker.get_gid(), mark.get_gid()), ('it-interval', 'it'))
    across, at = 'xy'.index(along), 'yx'.index(along)
    np.testing.assert_array_equal(mark.get_xydata()[0][[across, at]], [2, 7])
    np.testing.assert_array_equal(
      whisker.get_xydata()[:, [across, at]], [[1, 7], [3, 7]]
    )

  @parameterized.parameters((np.nan, np.nan), (1.0, np.inf), (-np.inf, 3.0))
  def test_without_an_interval_it_is_open(self, low, high):
    ax = Figure().subplots()
    drawing.estimate_mark(
      ax, 7.0, (2.0, low, high), along='x', color='red', marker='o', gid='it'
    )
    (mark,) = ax.lines
    self.assertTrue(colors.same_color(mark.get_markerfacecolor(), 'white'))

  def test_what_is_not_known_is_not_drawn(self):
    ax = Figure().subplots()
    drawing.estimate_mark(
      ax, 7.0, (np.nan, 1.0, 2.0), along='x', color='red', marker='o', gid='it'
    )
    self.assertEmpty(ax.lines)


class NoteTest(absltest.TestCase):
  def test_makes_room_above_the_data(self):
    for scale in ('linear', 'log'):
      ax = Figure().subplots()
      ax.set(ylim=(1, 2), yscale=scale)
      drawing.note(ax, ['One line.', 'One line.', '', 'Another.'])
      (text,) = ax.texts
      self.assertEqual(text.get_text(), 'One line.\nAnother.')
      box = ax.transData.inverted().transform(text.get_window_extent())
      self.assertGreater(box[0, 1], 2)

  def test_nothing_to_write(self):
    ax = Figure().subplots()
    limits = ax.get_ylim()
    drawing.note(ax, ['', ''])
    self.assertEqual(ax.get_ylim(), limits)
    self.assertEmpty(ax.texts)


class KeyTest(parameterized.TestCase):
  @parameterized.parameters((4, True), (24, False))
  def test_many_budgets_are_a_colour_bar(self, n, legend):
    ax = Figure().subplots()
    Cs = np.geomspace(1e15, 1e20, n)
    for C in Cs:
      ax.plot([1], [1], label=drawing.flops(C))
    drawing.key_of_budgets(ax, Cs)
    self.assertEqual(ax.get_legend() is not None, legend)
    bars = [child for child in ax.child_axes if child.get_gid() == drawing.BAR]
    self.assertEqual(len(bars), not legend)

  def test_colours_follow_N(self):
    mappable = drawing.colours_of_N([1e6])
    self.assertLess(*mappable.get_clim())
    mappable = drawing.colours_of_N([1e6, 1e9])
    self.assertEqual(mappable.get_clim(), (1e6, 1e9))


if __name__ == '__main__':
  absltest.main()
