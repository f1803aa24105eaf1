"""Kaplan's laws as tables: each law's numbers, the losses, the comparison."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import tables as messages
from scaling_jax.analysis.study.kaplan_study import Law
from scaling_jax.tables import Table

if TYPE_CHECKING:
  from scaling_jax.analysis.study.analyze import Analysis

_ENDS = ('kaplan', 'hoffmann')  # of the comparison; one change each between


def any_ok(analysis: 'Analysis') -> bool:
  """Whether one of the laws is ok: studies of another kind have none."""
  return any(law.ok for law in analysis.kaplan.laws)


def to_show(analysis: 'Analysis') -> bool:
  """Whether there is a law, or a study of batch sizes that carries none."""
  return any_ok(analysis) or analysis.critical_batch.n_batches > 1


def short(law: Law) -> str:
  """What a law is of, as in L(N) or N_opt(C)."""
  formula = messages.KAPLAN_LAWS[law.name]
  return formula.partition(' =')[0].removesuffix(' likewise')


def laws(analysis: 'Analysis', *, applying: bool = False) -> Table:
  """Each number of each law; of those that are ok alone where asked for."""
  table = Table('kaplan', messages.TITLES['kaplan'])
  if not to_show(analysis):
    return table
  every = [law for law in analysis.kaplan.laws if law.ok or not applying]
  for law in every:
    # What is not known is one line, and not one for each number.
    numbers = list(law.estimates.items())[: None if law.ok else 1]
    for i, (name, estimate) in enumerate(numbers):
      found = estimate.at(analysis.level)
      formula = messages.KAPLAN_LAWS[law.name]
      table.add(
        {
          'law': law.name, 'number': name, 'estimate': found,
          'status': str(law.status),
        },
        {
          'law': short(law) if i else formula,
          'number': messages.kaplan_number(law.name, name) if law.ok else '–',
          'estimate': formatting.estimate(found, law.status),
        },
      )  # fmt: skip
  table.notes += notes(every)
  return table


def notes(laws: Iterable[Law]) -> list[str]:
  """What laws state, each message once after all that share it."""
  same: dict[str, list[str]] = {}
  for law in laws:
    for message in (law.message, *law.notes):
      if message:
        same.setdefault(message, []).append(short(law))
  return [messages.about(who, text) for text, who in same.items()]


def silent(analysis: 'Analysis') -> list[tuple[str, Status, str]]:
  """(laws, status, message) of those that are not ok, each message once."""
  same: dict[tuple[Status, str], list[str]] = {}
  for law in analysis.kaplan.laws:
    if not law.ok:
      same.setdefault((law.status, law.message), []).append(short(law))
  return [
    ('; '.join(who), status, message) for (status, message), who in same.items()
  ]


def losses(analysis: 'Analysis') -> Table:
  """What each batch needed to reach a loss, and the hyperbola's ends."""
  table = Table('critical_batch', messages.TITLES['critical_batch'])
  titles = {
    'S_min': 'S_min (steps)',
    'E_min': 'E_min (tokens)',
    'B_crit': 'B_crit (tokens)',
  }
  same: dict[str, list[str]] = {}
  for at in analysis.critical_batch.targets:
    found = {
      name: estimate.at(analysis.level)
      for name, estimate in at.estimates().items()
    }
    table.add(
      {'L': at.L, **found, 'status': str(at.status)},
      {
        f'L ({analysis.runs.unit})': formatting.number(at.L),
        'batches': str(len(at.B)),
        **{
          titles[name]: formatting.estimate(x, at.status, formatting.count)
          for name, x in found.items()
        },
      },
    )
    if at.status != Status.OK:
      same.setdefault(at.message, []).append(formatting.number(at.L))
  table.notes += [messages.at_losses(L, text) for text, L in same.items()]
  return table


def comparison(analysis: 'Analysis') -> Table:
  """The exponent of N_opt, read as Kaplan would and as Hoffmann would."""
  name = 'kaplan_vs_chinchilla'
  table = Table(name, messages.TITLES[name])
  readings = analysis.kaplan_vs_chinchilla
  for reading in readings:
    found = reading.exponent.at(analysis.level)
    moved = reading.moved(readings[0])
    table.add(
      {
        'reading': reading.name, 'runs': reading.n_runs, 'a': found,
        'moved': moved, 'status': str(reading.status),
      },
      {
        'the runs read': reading.what,
        'runs': str(reading.n_runs),
        'a': formatting.estimate(found, reading.status),
        'moves a by': '–' if moved is None else f'{moved or 0.0:+.3f}',
      },
    )  # fmt: skip
    if moved is None and reading is not readings[0]:
      table.notes.append(_note(reading.what, reading.message))
    table.notes += [_note(reading.what, x) for x in reading.notes]
  if _nothing_settled(analysis):
    table.notes.append(messages.nothing_settled())
  return table


def reasons(analysis: 'Analysis') -> list[str]:
  """Why each change of the comparison moves the exponent."""
  return [
    _note(reading.what, reading.why)
    for reading in analysis.kaplan_vs_chinchilla
    if reading.name not in _ENDS
  ]


def _note(what: str, message: str) -> str:
  return messages.sentence(messages.about(what, message))


def _nothing_settled(analysis: 'Analysis') -> bool:
  """Whether all intervals share a number."""
  known = [
    reading.exponent.at(analysis.level)
    for reading in analysis.kaplan_vs_chinchilla
    if reading.ok
  ]
  lows = [x.low for x in known if np.isfinite(x.low)]
  highs = [x.high for x in known if np.isfinite(x.high)]
  return len(known) > 1 and bool(lows and highs) and max(lows) <= min(highs)
