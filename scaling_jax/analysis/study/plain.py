"""Numbers as JSON has them: what is not known is None."""

from typing import Any

import numpy as np

from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Diagnostics
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD

Plain = dict[str, Any]


def interval(found: Interval) -> Plain:
  """{value, low, high}; an end that is open or unknown is None."""
  return {
    name: float(x) if np.isfinite(x) else None
    for name, x in zip(('value', 'low', 'high'), found)
  }


def at(found: Estimate, level: float) -> Plain:
  return interval(found.at(level))


def residual_sd(found: ResidualSD | None, level: float) -> Plain:
  return interval(UNKNOWN if found is None else found.interval(level))


def diagnostics(found: Diagnostics | None) -> Plain:
  """What the search ended with; None where none was made."""
  known = found._asdict() if found is not None else {}
  return {name: known.get(name) for name in Diagnostics._fields}


def stated(fit: FitResult, level: float) -> Plain:
  """Status, message, notes, and each parameter."""
  return {
    'status': str(fit.status),
    'message': fit.message,
    'notes': list(fit.notes),
    **{name: interval(x) for name, x in fit.conf_int(level).items()},
  }


def judged(found: Any) -> Plain:
  """Status and message of anything that has both."""
  return {'status': str(found.status), 'message': found.message}
