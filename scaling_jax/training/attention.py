"""Causal self-attention on a flat batch, with its backward pass by hand.

Autodiff keeps the scores, their maxima and sums, and the probabilities. By
hand, only the weights before normalization and the output are kept, as in
FlashAttention's backward (arXiv:2205.14135, appendix B) without its tiling: the
contexts here are short.

Everything is laid out with the queries' positions last, the keys' before them.
All but two products are then plain row-by-column ones, and the softmax sums
over rows: both are what a CPU computes small heads fastest with.

Axes: `B` sequences, `T` positions of queries, `S` of keys, `P` = B·T, `M` model
width, `H` heads, `K` = M/H head width.
"""

import functools

import jax
import jax.numpy as jnp


def _by_head(x_PM, T: int, H: int):
  """[P, M] -> [B, H, K, T]."""
  P, M = x_PM.shape
  return x_PM.reshape(P // T, T, H, M // H).transpose(0, 2, 3, 1)


def _by_position(x_BHKT):
  """[B, H, K, T] -> [P, M]."""
  B, H, K, T = x_BHKT.shape
  return x_BHKT.transpose(0, 3, 1, 2).reshape(B * T, H * K)


def _flipped(x_BHKT):
  return x_BHKT.swapaxes(2, 3)


def _split(qkv_PX, T: int, H: int):
  """Splits rows [q | k | v] of width X = 3M into q, k, v [B, H, K, T]."""
  return tuple(_by_head(x_PM, T, H) for x_PM in jnp.split(qkv_PX, 3, axis=1))


def _weights(q_BHKT, k_BHKT):
  """Attention weights before normalization, and their sums, float32.

  Returns:
    [B, H, S, T], at most 1 and 0 where a key lies ahead, and [B, H, 1, T].
  """
  K, T = q_BHKT.shape[-2:]
  scores_BHST = jnp.einsum(
    'bhsk,bhkt->bhst',
    _flipped(k_BHKT),
    q_BHKT * K**-0.5,
    preferred_element_type=jnp.float32,
  )
  past_ST = jnp.triu(jnp.ones((T, T), bool))
  scores_BHST = scores_BHST + jnp.where(past_ST, 0.0, -1e30)
  top_BH1T = jnp.max(scores_BHST, axis=2, keepdims=True)
  # The weights don't depend on it, and neither should their gradient.
  weights_BHST = jnp.exp(scores_BHST - jax.lax.stop_gradient(top_BH1T))
  return weights_BHST, jnp.sum(weights_BHST, axis=2, keepdims=True)


def attend_with(change, qkv_PX, T: int, H: int):
  """Attention whose probabilities pass through `change` (dropout, for example).

  Args:
    change: a function of the probabilities [B, H, S, T].
    qkv_PX: queries, keys and values side by side, [P, 3M].
    T: positions in a sequence; divides P.
    H: heads; divides M.

  Returns:
    [P, M], in the dtype of `qkv_PX`.
  """
  q_BHKT, k_BHKT, v_BHKT = _split(qkv_PX, T, H)
  weights_BHST, total_BH1T = _weights(q_BHKT, k_BHKT)
  prob_BHST = change(weights_BHST / total_BH1T).astype(qkv_PX.dtype)
  return _by_position(jnp.einsum('bhks,bhst->bhkt', v_BHKT, prob_BHST))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def attend(qkv_PX, T: int, H: int):
  """Causal softmax attention: [P, 3M] -> [P, M]; see `attend_with`."""
  return _attend_forward(qkv_PX, T, H)[0]


def _attend_forward(qkv_PX, T: int, H: int):
  q_BHKT, k_BHKT, v_BHKT = _split(qkv_PX, T, H)
  weights_BHST, total_BH1T = _weights(q_BHKT, k_BHKT)
  weights_BHST = weights_BHST.astype(qkv_PX.dtype)
  out_BHKT = jnp.einsum('bhks,bhst->bhkt', v_BHKT, weights_BHST) / total_BH1T
  out_BHKT = out_BHKT.astype(qkv_PX.dtype)
  kept = (q_BHKT, k_BHKT, v_BHKT, weights_BHST, total_BH1T, out_BHKT)
  return _by_position(out_BHKT), kept


def _attend_backward(T: int, H: int, kept, dout_PM):
  q_BHKT, k_BHKT, v_BHKT, weights_BHST, total_BH1T, out_BHKT = kept
  K = q_BHKT.shape[2]
  dout_BHKT = (_by_head(dout_PM, T, H) / total_BH1T).astype(dout_PM.dtype)
  dweights_BHST = jnp.einsum('bhsk,bhkt->bhst', _flipped(v_BHKT), dout_BHKT)
  # The softmax's sum of weights · dweights equals that of out · dout.
  row_BH1T = jnp.sum(out_BHKT * dout_BHKT, axis=2, keepdims=True)
  # The barriers keep XLA from fusing the product with what follows, which is
  # slower on a CPU.
  dweights_BHST = jax.lax.optimization_barrier(dweights_BHST)
  dscore_BHST = jax.lax.optimization_barrier(
    weights_BHST * (dweights_BHST - row_BH1T) * K**-0.5
  )
  dq_BHKT = jnp.einsum('bhks,bhst->bhkt', k_BHKT, dscore_BHST)
  dk_BHKS = jnp.einsum('bhkt,bhst->bhks', q_BHKT, dscore_BHST)
  dv_BHKS = jnp.einsum('bhkt,bhst->bhks', dout_BHKT, weights_BHST)
  parts_PM = [_by_position(x) for x in (dq_BHKT, dk_BHKS, dv_BHKS)]
  return (jnp.concatenate(parts_PM, axis=1),)


attend.defvjp(_attend_forward, _attend_backward)
