"""Approach 2: at each budget a curve in log N, then power laws in C.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.2, took parabolas. A parabola
is an approximation: where the grid of models is wide or lies off its minimum,
it puts the minimum elsewhere than the law behind the losses has it. So the
curves are sums of two exponentials whose exponents all budgets share
(`isoflop_joint`); a parabola and an Akima interpolation of the same points are
second looks, and a note says where they differ. Budgets with too few runs for
that keep their parabolas, whose bias, as approach 3's law predicts it, widens
the intervals.
"""

from collections.abc import Sequence
import dataclasses
from typing import ClassVar

import numpy as np
from scipy import special

from scaling_jax import laws
from scaling_jax.analysis.fitting import optimum
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.isoflop_budget import Group
from scaling_jax.analysis.fitting.isoflop_budget import IsoflopBudget
from scaling_jax.analysis.fitting.isoflop_curves import fit_budgets
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import isoflop as messages

MIN_BUDGETS = 2  # with a minimum, for a power law
SCATTER_CHANCE = 0.05  # minima that scatter so rarely widen the power laws
_FEW = 0.5  # the share of budgets with a minimum, below which caution is due
_NOTED_RATIO = 1.05  # intervals that are widened by less need no message


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class IsoflopFit(optimum.OptimumFit):
  """N_opt and D_opt as power laws through the minima of the budgets.

  Attributes:
    budgets: in the order of C; those that `counts` carry the laws.

  >>> from scaling_jax.published import HOFFMANN
  >>> C = np.array([1e18, 1e19, 1e20])
  >>> grid = np.array([0.4, 0.6, 1, 1.6, 2.5])
  >>> found = fit([
  ...   Group(c, n, c / 6 / n, HOFFMANN.loss(n, c / 6 / n))
  ...   for c, n in zip(C, HOFFMANN.optimum(C).N[:, None] * grid)
  ... ], bootstrap=Bootstrap(draws=100))
  >>> str(found.status), round(found.params['exponent_N'], 2)
  ('ok', 0.45)
  >>> found.optimum(C=1e21).N.known
  True
  """

  title: ClassVar[str] = 'Approach 2: N_opt and D_opt by isoFLOP curves'

  budgets: tuple[IsoflopBudget, ...] = ()


