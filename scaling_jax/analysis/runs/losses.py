"""Losses in the units that runs keep, and losses that no law can be of."""

from collections.abc import Sequence
import math
import statistics

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.messages import sheets as sheet_messages
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.errors import UserError

MOST_NATS = 13.0  # ln V of the largest vocabularies, of 400,000 tokens


def is_worse_than_guessing(loss: float, kinds: float) -> bool:
  """Whether a loss is above ln V, and by more than an untrained model's.

  >>> is_worse_than_guessing(11.5, 50257), is_worse_than_guessing(10.9, 50257)
  (True, False)
  """
  return kinds > 1 and loss > 1.02 * math.log(kinds)


def above_guessing(
  found: Sequence[float], source: str, column: str
) -> dict[int, str]:
  """Which losses are those of no vocabulary there is, and why.

  Args:
    found: of a table.
    source: the table, as people are told.
    column: of the losses.

  Raises:
    UserError: most are.

  >>> [*above_guessing([3.1, 22.0, 3.0], 'runs.csv', 'loss')]
  [1]
  """
  if found and statistics.median(found) > MOST_NATS:
    raise UserError(
      sheet_messages.no_losses(source, column, min(found), max(found))
    )
  return {
    i: messages.above_any_guessing(loss)
    for i, loss in enumerate(found)
    if loss > MOST_NATS
  }


def in_kept_unit(loss: float, unit: LossUnit) -> float:
  """A loss in the unit that `understand.kept_unit` tells.

  >>> in_kept_unit(math.e, LossUnit.PERPLEXITY), in_kept_unit(3.0, LossUnit.NATS)
  (1.0, 3.0)
  """
  if unit == LossUnit.PERPLEXITY:
    return math.log(loss)
  if unit == LossUnit.BITS:
    return loss * math.log(2)
  return loss / math.log(2) if unit == LossUnit.NATS_PER_BYTE else loss
