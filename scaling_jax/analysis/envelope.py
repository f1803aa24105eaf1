"""Approach 1: the lowest loss that any training curve shows at each FLOP count.

Hoffmann et al. 2022, section 3.1: 1500 log-spaced FLOP counts, at each the run
whose smoothed training loss is lowest; power laws through their N and D. A
curve before its end has not been annealed, so the envelope lies above the
losses of runs trained to that length: known to bias this approach.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling_jax.analysis import uncertainty

GRID = 1500
MIN_WINNERS = 3
OPEN_DRAWS = 0.005  # the share of draws without a law that is too many
_SCREEN = 400  # draws at most: each is a search over the whole grid


class TrainingCurve(NamedTuple):
  """One run's smoothed training loss.

  Attributes:
    run_id: whose.
    N: its parameters.
    C: [K] FLOPs spent, rising.
    D: [K] tokens trained on.
    L: [K] smoothed loss.
  """

  run_id: str
  N: float
  C: np.ndarray
  D: np.ndarray
  L: np.ndarray


class Envelope(NamedTuple):
  """The envelope and the power laws through it.

  Attributes:
    status, sentence: the verdict.
    C, N, D, L: [G] along the envelope, where neither the smallest nor the
      largest model at hand wins.
    curves: what it was taken from.
    N_opt, D_opt: [2] slope and intercept of the logarithm against log C.
    N_draws, D_draws: [B, 2] from resampled runs; None where too few.
  """

  status: str
  sentence: str
  C: np.ndarray = np.empty(0)
  N: np.ndarray = np.empty(0)
  D: np.ndarray = np.empty(0)
  L: np.ndarray = np.empty(0)
  curves: tuple[TrainingCurve, ...] = ()
  N_opt: np.ndarray | None = None
  D_opt: np.ndarray | None = None
  N_draws: np.ndarray | None = None
  D_draws: np.ndarray | None = None

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


def fit(
  curves: Sequence[TrainingCurve],
  draws: int = 400,
  seed: int = 0,
  level: float = 0.95,
) -> Envelope:
  """The envelope of the curves, with intervals from resampled runs.

  A model that wins because no smaller, or no larger, one was trained says
  nothing about the optimum: where the winner is the smallest or the largest
  model whose curve reaches that FLOP count, the count is left out.

  Args:
    curves: of runs of several sizes.
    draws: resampled studies.
    seed: of the draws.
    level: of the intervals to be, which few winners make wider.
  """
  curves = tuple(sorted(curves, key=lambda c: (c.N, c.run_id)))
  if not curves:
    return Envelope('too_few_points', 'no run left its training curve')
  grid = np.geomspace(
    min(c.C[0] for c in curves), max(c.C[-1] for c in curves), GRID
  )
  L = np.stack([_on_grid(c, grid) for c in curves])
  N = np.array([c.N for c in curves])
  tokens = np.array([c.D[-1] / c.C[-1] for c in curves])  # a run's D / C
  inside, winner = _winners(L, N)
  kinds = len(np.unique(N[winner[inside]]))
  out = Envelope(
    'ok',
    f'{kinds} models win at {int(inside.sum())} of {GRID} FLOP counts',
    grid[inside],
    N[winner[inside]],
    tokens[winner[inside]] * grid[inside],
    L[winner[inside], np.flatnonzero(inside)],
    curves,
  )
  if kinds < MIN_WINNERS:
    return out._replace(
      status='too_few_points',
      sentence=(
        f'of the models between the smallest and the largest at hand, {kinds}'
        f' win anywhere, and a power law needs {MIN_WINNERS}'
      ),
    )
  out = out._replace(
    N_opt=np.polyfit(np.log(out.C), np.log(out.N), 1),
    D_opt=np.polyfit(np.log(out.C), np.log(out.D), 1),
  )
  if not draws:
    return out
  drawn = _draws(L, N, tokens, grid, min(draws, _SCREEN), seed)
  # So few steps of a staircase scatter as few points about a line do.
  wider = uncertainty.wider(level, kinds - 2)
  N_draws, D_draws = (
    center + wider * (draw - center)
    for draw, center in zip(drawn, (out.N_opt, out.D_opt))
  )
  out = out._replace(N_draws=N_draws, D_draws=D_draws)
  undefined = float(np.mean(np.isnan(N_draws[:, 0])))
  if undefined > OPEN_DRAWS:
    return out._replace(
      status='not_identified',
      sentence=(
        f'{out.sentence}; {undefined:.0%} of resampled studies show no power'
        ' law, so that the exponent has no interval'
      ),
    )
  return out


def _on_grid(curve: TrainingCurve, grid: np.ndarray) -> np.ndarray:
  """The curve's loss at each FLOP count; inf before it starts and beyond."""
  return np.interp(
    np.log(grid), np.log(curve.C), curve.L, left=np.inf, right=np.inf
  )


def _winners(L: np.ndarray, N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Where on the grid there is an interior winner [G], and which run it is."""
  reached = np.isfinite(L)
  winner = np.argmin(L, axis=0)
  smallest = np.min(np.where(reached, N[:, None], np.inf), axis=0)
  largest = np.max(np.where(reached, N[:, None], -np.inf), axis=0)
  inside = (N[winner] > smallest) & (N[winner] < largest)
  return inside, winner


def _draws(L, N, tokens, grid, draws, seed):
  """Slopes and intercepts of studies whose runs are drawn with replacement."""
  rng = np.random.default_rng(seed)
  out = np.full((2, draws, 2), np.nan)
  for i in range(draws):
    rows = np.unique(rng.integers(len(N), size=len(N)))
    inside, winner = _winners(L[rows], N[rows])
    best = rows[winner[inside]]
    if len(np.unique(N[best])) < 2:
      continue
    x = np.log(grid[inside])
    out[0, i] = np.polyfit(x, np.log(N[best]), 1)
    out[1, i] = np.polyfit(x, np.log(tokens[best] * grid[inside]), 1)
  return out
