"""Kaplan's laws on one study: which runs carry which, and all of them.

Kaplan et al. 2020 (arXiv 2001.08361). Power laws of compute take it in PF-days,
as he does; hulls and curves are in FLOPs.
"""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import critical_batch as critical_batch_lib
from scaling_jax.analysis.fitting import frontier as frontier_lib
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.frontier import FrontierFit
from scaling_jax.analysis.fitting.kaplan import KaplanFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import kaplan as messages
from scaling_jax.analysis.runs.histories import LoadedRun
from scaling_jax.analysis.study import at_critical_batch as at_batch
from scaling_jax.analysis.study import kaplan_runs
from scaling_jax.analysis.study.at_critical_batch import PF_DAY
from scaling_jax.analysis.study.at_critical_batch import AtCriticalBatch


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Law:
  """One of Kaplan's laws as tables and files state it.

  Attributes:
    name: in fits.json, such as 'kaplan_L_N'.
    status, message, notes: whether it answers.
    estimates: its parameters by name; compute in PF-days.
  """

  name: str
  status: Status
  message: str
  notes: tuple[str, ...]
  estimates: dict[str, Estimate]

  @property
  def ok(self) -> bool:
    return self.status == Status.OK


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Consistency:
  """alpha_C of L(C_min), measured, and as the other exponents predict it.

  1/(1/alpha_S + 1/alpha_B + 1/alpha_N) (eq. 6.4).

  Attributes:
    status: 'ok' where both are known, whether they agree or not.
    message: why they are not; at LEVEL whether they agree where they are.
    measured, predicted: the two.
  """

  status: Status
  message: str
  measured: Estimate
  predicted: Estimate

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  def overlap(self, level: float = LEVEL) -> bool | None:
    """Whether the intervals overlap; None where one is not known."""
    return self.measured.at(level).overlaps(self.predicted.at(level))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class KaplanStudy:
  """Kaplan's laws on one study, each with its status.

  Attributes:
    L_N, L_D: of one quantity.
    L_ND: of both.
    frontier: L(C) and N_opt(C) along the hull of training curves, in FLOPs.
    critical_batch: B_crit(L).
    at_critical_batch: None without B_crit(L), or without a curve.
    tokens_per_step: of the runs behind the frontier; nan if none.
    curves: behind the frontier.
  """

  L_N: PowerLawFit
  L_D: PowerLawFit
  L_ND: KaplanFit
  frontier: FrontierFit
  critical_batch: CriticalBatchFit
  at_critical_batch: AtCriticalBatch | None
  tokens_per_step: float
  curves: tuple[LossCurve, ...]

  @property
  def L_C(self) -> PowerLawFit:
    """L(C), C in PF-days."""
    return self.frontier.L_fit.in_units(PF_DAY)

  @property
  def N_opt(self) -> PowerLawFit:
    """N_opt(C), C in PF-days."""
    return self.frontier.N_fit.in_units(PF_DAY)

  @property
  def without_batch(self) -> str:
    """Why there is no law at the critical batch size; '' where there are."""
    if self.at_critical_batch is not None:
      return ''
    if self.critical_batch.ok:
      return messages.NO_CURVE
    return messages.needs_batch(self.critical_batch.status)

  @property
  def extrapolated(self) -> str:
    """Where B_crit(L) is used beyond the losses it was fitted on, or ''."""
    at = self.at_critical_batch
    if at is None or not (at.beyond or at.frontier_beyond):
      return ''
    ends = self.critical_batch.fitted_range
    return messages.extrapolated(ends, at.beyond, at.frontier_beyond)

  @property
  def consistency(self) -> Consistency:
    """Whether the exponents agree with that of L(C_min)."""
    at, unknown = self.at_critical_batch, Estimate()
    if at is None:
      return Consistency(
        status=Status.TOO_FEW_POINTS,
        message=self.without_batch,
        measured=unknown,
        predicted=unknown,
      )
    line, steps = at.frontier.L_fit, at.steps
    for name, part in (('L(C_min)', line), ('L(N, S_min)', steps)):
      if not part.ok:
        return Consistency(
          status=part.status,
          message=messages.needs_law(name, part.status),
          measured=unknown,
          predicted=unknown,
        )
    law, redrawn = self.critical_batch.law, self.critical_batch.draws
    drawn = steps.draws
    # The same redrawn B_crit stands behind both.
    n = min(len(np.atleast_1d(x)) for x in (drawn.alpha_S, redrawn.alpha_B))
    of_draws = np.asarray(
      laws.alpha_C_min(
        np.asarray(drawn.alpha_S)[:n],
        np.asarray(redrawn.alpha_B)[:n],
        np.asarray(drawn.alpha_N)[:n],
      )
    )
    value = laws.alpha_C_min(steps.law.alpha_S, law.alpha_B, steps.law.alpha_N)
    found = Consistency(
      status=Status.OK,
      message='',
      measured=line.kaplan_estimates()[1],
      predicted=Estimate(float(value), of_draws),
    )
    message = messages.consistency(found.overlap())
    return dataclasses.replace(found, message=message)

  @property
  def laws(self) -> tuple[Law, ...]:
    """Every law in Kaplan's order, those that have no answer included."""
    return (
      kaplan_form('kaplan_L_N', self.L_N, 'N'),
      kaplan_form('kaplan_L_D', self.L_D, 'D'),
      law_of('kaplan_L_ND', self.L_ND),
      kaplan_form('kaplan_L_C', self.L_C, 'C', self.frontier),
      law_of('kaplan_N_opt', self.N_opt, self.frontier),
      law_of('critical_batch', self.critical_batch),
      *self._laws_at_critical_batch(),
    )

  def _laws_at_critical_batch(self) -> tuple[Law, ...]:
    at, check = self.at_critical_batch, self.consistency
    both = {'measured': check.measured, 'predicted': check.predicted}
    if at is None:
      power = ('coefficient', 'exponent')
      return tuple(
        Law(
          name=name,
          status=Status.TOO_FEW_POINTS,
          message=self.without_batch,
          notes=(),
          estimates={parameter: Estimate() for parameter in parameters},
        )
        for name, parameters in (
          ('kaplan_L_Cmin', ('C_c', 'alpha_C')),
          ('kaplan_N_opt_Cmin', power),
          ('kaplan_B_Cmin', power),
          ('kaplan_S_Cmin', power),
          ('kaplan_L_NS', laws.KaplanSteps._fields),
          ('kaplan_consistency', tuple(both)),
        )
      )
    found = (
      kaplan_form('kaplan_L_Cmin', at.L_C, 'C', at.frontier),
      law_of('kaplan_N_opt_Cmin', at.N_opt, at.frontier),
      law_of('kaplan_B_Cmin', at.B_fit),
      law_of('kaplan_S_Cmin', at.S_fit),
      law_of('kaplan_L_NS', at.steps),
      Law(
        name='kaplan_consistency',
        status=check.status,
        message=check.message,
        notes=(),
        estimates=both,
      ),
    )
    beyond = (self.extrapolated,) if self.extrapolated else ()
    return tuple(
      dataclasses.replace(law, notes=(*law.notes, *beyond)) if law.ok else law
      for law in found
    )


