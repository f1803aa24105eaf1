"""Whether runs belong together: one unit, a name for each run."""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses

import numpy as np

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.messages import sheets as sheet_messages
from scaling_jax.analysis.runs.table import INCLUDABLE
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError


def one_unit(units: Iterable[tuple[str, str]], unit: str, source: str) -> None:
  """Refuses a second unit of the loss.

  Args:
    units: (unit, source) of what was read before.
    unit: of what is read now.
    source: where from.

  Raises:
    UserError: another unit was read before.
  """
  for other, first in units:
    if other != unit:
      raise UserError(
        f'{first} is in {other} and {source} in {unit}: the losses of one fit'
        ' must have one unit; read them one after the other'
      )


def no_usable_run(
  source: str, excluded: Sequence[Excluded], *, of_tables: bool = True
) -> str:
  """The message where everything that was found is excluded.

  Args:
    source: of it.
    excluded: all of it.
    of_tables: whether some of it is of tables, whose rows may be included.
  """
  return messages.no_usable_run(
    source,
    [(one.run_id, one.reason, str(one.kind)) for one in excluded],
    [str(kind) for kind in INCLUDABLE] if of_tables else [],
  )


def no_match(where: Mapping[str, str], met: Mapping[str, Iterable[str]]) -> str:
  """The message where no run has what `where` asks for.

  Args:
    where: column -> value.
    met: column -> the values that there are.
  """
  return sheet_messages.no_match(
    [f'{name}={value}' for name, value in where.items()],
    {name: [x for x in met.get(name, ()) if x] for name in where},
  )


def own_names(run_ids: Iterable[str]) -> list[str]:
  """Numbers the names that several runs share.

  >>> own_names(['a', 'b', 'a', 'a'])
  ['a', 'b', 'a (2)', 'a (3)']
  """
  taken: set[str] = set()
  named = []
  for run_id in run_ids:
    name, copy = run_id, 1
    while name in taken:
      copy += 1
      name = f'{run_id} ({copy})'
    taken.add(name)
    named.append(name)
  return named


def without_highest(runs: Runs, count: int) -> Runs:
  """Excludes the runs of the highest losses, with a reason.

  Args:
    runs: any.
    count: how many to exclude.

  Raises:
    UserError: it is negative, or no run would be left.

  >>> runs = Runs.from_columns(N=[1e6, 2e6, 3e6], D=[1e9] * 3, loss=[3, 5, 4])
  >>> without_highest(runs, 1).loss.tolist()
  [3.0, 4.0]
  """
  if not 0 <= count < len(runs):
    raise UserError(
      f'drop_highest={count} must be 0 or more and leave one of the'
      f' {len(runs)} runs; try drop_highest=0'
    )
  order = np.argsort(runs.loss, kind='stable')
  dropped = order[len(runs) - count :].tolist()
  kept = runs.take([i for i in range(len(runs)) if i not in dropped])
  excluded = tuple(
    Excluded(
      runs[i].run_id, messages.highest_loss(count), Exclusion.HIGHEST_LOSS
    )
    for i in dropped
  )
  return dataclasses.replace(kept, excluded=(*runs.excluded, *excluded))
