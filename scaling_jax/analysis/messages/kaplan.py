"""What people read of Kaplan's laws, the critical batch, and what moves them.

Each is one clause or several without a final full stop: a report adds it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scaling_jax import formatting

# L(N, D) and L(N, S_min).


def few_runs(found: int, needed: int) -> str:
  return (
    f'{_runs(found)} cannot determine four parameters and judge them:'
    f' {needed} are needed'
  )


def one_value(name: str) -> str:
  return f'all runs share one {name}, and the law needs at least two'


def along_a_line(other: str) -> str:
  return (
    f'N and {other} move together over the runs, so that their shares cannot be'
    f' told apart: runs of one N and several {other} are needed'
  )


def few_curves(found: int, needed: int) -> str:
  return (
    f'the law needs training curves of {needed} sizes at one batch size, and'
    f' there are {found}'
  )


def exponent_diverges(exponent: float) -> str:
  return (
    f'an exponent diverges, to {formatting.number(exponent, 3)}: the loss of'
    ' these runs has another shape than this law'
  )


def not_falling(other: str, alpha: float, beta: float) -> str:
  return (
    f'the loss does not fall with both N and {other}: the exponents are'
    f' {formatting.number(alpha, 3)} and {formatting.number(beta, 3)}'
  )


def open_draws(share: float, other: str) -> str:
  return (
    f'in {formatting.percent(share, 2)} of studies redrawn with these residuals'
    f' no law is found that falls with N and {other}, so that nothing bounds'
    ' this one'
  )


def fitted(convergence: str, residual_sd: float) -> str:
  return (
    f'{convergence}; the residual standard deviation of the loss is'
    f' {formatting.number(residual_sd, 2)}'
  )


# Lines through models on the hull.

ON_THE_HULL = 'models that have their best on the hull'
LOSS_FALLS_WITH_C = 'the loss falls with compute'
BEST_GROWS_WITH_C = 'the best model grows with compute'
BATCH_GROWS_WITH_C = 'B_crit grows with C_min'


def on_the_hull(inner: int, touching: int) -> str:
  return f'{inner} of {touching} models on the hull have their best there'


# The critical batch.

BATCH_GROWS = 'the critical batch grows as the loss falls'
WITH_A_HYPERBOLA = 'losses with a hyperbola'


def few_batches(found: int, needed: int) -> str:
  return (
    f'the runs of one size have {found} batch size{"s" * (found != 1)}, and the'
    f' hyperbola needs {needed}'
  )


def no_common_loss(needed: int) -> str:
  return (
    f'no loss is reached after its warmup by {needed} batch sizes: train the'
    ' slowest for longer'
  )


def reached_by_few(found: int, needed: int) -> str:
  return (
    f'{found} batch sizes reach it after their warmup, and {needed} are needed'
  )


def reached_by(found: int) -> str:
  return f'{found} batch sizes reach it'


def minimum_hidden(name: str, span: tuple[float, float]) -> str:
  """`name` is S_min or E_min, of which the least measured is the estimate."""
  return (
    f'the least {name[0]} that was measured is itself {name}: noise hides how'
    f' {name[0]} falls over batches of {_tokens(span)}'
  )


def minimum_open(name: str, which: str, span: tuple[float, float]) -> str:
  return (
    f'batches of {_tokens(span)} do not bound {name}: {which} ones are needed'
  )


def excluded_losses(excluded: int, every: int) -> str:
  return f'{excluded} of {every} losses are excluded'


def fitted_to_losses(n: int, ends: tuple[float, float] | None = None) -> str:
  if ends is None:
    return f'fitted to {n} losses'
  high, low = (formatting.number(L) for L in ends)
  return f'fitted to {n} losses from {high} to {low}'


def batch_open(L: float, span: tuple[float, float]) -> str:
  return (
    f'at a loss of {formatting.number(L)} B_crit may be {_tokens(span)}: more'
    ' batch sizes or seeds are needed'
  )


def most_excluded(n: int, ends: tuple[float, float], reason: str) -> str:
  """Why most of the excluded losses are."""
  high, low = (formatting.number(L) for L in ends)
  return f'{n} of them ({high} to {low}) because {reason}'


def one_rate() -> str:
  return (
    'All batches have one learning rate: those that it suits less need more'
    ' steps than they would'
  )


def rate_at_edge(which: str, rate: float, batches: Sequence[float]) -> str:
  """`which` is 'largest' or 'smallest'."""
  return (
    f'The {which} learning rate tried, {rate:g}, was first at batches of'
    f' {", ".join(map(formatting.count, batches))} tokens: beyond it they may'
    ' be faster'
  )


# A study.

SIZES = 'sizes trained on as many tokens'
AMOUNTS = 'amounts of text at one size'
LOSS_FALLS_WITH_N = 'the loss falls with N'
LOSS_FALLS_WITH_D = 'the loss falls with D'
NO_CURVE = 'no run that counts left its training curve'


def untested_line() -> str:
  return (
    'points at three different x cannot show whether the line is curved: nothing'
    ' is stated beyond them'
  )


def at_fixed(amount: float, unit: str, message: str) -> str:
  """At how much of the other quantity a law of one holds."""
  return f'at {formatting.short(amount)} {unit}, {message}'


def needs_batch(status: str) -> str:
  return (
    f'it needs B_crit(L), and the critical batch is {status}: train'
    ' configs/critical_batch.py and give its runs too'
  )


def extrapolated(ends: tuple[float, float], curves: float, hull: float) -> str:
  """Shares of the curves' points and of the models on the hull."""
  return (
    f'B_crit(L) was fitted on losses from {_span(ends)}, and is extrapolated at'
    f" {formatting.percent(curves, 2)} of the curves' points and at"
    f' {formatting.percent(hull, 2)} of the models on the hull'
  )


