"""The laws in closed form: loss, iso-curves, what a budget is best spent on.

N is parameters, D tokens, C = 6 N D FLOPs, L loss in nats per token (or in
whatever unit a law was fitted). Numbers and NumPy arrays go in and come out;
arrays broadcast. Nothing here reads, writes or fits.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scaling_jax.costs import SIX_ND
from scaling_jax.costs import Cost
from scaling_jax.costs import CostCurve
from scaling_jax.costs import CostLine
from scaling_jax.costs import falling_root

__all__ = (
  'FLOPS_PER_PF_DAY', 'SIX_ND', 'Chinchilla', 'Cost', 'CostCurve', 'CostLine',
  'CriticalBatch', 'Interacting', 'Kaplan', 'KaplanSteps', 'Number', 'Optimum',
  'PowerLaw', 'alpha_C_min',
)  # fmt: skip

FLOPS_PER_PF_DAY = 1e15 * 86_400  # 8.64e19

Number = float | npt.NDArray[np.float64]


class Optimum(NamedTuple):
  """The best use of C FLOPs: N parameters, D tokens, and the loss L."""

  C: Number
  N: Number
  D: Number
  L: Number

  @property
  def tokens_per_param(self) -> Number:
    return self.D / self.N


class PowerLaw(NamedTuple):
  """y = coefficient · x^exponent."""

  coefficient: float
  exponent: float

  def __call__(self, x: Number) -> Number:
    return self.coefficient * _floats(x) ** self.exponent

  def inverse(self, y: Number) -> Number:
    """The x at which it is y."""
    return (_floats(y) / self.coefficient) ** (1 / self.exponent)


class Chinchilla(NamedTuple):
  """L(N, D) = E + A / N^alpha + B / D^beta (Hoffmann et al. 2022, eq. 2).

  Attributes:
    E: the loss that no model and no data set gets below.
    A: the numerator of the model's share.
    B: the numerator of the data's share.
    alpha: the model's exponent.
    beta: the data's exponent.
  """

  E: float
  A: float
  B: float
  alpha: float
  beta: float

  @property
  def exponent_N(self) -> float:
    """a in N_opt ∝ C^a: beta / (alpha + beta)."""
    return self.beta / (self.alpha + self.beta)

  @property
  def exponent_D(self) -> float:
    """b in D_opt ∝ C^b: alpha / (alpha + beta)."""
    return self.alpha / (self.alpha + self.beta)

  @property
  def G(self) -> float:
    """(alpha A / (beta B))^(1 / (alpha + beta)), eq. 4's constant."""
    ratio = self.alpha * self.A / (self.beta * self.B)
    return ratio ** (1 / (self.alpha + self.beta))

  def loss(self, N: Number, D: Number) -> Number:
    N, D = _floats(N), _floats(D)
    return self.E + self.A * N**-self.alpha + self.B * D**-self.beta

  def exponent_along(self, slope: float) -> Number:
    """a in N_opt ∝ C^a along a cost line of a slope; exponent_N at -1."""
    return self.beta / (self.alpha - self.beta * slope)

  def log_N_opt(self, at_zero: Number, slope: float = -1.0) -> Number:
    """log N of the least loss along log D = slope · log N + at_zero.

    There alpha A N^-alpha = -slope beta B D^-beta. nan where a share rises.
    """
    with np.errstate(divide='ignore', invalid='ignore'):
      # By sums of logarithms: a draw's A or B may be near the largest float.
      log_ratio = (
        np.log(-slope * self.beta)
        + np.log(self.B)
        - np.log(self.alpha)
        - np.log(self.A)
      )
      return (log_ratio - self.beta * at_zero) / (
        self.beta * slope - self.alpha
      )

  def exponent_at(self, C: Number, cost: Cost = SIX_ND) -> Number:
    """a = d log N_opt / d log C at C; `exponent_along` a straight cost."""
    if isinstance(cost, CostLine):
      return self.exponent_along(cost.slope)
    t, bend = cost.growth(np.log(self.optimum(C, cost).N))
    return self.beta / (self.alpha + self.beta * t + bend / t)

  def optimum(self, C: Number, cost: Cost = SIX_ND) -> Optimum:
    """The least loss for C FLOPs, as the cost has it.

    Along a curved cost it is solved for; with C = 6 N D that is N = G (C/6)^exponent_N and D = (C/6)^exponent_D / G
    (eq. 4).

    >>> law = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> C, N, D, L = law.optimum(5.76e23)
    >>> print(f'N {N:.3g}, D {D:.3g}, L {L:.4f}')
    N 3.22e+10, D 2.98e+12, L 1.9307
    """
    C = _floats(C)
    if isinstance(cost, CostCurve):
      log_N = self._along(cost, log_C=np.log(C))
      N = np.exp(log_N)
      D = np.exp(np.log(C) - log_N - cost.log_k(log_N))
      return Optimum(C, N, D, self.loss(N, D))
    at_zero = np.log(C) + cost.intercept
    log_N = self.log_N_opt(at_zero, cost.slope)
    N, D = np.exp(log_N), np.exp(cost.slope * log_N + at_zero)
    return Optimum(C, N, D, self.loss(N, D))

  def for_tokens(self, D: Number, cost: Cost = SIX_ND) -> Optimum:
    """The compute that is best spent on D tokens: `optimum` solved for C.

    nan where a law wants no more tokens with more compute.
    """
    D = _floats(D)
    if isinstance(cost, CostCurve):
      log_N = self._along(cost, log_D=np.log(D))
      t, bend = cost.growth(log_N)
      wants_more = self.alpha + bend / t > 0
      log_N = np.where(wants_more, log_N, np.nan)[()]
      C, N = cost.flops(np.exp(log_N), D), np.exp(log_N)
      return Optimum(C, N, D, self.loss(N, D))
    growth = 1 + cost.slope * self.exponent_along(cost.slope)  # of D_opt in C
    growth = np.where(growth > 0, growth, np.nan)
    at_one = self.log_N_opt(cost.intercept, cost.slope)
    log_C = (np.log(D) - cost.slope * at_one - cost.intercept) / growth
    N = np.exp(self.log_N_opt(cost.intercept + log_C, cost.slope))
    return Optimum(np.exp(log_C), N, D, self.loss(N, D))

  def _along(
    self, cost: CostCurve, log_C: Number = 0.0, log_D: Number | None = None
  ) -> Number:
    """log N of the least loss along a curve, for one of C and D.

    There alpha A N^-alpha = t beta B D^-beta, with t = d log C / d log N: the
    logarithm of the ratio of both sides, which falls with N, is zero.
    """
    with np.errstate(all='ignore'):
      ratio = np.log(self.alpha) + np.log(self.A)
      ratio = ratio - np.log(self.beta) - np.log(self.B)

    def apart(log_N: Number) -> tuple[Number, Number]:
      t, bend = cost.growth(log_N)
      D = log_C - log_N - cost.log_k(log_N) if log_D is None else log_D
      along = t if log_D is None else 0.0
      value = ratio - self.alpha * log_N + self.beta * D - np.log(t)
      return value, -self.alpha - self.beta * along - bend / t

    return falling_root(apart, cost.center)

  def iso_flop(self, C: Number, N: Number) -> Number:
    """The loss of N parameters trained with C FLOPs, on C / (6 N) tokens."""
    return self.loss(N, _floats(C) / (6 * _floats(N)))

  def iso_loss(self, L: Number, N: Number) -> Number:
    """The tokens that N parameters need to reach L; inf where none suffice."""
    left = _floats(L) - self.E - self.A * _floats(N) ** -self.alpha
    with np.errstate(divide='ignore', invalid='ignore'):
      D = (self.B / left) ** (1 / self.beta)
    return np.where(left > 0, D, np.inf)[()]

  def compute_for_loss(self, L: float) -> Optimum:
    """The least compute that reaches L; C is inf at L <= E.

    At the optimum alpha A N^-alpha = beta B D^-beta, so that the model's share
    of L - E is beta / (alpha + beta).
    """
    if L <= self.E:
      return Optimum(np.inf, np.inf, np.inf, L)
    N = (self.A / (self.exponent_N * (L - self.E))) ** (1 / self.alpha)
    D = (self.B / (self.exponent_D * (L - self.E))) ** (1 / self.beta)
    return Optimum(6 * N * D, N, D, L)


