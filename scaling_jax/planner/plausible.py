"""Laws that might be true of runs which nobody has trained yet.

Without a law of one's own: exponents, the loss that training can still take
off, and the best tokens a parameter, each over the range that studies have
shown. Scale does not matter to what a design resolves: a law is stated by its
optimum in the middle of the design, where the loss is 1.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from scaling_jax import laws as laws_lib
from scaling_jax.analysis import simulate
from scaling_jax.errors import UserError
from scaling_jax.planner import known

# alpha and beta: Hoffmann et al. 0.34 and 0.28, Besiroglu et al. 0.35 and 0.37,
# this project's quickstart 0.42 and 0.56 (`launch.py --config=configs/quickstart.py`).
EXPONENTS = (0.25, 0.6)
# 1 - E/L at the optimum: Besiroglu's law 0.28 at 1e20 FLOPs and 0.09 at 1e23,
# the quickstart 0.14.
REDUCIBLE = (0.08, 0.35)
# At the optimum: nanochat about 10, Hoffmann et al. 20; the quickstart 120, whose
# tokens are characters.
TOKENS_PER_PARAM = (10.0, 160.0)


class Laws(NamedTuple):
  """Laws, as one law of arrays [K], and where they come from in words."""

  law: laws_lib.Chinchilla
  source: str


def anywhere(C: float, count: int, rng: np.random.Generator) -> Laws:
  """Laws over all of the ranges, spread evenly in each.

  Args:
    C: FLOPs in the middle of the design.
    count: of the laws.
    rng: what is drawn from.
  """
  u = (rng.permuted(np.tile(np.arange(count), (4, 1)), axis=1) + 0.5) / count

  def between(x: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    return ends[0] + x * (ends[1] - ends[0])

  def log_between(x: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    return ends[0] * (ends[1] / ends[0]) ** x

  alpha, beta = between(u[0], EXPONENTS), between(u[1], EXPONENTS)
  reducible = log_between(u[2], REDUCIBLE)
  ratio = log_between(u[3], TOKENS_PER_PARAM)
  N = np.sqrt(C / (6 * ratio))
  law = simulate.law_through(C, N, 1 - reducible, reducible, alpha, beta)
  return Laws(
    law,
    f'{count} laws with alpha and beta from {EXPONENTS[0]:g} to'
    f' {EXPONENTS[1]:g}, {100 * REDUCIBLE[0]:g} to {100 * REDUCIBLE[1]:g} % of the'
    f' loss above E and {TOKENS_PER_PARAM[0]:g} to {TOKENS_PER_PARAM[1]:g} tokens a'
    f' parameter at the optimum of {C:.3g} FLOPs',
  )


def near(
  law: known.Law, C: float, count: int, rng: np.random.Generator
) -> Laws:
  """Laws as one that is known leaves them open.

  Raises:
    UserError: it states no loss of the form that a design is judged by.
  """
  if isinstance(law, known.Additive):
    if law.spread is None:
      same: Any = [np.full(count, x) for x in law.law]
      return Laws(laws_lib.Chinchilla(*same), law.title)
    some: Any = [np.asarray(x)[:count] for x in law.spread]
    return Laws(
      laws_lib.Chinchilla(*some),
      f'{count} laws within the spread of {law.title}',
    )
  if not isinstance(law, known.Own) or law.law is None:
    raise UserError(
      f'--law={law.name} has not the form E + A/N^alpha + B/D^beta with ok'
      ' constants: a design is judged by such a law; try --law=besiroglu, or'
      ' leave it away'
    )
  return Laws(
    _about(law, C, count, rng),
    f'{count} laws within the intervals of {law.title}',
  )


def _about(law: known.Own, C, count, rng) -> laws_lib.Chinchilla:
  """By the intervals of a fits.json, each taken for a normal's of its own.

  A fit's constants move together, so that drawn apart they spread no less than
  the fit leaves them.

  Raises:
    UserError: an interval that is needed is open.
  """
  z = rng.normal(size=(4, count))
  at = law.for_compute(C)
  assert law.law is not None and at.L is not None
  L = at.L['value']
  E: Any = law.parts['E']
  assert L is not None
  sds = 2 * stats.norm.ppf((1 + law.level) / 2)  # in an interval's width
  needed = {'alpha': law.parts['alpha'], 'beta': law.parts['beta'],
            f'N_opt at {C:.3g} FLOPs': at.N, 'E': E}  # fmt: skip
  for name, x in needed.items():
    if x['low'] is None or x['high'] is None or x['low'] <= 0:
      raise _open(law, name)
  if E['high'] >= L:
    raise _open(law, 'L - E')

  def drawn(x, z):
    return x['value'] * np.exp(np.log(x['high'] / x['low']) / sds * z)

  share_sd = np.log((L - E['low']) / (L - E['high'])) / sds
  share = (L - law.law.E) * np.exp(share_sd * z[2])
  alpha, beta = drawn(law.parts['alpha'], z[0]), drawn(law.parts['beta'], z[1])
  return simulate.law_through(
    C, drawn(at.N, z[3]), L - share, share, alpha, beta
  )


def _open(law: known.Own, name: str) -> UserError:
  return UserError(
    f'--law={law.name} leaves {name} open, in the middle of this design:'
    ' plausible laws are drawn within its intervals; leave --law away, or try'
    ' --law=besiroglu'
  )
