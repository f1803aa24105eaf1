"""L(C) and N_opt(C) along the lower hull of loss against compute.

Kaplan et al. 2020 (arXiv 2001.08361), section 6: the least loss that any
training curve shows at each compute, curves being lines between their points in
log L against log C. The hull is not made convex: a power law is a straight line
there, on which a convex hull keeps those models alone that luck put below it.

The window is a rule: the smallest and the largest model lie on the hull beyond
their best for want of neighbours, and are excluded; so is a model whose curve
ends on the hull, since it might have stayed there. Each of the others is one
point, the middle of its stretch.
"""

from collections.abc import Sequence
import dataclasses
from typing import ClassVar

import numpy as np

from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import kaplan as messages

GRID = 1500  # computes that the hull is looked at


@dataclasses.dataclass(frozen=True)
class Touch:
  """Where a model touches the hull.

  Attributes:
    N: its parameters.
    C: the middle of the stretch, in log C.
    L: the hull's loss there.
    low, high: the stretch's ends, C.
  """

  N: float
  C: float
  L: float
  low: float
  high: float


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class FrontierFit(FitResult):
  """The hull, the models on it, and the power laws through those.

  Its status is that of having a law at all; each law has its own beside.

  Attributes:
    C, L: [G] the hull; C in the unit of the curves, FLOPs.
    touches: of every model on the hull, by rising C.
    inner: of those that have their best there.
    L_fit: L = (C_c/C)^alpha_C.
    N_fit: N_opt = N0 C^exponent_N.
  """

  title: ClassVar[str] = 'The lower hull of training curves'

  C: np.ndarray
  L: np.ndarray
  touches: tuple[Touch, ...]
  inner: tuple[Touch, ...]
  L_fit: power_law.PowerLawFit
  N_fit: power_law.PowerLawFit

  def estimates(self) -> dict[str, Estimate]:
    C_c, alpha_C = self.L_fit.kaplan_estimates()
    of_N = self.N_fit.estimates()
    return {
      'C_c': C_c,
      'alpha_C': alpha_C,
      'N0': of_N['coefficient'],
      'exponent_N': of_N['exponent'],
    }

  def judged(self) -> 'FrontierFit':
    """With laws that must fall and grow beyond their intervals."""
    return dataclasses.replace(
      self,
      L_fit=power_law.must_slope(self.L_fit, -1, messages.LOSS_FALLS_WITH_C),
      N_fit=power_law.must_slope(self.N_fit, 1, messages.BEST_GROWS_WITH_C),
    )


def fit(
  curves: Sequence[LossCurve], *, bootstrap: Bootstrap | None = None
) -> FrontierFit:
  """Fits the laws through the models on the hull of the curves.

  Args:
    curves: of runs of several sizes.
    bootstrap: how many draws of the laws, and their seed.

  Returns:
    'ok', or 'too_few_points' where fewer than three models have their best on
    the hull. A law whose exponent may have the other sign is 'not_identified'.

  >>> from scaling_jax import laws
  >>> law = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
  >>> S, B = np.geomspace(1e2, 1e6, 200), 1e5
  >>> curves = [
  ...   LossCurve(f'{N:g}', N, 6 * N * B * S, B * S, law.loss(N, S))
  ...   for N in np.geomspace(1e5, 1e8, 7)
  ... ]
  >>> found = fit(curves, bootstrap=Bootstrap(draws=100))
  >>> str(found.status), len(found.inner), round(found.params['exponent_N'], 2)
  ('ok', 5, 0.91)
  """
  return unjudged(curves, bootstrap=bootstrap).judged()


def unjudged(
  curves: Sequence[LossCurve], *, bootstrap: Bootstrap | None = None
) -> FrontierFit:
  """`fit`, whose laws may have exponents of any sign."""
  touches, C, L = touching(curves)
  inner = between(touches, curves)
  x, N, loss = columns(inner)
  L_fit, N_fit = (through(x, y, bootstrap) for y in (loss, N))
  message = L_fit.message
  if L_fit.ok:
    message = messages.on_the_hull(len(inner), len(touches))
  return FrontierFit(
    status=L_fit.status,
    message=message,
    C=C,
    L=L,
    touches=touches,
    inner=inner,
    L_fit=L_fit,
    N_fit=N_fit,
  )


def columns(
  touches: Sequence[Touch],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """C, N and L of touches, each [k]."""
  C, N, L = np.array([(t.C, t.N, t.L) for t in touches]).reshape(-1, 3).T
  return C, N, L


def through(
  C: np.ndarray, y: np.ndarray, bootstrap: Bootstrap | None = None
) -> power_law.PowerLawFit:
  """A power law of C through models on the hull.

  Curvature is not asked for: a hull of few models has errors of its own, which
  are the same in every study.
  """
  how = bootstrap or Bootstrap()
  return power_law.fit(
    C, y, what=messages.ON_THE_HULL, draws=how.draws, seed=how.seed,
    straight=True,
  )  # fmt: skip


def touching(
  curves: Sequence[LossCurve],
) -> tuple[tuple[Touch, ...], np.ndarray, np.ndarray]:
  """The models on the hull by rising C, and the hull at GRID computes C, L."""
  if not curves:
    return (), np.empty(0), np.empty(0)
  ends = np.log([(c.C[0], c.C[-1]) for c in curves])
  x = np.linspace(ends.min(), ends.max(), GRID)
  every = np.stack(
    [
      np.interp(x, np.log(c.C), np.log(c.L), left=np.inf, right=np.inf)
      for c in curves
    ]
  )
  y = every.min(0)
  N = np.array([c.N for c in curves])[every.argmin(0)]
  # Where only curves are left that learned less, more compute was of no use.
  last = int(np.argmin(y)) + 1
  x, y, N = x[:last], y[:last], N[:last]
  touches = []
  for n in np.unique(N):
    own = x[n == N]
    middle = own.mean()
    touches.append(
      Touch(
        float(n),
        float(np.exp(middle)),
        float(np.exp(np.interp(middle, x, y))),
        float(np.exp(own[0])),
        float(np.exp(own[-1])),
      )
    )
  touches.sort(key=lambda t: t.C)
  return tuple(touches), np.exp(x), np.exp(y)


def between(
  touches: Sequence[Touch], curves: Sequence[LossCurve]
) -> tuple[Touch, ...]:
  """The models on the hull that have a best: see the window above."""
  ends: dict[float, float] = {}
  for curve in curves:
    ends[curve.N] = max(ends.get(curve.N, 0.0), float(curve.C[-1]))
  lows = [curve.C[0] for curve in curves]
  step = (max(ends.values()) / min(lows)) ** (1 / (GRID - 1)) if ends else 1.0
  return tuple(
    t
    for t in touches
    if min(ends) < t.N < max(ends) and t.high * step < ends[t.N]
  )
