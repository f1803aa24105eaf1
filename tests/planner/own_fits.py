"""Fits whose draws are known, made without fitting; plans of what there is."""

import numpy as np

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs

# Of log A', log B', log E, alpha and beta: the two terms move together.
_ROOT = np.array([
  [0.03, 0, 0, 0, 0],
  [0.01, 0.03, 0, 0, 0],
  [-0.01, -0.01, 0.004, 0, 0],
  [-0.01, 0.003, 0.003, 0.01, 0],
  [0.003, -0.01, 0.003, -0.004, 0.01],
])  # fmt: skip


def chinchilla_fit(
  law=designs.LAW, draws: int = 1000, **changes
) -> chinchilla.ChinchillaFit:
  """An ok fit of a law to three budgets, its draws normal and correlated."""
  plan = designs.design(law)
  data = chinchilla.LogData.of(plan.N, plan.D, law.loss(plan.N, plan.D))
  point = data.params(law)
  z = np.random.default_rng(0).normal(size=(draws, 5))
  return chinchilla.ChinchillaFit(
    **{
      'status': Status.OK,
      'N': plan.N,
      'D': plan.D,
      'loss': np.exp(data.log_L),
      'center': (data.mean_log_N, data.mean_log_D),
      'point': point,
      'param_draws': point + z @ _ROOT.T,
      'residual_sd': ResidualSD(0.002, 16),
      **changes,
    }
  )


def isoflop_fit(draws: int = 1000) -> IsoflopFit:
  """N_opt = 2 C^0.4 and D_opt = C^0.6 / 12, whose draws keep 6 N D = C."""
  z = np.random.default_rng(1).normal(size=(draws, 1)) * [0.02, 0.0]
  C = np.geomspace(1e14, 1e16, 3)

  def line(slope, intercept, sign):
    return PowerLawFit(
      status=Status.OK,
      x=C,
      y=np.exp(intercept) * C**slope,
      line=np.array([slope, intercept]),
      line_draws=np.array([slope, intercept]) + sign * z,
    )

  return IsoflopFit(
    status=Status.OK,
    N_opt=line(0.4, np.log(2), 1),
    D_opt=line(0.6, -np.log(12), -1),
  )
