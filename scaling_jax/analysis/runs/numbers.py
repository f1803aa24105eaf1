"""Numbers as people write them: 1,234,567 and 20.15M, 3,25 and 1.2e9, 5%."""

import decimal
import math
import re
import unicodedata

MISSING = frozenset(
  ('', 'nan', 'none', 'null', 'na', 'n/a', 'n.a.', '-', '–', '—', '<na>', '?',
   'nat', '#n/a', 'missing', 'unknown', 'tbd')
)  # fmt: skip

# What a number is multiplied by, as a suffix of it or as a column's unit.
FACTORS: dict[str, float] = {
  'k': 1e3, 'thousand': 1e3, 'thousands': 1e3,
  'm': 1e6, 'mm': 1e6, 'mn': 1e6, 'mio': 1e6, 'mil': 1e6, 'mega': 1e6,
  'million': 1e6, 'millions': 1e6,
  'b': 1e9, 'bn': 1e9, 'bil': 1e9, 'g': 1e9, 'giga': 1e9,
  'billion': 1e9, 'billions': 1e9,
  # As others write them: Mrd., milliards, miliardi; 万, 亿.
  'millionen': 1e6, 'millones': 1e6, 'milioni': 1e6, 'milhões': 1e6,
  'mrd': 1e9, 'milliarden': 1e9, 'milliard': 1e9, 'milliards': 1e9, 'md': 1e9,
  'miliardi': 1e9, '千': 1e3, '万': 1e4, '百万': 1e6, '亿': 1e8, '十亿': 1e9,
  't': 1e12, 'tn': 1e12, 'tera': 1e12, 'trillion': 1e12, 'trillions': 1e12,
  'p': 1e15, 'peta': 1e15, 'quadrillion': 1e15, 'quadrillions': 1e15,
  'e': 1e18, 'exa': 1e18, 'z': 1e21, 'zetta': 1e21, 'y': 1e24, 'yotta': 1e24,
}  # fmt: skip
PERCENT = frozenset(('%', 'percent', 'percentage', 'pct'))
PFLOP_DAY = 8.64e19  # FLOPs of a PFLOP/s for a day

_PFLOP_DAYS = frozenset(
  ('pfdays', 'pfday', 'pflopdays', 'pflopsdays', 'pflopsday', 'pflopday',
   'petaflopdays', 'petaflopsdays', 'petaflopsday', 'petaflopday', 'pfsdays',
   'petaflopssdays', 'pfd')
)  # fmt: skip
# What is counted adds nothing to a number: '20 B tokens', '6e18 FLOPs'.
_COUNTED = re.compile(
  r'(params?|parameters?|tok(en)?s?|flops?|operations|ops|weights|steps?'
  r'|nats?((per)?token)?)$'
)
_NUMBER = re.compile(
  r"""(?P<number>[+-]?(\d[\d.,'’_\s]*|[.,]\d+)(e[+-]?\d+)?)
      (?P<suffix>[^\d]*)$""",
  re.VERBOSE,
)
_POWER = re.compile(r'(?:(?P<lead>.*?)\s*[*x×·]\s*)?10\s*(?:\^|\*\*)\s*')
_POWERS = re.compile('[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+')
_A_SECOND = re.compile(r'flops?(\s*(/|per)|\s)\s*s')
# What stands behind a number's sign of its error tells nothing of it.
_ERROR = re.compile(r'\s*(±|\+/?-).*')
_SWAPPED = str.maketrans('.,', ',.')
_RAISED = str.maketrans('⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺', '0123456789-+')


