"""Orbax checkpoints of one run: saved in the background, restored exactly."""

import math
from typing import Any, NamedTuple

from etils import epath
import jax
import numpy as np
import orbax.checkpoint as ocp

from scaling_jax import records
from scaling_jax.errors import UserError

FOLDER = 'checkpoints'


class Progress(NamedTuple):
  """Where a run stands besides its state, so that its records resume too.

  Attributes:
    train_loss: float32 [step], the loss of every step so far.
    evaluations: the lines of metrics.jsonl so far.
    grad_norm: of the last update, for an evaluation that is still due.
    wall_s: seconds so far, restarts counted.
    timed_tokens: training tokens whose time was measured.
    timed_s: the seconds they took.
  """

  train_loss: np.ndarray
  evaluations: list[records.Evaluation]
  grad_norm: float
  wall_s: float
  timed_tokens: int
  timed_s: float


class Checkpoints:
  """The checkpoints of one run folder; close them when done.

  Args:
    run_folder: holds the folder `checkpoints`.
    keep: how many of the latest to keep.
  """

  def __init__(self, run_folder: epath.PathLike, keep: int):
    # Orbax saves in the background, where a relative path would fail unseen.
    folder = epath.Path(run_folder).resolve() / FOLDER
    self._folder = folder
    self._manager = ocp.CheckpointManager(
      folder,
      options=ocp.CheckpointManagerOptions(
        max_to_keep=keep, cleanup_tmp_directories=True
      ),
    )

  def close(self) -> None:
    self._manager.wait_until_finished()
    self._manager.close()

  def steps(self) -> list[int]:
    return sorted(self._manager.all_steps())

  def save(self, step: int, state: Any, progress: Progress) -> None:
    """Copies everything to the host and returns while it is being written."""
    if step in self._manager.all_steps():
      return
    # A copy: the next update is free to reuse the device's buffers.
    host_state = jax.tree.map(lambda x: np.array(x, copy=True), state)
    meta = progress._asdict()
    meta['evaluations'] = [e._asdict() for e in progress.evaluations]
    train_loss = meta.pop('train_loss')
    self._manager.save(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(host_state),
        history=ocp.args.StandardSave({'train_loss': np.array(train_loss)}),
        meta=ocp.args.JsonSave(records.plain(meta)),
      ),
    )

  def restore(self, step: int, like: Any) -> tuple[Any, Progress]:
    """The state and progress at `step`.

    Args:
      step: one of `steps()`.
      like: a state of the same model, concrete or abstract.

    Raises:
      UserError: the checkpoint is of another model, or cannot be read.
    """
    abstract = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), like)
    try:
      saved = self._manager.restore(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardRestore(abstract),
          history=ocp.args.StandardRestore(),
          meta=ocp.args.JsonRestore(),
        ),
      )
      norm = saved.meta['grad_norm']
      fits = jax.tree.map(
        lambda a, b: a.shape == b.shape, saved.state, abstract
      )
    except (ValueError, KeyError, TypeError, OSError) as error:
      raise self._misfit(step) from error
    if not all(jax.tree.leaves(fits)):
      raise self._misfit(step)
    meta = saved.meta
    meta['evaluations'] = [
      records.typed(records.Evaluation, e) for e in meta['evaluations']
    ]
    meta['grad_norm'] = math.nan if norm is None else norm
    train_loss = np.asarray(saved.history['train_loss'], np.float32)
    return saved.state, Progress(train_loss, **meta)

  def _misfit(self, step: int) -> UserError:
    return UserError(
      f'the checkpoint of step {step} in {self._folder} does not fit: it must'
      ' be of this model; choose another --workdir, or delete that folder to'
      ' start again'
    )
