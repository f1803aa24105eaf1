"""What people read of plans and designs: each message once, values in.

Notes are whole sentences. Numbers come as values, and are shown here.
"""

from collections.abc import Sequence
import math

from scaling_jax import formatting
from scaling_jax.analysis.messages import calculator
from scaling_jax.planner import resources
from scaling_jax.planner.bounds import Beyond
from scaling_jax.planner.resources import Token

_PER_BPE = {
  'BPE': 'BPE tokens, of about four characters each',
  'characters': 'characters, about four of which make a BPE token',
}

# Laws.


def hoffmann_has_no_interval() -> str:
  return (
    'the published ones are too narrow for the runs behind them (Besiroglu et'
    ' al. 2024)'
  )


def kaplan_has_no_interval() -> str:
  return 'none was published'


def fit_has_no_draws() -> str:
  return 'the fit was made without draws'


def no_interval(why: str) -> str:
  return f'No interval: {why}.'


def own_unit() -> str:
  """Of a fit's losses, which states none."""
  return 'of the fit'


def outside(what: str, x: float, fitted: tuple[float, float]) -> list[str]:
  """Whether x lies beyond the ends of what a law was fitted on."""
  low, high = fitted
  count = f'{formatting.short(x)} {what} are'
  if x < low / 1.01:
    return [
      f'{count} {formatting.plain(low / x, 2)} times fewer than the least it was'
      f' fitted on, {formatting.short(low)}.'
    ]
  if x > high * 1.01:
    return [
      f'{count} {formatting.plain(x / high, 2)} times the most it was fitted on,'
      f' {formatting.short(high)}.'
    ]
  return []


def beyond(factor: float, of: str) -> str:
  """Of a C that is so many times the largest that a law was fitted on."""
  return calculator.beyond(formatting.factor(factor), of)


def below(factor: float, of: str) -> str:
  """Of a C that is so many times smaller than the smallest."""
  return calculator.below(formatting.factor(factor), of)


def cost_extrapolated(low: float, high: float) -> str:
  """Of a model outside those, of low to high parameters, that tell a cost."""
  return calculator.cost_extrapolated(low, high)


# Which of compute and tokens decides.


def tokens_decide() -> str:
  return 'The tokens decide: no compute was named.'


def compute_binds(worth: float) -> str:
  """`worth`: the FLOPs whose best use is all of the tokens."""
  return (
    f'The compute binds: the tokens are worth {resources.in_units(worth)} to'
    ' this law.'
  )


def data_bind_smaller_model(wanted: float) -> str:
  """`wanted`: the tokens that the law would rather train on."""
  return (
    'The data bind: this law would train a smaller model on'
    f' {formatting.short(wanted)} tokens; all of the compute goes into those'
    ' that there are.'
  )


def data_bind(worth: float, times: float, rest: str) -> str:
  """`times`: how often the compute holds what the tokens are worth."""
  return (
    f'The data bind: the tokens are worth {resources.in_units(worth)} to this'
    f' law, and there is {formatting.plain(times, 3)} times as much. {rest}'
  )


def too_much_compute() -> str:
  return (
    'The rest could go into more epochs, of which up to four cost little'
    " (epochs=4), or into a larger model, which overfits beyond Kaplan's bound;"
    ' more text serves better.'
  )


def all_of_it(N: float, loss: float) -> str:
  """`loss`: of N parameters that take all of the compute."""
  return (
    f'All of it on them would be {formatting.short(N)} parameters and by the law'
    f' a loss of {formatting.number(loss)}, which takes no account of'
    ' overfitting.'
  )


def repeated(epochs: float, free: int) -> str:
  return (
    f'{formatting.number(epochs)} epochs: beyond {free} repeated tokens are'
    ' worth less than new ones (Muennighoff et al. 2023), and no law here takes'
    ' account of it.'
  )


# What speaks against a plan.


def nothing_is_certain(beyond: Beyond) -> str:
  """Of a plan very far from the runs behind its law."""
  times = formatting.plain(beyond.factor, 2)
  of = {'C': 'FLOPs', 'N': 'parameters', 'D': 'tokens'}[beyond.what]
  far = (
    f'{times} times the most of the runs'
    if beyond.above
    else f'{times} times less than the least of the runs'
  )
  return (
    f'Nothing here is certain (~): {formatting.flops(beyond.value)} {of} are {far}'
    f' behind this law, {formatting.flops(beyond.end)}. The numbers are where it'
    ' would lead, and no interval is stated so far away.'
  )


def do_not_agree(N: float, implied: float) -> str:
  """`implied` is what the compute pays for on the plan's tokens."""
  return (
    f'C, N and D do not agree: its C pays for {formatting.short(implied)}'
    f' parameters on its D tokens, and not for {formatting.short(N)}, because its'
    ' lines of N_opt and D_opt were fitted apart; take the one that is nearer to'
    ' the runs.'
  )


def worse_than_guessing(loss: float, kinds: int) -> str:
  return (
    f'A loss of {formatting.number(loss)} is worse than guessing among its'
    f' {kinds:,} tokens, {formatting.number(math.log(kinds))}: so far from its'
    ' range the law means nothing.'
  )


def taken_for_bpe() -> str:
  return (
    'Taken for BPE tokens, which its constants were fitted on; if yours are'
    ' characters, add tokenizer=char.'
  )


def other_tokens(own: Token, fitted: Token) -> str:
  return (
    f'Your tokens are {own.kind}, and its constants were fitted on'
    f' {_PER_BPE[fitted.kind]}: N and D are a rough guide, and the loss is not'
    ' that of your tokens.'
  )


