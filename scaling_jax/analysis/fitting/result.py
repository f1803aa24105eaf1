"""What a fit returns: its status first, then numbers with intervals.

An interval is made when it is asked for, at the level that is asked for: a fit
keeps its draws, and its status never depends on a level.
"""

from collections.abc import Callable, Iterable, Iterator
import dataclasses
import enum
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from scaling_jax import formatting
from scaling_jax import tables

LEVEL = 0.95  # at which a status is judged, whatever level is asked for

Number = Any  # float, or array of floats


class Status(enum.StrEnum):
  """Whether a fit answers, and if not, why.

  >>> Status('ok') is Status.OK, Status.OK == 'ok'
  (True, True)
  """

  OK = 'ok'
  MINIMUM_AT_EDGE = 'minimum_at_edge'
  NO_MINIMUM = 'no_minimum'
  NO_DEGREES_OF_FREEDOM = 'no_degrees_of_freedom'
  TOO_FEW_POINTS = 'too_few_points'
  NOT_CONVERGED = 'not_converged'
  NOT_IDENTIFIED = 'not_identified'


@dataclasses.dataclass(frozen=True, eq=False)
class Interval:
  """A number between two ends; or arrays of them.

  Attributes:
    value: the estimate; nan where there is none.
    low, high: the ends; -inf or inf where one is open, nan where the interval
      is not known.

  >>> x = Interval(0.5, 0.45, 0.56)
  >>> value, low, high = x
  >>> x.holds(0.46), x.overlaps(Interval(0.7, 0.6, 0.8))
  (True, False)
  """

  value: Number
  low: Number = np.nan
  high: Number = np.nan

  @classmethod
  def exact(cls, x: Number) -> 'Interval':
    """What was given, and not estimated."""
    return cls(x, x, x)

  def __iter__(self) -> Iterator[Number]:
    return iter((self.value, self.low, self.high))

  def __str__(self) -> str:
    if np.ndim(self.value):
      return '\n'.join(map(str, self.rows()))
    return formatting.interval(self)

  def __eq__(self, other: object) -> bool:
    return isinstance(other, Interval) and all(
      np.array_equal(one, two, equal_nan=True) for one, two in zip(self, other)
    )

  def __hash__(self) -> int:
    return hash(tuple(np.asarray(x, float).tobytes() for x in self))

  def rows(self) -> list['Interval']:
    """One interval for each entry of arrays."""
    return [Interval(*map(float, row)) for row in zip(*map(np.ravel, self))]

  @property
  def known(self) -> bool:
    """Whether the estimate and both of its ends are finite."""
    return bool(np.all(np.isfinite(list(self))))

  def map(self, of: Callable[[Number], Number]) -> 'Interval':
    """A rising function of it; ends that are open stay open."""
    value, low, high = (np.asarray(x, float) for x in self)
    with np.errstate(over='ignore', invalid='ignore'):
      return Interval(
        of(value)[()],
        np.where(np.isneginf(low), low, of(low))[()],
        np.where(np.isposinf(high), high, of(high))[()],
      )

  def scaled(self, factor: float) -> 'Interval':
    """Measured in another unit; the factor is positive."""
    return self.map(lambda x: x * factor)

  def widened(self, bias: float | None, *, ratio: bool = False) -> 'Interval':
    """Stretched to where it would lie without a bias that is predicted.

    Args:
      bias: estimate minus truth; of its logarithm if `ratio`; None or nan for
        none.
      ratio: whether the bias is a factor and not a difference.
    """
    if bias is None or not np.isfinite(bias):
      return self
    down, up = -max(bias, 0.0), -min(bias, 0.0)
    if ratio:
      low, high = self.low * np.exp(down), self.high * np.exp(up)
    else:
      low, high = self.low + down, self.high + up
    return Interval(self.value, low, high)

  def holds(self, x: float) -> bool | None:
    """Whether it holds x; None where an end is open or unknown."""
    if not np.isfinite([self.low, self.high]).all():
      return None
    return bool(self.low <= x <= self.high)

  def overlaps(self, other: 'Interval') -> bool | None:
    """Whether the two share a number; None where an end is open or unknown."""
    ends = [self.low, self.high, other.low, other.high]
    if not np.isfinite(ends).all():
      return None
    return bool(self.low <= other.high and other.low <= self.high)


UNKNOWN = Interval(np.nan)


