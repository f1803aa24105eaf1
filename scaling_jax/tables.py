"""A table: rows for people in five forms, and for programs with all digits."""

from collections.abc import Sequence
import csv as csv_lib
import html as html_lib
import io
import math
import numbers
import re
from typing import TYPE_CHECKING, Any

from scaling_jax.errors import UserError

if TYPE_CHECKING:
  import pandas as pd

# What plain LaTeX does not print as it stands.
_LATEX = {
  '\\': r'\textbackslash{}', '&': r'\&', '%': r'\%', '$': r'\$', '#': r'\#',
  '_': r'\_', '{': r'\{', '}': r'\}', '~': r'\textasciitilde{}',
  '^': r'\textasciicircum{}', '<': r'$<$', '>': r'$>$', '|': r'$|$', '–': '--',
  '±': r'$\pm$', '×': r'$\times$', '÷': r'$\div$', '∝': r'$\propto$',
  '·': r'$\cdot$', '≈': r'$\approx$', '≤': r'$\leq$', '≥': r'$\geq$',
  '∞': r'$\infty$', '→': r'$\to$', 'α': r'$\alpha$', 'β': r'$\beta$',
  'ε': r'$\varepsilon$', 'σ': r'$\sigma$', '\u0302': r'\^{}',
  **{x: f'$^{i}$' for i, x in enumerate('⁰¹²³⁴⁵⁶⁷⁸⁹')}, '⁻': '$^-$',
}  # fmt: skip
# A number by itself or in brackets, not the 2 of gpt-2; with a power, math.
_NUMBER = re.compile(
  r'(?<![^\s\[(])(-?)(\d(?:[\d,.]*\d)?)(?:e(-?\d+))?(?![\w.-])'
)

# What `formatting` makes of a number, or of a duration: 1.2B, 95%, 8m05s, 10¹⁴.
_AMOUNT = re.compile(
  r'[-+±]? ?[\d,]*\.?\d+(e[-+]?\d+|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?([KMBTQ%s]|m\d\ds|h\d\dm)?(?!\S)'
)


