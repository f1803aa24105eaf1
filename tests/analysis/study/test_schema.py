"""fits.json: strict, complete, and the same Analysis when it is read."""

import json
import math
import pathlib

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.study import schema
from scaling_jax.errors import UserError
from tests.analysis import designs
from tests.analysis import gpt_ladder
from tests.analysis import studies

LEVELS = (0.5, 0.95, 0.99)
PATHS = {
  'isoflop': {'status', 'message', 'budgets', 'N_opt', 'D_opt'},
  'envelope': {'status', 'message', 'N_opt', 'D_opt'},
  'parametric': {
    'status', 'message', 'E', 'A', 'B', 'alpha', 'beta', 'exponent_N',
    'exponent_D', 'objective', 'gradient_norm', 'n_starts', 'n_agree',
  },
}  # fmt: skip


def walk(value, path=''):
  """Every dict below, with where it is."""
  if isinstance(value, dict):
    yield path, value
    for name, inner in value.items():
      yield from walk(inner, f'{path}/{name}')
  elif isinstance(value, list):
    for i, inner in enumerate(value):
      yield from walk(inner, f'{path}/{i}')


class FileTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.analysis = studies.analyzed().analysis
    cls.text = cls.analysis.to_json()
    cls.body = json.loads(cls.text, parse_constant=cls.fail)
    cls.folder = pathlib.Path(cls.create_tempdir(cls()).full_path)
    schema.write(cls.analysis, cls.folder)
    cls.back = schema.load_analysis(cls.folder)

  def test_the_paths_that_others_read(self):
    self.assertEqual((self.body['schema'], self.body['level']), (2, 0.95))
    for law, fields in PATHS.items():
      self.assertContainsSubset(fields, self.body['laws'][law])
    for law in ('isoflop', 'envelope'):
      for name in ('N_opt', 'D_opt'):
        line = self.body['laws'][law][name]
        self.assertEqual(set(line), {'coefficient', 'exponent'})
    self.assertIn('critical_batch', self.body['laws'])
    self.assertLen(self.body['runs'], 30)

  def test_statuses_are_of_the_list_each_with_a_message(self):
    del self.body['state']
    try:
      found = [x for _, x in walk(self.body) if 'status' in x]
    finally:
      self.body['state'] = json.loads(self.text)['state']
    self.assertGreater(len(found), 30)
    self.assertContainsSubset({x['status'] for x in found}, set(Status))
    for x in found:
      if x['status'] != 'ok':
        self.assertNotEmpty(x['message'])

  def test_estimates_lie_in_their_intervals(self):
    found = [
      (path, x)
      for path, x in walk(self.body)
      if set(x) == {'value', 'low', 'high'} and '/state' not in path
    ]
    self.assertGreater(len(found), 150)
    for path, x in found:
      known = [x[k] for k in ('low', 'value', 'high') if x[k] is not None]
      self.assertEqual(known, sorted(known), path)
      if x['value'] is None:
        self.assertEqual(known, [], path)

  def test_every_part_comes_back(self):
    one, other = self.analysis, self.back
    self.assertEqual(other.runs.runs, one.runs.runs)
    self.assertEqual(other.selection, one.selection)
    self.assertEqual(other.budget, one.budget)
    self.assertEqual(other.targets, one.targets)
    self.assertEqual(other.headline, one.headline)
    for name, fit in one.approaches.items():
      back = other.approaches[name]
      self.assertEqual((back.status, back.message), (fit.status, fit.message))
      self.assertEqual(back.params, fit.params)
      for level in LEVELS:
        for key, x in fit.conf_int(level).items():
          np.testing.assert_allclose(
            list(back.conf_int(level)[key]), list(x), rtol=1e-4
          )
    self.assertEqual(other.hold_out.counts(0.8), one.hold_out.counts(0.8))
    self.assertEqual(
      [x.name for x in other.counting], [x.name for x in one.counting]
    )
    for curve, back in zip(one.training_curves, other.training_curves):
      self.assertEqual(back.params, curve.params)
    for law, back in zip(one.kaplan.laws, other.kaplan.laws):
      self.assertEqual((back.name, back.status), (law.name, law.status))

  def test_a_level_and_a_compute_that_nobody_asked_for(self):
    C = 3.3e17
    for name, fit in self.analysis.approaches.items():
      found = self.back.approaches[name].optimum(C=C, level=0.8)
      expected = fit.optimum(C=C, level=0.8)
      np.testing.assert_allclose(
        [*found.N, *found.D], [*expected.N, *expected.D], rtol=1e-4
      )

  def test_the_same_file_again(self):
    body = json.loads(self.back.to_json())
    del body['state']
    first = {k: v for k, v in self.body.items() if k != 'state'}
    for (path, one), (_, other) in zip(walk(first), walk(body)):
      if set(one) == {'value', 'low', 'high'} and one['value'] is not None:
        self.assertEqual(one['value'], other['value'], path)

  def test_tables_are_the_same(self):
    names = [table.name for table in self.analysis.tables()]
    self.assertEqual([table.name for table in self.back.tables()], names)


