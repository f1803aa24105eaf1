"""The whole analysis, against the law that its runs were simulated from."""

import json
import math

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np

from scaling_jax.analysis import content
from scaling_jax.analysis import study
from scaling_jax.analysis import words
from scaling_jax.errors import UserError
from tests import studies

LAW = studies.LAW
STATUSES = {
  'ok', 'minimum_at_edge', 'no_minimum', 'no_degrees_of_freedom',
  'too_few_points', 'not_converged', 'not_identified',
}  # fmt: skip
FIELDS = {
  'isoflop': {'status', 'sentence', 'budgets', 'N_opt', 'D_opt'},
  'envelope': {'status', 'sentence', 'N_opt', 'D_opt'},
  'parametric': {
    'status', 'sentence', 'E', 'A', 'B', 'alpha', 'beta', 'exponent_N',
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


def estimates(fits):
  return [(p, x) for p, x in walk(fits) if set(x) == {'value', 'low', 'high'}]


def holds(x, truth):
  return x['low'] <= truth <= x['high']


def plain(plan, L, **settings):
  """The analysis of a table's runs."""
  points = studies.as_points(plan, L, {'own': (plan.N, plan.C)})
  return studies.analyze(studies.as_source(points), **settings)


class FileTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.fits = studies.analyzed().fits

  def test_strict_json_that_comes_back(self):
    folder = epath.Path(self.create_tempdir().full_path)
    study.write(self.fits, folder)

    def refuse(name):
      raise ValueError(name)

    text = (folder / 'fits.json').read_text()
    self.assertEqual(json.loads(text, parse_constant=refuse), self.fits)

  def test_what_is_not_a_number_is_null(self):
    folder = epath.Path(self.create_tempdir().full_path)
    study.write({'a': math.nan, 'b': [math.inf]}, folder)
    found = json.loads((folder / 'fits.json').read_text())
    self.assertEqual(found, {'a': None, 'b': [None]})

  def test_fields(self):
    self.assertEqual(self.fits['level'], 0.95)
    self.assertContainsSubset(
      {'level', 'source', 'runs', 'seed_noise', 'laws', 'hold_out',
       'conventions', 'curves'},
      self.fits,
    )  # fmt: skip
    for law, fields in FIELDS.items():
      self.assertContainsSubset(fields, self.fits['laws'][law])
    for law in ('isoflop', 'envelope'):
      for name in ('N_opt', 'D_opt'):
        line = self.fits['laws'][law][name]
        self.assertEqual(set(line), {'coefficient', 'exponent'})
    for budget in self.fits['laws']['isoflop']['budgets']:
      self.assertContainsSubset(
        {'C', 'N_opt', 'D_opt', 'L_min', 'status', 'sentence'}, budget
      )

  def test_statuses_are_of_the_list_each_with_a_sentence(self):
    found = [x for _, x in walk(self.fits) if 'status' in x]
    self.assertGreater(len(found), 30)
    self.assertContainsSubset({x['status'] for x in found}, STATUSES)
    for x in found:
      if x['status'] != 'ok':
        self.assertNotEmpty(x['sentence'])

  def test_estimates_lie_in_their_intervals(self):
    found = estimates(self.fits)
    self.assertGreater(len(found), 300)
    for path, x in found:
      known = [x[k] for k in ('low', 'value', 'high') if x[k] is not None]
      self.assertEqual(known, sorted(known), path)
      if x['value'] is None:
        self.assertEqual(known, [], path)

  def test_source(self):
    source = self.fits['source']
    self.assertEqual(source['format'], 'scaling_jax')
    self.assertEqual(source['unit'], 'nats/token')
    self.assertEqual(source['n_runs'], 30)
    self.assertLen(source['files'], 30)
    self.assertEqual(source['targets'], [10 * studies.BUDGETS[-1]])
    self.assertEqual(source['settings']['draws'], studies.DRAWS)

  def test_runs(self):
    budgets = self.fits['laws']['isoflop']['budgets']
    self.assertLen(self.fits['runs'], 30)
    for run, record in zip(self.fits['runs'], studies.analyzed().runs):
      self.assertEqual(run['loss'], record.val_loss)
      self.assertEqual((run['N'], run['D']), (record.N, record.D))
      self.assertAlmostEqual(budgets[run['budget']]['C'] / record.C, 1)


class TruthTest(absltest.TestCase):
  """A simulated study's intervals hold what it was simulated from."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.fits = studies.analyzed().fits
    cls.laws = cls.fits['laws']

  def test_exponents(self):
    pairs = [(law, self.laws[law]['N_opt'], self.laws[law]['D_opt'])
             for law in ('isoflop', 'envelope')]  # fmt: skip
    found = {law: (n['exponent'], d['exponent']) for law, n, d in pairs}
    law = self.laws['parametric']
    found['parametric'] = law['exponent_N'], law['exponent_D']
    for name, (a, b) in found.items():
      with self.subTest(name):
        self.assertEqual(self.laws[name]['status'], 'ok')
        self.assertTrue(holds(a, LAW.exponent_N), a)
        self.assertTrue(holds(b, LAW.exponent_D), b)
        self.assertAlmostEqual(a['value'] + b['value'], 1, delta=0.001)
    for name in ('isoflop', 'parametric'):
      a = found[name][0]
      self.assertLess(a['high'] - a['low'], 0.15)

  def test_parametric(self):
    law = self.laws['parametric']
    for name, truth in LAW._asdict().items():
      self.assertTrue(holds(law[name], truth), name)
    self.assertTrue(holds(law['noise'], studies.NOISE))
    fitted = type(LAW)(*(law[name]['value'] for name in LAW._fields))
    for run, predicted, residual in zip(
      self.fits['runs'], law['predicted'], law['residuals']
    ):
      np.testing.assert_allclose(predicted, fitted.loss(run['N'], run['D']))
      np.testing.assert_allclose(residual, math.log(run['loss'] / predicted))

  def test_optima_at_each_budget(self):
    for budget in self.laws['isoflop']['budgets']:
      best = LAW.optimum(budget['C'])
      self.assertEqual((budget['status'], budget['n_models']), ('ok', 5))
      self.assertTrue(holds(budget['N_opt'], best.N))
      self.assertTrue(holds(budget['D_opt'], best.D))
      self.assertTrue(holds(budget['L_min'], best.L))
      self.assertTrue(holds(budget['N_opt_local'], best.N))

  def test_power_laws_and_targets_say_the_same(self):
    law = self.laws['parametric']
    N0, D0 = law['N0']['value'], law['D0']['value']
    a, b = law['exponent_N']['value'], law['exponent_D']['value']
    fitted = type(LAW)(*(law[name]['value'] for name in LAW._fields))
    for row in law['at']:
      best = fitted.optimum(row['C'])
      for key, x, by_power_law in (
        ('N_opt', best.N, N0 * row['C'] ** a),
        ('D_opt', best.D, D0 * row['C'] ** b),
      ):
        np.testing.assert_allclose(row[key]['value'], x, rtol=1e-9)
        np.testing.assert_allclose(by_power_law, x, rtol=1e-9)
      np.testing.assert_allclose(row['L']['value'], best.L, rtol=1e-12)
    for name in ('isoflop', 'envelope'):
      line = self.laws[name]['N_opt']
      coefficient, exponent = (
        line[k]['value'] for k in ('coefficient', 'exponent')
      )
      for row in self.laws[name]['at']:
        expected = coefficient * row['C'] ** exponent
        np.testing.assert_allclose(row['N_opt']['value'], expected, rtol=1e-9)

  def test_ten_times_the_largest_budget(self):
    C = 10 * studies.BUDGETS[-1]
    best = LAW.optimum(C)
    for name in words.TITLES:
      law = self.laws[name]
      (row,) = [row for row in law['at'] if row['C'] == C]
      self.assertTrue(holds(row['N_opt'], best.N))
      self.assertTrue(holds(row['D_opt'], best.D))
    self.assertTrue(holds(row['L'], best.L))

  def test_hold_out(self):
    found = self.fits['hold_out']
    self.assertEqual(found['status'], 'ok')
    self.assertLen(found['runs'], 10)
    inside = [run['inside'] for run in found['runs']]
    self.assertGreaterEqual(sum(inside), 8)

  def test_envelope_is_the_curves_lower_edge(self):
    law = self.laws['envelope']
    self.assertLen(law['curves'], 30)
    for row in law['points']:
      # The mean of a bin lies above a convex law; noise moves it either way.
      truth = float(LAW.iso_flop(row['C'], row['N']))
      self.assertAlmostEqual(row['L'] / truth, 1, delta=0.03)
      np.testing.assert_allclose(row['D'], row['C'] / (6 * row['N']), rtol=1e-9)
    for curve in law['curves']:
      self.assertLess(len(curve['C']), 250)
      self.assertEqual(len(curve['C']), len(curve['L']))

  def test_curves_fall_to_what_endless_data_would_bring(self):
    held = []
    for curve, run in zip(self.fits['curves'], self.fits['runs']):
      self.assertEqual(curve['run_id'], run['run_id'])
      if curve['status'] == 'ok':
        held += [
          holds(curve['floor'], LAW.loss(run['N'], math.inf)),
          holds(curve['exponent'], LAW.beta),
        ]
    self.assertGreater(len(held), 50)
    self.assertGreaterEqual(np.mean(held), 0.85)

  def test_conventions(self):
    rows = {row['name']: row for row in self.fits['conventions']}
    self.assertLen(rows, 5)
    own = rows['Kaplan: no embeddings, 6ND']
    for law in ('isoflop', 'parametric'):
      self.assertTrue(holds(own[law], LAW.exponent_N))
    np.testing.assert_allclose(
      own['parametric']['value'],
      self.laws['parametric']['exponent_N']['value'],
      rtol=1e-6,
    )

  def test_seed_noise(self):
    L = np.log([run['loss'] for run in self.fits['runs']]).reshape(15, 2)
    pooled = np.sqrt(np.mean((L[:, 0] - L[:, 1]) ** 2) / 2)
    found = self.fits['seed_noise']
    self.assertAlmostEqual(found['value'], pooled)
    self.assertTrue(holds(found, studies.NOISE))


class PartsTest(parameterized.TestCase):
  def test_targets_are_on_the_grid(self):
    points = studies.as_points(*_small())
    grid = study.target_grid(points)
    self.assertEqual(grid, sorted(grid))
    self.assertAlmostEqual(grid[0], 1e14)
    self.assertAlmostEqual(grid[-1] / 1.6e18, 1)
    self.assertIn(1.6e16, grid)
    asked = study.target_grid(points, (3e15, 1e20))
    self.assertContainsSubset([3e15, 1e20], asked)
    self.assertNotIn(1.6e16, asked)

  def test_groups_and_runs_alone(self):
    def groups(sizes):
      C = [1e14 * 2**i for i, size in enumerate(sizes) for _ in range(size)]
      N = [1e5 * (1 + j) for size in sizes for j in range(size)]
      L = np.ones(len(C))
      plan = np.array([C, N, np.ones(len(C))])
      found = study.isoflop_groups(studies.as_points(plan, L))
      return [len(group) for group in found[0]], len(found[1])

    # A budget left unfinished is one; runs everywhere are none.
    self.assertEqual(groups([5, 5, 2]), ([5, 5, 2], 0))
    self.assertEqual(groups([2, 2]), ([2, 2], 0))
    self.assertEqual(groups([5, 5, 1, 1, 2]), ([5, 5], 4))
    self.assertEqual(groups([1, 1, 1, 1]), ([], 4))

  def cost_line(self, plan):
    return content.cost_line(plan.N, plan.D, plan.C)

  def test_cost_line(self):
    plan, _ = _small()
    self.assertEqual(self.cost_line(plan), (-1.0, -math.log(6)))
    # Whole steps move D by less than a per cent.
    rounded = plan._replace(D=plan.D * 1.004)
    found = self.cost_line(rounded)
    self.assertEqual(found, (-1.0, -math.log(6)))
    attention = plan._replace(D=plan.C / (7.2 * plan.N * plan.N**0.03))
    found = self.cost_line(attention)
    np.testing.assert_allclose(found, (-1.03, -math.log(7.2)), rtol=1e-9)

  def test_drop_highest(self):
    plan, L = _small()
    source = studies.as_source(studies.as_points(plan, L))
    fewer = study.without_highest(source, 2)
    worst = np.argsort(L)[-2:]
    self.assertLen(fewer.points, len(L) - 2)
    self.assertEqual(
      {out.run_id for out in fewer.left_out}, {f'run{i}' for i in worst}
    )
    for count in (-1, len(L)):
      with self.assertRaisesRegex(UserError, f'drop_highest={count} must be'):
        study.without_highest(source, count)

  def test_a_shape_that_the_law_misses_is_said(self):
    plan, L = _small()
    fits = plain(plan, L)
    self.assertEmpty(fits['laws']['parametric']['notes'])
    self.assertIsNone(fits['seed_noise']['value'])
    shifted = L * np.where(plan.C == studies.BUDGETS[1], 1.008, 1)
    fits = plain(plan, shifted)
    (note,) = fits['laws']['parametric']['notes']
    self.assertRegex(note, r'Runs scatter \d+\.\d times as much about this law')


class FewRunsTest(parameterized.TestCase):
  """Numbers are known, or a status says why not."""

  def test_one_budget(self):
    plan = studies.design(budgets=[4e14])
    fits = plain(plan, studies.noisy(LAW, plan, 0.001))
    laws = fits['laws']
    self.assertEqual(laws['isoflop']['status'], 'too_few_points')
    self.assertEqual(laws['isoflop']['budgets'][0]['status'], 'ok')
    self.assertEqual(laws['parametric']['status'], 'not_identified')
    self.assertIn('one budget', laws['parametric']['sentence'])
    self.assertEqual(laws['envelope']['status'], 'too_few_points')
    self.assertEqual(fits['hold_out']['status'], 'too_few_points')
    for law, field in (('isoflop', 'N_opt'), ('envelope', 'D_opt')):
      self.assertIsNone(laws[law][field]['exponent']['value'])
      self.assertEmpty(laws[law]['at'])
    self.assertIsNone(laws['parametric']['exponent_N']['value'])

  def test_a_budget_and_runs_alone_are_not_one_budget(self):
    plan = studies.design(budgets=[4e14])
    C = np.geomspace(1e14, 2e15, 9) * 1.07
    N = LAW.optimum(C).N * np.tile([0.4, 1.0, 2.5], 3)
    plan = type(plan)(
      *map(np.append, plan, (C, N, C / (6 * N)))
    )  # fmt: skip
    fits = plain(plan, studies.noisy(LAW, plan, 0.001))
    law = fits['laws']['parametric']
    self.assertEqual(law['status'], 'ok', law['sentence'])
    self.assertTrue(holds(law['exponent_N'], LAW.exponent_N))
    self.assertLen(fits['laws']['isoflop']['budgets'], 1)
    self.assertIn(
      'count for the parametric law alone', fits['source']['notes'][0]
    )
    self.assertEqual(fits['runs'][-1]['budget'], None)

  @parameterized.parameters((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
  def test_a_handful(self, models, budgets):
    plan = studies.design(models=models, budgets=studies.BUDGETS[:budgets])
    fits = plain(plan, studies.noisy(LAW, plan, 0.001))
    json.dumps(fits, allow_nan=False)
    for name, law in fits['laws'].items():
      self.assertNotEqual(law['status'], 'ok', name)
      self.assertNotEmpty(law['sentence'])
    self.assertEmpty(fits['conventions'])


def _small():
  """Seven models at three budgets, one seed."""
  plan = studies.design()
  return plan, studies.noisy(LAW, plan, 0.001)


if __name__ == '__main__':
  absltest.main()
