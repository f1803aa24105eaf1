"""Every law on one set of runs.

`analyze` returns at once: each part of an Analysis is computed when it is first
asked for, so that laws can be shown before what tests them is known.
"""

from collections.abc import Sequence
import functools
from typing import Any

import numpy as np

import scaling_jax
from scaling_jax import tables
from scaling_jax.analysis.fitting import averaged as averaged_lib
from scaling_jax.analysis.fitting import chinchilla as chinchilla_lib
from scaling_jax.analysis.fitting import critical_batch as critical_batch_lib
from scaling_jax.analysis.fitting import envelope as envelope_lib
from scaling_jax.analysis.fitting import form as form_lib
from scaling_jax.analysis.fitting import isoflop as isoflop_lib
from scaling_jax.analysis.fitting import result
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import checks
from scaling_jax.analysis.runs import groups
from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs import provenance as provenance_lib
from scaling_jax.analysis.runs import selection as selection_lib
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study import counting_effect
from scaling_jax.analysis.study import doubts as doubts_lib
from scaling_jax.analysis.study import form_test as form_test_lib
from scaling_jax.analysis.study import hold_out as hold_out_lib
from scaling_jax.analysis.study import kaplan_study
from scaling_jax.analysis.study import kaplan_vs_chinchilla as comparison
from scaling_jax.analysis.study import results
from scaling_jax.analysis.study import seeds
from scaling_jax.analysis.study import training_cautions
from scaling_jax.analysis.study.results import Options
from scaling_jax.errors import UserError

_SAME_BUDGET = 1.05  # FLOPs of one budget differ by less

Approach = (
  chinchilla_lib.ChinchillaFit
  | isoflop_lib.IsoflopFit
  | envelope_lib.EnvelopeFit
)


def analyze(runs: table.Runs, options: Options | None = None) -> 'Analysis':
  """Fits every law that the runs can carry; the others state why not.

  Args:
    runs: finished runs, as `read_runs` or `Runs.from_dataframe` give them.
    options: level, draws, solver, targets.

  Raises:
    UserError: `drop_highest` leaves no run, or the runs need a law each: they
      are of several texts, tokenizers, contexts or experiments.
  """
  if not isinstance(runs, table.Runs):
    kind = type(runs).__name__
    raise UserError(
      f'analyze takes Runs, and not {kind}: read files by sj.read_runs(path), and'
      ' a DataFrame by sj.Runs.from_dataframe(df)'
    )
  groups.one_law(runs)
  return of_one_law(runs, options)


def of_one_law(runs: table.Runs, options: Options | None = None) -> 'Analysis':
  """The same of runs that are known to be of one law."""
  options = options or Options()
  return Analysis(checks.without_highest(runs, options.drop_highest), options)


