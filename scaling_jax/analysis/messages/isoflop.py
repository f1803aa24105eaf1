"""What people read of approaches 1 and 2, and of single training curves.

Each is a clause without a capital and a full stop.
"""

from scaling_jax import formatting

# One budget of approach 2.


def too_few_models(found: int, needed: int) -> str:
  return f'a minimum needs {needed} models, and there are {found}'


def no_minimum() -> str:
  return 'the curve has no minimum'


def minimum_at_edge(below: bool, N: float) -> str:
  """N is of the smallest model tried if `below`, else of the largest."""
  side, which = ('below', 'smallest') if below else ('above', 'largest')
  return (
    f'the minimum lies {side} the models tried, whose {which} has'
    f' {formatting.count(N)} parameters'
  )


def turned_over(share: float) -> str:
  return (
    'noise of this size would hide the minimum in'
    f' {formatting.percent(share, 2)} of such studies'
  )


def off_center(above: bool, parabola: bool) -> str:
  """`parabola` is whether a parabola answers, which this biases."""
  which = 'highest' if above else 'lowest'
  effect = (
    'biases the parabola and the exponent'
    if parabola
    else 'leaves few runs on its other side'
  )
  return (
    f'off-center: the minimum lies in the {which} quarter of the models tried,'
    f' which {effect}'
  )


def looks_differ(N: float, by_parabola: float, by_akima: float) -> str:
  """Parameters at the minimum of the joint curve and of both second looks."""
  akima = ''
  if by_akima == by_akima:  # nan where it has none
    akima = f", Akima's curve at {formatting.count(by_akima)}"
  return (
    f'the looks differ by more than noise: the joint curve is lowest at'
    f' {formatting.count(N)} parameters, a parabola at'
    f' {formatting.count(by_parabola)}{akima}'
  )


def often_turned_over(share: float) -> str:
  return (
    'a weak minimum: noise of this size would hide it in'
    f' {formatting.percent(share, 2)} of such studies, so that intervals above'
    f' {formatting.percent(1 - 2 * share, 2)} are open'
  )


def no_akima_minimum() -> str:
  return "Akima's curve through the runs has no minimum inside"


def three_points(pooled: bool) -> str:
  """`pooled` is whether other budgets tell the residual standard deviation."""
  why = (
    'the interval is drawn with the residual standard deviation of the other'
    ' budgets'
    if pooled
    else 'no residual standard deviation is known to draw an interval with'
  )
  return f'a curve passes through any three points; {why}'


# Approach 2.


def too_few_budgets(used: int, n_budgets: int, needed: int) -> str:
  return (
    f'{used} of {formatting.many(n_budgets, "budget")}'
    f' {"shows" if n_budgets == 1 else "show"} a minimum inside the models'
    f' tried, and a power law needs {needed}'
  )


def fitted(used: int, excluded: int) -> str:
  rest = f'; {excluded} excluded, see each' if excluded else ''
  return f'fitted to {used} budgets{rest}'


def few_of_many(message: str, used: int, n_budgets: int) -> str:
  return (
    f'{message}; caution: the law rests on {used} of {n_budgets} budgets, those'
    ' that happened to show a minimum'
  )


def two_budgets() -> str:
  return (
    'a line passes through any two minima: whether they follow a power law is'
    ' not tested'
  )


def by_parabolas(exponent: float, differs: bool) -> str:
  """`differs` is whether it lies outside the interval of the joint curves."""
  found = (
    f'second look: parabolas give an exponent of {formatting.number(exponent)}'
  )
  if not differs:
    return found
  return (
    f'{found}, outside the interval of the joint curves; a parabola is biased'
    ' where the grid is wide or the law lopsided'
  )


def no_freedom(message: str) -> str:
  return (
    f'{message}; three models a budget leave no residuals to draw an interval'
    ' with'
  )


def scattered(message: str, ratio: float) -> str:
  return (
    f'{message}; the minima scatter {formatting.plain(ratio, 2)} times as much'
    ' about the line as their noise predicts, and the intervals, those of the'
    ' budgets too, are that much wider'
  )


# Approach 1.


def no_curves() -> str:
  return 'no run left its training curve'


def best_models(models: int, points: int, grid: int) -> str:
  return f'{models} models have the lowest loss at {points:,} of {grid:,} FLOP counts'


def too_few_best(models: int, needed: int) -> str:
  return (
    f'a power law needs {needed} models between the smallest and the largest'
    f' that have the lowest loss somewhere, and there are {models}'
  )


def no_law_in(message: str, share: float) -> str:
  return (
    f'{message}; {formatting.percent(share, 2)} of resampled studies show no'
    ' power law, so that the exponent has no interval'
  )


# The law of a single training curve.


def diverged(step: int, loss: float) -> str:
  return f'the loss is {loss} at step {step:,}: the run diverged'


def too_few_steps(found: int, needed: int, warmup: int) -> str:
  return (
    f'a law needs {needed} steps after warmup, and there are {found} after a'
    f' warmup of {warmup:,}'
  )


def not_falling() -> str:
  return 'the loss does not fall after warmup'


def exponent_at_edge(lowest: float, highest: float) -> str:
  return (
    'no power law with a floor fits: the best exponent is at the edge of'
    f' {lowest:g} to {highest:g}'
  )


def exponent_open(exponent: float, lowest: float, highest: float) -> str:
  return (
    f'the exponent, {formatting.number(exponent, 2)}, is not bounded within'
    f' {lowest:g} to {highest:g}'
  )


def floor_open(high: float) -> str:
  return (
    f'the floor is not resolved: anything from 0 to {formatting.number(high)}'
    ' nats fits, so the curve bends too little or is too short'
  )


def curve_law(floor, exponent) -> str:
  """Both are intervals."""
  return (
    f'after warmup the loss falls towards {formatting.interval(floor)} nats as'
    f' step^-p with p {formatting.interval(exponent)}'
  )


def curve_end(cut_short: bool | None, slope) -> str:
  """`slope` is the interval of nats per doubling of steps."""
  status = {
    True: 'cut short',
    False: 'not cut short',
    None: 'noise hides whether it was cut short',
  }[cut_short]
  return (
    f'{status}: at the end the loss changes by {formatting.interval(slope)}'
    ' nats per doubling of steps'
  )


def curve_forecast(predicted, actual: float, inside: bool) -> str:
  """`predicted` is an interval, and `inside` whether it holds `actual`."""
  return (
    f'the first half predicts {formatting.interval(predicted)} nats for the'
    f' end; it was {formatting.number(actual)},'
    f' {"inside" if inside else "outside"}'
  )
