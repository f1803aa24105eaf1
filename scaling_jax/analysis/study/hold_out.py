"""The largest budget predicted from the others: an extrapolation with a check."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import study as messages
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study.results import HeldOutOptimum
from scaling_jax.analysis.study.results import HeldOutRun
from scaling_jax.analysis.study.results import HoldOut
from scaling_jax.analysis.study.results import Options

MIN_BUDGETS = 3


def test(
  runs: table.Runs,
  groups: Sequence[Sequence[int]],
  full: isoflop.IsoflopFit,
  options: Options,
) -> HoldOut:
  """Fits all budgets but the largest and predicts what that one showed.

  Args:
    runs: those that count for Hoffmann's laws.
    groups: their indices by budget, in the order of C.
    full: approach 2 on all budgets, whose last minimum is the actual one.
    options: draws and solver.

  Returns:
    A loss is predicted with the residual of a run: its interval is one for a
    run and not for the law alone.
  """
  N, C = runs.N, runs.C
  usable = [list(g) for g in groups if len(set(N[list(g)])) >= 3]
  if len(usable) < MIN_BUDGETS:
    return HoldOut(
      status=Status.TOO_FEW_POINTS,
      message=messages.too_few_budgets(len(usable)),
    )
  held = usable[-1]
  # A run beside the held-out budget would make this an interpolation.
  last = max(C[i] for i in usable[-2])
  rest = runs.take(np.flatnonzero(last >= C).tolist())
  fitted = chinchilla.fit(
    rest.N,
    rest.D,
    rest.loss,
    C=rest.C,
    n_budgets=len(usable) - 1,
    **options.of_chinchilla(rest.run_ids),
  )
  at = float(np.exp(np.mean([np.log(C[i]) for i in held])))
  actual = min(full.budgets, key=lambda b: abs(np.log(b.C / at)))
  seed = options.bootstrap.seed + 1
  own = tuple(_held_out_run(runs, i, fitted, seed + i) for i in held)
  optima = (
    _by_isoflop(runs, usable[:-1], fitted, at, options.bootstrap),
    _by_law(fitted, actual),
  )
  known = _N_opt(actual)
  status, message = Status.OK, ''
  if all(run.inside(options.level) is None for run in own):
    status, message = fitted.status, messages.without_largest(fitted.message)
  return HoldOut(
    status=status,
    message=message,
    C=at,
    ahead=at / float(np.max(rest.C)),
    runs=own,
    optima=tuple(dataclasses.replace(o, actual=known) for o in optima),
  )


def _held_out_run(
  runs: table.Runs,
  i: int,
  fitted: chinchilla.ChinchillaFit,
  seed: int,
) -> HeldOutRun:
  N, D, loss = float(runs.N[i]), float(runs.D[i]), float(runs.loss[i])
  predicted = Estimate()
  if fitted.ok:
    drawn = None
    count = len(fitted.param_draws)
    if count:
      own = fitted.own_draws(np.asarray(D), seed)
      drawn = fitted.draws.loss(N, D) * np.exp(own)
    predicted = Estimate(float(fitted.law.loss(N, D)), drawn)
  return HeldOutRun(
    run_id=runs[i].run_id, N=N, actual=loss, predicted=predicted
  )


def _by_isoflop(
  runs: table.Runs,
  groups: Sequence[Sequence[int]],
  fitted: chinchilla.ChinchillaFit,
  C: float,
  draws: bootstrap.Bootstrap,
) -> HeldOutOptimum:
  found = isoflop.fit(
    budgets.groups_of(runs, groups),
    law=fitted.law if fitted.ok else None,
    bootstrap=draws,
  )
  return HeldOutOptimum(
    approach='isoflop',
    status=found.status,
    message=found.message,
    predicted=found.N_opt.estimate_at(C) if found.ok else Estimate(),
    actual=Estimate(),
  )


def _by_law(
  fitted: chinchilla.ChinchillaFit, actual: isoflop.IsoflopBudget
) -> HeldOutOptimum:
  predicted = Estimate()
  if fitted.ok:
    slope, at_zero = actual.token_line()
    value = float(fitted.law.log_N_opt(at_zero, slope))
    drawn = fitted.draws.log_N_opt(at_zero, slope)
    predicted = Estimate(value, np.asarray(drawn), log=True)
  return HeldOutOptimum(
    approach='chinchilla',
    status=fitted.status,
    message=fitted.message,
    predicted=predicted,
    actual=Estimate(),
  )


def _N_opt(budget: isoflop.IsoflopBudget) -> Estimate:
  if not budget.counts or budget.curve is None:
    return Estimate()
  return budget.estimates()['N_opt']
