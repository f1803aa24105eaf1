"""The spread of Besiroglu et al.'s law, from the points of Hoffmann's figure 4.

python benchmarks/published_law.py ../shared/data/published/chinchilla_figure4.csv

Resamples the 240 runs of lowest loss 4000 times and fits each sample. Prints
what scaling_jax/planner/published_laws.py keeps of it: means of log N and log D,
and the covariance of log A', log B', log E, alpha and beta, where A' and B' are
the two terms at those means; and the ranges of N, D and C.
"""

from absl import app
import numpy as np

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import run_folders

_HIGHEST = 5  # the losses that Besiroglu et al. exclude
_DELTA = 1e-3  # of their Huber loss


def fit(path: str, draws: int = 4000) -> chinchilla.ChinchillaFit:
  """Approach 3 on the points at `path`."""
  runs = checks.without_highest(run_folders.read_runs(path), _HIGHEST)
  return chinchilla.fit(
    runs.N,
    runs.D,
    runs.loss,
    C=runs.C,
    bootstrap=Bootstrap(draws),
    objective=Objective(delta=_DELTA),
  )


def main(argv: list[str]) -> None:
  found = fit(argv[1])
  print(f'mean log N {found.center[0]:.6f}, log D {found.center[1]:.6f}')
  with np.printoptions(precision=5):
    print(np.cov(found.param_draws, rowvar=False))
  for name, x in (('N', found.N), ('D', found.D), ('C', found.C)):
    print(f'{name} from {x.min():.3g} to {x.max():.3g}')


if __name__ == '__main__':
  app.run(main)
