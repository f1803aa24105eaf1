"""What a run leaves behind: its record, its evaluations, the table of runs.

Everything is JSON and CSV, written atomically where it is rewritten. Paths go
through etils.epath, so that gs:// works wherever a local folder does.
"""

from collections.abc import Iterable
import contextlib
import csv
import io
import json
import math
import os
import typing
from typing import Any, NamedTuple

from etils import epath
import numpy as np

CONFIG = 'config.json'
METRICS = 'metrics.jsonl'
TRAIN_LOSS = 'train_loss.npy'
RESULT = 'result.json'
RESULTS = 'results.csv'
PLANNED = 'sweep.json'


# A whole number of ours, or what another project's table gives.
Amount = float | int


class Run(NamedTuple):
  """One trained model: what was asked, what was spent, what came out.

  The row of every table of runs. Another project's run leaves what it does not
  tell at the default: nan, 0 or ''. The recipe, from learning_rate on, is
  absent from older records: see `analysis.runs.recipe`.

  Attributes:
    run_id: its folder's name.
    experiment: the folder that holds its siblings.
    dataset: the corpus.
    model: the model's name in the config.
    n_layer: blocks.
    n_head: heads.
    n_embd: width.
    seed: of the initialization and the order of batches.
    batch_size: sequences in one update, gradient accumulation counted.
    block_size: tokens in a sequence.
    C: FLOPs asked for.
    N: parameters without both embeddings, or as their source counts them.
    D: tokens trained on.
    S: updates made.
    N_total: all parameters, the tied head once.
    flops: FLOPs spent on training, every matrix product counted.
    tokens_per_param: D / N.
    train_loss: nats per token, mean over the last steps.
    val_loss: nats per token over the whole validation split.
    val_loss_sem: the standard error of val_loss.
    val_bpb: val_loss in bits per byte of the UTF-8 text.
    wall_s: seconds from the first step to the last evaluation, restarts
      counted.
    tokens_per_s: training tokens over the seconds that training steps took.
    device: kind and number of devices.
    status: 'done' or 'diverged'.
    learning_rate: the peak.
    min_learning_rate: at the end of the schedule.
    schedule: of the learning rate after warmup: 'cosine', 'linear', 'constant'.
    warmup_steps: updates until the peak.
    tokens_per_step: tokens in one update.
    text_tokens: tokens of the text that it was trained on, however often.
    vocab_size: tokens in the vocabulary.
    text: which text it was, whatever its folder is called and however much of
      it was kept: see `text_id`.
    tokenizer: of the text, as its meta.json has it.

  >>> run = Run('small', C=6e15, N=1e6, D=1e9, val_loss=3.2)
  >>> run.val_loss, run.schedule, run.S
  (3.2, '', 0)
  """

  run_id: str
  experiment: str = ''
  dataset: str = ''
  model: str = ''
  n_layer: int = 0
  n_head: int = 0
  n_embd: int = 0
  seed: int = 0
  batch_size: int = 0
  block_size: int = 0
  C: float = math.nan
  N: Amount = math.nan
  D: Amount = math.nan
  S: int = 0
  N_total: Amount = math.nan
  flops: float = math.nan
  tokens_per_param: float = math.nan
  train_loss: float = math.nan
  val_loss: float = math.nan
  val_loss_sem: float = math.nan
  val_bpb: float = math.nan
  wall_s: float = math.nan
  tokens_per_s: float = math.nan
  device: str = ''
  status: str = 'done'
  learning_rate: float = math.nan
  min_learning_rate: float = math.nan
  schedule: str = ''
  warmup_steps: Amount = math.nan
  tokens_per_step: Amount = math.nan
  text_tokens: Amount = math.nan
  vocab_size: int = 0
  text: str = ''
  tokenizer: str = ''


RECIPE = Run._fields[Run._fields.index('status') + 1 :]
# The columns that every results.csv has, with a recipe or without.
REQUIRED = Run._fields[: -len(RECIPE)]

# Settings that a field of a Run states, by their names in a config.
_STATED = frozenset(
  ('C', 'steps', 'seed', 'experiment', 'dataset', 'data_fraction',
   'model.n_layer', 'model.n_head', 'model.n_embd', 'model.block_size',
   'train.batch_size', 'train.learning_rate', 'train.learning_rate_per_log_N',
   'train.min_learning_rate', 'train.schedule', 'train.warmup_steps')
)  # fmt: skip
_HASHES = 'sha256'  # the section that holds the text's, which Run.text states


