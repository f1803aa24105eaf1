"""What speaks for a law and against it, in sentences: tests, and other laws."""

from collections.abc import Sequence
import itertools
from typing import Any, NamedTuple

from scipy import stats

from scaling_jax.analysis import calculator
from scaling_jax.analysis import headline
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import markup
from scaling_jax.analysis import reach
from scaling_jax.analysis import words

Fits = dict[str, Any]
At = dict[str, Any]

# An interval that spans more tells no two laws apart.
TOO_WIDE = 10
# As few inside by chance this rarely, and the intervals are too narrow.
CHANCE = 0.05


def agreement(fits: Fits) -> str:
  """Whether the approaches that are ok agree at the first target; or ''."""
  found = _at_target(fits)
  if len(found) < 2:
    return ''
  parts, apart, silent = [], set(), {}
  for one, other in itertools.combinations(found, 2):
    off = [
      q for q in ('N', 'D')
      if hold_out.overlap(found[one][f'{q}_opt'], found[other][f'{q}_opt'])
      is False
    ]  # fmt: skip
    if off:
      apart.add((one, other))
      parts.append(
        f'approaches {one} and {other} disagree on {" and on ".join(off)}:'
        ' their intervals lie apart'
      )
  for number, at in found.items():
    if said := _too_wide(at):
      silent[number] = f'approach {number} is {said}'
  telling = [number for number in found if number not in silent]
  meeting: list[tuple[str, ...]] = [
    pair for pair in itertools.combinations(telling, 2) if pair not in apart
  ]
  if len(meeting) == len(telling) * (len(telling) - 1) / 2 > 1:
    meeting = [tuple(telling)]
  for numbers in meeting:
    parts.append(f'approaches {_listed(numbers)} do not contradict each other')
  return headline.sentence('; '.join([*parts, *silent.values()]))


def _at_target(fits: Fits) -> dict[str, At]:
  """What each approach that is ok says at the first target, by its number."""
  C = fits['source']['targets'][0]
  found = {}
  for name, title in words.TITLES.items():
    at = reach.stated(fits['laws'][name], C)
    if fits['laws'][name]['status'] == 'ok' and at is not None:
      found[title.partition(',')[0]] = at
  return found


def _too_wide(at: At) -> str:
  """Why an approach's intervals tell nothing, or ''."""
  for name in ('N', 'D'):
    low, high = (at[f'{name}_opt'][end] for end in ('low', 'high'))
    if low is None or high is None:
      return f'open on {name}, and cannot tell'
    if low <= 0 or high / low > TOO_WIDE:
      ends = ' to '.join(map(words.short, (low, high)))
      return f'too wide to tell ({name} from {ends})'
  return ''


def _listed(numbers: Sequence[str]) -> str:
  return f'{", ".join(numbers[:-1])} and {numbers[-1]}'


class Held(NamedTuple):
  """How the losses of the largest budget met what was foretold of them.

  Attributes:
    inside, n: so many of n lie in their intervals.
    narrow: whether chance alone leaves as few inside less often than CHANCE.
  """

  inside: int
  n: int
  narrow: bool


def held(fits: Fits) -> Held | None:
  """None where no loss was foretold with an interval."""
  runs = fits['hold_out'].get('runs') or []
  known = [run['inside'] for run in runs if run['inside'] is not None]
  if fits['hold_out']['status'] != 'ok' or not known:
    return None
  # As of independent runs. They share the law's error, which makes all of them
  # miss together: it is that error that the intervals leave out.
  chance = stats.binom.cdf(sum(known), len(known), fits['level'])
  return Held(sum(known), len(known), bool(chance < CHANCE))


def narrow(fits: Fits) -> str:
  """The verdict where fewer losses lie inside than should, else ''."""
  found = held(fits)
  if not found or not found.narrow:
    return ''
  return (
    f'Fewer losses lie inside than should at {headline.level(fits)}: the'
    ' intervals of this law are too narrow ahead of the runs.'
  )


def tested(fits: Fits) -> str:
  """How far ahead the answer's law was tested, and how far it is asked."""
  law = calculator.source(fits)
  if law is None:
    return ''
  part = fits['hold_out']
  found, ahead = held(fits), part.get('ahead')
  said = ''
  if law == 'parametric' and found:
    said = f'{found.inside} of {found.n} losses lie in the intervals foretold'
  elif law == 'isoflop':
    for own in part.get('optima') or []:
      if own['law'] == 'isoflop' and own['inside'] is not None:
        said = (
          'the interval foretold for N_opt meets the one found'
          if own['inside']
          else 'the intervals of N_opt, foretold and found, lie apart'
        )
  if not said or not ahead:
    return 'Not tested ahead of the runs.'
  fitted = reach.of_law(fits, law)
  asked = fits['source']['targets'][0] / fitted.high if fitted else 1
  more = f'; this asks for {markup.times(asked)}' if asked > 1.01 else ''
  return f'Tested {markup.times(ahead)} ahead: {said}{more}.'
