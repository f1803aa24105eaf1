"""nanoGPT's optimizer in optax: AdamW, warmup and cosine, clipping."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from scaling_jax.errors import UserError

SCHEDULES = ('cosine', 'linear', 'constant')
ADAM_EPSILON = 1e-8


def make_schedule(train, S: int) -> optax.Schedule:
  """The learning rate of update i, from 0.

  (i + 1) / (w + 1) · peak below the warmup w; then from the peak at w to the
  floor at S along a cosine, a line, or not at all. Where S is at most w, the
  run ends in its warmup.

  Args:
    train: `config.train`: learning_rate, min_learning_rate, warmup_steps,
      schedule.
    S: updates in the run.
  """
  peak, floor, w = (
    train.learning_rate,
    train.min_learning_rate,
    train.warmup_steps,
  )
  if train.schedule not in SCHEDULES:
    raise UserError(
      f'train.schedule={train.schedule!r} must be one of'
      f' {", ".join(SCHEDULES)}; try cosine'
    )
  if w < 0:
    raise UserError(f'train.warmup_steps={w} must not be negative; try 0')
  decay_steps = max(S - w, 1)
  after = {
    'cosine': optax.cosine_decay_schedule(
      1.0, decay_steps, alpha=floor / peak if peak else 0.0
    ),
    'linear': optax.linear_schedule(
      1.0, floor / peak if peak else 0.0, decay_steps
    ),
    'constant': optax.constant_schedule(1.0),
  }[train.schedule]
  if w == 0:
    return lambda i: peak * after(i)
  warmup = optax.linear_schedule(1 / (w + 1), 1.0, w)
  joined = optax.join_schedules([warmup, after], [w])
  return lambda i: peak * joined(i)


def learning_rates(train, S: int) -> np.ndarray:
  """The learning rate of every update of a run, float32 [S]."""
  rates = jax.jit(make_schedule(train, S))(jnp.arange(S))
  # A constant one, without warmup, is one number for all.
  return np.broadcast_to(np.asarray(rates, np.float32), (S,))


def decay_mask(params) -> dict:
  """True where weight decay applies: tensors of two or more axes.

  The leading axis of the stacked blocks does not count.
  """

  def decays(path, leaf):
    stacked = path[0].key == 'blocks'
    return leaf.ndim - stacked >= 2

  return jax.tree_util.tree_map_with_path(decays, params)


class AdamW(NamedTuple):
  """What makes the optimizer but its learning rate: see `config.train`."""

  beta1: float
  beta2: float
  weight_decay: float
  grad_clip: float

  @classmethod
  def of(cls, train) -> 'AdamW':
    return cls(*(train[field] for field in cls._fields))


@functools.lru_cache(maxsize=16)  # the same object, or programs compile again
def make_optimizer(settings: AdamW) -> optax.GradientTransformationExtraArgs:
  """Clipping by the global norm, then AdamW with decoupled decay.

  Its update takes `learning_rate`, so that one compiled program serves runs of
  every length and peak.
  """
  return optax.chain(
    optax.clip_by_global_norm(settings.grad_clip)
    if settings.grad_clip > 0
    else optax.identity(),
    optax.scale_by_adam(b1=settings.beta1, b2=settings.beta2, eps=ADAM_EPSILON),
    optax.add_decayed_weights(settings.weight_decay, decay_mask),
    _scale_by_given_rate(),
  )


def _scale_by_given_rate() -> optax.GradientTransformationExtraArgs:
  def update(updates, state, params=None, *, learning_rate, **_):
    del params
    return jax.tree.map(lambda u: -learning_rate * u, updates), state

  return optax.GradientTransformationExtraArgs(
    lambda params: optax.EmptyState(), update
  )
