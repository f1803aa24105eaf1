"""Experiments' configs by their paths: one is read, its neighbours are listed.

JAX is not imported, so that a command line is refused before it is.
"""

from collections.abc import Iterator
import contextlib
import importlib.util
import os
import pathlib
import sys

import ml_collections

from scaling_jax import errors
from scaling_jax.errors import UserError

# Those of a checkout, where this package lies too.
_OURS = pathlib.Path(__file__).resolve().parents[2] / 'configs'
_EXAMPLE = 'configs/c0.py'


def load(given: str, flag: str = '') -> ml_collections.ConfigDict:
  """The config of FILE.py or FILE.py:ARG.

  Args:
    given: the path, and what its get_config takes.
    flag: that it was given for, for the error; '' where it was no flag's value.

  Raises:
    UserError: the file can't be read, or is no config; or from the config: its
      argument is not one that it knows.

  >>> load('configs/c0.py:gpt-2').models
  ('gpt-2',)
  """
  name, _, arg = given.partition(':')
  path = pathlib.Path(name)
  if not path.is_file() or path.suffix != '.py':
    raise UserError(unreadable(given, flag))
  spec = importlib.util.spec_from_file_location(f'_config_{path.stem}', path)
  assert spec is not None and spec.loader is not None
  module = importlib.util.module_from_spec(spec)
  try:
    with _importable(path.resolve().parent.parent):
      spec.loader.exec_module(module)
      config = module.get_config(arg or None)
  except UserError:
    raise
  except OSError as error:
    raise UserError(unreadable(given, flag, error)) from error
  except Exception as error:  # whatever a person's file may raise
    raise UserError(no_config(given, flag, error)) from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise UserError(
      f'{_named(given, flag)} gives a {type(config).__name__}: its get_config'
      f' must return an ml_collections.ConfigDict; look at {_EXAMPLE}'
    )
  return config


@contextlib.contextmanager
def _importable(folder: pathlib.Path) -> Iterator[None]:
  """Lets a config import its neighbours, as under launch.py."""
  sys.path.insert(0, str(folder))
  try:
    yield
  finally:
    sys.path.remove(str(folder))


def unreadable(given: str, flag: str = '', error: OSError | None = None) -> str:
  """The message about a config file that can't be read.

  Args:
    given, flag: as for `load`.
    error: what went wrong, where it is known.
  """
  path = pathlib.Path(given.partition(':')[0])
  if not path.exists():
    reason = 'no such file'
  elif path.is_dir():
    reason = 'it is a folder'
  elif error is not None:
    reason = error.strerror or str(error)
  else:
    reason = 'its name does not end in .py'
  known = {pathlib.Path(name).stem: name for name in neighbours(path)}
  near = [known[stem] for stem in errors.suggest(path.stem, known)]
  options = near or list(known.values()) or [_EXAMPLE]
  return (
    f'{_named(given, flag)} cannot be read ({reason}): it must be a config'
    f' file; try {" or ".join(options)}'
  )


def no_config(given: str, flag: str, error: Exception) -> str:
  """The message about a file that defines no config."""
  reason = ' '.join(f'{type(error).__name__}: {error}'.split())
  return (
    f'{_named(given, flag)} is no config ({reason}): it must define'
    f' get_config(arg=None), as {_EXAMPLE} does; look there'
  )


def _named(given: str, flag: str) -> str:
  return f'--{flag}={given}' if flag else repr(given)


def neighbours(path: str | os.PathLike) -> list[str]:
  """The configs beside a path; where there are none, those of configs/.

  That is the folder of the working directory, or else the one of the checkout
  that this package lies in. `common.py` and what defines no get_config are none.

  Returns:
    Their paths, each readable from the working directory, by name.

  >>> neighbours('configs/nope.py')[:3]
  ['configs/c0.py', 'configs/c1.py', 'configs/c2.py']
  """
  for folder in (pathlib.Path(path).parent, pathlib.Path('configs'), _OURS):
    found = [str(p) for p in sorted(folder.glob('*.py')) if _is_config(p)]
    if found:
      return found
  return []


def _is_config(path: pathlib.Path) -> bool:
  if path.name == 'common.py':
    return False
  try:
    return 'def get_config(' in path.read_text(errors='replace')
  except OSError:
    return False
