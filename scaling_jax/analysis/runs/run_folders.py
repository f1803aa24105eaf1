"""Runs from wherever they lie: run folders, experiments, tables."""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import math
import os

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import foreign
from scaling_jax.analysis.runs import identity
from scaling_jax.analysis.runs import own_runs
from scaling_jax.analysis.runs import recipe
from scaling_jax.analysis.runs import statuses
from scaling_jax.analysis.runs import wanted as wanted_lib
from scaling_jax.analysis.runs.own_runs import OwnRun
from scaling_jax.analysis.runs.readers import files
from scaling_jax.analysis.runs.readers import loggers_wandb
from scaling_jax.analysis.runs.rows import Unusable
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import NATS
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.errors import UserError
from scaling_jax.records import Run

Path = str | os.PathLike

_WANDB = 'wandb:'  # opens the name of a project, instead of a path
_WEB = ('http://', 'https://')
_WANTED = (
  'a run folder (with config.json), an experiment (a folder of runs), a folder'
  ' of experiments, or a table (CSV, JSON, Excel, ...)'
)


def read_runs(
  *paths: Path | Iterable[Path],
  columns: Mapping[str, str | float] | None = None,
  units: Mapping[str, str] | None = None,
  where: Mapping[str, str | float] | None = None,
  include: Sequence[str] = (),
  unit: str | None = None,
) -> Runs:
  """Reads runs from wherever they are.

  Columns of tables are known by their names, in any usual spelling; what was
  taken for what is told in `sources`.

  Args:
    paths: each a run folder, an experiment (a folder of runs), a folder of
      experiments, or a table of anyone's runs (docs/formats.md), or a list of
      those.
    columns: our name -> a table's, or a number for all rows, such as
      {'N': 'n_params', 'tokens_per_step': 2048}; where names don't tell.
    units: our name -> its unit, such as {'N': 'M', 'C': 'PF-days', 'loss':
      'perplexity'}; where names don't tell.
    where: column -> the value that rows must have.
    include: kinds of runs to keep that are excluded otherwise; see
      `table.INCLUDABLE`.
    unit: of the loss, one of `table.UNITS`, where columns are of several.

  Returns:
    The runs; one that was given twice counts once. Where they come from several
    experiments, run_id opens with the experiment's name.

  Raises:
    UserError: a path that is not there, a table whose columns don't tell enough
      or contradict one another, losses in different units, or no run that can
      be used.

  >>> import pathlib, tempfile
  >>> path = pathlib.Path(tempfile.mkdtemp()) / 'runs.csv'
  >>> _ = path.write_text('Params (M),tokens,Val Loss\\n1,1e9,3.5\\n2,5e8,3.4\\n')
  >>> runs = read_runs(path)
  >>> runs.run_ids, runs.C.tolist()
  (('runs:2', 'runs:3'), [6000000000000000.0, 6000000000000000.0])
  """
  flat = [path for given in paths for path in _each(given)]
  if not flat:
    raise UserError(f'no path was given: it must be {_WANTED}; try runs')
  gathered = _Gathered(
    wanted_lib.of(
      columns=columns, units=units, where=where, include=include, unit=unit
    )
  )
  for path in flat:
    if str(path).startswith(_WANDB):
      gathered.add_project(str(path).removeprefix(_WANDB))
    else:
      gathered.add(epath.Path(path))
  runs = gathered.runs()
  if not runs:
    if gathered.wanted.where and not runs.excluded:
      raise UserError(
        checks.no_match(gathered.wanted.where, gathered.tables.met)
      )
    source, of_tables = ', '.join(map(str, flat)), bool(gathered.tables.kinds)
    raise UserError(
      checks.no_usable_run(source, runs.excluded, of_tables=of_tables)
    )
  return runs


