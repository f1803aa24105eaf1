"""What there is to train with: compute, a machine for some days, text."""

import dataclasses
import functools
import math
from typing import NamedTuple

from etils import epath

from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax.errors import UserError
from scaling_jax.planner import hardware

DAY_S = 86_400.0
FLOPS = (1e6, 1e32)
TOKENS = (100.0, 1e18)
MFU = 0.4  # Llama 3's was 0.38 to 0.43 (arXiv 2407.21783, table 4)
GIVEN = 'given'


class Limit(NamedTuple):
  """Compute that is there, and what it comes from.

  Attributes:
    C: FLOPs.
    source: for people, with its units.
  """

  C: float
  source: str


@dataclasses.dataclass(frozen=True)
class Machine:
  """Devices for some days, and the rate that training keeps up on them.

  Attributes:
    device: of `hardware.DEVICES`, in any case.
    count: how many devices.
    days: that they are there for; None where only a rate is wanted.
    mfu: model FLOPs utilization: the share of the peak rate that 6 N D per
      second comes to.
    precision: of the products, such as 'bfloat16'; None for the fastest listed.
    peak_tflops: of one device, TFLOP/s, in the place of `device`.

  Raises:
    UserError: a device is unknown, or a number is not positive.

  >>> week = Machine('h100', count=8, days=7)
  >>> print(week)
  8 × h100 at 40% of 989.4 TFLOP/s (bfloat16)
  >>> print(f'{week.compute.C:.3g} FLOPs')
  1.91e+21 FLOPs
  """

  device: str | None = None
  count: int = 1
  days: float | None = None
  mfu: float = MFU
  precision: str | None = None
  peak_tflops: float | None = None

  def __post_init__(self) -> None:
    if not 0 < self.mfu <= 1:
      raise UserError(
        f'mfu={self.mfu:g} must be above 0 and at most 1, a share of the peak'
        f' rate; try mfu={MFU}'
      )
    if self.count < 1:
      raise UserError(
        f'count={self.count} must be 1 device or more; try count=1'
      )
    if self.device is None and self.peak_tflops is None:
      raise UserError(self._no_device())
    if self.device is not None and self.peak_tflops is not None:
      raise UserError(
        f'device={self.device} and peak_tflops={self.peak_tflops:g} are two'
        ' rates: one is enough; drop one of them'
      )
    if self.device is None and self.precision is not None:
      raise UserError(
        f'precision={self.precision} chooses among the rates of a device, and'
        f' peak_tflops={self.peak_tflops:g} is one already; drop precision='
      )
    _ = self.compute  # raises where there is no such rate or amount

  def _no_device(self) -> str:
    given: dict[str, float | str | None] = {
      'days': self.days, 'precision': self.precision,
      'count': None if self.count == 1 else self.count,
      'mfu': None if self.mfu == MFU else self.mfu,
    }  # fmt: skip
    named = [
      f'{name}={x if isinstance(x, str) else as_given(x)}'
      for name, x in given.items()
      if x is not None
    ]
    what = f'{named[0]} is of a machine, and ' if named else ''
    return (
      f'{what}no device is named: device= or peak_tflops= is needed; try'
      ' device=h100'
    )

  @functools.cached_property
  def peak(self) -> hardware.Peak:
    """Of one device."""
    if self.device is not None:
      return hardware.peak(self.device, self.precision)
    assert self.peak_tflops is not None
    rate = positive('peak_tflops', self.peak_tflops, 'TFLOP/s', '11.36')
    return hardware.Peak(f'{rate:g} TFLOP/s device', rate * 1e12, '')

  @property
  def flops_per_s(self) -> float:
    """Of all devices together: peak rate times mfu."""
    return self.peak.flops_per_s * self.count * self.mfu

  @property
  def compute(self) -> Limit | None:
    """What it does in its days; None without days."""
    rate = self.flops_per_s
    if self.days is None:
      return None
    days = positive('days', self.days, 'days', '7')
    unit = 'day' if days == 1 else 'days'
    source, C = f'{as_given(days)} {unit} of {self}', rate * DAY_S * days
    shown = f'{source} comes to {formatting.flops(C)} FLOPs, which'
    return Limit(_within(shown, C, FLOPS, 'FLOPs'), source)

  def __str__(self) -> str:
    device, rate, precision = self.peak
    share = formatting.percent(self.mfu, 2)
    text = f'{self.count:,} × {device} at {share} of {rate / 1e12:,.4g} TFLOP/s'
    return f'{text} ({precision})' if precision else text


class Token(NamedTuple):
  """What a token is: 'characters', 'BPE' or 'unknown', of so many kinds."""

  kind: str
  vocab_size: int | None = None


class Text(NamedTuple):
  """Tokens to train on.

  Attributes:
    unique: how many there are.
    epochs: how often each may be seen.
    token: what one is.
    source: for people.
    name: of the corpus; '' where only a number was given.
  """

  unique: float
  epochs: float = 1.0
  token: Token = Token('unknown')
  source: str = GIVEN
  name: str = ''

  @property
  def D(self) -> float:
    """The most tokens that may be trained on."""
    return self.unique * self.epochs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resources:
  """All of it; what was not given is empty.

  Attributes:
    limits: of the compute, the least first.
    machine: None where none was named.
    text: None where no tokens were given.
  """

  limits: tuple[Limit, ...] = ()
  machine: Machine | None = None
  text: Text | None = None

  @property
  def C(self) -> float | None:
    return self.limits[0].C if self.limits else None


