"""Whether approach 3's form fits the runs: its residuals beside approach 2's."""

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting import form
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.messages import study as messages
from scaling_jax.analysis.study import results

RATIO = 2.0  # of the law's residual sd to approach 2's, from which it matters
CHANCE = 0.01  # and how rarely noise alone may make it so
MIN_BUDGETS = 2  # whose optima are compared with the law's


def notes(
  law: ChinchillaFit, isoflops: IsoflopFit, found: form.FormTest | None
) -> tuple[str, ...]:
  """What speaks against the form of approach 3's law, a message each."""
  first: tuple[str, ...] = ()
  if found is not None and found.rejected:
    first = (messages.form_rejected(found.form, found.extra, found.p_value),)
  return (*first, *_beside(law, isoflops), *_optima(law, isoflops))


def _contradict(apart: int, n: int) -> bool:
  return n >= MIN_BUDGETS and 2 * apart > n


def _optima(law: ChinchillaFit, isoflops: IsoflopFit) -> tuple[str, ...]:
  apart, n = _apart(law, isoflops)
  return (messages.optima_apart(apart, n),) if _contradict(apart, n) else ()


def _apart(law: ChinchillaFit, isoflops: IsoflopFit) -> tuple[int, int]:
  """Budgets whose N_opt is not the law's, and those that have an interval."""
  if not law.ok:
    return 0, 0
  overlap = [
    results.meet(law.optimum(C=budget.C).N, budget.optimum().N)
    for budget in isoflops.budgets
    if budget.ok
  ]
  return overlap.count(False), len(overlap) - overlap.count(None)


def _beside(law: ChinchillaFit, isoflops: IsoflopFit) -> tuple[str, ...]:
  """A note where residuals are larger about the law than about isoFLOP curves.

  An F-test of the two residual variances, as of independent fits: a curve
  a budget takes in any shape that the law misses.
  """
  curves = ResidualSD.pooled(
    {b.residual_sd for b in isoflops.budgets if b.residual_sd}
  )
  if not law.ok or law.residual_sd is None or curves is None:
    return ()
  ratio = law.residual_sd.sd / curves.sd if curves.sd else np.inf
  chance = special.fdtrc(law.residual_sd.dof, curves.dof, ratio**2)
  if ratio < RATIO or chance > CHANCE:
    return ()
  return (messages.form_misfit(ratio),)