class Interacting(NamedTuple):
  """L(N, D) = E + [(A / N^alpha)^(1/k) + (B / D^beta)^(1/k)]^k.

  At k = 1 it is Chinchilla's law, below it the larger of the two terms weighs
  more than their sum would have it. Kaplan et al. 2020, eq. 1.5, is E = 0 and
  k = alpha_D = beta. Of the optimum along a cost line only the loss depends on
  k but for a constant: the exponents are Chinchilla's.

  Attributes:
    E: the loss that no model and no data set gets below.
    A: the numerator of the model's share.
    B: the numerator of the data's share.
    alpha: the model's exponent.
    beta: the data's exponent.
    k: how the two shares add up; positive.
  """

  E: float
  A: float
  B: float
  alpha: float
  beta: float
  k: float

  @property
  def _sum(self) -> Chinchilla:
    """What is raised to the power k, as a law without a floor."""
    k = self.k
    return Chinchilla(
      0.0, self.A ** (1 / k), self.B ** (1 / k), self.alpha / k, self.beta / k
    )

  @property
  def exponent_N(self) -> float:
    """a in N_opt ∝ C^a: Chinchilla's, whatever k is."""
    return self._sum.exponent_N

  @property
  def exponent_D(self) -> float:
    """b in D_opt ∝ C^b: Chinchilla's, whatever k is."""
    return self._sum.exponent_D

  def loss(self, N: Number, D: Number) -> Number:
    return self.E + self._sum.loss(N, D) ** self.k

  def optimum(self, C: Number, cost: Cost = SIX_ND) -> Optimum:
    """The least loss for C FLOPs, as the cost has it.

    The sum inside is least where its power is: Chinchilla's optimum of
    A^(1/k), B^(1/k), alpha / k and beta / k.

    >>> law = Interacting(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28, k=1)
    >>> C, N, D, L = law.optimum(5.76e23)
    >>> print(f'N {N:.3g}, D {D:.3g}, L {L:.4f}')
    N 3.22e+10, D 2.98e+12, L 1.9307
    """
    C, N, D, _ = self._sum.optimum(C, cost)
    return Optimum(C, N, D, self.loss(N, D))

  def for_tokens(self, D: Number, cost: Cost = SIX_ND) -> Optimum:
    """The compute that is best spent on D tokens: `optimum` solved for C."""
    C, N, D, _ = self._sum.for_tokens(D, cost)
    return Optimum(C, N, D, self.loss(N, D))

  def iso_flop(self, C: Number, N: Number) -> Number:
    """The loss of N parameters trained with C FLOPs, on C / (6 N) tokens."""
    return self.loss(N, _floats(C) / (6 * _floats(N)))

  def iso_loss(self, L: Number, N: Number) -> Number:
    """The tokens that N parameters need to reach L; inf where none suffice."""
    left = np.maximum(_floats(L) - self.E, 0.0)
    return self._sum.iso_loss(left ** (1 / self.k), N)

  def compute_for_loss(self, L: float) -> Optimum:
    """The least compute that reaches L; C is inf at L <= E."""
    if L <= self.E:
      return Optimum(np.inf, np.inf, np.inf, L)
    found = self._sum.compute_for_loss((L - self.E) ** (1 / self.k))
    return found._replace(L=L)


