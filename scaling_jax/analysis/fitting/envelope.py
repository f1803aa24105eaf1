"""Approach 1: the lowest loss that any training curve shows at each FLOP count.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.1: 1500 log-spaced FLOP
counts, at each the run whose smoothed training loss is lowest; power laws
through their N and D. A curve before its end has not been annealed, so the
envelope lies above the losses of runs trained to that length: known to bias
this approach.
"""

from collections.abc import Sequence
import dataclasses
from typing import ClassVar, NamedTuple

import numpy as np

from scaling_jax.analysis.fitting import bootstrap as bootstrap_lib
from scaling_jax.analysis.fitting import optimum
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import isoflop as messages

GRID = 1500
MIN_MODELS = 3
OPEN_DRAWS = 0.005  # the share of draws without a law that is too many
MAX_STUDIES = 400  # resampled at most: each is a search over the whole grid


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class EnvelopeFit(optimum.OptimumFit):
  """The envelope of training curves, and N_opt and D_opt along it.

  Attributes:
    C, N, D, L: [G] along the envelope, where neither the smallest nor the
      largest model at hand is the best.
    curves: what it was taken from, in the order of N.

  On simulated studies 95% and 99% intervals hold the exponent 97 to 100 times of
  100, 50% ones 12 to 42 times: a staircase of few models is biased by more than
  half of its scatter (docs/benchmarks.md).

  >>> from scaling_jax.published import HOFFMANN
  >>> D = np.geomspace(1e8, 1e11, 200)
  >>> found = fit([
  ...   LossCurve(f'run{i}', N, 6 * N * D, D, HOFFMANN.loss(N, D))
  ...   for i, N in enumerate(np.geomspace(1e7, 1e10, 30))
  ... ], bootstrap=Bootstrap(draws=100))
  >>> str(found.status), round(found.params['exponent_N'], 2)
  ('ok', 0.45)
  """

  title: ClassVar[str] = 'Approach 1: N_opt and D_opt along the envelope'

  C: np.ndarray
  N: np.ndarray
  D: np.ndarray
  L: np.ndarray
  curves: tuple[LossCurve, ...] = ()


