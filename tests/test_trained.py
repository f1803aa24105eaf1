"""What run folders tell of how they were trained, and which laws they carry."""

import json
import math

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import ml_collections
import numpy as np

from scaling_jax.analysis import points
from scaling_jax.analysis import trained
from scaling_jax.training import optimizer
from tests import kaplan_study
from tests import studies


def bare(i=0, N=1e6, C=4e14, loss=3.0, D=6e7, S=1000, **changes):
  """A run as if its folder had said all this."""
  point = studies.as_points(studies.design(budgets=(C,), models=1), [loss])[
    0
  ]._replace(run_id=f'run{i}', N=N, D=D, S=S, folder=f'/run{i}', dataset='text')
  fields = {
    'B': 1e4, 'rate': 1e-3, 'schedule': 'cosine', 'unannealed': 500,
    'text': 1e9,
  }  # fmt: skip
  return trained.Trained(
    point, np.empty(0), 0, None, best=loss, **{**fields, **changes}
  )


class ReadTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.every = {
      t.point.run_id: t
      for t in map(
        trained.Trained.of, points.read([kaplan_study.folder()]).points
      )
    }

  def test_a_run_of_the_sizes(self):
    t = self.every['n/4x64_seed0']
    self.assertAlmostEqual(t.B, kaplan_study.B)
    self.assertEqual((t.rate, t.schedule, t.warmup), (1e-3, 'constant', 20))
    self.assertEqual(t.unannealed, t.point.S)
    self.assertEqual(t.text, kaplan_study.TEXT)

  def test_early_stopping(self):
    # The sample's loss has risen by 0.2 from its lowest to the end.
    t = self.every['parts/4x96_text1e+06_seed0']
    self.assertAlmostEqual(t.point.loss - t.best, 0.2)
    self.assertEqual(t.text, 1e6)
    t = self.every['n/4x64_seed0']
    self.assertAlmostEqual(t.point.loss, t.best)

  def test_the_path_only_falls_and_starts_after_the_warmup(self):
    for t in self.every.values():
      path = t.path()
      if path is not None:
        self.assertTrue(np.all(np.diff(path.L) < 0))
        self.assertGreater(path.D[0] / t.B, t.warmup)
        np.testing.assert_allclose(path.C, 6 * path.N * path.D)

  def test_without_a_folder_the_point_is_all(self):
    point = studies.as_points(studies.design(models=1), [3.0] * 3)[0]
    t = trained.Trained.of(point)
    self.assertIsNone(t.curve)
    self.assertIsNone(t.path())
    self.assertEqual(t.best, point.loss)
    self.assertTrue(math.isnan(t.B) and math.isnan(t.text))

  def test_a_damaged_record_is_named(self):
    folder = epath.Path(self.create_tempdir().full_path)
    kaplan_study.write(folder)
    run = folder / 'n' / '4x64_seed0'
    (run / 'train_loss.npy').write_bytes(b'no array')
    point = points.read([run]).points[0]
    t = trained.Trained.of(point)
    self.assertIn('cannot be read', t.problem)
    self.assertIsNone(t.path())
    config = json.loads((run / 'config.json').read_text())
    del config['config']
    (run / 'config.json').write_text(json.dumps(config))
    self.assertIn('cannot be read', trained.Trained.of(point).problem)


class ScheduleTest(parameterized.TestCase):
  @parameterized.product(
    schedule=('cosine', 'linear', 'constant'),
    floor=(0.0, 1e-4, 6e-4),
    warmup=(0, 100),
  )
  def test_half_of_the_peak(self, schedule, floor, warmup):
    S, peak = 2000, 1e-3
    train = {
      'learning_rate': peak, 'min_learning_rate': floor,
      'warmup_steps': warmup, 'schedule': schedule,
    }  # fmt: skip
    rates = optimizer.learning_rates(ml_collections.ConfigDict(train), S)
    below = np.flatnonzero(rates[warmup:] < peak / 2)
    expected = below[0] + warmup if below.size else S
    self.assertAlmostEqual(trained.unannealed(train, S), expected, delta=2)

  def test_an_unknown_recipe_counts_whole(self):
    self.assertEqual(trained.unannealed({}, 70), 70)


