"""How far a law was fitted, and in which words to say where that ends.

A law need not use every run: approach 2 leaves out budgets without a minimum,
approach 1 the FLOP counts where the smallest or the largest model wins. Beyond
what it used a law extrapolates, also where there are runs.
"""

from typing import Any, NamedTuple

Fits = dict[str, Any]

# The budgets that the power laws of approach 2 go through.
USED = ('ok', 'no_degrees_of_freedom')
_SAME = 1.05  # runs of one budget differ by less


def stated(law: dict[str, Any], C: float) -> dict[str, Any] | None:
  """What a law states at C FLOPs, None where it states nothing there."""
  found = (row for row in law['at'] if abs(row['C'] / C - 1) < 1e-9)
  return next(found, None)


def runs(fits: Fits) -> list[dict[str, Any]]:
  """The runs that Hoffmann's laws are fitted on; see `trained.set_apart`."""
  return [r for r in fits.get('runs') or [] if r.get('counted', True)]


class Reach(NamedTuple):
  """The FLOPs that a law was fitted on.

  Attributes:
    low, high: the least and the most of them.
    n_budgets: how many budgets a law of approach 2 goes through, else None.
    inside, largest, smallest: what to call the range and its ends.
  """

  low: float
  high: float
  n_budgets: int | None
  inside: str
  largest: str
  smallest: str


def of_law(fits: Fits, name: str) -> Reach | None:
  """Where the law of this name was fitted; None if nowhere."""
  law = (fits.get('laws') or {}).get(name) or {}
  budgets = law.get('budgets') or []
  every = [r['C'] for r in runs(fits) if r.get('C')]
  every = every or [b['C'] for b in budgets]
  used, n_budgets = every, None
  inside, end = 'range of the runs', 'budget of the runs'
  if len(runs(fits)) < len(fits.get('runs') or []):
    inside, end = (
      'range of the runs that count',
      'budget of the runs that count',
    )
  if name == 'isoflop':
    used = [b['C'] for b in budgets if b.get('status') in USED]
    n_budgets = len(used)
  elif name == 'envelope':
    used = [p['C'] for p in law.get('points') or []]
  if not used:
    return None
  low, high = min(used), max(used)
  if low > _SAME * min(every) or high < max(every) / _SAME:
    inside, end = {
      'isoflop': (
        'range of the budgets that the law goes through',
        'budget that the law goes through',
      ),
      'envelope': ('range of the envelope', 'FLOP count of the envelope'),
    }[name]
  return Reach(low, high, n_budgets, inside, f'largest {end}',
               f'smallest {end}')  # fmt: skip
