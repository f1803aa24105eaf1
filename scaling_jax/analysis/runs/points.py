"""Points for one of Kaplan's laws: a loss with one of N, D and C, or B_crit.

A table of them tells nothing from which another of N, D and C follows, so that
none of its rows is a run.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import os
from typing import NamedTuple

from etils import epath
import numpy as np

from scaling_jax.analysis.messages import points as messages
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.messages import sheets as sheet_messages
from scaling_jax.analysis.runs import accounts
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import columns as columns_lib
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import understand
from scaling_jax.analysis.runs import wanted as wanted_lib
from scaling_jax.analysis.runs.readers import files
from scaling_jax.analysis.runs.rows import Reader
from scaling_jax.analysis.runs.rows import Unusable
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import NATS
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.understand import Understanding
from scaling_jax.analysis.runs.vocabulary import SIZES
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.errors import UserError

# Where these differ from row to row, N or D does too and can be told.
_OF_RUNS = (
  Role.STEPS, Role.MAX_STEPS, Role.TOKENS_PER_STEP, Role.TOKENS_PER_PARAM,
  Role.EPOCHS, Role.TEXT_TOKENS,
)  # fmt: skip
# Where these do, L(D) is not of one model.
_SHAPE = frozenset(
  ('nlayer', 'nlayers', 'layers', 'depth', 'width', 'dmodel', 'nembd')
)
# That the largest of a table may have.
_SMALLEST = {Role.N: 3e3, Role.D: 2e4, Role.C: 1e9, Role.B_CRIT: 32.0}
_FEWEST = 2  # points that are a table of them


class HoldsPoints(UserError):
  """A table of points stands where runs are wanted."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Points:
  """Points of one law, ready for `fit_power_law`.

  Attributes:
    of: 'N', 'D' or 'C', of L(N), L(D) and L(C); or 'B_crit', of B_crit(L).
    x: [n] parameters, tokens or FLOPs; of B_crit(L) the loss.
    y: [n] the loss; of B_crit(L) tokens.
    names: [n] of the points, from their table.
    unit: of the loss.
    excluded: rows that are no points, and why.
    source: what was taken for what.
    notes: what a reader of the law should know, a message each.
    file: that was read, by name.

  >>> Points(of='N', x=np.ones(3), y=np.ones(3), names=('a', 'b', 'c'))
  Points(3 of L(N) in nats/token)
  """

  of: str
  x: np.ndarray
  y: np.ndarray
  names: tuple[str, ...] = ()
  unit: str = NATS
  excluded: tuple[Excluded, ...] = ()
  source: str = ''
  notes: tuple[str, ...] = ()
  file: str = ''

  def __len__(self) -> int:
    return len(self.x)

  def __repr__(self) -> str:
    return f'Points({len(self)} of {messages.short(self.of)} in {self.unit})'

  @property
  def loss(self) -> np.ndarray:
    """[n] in `unit`."""
    return self.x if self.of == Role.B_CRIT else self.y

  @property
  def size(self) -> np.ndarray:
    """[n] what stands beside the loss: N, D, C or B_crit."""
    return self.y if self.of == Role.B_CRIT else self.x


def read_points(
  path: str | os.PathLike,
  *,
  columns: Mapping[str, str | float] | None = None,
  units: Mapping[str, str] | None = None,
  where: Mapping[str, str | float] | None = None,
  include: Sequence[str] = (),
  unit: str | None = None,
) -> Points:
  """Reads points of one of Kaplan's laws (2020, arXiv 2001.08361).

  L(N) = (N_c/N)^alpha_N, L(D), L(C) (eqs. 1.1 to 1.3), B_crit(L) (eq. 1.4): which
  of them is told by the columns.

  Args:
    path: a table of a loss and one of N, D and C, or a critical batch in tokens,
      in any format that `read_runs` knows.
    columns, units, where, include, unit: as for `read_runs`.

  Raises:
    UserError: it is not there, its columns tell no such law or a whole run, or
      no row can be used.

  >>> import scaling_jax as sj
  >>> path = epath.Path(getfixture('tmp_path')) / 'L_N.csv'
  >>> _ = path.write_text('params (M),loss\\n1,4\\n10,3.36\\n100,2.83\\n1000,2.38\\n')
  >>> points = read_points(path)
  >>> points, points.x.max()
  (Points(4 of L(N) in nats/token), np.float64(1000000000.0))
  >>> N_c, alpha_N = sj.fit_power_law(points.x, points.y).kaplan_form()
  >>> round(float(alpha_N.value), 3)
  0.075
  """
  wanted = wanted_lib.of(
    columns=columns, units=units, where=where, include=include, unit=unit
  )
  sheets = files.read_sheets(epath.Path(path))
  if len(sheets) > 1:
    raise UserError(messages.several_tables(str(path), len(sheets)))
  return of_sheet(sheets[0], wanted)


