"""One function per figure, and `draw_all`, which writes them all.

A figure is a function of an Axes and the content of fits.json. It draws, and
returns one sentence that says what is seen, for those who don't see it; where
the fits hold nothing to draw it returns '' and leaves the Axes alone. What is
not 'ok' shows its points and its sentence, never a fitted line or a number.
"""

from collections.abc import Callable
import io

from etils import epath
import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling_jax import records
from scaling_jax.analysis import drawing
from scaling_jax.analysis import kaplan_figures
from scaling_jax.analysis import reach
from scaling_jax.analysis.drawing import Fits
from scaling_jax.analysis.law_figures import contours
from scaling_jax.analysis.law_figures import law_panels
from scaling_jax.analysis.law_figures import parametric_law
from scaling_jax.analysis.law_figures import predicted
from scaling_jax.analysis.law_figures import residuals
from scaling_jax.analysis.optima_figures import exponents
from scaling_jax.analysis.optima_figures import isoflop
from scaling_jax.analysis.optima_figures import optimal
from scaling_jax.analysis.run_figures import bpb_against_depth
from scaling_jax.analysis.run_figures import bpb_against_tokens_per_param
from scaling_jax.analysis.run_figures import envelope
from scaling_jax.analysis.run_figures import loss_curves

DPI = 150


def _draw_panels(figure: Figure, fits: Fits) -> str:
  law = parametric_law(drawing.law_of(fits, 'parametric'))
  if law is None:
    return ''
  axes = figure.subplots(2, 2).ravel()
  return law_panels(
    axes,
    law,
    'The parametric law',
    reach.runs(fits),
    drawing.loss_label(fits),
  )


# Inches at 150 dots an inch: 900 pixels wide unless there is more to see.
SMALL, TALL, LARGE = (6.0, 4.0), (6.0, 4.4), (7.6, 5.4)
FIGURES: dict[str, tuple[Callable[[Axes, Fits], str], tuple[float, float]]] = {
  'isoflop': (isoflop, SMALL),
  'optimal_N': (lambda ax, fits: optimal(ax, fits, 'N_opt'), TALL),
  'optimal_D': (lambda ax, fits: optimal(ax, fits, 'D_opt'), TALL),
  'envelope': (envelope, SMALL),
  'contours': (contours, LARGE),
  'residuals': (residuals, SMALL),
  'predicted': (predicted, SMALL),
  'bpb_against_depth': (bpb_against_depth, SMALL),
  'bpb_against_tokens_per_param': (
    bpb_against_tokens_per_param, SMALL,
  ),
  'loss_curves': (loss_curves, SMALL),
  'exponents': (exponents, SMALL),
  **{name: (draw, TALL) for name, draw in kaplan_figures.FIGURES.items()},
}  # fmt: skip


def draw_all(fits: Fits, folder: epath.PathLike) -> dict[str, str]:
  """Writes every figure that has data as NAME.svg and NAME.png.

  Args:
    fits: the content of fits.json.
    folder: is made if it is not there.

  Returns:
    The alt text of each figure written, by name.
  """
  folder = epath.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  alts = {}
  with matplotlib.rc_context(drawing.STYLE):
    for name, (draw, size) in FIGURES.items():
      figure = Figure(size, DPI, facecolor='white', layout='constrained')
      alt = draw(figure.subplots(), fits)
      if alt:
        _write(figure, folder / name, alt)
        alts[name] = alt
    figure = Figure((9.0, 6.8), DPI, facecolor='white', layout='constrained')
    alt = _draw_panels(figure, fits)
    if alt:
      _write(figure, folder / 'law_panels', alt)
      alts['law_panels'] = alt
  return alts


def _write(figure: Figure, path: epath.Path, alt: str) -> None:
  about = {'Title': path.name, 'Description': alt}
  for kind, extra in (('svg', {'Date': None}), ('png', {})):
    data = io.BytesIO()
    # An opaque page, or dark ones would swallow black text.
    figure.savefig(
      data, format=kind, dpi=DPI, facecolor='white', metadata=about | extra
    )
    records.write_atomic(path.parent / f'{path.name}.{kind}', data.getvalue())
