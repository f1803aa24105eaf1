"""benchmarks/coverage.py: its studies, and what it keeps of them."""

import pathlib

from absl.testing import absltest
import numpy as np

from benchmarks import coverage_records
from benchmarks import coverage_studies
from benchmarks.coverage_records import Record
from benchmarks.coverage_records import Share
from benchmarks.coverage_records import Stated
from scaling_jax import laws
from scaling_jax.published import BESIROGLU

SETTINGS = {'draws': 4, 'levels': [0.95]}


def record(i, stated=(), **kwargs):
  return Record('a study', i, '3', True, 0.1, list(stated), **kwargs)


def between(low, high, value=1.0, truth=1.0):
  return Stated('E', 0.95, truth, value, low, high)


class StudiesTest(absltest.TestCase):
  def test_each_is_made_again(self):
    keys = set()
    for study in coverage_studies.studies():
      with self.subTest(study.key):
        self.assertNotIn(study.key, keys)
        keys.add(study.key)
        one, again, other = (study.sample(i) for i in (3, 3, 4))
        np.testing.assert_array_equal(one.losses, again.losses)
        self.assertFalse(np.array_equal(one.losses, other.losses))
        self.assertEqual(one.losses.shape, study.design.N.shape)
        self.assertTrue((one.losses > 0).all())
        if study.clean:
          self.assertFalse(one.spoiled.any())

  def test_spoiled_runs_are_high(self):
    for study in coverage_studies.spoiled_runs():
      if study.clean:
        continue
      clean = study.law.loss(study.design.N, study.design.D)
      for i in range(20):
        sample = study.sample(i)
        high = sample.losses / clean > 1.015
        np.testing.assert_array_equal(high, sample.spoiled)

  def test_laws_at_their_base(self):
    N, D = np.array([1e8, 1e9]), np.array([2e9, 2e11])
    C, best = 1e20, BESIROGLU.optimum(1e20)
    for law in (
      laws.Interacting(*BESIROGLU, k=1.0),
      coverage_studies.ExponentOfN(0.0),
    ):
      np.testing.assert_allclose(law.loss(N, D), BESIROGLU.loss(N, D))
      self.assertAlmostEqual(law.optimum(C).N / best.N, 1, places=5)
    interaction = laws.Interacting(*BESIROGLU, k=0.7)
    slope = np.log(interaction.optimum(1e22).N / interaction.optimum(C).N)
    self.assertAlmostEqual(
      slope / np.log(100), interaction.exponent_N, places=5
    )


class RecordsTest(absltest.TestCase):
  def test_a_run_that_was_cut_off_goes_on(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'out.jsonl'
    records = coverage_records.Records(str(path), SETTINGS)
    kept = record(0, [between(0.5, np.inf), between(0.5, 2.0, np.nan)])
    records.add(kept)
    records.add(record(1))
    path.write_text(path.read_text()[:-5])
    again = coverage_records.Records(str(path), SETTINGS)
    self.assertEqual([x.key for x in again.all], [kept.key])
    self.assertEqual(again.all[0].stated[0], kept.stated[0])
    again.add(record(1))
    self.assertLen(coverage_records.read(str(path)), 2)
    with self.assertRaisesRegex(ValueError, 'another --out'):
      coverage_records.Records(str(path), {**SETTINGS, 'draws': 5})

  def test_shares(self):
    found = Share.of([
      between(0.5, 1.5),
      between(1.1, 1.2),
      between(0.9, np.inf),
      between(*3 * (np.nan,)),
    ])  # fmt: skip
    assert found is not None
    np.testing.assert_allclose(found, (2 / 3, 0.55, 1 / 3, 1 / 4, 3))
    self.assertEqual(str(found), '66.7 (0.55, 33% open, 25% none)')
    self.assertIsNone(Share.of([between(0, 2), *3 * [between(0, 2, np.nan)]]))

  def test_tables(self):
    records = [
      record(0, [between(0, 2)], runs=5, outliers=[1, 3], spoiled=[3]),
      record(1, [between(2, 3)], runs=5, spoiled=[0], rejected=True),
    ]
    held = coverage_records.held_table(records, 0.95)
    self.assertIn('| a study | 50.0 (1.5) |', held)
    runs = coverage_records.runs_table(records)
    self.assertIn('| a study | 2 | 100.0 | 125.00 | 50.0 | 100.0 |', runs)


if __name__ == '__main__':
  absltest.main()