def needs_law(name: str, status: str) -> str:
  return f'it needs {name}, which is {status}'


def consistency(overlap: bool | None) -> str:
  if overlap is None:
    return 'an interval is open, so that the two cannot be compared'
  if overlap:
    return 'the intervals overlap: the laws agree with each other'
  return 'the intervals do not overlap: the laws contradict each other'


# From Kaplan's exponent to Hoffmann's.


class ReadingText(NamedTuple):
  """What a reading of the runs is, and why it moves the exponent."""

  what: str
  why: str


READINGS = {
  'kaplan': ReadingText(
    'as Kaplan would',
    'Read off training curves before their end, as the law N_opt(C) above: N'
    ' without embeddings, C = 6ND, the batch and the warmup as they are.',
  ),
  'parameters': ReadingText(
    'all parameters counted',
    'Embeddings are most of a small model and little of a large one: without'
    ' them N starts too low and grows too fast.',
  ),
  'head': ReadingText(
    "the last layer's FLOPs counted",
    'The head and attention cost small models more than 6ND, so that their'
    ' curves start too far left.',
  ),
  'warmup': ReadingText(
    "the warmup's compute excluded",
    'A warmup of as many steps for all is most of what a small model needs:'
    ' half of its steps, lost while the learning rate rose, are not counted.',
  ),
  'decay': ReadingText(
    'annealed ends instead of curves',
    'A curve before its end has not been annealed and lies above a run that'
    ' ends there; by approach 2 or 3, in place of the hull.',
  ),
  'batch': ReadingText(
    'compute at a batch far below the critical',
    'One batch for all is above the critical one at high losses: small budgets'
    ' waste compute, and C_min does not count it.',
  ),
  'hoffmann': ReadingText(
    'as Hoffmann would',
    'Annealed ends, all parameters and all FLOPs, at the batch that was used.',
  ),
}

N_OPT_GROWS = 'N_opt grows with C'
NOT_ANNEALED = (
  'no run was annealed: their learning rates never fell to half the peak'
)
NO_EXPONENT = (
  'approaches 2 and 3 give no exponent: runs of several lengths are needed for'
  ' each size'
)


def by_approach(number: int) -> str:
  return f'by approach {number}'


def other_runs(message: str) -> str:
  return f'{message}, of other runs than the curves: not to be compared'


def batch_unknown(status: str) -> str:
  return f'the critical batch is {status}'


def extrapolated_reading(ends: tuple[float, float]) -> str:
  return f'B_crit(L) is extrapolated beyond losses from {_span(ends)}'


def _span(ends: tuple[float, float]) -> str:
  low, high = (formatting.number(L) for L in ends)
  return f'{high} to {low}'


def _tokens(ends: tuple[float, float]) -> str:
  return f'{" to ".join(map(formatting.count, ends))} tokens'


def _runs(n: int) -> str:
  return '1 run' if n == 1 else f'{n} runs'
