"""Sweeps in another project's table: rows that agree in N and D, tried twice.

Rows of one N and D that differ in how they were trained are a sweep, and the
best recipe counts, with all of its seeds. Rows that differ in their seed alone
are no sweep.
"""

from collections.abc import Callable, Iterable, Sequence
import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.columns import Kind

SAME = 1e-6  # of log N and log D, within which rows agree
ROUNDED = 0.02  # of D, where batches of several sizes round it
MOST_VALUES = 0.5  # of a sweep's rows: more values than that are names
ORDERED = 0.9  # rank correlation with the loss from which a column is an output
CHANCE = 0.01  # how rarely seeds that are counted may look like a sweep

Row = dict[str, str]  # column -> value as `columns.value` has it
Cells = Sequence[Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Lost:
  """Rows that lost to a better recipe.

  Attributes:
    rows: their indices.
    columns: by which they differ from it, as the table names them.
  """

  rows: tuple[int, ...] = ()
  columns: tuple[str, ...] = ()


def lost(
  N: npt.ArrayLike,
  D: npt.ArrayLike,
  loss: npt.ArrayLike,
  extra: Sequence[dict[str, str]],
) -> Lost:
  """Finds the sweeps and what lost in them.

  Args:
    N, D: [n] parameters and tokens.
    loss: [n].
    extra: [n] whatever else the table has of each row, by column.

  Returns:
    Of each N and D all but the recipe of the least mean log loss.

  >>> rates = [{'lr': '1e-3'}, {'lr': '3e-3'}, {'lr': '1e-3'}]
  >>> lost([1e6, 1e6, 2e6], [1e8] * 3, [3.2, 3.1, 3.0], rates)
  Lost(rows=(0,), columns=('lr',))
  """
  N, D, loss = (np.asarray(x, float) for x in (N, D, loss))
  rows = [
    {c: columns.value(text) for c, text in cells.items()} for cells in extra
  ]
  if len(rows) < 2 or not any(rows):
    return Lost()
  every = list(dict.fromkeys(name for row in rows for name in row))
  kinds = {name: columns.kind(name) for name in every}
  cells = _cells(N, D, rows, [c for c in every if kinds[c] == Kind.BATCH])
  log_L = np.log(loss)
  recipe = [
    name
    for name in every
    if kinds[name] in (Kind.RECIPE, Kind.BATCH)
    or (kinds[name] == Kind.UNKNOWN and _is_sweep(name, rows, cells, log_L))
  ]
  out: set[int] = set()
  by: set[str] = set()
  for cell in cells:
    losers, names = _lost_in(cell, rows, recipe, log_L)
    out |= losers
    by |= names
  return Lost(tuple(sorted(out)), tuple(name for name in every if name in by))


def _lost_in(
  cell: Sequence[int],
  rows: Sequence[Row],
  recipe: Iterable[str],
  log_L: np.ndarray,
) -> tuple[set[int], set[str]]:
  """The rows of one N and D that lost, and by which columns."""
  varied = [name for name in recipe if _varies(name, rows, cell)]
  tried: dict[tuple[str, ...], list[int]] = {}
  for i in cell if varied else ():
    key = tuple(rows[i].get(name, '') for name in varied)
    tried.setdefault(key, []).append(i)
  if len(tried) < 2:
    return set(), set()
  best = min(tried, key=lambda key: float(np.mean(log_L[tried[key]])))
  losers = {i for key, found in tried.items() if key != best for i in found}
  names = {
    name
    for key in tried
    for name, mine, other in zip(varied, best, key)
    if mine != other
  }
  return losers, names


def _varies(name: str, rows: Sequence[Row], cell: Iterable[int]) -> bool:
  """Whether a column is known to differ; what is not known agrees with all."""
  return len({rows[i].get(name, '') for i in cell} - {''}) > 1


def _cells(
  N: np.ndarray, D: np.ndarray, rows: Sequence[Row], batches: Sequence[str]
) -> list[list[int]]:
  """Indices of the rows of each N and D that has several.

  Batches of several sizes round D to whole steps: rows whose D is a matter of
  their batch are of one D.
  """
  of_N = labels(np.log(N), SAME)
  exact = labels(np.log(D), SAME)
  rounded = exact
  if batches:
    rounded = labels(np.log(D), float(np.log1p(ROUNDED)))
  near = _grouped(range(len(rows)), lambda i: (of_N[i], rounded[i]))
  out = []
  for cell in near:
    own = _grouped(cell, lambda i: tuple(rows[i].get(c, '') for c in batches))
    rounds = all(len({exact[i] for i in group}) == 1 for group in own)
    out += [cell] if rounds else _grouped(cell, lambda i: (exact[i],))
  return [cell for cell in out if len(cell) > 1]


def labels(x: np.ndarray, tolerance: float) -> np.ndarray:
  """[n] the rank of each x among those that differ by more than a tolerance."""
  order = np.argsort(x, kind='stable')
  steps = np.diff(x[order], prepend=x[order[:1]]) > tolerance
  out = np.empty(len(x), int)
  out[order] = np.cumsum(steps)
  return out


def _grouped(
  indices: Iterable[int], key: Callable[[int], tuple]
) -> list[list[int]]:
  groups: dict[tuple, list[int]] = {}
  for i in indices:
    groups.setdefault(key(i), []).append(i)
  return list(groups.values())


def _is_sweep(
  name: str, rows: Sequence[Row], cells: Cells, log_L: np.ndarray
) -> bool:
  """Whether the values of a column whose name tells nothing are a recipe.

  They are few and come again in other cells, and the loss does not order them.
  0, 1, 2 may count seeds: then they have to matter, too.
  """
  varied = [cell for cell in cells if _varies(name, rows, cell)]
  in_cells: dict[str, set[int]] = {}
  for c, cell in enumerate(varied):
    for i in cell:
      in_cells.setdefault(rows[i].get(name, ''), set()).add(c)
  in_cells.pop('', None)
  known = [i for cell in varied for i in cell if rows[i].get(name, '')]
  if not known or len(in_cells) > MOST_VALUES * len(known):
    return False
  again = [value for value, found in in_cells.items() if len(found) > 1]
  if len(again) <= len(in_cells) / 2:
    return False
  everywhere = [i for i, row in enumerate(rows) if row.get(name, '')]
  values = [rows[i][name] for i in everywhere]
  if _is_output(values, log_L[everywhere]):
    return False
  return not _counts(set(in_cells)) or _matters(name, rows, varied, log_L)


def _is_output(values: Sequence[str], log_L: np.ndarray) -> bool:
  """Whether numbers go with the loss from row to row."""
  x = np.array([columns.as_number(value) for value in values])
  if not np.isfinite(x).all():
    return False
  one, other = _ranks(x), _ranks(log_L)
  if not np.ptp(one) or not np.ptp(other):
    return False
  return bool(abs(np.corrcoef(one, other)[0, 1]) > ORDERED)


def _ranks(x: np.ndarray) -> np.ndarray:
  """[n] ranks; equal values have their mean."""
  _, index = np.unique(x, return_inverse=True)
  size = np.bincount(index.ravel())
  return (np.cumsum(size) - (size - 1) / 2)[index.ravel()]


def _counts(values: Iterable[str]) -> bool:
  """Whether values could count seeds: whole numbers from 0 or 1 on."""
  x = sorted(columns.as_number(value) for value in values)
  return x in ([*range(len(x))], [*range(1, len(x) + 1)])


def _matters(
  name: str, rows: Sequence[Row], cells: Cells, log_L: np.ndarray
) -> bool:
  """Whether a column explains how losses differ within cells: an F-test."""
  index = [i for cell in cells for i in cell if rows[i].get(name, '')]
  of_cell = {i: c for c, cell in enumerate(cells) for i in cell}
  kinds = sorted({rows[i][name] for i in index})
  by_cell = np.array([of_cell[i] for i in index])
  by_value = np.array([kinds.index(rows[i][name]) for i in index])
  # Within cells: what differs from the mean of each.
  y = _within(log_L[index][:, None], by_cell)[:, 0]
  x = _within(np.eye(len(kinds))[by_value], by_cell)
  more = int(np.linalg.matrix_rank(x))
  dof = len(y) - len(cells) - more
  if dof < 1 or more < 1:
    return False
  before = float(y @ y)
  after = float(np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2))
  if after <= 1e-12 * before:
    return before > 0
  return bool(
    special.fdtrc(more, dof, (before - after) / more / (after / dof)) < CHANCE
  )


def _within(x: np.ndarray, cell: np.ndarray) -> np.ndarray:
  """[n, k] less the mean of each cell [n]."""
  count = np.bincount(cell)[:, None]
  sums = np.stack([np.bincount(cell, column) for column in x.T], axis=-1)
  return x - (sums / np.maximum(count, 1))[cell]
