"""Approach 2: at each budget a parabola in log N, then power laws in C.

Hoffmann et al. 2022, section 3.2. A parabola is an approximation: where the
grid of models is wide or lies off its minimum, it puts the minimum elsewhere
than the law behind the losses has it. Two looks show by how much: an Akima
interpolation of the same points, and the parabola's bias as approach 3's law
foretells it, by which the intervals are widened.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import interpolate
from scipy import stats

from scaling_jax import laws
from scaling_jax.analysis import parametric
from scaling_jax.analysis import uncertainty

OFF_CENTRE = 0.5  # of the half range of log N, from its middle
OPEN_DRAWS = 0.01  # the share of draws without a minimum that is too many
SCATTER_CHANCE = 0.05  # minima that scatter so rarely widen the power laws
OWN_FREEDOM = 8  # degrees of freedom from which a budget's own noise serves
_PARABOLA = 3


class Parabola(NamedTuple):
  """L = c2 x² + c1 x + c0 in x = log N - center; or arrays of draws of it."""

  center: float
  c2: np.ndarray
  c1: np.ndarray
  c0: np.ndarray

  def minimum(self) -> tuple[np.ndarray, np.ndarray]:
    """log N and L at the minimum; NaN where it opens downward."""
    c2 = np.where(self.c2 > 0, self.c2, np.nan)
    x = -self.c1 / (2 * c2)
    return self.center + x, self.c0 - self.c1**2 / (4 * c2)

  def loss(self, log_N: np.ndarray) -> np.ndarray:
    x = log_N - self.center
    return self.c2 * x**2 + self.c1 * x + self.c0


class Budget(NamedTuple):
  """One compute budget: its runs, its parabola, what it is worth.

  Attributes:
    C: FLOPs, the geometric mean over the runs.
    N, D, L: [n] of the runs.
    status: 'ok', 'too_few_points', 'no_degrees_of_freedom', 'no_minimum',
      'minimum_at_edge' or 'not_identified'.
    sentence: the status for people.
    notes: what else to know.
    parabola: None where there are too few models.
    noise: the scatter of log L about it; None where none is known.
    draws: what the parabola might have been; None where that is not known.
    local: log N of the minimum by Akima interpolation; NaN where it has none
      inside.
    local_draws: [B].
    bias: log N_opt, and L_min, minus the truth, as approach 3's law foretells;
      None without such a law.
  """

  C: float
  N: np.ndarray
  D: np.ndarray
  L: np.ndarray
  status: str
  sentence: str
  notes: tuple[str, ...] = ()
  parabola: Parabola | None = None
  noise: uncertainty.Noise | None = None
  draws: Parabola | None = None
  local: float = np.nan
  local_draws: np.ndarray | None = None
  bias: tuple[float, float] | None = None

  @property
  def counts(self) -> bool:
    """Whether the power laws may rest on this budget."""
    return self.status in ('ok', 'no_degrees_of_freedom')

  def tokens(self, log_N: np.ndarray) -> np.ndarray:
    """log D that C buys at log N, by the runs' own C / N, edges unclamped.

    log D is close to linear in log N: exactly so where C = 6 N D, and nearly
    where attention and head are counted in C.
    """
    slope, at_zero = self.token_line()
    return slope * log_N + at_zero

  @property
  def D_bias(self) -> float | None:
    """Of log D_opt, as `bias` is of log N_opt."""
    return self.token_line()[0] * self.bias[0] if self.bias else None

  def token_line(self) -> tuple[float, float]:
    slope, at_zero = np.polyfit(np.log(self.N), np.log(self.D), 1)
    return float(slope), float(at_zero)


class IsoFlop(NamedTuple):
  """The budgets, and N_opt and D_opt as power laws through them.

  Attributes:
    status, sentence: the verdict on the power laws.
    budgets: in the order of C.
    N_opt, D_opt: [2] slope and intercept of the logarithm against log C.
    N_draws, D_draws: [B, 2] what they might have been, or None.
    N_bias, D_bias: [2] of slope and intercept as foretold, or None.
  """

  status: str
  sentence: str
  budgets: tuple[Budget, ...]
  N_opt: np.ndarray | None = None
  D_opt: np.ndarray | None = None
  N_draws: np.ndarray | None = None
  D_draws: np.ndarray | None = None
  N_bias: np.ndarray | None = None
  D_bias: np.ndarray | None = None

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


def fit(
  groups: Sequence[tuple[float, np.ndarray, np.ndarray, np.ndarray]],
  law: laws.Chinchilla | None = None,
  draws: int = 4000,
  seed: int = 0,
) -> IsoFlop:
  """Fits every budget and the power laws through their minima.

  Args:
    groups: (C, N [n], D [n], L [n]) of each budget; seeds are runs like any.
    law: approach 3's, to foretell the parabolas' bias; None without.
    draws: what the study might have been, so many times; 0 for none.
    seed: of the draws.
  """
  groups = sorted(groups, key=lambda group: group[0])
  budgets = [_parabola_of(*group) for group in groups]
  rng = np.random.default_rng(seed)
  known = noises(budgets)
  # Budgets of one pooled noise share its size in every draw.
  scales = {noise: noise.scales(rng, draws) for noise in known if noise}
  fitted = []
  for budget, noise in zip(budgets, known):
    if budget.parabola is not None:
      budget = budget._replace(noise=noise)
      if noise and draws:
        budget = _with_draws(budget, scales[noise], rng)
      budget = _with_local(budget)
      budget = _judged(budget._replace(bias=_bias(budget, law)))
    fitted.append(budget)
  return _power_laws(tuple(fitted))


def noises(budgets: Sequence[Budget]) -> list[uncertainty.Noise | None]:
  """The noise of log L at each budget, from the parabolas' residuals.

  A budget with enough runs is judged by its own scatter: a grid so wide that a
  parabola misses it should not widen the others' intervals. The rest are
  pooled; where they have no freedom together, with all.
  """
  # Relative to the loss, which is positive where a parabola may not be.
  left = [
    1 - b.parabola.loss(np.log(b.N)) / b.L if b.parabola else np.empty(0)
    for b in budgets
  ]
  own = [
    uncertainty.noise_of(r, _PARABOLA)
    if len(r) - _PARABOLA >= OWN_FREEDOM
    else None
    for r in left
  ]

  def pool(residuals: list[np.ndarray]) -> uncertainty.Noise | None:
    together = np.concatenate([np.empty(0), *residuals])
    return uncertainty.noise_of(together, _PARABOLA * len(residuals))

  present = [r for r in left if len(r)]
  small = [r for r, noise in zip(left, own) if len(r) and noise is None]
  pooled = pool(small) or pool(present)
  return [noise or pooled for noise in own]


def _parabola_of(C, N, D, L) -> Budget:
  N, D, L = (np.asarray(x, float) for x in (N, D, L))
  order = np.argsort(N, kind='stable')
  budget = Budget(float(C), N[order], D[order], L[order], 'ok', '')
  kinds = len(np.unique(N))
  if kinds < _PARABOLA:
    return budget._replace(
      status='too_few_points',
      sentence=f'a parabola needs three models, and there are {kinds}',
    )
  return budget._replace(parabola=_least_squares(budget.N, budget.L))


def _least_squares(N: np.ndarray, L: np.ndarray) -> Parabola:
  """Through L [n] or through each of L [B, n]."""
  log_N = np.log(N)
  center = float(np.mean(log_N))
  solve = np.linalg.pinv(np.vander(log_N - center, _PARABOLA))
  c2, c1, c0 = np.moveaxis(L @ solve.T, -1, 0)
  return Parabola(center, c2, c1, c0)


def _with_draws(budget, scales, rng) -> Budget:
  """Draws about the parabola; for the second look, about the runs."""
  fitted = budget.parabola.loss(np.log(budget.N))
  shaken = np.exp(scales[:, None] * rng.normal(size=(len(scales), len(fitted))))
  inside, local = _akima(budget.N, budget.L * shaken)
  return budget._replace(
    draws=_least_squares(budget.N, fitted * shaken),
    local_draws=np.where(inside, local, np.nan),
  )


def _with_local(budget: Budget) -> Budget:
  inside, local = _akima(budget.N, budget.L[None])
  return budget._replace(local=float(local[0]) if inside[0] else np.nan)


def _akima(N: np.ndarray, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Whether Akima's curve through L [B, n] dips inside, and log N there [B]."""
  kinds, where = np.unique(N, return_inverse=True)
  share = np.equal.outer(np.arange(len(kinds)), where).astype(float)
  mean = L @ (share / share.sum(1, keepdims=True)).T
  log_N = np.log(kinds)
  fine = np.linspace(log_N[0], log_N[-1], 401)
  curve = interpolate.Akima1DInterpolator(log_N, mean.T)(fine)
  at = np.argmin(curve, axis=0)
  return (at > 0) & (at < len(fine) - 1), fine[at]