def percentile_interval(
  value: Number, draws: np.ndarray | None, level: float
) -> Interval:
  """An estimate between the percentiles of its draws.

  Args:
    value: the estimate, or an array [...] of them; nan where there is none.
    draws: [B, ...] what it might have been; None or empty where that is not
      known. A draw that is not finite counts as unbounded on both sides: an
      interval whose tail holds such draws is open there.
    level: of the interval, such as 0.95.
  """
  check_level(level)
  value = np.asarray(value, float)
  if draws is None or not len(draws):
    return Interval(value[()], *2 * (np.full(value.shape, np.nan)[()],))
  drawn = np.asarray(draws, float)
  tail = (1 - level) / 2
  undefined = ~np.isfinite(drawn)
  below = np.sort(np.where(undefined, -np.inf, drawn), axis=0)
  above = np.sort(np.where(undefined, np.inf, drawn), axis=0)
  last = len(drawn) - 1
  low = below[int(np.floor(last * tail))]
  high = above[int(np.ceil(last * (1 - tail)))]
  known = np.isfinite(value)
  return Interval(
    np.where(known, value, np.nan)[()],
    np.where(known, np.minimum(low, value), np.nan)[()],
    np.where(known, np.maximum(high, value), np.nan)[()],
  )


def check_level(level: float) -> None:
  """Raises ValueError unless 0 < level < 1."""
  if not 0 < level < 1:
    raise ValueError(f'level={level} must lie between 0 and 1; try level=0.95')


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
  """A number, and what it might have been: an interval at any level.

  Attributes:
    value: the estimate; nan where there is none.
    draws: [B] what it might have been; None where that is not known.
    bias: estimate minus truth, as predicted; it widens every interval.
    log: whether value, draws and bias are of the number's logarithm.
  """

  value: float = np.nan
  draws: np.ndarray | None = None
  bias: float | None = None
  log: bool = False

  @property
  def center(self) -> float:
    """The number itself, also where its logarithm is kept."""
    with np.errstate(over='ignore'):
      return float(np.exp(self.value) if self.log else self.value)

  def at(self, level: float = LEVEL) -> Interval:
    found = percentile_interval(self.value, self.draws, level)
    if self.log:
      found = found.map(np.exp)
    return found.widened(self.bias, ratio=self.log)


class Diagnostics(NamedTuple):
  """What a search ended with; see `multistart.minimize`.

  Attributes:
    objective: the sum of w · Huber(residual) at the minimum.
    gradient_norm: the largest entry of its gradient, per delta, in conditioned
      parameters; at most 1e-5 where it converged.
    condition: of the residuals' Jacobian, runs weighted as the Huber loss
      weights them: largest over smallest singular value; at most 1e6 where the
      data identify the law.
    n_starts: starts tried.
    n_agree: starts that ended at this objective within one in a million, and
      at these parameters within one in a hundred; three or more where it
      converged.
    solver: whose result it is.
    spread: how far parameters lie apart where objectives agree, relative, or
      absolute below one; at most 0.01 where the minimum is not flat.
  """

  objective: float
  gradient_norm: float
  condition: float
  n_starts: int
  n_agree: int
  solver: str
  spread: float = 0.0


class ResidualSD(NamedTuple):
  """The standard deviation of log L about a fit, and its degrees of freedom."""

  sd: float
  dof: int

  @classmethod
  def of(cls, residuals: np.ndarray, n_params: int) -> 'ResidualSD | None':
    """From residuals of a fit; None without a degree of freedom."""
    dof = int(np.size(residuals)) - n_params
    if dof < 1:
      return None
    return cls(float(np.sqrt(np.sum(np.square(residuals)) / dof)), dof)

  @classmethod
  def pooled(cls, some: Iterable['ResidualSD']) -> 'ResidualSD | None':
    """The sd of which all of these are estimates; None of none."""
    known = tuple(some)
    dof = sum(one.dof for one in known)
    squares = sum(one.dof * one.sd**2 for one in known)
    return cls(float(np.sqrt(squares / dof)), dof) if dof else None

  def scales(self, rng: np.random.Generator, draws: int) -> np.ndarray:
    """[draws] standard deviations that this one might stand for."""
    return self.sd * np.sqrt(self.dof / rng.chisquare(self.dof, draws))

  def interval(self, level: float = LEVEL) -> Interval:
    """By the chi-square distribution of the variance."""
    check_level(level)
    tail = (1 - level) / 2
    # Quantiles of chi-square; scipy.stats takes a second to import.
    least, most = 2 * special.gammaincinv(self.dof / 2, [tail, 1 - tail])
    return Interval(
      self.sd,
      float(self.sd * np.sqrt(self.dof / most)),
      float(self.sd * np.sqrt(self.dof / least)),
    )


