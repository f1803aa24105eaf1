"""The report: one HTML file that holds all it needs, made from fits.json.

It says first what to train, then how far to trust that, then everything else.
A number whose fit is not ok is never shown: its status stands in its place.
"""

import base64
import hashlib
from importlib import resources
import json
from typing import Any

from etils import epath

from scaling_jax import records
from scaling_jax.analysis import calculator
from scaling_jax.analysis import headline
from scaling_jax.analysis import markup
from scaling_jax.analysis import report_kaplan
from scaling_jax.analysis import report_parts as parts
from scaling_jax.analysis import summary
from scaling_jax.analysis import verdicts
from scaling_jax.analysis.markup import tag
from scaling_jax.analysis.summary_table import Table

NAME = 'index.html'

Fits = dict[str, Any]


def write(
  fits: Fits, folder: epath.PathLike, alts: dict[str, str] | None = None
) -> epath.Path:
  """Writes the report into a folder.

  Args:
    fits: the content of fits.json.
    folder: holds the figures, NAME.svg each.
    alts: the figures to show with their alt texts, as `figures.draw_all`
      returns them; none if empty.

  Returns:
    The path of the report.
  """
  folder = epath.Path(folder)
  figures = {
    name: ((folder / f'{name}.svg').read_text(), alt)
    for name, alt in (alts or {}).items()
  }
  path = folder / NAME
  records.write_atomic(path, page(fits, figures))
  return path


def page(fits: Fits, figures: dict[str, tuple[str, str]] | None = None) -> str:
  """The report as HTML.

  Args:
    fits: the content of fits.json.
    figures: (SVG, alt text) by name.
  """
  tables = {table.name: table for table in summary.tables(fits)}
  body = [
    _header(fits),
    _section('What to train', 'answer', parts.notices(fits), _answer(fits, tables)),
    _section('Calculator', 'calculate', parts.calculator_form(fits)),
    _section('How far to trust it', 'trust', _trust(fits, tables)),
    _section('Runs and optima', 'tables', _tables(fits, tables)),
    _section("Kaplan's laws", 'kaplan', report_kaplan.section(fits, tables)),
    _section('Figures', 'figures', parts.figures(figures or {})),
    _section('The laws and their certificates', 'laws', parts.laws(fits)),
    _section('Further tables', 'further', _further(tables)),
    _section('How the runs were made', 'made', parts.made(fits)),
  ]  # fmt: skip
  content = tag('main', *body)
  script = _asset('calculator.js')
  return '\n'.join([
    '<!doctype html>',
    '<html lang="en">',
    _head(fits, script),
    f'<body>{content}',
    f'<script type="application/json" id="law">{_data(fits)}</script>',
    f'<script>{script}</script>',
    '</body>',
    '</html>',
    '',
  ])  # fmt: skip


def _asset(name: str) -> str:
  package = resources.files('scaling_jax.analysis')
  return package.joinpath('report_assets', name).read_text()


def _head(fits: Fits, script: str) -> str:
  digest = hashlib.sha256(script.encode()).digest()
  allowed = base64.b64encode(digest).decode()
  # Nothing may be fetched, and no script may run but the report's own.
  policy = (
    f"default-src 'none'; script-src 'sha256-{allowed}'; style-src"
    " 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
  )
  return '\n'.join([
    '<head>',
    '<meta charset="utf-8">',
    f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    f'<meta name="generator" content="scaling_jax {fits["source"]["version"]}">',
    f'<title>{markup.text(_title(fits))}</title>',
    f'<style>{_asset("report.css")}</style>',
    '</head>',
  ])  # fmt: skip


def _title(fits: Fits) -> str:
  return f'Scaling laws of {headline.subject(fits)}'


def _data(fits: Fits) -> str:
  text = json.dumps(calculator.data(fits), allow_nan=False)
  return text.replace('<', r'\u003c')  # or a name could end the element


def _section(title: str, name: str, *inside: str) -> str:
  content = ''.join(inside)
  if not content:
    return ''
  heading = tag('h2', markup.text(title), id=f'heading-{name}')
  return tag(
    'section', heading, content, id=name, aria_labelledby=f'heading-{name}'
  )


