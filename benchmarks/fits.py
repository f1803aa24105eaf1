"""How long the parametric fit takes, beside a SciPy loop on the same problem.

python benchmarks/fits.py [CSV]

Chinchilla's 240 runs (read off figure 4 by Besiroglu et al. 2024): Hoffmann's
grid of 4500 starts, and 4000 certified bootstrap refits. CSV defaults to
../shared/data/published/chinchilla_figure4.csv. Prints seconds, compilation
included and without it, and ratios.
"""

import os
import pathlib
import sys
import time

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # SciPy: many small solves

import numpy as np
from scipy import optimize

from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import parametric
from scaling_jax.analysis import points
from scaling_jax.analysis import uncertainty

SCIPY_STARTS = 45  # of the 4500: the loop is timed on a sample
SCIPY_REFITS = 40
_DATA = pathlib.Path(__file__).resolve().parents[2] / 'shared/data/published'


def main() -> None:
  given = sys.argv[1:] or [str(_DATA / 'chinchilla_figure4.csv')]
  runs = sorted(points.read(given).points, key=lambda p: p.loss)[:-5]
  N, D, L = np.array([(p.N, p.D, p.loss) for p in runs]).T
  centred = parametric.Centred.of(N, D, L)
  starts = parametric.grid_starts(centred)
  weights = parametric.pad(
    uncertainty.resampled_weights(np.random.default_rng(0), 4000, len(L))
  )
  for turn in ('with compilation', 'again'):
    begin = time.perf_counter()
    found = fit(centred, starts)
    grid_s = time.perf_counter() - begin
    begin = time.perf_counter()
    refits = refit(centred, found.params, weights)
    refit_s = time.perf_counter() - begin
    print(
      f'{turn}: {len(starts)} starts {grid_s:.1f} s, {len(refits.certified)}'
      f' refits {refit_s:.1f} s, together {grid_s + refit_s:.1f} s'
    )
  law = centred.law(found.params)
  print(
    f'objective {found.objective:.11g}, {found.n_agree} starts agree, gradient'
    f' {found.gradient_norm:.1e}; certified refits'
    f' {refits.certified.mean():.2%}'
  )
  drawn = centred.law(refits.params)
  for name, value, draws in zip(law._fields, law, drawn):
    print(f'  {name:5} {value:10.7g}  standard error {np.std(draws):.4g}')
  by_scipy(centred, starts, found, grid_s, refit_s)


def fit(centred, starts) -> fit_lib.Fit:
  weights = parametric.pad(np.ones(len(centred.log_L)))
  return fit_lib.fit(
    parametric.residuals, starts, centred.data, weights, solver='optimistix'
  )


def refit(centred, params, weights) -> fit_lib.Refits:
  return fit_lib.refit(parametric.residuals, params, centred.data, weights)


def by_scipy(centred, starts, found, grid_s, refit_s) -> None:
  """The same with L-BFGS-B and a gradient by hand, one fit after the other."""
  begin = time.perf_counter()
  ends = [
    minimize(centred, start, np.ones(len(centred.log_L)))
    for start in starts[:: len(starts) // SCIPY_STARTS][:SCIPY_STARTS]
  ]
  each = (time.perf_counter() - begin) / len(ends)
  agree = sum(e.fun * 1e-3 < found.objective * (1 + 1e-6) for e in ends)
  print(
    f'SciPy L-BFGS-B: {1e3 * each:.0f} ms a start, {agree} of {len(ends)}'
    f' reached the objective; 4500 would take {4500 * each:.0f} s, that is'
    f' {4500 * each / grid_s:.0f} times'
  )
  begin = time.perf_counter()
  weights = uncertainty.resampled_weights(
    np.random.default_rng(0), SCIPY_REFITS, len(centred.log_L)
  )
  for row in weights:
    minimize(centred, found.params, row)
  each = (time.perf_counter() - begin) / len(weights)
  print(
    f'SciPy L-BFGS-B: {1e3 * each:.0f} ms a refit; 4000 would take'
    f' {4000 * each:.0f} s, that is {4000 * each / refit_s:.0f} times'
  )


def minimize(centred, start, weights):
  # The line search may step to where the law overflows, and comes back.
  with np.errstate(over='ignore', invalid='ignore'):
    return optimize.minimize(
      value_and_gradient,
      start,
      (centred, weights),
      'L-BFGS-B',
      jac=True,
      options={'maxiter': 1000, 'ftol': 1e-14, 'gtol': 1e-10},
    )


def value_and_gradient(params, centred, weights):
  """The Huber objective times 1e3, which L-BFGS-B's tolerances like."""
  a, b, e, alpha, beta = params
  terms = np.stack(
    [
      np.exp(a - alpha * centred.log_N),
      np.exp(b - beta * centred.log_D),
      np.full(len(centred.log_N), np.exp(e)),
    ]
  )
  total = terms.sum(0)
  left = np.log(total) - centred.log_L
  delta = parametric.DELTA
  inside = np.abs(left) < delta
  value = np.where(inside, left**2 / 2, delta * (np.abs(left) - delta / 2))
  slope = weights * np.where(inside, left, delta * np.sign(left))
  model, text, floor = terms / total
  gradient = [
    slope @ model, slope @ text, slope @ floor,
    -slope @ (model * centred.log_N), -slope @ (text * centred.log_D),
  ]  # fmt: skip
  return 1e3 * (weights @ value), 1e3 * np.array(gradient)


if __name__ == '__main__':
  main()
