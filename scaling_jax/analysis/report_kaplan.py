"""The report's section on Kaplan's laws, the critical batch and the bridge."""

from typing import Any

from scaling_jax.analysis import headline
from scaling_jax.analysis import kaplan_tables
from scaling_jax.analysis import markup
from scaling_jax.analysis.markup import tag
from scaling_jax.analysis.summary_table import Table

Fits = dict[str, Any]

_ENDS = ('kaplan', 'hoffmann')  # of the bridge; between them five changes


def section(fits: Fits, tables: dict[str, Table]) -> str:
  """The laws, what speaks against them, and what moves the exponent."""
  return _laws(fits, tables) + _bridge(fits, tables)


def pointer(fits: Fits) -> str:
  """Where to look if Hoffmann's approaches are silent; or ''."""
  if not kaplan_tables.any_ok(fits):
    return ''
  return tag(
    'p', 'What they do show stands under <a href="#kaplan">Kaplan\'s laws</a>.'
  )


def _laws(fits: Fits, tables: dict[str, Table]) -> str:
  if 'kaplan' not in tables:
    return ''
  table = tables['kaplan']
  out = [
    markup.paragraph(
      'The loss as a power of one quantity at a time, without a floor (Kaplan et'
      ' al. 2020): to be read within the range of the runs. D is the text there'
      ' is, C 6 N D, and C_min and S_min what training at a batch far from the'
      ' critical one would have taken.',
      class_='quiet',
    ),
    markup.table(table),
  ]
  for _, law, part in kaplan_tables.parts(fits):
    if part['status'] != 'ok':
      said = headline.sentence(part['sentence'])
      title = markup.text(kaplan_tables.short(law))
      out.append(
        tag(
          'p',
          f'{title}: {markup.badge(part["status"])} {markup.text(said)}',
          class_='silent',
        )
      )
  if 'critical_batch' in tables:
    out.append(markup.table(tables['critical_batch']))
  return ''.join(out)


def _bridge(fits: Fits, tables: dict[str, Table]) -> str:
  if 'bridge' not in tables:
    return ''
  lines = [
    headline.sentence(f'{row["what"]}: {row["why"]}')
    for row in fits['bridge']
    if row['name'] not in _ENDS
  ]
  return ''.join(
    [
      markup.table(tables['bridge']),
      markup.paragraph(
        'Kaplan found an exponent of 0.73, Hoffmann 0.5. Each line of the table'
        " changes one thing about Kaplan's reading of these runs, and the last reads"
        ' them as Hoffmann would (Porian et al. 2024; Pearce and Song 2024):'
      ),
      markup.listed(lines),
    ]
  )
