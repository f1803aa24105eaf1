"""Which runs one law can be of, and which need one each."""

from collections.abc import Iterable, Sequence
import dataclasses
import itertools
import math

from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import identity
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.errors import UserError
from scaling_jax.records import Run

_FEWEST = 5  # runs of an experiment that can carry a law of its own
_OF_TEXTS = ('dataset', 'tokenizer', 'vocab_size', 'block_size', 'text')
_BUDGETS = 2  # that they have to be of
_SAME_BUDGET = math.log(1.1)


@dataclasses.dataclass(frozen=True)
class Groups:
  """Runs that need a law each.

  Attributes:
    by: what they differ in, such as 'experiment'; '' for a single group.
    runs: by a label that tells them apart.
  """

  by: str
  runs: dict[str, Runs]


def split(runs: Runs, by: str) -> dict[str, Runs]:
  """Runs by the values of a column, in the order of their first runs.

  Args:
    runs: any.
    by: a column of their table, or a field of `records.Run`.

  Raises:
    UserError: no run has the column.

  >>> runs = Runs.from_dataframe({
  ...   'N': [1e6, 2e6], 'D': [1e9, 5e8], 'loss': [3.5, 3.4],
  ...   'experiment': ['a', 'b'],
  ... })
  >>> {name: len(some) for name, some in split(runs, 'experiment').items()}
  {'a': 1, 'b': 1}
  """
  found: dict[str, list[int]] = {}
  told = False
  for i, (run, extra) in enumerate(zip(runs, runs.extra)):
    name = columns.same_name(by, extra) or _of_role(by, extra)
    text = extra.get(name, '')
    if not text and by in Run._fields:
      field = getattr(run, by)
      text = str(field) if field == field else ''  # nan is not known
    told = told or bool(name) or by in Run._fields
    found.setdefault(text.strip() or messages.no_value(by), []).append(i)
  if not told:
    names = dict.fromkeys(name for extra in runs.extra for name in extra)
    there = [*dict.fromkeys([*names, 'dataset'])]
    raise UserError(messages.no_column_to_split(by, there))
  return {label: runs.take(index) for label, index in found.items()}


def by_column(runs: Runs, by: str) -> Groups:
  """A group for each value of a column, and for each law that it needs.

  Raises:
    UserError: no run has the column.

  >>> runs = Runs.from_dataframe({
  ...   'N': [1e6, 2e6], 'D': [1e9, 5e8], 'loss': [3.5, 3.4],
  ...   'lr': [0.1, 0.2], 'dataset': ['prose', 'verse'],
  ... })
  >>> [*by_column(runs, 'lr').runs]
  ['0.1', '0.2']
  """
  parts = {label: of_runs(some) for label, some in split(runs, by).items()}
  if len(parts) == 1:
    return of_runs(runs)
  out = {
    messages.joined(label, name if len(groups.runs) > 1 else ''): some
    for label, groups in parts.items()
    for name, some in groups.runs.items()
  }
  more = f', {messages.of_texts()}' if len(out) > len(parts) else ''
  return Groups(f'{by}{more}', out)


def _of_role(name: str, extra: Iterable[str]) -> str:
  """The column of a role by its name, such as lr of learning_rate; or ''."""
  found = ((column, roles.meaning(column)) for column in extra)
  return next(
    (c for c, meaning in found if meaning and meaning.role == name), ''
  )


def of_runs(runs: Runs) -> Groups:
  """The groups that need a law each: one, of most.

  Losses of different texts, tokenizers and contexts are of different laws, and
  so are those of experiments of which each has budgets of its own.

  >>> len(of_runs(Runs.from_columns(N=[1e6], D=[1e9], loss=[3.5])).runs)
  1
  """
  studies = {
    label: runs.take(index) for label, index in identity.studies(runs).items()
  }
  parts = {label: _by_experiment(some) for label, some in studies.items()}
  column = next((found for found, _ in parts.values() if found), '')
  if not column:
    by = messages.of_texts() if len(studies) > 1 else ''
    return Groups(by, studies if by else {'': runs})
  several = [name for _, some in parts.values() for name in some]
  out = {}
  for label, (_, some) in parts.items():
    for name, part in (some or {'': studies[label]}).items():
      alone = len(studies) == 1 or several.count(name) == 1
      full = name if name and alone else messages.joined(label, name)
      out[full] = part
  return Groups(column if len(studies) == 1 else messages.of_texts(), out)


def _by_experiment(runs: Runs) -> tuple[str, dict[str, Runs]]:
  """The column of experiments that carry a law each, and their runs."""
  names = dict.fromkeys(name for extra in runs.extra for name in extra)
  for name in names:
    meaning = roles.meaning(name)
    if meaning is None or meaning.role != Role.EXPERIMENT:
      continue
    parts = split(runs, name)
    if sum(map(_carries_a_law, parts.values())) > 1:
      return name, parts
  return '', {}


def one_law(runs: Runs) -> None:
  """Refuses runs that need a law each.

  Raises:
    UserError: with how to choose among them.
  """
  groups = of_runs(runs)
  if len(groups.runs) > 1:
    column, value = _to_split(runs, groups)
    raise UserError(
      messages.several_laws(groups.by, [*groups.runs], column, value)
    )


def _to_split(runs: Runs, groups: Groups) -> tuple[str, str]:
  """A column that tells groups apart, and the value of one; '' for none."""
  names = dict.fromkeys(name for extra in runs.extra for name in extra)
  for column in (groups.by, *names, *_OF_TEXTS):
    if column not in names and column not in _OF_TEXTS:
      continue
    parts = split(runs, column)
    if 1 < len(parts) <= len(groups.runs) and all(
      len(of_runs(some).runs) == 1 for some in parts.values()
    ):
      return column, next(iter(parts))
  return '', ''


def _carries_a_law(runs: Runs) -> bool:
  budgets = _apart(sorted(math.log(C) for C in runs.C))
  return len(runs) >= _FEWEST and budgets >= _BUDGETS


def _apart(log_C: Sequence[float]) -> int:
  """How many budgets there are, of sorted log C."""
  gaps = (b - a for a, b in itertools.pairwise(log_C))
  return 1 + sum(gap > _SAME_BUDGET for gap in gaps) if log_C else 0
