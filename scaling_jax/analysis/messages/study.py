"""What is told of tests: the held-out budget, the form of the law."""

from scaling_jax import formatting


def form_misfit(ratio: float) -> str:
  return (
    f'Residuals are {formatting.factor(ratio)} as large about this law as about'
    ' the isoFLOP curves of its budgets: the law misses a shape that the runs show,'
    ' and its intervals take that for noise. The held-out budget tells how far'
    ' to trust it beyond the runs.'
  )


_UNTUNED = 'the intervals do not hold untuned training'


def long_warmup(runs: int, of: int, limit: float, most: float) -> str:
  """`most` is the largest share of a run's steps."""
  return (
    f'{runs} of {of} runs warmed up for more than {formatting.percent(limit)} of'
    f' their steps, up to {formatting.percent(most, 2)}, which costs short'
    f' runs more than long ones: {_UNTUNED}.'
  )


def no_decay(runs: int, of: int) -> str:
  return (
    f'{runs} of {of} runs kept their learning rate to the end, where a decay'
    f' would have lowered the loss: {_UNTUNED}.'
  )


def one_learning_rate(rate: float, ratio: float) -> str:
  """`ratio` is of the largest N to the smallest."""
  return (
    f'All runs have one learning rate, {formatting.number(rate, 3)}, though N'
    f' goes up to {formatting.factor(ratio)} the smallest and the best rate falls'
    f' with N: {_UNTUNED}.'
  )


def short_runs_apart(
  runs: int, every: float, without: float, half_width: float
) -> str:
  return (
    f'Without the {runs} shortest runs the exponent of N_opt moves from'
    f' {formatting.plain(every)} to {formatting.plain(without)}, further than'
    f' its interval reaches ({formatting.plain(half_width, 2)}) and than noise'
    f' explains, as if short runs were not trained to their best: {_UNTUNED}.'
  )


def too_few_budgets(usable: int) -> str:
  have = '1 budget has' if usable == 1 else f'{usable} budgets have'
  return (
    f'{have} three models or more; holding one out needs three such budgets'
  )


def without_largest(message: str) -> str:
  return f'without the largest budget: {message}'


def form_rejected(form: str, extra: float, p_value: float) -> str:
  """`form` is 'interaction', `extra` its k; or 'exponent', `extra` its g."""
  found = {
    'interaction': (
      'a law whose two terms interact, [(A/N^alpha)^(1/k) +'
      f' (B/D^beta)^(1/k)]^k with k = {formatting.number(extra, 2)}'
    ),
    'exponent': (
      'a law whose exponent of D changes with N, by'
      f' {formatting.number(extra, 2)} for each factor of e'
    ),
  }[form]
  chance = formatting.chance(p_value)
  return (
    f'The form of the law is rejected (F-test, {chance}): the runs prefer'
    f' {found}. The intervals of approach 3 do not allow for that.'
  )


def losses_apart(C: float, p_value: float) -> str:
  return (
    f'At {formatting.flops(C)} FLOPs the losses lie further from what the budgets'
    f' below predict than noise explains ({formatting.chance(p_value)}): the'
    ' intervals of approach 3 are too narrow beyond the runs.'
  )


def optimum_apart(approach: str, C: float, predicted, actual) -> str:
  """`approach` by name; intervals of N_opt."""
  number = {'isoflop': 2, 'chinchilla': 3}[approach]
  shown = [
    formatting.interval(x, formatting.count) for x in (predicted, actual)
  ]
  return (
    f'At {formatting.flops(C)} FLOPs approach {number} predicts N_opt'
    f' {shown[0]} from the budgets below, and {shown[1]} is found: the intervals'
    ' lie apart.'
  )


def optima_apart(apart: int, n: int) -> str:
  return (
    f'At {apart} of {n} budgets the optimum of approach 3 lies outside the'
    " interval of the budget's own: the approaches contradict each other where"
    ' there are runs.'
  )
