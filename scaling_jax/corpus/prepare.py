"""Text to train.bin, val.bin and meta.json, as nanoGPT's shakespeare_char.

The first 90% of the characters train, the last 10% validate. The text is
read twice and held in pieces, so its size is bounded by the disk.
"""

from collections.abc import Iterator
import hashlib
from typing import Any

from etils import epath
import numpy as np

from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.corpus import sources
from scaling_jax.corpus import synthetic
from scaling_jax.corpus import tokenizers
from scaling_jax.errors import UserError

META = 'meta.json'
SPLITS = ('train', 'val')
TRAIN_SHARE = 0.9
CONTEXTS = (16, 32, 64, 128, 256, 512, 1024)  # whose entropy is written down


def bin_name(split: str) -> str:
  return f'{split}.bin'


def _cut(pieces: Iterator[str], boundary: int) -> Iterator[tuple[str, str]]:
  """The pieces as (split, text), none across the boundary."""
  at = 0
  for piece in pieces:
    inside = max(0, min(len(piece), boundary - at))
    at += len(piece)
    for split, part in zip(SPLITS, (piece[:inside], piece[inside:])):
      if part:
        yield split, part


def prepare(
  source: sources.Source, folder: epath.PathLike, extra: dict | None = None
) -> dict[str, Any]:
  """Writes the two splits and, last, meta.json.

  Args:
    source: the text.
    folder: where to write; made if missing.
    extra: more fields for meta.json.

  Returns:
    The fields of meta.json: name, source, tokenizer, characters, vocab_size,
    dtype, counts (tokens and UTF-8 bytes of each split), sha256 (of each
    split's file).

  Raises:
    UserError: the text is too short to leave a character for validation.
  """
  folder = epath.Path(folder)
  characters: set[str] = set()
  n_characters = 0
  for piece in source.pieces():
    characters.update(piece)
    n_characters += len(piece)
  boundary = int(n_characters * TRAIN_SHARE)
  if not 0 < boundary < n_characters:
    raise UserError(
      f'{source.description} has {n_characters} characters: a corpus needs at'
      ' least 2, one to train and one to validate; give more text'
    )
  tokenizer = tokenizers.CharTokenizer(''.join(characters))
  bytes_per_id = tokenizer.bytes_per_id()

  folder.mkdir(parents=True, exist_ok=True)
  (folder / META).unlink(missing_ok=True)  # no half-new corpus looks whole
  counts = {s: {'tokens': 0, 'bytes': 0} for s in SPLITS}
  hashes = {s: hashlib.sha256() for s in SPLITS}
  files = {s: (folder / bin_name(s)).open('wb') for s in SPLITS}
  try:
    for split, text in _cut(source.pieces(), boundary):
      ids = tokenizer.encode(text)
      raw = ids.astype(ids.dtype.newbyteorder('<')).tobytes()
      files[split].write(raw)
      hashes[split].update(raw)
      counts[split]['tokens'] += len(ids)
      counts[split]['bytes'] += int(
        np.bincount(ids, minlength=len(bytes_per_id)) @ bytes_per_id
      )
  finally:
    for file in files.values():
      file.close()
  meta = {
    'name': folder.name,
    'source': source.description,
    **tokenizer.to_json(),
    'vocab_size': tokenizer.vocab_size,
    'dtype': tokenizer.dtype.name,
    'counts': counts,
    'sha256': {s: hashes[s].hexdigest() for s in SPLITS},
    **(extra or {}),
  }
  records.write_json(folder / META, meta)
  return meta


def prepare_synthetic(folder: epath.PathLike, **options) -> dict[str, Any]:
  """Writes the embedded corpus, its entropy in meta.json.

  `entropy_nats_per_character` is the source's rate, which no model beats;
  `context_entropy_nats_per_character` the floor of a model that reads windows
  of so many characters.
  """
  source = synthetic.SyntheticSource(**options)
  entropy = {
    'entropy_nats_per_character': synthetic.entropy_rate(source.lexicon),
    'context_entropy_nats_per_character': {
      str(T): synthetic.context_entropy(source.lexicon, T) for T in CONTEXTS
    },
  }
  return prepare(source, folder, entropy)


def describe(meta: dict[str, Any]) -> str:
  """What was prepared, in two lines for a person."""
  train, val = (
    formatting.whole(meta['counts'][split]['tokens']) for split in SPLITS
  )
  return (
    f'{meta["name"]}: {train} tokens to train, {val} to validate,'
    f' {formatting.whole(meta["vocab_size"])} characters'
    f' as {meta["dtype"]}\n{meta["characters"]!r}'
  )
