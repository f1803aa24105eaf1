"""Kaplan's laws as fits.json holds them: plain numbers, intervals, verdicts."""

from typing import Any

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import content
from scaling_jax.analysis import critical_batch
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import kaplan
from scaling_jax.analysis import kaplan_laws
from scaling_jax.analysis import log_line
from scaling_jax.analysis import lower_hull
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.uncertainty import estimate
from scaling_jax.analysis.uncertainty import exp_estimate

Part = dict[str, Any]

PF_DAY = laws.FLOPS_PER_PF_DAY
LINE_POINTS = 25
_NO_BATCH = (
  'it needs B_crit(L): the critical batch is {status}; train'
  ' configs/critical_batch.py and give its runs too'
)


def parts(found: kaplan_laws.Laws, level: float) -> dict[str, Part]:
  """The laws' parts of fits.json, by name."""
  made = {
    'kaplan_L_N': _scale(found.L_N, 'N', level),
    'kaplan_L_D': _scale(found.L_D, 'D', level),
    'kaplan_L_ND': _joint(found.L_ND, ('N', 'D'), laws.Kaplan, level),
    **_frontier(found.frontier, '', level),
    'critical_batch': _critical(found.critical, level),
  }
  made['kaplan_L_C'] |= {
    'B': found.B,
    'curves': [content.thinned(curve) for curve in found.curves],
  }
  adjusted, law = found.adjusted, found.critical.law
  if adjusted is None or law is None:
    return made | _without_batch(found.critical)
  beyond = _beyond(adjusted, found.critical)
  made |= _frontier(adjusted.frontier, 'min', level)
  made |= {
    'kaplan_B_Cmin': _along(adjusted.B_line, level),
    'kaplan_S_Cmin': _along(adjusted.S_line, level),
    'kaplan_L_NS': _joint(adjusted.steps, ('N', 'S'), laws.KaplanSteps, level),
  }
  for name in _ADJUSTED:
    made[name]['notes'] = [beyond] if beyond and _ok(made[name]) else []
  made['kaplan_L_Cmin']['curves'] = [
    content.thinned(c._replace(C=np.asarray(law.C_min(c.C, found.B, c.L))))
    for c in found.curves
  ]
  check = _consistency(adjusted, found, level)
  check['notes'] = [beyond] if beyond and _ok(check) else []
  return made | {'kaplan_consistency': check}


def _ok(part: Part) -> bool:
  return part['status'] == 'ok'


_ADJUSTED = (
  'kaplan_L_Cmin',
  'kaplan_N_opt_Cmin',
  'kaplan_B_Cmin',
  'kaplan_S_Cmin',
  'kaplan_L_NS',
)


def _without_batch(critical: critical_batch.Critical) -> dict[str, Part]:
  said = _NO_BATCH.format(status=critical.status)
  if critical.ok:
    said = 'no run that counts left its training curve'
  out: dict[str, Part] = {}
  for name in (*_ADJUSTED, 'kaplan_consistency'):
    out[name] = {'status': 'too_few_points', 'sentence': said, 'notes': []}
  unknown = uncertainty.unknown()
  out['kaplan_L_Cmin'] |= {'C_c': unknown, 'alpha_C': unknown}
  for name in ('kaplan_N_opt_Cmin', 'kaplan_B_Cmin', 'kaplan_S_Cmin'):
    out[name] |= {'coefficient': unknown, 'exponent': unknown}
  out['kaplan_L_NS'] |= dict.fromkeys(laws.KaplanSteps._fields, unknown)
  out['kaplan_consistency'] |= {'measured': unknown, 'foretold': unknown}
  return out


def _scale(
  found: log_line.LogLine, x: str, level: float, unit: float = 1.0
) -> Part:
  """{x_c, alpha_x} of L = (x_c/x)^alpha_x, and what there is to draw."""
  x_c = alpha = uncertainty.unknown()
  if found.line is not None and found.draws is not None:
    (slope, at_one), (slopes, at_ones) = found.line, found.draws.T
    alpha = estimate(-slope, -slopes, level)
    # A loss that does not fall has no scale.
    falls = np.where(slopes < 0, slopes, np.nan)
    x_c = exp_estimate(
      -at_one / slope - np.log(unit), -at_ones / falls - np.log(unit), level
    )
  return {
    'status': found.status,
    'sentence': found.sentence,
    'notes': [],
    f'{x}_c': x_c,
    f'alpha_{x}': alpha,
    **_drawn(found, level, unit),
  }


def _drawn(found: log_line.LogLine, level: float, unit: float = 1.0) -> Part:
  """The points, and the line through them with its interval."""
  points = [
    [float(x / unit), float(y)] for x, y in zip(found.x, found.y)
  ]  # fmt: skip
  line = []
  if found.ok and found.line is not None:
    for x in np.geomspace(found.x.min(), found.x.max(), LINE_POINTS):
      at = uncertainty.power_law_at(found.line, found.draws, x, level)
      line.append({'x': float(x / unit), 'y': at})
  return {'points': points, 'line': line}


def _along(found: log_line.LogLine, level: float, unit: float = PF_DAY) -> Part:
  """{coefficient, exponent} of y = coefficient · C^exponent, C in PF-days."""
  line, draws = found.line, found.draws
  if line is not None and draws is not None:
    moved = np.array([[1.0, np.log(unit)], [0.0, 1.0]])
    line, draws = line @ moved, draws @ moved
  return {
    'status': found.status,
    'sentence': found.sentence,
    'notes': [],
    **content.power_law(line, draws, level),
    **_drawn(found, level, unit),
  }


