"""What to train with what there is, law beside law."""

from collections.abc import Sequence
import math
from typing import Any, NamedTuple

from scaling_jax import budget
from scaling_jax import laws as laws_lib
from scaling_jax.analysis import words
from scaling_jax.analysis.calculator import Reading
from scaling_jax.analysis.uncertainty import Estimate
from scaling_jax.planner import have as have_lib
from scaling_jax.planner import known
from scaling_jax.planner.known import Law

# Muennighoff et al. 2023 (arXiv 2305.16264): up to here repeated tokens are
# worth about as much as new ones.
EPOCHS_FREE = 4
TOKENS_PER_PARAM = 20
_WORTH_SPENDING = 10  # times what the tokens are worth: from there on it is not
_STEPS = 10_000  # the least that the batch chosen here leaves
_BATCH = (2**11, 2**22)  # tokens a step, the least and the most
_PER_BPE = {
  'BPE': 'BPE tokens, of about four characters each',
  'characters': 'characters, about four of which make a BPE token',
}
_APART = 1.25  # times what was asked for, and no shape is near

Answer = dict[str, Any]


def make(
  have: have_lib.Have,
  laws: Sequence[Law],
  tokens_per_step: int | None = None,
  block_size: int = 1024,
  vocab_size: int | None = None,
) -> dict[str, Any]:
  """The plan of every law, in plain numbers (docs/planner.md).

  Args:
    have: compute, or tokens, or both.
    laws: to stand side by side.
    tokens_per_step: of a batch; None for the largest power of two that leaves
      ten thousand steps, from 2^11 to 2^22.
    block_size: tokens of context, for the count of position embeddings.
    vocab_size: for the count of token embeddings; None for the text's own, or
      the law's.
  """
  machine, text = have.machine, have.text
  return {
    'have': {
      'limits': [limit._asdict() for limit in have.limits],
      'C': have.C,
      'flops_per_s': machine.flops_per_s if machine else None,
      'machine': machine.words if machine else None,
      'tokens': text.unique if text else None,
      'epochs_allowed': text.epochs if text else None,
      'token': text.token._asdict() if text else None,
      'text': text.source if text else None,
    },
    'rules': _rules(have),
    'laws': {
      law.name: _answer(law, have, tokens_per_step, block_size, vocab_size)
      for law in laws
    },
  }


def _rules(have: have_lib.Have) -> dict[str, float | None]:
  """Rules of thumb to hold the plans against, in parameters.

  Twenty tokens a parameter come from Hoffmann et al. 2022, table 3, who count
  embeddings; Kaplan's bound leaves them out.
  """
  D = have.text.D if have.text else math.inf
  most = math.sqrt(have.C / (6 * TOKENS_PER_PARAM)) if have.C else math.inf
  N = min(D / TOKENS_PER_PARAM, most)
  return {
    'N_at_20_tokens': N if math.isfinite(N) else None,
    'N_of_kaplan_bound': float(laws_lib.KAPLAN_TOKENS.inverse(D))
    if have.text
    else None,
  }


class _Choice(NamedTuple):
  """What a law would do with what there is.

  Attributes:
    found: the plan.
    worth: the compute that all the tokens are worth to the law, and the plan
      it buys; None without tokens.
    binds: 'tokens' or 'compute'.
    clipped: whether the law would rather have more tokens than there are.
  """

  found: Reading
  worth: Reading | None
  binds: str
  clipped: bool = False


def _choose(law: Law, have: have_lib.Have) -> _Choice:
  C, text = have.C, have.text
  worth = law.for_tokens(text.D) if text else None
  if worth and (C is None or _value(worth.C) <= C):
    return _Choice(worth, worth, 'tokens')
  assert C is not None
  best = law.for_compute(C)
  if text and _value(best.D) > text.D:
    return _Choice(_all_of(law, C, text.D), worth, 'tokens', True)
  return _Choice(best, worth, 'compute')


def _answer(
  law: Law,
  have: have_lib.Have,
  tokens_per_step: int | None,
  block_size: int,
  vocab_size: int | None,
) -> Answer:
  choice, text = _choose(law, have), have.text
  found = choice.found
  N, D = _value(found.N), _value(found.D)
  per_step = tokens_per_step or batch(D)
  vocab_size = vocab_size or (text.token.vocab_size if text else None)
  vocab_size = vocab_size or law.token.vocab_size or 50_257
  shape = _shape(law, N, block_size, vocab_size)
  machine = have.machine
  answer: Answer = {
    'title': law.title,
    'counts': law.counts,
    'unit': law.unit,
    'binds': choice.binds,
    **{name: getattr(found, name) for name in ('N', 'D', 'L', 'C')},
    'tokens_per_param': found.tokens_per_param,
    'pf_days': _scaled(found.C, 1 / laws_lib.FLOPS_PER_PF_DAY),
    'seconds': _scaled(found.C, 1 / machine.flops_per_s) if machine else None,
    'epochs': _scaled(found.D, 1 / text.unique) if text else None,
    'tokens_per_step': per_step,
    'S': math.ceil(D / per_step),
    'shape': shape,
  }
  return {
    **answer,
    'notes': [
      *_binding(law, have, choice),
      *_shape_apart(law, N, D, answer),
      *(f'{remark}.' for remark in law.remarks(N, D)),
      *_worse_than_guessing(law, found),
      *_tokens_apart(law, text),
      *_texts_apart(law, text),
      *_no_interval(law, found),
    ],
  }


def _value(x: Estimate) -> float:
  assert x['value'] is not None
  return x['value']


