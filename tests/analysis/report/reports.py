"""Reports of the simulated study, and of changed ones."""

import dataclasses
import functools
import html.parser
import pathlib
import re
import tempfile
from typing import Any

from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.report import page
from scaling_jax.analysis.study.analyze import Analysis
from tests.analysis import studies

# Elements that HTML closes itself.
VOID = {'meta', 'input', 'br', 'link', 'img', 'hr'}
# Where a reader's text begins a new line.
_BLOCKS = {
  'h1', 'h2', 'h3', 'p', 'li', 'tr', 'caption', 'div', 'dl', 'figcaption',
  'summary', 'legend', 'form', 'section',
}  # fmt: skip
# What an analysis makes of its parts.
_NOT_PARTS = ('runs', 'options', 'averaged', 'form_test')
_FOLDER = tempfile.TemporaryDirectory(prefix='scaling_jax_reports_')


@functools.cache
def reported() -> pathlib.Path:
  """The report of `studies.analyzed` with its figures; not to be changed."""
  folder = pathlib.Path(_FOLDER.name) / 'whole'
  return pathlib.Path(
    page.write_report(studies.analyzed().analysis, folder, png=False)
  )


def changed(analysis: Analysis | None = None, **parts: Any) -> Analysis:
  """An analysis whose parts are other ones; of the simulated study if None."""
  base = analysis or studies.analyzed().analysis
  of = {k: v for k, v in vars(base).items() if k not in _NOT_PARTS}
  made = {'runs': base.runs, 'options': base.options, **of, **parts}
  return Analysis(made.pop('runs'), made.pop('options'), **made)


def failed(
  analysis: Analysis | None = None, **statuses: str | Status
) -> Analysis:
  """The study with fits of another status, whose numbers stay behind it."""
  base = analysis or studies.analyzed().analysis
  for name in ('chinchilla', 'isoflop', 'envelope'):
    getattr(base, name)  # or it would be fitted with what is changed here
  parts = {
    name: dataclasses.replace(
      getattr(base, name),
      status=Status(status),
      message=f'{name} was made {status}',
    )
    for name, status in statuses.items()
  }
  return changed(base, **parts)


class Page(html.parser.HTMLParser):
  """A page's elements; fails on one that is not closed where it should be."""

  def __init__(self, text: str):
    super().__init__()
    self.elements: list[tuple[str, dict]] = []
    self.open: list[str] = []
    self.shown: list[str] = []
    self.feed(text)
    self.close()
    assert not self.open, self.open

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)
    if tag in _BLOCKS:
      self.shown.append('\n')

  def handle_startendtag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    assert self.open and self.open[-1] == tag, (tag, self.open[-5:])
    self.open.pop()
    if tag in _BLOCKS:
      self.shown.append('\n')

  def handle_data(self, data):
    if not {'script', 'style', 'svg'} & set(self.open):
      self.shown.append(data.replace('\n', ' '))

  @property
  def lines(self) -> list[str]:
    """What a person reads, line by line."""
    lines = ' '.join(self.shown).split('\n')
    return [line for line in (' '.join(x.split()) for x in lines) if line]

  @property
  def text(self) -> str:
    return ' '.join(self.lines)

  def all(self, tag: str) -> list[dict]:
    return [attrs for name, attrs in self.elements if name == tag]


def inside(text: str, name: str) -> str:
  """The HTML within a section."""
  start = text.index('>', text.index(f' id="{name}"')) + 1
  return text[start : text.index('</section>', start)]


def read(text: str, name: str) -> str:
  """What a person reads in a section."""
  return Page(inside(text, name)).text


def numbers(text: str) -> set[str]:
  """Numbers of three digits or more, as a person sees them."""
  return set(re.findall(r'\d[\d,.]*\d{2}(?:e-?\d+)?[KMBT]?', text))
