"""What a plan asks of a law, whoever fitted it."""

import abc
import dataclasses
from typing import ClassVar

from scaling_jax import laws
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.planner.resources import Token


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Law(abc.ABC):
  """The best use of compute or of tokens, and the loss of any model.

  Attributes:
    name: as the command line has it.
    title: with its source.
    token: what it was fitted on.
    formula: its loss in closed form; None where it states none.
    draws: laws of that form, as one of arrays, that it might as well have been;
      None where none are known.
    unit: of the loss.
    corpus: the text that it is of; '' if unknown or meant for any.
    no_interval: why its numbers have none; '' where they have.
    counts: which parameters N is.
    with_embeddings: whether N counts them.
  """

  counts: ClassVar[str]
  with_embeddings: ClassVar[bool] = False

  name: str
  title: str
  token: Token
  formula: laws.Chinchilla | laws.Kaplan | None = None
  draws: laws.Chinchilla | None = None
  unit: str = 'nats/token'
  corpus: str = ''
  no_interval: str = ''

  @abc.abstractmethod
  def optimum(
    self,
    *,
    C: float | None = None,
    D: float | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    """The best use of C FLOPs; or the C that D tokens are the best use of."""

  @abc.abstractmethod
  def loss(self, N: float, D: float, level: float = LEVEL) -> Interval:
    """Of N parameters trained on D tokens; unknown where it states none."""

  def params_for(self, C: float, D: float) -> float:
    """The N that C FLOPs pay for on D tokens."""
    return C / (6 * D)

  @abc.abstractmethod
  def remarks(self, found: Allocation) -> list[str]:
    """Where an allocation lies outside what the law was fitted on."""
