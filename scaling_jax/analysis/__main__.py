"""From runs to scaling laws, with intervals.

python -m scaling_jax.analysis RUNS... --out=DIR

RUNS are run folders, folders of them, or tables of anyone's runs: CSV, JSON,
Parquet, Excel, exports and logs of Weights & Biases, Hugging Face's Trainer or
TensorBoard; docs/formats.md has an example of each. DIR gets index.html, the
report, and beside it fits.json, tables.md and one CSV a table, and the figures
as SVG. The answer is printed first, then the laws, then what tests them.
"""

from collections.abc import Sequence
import sys
import time

from absl import app
from absl import flags as absl_flags
from absl import logging
from etils import epath

from scaling_jax import errors
from scaling_jax import formatting
from scaling_jax.analysis import flags
from scaling_jax.analysis.flags import FLAGS
from scaling_jax.errors import UserError

_PROGRAM = 'scaling_jax.analysis'
_HELP = ('help', 'helpshort', 'helpfull', 'h', '?')


def run(
  paths: Sequence[epath.PathLike],
  out: epath.PathLike,
  options=None,
  *,
  reading=None,
  by: str | None = None,
  figures: bool = True,
  png: bool = False,
  shown: str = 'laws',
) -> epath.Path:
  """Reads runs, prints their laws, and writes the report.

  Args:
    paths: as for `read_runs`.
    out: the folder for the report and what lies beside it.
    options: `study.results.Options`; the defaults if None.
    reading: keywords of `read_runs`.
    by: a column, for a law for each of its values, side by side. Runs of
      several texts, tokenizers, contexts or experiments get one each anyway.
    figures: whether to draw them.
    png: whether to write them as PNG too.
    shown: 'brief' prints the laws and the answer, 'laws' what tests them too,
      'all' the tables of single runs as well.

  Returns:
    The path of the report, the one file to open.

  Raises:
    UserError: no run can be used, or `out` can't be written.
  """
  start = time.monotonic()
  from scaling_jax.analysis.runs import groups
  from scaling_jax.analysis.runs import points
  from scaling_jax.analysis.runs import run_folders

  try:
    runs = run_folders.read_runs(*paths, **(reading or {}))
  except points.HoldsPoints:
    if len(paths) > 1:  # a law of points is none of runs, nor of others
      raise
    found = points.read_points(paths[0], **(reading or {}))
    return _of_points(found, out, options, by=by, figures=figures, png=png)
  parts = groups.by_column(runs, by) if by else groups.of_runs(runs)
  folder = _folder(out)  # a fit is long to wait for in vain
  # JAX is imported only when what was asked has proved sound.
  from scaling_jax import compile_cache
  from scaling_jax.analysis.report import side_by_side
  from scaling_jax.analysis.report import terminal

  compile_cache.keep()
  how = {'figures': figures, 'png': png}
  if len(parts.runs) > 1:
    _show(terminal.sources(runs))
    written = side_by_side.write(parts, folder, options, show=_show, **how)
  else:
    written = _one(runs, folder, options, shown=shown, **how)
  seconds = formatting.duration(time.monotonic() - start)
  where = f'{folder}/*' if len(parts.runs) > 1 else folder
  print(f'{where}/fits.json, tables and figures in {seconds}')
  print(f'report: {written}')
  return written


def _of_points(found, out, options, *, by, figures, png) -> epath.Path:
  """Prints and writes the one law of Kaplan's that points can carry."""
  from scaling_jax.analysis.messages import points as messages

  asked = {
    f'--by={by}': by,
    '--C': options and options.targets,
    '--drop_highest': options and options.drop_highest,
  }
  for flag, given in asked.items():
    if given:
      raise UserError(messages.not_of_points(flag))
  folder = _folder(out)
  from scaling_jax.analysis.report import points as report
  from scaling_jax.analysis.report import terminal
  from scaling_jax.analysis.study import points as study

  law = study.fit(found, options)
  _show(terminal.of_points(law))
  written = report.write(law, folder, figures=figures, png=png)
  print(f'report: {written}')
  return written


def _one(runs, folder, options, *, figures, png, shown) -> epath.Path:
  """Prints and writes the laws of runs that one law can be of."""
  from scaling_jax.analysis.report import page
  from scaling_jax.analysis.report import terminal
  from scaling_jax.analysis.study import analyze

  analysis = analyze.of_one_law(runs, options)
  _show(terminal.sources(runs))
  _show(terminal.opening(analysis))
  _show(terminal.answer(analysis))
  _show(terminal.laws(analysis))
  if shown != 'brief':
    _show(terminal.tests(analysis, of_runs=shown == 'all'))
  return page.write_report(analysis, folder, figures=figures, png=png)


def _show(texts) -> None:
  for text in texts:
    print(text, flush=True)


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


def _main(argv: list[str]) -> None:
  paths = flags.sources(argv[1:])
  if not paths:
    raise UserError(
      'no runs are given: at least one run folder or table is needed; try'
      ' python -m scaling_jax.analysis runs/c0 --out=analysis'
    )
  if not flags.OUT.value:
    raise UserError(
      '--out is missing: it must name a folder for the results; try'
      ' --out=analysis'
    )
  reading, options = flags.reading(), flags.options()
  run(
    paths,
    flags.OUT.value,
    options,
    reading=reading,
    by=flags.BY.value,
    figures=flags.FIGURES.value,
    png=flags.PNG.value,
    shown='all' if flags.RUNS.value else 'laws',
  )


def _guarded(argv: list[str]) -> None:
  logging.set_verbosity(logging.WARNING)
  errors.guarded(_main, argv, _PROGRAM, 'stopped; nothing is lost')


def _parse(argv: list[str]) -> list[str]:
  named = {a.lstrip('-').partition('=')[0] for a in argv[1:] if a[:1] == '-'}
  if named & set(_HELP):
    print(f'{__doc__}\n{FLAGS.get_help()}')
    sys.exit(0)
  absl_flags.FLAGS(argv[:1])  # absl's own, which app.run wants parsed
  try:
    return FLAGS(argv)
  except absl_flags.Error as error:
    text = ' '.join(str(error).split())
    errors.stop(_PROGRAM, f'{text}; see --help', 2)


def main(argv: list[str]) -> None:
  """Runs the command line; what is wrong with it exits with one sentence."""
  _guarded(_parse(argv))


if __name__ == '__main__':
  app.run(_guarded, flags_parser=_parse)
