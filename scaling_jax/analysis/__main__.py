"""From runs to scaling laws, with intervals.

python -m scaling_jax.analysis RUNS... --out=DIR

RUNS are run folders, folders of them, a results.csv, or another project's CSV
with columns C,N,D,loss, or Model Size,Training FLOP,loss, or nanochat's. DIR
gets index.html, the report, and beside it fits.json, tables.md and one CSV a
table, and the figures as SVG. The laws are printed as soon as they are known.
"""

from collections.abc import Sequence
import functools
import sys
import time

from absl import app
from absl import flags
from absl import logging
from etils import epath

from scaling_jax import errors
from scaling_jax import formatting
from scaling_jax.errors import UserError

_PROGRAM = 'scaling_jax.analysis'

# Flags of its own: other programs of this project have some of the same names.
FLAGS = flags.FlagValues()
_HELP = ('help', 'helpshort', 'helpfull', 'h', '?')

_bool = functools.partial(flags.DEFINE_bool, flag_values=FLAGS)
_enum = functools.partial(flags.DEFINE_enum, flag_values=FLAGS)
_float = functools.partial(flags.DEFINE_float, flag_values=FLAGS)
_integer = functools.partial(flags.DEFINE_integer, flag_values=FLAGS)
_string = functools.partial(flags.DEFINE_string, flag_values=FLAGS)

_OUT = _string('out', None, 'The folder to write to.')
_LEVEL = _float('level', 0.95, 'Of the intervals.')
_DRAWS = _integer('draws', 4000, 'Bootstrap refits.')
_METHOD = _enum(
  'bootstrap',
  'auto',
  ['auto', 'posterior', 'noise', 'runs'],
  'A posterior below 20 runs, residuals redrawn, runs resampled from 50 on.',
)
_KEEP = _bool(
  'keep_outliers', None, 'Fit runs beyond five standard deviations too.'
)
_DELTA = _float(
  'delta', None, 'Of the Huber loss; Hoffmann: 1e-3. From the runs if omitted.'
)
_RESIDUALS = _enum(
  'residuals', 'log', ['log', 'loss'], 'Of log L (Hoffmann) or of L (Kaplan).'
)
_OBJECTIVE = _enum(
  'objective',
  'huber',
  ['huber', 'squares'],
  'The Huber loss, or least squares.',
)
_REDUCTION = _enum(
  'reduction',
  'sum',
  ['sum', 'mean'],
  'The objective is a sum (Besiroglu) or a mean (Hoffmann) over runs.',
)
_SOLVER = _enum(
  'solver',
  'auto',
  ['auto', 'jax', 'optimistix'],
  'jax.scipy.optimize, optimistix, or the first finished by the second.',
)
_SEED = _integer('seed', 0, 'Of the bootstrap.')
_DROP = _integer(
  'drop_highest', 0, 'Exclude so many runs, the highest losses first.'
)
_TARGETS = flags.DEFINE_list(
  'C',
  [],
  'FLOPs to state the optimum at; ten times the largest budget.',
  flag_values=FLAGS,
)
_FIGURES = _bool('figures', True, 'Draw the figures.')
_PNG = _bool('png', False, 'Write the figures as PNG too.')
_RUNS = _bool('runs', False, 'Print the tables of single runs too.')

_OF_RUNS = ('runs', 'curves')


