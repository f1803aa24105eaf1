"""What a terminal shows of an analysis: the runs in a few lines, the answer.

Then come the laws, and what tests them. Tables of single runs are in files, and
shown where they are asked for.
"""

from collections.abc import Iterator
import textwrap

from scaling_jax.analysis.messages import points as point_messages
from scaling_jax.analysis.messages import terminal as messages
from scaling_jax.analysis.report import headline
from scaling_jax.analysis.runs.table import INCLUDABLE
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.study import kaplan_tables
from scaling_jax.analysis.study import summary_tables
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.points import PointsLaw

_OF_RUNS = ('runs', 'curves')
_WIDTH = 100  # of what is no table


def sources(runs: Runs) -> list[str]:
  """What was taken for what in each table."""
  return [*map(wrapped, runs.sources), *([''] if runs.sources else [])]


def opening(analysis: Analysis) -> Iterator[str]:
  """The runs in a few lines: their ranges, what is excluded and noted."""
  runs = analysis.runs
  yield wrapped(
    messages.runs(
      len(runs),
      C=runs.C,
      N=runs.N,
      D=runs.D,
      loss=runs.loss,
      unit=runs.unit,
      n_budgets=len(analysis.grouping.groups),
    )
  )
  # Of tables alone: what is unfinished of ours has no loss to fit.
  back = [str(kind) for kind in INCLUDABLE] if runs.sources else []
  for line in messages.excluded(runs.excluded, back):
    yield wrapped(line)
  for note in summary_tables.notes(analysis):
    yield wrapped(note)
  yield ''


def laws(analysis: Analysis) -> Iterator[str]:
  """The laws as tables."""
  for table in summary_tables.brief_tables(analysis):
    yield table.text()


def answer(analysis: Analysis) -> Iterator[str]:
  """What to train, and what speaks against it."""
  for sentence in headline.sentences(analysis):
    yield wrapped(sentence)
  yield ''


def tests(analysis: Analysis, *, of_runs: bool) -> Iterator[str]:
  """What tests the laws: budgets, predictions, countings; Kaplan's laws.

  Args:
    analysis: of runs.
    of_runs: whether to show the tables of single runs too.
  """
  known = {table.name for table in summary_tables.brief_tables(analysis)}
  for table in analysis.tables():
    if table.name in known or (table.name in _OF_RUNS and not of_runs):
      continue
    if table.name == 'kaplan':
      table = kaplan_tables.laws(analysis, applying=True)
      if not table.rows:
        continue
    yield table.text()
  silent = [law for law in analysis.kaplan.laws if not law.ok]
  if silent:
    names = dict.fromkeys(map(kaplan_tables.short, silent))
    every = len(silent) == len(analysis.kaplan.laws)
    yield wrapped(messages.kaplan_silent([] if every else [*names]))
    yield ''


def of_points(found: PointsLaw) -> Iterator[str]:
  """What was taken for what, the points in a line, their law."""
  points = found.points
  yield wrapped(points.source)
  yield ''
  yield wrapped(
    point_messages.opening(
      points.of, points.size, points.loss, unit=points.unit
    )
  )
  assumed = point_messages.assumes(points.of)
  if assumed:
    yield wrapped(assumed)
  yield ''
  yield found.table().text()


def wrapped(text: str) -> str:
  """A paragraph in lines of at most a hundred characters."""
  return textwrap.fill(
    text, _WIDTH, subsequent_indent='  ', break_on_hyphens=False
  )
