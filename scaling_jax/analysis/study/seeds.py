"""How much of the residuals is between seeds of one model and budget."""

import collections

import numpy as np

from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.runs import table


def seed_sd(runs: table.Runs) -> ResidualSD | None:
  """The sd of log L between runs that differ by their seed alone, pooled.

  None where no seeds are repeated.

  >>> from scaling_jax.records import Run
  >>> runs = table.Runs(tuple(
  ...   Run(f'r{i}', C=6e12, N=1e5, D=1e7, val_loss=L, seed=i)
  ...   for i, L in enumerate((2.00, 2.02, 1.98))
  ... ))
  >>> sd, dof = seed_sd(runs)
  >>> round(sd, 4), dof
  (0.01, 2)
  """
  many = [np.log(cell) for cell in _cells(runs) if len(cell) > 1]
  dof = sum(len(cell) - 1 for cell in many)
  if not dof:
    return None
  squares = sum(float(np.sum((cell - cell.mean()) ** 2)) for cell in many)
  return ResidualSD(float(np.sqrt(squares / dof)), dof)


def _cells(runs: table.Runs) -> list[np.ndarray]:
  """Losses of runs that differ by their seed alone."""
  cells: dict[tuple, dict[int, float]] = {}
  counts: collections.Counter[tuple] = collections.Counter()
  for run, loss in zip(runs, runs.loss):
    text = run.text or run.dataset
    alike = (text, run.model, run.C, run.N, run.D, run.S)
    cells.setdefault(alike, {})[run.seed] = float(loss)
    counts[alike] += 1
  # Runs of one seed in one cell differ by something that no column tells.
  return [
    np.array(list(cell.values()))
    for alike, cell in cells.items()
    if len(cell) == counts[alike]
  ]
