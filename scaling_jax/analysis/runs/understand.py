"""Which column of a sheet is which: by what was asked, by names, by values."""

from collections.abc import Sequence
import dataclasses
import math

import numpy as np

from scaling_jax import errors
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import BITS
from scaling_jax.analysis.runs.table import BITS_PER_CHARACTER
from scaling_jax.analysis.runs.vocabulary import SIZES
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.analysis.runs.vocabulary import Meaning
from scaling_jax.analysis.runs.vocabulary import Rank
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.errors import UserError
from scaling_jax.records import Run

# Roles of which a column must hold numbers.
NUMERIC = (
  *SIZES, Role.LOSS, Role.SEM, Role.PROGRESS, Role.STEPS, Role.MAX_STEPS,
  Role.TOKENS_PER_STEP, Role.TOKENS_PER_PARAM, Role.BATCH_SIZE, Role.CONTEXT,
  Role.BYTES_PER_TOKEN,
  Role.EPOCHS, Role.TEXT_TOKENS, Role.VOCAB_SIZE, Role.LEARNING_RATE,
  Role.B_CRIT,
)  # fmt: skip
# Where two columns of these differ, which one counts has to be asked.
_ASKED = (*SIZES, Role.LOSS, Role.B_CRIT)
_IN_BYTES = (LossUnit.BITS_PER_BYTE, LossUnit.NATS_PER_BYTE)
_SAME = 1e-9


@dataclasses.dataclass(frozen=True)
class Taken:
  """Where a role's values come from.

  Attributes:
    column: of the sheet; '' for a constant.
    factor: that its numbers are multiplied by.
    unit: as the name or the flag states it; of a loss a `LossUnit`.
    constant: the value of all rows, where no column holds it.
  """

  column: str = ''
  factor: float = 1.0
  unit: str = ''
  constant: str = ''

  def text(self, cells: dict[str, str]) -> str:
    """The cell of a row, or the constant."""
    return self.constant or cells.get(self.column, '')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Understanding:
  """What the columns of a sheet are.

  Attributes:
    taken: by role.
    flags: columns of truth values.
    fields: field of Run -> the column of its own name.
    given: columns that were named for a role.
  """

  taken: dict[Role, Taken]
  flags: tuple[str, ...] = ()
  fields: dict[str, str] = dataclasses.field(default_factory=dict)
  given: dict[str, str] = dataclasses.field(default_factory=dict)

  def has(self, *wanted: Role) -> bool:
    return all(role in self.taken for role in wanted)

  @property
  def loss_unit(self) -> LossUnit:
    return LossUnit(self.taken[Role.LOSS].unit or LossUnit.NATS)

  @property
  def used(self) -> frozenset[str]:
    """The columns that sizes and the loss were read from."""
    main = (*SIZES, Role.LOSS)
    return frozenset(
      one.column for role, one in self.taken.items() if role in main
    )


def kept_unit(unit: LossUnit) -> str:
  """The unit of the runs whose losses are measured in another.

  >>> kept_unit(LossUnit.PERPLEXITY), kept_unit(LossUnit.NATS_PER_BYTE)
  ('nats/token', 'bits/byte')
  """
  if unit in _IN_BYTES:
    return BITS
  in_characters = unit == LossUnit.BITS_PER_CHARACTER
  return BITS_PER_CHARACTER if in_characters else str(LossUnit.NATS)


def of_sheet(sheet: Sheet, wanted: Wanted) -> Understanding:
  """What the columns of a sheet are.

  Raises:
    UserError: a column that was named is not there, or two could be meant.
  """
  given = _given(sheet, wanted)
  candidates: dict[Role, list[tuple[str, Meaning]]] = {}
  for name in dict.fromkeys(sheet.columns):
    meaning = roles.meaning(name)
    if meaning and meaning.role == Role.D and _names_data(sheet, name):
      meaning = Meaning(Role.TEXT)
    if meaning and meaning.role not in given:
      candidates.setdefault(meaning.role, []).append((name, meaning))
  flags = tuple(name for name, _ in candidates.pop(Role.FLAG, []))
  taken = dict(given)
  for role, found in candidates.items():
    one = _choose(sheet, role, found, wanted)
    if one is not None:
      taken[role] = one
  for role, one in taken.items():
    if one.column and sheet.columns.count(one.column) > 1:
      raise UserError(messages.column_twice(sheet.name, one.column, role))
  fields = {
    name: name
    for name in Run._fields
    if name in sheet.columns and name not in (*SIZES, 'val_loss', 'status')
  }
  for name, column in wanted.columns.items():
    if name in Run._fields and column in sheet.columns:
      fields[name] = column
  return Understanding(
    taken=taken,
    flags=flags,
    fields=fields,
    given={str(role): one.column for role, one in given.items() if one.column},
  )


def _given(sheet: Sheet, wanted: Wanted) -> dict[Role, Taken]:
  """What was named for each role: a column, or one number for all rows."""
  out = {}
  known = {str(role): role for role in Role}
  for name, column in wanted.columns.items():
    there = _find(sheet, column)
    constant = '' if there else _constant(column)
    if not there and not constant:
      near = errors.suggest(column, sheet.columns, cutoff=0.6)
      raise UserError(
        messages.no_such_column(sheet.name, name, column, sheet.columns, near)
      )
    if name in known:
      role = known[name]
      stated = roles.meaning(there) if there else None
      same = stated if stated and stated.role == role else None
      out[role] = _taken(role, there, same, wanted, constant)
  return out