class Kaplan(NamedTuple):
  """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D (Kaplan 2020, 1.5).

  It has no irreducible term, and neither share is a maximum.

  Attributes:
    N_c: non-embedding parameters.
    D_c: tokens.
    alpha_N: the model's exponent.
    alpha_D: the data's exponent.
  """

  N_c: float
  D_c: float
  alpha_N: float
  alpha_D: float

  def loss(self, N: Number, D: Number) -> Number:
    model = (self.N_c / _floats(N)) ** (self.alpha_N / self.alpha_D)
    return (model + self.D_c / _floats(D)) ** self.alpha_D

  def optimum(self, C: Number) -> Optimum:
    """Minimizes `loss` over N with D = C / (6 N).

    With k = alpha_N / alpha_D it is N = (k N_c^k C / (6 D_c))^(1 / (1 + k)).
    Kaplan's own N_opt ∝ C^0.73 comes from L(N, S_min): see KAPLAN_N_OPT.
    """
    C, k = _floats(C), self.alpha_N / self.alpha_D
    N = (k * self.N_c**k * C / (6 * self.D_c)) ** (1 / (1 + k))
    D = C / (6 * N)
    return Optimum(C, N, D, self.loss(N, D))

  def compute_for_loss(self, L: float) -> Optimum:
    """The least compute that reaches L, a positive loss.

    At the optimum D_c/D = k (N_c/N)^k, with k = alpha_N / alpha_D, so that the
    model's share of L^(1/alpha_D) is 1 / (1 + k).
    """
    k = self.alpha_N / self.alpha_D
    model = L ** (1 / self.alpha_D) / (1 + k)
    N = self.N_c * model ** (-1 / k)
    D = self.D_c / (k * model)
    return Optimum(6 * N * D, N, D, L)


