"""One update for one seed on one device, and the transforms around it.

The whole program is `fuse(train_step)` = pmap(scan(vmap(train_step))): devices
share a batch, many updates make one dispatch, seeds train side by side.

Axes: `B` sequences, `U` = T + 1 tokens of a window, `V` vocabulary.
"""

from collections.abc import Callable
import functools
from typing import Any, NamedTuple

from flax import nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from scaling_jax.training import model as model_lib

DATA = 'data'  # the pmap axis along which devices share a batch
KEPT = 16  # programs of so many models; runs that differ by length share one


class TrainState(NamedTuple):
  """All that an update reads and writes; every leaf gets a seed axis by vmap.

  Attributes:
    step: int32, updates made.
    key: the PRNG key data, uint32 [2], that dropout is derived from.
    params: nested dict of float32 arrays.
    opt_state: optax's.
  """

  step: jax.Array
  key: jax.Array
  params: Any
  opt_state: Any


class StepMetrics(NamedTuple):
  """What one update reports: the mean loss in nats, the unclipped norm."""

  loss: jax.Array
  grad_norm: jax.Array


def graphdef(config: model_lib.GPTConfig) -> nnx.GraphDef:
  """The static half of the model; its dict of arrays is the other half."""
  abstract = nnx.eval_shape(lambda: model_lib.GPT(config, nnx.Rngs(0)))
  return nnx.split(abstract)[0]


def init_params(config: model_lib.GPTConfig, seed) -> dict:
  """A fresh model's parameters, a nested dict of float32 arrays."""
  model = model_lib.GPT(config, nnx.Rngs(params=jax.random.key(seed)))
  return nnx.to_pure_dict(nnx.state(model))


def init_states(
  config: model_lib.GPTConfig,
  optimizer: optax.GradientTransformationExtraArgs,
  seeds: tuple[int, ...],
  devices: list,
) -> TrainState:
  """The states before the first update, one for each seed along axis 0.

  They lie on the devices as `fuse` wants them.
  """
  states = _init(config, optimizer)(jnp.array(seeds, jnp.uint32))
  return replicate(states, devices)


@functools.lru_cache(KEPT)
def _init(config, optimizer) -> Callable[[jax.Array], TrainState]:
  def init(seed):
    params = init_params(config, seed)
    key = jax.random.key_data(jax.random.fold_in(jax.random.key(seed), 1))
    return TrainState(jnp.int32(0), key, params, optimizer.init(params))

  return jax.jit(jax.vmap(init))


def replicate(tree: Any, devices: list) -> Any:
  """Puts a copy of every array on each device, as `fuse`'s results lie there.

  What lies otherwise is taken too, but costs another compilation.
  """
  mesh = jax.sharding.Mesh(np.array(devices), (DATA,))
  everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  # Waits: a CPU's devices deadlock where two programs are under way.
  return jax.block_until_ready(jax.device_put(tree, everywhere))


def token_losses(graph: nnx.GraphDef, params, windows_BU, key=None):
  """Cross entropy of each target in nats, float32 [B, T]."""
  logits_BTV = nnx.merge(graph, params)(
    windows_BU[:, :-1].astype(jnp.int32), key
  )
  return optax.softmax_cross_entropy_with_integer_labels(
    logits_BTV, windows_BU[:, 1:].astype(jnp.int32)
  )


@functools.lru_cache(KEPT)
def make_train_step(
  config: model_lib.GPTConfig,
  optimizer: optax.GradientTransformationExtraArgs,
  grad_accum: int = 1,
  axis_name: str | None = DATA,
) -> Callable[
  [TrainState, jax.Array, jax.Array], tuple[TrainState, StepMetrics]
]:
  """The update: gradient, mean over devices, clip, AdamW.

  Args:
    config: the model.
    optimizer: see `optimizer.make_optimizer`.
    grad_accum: pieces into which this device's windows are cut, one after the
      other, to save memory; divides their number.
    axis_name: over which gradients are averaged; None for one device alone.

  Returns:
    A pure function of a TrainState, windows [B, T + 1] of any integer dtype
    and the learning rate.
  """
  graph = graphdef(config)

  def at_once(params, windows_BU, key):
    def mean_loss(params):
      return token_losses(graph, params, windows_BU, key).mean()

    return jax.value_and_grad(mean_loss)(params)

  gradients = at_once
  if grad_accum > 1:
    gradients = _in_pieces(at_once, grad_accum, axis_name)

  def train_step(state: TrainState, windows_BU, rate):
    key = None
    if config.dropout > 0:
      key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
      if axis_name is not None:
        key = jax.random.fold_in(key, jax.lax.axis_index(axis_name))
    loss, grads = gradients(state.params, windows_BU, key)
    if axis_name is not None:
      loss, grads = jax.lax.pmean((loss, grads), axis_name)
    updates, opt_state = optimizer.update(
      grads, state.opt_state, state.params, learning_rate=rate
    )
    params = optax.apply_updates(state.params, updates)
    state = TrainState(state.step + 1, state.key, params, opt_state)
    return state, StepMetrics(loss, optax.tree.norm(grads))

  return train_step


def _in_pieces(
  gradients: Callable, grad_accum: int, axis_name: str | None
) -> Callable:
  """The mean of `gradients` over pieces of the windows, one after the other."""

  def summed(params, windows_BU, key):
    def accumulate(total, piece):
      index, windows = piece
      piece_key = None if key is None else jax.random.fold_in(key, index)
      found = gradients(params, windows, piece_key)
      return jax.tree.map(jnp.add, total, found), None

    pieces = windows_BU.reshape(grad_accum, -1, windows_BU.shape[-1])
    zero = (jnp.float32(0), jax.tree.map(jnp.zeros_like, params))
    if axis_name is not None:
      zero = jax.lax.pcast(zero, axis_name, to='varying')
    total, _ = jax.lax.scan(accumulate, zero, (jnp.arange(grad_accum), pieces))
    return jax.tree.map(lambda x: x / grad_accum, total)

  return summed


def fuse(train_step, devices: list) -> Callable:
  """pmap(scan(vmap(train_step))): a function of states and many batches.

  The states are replicated and unstacked, so that a checkpoint does not depend
  on the number of devices; their buffers are donated. pmap stands here and in
  `evaluate` alone.

  Args:
    train_step: see `make_train_step`.
    devices: that share each batch.

  Returns:
    (states, windows [devices, K, seeds, B / devices, T + 1], learning rates
    [K]) -> states and StepMetrics of [K, seeds].
  """
  return _fuse(train_step, tuple(devices))


@functools.lru_cache(KEPT)
def _fuse(train_step, devices: tuple) -> Callable:
  def chunk(states, windows_KSBU, rates_K):
    if windows_KSBU.shape[1] > 1:
      seeds_step = jax.vmap(train_step, in_axes=(0, 0, None))
      return jax.lax.scan(
        lambda s, x: seeds_step(s, *x), states, (windows_KSBU, rates_K)
      )
    # A seed alone goes without vmap: its axis of one costs the CPU a quarter.
    state = jax.tree.map(lambda x: x[0], states)
    state, metrics = jax.lax.scan(
      lambda s, x: train_step(s, *x), state, (windows_KSBU[:, 0], rates_K)
    )
    states = jax.tree.map(lambda x: x[None], state)
    return states, jax.tree.map(lambda x: x[:, None], metrics)

  return jax.pmap(
    jax.jit(chunk),
    axis_name=DATA,
    in_axes=(None, 0, None),
    out_axes=None,
    devices=devices,
    donate_argnums=0,
  )
