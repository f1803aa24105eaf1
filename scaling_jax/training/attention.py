"""Causal self-attention on a flat batch, with its backward pass by hand.

Autodiff keeps the scores, their maxima and sums, and the probabilities. By
hand, only the probabilities and the output are kept, as in FlashAttention's
backward (arXiv:2205.14135, appendix B) without its tiling: the contexts here
are short.

Axes: `B` sequences, `T` positions, `P` = B·T, `M` model width, `H` heads,
`K` = M/H head width.
"""

import functools

import jax
import jax.numpy as jnp


def _heads(qkv_PX, T: int, H: int):
  """Splits rows [q | k | v] of width X = 3M into q, k, v [B, H, T, K]."""
  P, X = qkv_PX.shape
  qkv_3BHTK = qkv_PX.reshape(P // T, T, 3, H, X // 3 // H).transpose(
    2, 0, 3, 1, 4
  )
  return qkv_3BHTK[0], qkv_3BHTK[1], qkv_3BHTK[2]


def _merge(x_BHTK):
  B, H, T, K = x_BHTK.shape
  return x_BHTK.transpose(0, 2, 1, 3).reshape(B * T, H * K)


def probabilities(q_BHTK, k_BHTK):
  """Attention weights, float32 [B, H, T, T]; each row sums to one."""
  T, K = q_BHTK.shape[-2:]
  scores_BHTT = jnp.einsum(
    'bhtk,bhsk->bhts',
    q_BHTK * K**-0.5,
    k_BHTK,
    preferred_element_type=jnp.float32,
  )
  past_TT = jnp.tril(jnp.ones((T, T), bool))
  return jax.nn.softmax(scores_BHTT + jnp.where(past_TT, 0.0, -1e30), axis=-1)


def attend_with(change, qkv_PX, T: int, H: int):
  """Attention whose probabilities pass through `change` (dropout, say).

  Args:
    change: a function of the probabilities [B, H, T, T].
    qkv_PX: queries, keys and values side by side, [P, 3M].
    T: positions in a sequence; divides P.
    H: heads; divides M.

  Returns:
    [P, M], in the dtype of `qkv_PX`.
  """
  q_BHTK, k_BHTK, v_BHTK = _heads(qkv_PX, T, H)
  prob_BHTT = change(probabilities(q_BHTK, k_BHTK)).astype(qkv_PX.dtype)
  return _merge(jnp.einsum('bhts,bhsk->bhtk', prob_BHTT, v_BHTK))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def attend(qkv_PX, T: int, H: int):
  """Causal softmax attention: [P, 3M] -> [P, M]; see `attend_with`."""
  return _attend_forward(qkv_PX, T, H)[0]


def _attend_forward(qkv_PX, T: int, H: int):
  q_BHTK, k_BHTK, v_BHTK = _heads(qkv_PX, T, H)
  prob_BHTT = probabilities(q_BHTK, k_BHTK).astype(qkv_PX.dtype)
  out_BHTK = jnp.einsum('bhts,bhsk->bhtk', prob_BHTT, v_BHTK)
  return _merge(out_BHTK), (qkv_PX, prob_BHTT, out_BHTK)


def _attend_backward(T: int, H: int, kept, dout_PM):
  qkv_PX, prob_BHTT, out_BHTK = kept
  q_BHTK, k_BHTK, v_BHTK = _heads(qkv_PX, T, H)
  B, _, _, K = q_BHTK.shape
  dout_BTHK = dout_PM.reshape(B, T, H, K)
  dout_BHTK = dout_BTHK.transpose(0, 2, 1, 3)
  dprob_BHTT = jnp.einsum('bhtk,bhsk->bhts', dout_BHTK, v_BHTK)
  # The softmax's row sum of prob · dprob equals that of out · dout.
  row_BHT1 = jnp.sum(out_BHTK * dout_BHTK, axis=-1, keepdims=True)
  dscore_BHTT = prob_BHTT * (dprob_BHTT - row_BHT1) * K**-0.5
  dq_BHTK = jnp.einsum('bhts,bhsk->bhtk', dscore_BHTT, k_BHTK)
  # Sums over t, with t last on the left: the order that batched products of
  # small matrices are fast in.
  q_BHKT = q_BHTK.transpose(0, 1, 3, 2)
  dk_BHKT = jnp.einsum('bhkt,bhts->bhks', q_BHKT, dscore_BHTT)
  dout_BHKT = dout_BTHK.transpose(0, 2, 3, 1)
  dv_BHKT = jnp.einsum('bhkt,bhts->bhks', dout_BHKT, prob_BHTT)
  dqkv_BT3HK = jnp.stack(
    [
      dq_BHTK.transpose(0, 2, 1, 3),
      dk_BHKT.transpose(0, 3, 1, 2),
      dv_BHKT.transpose(0, 3, 1, 2),
    ],
    axis=2,
  )
  return (dqkv_BT3HK.reshape(qkv_PX.shape),)


attend.defvjp(_attend_forward, _attend_backward)
