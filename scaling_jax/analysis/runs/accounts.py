"""What was taken for what in a table, and which columns nothing reads."""

from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import nanochat
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.rows import Reader
from scaling_jax.analysis.runs.vocabulary import SIZES
from scaling_jax.analysis.runs.vocabulary import Role


def parts(reader: Reader) -> list[str]:
  """What was taken for what, in words."""
  every = (*SIZES, Role.LOSS, Role.B_CRIT)
  main = [r for r in every if r in reader.found.taken or r in reader.derived]
  silent = (*main, Role.MODEL, Role.EXPERIMENT, Role.UNIT)
  others = [
    role
    for role, taken in reader.found.taken.items()
    if role not in silent and taken.column.casefold() != role.casefold()
  ]
  return [_part(reader, role) for role in (*main, *others)]


def _part(reader: Reader, role: Role) -> str:
  if role in reader.derived:
    return f'{role} = {reader.derived[role]}'
  taken = reader.found.taken[role]
  unit = messages.unit(taken.factor)
  if role == Role.LOSS:
    unit = messages.loss_unit(_stated_unit(reader), reader.unit)
  shown = taken.column or messages.constant(float(taken.constant))
  return messages.part(str(role), shown, unit)


def _stated_unit(reader: Reader) -> str:
  """The unit of the losses by their column, or by a column of units."""
  stated = str(reader.found.loss_unit)
  if not reader.found.has(Role.UNIT) or reader.wanted.loss_unit is not None:
    return stated
  texts = {reader.cell(Role.UNIT, line) for line in reader.sheet.lines}
  found = {str(roles.loss_unit(text) or stated) for text in texts}
  return ' and '.join(sorted(found))


def unread(reader: Reader) -> list[str]:
  """Columns that vary and that nothing reads."""
  read = {taken.column for taken in reader.found.taken.values()}
  read |= {*reader.found.flags, *reader.found.fields.values()}
  read |= nanochat.COLUMNS
  kinds = (columns.Kind.RECIPE, columns.Kind.BATCH)
  return [
    name
    for name in dict.fromkeys(reader.sheet.columns)
    if name not in read
    and columns.words(name)
    and columns.words(name)[0] != 'unnamed'  # the index that pandas writes
    and columns.kind(name) not in kinds
    and len({line.cells.get(name, '') for line in reader.sheet.lines}) > 1
  ]
