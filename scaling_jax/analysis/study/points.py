"""One of Kaplan's laws through points of it, such as a figure's."""

import dataclasses

from scaling_jax import formatting
from scaling_jax.analysis.fitting import critical_batch
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.critical_batch import CriticalBatchFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.messages import kaplan as kaplan_messages
from scaling_jax.analysis.messages import points as messages
from scaling_jax.analysis.messages import tables as table_messages
from scaling_jax.analysis.runs.points import Points
from scaling_jax.analysis.study import kaplan_study
from scaling_jax.analysis.study.at_critical_batch import PF_DAY
from scaling_jax.analysis.study.kaplan_study import Law
from scaling_jax.analysis.study.results import Options
from scaling_jax.tables import Table

_FALLS = {
  'N': kaplan_messages.LOSS_FALLS_WITH_N,
  'D': kaplan_messages.LOSS_FALLS_WITH_D,
  'C': messages.LOSS_FALLS_WITH_C,
  'B_crit': kaplan_messages.BATCH_GROWS,
}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PointsLaw:
  """A law, and the points that it goes through.

  Attributes:
    points: as they were read.
    line: through their logarithms; C in PF-days.
    batch: the same as B_crit(L); None for L(N), L(D) and L(C).
    level: of the intervals.
  """

  points: Points
  line: PowerLawFit
  batch: CriticalBatchFit | None
  level: float

  @property
  def fit(self) -> FitResult:
    """What states the law: its file is of this."""
    return self.line if self.batch is None else self.batch

  @property
  def law(self) -> Law:
    """The law as tables state it."""
    of = self.points.of
    if self.batch is not None:
      found = kaplan_study.law_of(messages.LAWS[of], self.batch)
    else:
      found = kaplan_study.kaplan_form(messages.LAWS[of], self.line, of)
    tested = self.line.curvature
    if not found.ok or tested is None or not tested.dof or tested.rejects:
      return found
    straight = messages.straight(tested.p_value)
    return dataclasses.replace(found, notes=(*found.notes, straight))

  def table(self) -> Table:
    """Its numbers, or its status in their place; below, what tests it."""
    law = self.law
    table = Table('law', table_messages.KAPLAN_LAWS[law.name])
    for name, estimate in law.estimates.items():
      found = estimate.at(self.level)
      table.add(
        {'number': name, 'estimate': found, 'status': str(law.status)},
        {
          'number': table_messages.kaplan_number(law.name, name),
          f'estimate, {formatting.percent(self.level)} interval': (
            formatting.estimate(found, law.status)
          ),
        },
      )
    texts = [law.message, *law.notes]
    if law.ok and self.batch is None:
      texts.append(messages.NO_FLOOR)
    table.notes += map(table_messages.sentence, texts)
    table.notes += self.points.notes
    table.notes += messages.excluded([x.reason for x in self.points.excluded])
    return table

  def data(self) -> Table:
    """The points, a row each: C in FLOPs."""
    points, table = self.points, Table('points', 'Points')
    for name, size, loss in zip(points.names, points.size, points.loss):
      row = {'name': name, points.of: float(size), 'loss': float(loss)}
      table.add(row, {key: str(value) for key, value in row.items()})
    return table


def fit(points: Points, options: Options | None = None) -> PointsLaw:
  """Fits the one law that points can carry.

  L(N) = (N_c/N)^alpha_N, L(D) and L(C) alike, with C_c in PF-days, and
  B_crit(L) = B*/L^(1/alpha_B), in tokens: Kaplan et al. 2020 (arXiv 2001.08361),
  eqs. 1.1 to 1.4. By least squares of logarithms; see `power_law.fit`.

  Args:
    points: [n] of them.
    options: the level, and how draws are made.

  Returns:
    'ok'; 'too_few_points' below three different x; 'not_identified' where the
    loss may not fall, or B_crit not grow as it falls. Nothing is stated beyond
    points that lie on a curve, or three that can't tell.

  >>> import numpy as np
  >>> C = np.geomspace(1e15, 1e21, 5)
  >>> L = (2.3e8 * 8.64e19 / C) ** 0.05
  >>> law = fit(Points(of='C', x=C, y=L, names=tuple('abcde')))
  >>> [round(float(f'{x.center:.6g}'), 3) for x in law.law.estimates.values()]
  [230000000.0, 0.05]
  """
  options = options or Options()
  how = options.bootstrap
  found = kaplan_study.bounded(
    power_law.fit(
      points.x / PF_DAY if points.of == 'C' else points.x,
      points.y,
      what=messages.WHAT[points.of],
      draws=how.draws,
      seed=how.seed,
    )
  )
  line = power_law.must_slope(found, -1, _FALLS[points.of])
  batch = critical_batch.law_of(line) if points.of == 'B_crit' else None
  return PointsLaw(points=points, line=line, batch=batch, level=options.level)
