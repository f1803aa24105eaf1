"""Pieces of HTML: escaped text, tables of the summary, figures put inline."""

from collections.abc import Iterable
import html
import math
import re

from scaling_jax.analysis import words
from scaling_jax.analysis.summary_table import Table

STATUSES = (
  'ok', 'minimum_at_edge', 'no_minimum', 'no_degrees_of_freedom',
  'too_few_points', 'not_converged', 'not_identified',
)  # fmt: skip

_SUPERSCRIPTS = str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻')
_INTERVAL = re.compile(r'(.*\S) (\[[^\[\]]*\])')
_NUMERIC = re.compile(
  r'[-+]?[\d,.]+(e[+-]?\d+)?[KMBT]?( %)?( \[.*\])?|[–?]|no interval'
)
_LONG = 40  # rows of a table from which it scrolls in a window of its own

text = html.escape


def tag(name: str, *inside: str, **attributes: str) -> str:
  """<name attribute="...">inside</name>; `class_` and `aria_label` are read.

  What is inside is HTML already; attributes are escaped here.
  """
  marks = ''.join(
    f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
    for key, value in attributes.items()
  )
  return f'<{name}{marks}>{"".join(inside)}</{name}>'


def paragraph(sentence: str, **attributes: str) -> str:
  return tag('p', text(sentence), **attributes)


def listed(items: Iterable[str], **attributes: str) -> str:
  """A list of plain texts, '' where there are none."""
  made = [tag('li', text(item)) for item in items]
  return tag('ul', *made, **attributes) if made else ''


def pairs(rows: Iterable[tuple[str, str]], **attributes: str) -> str:
  """A list of names, in plain text, each with its value, in HTML."""
  made = [
    tag('div', tag('dt', text(name)), tag('dd', value)) for name, value in rows
  ]
  return tag('dl', *made, **attributes)


def badge(status: str) -> str:
  """A status, seen at a glance and read as the word that it is."""
  kind = 'ok' if status == 'ok' else 'not-ok'
  return tag('span', text(status), class_=f'status {kind}')


def flops(C: float) -> str:
  """FLOPs in plain text, for people: 1.28 × 10¹⁴."""
  digits, _, exponent = f'{C:.2e}'.partition('e')
  power = '10' + str(int(exponent)).translate(_SUPERSCRIPTS)
  digits = digits.rstrip('0').rstrip('.')
  return power if digits == '1' else f'{digits} × {power}'


def number(shown: str) -> str:
  """'1.82 [1.77, 1.87]' or a status as HTML, the interval set apart."""
  if shown in STATUSES:
    return badge(shown)
  if found := _INTERVAL.fullmatch(shown):
    value, interval = map(text, found.groups())
    return f'{value} {tag("span", interval, class_="interval")}'
  return text(shown)


def table(made: Table, folded: str = '') -> str:
  """A table of the summary with its notes; it scrolls where it is too wide.

  Args:
    made: the table.
    folded: the line that opens its notes; '' shows them all.
  """
  out = []
  if made.rows:
    out.append(_grid(made))
  else:
    out.append(paragraph(made.title, class_='caption'))
  notes = listed(made.notes, class_='notes')
  out.append(details(folded, notes) if folded and notes else notes)
  return tag('div', *out, class_='table', id=f'table-{made.name}')


def _grid(made: Table) -> str:
  caption = f'caption-{made.name}'
  numeric = [
    all(_NUMERIC.fullmatch(x) or x in STATUSES for x in column)
    for column in zip(*made.rows)
  ]
  sides = ['number' if n else 'word' for n in numeric]
  head = [
    tag('th', text(name), scope='col', class_=side)
    for name, side in zip(made.columns, sides)
  ]
  body = []
  for row in made.rows:
    first = tag('th', number(row[0]), scope='row', class_=sides[0])
    cells = [
      tag('td', number(x), class_=side) for x, side in zip(row[1:], sides[1:])
    ]
    body.append(tag('tr', first, *cells))
  return tag(
    'div',
    tag(
      'table',
      tag('caption', tag('span', text(made.title)), id=caption),
      tag('thead', tag('tr', *head)),
      tag('tbody', '\n'.join(body)),
    ),
    class_='scroll long' if len(made.rows) > _LONG else 'scroll',
    role='region',
    aria_labelledby=caption,
    tabindex='0',
  )


def details(summary_text: str, *inside: str) -> str:
  """What only some want to read, behind a line that opens it."""
  return tag('details', tag('summary', text(summary_text)), *inside)


def figure(name: str, svg: str, alt: str, title: str) -> str:
  """A figure with its title; its alt text is the picture's name."""
  drawn = inline_svg(svg, name, alt)
  return tag(
    'figure',
    tag('figcaption', text(title)),
    tag(
      'div', drawn, class_='scroll', role='group', tabindex='0',
      aria_label=f'{title}, the drawing',
    ),
    paragraph(alt, class_='alt', aria_hidden='true'),
    id=f'figure-{name}',
  )  # fmt: skip


def inline_svg(svg: str, name: str, alt: str) -> str:
  """An SVG of matplotlib's as a part of a page.

  Args:
    svg: the file's text.
    name: opens the ids in it, or those of two figures would clash.
    alt: what is seen, for those who don't see it.

  Returns:
    The element <svg>, its numbers to a hundredth of a point: that is a third
    smaller and looks the same.
  """
  svg = svg[svg.index('<svg') :]
  for part in ('metadata', 'title', 'style'):
    svg = re.sub(rf'\s*<{part}\b.*?</{part}>', '', svg, count=1, flags=re.S)
  svg = re.sub(r'<!--.*?-->', '', svg, flags=re.S)
  svg = svg.replace('xlink:href=', 'href=')
  svg = _with_own_ids(svg, name)
  svg = re.sub(
    r'\b(d|x|y|width|height)="([^"]*)"',
    lambda found: f'{found[1]}="{_rounded(found[2])}"',
    svg,
  )
  svg = re.sub(r'>\s+<', '><', svg)
  opening, rest = svg.split('>', 1)
  box = re.search(r'viewBox="([^"]*)"', opening)
  assert box is not None
  points = float(box[1].split()[2])
  return (
    f'<svg viewBox="{box[1]}" role="img" aria-label="{text(alt)}"'
    f' style="--points: {points:g}">{rest.strip()}'
  )


def _with_own_ids(svg: str, name: str) -> str:
  """Keeps the ids that the drawing itself refers to, once each."""
  wanted = {
    one or other
    for one, other in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
  }
  met: set[str] = set()

  def own(found: re.Match[str]) -> str:
    if found[1] not in wanted or found[1] in met:
      return ''
    met.add(found[1])
    return f' id="{name}-{found[1]}"'

  svg = re.sub(r' id="([^"]*)"', own, svg)
  svg = svg.replace('url(#', f'url(#{name}-')
  return svg.replace('href="#', f'href="#{name}-')


def _rounded(path: str) -> str:
  short = re.sub(r'-?\d+\.\d{3,}', lambda found: f'{float(found[0]):.2f}', path)
  short = re.sub(r'(\.\d*?)0+(?!\d)', r'\1', short)
  short = re.sub(r'\.(?!\d)', '', short)
  return re.sub(r'\s+', ' ', short).strip()


def times(factor: float) -> str:
  """A factor in words: ten times, 2.5 times."""
  if math.isclose(factor, 10, rel_tol=1e-6):
    return 'ten times'
  return f'{words.plain(factor, 2)} times'
