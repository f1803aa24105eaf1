"""fits.json as a perfect analysis of simulated runs would leave it.

The law is known, and so is what a figure or a report shows of it.
"""

import math

import numpy as np

from scaling_jax import laws

LAW = laws.Chinchilla(E=1.0, A=60.0, B=60.0, alpha=0.3, beta=0.33)
KINDS = {
  'homework': {'budgets': (6e13, 3e14, 6e14), 'models': 4},
  'nanochat': {'budgets': (1e18, 2.15e18, 4.64e18, 1e19), 'models': 7,
               'bpb': True},
  'chinchilla': {'budgets': tuple(np.geomspace(6e18, 3e21, 9)), 'models': 12,
                 'seeds': 2, 'law': laws.BESIROGLU, 'extra': 24},
  'crowded': {'budgets': tuple(np.geomspace(5e18, 3e21, 24)), 'models': 5},
}  # fmt: skip


def est(value, share=None):
  """An estimate with an interval of ± a share of it, or with none."""
  if share is None:
    return {'value': value, 'low': None, 'high': None}
  return {
    'value': value, 'low': value * (1 - share), 'high': value * (1 + share)
  }  # fmt: skip


def simulate_runs(law, budgets, models, seeds, noise, bpb, extra):
  rng = np.random.default_rng(0)
  plan: list[tuple] = [
    (C, float(law.optimum(C).N) * shift, m, s, i)
    for i, C in enumerate(budgets)
    for m, shift in enumerate(np.geomspace(0.25, 4, models))
    for s in range(seeds)
  ]
  plan += [
    (C, float(law.optimum(C).N), 0, 0, None)
    for C in np.geomspace(budgets[0], budgets[-1], extra)
  ]
  runs = []
  for k, (C, N, m, s, i) in enumerate(plan):
    L = float(law.iso_flop(C, N) * np.exp(noise * rng.standard_normal()))
    runs.append({
      'run_id': f'run{k}', 'seed': s, 'depth': 2 + m, 'C': C, 'N': N,
      'D': C / 6 / N, 'loss': L, 'bpb': L / 3 if bpb else None, 'budget': i,
    })  # fmt: skip
  return runs


def simulate_budget(i, C, runs):
  own = [r for r in runs if r['budget'] == i]
  N, L = np.array([(r['N'], r['loss']) for r in own]).T
  centre = float(np.log(N).mean())
  c = np.polyfit(np.log(N) - centre, L, 2)
  turn = -c[1] / 2 / c[0]
  best = float(np.exp(centre + turn))
  return {
    'C': C, 'status': 'ok', 'N_opt': est(best, 0.1),
    'D_opt': est(C / 6 / best, 0.1), 'L_min': est(np.polyval(c, turn), 0.01),
    'parabola': {'center': centre, 'coefficients': list(c)},
    'N_low': min(N), 'N_high': max(N),
  }  # fmt: skip


def simulate(
  budgets, models, seeds=1, law=LAW, noise=0.002, bpb=False, extra=0
):
  """fits.json as a perfect analysis of simulated runs would leave it."""
  runs = simulate_runs(law, budgets, models, seeds, noise, bpb, extra)
  best = law.optimum(np.geomspace(budgets[0], budgets[-1] * 30, 9))
  powers = {
    'N_opt': {'coefficient': est(law.G / 6**law.exponent_N),
              'exponent': est(law.exponent_N, 0.05)},
    'D_opt': {'coefficient': est(1 / law.G / 6**law.exponent_D),
              'exponent': est(law.exponent_D, 0.05)},
    'at': [{'C': C, 'N_opt': est(N, 0.2), 'D_opt': est(D, 0.2)}
           for C, N, D, _ in zip(*best)],
  }  # fmt: skip
  fits = {'level': 0.95, 'runs': runs, 'source': {'unit': 'nats/token'}}
  made = [float(law.loss(r['N'], r['D'])) for r in runs]
  steps = np.geomspace(100, 5000, 30)
  some = runs[: 3 * models]
  fits['laws'] = {
    'isoflop': {
      'status': 'ok', **powers,
      'budgets': [{**simulate_budget(*b, runs), 'noise': est(noise, 0.2)}
                  for b in enumerate(budgets)],
    },
    'envelope': {
      'status': 'ok', **powers,
      'points': [{'C': C, 'N': N, 'D': D, 'L': L} for C, N, D, L in zip(*best)],
      'curves': [{'run_id': r['run_id'], 'N': r['N'], 'C': list(r['C'] * x),
                  'L': list(law.loss(r['N'], r['D'] * x))}
                 for r in some for x in (np.geomspace(0.01, 1, 20),)],
    },
    'parametric': {
      'status': 'ok', 'at': powers['at'], 'predicted': made,
      'residuals': [math.log(r['loss'] / L) for r, L in zip(runs, made)],
      'exponent_N': est(law.exponent_N, 0.03),
      'exponent_D': est(law.exponent_D, 0.03),
      **{name: est(value, 0.1) for name, value in law._asdict().items()},
    },
  }  # fmt: skip
  held = [r for r in runs if r['C'] == budgets[-1]]
  fits['hold_out'] = {'status': 'ok', 'C': budgets[-1], 'runs': [
    {'run_id': r['run_id'], 'N': r['N'], 'actual': r['loss'],
     'predicted': est(r['loss'] * 1.002, 0.004 / (k + 1)), 'inside': k == 0}
    for k, r in enumerate(held)
  ]}  # fmt: skip
  fits['conventions'] = [
    {'name': name, 'isoflop': est(0.5, 0.1), 'parametric': est(0.52)}
    for name in ('non-embedding, 6ND', 'all parameters, every product counted')
  ]
  fits['curves'] = [
    {'run_id': r['run_id'], 'status': 'ok', 'exponent': est(0.4, 0.1),
     'points': {'step': list(steps), 'loss': list(2 + 9 * steps**-0.4)},
     'fitted': list(2 + 9 * steps**-0.4 + 1e-3)}
    for r in some
  ]  # fmt: skip
  return fits


def fail(part, words='Too few points: add runs.'):
  part.update(status='too_few_points', sentence=words)
