"""What a person has: compute, a machine for some days, text."""

import math
from typing import NamedTuple

from scaling_jax import laws
from scaling_jax.analysis import words
from scaling_jax.errors import UserError
from scaling_jax.planner import hardware
from scaling_jax.planner.known import Token

DAY_S = 86_400.0
FLOPS = (1e6, 1e32)
TOKENS = (100.0, 1e18)
MFU = 0.4  # Llama 3's was 0.38 to 0.43 (arXiv 2407.21783, table 4)


class Limit(NamedTuple):
  """Compute that is there, and what it comes from.

  Attributes:
    C: FLOPs.
    source: in words, with its units.
  """

  C: float
  source: str


class Machine(NamedTuple):
  """Devices, and the rate that training keeps up on them.

  Attributes:
    flops_per_s: of all devices together, peak times mfu.
    words: for people.
  """

  flops_per_s: float
  words: str


class Text(NamedTuple):
  """Tokens to train on.

  Attributes:
    unique: how many there are.
    epochs: how often each may be seen.
    token: what one is.
    source: in words.
  """

  unique: float
  epochs: float
  token: Token
  source: str

  @property
  def D(self) -> float:
    """The most tokens that may be trained on."""
    return self.unique * self.epochs


class Have(NamedTuple):
  """All of it; what was not given is empty.

  Attributes:
    limits: of the compute, the least first.
    machine: None where no device was named.
    text: None where no tokens were given.
  """

  limits: tuple[Limit, ...] = ()
  machine: Machine | None = None
  text: Text | None = None

  @property
  def C(self) -> float | None:
    return self.limits[0].C if self.limits else None


def machine(
  device: str | None,
  peak_tflops: float | None,
  precision: str | None,
  count: int,
  mfu: float,
) -> Machine:
  """A machine by a device's name, or by the peak rate of one.

  Args:
    device: a name that `hardware` knows; or None.
    peak_tflops: of one device, TFLOP/s; where `device` is None.
    precision: of the products; None for the fastest listed that trains.
    count: devices.
    mfu: model FLOPs utilization, the share of the peak that 6 N D per second
      comes to.

  Raises:
    UserError: unknown, or not positive.
  """
  if not 0 < mfu <= 1:
    raise UserError(
      f'--mfu={mfu:g} must be above 0 and at most 1, a share of the peak rate;'
      ' try --mfu=0.4'
    )
  if count < 1:
    raise UserError(f'--count={count} must be 1 device or more; try --count=1')
  if device is not None:
    name, rate, precision = hardware.peak(device, precision)
  else:
    assert peak_tflops is not None
    if precision is not None:
      raise UserError(
        f'--precision={precision} chooses among the rates of a --device, and'
        ' --peak_tflops is one already; leave it away'
      )
    rate = positive('--peak_tflops', peak_tflops, 'TFLOP/s', '11.36') * 1e12
    name = f'{rate / 1e12:g} TFLOP/s device'
  each = f'{mfu:.0%} of {rate / 1e12:,.4g} TFLOP/s'.replace('%', ' %')
  words_ = f'{count:,} × {name} at {each}'
  if device is not None:
    words_ += f' ({precision})'
  return Machine(rate * count * mfu, words_)


def for_days(on: Machine, days: float) -> Limit:
  """What a machine does in so many days."""
  days = positive('--days', days, 'days', '7')
  unit = 'day' if days == 1 else 'days'
  source = f'{days:g} {unit} of {on.words}'
  C = within(source, on.flops_per_s * DAY_S * days, FLOPS, 'FLOPs')
  return Limit(C, source)


def compute(flops: float) -> Limit:
  flops = positive('--flops', flops, 'FLOPs', '5.76e23')
  return Limit(within('--flops', flops, FLOPS, 'FLOPs'), '--flops')


def within(
  what: str, value: float, ends: tuple[float, float], unit: str
) -> float:
  """The value, or a UserError where no law can mean anything."""
  low, high = ends
  if not low <= value <= high:
    raise UserError(
      f'{what} comes to {value:.3g} {unit}: it must be from {low:g} to {high:g}'
      ' for a law to mean anything; check its exponent'
    )
  return value


def positive(flag: str, value: float, unit: str, example: str) -> float:
  """The value, or a UserError where nothing can be planned with it."""
  if not 0 < value < math.inf:
    raise UserError(
      f'{flag}={value:g} must be a positive number ({unit}); try'
      f' {flag}={example}'
    )
  return value


def in_units(C: float) -> str:
  """'5.76e+23 FLOPs (6,667 PF-days)'."""
  return f'{C:.3g} FLOPs ({words.number(C / laws.FLOPS_PER_PF_DAY)} PF-days)'
