"""Runs of real GPT shapes whose C counts attention and head, 2.4 to 1.6 6ND."""

import functools

import numpy as np

from scaling_jax import budget
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.published import BESIROGLU as LAW
from tests.analysis import studies

CONTEXT, VOCAB = 2048, 256
BUDGETS = np.geomspace(4e15, 8e16, 4)


def per_token(M, context=CONTEXT, vocab=VOCAB):
  """N and FLOPs a token of a GPT of width M and M / 64 layers, at any M.

  Every matrix product: budget.flops_per_token where M is a width.
  """
  L = M / 64
  N = L * (12 * M * M + 2 * M) + M
  return N, 3 * (L * (24 * M * M + 4 * context * M) + 2 * vocab * M)


def best_of_all(C, **counted):
  """N_opt by brute force over widths, and the loss there."""
  N, flops = per_token(np.exp(np.linspace(4, 12, 400_001)), **counted)
  L = LAW.loss(N, C / flops)
  return float(N[np.argmin(L)]), float(L.min())


def ladder(layers=range(4, 10), **counted):
  """(N, D, C) of every model at every budget."""
  shapes = [budget.Shape(n, n, 64 * n) for n in layers]
  N, flops = np.array([
    (
      budget.count_parameters(shape, 0, 0).N,
      budget.flops_per_token(
        shape, counted.get('context', CONTEXT), counted.get('vocab', VOCAB)
      ),
    )
    for shape in shapes
  ], float).T  # fmt: skip
  C = np.repeat(BUDGETS, len(N))
  N, flops = np.tile(N, len(BUDGETS)), np.tile(flops, len(BUDGETS))
  return N, C / flops, C


@functools.cache
def analyzed() -> Analysis:
  """A study of the ladder with 0.1% of noise; not to be changed."""
  N, D, C = ladder()
  rng = np.random.default_rng(0)
  loss = LAW.loss(N, D) * np.exp(1e-3 * rng.normal(size=len(N)))
  return studies.analyze(studies.as_runs(simulate.Design(C, N, D), loss))