def _find(sheet: Sheet, column: str) -> str:
  """A column by its name, or by what is left of it without case and signs."""
  if column in sheet.columns:
    return column
  plain = columns.words(column)
  near = [name for name in sheet.columns if columns.words(name) == plain]
  return near[0] if plain and len(set(near)) == 1 else ''


def _constant(text: str) -> str:
  value = numbers.parse(text)
  return repr(value) if 0 < value < math.inf else ''


def _taken(
  role: Role,
  column: str,
  meaning: Meaning | None,
  wanted: Wanted,
  constant: str = '',
) -> Taken:
  unit = meaning.unit if meaning else ''
  if role == Role.LOSS:
    asked = wanted.loss_unit
    stated = asked or (unit and LossUnit(unit)) or LossUnit.NATS
    if (
      asked is None
      and wanted.unit is not None
      and (meaning is None or not _tells_unit(column))
    ):
      stated = LossUnit(wanted.unit)
    return Taken(column, unit=str(stated), constant=constant)
  factor = wanted.factor(role)
  if factor is not None:
    return Taken(column, factor, wanted.units[role], constant)
  return Taken(column, numbers.factor(unit) or 1.0, unit, constant)


def _tells_unit(column: str) -> bool:
  """Whether a loss' name states its unit: val_loss tells of none."""
  meaning = roles.meaning(column)
  plain = meaning is not None and meaning.unit == LossUnit.NATS
  return not plain or 'nat' in column.casefold()


def _choose(
  sheet: Sheet,
  role: Role,
  found: Sequence[tuple[str, Meaning]],
  wanted: Wanted,
) -> Taken | None:
  """The best of several columns; None where none holds what it should."""
  if role in NUMERIC:
    numeric = [one for one in found if holds_numbers(sheet, one[0])]
    # A column of our own name is meant, whatever it holds.
    found = numeric or [one for one in found if _is_plain(role, *one)]
  elif role == Role.TEXT or role == Role.TOKENIZER:
    found = [one for one in found if not holds_numbers(sheet, one[0])]
  if not found:
    return None
  best = min(meaning.rank for _, meaning in found)
  leading = [one for one in found if one[1].rank == best]
  if role == Role.LOSS and len(leading) > 1:
    leading = _of_one_unit(leading, wanted)
  several = [_taken(role, *one, wanted) for one in leading]
  if role in _ASKED and not _agree(sheet, several):
    names = [name for name, _ in leading]
    raise UserError(messages.ambiguous(sheet.name, role, names))
  name, meaning = leading[0]
  return _taken(role, name, meaning, wanted)


def _is_plain(role: Role, name: str, meaning: Meaning) -> bool:
  return meaning.rank == Rank.EXACT or name.casefold() in (
    str(role),
    'val_loss',
  )


def _of_one_unit(
  found: list[tuple[str, Meaning]], wanted: Wanted
) -> list[tuple[str, Meaning]]:
  """Of one loss in several units, such as val_loss and val_bpb, those of one."""
  for kept in (wanted.unit, str(LossUnit.NATS)) if wanted.unit else (None,):
    order = [
      unit for unit in LossUnit if kept is None or kept_unit(unit) == kept
    ]
    for unit in order:
      some = [one for one in found if one[1].unit == unit]
      if some:
        return some
  return found


def holds_numbers(sheet: Sheet, column: str) -> bool:
  """Whether half of what a column holds is numbers."""
  texts = [line.cells.get(column, '').strip() for line in sheet.lines]
  known = [x for x in texts if x.casefold() not in numbers.MISSING]
  if not known:
    return False
  comma = sheet.decimal_comma
  return 2 * sum(
    not math.isnan(numbers.parse(x, decimal_comma=comma)) for x in known
  ) >= len(known)


def _names_data(sheet: Sheet, column: str) -> bool:
  """Whether a column such as training_data names it, instead of counting it."""
  return columns.words(column)[-1:] == ('data',) and not holds_numbers(
    sheet, column
  )


def values(sheet: Sheet, taken: Taken) -> np.ndarray:
  """[n] the numbers of a role; nan where a cell holds none."""
  return np.array(
    [
      numbers.parse(
        taken.text(line.cells),
        decimal_comma=sheet.decimal_comma and not taken.constant,
      )
      * taken.factor
      for line in sheet.lines
    ]
  )


def _agree(sheet: Sheet, several: Sequence[Taken]) -> bool:
  """Whether columns hold the same numbers, where they hold any."""
  first, *others = (values(sheet, one) for one in several)
  return all(
    np.all(
      np.isclose(first, x, rtol=_SAME, atol=0) | np.isnan(first) | np.isnan(x)
    )
    for x in others
  )


def sizes(found: Understanding) -> list[Role]:
  """Those of N, D and C that columns tell, or whose product is told."""
  out = [role for role in SIZES if role in found.taken]
  if Role.D not in out and derives_tokens(found):
    out.append(Role.D)
  return out


def must_suffice(sheet: Sheet, found: Understanding) -> None:
  """Raises UserError where a loss, or two of C, N and D, can't be told."""
  known = sizes(found)
  if Role.LOSS not in found.taken or len(known) < 2:
    raise UserError(
      messages.insufficient(
        sheet.name, sheet.kind, sheet.columns, [*found.taken], known
      )
    )


def derives_tokens(found: Understanding) -> tuple[Role, ...]:
  """The roles whose product is D; empty where there are none."""
  for product in (
    (Role.STEPS, Role.TOKENS_PER_STEP),
    (Role.STEPS, Role.BATCH_SIZE, Role.CONTEXT),
    (Role.TOKENS_PER_PARAM, Role.N),
  ):
    if found.has(*product):
      return product
  return ()
