"""Studies with a known answer: losses as a law and noise would have them.

Tests, the coverage benchmark and whoever plans a study draw from here.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.envelope import TrainingCurve


class Design(NamedTuple):
  """The runs of a study, before any is trained: C FLOPs, N, D = C / (6 N)."""

  C: np.ndarray
  N: np.ndarray
  D: np.ndarray

  @classmethod
  def of(cls, budgets: Sequence[tuple[float, Sequence[float]]]) -> 'Design':
    """From (C, the N to train) of each budget."""
    C = np.concatenate([np.full(len(N), C, float) for C, N in budgets])
    N = np.concatenate([np.asarray(N, float) for _, N in budgets])
    return cls(C, N, C / (6 * N))


def losses(
  law: laws.Chinchilla,
  design: Design,
  noise: float,
  rng: np.random.Generator,
  studies: int | None = None,
) -> np.ndarray:
  """[n] final losses, or [studies, n]: law times exp(noise · normal).

  Args:
    law: the truth.
    design: the runs.
    noise: sd of log L between runs that differ by their seed.
    rng: where the noise comes from.
    studies: how many independent studies; None for one.
  """
  clean = np.asarray(law.loss(design.N, design.D))
  shape = clean.shape if studies is None else (studies, *clean.shape)
  return clean * np.exp(noise * rng.normal(size=shape))


def training_curves(
  law: laws.Chinchilla,
  design: Design,
  noise: float,
  rng: np.random.Generator,
  points: int = 200,
) -> list[TrainingCurve]:
  """A training curve for every run: the law at the tokens seen so far.

  A run's seed moves its whole curve by `noise`; half as much again moves each
  point. Learning-rate schedules are left out: every point is as good as a run
  that ends there.
  """
  out = []
  for i, (N, D) in enumerate(zip(design.N, design.D)):
    seen = np.geomspace(D / 1000, D, points)
    shift = noise * (rng.normal() + 0.5 * rng.normal(size=points))
    L = np.asarray(law.loss(N, seen)) * np.exp(shift)
    out.append(TrainingCurve(f'run{i}', float(N), 6 * N * seen, seen, L))
  return out


def law_through(
  C: float,
  N: Any,
  E: Any = 1.0,
  reducible: Any = 0.6,
  alpha: Any = 0.35,
  beta: Any = 0.37,
) -> laws.Chinchilla:
  """The law whose optimum at C is N, with a loss of E + reducible there.

  Arrays make a law of arrays.
  """
  D = C / (6 * N)
  pull = reducible / (1 / alpha + 1 / beta)
  return laws.Chinchilla(
    E, pull / alpha * N**alpha, pull / beta * D**beta, alpha, beta
  )
