"""One run as a point, with every way of counting N and C that it allows.

The exponents of a scaling law depend on whether N holds the embeddings and C
the head, so each run carries the pairs (N, C) that its source can tell.
"""

from collections.abc import Callable, Sequence
import math
from typing import NamedTuple

from etils import epath
import numpy as np

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.analysis import tables

Counts = dict[str, tuple[float, float]]


class Point(NamedTuple):
  """One finished run, as a law sees it.

  Attributes:
    run_id: unlike any other point's.
    C: the budget in FLOPs that it belongs to, as it was asked for.
    N: parameters, counted as its source counts them.
    D: tokens trained on.
    loss: over the validation data at the end, in the Source's unit.
    sem: the standard error of loss; nan if unknown.
    seed: 0 if unknown.
    model: its name, '' if unknown.
    depth: layers, 0 if unknown.
    S: steps, 0 if unknown.
    bpb: loss in bits per byte; nan if unknown.
    folder: the run folder if it has a train_loss.npy, else ''.
    counts: how else this run's N and C can be counted: name -> (N, C).
    dataset: the corpus, '' if unknown.
    device: that it was trained on, '' if unknown.
    wall_s: seconds of training, nan if unknown.
    tokens_per_s: trained on, nan if unknown.
  """

  run_id: str
  C: float
  N: float
  D: float
  loss: float
  sem: float
  seed: int
  model: str
  depth: int
  S: int
  bpb: float
  folder: str
  counts: Counts
  dataset: str = ''
  device: str = ''
  wall_s: float = math.nan
  tokens_per_s: float = math.nan


class _Size(NamedTuple):
  """What the formats state differently; see Point."""

  C: float
  N: float
  D: float
  counts: Counts


def columns(points: Sequence[Point], *names: str) -> list[np.ndarray]:
  """A float array [n] of each named field."""
  return [np.array([getattr(p, name) for p in points], float) for name in names]


def of_run(run: records.Run, folder: str) -> Point:
  """One of our records as a point.

  Args:
    run: its record.
    folder: for Point.folder.

  Raises:
    tables.Unusable: it diverged, or a size or its loss is not positive.
  """
  if run.status != 'done':
    raise tables.Unusable(f'its status is {run.status!r}, not done')
  C, N, D, loss = (
    tables.positive(name, float(getattr(run, name)))
    for name in ('C', 'N', 'D', 'val_loss')
  )
  return Point(
    run_id=run.run_id,
    C=C,
    N=N,
    D=D,
    loss=loss,
    sem=run.val_loss_sem,
    seed=run.seed,
    model=run.model,
    depth=run.n_layer,
    S=run.S,
    bpb=run.val_bpb,
    folder=folder,
    counts=_our_counts(run),
    dataset=run.dataset,
    device=run.device,
    wall_s=run.wall_s,
    tokens_per_s=run.tokens_per_s,
  )


def of_line(table: tables.Table, line: tables.Line) -> Point:
  """A line of another project's table as a point.

  Raises:
    tables.Unusable: a number that is needed is missing or not positive.
  """
  in_bits = table.format.unit == tables.BITS
  size = _SIZES[table.format](line)
  loss = tables.number(line, 'val_bpb' if in_bits else 'loss')
  depth = tables.whole(line, 'depth')
  # nanochat's one dial is the depth, and names the model.
  model = f'd{depth}' if in_bits and depth else ''
  return Point(
    run_id=line_name(table.path, line),
    C=size.C,
    N=size.N,
    D=size.D,
    loss=loss,
    sem=tables.optional(line, 'sem'),
    seed=tables.whole(line, 'seed'),
    model=line.cells.get('model', '').strip() or model,
    depth=depth,
    S=tables.whole(line, 'num_iterations' if in_bits else 'S'),
    bpb=loss if in_bits else math.nan,
    folder='',
    counts=_usable(size.counts),
  )


def line_name(path: epath.Path, line: tables.Line) -> str:
  """What a line calls itself, or the file and the line's number."""
  given = line.cells.get('run_id', '').strip()
  return given or f'{path.stem}:{line.number}'


def _our_counts(run: records.Run) -> Counts:
  """The ways to count one of our own runs.

  Those that its record can't tell are missing, such as all that need the
  vocabulary where N_total leaves no room for one.
  """
  N, D, N_total = float(run.N), float(run.D), float(run.N_total)
  shape = budget.Shape(run.n_layer, run.n_head, run.n_embd)
  counts = {
    'Kaplan: no embeddings, 6ND': (N, 6 * N * D),
    'no embeddings, every matrix product': (N, run.flops),
    'nanochat: with head, every matrix product': (math.nan, run.flops),
    'Hoffmann: all parameters, 6ND': (N_total, 6 * N_total * D),
    'Hoffmann: all parameters, full count': (N_total, math.nan),
  }
  # N leaves out a row for each position and one for each token of the
  # vocabulary, which the record doesn't name.
  rows = (N_total - N) / max(run.n_embd, 1)
  vocab_size = round(rows) - run.block_size if math.isfinite(rows) else 0
  if vocab_size > 0:
    per_token = budget.hoffmann_flops_per_token(
      shape, run.block_size, vocab_size
    )
    counts['nanochat: with head, every matrix product'] = (
      N + vocab_size * run.n_embd,
      run.flops,
    )
    counts['Hoffmann: all parameters, full count'] = (N_total, per_token * D)
  return _usable(counts)


def _usable(counts: Counts) -> Counts:
  return {
    name: pair
    for name, pair in counts.items()
    if all(0 < value < math.inf for value in pair)
  }


def _nanochat(line: tables.Line) -> _Size:
  C = tables.number(line, 'flops_budget')
  D = tables.number(line, 'tokens_trained')
  N = tables.number(line, 'num_scaling_params')
  total = tables.optional(line, 'num_params')
  counts = {
    'nanochat: num_scaling_params': (N, C),
    'the same, 6ND': (N, 6 * N * D),
    'all parameters, 6ND': (total, 6 * total * D),
  }
  return _Size(C, N, D, counts)


def _nanochat_by_group(line: tables.Line) -> _Size:
  C = tables.number(line, 'flops_budget')
  D = tables.number(line, 'tokens_trained')
  transformer = tables.number(line, 'params_transformer')
  N = transformer + tables.number(line, 'params_lm_head')
  total = tables.optional(line, 'params_total')
  counts = {
    'nanochat: transformer + head': (N, C),
    'transformer alone, 6ND': (transformer, 6 * transformer * D),
    'transformer + head, 6ND': (N, 6 * N * D),
    'all parameters, 6ND': (total, 6 * total * D),
  }
  return _Size(C, N, D, counts)


def _plain(line: tables.Line) -> _Size:
  N = tables.number(line, 'N')
  D = tables.number(line, 'D')
  C = tables.number(line, 'C') if 'C' in line.cells else 6 * N * D
  return _Size(C, N, D, {'as given': (N, C), '6ND': (N, 6 * N * D)})


def _model_size(line: tables.Line) -> _Size:
  N = tables.number(line, 'Model Size')
  C = tables.number(line, 'Training FLOP')
  return _Size(C, N, C / (6 * N), {'as given': (N, C)})


_SIZES: dict[tables.Format, Callable[[tables.Line], _Size]] = {
  tables.NANOCHAT: _nanochat,
  tables.NANOCHAT_BY_GROUP: _nanochat_by_group,
  tables.PLAIN: _plain,
  tables.MODEL_SIZE: _model_size,
}
