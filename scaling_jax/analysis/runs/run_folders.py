"""Runs from wherever they lie: run folders, experiments, tables."""

from collections.abc import Iterable
import os
from typing import NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import csv_table
from scaling_jax.analysis.runs import foreign
from scaling_jax.analysis.runs import identity
from scaling_jax.analysis.runs import own_runs
from scaling_jax.analysis.runs import recipe
from scaling_jax.analysis.runs.csv_table import Unusable
from scaling_jax.analysis.runs.own_runs import OwnRun
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from scaling_jax.records import Run

Path = str | os.PathLike

_WANTED = (
  'a run folder (with config.json), an experiment (a folder of runs), a folder'
  ' of experiments, or a CSV'
)


def read_runs(*paths: Path | Iterable[Path]) -> Runs:
  """Reads runs from wherever they are.

  Args:
    paths: each a run folder, an experiment (a folder of runs), a folder of
      experiments, a results.csv or a CSV of another project (see
      `foreign.FORMATS`), or a list of those.

  Returns:
    The runs; one that was given twice counts once. Where they come from several
    experiments, run_id opens with the experiment's name.

  Raises:
    UserError: a path that is not there, a table that fits no format, losses in
      different units or on different corpora, or no run that can be used.

  >>> import pathlib, tempfile
  >>> path = pathlib.Path(tempfile.mkdtemp()) / 'runs.csv'
  >>> _ = path.write_text('N,D,loss\\n1e6,1e9,3.5\\n2e6,5e8,3.4\\n')
  >>> runs = read_runs(path)
  >>> runs.run_ids, runs.C.tolist()
  (('runs:2', 'runs:3'), [6000000000000000.0, 6000000000000000.0])
  """
  flat = [path for given in paths for path in _each(given)]
  if not flat:
    raise UserError(f'no path was given: it must be {_WANTED}; try runs')
  gathered = _Gathered()
  for path in flat:
    gathered.add(epath.Path(path))
  runs = gathered.runs()
  if not runs:
    where = ', '.join(map(str, flat))
    out = [(one.run_id, one.reason, str(one.kind)) for one in runs.excluded]
    raise UserError(messages.no_usable_run(where, out))
  identity.one_corpus(runs)
  return runs


def _each(given: Path | Iterable[Path]) -> list[Path]:
  return [given] if isinstance(given, (str, os.PathLike)) else list(given)


class _Foreign(NamedTuple):
  """A run of another project's table, and its other cells by column."""

  run: Run
  counts: Counts
  extra: dict[str, str]


