"""What Hugging Face's Trainer leaves behind: trainer_state.json."""

from collections.abc import Mapping
import json
import math
from typing import Any

from etils import epath

from scaling_jax.analysis.messages import files as messages
from scaling_jax.analysis.runs.readers import architectures
from scaling_jax.analysis.runs.readers import cells
from scaling_jax.analysis.runs.sheet import Evaluations
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.errors import UserError

KIND = 'Trainer state'
FILE = 'trainer_state.json'
CONFIG = 'config.json'
CHECKPOINTS = 'checkpoint-*'

# Of training: of the last steps, or else the mean of all.
_LOSSES = ('loss', 'train_loss')
_SEEN = 'num_input_tokens_seen'


def is_state(value: Any) -> bool:
  """Whether JSON is the state of a Trainer.

  >>> is_state({'global_step': 3, 'log_history': []}), is_state([1])
  (True, False)
  """
  return isinstance(value, Mapping) and (
    'global_step' in value and isinstance(value.get('log_history'), list)
  )


def paths_in(folder: epath.Path) -> list[epath.Path]:
  """The state in a folder, and those of its checkpoints."""
  own = folder / FILE
  found = [own] if own.is_file() else []
  return found + sorted(folder.glob(f'{CHECKPOINTS}/{FILE}'))


def read(path: epath.Path) -> Sheet:
  """A state, or the latest of a folder, as a sheet of one line.

  Args:
    path: of a trainer_state.json, or of a folder that holds one or has
      checkpoint-* folders that do: that of the most steps counts.

  Returns:
    A sheet with run_id, the last eval_loss (or loss, or train_loss, where no
    evaluation was made), steps, max_steps, epoch, num_input_tokens_seen where
    tokens were counted, total_flos, state, and N where a config.json beside it
    has the sizes of an architecture that is known.

  Raises:
    UserError: it is no JSON, or no such state.
  """
  paths = paths_in(path) if path.is_dir() else [path]
  states = [(_load(one), one) for one in paths]
  state, at = max(states, key=lambda pair: _step(pair[0]))
  folder = at.parent
  if folder.match(CHECKPOINTS):
    folder = folder.parent
  history = [x for x in state['log_history'] if isinstance(x, Mapping)]
  record: dict[str, Any] = {'run_id': folder.name, **_losses(history)}
  steps, most = _step(state), cells.number(state.get('max_steps'))
  record |= {'steps': steps, 'max_steps': state.get('max_steps')}
  record['epoch'] = state.get('epoch')
  notes = []
  if not any(name.startswith('eval_') for name in record):
    notes.append(messages.loss_of_training(folder.name))
  if cells.number(state.get(_SEEN)) > 0:
    record[_SEEN] = state[_SEEN]
  if cells.number(state.get('total_flos')) > 0:
    record['total_flos'] = state['total_flos']
    notes.append(messages.flos_of_trainer())
  N = _parameters(at.parent, folder)
  if N:
    record['N'] = N
    notes.append(messages.counted_architecture())
  if most > 0:
    record['state'] = 'finished' if steps >= most else 'unfinished'
  evaluations = _evaluations(history)
  return Sheet(
    name=f'{folder.name}/{FILE}',
    stem=folder.name,
    kind=KIND,
    columns=tuple(record),
    lines=(Line(1, {key: cells.text(value) for key, value in record.items()}),),
    evaluations={} if evaluations is None else {1: evaluations},
    notes=tuple(notes),
  )


def _load(path: epath.Path) -> Mapping[str, Any]:
  try:
    state = json.loads(path.read_text())
  except (ValueError, RecursionError) as error:
    raise UserError(messages.no_json(str(path), error)) from error
  if not is_state(state):
    raise UserError(messages.no_trainer_state(str(path)))
  return state


def _step(state: Mapping[str, Any]) -> int:
  step = cells.number(state['global_step'])
  return int(step) if math.isfinite(step) else 0


def _losses(history: list[Mapping[str, Any]]) -> dict[str, Any]:
  """The last losses of evaluations, each by its name; or that of training."""
  found: dict[str, Any] = {}
  for entry in history:
    for key, value in entry.items():
      if key.startswith('eval_') and key.endswith('loss'):
        found[key] = value
  if found:
    return dict(sorted(found.items(), key=lambda pair: pair[0] != 'eval_loss'))
  for name in _LOSSES:
    values = [entry[name] for entry in history if name in entry]
    if values:
      return {name: values[-1]}
  return {}


def _evaluations(history: list[Mapping[str, Any]]) -> Evaluations | None:
  names = list(_losses(history))
  if not names or not names[0].startswith('eval_'):
    return None
  return cells.evaluations(
    (
      cells.number(entry.get('step')),
      cells.number(entry[names[0]]),
      cells.number(entry.get(_SEEN)),
    )
    for entry in history
    if names[0] in entry
  )


def _parameters(*folders: epath.Path) -> int:
  """N by the first config.json there is; 0 where it can't be counted."""
  for folder in folders:
    path = folder / CONFIG
    if path.is_file():
      try:
        config = json.loads(path.read_text())
      except (ValueError, RecursionError):
        return 0
      if isinstance(config, Mapping):
        return architectures.non_embedding(config)
  return 0