class Analysis:
  """Every law on a set of runs, each part computed when first asked for.

  Attributes:
    runs: all that were read.
    options: what was asked.
    selection: which of the runs count for which law.
    provenance: how the runs were made.
    seed_sd: the sd of log L between seeds; None where none are repeated.
    chinchilla, isoflop, envelope: Hoffmann's approaches 3, 2 and 1.
    cautions: what speaks against how the runs were trained.
    kaplan: Kaplan's laws; critical_batch is one of them.
    hold_out: the largest budget predicted from the others.
    predictions: every budget predicted from those below it.
    counting: the exponent of N_opt by what is counted.
    kaplan_vs_chinchilla: the exponent read as Kaplan would and as Hoffmann.
    training_curves: a power law with a floor for every run that left its losses.
    version: of scaling_jax.
  """

  def __init__(self, runs: table.Runs, options: Options, **stored: Any) -> None:
    """Takes the runs; `stored` are parts that are known already, by name."""
    self.runs, self.options = runs, options
    self.version = scaling_jax.__version__
    self.__dict__.update(stored)

  @property
  def level(self) -> float:
    return self.options.level

  @functools.cached_property
  def selection(self) -> selection_lib.Selection:
    return selection_lib.select(self._loaded)

  @functools.cached_property
  def provenance(self) -> provenance_lib.Provenance:
    return provenance_lib.of_runs(self.runs)

  @functools.cached_property
  def _loaded(self) -> list[histories.LoadedRun]:
    return histories.load(self.runs)

  def _some(self, indices: Sequence[int]) -> list[histories.LoadedRun]:
    return [self._loaded[i] for i in indices]

  @functools.cached_property
  def counted(self) -> table.Runs:
    """The runs that Hoffmann's laws are fitted on."""
    return self.runs.take(self.selection.hoffmann)

  @functools.cached_property
  def grouping(self) -> budgets.Grouping:
    """The isoFLOP budgets: indices into `counted`."""
    return budgets.isoflop_groups(self.counted)

  @functools.cached_property
  def budget(self) -> tuple[int | None, ...]:
    """Of each of `runs` the index of its isoFLOP budget, or None."""
    out: list[int | None] = [None] * len(self.runs)
    for b, group in enumerate(self.grouping.groups):
      for i in group:
        out[self.selection.hoffmann[i]] = b
    return tuple(out)

  @functools.cached_property
  def seed_sd(self) -> result.ResidualSD | None:
    return seeds.seed_sd(self.counted)

  @functools.cached_property
  def chinchilla(self) -> chinchilla_lib.ChinchillaFit:
    runs = self.counted
    return chinchilla_lib.fit(
      runs.N,
      runs.D,
      runs.loss,
      C=runs.C,
      n_budgets=self.grouping.n_budgets,
      **self.options.of_chinchilla(runs.run_ids),
    )

  @functools.cached_property
  def budget_groups(self) -> list[list[int]]:
    """The budgets without the outliers that approach 3 excludes."""
    return budgets.keeping(self.grouping.groups, self.chinchilla.counted)

  @functools.cached_property
  def isoflop(self) -> isoflop_lib.IsoflopFit:
    law = self.chinchilla
    return isoflop_lib.fit(
      budgets.groups_of(self.counted, self.budget_groups),
      law=law.law if law.ok else None,
      bootstrap=self.options.bootstrap,
    )

  @functools.cached_property
  def envelope(self) -> envelope_lib.EnvelopeFit:
    counted = self._some(self.selection.hoffmann)
    return envelope_lib.fit(
      [one.history.curve for one in counted if one.history.curve is not None],
      bootstrap=self.options.bootstrap,
    )

  @functools.cached_property
  def form_test(self) -> form_lib.FormTest | None:
    """Approach 3's form against wider ones; None where nothing can be told."""
    return form_lib.check(self.chinchilla)

  @functools.cached_property
  def form_notes(self) -> tuple[str, ...]:
    """What speaks against the form of approach 3's law."""
    return form_test_lib.notes(self.chinchilla, self.isoflop, self.form_test)

  @functools.cached_property
  def cautions(self) -> tuple[str, ...]:
    """What speaks against the training of the runs, which no residual shows."""
    found = training_cautions.cautions(
      self.counted,
      self.chinchilla,
      tried=self.runs,
      solver=self.options.solver,
    )
    return tuple(one.text for one in found)

  @functools.cached_property
  def kaplan(self) -> kaplan_study.KaplanStudy:
    return kaplan_study.fit(
      self._loaded, self._kaplan_runs, bootstrap=self.options.bootstrap
    )

  @property
  def _kaplan_runs(self) -> list[histories.LoadedRun]:
    """Those of Kaplan's laws without the outliers that approach 3 excludes."""
    fits = self.chinchilla.counted
    outliers = {i for i, kept in zip(self.selection.hoffmann, fits) if not kept}
    return self._some([i for i in self.selection.kaplan if i not in outliers])

  @property
  def critical_batch(self) -> critical_batch_lib.CriticalBatchFit:
    """B_crit(L): of Kaplan's laws."""
    return self.kaplan.critical_batch

  @functools.cached_property
  def hold_out(self) -> results.HoldOut:
    return hold_out_lib.test(
      self.counted, self.budget_groups, self.isoflop, self.options
    )

  @functools.cached_property
  def earlier_hold_outs(self) -> tuple[results.HoldOut, ...]:
    """Of the budgets below the largest, each from those below it."""
    return hold_out_lib.test_earlier(
      self.counted, self.budget_groups, self.isoflop, self.options
    )

  @property
  def predictions(self) -> tuple[results.HoldOut, ...]:
    """Every budget predicted from those below it, in the order of C."""
    return (*self.earlier_hold_outs, self.hold_out)

  @functools.cached_property
  def counting(self) -> tuple[results.CountingEffect, ...]:
    return counting_effect.compare(
      self.counted,
      self.grouping,
      self.chinchilla,
      self.options,
      self.isoflop,
    )

  @functools.cached_property
  def kaplan_vs_chinchilla(self) -> tuple[comparison.Reading, ...]:
    counted = self._some(self.selection.hoffmann)
    return comparison.compare(
      self._kaplan_runs,
      self.kaplan,
      self.counting,
      annealed=selection_lib.annealed(counted),
      bootstrap=self.options.bootstrap,
    )

  @functools.cached_property
  def training_curves(self) -> tuple[training_curve.TrainingCurveFit, ...]:
    seed = self.options.bootstrap.seed
    return tuple(
      histories.fit_curve(one, seed=seed)
      for one in self._loaded
      if one.history.folder
    )

  @property
  def approaches(self) -> dict[str, Approach]:
    """Hoffmann's three, by name, in his order."""
    return {
      'envelope': self.envelope,
      'isoflop': self.isoflop,
      'chinchilla': self.chinchilla,
    }

  @functools.cached_property
  def averaged(self) -> averaged_lib.AveragedFit | None:
    """Approach 3 averaged over forms; None where that is not possible."""
    how = self.options.bootstrap
    if not how.draws:
      return None
    return averaged_lib.fit(self.chinchilla, draws=how.draws, seed=how.seed)

  @property
  def doubts(self) -> dict[str, tuple[str, ...]]:
    """What tests found against approaches 2 and 3, by name."""
    return doubts_lib.against(self.form_notes, self.predictions, self.level)

  @property
  def lead(self) -> doubts_lib.Lead:
    """The approach to go by, and what speaks against it."""
    return doubts_lib.lead(
      self.approaches,
      self.doubts,
      minima=sum(budget.ok for budget in self.isoflop.budgets),
      averaged=self.averaged is not None,
    )

  @property
  def headline(self) -> str | None:
    """The approach to go by, by name; None where none is ok."""
    return self.lead.approach

  def optimum(
    self, *, C: float, level: float | None = None
  ) -> result.Allocation | None:
    """What to train with C FLOPs, by the approach to go by.

    Where a test speaks against approach 3 and nothing better is at hand, its
    intervals hold those averaged over forms too.

    Args:
      C: FLOPs.
      level: of the intervals; the analysis' own if None.

    Returns:
      None where no approach is ok, or where a test speaks against the one that
      is and no wider interval is known.
    """
    level, lead = level or self.level, self.lead
    if lead.approach is None or lead.withheld:
      return None
    found = self.approaches[lead.approach].optimum(C=C, level=level)
    if lead.wider and self.averaged is not None:
      return doubts_lib.wider(found, self.averaged.optimum(C=C, level=level))
    return found

  @property
  def targets(self) -> tuple[float, ...]:
    """FLOP counts to state the optimum at."""
    return self.options.targets or (10 * float(np.max(self._fitted_C)),)

  @property
  def _fitted_C(self) -> np.ndarray:
    """FLOPs of the counted runs that approach 3 does not exclude."""
    return self.counted.C[self.chinchilla.counted]

  def fitted_range(self, approach: str) -> results.FittedRange | None:
    """Where an approach was fitted; None if nowhere."""
    every = self._fitted_C
    used, n_budgets = every, None
    of = 'runs' if len(self.counted) == len(self.runs) else 'counted runs'
    if approach == 'isoflop':
      used = np.array([b.C for b in self.isoflop.budgets if b.counts])
      n_budgets = len(used)
    elif approach == 'envelope':
      used = np.asarray(self.envelope.C)
    if not len(used):
      return None
    low, high = float(np.min(used)), float(np.max(used))
    if low > _SAME_BUDGET * min(every) or high < max(every) / _SAME_BUDGET:
      of = {'isoflop': 'budgets', 'envelope': 'envelope'}[approach]
    return results.FittedRange(low=low, high=high, n_budgets=n_budgets, of=of)

  def tables(self) -> list[tables.Table]:
    """Every table of the report that has something to show."""
    from scaling_jax.analysis.study import summary_tables

    return summary_tables.tables(self)

  def to_json(self) -> str:
    """The text of fits.json (docs/fits.md), which `load_analysis` reads."""
    from scaling_jax.analysis.study import schema

    return schema.dumps(self)

  def __str__(self) -> str:
    from scaling_jax.analysis.study import summary_tables

    return summary_tables.brief(self)

  def _repr_html_(self) -> str:
    from scaling_jax.analysis.study import summary_tables

    return ''.join(one.html() for one in summary_tables.brief_tables(self))