class _Gathered:
  """What the paths hold, while they are read one after the other."""

  def __init__(self) -> None:
    # Our records by experiment and run_id.
    self.records: dict[tuple[str, str], OwnRun] = {}
    # Other projects' runs, in the order of their tables.
    self.foreign: list[_Foreign] = []
    self.repetitions = checks.Repetitions()
    # Each with its experiment, '' for another project's.
    self.excluded: list[tuple[str, Excluded]] = []
    # Each with the first path that has it.
    self.formats: dict[foreign.Format, str] = {}
    self.files: list[str] = []
    self.notes: list[str] = []
    self.again: list[str] = []
    self.seen: set[str] = set()

  def add(self, path: epath.Path) -> None:
    """Adds whatever is at the path."""
    if not path.exists():
      raise UserError(f'{path} does not exist: it must be {_WANTED}')
    if not path.is_dir():
      self._table(path)
    elif own_runs.is_run(path):
      self._run(path)
    elif not self._experiment(path):
      found = [self._experiment(folder) for folder in own_runs.nested(path)]
      if not any(found):
        raise UserError(f'{path} holds no run: it must be {_WANTED}')

  def _experiment(self, path: epath.Path) -> bool:
    """Adds the runs of an experiment; False if the folder is none."""
    runs = own_runs.run_folders(path)
    table = path / records.RESULTS
    finished = [run for run in runs if (run / records.RESULT).exists()]
    # The table is made of the records, and may lag behind them.
    if table.exists() and not finished:
      self._table(table)
    for run in runs:
      self._run(run)
    missing = records.read_planned(path).keys() - {run.name for run in runs}
    for run_id in sorted(missing) if finished else ():
      out = Excluded(run_id, messages.not_started(), Exclusion.NOT_STARTED)
      self._exclude(own_runs.experiment_of(finished[0]), out)
    return bool(runs) or table.exists()

  def _run(self, folder: epath.Path) -> None:
    """Adds one run folder."""
    if self._was_read(folder):
      return
    self._has_format(foreign.OURS, folder)
    place = folder.resolve()
    try:
      run = records.read_result(folder)
    except own_runs.BROKEN as error:
      reason = messages.unreadable_result(error)
      out = Excluded(place.name, reason, Exclusion.UNREADABLE)
      self._exclude(own_runs.experiment_of(folder), out)
      return
    if run is None:
      reason = messages.unfinished(own_runs.last_step(folder))
      out = Excluded(place.name, reason, Exclusion.UNFINISHED)
      self._exclude(own_runs.experiment_of(folder), out)
      return
    self.files.append(str(folder / records.RESULT))
    self._record(OwnRun(run, folder))

  def _record(self, found: OwnRun) -> None:
    """Adds one of our records, from a folder or from a table."""
    run = found.run
    key = (run.experiment, run.run_id)
    first = self.records.get(key, found)
    if out := own_runs.excluded_beside(first, found):
      self._exclude(run.experiment, out)
      return
    if key in self.records:
      self.again.append(run.run_id)
    self.records[key] = first.or_more(found)

  def _table(self, path: epath.Path) -> None:
    """Adds a CSV file."""
    if self._was_read(path):
      return
    table = foreign.read_table(path)
    self._has_format(table.format, path)
    self.files.append(str(path))
    found: list[_Foreign] = []
    for line in table.lines:
      place = f'line {line.number} of {path.name}'
      try:
        if line.fault:
          raise Unusable(line.fault)
        if table.format is foreign.OURS:
          run = foreign.our_run(line)
          self._record(own_runs.from_line(run, path, line.cells))
        else:
          run, counts = foreign.of_line(table, line)
          loss = foreign.loss_of(run, table.format)
          extra = foreign.extra_of(table, line)
          self.repetitions.must_be_new(run, loss, extra, place)
          found.append(_Foreign(run, counts, extra))
      except Unusable as error:
        # Of cells that can't be told apart none is an experiment's name.
        ours = table.format is foreign.OURS and not line.fault
        experiment = line.cells['experiment'] if ours else ''
        name = foreign.line_name(path, line)
        reason = messages.at_place(place, str(error))
        self._exclude(experiment, Excluded(name, reason, error.kind))
    counted = counting.without_repetition([one.counts for one in found])
    self.foreign += [
      one._replace(counts=counts) for one, counts in zip(found, counted)
    ]
    self.notes += foreign.notes(table)

  def _exclude(self, experiment: str, out: Excluded) -> None:
    entry = (experiment, out)
    if entry not in self.excluded:
      self.excluded.append(entry)

  def _was_read(self, path: epath.Path) -> bool:
    """Whether the path came before; from now on it did."""
    place = path.resolve()
    if str(place) in self.seen:
      self.again.append(place.name)
      return True
    self.seen.add(str(place))
    return False

  def _has_format(self, kind: foreign.Format, path: epath.Path) -> None:
    """Notes a format, and refuses a second unit."""
    read = [(other.unit, first) for other, first in self.formats.items()]
    checks.one_unit(read, kind.unit, str(path))
    self.formats.setdefault(kind, str(path))

  def runs(self) -> Runs:
    """All that was added, each run under a name of its own."""
    experiments = {experiment for experiment, _ in self.records}
    experiments |= {experiment for experiment, _ in self.excluded} - {''}
    several = len(experiments) > 1

    def name(experiment: str, run_id: str) -> str:
      return f'{experiment}/{run_id}' if several and experiment else run_id

    excluded = [
      out._replace(run_id=name(experiment, out.run_id))
      for experiment, out in self.excluded
    ]
    found: list[tuple[Run, Counts, str, dict[str, str]]] = []
    beside = own_runs.swept(self.records.values())
    for record, extra in zip(self.records.values(), beside):
      run = record.run
      run = run._replace(run_id=name(run.experiment, run.run_id))
      try:
        found.append((*_usable(run, record), extra))
      except Unusable as error:
        excluded.append(Excluded(run.run_id, str(error), error.kind))
    found.sort(key=lambda f: (f[0].C, f[0].N, f[0].seed, f[0].run_id))
    found += [(one.run, one.counts, '', one.extra) for one in self.foreign]
    names = checks.own_names(run.run_id for run, *_ in found)
    return Runs(
      runs=tuple(f[0]._replace(run_id=name) for f, name in zip(found, names)),
      folders=tuple(folder for _, _, folder, _ in found),
      counts=tuple(counts for _, counts, _, _ in found),
      extra=tuple(extra for *_, extra in found),
      excluded=tuple(excluded),
      format=' + '.join(kind.name for kind in self.formats),
      unit=next(iter(self.formats)).unit,
      files=tuple(self.files),
      notes=self._all_notes(),
    )

  def _all_notes(self) -> tuple[str, ...]:
    notes = list(self.notes)
    if self.again:
      notes.append(messages.given_twice(self.again))
    if len(self.formats) > 1:
      notes.append(messages.several_formats())
    return tuple(notes)


def _usable(run: Run, record: OwnRun) -> tuple[Run, Counts, str]:
  """A record with its recipe, its counts, and its folder if it has losses.

  Raises:
    Unusable: it diverged, or a size or its loss is not positive.
  """
  if run.status != 'done':
    raise Unusable(messages.not_done(run.status), Exclusion.NOT_DONE)
  for name in ('C', 'N', 'D', 'val_loss'):
    csv_table.positive(name, float(getattr(run, name)))
  folder = str(record.folder) if record.with_losses else ''
  run = recipe.completed(run, record.folder)
  return run, counting.of_run(run), folder
