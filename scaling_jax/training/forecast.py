"""What an experiment's config would train: parameters, tokens, steps.

Nothing is trained or timed; `launch.py --dry_run` and the planner print this.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scaling_jax import budget
from scaling_jax import formatting
from scaling_jax import tables as tables_lib
from scaling_jax.training import settings
from scaling_jax.training import sweep


class Row(NamedTuple):
  """One model at one point of the sweep.

  Attributes:
    label: the run's name but for its seed.
    model: the model's name.
    shape: of it.
    N: non-embedding parameters.
    N_without_positions: with the token embedding, as nanoGPT counts; None
      where the vocabulary is not known.
    N_total: with both embeddings; None likewise.
    C: FLOPs asked for.
    D: tokens.
    S: steps.
    flops_6ND: 6 N D.
    flops: of every matrix product; None where the vocabulary is not known.
    tokens_per_param: D / N.
    epochs: D over the training split; None where that is not known.
  """

  label: str
  model: str
  shape: budget.Shape
  N: int
  N_without_positions: int | None
  N_total: int | None
  C: float
  D: int
  S: int
  flops_6ND: float
  flops: float | None
  tokens_per_param: float
  epochs: float | None


def rows(
  cells: Sequence[sweep.Cell], meta: dict[str, Any] | None = None
) -> list[Row]:
  """What each cell would train.

  Args:
    cells: of an experiment.
    meta: the corpus' meta.json; None where it was never prepared.

  Raises:
    UserError: a size is not positive, or a budget is too small.
  """
  return [_row(cell, meta) for cell in cells]


def _row(cell: sweep.Cell, meta: dict[str, Any] | None) -> Row:
  config = cell.config
  plan, shape = settings.make_plan(config), settings.shape_of(config)
  T = config.model.block_size
  count = flops = epochs = None
  if meta is not None:
    V = meta['vocab_size']
    count = budget.count_parameters(shape, T, V, config.model.bias)
    flops = float(plan.D * budget.flops_per_token(shape, T, V))
    kept = int(meta['counts']['train']['tokens'] * config.data_fraction)
    epochs = plan.D / kept if kept else None
  return Row(
    label=cell.label,
    model=cell.model,
    shape=shape,
    N=plan.N,
    N_without_positions=count.N_without_positions if count else None,
    N_total=count.total if count else None,
    C=plan.C,
    D=plan.D,
    S=plan.S,
    flops_6ND=plan.flops_6ND,
    flops=flops,
    tokens_per_param=plan.tokens_per_param,
    epochs=epochs,
  )


def tables(found: Sequence[Row], seconds: Sequence[float] | None = None) -> str:
  """Parameters under each way of counting, then tokens and steps.

  Args:
    found: of `rows`.
    seconds: that each run should take, all its seeds together; None omits the
      column.
  """
  return (
    f'Parameters\n{_parameters(found)}\n\nTokens and steps (N without'
    ' embeddings; all: every product counted)\n'
    + _tokens_and_steps(found, seconds)
  )


def _parameters(found: Sequence[Row]) -> str:
  models: dict[tuple, Row] = {}
  for row in found:
    models.setdefault((row.model, row.shape), row)
  header = ('model', 'layers', 'heads', 'width', 'N without embeddings',
            'without positions', 'all')  # fmt: skip
  whole = formatting.whole
  lines = [
    (
      row.model,
      *map(str, row.shape),
      whole(row.N),
      whole(row.N_without_positions),
      whole(row.N_total),
    )
    for row in models.values()
  ]
  return tables_lib.columns(header, lines)


def _tokens_and_steps(
  found: Sequence[Row], seconds: Sequence[float] | None
) -> str:
  header = ['model', 'N', 'D (tokens)', 'S (steps)', '6ND (FLOPs)',
            'all (FLOPs)', 'tokens/param', 'epochs']  # fmt: skip
  lines = [
    [
      row.label,
      formatting.whole(row.N),
      formatting.whole(row.D),
      formatting.whole(row.S),
      formatting.flops(row.flops_6ND),
      formatting.flops(row.flops),
      formatting.number(row.tokens_per_param, 3),
      formatting.number(row.epochs, 3),
    ]
    for row in found
  ]
  if seconds is not None:
    header.append('time')
    for line, time_s in zip(lines, seconds):
      line.append(formatting.duration(time_s))
  return tables_lib.columns(header, lines)