def _all_of(law: Law, C: float, D: float) -> Reading:
  """All the compute on all the tokens; neither can give more."""
  N = C / (6 * D)
  exactly = known.exactly
  return Reading(
    exactly(C), exactly(N), exactly(D), law.loss(N, D), exactly(D / N)
  )


def batch(D: float) -> int:
  """Tokens a step: the largest power of two that leaves 10,000 steps.

  From 2^11 to 2^22: 2,048 is this family's batch, four million that of the
  largest models.
  """
  low, high = _BATCH
  wanted = 2 ** int(math.log2(max(D / _STEPS, 1)))
  return min(max(wanted, low), high)


def _shape(
  law: Law, N: float, block_size: int, vocab_size: int
) -> dict[str, Any]:
  """A shape whose count, as the law counts, is near N."""
  rows = block_size + vocab_size if law.with_embeddings else 0
  shape = budget.shape_near(N, rows)
  count = budget.count_parameters(shape, block_size, vocab_size)
  return {
    'name': budget.shape_name(shape),
    **shape._asdict(),
    'N': count.N,
    'N_total': count.total,
    'block_size': block_size,
    'vocab_size': vocab_size,
  }


def _scaled(x: Estimate, factor: float) -> Estimate:
  return {
    name: None if value is None else value * factor for name, value in x.items()
  }


def _binding(law: Law, have: have_lib.Have, choice: _Choice) -> list[str]:
  """Which of compute and tokens decides, and what that leaves of the other."""
  found, text = choice.found, have.text
  if text is None or choice.worth is None:
    return []
  worth = have_lib.in_units(_value(choice.worth.C))
  if have.C is None:
    said = 'The tokens decide: no compute was named.'
  elif choice.clipped:
    wanted = _value(law.for_compute(have.C).D)
    said = (
      'The data bind: this law would train a smaller model on'
      f' {words.short(wanted)} tokens; all of the compute goes into those that'
      ' there are.'
    )
  elif choice.binds == 'tokens':
    said = (
      f'The data bind: the tokens are worth {worth} to this law, and there is'
      f' {words.plain(have.C / _value(found.C), 3)} times as much. {_rest(law, have, found)}'
    )
  else:
    said = f'The compute binds: the tokens are worth {worth} to this law.'
  notes = [said]
  epochs = _value(found.D) / text.unique
  if epochs > 1.001 * EPOCHS_FREE:
    notes.append(
      f'{words.number(epochs)} epochs: beyond {EPOCHS_FREE} repeated tokens are'
      ' worth less than new ones (Muennighoff et al. 2023), and no law here'
      ' knows it.'
    )
  return notes


def _rest(law: Law, have: have_lib.Have, found: Reading) -> str:
  """What to do with compute that the tokens leave over."""
  assert have.C is not None
  N, D = have.C / (6 * _value(found.D)), _value(found.D)
  more = law.loss(N, D)
  if have.C > _WORTH_SPENDING * _value(found.C) or more is None:
    return (
      'The rest could go into more epochs, of which up to four cost little'
      " (--epochs=4), or into a larger model, which overfits beyond Kaplan's"
      ' bound; more text serves better.'
    )
  return (
    f'All of it on them would be {words.short(N)} parameters and by the law a'
    f' loss of {words.number(more["value"])}, where overfitting is left out.'
  )


def _worse_than_guessing(law: Law, found: Reading) -> list[str]:
  kinds = law.token.vocab_size
  if kinds is None or found.L is None or law.unit != 'nats/token':
    return []
  guess = math.log(kinds)
  if _value(found.L) < guess:
    return []
  return [
    f'A loss of {words.number(_value(found.L))} is worse than guessing among its'
    f' {kinds:,} tokens, {words.number(guess)}: so far from its range the law'
    ' says nothing.'
  ]


def _tokens_apart(law: Law, text: have_lib.Text | None) -> list[str]:
  if text is None:
    return []
  own, fitted = text.token, law.token
  if 'unknown' in (own.kind, fitted.kind):
    if own.kind == 'unknown' and fitted.kind == 'BPE':
      return [
        'Taken for BPE tokens, which its constants were fitted on; where yours'
        ' are characters say --tokenizer=char.'
      ]
    return []
  if own.kind == fitted.kind:
    return []
  return [
    f'Your tokens are {own.kind}, and its constants were fitted on'
    f' {_PER_BPE[fitted.kind]}: N and D are a rough guide, and the loss is'
    ' not that of your tokens.'
  ]


def _texts_apart(law: Law, text: have_lib.Text | None) -> list[str]:
  if text is None or not law.corpus or law.corpus in text.source:
    return []
  return [
    f'It was fitted on {law.corpus}: on another text the loss is another, and so'
    ' may be N and D.'
  ]


def _shape_apart(law: Law, N: float, D: float, answer: Answer) -> list[str]:
  """Where no model is as small as N, or no batch as small as D."""
  shape, notes = answer['shape'], []
  count = shape['N_total'] if law.with_embeddings else shape['N']
  if abs(math.log(count / N)) > math.log(_APART):
    so = ', with this vocabulary and context' if law.with_embeddings else ''
    notes.append(
      f'No shape is near {words.short(N)} parameters: {shape["name"]} has'
      f' {count:,}{so}.'
    )
  if answer['tokens_per_step'] > D:
    notes.append(
      f'A batch of {answer["tokens_per_step"]:,} tokens is more than all of the'
      f' {words.short(D)}: nothing can be trained so.'
    )
  return notes


def _no_interval(law: Law, found: Reading) -> list[str]:
  stated = found.L or found.N
  if stated['low'] is not None or not law.silence:
    return []
  return [f'No interval: {law.silence}.']
