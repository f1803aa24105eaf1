"""Whether the numbers of a table have decimal commas: 3,25 or 3.25."""

from collections.abc import Iterable
import re
from typing import NamedTuple


class Decimals(NamedTuple):
  """What the numbers of a table show.

  Attributes:
    comma: whether 3,25 is a number below 4.
    mixed: whether some cells say the one and some the other.
  """

  comma: bool
  mixed: bool = False


# Of a number whose decimal mark is {d}; {g} groups thousands.
_SURE = r"""
  [-+]?(
    \d*{d}(\d{{1,2}}|\d{{4,}})          # 3,25 and ,5 and 2,91342
    | (0|\d{{4,}}){d}\d+                # 0,125 and 1234,567
    | \d*{d}\d+e[-+]?\d+                # 1,234e9
    | \d{{1,3}}([{g}\ ']\d{{3}})+{d}\d+  # 1.234,567
    | \d{{1,3}}({g}\d{{3}}){{2,}}       # 1.234.567
  )\s*%?
"""
# Of signs, and of what stands between thousands.
_SPELLINGS = str.maketrans('\u00a0\u2009\u202f\u2212\u2019', "   -'")
_BARE = str.maketrans('', '', ".' ")
_FLAGS = re.VERBOSE | re.IGNORECASE
_COMMA = re.compile(_SURE.format(d=',', g=r'\.'), _FLAGS)
_POINT = re.compile(_SURE.format(d=r'\.', g=','), _FLAGS)
_EITHER = re.compile(r'[-+]?\d{1,3},\d{3}')


def find(cells: Iterable[str], delimiter: str = ',') -> Decimals:
  """Looks for a decimal comma in cells.

  Args:
    cells: their text; that which is no number tells nothing.
    delimiter: between the cells. Where no cell is sure, as 2,913 isn't, it
      decides: semicolons stand where commas are taken.

  >>> find(['2,9134', '1e9']).comma, find(['1,234,567', '2.91']).comma
  (True, False)
  >>> find(['2,913'], ';').comma, find(['2,913'], ',').comma
  (True, False)
  """
  comma = point = either = 0
  for cell in cells:
    if len(cell) > 40 or not (',' in cell or '.' in cell):
      continue
    text = _plain(cell)
    comma += bool(_COMMA.fullmatch(text))
    point += bool(_POINT.fullmatch(text))
    either += bool(_EITHER.fullmatch(text))
  if comma or point:
    more = comma > point or (comma == point and delimiter == ';')
    return Decimals(more, mixed=bool(comma and point))
  return Decimals(bool(either) and delimiter == ';')


def with_point(text: str) -> str:
  """A number with a decimal comma as one with a point; other text as it is.

  >>> with_point('1.234,5'), with_point('2,913'), with_point('a,b')
  ('1234.5', '2.913', 'a,b')
  """
  plain = _plain(text)
  if _COMMA.fullmatch(plain) or _EITHER.fullmatch(plain):
    return plain.translate(_BARE).replace(',', '.')
  return text


def _plain(text: str) -> str:
  return text.translate(_SPELLINGS).strip()
