"""Kaplan's two laws of two quantities, as functions of what is fitted.

log N and the other logarithm, log x, are measured from their means, and four
parameters a, b, alpha, beta stand for a law:

  ND   L = [e^a N^(-alpha/beta) + e^b / D]^beta
  NS   L = e^a N^-alpha + e^b S^-beta
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from scaling_jax import laws

MILLI = 1e3  # residuals are thousandths of a nat

Law = Any  # laws.Kaplan or laws.KaplanSteps, of numbers or of arrays
# The loss [B, n], its derivatives [B, n, 4], and c [B, n] -> [B, 4, 4], the sum
# over n of c times its second derivatives.
Derivatives = tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]


class Form(NamedTuple):
  """One of the two laws.

  Attributes:
    name: 'ND' or 'NS'.
    other: names the quantity beside N.
    kind: the law in closed form.
    loss: (params, log_N, log_x, xp) -> [n]; xp is as NumPy.
    residuals: (params, data) -> [n], for `multistart`.
    power: beta -> the exponent of L that is linear in e^a and e^b.
    slopes: (alpha, beta) -> of log N and log x in the two terms.
    law: (params, center) -> the law; center is (mean log N, mean log x).
    to_logs, to_params: params [..., 4] to the logs of the loss that each term
      alone would leave at the center, and the exponents; and back.
    derivatives: (those [B, 4], log_N, log_x) -> of the loss.
  """

  name: str
  other: str
  kind: type[Law]
  loss: Callable[..., Any]
  residuals: Callable[..., Any]
  power: Callable[[np.ndarray], np.ndarray]
  slopes: Callable[..., tuple[np.ndarray, np.ndarray]]
  law: Callable[..., Any]
  to_logs: Callable[[np.ndarray], np.ndarray]
  to_params: Callable[[np.ndarray], np.ndarray]
  derivatives: Callable[..., Derivatives]


def _loss_ND(params, log_N, log_x, xp):
  a, b, alpha, beta = params
  return xp.exp(beta * xp.logaddexp(a - alpha / beta * log_N, b - log_x))


def residuals_ND(params, data):
  """Thousandths of L̂ - L [n] of data log_N, log_x and L."""
  fitted = _loss_ND(params, data['log_N'], data['log_x'], jnp)
  return MILLI * (fitted - data['L'])


def _law_ND(params, center) -> laws.Kaplan:
  a, b, alpha, beta = params
  return laws.Kaplan(
    np.exp(a * beta / alpha + center[0])[()],
    np.exp(b + center[1])[()],
    alpha,
    beta,
  )


def _loss_NS(params, log_N, log_x, xp):
  a, b, alpha, beta = params
  return xp.exp(a - alpha * log_N) + xp.exp(b - beta * log_x)


def residuals_NS(params, data):
  """Thousandths of L̂ - L [n] of data log_N, log_x and L."""
  fitted = _loss_NS(params, data['log_N'], data['log_x'], jnp)
  return MILLI * (fitted - data['L'])


def _law_NS(params, center) -> laws.KaplanSteps:
  a, b, alpha, beta = params
  return laws.KaplanSteps(
    np.exp(a / alpha + center[0])[()],
    np.exp(b / beta + center[1])[()],
    alpha,
    beta,
  )


def _scaled_ND(params: np.ndarray, by: np.ndarray) -> np.ndarray:
  return np.concatenate([params[..., :2] * by, params[..., 2:]], axis=-1)


def _derivatives_ND(logs: np.ndarray, log_N, log_x) -> Derivatives:
  """Of exp(y), y = beta log(e^(y1/beta) + e^(y2/beta)).

  y1 = A - alpha log N and y2 = B - beta log D are the logs of the loss that the
  model and the text alone would leave.
  """
  A, B, alpha, beta = (column[:, None] for column in logs.T)
  y1, y2 = A - alpha * log_N, B - beta * log_x
  apart = (y1 - y2) / beta
  size = np.abs(apart)
  smaller = np.exp(-size) / (1 + np.exp(-size))
  p, q = np.where(apart > 0, (1 - smaller, smaller), (smaller, 1 - smaller))
  mixed = np.log1p(np.exp(-size))
  L = np.exp(np.maximum(y1, y2) + beta * mixed)
  one = np.ones_like(L)
  slope = np.stack(
    [p, q, -p * log_N, mixed + size * smaller - q * log_x], axis=-1
  )
  twist = np.stack([one, -one, -one * log_N, log_x - apart], axis=-1)

  def curvature(c: np.ndarray) -> np.ndarray:
    return _outer(slope, c * L) + _outer(twist, c * L * p * q / beta)

  return L, L[..., None] * slope, curvature


def _derivatives_NS(logs: np.ndarray, log_N, log_x) -> Derivatives:
  A, B, alpha, beta = (column[:, None] for column in logs.T)
  model, steps = np.exp(A - alpha * log_N), np.exp(B - beta * log_x)
  one, none = np.ones_like(model), np.zeros_like(model)
  of_model = np.stack([one, none, -one * log_N, none], axis=-1)
  of_steps = np.stack([none, one, none, -one * log_x], axis=-1)

  def curvature(c: np.ndarray) -> np.ndarray:
    return _outer(of_model, c * model) + _outer(of_steps, c * steps)

  return (
    model + steps,
    model[..., None] * of_model + steps[..., None] * of_steps,
    curvature,
  )


def _outer(vectors: np.ndarray, c: np.ndarray) -> np.ndarray:
  """[B, P, P], the sum over n of c [B, n] times v v' of vectors [B, n, P]."""
  return (np.swapaxes(vectors, -1, -2) * c[:, None]) @ vectors


ND = Form(
  name='ND',
  other='D',
  kind=laws.Kaplan,
  loss=_loss_ND,
  residuals=residuals_ND,
  power=lambda beta: 1 / beta,
  slopes=lambda alpha, beta: (alpha / beta, np.ones_like(beta)),
  law=_law_ND,
  to_logs=lambda params: _scaled_ND(params, params[..., 3:]),
  to_params=lambda logs: _scaled_ND(logs, 1 / logs[..., 3:]),
  derivatives=_derivatives_ND,
)
NS = Form(
  name='NS',
  other='S_min',
  kind=laws.KaplanSteps,
  loss=_loss_NS,
  residuals=residuals_NS,
  power=lambda beta: np.ones_like(beta),
  slopes=lambda alpha, beta: (alpha, beta),
  law=_law_NS,
  to_logs=lambda params: params,
  to_params=lambda logs: logs,
  derivatives=_derivatives_NS,
)
FORMS = {form.name: form for form in (ND, NS)}
