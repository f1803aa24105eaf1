"""One function per figure, and `draw_all`, which writes them all.

A figure is a function of an Axes and an Analysis. It draws, and returns an alt
text; where the analysis holds nothing to draw it returns '' and leaves the Axes
alone. What is not ok shows its points and its message, never a fitted line or a
number. Titles are in `messages.figures.TITLES`.
"""

from collections.abc import Callable, Collection
import functools
import io
from typing import NamedTuple

from etils import epath
import matplotlib
from matplotlib.figure import Figure as Page

from scaling_jax import drawing
from scaling_jax import records
from scaling_jax.analysis.report.figures import kaplan
from scaling_jax.analysis.report.figures import law
from scaling_jax.analysis.report.figures import layout
from scaling_jax.analysis.report.figures import optima
from scaling_jax.analysis.report.figures import panels
from scaling_jax.analysis.report.figures import runs
from scaling_jax.analysis.study.analyze import Analysis

DPI = 150  # 900 pixels wide unless there is more to see
_SMALL, _TALL, _LARGE, _FOUR = (6.0, 4.0), (6.0, 4.4), (7.6, 5.4), (9.0, 6.8)


class Figure(NamedTuple):
  """How a figure is drawn.

  Attributes:
    draw: (axes, analysis) -> the alt text, or '' where nothing is drawn.
    inches: width and height.
    panels: rows and columns; `draw` takes a list of axes if more than one.
  """

  draw: Callable[..., str]
  inches: tuple[float, float] = _SMALL
  panels: tuple[int, int] = (1, 1)


# In the order of the page.
FIGURES = {
  'isoflop': Figure(optima.isoflop),
  'optimal_N': Figure(optima.optimal, _TALL),
  'optimal_D': Figure(
    functools.partial(optima.optimal, quantity='D_opt'), _TALL
  ),
  'envelope': Figure(runs.envelope),
  'contours': Figure(law.contours, _LARGE),
  'law_panels': Figure(panels.law_panels, _FOUR, (2, 2)),
  'predicted': Figure(law.predicted),
  'residuals': Figure(law.residuals),
  'exponents': Figure(optima.exponents),
  'loss_curves': Figure(runs.loss_curves),
  'bpb_against_depth': Figure(runs.bpb_against_depth),
  'bpb_against_tokens_per_param': Figure(runs.bpb_against_tokens_per_param),
  **{name: Figure(draw, _TALL) for name, draw in kaplan.FIGURES.items()},
}


def draw_all(
  analysis: Analysis,
  folder: epath.PathLike,
  *,
  png: bool = False,
  names: Collection[str] = (),
) -> dict[str, str]:
  """Writes every figure that has data as NAME.svg.

  The same analysis gives the same bytes.

  Args:
    analysis: what to draw.
    folder: is made if it is not there.
    png: whether to write NAME.png too.
    names: of the figures to draw; all if empty.

  Returns:
    The alt text of each figure written, by name.

  >>> import tempfile
  >>> from scaling_jax.analysis.runs.table import Runs
  >>> from scaling_jax.analysis.study.analyze import analyze
  >>> runs = Runs.from_columns(N=[1e6, 2e6], D=[1e9, 5e8], loss=[3.5, 3.4])
  >>> alts = draw_all(analyze(runs), tempfile.mkdtemp(), names=['contours'])
  >>> alts['contours']
  '2 runs by N, D and loss, without a fitted law.'
  """
  folder = epath.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  alts = {}
  blank: dict[tuple[int, int], Page] = {}  # by panels; axes take long to make
  with matplotlib.rc_context(drawing.STYLE):
    for name, figure in FIGURES.items():
      if names and name not in names:
        continue
      page = blank.pop(figure.panels, None) or Page()
      alt = draw_on(page, figure, analysis)
      if alt:
        write(page, folder / name, alt, png=png)
        alts[name] = alt
      else:
        blank[figure.panels] = page
  return alts


def draw_on(page: Page, figure: Figure, analysis: Analysis) -> str:
  """Draws a figure, everything in its place; returns the alt text or ''.

  Args:
    page: empty, or with empty axes as the figure needs them.
    figure: one of FIGURES.
    analysis: what to draw.
  """
  axes = page.axes or list(page.subplots(*figure.panels, squeeze=False).flat)
  page.set(size_inches=figure.inches, dpi=DPI, facecolor='white')
  alt = figure.draw(axes if len(axes) > 1 else axes[0], analysis)
  if alt:
    layout.settle(page)
  return alt


def write(page: Page, path: epath.Path, alt: str, *, png: bool) -> None:
  """Writes a figure as PATH.svg, and as PATH.png too where asked for."""
  about = {'Title': path.name, 'Description': alt}
  for kind, extra in (('svg', {'Date': None}), *([('png', {})] if png else [])):
    data = io.BytesIO()
    # An opaque page, or dark ones would swallow black text.
    page.savefig(
      data, format=kind, dpi=DPI, facecolor='white', metadata=about | extra
    )
    records.write_atomic(path.parent / f'{path.name}.{kind}', data.getvalue())
