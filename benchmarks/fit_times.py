"""How the parametric fit's time grows with runs, starts and bootstraps.

python benchmarks/fit_times.py [--out=docs/fit_times.svg]

Studies simulated from Besiroglu et al.'s law with 0.3% noise on nine budgets.
From 240 runs, Hoffmann's 4500 starts and 4000 refits one number at a time is
changed. Every time is the better of two, after a first that compiles.
"""

import time

from absl import app
from absl import flags
import fits
from matplotlib import pyplot as plt
import numpy as np

from scaling_jax import drawing
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.chinchilla_data import LogData

_OUT = flags.DEFINE_string('out', None, 'A picture, by its ending.')

RUNS = (12, 60, 240, 960)
STARTS = (45, 450, 4500)
REFITS = (250, 1000, 4000, 16000)


def main(argv):
  del argv
  curves = {
    'runs': [(n, *seconds(n, 4500, 4000)) for n in RUNS],
    'starts': [(n, seconds(240, n, 250)[0]) for n in STARTS],
    'refits': [(n, seconds(240, 45, n)[1]) for n in REFITS],
  }
  for name, rows in curves.items():
    for count, *times in rows:
      said = ' and '.join(f'{t:.2f} s' for t in times)
      print(f'{count:,} {name}: {said}')
  if _OUT.value:
    draw(curves)


def seconds(runs, starts, refits):
  """Of the fit from the starts, and of the refits."""
  C = np.geomspace(1e18, 1e22, min(9, runs // 4))
  counts = np.diff(np.linspace(0, runs, len(C) + 1).astype(int))
  best = np.asarray(published.BESIROGLU.optimum(C).N)
  design = simulate.Design.of(
    [(c, n * np.geomspace(0.1, 10, k)) for c, n, k in zip(C, best, counts)]
  )
  L = simulate.losses(
    published.BESIROGLU, design, 0.003, np.random.default_rng(runs)
  )
  data = LogData.of(design.N, design.D, L)
  grid = chinchilla_data.grid_starts(data)
  grid = grid[:: len(grid) // starts][:starts]
  times = []
  for _ in range(3):
    began = time.perf_counter()
    found = fits.fit(data, grid)
    fitted = time.perf_counter()
    fits.refit(data, found.params, refits)
    times.append((fitted - began, time.perf_counter() - fitted))
  return tuple(np.min(times[1:], axis=0))


def draw(curves):
  """One panel a number; both axes logarithmic."""
  with plt.rc_context(drawing.STYLE):
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True)
    runs, fit_s, refit_s = np.array(curves['runs']).T
    axes[0].plot(runs, fit_s, 'o-', color=drawing.BLUE, label='4500 starts')
    axes[0].plot(
      runs, refit_s, 's-', color=drawing.VERMILLION, label='4000 refits'
    )
    axes[0].legend(frameon=False)
    axes[1].plot(*np.array(curves['starts']).T, 'o-', color=drawing.BLUE)
    axes[2].plot(*np.array(curves['refits']).T, 's-', color=drawing.VERMILLION)
    labels = ('runs', 'starts, on 240 runs', 'bootstrap refits, on 240 runs')
    for axis, label in zip(axes, labels):
      axis.set(xscale='log', yscale='log', xlabel=label)
      axis.grid(alpha=0.3)
    axes[0].set_ylabel('seconds on two cores')
    figure.tight_layout()
    figure.savefig(_OUT.value, metadata={'Date': None})


if __name__ == '__main__':
  app.run(main)
