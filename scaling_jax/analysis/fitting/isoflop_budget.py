"""One compute budget of approach 2: its parabola, and the minimum of that."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import parabola as parabolas
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.parabola import Parabola
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import isoflop as messages

MIN_MODELS = 3  # of different N, for a parabola
OFF_CENTER = 0.5  # of the half range of log N, from its middle
OPEN_DRAWS = 0.01  # the share of draws without a minimum that is too many
OWN_FREEDOM = 8  # degrees of freedom from which a budget's own residuals serve


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
  """The runs of one compute budget; seeds are runs like any.

  Attributes:
    C: FLOPs, the geometric mean over the runs.
    N, D, loss: [n] of the runs.
  """

  C: float
  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class IsoflopBudget:
  """One compute budget: its runs, its parabola, and the minimum of that.

  Attributes:
    status: 'ok', 'too_few_points', 'no_degrees_of_freedom', 'no_minimum',
      'minimum_at_edge' or 'not_identified'.
    message: the status for people; '' where it is 'ok'.
    notes: what else speaks against the minimum.
    C: FLOPs, the geometric mean over the runs.
    N, D, loss: [n] of the runs, in the order of N.
    parabola: of the loss; None where there are too few models.
    residual_sd: of log L about it; None where none is known.
    draws: what the parabola might have been; None where that is not known.
    local: log N of the minimum by Akima interpolation; nan where it has none
      inside.
    local_draws: [B] what that might have been.
    bias: log N_opt, and L_min, minus the truth, as approach 3's law predicts;
      None without such a law.
  """

  status: Status
  message: str = ''
  notes: tuple[str, ...] = ()
  C: float
  N: np.ndarray
  D: np.ndarray
  loss: np.ndarray
  parabola: Parabola | None = None
  residual_sd: ResidualSD | None = None
  draws: Parabola | None = None
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
    if self.parabola is None:
      return {
        'N_opt': Estimate(log=True),
        'D_opt': Estimate(log=True),
        'L_min': Estimate(),
      }
    log_N, L = map(float, self.parabola.minimum())
    drawn_N = drawn_D = drawn_L = None
    if self.draws is not None:
      drawn_N, drawn_L = map(np.asarray, self.draws.minimum())
      drawn_D = np.asarray(self.log_D(drawn_N))
    N_bias, L_bias = self.bias or (None, None)
    log_D = float(self.log_D(log_N))
    return {
      'N_opt': Estimate(log_N, drawn_N, bias=N_bias, log=True),
      'D_opt': Estimate(log_D, drawn_D, bias=self.D_bias, log=True),
      'L_min': Estimate(L, drawn_L, bias=L_bias),
    }

  def optimum(self, level: float = LEVEL) -> Allocation:
    """The minimum of the parabola, its loss included."""
    found = {name: x.at(level) for name, x in self.estimates().items()}
    return Allocation(
      C=Interval.exact(self.C),
      N=found['N_opt'],
      D=found['D_opt'],
      loss=found['L_min'],
    )

  def N_local(self, level: float = LEVEL) -> Interval:
    """N where Akima's curve through the runs is lowest."""
    return Estimate(self.local, self.local_draws, log=True).at(level)


def fit_budgets(
  groups: Sequence[Group], law: laws.Chinchilla | None, bootstrap: Bootstrap
) -> tuple[IsoflopBudget, ...]:
  """Every budget with its parabola and its status, in the order of C."""
  groups = sorted(groups, key=lambda group: group.C)
  budgets = [_parabola_of(group) for group in groups]
  rng = np.random.default_rng(bootstrap.seed)
  found = residual_sds(budgets)
  # Budgets of one pooled sd share its size in every draw.
  scales = {sd: sd.scales(rng, bootstrap.draws) for sd in found if sd}
  fitted = []
  for budget, sd in zip(budgets, found):
    if budget.parabola is not None:
      budget = dataclasses.replace(budget, residual_sd=sd)
      if sd and bootstrap.draws:
        budget = _with_draws(budget, scales[sd], rng)
      local = parabolas.akima_minimum(budget.N, budget.loss[None])
      budget = dataclasses.replace(
        budget, local=float(local[0]), bias=_bias(budget, law)
      )
      budget = _judged(budget)
    fitted.append(budget)
  return tuple(fitted)


