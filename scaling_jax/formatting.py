"""Every number that a person reads, as text: one module, one way.

A number that is not known (None, nan, or an end that is open) is '?'. Digits are
significant ones, and zeros at their end are digits too: 1.500 is known better
than 1.5.
"""

from collections.abc import Callable
import math
from typing import Any

UNKNOWN = '?'
NOTHING = '–'
_SUFFIXES = ' KMBTQ'
_SHOWN = ('ok', 'no_degrees_of_freedom')  # statuses that show their numbers
_SUPERSCRIPTS = str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻')
_DAY_S, _YEAR_S = 86_400.0, 365.25 * 86_400
_PREFIXES = (
  (1e18, 'E'), (1e15, 'P'), (1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')
)  # fmt: skip
_MOST_DIGITS = 9  # of a share just below one
_MILLION = 999_999.5  # what is below is shown as a whole number below 1e6
_LARGEST = 1e18  # beyond the last suffix

Show = Callable[[Any], str]


def _known(x: Any) -> bool:
  return x is not None and math.isfinite(x)


def scientific(x: float | None, digits: int = 4) -> str:
  """Digits and a power of ten: 3.052e-7, 1e14.

  >>> scientific(3.052e-7), scientific(9.996e13, 3), scientific(6e13)
  ('3.052e-7', '1e14', '6e13')
  """
  if not _known(x):
    return UNKNOWN
  assert x is not None
  if x == 0:
    return '0'
  mantissa, exponent = f'{x:.{digits - 1}e}'.split('e')
  return f'{_trimmed(mantissa)}e{int(exponent)}'


def number(x: float | None, digits: int = 4) -> str:
  """Significant digits, as people write them.

  Whole numbers below a million keep all their digits.

  >>> number(1.5), number(221_664), number(999_960), number(None)
  ('1.500', '221,664', '999,960', '?')
  >>> number(0.000000305), number(9.996e13, 3)
  ('3.05e-7', '1e14')
  """
  if not _known(x):
    return UNKNOWN
  assert x is not None
  if x == 0:
    return '0'
  size = abs(float(f'{x:.{digits}g}'))
  if size >= 1000 and abs(x) < _MILLION:
    return f'{x:,.{_places(size, digits)}f}'
  if 1e-3 <= size < 1000:
    return _significant(x, digits)
  return scientific(x, digits)


def plain(x: float | None, digits: int = 3) -> str:
  """So many digits, without a power of ten or zeros at the end.

  >>> plain(0.0412), plain(6.8), plain(1234.5, 2)
  ('0.0412', '6.8', '1,200')
  """
  if not _known(x):
    return UNKNOWN
  assert x is not None
  if x == 0:
    return '0'
  return _trimmed(_significant(x, digits))


def _significant(x: float, digits: int) -> str:
  """So many digits without a power of ten, zeros at the end kept."""
  rounded = float(f'{x:.{digits}g}')
  return f'{rounded:,.{_places(rounded, digits)}f}'


def _places(x: float, digits: int) -> int:
  """Decimals that so many significant digits take."""
  size = math.floor(math.log10(abs(x))) if x else 0
  return max(0, digits - 1 - size)


def _readable(x: float, digits: int) -> str:
  """As `plain`, but for what would be a row of zeros."""
  if not _known(x) or x == 0 or 1e-6 <= abs(x) < 1e9:
    return plain(x, digits)
  return scientific(x, digits)


def _trimmed(text: str) -> str:
  return text.rstrip('0').rstrip('.') if '.' in text else text


def count(x: float | None, digits: int = 4) -> str:
  """A count of parameters or tokens, exact below a million.

  >>> count(512), count(86_612), count(3_937_408), count(999_999.7)
  ('512', '86,612', '3.937M', '1.000M')
  """
  if not _known(x):
    return UNKNOWN
  assert x is not None
  if abs(x) < _MILLION and float(x).is_integer():
    return whole(x)
  if abs(x) < _MILLION or abs(float(f'{x:.{digits}g}')) >= _LARGEST:
    return number(x, digits)
  return _with_suffix(x, digits, zeros=True)


def whole(x: float | None) -> str:
  """A whole number with all its digits.

  >>> whole(50_143_232), whole(None)
  ('50,143,232', '?')
  """
  return UNKNOWN if not _known(x) else f'{x:,.0f}'


def loss(x: float | None) -> str:
  """A loss or its standard error to four decimals, which columns align by.

  >>> loss(1.48306), loss(0.002), loss(None)
  ('1.4831', '0.0020', '?')
  """
  return UNKNOWN if not _known(x) else f'{x:.4f}'


def short(x: float | None, digits: int = 3) -> str:
  """A count to three digits, for running text.

  >>> short(86_612), short(1_090_000), short(999_950), short(12)
  ('86.6K', '1.09M', '1M', '12')
  """
  if not _known(x):
    return UNKNOWN
  assert x is not None
  rounded = float(f'{x:.{digits}g}')
  if not 1000 <= abs(rounded) < _LARGEST:
    return plain(x, digits) if 1e-3 <= abs(rounded) < 1000 else number(x)
  return _with_suffix(x, digits, zeros=False)


def _with_suffix(x: float, digits: int, *, zeros: bool) -> str:
  rounded = float(f'{x:.{digits}g}')
  power = math.floor(math.log10(abs(rounded)) / 3 + 1e-12)
  text = _significant(rounded / 1000**power, digits)
  return (text if zeros else _trimmed(text)) + _SUFFIXES[power].strip()


def flops(x: float | None, style: str = 'plain') -> str:
  """FLOPs to three digits: for terminals, for pages, or as mathtext.

  >>> flops(1.28e14), flops(1.28e14, 'unicode'), flops(9.996e13, 'unicode')
  ('1.28e14', '1.28 × 10¹⁴', '10¹⁴')
  """
  if not _known(x):
    return UNKNOWN
  text = scientific(x, 3)
  if style == 'plain' or x == 0:
    return text
  mantissa, _, exponent = text.partition('e')
  sign = mantissa.removesuffix('1') if mantissa in ('1', '-1') else None
  if style == 'unicode':
    ten = '10' + exponent.translate(_SUPERSCRIPTS)
    return f'{mantissa} × {ten}' if sign is None else f'{sign}{ten}'
  ten = rf'10^{{{exponent}}}'
  return rf'${mantissa}\!\times\!{ten}$' if sign is None else f'${sign}{ten}$'


def percent(share: float | None, digits: int = 3) -> str:
  """A share as percent; what is not all of it is not 100%.

  >>> percent(0.95), percent(0.00318), percent(1.2345), percent(0.9999)
  ('95%', '0.318%', '123%', '99.99%')
  """
  if not _known(share):
    return UNKNOWN
  assert share is not None
  while share < 1 and digits < _MOST_DIGITS and plain(share, digits) == '1':
    digits += 1
  return f'{_readable(100 * share, digits)}%'


def chance(p: float) -> str:
  """A test's p-value: no more exact than it can be.

  >>> chance(0.0042), chance(3e-9)
  ('p = 0.004', 'p < 1e-6')
  """
  return 'p < 1e-6' if p < 1e-6 else f'p = {number(p, 1)}'


def many(n: int, word: str) -> str:
  """A count with its noun, in the plural but for one.

  >>> many(1, 'run'), many(2, 'run'), many(1200, 'run')
  ('1 run', '2 runs', '1,200 runs')
  """
  return f'{n:,} {word}' + ('' if n == 1 else 's')


def factor(x: float | None) -> str:
  """How many times: 'ten times', '2.5 times'.

  >>> factor(10), factor(2.46)
  ('ten times', '2.5 times')
  """
  if _known(x) and math.isclose(x or 0.0, 10, rel_tol=1e-6):
    return 'ten times'
  return f'{plain(x, 2)} times'


def duration(seconds: float | None) -> str:
  """Seconds as a person has them.

  >>> duration(0.25), duration(42), duration(485), duration(12_000)
  ('0.25s', '42s', '8m05s', '3h20m')
  >>> duration(580_000), duration(4e10)
  ('6.7 days', '1,270 years')
  """
  if not _known(seconds):
    return UNKNOWN
  s = float(seconds or 0.0)
  return f'-{_duration(-s)}' if s < 0 else _duration(s)


def _duration(s: float) -> str:
  if s < 9.95:
    return f'{_readable(s, 2)}s'
  whole_s, whole_min = round(s), round(s / 60)
  if whole_s < 60:
    return f'{whole_s}s'
  if whole_s < 3600:
    return f'{whole_s // 60}m{whole_s % 60:02d}s'
  if whole_min < 24 * 60:
    return f'{whole_min // 60}h{whole_min % 60:02d}m'
  if s < _YEAR_S:
    days = s / _DAY_S
    text, unit = plain(days, 2) if days < 9.95 else whole(days), 'day'
  else:
    text, unit = _readable(s / _YEAR_S, 3), 'year'
  return f'{text} {unit}' + ('' if text == '1' else 's')


def rate(x: float | None, unit: str) -> str:
  """A rate with an SI prefix.

  >>> rate(28_234, 'tok/s'), rate(1.97e10, 'FLOP/s'), rate(950, 'tok/s')
  ('28.2 ktok/s', '19.7 GFLOP/s', '950 tok/s')
  """
  if not _known(x):
    return f'{UNKNOWN} {unit}'
  assert x is not None
  rounded = float(f'{x:.3g}')
  for size, prefix in _PREFIXES:
    # Below ten thousand a number of four digits is shorter than one with k.
    if abs(rounded) >= max(size, 1e4):
      return f'{_readable(rounded / size, 3)} {prefix}{unit}'
  return f'{_readable(x, 4)} {unit}'


def interval(found: Any, show: Show = number) -> str:
  """value [low, high]; the value alone where it is exact.

  Args:
    found: has value, low and high; an end that is open is '?'.
    show: a number as text.

  >>> import types
  >>> interval(types.SimpleNamespace(value=1.82, low=1.77, high=float('inf')))
  '1.820 [1.770, ?]'
  """
  value, low, high = found.value, found.low, found.high
  if not _known(value):
    return NOTHING
  if _known(low) and low == high:
    return show(value)
  return f'{show(value)} [{show(low)}, {show(high)}]'


def estimate(found: Any, status: str = 'ok', show: Show = number) -> str:
  """value [low, high], or the status where the value is not to be trusted.

  Args:
    found: has value, low and high.
    status: of the fit it comes from; 'ok' and 'no_degrees_of_freedom' show it.
    show: a number as text.

  >>> import types
  >>> found = types.SimpleNamespace(value=0.46, low=0.41, high=0.52)
  >>> estimate(found), estimate(found, 'not_converged')
  ('0.4600 [0.4100, 0.5200]', 'not_converged')
  """
  status = str(status)
  if not _known(found.value) or status not in _SHOWN:
    return NOTHING if status == 'ok' else status
  if not _known(found.low) and not _known(found.high):
    return 'no interval' if status == 'ok' else status  # never a bare number
  return interval(found, show)


def diagnostics(found: Any) -> str:
  """What a search ended with, in one line.

  Args:
    found: has objective, gradient_norm, n_agree, n_starts and condition.

  >>> import types
  >>> print(diagnostics(types.SimpleNamespace(
  ...   objective=0.00101827402, gradient_norm=1.7e-06, n_agree=37, n_starts=48,
  ...   condition=61.94)))
  Diagnostics: objective 0.00101827402, gradient 1.7e-6, 37 of 48 starts agree, condition number 61.9
  """
  return (
    f'Diagnostics: objective {_readable(found.objective, 9)}, gradient'
    f' {scientific(found.gradient_norm, 2)}, {found.n_agree} of'
    f' {found.n_starts} starts agree, condition number'
    f' {number(found.condition, 3)}'
  )