def of_sheet(sheet: Sheet, wanted: Wanted) -> Points:
  """The points of a sheet; see `read_points`."""
  found = understand.of_sheet(sheet, wanted)
  of = law_of(sheet, found)
  if of is None:
    understand.must_suffice(sheet, found)
    raise UserError(messages.no_points(sheet.name))
  reader = _Reader(sheet, wanted, found, of)
  rows, excluded = reader.points()
  if not rows and not excluded:
    met: dict[str, dict[str, None]] = {}
    wanted.meet([line.cells for line in sheet.lines], met)
    raise UserError(checks.no_match(wanted.where, met))
  if not rows:
    raise UserError(checks.no_usable_run(sheet.name, excluded))
  above = reader.above_guessing([row.loss for row in rows])
  for i, reason in above.items():
    text = run_messages.at_place(rows[i].place, reason)
    excluded.append(Excluded(rows[i].name, text, Exclusion.DIVERGED))
  rows = [row for i, row in enumerate(rows) if i not in above]
  size = np.array([row.size for row in rows])
  loss = np.array([row.loss for row in rows])
  trusted = Exclusion.INCONSISTENT in wanted.include
  if size.max() < _SMALLEST[of] and not trusted:
    low, high = float(size.min()), float(size.max())
    raise UserError(messages.implausible(sheet.name, of, low, high))
  x, y = (loss, size) if of == Role.B_CRIT else (size, loss)
  return Points(
    of=str(of),
    x=x,
    y=y,
    names=tuple(checks.own_names(row.name for row in rows)),
    unit=reader.unit,
    excluded=tuple(excluded),
    source=sheet_messages.of_tables(
      [sheet.name],
      sheet_messages.understood(
        accounts.parts(reader), accounts.unread(reader)
      ),
    ),
    notes=(*sheet.notes, *reader.notes),
    file=sheet.name,
  )


def must_be_none(sheet: Sheet, found: Understanding) -> None:
  """Raises HoldsPoints for a table of points, where runs are wanted."""
  of = law_of(sheet, found)
  if of is not None:
    raise HoldsPoints(messages.no_runs(sheet.name, of))


def law_of(sheet: Sheet, found: Understanding) -> Role | None:
  """N, D, C or B_crit, whose law the rows are points of; None if of none.

  They are where nothing tells a second of N, D and C, and no column might: one
  of numbers that differ, and whose name is not known, might be it.
  """
  sizes = understand.sizes(found)
  few = len(sheet.lines) < _FEWEST or bool(sheet.evaluations)
  if not found.has(Role.LOSS) or len(sizes) > 1 or few:
    return None
  if found.has(Role.B_CRIT):
    return Role.B_CRIT
  if not sizes:
    return None
  blocked = (*_OF_RUNS, Role.MODEL) if sizes == [Role.D] else _OF_RUNS
  for role in blocked:
    if found.has(role) and _varies(sheet, found.taken[role].column):
      return None
  named = {*found.given.values()}
  asked = {str(sizes[0]), str(Role.LOSS)} <= {*found.given}
  for name in {*sheet.columns} - named:
    if not asked and _might_be_size(sheet, name, sizes[0]):
      return None
  return sizes[0]


def _varies(sheet: Sheet, column: str) -> bool:
  texts = (line.cells.get(column, '') for line in sheet.lines)
  return len({columns_lib.value(text) for text in texts} - {''}) > 1


def _might_be_size(sheet: Sheet, name: str, size: Role) -> bool:
  """Whether a column might tell what another of N, D and C is."""
  if not _varies(sheet, name):
    return False
  if size == Role.D and ''.join(columns_lib.words(name)) in _SHAPE:
    return True
  unknown = columns_lib.kind(name) == columns_lib.Kind.UNKNOWN
  known = roles.meaning(name) is not None
  return unknown and not known and understand.holds_numbers(sheet, name)


class _Point(NamedTuple):
  name: str
  place: str
  size: float
  loss: float


class _Reader(Reader):
  """Reads rows as points: what follows from N, D and C is not asked for."""

  def __init__(
    self, sheet: Sheet, wanted: Wanted, found: Understanding, of: Role
  ):
    self._of = of
    others = {*SIZES} - {of}
    taken = {r: one for r, one in found.taken.items() if r not in others}
    super().__init__(sheet, wanted, dataclasses.replace(found, taken=taken))

  def _derive(self) -> dict[Role, str]:
    return {}

  def points(self) -> tuple[list[_Point], list[Excluded]]:
    """Those that count, and why the other rows do not."""
    out, excluded = [], []
    seen: dict[tuple, str] = {}
    for i, line in enumerate(self.sheet.lines):
      if not self.wanted.asks_for(line.cells):
        continue
      place = self.sheet.place(line)
      try:
        point = self._point(i, line)
        cells = [columns_lib.value(text) for text in line.cells.values()]
        first = seen.setdefault((point.size, point.loss, *cells), place)
        if first != place:
          reason = run_messages.duplicate(first)
          self._exclude(reason, Exclusion.DUPLICATE)
        out.append(point)
      except Unusable as error:
        text = run_messages.at_place(place, str(error))
        excluded.append(Excluded(self.name(line), text, error.kind))
    return out, excluded

  def _point(self, i: int, line: Line) -> _Point:
    if line.fault:
      raise Unusable(line.fault)
    self._must_count(i, line)
    return _Point(
      self.name(line),
      self.sheet.place(line),
      self._positive(self._of, i, line),
      self._loss(i, line),
    )