def parse(text: str, *, decimal_comma: bool = False) -> float:
  """The number that a cell states; nan where it states none.

  Args:
    text: a cell. Thousands may be set apart by commas, spaces, underscores or
      apostrophes, and a suffix may multiply it: k, M, B or G, T, P, E, Z, or %.
    decimal_comma: whether 3,25 is below 4, and 1.234 above a thousand.

  >>> [parse(x) for x in ('1,234,567', '20.15M', '8.3 B', '1.2e9', '5%', 'a')]
  [1234567.0, 20150000.0, 8300000000.0, 1200000000.0, 0.05, nan]
  >>> parse('1.234,5', decimal_comma=True), parse('6 × 10^18'), parse('1e18')
  (1234.5, 6e+18, 1e+18)
  """
  if not decimal_comma:
    try:
      return float(text)  # by far the most
    except ValueError:
      pass
  if text.strip().casefold() in MISSING:
    return math.nan
  plain = text.strip().casefold().translate(_RAISED).replace('−', '-')
  plain = _ERROR.sub('', plain)
  if any(char in text for char in '⁰¹²³⁴⁵⁶⁷⁸⁹') and '^' not in plain:
    plain = re.sub(r'10([+-]?\d+)$', r'10^\1', plain)
  plain = unicodedata.normalize('NFKC', plain).lstrip('~≈$')
  power = _POWER.match(plain)
  if power and ('^' in plain or '**' in plain):
    lead = power['lead']
    raised = _float(plain[power.end() :], decimal_comma)
    return (_float(lead, decimal_comma) if lead else 1.0) * 10**raised
  found = _NUMBER.match(plain)
  if not found:
    return math.nan
  scale = factor(found['suffix'])
  number = _plain(found['number'], decimal_comma)
  # Of decimals, since 8.3 * 1e9 is not 8.3e9.
  exact = decimal.Decimal(number) if number and scale else None
  return (
    math.nan if exact is None else float(exact * decimal.Decimal(scale or 1))
  )


def _float(text: str, decimal_comma: bool) -> float:
  try:
    return float(_plain(text, decimal_comma))
  except ValueError:
    return math.nan


def _plain(text: str, decimal_comma: bool) -> str:
  """A number's text as Python has it; '' where its commas make no sense."""
  text = re.sub(r"[\s'’_]", '', text)
  if decimal_comma:
    text = text.translate(_SWAPPED)
  thousands = r'[+-]?\d{1,3}(,\d{3})+(\.\d*)?(e[+-]?\d+)?'
  if ',' in text and not re.fullmatch(thousands, text):
    # Groups that are not of three: a decimal comma, where it is the only one.
    text = (
      text.replace(',', '.') if re.fullmatch(r'[^,.]*,[^,.]*', text) else ''
    )
  text = text.replace(',', '')
  return (
    text if re.fullmatch(r'[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?', text) else ''
  )


def _power(match: re.Match[str]) -> str:
  return f'^{match[0].translate(_RAISED)}'


def factor(unit: str) -> float | None:
  """What a unit multiplies by; None where it is not known.

  >>> factor('M'), factor('billions of tokens'), factor('GFLOPs'), factor('')
  (1000000.0, 1000000000.0, 1000000000.0, 1.0)
  >>> factor('PF-days'), factor('1e9'), factor('%'), factor('furlongs')
  (8.64e+19, 1000000000.0, 0.01, None)
  """
  text = _POWERS.sub(_power, unit.strip().casefold())
  if text in PERCENT:
    return 0.01
  if _A_SECOND.search(text) and 'day' not in text:  # no count but a speed
    return None
  joined = re.sub(r'[\s\-_/·*()\[\].,]+', '', text)
  if joined in _PFLOP_DAYS:
    return PFLOP_DAY
  power = re.fullmatch(r'[x×]?(?:1|10)?(?:e|\^|10\^)\+?(\d{1,2})(.*)', joined)
  if power and factor(power[2]) == 1.0:
    return 10.0 ** int(power[1])
  for word in (joined, joined.replace('of', ''), joined.removeprefix('in')):
    bare = _COUNTED.sub('', word)
    if bare == '':
      return 1.0
    if bare in FACTORS:
      return FACTORS[bare]
  return None
