"""A GPT's small layers, their backward passes by hand where that is faster.

Against flax.nnx's own Linear and LayerNorm and jax.nn.gelu these save a tenth
of a step on a CPU: `docs/log.md` has the measurements.

Axes: `P` positions of a whole batch, `I` inputs, `O` outputs, `M` width.
"""

import math

from flax import nnx
import jax
import jax.numpy as jnp

LAYER_NORM_EPSILON = 1e-5  # GPT-2's; Flax's default is 1e-6


@jax.custom_vjp
def matmul(x_PI, w_IO):
  """x @ w, whose weight gradient is formed the way the CPU likes."""
  return x_PI @ w_IO


def _matmul_forward(x_PI, w_IO):
  return x_PI @ w_IO, (x_PI, w_IO)


def _matmul_backward(kept, dy_PO):
  x_PI, w_IO = kept
  if w_IO.shape[0] <= w_IO.shape[1]:
    dw_IO = x_PI.T @ dy_PO
  else:
    # A tall product takes twice as long as a wide one. The barrier keeps XLA
    # from turning this back into the tall one.
    dw_IO = jax.lax.optimization_barrier(dy_PO.T @ x_PI).T
  return dy_PO @ w_IO.T, dw_IO


matmul.defvjp(_matmul_forward, _matmul_backward)


@jax.custom_vjp
def layer_norm(x_PM, scale_M):
  """(x - mean) / sqrt(variance + 1e-5) · scale, in float32."""
  return _layer_norm_forward(x_PM, scale_M)[0]


def _normalize(x_PM, mean_P1, rstd_P1):
  return (x_PM.astype(jnp.float32) - mean_P1) * rstd_P1


def _layer_norm_forward(x_PM, scale_M):
  x = x_PM.astype(jnp.float32)
  mean_P1 = jnp.mean(x, axis=-1, keepdims=True)
  square_P1 = jnp.mean(x * x, axis=-1, keepdims=True)
  variance_P1 = jnp.maximum(square_P1 - mean_P1 * mean_P1, 0.0)
  rstd_P1 = jax.lax.rsqrt(variance_P1 + LAYER_NORM_EPSILON)
  y_PM = _normalize(x_PM, mean_P1, rstd_P1) * scale_M
  return y_PM.astype(x_PM.dtype), (x_PM, mean_P1, rstd_P1, scale_M)


def _layer_norm_backward(kept, dy_PM):
  x_PM, mean_P1, rstd_P1, scale_M = kept
  normal_PM = _normalize(x_PM, mean_P1, rstd_P1)
  dy = dy_PM.astype(jnp.float32)
  scaled_PM = dy * scale_M
  mean_1 = jnp.mean(scaled_PM, axis=-1, keepdims=True)
  mean_2 = jnp.mean(scaled_PM * normal_PM, axis=-1, keepdims=True)
  dx_PM = (scaled_PM - mean_1 - normal_PM * mean_2) * rstd_P1
  return dx_PM.astype(x_PM.dtype), jnp.sum(dy * normal_PM, axis=0)


layer_norm.defvjp(_layer_norm_forward, _layer_norm_backward)


@jax.custom_vjp
def gelu(x):
  """x Φ(x), exactly; by erf, which is faster here than jax.nn's erfc."""
  return _gelu_forward(x)[0]


def _gelu_forward(x):
  return 0.5 * x * (1.0 + jax.lax.erf(x * 0.5**0.5)), x


def _gelu_backward(x, dy):
  # erf is odd. Written with the other sign it is computed again in one pass
  # with all the rest, where XLA would keep the forward pass's.
  cdf = 0.5 - 0.5 * jax.lax.erf(x * -(0.5**0.5))
  density = (2 * math.pi) ** -0.5 * jnp.exp(-0.5 * x * x)
  return (dy * (cdf + x * density),)


gelu.defvjp(_gelu_forward, _gelu_backward)


class Linear(nnx.Module):
  """x @ kernel + bias on flat rows; float32 parameters, computed in `dtype`."""

  def __init__(
    self,
    n_in: int,
    n_out: int,
    *,
    std: float,
    bias: bool,
    dtype,
    rngs: nnx.Rngs,
  ):
    shape = (n_in, n_out)
    self.kernel = nnx.Param(std * jax.random.normal(rngs.params(), shape))
    self.bias = nnx.Param(jnp.zeros(n_out)) if bias else None
    self.dtype = dtype

  def __call__(self, x_PI):
    y_PO = matmul(x_PI.astype(self.dtype), self.kernel[...].astype(self.dtype))
    if self.bias is None:
      return y_PO
    return y_PO + self.bias[...].astype(self.dtype)


class LayerNorm(nnx.Module):
  """layer_norm with its parameters; the bias may be omitted."""

  def __init__(self, n_embd: int, *, bias: bool):
    self.scale = nnx.Param(jnp.ones(n_embd))
    self.bias = nnx.Param(jnp.zeros(n_embd)) if bias else None

  def __call__(self, x_PM):
    y_PM = layer_norm(x_PM, self.scale[...])
    if self.bias is None:
      return y_PM
    return y_PM + self.bias[...].astype(y_PM.dtype)