def gather(
  flops: float | None = None,
  machine: Machine | None = None,
  text: Text | None = None,
) -> Resources:
  """What was given, once it proves enough to plan with.

  Args:
    flops: compute, FLOPs.
    machine: bounds it too, where it has days.
    text: tokens to train on.

  Raises:
    UserError: nothing bounds the compute or the tokens.
  """
  limits = [] if flops is None else [given_compute(flops)]
  if machine is not None and machine.compute is not None:
    limits.append(machine.compute)
  if not limits and text is None:
    what = f'{machine} alone is no amount' if machine else 'nothing is given'
    raise UserError(
      f'{what}: flops=, days= of a device=, tokens= or corpus= is needed; try'
      ' flops=1e21'
    )
  limits.sort(key=lambda limit: limit.C)
  return Resources(limits=tuple(limits), machine=machine, text=text)


def given_compute(flops: float) -> Limit:
  flops = positive('flops', flops, 'FLOPs', '5.76e23')
  shown = f'flops={as_given(flops)}'
  return Limit(_within(shown, flops, FLOPS, 'FLOPs'), GIVEN)


def text_of(
  tokens: float | None = None,
  corpus: epath.PathLike | None = None,
  *,
  tokenizer: str | None = None,
  vocab_size: int | None = None,
  epochs: float = 1.0,
) -> Text | None:
  """Tokens by their number or by the text that holds them; None without.

  Args:
    tokens: to train on.
    corpus: a file, a folder of .txt files, or a prepared corpus.
    tokenizer: 'char', or an encoding of tiktoken's such as 'gpt2'.
    vocab_size: of tokens that are given by their number.
    epochs: passes over the text that are allowed.

  Raises:
    UserError: there is no such text, or a number is not positive.
  """
  if tokens is not None and corpus is not None:
    raise UserError(
      f'tokens={as_given(tokens)} and corpus={corpus} are two texts: one is enough;'
      ' drop one of them'
    )
  epochs = positive('epochs', epochs, 'passes', '4')
  if corpus is not None:
    return _counted(corpus, tokenizer, epochs)
  if tokens is None:
    given = [] if epochs == 1 else [f'epochs={epochs:g}']
    given += [] if tokenizer is None else [f'tokenizer={tokenizer}']
    if given:
      raise UserError(
        f'{given[0]} is of a text, and none is given: tokens= or corpus= is'
        ' needed; try tokens=1e9'
      )
    return None
  unique = positive('tokens', tokens, 'tokens', '73584077')
  _within(f'tokens={as_given(unique)}', unique, TOKENS, 'tokens')
  token = Token('unknown')
  if tokenizer is not None:
    token = Token(_kind(tokenizer), vocab_size)
  return Text(unique, epochs, token)


def _counted(
  corpus: epath.PathLike, tokenizer: str | None, epochs: float
) -> Text:
  from scaling_jax.corpus import count

  found = count.count(corpus, tokenizer)
  shown = f'corpus={corpus} holds {found.train:,} tokens to train on, which'
  _within(shown, found.train, TOKENS, 'tokens')
  source = (
    f'{found.source}, {found.total:,} tokens by {found.tokenizer} of'
    f' {found.vocab_size:,} kinds, less the 10% that validate'
  )
  token = Token(_kind(found.tokenizer), found.vocab_size)
  return Text(found.train, epochs, token, source, found.source)


def _kind(tokenizer: str) -> str:
  from scaling_jax.corpus import count

  return 'characters' if tokenizer == count.CHAR else 'BPE'


def _within(
  shown: str, value: float, ends: tuple[float, float], unit: str
) -> float:
  """The value, or a UserError where no law can mean anything.

  Args:
    shown: the value, and what it is of, to begin the error with.
    value: to look at.
    ends: the least and the most.
    unit: of it.
  """
  low, high = ends
  if not low <= value <= high:
    raise UserError(
      f'{shown} is out of range: it must be from {formatting.flops(low)} to'
      f' {formatting.flops(high)} {unit} for a law to mean anything; check its'
      ' exponent'
    )
  return value


def positive(name: str, value: float, unit: str, example: str) -> float:
  """The value, or a UserError where nothing can be planned with it."""
  if not 0 < value < math.inf:
    raise UserError(
      f'{name}={as_given(value)} must be a positive number ({unit}); try'
      f' {name}={example}'
    )
  return value


def as_given(x: float) -> str:
  """A number as a person would type it.

  >>> as_given(1e20), as_given(0.4), as_given(float('nan'))
  ('1e20', '0.4', 'nan')
  """
  large = math.isfinite(x) and abs(x) >= 1e6
  return formatting.scientific(x, 6) if large else f'{x:g}'


def in_units(C: float) -> str:
  """FLOPs as people have them.

  >>> in_units(5.76e23)
  '5.76e23 FLOPs (6,667 PF-days)'
  """
  pf_days = formatting.number(C / laws.FLOPS_PER_PF_DAY)
  return f'{formatting.flops(C)} FLOPs ({pf_days} PF-days)'
