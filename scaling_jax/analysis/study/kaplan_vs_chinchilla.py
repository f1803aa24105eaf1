"""From Kaplan's exponent to Hoffmann's: the same runs, read in each way.

Kaplan et al. 2020 found N_opt ∝ C^0.73, Hoffmann et al. 2022 C^0.5. Porian et
al. 2024 (arXiv 2406.19146) and Pearce and Song 2024 (arXiv 2406.12907) trace
the difference to what is counted and how the runs are trained. Each reading
here changes one thing about Kaplan's; the last changes all.
"""

from collections.abc import Callable, Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.fitting import frontier
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import kaplan as messages
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs.histories import LoadedRun
from scaling_jax.analysis.study.kaplan_study import KaplanStudy
from scaling_jax.analysis.study.results import CountingEffect

NAMES = tuple(messages.READINGS)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
  """The exponent a of N_opt ∝ C^a under one reading of the runs.

  Attributes:
    name: of NAMES.
    n_runs: that were read.
    exponent: a; unknown where the reading gives none.
    status, message: whether it does.
    comparable: whether it is of the runs that Kaplan's reading is of.
    notes: what else speaks against it.
  """

  name: str
  n_runs: int
  exponent: Estimate
  status: Status
  message: str
  comparable: bool = True
  notes: tuple[str, ...] = ()

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  @property
  def what(self) -> str:
    """What it is, in a few words."""
    return messages.READINGS[self.name].what

  @property
  def why(self) -> str:
    """Why it moves the exponent."""
    return messages.READINGS[self.name].why

  def moved(self, base: 'Reading') -> float | None:
    """By how much it moves the exponent of the first reading.

    None where one of the two is not known, or they are not to be compared.
    """
    if self.name == base.name or not (self.ok and base.ok and self.comparable):
      return None
    moved = self.exponent.center - base.exponent.center
    return moved if np.isfinite(moved) else None


def compare(
  runs: Sequence[LoadedRun],
  study: KaplanStudy,
  effects: Sequence[CountingEffect],
  *,
  annealed: Sequence[str],
  bootstrap: Bootstrap | None = None,
) -> tuple[Reading, ...]:
  """The exponent a of N_opt ∝ C^a under each reading.

  Args:
    runs: that the laws were fitted to.
    study: Kaplan's laws on them.
    effects: of counting, by approaches 2 and 3.
    annealed: the run_ids that those were fitted to; none if they were not
      annealed.
    bootstrap: how many draws, and their seed.

  Returns:
    A reading for each of NAMES; () where none gives an exponent.
  """
  runs_by_id = {one.run_id: one for one in runs}

  def read(
    name: str,
    count: str,
    *,
    warmup: bool = True,
    C_of: Callable[[LossCurve], np.ndarray] | None = None,
  ) -> Reading:
    curves = [
      counted
      for c in study.curves
      if (counted := _counted(c, runs_by_id[c.run_id], count, warmup=warmup))
    ]
    if C_of is not None:
      curves = [dataclasses.replace(c, C=C_of(c)) for c in curves]
    line = frontier.unjudged(curves, bootstrap=bootstrap).N_fit
    return _of_line(name, line, len(curves))

  comparable = {*annealed} == {c.run_id for c in study.curves}
  readings = (
    read('kaplan', counting.KAPLAN),
    read('parameters', counting.HOFFMANN),
    read('head', counting.KAPLAN_FULL),
    read('warmup', counting.KAPLAN, warmup=False),
    _of_ends('decay', effects, counting.KAPLAN, len(annealed), comparable),
    _of_batch(read, study),
    _of_ends(
      'hoffmann', effects, counting.HOFFMANN_FULL, len(annealed), comparable
    ),
  )
  if not any(np.isfinite(reading.exponent.value) for reading in readings):
    return ()
  return readings


def _counted(
  curve: LossCurve, one: LoadedRun, count: str, *, warmup: bool
) -> LossCurve | None:
  """A run's curve in another count; None where its source can't tell."""
  if count not in one.counts:
    return None
  N, C = one.counts[count]
  # The rate rose along a line: half of its steps are as good as none.
  lost = 0.0 if warmup else one.history.warmup / 2 * one.run.tokens_per_step
  D = curve.D - lost
  return dataclasses.replace(curve, N=N, C=C / one.run.D * D, D=D)


def _of_line(name: str, line: PowerLawFit, n_runs: int) -> Reading:
  line = power_law.must_slope(line, 1, messages.N_OPT_GROWS)
  return Reading(
    name=name,
    n_runs=n_runs,
    exponent=line.estimates()['exponent'],
    status=line.status,
    message=line.message,
  )


def _of_ends(
  name: str,
  effects: Sequence[CountingEffect],
  count: str,
  n_runs: int,
  comparable: bool,
) -> Reading:
  """Approach 2's exponent, or else 3's, by final losses."""
  none = Reading(
    name=name,
    n_runs=n_runs,
    exponent=Estimate(),
    status=Status.TOO_FEW_POINTS,
    message=messages.NO_EXPONENT if n_runs else messages.NOT_ANNEALED,
  )
  if not n_runs:
    return none
  for effect in effects:
    if effect.name == count:
      for exponent, number in ((effect.isoflop, 2), (effect.chinchilla, 3)):
        if np.isfinite(exponent.value):
          message = messages.by_approach(number)
          return dataclasses.replace(
            none,
            exponent=exponent,
            status=Status.OK,
            message=message if comparable else messages.other_runs(message),
            comparable=comparable,
          )
  return none


def _of_batch(read: Callable[..., Reading], study: KaplanStudy) -> Reading:
  batch = study.critical_batch
  if not batch.ok:
    return Reading(
      name='batch',
      n_runs=len(study.curves),
      exponent=Estimate(),
      status=Status.TOO_FEW_POINTS,
      message=messages.batch_unknown(batch.status),
    )
  law, B = batch.law, study.tokens_per_step
  reading = read(
    'batch', counting.KAPLAN, C_of=lambda c: np.asarray(law.C_min(c.C, B, c.L))
  )
  at = study.at_critical_batch
  if at is None or not at.frontier_beyond or not reading.ok:
    return reading
  note = messages.extrapolated_reading(batch.fitted_range)
  return dataclasses.replace(reading, notes=(note,))
