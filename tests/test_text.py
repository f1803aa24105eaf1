"""Columns of text."""

from absl.testing import absltest

from scaling_jax import text


class AlignedTest(absltest.TestCase):
  def test_columns_stand_below_one_another(self):
    rows = [('run', 'N'), ('a', '12'), ('long', '3')]
    self.assertEqual(
      text.aligned(rows, [True, False]), ['run    N', 'a     12', 'long   3']
    )
    self.assertEqual(
      text.table(rows[0], rows[1:]), 'run    N\na     12\nlong   3'
    )

  def test_markdown(self):
    found = text.aligned(
      [('a', 'b'), ('xy', '1')], [True, False], ' | ', '| ', ' |', rule=True
    )
    self.assertEqual(found, ['| a  | b |', '| -- | : |', '| xy | 1 |'])

  def test_nothing(self):
    self.assertEqual(text.aligned([], []), [])


if __name__ == '__main__':
  absltest.main()