class Evaluation(NamedTuple):
  """One line of metrics.jsonl; losses in nats per token.

  Attributes:
    step: updates made so far.
    tokens: trained on so far.
    flops: spent on them, every matrix product counted.
    train_loss: mean over the steps since the line before; None before any.
    val_loss: over the fixed validation batches, or the whole split on the
      line of the last step.
    val_loss_sem: the standard error of val_loss.
    val_bpb: val_loss in bits per byte.
    lr: the learning rate of the last update.
    grad_norm: the gradient's norm at the last update, before clipping.
    tokens_per_s: over the training steps since the line before.
    wall_s: seconds of this run so far, restarts counted.
  """

  step: int
  tokens: int
  flops: float
  train_loss: float | None
  val_loss: float
  val_loss_sem: float
  val_bpb: float
  lr: float | None
  grad_norm: float | None
  tokens_per_s: float | None
  wall_s: float


def plain(value: Any) -> Any:
  """The value as JSON can hold it: NaN and infinity become null.

  >>> plain({'loss': math.nan, 'steps': (1, 2)})
  {'loss': None, 'steps': [1, 2]}
  """
  if isinstance(value, float) and not math.isfinite(value):
    return None
  if isinstance(value, dict):
    return {key: plain(item) for key, item in value.items()}
  if isinstance(value, (list, tuple)):
    return [plain(item) for item in value]
  return value


def flatten(fields: dict[str, Any], prefix: str = '') -> dict[str, Any]:
  """Nested fields by dotted name.

  >>> flatten({'train': {'batch_size': 64}, 'C': 6e13})
  {'train.batch_size': 64, 'C': 60000000000000.0}
  """
  flat = {}
  for name, value in fields.items():
    if isinstance(value, dict):
      flat.update(flatten(value, f'{prefix}{name}.'))
    else:
      flat[prefix + name] = value
  return flat


def write_atomic(path: epath.PathLike, data: bytes | str) -> None:
  """Writes a file that is whole or absent, whenever the process is killed."""
  path = epath.Path(path)
  # Two processes that write the same file must not share a draft.
  draft = path.parent / f'.{path.name}.{os.getpid()}'
  if isinstance(data, str):
    draft.write_text(data)
  else:
    draft.write_bytes(data)
  draft.replace(path)


def write_json(path: epath.PathLike, value: Any) -> None:
  text = json.dumps(plain(value), indent=2, ensure_ascii=False)
  write_atomic(path, text + '\n')


def write_npy(path: epath.PathLike, array: np.ndarray) -> None:
  data = io.BytesIO()
  np.save(data, array, allow_pickle=False)
  write_atomic(path, data.getvalue())


def read_json(path: epath.PathLike) -> Any:
  return json.loads(epath.Path(path).read_text())


def typed(kind: type, fields: dict[str, Any]) -> Any:
  """A NamedTuple from strings or JSON values; null reads as NaN.

  Raises:
    KeyError: a field is missing that is no part of the recipe.
    ValueError, TypeError: a value is not of its field's type.
  """
  values = {}
  for name, hint in typing.get_type_hints(kind).items():
    if name not in fields and name in RECIPE:
      continue
    value = fields[name]
    if hint in (float, Amount):
      value = math.nan if value in (None, '') else _number(hint, value)
    elif hint is int:
      value = _whole(value)
    values[name] = value
  return kind(**values)


def _whole(value: Any) -> int:
  """A whole number, which may be written 4.0."""
  number = float(value)
  if number != int(number):
    raise ValueError(f'{value!r} is no whole number')
  return int(number)


def _number(hint: Any, value: Any) -> Amount:
  if hint == Amount:
    with contextlib.suppress(ValueError):
      return int(value) if isinstance(value, (int, str)) else float(value)
  return float(value)


def text_id(sha256: Any) -> str:
  """Names a text by what its splits hold; '' where that is not told.

  A part of a text that `data_fraction` keeps has the name of the whole.

  Args:
    sha256: of each split, as meta.json has them.

  >>> text_id({'train': '3f2a91bc' + 56 * '0', 'val': '77d01e22' + 56 * '0'})
  '3f2a91bc-77d01e22'
  >>> text_id(None)
  ''
  """
  splits = sha256 if isinstance(sha256, dict) else {}
  hashes = [splits.get(name) for name in ('train', 'val')]
  if not all(isinstance(one, str) and one for one in hashes):
    return ''
  return '-'.join(str(one)[:8] for one in hashes)


