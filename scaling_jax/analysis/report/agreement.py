"""Whether the approaches agree on what to train."""

import dataclasses
import itertools

import numpy as np

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages import report as messages
from scaling_jax.analysis.study import results
from scaling_jax.analysis.study.analyze import Analysis

# An interval that spans more tells no two laws apart.
TOO_WIDE = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vague:
  """An approach whose interval of N or D tells nothing: open, or too wide."""

  approach: str
  quantity: str
  low: float
  high: float

  @property
  def text(self) -> str:
    if not np.isfinite([self.low, self.high]).all():
      return messages.open_interval(self.approach, self.quantity)
    low, high = map(formatting.short, (self.low, self.high))
    return messages.too_wide(self.approach, self.quantity, low, high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Agreement:
  """How the approaches that are ok stand to each other at the first target.

  Attributes:
    apart: two approaches, and the quantities whose intervals lie apart.
    together: groups of approaches of which none contradicts another.
    vague: approaches that cannot tell.
  """

  apart: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
  together: tuple[tuple[str, ...], ...] = ()
  vague: tuple[Vague, ...] = ()

  @property
  def text(self) -> str:
    """'' where there is nothing to compare."""
    return messages.agreement(
      self.apart, self.together, [one.text for one in self.vague]
    )


def of_analysis(analysis: Analysis) -> Agreement:
  """Whether the approaches that are ok agree at the first target."""
  found = {
    name: fit.optimum(C=analysis.targets[0], level=analysis.level)
    for name, fit in analysis.approaches.items()
    if fit.ok
  }
  return compare(found)


def compare(found: dict[str, Allocation]) -> Agreement:
  """Compares what approaches, by name, have to train with the same FLOPs."""
  if len(found) < 2:
    return Agreement()
  apart = []
  for one, other in itertools.combinations(found, 2):
    off = tuple(
      quantity
      for quantity in ('N', 'D')
      if results.meet(
        _quantity(found[one], quantity), _quantity(found[other], quantity)
      )
      is False
    )
    if off:
      apart.append((one, other, off))
  vague = tuple(filter(None, (_vague(n, best) for n, best in found.items())))
  telling = [n for n in found if n not in {one.approach for one in vague}]
  contradict = {(one, other) for one, other, _ in apart}
  pairs = list(itertools.combinations(telling, 2))
  meeting = [pair for pair in pairs if pair not in contradict]
  together: tuple[tuple[str, ...], ...] = tuple(meeting)
  if len(meeting) == len(pairs) > 1:
    together = (tuple(telling),)
  return Agreement(apart=tuple(apart), together=together, vague=vague)


def _quantity(best: Allocation, name: str) -> Interval:
  return {'N': best.N, 'D': best.D}[name]


def _vague(approach: str, best: Allocation) -> Vague | None:
  for quantity in ('N', 'D'):
    _, low, high = _quantity(best, quantity)
    closed = np.isfinite([low, high]).all()
    if not closed or low <= 0 or high / low > TOO_WIDE:
      return Vague(approach=approach, quantity=quantity, low=low, high=high)
  return None


def contradiction(analysis: Analysis) -> str:
  """Where approaches contradict each other at the first target, or ''."""
  C, apart = analysis.targets[0], of_analysis(analysis).apart
  names = {name for one, other, _ in apart for name in (one, other)}
  if not names:
    return ''
  found = {
    name: fit.optimum(C=C, level=analysis.level)
    for name, fit in analysis.approaches.items()
    if name in names
  }
  return messages.contradiction(
    C,
    {
      name: [
        formatting.estimate(x, show=formatting.short) for x in (best.N, best.D)
      ]
      for name, best in found.items()
    },
  )
