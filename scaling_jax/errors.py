"""The one error that a person, not a program, is meant to read."""

from collections.abc import Callable, Iterable
import difflib
import os
import sys
from typing import NoReturn


class UserError(ValueError):
  """Bad input: what it was, what is needed, and what to do, in one message.

  A program prints it without a traceback and exits with code 2: see `guarded`.
  """


def suggest(
  given: str, known: Iterable[str], n: int = 3, cutoff: float = 0.5
) -> list[str]:
  """The known names that a given one comes near, the nearest first.

  >>> suggest('h10', ['a100', 'h100', 'h200', 'tpu-v4'])
  ['h100', 'h200', 'a100']
  """
  by_case: dict[str, list[str]] = {}
  for name in known:
    by_case.setdefault(name.lower(), []).append(name)
  near = difflib.get_close_matches(given.lower(), by_case, n=n, cutoff=cutoff)
  # Where names differ in case alone, the one as it was given comes first.
  found = [
    name
    for lower in near
    for name in sorted(by_case[lower], key=lambda name: name != given)
  ]
  return found[:n]


def stop(program: str, message: str, code: int) -> NoReturn:
  """Prints one message on stderr and exits."""
  print(f'{program}: {message}', file=sys.stderr)
  sys.exit(code)


def guarded(
  main: Callable[[list[str]], None],
  argv: list[str],
  program: str,
  stopped: str,
) -> None:
  """Runs main(argv); what a person got wrong or stopped is one message.

  Args:
    main: raises UserError, which exits with code 2.
    argv: its arguments.
    program: opens each message.
    stopped: the message for a Ctrl-C that brings none; it exits with
      code 130.
  """
  try:
    main(argv)
  except UserError as error:
    stop(program, str(error), 2)
  except KeyboardInterrupt as error:
    stop(program, str(error) or stopped, 130)
  except BrokenPipeError:
    # Whoever read what is printed has seen enough, as `head` has.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)
