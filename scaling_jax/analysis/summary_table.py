"""A table: rows for people, as text and Markdown, and for programs as CSV."""

import csv
import io
from typing import Any

from scaling_jax import text as text_lib


class Table:
  """Rows under headings, as text for people and as a CSV for programs.

  Attributes:
    name: the CSV's name and the Markdown's heading.
    columns: headings of the Markdown.
    rows: what people read.
    csv_columns, csv_rows: the same with full precision, and an interval's
      ends in columns of their own.
  """

  def __init__(self, name: str, title: str):
    self.name, self.title = name, title
    self.columns: list[str] = []
    self.rows: list[list[str]] = []
    self.csv_columns: list[str] = []
    self.csv_rows: list[list[Any]] = []
    self.notes: list[str] = []

  def add(self, row: dict[str, Any], shown: dict[str, str]) -> None:
    """One row: {column: number, word or estimate}, and how people see it."""
    if not self.rows:
      self.columns = list(shown)
      for name, value in row.items():
        ends = [f'{name}_low', f'{name}_high'] if _is_estimate(value) else []
        self.csv_columns += [name, *ends]
    flat: list[Any] = []
    for value in row.values():
      if _is_estimate(value):
        flat += [value['value'], value['low'], value['high']]
      else:
        flat.append(value)
    self.csv_rows.append(['' if x is None else x for x in flat])
    self.rows.append([' '.join(text.split()) for text in shown.values()])

  def csv(self) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(self.csv_columns)
    writer.writerows(self.csv_rows)
    return text.getvalue()

  def markdown(self) -> str:
    # A run's name may hold what would end a cell.
    cells = [[text.replace('|', r'\|') for text in row] for row in self.rows]
    lines = [f'## {self.title}', '']
    if cells:
      rows = [self.columns, *cells]
      grid = text_lib.aligned(rows, _left(rows), ' | ', '| ', ' |', rule=True)
      lines += [*grid, '']
    if self.notes:
      lines += [*(f'- {note}' for note in self.notes), '']
    return '\n'.join(lines)

  def plain(self) -> str:
    rows = [self.columns, *self.rows] if self.rows else []
    lines = text_lib.aligned(rows, _left(rows)) if rows else []
    return '\n'.join([self.title, *(f'  {x}' for x in lines), *self.notes, ''])


def _is_estimate(value: Any) -> bool:
  return isinstance(value, dict) and 'low' in value


def _left(rows: list[list[str]]) -> list[bool]:
  """For each column, whether it holds words alone and is flush left."""
  return [
    not any(_numeric(row[i]) for row in rows[1:]) for i in range(len(rows[0]))
  ]


def _numeric(text: str) -> bool:
  """Whether a cell opens with a number, as 1.2B [?, ?] does and 2x64 not."""
  word = (text.split() or [''])[0].rstrip('KMBT').replace(',', '')
  try:
    float(word)
  except ValueError:
    return False
  return True
