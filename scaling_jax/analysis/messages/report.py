"""What people read of the report: answers, what tests them, how runs were made.

Numbers come as text, as `formatting` shows them; facts as plain values. The
report's headings stand in its templates.
"""

from collections.abc import Mapping, Sequence
import itertools

from scaling_jax import formatting
from scaling_jax.analysis.messages.tables import APPROACHES
from scaling_jax.analysis.messages.tables import sentence

# Where a law was fitted, by `study.results.FittedRange.of`.
RANGES = {
  'runs': ('range of the runs', 'budget of the runs'),
  'counted runs': (
    'range of the runs that count',
    'budget of the runs that count',
  ),
  'budgets': (
    'range of the budgets that the law goes through',
    'budget that the law goes through',
  ),
  'envelope': ('range of the envelope', 'FLOP count of the envelope'),
}

# What to do about a fit that is not ok.
_ADVICE = {
  'minimum_at_edge': (
    'Train models beyond those tried, on the side where the loss still falls.'
  ),
  'no_minimum': (
    'Spread the models of each budget further, from a quarter of the optimum to'
    ' four times it.'
  ),
  'no_degrees_of_freedom': (
    'Add a model or two to each budget: as many parameters as runs leave nothing'
    ' to judge the fit by.'
  ),
  'too_few_points': (
    'Train four models or more at each of three budgets or more.'
  ),
  'not_converged': (
    'Look at the residuals for runs that went wrong, exclude those, or try'
    ' --solver=optimistix.'
  ),
  'not_identified': (
    'Add budgets further apart, models further from the optimum, or seeds: with'
    ' residuals of this size, the runs lie too close together to tell laws'
    ' apart.'
  ),
}
_NO_CURVES = 'It needs the training curves that run folders hold.'


# The page as a whole.


def title(subject: str) -> str:
  return f'Scaling laws of {subject}'


def files(count: int) -> str:
  return f'{count} files'


def lead(
  n_runs: int, low: float, high: float, *, unit: str, level: float, sem: bool
) -> str:
  """The line below the title; C runs from low to high."""
  span = formatting.flops(low, 'unicode')
  if high > 1.01 * low:
    span = f'{span} to {formatting.flops(high, "unicode")}'
  errors = '; a ± is one standard error' if sem else ''
  return (
    f'{formatting.many(n_runs, "run")} of {span} FLOPs, loss in {unit}. Every interval is at'
    f' {formatting.percent(level)}{errors}.'
  )


def excluded(count: int, fitted: int) -> str:
  runs = '1 run is' if count == 1 else f'{count} runs are'
  return f'{runs} not in these laws, which are fitted on {fitted}.'


# The answer.


def answer(
  C: float, N: str, D: str, *, loss: str, unit: str, ahead: float, of: str
) -> str:
  """What to train with C FLOPs.

  Args:
    C: FLOPs.
    N, D: parameters and tokens.
    loss: '' where the approach states none.
    unit: of the loss.
    ahead: C over the largest that the law was fitted on.
    of: what that is the largest of.
  """
  much = ''
  if ahead > 1 + 1e-6:
    much = f', {formatting.factor(ahead)} the largest {RANGES[of][1]},'
  reached = f', to reach a loss of {loss} {unit}' if loss else ''
  return (
    f'With {formatting.flops(C, "unicode")} FLOPs{much} train {N} parameters on'
    f' {D} tokens{reached}.'
  )


def basis(
  approach: str,
  *,
  level: float,
  n_budgets: int | None,
  largest: float,
  ahead: float,
  averaged: bool = False,
) -> str:
  """Which approach the answer is of, and what its brackets hold.

  `averaged` is whether they hold what was averaged over forms too.
  """
  text = f'By approach {APPROACHES[approach]}'
  if n_budgets:
    text += (
      f', through {n_budgets} budgets, the largest'
      f' {formatting.flops(largest, "unicode")} FLOPs'
    )
    if ahead > 1 + 1e-6:
      text += f', {formatting.factor(ahead)} smaller'
  text += f'; in brackets, {formatting.percent(level)} intervals'
  text += ', averaged over forms of the law.' if averaged else '.'
  if approach != 'chinchilla':
    text += ' It states what to train, but not the loss that this reaches.'
  return text


def reach(ratio: float, of: str) -> str:
  """`of` is 'model' or 'token count', of which the answer's is so many times."""
  return (
    f'This is {formatting.factor(ratio)} the largest {of} of the runs: nothing'
    ' tests the law as far from them.'
  )


def contradiction(C: float, found: Mapping[str, Sequence[str]]) -> str:
  """`found` is N and D as text, of each approach by name."""
  parts = [
    f'approach {_digit(name)} has {N} parameters on {D} tokens'
    for name, (N, D) in found.items()
  ]
  return (
    'The approaches contradict each other: with'
    f' {formatting.flops(C, "unicode")} FLOPs {"; ".join(parts)}.'
  )


def withheld(approach: str) -> str:
  """Before what tests found against it."""
  return (
    f'Approach {APPROACHES[approach]}, fits these runs, but a test speaks against'
    ' its law, and no interval is known that allows for that: there is no number'
    ' to go by.'
  )


def no_answer() -> str:
  return 'These runs do not answer yet: no approach gives a law to go by.'


def kaplan_answers() -> str:
  """Before a link to the section of Kaplan's laws."""
  return "What these runs do show stands under Kaplan's laws."


