"""Several laws in one report: a table of them, and a report of each.

Runs of several experiments, texts, tokenizers or contexts are of as many laws.
"""

from collections.abc import Callable, Iterable
import dataclasses
import re

from etils import epath
from markupsafe import Markup
import numpy as np

from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.analysis.messages import side_by_side as messages
from scaling_jax.analysis.messages import tables as table_messages
from scaling_jax.analysis.report import headline
from scaling_jax.analysis.report import page
from scaling_jax.analysis.report import terminal
from scaling_jax.analysis.runs.groups import Groups
from scaling_jax.analysis.study import analyze
from scaling_jax.analysis.study import summary_tables
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import Options
from scaling_jax.tables import Table

Show = Callable[[Iterable[str]], None]
_FIGURES = ('isoflop', 'losses', 'chinchilla')  # of which one is shown of each


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
  """One of the laws.

  Attributes:
    label: of its runs.
    folder: that holds its report, by name.
    analysis: of its runs.
  """

  label: str
  folder: str
  analysis: Analysis

  @property
  def sentences(self) -> list[str]:
    """What to train by it, and what speaks against it."""
    return headline.sentences(self.analysis)


def write(
  groups: Groups,
  out: epath.PathLike,
  options: Options | None = None,
  *,
  show: Show = lambda _: None,
  figures: bool = True,
  png: bool = False,
) -> epath.Path:
  """Fits a law for each group, and writes a report of each and one of all.

  Args:
    groups: of runs.
    out: the folder: it gets index.html, laws.csv and tables.md, and a folder
      for each group with all that `write_report` writes.
    options: of the fits.
    show: takes what a terminal prints.
    figures: whether to draw them.
    png: whether to write them as PNG too.

  Returns:
    The path of the report of all.
  """
  folder = epath.Path(out).expanduser()
  folder.mkdir(parents=True, exist_ok=True)
  show([terminal.wrapped(messages.intro(groups.by, [*groups.runs])), ''])
  parts = []
  for label, name in zip(groups.runs, folders([*groups.runs])):
    part = Part(
      label=label,
      folder=name,
      analysis=analyze.of_one_law(groups.runs[label], options),
    )
    show([messages.heading(label)])
    show(terminal.opening(part.analysis))
    show(terminal.answer(part.analysis))
    page.write_report(part.analysis, folder / name, figures=figures, png=png)
    parts.append(part)
  table = laws(parts)
  show([table.text()])
  summary_tables.write([table], folder)
  drawings = [_drawing(folder, part) for part in parts]
  text = page.render(
    'side_by_side.html.j2',
    title=messages.title(groups.by, len(parts)),
    lead=messages.intro(groups.by, [*groups.runs]),
    table=table,
    parts=list(zip(parts, drawings)),
  )
  path = folder / page.NAME
  records.write_atomic(path, text)
  return path


def folders(labels: list[str]) -> list[str]:
  """A folder's name for each label, unlike all others.

  >>> folders(['Llama 3', 'llama-3', '???'])
  ['llama-3', 'llama-3_2', 'group']
  """
  names: list[str] = []
  for label in labels:
    plain = re.sub(r'[^a-z0-9._]+', '-', label.lower()).strip('-.')[:60]
    name, copy = plain or 'group', 1
    while name in names:
      copy += 1
      name = f'{plain or "group"}_{copy}'
    names.append(name)
  return names


def laws(parts: list[Part]) -> Table:
  """The laws, a row for each: its constants, and what to train at one C.

  C is the largest of any group, or the first that was asked for.
  """
  table = Table('laws', messages.TITLE)
  options = parts[0].analysis.options
  largest = max(float(np.max(part.analysis.counted.C)) for part in parts)
  C = options.targets[0] if options.targets else largest
  for part in parts:
    analysis = part.analysis
    fit, lead = analysis.chinchilla, analysis.headline
    found = fit.conf_int(analysis.level)
    names = ('E', 'alpha', 'beta')
    approach = analysis.approaches[lead or 'chinchilla']
    a = approach.conf_int(analysis.level)['exponent_N']
    best = analysis.optimum(C=C)
    shown_C = formatting.flops(C)
    row = {
      'group': part.label,
      'n_runs': len(analysis.counted),
      **{name: found[name] for name in names},
      'a': a,
      'C': C,
      'N': best.N if best else None,
      'D': best.D if best else None,
      'approach': table_messages.written(lead) if lead else '',
      'status': str(approach.status),
    }
    shown = {
      messages.RUNS_OF: part.label,
      'runs': str(len(analysis.counted)),
      **{name: formatting.estimate(found[name], fit.status) for name in names},
      'a': formatting.estimate(a, approach.status),
      f'N at {shown_C}': _optimum(best.N if best else None),
      f'D at {shown_C}': _optimum(best.D if best else None),
      'by': table_messages.APPROACHES[lead] if lead else messages.NONE,
    }
    table.add(row, shown)
  table.notes.append(messages.about_a())
  return table


def _optimum(found) -> str:
  if found is None:
    return messages.NONE
  return formatting.estimate(found, show=formatting.count)


def _drawing(folder: epath.Path, part: Part) -> Markup | None:
  """One figure of a part, for the page of all; None where there is none."""
  for name in _FIGURES:
    path = folder / part.folder / f'{name}.svg'
    if path.exists():
      return page.figure(
        name, path.read_text(), part.label, ids=f'{part.folder}-{name}'
      ).svg
  return None
