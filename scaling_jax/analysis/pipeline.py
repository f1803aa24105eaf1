"""From runs to a folder that holds the report and all that it shows."""

from collections.abc import Sequence
import time

from etils import epath

from scaling_jax import compile_cache
from scaling_jax.analysis import points
from scaling_jax.analysis import report
from scaling_jax.analysis import study
from scaling_jax.analysis import summary
from scaling_jax.errors import UserError


def run(
  paths: Sequence[epath.PathLike],
  out: epath.PathLike,
  settings: study.Settings = study.DEFAULTS,
  figures: bool = True,
  brief: bool = False,
) -> epath.Path:
  """Reads runs, fits every law, prints the tables and writes the report.

  Args:
    paths: as for `points.read`.
    out: the folder for fits.json, tables, figures and index.html.
    settings: levels, draws, solvers.
    figures: whether to draw them.
    brief: whether to print the laws alone; the report has all.

  Returns:
    The path of the report, the one file to open.

  Raises:
    UserError: no run can be used, or `out` can't be written.
  """
  compile_cache.keep()
  start = time.monotonic()
  source = points.read(paths)
  folder = _folder(out)  # a fit is long to wait for in vain
  fits = study.analyze(source, settings)
  study.write(fits, folder)
  made = summary.write(fits, folder)
  shown = summary.brief(fits) if brief else [t.name for t in made]
  printed = [t.plain() for t in made if t.name in shown]
  print('\n'.join(printed))
  alts: dict[str, str] = {}
  if figures:
    # Matplotlib is slow to import and not needed before.
    from scaling_jax.analysis import figures as figures_lib

    alts = figures_lib.draw_all(fits, folder)
  page = report.write(fits, folder, alts)
  seconds = time.monotonic() - start
  print(f'{folder}/fits.json, tables and figures in {seconds:.0f}s')
  print(f'report: {page}')
  return page


def _folder(path: epath.PathLike) -> epath.Path:
  folder = epath.Path(path)
  trial = folder / '.writable'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    trial.touch()
    trial.unlink()
  except OSError as error:
    raise UserError(
      f'{path} cannot be written ({error.strerror or error}): the report needs'
      ' a folder of yours; choose another'
    ) from error
  return folder
