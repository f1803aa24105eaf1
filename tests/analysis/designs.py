"""Designs of studies whose law is known, and their losses."""

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import simulate

BUDGETS = (1e14, 4e14, 1.6e15)
LAW = simulate.law_through(C=4e14, N=1e6)


def design(
  law: laws.Chinchilla = LAW,
  budgets=BUDGETS,
  models: int = 7,
  reach: float = 4.0,
  shift: float = 1.0,
  seeds: int = 1,
) -> simulate.Design:
  """Models from 1/reach to reach times `shift` times each budget's optimum."""
  grid = np.repeat(np.geomspace(1 / reach, reach, models), seeds) * shift
  return simulate.Design.of([(C, law.optimum(C).N * grid) for C in budgets])


def noisy(law, plan, noise, seed=0) -> np.ndarray:
  return simulate.losses(law, plan, noise, np.random.default_rng(seed))


def by_budget(plan: simulate.Design, L: np.ndarray) -> list[isoflop.Group]:
  """What `isoflop.fit` takes."""
  return [
    isoflop.Group(C, plan.N[plan.C == C], plan.D[plan.C == C], L[plan.C == C])
    for C in np.unique(plan.C)
  ]
