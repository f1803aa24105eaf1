"""The exponent of N_opt under each way to count parameters and FLOPs.

Kaplan left embeddings uncounted, Hoffmann did not; some count 6 N D, some every
matrix product. On small models this moves the exponent more than noise does
(Porian et al. 2024, arXiv 2406.19146; Pearce and Song 2024, arXiv 2406.12907).
"""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study.results import CountingEffect
from scaling_jax.analysis.study.results import Options

_SAME = 0.01  # counts of C that differ by less, relative, are one


def compare(
  runs: table.Runs,
  grouping: budgets.Grouping,
  fitted: chinchilla.ChinchillaFit,
  options: Options,
  isoflops: isoflop.IsoflopFit | None = None,
) -> tuple[CountingEffect, ...]:
  """Approach 2's and 3's exponent of N_opt under each way of counting.

  Args:
    runs: those that count for Hoffmann's laws, each with its counts.
    grouping: their budgets.
    fitted: approach 3 on the runs' own N.
    options: draws and solver.
    isoflops: approach 2 on the runs' own N and C, whose exponent is stated as
      it is and not computed again; None to fit it here.

  Returns:
    Empty where no way gives an exponent.
  """
  groups = budgets.keeping(grouping.groups, fitted.counted)
  if not groups:
    return ()
  by_N = {tuple(runs.N): fitted}
  out = []
  for name in runs.counts[0]:
    if not all(name in counts for counts in runs.counts):
      continue
    N, C = np.array([counts[name] for counts in runs.counts], float).T
    if tuple(N) not in by_N:
      by_N[tuple(N)] = chinchilla.fit(
        N,
        runs.D,
        runs.loss,
        n_budgets=grouping.n_budgets,
        **options.of_chinchilla(runs.run_ids),
      )
    law = by_N[tuple(N)]
    counted = _Counted(C, N, runs.D, runs.loss)
    own = np.array_equal(N, runs.N) and np.allclose(C, runs.C, rtol=_SAME)
    if own and isoflops is not None:
      by_isoflop = _given(isoflops)
    else:
      by_isoflop = _by_isoflop(counted, groups, law, options.bootstrap)
    out.append(
      CountingEffect(
        name=name,
        isoflop=by_isoflop,
        chinchilla=_by_law(counted, law),
      )
    )
  found = [e for one in out for e in (one.isoflop, one.chinchilla)]
  return tuple(out) if any(np.isfinite(e.value) for e in found) else ()


class _Counted(NamedTuple):
  """Runs [n] in one way of counting."""

  C: np.ndarray
  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray


def _by_law(counted: _Counted, found: chinchilla.ChinchillaFit) -> Estimate:
  if not found.ok:
    return Estimate()
  # The fit may be shared by ways that count C, but not N, differently.
  own = dataclasses.replace(found, C=counted.C)
  return own.estimates()['exponent_N']


def _given(found: isoflop.IsoflopFit) -> Estimate:
  """Approach 2's own exponent; none where it states none."""
  return (
    found.estimates()['exponent_N']
    if found.N_opt.line is not None
    else Estimate()
  )


def _by_isoflop(
  counted: _Counted,
  groups: Sequence[Sequence[int]],
  law: chinchilla.ChinchillaFit,
  draws: Bootstrap,
) -> Estimate:
  """The slope of log N_opt against log C, each budget's C read at its optimum.

  Runs of one asked-for budget spend differing FLOPs once more is counted than
  6 N D; within a budget log C is close to linear in log N. The draws of a
  minimum are as wide as the minima scatter, which `isoflop.fit` sees to.
  """
  made = isoflop.Group.of(*counted, groups)
  order = np.argsort([group.C for group in made])
  found = isoflop.fit(made, law=law.law if law.ok else None, bootstrap=draws)
  log_N, log_C, drawn_N, drawn_C, bias = [], [], [], [], []
  for budget, g in zip(found.budgets, (np.asarray(groups[i]) for i in order)):
    if not budget.counts or budget.curve is None:
      continue
    line = np.polyfit(np.log(counted.N[g]), np.log(counted.C[g]), 1)
    minimum = budget.minimum()[0]
    log_N.append(minimum)
    log_C.append(np.polyval(line, minimum))
    bias.append(budget.bias[0] if budget.bias else np.nan)
    if budget.draws is not None:
      drawn_N.append(budget.draws.log_N)
      drawn_C.append(np.polyval(line, drawn_N[-1]))
  if len(log_N) < 2:
    return Estimate()
  drawn = None
  if len(drawn_N) == len(log_N):
    drawn = power_law.lines(np.stack(drawn_C, -1), np.stack(drawn_N, -1))[:, 0]
  x = np.array(log_C)
  exponent, predicted = power_law.lines(x, np.array([log_N, bias]))[:, 0]
  # Where a budget's bias is not predicted, neither is the exponent's.
  known = np.isfinite(bias).all()
  return Estimate(
    float(exponent), drawn, bias=float(predicted) if known else None
  )