class SetApartTest(absltest.TestCase):
  def test_all_count_where_nothing_differs(self):
    every = [bare(i, N=10.0**i) for i in range(3, 6)]
    found = trained.set_apart(every)
    self.assertEqual((found.whole, found.tuned), ([0, 1, 2], [0, 1, 2]))
    self.assertEmpty(found.notes)

  def test_seeds_of_one_recipe_all_count(self):
    every = [bare(i, loss=3 + i) for i in range(3)]
    self.assertEqual(trained.set_apart(every).whole, [0, 1, 2])

  def test_of_learning_rates_the_best(self):
    every = [
      bare(i, rate=10.0**-i, loss=loss)
      for i, loss in ((1, 3.2), (2, 3.0), (3, 3.4))
    ]
    found = trained.set_apart(every)
    self.assertEqual((found.whole, found.tuned), ([1], [1]))
    self.assertStartsWith(found.notes[0], '2 runs lost to a better one')

  def test_parts_of_a_text(self):
    every = [bare(0), bare(1, text=1e6), bare(2, text=1e7)]
    found = trained.set_apart(every)
    self.assertEqual((found.whole, found.tuned), ([0], [0, 1, 2]))
    self.assertIn('2 runs had a part of the text', found.notes[0])

  def test_a_study_of_batch_sizes(self):
    every = [bare(0, N=5e6)]
    every += [
      bare(i, B=10.0**i, S=10 ** (5 - i), loss=2.0) for i in range(1, 4)
    ]
    found = trained.set_apart(every)
    self.assertEqual((found.whole, found.tuned), ([0], [0]))
    self.assertIn('3 runs are of a study of batch sizes', found.notes[0])
    # Alone, its best run has to do.
    self.assertLen(trained.set_apart(every[1:]).whole, 1)

  def test_batch_sizes_at_every_budget_are_a_sweep_of_it(self):
    every = [
      bare(3 * n + i, N=10.0**n, B=10.0**i, S=10 ** (5 - i), loss=3 - 0.1 * i)
      for n in range(4, 7) for i in range(1, 4)
    ]  # fmt: skip
    kept = [t.point.run_id for t in every if t.B == 1e3]
    found = trained.set_apart(every)
    self.assertEqual([every[i].point.run_id for i in found.whole], kept)

  def test_batch_sizes_at_as_many_steps(self):
    every = [bare(0, N=5e6)]
    every += [bare(i, B=10.0**i, C=10.0**i, D=10.0**i) for i in range(1, 4)]
    found = trained.set_apart(every)
    self.assertEqual(found.whole, [0])
    self.assertIn('study of batch sizes', found.notes[0])

  def test_what_is_not_known_sets_nothing_apart(self):
    # One run without its folder, one whose config.json says nothing.
    every = [bare(i, N=10.0**i, text=1e6) for i in range(4, 7)]
    lost = bare(8, text=math.nan, schedule='', rate=math.nan)
    alone = lost._replace(point=lost.point._replace(folder='', D=1e11))
    warm = bare(9, N=7e5, text=1e6, schedule='constant', unannealed=1000)
    self.assertEqual(
      trained.set_apart([*every, lost, alone]).whole, [0, 1, 2, 3, 4]
    )
    self.assertEqual(trained.set_apart([warm, lost, alone]).whole, [0, 1, 2])

  def test_a_curve_that_cannot_be_read_is_named(self):
    every = [bare(0), bare(1, problem='it is torn')]
    self.assertEqual(
      trained.set_apart(every).notes,
      ['run1 has no training curve here: it is torn.'],
    )

  def test_unannealed_beside_annealed(self):
    every = [bare(0), bare(1, N=5e6, schedule='constant', unannealed=1000)]
    found = trained.set_apart(every)
    self.assertEqual((found.whole, found.tuned), ([0], [0, 1]))
    self.assertIn('1 run was not annealed', found.notes[0])
    alone = trained.set_apart(every[1:])
    self.assertEqual(alone.whole, [0])
    self.assertEmpty(alone.notes)

  def test_tables_have_no_recipe(self):
    made = studies.as_points(studies.design(models=4), [3.0] * 12)
    every = [trained.Trained.of(p) for p in made]
    found = trained.set_apart(every)
    self.assertEqual(found.whole, list(range(12)))


if __name__ == '__main__':
  absltest.main()