def read_settings(run_folder: epath.PathLike) -> dict[str, Any]:
  """What makes a run the run that it is, by dotted name; empty if untold."""
  path = epath.Path(run_folder) / CONFIG
  try:
    found = read_json(path) if path.exists() else {}
  except ValueError:
    return {}
  parts = found if isinstance(found, dict) else {}
  settings = parts.get('identity')
  return flatten(settings) if isinstance(settings, dict) else {}


def swept(settings: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
  """Settings that differ among runs and that no field of a Run states.

  Args:
    settings: of each run, by dotted name.

  Returns:
    Of each run the same names with their values as text, '' where it has none;
    none at all for a run whose settings are empty, which are not known.

  >>> swept([{'seed': 0, 'train.beta2': 0.9}, {'seed': 1, 'train.beta2': 0.95}])
  [{'train.beta2': '0.9'}, {'train.beta2': '0.95'}]
  """
  every = list(settings)
  known = [one for one in every if one]
  names = [
    name
    for name in sorted({name for one in known for name in one})
    if name not in _STATED and name.partition('.')[0] != _HASHES
    if len({_cell(one.get(name)) for one in known}) > 1
  ]
  return [{n: _cell(one.get(n)) for n in names} if one else {} for one in every]


def _cell(value: Any) -> str:
  """A setting as a table has it."""
  if value is None:
    return ''
  return value if isinstance(value, str) else json.dumps(value)


def write_result(run_folder: epath.PathLike, run: Run) -> None:
  """Writes result.json, the sign that a run is finished: write it last."""
  write_json(epath.Path(run_folder) / RESULT, run._asdict())


def read_result(run_folder: epath.PathLike) -> Run | None:
  """The record of a finished run, or None while there is none."""
  path = epath.Path(run_folder) / RESULT
  return typed(Run, read_json(path)) if path.exists() else None


def write_metrics(
  run_folder: epath.PathLike, evaluations: Iterable[Evaluation]
) -> None:
  """Rewrites metrics.jsonl whole, as a resumed run must."""
  lines = [json.dumps(plain(e._asdict())) + '\n' for e in evaluations]
  write_atomic(epath.Path(run_folder) / METRICS, ''.join(lines))


def read_metrics(run_folder: epath.PathLike) -> list[Evaluation]:
  path = epath.Path(run_folder) / METRICS
  lines = path.read_text().splitlines() if path.exists() else []
  return [typed(Evaluation, json.loads(line)) for line in lines]


def write_planned(
  experiment_folder: epath.PathLike, runs: dict[str, dict[str, float]]
) -> None:
  """Notes runs as planned, so that an analysis can name the missing ones.

  Args:
    experiment_folder: is made if it is not there; runs planned before stay.
    runs: the C, N, D and S of each, by run_id.
  """
  path = epath.Path(experiment_folder) / PLANNED
  path.parent.mkdir(parents=True, exist_ok=True)
  write_json(path, {**read_planned(path.parent), **runs})


def read_planned(experiment_folder: epath.PathLike) -> dict[str, Any]:
  """What `write_planned` noted; empty where nothing was, or it is damaged."""
  path = epath.Path(experiment_folder) / PLANNED
  try:
    found = read_json(path) if path.exists() else {}
  except ValueError:
    found = {}
  return found if isinstance(found, dict) else {}


def read_runs(experiment_folder: epath.PathLike) -> list[Run]:
  """The finished runs of an experiment, in the order of C, N and seed.

  A record that can't be read is passed over: an analysis names it.
  """
  runs = []
  for folder in epath.Path(experiment_folder).iterdir():
    with contextlib.suppress(ValueError, KeyError, TypeError):
      run = read_result(folder) if folder.is_dir() else None
      if run is not None:
        runs.append(run)
  return sorted(runs, key=lambda run: (run.C, run.N, run.seed, run.run_id))


def write_results(experiment_folder: epath.PathLike) -> list[Run]:
  """Rewrites results.csv from the result.json files, and returns its rows.

  After a Run's fields come the settings that differ among the runs, by their
  dotted names.
  """
  runs = read_runs(experiment_folder)
  folder = epath.Path(experiment_folder)
  beside = swept(read_settings(folder / run.run_id) for run in runs)
  names = list(dict.fromkeys(name for cells in beside for name in cells))
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow((*Run._fields, *names))
  writer.writerows(
    (*run, *(cells.get(name, '') for name in names))
    for run, cells in zip(runs, beside)
  )
  write_atomic(folder / RESULTS, text.getvalue())
  return runs
