"""Every way of counting N and C that a run's source allows.

The exponents of a scaling law depend on whether N holds the embeddings and C
the head, so each run carries the pairs (N, C) that its source can tell.
"""

from collections.abc import Sequence
import math

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.analysis.runs.table import Count
from scaling_jax.analysis.runs.table import Counts

# Our own runs, in this order.
KAPLAN = 'Kaplan: no embeddings, 6ND'
KAPLAN_FULL = 'no embeddings, every matrix product'
NANOCHAT = 'nanochat: with head, every matrix product'
HOFFMANN = 'Hoffmann: all parameters, 6ND'
HOFFMANN_FULL = 'Hoffmann: all parameters, full count'
# Other projects' tables.
AS_GIVEN = 'as given'
SIX_ND = '6ND'

_SAME = 0.01  # counts of C that differ by less, relative, are one


def of_run(run: records.Run) -> Counts:
  """The ways to count one of our own runs.

  Those that its record can't tell are missing, such as all that need the
  vocabulary where N_total leaves no room for one.

  >>> run = records.Run('a', N=10**6, D=10**9, N_total=11 * 10**5, flops=7e15)
  >>> of_run(run)[KAPLAN]
  Count(N=1000000.0, C=6000000000000000.0)
  """
  N, D, N_total = float(run.N), float(run.D), float(run.N_total)
  counts = {
    KAPLAN: (N, 6 * N * D),
    KAPLAN_FULL: (N, run.flops),
    NANOCHAT: (math.nan, run.flops),
    HOFFMANN: (N_total, 6 * N_total * D),
    HOFFMANN_FULL: (N_total, math.nan),
  }
  vocab_size = _vocab_size(run)
  if vocab_size > 0:
    per_token = budget.hoffmann_flops_per_token(
      budget.Shape(run.n_layer, run.n_head, run.n_embd),
      run.block_size,
      vocab_size,
    )
    counts[NANOCHAT] = (N + vocab_size * run.n_embd, run.flops)
    counts[HOFFMANN_FULL] = (N_total, per_token * D)
  return usable(counts)


def _vocab_size(run: records.Run) -> int:
  """By N, which lacks a row for each position and one for each token."""
  rows = (float(run.N_total) - float(run.N)) / max(run.n_embd, 1)
  return round(rows) - run.block_size if math.isfinite(rows) else 0


def given(N: float, D: float, C: float) -> Counts:
  """A table's own N and C, and 6ND.

  >>> given(N=1e6, D=1e9, C=7e15)['6ND']
  Count(N=1000000.0, C=6000000000000000.0)
  """
  return usable({AS_GIVEN: (N, C), SIX_ND: (N, 6 * N * D)})


def nanochat(N: float, D: float, C: float, total: float) -> Counts:
  """nanochat's count of a run: N with the head, C its budget.

  Args:
    N: num_scaling_params.
    D: tokens.
    C: of the budget.
    total: all parameters; nan if unknown.
  """
  return usable(
    {
      'nanochat: num_scaling_params': (N, C),
      'the same, 6ND': (N, 6 * N * D),
      'all parameters, 6ND': (total, 6 * total * D),
    }
  )


def nanochat_by_group(
  transformer: float, head: float, *, D: float, C: float, total: float
) -> Counts:
  """The same where parameters are stated by group."""
  N = transformer + head
  return usable(
    {
      'nanochat: transformer + head': (N, C),
      'transformer alone, 6ND': (transformer, 6 * transformer * D),
      'transformer + head, 6ND': (N, 6 * N * D),
      'all parameters, 6ND': (total, 6 * total * D),
    }
  )


def usable(counts: dict[str, tuple[float, float]]) -> Counts:
  """Those whose N and C are both known."""
  return {
    name: Count(*pair)
    for name, pair in counts.items()
    if all(0 < value < math.inf for value in pair)
  }


def without_repetition(counts: Sequence[Counts]) -> tuple[Counts, ...]:
  """Drops 6ND where it is, within 1%, a table's own C in every run."""
  ratios = [
    c[SIX_ND].C / c[AS_GIVEN].C for c in counts if {AS_GIVEN, SIX_ND} <= set(c)
  ]
  if not all(abs(ratio - 1) <= _SAME for ratio in ratios):
    return tuple(counts)
  return tuple(
    {
      name: pair
      for name, pair in c.items()
      if name != SIX_ND or AS_GIVEN not in c
    }
    for c in counts
  )
