"""The report of one of Kaplan's laws through points: a page and its files."""

from etils import epath
from markupsafe import Markup

from scaling_jax import records
from scaling_jax.analysis.messages import points as messages
from scaling_jax.analysis.report import page
from scaling_jax.analysis.report import svg
from scaling_jax.analysis.study.points import PointsLaw

LAW, POINTS, DRAWING = 'law.json', 'points.csv', 'law'
_INCHES = (6.0, 4.4)


def write(
  found: PointsLaw,
  out: epath.PathLike,
  *,
  figures: bool = True,
  png: bool = False,
) -> epath.Path:
  """Writes index.html, law.json for `load_fit`, points.csv and law.svg.

  Args:
    found: as `study.points.fit` gives it.
    out: a folder, made if it is not there.
    figures: whether to draw the law.
    png: whether to write it as PNG too.

  Returns:
    The path of index.html, which needs none of the other files.
  """
  folder = epath.Path(out).expanduser()
  folder.mkdir(parents=True, exist_ok=True)
  records.write_atomic(folder / LAW, found.fit.to_json())
  records.write_atomic(folder / POINTS, found.data().csv())
  drawing = None
  if figures:
    alt = draw(found, folder / DRAWING, png=png)
    text = (folder / f'{DRAWING}.svg').read_text()
    drawing = Markup(svg.inline(text, DRAWING, alt))
  points = found.points
  text = page.render(
    'points.html.j2',
    title=messages.title(points.of),
    lead=messages.lead(
      points.of, len(points), unit=points.unit, source=points.file
    ),
    status=found.law.status,
    made=found.table(),
    source=points.source,
    drawing=drawing,
  )
  path = folder / page.NAME
  records.write_atomic(path, text)
  return path


def draw(found: PointsLaw, path: epath.Path, *, png: bool = False) -> str:
  """Writes the points and their law as PATH.svg; the alt text."""
  # Matplotlib is slow to import and not needed before.
  import matplotlib
  from matplotlib.figure import Figure

  from scaling_jax import drawing
  from scaling_jax.analysis.report import figures
  from scaling_jax.analysis.report.figures import kaplan
  from scaling_jax.analysis.report.figures import layout

  points, level = found.points, found.level
  with matplotlib.rc_context(drawing.STYLE):
    sheet = Figure()
    ax = sheet.subplots()
    sheet.set(size_inches=_INCHES, dpi=figures.DPI, facecolor='white')
    alt = messages.alt(points.of, len(points))
    if found.batch is not None:
      alt += kaplan.batch_line(
        ax, found.line, found.batch, level=level, unit=points.unit
      )
    else:
      alt += kaplan.loss_line(
        ax, found.line, points.of, level=level, unit=points.unit
      )
    layout.settle(sheet)
    figures.write(sheet, path, alt, png=png)
  return alt
