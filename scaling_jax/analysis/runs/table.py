"""Runs: anyone's trained models in one table, ready to be fitted.

Every reader of files ends here, and every law starts here.
"""

from collections.abc import Iterator, Mapping, Sequence
import dataclasses
import enum
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from scaling_jax import formatting
from scaling_jax import tables
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.records import Run

if TYPE_CHECKING:
  import pandas as pd

NATS = 'nats/token'
BITS = 'bits/byte'
BITS_PER_CHARACTER = 'bits/character'
UNITS = (NATS, BITS, BITS_PER_CHARACTER)
SHOWN = 20  # runs that a notebook shows of a table


class Count(NamedTuple):
  """One way of counting a run: parameters N, and FLOPs C."""

  N: float
  C: float


Counts = dict[str, Count]


class Exclusion(enum.StrEnum):
  """Why a run that was found enters no fit."""

  NOT_STARTED = 'not_started'
  UNFINISHED = 'unfinished'
  UNREADABLE = 'unreadable'
  CRASHED = 'crashed'
  DIVERGED = 'diverged'
  EARLY_STOPPED = 'early_stopped'
  CHECKPOINT = 'checkpoint'  # of a run that has a later one
  REPEATED_DATA = 'repeated_data'  # more than four epochs
  FLAGGED = 'flagged'  # by whoever made the table: as an outlier, or invalid
  BAD_VALUE = 'bad_value'  # a number that is missing, or no positive one
  INCONSISTENT = 'inconsistent'  # C is not what N and D cost
  DUPLICATE = 'duplicate'
  REPEAT = 'repeat'  # a duplicate but for the last digits of its loss
  TWO_RESULTS = 'two_results'
  HIGHEST_LOSS = 'highest_loss'  # as was asked for


# What `include` brings back: all but what no law could use.
INCLUDABLE = (
  Exclusion.UNFINISHED, Exclusion.CRASHED, Exclusion.DIVERGED,
  Exclusion.EARLY_STOPPED, Exclusion.CHECKPOINT, Exclusion.REPEATED_DATA,
  Exclusion.FLAGGED, Exclusion.INCONSISTENT, Exclusion.DUPLICATE,
  Exclusion.REPEAT,
)  # fmt: skip


class Excluded(NamedTuple):
  """A run that was found and enters no fit.

  Attributes:
    run_id: its name.
    reason: in English, without a full stop.
    kind: the same for a program.
  """

  run_id: str
  reason: str
  kind: Exclusion = Exclusion.BAD_VALUE


