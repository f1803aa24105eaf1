"""Losses in the units that runs keep, and losses that no law can be of."""

import math

from scaling_jax.analysis.runs.vocabulary import LossUnit

MOST_NATS = 13.0  # ln V of the largest vocabularies, of 400,000 tokens


def is_worse_than_guessing(loss: float, kinds: float) -> bool:
  """Whether a loss is above ln V, and by more than an untrained model's.

  >>> is_worse_than_guessing(11.5, 50257), is_worse_than_guessing(10.9, 50257)
  (True, False)
  """
  return kinds > 1 and loss > 1.02 * math.log(kinds)


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