def other_text(corpus: str) -> str:
  return (
    f'It was fitted on {corpus}: on another text the loss is another, and so may'
    ' be N and D.'
  )


def no_shape_near(
  N: float, shape: str, count: int, *, with_embeddings: bool
) -> str:
  so = ', with this vocabulary and context' if with_embeddings else ''
  return (
    f'No shape is near {formatting.short(N)} parameters: {shape} has'
    f' {count:,}{so}.'
  )


def no_dense_shape(ratio: float) -> str:
  """`ratio` is of the stated compute to 6ND of the plan."""
  if ratio < 1:
    return (
      f'No shape is proposed: 6ND of this plan is {formatting.factor(1 / ratio)}'
      ' the stated compute, so that N counts parameters that no token uses, as'
      ' of all experts of a mixture, or of embeddings.'
    )
  return (
    f'No shape is proposed: the stated compute is {formatting.factor(ratio)} 6ND'
    ' of this plan, so that N leaves out what most of the compute goes into.'
  )


def batch_beyond_text(tokens_per_step: int, D: float) -> str:
  return (
    f'A batch of {tokens_per_step:,} tokens is more than all of the'
    f' {formatting.short(D)}: nothing can be trained so.'
  )


def losses_differ() -> str:
  return (
    'Losses of different laws are of different tokens and texts: do not compare'
    ' them.'
  )


# Published models.


def about_models() -> str:
  return (
    'C = 6 N D, N with embeddings. Wasted is the share of C that this law would'
    ' not need for the loss as built; a model trained beyond its optimum is'
    " bought to be cheap to run. Kaplan's rows are of L(N, D), whose optimum"
    ' grows as C^0.575 and not, as the planner has it, C^0.73. Every model lies'
    ' beyond what the laws were fitted on in D or N, and has its own tokens:'
    ' compare a row with its optimum, not with others. Nothing is certain of'
    ' what has a ~: it lies more than a thousand times beyond the runs.'
  )


# Where the laws of a design come from.


def laws_over_ranges(
  count: int,
  exponents: tuple[float, float],
  reducible: tuple[float, float],
  tokens_per_param: tuple[float, float],
  C: float,
) -> str:
  return (
    f'{count} laws with alpha and beta from {exponents[0]:g} to'
    f' {exponents[1]:g}, {100 * reducible[0]:g} to'
    f' {formatting.percent(reducible[1])} of the loss above E and'
    f' {tokens_per_param[0]:g} to {tokens_per_param[1]:g} tokens a parameter at'
    f' the optimum of {formatting.flops(C)} FLOPs'
  )


def laws_of_spread(count: int, title: str) -> str:
  return f'{count} laws within the spread of {title}'


# What a design will resolve.


def design_heading(n_runs: int, C: float, level: float) -> str:
  return (
    f'What these {n_runs} runs of {formatting.flops(C)} FLOPs will resolve:'
    f' {formatting.percent(level)} intervals where there is an answer, the'
    ' middle one of the plausible laws [and the range of two in three]'
  )


def answers_in(share: float) -> str:
  return f'in {formatting.percent(share, 2)} of simulations'


def too_few_for_a_parabola() -> str:
  return 'never: a parabola needs three'


def too_many_epochs(epochs: Sequence[tuple[str, float]], free: int) -> str:
  """`epochs`: of each model that repeats its text too often."""
  named = ', '.join(f'{model} ({x:.1f})' for model, x in epochs)
  return (
    f'More than {free} epochs: {named}. Repeated tokens are worth less than new'
    ' ones (Muennighoff et al. 2023), which the laws drawn here take no account'
    ' of.'
  )


def chinchilla_will_not_answer(why: str) -> str:
  return f'Approach 3 will not answer: {why}.'


def runs_alone(n_runs: int) -> str:
  return (
    f'{n_runs} runs share their FLOPs with fewer than two other models: they'
    ' count for approach 3 alone.'
  )


def isoflop_will_not_answer() -> str:
  return (
    'Approach 2 will not answer: it needs two budgets or more, each of three'
    ' models or more.'
  )


def drawn_from(laws: str) -> str:
  return f'Drawn from {laws}.'


def assumed_noise(noise: float, seed_noise: float) -> str:
  return (
    'Assumed residual standard deviation of the loss:'
    f' {formatting.percent(noise)} about the law, which is what approach 3 is'
    " given, because a law's shape is never quite that of the runs; and"
    f' {formatting.percent(seed_noise)} between seeds, which is what approach 2'
    ' is given. noise= and seed_noise= change them.'
  )


def about_run_values() -> str:
  return (
    "A run narrows approach 3's N_opt by so much against the same runs without"
    ' it. A repeated seed averages its own noise, and not what the law misses.'
  )


def best_to_add(model: str, N: float, C: float, narrows: float) -> str:
  return f'Best run to add: {_narrows(model, N, C, narrows)}'


def most_for_its_flops(model: str, N: float, C: float, narrows: float) -> str:
  return f'Most for its FLOPs: {_narrows(model, N, C, narrows)}'


def _narrows(model: str, N: float, C: float, narrows: float) -> str:
  return (
    f'{model} ({formatting.short(N)} parameters) at {formatting.flops(C)} FLOPs'
    f' narrows N_opt by {formatting.percent(narrows, 2)}.'
  )


def best_seed(model: str, config: str, narrows: float) -> str:
  return (
    f'Best seed to repeat: {model} of {config}, by'
    f' {formatting.percent(narrows, 2)}.'
  )


def no_seed_worth_it() -> str:
  return 'Seeds to repeat: none, they narrow N_opt by less than 1%.'


def by_law(names: Sequence[str], note: str) -> str:
  return f'{", ".join(names)}: {note}'
