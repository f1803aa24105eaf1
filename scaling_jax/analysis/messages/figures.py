"""What people read of figures: titles, notes in them, and alt texts.

An alt text tells what is seen, in a sentence, to those who don't see it. An
interval is anything with value, low and high.
"""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

from scaling_jax import formatting

Interval = Any

# What each figure is called, in the order of the page.
TITLES = {
  'isoflop': 'Loss against N at each budget',
  'optimal_N': 'N_opt against C, and beyond the runs',
  'optimal_D': 'D_opt against C, and beyond the runs',
  'envelope': 'The envelope of the training curves',
  'contours': 'The parametric law over D and N',
  'law_panels': 'The parametric law in four panels',
  'predicted': 'Predicted against actual losses',
  'residuals': 'Residuals of the parametric law',
  'exponents': 'The exponent a, by approach and by what is counted',
  'loss_curves': 'Training curves',
  'bpb_against_depth': 'Bits per byte against depth',
  'bpb_against_tokens_per_param': 'Bits per byte against tokens per parameter',
  'kaplan_L_N': 'L(N)',
  'kaplan_L_D': 'L(D)',
  'kaplan_L_ND': 'L(N, D)',
  'kaplan_L_C': 'L(C) along the lower hull of the training curves',
  'kaplan_N_opt': 'N_opt(C) along the lower hull',
  'critical_batch_steps': 'Steps and tokens to a loss, by batch size',
  'critical_batch': 'The critical batch size against the loss',
  'kaplan_L_Cmin': 'L(C_min) along the lower hull',
  'kaplan_N_opt_Cmin': 'N_opt(C_min)',
  'kaplan_B_Cmin': 'The critical batch size against C_min',
  'kaplan_S_Cmin': 'S_min against C_min',
  'kaplan_L_NS': 'L(N, S_min)',
}

# Hoffmann's approaches as legends name them.
APPROACHES = {
  'isoflop': 'isoFLOP',
  'chinchilla': 'parametric',
  'envelope': 'envelope',
}

CURVE_LAW = 'floor + coefficient · S^(−exponent)'

_three = functools.partial(formatting.number, digits=3)
_two = functools.partial(formatting.number, digits=2)
_percent = functools.partial(formatting.percent, digits=2)


def number(interval: Interval) -> str:
  """0.490 [0.463, 0.520]"""
  return formatting.interval(interval, _three)


def count(interval: Interval) -> str:
  """1.09M [1.01M, 1.17M]"""
  return formatting.interval(interval, formatting.short)


def short_list(parts: Sequence[str]) -> str:
  """Parts in one line; of many, the first and the last."""
  if len(parts) > 4:
    parts = [parts[0], f'{len(parts) - 2} between', parts[-1]]
  return ', '.join(parts)


def few(messages: Sequence[str]) -> list[str]:
  """Messages for a note; of many, the first two."""
  unique = list(dict.fromkeys(m for m in messages if m))
  if len(unique) > 3:
    unique = [*unique[:2], f'And {len(unique) - 2} more like these.']
  return unique


def loss_label(unit: str) -> str:
  """Of an axis; without a unit where the loss has none that is known."""
  return f'L, {unit}' if unit else 'L'


# Legends and notes.


def approach(name: str) -> str:
  number = {'envelope': 1, 'isoflop': 2, 'chinchilla': 3}[name]
  return f'approach {number}, {APPROACHES[name]}'


def minimum(level: float) -> str:
  return f'minimum,\n{formatting.percent(level)} interval'


def growth(approach: str, exponent: Interval) -> str:
  """Of a line in the figures of optima."""
  title = APPROACHES[approach]
  return f'{title}: exponent {formatting.interval(exponent, _two)}'


def too_wide(approach: str) -> str:
  return f'{APPROACHES[approach]}: band wider than the figure'


def above_the_figure(beyond: int, n_runs: int, highest: float) -> str:
  return (
    f'Above the figure: {beyond} of {n_runs} runs, up to {_three(highest)}.'
  )


def failed_budgets(Cs: Sequence[float], message: str) -> str:
  budgets = short_list([formatting.flops(C) for C in Cs])
  return f'C = {budgets}: {message}'


def failed(name: str, message: str) -> str:
  return f'{APPROACHES.get(name, name)}: {message}'


def residual_sd(about: str, sd: float) -> str:
  return f'residual sd {about}, ±{_percent(sd)}'


