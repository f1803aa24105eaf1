"""The report's calculator: N, D and L for any FLOPs or tokens, with intervals.

The page carries `data(fits)` as JSON, and report_assets/calculator.js reads it
as `read` does here. The centre is the law in closed form. An interval is known
at eight FLOP counts a decade; between them the logarithm of each end's ratio to
the centre is interpolated in log C, which moves an end by less than 3 % of the
interval's width.
"""

import bisect
import math
import re
from typing import Any, NamedTuple

from scaling_jax.analysis import markup
from scaling_jax.analysis import reach
from scaling_jax.analysis.uncertainty import Estimate

# The parametric law alone says the loss; parabolas ask less than curves do.
PREFERRED = ('parametric', 'isoflop', 'envelope')
QUANTITIES = ('C', 'N', 'D', 'L')

_NUMBER = re.compile(r'((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kmbt]?)')
# A comma is dropped only where it groups thousands and can be nothing else:
# many write decimals with one, and 1,5e12 must not become fifteen.
_GROUPED = re.compile(r'[1-9]\d{0,2}(,\d{3})+(\.\d*)?[kmbt]?')
_SUFFIXES = {'': 1.0, 'k': 1e3, 'm': 1e6, 'b': 1e9, 't': 1e12}

Data = dict[str, Any]


class Reading(NamedTuple):
  """What the law says of one amount.

  Attributes:
    C, N, D, L: FLOPs, parameters, tokens and loss; None where the law is
      silent. What was asked for has both ends at its value.
    tokens_per_param: D / N. Its interval runs from the least D on the most N to
      the reverse, as the ends of one budget belong together.
  """

  C: Estimate
  N: Estimate
  D: Estimate
  L: Estimate | None
  tokens_per_param: Estimate


def source(fits: dict[str, Any]) -> str | None:
  """The law that the calculator reads: the first that is ok, or None."""
  laws = fits['laws']
  fit = (
    name
    for name in PREFERRED
    if laws[name]['status'] == 'ok' and laws[name]['at']
  )
  return next(fit, None)


def data(fits: dict[str, Any]) -> Data:
  """What the page needs to calculate; law is null where none is ok."""
  name = source(fits)
  out: Data = {'law': name, 'unit': fits['source']['unit']}
  if name is None:
    return out
  law = fits['laws'][name]
  fitted = reach.of_law(fits, name)
  assert fitted is not None
  out['fitted'] = fitted._asdict()
  if name == 'parametric':
    out['N'] = [law['N0']['value'], law['exponent_N']['value']]
    out['D'] = [law['D0']['value'], law['exponent_D']['value']]
    out['loss'] = [
      law[key]['value'] for key in ('E', 'A', 'B', 'alpha', 'beta')
    ]
  else:
    for key, part in (('N', 'N_opt'), ('D', 'D_opt')):
      line = law[part]
      out[key] = [line['coefficient']['value'], line['exponent']['value']]
    out['loss'] = None
  out['flops'] = _ends(out, 'C', law['at'])
  out['tokens'] = _ends(out, 'D', law.get('at_tokens') or [])
  return out


def _ends(law: Data, asked: str, rows) -> list[list[float | None]]:
  """[log of what is asked, then log low/centre and high/centre of N, D, L].

  Asked for tokens, D's place is C's.
  """
  out = []
  for row in rows:
    x = row[asked]
    centre = central(law, asked, x)
    line: list[float | None] = [math.log(x)]
    for name in _found(asked):
      estimate = row.get(f'{name}_opt') or row.get(name)
      for end in ('low', 'high'):
        known = estimate[end] if estimate else None
        line.append(
          round(math.log(known / centre[name]), 9)
          if known and known > 0 and centre[name]
          else None
        )
    out.append(line)
  return out


def _found(asked: str) -> list[str]:
  return [name for name in QUANTITIES if name != asked]