def aligned(
  rows: Sequence[Sequence[str]],
  left: Sequence[bool],
  *,
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

  >>> aligned([['model', 'N'], ['gpt-0', '221,664']], [True, False])
  ['model        N', 'gpt-0  221,664']
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


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Columns of text: the first flush left, the others flush right.

  >>> print(columns(('model', 'N'), [('gpt-0', '221,664')]))
  model        N
  gpt-0  221,664
  """
  left = [i == 0 for i in range(len(header))]
  return '\n'.join(aligned([header, *rows], left))


class Table:
  """Rows under headings, for people and for programs.

  `print(table)` shows text, a notebook shows HTML.

  Attributes:
    name: of its file, and of its place on a page.
    title: above it.
    columns: headings that people read.
    rows: the cells below them.
    notes: below it.

  >>> table = Table('models', 'Models')
  >>> table.add({'model': 'gpt-0', 'N': 221664},
  ...           {'model': 'gpt-0', 'N': '221,664'})
  >>> print(table)
  Models
    model        N
    gpt-0  221,664
  <BLANKLINE>
  """

  def __init__(self, name: str, title: str):
    self.name, self.title = name, title
    self.columns: list[str] = []
    self.rows: list[list[str]] = []
    self.notes: list[str] = []
    self._data: list[dict[str, Any]] = []

  def add(self, row: dict[str, Any], shown: dict[str, str]) -> None:
    """One row.

    Args:
      row: {column: number, text or interval}, for programs.
      shown: {heading: text}, for people; the headings are those of the first
        row.
    """
    if not self.rows:
      self.columns = list(shown)
    self._data.append(row)
    self.rows.append([' '.join(str(text).split()) for text in shown.values()])

  @property
  def data_columns(self) -> list[str]:
    """Names for programs: an interval x makes x, x_low and x_high."""
    names = dict.fromkeys(name for row in self._data for name in row)
    intervals = {
      name
      for row in self._data
      for name, value in row.items()
      if _is_interval(value)
    }
    out = []
    for name in names:
      ends = (f'{name}_low', f'{name}_high') if name in intervals else ()
      out += [name, *ends]
    return out

  @property
  def data_rows(self) -> list[list[Any]]:
    """The cells below `data_columns`, all digits; None for what is unknown."""
    columns, out = self.data_columns, []
    for row in self._data:
      flat: dict[str, Any] = {}
      for name, value in row.items():
        if _is_interval(value):
          flat[name] = value.value
          flat[f'{name}_low'], flat[f'{name}_high'] = value.low, value.high
        else:
          flat[name] = value
      cells = (flat.get(name) for name in columns)
      out.append([None if _missing(x) else x for x in cells])
    return out

  def text(self) -> str:
    """For a terminal: its title, its rows, its notes."""
    rows = [self.columns, *self.rows] if self.rows else []
    lines = aligned(rows, _left(rows)) if rows else []
    return '\n'.join([self.title, *(f'  {x}' for x in lines), *self.notes, ''])

  def markdown(self) -> str:
    r"""A Markdown section: heading, table, notes; | is escaped as \|."""
    lines = [f'## {self.title}', '']
    if self.rows:
      # A run's name may hold what would end a cell.
      rows = [
        [text.replace('|', r'\|') for text in row]
        for row in (self.columns, *self.rows)
      ]
      lines += aligned(
        rows, _left(rows), between=' | ', before='| ', after=' |', rule=True
      )
      lines.append('')
    if self.notes:
      lines += [*(f'- {note}' for note in self.notes), '']
    return '\n'.join(lines)

  def latex(self) -> str:
    r"""A tabular for a paper that loads \usepackage{booktabs}.

    Powers of ten and minus signs are set as mathematics, letters that mean
    something to LaTeX are escaped.

    >>> table = Table('laws', 'Laws')
    >>> table.add({'law': 'a_b', 'A': 4e-7}, {'law': 'a_b', 'A': '4e-7'})
    >>> print(table.latex())
    \begin{tabular}{lr}
    \toprule
    law & A \\
    \midrule
    a\_b & $4\times10^{-7}$ \\
    \bottomrule
    \end{tabular}
    <BLANKLINE>
    """
    rows = [self.columns, *self.rows]
    sides = ''.join('l' if x else 'r' for x in _left(rows))
    body = [' & '.join(map(_latex, row)) + r' \\' for row in rows]
    return '\n'.join(
      [
        rf'\begin{{tabular}}{{{sides}}}',
        r'\toprule',
        *body[:1],
        r'\midrule',
        *body[1:],
        r'\bottomrule',
        r'\end{tabular}',
        '',
      ]
    )

  def csv(self) -> str:
    """For programs: all digits, an interval's ends in columns of their own."""
    text = io.StringIO()
    writer = csv_lib.writer(text, lineterminator='\n')
    writer.writerow(self.data_columns)
    for row in self.data_rows:
      writer.writerow(['' if x is None else x for x in row])
    return text.getvalue()

  def to_dataframe(self) -> 'pd.DataFrame':
    """A pandas frame of what `csv` holds.

    Raises:
      UserError: pandas is not installed.
    """
    try:
      import pandas as pd
    except ImportError as error:
      raise UserError(
        'a data frame needs pandas, which is not installed; pip install pandas'
      ) from error
    return pd.DataFrame(self.data_rows, columns=self.data_columns)

  def html(self) -> str:
    """A table element with its caption, and its notes as a list below."""
    escape = html_lib.escape
    left = _left([self.columns, *self.rows])
    styles = [f'text-align:{"left" if flush else "right"}' for flush in left]
    head = ''.join(
      f'<th scope="col" style="{style}">{escape(x)}</th>'
      for x, style in zip(self.columns, styles)
    )
    body = ''.join(
      '<tr>'
      + ''.join(
        f'<td style="{style}">{escape(x)}</td>' for x, style in zip(row, styles)
      )
      + '</tr>'
      for row in self.rows
    )
    notes = ''.join(f'<li>{escape(note)}</li>' for note in self.notes)
    return (
      f'<table><caption>{escape(self.title)}</caption>'
      f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
      + (f'<ul>{notes}</ul>' if notes else '')
    )

  def __str__(self) -> str:
    return self.text()

  def __repr__(self) -> str:
    return self.text()

  def _repr_html_(self) -> str:
    return self.html()


def _is_interval(value: Any) -> bool:
  return all(hasattr(value, name) for name in ('value', 'low', 'high'))


def _missing(x: Any) -> bool:
  return x is None or (
    isinstance(x, numbers.Real) and not math.isfinite(float(x))
  )


def _latex(text: str) -> str:
  """A cell's text; numbers are set before the rest is escaped."""
  out, end = [], 0
  for found in _NUMBER.finditer(text):
    out += [_escaped(text[end : found.start()]), _latex_number(*found.groups())]
    end = found.end()
  escaped = ''.join([*out, _escaped(text[end:])])
  # A bracket right after a rule or a row's end would be its argument.
  return f'{{}}{escaped}' if escaped.startswith('[') else escaped


def _latex_number(sign: str, digits: str, power: str | None) -> str:
  if power is None:
    return f'${sign}{digits}$' if sign else digits
  ten = f'10^{{{power}}}'
  return f'${sign}{ten}$' if digits == '1' else rf'${sign}{digits}\times{ten}$'


def _escaped(text: str) -> str:
  return ''.join(_LATEX.get(letter, letter) for letter in text)


def _left(rows: Sequence[Sequence[str]]) -> list[bool]:
  """For each column, whether it holds words alone and is flush left."""
  return [
    not any(_numeric(row[i]) for row in rows[1:]) for i in range(len(rows[0]))
  ]


def _numeric(text: str) -> bool:
  """Whether a cell opens with a number, as 1.2B [?, ?] does and 2x64 not."""
  return bool(_AMOUNT.match(text))
