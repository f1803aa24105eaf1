"""Numbers as people read them: their digits, their intervals, their status."""

import numpy as np

ENDS = ('low', 'high')  # an open one is shown as ?

# The approaches as tables and pages name them, in their order.
TITLES = {
  'envelope': '1, envelope',
  'isoflop': '2, isoFLOP',
  'parametric': '3, parametric',
}

Estimate = dict[str, float | None]


def number(x: float | None) -> str:
  """Four significant digits, as people write them: 1.500 or 221,664."""
  if x is None:
    return '?'
  size = abs(x)
  if x == 0:
    return '0'
  if 1e-3 <= size < 1e6:
    # Zeros at the end are digits too: 1.5 [1.498, 1.503] would hide them.
    return f'{x:#,.4g}'.rstrip('.') if size < 1000 else f'{x:,.0f}'
  return f'{x:.3e}'


def plain(x: float, digits: int) -> str:
  """So many digits, never as a power of ten: 0.041, 6.8, 1,200."""
  return f'{float(f"{x:.{digits}g}"):,g}'


def short(x: float | None) -> str:
  """A count to three digits, as a sentence says it: 86.6K or 1.09M."""
  if x is None or not 1e3 <= x < 1e15:
    return number(x and float(f'{x:.3g}'))
  x = float(f'{x:.3g}')  # or 999,900 would be 1000K
  digits = 3 * int(np.log10(x) // 3)
  return f'{x / 10**digits:#.3g}'.rstrip('.') + ' KMBT'[digits // 3]


def estimate(x: Estimate, status: str = 'ok', show=None) -> str:
  """value [low, high], or the status where the value is not to be trusted."""
  if x['value'] is None or status not in ('ok', 'no_degrees_of_freedom'):
    return '–' if status == 'ok' else status
  if x['low'] is None and x['high'] is None:
    return 'no interval' if status == 'ok' else status  # never a bare number
  show = show or number
  low, high = ('?' if x[end] is None else show(x[end]) for end in ENDS)
  return f'{show(x["value"])} [{low}, {high}]'


def amount(x: float | None) -> str:
  """A count of parameters or tokens: 221,664 or 3.937M or 1.244B."""
  if x is None or not 1e6 <= x < 1e15:
    return number(x)
  digits = 3 * int(np.log10(x) // 3)
  return f'{x / 10**digits:#.4g}'.rstrip('.') + ' KMBT'[digits // 3]
