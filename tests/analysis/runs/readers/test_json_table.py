"""JSON in every shape that holds runs."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import pandas as pd

from scaling_jax.analysis.runs.readers import json_table
from scaling_jax.errors import UserError

RUNS = [{'N': 1, 'loss': 2.5, 'a': {'lr': 0.1}}, {'N': 2, 'loss': 2.25}]
CELLS = [
  {'N': '1', 'loss': '2.5', 'a.lr': '0.1'},
  {'N': '2', 'loss': '2.25', 'a.lr': ''},
]


def read(text):
  return json_table.read(text, 'x/runs.json', name='runs.json', stem='runs')


class ShapeTest(parameterized.TestCase):
  @parameterized.parameters(
    json.dumps(RUNS),
    json.dumps({'runs': RUNS, 'made': 'in May', 'tags': []}),
    '\n'.join(map(json.dumps, RUNS)),
    '\r\n\r\n'.join(map(json.dumps, RUNS)),
  )
  def test_records(self, text):
    (sheet,) = read(text)
    self.assertEqual(sheet.columns, ('N', 'loss', 'a.lr'))
    self.assertEqual([line.cells for line in sheet.lines], CELLS)

  @parameterized.parameters('split', 'index', 'columns', 'records', 'table')
  def test_what_pandas_writes(self, orient):
    df = pd.DataFrame({'N': [1, 2], 'loss': [2.5, 2.25]})
    (sheet,) = read(df.to_json(orient=orient))
    self.assertEqual(
      [(line.cells['N'], line.cells['loss']) for line in sheet.lines],
      [('1', '2.5'), ('2', '2.25')],
    )

  @parameterized.parameters(
    '{"N": [1, 2], "loss": [2.5, 2.25]}',
    '[["N", "loss"], [1, 2.5], [2, 2.25]]',
    '{"columns": ["N", "loss"], "data": [[1, 2.5], [2, 2.25]]}',
  )
  def test_columns(self, text):
    (sheet,) = read(text)
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [{'N': '1', 'loss': '2.5'}, {'N': '2', 'loss': '2.25'}],
    )

  def test_columns_beside_a_value_of_all(self):
    (sheet,) = read('{"dataset": "c4", "N": [1, 2], "loss": [3, 2]}')
    self.assertEqual([x.cells['dataset'] for x in sheet.lines], ['c4', 'c4'])

  def test_runs_by_name(self):
    (sheet,) = read('{"a": {"N": 1, "D": 5}, "b": {"N": 2, "D": 6}}')
    self.assertEqual([x.cells['run_id'] for x in sheet.lines], ['a', 'b'])

  def test_a_single_run(self):
    (sheet,) = read('{"config": {"N": 1}, "summary": {"loss": 2.5}}')
    self.assertEqual(
      sheet.lines[0].cells, {'config.N': '1', 'summary.loss': '2.5'}
    )

  def test_a_history_is_of_the_run_beside_it(self):
    (sheet,) = read('{"N": 7, "history": [{"step": 1, "N": 8}, {"step": 2}]}')
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [{'N': '8', 'step': '1'}, {'N': '7', 'step': '2'}],
    )

  def test_several_lists_are_several_sheets(self):
    first, second = read('{"small": [{"N": 1}], "large": [{"N": 2}]}')
    self.assertEqual(
      (first.name, second.stem), ('runs.json [small]', 'runs.large')
    )

  def test_what_is_missing(self):
    (sheet,) = read('[{"a": NaN, "b": null, "c": "N/A", "d": 1e400}]')
    self.assertEqual(
      sheet.lines[0].cells, {'a': '', 'b': '', 'c': '', 'd': 'inf'}
    )

  def test_lines_that_are_no_records(self):
    (sheet,) = read('{"N": 1, "x": "a\u2028b"}\n\n[1]\n{"N": 2')
    self.assertEqual([line.number for line in sheet.lines], [1, 3, 4])
    self.assertEqual(
      [bool(line.fault) for line in sheet.lines], [False, True, True]
    )

  @parameterized.parameters(
    '[1, 2]', '[]', '{}', '{"a": [], "b": []}', '{"a": [1], "b": [1, 2]}',
    '[[1, 2], [3, 4]]', '[["N"], [1, 2]]', '{"columns": 1, "data": 2}',
  )  # fmt: skip
  def test_no_records(self, text):
    with self.assertRaisesRegex(UserError, r'x/runs\.json is JSON without'):
      read(text)

  @parameterized.parameters('{"N": ', '[{"N": 1}', '{' * 200_000)
  def test_no_json(self, text):
    with self.assertRaisesRegex(UserError, r'x/runs\.json is not JSON'):
      read(text)

  def test_nested_without_end(self):
    with self.assertRaisesRegex(UserError, 'deeply'):
      read('[' * 200_000 + ']' * 200_000)


if __name__ == '__main__':
  absltest.main()