def central(law: Data, asked: str, x: float) -> dict[str, float | None]:
  """C, N, D and L in closed form, without an interval; see `read`."""
  N0, a = law['N']
  D0, b = law['D']
  C = x if asked == 'C' else (x / D0) ** (1 / b)
  N = N0 * C**a
  D = D0 * C**b if asked == 'C' else x
  L = None
  if law['loss']:
    E, A, B, alpha, beta = law['loss']
    L = E + A * N**-alpha + B * D**-beta
  return {'C': C, 'N': N, 'D': D, 'L': L}


def read(law: Data, asked: str, x: float) -> Reading | None:
  """The law at an amount, as the page's script works it out.

  Args:
    law: of `data`, whose law is not null.
    asked: 'C' for FLOPs, 'D' for tokens.
    x: how many.

  Returns:
    What the law says there; None outside the range of `limits`.
  """
  grid = law['flops' if asked == 'C' else 'tokens']
  limited = limits(law, asked)
  if limited is None or not limited[0] <= x <= limited[1]:
    return None
  log_x = min(max(math.log(x), grid[0][0]), grid[-1][0])
  i = min(bisect.bisect_right([row[0] for row in grid], log_x), len(grid) - 1)
  before, after = grid[i - 1], grid[i]
  share = (log_x - before[0]) / (after[0] - before[0])
  centre = central(law, asked, x)
  found: dict[str, Estimate] = {asked: {'value': x, 'low': x, 'high': x}}
  for k, name in enumerate(_found(asked)):
    value = centre[name]
    ends = []
    for column in (1 + 2 * k, 2 + 2 * k):
      one, other = before[column], after[column]
      ends.append(
        None
        if value is None or one is None or other is None
        else value * math.exp(one + share * (other - one))
      )
    found[name] = {'value': value, 'low': ends[0], 'high': ends[1]}
  ratio = {
    'value': _ratio(found['D']['value'], found['N']['value']),
    'low': _ratio(found['D']['low'], found['N']['high']),
    'high': _ratio(found['D']['high'], found['N']['low']),
  }
  L = found['L'] if law['loss'] else None
  return Reading(found['C'], found['N'], found['D'], L, ratio)


def _ratio(D: float | None, N: float | None) -> float | None:
  return None if D is None or N is None else D / N


def limits(law: Data, asked: str) -> tuple[float, float] | None:
  """From where to where the law is stated; None if it can't be asked so."""
  grid = law['flops' if asked == 'C' else 'tokens']
  if len(grid) < 2:
    return None
  # A logarithm and back must not shut out the grid's own ends.
  return math.exp(grid[0][0]) * (1 - 1e-9), math.exp(grid[-1][0]) * (1 + 1e-9)


def beyond(law: Data, C: float) -> str:
  """How far C lies outside what the law was fitted on; '' within."""
  fitted = law['fitted']
  far, end = C / fitted['high'], fitted['largest']
  side = ''
  if C < fitted['low'] * (1 - 1e-6):
    far, end, side = fitted['low'] / C, fitted['smallest'], 'below '
  elif C <= fitted['high'] * (1 + 1e-6):
    return ''
  return f'Extrapolated, {markup.times(far)} {side}the {end}'


def where(law: Data, C: float) -> str:
  """Whether the law was fitted there, as the page's script says it."""
  outside = beyond(law, C)
  if not outside:
    return f'Within the {law["fitted"]["inside"]}.'
  return (
    f'{outside}: the interval holds only if the law keeps its shape that far.'
  )


def amount(text: str) -> float | None:
  """What people type: 1e18, 2.5e9, 10B, 3T, 1,000,000; None if no number."""
  plain = re.sub(r'[\s_]', '', text).lower()
  if _GROUPED.fullmatch(plain):
    plain = plain.replace(',', '')
  found = _NUMBER.fullmatch(plain)
  if not found:
    return None
  x = float(found[1]) * _SUFFIXES[found[2]]
  return x if 0 < x < math.inf else None


def complaint(text: str) -> str:
  """What is wrong with a text that is no amount."""
  if ',' in text:
    return 'Use a point for decimals, and commas for thousands alone: 1.5e12.'
  return 'That is no amount: it must be a positive number; try 1e18, 10B or 3T.'
