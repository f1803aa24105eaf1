"""A drawing of matplotlib's as a part of a page."""

import html
import re


def inline(svg: str, name: str, alt: str) -> str:
  """An SVG as an element of a page.

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
    f'<svg viewBox="{box[1]}" role="img" aria-label="{html.escape(alt)}"'
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
