"""The report: one HTML file that holds all it needs, made from an analysis.

It states first what to train, then how far to trust that, then everything else.
A number whose fit is not ok is never shown: its status stands in its place.
"""

import base64
from collections.abc import Mapping, Sequence
import dataclasses
import functools
import hashlib
from importlib import resources
import json
from typing import Any

from etils import epath
import jinja2
from markupsafe import Markup
import numpy as np

from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.analysis.messages import calculator as calculator_messages
from scaling_jax.analysis.messages import figures as figure_messages
from scaling_jax.analysis.messages import report as messages
from scaling_jax.analysis.messages import side_by_side as side_by_side_messages
from scaling_jax.analysis.messages import tables as table_messages
from scaling_jax.analysis.report import agreement
from scaling_jax.analysis.report import calculator
from scaling_jax.analysis.report import filters
from scaling_jax.analysis.report import headline
from scaling_jax.analysis.report import svg
from scaling_jax.analysis.study import hold_out_tables
from scaling_jax.analysis.study import kaplan_tables
from scaling_jax.analysis.study import schema
from scaling_jax.analysis.study import summary_tables
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.tables import Table

NAME = 'index.html'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
  """A figure as the page shows it: an element <svg>, and what is seen."""

  name: str
  title: str
  svg: Markup
  alt: str


def write_report(
  analysis: Analysis,
  out: epath.PathLike,
  *,
  figures: bool = True,
  png: bool = False,
) -> epath.Path:
  """Writes the report and what lies beside it.

  Args:
    analysis: as `analyze` or `load_analysis` give it.
    out: a folder, made if it is not there: it gets index.html, fits.json,
      tables.md, one CSV a table, and the figures as SVG.
    figures: whether to draw them.
    png: whether to write them as PNG too.

  Returns:
    The path of the report, index.html, which needs none of the other files.

  >>> import tempfile
  >>> import scaling_jax as sj
  >>> runs = sj.Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4])
  >>> with tempfile.TemporaryDirectory() as folder:
  ...   sj.write_report(sj.analyze(runs), folder, figures=False).name
  'index.html'
  """
  folder = epath.Path(out).expanduser()
  folder.mkdir(parents=True, exist_ok=True)
  alts: Mapping[str, str] = {}
  if figures:
    # Matplotlib is slow to import and not needed before.
    from scaling_jax.analysis.report import figures as figures_lib

    alts = figures_lib.draw_all(analysis, folder, png=png)
  schema.write(analysis, folder)
  made = analysis.tables()
  summary_tables.write(made, folder)
  path = folder / NAME
  text = page(analysis, read_figures(folder, alts), tables=made)
  records.write_atomic(path, text)
  return path


def read_figures(
  folder: epath.PathLike, alts: Mapping[str, str]
) -> list[Figure]:
  """The drawings in a folder, NAME.svg each, in the order of the page."""
  order = [name for name in figure_messages.TITLES if name in alts]
  order += [name for name in alts if name not in figure_messages.TITLES]
  return [
    figure(name, (epath.Path(folder) / f'{name}.svg').read_text(), alts[name])
    for name in order
  ]


def figure(name: str, drawing: str, alt: str, *, ids: str = '') -> Figure:
  """A drawing of matplotlib's, ready for the page; `ids` open those in it."""
  return Figure(
    name=name,
    title=figure_messages.TITLES.get(name, name),
    svg=Markup(svg.inline(drawing, ids or name, alt)),
    alt=alt,
  )


def page(
  analysis: Analysis,
  figures: Sequence[Figure] = (),
  *,
  tables: Sequence[Table] = (),
) -> str:
  """The report as HTML; its tables are made if none are given."""
  script = _asset('calculator.js')
  return (
    _environment()
    .get_template('page.html.j2')
    .render(
      analysis=analysis,
      title=messages.title(headline.subject(analysis)),
      lead=_lead(analysis),
      css=Markup(_asset('report.css')),
      script=Markup(script),
      policy=_policy(script),
      data=Markup(_json(calculator.data(analysis))),
      figures=figures,
      **_answer(analysis),
      **_calculator(analysis),
      **_tests(analysis, tables or analysis.tables()),
      **_kaplan(analysis),
    )
  )


def render(template: str, **content: Any) -> str:
  """A page without a calculator, of a template of this package's."""
  return (
    _environment()
    .get_template(template)
    .render(css=Markup(_asset('report.css')), policy=_policy(''), **content)
  )


@functools.cache
def _environment() -> jinja2.Environment:
  made = jinja2.Environment(
    loader=jinja2.PackageLoader('scaling_jax.analysis.report'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  made.filters.update(filters.FILTERS)
  made.globals.update(
    formatting=formatting,
    messages=messages,
    calculator=calculator_messages,
    side_by_side=side_by_side_messages,
    titles=table_messages.APPROACHES,
  )
  return made


def _asset(name: str) -> str:
  package = resources.files('scaling_jax.analysis.report')
  return package.joinpath(name).read_text()


def _policy(script: str) -> str:
  """Nothing may be fetched, and no script may run but the report's own."""
  digest = hashlib.sha256(script.encode()).digest()
  allowed = base64.b64encode(digest).decode()
  return (
    f"default-src 'none'; script-src 'sha256-{allowed}'; style-src"
    " 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
  )


def _json(data: calculator.Data) -> str:
  text = json.dumps(data, allow_nan=False)
  return text.replace('<', r'\u003c')  # or a name could end the element


def _lead(analysis: Analysis) -> str:
  runs = analysis.runs
  return messages.lead(
    len(runs),
    float(np.min(runs.C)),
    float(np.max(runs.C)),
    unit=runs.unit,
    level=analysis.level,
    sem=bool(np.isfinite(runs.sem).any()),
  )


def _answer(analysis: Analysis) -> dict[str, Any]:
  answers = headline.answers(analysis)
  return {
    'answers': answers,
    'leading': analysis.lead,
    'contradiction': agreement.contradiction(analysis),
    'tested': headline.tested(analysis, answers[0]) if answers else None,
    'agreement': agreement.of_analysis(analysis),
    'silent_approaches': headline.silent(analysis),
  }


def _calculator(analysis: Analysis) -> dict[str, Any]:
  best = calculator.optimum(analysis)
  fitted = analysis.fitted_range(analysis.headline or '')
  shown: dict[str, Any] = {'best': best, 'levels': calculator.levels(analysis)}
  if best is not None and fitted is not None:
    shown['results'] = calculator.results(best, analysis.runs.unit)
    shown['where'] = calculator.where(fitted, float(best.C.value))
  return shown


def _tests(analysis: Analysis, tables: Sequence[Table]) -> dict[str, Any]:
  made = {table.name: table for table in tables}
  text = hold_out_tables.held_out(analysis)
  return {
    'tables': made,
    'excluded': summary_tables.excluded(analysis),
    'held_out': headline.held_out_count(analysis),
    'held_out_text': text,
    'hold_out_notes': [note for note in made['hold_out'].notes if note != text],
    'floor': headline.floor(analysis),
    'shape_notes': [
      *analysis.chinchilla.notes,
      *analysis.form_notes,
      *analysis.cautions,
    ],
  }


def _kaplan(analysis: Analysis) -> dict[str, Any]:
  return {
    'kaplan_ok': kaplan_tables.any_ok(analysis),
    'reasons': kaplan_tables.reasons(analysis),
    'kaplan_notes': kaplan_tables.notes(
      law for law in analysis.kaplan.laws if law.ok
    ),
    'kaplan_silent': kaplan_tables.silent(analysis),
  }
