"""An experiment judged before it is trained: what its runs will resolve."""

import collections
from collections.abc import Sequence
import dataclasses
import math
from typing import NamedTuple

import numpy as np

from scaling_jax import budget as budget_lib
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.isoflop_budget import IsoflopBudget
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.simulate import Design as RunDesign
from scaling_jax.analysis.runs import budgets as budgets_lib
from scaling_jax.planner import messages
from scaling_jax.planner import next_run
from scaling_jax.planner import predict_intervals
from scaling_jax.planner import prior
from scaling_jax.planner.configs import PlannedRun
from scaling_jax.planner.law import Law
from scaling_jax.planner.next_run import RunValues
from scaling_jax.planner.noise import Noise
from scaling_jax.planner.plan_notes import EPOCHS_FREE
from scaling_jax.planner.predict_intervals import QUANTITIES
from scaling_jax.planner.predict_intervals import Answer
from scaling_jax.planner.predict_intervals import Ask
from scaling_jax.planner.predict_intervals import PredictedStudy
from scaling_jax.planner.run_value import Question

_MIDDLE = (0.16, 0.5, 0.84)
_SEEN = (0.1, 0.9)  # of the plausible minima, that a budget should cover


class Settings(NamedTuple):
  """How a design is judged.

  Attributes:
    noise: sd of log L about the law.
    seed_noise: sd of log L between seeds.
    level: of the intervals.
    laws: how many plausible laws.
    draws: refits of each law's study.
    seed: of all that is drawn.
  """

  noise: float = 0.003
  seed_noise: float = 0.00075
  level: float = 0.95
  laws: int = 120
  draws: int = 300
  seed: int = 0

  @property
  def log_noise(self) -> Noise:
    return Noise(self.noise, self.seed_noise)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ApproachForecast:
  """How often an approach answers, and how wide its intervals will be.

  Half widths are half of an interval: of E as a share of E, of N_opt in log N.
  Each is the middle one of the laws, between the ends of two laws in three; inf
  where it is open.

  Attributes:
    answers: the share of laws for which it is ok.
    statuses: the share of laws for each status.
    half_widths: by quantity, where it answers: what a study that did answer is
      to be held against.
    half_widths_of_all: the same over all of the laws, open where there is no
      answer: what designs are to be compared by, because one that answers more
      often must not look worse for it.
  """

  answers: float
  statuses: dict[str, float]
  half_widths: dict[str, Interval]
  half_widths_of_all: dict[str, Interval]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BudgetForecast:
  """What a budget will show of its minimum.

  Attributes:
    C: FLOPs.
    n_models: of different N.
    N_low, N_high: the smallest and the largest.
    shows_minimum: the share of laws for which the power laws may rest on it.
    statuses: the share of laws for each status.
    N_opt_low, N_opt_high: nine in ten of the plausible minima lie above the
      one, and nine in ten below the other.
    add: names of shapes that would bring those inside.
  """

  C: float
  n_models: int
  N_low: float
  N_high: float
  shows_minimum: float
  statuses: dict[str, float]
  N_opt_low: float
  N_opt_high: float
  add: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Design:
  """What an experiment will resolve, run by run.

  Attributes:
    settings: how it was judged.
    laws: what the plausible laws are.
    n_runs: how many runs.
    C_total: FLOPs of all of them, 6 N D.
    target: FLOPs at which N_opt is asked for.
    approaches: 'isoflop' and 'chinchilla', which are approaches 2 and 3.
    budgets: of approach 2, in the order of C.
    run_values: what each run adds, and the best to add; None where approach 3
      will not answer.
    notes: what to keep in mind, a sentence each.
  """

  settings: Settings
  laws: str
  n_runs: int
  C_total: float
  target: float
  approaches: dict[str, ApproachForecast]
  budgets: tuple[BudgetForecast, ...]
  run_values: RunValues | None
  notes: tuple[str, ...]

  def to_json(self) -> str:
    """The same for machines; docs/planner.md has its fields."""
    from scaling_jax.planner import schema

    return schema.dumps(schema.of_design(self))

  def __str__(self) -> str:
    from scaling_jax.planner import design_tables

    return design_tables.text(self)

  def _repr_html_(self) -> str:
    from scaling_jax.planner import design_tables

    return design_tables.html(self)


def judge(
  runs: Sequence[PlannedRun],
  law: Law | None = None,
  settings: Settings | None = None,
) -> Design:
  """What the runs will resolve.

  Args:
    runs: of `configs.planned_runs`.
    law: that is known already, to draw plausible laws near; None for laws over
      the ranges that studies have shown.
    settings: how.

  Raises:
    UserError: the law has not the form E + A/N^alpha + B/D^beta.
  """
  settings = settings or Settings()
  plan = columns(runs)
  laws, studies, target = simulate(plan, law, settings)
  question = Question(laws.law, settings.log_noise, target, settings.level)
  return Design(
    settings=settings,
    laws=laws.source,
    n_runs=len(runs),
    C_total=float(sum(run.row.flops_6ND for run in runs)),
    target=target,
    approaches={name: forecast(name, studies) for name in QUANTITIES},
    budgets=_budgets(laws, studies),
    run_values=next_run.values(runs, question),
    notes=tuple(_notes(runs, plan)),
  )


