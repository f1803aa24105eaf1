"""From a config to what one model's training needs, checked."""

import math
from typing import Any

import ml_collections

from scaling_jax import budget
from scaling_jax import formatting
from scaling_jax.errors import UserError
from scaling_jax.training import model as model_lib

# What tells apart where and how often a run is kept, but not its numbers.
_BESIDE_THE_NUMBERS = (
  'analyze',
  'checkpoint',
  'data_dir',
  'devices',
  'log',
  'models',
  'parallel',
  'seeds',
)


def for_model(
  config: ml_collections.ConfigDict, name: str
) -> ml_collections.ConfigDict:
  """A copy for one model: its shape where the config leaves it out, its rate.

  Raises:
    UserError: the name is unknown, the shape can't be built, or its size
      leaves no learning rate.
  """
  fields = config.to_dict()
  fields.pop('sweep', None)  # of many models, and its names hold dots
  config = ml_collections.ConfigDict(fields, convert_dict=True)
  config.models = (name,)
  for field, value in budget.model_shape(name)._asdict().items():
    if config.model[field] is None:
      config.model[field] = value
  budget.check_shape(shape_of(config))
  _resolve_learning_rate(config, name)
  return config


def _resolve_learning_rate(
  config: ml_collections.ConfigDict, name: str
) -> None:
  """Sets the model's own peak; the rule is gone then, and applies once."""
  train = config.train
  per_log_N = train.get('learning_rate_per_log_N', 0.0)
  if 'learning_rate_per_log_N' in train:
    del train.learning_rate_per_log_N
  if not per_log_N:
    return
  N = parameters(config)
  at_one, train.learning_rate = (
    train.learning_rate,
    float(train.learning_rate + per_log_N * math.log(N)),
  )
  if train.learning_rate <= 0:
    raise UserError(
      f'train.learning_rate={at_one} with {per_log_N} for each unit of ln N'
      f' leaves {name} ({formatting.whole(N)} parameters)'
      f' {formatting.plain(train.learning_rate)}: it must be above 0; set'
      ' train.learning_rate_per_log_N=0'
    )


def parameters(config: ml_collections.ConfigDict) -> int:
  """N of the config's model, both embeddings omitted."""
  m = config.model
  return budget.count_parameters(shape_of(config), m.block_size, 0, m.bias).N


def shape_of(config: ml_collections.ConfigDict) -> budget.Shape:
  m = config.model
  return budget.Shape(m.n_layer, m.n_head, m.n_embd)


def gpt_config(
  config: ml_collections.ConfigDict, vocab_size: int
) -> model_lib.GPTConfig:
  """The model's own configuration.

  Raises:
    UserError: the dtype or the dropout is not one.
  """
  if config.train.dtype not in ('float32', 'bfloat16'):
    raise UserError(
      f'train.dtype={config.train.dtype!r} must be float32 or bfloat16; try'
      ' float32'
    )
  if not 0 <= config.model.dropout < 1:
    raise UserError(
      f'model.dropout={config.model.dropout} must be at least 0 and below 1;'
      ' try 0.1'
    )
  return model_lib.GPTConfig(
    vocab_size=vocab_size,
    dtype=config.train.dtype,
    **config.model.to_dict(),
  )


def sequences_per_step(config: ml_collections.ConfigDict) -> int:
  """Windows in one update, gradient accumulation counted."""
  return config.train.batch_size * config.train.grad_accum


def make_plan(config: ml_collections.ConfigDict) -> budget.Plan:
  """What the config's budget buys for its model.

  Raises:
    UserError: a size is not positive, or the budget is too small.
  """
  for field in ('model.block_size', 'train.batch_size', 'train.grad_accum',
                'eval.every_steps', 'eval.batches', 'eval.batch_size',
                'checkpoint.keep'):  # fmt: skip
    section, name = field.split('.')
    value = config[section][name]
    if value < 1:
      raise UserError(f'{field}={value} must be at least 1; try {field}=1')
  N = parameters(config)
  tokens = sequences_per_step(config) * config.model.block_size
  return budget.plan(N, tokens, config.C, config.steps)


def check_devices(config: ml_collections.ConfigDict, devices: int) -> None:
  """Raises UserError unless the devices can share a batch evenly."""
  B = config.train.batch_size
  if B % devices:
    below, above = B // devices * devices, math.ceil(B / devices) * devices
    options = [str(n) for n in (below, above) if n]
    raise UserError(
      f'train.batch_size={B} must divide by {devices} devices; try'
      f' {" or ".join(options)}'
    )


def steps_per_dispatch(
  config: ml_collections.ConfigDict,
  step_flops: float,
  platform: str,
  seconds: float = 4.0,
) -> int:
  """Updates in one dispatch: a divisor of eval.every_steps.

  By default about so many seconds' worth, at a rough guess of the speed: four
  are long enough that dispatching and fresh buffers cost little, and short
  enough to watch.
  """
  every = config.eval.every_steps
  wanted = config.train.steps_per_dispatch
  if wanted is None:
    flops_per_s = 2e11 if platform == 'cpu' else 5e12
    wanted = max(1, int(seconds * flops_per_s / step_flops))
  if wanted < 1:
    raise UserError(
      f'train.steps_per_dispatch={wanted} must be at least 1; try 10'
    )
  return max(k for k in range(1, every + 1) if every % k == 0 and k <= wanted)


def identity(
  config: ml_collections.ConfigDict, seed: int, sha256: dict[str, str]
) -> dict[str, Any]:
  """What decides a run's numbers: two runs that differ here are two runs."""
  fields = config.to_dict()
  for name in _BESIDE_THE_NUMBERS:
    fields.pop(name)
  return {**fields, 'seed': seed, 'sha256': sha256}
