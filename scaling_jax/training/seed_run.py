"""What one seed of one model keeps: its folder, checkpoints and records."""

from collections.abc import Callable
import json
from typing import Any

import numpy as np

from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import checkpoint as checkpoint_lib
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import job as job_lib
from scaling_jax.training import settings
from scaling_jax.training import writers as writers_lib


class SeedRun:
  """One seed's folder, checkpoints, and records so far.

  Attributes:
    folder: of the run.
    losses: of the steps so far, piece by piece.
    evaluations: so far.
    diverged_at: the first step whose loss was not finite.
  """

  def __init__(self, job: job_lib.Job, seed: int):
    self.job = job
    self.seed = seed
    self.folder = job.folder / job_lib.run_id(job.label, seed)
    self.losses: list[np.ndarray] = []
    self.evaluations: list[records.Evaluation] = []
    self.diverged_at: int | None = None
    self.logs = writers_lib.Logs()
    self._checkpoints: checkpoint_lib.Checkpoints | None = None

  def claim(self) -> records.Run | None:
    """Makes the folder this run's, or returns the record it already holds.

    Raises:
      UserError: the folder holds a run of another configuration, or can't be
        written.
    """
    job = self.job
    asked = settings.identity(job.config, self.seed, job.dataset.meta['sha256'])
    asked = json.loads(json.dumps(asked))
    path = self.folder / records.CONFIG
    try:
      self.folder.mkdir(parents=True, exist_ok=True)
      if path.exists():
        self._check_same(records.read_json(path)['identity'], asked)
      else:
        described = {
          'identity': asked,
          'config': job.config.to_dict(),
          'run_id': self.folder.name,
          'seed': self.seed,
          'corpus': _described(job),
          'versions': devices_lib.versions(),
          'devices': devices_lib.describe(job.devices),
        }
        records.write_json(path, described)
    except OSError as error:
      raise job_lib.unwritable(job.folder, error) from error
    try:
      return records.read_result(self.folder)
    except (ValueError, KeyError, TypeError) as error:
      raise UserError(
        f'{self.folder / records.RESULT} cannot be read ({error!r}): it must be'
        ' the record of a finished run; delete it to resume from the checkpoint'
      ) from error

  def _check_same(self, found: dict[str, Any], asked: dict[str, Any]) -> None:
    found, asked = records.flatten(found), records.flatten(asked)
    for name in sorted(found.keys() | asked.keys()):
      if found.get(name) != asked.get(name):
        raise UserError(
          f'{self.folder} holds a run with {name}={found.get(name)}, not'
          f' {asked.get(name)}: a folder holds one run; choose another'
          ' --workdir or --config.experiment, or delete that folder'
        )

  @property
  def checkpoints(self) -> checkpoint_lib.Checkpoints:
    if self._checkpoints is None:
      keep = self.job.config.checkpoint.keep
      self._checkpoints = checkpoint_lib.Checkpoints(self.folder, keep)
    return self._checkpoints

  def last_step(self) -> int:
    """The step of the latest checkpoint, 0 where there is none."""
    return max(self.checkpoints.steps(), default=0)

  def open_logs(self, message: Callable[[str], None]) -> None:
    """Opens what `config.log` asks for; `message` tells of a log that fails."""
    self.logs = writers_lib.open_logs(
      self.job.config, self.job.plan, self.folder, self.train_loss,
      self.evaluations, message,
    )  # fmt: skip

  def close(self) -> None:
    if self._checkpoints is not None:
      self._checkpoints.close()
      self._checkpoints = None

  @property
  def train_loss(self) -> np.ndarray:
    empty = np.zeros(0, np.float32)
    return np.concatenate([empty, *self.losses])


def _described(job: job_lib.Job) -> dict[str, Any]:
  """The corpus of a run, with its entropy where it is known."""
  meta = job.dataset.meta
  entropies = meta.get('context_entropy_nats_per_character', {})
  return {
    'name': job.dataset.name,
    'train_tokens': job.train_tokens,
    'val_tokens': len(job.dataset.val),
    'vocab_size': job.dataset.vocab_size,
    'tokenizer': meta['tokenizer'],
    'floor_nats_per_token': entropies.get(str(job.config.model.block_size)),
  }
