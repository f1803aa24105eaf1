"""What people read of several laws side by side."""

from collections.abc import Sequence

TITLE = 'The laws side by side'
NONE = '–'
RUNS_OF = 'runs of'


def title(by: str, count: int) -> str:
  return f'{count} scaling laws, by {by}'


def intro(by: str, labels: Sequence[str]) -> str:
  return (
    f'The runs differ in {by}, and {len(labels)} laws are fitted, one for each:'
    f' {", ".join(labels)}.'
  )


def heading(label: str) -> str:
  return f'== {label}'


def about_a() -> str:
  return (
    'a is the exponent of N_opt in C, and N and D are what to train, by the'
    ' approach that each report goes by.'
  )


def whole_report(label: str) -> str:
  return f'The whole report of {label}'
