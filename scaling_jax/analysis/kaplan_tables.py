"""Kaplan's laws as tables: each law's numbers, the losses, the bridge."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from scaling_jax.analysis import words
from scaling_jax.analysis.summary_table import Table
from scaling_jax.analysis.words import estimate

Fits = dict[str, Any]


class Law(NamedTuple):
  """How a law of fits.json is written.

  Attributes:
    title: its formula.
    numbers: name in the fits -> name for people.
  """

  title: str
  numbers: dict[str, str]


def _power(unit: str) -> dict[str, str]:
  return {'coefficient': f'coefficient ({unit})', 'exponent': 'exponent'}


_OF_C = {'C_c': 'C_c (PF-days)', 'alpha_C': 'alpha_C'}
LAWS = {
  'kaplan_L_N': Law(
    'L(N) = (N_c/N)^alpha_N', {'N_c': 'N_c (parameters)', 'alpha_N': 'alpha_N'}
  ),
  'kaplan_L_D': Law(
    'L(D) = (D_c/D)^alpha_D', {'D_c': 'D_c (tokens)', 'alpha_D': 'alpha_D'}
  ),
  'kaplan_L_ND': Law(
    'L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D',
    {
      'N_c': 'N_c (parameters)',
      'D_c': 'D_c (tokens)',
      'alpha_N': 'alpha_N',
      'alpha_D': 'alpha_D',
    },
  ),
  'kaplan_L_C': Law('L(C) = (C_c/C)^alpha_C', _OF_C),
  'kaplan_N_opt': Law(
    'N_opt(C) = coefficient · C^exponent, C in PF-days', _power('parameters')
  ),
  'critical_batch': Law(
    'B_crit(L) = B*/L^(1/alpha_B)',
    {'B_star': 'B* (tokens)', 'alpha_B': 'alpha_B'},
  ),
  'kaplan_L_Cmin': Law('L(C_min) = (C_c/C_min)^alpha_C', _OF_C),
  'kaplan_N_opt_Cmin': Law('N_opt(C_min) likewise', _power('parameters')),
  'kaplan_B_Cmin': Law('B_crit(C_min) likewise', _power('tokens')),
  'kaplan_S_Cmin': Law('S_min(C_min) likewise', _power('steps')),
  'kaplan_L_NS': Law(
    'L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S',
    {
      'N_c': 'N_c (parameters)',
      'S_c': 'S_c (steps)',
      'alpha_N': 'alpha_N',
      'alpha_S': 'alpha_S',
    },
  ),
  'kaplan_consistency': Law(
    'alpha_C of L(C_min) = 1/(1/alpha_S + 1/alpha_B + 1/alpha_N)',
    {'measured': 'measured', 'foretold': 'foretold'},
  ),
}

# What each figure is called.
FIGURES = {
  'kaplan_L_N': 'L(N)',
  'kaplan_L_D': 'L(D)',
  'kaplan_L_ND': 'L(N, D)',
  'kaplan_L_C': 'L(C) along the lower hull of the training curves',
  'kaplan_N_opt': 'N_opt(C) along the lower hull',
  'critical_batch_steps': 'Steps and tokens to a loss, by batch size',
  'critical_batch': 'The critical batch size against the loss',
  'kaplan_L_Cmin': 'L(C_min) along the lower hull',
  'kaplan_N_opt_Cmin': 'N_opt(C_min)',
  'kaplan_B_Cmin': 'The critical batch size against C_min',
  'kaplan_S_Cmin': 'S_min against C_min',
  'kaplan_L_NS': 'L(N, S_min)',
}


def parts(fits: Fits) -> Iterator[tuple[str, Law, dict[str, Any]]]:
  """(name, how it is written, part) of each law that the fits hold."""
  for name, law in LAWS.items():
    part = fits['laws'].get(name)
    if part is not None:
      yield name, law, part


def short(law: Law) -> str:
  """What a law is of, as in L(N) or N_opt(C)."""
  return law.title.partition(' =')[0].removesuffix(' likewise')


def any_ok(fits: Fits) -> bool:
  """Whether one of the laws holds: studies of another kind have none."""
  return any(part['status'] == 'ok' for _, _, part in parts(fits))


def asked(fits: Fits) -> bool:
  """Whether there is anything to say: a law, or batches that bear none."""
  critical = fits['laws'].get('critical_batch') or {}
  return any_ok(fits) or critical.get('n_batches', 0) > 1


def laws(fits: Fits) -> Table:
  table = Table('kaplan', "Kaplan's laws")
  if not asked(fits):
    return table
  same: dict[str, list[str]] = {}
  for name, law, part in parts(fits):
    status = part['status']
    # What is not known is one line, and not one for each number.
    numbers = list(law.numbers.items())[: None if status == 'ok' else 1]
    for i, (key, shown) in enumerate(numbers):
      number = part[key]
      table.add(
        {'law': name, 'number': key, 'estimate': number, 'status': status},
        {
          'law': short(law) if i else law.title,
          'number': shown if status == 'ok' else '–',
          'estimate': estimate(number, status),
        },
      )
    for said in [part['sentence'], *part['notes']]:
      if said:
        same.setdefault(f'{said.rstrip(".")}.', []).append(short(law))
  table.notes += [f'{"; ".join(who)}: {said}' for said, who in same.items()]
  return table


def losses(fits: Fits) -> Table:
  """What each batch needed to reach a loss, and the hyperbola's ends."""
  table = Table('critical_batch', 'The critical batch at each loss')
  part = fits['laws'].get('critical_batch') or {}
  unit = fits['source']['unit']
  same: dict[str, list[str]] = {}
  for at in part.get('losses') or []:
    numbers = {name: at[name] for name in ('S_min', 'E_min', 'B_crit')}
    table.add(
      {'L': at['L'], **numbers, 'status': at['status']},
      {
        f'L ({unit})': words.number(at['L']),
        'batches': str(len(at['batches'])),
        'S_min (steps)': estimate(at['S_min'], at['status'], words.amount),
        'E_min (tokens)': estimate(at['E_min'], at['status'], words.amount),
        'B_crit (tokens)': estimate(at['B_crit'], at['status'], words.amount),
      },
    )
    if at['status'] != 'ok':
      same.setdefault(at['sentence'], []).append(words.number(at['L']))
  table.notes += [f'At {", ".join(L)}: {said}.' for said, L in same.items()]
  return table


