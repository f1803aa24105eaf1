"""How budgets met what was predicted of them, as tables."""

from typing import TYPE_CHECKING

import numpy as np

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import tables as messages
from scaling_jax.tables import Table

if TYPE_CHECKING:
  from scaling_jax.analysis.study.analyze import Analysis


def held_out(analysis: 'Analysis') -> str:
  """How the held-out budget was predicted, or why it was not; a sentence."""
  found = analysis.hold_out
  if not found.ok:
    return messages.sentence(found.message)
  inside, n = found.counts(analysis.level)
  return messages.sentence(
    messages.held_out(inside, n, C=found.C, ahead=found.ahead)
  )


def largest(analysis: 'Analysis') -> Table:
  """Each loss and N_opt of the largest budget, predicted and found."""
  table = Table('hold_out', messages.TITLES['hold_out'])
  found, level = analysis.hold_out, analysis.level
  for run in found.runs:
    inside = messages.met(run.inside(level), run.too_wide(level), ('yes', 'no'))
    predicted = run.predicted.at(level)
    table.add(
      {
        'what': run.run_id, 'predicted': predicted, 'actual': run.actual,
        'inside': inside,
      },
      {
        'what': f'loss of {run.run_id}',
        'predicted': formatting.estimate(predicted),
        'actual': formatting.number(run.actual),
        'inside': inside,
      },
    )  # fmt: skip
  for optimum in found.optima:
    title = messages.APPROACHES[optimum.approach]
    predicted, actual = optimum.predicted.at(level), optimum.actual.at(level)
    overlap = messages.met(optimum.overlap(level), optimum.too_wide(level))
    show = formatting.count
    table.add(
      {
        'what': f'N_opt by {messages.written(optimum.approach)}',
        'predicted': predicted,
        'actual': actual.value if np.isfinite(actual.value) else None,
        'inside': overlap,
      },
      {
        'what': f'N_opt by {title}',
        'predicted': formatting.estimate(predicted, optimum.status, show),
        'actual': formatting.estimate(actual, show=show),
        'inside': overlap,
      },
    )
    if optimum.status != Status.OK:
      table.notes.append(messages.about(f'N_opt by {title}', optimum.message))
  table.notes.append(held_out(analysis))
  return table


def every(analysis: 'Analysis') -> Table:
  """One line a budget, where more than the largest can be predicted."""
  table, level = (
    Table('predictions', messages.TITLES['predictions']),
    analysis.level,
  )
  if not analysis.earlier_hold_outs:
    return table
  for found in analysis.predictions:
    inside, n = found.counts(level)
    optima = {
      one.approach: messages.met(one.overlap(level), one.too_wide(level))
      for one in found.optima
    }
    table.add(
      {
        'C': found.C, 'ahead': found.ahead, 'inside': inside, 'n': n,
        'p_value': found.p_value,
        **{f'N_opt_{messages.written(name)}': text for name, text in optima.items()},
      },
      {
        'C (FLOPs)': formatting.flops(found.C),
        'ahead': formatting.factor(found.ahead),
        'losses inside': messages.inside(inside, n, len(found.runs)),
        'chance': messages.chance(found.p_value),
        **{
          f'N_opt by {messages.APPROACHES[name]}': text
          for name, text in optima.items()
        },
      },
    )  # fmt: skip
  table.notes.append(messages.predictions())
  table.notes += [
    text
    for texts in analysis.doubts.values()
    for text in texts
    if text not in analysis.form_notes
  ]
  return table
