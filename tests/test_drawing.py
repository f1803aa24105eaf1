"""Numbers as text, round ticks, and the sentences in figures."""

from absl.testing import absltest
from absl.testing import parameterized
from matplotlib.figure import Figure

from scaling_jax.analysis import drawing


class DrawingTest(parameterized.TestCase):
  @parameterized.parameters(
    (20, '20'), (221_664, '222K'), (999_600, '1M'), (1.97e6, '1.97M'),
    (70e9, '70B'), (1.4e12, '1.4T'),
  )  # fmt: skip
  def test_counts(self, number, text):
    self.assertEqual(drawing.count(number), text)

  @parameterized.parameters(
    (1e18, '$10^{18}$'), (6e13, r'$6\!\times\!10^{13}$')
  )
  def test_powers(self, number, text):
    self.assertEqual(drawing.power(number), text)

  @parameterized.parameters(
    (1e5, 1e7), (2e5, 4e6), (9e5, 1.3e6), (3e14, 9e14), (1e6, 1e12), (1e2, 1e30)
  )
  def test_log_ticks(self, low, high):
    ticks = drawing.log_ticks(low, high)
    self.assertBetween(len(ticks), 3, 8)
    self.assertBetween(min(ticks), low, high)
    self.assertBetween(max(ticks), low, high)


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

  def test_of_many_the_first_two(self):
    ax = Figure().subplots()
    drawing.note(ax, [f'Number {i}.' for i in range(9)])
    self.assertEndsWith(ax.texts[0].get_text(), 'And 7 more like these.')

  def test_nothing_to_say(self):
    ax = Figure().subplots()
    limits = ax.get_ylim()
    drawing.note(ax, ['', ''])
    self.assertEqual(ax.get_ylim(), limits)
    self.assertEmpty(ax.texts)


if __name__ == '__main__':
  absltest.main()
