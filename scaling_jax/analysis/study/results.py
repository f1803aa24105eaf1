"""The parts of an analysis that are no fits: what was asked, what tests them."""

import dataclasses
from typing import Any

import numpy as np

from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status

ALIKE = 1.05  # of two amounts: a loss does not tell optima that are so near


def meet(one: Interval, other: Interval) -> bool | None:
  """Whether intervals of an amount overlap, or lie within ALIKE of each other.

  None where one is not known.

  >>> meet(Interval(1.0, 1.0, 1.0), Interval(1.04, 1.04, 1.04))
  True
  >>> meet(Interval(1.0, 0.9, 1.1), Interval(1.4, 1.3, 1.5))
  False
  """
  overlap = one.overlaps(other)
  if overlap is None or overlap:
    return overlap
  gap = max(one.low, other.low) / min(one.high, other.high)
  return bool(gap < ALIKE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
  """What to ask of an analysis.

  Attributes:
    level: of the intervals in tables, figures and the report; the fits keep
      their draws, so that any other can be asked of them later.
    bootstrap: how draws are made.
    objective: what approach 3 minimizes.
    keep_outliers: whether runs beyond five standard deviations are fitted too;
      None: only where the objective is given in full.
    solver: 'jax', 'optimistix' or 'auto': see `multistart.minimize`.
    drop_highest: runs to exclude, those of the highest losses first.
    targets: FLOP counts to state the optimum at; ten times the largest budget
      if empty.
  """

  level: float = result.LEVEL
  bootstrap: Bootstrap = dataclasses.field(default_factory=Bootstrap)
  objective: Objective = dataclasses.field(default_factory=Objective)
  keep_outliers: bool | None = None
  solver: str = 'auto'
  drop_highest: int = 0
  targets: tuple[float, ...] = ()

  def of_chinchilla(self, names: tuple[str, ...]) -> dict[str, Any]:
    """What `chinchilla.fit` is asked, of runs of these names."""
    return {
      'bootstrap': self.bootstrap,
      'objective': self.objective,
      'keep_outliers': self.keep_outliers,
      'names': names,
      'solver': self.solver,
    }


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutRun:
  """A run of a budget and the loss that the budgets below predict.

  Attributes:
    run_id, N: of the run.
    actual: its loss.
    predicted: with a run's own residual beside the law's uncertainty.
    span: the range of the losses that it was predicted from; an interval as
      wide cannot miss and is no test.
  """

  run_id: str
  N: float
  actual: float
  predicted: Estimate
  span: float = np.inf

  def too_wide(self, level: float) -> bool:
    """Whether the interval spans all losses that it was predicted from."""
    _, low, high = self.predicted.at(level)
    return bool(high - low >= self.span)

  def inside(self, level: float) -> bool | None:
    """Whether the interval holds the loss; None where that is no test."""
    if self.too_wide(level):
      return None
    return self.predicted.at(level).holds(self.actual)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutOptimum:
  """N_opt of a budget, as an approach predicts it from the budgets below.

  Attributes:
    approach: by name.
    status, message: of its fit.
    predicted, actual: log N_opt.
    tried: the smallest and the largest model of the budget; an interval that
      holds both cannot miss and is no test.
  """

  approach: str
  status: Status
  message: str
  predicted: Estimate
  actual: Estimate
  tried: tuple[float, float] | None = None

  def too_wide(self, level: float) -> bool:
    """Whether the predicted interval holds every model of the budget."""
    if self.tried is None:
      return False
    found = self.predicted.at(level)
    return all(found.holds(N) for N in self.tried)

  def overlap(self, level: float) -> bool | None:
    """Whether the two intervals `meet`; None where that is no test."""
    if self.too_wide(level):
      return None
    return meet(self.predicted.at(level), self.actual.at(level))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class HoldOut:
  """A budget predicted from those below it: a test with a known answer.

  Attributes:
    status: 'ok' where losses were predicted, whether they came true or not.
    message: why they were not; '' where they were.
    C: FLOPs of the budget; nan without a test.
    ahead: C over the largest that it was predicted from; nan likewise.
    runs: of that budget.
    optima: by approaches 2 and 3.
    p_value: how rarely losses that the law holds for would lie as far from what
      was predicted, all of them together; nan without a test. They share the
      law's error, so that they are not so many tests.
  """

  status: Status
  message: str = ''
  C: float = np.nan
  ahead: float = np.nan
  runs: tuple[HeldOutRun, ...] = ()
  optima: tuple[HeldOutOptimum, ...] = ()
  p_value: float = np.nan

  @property
  def ok(self) -> bool:
    return self.status == Status.OK

  def counts(self, level: float) -> tuple[int, int]:
    """How many losses lie in their intervals, and how many are a test."""
    known = [run.inside(level) for run in self.runs]
    judged = [inside for inside in known if inside is not None]
    return sum(judged), len(judged)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class CountingEffect:
  """The exponent of N_opt where N and C are counted in another way.

  Attributes:
    name: of the way, such as 'Kaplan: no embeddings, 6ND'.
    isoflop, chinchilla: by approach 2 and 3; unknown where they don't answer.
  """

  name: str
  isoflop: Estimate
  chinchilla: Estimate


@dataclasses.dataclass(frozen=True, kw_only=True)
class FittedRange:
  """The FLOPs that a law was fitted on.

  A law need not use every run: approach 2 excludes budgets without a minimum,
  approach 1 the FLOP counts where the smallest or the largest model wins.

  Attributes:
    low, high: the least and the most.
    n_budgets: how many budgets a law of approach 2 goes through, else None.
    of: what the range is of: 'runs', 'counted runs', 'budgets' or 'envelope'.
  """

  low: float
  high: float
  n_budgets: int | None = None
  of: str = 'runs'
