"""Whether N, D and C of a table agree with one another, before any fit.

C / 6ND is 1 where C counts two matrix products a parameter forward and four
backward; with attention, the head or embeddings in one of the two it is other,
but smooth in N. What is far off has a unit that nobody stated.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import itertools

import numpy as np

from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.errors import UserError
from scaling_jax.records import Run

LOW, HIGH = 0.7, 4.0  # of C / 6ND, whatever is counted
_FEWEST = 0.5  # of the rows must agree, or all are in doubt
_MOST_OFF = 0.2  # of the rows may be off a smooth line
_JUMP = 0.15  # of log C / 6ND, the least that is called one
_DEVIATIONS = 6.0  # robust ones likewise
_SMALLEST = {Role.N: 3e3, Role.D: 2e4}  # that a table's largest run may have
_NEVER = 500  # parameters, but for those of a unit; Kaplan's least are 768
_RATIO = (1e-2, 1e7)  # tokens a parameter
_UNITS: dict[str, tuple[str, ...]] = {
  Role.N: ('', 'k', 'M', 'B'),
  Role.D: ('', 'k', 'M', 'B', 'T'),
  Role.C: ('', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP', '1e21', 'PF-days'),
}
_RARE = {'k': 1.0, 'T': 1.0, '1e21': 0.5}  # next to a unit that is usual
# Of sizes that have a unit by their name already, which may be wrong.
_BARE: dict[str, str] = {Role.N: 'params', Role.D: 'tokens', Role.C: 'FLOP'}
_APART = np.log(3e3)  # of log D/N: no design has such a gap
_FEWEST_TO_PART = 4  # rows, of which some may be in another unit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checked:
  """What disagrees.

  Attributes:
    excluded: index of a run -> why.
    notes: a message each.
  """

  excluded: Mapping[int, str] = dataclasses.field(default_factory=dict)
  notes: tuple[str, ...] = ()


def check(
  runs: Sequence[Run],
  *,
  source: str,
  stated: bool = True,
  derived: Mapping[str, str] | None = None,
  factors: Mapping[str, float] | None = None,
  trusted: bool = False,
) -> Checked:
  """Holds C against 6ND in every run.

  Args:
    runs: of one table.
    source: as people are told.
    stated: whether C was, beside N and D.
    derived: which of N, D and C follow from the others, and how.
    factors: that sizes were multiplied by, for the units they were stated in.
    trusted: whether to fit them as they are, whatever they are.

  Raises:
    UserError: most runs are off, with the unit that would explain it.

  >>> runs = [Run(str(i), N=2e7, D=4e9, C=5e17 * (1e3 if i == 3 else 1))
  ...         for i in range(9)]
  >>> check(runs, source='runs.csv').excluded.keys()
  dict_keys([3])
  """
  derived = derived or {}
  if not runs or trusted:
    return Checked()
  N, D, C = (
    np.array([getattr(run, name) for run in runs], float) for name in 'NDC'
  )
  three = stated and Role.N not in derived and Role.D not in derived
  ratio = C / (6 * N * D) if three else np.ones(len(N))
  fits = (ratio >= LOW) & (ratio <= HIGH)
  if np.mean(fits) < _FEWEST or not _plausible(N, D):
    raise UserError(
      _refusal(source, N, D, C, ratio, derived, stated, factors or {})
    )
  if not three:
    return _jumps_of_size(N, D)
  excluded = {
    int(i): messages.off(
      float(ratio[i]), _likely(N[i], D[i], C[i], derived, {})
    )
    for i in np.flatnonzero(~fits)
  }
  rest = np.flatnonzero(fits)
  jumps, smooth = _jumps(np.log(N[rest]), np.log(ratio[rest]))
  few = 0 < len(jumps) <= _MOST_OFF * len(rest)
  notes: tuple[str, ...] = ()
  if few:
    for j in jumps:
      i = int(rest[j])
      excluded[i] = messages.jumps(float(ratio[i]), float(np.exp(smooth[j])))
  elif len(jumps):
    notes = (messages.many_jumps(source, len(jumps), len(runs)),)
  return Checked(excluded=excluded, notes=notes)


def must_be_sizes(N: np.ndarray, D: np.ndarray) -> None:
  """Refuses arrays [n] that can't be parameters and tokens.

  Raises:
    UserError: with what they would be in millions and billions.

  >>> must_be_sizes(np.array([1e7, 2e7]), np.array([1e9, 1e9]))
  """
  if not _plausible(N, D):
    likely = _likely(
      float(np.median(N)), float(np.median(D)), 1.0, {'C': '6ND'}, {}
    )
    by = {name: numbers.factor(unit) or 1.0 for name, unit in likely.items()}
    raise UserError(messages.no_sizes(N, D, by))


def _plausible(N: np.ndarray, D: np.ndarray) -> bool:
  """Whether the sizes can be those of language models at all."""
  low, high = _RATIO
  typical = float(np.median(D / N))
  return bool(
    N.max() >= _SMALLEST[Role.N]
    and D.max() >= _SMALLEST[Role.D]
    and low <= typical <= high
  )


def _jumps_of_size(N: np.ndarray, D: np.ndarray) -> Checked:
  """Rows whose tokens a parameter are thousands of times off all others.

  Where C follows from N and D, or one of them from it, nothing else tells.
  """
  log = np.log(D / N)
  off = ~_together(log)
  off |= (N < _NEVER) & (np.median(N) > 30 * _SMALLEST[Role.N])
  off |= (D < _SMALLEST[Role.D]) & (np.median(D) > 30 * _SMALLEST[Role.D])
  return Checked(
    excluded={
      int(i): messages.odd_ratio(float(N[i]), float(D[i]))
      for i in np.flatnonzero(off)
    }
  )


def _together(log_ratio: np.ndarray) -> np.ndarray:
  """[n] whether each is of the most that no gap parts; those near 20 first."""
  if len(log_ratio) < _FEWEST_TO_PART:
    return np.ones(len(log_ratio), bool)
  order = np.argsort(log_ratio, kind='stable')
  gaps = np.diff(log_ratio[order], prepend=log_ratio[order[:1]])
  part = np.empty(len(order), int)
  part[order] = np.cumsum(gaps > _APART)
  middle = [
    abs(float(np.median(log_ratio[part == k])) - np.log(20))
    for k in range(part.max() + 1)
  ]
  best = min(range(len(middle)), key=lambda k: (-np.sum(part == k), middle[k]))
  return part == best


def _jumps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Indices of the points off a smooth curve, and the curve [n].

  A line, or a parabola where there are enough sizes, by least absolute
  deviations.
  """
  degree = min(2, len(np.unique(np.round(x, 6))) // 3)
  basis = np.vander(x - np.mean(x), degree + 1)
  weight = np.ones(len(x))
  curve = np.full(len(x), np.median(y) if len(y) else 0.0)
  for _ in range(30 if len(x) > degree + 1 else 0):
    root = np.sqrt(weight)
    solved = np.linalg.lstsq(basis * root[:, None], y * root, rcond=None)[0]
    curve = basis @ solved
    weight = 1 / np.maximum(np.abs(y - curve), 1e-4)
  off = np.abs(y - curve)
  spread = 1.4826 * float(np.median(off)) if len(off) else 0.0
  return np.flatnonzero(off > max(_JUMP, _DEVIATIONS * spread)), curve


def _likely(
  N: float,
  D: float,
  C: float,
  derived: Mapping[str, str],
  factors: Mapping[str, float],
) -> dict[str, str]:
  """The units that would make sizes agree, the fewest first; {} for none."""
  found = []
  options = [
    (*units, _BARE[role]) if factors.get(role, 1.0) != 1 else units
    for role, units in _UNITS.items()
  ]
  for units in itertools.product(*options):
    chosen = dict(zip(_UNITS, units))
    if any(chosen[role] for role in derived):
      continue
    scale = {
      role: (numbers.factor(unit) or 1.0) / factors.get(role, 1.0)
      if unit
      else 1
      for role, unit in chosen.items()
    }
    n, d, c = N * scale[Role.N], D * scale[Role.D], C * scale[Role.C]
    if Role.N in derived:
      n = c / (6 * d)
    elif Role.D in derived:
      d = c / (6 * n)
    elif Role.C in derived:
      c = 6 * n * d
    if not LOW <= c / (6 * n * d) <= HIGH:
      continue
    if not (1e4 <= n <= 1e13 and 1e6 <= d <= 1e15 and 0.1 <= d / n <= 3e5):
      continue
    named = {str(role): unit for role, unit in chosen.items() if unit}
    rare = sum(_RARE.get(unit, 0.0) for unit in named.values())
    small = (n < 1e6) + (d < 1e8)  # for anything but M and B
    # Of as many units, those that put the tokens near 20 a parameter, and N
    # among the sizes that laws are fitted to.
    odd = abs(np.log(d / n / 20)) + 0.3 * abs(np.log(n / 2e8))
    found.append((len(named) + rare + small, odd, named))
  return min(found, key=lambda one: one[:2])[2] if found else {}


def _refusal(
  source: str,
  N: np.ndarray,
  D: np.ndarray,
  C: np.ndarray,
  ratio: np.ndarray,
  derived: Mapping[str, str],
  stated: bool,
  factors: Mapping[str, float],
) -> str:
  n, d, c = (float(np.median(x)) for x in (N, D, C))
  all_derived = derived if stated else {**derived, Role.C: '6ND'}
  likely = _likely(n, d, c, all_derived, factors)
  if np.mean((ratio >= LOW) & (ratio <= HIGH)) < _FEWEST:
    return messages.all_off(source, ratio, likely, (LOW, HIGH))
  return messages.implausible(source, N, D, likely)
