"""Studies with a known answer: losses as a law and noise would have them.

Tests, the coverage benchmark and whoever plans a study draw from here.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.fitting.steps_to_loss import BatchRun


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


def simulate(
  law: laws.Chinchilla, N: Any, D: Any, noise: float = 0.0, seed: int = 0
) -> np.ndarray:
  """Losses as a law and noise would have them: law · exp(noise · normal).

  Args:
    law: has loss(N, D).
    N, D: parameters and tokens, of shapes that broadcast.
    noise: sd of log L between runs.
    seed: of the noise.

  >>> from scaling_jax.published import HOFFMANN
  >>> simulate(HOFFMANN, [1e8, 1e9], 2e10).round(2).tolist()
  [3.0, 2.58]
  """
  clean = np.asarray(law.loss(np.asarray(N, float), np.asarray(D, float)))
  rng = np.random.default_rng(seed)
  return clean * np.exp(noise * rng.normal(size=clean.shape))


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
) -> list[LossCurve]:
  """A training curve for every run: the law at the tokens seen so far.

  A run's seed moves its whole curve by `noise`; half as much again moves each
  point. There are no learning-rate schedules: every point is as good as a run that
  ends there.
  """
  out = []
  for i, (N, D) in enumerate(zip(design.N, design.D)):
    seen = np.geomspace(D / 1000, D, points)
    shift = noise * (rng.normal() + 0.5 * rng.normal(size=points))
    L = np.asarray(law.loss(N, seen)) * np.exp(shift)
    out.append(LossCurve(f'run{i}', float(N), 6 * N * seen, seen, L))
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


def batch_runs(
  steps: laws.KaplanSteps,
  batch: laws.CriticalBatch,
  N: float,
  batches: Sequence[float],
  tokens: float,
  noise: float,
  rng: np.random.Generator,
  step_noise: float = 0.0,
  warmup: int = 0,
) -> list[BatchRun]:
  """The losses of every step of one model at several batch sizes.

  A run's S steps at B tokens have the loss that S_min = S/(1 + B_crit(L)/B)
  steps have by the first law.

  Args:
    steps: L(N, S_min).
    batch: B_crit(L).
    N: parameters.
    batches: tokens a step of each run.
    tokens: that each run trains on.
    noise: sd of log S between runs that differ by their seed.
    rng: where the noise comes from.
    step_noise: sd of one step's loss at 1000 tokens, in nats; falls with the
      root of the batch.
    warmup: steps that the runs say they warmed up for.
  """
  S_min = np.geomspace(1e-2, tokens, 4000)
  L = np.asarray(steps.loss(N, S_min))
  out = []
  for B in batches:
    S = S_min * (1 + batch.tokens(L) / B) * np.exp(noise * rng.normal())
    every = np.arange(1, int(tokens / B) + 1)
    losses = np.interp(np.log(every), np.log(S), L)
    scatter = step_noise * np.sqrt(1000 / B) * rng.normal(size=every.size)
    out.append(
      BatchRun(f'batch{B:g}', float(B), 1e-3, warmup, losses + scatter)
    )
  return out