def far_residuals(beyond: int, farthest: float) -> str:
  return f'Arrows: {beyond} beyond, up to {_percent(farthest)} off.'


def curves_without_law(without: int, n: int) -> str:
  return f'{without} of {n} curves carry no such law: see the table.'


def held_out(*, inside: bool, level: float) -> str:
  where = 'inside' if inside else 'outside'
  return f'held out, {where} its {formatting.percent(level)} interval'


def no_hold_out(message: str) -> str:
  return f'held out: {message}'


def target(L: float, *, ok: bool) -> str:
  return _three(L) + ('' if ok else ', excluded')


def power(quantity: str, compute: str, exponent: Interval) -> str:
  return f'{quantity} ∝ {compute}^{number(exponent)}'


def kaplan_power(x: str, alpha: Interval) -> str:
  return f'({x}_c/{x})^{number(alpha)}'


def critical_batch_power(alpha_B: Interval) -> str:
  return f'B*/L^(1/{number(alpha_B)})'


# Alt texts.


def isoflop(
  n_runs: int, n_budgets: int, minima: Sequence[tuple[float, Interval]]
) -> str:
  """`minima` are (C, N_opt) of the budgets that show one."""
  listed = short_list(
    [f'N = {count(N)} at C = {formatting.flops(C)}' for C, N in minima]
  )
  found = f'the curves turn at {listed}' if minima else 'no minimum is shown'
  runs = formatting.many(n_runs, 'run')
  budgets = formatting.many(n_budgets, 'budget')
  return f'Loss against N for {runs} at {budgets}: {found}.'


def optimal(
  quantity: str,
  optima: Sequence[tuple[float, Interval]],
  exponents: Mapping[str, Interval],
) -> str:
  """`optima` are of single budgets, `exponents` by approach."""
  single = short_list(
    [f'{count(x)} at C = {formatting.flops(C)}' for C, x in optima]
  )
  grows = ', '.join(
    f'C^{number(x)} ({APPROACHES[name]})' for name, x in exponents.items()
  )
  laws = f'the laws grow as {grows}' if grows else 'no law is shown'
  return f'{quantity} against C: {single or "no single optimum"}; {laws}.'


def exponents(rows: Sequence[tuple[str, Interval, Interval]]) -> str:
  """`rows` are of what is counted, and the exponents of approaches 2 and 3."""
  told = '; '.join(
    f'{name}: isoFLOP {number(isoflop)}, parametric {number(chinchilla)}'
    for name, isoflop, chinchilla in rows
  )
  return f'The exponent of N_opt by what N and C count: {told}.'


def contours(n_runs: int, terms: Mapping[str, Interval]) -> str:
  """`terms` are of the fitted law; empty where there is none."""
  text = f'{n_runs} runs by N, D and loss'
  if not terms:
    return f'{text}, without a fitted law.'
  told = ', '.join(f'{name} = {number(x)}' for name, x in terms.items())
  return f'{text} over the contours of E + A/N^alpha + B/D^beta with {told}.'


def residuals(
  n_runs: int,
  *,
  beyond: int,
  half: float,
  farthest: float,
  sd: tuple[float, str] | None,
) -> str:
  """Sizes are relative; `sd` is of the runs, and what it is about."""
  out = f', {beyond} of them beyond the figure' if beyond else ''
  band = ''
  if sd:
    band = (
      f', beside a residual standard deviation {sd[1]} of {_percent(sd[0])}'
    )
  return (
    f'Residuals of {n_runs} runs from the parametric law{out}: half lie within'
    f' {_percent(half)}{band}, and the farthest is'
    f' {_percent(farthest)} off.'
  )


def predicted(n_runs: int) -> str:
  return f'Predicted against actual loss of {n_runs} fitted runs'


def held_out_runs(
  n_runs: int, *, C: float, inside: int, level: float, farthest: float
) -> str:
  return (
    f'of {n_runs} runs held out at C = {formatting.flops(C)}, {inside} lie'
    f' inside their {formatting.percent(level)} intervals, and the farthest is'
    f' {_percent(farthest)} off'
  )


def law_panels(name: str, text: str) -> str:
  return f'{name} in four panels: {text}.'


def frontier_far_below(
  first: tuple[float, float], last: tuple[float, float], models: Sequence[str]
) -> str:
  """`first` and `last` are (C, N_opt)."""
  return (
    f'N_opt grows from {formatting.short(first[1])} at C ='
    f' {formatting.flops(first[0])} to {formatting.short(last[1])} at'
    f' {formatting.flops(last[0])}, far below the compute of'
    f' {", ".join(models)}'
  )


