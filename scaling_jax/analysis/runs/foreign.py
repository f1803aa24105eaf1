"""Other projects' tables of runs: what kind one is, and its runs.

A CSV's kind shows in the names of its columns, whatever else it has.
"""

from collections.abc import Callable, Sequence
import math
import textwrap
from typing import NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import csv_table
from scaling_jax.analysis.runs.csv_table import Line
from scaling_jax.analysis.runs.table import BITS
from scaling_jax.analysis.runs.table import NATS
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.errors import UserError
from scaling_jax.records import Run


class Format(NamedTuple):
  """Columns that tell a kind of table.

  Attributes:
    name: as people are told.
    unit: of the loss.
    needs: the columns without which it is not this format.
  """

  name: str
  unit: str
  needs: tuple[str, ...]


OURS = Format('scaling_jax', NATS, records.REQUIRED)
NANOCHAT = Format(
  'nanochat',
  BITS,
  ('flops_budget', 'depth', 'num_scaling_params', 'tokens_trained', 'val_bpb'),
)
NANOCHAT_BY_GROUP = Format(
  'nanochat (transformer + head)',
  BITS,
  (
    'flops_budget', 'depth', 'params_transformer', 'params_lm_head',
    'tokens_trained', 'val_bpb',
  ),
)  # fmt: skip
PLAIN = Format('C,N,D,loss', NATS, ('N', 'D', 'loss'))
MODEL_SIZE = Format(
  'Model Size,Training FLOP,loss',
  NATS,
  ('Model Size', 'Training FLOP', 'loss'),
)
FORMATS = (OURS, NANOCHAT, NANOCHAT_BY_GROUP, PLAIN, MODEL_SIZE)


class Table(NamedTuple):
  """A CSV file whose format is known."""

  path: epath.Path
  format: Format
  columns: tuple[str, ...]
  lines: tuple[Line, ...]


class _Size(NamedTuple):
  """What the formats state differently; see `records.Run`."""

  C: float
  N: float
  D: float
  counts: Counts


def read_table(path: epath.PathLike) -> Table:
  """Reads a CSV and finds its format.

  Args:
    path: see `csv_table.read_rows`.

  Raises:
    UserError: no text, no CSV, or columns that fit no format.
  """
  path = epath.Path(path)
  rows = csv_table.read_rows(path)
  columns = tuple(name.strip() for name in rows[0][1])
  # Kaplan's columns, and a part of ours, name the plain format's loss so.
  if 'loss' not in columns:
    plain = tuple('loss' if c == 'val_loss' else c for c in columns)
  else:
    plain = columns
  kind = _format(columns) or _format(plain)
  if kind is None:
    raise UserError(_unknown(path, columns))
  if kind is PLAIN:
    columns = plain
  for name in kind.needs:
    if columns.count(name) > 1:
      raise UserError(
        f'{path} has {columns.count(name)} columns named {name!r}: it must be'
        ' clear which one counts; rename the others'
      )
  lines = tuple(csv_table.as_line(n, columns, row) for n, row in rows[1:])
  return Table(path, kind, columns, lines)


def of_line(table: Table, line: Line) -> tuple[Run, Counts]:
  """A line of another project's table as a run.

  Raises:
    csv_table.Unusable: a number that is needed is missing or not positive.
  """
  in_bits = table.format.unit == BITS
  size = _SIZES[table.format](line)
  loss = csv_table.number(line, 'val_bpb' if in_bits else 'loss')
  depth = csv_table.whole(line, 'depth')
  S = csv_table.whole(line, 'num_iterations' if in_bits else 'S')
  # nanochat's one dial is the depth, and names the model.
  model = f'd{depth}' if in_bits and depth else ''
  run = Run(
    run_id=line_name(table.path, line),
    model=line.cells.get('model', '').strip() or model,
    n_layer=depth,
    seed=csv_table.whole(line, 'seed'),
    C=size.C,
    N=size.N,
    D=size.D,
    S=S,
    tokens_per_param=size.D / size.N,
    val_loss=math.nan if in_bits else loss,
    val_loss_sem=csv_table.optional(line, 'sem'),
    val_bpb=loss if in_bits else math.nan,
    tokens_per_step=size.D / S if S else math.nan,
  )
  return run, size.counts


