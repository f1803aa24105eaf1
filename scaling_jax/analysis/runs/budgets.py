"""Which runs spent the same compute: the budgets of approach 2."""

from collections.abc import Sequence
import dataclasses
import math

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting.isoflop_budget import Group
from scaling_jax.analysis.runs.table import Runs

MIN_MODELS = 3  # of different N: fewer show no minimum
_APART = 3  # spans of a group that the gaps beside it hold
_EXACT = 1e-3  # the tolerance for a budget among runs of any C
_BESIDE = 0.5  # of log C, on either side of a group
_CHANCE = 0.01  # groups that chance makes, below which one is no chance


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grouping:
  """The isoFLOP budgets of runs.

  Attributes:
    groups: indices of the runs of each budget, in the order of C.
    alone: indices of the runs that belong to none.
  """

  groups: tuple[tuple[int, ...], ...] = ()
  alone: tuple[int, ...] = ()

  @property
  def n_budgets(self) -> int:
    """How many FLOP counts there are, a run alone being one of its own."""
    return len(self.groups) + len(self.alone)

  @property
  def n_runs(self) -> int:
    return sum(map(len, self.groups)) + len(self.alone)

  @property
  def budget_of(self) -> tuple[int | None, ...]:
    """[n] the index of each run's budget; None for those that are alone."""
    found = {i: b for b, group in enumerate(self.groups) for i in group}
    return tuple(found.get(i) for i in range(self.n_runs))


def group(C: npt.ArrayLike, tolerance: float = 0.02) -> list[list[int]]:
  """Groups runs that spent about the same compute.

  In the order of log C, runs are cut apart at the widest gap, and the parts
  again, until no part spans more than ten tolerances or holds a gap wider than
  `tolerance`. That is all where budgets are stated. Where C was computed or
  read off a plot it scatters by some per cent, which shows in the median gap,
  and two things more hold a part together: gaps up to four times the median, at
  most two tolerances, since most gaps are the small ones within a budget; and
  to stand apart, with the gaps beside it wider than the whole of it.

  Runs between two budgets make small groups of their own. No run is dropped, so
  count a group's different N before fitting a curve.

  Args:
    C: [n] FLOPs, in any order.
    tolerance: the relative difference in C within which neighbours belong
      together.

  Returns:
    Indices into C, group by group and within a group in the order of C.

  >>> group([6e14, 6e13, 6e14, 3e14, 6.01e13])
  [[1, 4], [3], [0, 2]]
  """
  log_C = np.log(np.asarray(C, float))
  order = np.argsort(log_C, kind='stable')
  gaps = np.diff(log_C[order])
  typical = float(np.median(gaps)) if gaps.size else 0.0
  reach = min(max(math.log1p(tolerance), 4 * typical), 2 * tolerance)
  scattered = typical > tolerance / 10
  # The gap before each run, and one after the last.
  walls = np.concatenate([[np.inf], gaps, [np.inf]])
  groups, waiting = [], [(0, order.size)] if order.size else []
  while waiting:
    start, stop = waiting.pop()
    inner = walls[start + 1 : stop]
    span = inner.sum()
    near = inner.max(initial=0.0) <= reach
    apart = scattered and span < min(walls[start], walls[stop])
    if span <= 10 * tolerance and (near or apart):
      groups.append([int(i) for i in order[start:stop]])
      continue
    # Of gaps that are equal, the one nearest to the middle.
    off_middle = np.abs(np.arange(inner.size) - (inner.size - 1) / 2)
    cut = start + 1 + int(np.lexsort((off_middle, -np.round(inner, 9)))[0])
    waiting += [(cut, stop), (start, cut)]
  return groups


def isoflop_groups(runs: Runs) -> Grouping:
  """The budgets, and the runs that belong to none.

  Runs at FLOP counts of their own are no budgets that lack models, unless most
  groups are of three models or more, or there are few: then someone did not
  finish a budget, and should learn of it.

  >>> runs = Runs.from_columns(
  ...   C=[6e15] * 3 + [24e15] * 3, N=[1e6, 2e6, 4e6, 2e6, 4e6, 8e6],
  ...   D=[1e9, 5e8, 25e7, 2e9, 1e9, 5e8], loss=[3.1, 3, 3.1, 2.9, 2.8, 2.9],
  ... )
  >>> isoflop_groups(runs)
  Grouping(groups=((0, 1, 2), (3, 4, 5)), alone=())
  """
  return grouping_of(runs.C, runs.N)