def _bias(budget: Budget, law: laws.Chinchilla | None):
  """(of log N_opt, of L_min): parabola minus law, where the law is the truth."""
  if law is None:
    return None
  slope, at_zero = budget.token_line()
  if slope >= 0:
    return None
  log_N = parametric.optimum_along(law, slope, at_zero)
  truth = law.loss(np.exp(log_N), np.exp(budget.tokens(log_N)))
  clean = _least_squares(budget.N, np.asarray(law.loss(budget.N, budget.D)))
  at, L = clean.minimum()
  if not np.isfinite(at):
    return None
  return float(at - log_N), float(L - truth)


def _judged(budget: Budget) -> Budget:
  assert budget.parabola is not None
  log_N, _ = budget.parabola.minimum()
  low, high = np.log(budget.N[[0, -1]])
  if not np.isfinite(log_N):
    return budget._replace(
      status='no_minimum', sentence='the parabola opens downward'
    )
  if not low <= log_N <= high:
    side, edge = ('below', 0) if log_N < low else ('above', -1)
    return budget._replace(
      status='minimum_at_edge',
      sentence=(
        f'the minimum lies {side} the models tried, whose'
        f' {"smallest" if edge == 0 else "largest"} has'
        f' {budget.N[edge]:.4g} parameters'
      ),
    )
  if budget.draws is not None:
    turned = float(np.mean(np.isnan(budget.draws.minimum()[0])))
    if turned > OPEN_DRAWS:
      return budget._replace(
        status='not_identified',
        sentence=(
          'noise of this size would turn the parabola over in'
          f' {turned:.0%} of such studies'
        ),
      )
  notes = []
  where = (log_N - (low + high) / 2) / ((high - low) / 2)
  if abs(where) > OFF_CENTRE:
    notes.append(
      'off-centre: the minimum lies in the outer'
      f' {"upper" if where > 0 else "lower"} quarter of the models tried, which'
      ' biases the parabola and the exponent'
    )
  if np.isnan(budget.local):
    notes.append("Akima's curve through the runs has no minimum inside")
  if len(budget.L) > _PARABOLA:
    return budget._replace(notes=tuple(notes))
  borrowed = (
    'the interval borrows the noise of the other budgets'
    if budget.noise
    else 'no noise is known to draw an interval from'
  )
  return budget._replace(
    status='no_degrees_of_freedom',
    sentence=f'a parabola passes through any three points; {borrowed}',
    notes=tuple(notes),
  )


