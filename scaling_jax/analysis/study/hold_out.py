"""Budgets predicted from those below them: extrapolations with a check."""

from collections.abc import Sequence
import dataclasses

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import study as messages
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study.results import HeldOutOptimum
from scaling_jax.analysis.study.results import HeldOutRun
from scaling_jax.analysis.study.results import HoldOut
from scaling_jax.analysis.study.results import Options

MIN_BUDGETS = 3
DRAWS = 1000  # at most, of the budgets below the largest
_LEAST = 1e-5  # of log L: losses are not predicted better


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
    full: approach 2 on all budgets, whose minima are the actual ones.
    options: draws and solver.

  Returns:
    A loss is predicted with the residual of a run: its interval is one for a
    run and not for the law alone.
  """
  usable = _usable(runs, groups)
  if len(usable) < MIN_BUDGETS:
    return HoldOut(
      status=Status.TOO_FEW_POINTS,
      message=messages.too_few_budgets(len(usable)),
    )
  return _predict(runs, usable, full, options)


def test_earlier(
  runs: table.Runs,
  groups: Sequence[Sequence[int]],
  full: isoflop.IsoflopFit,
  options: Options,
) -> tuple[HoldOut, ...]:
  """Every budget but the largest, predicted from those below it.

  As `test`; in the order of C, from the third on, with DRAWS draws at most.
  """
  usable = _usable(runs, groups)
  draws = min(DRAWS, options.bootstrap.draws)
  fewer = dataclasses.replace(options.bootstrap, draws=draws)
  options = dataclasses.replace(options, bootstrap=fewer)
  return tuple(
    _predict(runs, usable[:count], full, options)
    for count in range(MIN_BUDGETS, len(usable))
  )


def _usable(
  runs: table.Runs, groups: Sequence[Sequence[int]]
) -> list[list[int]]:
  """The budgets with three models or more."""
  return [list(g) for g in groups if len(set(runs.N[list(g)])) >= 3]


def _predict(
  runs: table.Runs,
  usable: Sequence[list[int]],
  full: isoflop.IsoflopFit,
  options: Options,
) -> HoldOut:
  """The last of these budgets from the others."""
  C, held = runs.C, usable[-1]
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
  own = _held_out_runs(runs, held, fitted, seed, float(np.ptp(rest.loss)))
  optima = (
    _by_isoflop(runs, usable[:-1], fitted, at, options.bootstrap),
    _by_law(fitted, actual),
  )
  known = _N_opt(actual)
  tried = float(min(runs.N[held])), float(max(runs.N[held]))
  status, message = Status.OK, ''
  if all(run.inside(options.level) is None for run in own):
    status, message = fitted.status, messages.without_largest(fitted.message)
  return HoldOut(
    status=status,
    message=message,
    C=at,
    ahead=at / float(np.max(rest.C)),
    runs=own,
    optima=tuple(
      dataclasses.replace(o, actual=known, tried=tried) for o in optima
    ),
    p_value=_chance(own, fitted.residual_sd),
  )


def _chance(
  runs: Sequence[HeldOutRun], residual_sd: ResidualSD | None
) -> float:
  """The p-value of the losses' distance from what was predicted of them.

  Mahalanobis' in log L, by the covariance of the draws: F-distributed where the
  law is close to linear in its parameters. Or the share of draws that lie as
  far, where that is more.
  """
  drawn = [
    run.predicted.draws for run in runs if run.predicted.draws is not None
  ]
  if len(drawn) < len(runs) or not drawn or residual_sd is None:
    return np.nan
  n, dof = len(drawn), residual_sd.dof
  X = np.log(np.stack(drawn, axis=-1))
  X = X[np.isfinite(X).all(-1)]
  if len(X) <= 2 * n or dof <= 2:
    return np.nan  # they do not tell a covariance
  y = np.log([run.actual for run in runs])
  noise = _LEAST**2 * np.eye(n)
  covariance = np.atleast_2d(np.cov(X, rowvar=False)) + noise

  def distance(off: np.ndarray) -> np.ndarray:
    return np.sum(off * np.linalg.solve(covariance, off.T).T, axis=-1)

  center = X.mean(0)
  found = distance((y - center)[None])[0]
  farther = float(np.mean(distance(X - center) >= found))
  # Student's draws have dof / (dof - 2) times the variance of the scale's.
  return max(farther, float(special.fdtrc(n, dof, found / n * dof / (dof - 2))))


def _held_out_runs(
  runs: table.Runs,
  held: Sequence[int],
  fitted: chinchilla.ChinchillaFit,
  seed: int,
  span: float,
) -> tuple[HeldOutRun, ...]:
  """Each run and its prediction; redrawn runs share their noise's scale."""
  N, D = runs.N[held], runs.D[held]
  predicted = [Estimate()] * len(held)
  if fitted.ok:
    drawn = [None] * len(held)
    if len(fitted.param_draws):
      laws = [fitted.draws.loss(n, d) for n, d in zip(N, D)]
      drawn = list((np.stack(laws, -1) * np.exp(fitted.own_draws(D, seed))).T)
    predicted = [
      Estimate(float(fitted.law.loss(n, d)), of)
      for n, d, of in zip(N, D, drawn)
    ]
  return tuple(
    HeldOutRun(
      run_id=runs[i].run_id,
      N=float(runs.N[i]),
      actual=float(runs.loss[i]),
      predicted=estimate,
      span=span,
    )
    for i, estimate in zip(held, predicted)
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
