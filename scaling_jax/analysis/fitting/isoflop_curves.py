"""The curves of every budget, fitted, drawn again and judged."""

from collections.abc import Sequence
import dataclasses

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import isoflop_joint
from scaling_jax.analysis.fitting import parabola as parabolas
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.cells import pooled_seed_sd
from scaling_jax.analysis.fitting.cells import spread_of_means
from scaling_jax.analysis.fitting.isoflop_budget import Group
from scaling_jax.analysis.fitting.isoflop_budget import IsoflopBudget
from scaling_jax.analysis.fitting.isoflop_budget import Minima
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import isoflop as messages

MIN_MODELS = 3  # of different N, for a curve
MIN_FREEDOM = 2  # degrees of freedom that the joint curve needs, of all budgets
OFF_CENTER = 0.5  # of the half range of log N, from its middle
NOTED_DRAWS = 0.005  # the share of draws without a minimum that is told
# That is too many: an interval at LEVEL is open from here on.
OPEN_DRAWS = (1 - LEVEL) / 2
OWN_FREEDOM = isoflop_joint.OWN_FREEDOM
CURVES = ('joint', 'parabola')


def fit_budgets(
  groups: Sequence[Group],
  law: laws.Chinchilla | None,
  bootstrap: Bootstrap,
  curve: str = 'joint',
) -> tuple[IsoflopBudget, ...]:
  """Every budget with its curves and its status, in the order of C.

  Raises:
    ValueError: no curve has that name.
  """
  if curve not in CURVES:
    raise ValueError(f'curve={curve!r} must be one of {", ".join(CURVES)}')
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
      budget = dataclasses.replace(budget, bias=_bias(budget, law))
    fitted.append(budget)
  if curve != 'parabola':
    fitted = _with_joint(fitted, bootstrap.draws, rng)
  for i, budget in enumerate(fitted):
    if budget.parabola is not None:
      fitted[i] = _judged(_with_local(budget, bootstrap.draws, rng))
  return tuple(fitted)