def law_of(
  name: str,
  fit: FitResult,
  frontier: FrontierFit | None = None,
) -> Law:
  """As the fit states itself, or where they agree as its frontier does."""
  message = fit.message
  if frontier is not None and frontier.status == fit.status:
    message = frontier.message  # else the law tells why not
  return Law(
    name=name,
    status=fit.status,
    message=message,
    notes=fit.notes,
    estimates=fit.estimates(),
  )


def kaplan_form(
  name: str,
  fit: PowerLawFit,
  x: str,
  frontier: FrontierFit | None = None,
) -> Law:
  """L = (x_c/x)^alpha_x."""
  x_c, alpha = fit.kaplan_estimates()
  estimates = {f'{x}_c': x_c, f'alpha_{x}': alpha}
  return dataclasses.replace(law_of(name, fit, frontier), estimates=estimates)


def fit(
  every: Sequence[LoadedRun],
  tuned: Sequence[LoadedRun],
  *,
  bootstrap: Bootstrap | None = None,
) -> KaplanStudy:
  """Fits each law to those of the runs that can carry it.

  Args:
    every: all runs; the critical batch wants the slow ones too.
    tuned: of the runs that differ by batch size or learning rate the best, and
      all others, those on a part of the text included.
    bootstrap: how many draws, and their seed.
  """
  how = bootstrap or Bootstrap()
  ends = kaplan_runs.Ends.of(tuned)
  same_D, same_N, both = ends.of_one_D(), ends.of_one_N(), ends.of_both()
  tokens_per_step, curves = kaplan_runs.curves_of_one_batch(tuned)
  batch = critical_batch_lib.fit(
    kaplan_runs.study_of_batches(every), bootstrap=how
  )
  at = None
  if batch.ok and curves:
    at = at_batch.fit(curves, tokens_per_step, batch, bootstrap=how)
  return KaplanStudy(
    L_N=power_law.must_slope(
      _of_one(same_D.N, same_D.L, messages.SIZES, same_D.D, 'tokens', how),
      -1,
      messages.LOSS_FALLS_WITH_N,
    ),
    L_D=power_law.must_slope(
      _of_one(
        same_N.D, same_N.L, messages.AMOUNTS, same_N.N, 'parameters', how
      ),
      -1,
      messages.LOSS_FALLS_WITH_D,
    ),
    L_ND=kaplan.fit_ND(both.N, both.D, both.L, bootstrap=how),
    frontier=frontier_lib.fit(curves, bootstrap=how),
    critical_batch=batch,
    at_critical_batch=at,
    tokens_per_step=tokens_per_step,
    curves=tuple(curves),
  )


def _of_one(x, L, what: str, fixed, unit: str, how: Bootstrap) -> PowerLawFit:
  """A law of one quantity, at how much of the other it holds."""
  found = power_law.fit(x, L, what=what, draws=how.draws, seed=how.seed)
  if not found.ok:
    return found
  message = messages.at_fixed(float(fixed[0]), unit, found.message)
  return bounded(dataclasses.replace(found, message=message))


def bounded(found: PowerLawFit) -> PowerLawFit:
  """A law of points that cannot tell a line from a curve ends with them."""
  if not found.ok or found.curvature is None or found.curvature.dof:
    return found
  notes = (*found.notes, messages.untested_line())
  return dataclasses.replace(found, bounded=True, notes=notes)
