"""Every kind of table, and what is wrong with a file, a line or a cell."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import points
from scaling_jax.errors import UserError
from tests.table_case import TableCase

NANOCHAT = 'flops_budget,depth,num_scaling_params,tokens_trained,val_bpb'
BY_GROUP = (
  'flops_budget,depth,params_transformer,params_lm_head,tokens_trained,val_bpb'
)


class TablesCase(TableCase):
  def read(self, text, name='table.csv'):
    return points.read([self.write(text, name)])


class NanochatTest(TablesCase):
  def test_first_generation(self):
    source = self.read(f'{NANOCHAT},num_params,num_iterations\n'
                       '1e18,8,40e6,3e9,0.9,90000000,6063\n')  # fmt: skip
    (point,) = source.points
    self.assertEqual((source.format, source.unit), ('nanochat', 'bits/byte'))
    self.assertEqual(
      (point.C, point.N, point.D, point.loss, point.bpb, point.depth, point.S),
      (1e18, 40e6, 3e9, 0.9, 0.9, 8, 6063),
    )
    self.assertEqual((point.model, point.seed, point.folder), ('d8', 0, ''))
    self.assertTrue(math.isnan(point.sem))
    self.assertEqual(
      list(point.counts.items()),
      [
        ('nanochat: num_scaling_params', (40e6, 1e18)),
        ('the same, 6ND', (40e6, 7.2e17)),
        ('all parameters, 6ND', (90e6, 1.62e18)),
      ],
    )

  def test_second_generation(self):
    source = self.read(f'{BY_GROUP},params_wte,params_total\n'
                       '1e18,10,30e6,10e6,3e9,0.9,10e6,50e6\n')  # fmt: skip
    (point,) = source.points
    self.assertEqual(source.format, 'nanochat (transformer + head)')
    self.assertEqual(source.unit, 'bits/byte')
    self.assertEqual(
      (point.C, point.N, point.D, point.loss, point.bpb, point.depth, point.S),
      (1e18, 40e6, 3e9, 0.9, 0.9, 10, 0),
    )
    self.assertEqual(
      list(point.counts.items()),
      [
        ('nanochat: transformer + head', (40e6, 1e18)),
        ('transformer alone, 6ND', (30e6, 5.4e17)),
        ('transformer + head, 6ND', (40e6, 7.2e17)),
        ('all parameters, 6ND', (50e6, 9e17)),
      ],
    )

  def test_columns_that_are_optional(self):
    for header, line, counts in (
      (NANOCHAT, '1e18,8,40e6,3e9,0.9', 2),
      (BY_GROUP, '1e18,8,30e6,10e6,3e9,0.9', 3),
    ):
      (point,) = self.read(f'{header}\n{line}\n').points
      self.assertLen(point.counts, counts)

  def test_an_experiment_of_theirs_is_a_folder_with_results(self):
    path = self.write(f'{NANOCHAT}\n1e18,8,40e6,3e9,0.9\n', 'jan/results.csv')
    self.assertLen(points.read([path.parent]).points, 1)


class PlainTest(TablesCase):
  def test_all_columns(self):
    source = self.read(
      'seed,loss,D,N,C,sem,model,run_id,depth,extra\n'
      '3,2.5,1e9,1e7,6e16,0.01,small,first,4,x\n'
    )
    (point,) = source.points
    self.assertEqual((source.format, source.unit), ('C,N,D,loss', 'nats/token'))
    self.assertEqual(
      point[:9], ('first', 6e16, 1e7, 1e9, 2.5, 0.01, 3, 'small', 4)
    )
    self.assertTrue(math.isnan(point.bpb))
    self.assertEqual(point.counts, {'as given': (1e7, 6e16)})
    self.assertEmpty(source.notes)

  def test_few_columns(self):
    (point,) = self.read('C,N,D,loss\n6e16,1e7,1e9,2.5\n').points
    self.assertEqual(point.run_id, 'table:2')
    self.assertEqual((point.seed, point.model, point.depth), (0, '', 0))
    self.assertTrue(math.isnan(point.sem))

  def test_c_that_is_not_6nd_can_be_counted_so(self):
    text = 'C,N,D,loss\n6e16,1e7,1e9,2.5\n{},1e7,2e9,2.4\n'
    apart = self.read(text.format('1.25e17')).points
    self.assertEqual(apart[0].counts['6ND'], (1e7, 6e16))
    self.assertEqual(apart[1].counts['6ND'], (1e7, 1.2e17))
    self.assertEqual(apart[1].counts['as given'], (1e7, 1.25e17))
    for point in self.read(text.format('1.205e17')).points:
      self.assertEqual(list(point.counts), ['as given'])

  @parameterized.parameters('loss', 'val_loss')
  def test_without_c(self, loss):
    source = self.read(f'N,D,{loss}\n1e7,1e9,2.5\n')
    self.assertEqual(source.points[0].C, 6e16)
    self.assertEqual(source.points[0].loss, 2.5)
    self.assertEqual(source.notes, ('table.csv has no column C: C = 6ND.',))

  def test_model_size(self):
    source = self.read('x,Model Size,Training FLOP,loss\n1,1e7,6e16,2.5\n')
    (point,) = source.points
    self.assertEqual(source.format, 'Model Size,Training FLOP,loss')
    self.assertEqual(source.unit, 'nats/token')
    self.assertEqual((point.C, point.N, point.D), (6e16, 1e7, 1e9))
    self.assertEqual(point.counts, {'as given': (1e7, 6e16)})
    self.assertIn('D = C/6N', source.notes[0])

  @parameterized.parameters(
    '\ufeffC,N,D,loss\n6e16,1e7,1e9,2.5\n',
    '"C","N","D","loss"\r\n"6e16","1e7","1e9","2.5"\r\n',
    '\n  \n C , N,D,loss\n\n6e16, 1e7, 1e9 ,2.5,\n,,,\n',
    '"loss",note,D,"N",C\n2.5,"a, b\nc",1e9,1e7,6e16',
  )
  def test_spellings(self, text):
    source = self.read(text)
    self.assertEqual(source.points[0][1:5], (6e16, 1e7, 1e9, 2.5))
    self.assertEmpty(source.left_out)

  @parameterized.parameters(
    ('6e16,1e7,1e9,', 'loss is empty'),
    ('6e16,1e7,1e9,nan', 'loss=nan must be a positive number'),
    ('6e16,1e7,1e9,inf', 'loss=inf must be a positive number'),
    ('6e16,1e7,1e9,-2', 'loss=-2 must be a positive number'),
    ('6e16,0,1e9,2.5', 'N=0 must be a positive number'),
    ('6e16,1e7,-1,2.5', 'D=-1 must be a positive number'),
    ('nan,1e7,1e9,2.5', 'C=nan must be a positive number'),
    ('6e16,1e7,lots,2.5', "D='lots' must be a number"),
    ('6e16,1e7', 'it has 2 cells instead of 4'),
    ('6e16,1e7,1,000,2.5', 'it has 5 cells instead of 4'),
  )
  def test_bad_lines(self, line, reason):
    source = self.read(f'C,N,D,loss\n{line}\n6e16,1e7,1e9,2.5\n')
    self.assertLen(source.points, 1)
    expected = ('table:2', f'line 2 of table.csv: {reason}')
    self.assertEqual(source.left_out, (expected,))

  def test_duplicates(self):
    text = 'C,N,D,loss,seed\n6,1,1,2.5,0\n6,1,1,2.5,0\n6,1,1,2.6,0\n6,1,1,2.5,1'
    source = self.read(text)
    self.assertEqual(
      [(p.loss, p.seed) for p in source.points], [(2.5, 0), (2.6, 0), (2.5, 1)]
    )
    self.assertEqual(source.left_out[0].run_id, 'table:3')
    self.assertIn('duplicate of line 2', source.left_out[0].reason)

  def test_names_are_unlike_each_other(self):
    text = 'run_id,N,D,loss\na,1,1,{}\na,2,1,3\n'
    first = self.write(text.format(1), 'one.csv')
    second = self.write(text.format(2), 'two.csv')
    source = points.read([first, second])
    names = [p.run_id for p in source.points]
    self.assertEqual(names, ['a', 'a (2)', 'a (3)'])
    self.assertEqual(source.left_out[0].run_id, 'a')

  def test_optional_cells_may_be_senseless(self):
    text = 'N,D,loss,seed,sem,depth\n1e7,1e9,2.5,x,,inf\n'
    (point,) = self.read(text).points
    self.assertEqual((point.seed, point.depth), (0, 0))
    self.assertTrue(math.isnan(point.sem))


class RefusedTest(TablesCase):
  def refused(self, data, *parts):
    with self.assertRaises(UserError) as caught:
      self.read(data)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in parts:
      self.assertIn(part, message)

  @parameterized.parameters('', '\n\n', '\ufeff')
  def test_empty_file(self, text):
    self.refused(text, 'is empty')

  def test_only_a_header(self):
    self.refused('C,N,D,loss\n', 'nothing was found')

  @parameterized.parameters(b'\x00\x01\x02', b'\xff\xfe\xfa', b'N,\xe9\n1,2')
  def test_not_text(self, data):
    self.refused(data, 'table.csv', 'not a table', 'UTF-8')

  def test_a_cell_without_end(self):
    text = 'N,D,loss\n1,2,"' + 'x' * 200_000
    self.refused(text, 'not a table', 'field')

  def test_unknown_columns(self):
    self.refused(
      'apples;pears,plums\n1,2\n', 'table.csv', 'apples;pears, plums',
      "'scaling_jax' needs all 25", 'num_scaling_params', 'params_lm_head',
      'N, D, loss', 'Training FLOP',
    )  # fmt: skip

  def test_a_column_twice(self):
    self.refused('N,D,N,loss\n1,2,3,4\n', "2 columns named 'N'")


if __name__ == '__main__':
  absltest.main()