def grouping_of(C: npt.ArrayLike, N: npt.ArrayLike) -> Grouping:
  """The same of runs [n] that spent C on models of N parameters.

  Runs of a grid in N and D spend whatever they spend, and some happen to spend
  about the same. Where fewer than half of the runs lie in groups that stand
  apart, a group is a budget only if chance would hardly make one so dense.
  """
  C, N = np.asarray(C, float), np.asarray(N)
  groups = group(C)
  small = [g for g in groups if len(np.unique(N[g])) < MIN_MODELS]
  large = [g for g in groups if g not in small]
  if not _planned(C, large):
    # Runs of exactly one C, among others that spent about as much.
    exact = [g for g in group(C, _EXACT) if len(np.unique(N[g])) >= MIN_MODELS]
    dense = _dense(C, N, exact)
    taken = {i for g in dense for i in g}
    dense += _dense(C, N, [g for g in large if taken.isdisjoint(g)])
    taken = {i for g in dense for i in g}
    return Grouping(
      groups=tuple(sorted(map(tuple, dense), key=lambda g: C[g[0]])),
      alone=tuple(i for g in groups for i in g if i not in taken),
    )
  if len(small) <= max(2, len(groups) // 4):
    return Grouping(groups=tuple(map(tuple, groups)))
  return Grouping(
    groups=tuple(map(tuple, large)),
    alone=tuple(i for g in small for i in g),
  )


def _planned(C: np.ndarray, large: Sequence[Sequence[int]]) -> bool:
  """Whether half of the runs [n] lie in `large` groups that stand apart.

  Such a group spans a third at most of the gap to the next run on either side.
  With no such group at all there is nothing to doubt.
  """
  log_C = np.sort(np.log(C))
  inside = 0
  for one in large:
    low, high = np.log(C[one[0]]), np.log(C[one[-1]])
    gaps = [low - log_C[log_C < low].max(initial=-np.inf)]
    gaps.append(log_C[log_C > high].min(initial=np.inf) - high)
    inside += len(one) * (_APART * (high - low) <= min(gaps))
  return not large or 2 * inside >= len(C)


def _dense(
  C: np.ndarray, N: np.ndarray, large: Sequence[list[int]]
) -> list[list[int]]:
  """Those of the groups that runs scattered in log C would hardly make.

  Of n runs, r of them a unit of log C, n (r s)^(m - 1) / (m - 1)! groups of m
  within a span s are expected (Naus 1965, J. Am. Stat. Assoc. 60, 532, to first
  order). r is that of all runs, or of those beside the group if it is larger.
  Seeds of one N and C are one run.
  """
  different = np.unique(np.round(np.log(np.stack([C, N], -1)), 6), axis=0)
  log_C, n = different[:, 0], len(different)
  out = []
  for one in large:
    m = len(np.unique(N[one]))
    low, high = np.log(C[one[0]]), np.log(C[one[-1]])
    span = high - low
    beside = (log_C > low - _BESIDE) & (log_C < high + _BESIDE)
    rate = max(n / np.ptp(log_C), (np.sum(beside) - len(one)) / (2 * _BESIDE))
    expected = n * (rate * span) ** (m - 1) / math.factorial(m - 1)
    if expected < _CHANCE:
      out.append(one)
  return out


def keeping(
  groups: Sequence[Sequence[int]], kept: np.ndarray
) -> list[list[int]]:
  """Groups without the runs that are not kept [n]; whole where none is.

  >>> keeping([(0, 1), (2,)], np.array([True, False, False]))
  [[0], [2]]
  """
  return [[i for i in group if kept[i]] or list(group) for group in groups]


def groups_of(runs: Runs, groups: Sequence[Sequence[int]]) -> list[Group]:
  """What `isoflop.fit` takes, of budgets as indices into the runs.

  C of each is the geometric mean of its runs'.
  """
  return Group.of(runs.C, runs.N, runs.D, runs.loss, groups)
