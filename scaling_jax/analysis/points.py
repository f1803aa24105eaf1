"""From run folders and tables to the points that laws are fitted on."""

from collections.abc import Sequence
import math
import os
from typing import NamedTuple

from etils import epath
import numpy as np

from scaling_jax import records
from scaling_jax.analysis import rows
from scaling_jax.analysis import tables
from scaling_jax.analysis.rows import Point
from scaling_jax.errors import UserError


class LeftOut(NamedTuple):
  """A run that no law can use, and why, in a sentence."""

  run_id: str
  reason: str


class Source(NamedTuple):
  """All that was read.

  Attributes:
    points: our own runs in the order of C, N and seed, then the lines of other
      projects' tables as they stand there.
    left_out: what was found and not used.
    format: 'scaling_jax' or another of `tables.FORMATS`; joined by ' + ' where
      there is more than one.
    unit: 'nats/token' or 'bits/byte'.
    files: that were read.
    notes: what a reader of the results should know, in sentences.
  """

  points: tuple[Point, ...]
  left_out: tuple[LeftOut, ...]
  format: str
  unit: str
  files: tuple[str, ...]
  notes: tuple[str, ...]


def read(paths: Sequence[epath.PathLike]) -> Source:
  """Reads runs from wherever they are.

  Args:
    paths: each a run folder, an experiment (a folder of runs), a folder of
      experiments, a results.csv or a CSV of another project; see
      `tables.FORMATS`.

  Returns:
    The points; a run that was given twice counts once. Where they come from
    several experiments, run_id opens with the experiment's name.

  Raises:
    UserError: a path that is not there, a table that fits no format, losses in
      different units or on different corpora, or no run that can be used.
  """
  if isinstance(paths, (str, os.PathLike)):
    paths = [paths]
  if not paths:
    raise UserError(f'no path was given: it must be {_WANTED}; try runs')
  gathered = _Gathered()
  for path in paths:
    gathered.add(epath.Path(path))
  source = gathered.source()
  if not source.points:
    where = ', '.join(str(path) for path in paths)
    why = 'nothing was found'
    if source.left_out:
      run_id, reason = source.left_out[0]
      why = f'{len(source.left_out)} left out, the first is {run_id}: {reason}'
    raise UserError(
      f'{where} holds no run that can be used ({why}): a law needs finished'
      ' runs; finish them with launch.py or give another path'
    )
  corpora = sorted({p.dataset for p in source.points if p.dataset})
  if len(corpora) > 1:
    raise UserError(
      f'the runs were trained on {" and ".join(corpora)}: the losses of one fit'
      ' must be of one corpus; read them one after the other'
    )
  return source


_WANTED = (
  'a run folder (with config.json), an experiment (a folder of runs), a folder'
  ' of experiments, or a CSV'
)


_NOT_STARTED = f'it was not started; {records.PLANNED} has it planned'

# What reading a record can raise when its file was damaged or edited.
_BROKEN = (ValueError, KeyError, TypeError, OverflowError)