def _header(fits: Fits) -> str:
  C = [run['C'] for run in fits['runs']]
  span = markup.flops(min(C))
  if max(C) > 1.01 * min(C):
    span = f'{span} to {markup.flops(max(C))}'
  said = (
    f'{fits["source"]["n_runs"]} runs of {span} FLOPs, loss in'
    f' {fits["source"]["unit"]}. Every interval is at {headline.level(fits)}.'
  )
  if any(run['sem'] is not None for run in fits['runs']):
    said = f'{said[:-1]}; a ± is one standard error.'
  return tag(
    'header',
    tag('h1', markup.text(_title(fits))),
    markup.paragraph(said, class_='lead'),
  )


def _answer(fits: Fits, tables: dict[str, Table]) -> str:
  found = headline.answers(fits)
  out = []
  if found:
    first = found[0]
    spoken = [parts.spoken(first, fits)]
    if warning := headline.untested(fits):
      spoken.append(markup.text(warning))
    out.append(tag('p', ' '.join(spoken), class_='answer'))
    out.append(parts.doubts(fits))
    out += [
      markup.paragraph(headline.in_words(answer, fits)) for answer in found[1:]
    ]
    out.append(markup.paragraph(headline.basis(fits), class_='quiet'))
  else:
    out.append(
      markup.paragraph(
        'These runs do not say yet: no approach gives a law to go by.',
        class_='answer',
      )
    )
    out.append(report_kaplan.pointer(fits))
  if said := verdicts.agreement(fits):
    out.append(markup.paragraph(said))
  if 'targets' in tables:
    tables['targets'].title = 'By approach'
    out.append(markup.table(tables['targets']))
  for title, status, said in headline.silent(fits):
    out.append(
      tag(
        'p',
        f'Approach {markup.text(title)}: {markup.badge(status)} ',
        markup.text(said),
        class_='silent',
      )
    )
  return ''.join(out)


def _trust(fits: Fits, tables: dict[str, Table]) -> str:
  held = fits['hold_out']
  floor = headline.floor(fits)
  # That a law could be fitted is no praise of what it foretold.
  status = '' if held['status'] == 'ok' else markup.badge(held['status'])
  out = [
    tag('h3', 'The largest budget, foretold from the others'),
    tag(
      'p',
      f'{status} ',
      markup.text(headline.sentence(held['sentence'])),
    ),
  ]
  if said := verdicts.narrow(fits):
    out.append(parts.warning('too narrow', said))
  if tables['hold_out'].rows:
    tables['hold_out'].title = 'Foretold and measured'
    tables['hold_out'].notes = []  # its sentence stands above
    out.append(markup.table(tables['hold_out']))
  out += [
    tag('h3', 'The fitted floor and the known entropy'),
    markup.pairs(
      [
        ('E, fitted', markup.number(floor.fitted)),
        ("The corpus' entropy in the runs' context", markup.text(floor.known)),
      ],
      class_='side-by-side',
    ),
    markup.paragraph(floor.verdict),
  ]
  notes = fits['laws']['parametric']['notes']
  if notes:
    out.append(tag('h3', 'The shape of the law', id='shape'))
    out += [markup.paragraph(headline.sentence(note)) for note in notes]
  return ''.join(out)


def _tables(fits: Fits, tables: dict[str, Table]) -> str:
  shown = set(summary.left_out(fits))
  runs = tables['runs']
  runs.notes = [note for note in runs.notes if note not in shown]
  # The same notes stand above, beside what they are about.
  if 'parametric' in tables:
    own = fits['laws']['parametric']['notes']
    law = tables['parametric']
    law.notes = [note for note in law.notes if note not in own]
  names = ('runs', 'budgets', 'power_laws', 'parametric')
  return ''.join(markup.table(tables[n]) for n in names if n in tables)


def _further(tables: dict[str, Table]) -> str:
  out = [markup.table(tables['conventions'])] if 'conventions' in tables else []
  if 'curves' in tables:
    out.append(markup.table(tables['curves'], 'What each curve shows'))
  return ''.join(out)
