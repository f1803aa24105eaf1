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
    f'{path} is not a table ({_said(error)}): it must be text in UTF-8 or UTF-16, such'
    ' as CSV or JSON, or else Parquet or Excel; give a run folder or a table'
  )


def no_json(path: str, error: object) -> str:
  return (
    f'{path} is not JSON, though it opens like it ({_said(error)}): it must hold a'
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
    f'{path} opens like {kind} but cannot be read ({_said(error)}): it must be whole;'
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


def no_scalars(path: str) -> str:
  return (
    f'{path} holds no scalars: the event files of a run must hold its losses;'
    ' give those of the run, or a table'
  )


def no_trainer_state(path: str) -> str:
  return (
    f'{path} is not the state of a Trainer: it must hold global_step and'
    ' log_history; give the folder that save_state() wrote'
  )


def old_excel(path: str) -> str:
  return (
    f'{path} is an old workbook of Excel (.xls), which no package that is'
    ' installed can read: it must be .xlsx or CSV; save it as one'
  )


def no_wandb_run(path: str) -> str:
  return (
    f'{path} holds no run: it must be the file that W&B wrote while it trained;'
    ' give another, or export its table as CSV'
  )


def no_project(project: str, error: object) -> str:
  return (
    f'wandb:{project} cannot be read ({_said(error)}): it must name a project with'
    ' runs as entity/project; check the name and log in with wandb login'
  )


def no_json_line(error: object) -> str:
  return f'it is no JSON ({_said(error)})'


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


def sampled_chart(name: str) -> str:
  return (
    f'{name} is exported from a chart of W&B, which shows a sample of the steps'
    ' only: losses between its points are missing, the least ones too.'
  )


def runs_of_one_name(name: str, runs: Sequence[str]) -> str:
  listed = ', '.join(runs[:5]) + ', …' * (len(runs) > 5)
  return (
    f'{name} has several runs of one name ({listed}): the first of each counts,'
    ' and the others cannot be told from it.'
  )


def loss_of_training(name: str) -> str:
  return (
    f'{name} was never evaluated: its loss is that of training, which is low'
    ' where text was seen before.'
  )


def flos_of_trainer() -> str:
  return (
    'total_flos of a trainer state is not taken for C: it grows too large when a'
    ' run is resumed.'
  )


def counted_architecture() -> str:
  return (
    'N is counted from the config.json beside: every weight, bias and norm'
    ' but for embeddings, positions and the output head.'
  )


def _said(error: object) -> str:
  """What a library says, on one line."""
  return textwrap.shorten(str(error) or repr(error), 200, placeholder=' …')