class _Gathered:
  """What the paths hold, while they are read one after the other."""

  def __init__(self) -> None:
    # Our records by experiment and run_id, each with its folder.
    self.runs: dict[tuple[str, str], tuple[records.Run, str]] = {}
    # Other projects' points, and where each set of numbers was met first.
    self.rows: list[Point] = []
    self.places: dict[tuple[float, ...], str] = {}
    # Each with its experiment, '' for another project's.
    self.left_out: list[tuple[str, LeftOut]] = []
    # Each with the first path that has it.
    self.formats: dict[tables.Format, str] = {}
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
    elif _is_run(path):
      self._run(path)
    elif not self._experiment(path):
      found = [self._experiment(folder) for folder in _folders(path)]
      if not any(found):
        raise UserError(f'{path} holds no run: it must be {_WANTED}')

  def _experiment(self, path: epath.Path) -> bool:
    """Adds the runs of an experiment; False if the folder is none."""
    runs = [folder for folder in _folders(path) if _is_run(folder)]
    table = path / records.RESULTS
    finished = [run for run in runs if (run / records.RESULT).exists()]
    # The table is made of the records, and may lag behind them.
    if table.exists() and not finished:
      self._table(table)
    for run in runs:
      self._run(run)
    missing = records.read_planned(path).keys() - {run.name for run in runs}
    for run_id in sorted(missing) if finished else ():
      self._leave_out(path.resolve().name, run_id, _NOT_STARTED)
    return bool(runs) or table.exists()

  def _run(self, folder: epath.Path) -> None:
    """Adds one run folder."""
    if self._was_read(folder):
      return
    self._has_format(tables.OURS, folder)
    try:
      run = records.read_result(folder)
      reason = '' if run else _unfinished(folder)
    except _BROKEN as error:
      run, reason = None, f'its {records.RESULT} cannot be read ({error!r})'
    if run is None:
      place = folder.resolve()
      self._leave_out(place.parent.name, place.name, reason)
      return
    self.files.append(str(folder / records.RESULT))
    self._record(run, _with_losses(folder))

  def _record(self, run: records.Run, folder: str) -> None:
    """Adds one of our records, from a folder or from a table."""
    key = (run.experiment, run.run_id)
    first, first_folder = self.runs.get(key, (run, folder))
    # Compared as text, since nan differs from itself.
    if repr(first) != repr(run):
      self._leave_out(
        *key,
        'it was given with two results, and the first counts: val_loss='
        f'{first.val_loss:g}, and here {run.val_loss:g}',
      )
      return
    if key in self.runs:
      self.again.append(run.run_id)
    self.runs[key] = (first, first_folder or folder)

  def _table(self, path: epath.Path) -> None:
    """Adds a CSV file."""
    if self._was_read(path):
      return
    table = tables.read_table(path)
    self._has_format(table.format, path)
    self.files.append(str(path))
    points = []
    for line in table.lines:
      place = f'line {line.number} of {path.name}'
      try:
        if line.fault:
          raise tables.Unusable(line.fault)
        if table.format is tables.OURS:
          run = _our_run(line)
          self._record(run, _folder_beside(path, run))
        else:
          point = rows.of_line(table, line)
          self._must_be_new(point, place)
          points.append(point)
      except tables.Unusable as error:
        # Of cells that can't be told apart none is an experiment's name.
        ours = table.format is tables.OURS and not line.fault
        experiment = line.cells['experiment'] if ours else ''
        name = rows.line_name(path, line)
        self._leave_out(experiment, name, f'{place}: {error}')
    self.rows += _without_repetition(points)
    self.notes += _how_counted(table)

  def _must_be_new(self, point: Point, place: str) -> None:
    key = (point.C, point.N, point.D, point.loss, point.seed)
    if key in self.places:
      raise tables.Unusable(f'it is a duplicate of {self.places[key]}')
    self.places[key] = place

  def _leave_out(self, experiment: str, run_id: str, reason: str) -> None:
    entry = (experiment, LeftOut(run_id, reason))
    if entry not in self.left_out:
      self.left_out.append(entry)

  def _was_read(self, path: epath.Path) -> bool:
    """Whether the path came before; from now on it did."""
    place = path.resolve()
    if str(place) in self.seen:
      self.again.append(place.name)
      return True
    self.seen.add(str(place))
    return False

  def _has_format(self, kind: tables.Format, path: epath.Path) -> None:
    """Notes a format, and refuses a second unit."""
    for other, first in self.formats.items():
      if other.unit != kind.unit:
        raise UserError(
          f'{first} is in {other.unit} and {path} in {kind.unit}: the losses'
          ' of one fit must have one unit; read them one after the other'
        )
    self.formats.setdefault(kind, str(path))

  def source(self) -> Source:
    """All that was added, each run under a name of its own."""
    experiments = {experiment for experiment, _ in self.runs}
    experiments |= {experiment for experiment, _ in self.left_out} - {''}
    several = len(experiments) > 1

    def name(experiment: str, run_id: str) -> str:
      return f'{experiment}/{run_id}' if several and experiment else run_id

    left_out = [
      out._replace(run_id=name(experiment, out.run_id))
      for experiment, out in self.left_out
    ]
    points = []
    for run, folder in self.runs.values():
      run_id = name(run.experiment, run.run_id)
      try:
        points.append(rows.of_run(run, folder)._replace(run_id=run_id))
      except tables.Unusable as error:
        left_out.append(LeftOut(run_id, str(error)))
    points.sort(key=lambda p: (p.C, p.N, p.seed, p.run_id))
    notes = list(self.notes)
    if self.again:
      names = ', '.join(self.again[:5]) + ', …' * (len(self.again) > 5)
      notes.append(f'Given twice and counted once: {names}.')
    if len(self.formats) > 1:
      notes.append('The sources count N and C each in its own way.')
    return Source(
      points=_with_own_names(points + self.rows),
      left_out=tuple(left_out),
      format=' + '.join(kind.name for kind in self.formats),
      unit=next(iter(self.formats)).unit,
      files=tuple(self.files),
      notes=tuple(notes),
    )


