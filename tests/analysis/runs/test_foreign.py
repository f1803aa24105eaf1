"""Every kind of table, and what is wrong with a file, a line or a cell."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase

NANOCHAT = 'flops_budget,depth,num_scaling_params,tokens_trained,val_bpb'
BY_GROUP = (
  'flops_budget,depth,params_transformer,params_lm_head,tokens_trained,val_bpb'
)


class ForeignCase(TableCase):
  def read(self, text, name='table.csv'):
    return read_runs(self.write(text, name))


class NanochatTest(ForeignCase):
  def test_first_generation(self):
    runs = self.read(
      f'{NANOCHAT},num_params,num_iterations\n'
      '1e18,8,40e6,3e9,0.9,90000000,6063\n'
    )
    (run,) = runs
    self.assertEqual((runs.format, runs.unit), ('nanochat', 'bits/byte'))
    self.assertEqual(
      (run.C, run.N, run.D, run.val_bpb, run.n_layer, run.S),
      (1e18, 40e6, 3e9, 0.9, 8, 6063),
    )
    self.assertEqual(runs.loss.tolist(), [0.9])
    self.assertEqual((run.model, run.seed, runs.folders), ('d8', 0, ('',)))
    self.assertTrue(math.isnan(run.val_loss_sem))
    self.assertTrue(math.isnan(run.val_loss))
    self.assertEqual(run.tokens_per_step, 3e9 / 6063)
    self.assertEqual(
      list(runs.counts[0].items()),
      [
        ('nanochat: num_scaling_params', (40e6, 1e18)),
        ('the same, 6ND', (40e6, 7.2e17)),
        ('all parameters, 6ND', (90e6, 1.62e18)),
      ],
    )

  def test_second_generation(self):
    runs = self.read(
      f'{BY_GROUP},params_wte,params_total\n'
      '1e18,10,30e6,10e6,3e9,0.9,10e6,50e6\n'
    )
    (run,) = runs
    self.assertEqual(runs.format, 'nanochat (transformer + head)')
    self.assertEqual(runs.unit, 'bits/byte')
    self.assertEqual(
      (run.C, run.N, run.D, run.val_bpb, run.n_layer, run.S),
      (1e18, 40e6, 3e9, 0.9, 10, 0),
    )
    self.assertEqual(
      list(runs.counts[0].items()),
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
      runs = self.read(f'{header}\n{line}\n', f'{counts}.csv')
      self.assertLen(runs.counts[0], counts)

  def test_an_experiment_of_theirs_is_a_folder_with_results(self):
    path = self.write(f'{NANOCHAT}\n1e18,8,40e6,3e9,0.9\n', 'jan/results.csv')
    self.assertLen(read_runs(path.parent), 1)


class PlainTest(ForeignCase):
  def test_all_columns(self):
    runs = self.read(
      'seed,loss,D,N,C,sem,model,run_id,depth,extra\n'
      '3,2.5,1e9,1e7,6e16,0.01,small,first,4,x\n'
    )
    (run,) = runs
    self.assertEqual((runs.format, runs.unit), ('CSV', 'nats/token'))
    self.assertEqual(
      (run.run_id, run.C, run.N, run.D, run.val_loss, run.val_loss_sem),
      ('first', 6e16, 1e7, 1e9, 2.5, 0.01),
    )
    self.assertEqual((run.seed, run.model, run.n_layer), (3, 'small', 4))
    self.assertEqual((run.status, run.tokens_per_param), ('done', 100))
    self.assertTrue(math.isnan(run.val_bpb))
    self.assertEqual(runs.counts, ({'as given': (1e7, 6e16)},))
    self.assertEmpty(runs.notes)

  def test_few_columns(self):
    (run,) = self.read('C,N,D,loss\n6e16,1e7,1e9,2.5\n')
    self.assertEqual(run.run_id, 'table:2')
    self.assertEqual((run.seed, run.model, run.n_layer), (0, '', 0))
    self.assertTrue(math.isnan(run.val_loss_sem))

  def test_c_that_is_not_6nd_can_be_counted_so(self):
    text = 'C,N,D,loss\n6e16,1e7,1e9,2.5\n{},1e7,2e9,2.4\n'
    apart = self.read(text.format('1.25e17')).counts
    self.assertEqual(apart[0]['6ND'], (1e7, 6e16))
    self.assertEqual(apart[1]['6ND'], (1e7, 1.2e17))
    self.assertEqual(apart[1]['as given'], (1e7, 1.25e17))
    for counts in self.read(text.format('1.205e17'), 'near.csv').counts:
      self.assertEqual(list(counts), ['as given'])

  @parameterized.parameters('loss', 'val_loss')
  def test_without_c(self, loss):
    runs = self.read(f'N,D,{loss}\n1e7,1e9,2.5\n')
    self.assertEqual((runs.C.tolist(), runs.loss.tolist()), ([6e16], [2.5]))
    self.assertIn('C = 6ND', runs.sources[0])

  def test_model_size(self):
    runs = self.read('x,Model Size,Training FLOP,loss\n1,1e7,6e16,2.5\n')
    (run,) = runs
    self.assertEqual(runs.unit, 'nats/token')
    self.assertEqual((run.C, run.N, run.D), (6e16, 1e7, 1e9))
    self.assertEqual(runs.counts, ({'as given': (1e7, 6e16)},))
    self.assertIn('D = C/6N', runs.sources[0])

  @parameterized.parameters(
    '\ufeffC,N,D,loss\n6e16,1e7,1e9,2.5\n',
    '"C","N","D","loss"\r\n"6e16","1e7","1e9","2.5"\r\n',
    '\n  \n C , N,D,loss\n\n6e16, 1e7, 1e9 ,2.5,\n,,,\n',
    '"loss",note,D,"N",C\n2.5,"a, b\nc",1e9,1e7,6e16',
  )
  def test_spellings(self, text):
    runs = self.read(text)
    (run,) = runs
    self.assertEqual((run.C, run.N, run.D, run.val_loss), (6e16, 1e7, 1e9, 2.5))
    self.assertEmpty(runs.excluded)

  @parameterized.parameters(
    ('6e16,1e7,1e9,', 'loss'),
    ('6e16,1e7,1e9,nan', 'loss=nan'),
    ('6e16,1e7,1e9,inf', 'loss=inf'),
    ('6e16,1e7,1e9,-2', 'loss=-2'),
    ('6e16,0,1e9,2.5', 'N=0'),
    ('6e16,1e7,-1,2.5', 'D=-1'),
    ('nan,1e7,1e9,2.5', 'C=nan'),
    ('6e16,1e7,lots,2.5', "D='lots'"),
    ('6e16,1e7', '2 cells'),
    ('6e16,1e7,1,000,2.5', '5 cells'),
  )
  def test_bad_lines(self, line, what):
    runs = self.read(f'C,N,D,loss\n{line}\n6e16,1e7,1e9,2.5\n')
    self.assertLen(runs, 1)
    (out,) = runs.excluded
    self.assertEqual((out.run_id, out.kind), ('table:2', Exclusion.BAD_VALUE))
    self.assertIn('line 2 of table.csv', out.reason)
    self.assertIn(what, out.reason)

  def test_duplicates(self):
    text = 'N,D,loss,seed\n' + ''.join(
      f'1e6,1e8,{end}\n' for end in ('2.5,0', '2.5,0', '2.6,0', '2.5,1')
    )
    runs = self.read(text)
    self.assertEqual(
      [(run.val_loss, run.seed) for run in runs], [(2.5, 0), (2.6, 0), (2.5, 1)]
    )
    (out,) = runs.excluded
    self.assertEqual((out.run_id, out.kind), ('table:3', Exclusion.DUPLICATE))
    self.assertIn('line 2', out.reason)

  def test_names_are_unlike_each_other(self):
    text = 'run_id,N,D,loss\na,1e6,1e8,{}\na,2e6,1e8,3\n'
    first = self.write(text.format(1), 'one.csv')
    second = self.write(text.format(2), 'two.csv')
    runs = read_runs(first, second)
    self.assertEqual(runs.run_ids, ('a', 'a (2)', 'a (3)'))
    self.assertEqual(runs.excluded[0].run_id, 'a')

  def test_optional_cells_may_be_senseless(self):
    text = 'N,D,loss,seed,sem,depth\n1e7,1e9,2.5,x,,inf\n'
    (run,) = self.read(text)
    self.assertEqual((run.seed, run.n_layer), (0, 0))
    self.assertTrue(math.isnan(run.val_loss_sem))


class RefusedTest(ForeignCase):
  def refused(self, data, *parts):
    with self.assertRaises(UserError) as caught:
      self.read(data)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in ('table.csv', *parts):
      self.assertIn(part, message)

  @parameterized.parameters('', '\n\n', '\ufeff', 'C,N,D,loss\n')
  def test_nothing_in_it(self, text):
    self.refused(text)

  @parameterized.parameters(b'\x00\x01\x02', b'\xff\xfe\xfa')
  def test_not_text(self, data):
    self.refused(data, 'UTF-8')

  def test_a_cell_without_end(self):
    self.refused('N,D,loss\n1,2,"' + 'x' * 200_000, 'field')

  def test_unknown_columns(self):
    self.refused(
      'apples;pears,plums;loss\n1;2;3\n', 'apples, pears,plums, loss',
      'parameters (N) and tokens (D)', '--columns=N=COLUMN,D=COLUMN',
    )  # fmt: skip

  def test_a_column_twice(self):
    self.refused('N,D,N,loss\n1,2,3,4\n', "'N'")


if __name__ == '__main__':
  absltest.main()
