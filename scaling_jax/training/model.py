"""A GPT in Flax NNX: nanoGPT's pre-LN GPT-2, laid out for speed.

The residual stream is kept flat, `x_PM` with the P = B·T positions of a batch
as rows, so that every projection is one plain matrix product. The blocks are
stacked along a leading axis, so that a model of any depth is a handful of
arrays; whether the loop over them is unrolled is a knob.

Axes: `B` sequences, `T` positions, `P` = B·T, `M` model width, `H` heads,
`K` head width, `V` vocabulary.
"""

import functools
from typing import NamedTuple

from flax import nnx
import jax
import jax.numpy as jnp

from scaling_jax.training import attention
from scaling_jax.training import layers

INIT_STD = 0.02


class GPTConfig(NamedTuple):
  """What a GPT is made of; the fields mean what GPT-2's mean."""

  n_layer: int
  n_head: int
  n_embd: int
  block_size: int
  vocab_size: int
  bias: bool = False
  dropout: float = 0.0
  dtype: str = 'float32'  # of the computation; parameters stay float32
  unroll: int = 0  # blocks unrolled in the loop over depth; 0 unrolls all


def _linear(config: GPTConfig, n_in: int, n_out: int, std: float, rngs):
  dtype = jnp.dtype(config.dtype)
  return layers.Linear(
    n_in, n_out, std=std, bias=config.bias, dtype=dtype, rngs=rngs
  )


def _residual_std(config: GPTConfig) -> float:
  # Each block adds to the stream twice; this keeps its variance near one.
  return INIT_STD / (2 * config.n_layer) ** 0.5


def dropout(x, rate: float, key):
  """Zeroes a share `rate` of x and rescales the rest; no key, no change."""
  if key is None or rate == 0.0:
    return x
  return nnx.Dropout(rate)(x, deterministic=False, rngs=key)


def _keys(key, n: int):
  return [None] * n if key is None else jax.random.split(key, n)


class CausalSelfAttention(nnx.Module):
  """Multi-head attention in which a position sees itself and its past."""

  def __init__(self, config: GPTConfig, rngs: nnx.Rngs):
    M = config.n_embd
    self.n_head = config.n_head
    self.rate = config.dropout
    self.qkv = _linear(config, M, 3 * M, INIT_STD, rngs)
    self.proj = _linear(config, M, M, _residual_std(config), rngs)

  def __call__(self, x_PM, T: int, key=None):
    qkv_PX = self.qkv(x_PM)
    if key is None or self.rate == 0.0:
      return self.proj(attention.attend(qkv_PX, T, self.n_head))
    att_key, out_key = jax.random.split(key)
    drop = functools.partial(dropout, rate=self.rate, key=att_key)
    out_PM = attention.attend_with(drop, qkv_PX, T, self.n_head)
    return dropout(self.proj(out_PM), self.rate, out_key)


class MLP(nnx.Module):
  """Two layers with an exact-erf GELU between them, four times as wide."""

  def __init__(self, config: GPTConfig, rngs: nnx.Rngs):
    M = config.n_embd
    self.rate = config.dropout
    self.fc = _linear(config, M, 4 * M, INIT_STD, rngs)
    self.proj = _linear(config, 4 * M, M, _residual_std(config), rngs)

  def __call__(self, x_PM, key=None):
    hidden_PF = layers.gelu(self.fc(x_PM))
    return dropout(self.proj(hidden_PF), self.rate, key)


class Block(nnx.Module):
  """x + attention(LN x), then x + MLP(LN x)."""

  def __init__(self, config: GPTConfig, rngs: nnx.Rngs):
    self.ln_1 = layers.LayerNorm(config.n_embd, bias=config.bias)
    self.attn = CausalSelfAttention(config, rngs)
    self.ln_2 = layers.LayerNorm(config.n_embd, bias=config.bias)
    self.mlp = MLP(config, rngs)

  def __call__(self, x_PM, T: int, key=None):
    att_key, mlp_key = _keys(key, 2)
    x_PM = x_PM + self.attn(self.ln_1(x_PM), T, att_key)
    return x_PM + self.mlp(self.ln_2(x_PM), mlp_key)


class GPT(nnx.Module):
  """Token and position embeddings, blocks, a final norm, a tied head.

  The leaves of `blocks` carry a leading axis of n_layer.
  """

  def __init__(self, config: GPTConfig, rngs: nnx.Rngs):
    self.config = config
    dtype = jnp.dtype(config.dtype)
    init = nnx.initializers.normal(INIT_STD)
    self.wte = nnx.Embed(
      config.vocab_size,
      config.n_embd,
      embedding_init=init,
      dtype=dtype,
      rngs=rngs,
    )
    self.wpe = nnx.Embed(
      config.block_size,
      config.n_embd,
      embedding_init=init,
      dtype=dtype,
      rngs=rngs,
    )

    @nnx.split_rngs(splits=config.n_layer)
    @nnx.vmap
    def stacked_blocks(rngs):
      return Block(config, rngs)

    self.blocks = stacked_blocks(rngs)
    self.ln_f = layers.LayerNorm(config.n_embd, bias=config.bias)

  def __call__(self, tokens_BT, key=None):
    """Logits for the token after each position.

    Args:
      tokens_BT: integers [B, T], T at most block_size, values below
        vocab_size.
      key: a PRNG key that switches dropout on; None for evaluation.

    Returns:
      float32 logits [B, T, V].
    """
    B, T = tokens_BT.shape
    M = self.config.n_embd
    stream_key, embedding_key = _keys(key, 2)
    x_BTM = self.wte(tokens_BT) + self.wpe(jnp.arange(T))
    x_PM = dropout(x_BTM.reshape(B * T, M), self.config.dropout, embedding_key)

    graphdef, stacked = nnx.split(self.blocks)

    def block(x_PM, layer):
      params, layer_key = layer
      return nnx.merge(graphdef, params)(x_PM, T, layer_key), None

    depth = self.config.n_layer
    layer_keys = None if key is None else jax.random.split(stream_key, depth)
    stack = (nnx.to_pure_dict(stacked), layer_keys)
    unroll = self.config.unroll or depth
    x_PM, _ = jax.lax.scan(block, x_PM, stack, unroll=unroll)
    logits_PV = self.wte.attend(self.ln_f(x_PM))
    return logits_PV.reshape(B, T, -1).astype(jnp.float32)
