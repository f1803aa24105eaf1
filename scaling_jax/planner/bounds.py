"""How far a plan lies beyond the runs behind its law, and where that ends.

A law is known where its runs were. Some way beyond them its intervals still
hold what its draws know; further on nothing does, and then the plan states no
interval; and much further on there is no plan.
"""

import dataclasses
import math
from typing import NamedTuple

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.errors import UserError
from scaling_jax.planner.law import Law
from scaling_jax.planner.resources import as_given

FAR = 1e3  # times beyond the runs: from there on nothing is certain
ABSURD = 1e9  # likewise, and from there on nothing is answered
AGREE = 1.25  # times: C, N and D that miss one another by more do not agree

_UNITS = {'C': 'FLOPs', 'N': 'parameters', 'D': 'tokens'}


class Beyond(NamedTuple):
  """One quantity of a plan outside the runs behind its law.

  Attributes:
    what: 'C', 'N' or 'D'.
    value: of the plan.
    end: of the runs, the least or the most.
    factor: how many times the one is the other, above 1.
  """

  what: str
  value: float
  end: float
  factor: float

  @property
  def above(self) -> bool:
    return self.value > self.end

  @property
  def far(self) -> bool:
    return self.factor > FAR


def farthest(law: Law, found: Allocation) -> Beyond | None:
  """Which of C, N and D lies the most beyond the runs; None if none does.

  >>> from scaling_jax.planner import law_registry
  >>> law = law_registry.law_of('besiroglu')
  >>> beyond = farthest(law, law.optimum(C=1e27))
  >>> beyond.what, round(beyond.factor), beyond.far
  ('C', 76923, True)
  >>> farthest(law, law.optimum(C=1e21)) is None
  True
  """
  outside = []
  for what, (low, high) in law.ranges.items():
    x = float(getattr(found, what).value)
    if x > high:
      outside.append(Beyond(what, x, high, x / high))
    elif 0 < x < low:
      outside.append(Beyond(what, x, low, low / x))
  return max(outside, key=lambda one: one.factor, default=None)


def checked(law: Law, found: Allocation) -> Allocation:
  """The plan, without its intervals where nothing is certain any more.

  Raises:
    UserError: it is absurdly far from the runs, or of less than one parameter.
  """
  beyond = farthest(law, found)
  if beyond and beyond.factor > ABSURD:
    raise UserError(_absurd(law, beyond))
  N = float(found.N.value)
  if not N >= 1:
    raise UserError(
      f'law={law.name} has no model for so little: its N is'
      f' {formatting.number(N)}, and a model has one parameter or more; give'
      ' more compute or tokens, or another law'
    )
  if not beyond or not beyond.far:
    return found
  return dataclasses.replace(
    found,
    **{
      name: without_ends(getattr(found, name))
      for name in ('C', 'N', 'D', 'loss')
    },
  )


def implied_N(law: Law, found: Allocation) -> float | None:
  """The N that C pays for on D tokens, where it is not the plan's; else None.

  Lines of N_opt and D_opt that were fitted apart need not agree far away.
  """
  C, N, D = (float(x.value) for x in (found.C, found.N, found.D))
  implied = law.params_for(C, D)
  if not implied > 0 or abs(math.log(implied / N)) <= math.log(AGREE):
    return None
  return implied


def without_ends(x: Interval) -> Interval:
  """The number alone; what was given stays exact.

  >>> without_ends(Interval(2.0, 1.9, 2.1)), without_ends(Interval.exact(3.0))
  (Interval(value=2.0, low=nan, high=nan), Interval(value=3.0, low=3.0, high=3.0))
  """
  exact = x.low == x.value == x.high
  return x if exact else Interval(x.value)


def _absurd(law: Law, beyond: Beyond) -> str:
  low, high = law.ranges[beyond.what]
  value, least, most, low_end, high_end = (
    as_given(float(f'{x:.3g}'))
    for x in (beyond.value, low / ABSURD, high * ABSURD, low, high)
  )
  return (
    f'{beyond.what}={value} {_UNITS[beyond.what]} is out of range for'
    f' law={law.name}: it must be from {least} to {most}, a billion times beyond'
    f' its runs of {low_end} to {high_end}; ask nearer to them, or take another'
    ' law'
  )