def bridge(fits: Fits) -> Table:
  """The exponent of N_opt, read as Kaplan would and as Hoffmann would."""
  table = Table('bridge', 'From Kaplan to Hoffmann: a in N_opt = N0 C^a')
  for row in fits['bridge']:
    moved = row['moved']
    table.add(
      {
        'reading': row['name'],
        'runs': row['n_runs'],
        'a': row['exponent'],
        'moved': moved,
        'status': row['status'],
      },
      {
        'the runs read': row['what'],
        'runs': str(row['n_runs']),
        'a': estimate(row['exponent'], row['status']),
        'moves a by': '–' if moved is None else f'{moved or 0.0:+.3f}',
      },
    )
    known = row['status'] == 'ok' and row['moved'] is not None
    if (not known and row is not fits['bridge'][0]) or _EXTRA in row[
      'sentence'
    ]:
      table.notes.append(f'{row["what"]}: {row["sentence"]}.')
  if _nothing_settled(fits['bridge']):
    table.notes.append(
      'All these intervals share a number: the runs do not settle what moves it.'
    )
  return table


_EXTRA = 'extrapolated'


def _nothing_settled(rows: list[dict[str, Any]]) -> bool:
  known = [row['exponent'] for row in rows if row['status'] == 'ok']
  lows = [x['low'] for x in known if x['low'] is not None]
  highs = [x['high'] for x in known if x['high'] is not None]
  return len(known) > 1 and bool(lows and highs) and max(lows) <= min(highs)