def _frontier(
  found: lower_hull.Frontier, suffix: str, level: float
) -> dict[str, Part]:
  """L(C) and N_opt(C), or of C_min."""
  L_part = _scale(found.L_line, 'C', level, PF_DAY)
  N_part = _along(found.N_line, level)
  for part in (L_part, N_part):
    if found.status == part['status']:  # else the line says why not
      part['sentence'] = found.sentence
  L_part |= {
    'hull': {'C': found.C[::5].tolist(), 'L': found.L[::5].tolist()},
    'touches': [
      {**touch._asdict(), 'inside': touch in found.inner}
      for touch in found.touches
    ],
  }
  end = '_Cmin' if suffix else ''
  return {f'kaplan_L_C{suffix}': L_part, f'kaplan_N_opt{end}': N_part}


def _joint(found: kaplan.Joint, names, kind, level: float) -> Part:
  out: Part = {
    'status': found.status,
    'sentence': found.sentence,
    'notes': [],
  }
  for name in kind._fields:
    out[name] = uncertainty.unknown()
    if found.law is not None:
      drawn = None if found.draws is None else getattr(found.draws, name)
      of = exp_estimate if name.endswith('_c') else estimate
      value = getattr(found.law, name)
      if name.endswith('_c'):
        value, drawn = np.log(value), None if drawn is None else np.log(drawn)
      out[name] = of(value, drawn, level)
  out |= content.certificate(found.fit)
  out['noise'] = content.noise(found.noise, level)
  out['points'] = [
    dict(zip((*names, 'L'), map(float, row)))
    for row in zip(found.N, found.x, found.L)
  ]
  return out


def _critical(found: critical_batch.Critical, level: float) -> Part:
  law, draws = found.law, found.draws
  B_star = alpha_B = uncertainty.unknown()
  line = []
  if law is not None and draws is not None:
    alpha_B = estimate(law.alpha_B, draws.alpha_B, level)
    B_star = exp_estimate(np.log(law.B_star), np.log(draws.B_star), level)
    for L in np.geomspace(*found.fitted, LINE_POINTS):
      log_B = np.log(law.tokens(L))
      at = exp_estimate(log_B, np.log(draws.tokens(L)), level)
      line.append({'x': float(L), 'y': at})
  return {
    'status': found.status,
    'sentence': found.sentence,
    'notes': list(found.notes),
    'n_batches': found.n_batches,
    'B_star': B_star,
    'alpha_B': alpha_B,
    'losses': [_target(target, level) for target in found.targets],
    'line': line,
  }


def _target(found: critical_batch.Target, level: float) -> Part:
  S_min = E_min = B_crit = uncertainty.unknown()
  if found.ok:
    S_min = estimate(found.S_min, found.S_draws, level)
    E_min = estimate(found.E_min, found.E_draws, level)
    B_crit = estimate(
      found.E_min / found.S_min, found.E_draws / found.S_draws, level
    )
  return {
    'L': found.L,
    'status': found.status,
    'sentence': found.sentence,
    'S_min': S_min,
    'E_min': E_min,
    'B_crit': B_crit,
    'batches': [
      dict(zip(('B', 'S', 'learning_rate'), map(float, row)))
      for row in zip(found.B, found.S, found.rate)
    ],
  }


def _beyond(adjusted: kaplan_laws.Adjusted, critical) -> str:
  if not adjusted.beyond and not adjusted.frontier_beyond:
    return ''
  low, high = critical.fitted
  return (
    f'B_crit(L) was fitted on losses from {high:.4g} to {low:.4g}, and is'
    f" extrapolated at {_percent(adjusted.beyond)} of the curves' points and at"
    f' {_percent(adjusted.frontier_beyond)} of the models on the hull.'
  )


def _percent(share: float) -> str:
  return f'{100 * share:.2g} %'


def _consistency(adjusted, found: kaplan_laws.Laws, level: float) -> Part:
  """alpha_Cmin measured, and as the other three exponents foretell it."""
  line, steps = adjusted.frontier.L_line, adjusted.steps
  out: Part = {
    'status': 'ok',
    'sentence': '',
    'notes': [],
    'measured': uncertainty.unknown(),
    'foretold': uncertainty.unknown(),
    'overlap': None,
  }
  for name, part in (
    ('L(C_min)', line),
    ('L(N, S_min)', steps),
  ):
    if not part.ok:
      said = f'it needs {name}, which is {part.status}'
      return out | {'status': part.status, 'sentence': said}
  law, redrawn = found.critical.law, found.critical.draws
  assert law is not None and redrawn is not None
  out['measured'] = estimate(-line.line[0], -line.draws[:, 0], level)
  value = laws.alpha_C_min(steps.law.alpha_S, law.alpha_B, steps.law.alpha_N)
  # The same redrawn B_crit stands behind both.
  drawn = laws.alpha_C_min(
    steps.draws.alpha_S,
    np.asarray(redrawn.alpha_B)[: len(steps.draws.alpha_S)],
    steps.draws.alpha_N,
  )
  out['foretold'] = estimate(value, drawn, level)
  out['overlap'] = hold_out.overlap(out['measured'], out['foretold'])
  out['sentence'] = {
    True: 'the intervals overlap: the laws agree with each other',
    False: 'the intervals lie apart: the laws contradict each other',
    None: 'an interval is open, so that they cannot be held together',
  }[out['overlap']]
  return out
