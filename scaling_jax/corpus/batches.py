"""Tokens to batches, without state: a batch is a function of (seed, step).

A resumed run therefore sees the batches that it would have seen. Windows are
`U` = T + 1 tokens long: T inputs and, one to the right, T targets.
"""

import numpy as np

# Streams of one seed; training and evaluation never share draws.
_TRAIN, _EVALUATION = 0, 1


def _offsets(
  n_tokens: int, window: int, seed: int, stream: int, step: int, batch_size: int
) -> np.ndarray:
  # Philox is a counter-based generator: any step's draws cost the same.
  generator = np.random.Philox(key=[seed, stream], counter=[0, 0, 0, step])
  raw = generator.random_raw(batch_size)
  return (raw % np.uint64(n_tokens - window + 1)).astype(np.int64)


def batch_at(
  tokens: np.ndarray, seed: int, step: int, batch_size: int, block_size: int
) -> np.ndarray:
  """The windows of one step: [batch_size, block_size + 1], dtype of `tokens`.

  Windows start anywhere with equal chance, with replacement, as nanoGPT's do.

  Args:
    tokens: the split, at least block_size + 1 long.
    seed: of the run.
    step: the update's index, from 0.
    batch_size: windows.
    block_size: T.
  """
  window = block_size + 1
  offsets = _offsets(len(tokens), window, seed, _TRAIN, step, batch_size)
  return tokens[offsets[:, None] + np.arange(window)]


def evaluation_batches(
  tokens: np.ndarray, batches: int, batch_size: int, block_size: int
) -> np.ndarray:
  """Windows [batches, batch_size, block_size + 1], the same for every run."""
  window = block_size + 1
  offsets = _offsets(
    len(tokens), window, 0, _EVALUATION, 0, batches * batch_size
  )
  windows = tokens[offsets[:, None] + np.arange(window)]
  return windows.reshape(batches, batch_size, window)


def whole_split(
  tokens: np.ndarray, batch_size: int, block_size: int
) -> tuple[np.ndarray, np.ndarray]:
  """Every token once as a target, in batches of consecutive windows.

  The first token has nothing before it and is only an input. The last window
  may be partial; it and the batch are filled up with zeros that don't count.

  Returns:
    windows [batches, batch_size, T + 1] and counts int64 [batches,
    batch_size], the targets of each window that count (its first ones).
  """
  targets = len(tokens) - 1
  n_windows = -(-targets // block_size)
  batches = -(-n_windows // batch_size)
  starts = np.arange(batches * batch_size) * block_size
  counts = np.clip(targets - starts, 0, block_size)
  index = starts[:, None] + np.arange(block_size + 1)
  windows = np.where(
    index < len(tokens), tokens[np.minimum(index, targets)], 0
  ).astype(tokens.dtype)
  shape = (batches, batch_size)
  return windows.reshape(*shape, block_size + 1), counts.reshape(shape)
