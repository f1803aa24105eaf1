"""The largest budget foretold from the others: an extrapolation with a check."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.points import Point
from scaling_jax.analysis.uncertainty import estimate


def foretell(
  points: Sequence[Point],
  groups: Sequence[Sequence[int]],
  full: isoflop.IsoFlop,
  level: float,
  draws: int,
  method: str,
  solver: str,
  seed: int,
) -> dict[str, Any]:
  """Fits all budgets but the largest and foretells what that one showed.

  Args:
    points: the runs.
    groups: their indices by budget, in the order of C.
    full: approach 2 on all budgets, whose last minimum is the actual one.
    level: of the intervals.
    draws, method, solver, seed: as for `parametric.fit`.

  Returns:
    The part of fits.json named hold_out: a loss is foretold with its noise,
    so that `predicted` is an interval for a run and not for the law alone.
  """
  usable = [g for g in groups if len({points[i].N for i in g}) >= 3]
  if len(usable) < 3:
    return {
      'status': 'too_few_points',
      'sentence': (
        f'{len(usable)} budgets of three models or more: to hold one out,'
        ' three are needed'
      ),
    }
  held = usable[-1]
  # A run beside the held-out budget would make this an interpolation.
  last = max(points[i].C for i in usable[-2])
  rest = [p for p in points if p.C <= last]
  N, D, L = rows_lib.columns(rest, 'N', 'D', 'loss')
  fitted = parametric.fit(
    N, D, L, len(usable) - 1, draws, method, solver, seed=seed
  )
  C = float(np.exp(np.mean([np.log(points[i].C) for i in held])))
  actual = min(full.budgets, key=lambda b: abs(np.log(b.C / C)))
  rng = np.random.default_rng(seed + 1)
  runs = [_foretold_loss(points[i], fitted, level, rng) for i in held]
  optima = [
    _by_isoflop(points, usable[:-1], fitted, C, level, draws, seed),
    _by_law(fitted, actual, level),
  ]
  truth = _actual(actual, level)
  for optimum in optima:
    optimum['actual'] = truth
    optimum['inside'] = overlap(optimum['predicted'], truth)
  ahead = C / max(p.C for p in rest)
  known = [run['inside'] for run in runs if run['inside'] is not None]
  if not known:
    return {
      'status': fitted.status,
      'sentence': f'without the largest budget: {fitted.sentence}',
      'C': C,
      'ahead': ahead,
      'runs': runs,
      'optima': optima,
    }
  return {
    'status': 'ok',
    'sentence': (
      f'{sum(known)} of {len(known)} losses at {C:.3g} FLOPs lie in the'
      f' intervals foretold from the budgets below, the largest of which is'
      f' {ahead:.2g} times smaller'
    ),
    'C': C,
    'ahead': ahead,
    'runs': runs,
    'optima': optima,
  }


def _foretold_loss(point, fitted, level, rng) -> dict[str, Any]:
  out = {'run_id': point.run_id, 'N': point.N, 'actual': point.loss}
  if not fitted.ok:
    return {**out, 'predicted': uncertainty.unknown(), 'inside': None}
  drawn = None
  if fitted.draws is not None:
    spread = uncertainty.noise_draws(rng, len(fitted.draws.E), 1, fitted.noise)[
      :, 0
    ]
    drawn = fitted.draws.loss(point.N, point.D) * np.exp(spread)
  predicted = estimate(fitted.law.loss(point.N, point.D), drawn, level)
  inside = uncertainty.holds(predicted, point.loss)
  return {**out, 'predicted': predicted, 'inside': inside}


def _by_isoflop(points, groups, fitted, C, level, draws, seed):
  out: dict[str, Any] = {'law': 'isoflop', 'predicted': uncertainty.unknown()}
  found = isoflop.fit(
    as_groups(points, groups), fitted.law if fitted.ok else None, draws, seed
  )
  out['status'], out['sentence'] = found.status, found.sentence
  if found.ok:
    out['predicted'] = isoflop.at(found, C, level)[0]
  return out


def _by_law(fitted, actual, level) -> dict[str, Any]:
  out: dict[str, Any] = {
    'law': 'parametric',
    'predicted': uncertainty.unknown(),
    'status': fitted.status,
    'sentence': fitted.sentence,
  }
  if fitted.ok:
    line = actual.token_line()
    drawn = fitted.draws
    out['predicted'] = estimate(
      np.exp(parametric.optimum_along(fitted.law, *line)),
      None if drawn is None else np.exp(parametric.optimum_along(drawn, *line)),
      level,
    )
  return out


def _actual(budget: isoflop.Budget, level: float) -> uncertainty.Estimate:
  if not budget.counts:
    return uncertainty.unknown()
  return isoflop.estimates(budget, level)['N_opt']


def overlap(
  one: uncertainty.Estimate, other: uncertainty.Estimate
) -> bool | None:
  """Whether two intervals share a number; None where a bound is missing."""
  ends = one['low'], one['high'], other['low'], other['high']
  low, high, least, most = (x if x is not None else np.nan for x in ends)
  if np.isnan([low, high, least, most]).any():
    return None
  return bool(low <= most and least <= high)


def as_groups(points, groups):
  """What `isoflop.fit` takes: (C, N, D, L) of each budget."""
  out = []
  for group in groups:
    rows = [points[i] for i in group]
    C = np.exp(np.mean([np.log(p.C) for p in rows]))
    N, D, L = rows_lib.columns(rows, 'N', 'D', 'loss')
    out.append((float(C), N, D, L))
  return out