def frontier_of_models(rows: Sequence[tuple[str, float, float]]) -> str:
  """`rows` are a model, its N, and N_opt at its compute."""
  return 'at its compute, ' + ', '.join(
    f'{name} has {formatting.short(N)} parameters where the law would have'
    f' {formatting.short(best)}'
    for name, N, best in rows
  )


def bpb(
  n_runs: int, against: str, least: Sequence[tuple[float, float, float]]
) -> str:
  """`least` are (C, x, bits per byte) of the best run of each budget."""
  told = short_list(
    [
      f'{_three(y)} at {_three(x)} for C = {formatting.flops(C)}'
      for C, x, y in least
    ]
  )
  best = f': the least is {told}' if told else ''
  return f'Bits per byte of {n_runs} runs against {against}{best}.'


def loss_curves(n: int, exponents: Sequence[float]) -> str:
  text = f'Training loss of {n} runs against steps'
  if not len(exponents):
    return f'{text}; no law is shown.'
  return (
    f'{text}; {len(exponents)} fitted laws fall to their floors with exponents'
    f' from {_two(min(exponents))} to {_two(max(exponents))}.'
  )


def envelope(
  n: int,
  first: tuple[float, float] | None,
  last: tuple[float, float] | None,
  *,
  steps_up: bool,
) -> str:
  """`first` and `last` are (C, L) of the envelope; None where there is none."""
  text = f'Loss against C along {n} training curves'
  if first is None or last is None:
    return f'{text}, without an envelope.'
  steps = (
    '; it steps up where shorter runs, annealed by then, end'
    if steps_up
    else ''
  )
  return (
    f'{text}; their envelope falls from {_three(first[1])} at C ='
    f' {formatting.flops(first[0])} to {_three(last[1])} at C ='
    f' {formatting.flops(last[0])}{steps}.'
  )


def without_law(text: str, message: str) -> str:
  return f'{text}, without a law: {message}.'


def loss_line(n_runs: int, x: str) -> str:
  return f'Loss of {n_runs} runs against {x}'


def loss_line_law(text: str, x: str, alpha: Interval, x_c: Interval) -> str:
  """`x_c` is nan where it lies beyond the points of a curve."""
  scale = f' and {x}_c {number(x_c)}' if x_c.value == x_c.value else ''
  return (
    f'{text} and the line ({x}_c/{x})^alpha with alpha {number(alpha)}{scale}.'
  )


def hull_growth(quantity: str, compute: str, n_models: int) -> str:
  return (
    f'{quantity} against {compute} of the {n_models} models that have their'
    ' best on the lower hull'
  )


def hull_growth_law(text: str, compute: str, exponent: Interval) -> str:
  return f'{text}: it grows as {compute}^{number(exponent)}.'


def hull(n_curves: int, compute: str) -> str:
  return f'Loss of {n_curves} training curves against {compute}'


def hull_without_law(text: str, message: str) -> str:
  return f'{text} and their lower hull, without a law: {message}.'


def hull_law(text: str, n_models: int, alpha_C: Interval) -> str:
  return (
    f'{text}, their lower hull, and the line through the {n_models} models that'
    f' have their best there: alpha_C {number(alpha_C)}.'
  )


def family(against: str, n_sizes: int) -> str:
  return f'Loss against {against} for {n_sizes} sizes'


def family_law(text: str, terms: Mapping[str, Interval]) -> str:
  told = ', '.join(f'{name} {number(x)}' for name, x in terms.items())
  return f'{text}, and the fitted law with {told}.'


def steps_and_tokens(n_losses: int, n_ok: int) -> str:
  return (
    f'Steps and tokens that each batch size needs to {n_losses} losses; the'
    f' hyperbola is identified at {n_ok} of them.'
  )


def critical_batch(n_losses: int) -> str:
  return f'The critical batch at {n_losses} losses'


def critical_batch_law(text: str, B_star: Interval, alpha_B: Interval) -> str:
  """`B_star` is nan where L = 1 lies beyond the points of a curve."""
  scale = f' and B* {number(B_star)}' if B_star.value == B_star.value else ''
  return (
    f'{text}, and the law B*/L^(1/alpha_B) with alpha_B {number(alpha_B)}'
    f'{scale}.'
  )


def outliers(*, excluded: bool) -> str:
  return 'outlier, excluded' if excluded else 'outlier'
