"""Tables whose cells hold records."""

import csv
import io
import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pandas as pd

from scaling_jax.analysis.runs import nested
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from tests.analysis.runs.table_case import TableCase

N, D, LOSS = [1e7, 2e7, 4e7], [1e9, 2e9, 3e9], [3.5, 3.25, 3.125]
ROWS = [
  {
    'summary': {'val/loss': loss, '_wandb': {'runtime': 3}},
    'config': {'n_params': n, 'n_tokens': d, 'tags': ['a', None], 'on': True,
               'note': 'it\'s "fine"', 'warm': None},
    'name': f'r{i}',
  }
  for i, (n, d, loss) in enumerate(zip(N, D, LOSS))
]  # fmt: skip


class NestedTest(TableCase):
  def check(self, runs):
    self.assertEqual(runs.run_ids, ('r0', 'r1', 'r2'))
    np.testing.assert_array_equal(runs.N, N)
    np.testing.assert_array_equal(runs.D, D)
    np.testing.assert_array_equal(runs.loss, LOSS)
    self.assertEqual(runs.extra[0]['config.note'], 'it\'s "fine"')
    self.assertEqual(runs.extra[0]['config.on'], 'True')
    self.assertEqual(runs.extra[0]['summary._wandb.runtime'], '3')

  def test_a_frame_of_dicts(self):
    self.check(Runs.from_dataframe(pd.DataFrame(ROWS)))

  @parameterized.parameters(str, json.dumps)
  def test_a_file_of_them(self, write):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(['', *ROWS[0]])
    for i, row in enumerate(ROWS):
      cells = [x if isinstance(x, str) else write(x) for x in row.values()]
      writer.writerow([i, *cells])
    runs = read_runs(self.write(text.getvalue()))
    self.check(runs)
    self.assertNotIn('Not read: .', runs.sources[0])

  @parameterized.parameters('{1, 2}', '{', "{'a': b}", '{"a"', "{'a': [}")
  def test_what_is_no_record(self, text):
    self.assertIsNone(nested.parse(text))
    runs = read_runs(
      self.write(f'N,D,loss,x\n1e7,1e9,3,"{text.replace(chr(34), "")}"\n')
    )
    self.assertIn('x', runs.extra[0])

  def test_numbers(self):
    found = nested.parse("{'a': nan, 'b': -1.5e-3, 'c': (1, 2), 'd': -inf}")
    self.assertTrue(np.isnan(found['a']))
    self.assertEqual(
      (found['b'], found['c'], found['d']), (-0.0015, [1, 2], -np.inf)
    )

  def test_brackets_in_texts_stay(self):
    found = nested.parse("{'Params (M)': (1, 2), 'note': 'None (yet)'}")
    self.assertEqual(found, {'Params (M)': [1, 2], 'note': 'None (yet)'})

  def test_a_setting_that_says_mean_is_no_row_of_means(self):
    text = 'N,D,loss,reduction,model\n1e7,1e9,3,mean,s\n2e7,1e9,2.9,sum,m\n'
    runs = read_runs(self.write(text))
    self.assertLen(runs, 2)
    self.assertEmpty(runs.excluded)

  def test_rows_that_sum_up(self):
    text = (
      'model,N,D,loss\ns,1e7,1e9,3\nAverage,1e7,1e9,3.1\n,,,\nTotal,2e7,,\n'
    )
    runs = read_runs(self.write(text))
    self.assertLen(runs, 1)
    self.assertLen(runs.excluded, 2)
    for out, word in zip(runs.excluded, ('average', 'total')):
      self.assertIn(word, out.reason)


if __name__ == '__main__':
  absltest.main()
