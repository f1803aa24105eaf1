"""What a terminal says of runs, before the laws."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from scaling_jax import formatting

_NAMED = 5  # runs of a kind that are named


def runs(
  n: int,
  *,
  C: np.ndarray,
  N: np.ndarray,
  D: np.ndarray,
  loss: np.ndarray,
  unit: str,
  n_budgets: int,
) -> str:
  """How many, and from where to where."""
  parts = [
    f'C {_range(C, formatting.flops)} FLOPs',
    f'N {_range(N, formatting.short)} parameters',
    f'D {_range(D, formatting.short)} tokens',
    f'loss {_range(loss, formatting.number)} {unit}',
  ]
  budgets = {0: 'no budget', 1: '1 budget'}.get(
    n_budgets, f'{n_budgets} budgets'
  )
  count = '1 run' if n == 1 else f'{n} runs'
  return f'{count}: {", ".join(parts)}; {budgets}.'


def _range(values: np.ndarray, show: Callable[[float], str]) -> str:
  low, high = show(float(np.min(values))), show(float(np.max(values)))
  return low if low == high else f'{low} to {high}'


def excluded(
  found: Sequence[Any], includable: Collection[str] = ()
) -> list[str]:
  """What is excluded, a line for each kind, with its first reason.

  Args:
    found: all of it.
    includable: kinds that `--include` brings back.
  """
  kinds: dict[str, list[Any]] = {}
  for one in found:
    kinds.setdefault(str(one.kind), []).append(one)
  return [
    _of_kind(kind, some, flag=kind in includable)
    for kind, some in kinds.items()
  ]


def _of_kind(kind: str, some: Sequence[Any], *, flag: bool) -> str:
  what = kind.replace('_', ' ') + f', --include={kind}' * flag
  first = some[0]
  if len(some) == 1:
    return f'1 run is excluded ({what}): {first.run_id}, {first.reason}.'
  names = [one.run_id for one in some[:_NAMED]]
  more = f' and {len(some) - _NAMED} more' if len(some) > _NAMED else ''
  return (
    f'{len(some)} runs are excluded ({what}): {", ".join(names)}{more}; the'
    f' first: {first.reason}.'
  )


def kaplan_silent(names: Sequence[str]) -> str:
  """Of Kaplan's laws that do not apply; of all of them where none is named."""
  if not names:
    return "None of Kaplan's laws applies to these runs."
  return (
    f"Of Kaplan's laws these do not apply to these runs: {'; '.join(names)}."
  )
