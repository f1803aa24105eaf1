"""How long the parametric fit takes, beside a SciPy loop on the same problem.

python benchmarks/fits.py [CSV]

Chinchilla's 240 runs (read off figure 4 by Besiroglu et al. 2024): Hoffmann's
grid of 4500 starts, and 4000 bootstrap refits. CSV defaults to
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

from scaling_jax.analysis.fitting import bootstrap
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting import chinchilla_draws
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import run_folders

SCIPY_STARTS = 45  # of the 4500: the loop is timed on a sample
SCIPY_REFITS = 40
_DATA = pathlib.Path(__file__).resolve().parents[2] / 'shared/data/published'


def main() -> None:
  given = sys.argv[1:] or [str(_DATA / 'chinchilla_figure4.csv')]
  runs = checks.without_highest(run_folders.read_runs(*given), 5)
  data = LogData.of(runs.N, runs.D, runs.loss)
  starts = chinchilla_data.grid_starts(data)
  for turn in ('with compilation', 'again'):
    begin = time.perf_counter()
    found = fit(data, starts)
    grid_s = time.perf_counter() - begin
    begin = time.perf_counter()
    refits = refit(data, found.params, 4000)
    refit_s = time.perf_counter() - begin
    print(
      f'{turn}: {len(starts)} starts {grid_s:.1f} s, {len(refits)} refits'
      f' {refit_s:.1f} s, together {grid_s + refit_s:.1f} s'
    )
  reached = found.diagnostics
  print(
    f'objective {reached.objective:.11g}, {reached.n_agree} starts agree,'
    f' gradient {reached.gradient_norm:.1e}; converged refits'
    f' {np.mean(np.isfinite(refits[:, 0])):.2%}'
  )
  law, drawn = data.law(found.params), data.law(refits)
  for name, value, draws in zip(law._fields, law, drawn):
    print(f'  {name:5} {value:10.7g}  standard error {np.nanstd(draws):.4g}')
  by_scipy(data, starts, found, grid_s, refit_s)


def fit(data: LogData, starts: np.ndarray) -> multistart.Minimum:
  """The law from these starts, by optimistix alone."""
  return multistart.minimize(
    chinchilla_data.residuals,
    starts,
    data.padded,
    multistart.pad(np.ones(len(data.log_L))),
    solver='optimistix',
  )


def refit(data: LogData, params: np.ndarray, draws: int) -> np.ndarray:
  """[draws, 5] refits to resampled runs."""
  how = bootstrap.Bootstrap(draws)
  unused = bootstrap.ResidualSD(0.0, 1)
  return chinchilla_draws.draw(data, params, unused, how, 'runs')


def by_scipy(data, starts, found, grid_s, refit_s) -> None:
  """The same with L-BFGS-B and a gradient by hand, one fit after the other."""
  begin = time.perf_counter()
  ends = [
    minimize(data, start, np.ones(len(data.log_L)))
    for start in starts[:: len(starts) // SCIPY_STARTS][:SCIPY_STARTS]
  ]
  each = (time.perf_counter() - begin) / len(ends)
  agree = sum(
    e.fun * 1e-3 < found.diagnostics.objective * (1 + 1e-6) for e in ends
  )
  print(
    f'SciPy L-BFGS-B: {1e3 * each:.0f} ms a start, {agree} of {len(ends)}'
    f' reached the objective; 4500 would take {4500 * each:.0f} s, that is'
    f' {4500 * each / grid_s:.0f} times'
  )
  begin = time.perf_counter()
  weights = bootstrap.resampled_weights(
    np.random.default_rng(0), SCIPY_REFITS, len(data.log_L)
  )
  for row in weights:
    minimize(data, found.params, row)
  each = (time.perf_counter() - begin) / len(weights)
  print(
    f'SciPy L-BFGS-B: {1e3 * each:.0f} ms a refit; 4000 would take'
    f' {4000 * each:.0f} s, that is {4000 * each / refit_s:.0f} times'
  )


def minimize(data, start, weights):
  # The line search may step to where the law overflows, and comes back.
  with np.errstate(over='ignore', invalid='ignore'):
    return optimize.minimize(
      value_and_gradient,
      start,
      (data, weights),
      'L-BFGS-B',
      jac=True,
      options={'maxiter': 1000, 'ftol': 1e-14, 'gtol': 1e-10},
    )


def value_and_gradient(params, data, weights):
  """The Huber objective times 1e3, which L-BFGS-B's tolerances like."""
  a, b, e, alpha, beta = params
  terms = np.stack(
    [
      np.exp(a - alpha * data.log_N),
      np.exp(b - beta * data.log_D),
      np.full(len(data.log_N), np.exp(e)),
    ]
  )
  total = terms.sum(0)
  left = np.log(total) - data.log_L
  delta = chinchilla_data.DELTA
  inside = np.abs(left) < delta
  value = np.where(inside, left**2 / 2, delta * (np.abs(left) - delta / 2))
  slope = weights * np.where(inside, left, delta * np.sign(left))
  model, text, floor = terms / total
  gradient = [
    slope @ model, slope @ text, slope @ floor,
    -slope @ (model * data.log_N), -slope @ (text * data.log_D),
  ]  # fmt: skip
  return 1e3 * (weights @ value), 1e3 * np.array(gradient)


if __name__ == '__main__':
  main()
