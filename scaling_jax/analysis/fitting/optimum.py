"""The compute-optimal model as two power laws: what approaches 1 and 2 give."""

import dataclasses
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import asked


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class OptimumFit(FitResult):
  """N_opt = N0 · C^exponent_N and D_opt = D0 · C^exponent_D.

  Attributes:
    N_opt: parameters against C.
    D_opt: tokens against C; each of its draws belongs to one of N_opt's.
  """

  formula: ClassVar[str] = (
    'N_opt = N0 · C^exponent_N, D_opt = D0 · C^exponent_D'
  )

  N_opt: PowerLawFit
  D_opt: PowerLawFit

  def estimates(self) -> dict[str, Estimate]:
    N, D = self.N_opt.estimates(), self.D_opt.estimates()
    return {
      'N0': N['coefficient'],
      'exponent_N': N['exponent'],
      'D0': D['coefficient'],
      'exponent_D': D['exponent'],
    }

  def optimum(
    self,
    *,
    C: npt.ArrayLike | None = None,
    D: npt.ArrayLike | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    """What to train with C FLOPs; or on D tokens, and the C that asks for.

    The loss is unknown: parabolas and envelopes state none beyond the runs.

    Args:
      C: FLOPs, of any shape.
      D: tokens, of any shape; in the place of C.
      level: of the intervals.

    Raises:
      ValueError: both or neither are given, or one is not positive.
    """
    x = asked(C, D)
    if D is None:
      return Allocation(
        C=Interval.exact(x),
        N=self.N_opt.predict(x, level),
        D=self.D_opt.predict(x, level),
      )
    return Allocation(
      C=_rising(self.D_opt).inverse(x, level),
      N=self._N_against_D().predict(x, level),
      D=Interval.exact(x),
    )

  def _N_against_D(self) -> PowerLawFit:
    """N_opt at the C whose best use is D tokens: again a power law.

    Its bias is that of both laws to first order.
    """
    N, D = self.N_opt, _rising(self.D_opt)
    out = dataclasses.replace(
      N, x=D.y, y=N.y, line=None, line_draws=None, bias=None
    )
    if N.line is None or D.line is None:
      return out
    line = _through(N.line, D.line)
    draws = bias = None
    if N.line_draws is not None and D.line_draws is not None:
      growth = np.where(D.line_draws[:, 0] > 0, D.line_draws[:, 0], np.nan)
      draws = _through(N.line_draws, np.stack([growth, D.line_draws[:, 1]], -1))
    if N.bias is not None and D.bias is not None:
      steeper = (N.bias[0] - line[0] * D.bias[0]) / D.line[0]
      higher = N.bias[1] - steeper * D.line[1] - line[0] * D.bias[1]
      bias = np.array([steeper, higher])
    return dataclasses.replace(out, line=line, line_draws=draws, bias=bias)


def _through(N_line: np.ndarray, D_line: np.ndarray) -> np.ndarray:
  """[..., 2] log N against log D of lines in log C."""
  slope = N_line[..., 0] / D_line[..., 0]
  return np.stack([slope, N_line[..., 1] - slope * D_line[..., 1]], -1)


def _rising(fit: PowerLawFit) -> PowerLawFit:
  """The fit, or none where more compute wants no more tokens."""
  if fit.line is None or fit.line[0] > 0:
    return fit
  return dataclasses.replace(fit, line=None)


def no_lines(
  status: Status, message: str, C=(), N=(), D=()
) -> tuple[PowerLawFit, PowerLawFit]:
  """N_opt and D_opt of points [n] that carry no power law."""
  C, N, D = (np.asarray(x, float) for x in (C, N, D))
  return (
    PowerLawFit(status=status, message=message, x=C, y=N),
    PowerLawFit(status=status, message=message, x=C, y=D),
  )
