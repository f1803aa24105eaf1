"""What people read of files: why one is no table, and what is noted of others.

Refusals open with the file; notes are whole sentences.
"""

from collections.abc import Sequence
import textwrap


def not_there(path: str) -> str:
  return (
    f'{path} does not exist: it must be a table of runs or a run folder; check'
    ' the path'
  )


def empty(path: str) -> str:
  return (
    f'{path} is empty: it must hold a line of column names and a line for each'
    ' run; give another file'
  )


def no_text(path: str, error: object) -> str:
  return (
    f'{path} is not a table ({error}): it must be text in UTF-8 or UTF-16, such'
    ' as CSV or JSON, or else Parquet or Excel; give a run folder or a table'
  )


def no_json(path: str, error: object) -> str:
  return (
    f'{path} is not JSON, though it opens like it ({error}): it must hold a'
    ' record for each run; correct it, or save it as CSV'
  )


def no_records(path: str) -> str:
  return (
    f'{path} is JSON without records: it must be a list of objects, one for'
    ' each run, or an object of columns of one length; save it as CSV'
  )


def refused(path: str, what: str, remedy: str) -> str:
  """Of a file known for something else than a table."""
  return f'{path} is {what}: it must be a table of runs; {remedy}'


def several_members(path: str, names: Sequence[str]) -> str:
  listed = textwrap.shorten(', '.join(names), 200, placeholder=' …')
  return (
    f'{path} is a zip archive of {len(names)} files ({listed}): it must hold'
    ' one table; unpack it and give the one'
  )


def corrupt(path: str, kind: str, error: object) -> str:
  return (
    f'{path} opens like {kind} but cannot be read ({error}): it must be whole;'
    ' copy or save it again'
  )


def too_big(path: str, limit: int) -> str:
  return (
    f'{path} unpacks to more than {limit >> 20:,} MiB: it must be a table of'
    ' runs, a line for each; give one without their steps'
  )


def folder(path: str) -> str:
  return (
    f'{path} is a folder without a run in it that is known: it must hold a'
    ' trainer_state.json, events.out.tfevents.* or a *.wandb file; give the'
    ' folder of a run, or a table'
  )


def needs_package(path: str, kind: str, extra: str) -> str:
  return (
    f'{path} is {kind}, which needs a package that is not installed: pip'
    f" install 'scaling_jax[{extra}]', or save it as CSV"
  )


def no_json_line(error: object) -> str:
  return f'it is no JSON ({error})'


def no_record() -> str:
  return 'it is no JSON object'


# Notes.


def windows_text(name: str) -> str:
  return (
    f'{name} is not in UTF-8: it was read as text of Windows (cp1252), so names'
    ' with accents may be wrong.'
  )


def mixed_decimals(name: str, comma: bool) -> str:
  kept = 'commas' if comma else 'points'
  return (
    f'{name} has numbers with decimal commas and others with decimal points:'
    f' {kept} were taken as decimal, as most are.'
  )
