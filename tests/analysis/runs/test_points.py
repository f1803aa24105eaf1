"""Tables of points for Kaplan's laws, and what is none of them."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.points import HoldsPoints
from scaling_jax.analysis.runs.points import read_points
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.errors import UserError
from tests import shared_data
from tests.analysis.runs.table_case import TableCase


class NameTest(parameterized.TestCase):
  @parameterized.parameters(
    'B_crit', 'b_crit', 'Bcrit', 'critical_batch', 'Critical Batch Size',
    'critical_batch_tokens', 'criticalBatchSizeTokens', 'B_crit (tokens)',
    'critical_batch_size_in_tokens', 'CBS',
  )  # fmt: skip
  def test_critical_batch(self, name):
    found = roles.meaning(name)
    self.assertEqual(found.role, 'B_crit')
    self.assertIn(found.unit, ('', 'tokens'))

  @parameterized.parameters(
    ('B_crit (M tokens)', 'M tokens'), ('critical batch, M', 'm')
  )
  def test_unit(self, name, unit):
    self.assertEqual(roles.meaning(name).unit, unit)

  @parameterized.parameters(
    ('batch_size', 'batch_size'), ('batch_tokens', 'tokens_per_step')
  )
  def test_a_batch_is_none(self, name, role):
    self.assertEqual(roles.meaning(name).role, role)

  @parameterized.parameters('log_B_crit', 'critical_batch_sequences')
  def test_not_in_tokens(self, name):
    found = roles.meaning(name)
    self.assertFalse(found and found.role == 'B_crit')


class ReadTest(TableCase):
  @parameterized.parameters(
    ('N,loss\n1e6,5\n1e7,4\n', 'N', [1e6, 1e7], [5, 4]),
    ('params (M),val_ppl\n1,20\n10,10\n', 'N', [1e6, 1e7], np.log([20, 10])),
    ('tokens,val loss,seed\n1e8,5,0\n1e9,4,1\n', 'D', [1e8, 1e9], [5, 4]),
    ('C (PF-days);L\n1e-3;5,1\n1e-2;4,2\n', 'C', [8.64e16, 8.64e17], [5.1, 4.2]),
    ('L,B_crit\n5,1e5\n4,2e5\n', 'B_crit', [5, 4], [1e5, 2e5]),
    ('critical batch (K),N,L\n100,1e6,5\n200,1e6,4\n', 'B_crit', [5, 4],
     [1e5, 2e5]),
    ('[{"N": 1e6, "loss": 5}, {"N": 1e7, "loss": 4}]', 'N', [1e6, 1e7], [5, 4]),
  )  # fmt: skip
  def test_each_law(self, text, of, x, y):
    found = read_points(self.write(text))
    self.assertEqual(found.of, of)
    np.testing.assert_allclose(found.x, x)
    np.testing.assert_allclose(found.y, y)
    self.assertEqual(found.unit, 'nats/token')
    self.assertLen(found, 2)
    on_loss = of == 'B_crit'
    np.testing.assert_array_equal(found.loss, x if on_loss else found.y)
    np.testing.assert_array_equal(found.size, y if on_loss else found.x)

  def test_columns_units_and_where(self):
    path = self.write(
      'text,size,score,L\na,1,5,9\na,10,4,9\nb,1,6,9\nb,10,5.5,9\n'
    )
    found = read_points(
      path,
      columns={'N': 'size', 'loss': 'score'},
      units={'N': 'M', 'loss': 'bits/byte'},
      where={'text': 'b'},
    )
    self.assertEqual(found.of, 'N')
    self.assertEqual(found.unit, 'bits/byte')
    np.testing.assert_array_equal(found.x, [1e6, 1e7])
    np.testing.assert_array_equal(found.y, [6, 5.5])
    self.assertIn('N (millions)', found.source.replace(' = size', ''))

  def test_rows_that_are_excluded_and_included(self):
    path = self.write(
      'N,loss,status\n1e6,5,done\n1e7,4,crashed\n1e8,,done\n1e6,5,done\n'
    )
    found = read_points(path)
    np.testing.assert_array_equal(found.x, [1e6])
    self.assertEqual(
      [one.kind for one in found.excluded],
      [Exclusion.CRASHED, Exclusion.BAD_VALUE, Exclusion.DUPLICATE],
    )
    self.assertIn('line 2', found.excluded[-1].reason)
    found = read_points(path, include=['crashed', 'duplicate'])
    np.testing.assert_array_equal(found.x, [1e6, 1e7, 1e6])

  @parameterized.parameters(
    # Something tells the other of N and D, or might.
    'N,D,loss\n1e6,1e8,5\n1e7,1e9,4\n',
    'N,steps,loss\n1e6,100,5\n1e7,900,4\n',
    'N,tokens_per_param,loss\n1e6,20,5\n1e7,30,4\n',
    'D,tokens_per_param,loss\n1e8,20,5\n1e9,30,4\n',
    'N,epochs,loss\n1e6,1,5\n1e7,2,4\n',
    'N,amount,loss\n1e6,1e8,5\n1e7,1e9,4\n',
    'D,depth,loss\n1e8,4,5\n1e9,8,4\n',
    'D,model,loss\n1e8,small,5\n1e9,large,4\n',
    # There is no loss, nothing beside it, or one row.
    'N,B_crit\n1e6,1e5\n1e7,1e5\n',
    'loss\n5\n4\n',
    'N,loss\n1e6,5\n',
  )
  def test_what_is_none(self, text):
    path = self.write(text)
    with self.assertRaises(UserError) as caught:
      read_points(path)
    self.assertNotIsInstance(caught.exception, HoldsPoints)
    try:
      read_runs(path)
    except UserError as error:
      self.assertNotIsInstance(error, HoldsPoints)

  def test_what_is_the_same_in_all_rows_tells_nothing(self):
    path = self.write('N,steps,amount,loss\n1e6,9,7,5\n1e7,9,7,4\n')
    self.assertEqual(read_points(path).of, 'N')

  def test_columns_that_were_named_are_meant(self):
    path = self.write('N,amount,loss\n1e6,3,5\n1e7,4,4\n')
    columns = {'N': 'N', 'loss': 'loss'}
    found = read_points(path, columns=columns)
    self.assertEqual(found.of, 'N')
    self.assertIn('Not read: amount', found.source)
    with self.assertRaisesRegex(UserError, 'points of'):
      read_points(path)

  @parameterized.parameters(
    ('N,loss\n1,5\n10,4\n', 'N:M'), ('C,loss\n.1,5\n10,4\n', 'C:PF-days')
  )
  def test_sizes_of_no_model(self, text, unit):
    path = self.write(text)
    with self.assertRaisesRegex(UserError, unit):
      read_points(path)
    name, factor = unit.split(':')
    self.assertLen(read_points(path, units={name: factor}), 2)
    self.assertLen(read_points(path, include=['inconsistent']), 2)

  def test_losses_of_no_vocabulary(self):
    with self.assertRaisesRegex(UserError, 'perplexity'):
      read_points(self.write('N,loss\n1e6,50\n1e7,40\n'))
    found = read_points(self.write('N,loss\n1e5,50\n1e6,4\n1e7,3\n'))
    self.assertEqual(found.y.tolist(), [4, 3])
    self.assertIn('line 2', found.excluded[0].reason)

  def test_no_row_is_asked_for(self):
    path = self.write('N,loss,text\n1e6,5,a\n1e7,4,b\n')
    with self.assertRaisesRegex(UserError, 'text=c: .*a, b'):
      read_points(path, where={'text': 'c'})

  def test_nothing_is_left(self):
    with self.assertRaisesRegex(UserError, 'no run that can be used'):
      read_points(self.write('N,loss\n1e6,\n1e7,\n'))

  def test_points_among_runs(self):
    points = self.write('N,loss\n1e6,5\n1e7,4\n', 'L_N.csv')
    runs = self.write('N,D,loss\n1e6,1e8,5\n1e7,1e9,4\n', 'runs.csv')
    for paths in ((points,), (points, runs), (runs, points)):
      with self.assertRaisesRegex(HoldsPoints, r'L_N\.csv .*by itself'):
        read_runs(*paths)

  def test_runs_with_a_critical_batch_are_runs(self):
    path = self.write('N,D,loss,B_crit\n1e6,1e8,5,1e5\n1e7,1e9,4,2e5\n')
    runs = read_runs(path)
    self.assertLen(runs, 2)
    self.assertIn('B_crit', runs.sources[0])

  def test_published(self):
    if not shared_data.PUBLISHED.exists():
      self.skipTest('the published data are not here')
    found = read_points(shared_data.PUBLISHED / 'nanogpt_kaplan_L_N.csv')
    self.assertEqual((found.of, len(found)), ('N', 7))
    found = read_points(shared_data.PUBLISHED / 'nanogpt_critical_batch.csv')
    self.assertEqual((found.of, len(found)), ('B_crit', 35))
    self.assertEqual(found.x[0], 9.0)
    self.assertEqual(found.y[0], 2108)


if __name__ == '__main__':
  absltest.main()