def asked(C: npt.ArrayLike | None, D: npt.ArrayLike | None) -> np.ndarray:
  """Whichever of FLOPs and tokens an optimum is asked for, as floats.

  Raises:
    ValueError: both or neither are given, or one is not positive.
  """
  if (C is None) == (D is None):
    raise ValueError('optimum takes C= or D=, one of the two: pass C=1e21')
  name, given = ('C', C) if D is None else ('D', D)
  out = np.asarray(given, float)[()]
  if not np.all((out > 0) & np.isfinite(out)):
    raise ValueError(f'{name}={given!r} must be positive; try {name}=1e12')
  return out


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Allocation:
  """What to train: C FLOPs, N parameters, D tokens, and the loss it reaches.

  What was asked for is exact. `loss` is unknown where a fit states none.
  """

  C: Interval
  N: Interval
  D: Interval
  loss: Interval = UNKNOWN

  @property
  def tokens_per_param(self) -> Interval:
    """D / N; from the least D on the most N to the reverse."""
    with np.errstate(divide='ignore', invalid='ignore'):
      return Interval(
        self.D.value / self.N.value,
        self.D.low / self.N.high,
        self.D.high / self.N.low,
      )

  def __str__(self) -> str:
    parts = [
      f'{formatting.interval(self.N, formatting.count)} parameters',
      f'{formatting.interval(self.D, formatting.count)} tokens',
      f'{formatting.interval(self.C, formatting.flops)} FLOPs',
    ]
    if np.isfinite(self.loss.value):
      parts.append(f'a loss of {self.loss}')
    return ', '.join(parts)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class FitResult:
  """What every fit returns: a status, a message, estimates with intervals.

  Estimates never raise for a status: they are nan where the fit has none.

  Attributes:
    status: whether the fit answers.
    message: the status for people, in one sentence without its full stop.
    notes: what else speaks for or against it, likewise.
    diagnostics: what the search ended with; None where none was made.
  """

  title: ClassVar[str] = ''

  status: Status
  message: str = ''
  notes: tuple[str, ...] = ()
  diagnostics: Diagnostics | None = None

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  def estimates(self) -> dict[str, Estimate]:
    """Each parameter with its draws, by name."""
    raise NotImplementedError

  @property
  def params(self) -> dict[str, float]:
    """The value of each parameter, by name; nan where there is none."""
    return {name: one.center for name, one in self.estimates().items()}

  def conf_int(self, level: float = LEVEL) -> dict[str, Interval]:
    """Each parameter with its interval at a level, by name."""
    return {name: one.at(level) for name, one in self.estimates().items()}

  def summary(self, level: float = LEVEL) -> tables.Table:
    """A table: text in a terminal, HTML in a notebook.

    The status stands in the place of every number where the fit is not ok.
    """
    table = tables.Table(type(self).__name__, self.title or type(self).__name__)
    for name, one in self.conf_int(level).items():
      table.add(
        {'parameter': name, 'estimate': one, 'status': str(self.status)},
        {
          'parameter': name,
          f'estimate, {formatting.percent(level)} interval': (
            formatting.estimate(one, self.status)
          ),
        },
      )
    first = f'{self.status}: {self.message}' if self.message else self.status
    for note in (first, *self.notes):
      table.notes.append(note.removesuffix('.') + '.')
    if self.diagnostics is not None:
      table.notes.append(formatting.diagnostics(self.diagnostics))
    return table

  def plot(self, ax=None):
    """Draws the fit and what it was fitted to; returns the Axes.

    Args:
      ax: matplotlib Axes of one's own; a new figure's if None.
    """
    from scaling_jax.analysis.fitting import plots

    return plots.plot(self, ax)

  def to_json(self) -> str:
    """The whole fit, draws included, as the text of a file for `load_fit`."""
    from scaling_jax.analysis.fitting import codec

    return codec.dumps(self)

  def __str__(self) -> str:
    return str(self.summary())

  def _repr_html_(self) -> str:
    return self.summary()._repr_html_()
