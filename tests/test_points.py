"""Points from every kind of source, against numbers worked out by hand."""

import itertools
import json
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import records
from scaling_jax.analysis import points
from scaling_jax.errors import UserError
from tests.example_records import make_run
from tests.shared_data import PUBLISHED
from tests.table_case import TableCase

NANOCHAT = 'flops_budget,depth,num_scaling_params,tokens_trained,val_bpb'


class PointsCase(TableCase):
  def reasons(self, source):
    return [out.reason for out in source.left_out]

  def run_folder(self, run=None, workdir='runs', losses=True, **changes):
    run = run or make_run(**changes)
    folder = self.folder / workdir / run.experiment / run.run_id
    folder.mkdir(parents=True)
    (folder / records.CONFIG).write_text('{}')
    records.write_result(folder, run)
    if losses:
      records.write_npy(folder / records.TRAIN_LOSS, np.ones(3, np.float32))
    return folder


class RunsTest(PointsCase):
  def test_a_record_as_a_point(self):
    folder = self.run_folder()
    source = points.read([folder])
    (point,) = source.points
    self.assertEqual(point.run_id, 'gpt-0_seed0')
    self.assertEqual(
      (point.C, point.N, point.D, point.loss, point.sem, point.bpb),
      (6e13, 221664, 45113344, 1.7, 0.002, 2.45),
    )
    self.assertEqual(
      (point.seed, point.model, point.depth, point.S), (0, 'gpt-0', 2, 22028)
    )
    self.assertEqual(point.folder, str(folder))
    self.assertEqual(
      (source.format, source.unit), ('scaling_jax', 'nats/token')
    )
    self.assertEqual(source.files, (str(folder / 'result.json'),))
    self.assertEqual((source.left_out, source.notes), ((), ()))

  def test_conventions(self):
    N, D, V, M, T = 221_664, 45_113_344, 66, 96, 32
    # Appendix F for two layers of two heads, a sequence at a time.
    layer = [
      2 * 3 * T * M * M, 2 * T * T * M, 3 * 2 * T * T, 2 * T * T * M,
      2 * T * M * M, 2 * T * (M * 4 * M + M * 4 * M),
    ]  # fmt: skip
    sequence = 3 * (2 * T * V * M + 2 * sum(layer) + 2 * T * M * V)
    (point,) = points.read([self.run_folder()]).points
    expected = {
      'Kaplan: no embeddings, 6ND': (N, 6 * N * D),
      'no embeddings, every matrix product': (N, 6.4e13),
      'nanochat: with head, every matrix product': (228_000, 6.4e13),
      'Hoffmann: all parameters, 6ND': (231_072, 6 * 231_072 * D),
      'Hoffmann: all parameters, full count': (231_072, sequence // T * D),
    }
    self.assertEqual(list(point.counts), list(expected))
    for name, pair in expected.items():
      with self.subTest(name):
        np.testing.assert_allclose(point.counts[name], pair, rtol=1e-12)

  def test_a_record_that_hides_its_vocabulary(self):
    (point,) = points.read([self.run_folder(N_total=221664)]).points
    self.assertLen(point.counts, 3)
    self.assertNotIn('Hoffmann: all parameters, full count', point.counts)

  def test_without_the_losses_of_each_step_there_is_no_folder(self):
    (point,) = points.read([self.run_folder(losses=False)]).points
    self.assertEqual(point.folder, '')

  def test_run_experiment_and_experiments(self):
    first = self.run_folder(experiment='c0')
    self.run_folder(experiment='c0', run_id='gpt-0_seed1', seed=1)
    self.run_folder(experiment='c1', C=3e14)
    (self.folder / 'runs' / 'figures').mkdir()
    for path, names in (
      (first, ['gpt-0_seed0']),
      (first.parent, ['gpt-0_seed0', 'gpt-0_seed1']),
      (
        self.folder / 'runs',
        ['c0/gpt-0_seed0', 'c0/gpt-0_seed1', 'c1/gpt-0_seed0'],
      ),
    ):
      with self.subTest(path.name):
        # Runs that share N, D and loss are two where run_id differs.
        found = points.read([path])
        self.assertEqual([p.run_id for p in found.points], names)
        self.assertEmpty(found.left_out)

  def test_results_csv_is_what_the_folders_are(self):
    self.run_folder(val_bpb=math.nan)
    self.run_folder(run_id='gpt-0_seed1', seed=1, losses=False)
    experiment = self.folder / 'runs' / 'c0'
    records.write_results(experiment)
    by_table = points.read([experiment / 'results.csv'])
    by_folder = points.read([experiment])
    self.assertEqual(repr(by_table.points), repr(by_folder.points))
    self.assertEqual(by_table.points[0].folder, str(experiment / 'gpt-0_seed0'))
    self.assertEqual(by_table.points[1].folder, '')
    self.assertEqual(by_table.files, (str(experiment / 'results.csv'),))

  def test_results_csv_alone(self):
    self.run_folder()
    records.write_results(self.folder / 'runs' / 'c0')
    table = (self.folder / 'runs' / 'c0' / 'results.csv').read_text()
    path = self.write(table, 'elsewhere/c0/results.csv')
    for given in (path, path.parent, path.parent.parent):
      (point,) = points.read([given]).points
      self.assertEqual((point.folder, point.loss), ('', 1.7))
    # Beside a run of the same name from another experiment.
    self.run_folder(workdir='.', experiment='c1', C=3e14)
    (point,) = points.read([self.write(table, 'c1/copied.csv')]).points
    self.assertEqual((point.folder, point.C), ('', 6e13))

  def test_given_twice_counts_once(self):
    folder = self.run_folder()
    records.write_results(folder.parent)
    for paths in (
      [folder, folder],
      [folder.parent / 'results.csv', folder],
      [folder, folder.parent / 'results.csv', folder.parent.parent],
    ):
      source = points.read(paths)
      (point,) = source.points
      self.assertEqual(point.folder, str(folder))
      self.assertEmpty(source.left_out)
      (note,) = source.notes
      self.assertStartsWith(note, 'Given twice and counted once: gpt-0_seed0')

  def test_one_run_with_two_results(self):
    first = self.run_folder(val_loss=1.7)
    second = self.run_folder(workdir='again', val_loss=1.8)
    source = points.read([first, second])
    self.assertEqual([p.loss for p in source.points], [1.7])
    self.assertEqual(source.left_out[0].run_id, 'gpt-0_seed0')
    self.assertRegex(self.reasons(source)[0], 'two results.*1.7.*1.8')

  def test_unfinished_runs(self):
    self.run_folder()
    for name in ('fresh', 'stopped', 'torn'):
      folder = self.folder / 'runs' / 'c0' / name
      folder.mkdir()
      (folder / records.CONFIG).write_text('{}')
    evaluations = [
      records.Evaluation(s, s, 1.0, None, 2.0, 0.1, 3.0, None, None, None, 1.0)
      for s in (0, 250)
    ]
    records.write_metrics(self.folder / 'runs/c0/stopped', evaluations)
    (self.folder / 'runs/c0/torn' / records.METRICS).write_text('{"step": 25')
    source = points.read([self.folder / 'runs'])
    self.assertLen(source.points, 1)
    self.assertEqual(
      [out.run_id for out in source.left_out], ['fresh', 'stopped', 'torn']
    )
    for reason in self.reasons(source):
      self.assertIn('unfinished', reason)
    self.assertIn('step 250', self.reasons(source)[1])

  @parameterized.parameters(
    ({'status': 'diverged', 'val_loss': math.nan}, "'diverged'"),
    ({'val_loss': math.nan}, 'val_loss=nan must be a positive'),
    ({'val_loss': 0.0}, 'val_loss=0 must be a positive'),
    ({'val_loss': -1.5}, 'val_loss=-1.5 must be a positive'),
    ({'C': math.nan}, 'C=nan must be'),
    ({'N': 0}, 'N=0 must be'),
    ({'D': -5}, 'D=-5 must be'),
  )
  def test_runs_that_no_law_can_use(self, changes, reason):
    bad = self.run_folder(run_id='bad', **changes)
    with self.assertRaisesRegex(UserError, f'1 left out, .*bad.*{reason}'):
      points.read([bad])
    self.run_folder()
    source = points.read([bad.parent])
    self.assertLen(source.points, 1)
    self.assertEqual(source.left_out[0].run_id, 'bad')
    self.assertIn(reason, source.left_out[0].reason)

  @parameterized.parameters('', '[]', '{"run_id": "x"}', '{"run_id": "x"')
  def test_a_damaged_record(self, text):
    folder = self.run_folder(run_id='bad')
    (folder / records.RESULT).write_text(text)
    self.run_folder()
    source = points.read([folder.parent])
    self.assertLen(source.points, 1)
    self.assertIn('result.json cannot be read', self.reasons(source)[0])

  def test_lines_of_results_csv(self):
    header = ','.join(records.Run._fields)
    good = ','.join(str(value) for value in make_run())
    infinite = good.replace('seed0', 'seed1').replace('1.7', 'inf')
    wordy = good.replace('gpt-0_seed0', 'wordy').replace('221664', 'many')
    lines = [header, good, infinite, wordy, 'short,c7']
    source = points.read([self.write('\n'.join(lines))])
    self.assertEqual([p.run_id for p in source.points], ['gpt-0_seed0'])
    reasons = dict(source.left_out)
    self.assertIn('val_loss=inf', reasons['gpt-0_seed1'])
    self.assertRegex(reasons['wordy'], "line 4 of table.csv: .*'many'")
    self.assertIn('2 cells instead of 25', reasons['short'])


class RefusedTest(PointsCase):
  def refused(self, paths, *parts):
    with self.assertRaises(UserError) as caught:
      points.read(paths)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in parts:
      self.assertIn(part, message)

  def test_nothing_there(self):
    self.refused([], 'no path')
    missing = self.folder / 'missing'
    self.refused([missing], str(missing), 'does not exist', 'run folder', 'CSV')
    empty = self.folder / 'empty'
    empty.mkdir()
    self.refused([empty], str(empty), 'holds no run', 'run folder')
    (empty / 'c0').mkdir()
    self.refused([empty], 'holds no run')

  def test_one_path_need_not_be_a_list(self):
    folder = self.run_folder()
    self.assertEqual(points.read(folder), points.read([folder]))
    self.assertEqual(points.read(str(folder)), points.read([folder]))

  def test_only_unfinished_runs(self):
    folder = self.folder / 'c0' / 'gpt-0_seed0'
    folder.mkdir(parents=True)
    (folder / records.CONFIG).write_text(json.dumps({}))
    self.refused([folder.parent], 'gpt-0_seed0', 'unfinished')

  def test_units_do_not_mix(self):
    bits = self.write(f'{NANOCHAT}\n1e18,8,40e6,3e9,0.9\n', 'bits.csv')
    nats = self.write('N,D,loss\n1e7,1e9,2.5\n', 'nats.csv')
    self.refused([bits, nats], 'bits.csv', 'bits/byte', 'nats.csv', 'nats/tok')
    self.refused([self.run_folder(), bits], 'gpt-0_seed0 is in nats/token')

  def test_formats_of_one_unit_do(self):
    nats = self.write('N,D,loss\n1e7,1e9,2.5\n')
    source = points.read([self.run_folder(), nats])
    self.assertEqual(source.format, 'scaling_jax + C,N,D,loss')
    self.assertEqual(
      [p.run_id for p in source.points], ['gpt-0_seed0', 'table:2']
    )
    self.assertIn('each in its own way', source.notes[-1])


def points_at(budgets_C):
  return [
    points.Point(str(i), C, 1.0 + i, 1.0, 1.0, 0.0, 0, '', 0, 0, 1.0, '', {})
    for i, C in enumerate(budgets_C)
  ]


class BudgetsTest(parameterized.TestCase):
  @parameterized.parameters(
    ([], []),
    ([5e18], [[0]]),
    ([6e14, 6e13, 6e14, 3e14, 6e13], [[1, 4], [3], [0, 2]]),
    # Whole steps make C differ in its third digit.
    ([1.004e18, 1e19, 1e18, 1.009e19, 1.008e18], [[2, 0, 4], [1, 3]]),
    ([1e18, 2e18, 4e18, 8e18], [[0], [1], [2], [3]]),
  )
  def test_by_hand(self, C, groups):
    self.assertEqual(points.budgets(points_at(C)), groups)

  def test_tolerance(self):
    C = [1e18, 1e18, 1.1e18, 1.1e18, 1.1e18]
    self.assertEqual(points.budgets(points_at(C)), [[0, 1], [2, 3, 4]])
    together = points.budgets(points_at(C), tolerance=0.11)
    self.assertEqual(together, [[0, 1, 2, 3, 4]])

  def test_scatter_of_some_per_cent(self):
    for seed, runs in itertools.product(range(20), (3, 5, 15)):
      random = np.random.default_rng(seed)
      asked = np.repeat([1e18, 2e18, 4e18, 8e18], runs)
      C = asked * np.exp(random.uniform(-0.05, 0.05, asked.size))
      groups = points.budgets(points_at(C))
      with self.subTest(seed=seed, runs=runs):
        self.assertEqual(
          [sorted(group) for group in groups],
          [list(range(i, i + runs)) for i in range(0, 4 * runs, runs)],
        )

  def test_runs_everywhere_are_cut(self):
    C = np.exp(np.arange(0, 2, 0.01))
    groups = points.budgets(points_at(C))
    self.assertEqual(list(itertools.chain(*groups)), list(range(200)))
    for group in groups:
      self.assertLessEqual(C[group[-1]] / C[group[0]], math.exp(0.2) + 1e-9)
      self.assertGreater(len(group), 5)


@absltest.skipUnless(
  PUBLISHED.is_dir(), f'the published points are not at {PUBLISHED}'
)
class PublishedTest(absltest.TestCase):
  def test_chinchilla(self):
    source = points.read([PUBLISHED / 'chinchilla_figure4.csv'])
    self.assertLen(source.points, 245)
    self.assertEmpty(source.left_out)
    self.assertEqual(source.unit, 'nats/token')
    self.assertAlmostEqual(source.points[0].loss, 5.005581996196243)
    self.assertAlmostEqual(source.points[0].N, 6795600349.289497)
    C = np.array([point.C for point in source.points])
    groups = points.budgets(source.points)
    self.assertCountEqual(list(itertools.chain(*groups)), range(245))
    large = [group for group in groups if len(group) >= 8]
    # The budgets of Hoffmann et al. (2022), figure 3. The plot's points lie a
    # few per cent below them.
    asked = [6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21]
    self.assertLen(large, len(asked))
    for group, budget in zip(large, asked):
      self.assertBetween(np.median(C[group]) / budget, 0.88, 1.02)

  def test_nanochat(self):
    source = points.read([PUBLISHED / 'nanochat_isoflop.csv'])
    self.assertLen(source.points, 28)
    self.assertEmpty(source.left_out)
    self.assertEqual((source.format, source.unit), ('nanochat', 'bits/byte'))
    groups = points.budgets(source.points)
    self.assertEqual([len(group) for group in groups], [7, 7, 7, 7])

  def test_kaplan(self):
    source = points.read([PUBLISHED / 'nanogpt_kaplan_L_ND.csv'])
    self.assertLen(source.points, 15)


if __name__ == '__main__':
  absltest.main()
