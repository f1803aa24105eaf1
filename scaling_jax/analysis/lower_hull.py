"""L(C) and N_opt(C) along the lower hull of loss against compute.

Kaplan et al. 2020, section 6: the least loss that any training curve shows at
each compute, curves being lines between their points in log L against log C.
The hull is not made convex: a power law is a straight line there, on which a
convex hull keeps those models alone that luck put below it.

The window is a rule: the smallest and the largest model lie on the hull beyond
their best for want of neighbours, and are left out; so is a model whose curve
ends on the hull, since it might have stayed there. Each of the others is one
point, the middle of its stretch.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis import log_line
from scaling_jax.analysis.envelope import TrainingCurve

GRID = 1500  # computes that the hull is looked at


class Touch(NamedTuple):
  """Where a model touches the hull.

  Attributes:
    N: its parameters.
    C: the middle of the stretch, in log C.
    L: the hull's loss there.
    low, high: the stretch's ends.
  """

  N: float
  C: float
  L: float
  low: float
  high: float


class Frontier(NamedTuple):
  """The hull, the models on it, and the power laws through those.

  Attributes:
    status, sentence: the verdict.
    C, L: [G] the hull.
    touches: of every model on the hull, by rising C.
    inner: of those between the smallest and the largest model.
    L_line, N_line: the laws of L and of N_opt.
  """

  status: str
  sentence: str
  C: np.ndarray
  L: np.ndarray
  touches: tuple[Touch, ...]
  inner: tuple[Touch, ...]
  L_line: log_line.LogLine
  N_line: log_line.LogLine

  @property
  def ok(self) -> bool:
    return self.status == 'ok'

  def judged(self, level: float) -> 'Frontier':
    """With lines that must fall and grow beyond their intervals."""
    return self._replace(
      L_line=log_line.must_slope(
        self.L_line, -1, 'the loss falls with compute', level
      ),
      N_line=log_line.must_slope(
        self.N_line, 1, 'the best model grows with compute', level
      ),
    )


def fit(
  curves: Sequence[TrainingCurve], draws: int = 4000, seed: int = 0
) -> Frontier:
  """The hull of the curves, and the laws through the models on it.

  Args:
    curves: of runs of several sizes; C in any unit.
    draws: of the laws' coefficients.
    seed: of the draws.
  """
  touches, C, L = touching(curves)
  inner = between(touches, curves)
  x, N, loss = (
    np.array([getattr(t, name) for t in inner]) for name in ('C', 'N', 'L')
  )
  what = 'models that have their best on the hull'
  L_line = log_line.fit(x, loss, what, draws, seed)
  N_line = log_line.fit(x, N, what, draws, seed)
  said = L_line.sentence
  if L_line.ok:
    said = (
      f'{len(inner)} of {len(touches)} models on the hull have their best there'
    )
  return Frontier(L_line.status, said, C, L, touches, inner, L_line, N_line)


def touching(
  curves: Sequence[TrainingCurve],
) -> tuple[tuple[Touch, ...], np.ndarray, np.ndarray]:
  """The models on the hull by rising C, and the hull at GRID computes C, L."""
  if not curves:
    return (), np.empty(0), np.empty(0)
  ends = np.log([(c.C[0], c.C[-1]) for c in curves])
  x = np.linspace(ends.min(), ends.max(), GRID)
  every = np.stack([
    np.interp(x, np.log(c.C), np.log(c.L), left=np.inf, right=np.inf)
    for c in curves
  ])  # fmt: skip
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
  touches: Sequence[Touch], curves: Sequence[TrainingCurve]
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
