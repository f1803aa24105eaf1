"""Text as HTML: a status as a badge, an interval set apart from its value."""

from collections.abc import Iterable, Sequence
import re
from typing import Any

from markupsafe import Markup
from markupsafe import escape

from scaling_jax import formatting
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import report as report_messages
from scaling_jax.analysis.messages import tables as messages
from scaling_jax.analysis.runs.provenance import Shared
from scaling_jax.tables import Table

_MOST = 12  # values of a setting that are listed
_STATUSES = frozenset(map(str, Status))
_INTERVAL = re.compile(r'(.*\S) (\[[^\[\]]*\])')
_NUMERIC = re.compile(
  r'[-+]?[\d,.]+(e-?\d+)?[KMBTQ]?%?( \[.*\])?|[–?]|no interval'
)


def badge(status: str) -> Markup:
  """A status, seen at a glance and read as the word that it is."""
  kind = 'ok' if str(status) == 'ok' else 'not-ok'
  return Markup('<span class="status {}">{}</span>').format(kind, str(status))


def number(shown: str) -> Markup:
  """'1.82 [1.77, 1.87]' or a status as HTML, the interval set apart."""
  if shown in _STATUSES:
    return badge(shown)
  if found := _INTERVAL.fullmatch(shown):
    return Markup('{} <span class="interval">{}</span>').format(*found.groups())
  return escape(shown)


def emphasized(text: str, numbers: Iterable[str]) -> Markup:
  """A sentence with its numbers set apart, each where it first stands."""
  out = escape(text)
  for shown in numbers:
    strong = Markup('<strong>{}</strong>').format(number(shown))
    out = Markup(str(out).replace(str(escape(shown)), str(strong), 1))
  return out


def sides(table: Table) -> list[str]:
  """The class of each column: 'number' is flush right."""
  return [
    'number'
    if all(_NUMERIC.fullmatch(x) or x in _STATUSES for x in column)
    else 'word'
    for column in zip(*table.rows)
  ]


def setting(value: Any) -> str:
  """A setting's value as it was given."""
  if value is None:
    return 'none'
  if isinstance(value, bool):
    return messages.yes_no(value)
  if isinstance(value, float):
    plain = value == 0 or 1e-4 <= abs(value) < 1e6
    return (formatting.plain if plain else formatting.scientific)(value, 12)
  return str(value)


def shared(groups: Sequence[Shared]) -> str:
  """Values with how many runs have each; '' where there are none."""
  found = [(setting(one.value), len(one.run_ids)) for one in groups]
  return report_messages.values(found, most=_MOST)


FILTERS = {
  'badge': badge,
  'number': number,
  'emphasized': emphasized,
  'sentence': messages.sentence,
  'setting': setting,
  'shared': shared,
  'sides': sides,
}