def _power_laws(budgets) -> IsoFlop:
  used = [budget for budget in budgets if budget.counts]
  if len(used) < 2:
    return IsoFlop(
      'too_few_points',
      f'{len(used)} of {len(budgets)} budgets show a minimum inside the models'
      ' tried, and a power law needs two',
      budgets,
    )
  log_C = np.log([budget.C for budget in used])
  solve = np.linalg.pinv(np.vander(log_C, 2)).T
  log_N = np.array([budget.parabola.minimum()[0] for budget in used])
  log_D = np.array([b.tokens(n) for b, n in zip(used, log_N)])
  out = IsoFlop('ok', '', budgets, log_N @ solve, log_D @ solve)
  left_out = len(budgets) - len(used)
  sentence = f'through {len(used)} budgets' + (
    f'; {left_out} left out, see each' if left_out else ''
  )
  if all(budget.bias is not None for budget in used):
    N_bias = np.array([budget.bias[0] for budget in used])
    D_bias = np.array([budget.D_bias for budget in used])
    out = out._replace(N_bias=N_bias @ solve, D_bias=D_bias @ solve)
  if any(budget.noise is None for budget in used):
    return out._replace(
      status='no_degrees_of_freedom',
      sentence=sentence + '; three models a budget leave no noise to judge by',
    )
  if any(budget.draws is None for budget in used):
    return out._replace(sentence=sentence)
  drawn_N = np.stack([b.draws.minimum()[0] for b in used], -1)
  drawn_D = np.stack([b.tokens(n) for b, n in zip(used, drawn_N.T)], -1)
  ratio = _scatter(log_C, log_N, drawn_N)
  if ratio > 1.05:  # what is widened by less needs no word
    sentence += (
      f'; the minima scatter {ratio:.1f} times as much about the line as their'
      " noise would have them, and the line's intervals are that much wider"
    )
  return out._replace(
    sentence=sentence,
    N_draws=out.N_opt + ratio * (lines(log_C, drawn_N) - out.N_opt),
    D_draws=out.D_opt + ratio * (lines(log_C, drawn_D) - out.D_opt),
  )


