"""What is refused or excluded of runs that were read."""

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError


class HighestTest(absltest.TestCase):
  def test_the_highest_losses_are_excluded(self):
    L = np.array([2.0, 5.0, 3.0, 4.0, 4.5])
    runs = Runs.from_columns(N=1e6 * np.arange(1, 6), D=np.full(5, 1e9), loss=L)
    fewer = checks.without_highest(runs, 2)
    self.assertEqual(fewer.loss.tolist(), [2.0, 3.0, 4.0])
    self.assertEqual({out.run_id for out in fewer.excluded}, {'run 1', 'run 4'})
    for out in fewer.excluded:
      self.assertEqual(out.kind, Exclusion.HIGHEST_LOSS)
    self.assertEqual(checks.without_highest(runs, 0), runs)
    for count in (-1, 5):
      with self.assertRaisesRegex(UserError, f'drop_highest={count}'):
        checks.without_highest(runs, count)

  def test_of_equal_losses_the_last(self):
    runs = Runs.from_columns(N=[1e6, 2e6, 3e6], D=[1e9] * 3, loss=[3, 3, 3])
    self.assertEqual(checks.without_highest(runs, 1).N.tolist(), [1e6, 2e6])


if __name__ == '__main__':
  absltest.main()
