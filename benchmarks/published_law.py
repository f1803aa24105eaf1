"""The spread of Besiroglu et al.'s law, from the points of Hoffmann's figure 4.

python benchmarks/published_law.py ../shared/data/published/chinchilla_figure4.csv

Resamples the 240 runs of lowest loss 4000 times and fits each sample. Prints
what scaling_jax/planner/known.py keeps of it: means of log N and log D, and the
covariance of log A', log B', log E, alpha and beta, where A' and B' are the
shares at those means; and the ranges of N, D and C.
"""

from absl import app
import numpy as np

from scaling_jax.analysis import parametric
from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import rows
from scaling_jax.analysis import study

_HIGHEST = 5  # the losses that Besiroglu et al. leave out


def spread(path: str, draws: int = 4000):
  """(centred runs, N, D, C, covariance [5, 5]) of the points at `path`."""
  source = study.without_highest(points_lib.read([path]), _HIGHEST)
  N, D, C, L = rows.columns(source.points, 'N', 'D', 'C', 'loss')
  centred = parametric.Centred.of(N, D, L)
  found = parametric.fit(N, D, L, draws=draws)
  return centred, N, D, C, np.cov(centred.params(found.draws), rowvar=False)


def main(argv: list[str]) -> None:
  centred, N, D, C, covariance = spread(argv[1])
  print(f'mean log N {centred.mean_log_N:.6f}, log D {centred.mean_log_D:.6f}')
  with np.printoptions(precision=5):
    print(covariance)
  for name, x in (('N', N), ('D', D), ('C', C)):
    print(f'{name} from {x.min():.3g} to {x.max():.3g}')


if __name__ == '__main__':
  app.run(main)