class CostTest(absltest.TestCase):
  def test_a_curved_cost_survives_the_file(self):
    analysis = gpt_ladder.analyzed()
    text = schema.dumps(analysis)
    path = pathlib.Path(self.create_tempfile(content=text).full_path)
    again = schema.load_analysis(path)
    stated = json.loads(text)['laws']['parametric']['cost']
    fit = analysis.chinchilla
    self.assertEqual(stated['form'], 'curve')
    self.assertEqual(stated['rate'], fit.cost.rate)
    self.assertEqual(stated['N'], [min(fit.N), max(fit.N)])
    low, high = stated['over_6ND']
    self.assertBetween(low, 1.5, 1.7)
    self.assertBetween(high, 2.3, 2.5)
    best, same = (
      x.chinchilla.optimum(C=8e17, level=0.8) for x in (analysis, again)
    )
    np.testing.assert_allclose(list(same.N), list(best.N), rtol=1e-5)
    # The draws of the cost are made anew, and are the same.
    np.testing.assert_array_equal(
      again.chinchilla.cost_draws[1:], fit.cost_draws[1:]
    )

  def test_one_constant(self):
    cost = schema_cost(studies.analyzed().analysis)
    self.assertEqual((cost['form'], cost['slope']), ('6ND', -1))


def schema_cost(analysis):
  return json.loads(schema.dumps(analysis))['laws']['parametric']['cost']


class OldFileTest(absltest.TestCase):
  def test_a_file_without_draws(self):
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.001)
    rows = [
      {'run_id': f'r{i}', 'C': C, 'N': N, 'D': D, 'S': 0, 'loss': loss,
       'sem': None, 'seed': 0, 'model': '', 'depth': 0, 'bpb': None,
       'dataset': '', 'device': '', 'wall_s': None, 'tokens_per_s': None,
       'budget': 0, 'counted': True}
      for i, (C, N, D, loss) in enumerate(zip(*map(list, (*plan, L))))
    ]  # fmt: skip
    old = {
      'level': 0.95,
      'runs': rows,
      'source': {
        'format': 'C,N,D,loss', 'unit': 'nats/token', 'files': ['runs.csv'],
        'notes': [], 'left_out': [{'run_id': 'x', 'reason': 'it diverged'}],
        'targets': [1e17], 'version': '0.1.0',
        'settings': {'draws': 200, 'method': 'auto', 'seed': 0,
                     'solver': 'auto', 'level': 0.95},
      },
      'laws': {},
    }  # fmt: skip
    path = pathlib.Path(self.create_tempdir().full_path) / 'fits.json'
    path.write_text(json.dumps(old))
    found = schema.load_analysis(path)
    new = studies.analyze(studies.as_runs(plan, L))
    self.assertEqual(found.chinchilla.params, new.chinchilla.params)
    self.assertEqual(found.isoflop.params, new.isoflop.params)
    self.assertEqual(found.targets, (1e17,))
    self.assertEqual([x.run_id for x in found.runs.excluded], ['x'])

  def test_what_is_no_fits_json_is_refused(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'fits.json'
    with self.assertRaises(UserError):
      schema.load_analysis(path)
    for text in ('', '[]', '{}', '{"schema": 3}', '{"schema": 2, "state": {}}',
                 '{"laws": {}}', 'nan'):  # fmt: skip
      path.write_text(text)
      with self.assertRaises(UserError, msg=text):
        schema.load_analysis(path)


class NumbersTest(absltest.TestCase):
  def test_what_is_not_a_number_is_null(self):
    plan = designs.design(budgets=[4e14])
    found = studies.analyze(
      studies.as_runs(plan, designs.noisy(designs.LAW, plan, 0.001))
    )
    body = json.loads(found.to_json(), parse_constant=self.fail)
    self.assertIsNone(body['laws']['parametric']['exponent_N']['value'])
    self.assertIsNone(body['hold_out']['C'])
    self.assertFalse(
      any(isinstance(x, float) and math.isnan(x) for x in walk(body))
    )


if __name__ == '__main__':
  absltest.main()