def _scatter(x: np.ndarray, y: np.ndarray, drawn: np.ndarray) -> float:
  """Birge's ratio of y [k] about its line, sds from drawn [B, k]; or 1.

  1 where noise explains the scatter, and for two points, through which a line
  passes whatever they are.
  """
  dof = len(x) - 2
  if dof < 1:
    return 1.0
  low, high = np.nanquantile(drawn, [0.16, 0.84], axis=0)  # robust sds
  off = (y - np.polyval(np.polyfit(x, y, 1), x)) / ((high - low) / 2 + 1e-12)
  squares = float(np.sum(off**2))
  if stats.chi2.sf(squares, dof) > SCATTER_CHANCE:
    return 1.0  # noise alone scatters like this
  return float(np.sqrt(squares / dof))


def lines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """[B, 2] slope and intercept through each of y [B, k] at x [k] or [B, k].

  A budget that shows no minimum in a draw is left out of it, as it would be
  left out of a study.
  """
  w = (np.isfinite(y) & np.isfinite(x)).astype(float)
  x, y = np.where(w > 0, x, 0.0), np.where(w > 0, y, 0.0)
  n = w.sum(-1)
  with np.errstate(divide='ignore', invalid='ignore'):
    mean_x, mean_y = (w * x).sum(-1) / n, (w * y).sum(-1) / n
    off = w * (x - mean_x[:, None])
    slope = (off * y).sum(-1) / (off * x).sum(-1)
  slope = np.where(n >= 2, slope, np.nan)
  return np.stack([slope, mean_y - slope * mean_x], -1)


def at(found: IsoFlop, C: float, level: float):
  """N_opt and D_opt at C FLOPs, from the power laws, with intervals."""
  assert found.N_opt is not None and found.D_opt is not None
  return tuple(
    uncertainty.power_law_at(line, draws, C, level, bias)
    for line, draws, bias in (
      (found.N_opt, found.N_draws, found.N_bias),
      (found.D_opt, found.D_draws, found.D_bias),
    )
  )


def estimates(budget: Budget, level: float) -> dict[str, uncertainty.Estimate]:
  """N_opt, D_opt and L_min of a budget, widened by the foretold bias."""
  names = ('N_opt', 'D_opt', 'L_min')
  if budget.parabola is None:
    return {name: uncertainty.unknown() for name in names}
  log_N, L = budget.parabola.minimum()
  drawn_N = drawn_D = drawn_L = None
  if budget.draws is not None:
    drawn_N, drawn_L = budget.draws.minimum()
    drawn_D = budget.tokens(drawn_N)
  N_bias, L_bias = budget.bias or (None, None)
  widen, exp_estimate = uncertainty.widen, uncertainty.exp_estimate
  found = (
    widen(exp_estimate(log_N, drawn_N, level), N_bias, ratio=True),
    widen(
      exp_estimate(budget.tokens(log_N), drawn_D, level), budget.D_bias, True
    ),
    widen(uncertainty.estimate(L, drawn_L, level), L_bias),
  )
  return dict(zip(names, found))
