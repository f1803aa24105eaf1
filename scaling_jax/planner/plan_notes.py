"""What to keep in mind of a plan: which resource decides, what speaks against.

Each function returns the notes that are true, and none where none is.
"""

import math
from typing import TYPE_CHECKING

from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.planner import bounds
from scaling_jax.planner import messages
from scaling_jax.planner.law import Law
from scaling_jax.planner.resources import Resources
from scaling_jax.planner.resources import Text

if TYPE_CHECKING:
  from scaling_jax.planner.plan import Choice
  from scaling_jax.planner.plan import ModelShape

# Muennighoff et al. 2023 (arXiv 2305.16264): up to here repeated tokens are
# worth about as much as new ones.
EPOCHS_FREE = 4
_WORTH_SPENDING = 10  # times what the tokens are worth: from there on it is not
DENSE = (0.7, 4.0)  # C / (6 N D) of a model whose N is what its tokens use
_APART = 1.25  # times what was asked for, and no shape is near


def binding(
  law: Law, resources: Resources, choice: 'Choice', level: float
) -> list[str]:
  """Which of compute and tokens decides, and what that leaves of the other."""
  found, text, C = choice.found, resources.text, resources.C
  if text is None or choice.worth is None:
    return []
  worth = float(choice.worth.C.value)
  if C is None:
    message = messages.tokens_decide()
  elif choice.clipped:
    wanted = law.optimum(C=C, level=level).D.value
    message = messages.data_bind_smaller_model(float(wanted))
  elif choice.binds == 'tokens':
    times = C / float(found.C.value)
    message = messages.data_bind(worth, times, _rest(law, C, found, level))
  else:
    message = messages.compute_binds(worth)
  epochs = float(found.D.value) / text.unique
  if epochs > 1.001 * EPOCHS_FREE:
    return [message, messages.repeated(epochs, EPOCHS_FREE)]
  return [message]


def _rest(law: Law, C: float, found: Allocation, level: float) -> str:
  """What to do with compute that the tokens leave over."""
  D = float(found.D.value)
  N = law.params_for(C, D)
  loss = float(law.loss(N, D, level).value)
  if C > _WORTH_SPENDING * found.C.value or math.isnan(loss):
    return messages.too_much_compute()
  return messages.all_of_it(N, loss)


def over_6ND(found: Allocation) -> float:
  """The stated compute over 6 N D of a plan."""
  C, N, D = (float(x.value) for x in (found.C, found.N, found.D))
  return C / (6 * N * D)


def is_dense(found: Allocation) -> bool:
  """Whether N is what each token uses, but for what counting leaves open."""
  return DENSE[0] <= over_6ND(found) <= DENSE[1]


def shape_apart(
  law: Law,
  found: Allocation,
  shape: 'ModelShape | None',
  tokens_per_step: int,
) -> list[str]:
  """Where no model is as small as N or counted so, no batch as small as D."""
  notes = []
  N, D = float(found.N.value), float(found.D.value)
  if shape is None:
    notes.append(messages.no_dense_shape(over_6ND(found)))
  elif abs(math.log(_count(law, shape) / N)) > math.log(_APART):
    count = _count(law, shape)
    notes.append(
      messages.no_shape_near(
        N, shape.name, count, with_embeddings=law.with_embeddings
      )
    )
  if tokens_per_step > D:
    notes.append(messages.batch_beyond_text(tokens_per_step, D))
  return notes


def _count(law: Law, shape: 'ModelShape') -> int:
  return shape.N_total if law.with_embeddings else shape.N


def worse_than_guessing(law: Law, found: Allocation) -> list[str]:
  kinds, loss = law.token.vocab_size, float(found.loss.value)
  if kinds is None or law.unit != 'nats/token' or not loss >= math.log(kinds):
    return []
  return [messages.worse_than_guessing(loss, kinds)]


def tokens_apart(law: Law, text: Text | None) -> list[str]:
  """Where tokens are not of the kind that the law was fitted on."""
  if text is None:
    return []
  own, fitted = text.token, law.token
  if own.kind == 'unknown' and fitted.kind == 'BPE':
    return [messages.taken_for_bpe()]
  if own.kind == fitted.kind or 'unknown' in (own.kind, fitted.kind):
    return []
  return [messages.other_tokens(own, fitted)]


def texts_apart(law: Law, text: Text | None) -> list[str]:
  if text is None or not law.corpus or law.corpus in text.source:
    return []
  return [messages.other_text(law.corpus)]


def without_interval(law: Law, found: Allocation) -> list[str]:
  stated = found.N if math.isnan(found.loss.value) else found.loss
  if not law.no_interval or not math.isnan(stated.low):
    return []
  return [messages.no_interval(law.no_interval)]


def uncertain(law: Law, found: Allocation) -> list[str]:
  """Where the plan lies so far beyond the runs that nothing is certain."""
  beyond = bounds.farthest(law, found)
  return [messages.nothing_is_certain(beyond)] if beyond and beyond.far else []


def apart(law: Law, found: Allocation) -> list[str]:
  """Where C, N and D of a plan do not agree with one another."""
  implied = bounds.implied_N(law, found)
  if implied is None:
    return []
  return [messages.do_not_agree(float(found.N.value), implied)]
