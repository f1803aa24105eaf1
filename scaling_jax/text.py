"""Columns of text, for terminals and for Markdown."""

from collections.abc import Sequence


def aligned(
  rows: Sequence[Sequence[str]],
  left: Sequence[bool],
  between: str = '  ',
  before: str = '',
  after: str = '',
  rule: bool = False,
) -> list[str]:
  """Rows as lines whose columns stand below one another.

  Args:
    rows: the headings first; all of one length.
    left: for each column, whether its cells are flush left.
    between, before, after: what stands around the cells.
    rule: whether a Markdown rule follows the headings.
  """
  if not rows:
    return []
  widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
  lines = []
  for row in rows:
    cells = [
      x.ljust(w) if flush else x.rjust(w)
      for x, w, flush in zip(row, widths, left)
    ]
    lines.append(f'{before}{between.join(cells)}{after}'.rstrip())
  if rule:
    dashes = [
      '-' * w if flush else '-' * (w - 1) + ':'
      for w, flush in zip(widths, left)
    ]
    lines.insert(1, f'{before}{between.join(dashes)}{after}')
  return lines


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Columns of text: the first flush left, the others flush right."""
  left = [i == 0 for i in range(len(header))]
  return '\n'.join(aligned([header, *rows], left))