class KaplanSteps(NamedTuple):
  """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S (Kaplan 2020, 5.6).

  Attributes:
    N_c: non-embedding parameters.
    S_c: steps.
    alpha_N: the model's exponent.
    alpha_S: the steps' exponent.
  """

  N_c: float
  S_c: float
  alpha_N: float
  alpha_S: float

  def loss(self, N: Number, S_min: Number) -> Number:
    model = (self.N_c / _floats(N)) ** self.alpha_N
    return model + (self.S_c / _floats(S_min)) ** self.alpha_S


class CriticalBatch(NamedTuple):
  """B_crit(L) = B_star / L^(1/alpha_B), in tokens (Kaplan 2020, eq. 5.3).

  A run with B tokens a step reaches a loss L in S steps on E = B S tokens that
  obey (S/S_min - 1)(E/E_min - 1) = 1, where B_crit = E_min / S_min (McCandlish
  et al. 2018, arXiv 1812.06162, eq. 2.11).

  Attributes:
    B_star: tokens.
    alpha_B: the exponent.
  """

  B_star: float
  alpha_B: float

  def tokens(self, L: Number) -> Number:
    """B_crit at the loss L."""
    return self.B_star * _floats(L) ** (-1 / self.alpha_B)

  def S_min(self, S: Number, B: Number, L: Number) -> Number:
    """The steps that batches far above B_crit would need: S/(1 + B_crit/B)."""
    return _floats(S) / (1 + self.tokens(L) / _floats(B))

  def C_min(self, C: Number, B: Number, L: Number) -> Number:
    """The FLOPs that batches far below would need: C/(1 + B/B_crit)."""
    return _floats(C) / (1 + _floats(B) / self.tokens(L))


def alpha_C_min(alpha_S: Number, alpha_B: Number, alpha_N: Number) -> Number:
  """1/(1/alpha_S + 1/alpha_B + 1/alpha_N) (Kaplan 2020, eq. 6.4).

  The exponent that L(C_min) must have where L(N, S_min) is spent best at the
  critical batch size.
  """
  return 1 / (
    1 / _floats(alpha_S) + 1 / _floats(alpha_B) + 1 / _floats(alpha_N)
  )


def _floats(x: Number) -> Number:
  # Integers of 2^63 and beyond are common here, and NumPy's would overflow.
  return np.asarray(x, np.float64)[()]