def run(
  paths: Sequence[epath.PathLike],
  out: epath.PathLike,
  options=None,
  *,
  figures: bool = True,
  png: bool = False,
  shown: str = 'laws',
) -> epath.Path:
  """Reads runs, prints their laws, and writes the report.

  Args:
    paths: as for `read_runs`.
    out: the folder for the report and what lies beside it.
    options: `study.results.Options`; the defaults if None.
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
  from scaling_jax.analysis.runs import run_folders

  runs = run_folders.read_runs(*paths)
  folder = _folder(out)  # a fit is long to wait for in vain
  # JAX is imported only when what was asked has proved sound.
  from scaling_jax import compile_cache
  from scaling_jax.analysis.report import headline
  from scaling_jax.analysis.report import page
  from scaling_jax.analysis.study import analyze
  from scaling_jax.analysis.study import summary_tables

  compile_cache.keep()
  analysis = analyze.analyze(runs, options)
  first = summary_tables.brief_tables(analysis)
  _show(table.text() for table in first)
  written = page.write_report(analysis, folder, figures=figures, png=png)
  if shown != 'brief':
    known = {table.name for table in first}
    _show(
      table.text()
      for table in analysis.tables()
      if table.name not in known
      and (shown == 'all' or table.name not in _OF_RUNS)
    )
  _show([*headline.sentences(analysis), ''])
  seconds = formatting.duration(time.monotonic() - start)
  print(f'{folder}/fits.json, tables and figures in {seconds}')
  print(f'report: {written}')
  return written


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
  paths = argv[1:]
  if not paths:
    raise UserError(
      'no runs are given: at least one run folder or CSV is needed; try python'
      ' -m scaling_jax.analysis runs/c0 --out=analysis'
    )
  if not _OUT.value:
    raise UserError(
      '--out is missing: it must name a folder for the results; try'
      ' --out=analysis'
    )
  level, draws, seed = _level(), _draws(), _seed()
  targets = tuple(_flops(text) for text in _TARGETS.value)
  from scaling_jax.analysis.fitting.bootstrap import Bootstrap
  from scaling_jax.analysis.study.results import Options

  options = Options(
    level=level,
    bootstrap=Bootstrap(draws, _METHOD.value, seed),
    objective=_objective(),
    keep_outliers=_KEEP.value,
    solver=_SOLVER.value,
    drop_highest=_DROP.value,
    targets=targets,
  )
  run(
    paths,
    _OUT.value,
    options,
    figures=_FIGURES.value,
    png=_PNG.value,
    shown='all' if _RUNS.value else 'laws',
  )


def _level() -> float:
  level = _LEVEL.value
  if not 0.5 <= level < 1:
    raise UserError(
      f'--level={level:g} must be from 0.5 to below 1; try --level=0.95'
    )
  return level


def _draws() -> int:
  draws = _DRAWS.value
  if draws < 100:
    raise UserError(
      f'--draws={draws} must be 100 or more for an interval; try --draws=4000'
    )
  return draws


def _objective():
  from scaling_jax.analysis.fitting.objective import Objective

  try:
    return Objective(
      delta=_DELTA.value,
      residuals=_RESIDUALS.value,
      loss=_OBJECTIVE.value,
      reduction=_REDUCTION.value,
    )
  except ValueError as error:
    text = str(error).replace("loss='huber'", '--objective=huber')
    text = text.replace('try delta', 'try --delta').replace(
      'omit delta', 'omit --delta'
    )
    raise UserError(f'--{text}') from error


def _seed() -> int:
  seed = _SEED.value
  if seed < 0:
    raise UserError(f'--seed={seed} must be 0 or more; try --seed=0')
  return seed


def _flops(text: str) -> float:
  try:
    C = float(text)
  except ValueError:
    C = 0.0
  if not 0 < C < float('inf'):
    raise UserError(
      f'--C={text} must be a positive number of FLOPs; try --C=1e16'
    )
  return C


def _guarded(argv: list[str]) -> None:
  logging.set_verbosity(logging.WARNING)
  errors.guarded(_main, argv, _PROGRAM, 'stopped; nothing is lost')


def _parse(argv: list[str]) -> list[str]:
  named = {a.lstrip('-').partition('=')[0] for a in argv[1:] if a[:1] == '-'}
  if named & set(_HELP):
    print(f'{__doc__}\n{FLAGS.get_help()}')
    sys.exit(0)
  flags.FLAGS(argv[:1])  # absl's own, which app.run wants parsed
  try:
    return FLAGS(argv)
  except flags.Error as error:
    text = ' '.join(str(error).split())
    errors.stop(_PROGRAM, f'{text}; see --help', 2)


def main(argv: list[str]) -> None:
  """Runs the command line; what is wrong with it exits with one sentence."""
  _guarded(_parse(argv))


if __name__ == '__main__':
  app.run(_guarded, flags_parser=_parse)
