"""Approach 3's form and two wider ones, as functions of logarithms.

Parameters are those of `chinchilla_data`: a = log A', b = log B', e = log E,
alpha, beta, with log N and log D measured from a center, so that A' and B' are
the two terms there; and one more where a form has it.
"""

from collections.abc import Callable
import dataclasses
from typing import Any

import numpy as np

from scaling_jax.analysis.fitting.chinchilla_data import log_sum

BOUND = 3.0  # of log k

Curve = Callable[[Any, np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Form:
  """A form of log L.

  Attributes:
    name: 'chinchilla', 'interaction' or 'exponent'.
    n_params: five or six.
    log_loss: (params, n, d) -> log L; params [P], or [P, ..., 1] for many at
      once, n and d from the center.
    jacobian: (params [P], n [k], d [k]) -> [k, P] of log L.

  >>> at = np.array([-1.0, -1.0, 0.5, 0.3, 0.3, 0.0])
  >>> n, d = np.array([0.0, 1.0]), np.array([0.0, 2.0])
  >>> wide, plain = (f.log_loss(at, n, d) for f in (EXPONENT, INTERACTION))
  >>> bool(np.allclose(wide, plain)), bool(
  ...   np.allclose(wide, CHINCHILLA.log_loss(at[:5], n, d)))
  (True, True)
  """

  name: str
  n_params: int
  log_loss: Curve
  jacobian: Curve

  def extra(self, params: np.ndarray) -> float:
    """k of the interaction form, g of the exponent form; nan of neither."""
    if self.n_params < 6:
      return float('nan')
    sixth = params[5]
    return float(np.exp(sixth) if self.name == 'interaction' else sixth)


def _chinchilla(params, n, d):
  return _exponent((*params[:5], 0.0), n, d)


def _chinchilla_jacobian(params, n, d):
  return _exponent_jacobian((*params[:5], 0.0), n, d)[:, :5]


def _interaction(params, n, d):
  """[(A/N^alpha)^(1/k) + (B/D^beta)^(1/k)]^k for the two terms; log k."""
  a, b, e, alpha, beta, log_k = params
  k = np.exp(np.clip(log_k, -BOUND, BOUND))
  terms = k * np.logaddexp((a - alpha * n) / k, (b - beta * d) / k)
  return np.logaddexp(e, terms)


def _interaction_jacobian(params, n, d):
  a, b, e, alpha, beta, log_k = params
  k = np.exp(np.clip(log_k, -BOUND, BOUND))
  model, text = (a - alpha * n) / k, (b - beta * d) / k
  both = np.logaddexp(model, text)
  above = 1 / (1 + np.exp(e - k * both))  # the terms' share of L
  m, t = np.exp(model - both), np.exp(text - both)
  by_log_k = above * k * (both - m * model - t * text)
  return np.stack(
    [above * m, above * t, 1 - above, -above * m * n, -above * t * d, by_log_k],
    axis=-1,
  )  # fmt: skip


def _exponent(params, n, d):
  """B / D^(beta + g log N) for the data's term; g."""
  a, b, e, alpha, beta, g = params
  terms = np.logaddexp(a - alpha * n, b - (beta + g * n) * d)
  return np.logaddexp(e, terms)


def _exponent_jacobian(params, n, d):
  a, b, e, alpha, beta, g = params
  terms = np.stack([a - alpha * n, b - (beta + g * n) * d, e + 0 * n])
  m, t, f = np.exp(terms - log_sum(terms, 0))
  return np.stack([m, t, f, -m * n, -t * d, -t * n * d], -1)


CHINCHILLA = Form('chinchilla', 5, _chinchilla, _chinchilla_jacobian)
INTERACTION = Form('interaction', 6, _interaction, _interaction_jacobian)
EXPONENT = Form('exponent', 6, _exponent, _exponent_jacobian)
WIDER = (INTERACTION, EXPONENT)
ALL = (CHINCHILLA, *WIDER)
