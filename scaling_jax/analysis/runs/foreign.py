"""Other projects' tables, gathered one after the other."""

from collections.abc import Sequence

from scaling_jax import records
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import nanochat
from scaling_jax.analysis.runs import reading
from scaling_jax.analysis.runs import repeats
from scaling_jax.analysis.runs import rows
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.records import Run

OURS = 'scaling_jax'


class Tables:
  """What sheets hold, while they are read one after the other.

  Attributes:
    runs: in the order of their tables.
    excluded: what was found and is not among them.
    units: of the losses of each table, with its name.
    notes: what a reader of the results should know, a message each.
    kinds: of tables, in order.
    met: the values of each column that `where` asks for.
  """

  def __init__(self, wanted: Wanted) -> None:
    self.wanted = wanted
    self.runs: list[rows.Row] = []
    self.excluded: list[Excluded] = []
    self.units: list[tuple[str, str]] = []
    # What was taken for what, and the tables of which it is so.
    self._understood: dict[str, list[str]] = {}
    self.notes: list[str] = []
    self.kinds: list[str] = []
    self.met: dict[str, dict[str, None]] = {}
    self._repetitions = repeats.Repetitions(wanted.include)

  @property
  def sources(self) -> tuple[str, ...]:
    """What was taken for what, a message for tables that are alike."""
    return tuple(
      messages.of_tables(names, text)
      for text, names in self._understood.items()
    )

  def add(self, sheet: Sheet, ours: Sequence[tuple[str, str]] = ()) -> None:
    """Adds the runs of a sheet.

    Args:
      sheet: a table.
      ours: the unit of runs of other kinds that were read before, with where
        they are from.

    Raises:
      UserError: its columns don't tell enough, or its losses are in a unit
        other than those before.
    """
    found = reading.read(sheet, self.wanted)
    self.wanted.meet([line.cells for line in sheet.lines], self.met)
    checks.one_unit([*ours, *self.units], found.unit, sheet.name)
    self.units.append((found.unit, sheet.name))
    self.kinds.append(found.kind)
    if {nanochat.NAME, nanochat.BY_GROUP} <= {*self.kinds}:
      note = messages.nanochat_generations()
      self.notes += [note] if note not in self.notes else []
    self.excluded += found.excluded
    understood = messages.understood(found.parts, found.unread)
    self._understood.setdefault(understood, []).append(sheet.name)
    self.notes += [note for note in found.notes if note not in self.notes]
    new = []
    for row in found.rows:
      told = self._repetitions.of(
        repeats.Row(row.run, row.loss, row.extra, row.place)
      )
      if told:
        reason = f'{row.place}: {told.reason}'
        self.excluded.append(Excluded(row.run.run_id, reason, told.kind))
      else:
        new.append(row)
    counted = counting.without_repetition([row.counts for row in new])
    self.runs += [
      row._replace(counts=counts) for row, counts in zip(new, counted)
    ]


def our_run(line: Line) -> Run:
  """A line of our results.csv; whole numbers may be written 4.0.

  Raises:
    rows.Unusable: a cell is no number.
  """
  if line.fault:
    raise rows.Unusable(line.fault)
  try:
    return records.typed(Run, line.cells)
  except ValueError as error:
    raise rows.Unusable(str(error)) from error