def columns(runs: Sequence[PlannedRun]) -> RunDesign:
  """C, N and D of each run, [n]."""
  rows = [run.row for run in runs]
  return RunDesign(
    *(np.array([getattr(row, x) for row in rows], float) for x in 'CND')
  )


class Simulated(NamedTuple):
  """Plausible laws, a study of each, and the FLOPs that N_opt is asked at."""

  laws: prior.Prior
  studies: list[PredictedStudy]
  target: float


def simulate(plan: RunDesign, law: Law | None, settings: Settings) -> Simulated:
  """The studies that `judge` rests on; arguments as there."""
  rng = np.random.default_rng(settings.seed)
  middle = math.sqrt(plan.C.min() * plan.C.max())
  laws = (
    prior.anywhere(middle, settings.laws, rng)
    if law is None
    else prior.near(law, settings.laws, rng)
  )
  target = predict_intervals.AHEAD * float(plan.C.max())
  studies = predict_intervals.studies(
    plan,
    laws.law,
    settings.log_noise,
    ask=Ask(target, settings.level, settings.draws),
    rng=rng,
  )
  return Simulated(laws, studies, target)


def half_width(name: str, found: Interval) -> float:
  """Half of an interval; of E as a share of it, of N_opt in log N.

  inf where it has an open end, or is unknown.

  >>> half_width('alpha', Interval(2.0, 1.0, 4.0))
  1.5
  """
  if not found.known:
    return math.inf
  if name == 'N_opt':
    return math.log(found.high / found.low) / 2 if found.low > 0 else math.inf
  return (found.high - found.low) / 2 / (found.value if name == 'E' else 1)


def forecast(name: str, studies: Sequence[PredictedStudy]) -> ApproachForecast:
  """What an approach will state, over the studies of all laws."""
  found: list[Answer] = [getattr(one, name) for one in studies]
  answered, of_all = {}, {}
  for quantity in QUANTITIES[name]:
    half = [
      half_width(quantity, one.intervals[quantity])
      for one in found
      if one.status == Status.OK
    ]
    answered[quantity] = _middle(half)
    of_all[quantity] = _middle(half + [math.inf] * (len(found) - len(half)))
  statuses = _shares(one.status for one in found)
  return ApproachForecast(
    answers=statuses.get(Status.OK, 0.0),
    statuses=statuses,
    half_widths=answered,
    half_widths_of_all=of_all,
  )


def _shares(statuses) -> dict[str, float]:
  counts = collections.Counter(map(str, statuses))
  return {name: n / counts.total() for name, n in sorted(counts.items())}


def _middle(half: list[float]) -> Interval:
  """The middle one, and the range of two in three; inf for none."""
  low, value, high = np.quantile(half or [math.inf], _MIDDLE, method='nearest')
  return Interval(float(value), float(low), float(high))


def _budgets(
  laws: prior.Prior, studies: Sequence[PredictedStudy]
) -> tuple[BudgetForecast, ...]:
  by_budget = zip(*(one.budgets for one in studies))
  return tuple(_budget(laws, of_each_law) for of_each_law in by_budget)


def _budget(
  laws: prior.Prior, found: Sequence[IsoflopBudget]
) -> BudgetForecast:
  """One budget, by its fit under each law."""
  N, C = found[0].N, found[0].C
  low, high = np.quantile(np.asarray(laws.law.optimum(C).N), _SEEN)
  return BudgetForecast(
    C=C,
    n_models=len(set(N)),
    N_low=float(N.min()),
    N_high=float(N.max()),
    shows_minimum=sum(one.counts for one in found) / len(found),
    statuses=_shares(one.status for one in found),
    N_opt_low=float(low),
    N_opt_high=float(high),
    add=_wanted(N, low, high),
  )


def _wanted(N: np.ndarray, low: float, high: float) -> tuple[str, ...]:
  """Models that would bring the plausible minima inside, by name."""
  ends = [x for x, off in ((low, low < N.min()), (high, high > N.max())) if off]
  return tuple(budget_lib.shape_name(budget_lib.shape_near(x)) for x in ends)


def _notes(runs: Sequence[PlannedRun], plan: RunDesign) -> list[str]:
  notes = []
  epochs = [(run.row.label, run.row.epochs or 0.0) for run in runs]
  often = [pair for pair in dict.fromkeys(epochs) if pair[1] > EPOCHS_FREE]
  if often:
    notes.append(messages.too_many_epochs(often, EPOCHS_FREE))
  grouping = budgets_lib.grouping_of(plan.C, plan.N)
  data = chinchilla.LogData.of(plan.N, plan.D, np.ones(len(runs)))
  refused = chinchilla.unanswered(data, grouping.n_budgets)
  if refused:
    notes.append(messages.chinchilla_will_not_answer(refused[1]))
  if grouping.alone:
    notes.append(messages.runs_alone(len(grouping.alone)))
  models = [len(np.unique(plan.N[list(group)])) for group in grouping.groups]
  if sum(n >= budgets_lib.MIN_MODELS for n in models) < 2:
    notes.append(messages.isoflop_will_not_answer())
  return notes
