"""One model of an experiment: everything checked before the first step."""

from collections.abc import Callable, Sequence
import time
from typing import Any, NamedTuple

from etils import epath
import jax
import ml_collections
import numpy as np

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.corpus import dataset as dataset_lib
from scaling_jax.errors import UserError
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import model as model_lib
from scaling_jax.training import optimizer as optimizer_lib
from scaling_jax.training import settings
from scaling_jax.training import step as step_lib
from scaling_jax.training import writers as writers_lib


class Job(NamedTuple):
  """One model of an experiment, all that training it needs to know.

  `label` names its runs but for their seeds; `devices` is empty where the job
  is only planned here, and trained in another process.
  """

  config: ml_collections.ConfigDict
  name: str
  label: str
  dataset: dataset_lib.Dataset
  train_tokens: int
  gpt: model_lib.GPTConfig
  plan: budget.Plan
  flops_per_token: int
  devices: list
  folder: epath.Path

  @property
  def tokens_per_step(self) -> int:
    return self.plan.D // self.plan.S

  @property
  def corpus_fields(self) -> dict[str, Any]:
    """What a `records.Run` tells of the text."""
    meta = self.dataset.meta
    return {
      'dataset': self.dataset.name,
      'text_tokens': self.train_tokens,
      'vocab_size': self.dataset.vocab_size,
      'text': records.text_id(meta['sha256']),
      'tokenizer': str(meta['tokenizer']),
    }


def make_job(
  config: ml_collections.ConfigDict,
  name: str,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  devices: list | None = None,
  label: str = '',
  load: Callable[..., dataset_lib.Dataset] = dataset_lib.load_dataset,
) -> Job:
  """Checks everything that can be checked before the first step.

  Args:
    config: of the experiment; see `configs/common.py`.
    name: of the model.
    workdir: holds a folder for each experiment.
    data_dir: holds a folder for each corpus.
    devices: that share each batch; by default those the config chooses. An
      empty list leaves the machine's devices alone.
    label: of the runs; the model's name by default.
    load: opens a corpus; for many jobs, one that opens each corpus once.

  Raises:
    UserError: bad input.
  """
  config = settings.for_model(config, name)
  plan = settings.make_plan(config)
  folder = epath.Path(workdir) / config.experiment
  writers_lib.check(config.log, folder)
  if devices is None:
    devices = devices_lib.choose(
      config.devices, config.train.batch_size, plan.flops_6ND / plan.S
    )
  if devices:
    settings.check_devices(config, len(devices))
  optimizer_lib.make_schedule(config.train, plan.S)  # refuses bad ones
  dataset = load(config.dataset, data_dir)
  block_size = config.model.block_size
  kept = dataset_lib.check_lengths(dataset, block_size, config.data_fraction)
  gpt = settings.gpt_config(config, dataset.vocab_size)
  shape = settings.shape_of(config)
  return Job(
    config=config,
    name=name,
    label=label or name,
    dataset=dataset,
    train_tokens=kept,
    gpt=gpt,
    plan=plan,
    flops_per_token=budget.flops_per_token(shape, block_size, gpt.vocab_size),
    devices=devices,
    folder=folder,
  )


def run_id(label: str, seed: int) -> str:
  return f'{label}_seed{seed}'


def unwritable(folder: epath.Path, error: OSError) -> UserError:
  """That an experiment's folder can't be written, and what to do."""
  return UserError(
    f'--workdir={folder.parent} cannot be written ({error.strerror or error}):'
    ' it must be a folder of yours; choose another --workdir'
  )


def title(job: Job, seeds: Sequence[int]) -> str:
  """What a progress display calls these seeds of a job."""
  if len(seeds) > 1:
    return f'{job.label} x {len(seeds)} seeds'
  return f'{job.label} seed {seeds[0]}' if any(seeds) else job.label


def time_step(job: Job, dispatches: int = 4) -> float:
  """Seconds of one update of one seed, in the best of a few dispatches.

  It trains a model on made-up tokens and throws it away. A dispatch has as many
  updates as a quarter of a second should hold: of small models hundreds, as in
  training, where dispatching takes longer than an update. Of an update that is
  taken in pieces (grad_accum) one is timed, and of slow ones two alone.
  """
  optimizer = optimizer_lib.make_optimizer(
    optimizer_lib.AdamW.of(job.config.train)
  )
  states = step_lib.init_states(job.gpt, optimizer, (0,), job.devices)
  pieces, devices = job.config.train.grad_accum, len(job.devices)
  train_step = step_lib.make_train_step(job.gpt, optimizer, 1)
  step_many = step_lib.fuse(train_step, job.devices)
  B = job.config.train.batch_size // devices
  K = settings.steps_per_dispatch(
    job.config,
    job.flops_per_token * job.tokens_per_step / pieces,
    job.devices[0].platform,
    seconds=0.25,
  )
  shape = (devices, K, 1, B, job.gpt.block_size + 1)
  windows, rates = np.zeros(shape, np.uint8), np.zeros(shape[1], np.float32)
  best_s = float('inf')
  for i in range(1 + dispatches):
    started = time.perf_counter()
    states, metrics = step_many(states, windows, rates)
    jax.block_until_ready(metrics)
    if i:
      took_s = time.perf_counter() - started
      best_s = min(best_s, took_s / shape[1])
      if took_s > 2.0:
        break
  return pieces * best_s
