"""A prepared corpus, opened and checked."""

import hashlib
import os
from typing import Any, NamedTuple

from etils import epath
import numpy as np

from scaling_jax import errors
from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.corpus import prepare
from scaling_jax.errors import UserError

SYNTHETIC = 'synthetic'
_HASHED_BYTES = 1 << 30  # larger files are checked by size alone


class NotPrepared(UserError):
  """The corpus is known, but its files were never made."""


class Dataset(NamedTuple):
  """Tokens of both splits and what meta.json tells of them.

  Attributes:
    name: the corpus.
    meta: the fields of meta.json.
    train: token ids, uint8 or uint16, [tokens].
    val: the same of the validation split.
  """

  name: str
  meta: dict[str, Any]
  train: np.ndarray
  val: np.ndarray

  @property
  def vocab_size(self) -> int:
    return self.meta['vocab_size']

  @property
  def val_bytes_per_token(self) -> float:
    val = self.meta['counts']['val']
    return val['bytes'] / val['tokens']


def _remedy(folder: epath.Path) -> str:
  script = folder / 'prepare.py'
  needs = '' if folder.name == SYNTHETIC else ' --input=FILE'
  return f'run python {os.path.relpath(script)}{needs}'


def _open(folder: epath.Path, split: str, meta: dict[str, Any]) -> np.ndarray:
  path = folder / prepare.bin_name(split)
  dtype = np.dtype(meta['dtype']).newbyteorder('<')
  tokens = meta['counts'][split]['tokens']
  expected = tokens * dtype.itemsize
  found = path.stat().length if path.exists() else None
  if found != expected:
    size = f'has {formatting.whole(found)} bytes'
    raise UserError(
      f'{path} {"is missing" if found is None else size}, but its meta.json'
      f' calls for {formatting.whole(expected)} bytes; {_remedy(folder)} again'
    )
  if str(path).startswith(('gs://', 's3://')):
    array = np.frombuffer(path.read_bytes(), dtype)
  else:
    array = np.memmap(path, dtype, mode='r')
  if expected <= _HASHED_BYTES:
    digest = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
    if digest != meta['sha256'][split]:
      raise UserError(
        f'{path} has the sha256 {digest[:12]}…, but its meta.json calls for'
        f' {meta["sha256"][split][:12]}…; {_remedy(folder)} again'
      )
  return array


def load_meta(name: str, data_dir: epath.PathLike) -> dict[str, Any]:
  """What meta.json tells of data_dir/name, without opening its tokens.

  Raises:
    UserError: the corpus is unknown, was never prepared or is empty.
  """
  folder = epath.Path(data_dir) / name
  meta_path = folder / prepare.META
  if not meta_path.exists():
    if not (folder / 'prepare.py').exists():
      root = epath.Path(data_dir)
      known = sorted(f.parent.name for f in root.glob('*/prepare.py'))
      near = errors.suggest(name, known) or known or [SYNTHETIC]
      raise UserError(
        f'unknown dataset {name!r}: {root} must hold a folder of that name with'
        f' a prepare.py; try {" or ".join(near)}'
      )
    raise NotPrepared(
      f'the corpus {name!r} was never prepared: {folder} must hold train.bin,'
      f' val.bin and meta.json; {_remedy(folder)}'
    )
  try:
    meta = records.read_json(meta_path)
    empty = not all(meta['counts'][s]['tokens'] for s in prepare.SPLITS)
    np.dtype(meta['dtype']), meta['vocab_size'], meta['sha256']
    meta['tokenizer']
  except (ValueError, KeyError, TypeError) as error:
    raise UserError(
      f'{meta_path} is not a corpus description ({error!r}): it must be the'
      f' JSON that prepare.py writes; {_remedy(folder)} again'
    ) from error
  if empty:
    raise UserError(
      f'the corpus {name!r} is empty: both splits need tokens;'
      f' {_remedy(folder)} with more text'
    )
  return meta


def load_dataset(name: str, data_dir: epath.PathLike) -> Dataset:
  """Opens data_dir/name; the synthetic corpus is made if it is not there.

  Raises:
    UserError: the corpus is unknown, was never prepared, is empty, or its
      files don't match its meta.json.
  """
  folder = epath.Path(data_dir) / name
  if name == SYNTHETIC and not (folder / prepare.META).exists():
    prepare.prepare_synthetic(folder)
  meta = load_meta(name, data_dir)
  train, val = (_open(folder, split, meta) for split in prepare.SPLITS)
  return Dataset(name, meta, train, val)


def check_lengths(dataset: Dataset, block_size: int, fraction: float) -> int:
  """The number of training tokens that `fraction` keeps.

  Raises:
    UserError: the fraction is not in (0, 1], or a split is shorter than a
      block and the token after it.
  """
  if not 0 < fraction <= 1:
    raise UserError(
      f'data_fraction={fraction} must be above 0 and at most 1; try 1.0'
    )
  kept = int(len(dataset.train) * fraction)
  for split, tokens in (('training', kept), ('validation', len(dataset.val))):
    if tokens < block_size + 1:
      raise UserError(
        f'the {split} split of {dataset.name!r} has'
        f' {formatting.whole(tokens)} tokens (at data_fraction={fraction}): it must be longer than a block of'
        f' {block_size}; use more text or a smaller model.block_size'
      )
  return kept
