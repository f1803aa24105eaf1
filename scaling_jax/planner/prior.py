"""Laws that might be true of runs which nobody has trained yet.

Without a law of one's own: exponents, the loss that training can still take
off, and the best tokens a parameter, each over the range that studies have
shown. Scale does not matter to what a design resolves: a law is stated by its
optimum in the middle of the design, where the loss is 1.
"""

from typing import NamedTuple

import numpy as np

from scaling_jax import laws as laws_lib
from scaling_jax.analysis.fitting import simulate
from scaling_jax.errors import UserError
from scaling_jax.planner import messages
from scaling_jax.planner.law import Law

# alpha and beta: Hoffmann et al. 0.34 and 0.28, Besiroglu et al. 0.35 and 0.37,
# this project's quickstart 0.42 and 0.56 (`launch.py --config=configs/quickstart.py`).
EXPONENTS = (0.25, 0.6)
# 1 - E/L at the optimum: Besiroglu's law 0.28 at 1e20 FLOPs and 0.09 at 1e23,
# the quickstart 0.14.
REDUCIBLE = (0.08, 0.35)
# At the optimum: nanochat about 10, Hoffmann et al. 20; the quickstart 120, whose
# tokens are characters.
TOKENS_PER_PARAM = (10.0, 160.0)


class Prior(NamedTuple):
  """Laws, as one law of arrays [K], and where they come from."""

  law: laws_lib.Chinchilla
  source: str


def anywhere(C: float, count: int, rng: np.random.Generator) -> Prior:
  """Laws over all of the ranges, spread evenly in each.

  Args:
    C: FLOPs in the middle of the design.
    count: of the laws.
    rng: what is drawn from.

  >>> found = anywhere(1e20, 3, np.random.default_rng(0)).law
  >>> found.optimum(1e20).L.round(9).tolist()
  [1.0, 1.0, 1.0]
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
  return Prior(
    law,
    messages.laws_over_ranges(count, EXPONENTS, REDUCIBLE, TOKENS_PER_PARAM, C),
  )


def near(law: Law, count: int, rng: np.random.Generator) -> Prior:
  """Laws that one which is known might as well have been.

  They are draws of the fit, whose constants move together. A law without draws
  is repeated.

  Args:
    law: of the form E + A/N^alpha + B/D^beta.
    count: of the laws.
    rng: chooses among the draws where they are fewer than that.

  Raises:
    UserError: it states no loss of this form.

  >>> from scaling_jax.planner import law_registry
  >>> besiroglu = law_registry.law_of('besiroglu')
  >>> near(besiroglu, 50, np.random.default_rng(0)).law.alpha.shape
  (50,)
  """
  if not isinstance(law.formula, laws_lib.Chinchilla):
    raise UserError(
      f'law={law.name} has not the form E + A/N^alpha + B/D^beta: a design is'
      ' judged by such a law; try law=besiroglu, or drop law='
    )
  draws = np.empty((5, 0)) if law.draws is None else np.array(law.draws)
  draws = draws[:, np.isfinite(draws).all(0)]  # a redrawn study may show no law
  known = draws.shape[1]
  if not known:
    same = np.repeat(np.array(law.formula)[:, None], count, axis=1)
    return Prior(laws_lib.Chinchilla(*same), law.title)
  chosen = (
    np.arange(count) if known >= count else rng.integers(known, size=count)
  )
  return Prior(
    laws_lib.Chinchilla(*draws[:, chosen]),
    messages.laws_of_spread(count, law.title),
  )
