"""The one error that a person, not a program, is meant to read."""


class UserError(ValueError):
  """Bad input: what it was, what is needed, and what to do, in one sentence.

  `launch.py` prints it without a traceback and exits with code 2.
  """
