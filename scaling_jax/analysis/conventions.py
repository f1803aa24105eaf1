"""The exponent of N_opt under each way to count parameters and FLOPs.

Kaplan left out the embeddings, Hoffmann did not; some count 6 N D, some every
matrix product. On small models this moves the exponent more than noise does
(Porian et al. 2024; Pearce and Song 2024).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scaling_jax.analysis import content
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.points import Point
from scaling_jax.analysis.uncertainty import estimate


def compare(
  points: Sequence[Point],
  groups: Sequence[Sequence[int]],
  level: float,
  draws: int = 4000,
  method: str = 'auto',
  solver: str = 'auto',
  seed: int = 0,
  fitted: parametric.Parametric | None = None,
) -> list[dict[str, Any]]:
  """Approach 2's and 3's exponent of N_opt under each convention.

  Args:
    points: the runs, with what each convention counts.
    groups: their indices by budget.
    level: of the intervals.
    draws, method, solver, seed: as for `parametric.fit`.
    fitted: approach 3 on the points' own N, if that is known already.
  """
  if not groups:
    return []
  common = [
    name for name in points[0].counts if all(name in p.counts for p in points)
  ]
  n_budgets = len(groups) + len(points) - sum(len(g) for g in groups)
  out: list[dict[str, Any]] = []
  by_counts: dict[tuple, parametric.Parametric] = {}
  if fitted is not None:
    by_counts[tuple(rows_lib.columns(points, 'N')[0])] = fitted
  for name in common:
    N, C = np.array([p.counts[name] for p in points]).T
    D, L = rows_lib.columns(points, 'D', 'loss')
    key = tuple(N)
    if key not in by_counts:
      by_counts[key] = parametric.fit(
        N, D, L, n_budgets, draws, method, solver, seed=seed
      )
    law = by_counts[key]
    out.append(
      {
        'name': name,
        'isoflop': _isoflop(N, C, D, L, groups, law, level, draws, seed),
        'parametric': _parametric(law, N, D, C, level),
      }
    )
  known = any(
    row[law]['value'] is not None
    for row in out
    for law in ('isoflop', 'parametric')
  )
  return out if known else []


def _parametric(found, N, D, C, level) -> uncertainty.Estimate:
  if not found.ok:
    return uncertainty.unknown()
  slope = content.cost_line(N, D, C)[0]
  drawn = found.draws
  return estimate(
    parametric.exponent_along(found.law, slope),
    drawn and parametric.exponent_along(drawn, slope),
    level,
  )


def _isoflop(
  N, C, D, L, groups, law, level, draws, seed
) -> uncertainty.Estimate:
  """The slope of log N_opt against log C, each budget's C read at its optimum.

  Runs of one asked-for budget spend differing FLOPs once more is counted than
  6 N D; within a budget log C is close to linear in log N.
  """
  budgets = [
    (float(np.exp(np.mean(np.log(C[g])))), N[g], D[g], L[g])
    for g in map(np.asarray, groups)
  ]
  order = np.argsort([budget[0] for budget in budgets])
  found = isoflop.fit(budgets, law.law if law.ok else None, draws, seed)
  log_N, log_C, drawn_N, drawn_C, bias = [], [], [], [], []
  for budget, g in zip(found.budgets, (groups[i] for i in order)):
    if not budget.counts or budget.parabola is None:
      continue
    line = np.polyfit(np.log(N[g]), np.log(C[g]), 1)
    minimum = float(budget.parabola.minimum()[0])
    log_N.append(minimum)
    log_C.append(np.polyval(line, minimum))
    bias.append(budget.bias[0] if budget.bias else np.nan)
    if budget.draws is not None:
      drawn_N.append(budget.draws.minimum()[0])
      drawn_C.append(np.polyval(line, drawn_N[-1]))
  if len(log_N) < 2:
    return uncertainty.unknown()
  drawn = None
  if len(drawn_N) == len(log_N):
    drawn = isoflop.lines(np.stack(drawn_C, -1), np.stack(drawn_N, -1))[:, 0]
  x = np.array(log_C)
  exponent, foretold = isoflop.lines(x, np.array([log_N, bias]))[:, 0]
  out = estimate(exponent, drawn, level)
  # Where a budget's bias is not foretold, neither is the exponent's.
  return uncertainty.widen(out, foretold if np.isfinite(bias).all() else None)