def _each(given: Path | Iterable[Path]) -> list[Path]:
  if isinstance(given, (str, os.PathLike)):
    if str(given).startswith(_WEB):
      raise UserError(
        f'{given} is a web address, and only files are read: download it as CSV'
        ' and give the file'
      )
    return [given]
  frame = hasattr(given, 'keys') or hasattr(given, 'columns')
  paths = list(given) if isinstance(given, Iterable) and not frame else None
  if paths is None or not all(
    isinstance(path, (str, os.PathLike)) for path in paths
  ):
    raise UserError(
      f'{type(given).__name__} is no path: it must be {_WANTED}; for a DataFrame'
      ' or a dict of arrays use Runs.from_dataframe'
    )
  return paths


class _Gathered:
  """What the paths hold, while they are read one after the other."""

  def __init__(self, wanted: Wanted) -> None:
    self.wanted = wanted
    # Our records by experiment, run_id, and what they are of if those of one
    # name are of several.
    self.records: dict[tuple[str, str, str], OwnRun] = {}
    self.tables = foreign.Tables(wanted)
    # Each with its experiment, '' for another project's.
    self.excluded: list[tuple[str, Excluded]] = []
    # Where our first record was found, if any was.
    self.first = ''
    self.files: list[str] = []
    self.again: list[str] = []
    self.seen: set[str] = set()

  def add_project(self, project: str) -> None:
    """Adds the runs of a project of Weights & Biases."""
    self.files.append(f'{_WANDB}{project}')
    self._sheet(loggers_wandb.wandb_runs(project, histories=True))

  def add(self, path: epath.Path) -> None:
    """Adds whatever is at the path."""
    if not path.exists():
      raise UserError(f'{path} does not exist: it must be {_WANTED}')
    if not path.is_dir():
      self._table(path)
    elif own_runs.is_run(path):
      self._run(path)
    elif not self._experiment(path):
      nested = [*own_runs.nested(path)]
      found = [self._experiment(folder) for folder in nested]
      # Other projects' run folders, if there is none of ours.
      foreign_runs = () if any(found) else (path, *nested)
      for folder in filter(files.is_run_folder, foreign_runs):
        if folder == path or not files.is_checkpoint(folder):
          self._table(folder, beside=folder != path)
        found.append(True)
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
    self._is_ours(folder)
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
    key = (run.experiment, run.run_id, '')
    of = identity.corpus_of(run)
    if key in self.records and not of.agrees(
      identity.corpus_of(self.records[key].run)
    ):
      key = (run.experiment, run.run_id, str(of))
    first = self.records.get(key, found)
    if out := own_runs.excluded_beside(first, found):
      self._exclude(run.experiment, out)
      return
    if key in self.records:
      self.again.append(run.run_id)
    self.records[key] = first.or_more(found)

  def _table(self, path: epath.Path, *, beside: bool = False) -> None:
    """Adds a file of another project's, or a results.csv of ours.

    Args:
      path: of it.
      beside: whether it is one of many, of which one may be broken.
    """
    if self._was_read(path):
      return
    try:
      sheets = files.read_sheets(path)
    except UserError as error:
      if not beside:
        raise
      out = Excluded(path.name, str(error), Exclusion.UNREADABLE)
      self._exclude('', out)
      return
    self.files.append(str(path))
    refused = []
    for sheet in sheets:
      if own_runs.is_table(sheet):
        self._is_ours(path)
        self._our_table(path, sheet)
        continue
      try:
        self._sheet(sheet)
      except UserError as error:
        refused.append(error)
    # Of several worksheets some may hold something else.
    if len(refused) == len(sheets):
      raise refused[0]

  def _sheet(self, sheet: Sheet) -> None:
    """Adds a table of another project's."""
    self.tables.add(sheet, ours=self._units())

  def _our_table(self, path: epath.Path, sheet: Sheet) -> None:
    """Adds a results.csv of ours."""
    for line in sheet.lines:
      try:
        run = foreign.our_run(line)
        self._record(own_runs.from_line(run, path, line.cells))
      except Unusable as error:
        # Of cells that can't be told apart none is an experiment's name.
        experiment = '' if line.fault else line.cells['experiment']
        given = line.cells.get('run_id', '').strip()
        name = given or sheet.run_name(line)
        reason = messages.at_place(sheet.place(line), str(error))
        self._exclude(experiment, Excluded(name, reason, error.kind))

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

  def _is_ours(self, path: epath.Path) -> None:
    """Notes that a record of ours was found, and refuses a second unit."""
    checks.one_unit(self.tables.units, NATS, str(path))
    self.first = self.first or str(path)

  def _units(self) -> list[tuple[str, str]]:
    return [(NATS, self.first)] if self.first else []

  def runs(self) -> Runs:
    """All that was added, each run under a name of its own."""
    experiments = {experiment for experiment, *_ in self.records}
    experiments |= {experiment for experiment, _ in self.excluded} - {''}
    several = len(experiments) > 1

    def name(experiment: str, run_id: str) -> str:
      return f'{experiment}/{run_id}' if several and experiment else run_id

    excluded = [
      out._replace(run_id=name(experiment, out.run_id))
      for experiment, out in self.excluded
    ]
    found: list[_Usable] = []
    beside = own_runs.swept(self.records.values())
    for record, extra in zip(self.records.values(), beside):
      run = record.run
      cells = {**extra, **{k: str(x) for k, x in run._asdict().items()}}
      self.wanted.meet([cells], self.tables.met)
      if not self.wanted.asks_for(cells):
        continue
      run = run._replace(run_id=name(run.experiment, run.run_id))
      try:
        found.append(_usable(run, record, extra))
      except Unusable as error:
        excluded.append(Excluded(run.run_id, str(error), error.kind))
    found.sort(key=lambda f: (f.run.C, f.run.N, f.run.seed, f.run.run_id))
    found += [
      _Usable(one.run, one.counts, extra=one.extra, curve=one.curve)
      for one in self.tables.runs
    ]
    names = checks.own_names(one.run.run_id for one in found)
    units = [*self._units(), *self.tables.units]
    kinds = [foreign.OURS] * bool(self.first) + self.tables.kinds
    return Runs(
      runs=tuple(f.run._replace(run_id=name) for f, name in zip(found, names)),
      folders=tuple(one.folder for one in found),
      counts=tuple(one.counts for one in found),
      extra=tuple(one.extra for one in found),
      curves=tuple(one.curve for one in found),
      excluded=(*excluded, *self.tables.excluded),
      format=' + '.join(dict.fromkeys(kinds)),
      unit=units[0][0] if units else NATS,
      files=tuple(self.files),
      sources=tuple(self.tables.sources),
      notes=self._all_notes(),
    )

  def _all_notes(self) -> tuple[str, ...]:
    notes = list(self.tables.notes)
    if self.again:
      notes.append(messages.given_twice(self.again))
    if len({*self.tables.kinds}) + bool(self.first) > 1:
      notes.append(messages.several_formats())
    return tuple(notes)


@dataclasses.dataclass(frozen=True)
class _Usable:
  """A run that counts, as `Runs` has it."""

  run: Run
  counts: Counts
  folder: str = ''
  extra: dict[str, str] = dataclasses.field(default_factory=dict)
  curve: LossCurve | None = None


def _usable(run: Run, record: OwnRun, extra: dict[str, str]) -> _Usable:
  """A record with its recipe, its counts, and its folder if it has losses.

  Raises:
    Unusable: it diverged, or a size or its loss is not positive.
  """
  if run.status != 'done':
    kind = statuses.of_status(run.status) or Exclusion.UNFINISHED
    raise Unusable(messages.not_done(run.status), kind)
  for name in ('C', 'N', 'D', 'val_loss'):
    value = float(getattr(run, name))
    if not 0 < value < math.inf:
      raise Unusable(messages.not_positive(name, value))
  folder = str(record.folder) if record.with_losses else ''
  run = recipe.completed(run, record.folder)
  return _Usable(run, counting.of_run(run), folder, extra)
