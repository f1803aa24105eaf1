"""Seeds of one N and D are one datum: their geometric mean.

Runs that differ by their seed alone share whatever else moves a run of that
size off the law. Taken one by one they would tell of it as often as there are
seeds, and intervals would be too narrow; their mean tells of it once, and how
they scatter tells what more seeds would buy.
"""

from collections.abc import Sequence
import dataclasses

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting.result import ResidualSD

_DIGITS = 6  # of log N and log D, to which runs of one cell agree


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
  """The different (N, D) among runs [n], in the order of their first run.

  Attributes:
    N, D: [k] of each cell.
    loss: [k] the geometric mean of its runs.
    count: [k] its runs.
    index: [n] the cell of each run.
    seed_sd: of log L within cells, pooled; None where every cell has one run.

  >>> cells = Cells.of([1e6, 1e6, 2e6], [1e8, 1e8, 1e8], [4.0, 1.0, 3.0])
  >>> cells.loss.tolist(), cells.count.tolist(), cells.index.tolist()
  ([2.0, 3.0], [2, 1], [0, 0, 1])
  """

  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray
  count: np.ndarray
  index: np.ndarray
  seed_sd: ResidualSD | None

  @classmethod
  def of(
    cls, N: npt.ArrayLike, D: npt.ArrayLike, loss: npt.ArrayLike
  ) -> 'Cells':
    """The cells of runs [n]."""
    N, D, loss = (np.asarray(x, float) for x in (N, D, loss))
    index, first = _cell_of(N, D)
    count = np.bincount(index, minlength=len(first))
    log_L = np.log(loss)
    mean = np.bincount(index, log_L, len(first)) / np.maximum(count, 1)
    # A cell of one run keeps its loss to the last digit.
    one = np.where(count == 1, loss[first], np.exp(mean))
    within = float(np.sum((log_L - mean[index]) ** 2))
    dof = int(np.sum(count - 1))
    seed_sd = ResidualSD(float(np.sqrt(within / dof)), dof) if dof else None
    return cls(N[first], D[first], one, count, index, seed_sd)

  @classmethod
  def each(
    cls, N: npt.ArrayLike, D: npt.ArrayLike, loss: npt.ArrayLike
  ) -> 'Cells':
    """Every run [n] a cell of its own."""
    N, D, loss = (np.asarray(x, float) for x in (N, D, loss))
    n = len(loss)
    return cls(N, D, loss, np.ones(n, int), np.arange(n), None)

  def __len__(self) -> int:
    return len(self.loss)

  @property
  def seeds(self) -> bool:
    """Whether any cell has more than one run."""
    return self.seed_sd is not None


def spread_of_means(
  count: np.ndarray, seed_sd: ResidualSD | None, residual_sd: ResidualSD
) -> np.ndarray | None:
  """[k] how standard deviations of means of `count` [k] seeds differ.

  A mean scatters by its cell's own noise and by that of its seeds, tau² + s²/m;
  tau² is what the seeds leave of the residual variance. None where all are means
  of as many.

  >>> of_means = spread_of_means(
  ...   np.array([1, 4]), ResidualSD(0.02, 9), ResidualSD(0.02, 20)
  ... )
  >>> float((of_means[0] / of_means[1]).round(3))
  1.483
  """
  if seed_sd is None or len(set(count.tolist())) == 1:
    return None
  seeds = seed_sd.sd**2
  own = max(residual_sd.sd**2 - seeds * float(np.mean(1 / count)), 0.0)
  spread = np.sqrt(own + seeds / count)
  return spread / np.exp(np.mean(np.log(spread)))


def pooled_seed_sd(cells: Sequence[Cells]) -> ResidualSD | None:
  """Of the seeds in all of several sets of cells; None where there are none."""
  return ResidualSD.pooled(
    one.seed_sd for one in cells if one.seed_sd is not None
  )


def _cell_of(N: np.ndarray, D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """The cell of each run [n], and the first run of each cell [k]."""
  keys = np.round(np.log(np.stack([N, D], -1)), _DIGITS)
  _, first, inverse = np.unique(
    keys, axis=0, return_index=True, return_inverse=True
  )
  order = np.argsort(first, kind='stable')
  rank = np.empty_like(order)
  rank[order] = np.arange(len(order))
  return rank[inverse.ravel()], first[order]