def fit(
  curves: Sequence[LossCurve], bootstrap: Bootstrap | None = None
) -> EnvelopeFit:
  """The envelope of the curves, and the power laws through it.

  A model that is best because no smaller, or no larger, one was trained tells
  nothing of the optimum: where the best is the smallest or the largest model
  whose curve reaches that FLOP count, the count is excluded.

  Intervals are of studies whose runs are drawn with replacement, 400 at most.
  So few steps of a staircase scatter as few points about a line do: with k
  models on it, a draw's deviation is multiplied by a Student factor of k - 2
  degrees of freedom of its own, and a study serves several draws where more
  than 400 are asked for.

  Args:
    curves: of runs of several sizes, in any order.
    bootstrap: how many draws, and their seed; runs are always resampled.

  Returns:
    'ok'; 'too_few_points' where fewer than three models are best somewhere;
    'not_identified' where more than one resampled study in 200 shows no law.

  >>> fit([]).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  bootstrap = bootstrap or Bootstrap()
  curves = tuple(sorted(curves, key=lambda c: (c.N, c.run_id)))
  if not curves:
    return _without_laws((), _Points.none(), messages.no_curves())
  gridded = _Gridded.of(curves)
  everyone = np.ones((1, len(curves)), bool)
  inside, best = (x[0] for x in gridded.best_runs(everyone))
  points = gridded.points(inside, best)
  models = len(np.unique(points.N))
  if models < MIN_MODELS:
    message = messages.too_few_best(models, MIN_MODELS)
    return _without_laws(curves, points, message)
  message = messages.best_models(models, len(points.C), GRID)
  N_line = np.polyfit(np.log(points.C), np.log(points.N), 1)
  D_line = np.polyfit(np.log(points.C), np.log(points.D), 1)
  status = Status.OK
  N_draws = D_draws = None
  if bootstrap.draws:
    studies = gridded.resampled(bootstrap)
    undefined = float(np.mean(np.isnan(studies[0, :, 0])))
    if undefined > OPEN_DRAWS:
      status = Status.NOT_IDENTIFIED
      message = messages.no_law_in(message, undefined)
    lines = np.stack([N_line, D_line])
    N_draws, D_draws = _student(studies, lines, models - 2, bootstrap)
  N_opt, D_opt = (
    PowerLawFit(
      status=status, message=message, x=points.C, y=y, line=line,
      line_draws=draws,
    )
    for y, line, draws in (
      (points.N, N_line, N_draws), (points.D, D_line, D_draws)
    )
  )  # fmt: skip
  return EnvelopeFit(
    status=status,
    message=message,
    N_opt=N_opt,
    D_opt=D_opt,
    curves=curves,
    **points._asdict(),
  )


def _student(
  studies: np.ndarray, lines: np.ndarray, dof: int, bootstrap: Bootstrap
) -> np.ndarray:
  """[2, B, 2] draws from lines of studies [2, R, 2] about the lines [2, 2]."""
  rng = bootstrap_lib.scales_rng(bootstrap.seed)
  scales = bootstrap_lib.student_scales(rng, bootstrap.draws, dof)
  center = lines[:, None]
  again = np.arange(bootstrap.draws) % studies.shape[1]
  return center + scales[:, None] * (studies[:, again] - center)


class _Points(NamedTuple):
  """Along the envelope, [G] each."""

  C: np.ndarray
  N: np.ndarray
  D: np.ndarray
  L: np.ndarray

  @classmethod
  def none(cls) -> '_Points':
    return cls(*4 * (np.empty(0),))


def _without_laws(
  curves: tuple[LossCurve, ...], points: _Points, message: str
) -> EnvelopeFit:
  status = Status.TOO_FEW_POINTS
  N_opt, D_opt = optimum.no_lines(status, message, points.C, points.N, points.D)
  return EnvelopeFit(
    status=status,
    message=message,
    N_opt=N_opt,
    D_opt=D_opt,
    curves=curves,
    **points._asdict(),
  )


class _Gridded(NamedTuple):
  """R curves on a grid of G FLOP counts.

  Attributes:
    grid: [G] FLOPs.
    L: [R, G] loss; inf before a curve starts and beyond its end.
    N: [R] parameters, rising.
    tokens: [R] D / C of each run.
  """

  grid: np.ndarray
  L: np.ndarray
  N: np.ndarray
  tokens: np.ndarray

  @classmethod
  def of(cls, curves: Sequence[LossCurve]) -> '_Gridded':
    grid = np.geomspace(
      min(c.C[0] for c in curves), max(c.C[-1] for c in curves), GRID
    )
    log_C = np.log(grid)
    L = [
      np.interp(log_C, np.log(c.C), c.L, left=np.inf, right=np.inf)
      for c in curves
    ]
    N = np.array([c.N for c in curves])
    return cls(
      grid, np.stack(L), N, np.array([c.D[-1] / c.C[-1] for c in curves])
    )

  def best_runs(self, present_BR: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[B, G] which run is the best at each FLOP count of B studies.

    Args:
      present_BR: the runs of each study, one at least.

    Returns:
      inside: False where the best is the smallest or the largest model there.
      best: an index of runs, of no meaning where none reaches the count.
    """
    beyond = np.isinf(self.L)
    by_loss = np.argsort(self.L, axis=0, kind='stable')
    # In the order of N from either end, those last that don't reach the count.
    from_below = np.argsort(beyond, axis=0, kind='stable')
    from_above = np.argsort(beyond[::-1], axis=0, kind='stable')
    best = _first(by_loss, present_BR)
    smallest = self.N[_first(from_below, present_BR)]
    largest = self.N[_first(len(self.N) - 1 - from_above, present_BR)]
    N = self.N[best]
    inside = ~beyond[best, np.arange(GRID)] & (smallest < N) & (N < largest)
    return inside, best

  def points(self, inside: np.ndarray, best: np.ndarray) -> _Points:
    """The envelope of one study."""
    best, C = best[inside], self.grid[inside]
    L = self.L[best, np.flatnonzero(inside)]
    return _Points(C, self.N[best], self.tokens[best] * C, L)

  def resampled(self, bootstrap: Bootstrap) -> np.ndarray:
    """[2, R, 2] lines of N and D of studies whose runs are drawn again.

    nan where no power law shows.
    """
    n, studies = len(self.N), min(bootstrap.draws, MAX_STUDIES)
    rng = np.random.default_rng(bootstrap.seed)
    present = np.zeros((studies, n), bool)
    rows = rng.integers(n, size=(studies, n))
    present[np.arange(studies)[:, None], rows] = True
    inside, best = self.best_runs(present)
    log_N = np.log(self.N)[best]
    log_D = np.log(self.tokens)[best] + np.log(self.grid)
    out = _lines(np.log(self.grid), (log_N, log_D), inside)
    # One model alone has no slope.
    least = np.where(inside, log_N, np.inf).min(axis=1)
    most = np.where(inside, log_N, -np.inf).max(axis=1)
    out[:, least >= most] = np.nan
    return out


def _lines(
  x: np.ndarray, ys: Sequence[np.ndarray], inside: np.ndarray
) -> np.ndarray:
  """[len(ys), B, 2] lines through each y [B, G] at x [G], where inside."""
  weights = inside.astype(float)
  with np.errstate(divide='ignore', invalid='ignore'):
    shares = weights / weights.sum(axis=1, keepdims=True)
    mean_x = shares @ x
    off = weights * (x - mean_x[:, None])
    power = np.einsum('bg,bg->b', off, off)
    left = off.sum(axis=1)  # 0, but for what rounding leaves
    out = []
    for y in ys:
      mean_y = np.einsum('bg,bg->b', shares, y)
      slope = (np.einsum('bg,bg->b', off, y) - left * mean_y) / power
      out.append(np.stack([slope, mean_y - slope * mean_x], -1))
  return np.stack(out)


def _first(order_RG: np.ndarray, present_BR: np.ndarray) -> np.ndarray:
  """[B, G] the first run in an order of them that is present in a study."""
  out = np.broadcast_to(order_RG[0], (len(present_BR), GRID)).copy()
  b, g = np.nonzero(~present_BR[:, order_RG[0]])
  for order_G in order_RG[1:]:
    if not len(b):
      break
    run = order_G[g]
    found = present_BR[b, run]
    out[b[found], g[found]] = run[found]
    b, g = b[~found], g[~found]
  return out
