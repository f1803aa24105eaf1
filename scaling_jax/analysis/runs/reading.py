"""A sheet as runs: those that count, and why the others do not."""

from collections.abc import Sequence
import dataclasses

from scaling_jax import formatting
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import accounts
from scaling_jax.analysis.runs import identities
from scaling_jax.analysis.runs import nanochat
from scaling_jax.analysis.runs import nested
from scaling_jax.analysis.runs import points
from scaling_jax.analysis.runs import understand
from scaling_jax.analysis.runs.rows import Reader
from scaling_jax.analysis.runs.rows import Row
from scaling_jax.analysis.runs.rows import Unusable
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.vocabulary import SIZES
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.analysis.runs.wanted import Wanted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
  """What a table holds.

  Attributes:
    rows: that can be used, in their order.
    excluded: the others.
    kind: of table, as people are told.
    unit: of the losses.
    parts: what was taken for what, in words.
    unread: columns that vary and were not read.
    notes: a message each.
  """

  rows: tuple[Row, ...]
  excluded: tuple[Excluded, ...]
  kind: str
  unit: str
  parts: tuple[str, ...]
  unread: tuple[str, ...]
  notes: tuple[str, ...]


def read(sheet: Sheet, wanted: Wanted) -> Found:
  """The runs of a sheet.

  Raises:
    UserError: its columns don't tell a loss and two of C, N and D, or they
      can't be in the units that they are taken for.
  """
  sheet = nanochat.with_names(nested.flattened(sheet))
  understood = understand.of_sheet(sheet, wanted)
  points.must_be_none(sheet, understood)
  understand.must_suffice(sheet, understood)
  reader = Reader(sheet, wanted, understood)
  rows: list[Row] = []
  excluded: list[Excluded] = []

  def exclude(run_id: str, place: str, reason: str, kind: Exclusion) -> None:
    text = run_messages.at_place(place, reason)
    excluded.append(Excluded(run_id, text, kind))

  for i, line in enumerate(sheet.lines):
    if not wanted.asks_for(line.cells):
      continue
    place = sheet.place(line)
    try:
      rows.append(reader.row(i, line, place))
    except Unusable as error:
      exclude(reader.name(line), place, str(error), error.kind)
  above = reader.above_guessing([row.loss for row in rows])
  for i, reason in above.items():
    kind = Exclusion.DIVERGED
    exclude(rows[i].run.run_id, rows[i].place, reason, kind)
  rows = [row for i, row in enumerate(rows) if i not in above]
  checked = _checked(reader, rows)
  for i, reason in checked.excluded.items():
    kind = Exclusion.INCONSISTENT
    exclude(rows[i].run.run_id, rows[i].place, reason, kind)
  rows = [row for i, row in enumerate(rows) if i not in checked.excluded]
  trainings = reader.trainings(rows)
  for i, last in trainings.checkpoints.items():
    run = rows[last].run
    reason = messages.checkpoint(formatting.short(float(run.D)), run.run_id)
    if Exclusion.CHECKPOINT not in wanted.include:
      exclude(rows[i].run.run_id, rows[i].place, reason, Exclusion.CHECKPOINT)
  if Exclusion.CHECKPOINT not in wanted.include:
    rows = [
      row._replace(curve=trainings.curves.get(i, row.curve))
      for i, row in enumerate(rows)
      if i not in trainings.checkpoints
    ]
  return Found(
    rows=tuple(rows),
    excluded=tuple(excluded),
    kind=sheet.kind,
    unit=reader.unit,
    parts=tuple(accounts.parts(reader)),
    unread=tuple(accounts.unread(reader)),
    notes=(*sheet.notes, *reader.notes, *checked.notes),
  )


def _checked(reader: Reader, rows: Sequence[Row]) -> identities.Checked:
  """What disagrees in N, D and C, in each study of a table by itself."""
  studies: dict[tuple[str, ...], list[int]] = {}
  for i, row in enumerate(rows):
    studies.setdefault(reader.study(row), []).append(i)
  excluded: dict[int, str] = {}
  notes: list[str] = []
  for index in studies.values():
    found = identities.check(
      [rows[i].run for i in index],
      source=reader.sheet.name,
      stated=reader.found.has(Role.C),
      derived={str(role): how for role, how in reader.derived.items()},
      factors={
        str(role): taken.factor
        for role, taken in reader.found.taken.items()
        if role in SIZES
      },
      trusted=Exclusion.INCONSISTENT in reader.wanted.include,
    )
    excluded |= {index[i]: reason for i, reason in found.excluded.items()}
    notes += found.notes
  return identities.Checked(
    excluded=dict(sorted(excluded.items())),
    notes=tuple(dict.fromkeys(notes)),
  )
