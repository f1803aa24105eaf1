"""From runs to scaling laws, with intervals.

python -m scaling_jax.analysis RUNS... --out=DIR

RUNS are run folders, folders of them, a results.csv, or another project's CSV
with columns C,N,D,loss, or Model Size,Training FLOP,loss, or nanochat's. DIR
gets index.html, the report, and beside it fits.json, tables.md and one CSV a
table, and the figures as SVG and PNG.
"""

from absl import app
from absl import flags
from absl import logging

from scaling_jax import errors
from scaling_jax.errors import UserError

_PROGRAM = 'scaling_jax.analysis'

_OUT = flags.DEFINE_string('out', None, 'The folder to write to.')
_LEVEL = flags.DEFINE_float('level', 0.95, 'Of the intervals.')
_DRAWS = flags.DEFINE_integer('draws', 4000, 'Bootstrap refits.')
_METHOD = flags.DEFINE_enum(
  'bootstrap',
  'auto',
  ['auto', 'runs', 'noise'],
  'Resample runs, redraw their noise, or the first from 50 runs on.',
)
_SOLVER = flags.DEFINE_enum(
  'solver',
  'auto',
  ['auto', 'jax', 'optimistix'],
  'jax.scipy.optimize, optimistix, or the first finished by the second.',
)
_SEED = flags.DEFINE_integer('seed', 0, 'Of the bootstrap.')
_DROP = flags.DEFINE_integer(
  'drop_highest', 0, 'Leave out so many runs, the highest losses first.'
)
_TARGETS = flags.DEFINE_list(
  'C', [], 'FLOPs to state the optimum at; ten times the largest budget.'
)
_FIGURES = flags.DEFINE_bool('figures', True, 'Draw the figures.')


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
  # JAX is imported only when the command line has proved sound.
  from scaling_jax.analysis import pipeline
  from scaling_jax.analysis import study

  settings = study.Settings(
    _level(_LEVEL.value),
    _positive(_DRAWS.value),
    _METHOD.value,
    _SOLVER.value,
    _seed(_SEED.value),
    _DROP.value,
    tuple(_flops(text) for text in _TARGETS.value),
  )
  pipeline.run(paths, _OUT.value, settings, _FIGURES.value)


def _level(level: float) -> float:
  if not 0.5 <= level < 1:
    raise UserError(
      f'--level={level:g} must be from 0.5 to below 1; try --level=0.95'
    )
  return level


def _positive(draws: int) -> int:
  if draws < 100:
    raise UserError(
      f'--draws={draws} must be 100 or more for an interval; try --draws=4000'
    )
  return draws


def _seed(seed: int) -> int:
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
  try:
    return flags.FLAGS(argv)
  except flags.Error as error:
    text = ' '.join(str(error).split())
    errors.stop(_PROGRAM, f'{text}; see --help', 2)


if __name__ == '__main__':
  app.run(_guarded, flags_parser=_parse)
