"""nanoGPT's optimizer in optax: AdamW, warmup and cosine, clipping."""

import jax
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


def decay_mask(params) -> dict:
  """True where weight decay applies: tensors of two or more axes.

  The leading axis of the stacked blocks does not count.
  """

  def decays(path, leaf):
    stacked = path[0].key == 'blocks'
    return leaf.ndim - stacked >= 2

  return jax.tree_util.tree_map_with_path(decays, params)


def make_optimizer(train, S: int) -> optax.GradientTransformation:
  """Clipping by the global norm, then AdamW with decoupled decay."""
  return optax.chain(
    optax.clip_by_global_norm(train.grad_clip)
    if train.grad_clip > 0
    else optax.identity(),
    optax.adamw(
      make_schedule(train, S),
      b1=train.beta1,
      b2=train.beta2,
      eps=ADAM_EPSILON,
      weight_decay=train.weight_decay,
      mask=decay_mask,
    ),
  )
