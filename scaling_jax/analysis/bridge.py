"""From Kaplan's exponent to Hoffmann's: the same runs, read in each way.

Kaplan et al. 2020 found N_opt ∝ C^0.73, Hoffmann et al. 2022 C^0.5. Porian et al.
2024 (arXiv 2406.19146) and Pearce and Song 2024 (arXiv 2406.12907) trace the
difference to what is counted and how the runs are trained. Each row here
changes one thing about Kaplan's reading; the last changes all.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import kaplan_laws
from scaling_jax.analysis import log_line
from scaling_jax.analysis import lower_hull
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.envelope import TrainingCurve
from scaling_jax.analysis.trained import Trained

Row = dict[str, Any]

PLAIN = 'Kaplan: no embeddings, 6ND'
ALL = 'Hoffmann: all parameters, 6ND'
HEAD = 'no embeddings, every matrix product'
FULL = 'Hoffmann: all parameters, full count'

# What each row is, and why it moves the exponent, in a line each.
ROWS = {
  'kaplan': (
    'as Kaplan would',
    'Read off training curves on the way, as the law N_opt(C) above: N without'
    ' embeddings, C = 6 N D, the batch and the warmup as they are.',
  ),
  'parameters': (
    'all parameters counted',
    'Embeddings are most of a small model and little of a large one: without'
    ' them N starts too low and grows too fast.',
  ),
  'head': (
    "the last layer's FLOPs counted",
    'The head and attention cost small models more than 6 N D says, so that'
    ' their curves start too far left.',
  ),
  'warmup': (
    "the warmup's compute left out",
    'A warmup of as many steps for all is most of what a small model needs: half'
    ' of its steps, lost while the learning rate rose, are not counted.',
  ),
  'decay': (
    'annealed ends instead of curves',
    'A curve on the way has not been annealed and lies above a run that ends'
    ' there; by approach 2 or 3, in place of the hull.',
  ),
  'batch': (
    'compute at a batch far below the critical',
    'One batch for all is above what is critical at high losses: small budgets'
    ' waste compute, and C_min takes that back.',
  ),
  'hoffmann': (
    'as Hoffmann would',
    'Annealed ends, all parameters and all FLOPs, at the batch that was used.',
  ),
}


_ENDS = ('decay', 'hoffmann')


def compare(
  runs: Sequence[Trained],
  found: kaplan_laws.Laws,
  conventions: Sequence[dict[str, Any]],
  annealed: Sequence[str],
  level: float,
  draws: int = 4000,
  seed: int = 0,
) -> list[Row]:
  """The exponent a of N_opt ∝ C^a under each reading.

  Args:
    runs: the trained runs that the laws were fitted to.
    found: Kaplan's laws on them.
    conventions: of approaches 2 and 3, by `conventions.compare`.
    annealed: the run_ids that those were fitted to; none if they were not
      annealed.
    level: of the intervals.
    draws, seed: as for `lower_hull.fit`.

  Returns:
    Rows {name, what, why, n_runs, exponent, moved (from the first row's value),
    status, sentence}; [] where no reading gives an exponent.
  """
  points = {t.point.run_id: t for t in runs}
  own = {c.run_id for c in found.curves}

  def read(name: str, count: str, warmup: bool = True, bend=None) -> Row:
    curves = [
      counted
      for c in found.curves
      if (counted := _counted(c, points[c.run_id], count, warmup)) is not None
    ]
    if bend is not None:
      curves = [c._replace(C=np.asarray(bend(c))) for c in curves]
    frontier = lower_hull.fit(curves, draws, seed)
    return _of_line(name, frontier.N_line, len(curves), level)

  rows = [
    read('kaplan', PLAIN),
    read('parameters', ALL),
    read('head', HEAD),
    read('warmup', PLAIN, warmup=False),
    _of_ends('decay', conventions, PLAIN, len(annealed)),
    _of_batch(read, found),
    _of_ends('hoffmann', conventions, FULL, len(annealed)),
  ]
  if all(row['exponent']['value'] is None for row in rows):
    return []
  base = rows[0]['exponent']['value'] if rows[0]['status'] == 'ok' else None
  for row in rows:
    value = row['exponent']['value']
    known = None not in (base, value) and row['status'] == 'ok'
    if row['name'] in _ENDS and row['status'] == 'ok' and {*annealed} != own:
      known = False
      row['sentence'] += ', of other runs than the curves: not to be compared'
    row['moved'] = value - base if known and row is not rows[0] else None
  return rows


def _counted(
  path: TrainingCurve, t: Trained, count: str, warmup: bool
) -> TrainingCurve | None:
  """A run's curve in another count; None where its source can't tell."""
  if count not in t.point.counts:
    return None
  N, C = t.point.counts[count]
  # The rate rose along a line: half of its steps are as good as none.
  D = path.D - (0.0 if warmup else t.warmup / 2 * t.B)
  return path._replace(N=N, C=C / t.point.D * D, D=D)


def _of_line(
  name: str, line: log_line.LogLine, n_runs: int, level: float
) -> Row:
  exponent = uncertainty.unknown()
  line = log_line.must_slope(line, 1, 'N_opt grows with C', level)
  if line.line is not None and line.draws is not None:
    exponent = uncertainty.estimate(line.line[0], line.draws[:, 0], level)
  return _row(name, n_runs, exponent, line.status, line.sentence)


def _of_ends(name: str, conventions, count: str, n_runs: int) -> Row:
  """Approach 2's exponent, or else 3's, by final losses."""
  if not n_runs:
    return _row(
      name, 0, uncertainty.unknown(), 'too_few_points',
      'no run was annealed: their learning rates never fell to half the peak',
    )  # fmt: skip
  for row in conventions:
    if row['name'] == count:
      for law, title in (('isoflop', '2'), ('parametric', '3')):
        if row[law]['value'] is not None:
          return _row(name, n_runs, row[law], 'ok', f'by approach {title}')
  return _row(
    name, n_runs, uncertainty.unknown(), 'too_few_points',
    'approaches 2 and 3 give no exponent: runs of several lengths are needed'
    ' for each size',
  )  # fmt: skip


def _of_batch(read, found: kaplan_laws.Laws) -> Row:
  law: laws.CriticalBatch | None = found.critical.law
  if not found.critical.ok or law is None:
    return _row(
      'batch', len(found.curves), uncertainty.unknown(), 'too_few_points',
      f'the critical batch is {found.critical.status}',
    )  # fmt: skip
  row = read('batch', PLAIN, bend=lambda c: law.C_min(c.C, found.B, c.L))
  if found.adjusted is not None and row['status'] == 'ok':
    low, high = found.critical.fitted
    if found.adjusted.frontier_beyond:
      row['sentence'] += (
        f'; B_crit(L) is extrapolated beyond losses from {high:.4g} to {low:.4g}'
      )
  return row


def _row(name: str, n_runs: int, exponent, status: str, sentence: str) -> Row:
  what, why = ROWS[name]
  return {
    'name': name,
    'what': what,
    'why': why,
    'n_runs': n_runs,
    'exponent': exponent,
    'moved': None,
    'status': status,
    'sentence': sentence,
  }
