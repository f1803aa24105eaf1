"""What the fits say in sentences: what to train, and how far to trust it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scaling_jax.analysis import calculator
from scaling_jax.analysis import markup
from scaling_jax.analysis import reach
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis import words
from scaling_jax.analysis.uncertainty import Estimate

Fits = dict[str, Any]

# What to do about a fit that is not ok.
ADVICE = {
  'minimum_at_edge': (
    'Train models beyond those tried, on the side where the loss still falls.'
  ),
  'no_minimum': (
    'Spread the models of each budget further, from a quarter of the optimum to'
    ' four times it.'
  ),
  'no_degrees_of_freedom': (
    'Add a model or two to each budget: as many numbers as runs leave nothing'
    ' to judge the fit by.'
  ),
  'too_few_points': (
    'Train four models or more at each of three budgets or more.'
  ),
  'not_converged': (
    'Look at the residuals for runs that went wrong, leave those out, or try'
    ' --solver=optimistix.'
  ),
  'not_identified': (
    'Add budgets further apart, models further from the optimum, or seeds: with'
    ' this noise, the runs lie too close together to tell laws apart.'
  ),
}


class Answer(NamedTuple):
  """What to train with C FLOPs, by one approach that is ok.

  Attributes:
    C: FLOPs.
    factor: C over the largest budget that the law was fitted on.
    law: its name in the fits.
    N, D: parameters and tokens.
    L: the loss it reaches; None where the approach doesn't say.
  """

  C: float
  factor: float
  law: str
  N: Estimate
  D: Estimate
  L: Estimate | None


def answers(fits: Fits) -> list[Answer]:
  """For each target, by the approach that the calculator reads; [] if none."""
  name = calculator.source(fits)
  if name is None:
    return []
  fitted = reach.of_law(fits, name)
  assert fitted is not None
  out = []
  for C in fits['source']['targets']:
    at = reach.stated(fits['laws'][name], C)
    if at is not None:
      L = at.get('L')
      out.append(Answer(C, C / fitted.high, name, at['N_opt'], at['D_opt'], L))
  return out


def in_words(answer: Answer, fits: Fits) -> str:
  """One sentence of plain text."""
  N = words.estimate(answer.N, show=words.short)
  D = words.estimate(answer.D, show=words.short)
  much = ''
  fitted = reach.of_law(fits, answer.law)
  if fitted and answer.factor > 1 + 1e-6:
    much = f', {markup.times(answer.factor)} the {fitted.largest},'
  sentence = (
    f'With {markup.flops(answer.C)} FLOPs{much} train {N} parameters on {D}'
    ' tokens'
  )
  if answer.L:
    unit = fits['source']['unit']
    sentence += f', to reach a loss of {words.estimate(answer.L)} {unit}'
  return f'{sentence}.'


def basis(fits: Fits) -> str:
  """Which approach the answer is of, and what the brackets hold."""
  name = calculator.source(fits)
  assert name is not None
  text = f'By approach {words.TITLES[name]}'
  fitted = reach.of_law(fits, name)
  if fitted and fitted.n_budgets:
    text += (
      f', through {fitted.n_budgets} budgets, the largest'
      f' {markup.flops(fitted.high)} FLOPs'
    )
    factor = fits['source']['targets'][0] / fitted.high
    if factor > 1 + 1e-6:
      text += f', {markup.times(factor)} smaller'
  text += f'; in brackets, {level(fits)} intervals.'
  if name != 'parametric':
    text += ' It says what to train, and not the loss that this reaches.'
  return text


def untested(fits: Fits) -> str:
  """A warning where the answer's law has nothing left to judge it by."""
  name = calculator.source(fits)
  fitted = reach.of_law(fits, name) if name else None
  if not fitted or fitted.n_budgets != 2:
    return ''
  return (
    'This law goes through two budgets only, and a line through two points'
    ' cannot test itself.'
  )


def level(fits: Fits) -> str:
  return f'{100 * fits["level"]:g}\N{NO-BREAK SPACE}%'


def silent(fits: Fits) -> list[tuple[str, str, str]]:
  """(title, status, sentence and advice) of each approach that is not ok."""
  out = []
  for name, title in words.TITLES.items():
    law = fits['laws'][name]
    if law['status'] != 'ok':
      said = f'{sentence(law["sentence"])} {_advice(name, law, fits)}'.strip()
      out.append((title, law['status'], said))
  return out


def _advice(name: str, law: dict[str, Any], fits: Fits) -> str:
  if name == 'envelope' and not fits['curves']:
    return 'It needs the training curves that run folders hold.'
  return ADVICE.get(law['status'], '')


def sentence(text: str) -> str:
  """A part's sentence with a capital and a full stop."""
  text = text.strip()
  if not text:
    return ''
  return text[0].upper() + text[1:] + ('' if text[-1] in '.!?' else '.')


class Floor(NamedTuple):
  """The fitted E beside what is known of the corpus.

  Attributes:
    fitted: E with its interval, or its status.
    known: the entropy in the same unit, or 'not known'.
    verdict: whether the interval holds it, in a sentence.
  """

  fitted: str
  known: str
  verdict: str


def floor(fits: Fits) -> Floor:
  law, unit = fits['laws']['parametric'], fits['source']['unit']
  fitted = words.estimate(law['E'], law['status'])
  if law['status'] == 'ok':
    fitted = f'{fitted} {unit}' if law['E']['value'] is not None else fitted
  entropy = known_entropy(fits)
  if entropy is None:
    return Floor(fitted, 'not known', (
      "This corpus' entropy is not known, so that nothing stands beside E."
    ))  # fmt: skip
  known = f'{entropy:.6f} {unit}'
  if law['status'] != 'ok':
    said = 'There is no fitted E to hold against the known entropy.'
    return Floor(law['status'], known, said)
  inside = uncertainty.holds(law['E'], entropy)
  if inside is None:
    said = (
      "E's interval is open, so that it cannot be held against the entropy."
    )
  elif inside:
    said = 'The interval of the fitted E holds the known entropy.'
  else:
    side = 'above' if law['E']['low'] > entropy else 'below'
    said = (
      f'The interval of the fitted E lies {side} the known entropy: within the'
      ' range of these runs the law has another shape, or they were not trained'
      ' to their best.'
    )
  return Floor(fitted, known, said)


def known_entropy(fits: Fits) -> float | None:
  """The corpus' entropy for the runs' context, in nats/token, if known."""
  corpus = (fits.get('made') or {}).get('corpus') or {}
  entropy = corpus.get('floor_nats_per_token')
  if not isinstance(entropy, (int, float)) or entropy <= 0:
    return None
  return float(entropy) if fits['source']['unit'] == 'nats/token' else None


def subject(fits: Fits) -> str:
  """What was trained on, or the files that say no more."""
  made = fits.get('made') or {}
  names: Sequence[str] = made.get('datasets') or []
  if names:
    return ' and '.join(names)
  files = [path.rsplit('/', 1)[-1] for path in fits['source']['files']]
  if files:
    one = files[0].rsplit('.', 1)[0]
    return one if len(files) == 1 else f'{len(files)} files'
  return fits['source']['format']
