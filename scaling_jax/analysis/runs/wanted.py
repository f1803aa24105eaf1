"""How people ask for their tables to be read: columns, units, rows."""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses

from scaling_jax import errors
from scaling_jax.analysis.runs import columns as columns_lib
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.errors import UserError
from scaling_jax.records import Run

# Other names that people may use in `columns`.
_ALIASES = {
  'val_loss': 'loss', 'val_bpb': 'loss', 'text': 'dataset', 'tokens': 'D',
  'params': 'N', 'lr': 'learning_rate', 'steps': 'S', 'name': 'run_id',
  'val_loss_sem': 'sem', 'block_size': 'context', 'depth': 'n_layer',
  'state': 'status',
}  # fmt: skip
_ROLES = [str(role) for role in Role if role is not Role.FLAG]
NAMES = tuple(dict.fromkeys([*_ROLES, *_ALIASES, *Run._fields]))
_WITH_UNIT = (
  'N', 'D', 'C', 'B_crit', 'tokens_per_step', 'text_tokens', 'progress',
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
  """What was asked of a table.

  Attributes:
    columns: our name -> the table's column, or one number for all rows.
    units: our name -> unit: 'M', 'GFLOP', 'PF-days'; of a loss a `LossUnit`.
    where: column -> the value that rows must have.
    include: kinds of runs to keep that are excluded otherwise.
    unit: of the loss, to choose among columns; None for whichever there is.
  """

  columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
  units: Mapping[str, str] = dataclasses.field(default_factory=dict)
  where: Mapping[str, str] = dataclasses.field(default_factory=dict)
  include: frozenset[table.Exclusion] = frozenset()
  unit: str | None = None

  def asks_for(self, cells: Mapping[str, str]) -> bool:
    """Whether a run with these cells, by column, is one of `where`."""
    return all(
      columns_lib.value(_cell(cells, name)) == columns_lib.value(value)
      for name, value in self.where.items()
    )

  def meet(
    self, rows: Sequence[Mapping[str, str]], met: dict[str, dict[str, None]]
  ) -> None:
    """Adds to `met` what rows have in the columns of `where`, each once."""
    for name in self.where:
      values = (_cell(cells, name) for cells in rows)
      met.setdefault(name, {}).update(dict.fromkeys(values))

  def factor(self, role: str) -> float | None:
    """What a size is multiplied by; None where no unit was named."""
    return numbers.factor(self.units[role]) if role in self.units else None

  @property
  def loss_unit(self) -> LossUnit | None:
    """Of the loss, where one was named."""
    text = self.units.get('loss')
    return roles.loss_unit(text) if text is not None else None


_EXAMPLES = {
  'columns': "{'N': 'n_params'}",
  'units': "{'N': 'M'}",
  'where': "{'experiment': 'llama_3'}",
}


def _cell(cells: Mapping[str, str], name: str) -> str:
  return cells.get(columns_lib.same_name(name, cells), '')


def of(
  *,
  columns: Mapping[str, str | float] | None = None,
  units: Mapping[str, str] | None = None,
  where: Mapping[str, str | float] | None = None,
  include: Iterable[str] = (),
  unit: str | None = None,
) -> Wanted:
  """What was asked, checked.

  Raises:
    UserError: a name, a unit or a kind that is not known.

  >>> of(columns={'lr': 'rate'}, units={'N': 'M'}).columns
  {'learning_rate': 'rate'}
  """
  pairs = {'columns': columns, 'units': units, 'where': where}
  for asked, value in pairs.items():
    if not isinstance(value, (Mapping, type(None))):
      raise UserError(
        f'{asked}={value!r} must be a dict, of names and what they stand for;'
        f' try {asked}={_EXAMPLES[asked]}'
      )
  named = {}
  for name, column in (columns or {}).items():
    if name not in NAMES and str(column) in NAMES:
      raise UserError(
        f'columns names {name!r}: our name comes first; turn it round,'
        f' {{{str(column)!r}: {name!r}}}'
      )
    if name not in NAMES:
      raise UserError(
        f'columns names {name!r}: it must be one of our names, such as N, D, C,'
        f' loss, seed or run_id; {_perhaps(name, NAMES)}'
      )
    named[_ALIASES.get(name, name)] = str(column)
  scaled = {_ALIASES.get(k, k): str(text) for k, text in (units or {}).items()}
  for name, text in scaled.items():
    _check_unit(name, text)
  if columns and 'val_bpb' in columns and 'loss' not in scaled:
    scaled['loss'] = str(LossUnit.BITS_PER_BYTE)
  if unit is not None and unit not in table.UNITS:
    raise UserError(
      f'unit={unit!r} must be the unit of the loss; choose one of'
      f' {", ".join(table.UNITS)}'
    )
  return Wanted(
    columns=named,
    units=scaled,
    where={str(k): str(x) for k, x in (where or {}).items()},
    include=_kinds(include),
    unit=unit,
  )


def _check_unit(name: str, text: str) -> None:
  if name == 'loss':
    if roles.loss_unit(text) is None:
      raise UserError(
        f'units names {text!r} for the loss: it must be one of'
        f' {", ".join(LossUnit)}'
      )
  elif name not in _WITH_UNIT:
    raise UserError(
      f'units names {name!r}: it must be one of {", ".join(_WITH_UNIT)} or loss;'
      f' {_perhaps(name, (*_WITH_UNIT, "loss"))}'
    )
  elif numbers.factor(text) is None:
    raise UserError(
      f'units names {text!r} for {name}: it must be a factor such as M, B, 1e9,'
      ' GFLOP or PF-days'
    )


def _kinds(names: Iterable[str]) -> frozenset[table.Exclusion]:
  names = names.split(',') if isinstance(names, str) else [*names]
  return frozenset(table.INCLUDABLE if 'all' in names else map(_kind, names))


def _kind(name: str) -> table.Exclusion:
  kinds = [str(kind) for kind in table.INCLUDABLE]
  plain = str(name).strip().lower().replace('-', '_').replace(' ', '_')
  plain = plain if plain in kinds else plain.removesuffix('s')
  if plain not in kinds:
    raise UserError(
      f'include names {name!r}: it must be a kind of runs that are excluded, of'
      f' {", ".join(kinds)}; {_perhaps(plain, kinds)}'
    )
  return table.Exclusion(plain)


def _perhaps(name: str, names: Iterable[str]) -> str:
  near = errors.suggest(name, [*names], cutoff=0.6)
  return f'try {" or ".join(near)}' if near else 'rename it'
