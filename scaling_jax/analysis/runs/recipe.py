"""The one reader of config.json: how a run was made, as far as it is told.

Records hold their recipe themselves; older ones have it in the config.json
beside them, and `completed` puts it in.
"""

import dataclasses
import math
from typing import Any, NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.messages import runs as messages

# A setting's value: whatever JSON can hold.
Value = Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corpus:
  """What a run was trained and evaluated on; None where that is not told.

  Attributes:
    name: of the corpus.
    train_tokens: of the part that it was trained on.
    val_tokens: of the validation split.
    vocab_size: tokens in the vocabulary.
    floor_nats_per_token: the entropy, where the text was made from one.
  """

  name: str = ''
  train_tokens: float | None = None
  val_tokens: float | None = None
  vocab_size: float | None = None
  floor_nats_per_token: float | None = None

  @classmethod
  def of(cls, part: dict[str, Any]) -> 'Corpus | None':
    """From a config.json's part; None if it is empty."""
    if not part:
      return None
    name = part.get('name')
    names = [field.name for field in dataclasses.fields(cls)][1:]
    return cls(
      name=name if isinstance(name, str) else '',
      **{n: part[n] for n in names if isinstance(part.get(n), (int, float))},
    )


class Recipe(NamedTuple):
  """A run's recipe; nan, 0 and '' where it is not told. See `records.Run`."""

  learning_rate: float = math.nan
  min_learning_rate: float = math.nan
  schedule: str = ''
  warmup_steps: records.Amount = math.nan
  text_tokens: records.Amount = math.nan
  vocab_size: int = 0
  text: str = ''
  tokenizer: str = ''


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigFile:
  """A config.json; parts that it doesn't have are empty.

  Attributes:
    settings: what makes the run the run that it is, by dotted name.
    versions: of the code and the libraries, by name.
    devices: kind and number.
    corpus: that it was trained on.
    recipe: in the terms of a record.
  """

  settings: dict[str, Value]
  versions: dict[str, Value]
  devices: str
  corpus: Corpus | None
  recipe: Recipe


def read_config(folder: epath.PathLike) -> ConfigFile:
  """Reads a run folder's config.json.

  Raises:
    OSError, ValueError: there is none to read; the message tells why.
  """
  path = epath.Path(folder) / records.CONFIG
  if not path.exists():
    raise ValueError(messages.no_config())
  try:
    content = records.read_json(path)
  except ValueError as error:
    raise ValueError(messages.no_json()) from error
  parts = content if isinstance(content, dict) else {}
  settings = _part(parts, 'identity') or _part(parts, 'config')
  devices = parts.get('devices')
  corpus = Corpus.of(_part(parts, 'corpus'))
  recipe = _recipe(_part(_part(parts, 'config'), 'train'), corpus)
  return ConfigFile(
    settings=records.flatten(settings),
    versions=_part(parts, 'versions'),
    devices=devices if isinstance(devices, str) else '',
    corpus=corpus,
    recipe=recipe._replace(
      text=records.text_id(settings.get('sha256')),
      tokenizer=_text(_part(parts, 'corpus').get('tokenizer')),
    ),
  )


def completed(run: records.Run, folder: epath.PathLike | None) -> records.Run:
  """A run with its recipe, from its folder's config.json if it has none.

  Args:
    run: a record.
    folder: where its config.json lies; None if it has no folder. What can't be
      read stays unknown.

  >>> completed(records.Run('a', D=2048000, S=1000), None).tokens_per_step
  2048.0
  """
  if math.isnan(run.tokens_per_step) and run.S:
    run = run._replace(tokens_per_step=run.D / run.S)
  if (run.schedule and run.text) or folder is None:
    return run
  try:
    recipe = read_config(folder).recipe
  except (OSError, ValueError):
    return run
  found = recipe._asdict()
  if run.schedule:  # of a time when records had a recipe, and no text yet
    found = {name: found[name] for name in ('text', 'tokenizer')}
  return run._replace(**found)


def _recipe(train: dict[str, Any], corpus: Corpus | None) -> Recipe:
  text = corpus.train_tokens if corpus else None
  vocab = corpus.vocab_size if corpus else None
  warmup = _number(train.get('warmup_steps'))
  return Recipe(
    learning_rate=_number(train.get('learning_rate')),
    min_learning_rate=_number(train.get('min_learning_rate')),
    schedule=str(train.get('schedule') or ''),
    warmup_steps=int(warmup) if math.isfinite(warmup) else math.nan,
    text_tokens=text if text and text > 0 else math.nan,
    vocab_size=int(vocab) if vocab and math.isfinite(vocab) else 0,
  )


def _number(x: Any) -> float:
  return float(x) if isinstance(x, (int, float)) else math.nan


def _text(x: Any) -> str:
  return x if isinstance(x, str) else ''


def _part(parts: dict[str, Any], name: str) -> dict[str, Any]:
  part = parts.get(name)
  return part if isinstance(part, dict) else {}
