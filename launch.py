"""Trains the models of an experiment, one record a run.

python launch.py --config=configs/c1.py:gpt-2     one model
python launch.py --config=configs/c1.py           every model of the budget
python launch.py --config=configs/c1.py --dry_run what it would train, and cost
python launch.py --config=configs/c1.py --analyze and fit the laws
python launch.py --config=configs/c1.py --parallel=2 two runs at a time

The same command resumes where it was stopped, and does not train a finished run
again. Any knob of configs/common.py can be set: --config.train.dtype=bfloat16.
"""

import functools
import os
import pathlib

from absl import app
from absl import flags
from absl import logging
from etils import epath
import ml_collections
from ml_collections import config_flags

from scaling_jax import errors
from scaling_jax.errors import UserError
from scaling_jax.training import config_files
from scaling_jax.training import huge_pages
from scaling_jax.training import interrupts

_ROOT = pathlib.Path(__file__).resolve().parent

_CONFIG = config_flags.DEFINE_config_file(
  'config',
  help_string='An experiment: configs/FILE.py or configs/FILE.py:MODEL.',
)
_WORKDIR = flags.DEFINE_string(
  'workdir', 'runs', 'Where runs are written: a folder, or gs://bucket/folder.'
)
_DRY_RUN = flags.DEFINE_bool(
  'dry_run', False, 'Print what would be trained, and train nothing.'
)
_PARALLEL = flags.DEFINE_integer(
  'parallel',
  None,
  "Runs at a time, each with its share of the cores or of the GPU's memory.",
)
_ANALYZE = flags.DEFINE_bool(
  'analyze', None, 'Fit and report when the last run is done.'
)


def _main(argv: list[str]) -> None:
  # JAX is imported only when the command line has proved sound.
  from scaling_jax.training import experiment

  if len(argv) > 1:
    raise UserError(
      f'{argv[1]!r} is no flag: every argument must start with --; try'
      ' --config=configs/quickstart.py'
    )
  if _CONFIG.value is None:
    raise UserError(
      '--config is missing: it must name an experiment; try'
      ' --config=configs/quickstart.py'
    )
  config = _CONFIG.value
  data_dir = config.data_dir or _ROOT / 'data'
  if _DRY_RUN.value:
    experiment.dry_run(config, _WORKDIR.value, data_dir, _parallel(config))
  else:
    _run(config, data_dir)


def _parallel(config: ml_collections.ConfigDict) -> int:
  return config.parallel if _PARALLEL.value is None else _PARALLEL.value


def _run(config: ml_collections.ConfigDict, data_dir: os.PathLike) -> None:
  from scaling_jax.training import experiment

  analyze = config.analyze if _ANALYZE.value is None else _ANALYZE.value
  incomplete = None
  try:
    experiment.run(config, _WORKDIR.value, data_dir, _parallel(config))
  except experiment.Incomplete as error:
    incomplete = error
  if analyze:
    from scaling_jax.analysis import __main__ as analysis

    folder = epath.Path(_WORKDIR.value) / config.experiment
    try:
      analysis.run([folder], folder / 'report', shown='brief')
    except UserError as error:
      raise incomplete or error from error
  if incomplete is not None:
    raise incomplete


_stop = functools.partial(errors.stop, 'launch.py')


def _parse_flags(argv: list[str]) -> list[str]:
  # Loading a config runs it, so what a person got wrong there comes out here,
  # wrapped by whatever was reading flags at the time.
  try:
    rest = flags.FLAGS(argv)
    if _CONFIG.value is not None:
      _ = _CONFIG.value.experiment  # a file that failed to load fails here
    return rest
  except Exception as error:
    first = _first_cause(error)
    if isinstance(first, UserError):
      _stop(str(first), 2)
    given = _given_config(argv)
    if isinstance(first, AttributeError) and first.name == 'get_config':
      _stop(config_files.no_config(given, 'config', first), 2)
    if isinstance(first, (LookupError, AttributeError)):
      _stop(_unknown_field(argv, first), 2)
    if isinstance(first, OSError):
      _stop(config_files.unreadable(given, 'config', first), 2)
    if isinstance(error, (flags.Error, TypeError, ValueError)):
      _stop(' '.join(str(error).split()) + '; see --help', 2)
    raise


def _first_cause(error: BaseException) -> BaseException:
  while (before := error.__cause__ or error.__context__) is not None:
    error = before
  return error


def _unknown_field(argv: list[str], error: BaseException) -> str:
  from configs import common
  from scaling_jax import records

  known = set(records.flatten(common.get_config().to_dict()))
  for arg in argv[1:]:
    name = arg.lstrip('-').partition('=')[0].removeprefix('config.')
    if arg.lstrip('-').startswith('config.') and name not in known:
      near = errors.suggest(name, known)
      advice = f'try {" or ".join(near)}' if near else 'look there'
      return (
        f'unknown config field {name!r}: it must be one that configs/common.py'
        f' declares; {advice}'
      )
  return f'the config asks for {error}, which it does not have; look there'


def _given_config(argv: list[str]) -> str:
  """What follows --config, where it is given last."""
  given = ''
  for arg, following in zip(argv, [*argv[1:], '']):
    name, equals, value = arg.lstrip('-').partition('=')
    if arg.startswith('-') and name == 'config':
      given = value if equals else following
  return given


def _guarded(argv: list[str]) -> None:
  logging.set_verbosity(logging.WARNING)  # Orbax reports every file otherwise
  with interrupts.listening():
    errors.guarded(
      _main,
      argv,
      'launch.py',
      'stopped; the same command resumes from the last checkpoint',
    )


if __name__ == '__main__':
  huge_pages.ask()
  app.run(_guarded, flags_parser=_parse_flags)
