"""The one error that a person, not a program, is meant to read."""

from collections.abc import Callable
import sys
from typing import NoReturn


class UserError(ValueError):
  """Bad input: what it was, what is needed, and what to do, in one sentence.

  A program prints it without a traceback and exits with code 2: see `guarded`.
  """


def stop(program: str, message: str, code: int) -> NoReturn:
  """Prints one sentence on stderr and exits."""
  print(f'{program}: {message}', file=sys.stderr)
  sys.exit(code)


def guarded(
  main: Callable[[list[str]], None],
  argv: list[str],
  program: str,
  stopped: str,
) -> None:
  """Runs main(argv); what a person got wrong or stopped is one sentence.

  Args:
    main: raises UserError, which exits with code 2.
    argv: its arguments.
    program: opens each sentence.
    stopped: what to say of a Ctrl-C that says nothing itself; it exits with
      code 130.
  """
  try:
    main(argv)
  except UserError as error:
    stop(program, str(error), 2)
  except KeyboardInterrupt as error:
    stop(program, str(error) or stopped, 130)