def residual_sds(
  budgets: Sequence[IsoflopBudget],
) -> list[ResidualSD | None]:
  """The sd of log L at each budget, from the parabolas' residuals.

  A budget with enough runs is judged by its own residuals: a grid so wide that
  a parabola misses it should not widen the others' intervals. The rest are
  pooled; where they have no freedom together, with all.
  """
  # Relative to the loss, which is positive where a parabola may not be.
  residuals = [
    1 - b.parabola.loss(np.log(b.N)) / b.loss if b.parabola else np.empty(0)
    for b in budgets
  ]
  k = parabolas.N_COEFFICIENTS
  own = [
    ResidualSD.of(r, k) if len(r) - k >= OWN_FREEDOM else None
    for r in residuals
  ]

  def pool(some: list[np.ndarray]) -> ResidualSD | None:
    return ResidualSD.of(np.concatenate([np.empty(0), *some]), k * len(some))

  present = [r for r in residuals if len(r)]
  small = [r for r, sd in zip(residuals, own) if len(r) and sd is None]
  pooled = pool(small) or pool(present)
  return [sd or pooled for sd in own]


def _parabola_of(group: Group) -> IsoflopBudget:
  N, D, L = (np.asarray(x, float) for x in (group.N, group.D, group.loss))
  order = np.argsort(N, kind='stable')
  budget = IsoflopBudget(
    status=Status.OK, C=float(group.C), N=N[order], D=D[order], loss=L[order]
  )
  kinds = len(np.unique(N))
  if kinds < MIN_MODELS:
    return dataclasses.replace(
      budget,
      status=Status.TOO_FEW_POINTS,
      message=messages.too_few_models(kinds, MIN_MODELS),
    )
  curve = parabolas.least_squares(budget.N, budget.loss)
  return dataclasses.replace(budget, parabola=curve)


def _with_draws(
  budget: IsoflopBudget, scales: np.ndarray, rng: np.random.Generator
) -> IsoflopBudget:
  """Draws about the parabola; for the second look, about the runs."""
  assert budget.parabola is not None
  fitted = np.asarray(budget.parabola.loss(np.log(budget.N)))
  shaken = np.exp(scales[:, None] * rng.normal(size=(len(scales), len(fitted))))
  return dataclasses.replace(
    budget,
    draws=parabolas.least_squares(budget.N, fitted * shaken),
    local_draws=parabolas.akima_minimum(budget.N, budget.loss * shaken),
  )


def _bias(
  budget: IsoflopBudget, law: laws.Chinchilla | None
) -> tuple[float, float] | None:
  """(of log N_opt, of L_min): parabola minus law, where the law is the truth."""
  if law is None:
    return None
  slope, at_zero = budget.token_line()
  if slope >= 0:
    return None
  log_N = law.log_N_opt(at_zero, slope)
  truth = law.loss(np.exp(log_N), np.exp(budget.log_D(log_N)))
  clean = np.asarray(law.loss(budget.N, budget.D))
  at, L = parabolas.least_squares(budget.N, clean).minimum()
  if not np.isfinite(at - log_N):
    return None
  return float(at - log_N), float(L - truth)


def _judged(budget: IsoflopBudget) -> IsoflopBudget:
  """The budget with its status, which a parabola has by now."""
  assert budget.parabola is not None
  log_N = float(budget.parabola.minimum()[0])
  low, high = np.log(budget.N[[0, -1]])
  status, message = Status.OK, ''
  turned = 0.0
  if budget.draws is not None:
    turned = float(np.mean(np.isnan(budget.draws.minimum()[0])))
  if not np.isfinite(log_N):
    status, message = Status.NO_MINIMUM, messages.no_minimum()
  elif not low <= log_N <= high:
    status, below = Status.MINIMUM_AT_EDGE, log_N < low
    message = messages.minimum_at_edge(below, budget.N[0 if below else -1])
  elif turned > OPEN_DRAWS:
    status, message = Status.NOT_IDENTIFIED, messages.turned_over(turned)
  elif len(budget.loss) <= parabolas.N_COEFFICIENTS:
    status = Status.NO_DEGREES_OF_FREEDOM
    message = messages.three_points(budget.residual_sd is not None)
  budget = dataclasses.replace(budget, status=status, message=message)
  return dataclasses.replace(
    budget, notes=_notes(budget, log_N) if budget.counts else ()
  )


def _notes(budget: IsoflopBudget, log_N: float) -> tuple[str, ...]:
  low, high = np.log(budget.N[[0, -1]])
  where = (log_N - (low + high) / 2) / ((high - low) / 2)
  notes = []
  if abs(where) > OFF_CENTER:
    notes.append(messages.off_center(where > 0))
  if np.isnan(budget.local):
    notes.append(messages.no_akima_minimum())
  return tuple(notes)
