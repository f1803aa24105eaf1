"""Validation loss in nats per token and bits per byte, with standard error."""

from collections.abc import Callable
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from scaling_jax.corpus import batches as batches_lib
from scaling_jax.corpus import dataset as dataset_lib
from scaling_jax.training import model as model_lib
from scaling_jax.training import step as step_lib


class Score(NamedTuple):
  """A validation loss.

  Attributes:
    loss: nats per token.
    sem: its standard error, from the spread of batch means; NaN for one batch.
    bpb: the loss in bits per byte of the UTF-8 text.
  """

  loss: float
  sem: float
  bpb: float


def score(
  sums: np.ndarray, counts: np.ndarray, bytes_per_token: float
) -> Score:
  """The mean loss over batches, each weighted by the targets it has.

  Args:
    sums: nats summed over each batch, [batches].
    counts: targets in each, [batches].
    bytes_per_token: UTF-8 bytes of a token, on average.
  """
  sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
  used = counts > 0
  sums, counts = sums[used], counts[used]
  total = float(counts.sum())
  loss = float(sums.sum()) / total
  n = len(sums)
  spread = float(np.sum((sums - loss * counts) ** 2))
  sem = math.sqrt(spread * n / (n - 1)) / total if n > 1 else math.nan
  return Score(loss, sem, loss / math.log(2) / bytes_per_token)


@functools.lru_cache(step_lib.KEPT)
def make_loss_sums(config: model_lib.GPTConfig, devices: tuple) -> Callable:
  """Nats summed over each batch, for every seed: pmap(scan(vmap(loss))).

  Returns:
    (params with a seed axis, windows [devices, K, B / devices, T + 1], counts
    [devices, K, B / devices]) -> float32 [K, seeds]. `counts` are the targets
    of each window that count, its first ones.
  """
  graph = step_lib.graphdef(config._replace(dropout=0.0))

  def batch_sum(params, windows_BU, counts_B):
    losses_BT = step_lib.token_losses(graph, params, windows_BU)
    counted_BT = jnp.arange(losses_BT.shape[1]) < counts_B[:, None]
    return jax.lax.psum(jnp.sum(losses_BT * counted_BT), step_lib.DATA)

  def chunk(params, windows_KBU, counts_KB):
    def one(_, batch):
      sums_S = jax.vmap(batch_sum, in_axes=(0, None, None))(params, *batch)
      return None, sums_S

    return jax.lax.scan(one, None, (windows_KBU, counts_KB))[1]

  return jax.pmap(
    jax.jit(chunk),
    axis_name=step_lib.DATA,
    in_axes=(None, 0, 0),
    out_axes=None,
    devices=devices,
  )


class Evaluator:
  """Scores a model on a fixed sample, or on the whole validation split.

  Args:
    config: the model.
    dataset: the corpus; its `val` split is scored.
    evaluation: `config.eval`: batches and batch_size.
    devices: that share each batch.
  """

  def __init__(
    self,
    config: model_lib.GPTConfig,
    dataset: dataset_lib.Dataset,
    evaluation,
    devices: list,
  ):
    self._dataset = dataset
    self._devices = len(devices)
    self._batches = evaluation.batches
    # Rounded up to what the devices share; the extra windows don't count.
    self._batch_size = -(-evaluation.batch_size // len(devices)) * len(devices)
    self._block_size = config.block_size
    self._loss_sums = make_loss_sums(config, tuple(devices))
    windows = batches_lib.evaluation_batches(
      dataset.val, self._batches, evaluation.batch_size, config.block_size
    )
    padding = self._batch_size - evaluation.batch_size
    self._sample = (
      np.pad(windows, ((0, 0), (0, padding), (0, 0))),
      np.pad(
        np.full(windows.shape[:2], config.block_size), ((0, 0), (0, padding))
      ),
    )

  def _share(self, array: np.ndarray) -> np.ndarray:
    """[K, B, ...] -> [devices, K, B / devices, ...]."""
    shape = (len(array), self._devices, -1, *array.shape[2:])
    return array.reshape(shape).swapaxes(0, 1)

  def _scores(self, params, windows, counts) -> list[Score]:
    K = self._batches
    sums = []
    for first in range(0, len(windows), K):
      piece, piece_counts = (
        windows[first : first + K],
        counts[first : first + K],
      )
      padding = K - len(piece)  # one program for every piece
      piece = np.pad(piece, ((0, padding), (0, 0), (0, 0)))
      piece_counts = np.pad(piece_counts, ((0, padding), (0, 0)))
      found = self._loss_sums(
        params, self._share(piece), self._share(piece_counts)
      )
      # Waits: a CPU's devices deadlock where two programs are under way.
      sums.append(np.asarray(found))
    sums_by_seed = np.concatenate(sums).T
    totals = counts.sum(axis=1)
    return [
      score(s[: len(totals)], totals, self._dataset.val_bytes_per_token)
      for s in sums_by_seed
    ]

  def sample(self, params) -> list[Score]:
    """Each seed's score on the fixed batches, the same for every run."""
    return self._scores(params, *self._sample)

  def whole(self, params) -> list[Score]:
    """Each seed's score on every token of the validation split."""
    windows, counts = batches_lib.whole_split(
      self._dataset.val, self._batch_size, self._block_size
    )
    return self._scores(params, windows, counts)
