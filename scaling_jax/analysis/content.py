"""Laws as fits.json holds them: plain numbers, intervals, verdicts."""

from typing import Any

import numpy as np

from scaling_jax.analysis import envelope
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import rows
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.uncertainty import estimate

CURVE_POINTS = 120  # of an envelope's curve that fits.json keeps


def noise(found, level: float) -> uncertainty.Estimate:
  if found is None:
    return uncertainty.unknown()
  return uncertainty.sd_interval(found, level)


def certificate(found: fit_lib.Fit | None) -> dict[str, Any]:
  """What vouches for a fit; null where none was looked for."""
  names = (
    'objective', 'gradient_norm', 'condition', 'n_starts', 'n_agree', 'solver'
  )  # fmt: skip
  return {name: getattr(found, name) if found else None for name in names}


def power_law(line, draws, level: float, bias=None) -> dict[str, Any]:
  """{coefficient, exponent} from slope and intercept of the logarithms."""
  if line is None:
    return {
      'coefficient': uncertainty.unknown(),
      'exponent': uncertainty.unknown(),
    }
  slope, intercept = (None, None) if draws is None else draws.T
  out = {
    'coefficient': uncertainty.exp_estimate(line[1], intercept, level),
    'exponent': estimate(line[0], slope, level),
  }
  if bias is not None:
    out['exponent'] = uncertainty.widen(out['exponent'], bias[0])
    out['coefficient'] = uncertainty.widen(
      out['coefficient'], bias[1], ratio=True
    )
  return out


def isoflop_part(found: isoflop.IsoFlop, grid, level: float) -> dict[str, Any]:
  at = []
  if found.N_opt is not None:
    for C in grid:
      N, D = isoflop.at(found, C, level)
      at.append({'C': C, 'N_opt': N, 'D_opt': D})
  return {
    'status': found.status,
    'sentence': found.sentence,
    'budgets': [_budget(b, level) for b in found.budgets],
    'N_opt': power_law(found.N_opt, found.N_draws, level, found.N_bias),
    'D_opt': power_law(found.D_opt, found.D_draws, level, found.D_bias),
    'at': at,
  }


def _budget(budget: isoflop.Budget, level: float) -> dict[str, Any]:
  unknown = uncertainty.unknown()
  out = {
    'C': budget.C,
    'status': budget.status,
    'sentence': budget.sentence,
    'notes': list(budget.notes),
    'n_models': len(np.unique(budget.N)),
    'noise': noise(budget.noise, level),
    'N_low': float(budget.N[0]),
    'N_high': float(budget.N[-1]),
    'N_opt': unknown,
    'D_opt': unknown,
    'L_min': unknown,
    'N_opt_local': unknown,
    'bias': budget.bias[0] if budget.bias else None,
    'parabola': None,
  }
  if budget.parabola is None:
    return out
  c = budget.parabola
  out['parabola'] = {
    'center': c.center,
    'coefficients': [float(c.c2), float(c.c1), float(c.c0)],
  }
  out |= isoflop.estimates(budget, level)
  if np.isfinite(budget.local):
    out['N_opt_local'] = uncertainty.exp_estimate(
      budget.local, budget.local_draws, level
    )
  return out


