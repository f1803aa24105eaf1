"""Kaplan's laws at the critical batch size: of C_min and of S_min.

Kaplan et al. 2020 (arXiv 2001.08361), sections 5 and 6. B_crit(L) turns what a
run spent at its batch into C_min, what it would have spent at a batch far below
the critical one, and its steps into S_min, at one far above.
"""

from collections.abc import Sequence
import dataclasses
from typing import Any

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import frontier as frontier_lib
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.frontier import FrontierFit
from scaling_jax.analysis.fitting.kaplan import KaplanFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import kaplan as messages

PF_DAY = laws.FLOPS_PER_PF_DAY


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class AtCriticalBatch:
  """The laws at the critical batch size, where B_crit(L) is known.

  Attributes:
    frontier: of loss against C_min; its laws' draws hold B_crit's too.
    B_fit, S_fit: B_crit and S_min along the frontier against C_min, PF-days.
    steps: L(N, S_min).
    curves: loss against C_min.
    beyond: the share of the curves' points whose loss lies outside the range
      that B_crit was fitted on.
    frontier_beyond: the same of the models on the frontier.
  """

  frontier: FrontierFit
  B_fit: PowerLawFit
  S_fit: PowerLawFit
  steps: KaplanFit
  curves: tuple[LossCurve, ...]
  beyond: float
  frontier_beyond: float

  @property
  def L_C(self) -> PowerLawFit:
    """L(C_min), C_min in PF-days."""
    return self.frontier.L_fit.in_units(PF_DAY)

  @property
  def N_opt(self) -> PowerLawFit:
    """N_opt(C_min), C_min in PF-days."""
    return self.frontier.N_fit.in_units(PF_DAY)


def fit(
  curves: Sequence[LossCurve],
  tokens_per_step: float,
  batch: CriticalBatchFit,
  *,
  bootstrap: Bootstrap,
) -> AtCriticalBatch:
  """The laws of curves that share a batch size.

  Args:
    curves: of runs of several sizes; C in FLOPs.
    tokens_per_step: of them all.
    batch: B_crit(L), which is ok.
    bootstrap: how many draws, and their seed.
  """
  law = batch.law
  moved = [
    dataclasses.replace(
      c, C=np.asarray(law.C_min(c.C, tokens_per_step, c.L), float)
    )
    for c in curves
  ]
  frontier, B_fit, S_fit = _along(
    frontier_lib.unjudged(moved, bootstrap=bootstrap),
    tokens_per_step,
    batch,
    bootstrap,
  )
  low, high = batch.fitted_range
  L = np.concatenate([c.L for c in curves])
  touched = np.array([t.L for t in frontier.inner])
  return AtCriticalBatch(
    frontier=frontier.judged(),
    B_fit=power_law.must_slope(B_fit, 1, messages.BATCH_GROWS_WITH_C).in_units(
      PF_DAY
    ),
    S_fit=S_fit.in_units(PF_DAY),
    steps=_steps(curves, tokens_per_step, batch, bootstrap),
    curves=tuple(moved),
    beyond=float(np.mean((low > L) | (high < L))),
    frontier_beyond=float(np.mean((low > touched) | (high < touched)))
    if len(touched)
    else 0.0,
  )


def _steps(
  curves: Sequence[LossCurve],
  tokens_per_step: float,
  batch: CriticalBatchFit,
  bootstrap: Bootstrap,
) -> KaplanFit:
  """L(N, S_min), in which every redrawn B_crit has an S_min of its own."""
  law = batch.law
  rows = [(c.D / tokens_per_step, c.L) for c in curves]
  steps = [np.asarray(law.S_min(S, tokens_per_step, L)) for S, L in rows]
  n = min(bootstrap.draws, kaplan.DRAWS)
  redrawn = _taken(batch.draws, np.arange(n))
  by_draw = [np.asarray(redrawn.S_min(S, tokens_per_step, L)) for S, L in rows]
  return kaplan.fit_NS(
    curves, steps, bootstrap=bootstrap, steps_drawn=by_draw if n else None
  )


def _along(
  found: FrontierFit,
  tokens_per_step: float,
  batch: CriticalBatchFit,
  bootstrap: Bootstrap,
) -> tuple[FrontierFit, PowerLawFit, PowerLawFit]:
  """The frontier's laws with B_crit's draws, and B_crit's and S_min's own.

  At each model's best C_min = 6 N B_crit S_min. A redrawn B_crit moves C_min of
  the same points: C stays, since that is what the runs spent.
  """
  C, N, L = frontier_lib.columns(found.inner)
  B = np.asarray(batch.law.tokens(L))
  B_fit = frontier_lib.through(C, B, bootstrap)
  S_fit = frontier_lib.through(C, C / (6 * N * B), bootstrap)
  if not found.L_fit.ok or not bootstrap.draws:
    return found, B_fit, S_fit
  rng = np.random.default_rng(bootstrap.seed)
  n = len(np.asarray(batch.draws.B_star))
  redrawn = _taken(batch.draws, rng.integers(n, size=bootstrap.draws))
  spent = C * (1 + tokens_per_step / B)
  B_DK = np.asarray(redrawn.tokens(L))
  C_DK = spent / (1 + tokens_per_step / B_DK)

  def again(fit: PowerLawFit, y_DK: np.ndarray) -> PowerLawFit:
    moved = power_law.lines(np.log(C_DK), np.log(y_DK))
    assert fit.line_draws is not None
    return dataclasses.replace(
      fit, line_draws=fit.line_draws + moved - fit.line
    )

  tall = np.broadcast_to(L, C_DK.shape)
  wide = np.broadcast_to(N, C_DK.shape)
  return (
    dataclasses.replace(
      found, L_fit=again(found.L_fit, tall), N_fit=again(found.N_fit, wide)
    ),
    again(B_fit, B_DK),
    again(S_fit, C_DK / (6 * N * B_DK)),
  )


def _taken(draws: Any, chosen: np.ndarray) -> laws.CriticalBatch:
  """Laws of arrays [D, 1]: the chosen of the draws."""
  columns: list[Any] = [np.asarray(x)[chosen, None] for x in draws]
  return laws.CriticalBatch(*columns)