def extra_of(table: Table, line: Line) -> dict[str, str]:
  """The cells of a line but for its sizes and its loss, by column."""
  taken = {'C', *table.format.needs}
  return {
    name: text.strip() for name, text in line.cells.items() if name not in taken
  }


def loss_of(run: Run, kind: Format) -> float:
  """A run's loss in the unit of its table."""
  return run.val_bpb if kind.unit == BITS else run.val_loss


def our_run(line: Line) -> Run:
  """A line of our results.csv.

  Raises:
    csv_table.Unusable: a cell is no number.
  """
  try:
    return records.typed(Run, line.cells)
  except ValueError as error:
    raise csv_table.Unusable(str(error)) from error


def line_name(path: epath.Path, line: Line) -> str:
  """What a line calls itself, or the file and the line's number."""
  given = line.cells.get('run_id', '').strip()
  return given or f'{path.stem}:{line.number}'


def notes(table: Table) -> list[str]:
  """What was put in place of a column that the table doesn't have."""
  name = table.path.name
  if table.format is MODEL_SIZE:
    return [messages.no_tokens(name)]
  if table.format is PLAIN and 'C' not in table.columns:
    return [messages.no_flops(name)]
  return []


def _format(columns: Sequence[str]) -> Format | None:
  fits = (kind for kind in FORMATS if set(kind.needs) <= set(columns))
  return next(fits, None)


def _unknown(path: epath.Path, columns: Sequence[str]) -> str:
  found = textwrap.shorten(', '.join(columns), 400, placeholder=' …')
  needs = [
    f'{kind.name!r} needs {", ".join(kind.needs)}'
    for kind in FORMATS
    if kind is not OURS
  ]
  return (
    f'{path} has the columns [{found}], which fit no format: {OURS.name!r}'
    f' needs all {len(OURS.needs)} columns of a results.csv, {OURS.needs[0]} to'
    f' {OURS.needs[-1]}; {"; ".join(needs)}; rename the columns, with commas'
    ' between them'
  )


def _nanochat(line: Line) -> _Size:
  C = csv_table.number(line, 'flops_budget')
  D = csv_table.number(line, 'tokens_trained')
  N = csv_table.number(line, 'num_scaling_params')
  total = csv_table.optional(line, 'num_params')
  return _Size(C, N, D, counting.nanochat(N, D, C, total))


def _nanochat_by_group(line: Line) -> _Size:
  C = csv_table.number(line, 'flops_budget')
  D = csv_table.number(line, 'tokens_trained')
  transformer = csv_table.number(line, 'params_transformer')
  head = csv_table.number(line, 'params_lm_head')
  total = csv_table.optional(line, 'params_total')
  counts = counting.nanochat_by_group(transformer, head, D=D, C=C, total=total)
  return _Size(C, transformer + head, D, counts)


def _plain(line: Line) -> _Size:
  N = csv_table.number(line, 'N')
  D = csv_table.number(line, 'D')
  C = csv_table.number(line, 'C') if 'C' in line.cells else 6 * N * D
  return _Size(C, N, D, counting.given(N, D, C))


def _model_size(line: Line) -> _Size:
  N = csv_table.number(line, 'Model Size')
  C = csv_table.number(line, 'Training FLOP')
  counts = counting.usable({counting.AS_GIVEN: (N, C)})
  return _Size(C, N, C / (6 * N), counts)


_SIZES: dict[Format, Callable[[Line], _Size]] = {
  NANOCHAT: _nanochat,
  NANOCHAT_BY_GROUP: _nanochat_by_group,
  PLAIN: _plain,
  MODEL_SIZE: _model_size,
}
