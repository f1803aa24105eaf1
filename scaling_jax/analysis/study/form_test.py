"""Whether approach 3's form fits the runs: its residuals beside approach 2's."""

import numpy as np
from scipy import special

from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.messages import study as messages

RATIO = 2.0  # of the law's residual sd to approach 2's, from which it matters
CHANCE = 0.01  # and how rarely noise alone may make it so


def notes(law: ChinchillaFit, isoflops: IsoflopFit) -> tuple[str, ...]:
  """A note where residuals are larger about the law than about isoFLOP curves.

  An F-test of the two residual variances, as of independent fits: a curve
  a budget takes in any shape that the law misses.
  """
  known = {b.residual_sd for b in isoflops.budgets if b.residual_sd}
  if not law.ok or law.residual_sd is None or not known:
    return ()
  dof = sum(one.dof for one in known)
  variance = sum(one.dof * one.sd**2 for one in known) / dof
  ratio = law.residual_sd.sd / float(np.sqrt(variance)) if variance else np.inf
  chance = special.fdtrc(law.residual_sd.dof, dof, ratio**2)
  if ratio < RATIO or chance > CHANCE:
    return ()
  return (messages.form_misfit(ratio),)
