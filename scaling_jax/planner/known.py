"""The laws that a plan may rest on: published ones by name, or one's own.

Each says what it knows of its reach, so that a plan can say where it leaves it.
"""

import abc
import dataclasses
import difflib
from typing import Any, ClassVar, NamedTuple

from etils import epath
import numpy as np

from scaling_jax import laws
from scaling_jax import records
from scaling_jax.analysis import calculator
from scaling_jax.analysis import parametric
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis import words
from scaling_jax.analysis.calculator import Reading
from scaling_jax.analysis.uncertainty import Estimate
from scaling_jax.errors import UserError

LEVEL = 0.95
_DRAWS = 2000

Range = tuple[float, float]


class Token(NamedTuple):
  """What a token is: 'characters', 'BPE' or 'unknown', of so many kinds."""

  kind: str
  vocab_size: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Law(abc.ABC):
  """What a plan asks of a law.

  Attributes:
    name: as the command line has it.
    title: with its source.
    token: what it was fitted on.
    law: its loss in closed form; None where it states none.
    unit: of the loss.
    corpus: the text that it is of; '' if unknown or meant for any.
    silence: why a number may have no interval.
    counts: which parameters N is.
    with_embeddings: whether N counts them.
  """

  name: str
  title: str
  token: Token
  law: laws.Chinchilla | laws.Kaplan | None
  unit: str = 'nats/token'
  corpus: str = ''
  silence: str = ''

  counts: ClassVar[str]
  with_embeddings: ClassVar[bool] = False

  @abc.abstractmethod
  def for_compute(self, C: float) -> Reading:
    """The best use of C FLOPs."""

  @abc.abstractmethod
  def for_tokens(self, D: float) -> Reading:
    """The compute, and the model, that D tokens are best used by."""

  @abc.abstractmethod
  def remarks(self, N: float, D: float) -> list[str]:
    """Where N and D lie outside what the law was fitted on."""

  def loss(self, N: float, D: float) -> Estimate | None:
    """Of N parameters trained on D tokens; None where the law has none."""
    return None if self.law is None else alone(self.law.loss(N, D))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published(Law):
  """A law of a paper, fitted on models of N parameters and D tokens."""

  N: Range
  D: Range

  def remarks(self, N: float, D: float) -> list[str]:
    return [
      *_outside('parameters', N, self.N),
      *_outside('tokens', D, self.D),
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Additive(Published):
  """L = E + A/N^alpha + B/D^beta, maybe with its spread.

  Attributes:
    spread: laws that it might as well have been; None where none is published.
  """

  law: laws.Chinchilla
  spread: laws.Chinchilla | None = None

  counts = 'all parameters, embeddings included'
  with_embeddings = True

  def for_compute(self, C: float) -> Reading:
    best, spread = self.law.optimum(C), self.spread
    drawn = spread.optimum(C) if spread else None
    return self._reading(best, drawn)._replace(C=exactly(C))

  def for_tokens(self, D: float) -> Reading:
    best, spread = self.law.for_tokens(D), self.spread
    drawn = spread.for_tokens(D) if spread else None
    return self._reading(best, drawn)._replace(D=exactly(D))

  def loss(self, N: float, D: float) -> Estimate:
    drawn = self.spread.loss(N, D) if self.spread else None
    return uncertainty.estimate(self.law.loss(N, D), drawn, LEVEL)

  def _reading(self, best, drawn) -> Reading:
    def number(name: str) -> Estimate:
      of = None if drawn is None else getattr(drawn, name)
      return uncertainty.estimate(getattr(best, name), of, LEVEL)

    return Reading(*map(number, ('C', 'N', 'D', 'L', 'tokens_per_param')))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kaplan(Published):
  """Kaplan et al. 2020: N_opt(C) of table 6, D >= 5e3 N^0.74, L(N, D)."""

  law: laws.Kaplan = laws.KAPLAN

  counts = 'non-embedding parameters'

  def for_compute(self, C: float) -> Reading:
    N = float(laws.KAPLAN_N_OPT(C / laws.FLOPS_PER_PF_DAY))
    return self._reading(N, C / (6 * N))._replace(C=exactly(C))

  def for_tokens(self, D: float) -> Reading:
    """The largest model that D tokens train without overfitting."""
    N = float(laws.KAPLAN_TOKENS.inverse(D))
    return self._reading(N, D)._replace(D=exactly(D))

  def _reading(self, N: float, D: float) -> Reading:
    L = self.law.loss(N, D)
    return Reading(*map(alone, (6 * N * D, N, D, L, D / N)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(Law):
  """The law of a fits.json, as its report's calculator reads it.

  Attributes:
    law: None where approach 3 is not ok.
    data: of `calculator.data`.
    parts: the law's five constants with their intervals; empty without it.
    level: of its intervals.
  """

  law: laws.Chinchilla | None
  data: calculator.Data
  parts: dict[str, Estimate]
  level: float
  silence: str = (
    'fits.json states them up to a thousand times the largest budget alone'
  )

  counts = 'as its runs count them'

  def for_compute(self, C: float) -> Reading:
    return self._reading('C', C)

  def for_tokens(self, D: float) -> Reading:
    return self._reading('D', D)

  def remarks(self, N: float, D: float) -> list[str]:
    outside = calculator.beyond(self.data, 6 * N * D)
    return [outside] if outside else []

  def _reading(self, asked: str, x: float) -> Reading:
    # Laws of approach 1 and 2 are not stated by tokens, and none everywhere.
    if calculator.limits(self.data, asked) is not None:
      found = calculator.read(self.data, asked, x)
      if found is not None:
        return found
    at = calculator.central(self.data, asked, x)
    assert at['D'] and at['N']
    C, N, D, ratio = map(alone, (at['C'], at['N'], at['D'], at['D'] / at['N']))
    return Reading(C, N, D, alone(at['L']) if at['L'] else None, ratio)


def alone(x: Any) -> Estimate:
  """A number without an interval."""
  return uncertainty.estimate(x, None, LEVEL)


def exactly(x: float) -> Estimate:
  """What was given, not estimated."""
  return {'value': x, 'low': x, 'high': x}


def _outside(what: str, x: float, fitted: Range) -> list[str]:
  low, high = fitted
  if x < low / 1.01:
    return [
      f'{words.short(x)} {what} are {words.plain(low / x, 2)} times fewer than'
      f' the least it was fitted on, {words.short(low)}'
    ]
  if x > high * 1.01:
    return [
      f'{words.short(x)} {what} are {words.plain(x / high, 2)} times the most it'
      f' was fitted on, {words.short(high)}'
    ]
  return []


# `python benchmarks/published_law.py` prints these of the points of Hoffmann's
# figure 4 that Besiroglu et al. fitted: in log A', log B', log E, alpha, beta.
_MEAN_LOG_N, _MEAN_LOG_D = 20.559283, 23.553231
_COVARIANCE = np.array([
  [3.32606e-03, -1.34585e-03, -4.29794e-04, -8.48470e-04, 3.69183e-04],
  [-1.34585e-03, 4.14760e-03, -5.21694e-04, 2.93577e-04, -1.29027e-03],
  [-4.29794e-04, -5.21694e-04, 1.91027e-04, 1.18956e-04, 1.71161e-04],
  [-8.48470e-04, 2.93577e-04, 1.18956e-04, 2.22275e-04, -8.18922e-05],
  [3.69183e-04, -1.29027e-03, 1.71161e-04, -8.18922e-05, 4.12963e-04],
])  # fmt: skip


def _besiroglu_spread() -> laws.Chinchilla:
  empty = np.empty(0)
  about = parametric.Centred(empty, empty, empty, _MEAN_LOG_N, _MEAN_LOG_D)
  rng = np.random.default_rng(0)
  centre = about.params(laws.BESIROGLU)
  return about.law(rng.multivariate_normal(centre, _COVARIANCE, _DRAWS))


_BPE_32K, _BPE_50K = Token('BPE', 32_000), Token('BPE', 50_257)

PUBLISHED: dict[str, Law] = {
  'hoffmann': Additive(
    name='hoffmann',
    title='Hoffmann et al. 2022 (arXiv 2203.15556), approach 3',
    token=_BPE_32K,
    law=laws.HOFFMANN,
    N=(70e6, 16e9),
    D=(5e9, 500e9),
    silence='the published ones are too narrow for the runs behind them'
    ' (Besiroglu et al. 2024)',
  ),
  'besiroglu': Additive(
    name='besiroglu',
    title='Besiroglu et al. 2024 (arXiv 2404.10102), refit of the same',
    token=_BPE_32K,
    law=laws.BESIROGLU,
    # Of the points fitted: benchmarks/published_law.py.
    N=(5.73e7, 1.62e10),
    D=(8.19e8, 3.18e11),
    spread=_besiroglu_spread(),
  ),
  'kaplan': Kaplan(
    name='kaplan',
    title='Kaplan et al. 2020 (arXiv 2001.08361): N_opt = 1.3e9 C^0.73 (C in'
    ' PF-days), D >= 5e3 N^0.74, and L(N, D)',
    token=_BPE_50K,
    N=(768, 1.5e9),
    D=(22e6, 23e9),
    silence='none was published',
  ),
}


def law_of(name: str) -> Law:
  """A published law by its name, or the law of a fits.json by its path.

  Raises:
    UserError: no such law, no such file, or no law in it is ok.
  """
  known = PUBLISHED.get(name.lower())
  if known is not None:
    return known
  path = epath.Path(name).expanduser()
  if path.is_dir():
    path = path / 'fits.json'
  if path.suffix == '.json' or path.exists():
    return _own(path)
  near = difflib.get_close_matches(name.lower(), PUBLISHED, n=2, cutoff=0.4)
  raise UserError(
    f'--law={name} is not known: it must be one of {", ".join(PUBLISHED)}, or'
    f' the fits.json of an analysis; try --law={" or --law=".join(near)}'
    if near
    else f'--law={name} is not known: it must be the fits.json of an analysis,'
    f' or one of {", ".join(PUBLISHED)}; try --law=besiroglu'
  )


def _own(path: epath.Path) -> Own:
  try:
    fits = records.read_json(path)
  except FileNotFoundError:
    raise UserError(
      f'--law={path} does not exist: it must be the fits.json of an analysis;'
      ' python -m scaling_jax.analysis RUNS... --out=DIR writes one'
    ) from None
  except (ValueError, OSError) as error:
    raise _not_fits(path, error) from error
  try:
    return _read(path, fits)
  except (KeyError, TypeError, AttributeError, AssertionError) as error:
    raise _not_fits(path, error) from error


def _not_fits(path: epath.Path, error: Exception) -> UserError:
  return UserError(
    f'--law={path} is no fits.json ({error!r}): it must be what python -m'
    ' scaling_jax.analysis writes; analyze the runs again'
  )


def _read(path: epath.Path, fits: dict[str, Any]) -> Own:
  name = calculator.source(fits)
  if name is None:
    verdicts = '; '.join(
      f'{title}: {fits["laws"][law]["status"]}'
      for law, title in words.TITLES.items()
    )
    raise UserError(
      f'--law={path} holds no law that is ok ({verdicts}): a plan must rest on'
      ' one; add the runs that its report asks for, or try --law=besiroglu'
    )
  data = calculator.data(fits)
  closed, parts = None, {}
  if data['loss']:
    closed = laws.Chinchilla(*data['loss'])
    parts = {key: fits['laws'][name][key] for key in laws.Chinchilla._fields}
  corpus = (fits.get('made') or {}).get('corpus') or {}
  title = f'{path}, approach {words.TITLES[name]}'
  if corpus.get('name'):
    title += f', on {corpus["name"]}'
  return Own(
    name=_name_of(path),
    title=title,
    token=_token(corpus.get('vocab_size')),
    law=closed,
    unit=fits['source']['unit'],
    corpus=corpus.get('name') or '',
    data=data,
    parts=parts,
    level=fits['level'],
  )


def _name_of(path: epath.Path) -> str:
  """The experiment's, as in runs/quickstart/report/fits.json."""
  folders = [p.name for p in path.resolve().parents if p.name != 'report']
  return next(filter(None, folders), 'own')


def _token(vocab_size: int | None) -> Token:
  """By the vocabulary alone: no script has as few BPE tokens as letters."""
  if not vocab_size:
    return Token('unknown')
  return Token('characters' if vocab_size < 1000 else 'BPE', vocab_size)
