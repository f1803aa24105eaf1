"""Units and identities: what N, D and C can't be together, and what they can."""

import itertools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import identities
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.study.fits import fit_chinchilla
from scaling_jax.errors import UserError
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import BUDGET
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import C
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase
from tests.analysis.runs.test_understand import by_flag

UNITS_OF_C = ('', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP', '1e21', 'PF-days')


def scaled(n='', d='', c=None):
  """The runs, with sizes in units that nobody states."""

  def of(unit):
    return numbers.factor(unit)

  out = {'N': N / of(n), 'D': D / of(d), 'loss': LOSS}
  return out if c is None else out | {'C': C / of(c)}


class UnitsTest(ShapesCase):
  @parameterized.parameters(
    *(x for x in itertools.product(('', 'M', 'B'), ('', 'M', 'B'), UNITS_OF_C)
      if any(x))
  )  # fmt: skip
  def test_the_unit_that_is_named_is_right(self, n, d, c):
    df = scaled(n, d, c)
    kind, value = shapes_case.flag(self.refused(df, '--units='))
    self.assertEqual(kind, 'units')
    runs = Runs.from_dataframe(df, **by_flag(kind, value))
    self.assert_same(runs)
    np.testing.assert_allclose(runs.C, C, 1e-9)

  @parameterized.parameters(('', 'B'), ('B', ''), ('M', 'B'), ('B', 'B'))
  def test_without_C(self, n, d):
    df = scaled(n, d)
    kind, value = shapes_case.flag(
      self.refused(df, 'no sizes of language models')
    )
    self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))

  def test_a_name_that_states_a_wrong_unit(self):
    for df in (
      {'params_M': N, 'D': D, 'C': C, 'loss': LOSS},
      {'params_M': N / 1e9, 'D': D, 'C': C, 'loss': LOSS},
      {'N': N, 'tokens (M)': D / 1e9, 'C': C, 'loss': LOSS},
      {'N': N, 'D': D, 'GFLOPs': C, 'loss': LOSS},
      {'N': N / 1e6, 'Tokens (B)': D / 1e9, 'C': C, 'loss': LOSS},
    ):  # fmt: skip
      kind, value = shapes_case.flag(self.refused(df))
      self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))

  def test_as_they_are(self):
    df = {'N': N * 8, 'D': D, 'C': C, 'loss': LOSS}
    message = self.refused(df, 'experts')
    kind, value = shapes_case.flag(message)
    self.assertEqual((kind, value), ('include', 'inconsistent'))
    runs = Runs.from_dataframe(df, include=['inconsistent'])
    np.testing.assert_array_equal(runs.N, N * 8)

  @parameterized.parameters(*np.unique(BUDGET).tolist())
  def test_one_budget_in_another_unit(self, budget):
    other = budget == BUDGET
    for name, scale in (('N', 1e6), ('D', 1e9), ('C', 1e9)):
      for sizes in ('NDC', 'ND', 'NC', 'DC'):
        df = {'N': N, 'D': D, 'C': C}
        df[name] = np.where(other, df[name] / scale, df[name])
        if name in sizes:
          runs = Runs.from_dataframe({s: df[s] for s in sizes} | {'loss': LOSS})
          self.assertEqual(self.kinds(runs), {'inconsistent': 7}, (name, sizes))
          np.testing.assert_allclose(runs.loss, LOSS[~other])


class RowsTest(ShapesCase):
  def of_C(self, compute, **changes):
    return Runs.from_dataframe(shapes_case.columns(C=compute) | changes)

  def test_every_way_of_counting_is_smooth(self):
    x = np.log(N / N.min()) / np.log(N.max() / N.min())
    for ratio in (
      np.ones(28), np.full(28, 0.75), np.full(28, 3.5), 2.4 - 0.8 * x,
      1 + 1.4 * (N.min() / N) ** 0.35, 1 + 2 * np.exp(-3 * x), 0.8 + 0.2 * x,
    ):  # fmt: skip
      runs = self.of_C(C * ratio)
      self.assertEmpty(runs.excluded)
      self.assert_same(runs)

  def test_rounding_and_noise_are_no_jumps(self):
    for digits in (1, 2, 3):
      rounded = [float(f'{x:.{digits}e}') for x in C]
      self.assertEmpty(self.of_C(rounded).excluded)
    for seed in range(20):
      noise = np.exp(0.05 * np.random.default_rng(seed).normal(size=(2, 28)))
      runs = self.of_C(BUDGET * noise[0], N=N * noise[1])
      self.assertEmpty(runs.excluded, seed)

  def test_a_budget_beside_the_tokens_of_a_run_that_stopped(self):
    for stopped in ([5], [5, 13], [2, 9, 20]):
      less = np.where(np.isin(np.arange(28), stopped), 0.6, 1.0)
      runs = self.of_C(C, D=D * less)
      self.assertEqual(
        [one.run_id for one in runs.excluded], [f'run {i}' for i in stopped]
      )
      for one in runs.excluded:
        self.assertIn('1.67 times 6ND', one.reason)
      runs = Runs.from_dataframe(
        shapes_case.columns(C=C, D=D * less), include=['inconsistent']
      )
      self.assertLen(runs, 28)

  def test_single_rows(self):
    for name, scale in (('N', 10), ('N', 1e-6), ('D', 1e-9), ('C', 1e3)):
      df = shapes_case.columns(C=C)
      df[name] = np.where(np.arange(28) == 11, df[name] * scale, df[name])
      runs = Runs.from_dataframe(df)
      (out,) = runs.excluded
      self.assertEqual((out.run_id, str(out.kind)), ('run 11', 'inconsistent'))
      self.assertIn('row 11', out.reason)

  def test_many_jumps_are_noted(self):
    ratio = np.where(np.arange(28) % 3, 1.0, 1.5)
    runs = self.of_C(C * ratio)
    self.assertEmpty(runs.excluded)
    self.assertIn('C / 6ND of', runs.notes[0])

  def test_tiny_and_huge_models_are_none(self):
    for n, d in (([768, 1e5, 1e9], [1e7, 1e8, 2e10]), ([1e5, 2e5], [1e7, 1e7]),
                 ([7e10, 4e11, 1e12], [1.5e13] * 3)):  # fmt: skip
      runs = Runs.from_dataframe({'N': n, 'D': d, 'loss': [3.0] * len(n)})
      self.assertLen(runs, len(n))


class ArraysTest(absltest.TestCase):
  def test_arrays_in_millions_are_refused(self):
    N = np.geomspace(20, 1000, 8)
    D = N / 50
    for n, d, told in (
      (N, D, 'N by 1e\\+06 and D by 1e\\+09'), (1e6 * N, D, 'D by 1e\\+09'),
    ):  # fmt: skip
      with self.assertRaisesRegex(UserError, told):
        fit_chinchilla(n, d, np.linspace(3, 4, 8))
    identities.must_be_sizes(1e6 * N, 1e9 * D)


if __name__ == '__main__':
  absltest.main()