def two_budgets() -> str:
  return (
    'This law goes through two budgets only, and a line through two points'
    ' cannot be tested by them.'
  )


def advice(status: str, *, needs_curves: bool = False) -> str:
  """What to do about a fit that is not ok; '' where it is."""
  return _NO_CURVES if needs_curves else _ADVICE.get(status, '')


# What tests the answer.


def tested_losses(inside: int, n: int) -> str:
  return f'{inside} of {n} losses lie in the predicted intervals'


def tested_optimum(overlap: bool) -> str:
  if overlap:
    return 'the predicted interval of N_opt overlaps the one found'
  return 'the intervals of N_opt, predicted and found, lie apart'


def tested(ahead: float, outcome: str, asked: float) -> str:
  """How far beyond its budgets a law was tested, and how far it is asked."""
  more = f'; this answer is at {formatting.factor(asked)}'
  return (
    f'Tested at {formatting.factor(ahead)} the largest budget fitted: {outcome}'
    f'{more if asked > 1.01 else ""}.'
  )


def not_tested() -> str:
  return 'Not tested beyond the runs.'


def too_narrow_here() -> str:
  return 'Fewer than should: the intervals are too narrow beyond the runs.'


def too_narrow(level: float) -> str:
  return (
    f'Fewer losses lie inside than should at {formatting.percent(level)}: the'
    ' intervals of this law are too narrow beyond the runs.'
  )


def first_part(note: str) -> str:
  """What a note states, without its explanation after a colon."""
  return note.partition(': ')[0]


# Whether the approaches agree.


def agreement(
  apart: Sequence[tuple[str, str, Sequence[str]]],
  together: Sequence[Sequence[str]],
  vague: Sequence[str],
) -> str:
  """One sentence; '' where there is nothing to compare.

  Args:
    apart: two approaches, and the quantities whose intervals lie apart.
    together: groups of approaches of which none contradicts another.
    vague: of single approaches, `too_wide` or `open_interval`.
  """
  parts = [
    f'approaches {_digit(one)} and {_digit(other)} disagree on'
    f' {" and on ".join(quantities)}: their intervals lie apart'
    for one, other, quantities in apart
  ]
  parts += [
    f'approaches {_listed([_digit(x) for x in group])} do not contradict each'
    ' other'
    for group in together
  ]
  return sentence('; '.join([*parts, *vague]))


def too_wide(approach: str, quantity: str, low: str, high: str) -> str:
  return (
    f'approach {_digit(approach)} is too wide to tell ({quantity} from {low} to'
    f' {high})'
  )


def open_interval(approach: str, quantity: str) -> str:
  return f'approach {_digit(approach)} is open on {quantity}, and cannot tell'


def _digit(approach: str) -> str:
  return APPROACHES[approach].partition(',')[0]


def _listed(names: Sequence[str]) -> str:
  return f'{", ".join(names[:-1])} and {names[-1]}'


# The floor.


def floor(
  *, entropy: bool, fitted: bool, side: str, averaged: bool = False
) -> str:
  """Whether the interval of the fitted E holds the corpus' entropy.

  Args:
    entropy: whether that is known.
    fitted: whether E is.
    side: 'inside', 'above' or 'below' it; '' where an end is open.
    averaged: whether the interval is that of the averaged E.
  """
  which = 'E, averaged over forms,' if averaged else 'the fitted E'
  if not entropy:
    return (
      'The entropy of this corpus is not known, so there is nothing to compare'
      ' E with.'
    )
  if not fitted:
    return 'There is no fitted E to compare with the known entropy.'
  if not side:
    return (
      'The interval of E is open, so it cannot be compared with the entropy.'
    )
  if side == 'inside':
    return f'The interval of {which} holds the known entropy.'
  return (
    f'The interval of {which} lies {side} the known entropy: within the range of'
    ' these runs the law has another shape, or they were not trained to their'
    ' best.'
  )


# Kaplan's laws.


def kaplan_intro() -> str:
  return (
    'The loss as a power of one quantity at a time, without a floor (Kaplan et'
    ' al. 2020): valid within the range of the runs only. D is the text there'
    ' is, C is 6ND, and C_min and S_min are the compute and the steps that a'
    ' batch far from the critical one would have taken.'
  )


def comparison_intro() -> str:
  return (
    'Kaplan found an exponent of 0.73, Hoffmann 0.5. Each line of the table'
    " changes one thing about Kaplan's reading of these runs, and the last reads"
    ' them as Hoffmann would (Porian et al. 2024; Pearce and Song 2024):'
  )


# How the runs were made.


def not_described(unknown: int, n_runs: int, reasons: Sequence[str]) -> str:
  return (
    f'How {unknown} of {n_runs} runs were made is not known:'
    f' {"; ".join(sorted(set(reasons)))}.'
  )


def bad_budgets(bad: int, n: int) -> str:
  return f'{bad} of {n} budgets are not ok'


def share(part: int, n: int) -> str:
  return f'{part} of {n}'


def values(found: Sequence[tuple[str, int]], *, most: int) -> str:
  """Values with how many runs share each, where there is more than one."""
  if len(found) == 1:
    return found[0][0]
  shown = [f'{value} ({n})' for value, n in itertools.islice(found, most)]
  if len(found) > most:
    shown.append(f'and {len(found) - most} more')
  return ', '.join(shown)
