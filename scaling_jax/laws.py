"""The laws in closed form: loss, iso-curves, what a budget is best spent on.

N is parameters, D tokens, C = 6 N D FLOPs, L loss in nats per token (or in
whatever unit a law was fitted). Numbers and NumPy arrays go in and come out;
arrays broadcast. Nothing here reads, writes or fits.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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

  def optimum(self, C: Number) -> Optimum:
    """N = G (C/6)^exponent_N, D = (C/6)^exponent_D / G (eq. 4)."""
    C = _floats(C)
    N = self.G * (C / 6) ** self.exponent_N
    D = (C / 6) ** self.exponent_D / self.G
    return Optimum(C, N, D, self.loss(N, D))

  def for_tokens(self, D: Number) -> Optimum:
    """The compute that is best spent on D tokens: eq. 4 solved for C."""
    C = 6 * (_floats(D) * self.G) ** (1 / self.exponent_D)
    return self.optimum(C)

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


# Hoffmann et al. 2022 (arXiv 2203.15556), eq. 10: approach 3 as published.
HOFFMANN = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)

# Besiroglu et al. 2024 (arXiv 2404.10102): figure 4 of the same, fitted again.
BESIROGLU = Chinchilla(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)

# Kaplan et al. 2020 (arXiv 2001.08361), table 2: L(N, D) fitted jointly.
KAPLAN = Kaplan(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103)

# The same, table 5 and section 1.2: one quantity at a time, L = (x_c / x)^a.
KAPLAN_L_N = PowerLaw(8.8e13**0.076, -0.076)  # x: non-embedding parameters
KAPLAN_L_D = PowerLaw(5.4e13**0.095, -0.095)  # x: tokens
KAPLAN_L_C = PowerLaw(1.6e7**0.057, -0.057)  # x: PF-days at a fixed batch size
KAPLAN_L_CMIN = PowerLaw(3.1e8**0.050, -0.050)  # x: PF-days, C_min

# The same, table 6: parameters from C_min in PF-days.
KAPLAN_N_OPT = PowerLaw(1.3e9, 0.73)

# The same, table 3, and section 5.1: the critical batch in tokens.
KAPLAN_L_NS = KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
KAPLAN_BATCH = CriticalBatch(B_star=2.1e8, alpha_B=0.21)

# The same, section 4.2, eq. 4.4: tokens for N parameters without overfitting.
KAPLAN_TOKENS = PowerLaw(5e3, 0.74)
