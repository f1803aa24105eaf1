"""How often N_opt's intervals hold it where C counts attention and head too.

  python benchmarks/coverage_cost.py [studies]

GPTs of 4 to 9 layers, 64 channels a layer, a context of 2,048 and 256 kinds of
tokens, so that C is 2.4 to 1.6 times 6ND, at four budgets of 4e15 to 8e16 FLOPs.
Losses scatter by 0.3% about Besiroglu's law, the C of each model by 2% about its
count. The truth is a search over widths. About 3 s a study on one core.
"""

import sys

import numpy as np

from scaling_jax import budget
from scaling_jax import costs
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.published import BESIROGLU as LAW

CONTEXT, VOCAB = 2048, 256
BUDGETS = np.geomspace(4e15, 8e16, 4)
TARGETS = {'middle': 1.8e16, 'largest': 8e16, 'ten times': 8e17}


def per_token(M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """N and FLOPs a token of M / 64 layers of any width M."""
  L = M / 64
  N = L * (12 * M * M + 2 * M) + M
  return N, 3 * (L * (24 * M * M + 4 * CONTEXT * M) + 2 * VOCAB * M)


def truth(C: float) -> float:
  N, flops = per_token(np.exp(np.linspace(4, 12, 400_001)))
  return float(N[np.argmin(LAW.loss(N, C / flops))])


def main(studies: int) -> None:
  shapes = [budget.Shape(n, n, 64 * n) for n in range(4, 10)]
  N = np.array([budget.count_parameters(s, 0, 0).N for s in shapes], float)
  flops = [budget.flops_per_token(s, CONTEXT, VOCAB) for s in shapes]
  C = np.repeat(BUDGETS, len(N))
  N, D = np.tile(N, 4), C / np.tile(flops, 4)
  inside = {(name, at): 0 for name in ('curve', 'line') for at in TARGETS}
  half = dict.fromkeys(TARGETS, 0.0)
  for seed in range(studies):
    rng = np.random.default_rng(seed)
    loss = LAW.loss(N, D) * np.exp(0.003 * rng.normal(size=len(N)))
    spent = C * np.tile(np.exp(0.02 * rng.normal(size=len(shapes))), 4)
    fit = chinchilla.fit(
      N, D, loss, C=spent, bootstrap=Bootstrap(draws=1000, seed=seed)
    )
    line = costs.CostLine.of_runs(N, D, spent)
    for at, target in TARGETS.items():
      best = fit.optimum(C=target).N
      inside['curve', at] += best.holds(truth(target)) is not False
      half[at] += float(np.log(best.high / best.low)) / 2 / studies
      low, high = np.quantile(fit.draws.optimum(target, line).N, (0.025, 0.975))
      inside['line', at] += low < truth(target) < high
  for (name, at), n in inside.items():
    print(f'{name:6} {at:10} {n} of {studies} hold it')
  print({at: f'{x:.1%}' for at, x in half.items()}, 'half of the interval')


if __name__ == '__main__':
  main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