def fit(
  groups: Sequence[Group],
  law: laws.Chinchilla | None = None,
  bootstrap: Bootstrap | None = None,
  curve: str = 'joint',
) -> IsoflopFit:
  """Fits every budget, and the power laws through their minima.

  Args:
    groups: the runs of each budget, in any order.
    law: approach 3's, which predicts the parabolas' bias; None without.
    bootstrap: how many draws, and their seed; new losses are always drawn from
      the residuals.
    curve: 'joint' for joint curves where the data suffice for them, or
      'parabola' for parabolas alone.

  Returns:
    'ok'; 'too_few_points' where fewer than two budgets show a minimum;
    'no_degrees_of_freedom' where no budget has residuals.

  Raises:
    ValueError: no curve has that name.

  >>> fit([]).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  return _power_laws(fit_budgets(groups, law, bootstrap or Bootstrap(), curve))


def _power_laws(budgets: tuple[IsoflopBudget, ...]) -> IsoflopFit:
  """The laws through the minima of the budgets that count."""
  used = [budget for budget in budgets if budget.counts]
  C = np.array([budget.C for budget in used])
  log_N = np.array([b.minimum()[0] for b in used], float)
  log_D = np.array([b.log_D(n) for b, n in zip(used, log_N)], float)
  if len(used) < MIN_BUDGETS:
    status = Status.TOO_FEW_POINTS
    message = messages.too_few_budgets(len(used), len(budgets), MIN_BUDGETS)
    N_opt, D_opt = optimum.no_lines(
      status, message, C, np.exp(log_N), np.exp(log_D)
    )
    return IsoflopFit(
      status=status, message=message, budgets=budgets, N_opt=N_opt, D_opt=D_opt
    )
  status = Status.OK
  message = messages.fitted(len(used), len(budgets) - len(used))
  if len(used) < _FEW * len(budgets):
    message = messages.few_of_many(message, len(used), len(budgets))
  drawn_N = drawn_D = None
  if any(budget.residual_sd is None for budget in used):
    status = Status.NO_DEGREES_OF_FREEDOM
    message = messages.no_freedom(message)
  elif all(budget.draws is not None for budget in used):
    drawn = np.stack([b.draws.log_N for b in used if b.draws], -1)
    ratio = _scatter(np.log(C), log_N, drawn)
    if ratio > _NOTED_RATIO:
      message = messages.scattered(message, ratio)
    budgets, used = _stretched(budgets, ratio)
    drawn_N = np.stack([b.draws.log_N for b in used if b.draws], -1)
    drawn_D = np.stack([b.log_D(n) for b, n in zip(used, drawn_N.T)], -1)

  def law(log_y, bias, drawn) -> PowerLawFit:
    line, line_draws, line_bias = _line(C, log_y, bias, drawn)
    return PowerLawFit(
      status=status,
      message=message,
      x=C,
      y=np.exp(log_y),
      line=line,
      line_draws=line_draws,
      bias=line_bias,
    )

  found = IsoflopFit(
    status=status,
    message=message,
    budgets=budgets,
    N_opt=law(log_N, [b.bias[0] if b.bias else None for b in used], drawn_N),
    D_opt=law(log_D, [b.D_bias for b in used], drawn_D),
  )
  return dataclasses.replace(found, notes=_notes(found, used))


def _stretched(
  budgets: Sequence[IsoflopBudget], ratio: float
) -> tuple[tuple[IsoflopBudget, ...], list[IsoflopBudget]]:
  """All budgets, and those that count, their minima's draws `ratio` as wide.

  What moves minima off their line moves each of them.
  """
  out = []
  for budget in budgets:
    if budget.counts and budget.draws is not None:
      at = budget.minimum()[0]
      log_N = at + ratio * (budget.draws.log_N - at)
      draws = budget.draws._replace(log_N=log_N)
      budget = dataclasses.replace(budget, draws=draws)
    out.append(budget)
  return tuple(out), [budget for budget in out if budget.counts]


def _notes(found: IsoflopFit, used: Sequence[IsoflopBudget]) -> tuple[str, ...]:
  """What else speaks for or against the laws through budgets `used`."""
  notes = []
  if len(used) == MIN_BUDGETS:
    notes.append(messages.two_budgets())
  log_N = np.array([np.log(b.N_parabola().value) for b in used if b.joint])
  if len(log_N) == len(used) and np.isfinite(log_N).all():
    line = power_law.lines(np.log([b.C for b in used]), log_N[None])
    exponent = float(line[0, 0])
    interval = found.N_opt.estimates()['exponent'].at()
    differs = interval.holds(exponent) is False
    notes.append(messages.by_parabolas(exponent, differs))
  return tuple(notes)


def _line(
  C: np.ndarray,
  log_y: np.ndarray,
  bias: Sequence[float | None],
  drawn: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
  """The line through log y [k], its draws [B, 2], and its bias [2].

  Args:
    C: [k] FLOPs.
    log_y: [k].
    bias: [k] of log_y; one that is None leaves the line's unknown.
    drawn: [B, k] what log_y might have been, or None.
  """
  log_C = np.log(C)
  solve = np.linalg.pinv(np.vander(log_C, 2)).T
  line = log_y @ solve
  draws = of_line = None
  if drawn is not None:
    draws = power_law.lines(log_C, drawn)
  if None not in bias:
    of_line = np.array(bias, float) @ solve
  return line, draws, of_line


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
  if special.chdtrc(dof, squares) > SCATTER_CHANCE:
    return 1.0  # noise alone scatters like this
  return float(np.sqrt(squares / dof))