def _folders(path: epath.Path) -> list[epath.Path]:
  return sorted(inner for inner in path.iterdir() if inner.is_dir())


def _is_run(folder: epath.Path) -> bool:
  return any(
    (folder / name).exists() for name in (records.CONFIG, records.RESULT)
  )


def _with_losses(folder: epath.Path) -> str:
  return str(folder) if (folder / records.TRAIN_LOSS).exists() else ''


def _unfinished(folder: epath.Path) -> str:
  """Says that a run is not finished, and how far it came."""
  try:
    step = f'step {records.read_metrics(folder)[-1].step}'
  except (*_BROKEN, IndexError):
    return f'it is unfinished, without {records.RESULT} or any evaluation'
  return f'it is unfinished: its last evaluation was at {step}'


def _folder_beside(table: epath.Path, run: records.Run) -> str:
  """The folder of a line of results.csv, if it lies there as it was left."""
  folder = table.parent / run.run_id
  try:
    beside = records.read_result(folder)
  except _BROKEN:
    return ''
  # The table may have been copied into another experiment's folder.
  if beside is None or beside.experiment != run.experiment:
    return ''
  return _with_losses(folder)


def _our_run(line: tables.Line) -> records.Run:
  try:
    return records.typed(records.Run, line.cells)
  except ValueError as error:
    raise tables.Unusable(str(error)) from error


def _without_repetition(points: list[Point]) -> list[Point]:
  """Drops 6ND where it says, within 1 %, what the table's own C says."""
  pairs = [p.counts for p in points if {'as given', '6ND'} <= set(p.counts)]
  ratios = [c['6ND'][1] / c['as given'][1] for c in pairs]
  if all(abs(ratio - 1) <= 0.01 for ratio in ratios):
    for counts in pairs:
      del counts['6ND']
  return points


def _how_counted(table: tables.Table) -> list[str]:
  """What was put in place of a column that the table doesn't have."""
  name = table.path.name
  if table.format is tables.MODEL_SIZE:
    return [f'{name} has no column of tokens: D = C/6N.']
  if table.format is tables.PLAIN and 'C' not in table.columns:
    return [f'{name} has no column C: C = 6ND.']
  return []


def _with_own_names(points: list[Point]) -> tuple[Point, ...]:
  """Numbers the names that several points share."""
  taken: set[str] = set()
  named = []
  for point in points:
    name, copy = point.run_id, 1
    while name in taken:
      copy += 1
      name = f'{point.run_id} ({copy})'
    taken.add(name)
    named.append(point._replace(run_id=name))
  return tuple(named)


def budgets(
  points: Sequence[Point], tolerance: float = 0.02
) -> list[list[int]]:
  """Groups runs that spent about the same compute.

  In the order of log C, runs are cut apart at the widest gap, and the parts
  again, until no part spans more than ten tolerances or holds a gap wider than
  `tolerance`. That is all where budgets are stated. Where C was computed or
  read off a plot it scatters by some per cent, which shows in the median gap,
  and two things more hold a part together: gaps up to four times the median, at
  most two tolerances, since most gaps are the small ones within a budget; and
  to stand apart, with the gaps beside it wider than the whole of it.

  Runs between two budgets make small groups of their own. No run is dropped, so
  count a group's different N before fitting a parabola.

  Args:
    points: in any order.
    tolerance: the relative difference in C within which neighbours belong
      together.

  Returns:
    Indices into `points`, group by group and within a group in the order of C.
  """
  log_C = np.log([point.C for point in points])
  order = np.argsort(log_C, kind='stable')
  gaps = np.diff(log_C[order])
  typical = float(np.median(gaps)) if gaps.size else 0.0
  reach = min(max(math.log1p(tolerance), 4 * typical), 2 * tolerance)
  scattered = typical > tolerance / 10
  # The gap before each run, and one after the last.
  walls = np.concatenate([[np.inf], gaps, [np.inf]])
  groups, waiting = [], [(0, order.size)] if order.size else []
  while waiting:
    start, stop = waiting.pop()
    inner = walls[start + 1 : stop]
    span = inner.sum()
    near = inner.max(initial=0.0) <= reach
    apart = scattered and span < min(walls[start], walls[stop])
    if span <= 10 * tolerance and (near or apart):
      groups.append([int(i) for i in order[start:stop]])
      continue
    # Of gaps that are equal, the one nearest to the middle.
    off_middle = np.abs(np.arange(inner.size) - (inner.size - 1) / 2)
    cut = start + 1 + int(np.lexsort((off_middle, -np.round(inner, 9)))[0])
    waiting += [(cut, stop), (start, cut)]
  return groups