def residual_sds(
  budgets: Sequence[IsoflopBudget],
) -> list[ResidualSD | None]:
  """The sd of log L at each budget, from the parabolas' residuals.

  Seeds of one N are one datum. A budget with enough is judged by its own
  residuals: a grid so wide that a parabola misses it should not widen the
  others' intervals. The rest are pooled; where they have no freedom together,
  with all.
  """
  # Relative to the loss, which is positive where a parabola may not be.
  residuals = [
    1 - b.parabola.loss(np.log(b.cells.N)) / b.cells.loss
    if b.parabola
    else np.empty(0)
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
  kinds = len(budget.cells)
  if kinds < MIN_MODELS:
    return dataclasses.replace(
      budget,
      status=Status.TOO_FEW_POINTS,
      message=messages.too_few_models(kinds, MIN_MODELS),
    )
  curve = parabolas.least_squares(budget.cells.N, budget.cells.loss)
  return dataclasses.replace(budget, parabola=curve)


def _with_draws(
  budget: IsoflopBudget, scales: np.ndarray, rng: np.random.Generator
) -> IsoflopBudget:
  """Draws about the parabola, each with a residual sd of its own."""
  assert budget.parabola is not None
  N = budget.cells.N
  fitted = np.asarray(budget.parabola.loss(np.log(N)))
  shaken = np.exp(scales[:, None] * rng.normal(size=(len(scales), len(N))))
  drawn = parabolas.least_squares(N, fitted * shaken).minimum()
  return dataclasses.replace(budget, draws=Minima(*map(np.asarray, drawn)))


def _with_joint(
  budgets: list[IsoflopBudget], draws: int, rng: np.random.Generator
) -> list[IsoflopBudget]:
  """The budgets with joint curves, where their data suffice."""
  some = [i for i, b in enumerate(budgets) if b.parabola is not None]
  cells = [budgets[i].cells for i in some]
  if isoflop_joint.freedom([len(one) for one in cells]) < MIN_FREEDOM:
    return budgets
  log_C = np.log([budgets[i].C for i in some])
  log_N, loss = [np.log(one.N) for one in cells], [one.loss for one in cells]
  spread = None
  if any(one.seeds for one in cells):
    spread = _spread(cells, isoflop_joint.fit(log_C, log_N, loss, 0, rng))
  found = isoflop_joint.fit(log_C, log_N, loss, draws, rng, spread)
  out = list(budgets)
  for k, i in enumerate(some):
    drawn = found.draws[k].minimum()
    before = budgets[i].draws
    out[i] = dataclasses.replace(
      budgets[i],
      joint=found.curves[k],
      residual_sd=found.residual_sd[k],
      draws=Minima(*map(np.asarray, drawn)) if draws else None,
      parabola_draws=before.log_N if before is not None else None,
      bias=None,
    )
  return out


def _spread(
  cells: Sequence[Cells], found: isoflop_joint.JointFit
) -> list[np.ndarray] | None:
  """By how much means of unlike many seeds differ in their scatter."""
  residual_sd = ResidualSD.pooled(set(found.residual_sd))
  assert residual_sd is not None
  spread = spread_of_means(
    np.concatenate([one.count for one in cells]),
    pooled_seed_sd(cells),
    residual_sd,
  )
  if spread is None:
    return None
  ends = np.cumsum([len(one) for one in cells])[:-1]
  return np.split(spread, ends)


def _with_local(
  budget: IsoflopBudget, draws: int, rng: np.random.Generator
) -> IsoflopBudget:
  """The second look by Akima's curve, with draws about the runs."""
  N, L = budget.cells.N, budget.cells.loss
  local = float(parabolas.akima_minimum(N, L[None])[0])
  drawn = None
  if budget.residual_sd and draws:
    scales = budget.residual_sd.scales(rng, draws)
    shaken = np.exp(scales[:, None] * rng.normal(size=(draws, len(N))))
    drawn = parabolas.akima_minimum(N, L * shaken)
  return dataclasses.replace(budget, local=local, local_draws=drawn)


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
  cells = Cells.of(budget.N, np.ones_like(budget.N), clean)
  at, L = parabolas.least_squares(cells.N, cells.loss).minimum()
  if not np.isfinite(at - log_N):
    return None
  return float(at - log_N), float(L - truth)


def _judged(budget: IsoflopBudget) -> IsoflopBudget:
  """The budget with its status, which a curve has by now."""
  log_N = budget.minimum()[0]
  low, high = np.log(budget.N[[0, -1]])
  status, message = Status.OK, ''
  hidden = 0.0
  if budget.draws is not None:
    hidden = float(np.mean(np.isnan(budget.draws.log_N)))
  if not np.isfinite(log_N):
    status, message = Status.NO_MINIMUM, messages.no_minimum()
  elif not low <= log_N <= high:
    status, below = Status.MINIMUM_AT_EDGE, log_N < low
    message = messages.minimum_at_edge(below, budget.N[0 if below else -1])
  elif hidden > OPEN_DRAWS:
    status, message = Status.NOT_IDENTIFIED, messages.turned_over(hidden)
  elif len(budget.cells) <= parabolas.N_COEFFICIENTS:
    status = Status.NO_DEGREES_OF_FREEDOM
    message = messages.three_points(budget.residual_sd is not None)
  budget = dataclasses.replace(budget, status=status, message=message)
  return dataclasses.replace(
    budget, notes=_notes(budget, hidden) if budget.counts else ()
  )


def _notes(budget: IsoflopBudget, hidden: float) -> tuple[str, ...]:
  """`hidden` is the share of draws without a minimum."""
  low, high = np.log(budget.N[[0, -1]])
  where = (budget.minimum()[0] - (low + high) / 2) / ((high - low) / 2)
  notes = []
  if hidden > NOTED_DRAWS:
    notes.append(messages.often_turned_over(hidden))
  if abs(where) > OFF_CENTER:
    notes.append(messages.off_center(where > 0, budget.joint is None))
  if np.isnan(budget.local):
    notes.append(messages.no_akima_minimum())
  if looks_differ(budget):
    N = float(np.exp(budget.minimum()[0]))
    looks = budget.N_parabola().value, budget.N_local().value
    notes.append(messages.looks_differ(N, *looks))
  return tuple(notes)


def looks_differ(budget: IsoflopBudget) -> bool:
  """Whether joint curve and parabola part by more than the noise of both."""
  if budget.joint is None or budget.draws is None:
    return False
  joint, parabola = budget.optimum().N, budget.N_parabola()
  inside = joint.holds(parabola.value), parabola.holds(joint.value)
  return inside == (False, False)