@dataclasses.dataclass(frozen=True, repr=False)
class Runs:
  """Finished runs with a positive C, N, D and loss each.

  Attributes:
    runs: [n] of them; each run_id is there once. Our own come in the order of
      C, N and seed, then other projects' as their tables have them.
    folders: [n] the run's folder if it holds a train_loss.npy, else ''.
    counts: [n] how else N and C of the run can be counted, by name; `counting`.
    excluded: what was found and is not among `runs`.
    format: 'scaling_jax' or another of `foreign.FORMATS`; joined by ' + ' where
      there is more than one.
    unit: of the loss: 'nats/token' or 'bits/byte'.
    files: that were read.
    notes: what a reader of the results should know, a message each.
    extra: [n] the text of a foreign table's other cells, by column; of our own
      runs the settings that differ among them, by their dotted names.
    sources: what was taken for what in each foreign table, a message each.
    curves: [n] of the loss on the way, where a foreign logger kept it.

  Properties C, N, D, S, seed, loss and sem are float arrays [n]; `column` gives
  any other.

  >>> from scaling_jax.records import Run
  >>> runs = Runs((Run('a', C=6e15, N=1e6, D=1e9, val_loss=3.5),
  ...              Run('b', C=6e15, N=2e6, D=5e8, val_loss=3.4)))
  >>> len(runs), runs[1].run_id, runs.loss.tolist()
  (2, 'b', [3.5, 3.4])
  >>> runs.take([1]).run_ids
  ('b',)
  """

  runs: tuple[Run, ...]
  folders: tuple[str, ...] = ()
  counts: tuple[Counts, ...] = ()
  excluded: tuple[Excluded, ...] = ()
  format: str = ''
  unit: str = NATS
  files: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()
  extra: tuple[dict[str, str], ...] = ()
  sources: tuple[str, ...] = ()
  curves: tuple[LossCurve | None, ...] = ()

  def __post_init__(self) -> None:
    n = len(self.runs)
    # A frozen dataclass fills in its own defaults so.
    if not self.folders:
      object.__setattr__(self, 'folders', ('',) * n)
    if not self.counts:
      object.__setattr__(self, 'counts', tuple({} for _ in range(n)))
    if not self.extra:
      object.__setattr__(self, 'extra', tuple({} for _ in range(n)))
    if not self.curves:
      object.__setattr__(self, 'curves', (None,) * n)
    if self.unit not in UNITS:
      raise ValueError(f'unit={self.unit!r} must be one of {", ".join(UNITS)}')
    columns = (self.folders, self.counts, self.extra, self.curves)
    lengths = [len(x) for x in columns]
    if lengths != [n] * len(columns):
      raise ValueError(
        f'{n} runs, {lengths[0]} folders, {lengths[1]} counts, {lengths[2]}'
        f' rows of other columns and {lengths[3]} curves must be as many; pass'
        ' all of them together'
      )

  def __len__(self) -> int:
    return len(self.runs)

  def __iter__(self) -> Iterator[Run]:
    return iter(self.runs)

  @overload
  def __getitem__(self, index: int) -> Run: ...

  @overload
  def __getitem__(self, index: slice) -> 'Runs': ...

  def __getitem__(self, index: int | slice) -> 'Run | Runs':
    if isinstance(index, slice):
      return self.take(range(*index.indices(len(self))))
    return self.runs[index]

  def take(self, indices: Sequence[int]) -> 'Runs':
    """Some of the runs, in the order of the indices; all else stays."""
    return dataclasses.replace(
      self,
      runs=tuple(self.runs[i] for i in indices),
      folders=tuple(self.folders[i] for i in indices),
      counts=tuple(self.counts[i] for i in indices),
      extra=tuple(self.extra[i] for i in indices),
      curves=tuple(self.curves[i] for i in indices),
    )

  def split(self, by: str) -> 'dict[str, Runs]':
    """The runs by the values of a column of their table, or of a field.

    Raises:
      UserError: no run has it.

    >>> runs = Runs.from_dataframe({
    ...   'N': [1e6, 2e6], 'D': [1e9, 5e8], 'loss': [3.5, 3.4],
    ...   'experiment': ['a', 'b'],
    ... })
    >>> [*runs.split('experiment')]
    ['a', 'b']
    """
    from scaling_jax.analysis.runs import groups

    return groups.split(self, by)

  def column(self, name: str) -> np.ndarray:
    """A field of `records.Run` of all runs: floats [n], or objects for text.

    >>> runs = Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4])
    >>> runs.column('tokens_per_param').tolist()
    [1000.0, 250.0]
    """
    values = [getattr(run, name) for run in self.runs]
    text = any(isinstance(value, str) for value in values)
    return np.array(values, object if text else float)

  @property
  def run_ids(self) -> tuple[str, ...]:
    return tuple(run.run_id for run in self.runs)

  @property
  def C(self) -> np.ndarray:
    """[n] FLOPs of the budget, as they were asked for."""
    return self.column('C')

  @property
  def N(self) -> np.ndarray:
    """[n] parameters, counted as their source counts them."""
    return self.column('N')

  @property
  def D(self) -> np.ndarray:
    """[n] tokens trained on."""
    return self.column('D')

  @property
  def S(self) -> np.ndarray:
    """[n] steps; 0 where unknown."""
    return self.column('S')

  @property
  def seed(self) -> np.ndarray:
    """[n] seeds; 0 where unknown."""
    return self.column('seed')

  @property
  def loss(self) -> np.ndarray:
    """[n] validation loss at the end, in `unit`."""
    return self.column(self.loss_name)

  @property
  def sem(self) -> np.ndarray:
    """[n] the standard error of `loss`; nan where unknown."""
    return self.column('val_loss_sem')

  @property
  def loss_name(self) -> str:
    """The field of a Run that holds its loss in `unit`."""
    return 'val_bpb' if self.unit == BITS else 'val_loss'

  def loss_of(self, run: Run) -> float:
    """A run's validation loss, in `unit`."""
    return getattr(run, self.loss_name)

  @classmethod
  def from_dataframe(
    cls,
    df: Any,
    *,
    columns: Mapping[str, str | float] | None = None,
    units: Mapping[str, str] | None = None,
    where: Mapping[str, str | float] | None = None,
    include: Sequence[str] = (),
    unit: str | None = None,
  ) -> 'Runs':
    """Runs from a pandas or polars DataFrame, or a dict of arrays.

    Columns are known by their names, in any usual spelling: n_params,
    'Tokens (B)', val/loss; `sources` tells what was taken for what. Rows that
    did not finish, failed, or repeat others are excluded, and named in
    `excluded`.

    Args:
      df: a row for each run. It must tell the loss and two of C, N and D; the
        third follows by C = 6ND.
      columns: our name -> the DataFrame's, or a number for all rows, such as
        {'N': 'n_params', 'tokens_per_step': 2048}; where names don't tell.
      units: our name -> its unit, such as {'N': 'M', 'D': 'B', 'C': 'PF-days',
        'loss': 'perplexity'}; where names don't tell.
      where: column -> the value that rows must have.
      include: kinds of rows to keep that are excluded otherwise; see
        `INCLUDABLE`.
      unit: of the loss, one of `UNITS`, where columns are of several.

    Raises:
      UserError: a column is missing or could be one of two, N, D and C can't be
        in the units that they are taken for, or no row can be used.

    >>> runs = Runs.from_dataframe(
    ...   {'size': [1e6, 2e6], 'D': [1e9, 5e8], 'loss': [3.5, 3.4]},
    ...   columns={'N': 'size'},
    ... )
    >>> runs.C.tolist()
    [6000000000000000.0, 6000000000000000.0]
    """
    from scaling_jax.analysis.runs import dataframe
    from scaling_jax.analysis.runs import wanted

    return dataframe.read(
      df,
      wanted.of(
        columns=columns, units=units, where=where, include=include, unit=unit
      ),
    )

  @classmethod
  def from_columns(
    cls,
    *,
    N: npt.ArrayLike,
    D: npt.ArrayLike,
    loss: npt.ArrayLike,
    C: npt.ArrayLike | None = None,
    unit: str = NATS,
  ) -> 'Runs':
    """Runs from arrays [n]; C = 6ND if None.

    Raises:
      UserError: a value is no positive number.

    >>> Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4]).run_ids
    ('run 0', 'run 1')
    """
    columns = {'C': C, 'N': N, 'D': D, 'loss': loss}
    given = {name: x for name, x in columns.items() if x is not None}
    return cls.from_dataframe(given, unit=unit)

  def to_dataframe(self) -> 'pd.DataFrame':
    """A pandas DataFrame: a row for each run, a column for each field of Run.

    The other columns of their table follow, as text.

    Raises:
      UserError: pandas is not installed.

    >>> runs = Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4])
    >>> runs.to_dataframe()[['run_id', 'C', 'val_loss']].shape
    (2, 3)
    """
    from scaling_jax.analysis.runs import dataframe

    return dataframe.write(self)

  def __repr__(self) -> str:
    count = '1 run' if len(self) == 1 else f'{len(self)} runs'
    source = f' from {self.format!r}' if self.format else ''
    parts = []
    if len(self):
      parts = [
        f'C {_range(self.C, formatting.flops)}',
        f'N {_range(self.N, formatting.short)}',
        f'D {_range(self.D, formatting.short)}',
        f'loss {_range(self.loss, formatting.number)}',
      ]
    parts.append(f'in {self.unit}')
    if self.excluded:
      parts.append(f'{len(self.excluded)} excluded')
    return f'Runs({count}{source}: {", ".join(parts)})'

  def table(self, *, most: int | None = None) -> tables.Table:
    """C, N, D and loss of each run; of `most` runs only where that is given."""
    table = tables.Table('runs', f'Runs ({self.unit})')
    for run in self.runs[:most]:
      loss = self.loss_of(run)
      table.add(
        row={
          'run_id': run.run_id, 'C': run.C, 'N': run.N, 'D': run.D,
          'loss': loss,
        },
        shown={
          'run': run.run_id,
          'C': formatting.flops(run.C),
          'N': formatting.count(run.N),
          'D': formatting.count(run.D),
          'loss': formatting.number(loss),
        },
      )  # fmt: skip
    return table

  def _repr_html_(self) -> str:
    html = self.table(most=SHOWN)._repr_html_()
    hidden = len(self) - SHOWN
    more = f'<p>and {hidden} more</p>' if hidden > 0 else ''
    return html + more


def _range(values: np.ndarray, show: Any) -> str:
  low, high = show(float(values.min())), show(float(values.max()))
  return low if low == high else f'{low} to {high}'
