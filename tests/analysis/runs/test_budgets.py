"""Which runs share a budget, by hand and with scatter."""

import itertools
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs.table import Runs


class GroupTest(parameterized.TestCase):
  @parameterized.parameters(
    ([], []),
    ([5e18], [[0]]),
    ([6e14, 6e13, 6e14, 3e14, 6e13], [[1, 4], [3], [0, 2]]),
    # Whole steps make C differ in its third digit.
    ([1.004e18, 1e19, 1e18, 1.009e19, 1.008e18], [[2, 0, 4], [1, 3]]),
    ([1e18, 2e18, 4e18, 8e18], [[0], [1], [2], [3]]),
  )
  def test_by_hand(self, C, groups):
    self.assertEqual(budgets.group(C), groups)

  def test_tolerance(self):
    C = [1e18, 1e18, 1.1e18, 1.1e18, 1.1e18]
    self.assertEqual(budgets.group(C), [[0, 1], [2, 3, 4]])
    together = budgets.group(C, tolerance=0.11)
    self.assertEqual(together, [[0, 1, 2, 3, 4]])

  def test_scatter_of_some_per_cent(self):
    for seed, runs in itertools.product(range(20), (3, 5, 15)):
      random = np.random.default_rng(seed)
      asked = np.repeat([1e18, 2e18, 4e18, 8e18], runs)
      C = asked * np.exp(random.uniform(-0.05, 0.05, asked.size))
      groups = budgets.group(C)
      with self.subTest(seed=seed, runs=runs):
        self.assertEqual(
          [sorted(group) for group in groups],
          [list(range(i, i + runs)) for i in range(0, 4 * runs, runs)],
        )

  def test_runs_everywhere_are_cut(self):
    C = np.exp(np.arange(0, 2, 0.01))
    groups = budgets.group(C)
    self.assertEqual(list(itertools.chain(*groups)), list(range(200)))
    for group in groups:
      self.assertLessEqual(C[group[-1]] / C[group[0]], math.exp(0.2) + 1e-9)
      self.assertGreater(len(group), 5)


class GroupingTest(parameterized.TestCase):
  @parameterized.parameters(
    # A budget that was not finished is one; runs everywhere are none.
    ([5, 5, 2], [5, 5, 2], 0),
    ([2, 2], [2, 2], 0),
    ([5, 5, 1, 1, 2], [5, 5], 4),
    ([1, 1, 1, 1], [], 4),
  )
  def test_groups_and_runs_alone(self, sizes, groups, alone):
    C = [1e14 * 2**i for i, size in enumerate(sizes) for _ in range(size)]
    N = [1e5 * (1 + j) for size in sizes for j in range(size)]
    D = np.array(C) / (6 * np.array(N))
    loss = 3 + np.arange(len(C)) / 100
    runs = Runs.from_columns(C=C, N=N, D=D, loss=loss)
    found = budgets.isoflop_groups(runs)
    self.assertEqual([len(group) for group in found.groups], groups)
    self.assertLen(found.alone, alone)
    self.assertEqual(found.n_budgets, len(groups) + alone)
    self.assertLen(found.budget_of, len(runs))
    for i, budget in enumerate(found.budget_of):
      if budget is None:
        self.assertIn(i, found.alone)
      else:
        self.assertIn(i, found.groups[budget])

  def test_a_grid_in_N_and_D_has_no_budgets(self):
    rng = np.random.default_rng(0)
    sizes = [0.6, 1.1, 2.4, 4.4, 8.9, 15, 27, 44, 81]
    for name, N, D in (
      ('ratios', 1.7 ** np.arange(10), 2.3 ** np.arange(10)),
      ('dense', 1.2 ** np.arange(20), 1.25 ** np.arange(20)),
      ('real sizes', np.array(sizes), 2.0 ** np.arange(8)),
    ):
      N, D = (x.ravel() for x in np.meshgrid(N, D))
      self.none(name, N, D)
    self.none('anywhere', *np.exp(rng.uniform(0, 6, (2, 150))))

  def none(self, name, N, D):
    C = 1e15 * N * D
    crowded = [g for g in budgets.group(C) if len(np.unique(N[g])) >= 3]
    found = budgets.grouping_of(C, N)
    with self.subTest(name):
      self.assertNotEmpty(crowded)
      self.assertEmpty(found.groups)
      self.assertLen(found.alone, len(C))

  def test_budgets_beside_a_grid_are_found(self):
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(0, 6, (2, 100)))
    own = np.exp(rng.uniform(0, 6, 14))
    C = np.append(N * D, np.repeat([30.0, 900.0], 7))
    found = budgets.grouping_of(C, np.append(N, own))
    self.assertLen(found.groups, 2)
    for i, group in enumerate(found.groups):
      self.assertContainsSubset(range(100 + 7 * i, 107 + 7 * i), group)
      self.assertLess(len(group), 10)

  def test_a_grid_of_doublings_shares_its_compute(self):
    N, D = (x.ravel() for x in np.meshgrid(2.0 ** np.arange(5), [1, 2, 4, 8]))
    found = budgets.grouping_of(N * D, N)
    self.assertLen([g for g in found.groups if len(g) >= 3], 4)

  def test_as_the_fit_takes_them(self):
    N, D = [1e4, 2e4, 4e4], [1e14 / 6e4, 4e14 / 12e4, 1.01e14 / 24e4]
    runs = Runs.from_columns(C=[1e14, 4e14, 1.01e14], N=N, D=D, loss=[7, 8, 9])
    first, second = budgets.groups_of(runs, [[0, 2], [1]])
    self.assertAlmostEqual(first.C / math.sqrt(1.01e28), 1)
    self.assertEqual(
      (first.N.tolist(), first.D.tolist(), first.loss.tolist()),
      ([1e4, 4e4], [D[0], D[2]], [7, 9]),
    )
    self.assertAlmostEqual(second.C / 4e14, 1)
    self.assertEqual(second.N.tolist(), [2e4])


if __name__ == '__main__':
  absltest.main()
