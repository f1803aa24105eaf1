"""Other projects' tables, gathered one after the other."""

from collections.abc import Sequence
import dataclasses

from scaling_jax import records
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import reading
from scaling_jax.analysis.runs import repeats
from scaling_jax.analysis.runs import rows
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.records import Run

OURS = 'scaling_jax'


@dataclasses.dataclass(frozen=True)
class Foreign:
  """A run of another project's table.

  Attributes:
    run: its record.
    counts: how else its N and C can be counted.
    extra: its other cells, by column.
    curve: of its losses on the way, if they are known.
  """

  run: Run
  counts: Counts
  extra: dict[str, str]
  curve: LossCurve | None = None


class Tables:
  """What sheets hold, while they are read one after the other.

  Attributes:
    runs: in the order of their tables.
    excluded: what was found and is not among them.
    units: of the losses of each table, with its name.
    sources: what was taken for what, a message for each table.
    notes: what a reader of the results should know, a message each.
    kinds: of tables, in order.
    missed: what was asked of rows and none has, a message for each table.
  """

  def __init__(self, wanted: Wanted) -> None:
    self.wanted = wanted
    self.runs: list[Foreign] = []
    self.excluded: list[Excluded] = []
    self.units: list[tuple[str, str]] = []
    self.sources: list[str] = []
    self.notes: list[str] = []
    self.kinds: list[str] = []
    self.missed: list[str] = []
    self._repetitions = repeats.Repetitions(wanted.include)

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
    checks.one_unit([*ours, *self.units], found.unit, sheet.name)
    self.units.append((found.unit, sheet.name))
    self.kinds.append(found.kind)
    self.excluded += found.excluded
    self.sources.append(
      messages.understood(sheet.name, found.parts, found.unread)
    )
    self.notes += found.notes
    self.missed += [found.missed] if found.missed else []
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
      Foreign(row.run, counts, row.extra, row.curve)
      for row, counts in zip(new, counted)
    ]


def is_ours(sheet: Sheet) -> bool:
  """Whether a sheet is a results.csv of ours."""
  return set(records.REQUIRED) <= set(sheet.columns)


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
