"""Runs of our own: where their folders lie, and which of them repeat others."""

from collections.abc import Iterable, Mapping
import dataclasses
import functools
import math

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs.readers import loggers_trainer
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.records import Run

# What reading a record can raise when its file was damaged or edited.
BROKEN = (ValueError, KeyError, TypeError, OverflowError)

_DEPTH = 4  # folders below a given one, so deep are experiments looked for
_SAME = 1e-4  # relative: losses that differ by less are of one run, repeated
# What may differ where a run is repeated, on another machine for example.
_OUTCOME = frozenset(
  ('train_loss', 'val_loss', 'val_loss_sem', 'val_bpb', 'wall_s',
   'tokens_per_s', 'device')
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class OwnRun:
  """One of our runs as it was read.

  Attributes:
    run: its record.
    folder: of the run; None where there is none.
    cells: what its line of results.csv has beside the record, by column.
  """

  run: Run
  folder: epath.Path | None
  cells: Mapping[str, str] = dataclasses.field(default_factory=dict)

  @functools.cached_property
  def with_losses(self) -> bool:
    folder = self.folder
    return folder is not None and (folder / records.TRAIN_LOSS).exists()

  @functools.cached_property
  def settings(self) -> dict[str, object]:
    """Of its config.json, by dotted name; empty where there is none."""
    return {} if self.folder is None else records.read_settings(self.folder)

  def or_more(self, other: 'OwnRun') -> 'OwnRun':
    """Of two findings of one run the one that tells more."""
    if self.with_losses:
      return self
    return other if other.with_losses or self.folder is None else self


def from_line(run: Run, table: epath.Path, cells: Mapping[str, str]) -> OwnRun:
  """A line of results.csv, and its folder if it lies there as it was left.

  Args:
    run: of the line.
    table: the file.
    cells: of the line, by column.
  """
  more = {
    name: text.strip()
    for name, text in cells.items()
    if name not in run._fields
  }
  folder = table.parent / run.run_id
  try:
    beside = records.read_result(folder)
  except BROKEN:
    beside = None
  # The table may have been copied into another experiment's folder.
  if beside is None or beside.experiment != run.experiment:
    return OwnRun(run, None, more)
  return OwnRun(run, folder, more)


def is_run(folder: epath.Path) -> bool:
  """Whether a folder is one of ours; Hugging Face's have a config.json too."""
  if (folder / records.RESULT).exists():
    return True
  ours = (folder / records.CONFIG).exists()
  return ours and not loggers_trainer.paths_in(folder)


def is_table(sheet: Sheet) -> bool:
  """Whether a sheet is a results.csv of ours."""
  return {*records.REQUIRED} <= {*sheet.columns}


def run_folders(experiment: epath.Path) -> list[epath.Path]:
  """The run folders of an experiment, in order."""
  return [folder for folder in _folders(experiment) if is_run(folder)]


def nested(path: epath.Path, depth: int = _DEPTH) -> Iterable[epath.Path]:
  """The folders below one, in order, but for runs and what is inside them."""
  for folder in _folders(path) if depth else ():
    if not is_run(folder):
      yield folder
      yield from nested(folder, depth - 1)


def _folders(path: epath.Path) -> list[epath.Path]:
  return sorted(
    inner
    for inner in path.iterdir()
    if not inner.name.startswith('.') and inner.is_dir()
  )


def experiment_of(run_folder: epath.Path) -> str:
  """The experiment of a run, by its own files or else by where it lies.

  An experiment named a/b has its runs two folders down.
  """
  try:
    run = records.read_result(run_folder)
  except BROKEN:
    run = None
  told = run.experiment if run else None
  told = told or records.read_settings(run_folder).get('experiment')
  if isinstance(told, str) and told:
    return told
  return run_folder.resolve().parent.name


def last_step(folder: epath.Path) -> int | None:
  """Of an unfinished run's last evaluation; None if there is none."""
  try:
    return records.read_metrics(folder)[-1].step
  except (*BROKEN, IndexError):
    return None


def swept(found: Iterable[OwnRun]) -> list[dict[str, str]]:
  """[n] settings that differ among runs, by dotted name.

  They are of the runs' config.json, or else of their lines in results.csv.
  """
  every = list(found)
  told = records.swept(one.settings for one in every)
  return [
    settings if one.settings else dict(one.cells)
    for one, settings in zip(every, told)
  ]


def excluded_beside(first: OwnRun, again: OwnRun) -> Excluded | None:
  """Why a second finding of a run does not count; None if it is the same."""
  one, other = first.run._asdict(), again.run._asdict()
  # What one of them does not tell is no difference; nor is nan from nan.
  unlike = {
    name
    for name in one
    if one[name] != other[name] and _told(one[name]) and _told(other[name])
  }
  unlike |= {
    name for name in records.REQUIRED if _told(one[name]) != _told(other[name])
  }
  if not unlike:
    return None
  losses = first.run.val_loss, again.run.val_loss
  mine, its = first.settings, again.settings
  same = unlike <= _OUTCOME and (not mine or not its or mine == its)
  if same and math.isclose(*losses, rel_tol=_SAME):
    reason, kind = messages.repeat(first.run.run_id, *losses), Exclusion.REPEAT
  else:
    reason, kind = messages.two_results(*losses), Exclusion.TWO_RESULTS
  return Excluded(again.run.run_id, reason, kind)


def _told(value: object) -> bool:
  return value not in ('', 0) and value == value