def envelope_part(
  found: envelope.Envelope, grid, level: float
) -> dict[str, Any]:
  thin = slice(None, None, max(1, len(found.C) // 300))
  at = []
  if found.N_opt is not None and found.D_opt is not None and found.ok:
    for C in grid:
      N, D = (
        uncertainty.power_law_at(line, draws, C, level)
        for line, draws in (
          (found.N_opt, found.N_draws),
          (found.D_opt, found.D_draws),
        )
      )
      at.append({'C': C, 'N_opt': N, 'D_opt': D})
  return {
    'status': found.status,
    'sentence': found.sentence,
    'N_opt': power_law(found.N_opt, found.N_draws, level),
    'D_opt': power_law(found.D_opt, found.D_draws, level),
    'points': [
      dict(zip(('C', 'N', 'D', 'L'), map(float, row)))
      for row in zip(found.C[thin], found.N[thin], found.D[thin], found.L[thin])
    ],
    'curves': [thinned(c) for c in found.curves],
    'at': at,
  }


def thinned(curve: envelope.TrainingCurve) -> dict[str, Any]:
  step = max(1, len(curve.C) // CURVE_POINTS)
  keep = np.unique([*range(0, len(curve.C), step), len(curve.C) - 1])
  return {
    'run_id': curve.run_id,
    'N': curve.N,
    'C': curve.C[keep].tolist(),
    'L': curve.L[keep].tolist(),
  }


def parametric_part(
  found: parametric.Parametric, points, grid, level: float
) -> dict[str, Any]:
  law, draws, fit = found.law, found.draws, found.fit

  def number(of) -> uncertainty.Estimate:
    if law is None:
      return uncertainty.unknown()
    return estimate(of(law), None if draws is None else of(draws), level)

  out: dict[str, Any] = {
    'status': found.status,
    'sentence': found.sentence,
    'method': found.method,
    'noise': noise(found.noise, level),
  }
  for name in ('E', 'A', 'B', 'alpha', 'beta'):
    out[name] = number(lambda x, name=name: getattr(x, name))
  slope, at_zero = line = cost_line(*rows.columns(points, 'N', 'D', 'C'))
  # N_opt = N0 C^a and D_opt = D0 C^b as approaches 1 and 2 state them, C being
  # what the source's runs spend.
  out['exponent_N'] = number(lambda x: parametric.exponent_along(x, slope))
  out['exponent_D'] = number(
    lambda x: 1 + slope * parametric.exponent_along(x, slope)
  )
  out['N0'] = number(
    lambda x: np.exp(parametric.optimum_along(x, slope, at_zero))
  )
  out['D0'] = number(
    lambda x: np.exp(
      slope * parametric.optimum_along(x, slope, at_zero) + at_zero
    )
  )
  out |= certificate(fit)
  if law is None:
    nothing: dict[str, Any] = {'at': [], 'at_tokens': []}
    return {**out, 'predicted': [], 'residuals': [], **nothing}
  fitted = [float(law.loss(p.N, p.D)) for p in points]
  out['predicted'] = fitted
  out['residuals'] = [float(np.log(p.loss / L)) for p, L in zip(points, fitted)]
  out['at'] = [_law_at(number, line, C) for C in grid]
  tokens = [row['D_opt']['value'] for row in out['at']]
  out['at_tokens'] = [_law_at_tokens(number, line, D) for D in tokens if D]
  return out


def _law_at(number, line, C: float) -> dict[str, Any]:
  """The law's optimum at C FLOPs, spent as the source's runs spend them."""
  slope, at_zero = line[0], line[1] + np.log(C)

  def log_N(law):
    return parametric.optimum_along(law, slope, at_zero)

  def D(law):
    return np.exp(slope * log_N(law) + at_zero)

  return {
    'C': C,
    'N_opt': number(lambda law: np.exp(log_N(law))),
    'D_opt': number(D),
    'L': number(lambda law: law.loss(np.exp(log_N(law)), D(law))),
  }


def _law_at_tokens(number, line, D: float) -> dict[str, Any]:
  """The compute that is best spent on D tokens, and what it brings."""
  slope, at_zero = line

  def log_C(law):
    a = parametric.exponent_along(law, slope)
    at_one = parametric.optimum_along(law, slope, at_zero)
    b = 1 + slope * a
    # A law that wants no more tokens with more compute has no such C.
    b = np.where(b > 0, b, np.nan)
    return (np.log(D) - slope * at_one - at_zero) / b

  def N(law):
    return np.exp(parametric.optimum_along(law, slope, at_zero + log_C(law)))

  return {
    'D': D,
    'C': number(lambda law: np.exp(log_C(law))),
    'N_opt': number(N),
    'L': number(lambda law: law.loss(N(law), D)),
  }


def cost_line(N, D, C) -> tuple[float, float]:
  """(s, d) in log D = log C + s log N + d, by what runs [n] spent.

  Where C is 6 N D but for rounding to whole steps, that is (-1, -log 6).
  """
  log_N, log_D, log_C = np.log([N, D, C])
  if np.all(np.abs(np.log(6) + log_N + log_D - log_C) < 0.01):
    return -1.0, -float(np.log(6))
  if np.ptp(log_N) < 1e-9:
    return -1.0, float(np.mean(log_D - log_C + log_N))
  slope, at_zero = np.polyfit(log_N, log_D - log_C, 1)
  return float(slope), float(at_zero)
