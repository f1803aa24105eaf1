"""Which approach to go by, and what tests found against the others.

Approach 3 leads, since it alone states a loss. A test that fires against it
gives the lead to approach 2, where that has three budgets and none against it;
else approach 3 answers with the wider of its own intervals and of those that
average over forms. Where nothing wider is known there is no number.
"""

from collections.abc import Mapping, Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages import study as messages
from scaling_jax.analysis.study.results import HoldOut

CHANCE = 0.005  # of a true law, that any budget's losses lie as far off
MIN_BUDGETS = 3  # with a minimum, for approach 2 to lead before approach 3

Doubts = Mapping[str, tuple[str, ...]]


def against(
  form_notes: Sequence[str], predictions: Sequence[HoldOut], level: float
) -> dict[str, tuple[str, ...]]:
  """What tests found against approaches 2 and 3, by name.

  Args:
    form_notes: of approach 3's form.
    predictions: every budget, predicted from those below it.
    level: of the intervals of N_opt that are to overlap.
  """
  found = {
    'isoflop': _optima(predictions, 'isoflop', level),
    'chinchilla': [
      *form_notes,
      *_losses(predictions),
      *_optima(predictions, 'chinchilla', level),
    ],
  }
  return {name: tuple(texts) for name, texts in found.items()}


def _losses(predictions: Sequence[HoldOut]) -> list[str]:
  return [
    messages.losses_apart(one.C, one.p_value)
    for one in predictions
    if too_far(one, len(predictions))
  ]


def too_far(one: HoldOut, tests: int) -> bool:
  """Whether losses lie off what was predicted, of so many budgets tested."""
  return bool(one.p_value < CHANCE / tests)


def _optima(
  predictions: Sequence[HoldOut], approach: str, level: float
) -> list[str]:
  level = 1 - (1 - level) / max(len(predictions), 1)
  return [
    messages.optimum_apart(
      approach, held.C, one.predicted.at(level), one.actual.at(level)
    )
    for held in predictions
    for one in held.optima
    if one.approach == approach and one.overlap(level) is False
  ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lead:
  """The approach to go by.

  Attributes:
    approach: by name; None where none is ok.
    doubts: what tests found against it.
    wider: whether its interval must be as wide as an averaged one.
    withheld: whether nothing wider is known, so that it states no number.
  """

  approach: str | None
  doubts: tuple[str, ...] = ()
  wider: bool = False
  withheld: bool = False


def lead(
  approaches: Mapping[str, FitResult],
  doubts: Doubts,
  *,
  minima: int,
  averaged: bool,
) -> Lead:
  """Which approach leads.

  Args:
    approaches: by name, of any status.
    doubts: by name; of approach 1 none are known.
    minima: budgets that show one.
    averaged: whether approach 3 has intervals averaged over forms.
  """
  ok = {name for name, fit in approaches.items() if fit.ok}
  law, isoflop = (doubts.get(x, ()) for x in ('chinchilla', 'isoflop'))
  if 'chinchilla' in ok:
    if not law:
      return Lead(approach='chinchilla')
    if 'isoflop' in ok and not isoflop and minima >= MIN_BUDGETS:
      return Lead(approach='isoflop')
    return Lead(
      approach='chinchilla', doubts=law, wider=averaged, withheld=not averaged
    )
  if 'isoflop' in ok:
    return Lead(approach='isoflop', doubts=isoflop, withheld=bool(isoflop))
  return Lead(approach='envelope' if 'envelope' in ok else None)


def wider(own: Allocation, averaged: Allocation) -> Allocation:
  """The averaged numbers, in intervals that hold both."""

  def both(one: Interval, other: Interval) -> Interval:
    return Interval(
      other.value,
      np.minimum(one.low, other.low),
      np.maximum(one.high, other.high),
    )

  return Allocation(
    C=both(own.C, averaged.C),
    N=both(own.N, averaged.N),
    D=both(own.D, averaged.D),
    loss=both(own.loss, averaged.loss),
  )
