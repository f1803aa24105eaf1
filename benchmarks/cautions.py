"""How often a refit without the shortest runs raises a caution, and when.

  PYTHONPATH=. python benchmarks/cautions.py --studies=200

Clean studies of several designs and noises: the caution may be raised in 5% at
most. Then studies of untuned training, which most laws take in: an excess of
0.6% of the loss a decade of N squared, as of one learning rate for all, and of
2% Dmin/D, as of a long warmup.
"""

from absl import app
from absl import flags
import numpy as np

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.study import training_cautions

_STUDIES = flags.DEFINE_integer('studies', 200, 'of each line')

_C = 10**18.75
_WIDE = 10.0 ** np.array([18, 18.5, 19, 19.5])
_HOUSE = (1e14, 4e14, 1.6e15)
_EVEN = simulate.law_through(C=_C, N=1e8)
_LOPSIDED = simulate.law_through(C=_C, N=1e8, alpha=0.5, beta=0.3)
_SMALL = simulate.law_through(C=4e14, N=1e6)
# Name, law, budgets, models a budget, noise.
_DESIGNS = (
  ('4 x 7', _EVEN, _WIDE, 7, 0.001),
  ('4 x 7', _EVEN, _WIDE, 7, 0.003),
  ('4 x 7, alpha .5, beta .3', _LOPSIDED, _WIDE, 7, 0.001),
  ('3 x 7', _SMALL, _HOUSE, 7, 0.002),
  ('3 x 5', _SMALL, _HOUSE, 5, 0.003),
)


def _excess(kind: str, plan: simulate.Design) -> np.ndarray | float:
  if kind == 'one rate':
    return 1 + 0.006 * np.log10(plan.N / plan.N.min()) ** 2
  if kind == 'warmup':
    return 1 + 0.02 * plan.D.min() / plan.D
  return 1.0


def main(argv):
  del argv
  for kind in ('clean', 'one rate', 'warmup'):
    for name, law, budgets, models, noise in _DESIGNS:
      grid = np.geomspace(0.25, 4, models)
      plan = simulate.Design.of([(C, law.optimum(C).N * grid) for C in budgets])
      rng = np.random.default_rng(0)
      raised = 0
      for L in simulate.losses(law, plan, noise, rng, _STUDIES.value):
        fit = chinchilla.fit(
          plan.N,
          plan.D,
          L * _excess(kind, plan),
          bootstrap=Bootstrap(draws=0),
        )
        raised += training_cautions.short_runs_apart(fit) is not None
      share = raised / _STUDIES.value
      print(f'{kind:9} {name:25} noise {noise:.1%}: {share:.1%}', flush=True)


if __name__ == '__main__':
  app.run(main)
