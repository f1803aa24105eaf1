"""Whether runs belong together: one unit, one corpus, each run once."""

from collections.abc import Hashable, Iterable
import dataclasses

import numpy as np

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.csv_table import Unusable
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from scaling_jax.records import Run


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


def one_corpus(runs: Iterable[Run]) -> None:
  """Refuses runs on several corpora; an unknown one is like any other.

  Raises:
    UserError: there are two or more.

  >>> one_corpus([Run('a', dataset='verse'), Run('b')])
  """
  corpora = sorted({run.dataset for run in runs if run.dataset})
  if len(corpora) > 1:
    raise UserError(
      f'the runs were trained on {" and ".join(corpora)}: the losses of one fit'
      ' must be of one corpus; read them one after the other'
    )


class Repetitions:
  """Finds lines of tables that repeat each other, in any of several files."""

  def __init__(self) -> None:
    # Where each set of numbers was met first.
    self._places: dict[Hashable, str] = {}

  def must_be_new(
    self, run: Run, loss: float, extra: dict[str, str], place: str
  ) -> None:
    """Raises Unusable for a row that is another's in every column.

    Args:
      run: of the row.
      loss: its own.
      extra: the row's other cells, by column; what is not known is no cell.
      place: of the row, as people are told.
    """
    known = {name: columns.value(text) for name, text in extra.items()}
    others = frozenset((name, text) for name, text in known.items() if text)
    key = (run.C, run.N, run.D, loss, others)
    if key in self._places:
      reason = messages.duplicate(self._places[key])
      raise Unusable(reason, Exclusion.DUPLICATE)
    self._places[key] = place


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
