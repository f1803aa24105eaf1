"""One compute budget of approach 2: its curves, and where they are lowest.

The joint curve answers, whose exponents all budgets share; a parabola and
Akima's curve are second looks. Where too few data are left for the exponents,
the parabola answers.
"""

from collections.abc import Sequence
import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.isoflop_joint import JointCurve
from scaling_jax.analysis.fitting.parabola import Parabola
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
  """The runs of one compute budget; seeds of one N are one datum.

  Attributes:
    C: FLOPs, the geometric mean over the runs.
    N, D, loss: [n] of the runs.
  """

  C: float
  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray

  @classmethod
  def of(
    cls,
    C: np.ndarray,
    N: np.ndarray,
    D: np.ndarray,
    loss: np.ndarray,
    groups: Sequence[Sequence[int]],
  ) -> list['Group']:
    """One for each of `groups`, indices into the columns [n] of runs."""
    return [
      cls(float(np.exp(np.mean(np.log(C[g])))), N[g], D[g], loss[g])
      for g in map(np.asarray, groups)
    ]


class Minima(NamedTuple):
  """[B] log N and L at the minimum of each draw; nan where it has none."""

  log_N: np.ndarray
  L: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class IsoflopBudget:
  """One compute budget: its runs, its curves, and the minimum of them.

  Attributes:
    status: 'ok', 'too_few_points', 'no_degrees_of_freedom', 'no_minimum',
      'minimum_at_edge' or 'not_identified'.
    message: the status for people; '' where it is 'ok'.
    notes: what else speaks against the minimum.
    C: FLOPs, the geometric mean over the runs.
    N, D, loss: [n] of the runs, in the order of N.
    joint: the curve whose exponents the budgets share; None where too few
      data are left for them.
    parabola: of the loss; None where there are too few models.
    residual_sd: of log L about the curve; None where none is known.
    draws: minima that the curve might have had; None where that is not known.
    parabola_draws: [B] log N of minima that the parabola might have had, where
      the joint curve answers.
    local: log N of the minimum by Akima interpolation; nan where it has none
      inside.
    local_draws: [B] what that might have been.
    bias: log N_opt, and L_min, minus the truth, as approach 3's law predicts
      of a parabola; None without such a law, and of a joint curve.
  """

  status: Status
  message: str = ''
  notes: tuple[str, ...] = ()
  C: float
  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray
  joint: JointCurve | None = None
  parabola: Parabola | None = None
  residual_sd: ResidualSD | None = None
  draws: Minima | None = None
  parabola_draws: np.ndarray | None = None
  local: float = np.nan
  local_draws: np.ndarray | None = None
  bias: tuple[float, float] | None = None

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  @property
  def counts(self) -> bool:
    """Whether the power laws may rest on this budget."""
    return self.status in (Status.OK, Status.NO_DEGREES_OF_FREEDOM)

  @property
  def curve(self) -> JointCurve | Parabola | None:
    """The one that answers; None where there are too few models."""
    return self.joint or self.parabola

  @functools.cached_property
  def cells(self) -> Cells:
    """One datum for each N: the geometric mean of its seeds."""
    return Cells.of(self.N, np.ones_like(self.N), self.loss)

  def minimum(self) -> tuple[float, float]:
    """log N and L at the minimum of the curve; nan where it has none."""
    if self.curve is None:
      return np.nan, np.nan
    log_N, L = self.curve.minimum()
    return float(log_N), float(L)

  def token_line(self) -> tuple[float, float]:
    """(slope, at_zero) of log D = slope · log N + at_zero, by the runs.

    log D is close to linear in log N: exactly so where C = 6 N D, and nearly
    where attention and head are counted in C.
    """
    slope, at_zero = np.polyfit(np.log(self.N), np.log(self.D), 1)
    return float(slope), float(at_zero)

  def log_D(self, log_N: laws.Number) -> laws.Number:
    """log D that C buys at log N, beyond the runs too."""
    slope, at_zero = self.token_line()
    return slope * log_N + at_zero

  @property
  def D_bias(self) -> float | None:
    """Of log D_opt, as `bias` is of log N_opt."""
    return self.token_line()[0] * self.bias[0] if self.bias else None

  def estimates(self) -> dict[str, Estimate]:
    """N_opt, D_opt and L_min, each with its draws and its predicted bias."""
    if self.curve is None:
      return {
        'N_opt': Estimate(log=True),
        'D_opt': Estimate(log=True),
        'L_min': Estimate(),
      }
    log_N, L = self.minimum()
    drawn_N = drawn_D = drawn_L = None
    if self.draws is not None:
      drawn_N, drawn_L = self.draws
      drawn_D = np.asarray(self.log_D(drawn_N))
    N_bias, L_bias = self.bias or (None, None)
    log_D = float(self.log_D(log_N))
    return {
      'N_opt': Estimate(log_N, drawn_N, bias=N_bias, log=True),
      'D_opt': Estimate(log_D, drawn_D, bias=self.D_bias, log=True),
      'L_min': Estimate(L, drawn_L, bias=L_bias),
    }

  def optimum(self, level: float = LEVEL) -> Allocation:
    """The minimum of the curve, its loss included."""
    found = {name: x.at(level) for name, x in self.estimates().items()}
    return Allocation(
      C=Interval.exact(self.C),
      N=found['N_opt'],
      D=found['D_opt'],
      loss=found['L_min'],
    )

  def N_parabola(self, level: float = LEVEL) -> Interval:
    """N where the parabola is lowest: the second look, or the only one."""
    if self.parabola is None:
      return Estimate(log=True).at(level)
    drawn = self.parabola_draws
    if self.joint is None and self.draws is not None:
      drawn = self.draws.log_N
    at = float(self.parabola.minimum()[0])
    return Estimate(at, drawn, log=True).at(level)

  def N_local(self, level: float = LEVEL) -> Interval:
    """N where Akima's curve through the runs is lowest."""
    return Estimate(self.local, self.local_draws, log=True).at(level)
