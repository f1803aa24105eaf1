"""What a report answers first, and what speaks for the answer and against it.

Each fact is found here and has a `text`, whose wording is in `messages`.
"""

import dataclasses

import numpy as np

from scaling_jax import formatting
from scaling_jax.analysis.fitting.cost_fit import CostFit
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import calculator as calculator_messages
from scaling_jax.analysis.messages import report as messages
from scaling_jax.analysis.messages import tables as table_messages
from scaling_jax.analysis.report import agreement
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study import doubts
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.doubts import Lead
from scaling_jax.analysis.study.results import FittedRange

TOO_FAR = 100.0  # times the largest model, or token count, of the runs


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
  """What to train with C FLOPs, by the approach that the report goes by.

  Attributes:
    approach: by name.
    best: its optimum; the loss is unknown where the approach states none.
    fitted: where it was fitted.
    unit: of the loss.
    level: of the intervals.
    lead: which approach, and what speaks against it.
    largest: (N, D) of the runs.
    cost: of the runs' compute, where the approach spends it so; else None.
  """

  approach: str
  best: Allocation
  fitted: FittedRange
  unit: str
  level: float
  lead: Lead
  largest: tuple[float, float] = (np.inf, np.inf)
  cost: CostFit | None = None

  @property
  def C(self) -> float:
    return float(self.best.C.value)

  @property
  def ahead(self) -> float:
    """C over the largest that the law was fitted on."""
    return self.C / self.fitted.high

  @property
  def numbers(self) -> tuple[str, ...]:
    """N, D and the loss as the text has them."""
    shown = [
      formatting.estimate(x, show=formatting.short)
      for x in (self.best.N, self.best.D)
    ]
    if np.isfinite(self.best.loss.value):
      shown.append(formatting.estimate(self.best.loss))
    return tuple(shown)

  @property
  def text(self) -> str:
    N, D, *loss = self.numbers
    return messages.answer(
      self.C,
      N,
      D,
      loss=''.join(loss),
      unit=self.unit,
      ahead=self.ahead,
      of=self.fitted.of,
    )

  @property
  def basis(self) -> str:
    """Which approach it is of."""
    return messages.basis(
      self.approach,
      level=self.level,
      n_budgets=self.fitted.n_budgets,
      largest=self.fitted.high,
      ahead=self.ahead,
      averaged=self.lead.wider,
    )

  @property
  def reach(self) -> str:
    """Where N or D is far beyond any of the runs, or ''."""
    N, D = (
      float(x.value) / most
      for x, most in zip((self.best.N, self.best.D), self.largest)
    )
    ratio, of = max((N, 'model'), (D, 'token count'))
    return messages.reach(ratio, of) if ratio > TOO_FAR else ''

  @property
  def cost_extrapolated(self) -> str:
    """Where no model as large or small as N tells what it costs, or ''."""
    cost = self.cost
    if cost is None or not cost.extrapolated(self.best.N.value):
      return ''
    return calculator_messages.cost_extrapolated(cost.low, cost.high)

  @property
  def two_budgets(self) -> bool:
    """Whether nothing is left to judge the law by."""
    return self.fitted.n_budgets == 2


def answers(analysis: Analysis) -> list[Answer]:
  """One for each target; [] where no approach answers."""
  lead = analysis.lead
  fitted = analysis.fitted_range(lead.approach) if lead.approach else None
  if lead.approach is None or fitted is None:
    return []
  found = [analysis.optimum(C=C) for C in analysis.targets]
  runs = analysis.counted
  largest = float(np.max(runs.N)), float(np.max(runs.D))
  of_law = lead.approach == 'chinchilla'
  cost = analysis.chinchilla.cost_fit if of_law else None
  return [
    Answer(
      approach=lead.approach,
      best=best,
      fitted=fitted,
      unit=analysis.runs.unit,
      level=analysis.level,
      lead=lead,
      largest=largest,
      cost=cost,
    )
    for best in found
    if best is not None
  ]


def sentences(analysis: Analysis) -> list[str]:
  """The answer as a terminal ends with it: what to train, and doubts."""
  found, lead = answers(analysis), analysis.lead
  out = [agreement.contradiction(analysis), *(one.text for one in found)]
  if found:
    trust = tested(analysis, found[0])
    out += [found[0].reach, found[0].cost_extrapolated, found[0].basis]
    out += [trust.text] if trust else []
  elif lead.withheld and lead.approach:
    out.append(messages.withheld(lead.approach))
  elif not lead.approach:
    out.append(messages.no_answer())
    out += [
      f'{one.title}: {one.text}'
      for one in silent(analysis)
      if one.title == table_messages.APPROACHES['chinchilla']
    ]
  others = [] if lead.doubts else analysis.doubts.get('chinchilla', ())
  out += [*lead.doubts, *others, *analysis.cautions]
  out += map(table_messages.sentence, analysis.chinchilla.notes)
  return [text for text in out if text]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Silent:
  """An approach that is not ok, why, and what to do about it."""

  title: str
  status: Status
  text: str


def silent(analysis: Analysis) -> list[Silent]:
  """In Hoffmann's order."""
  has_curves = any(analysis.runs.folders)
  return [
    Silent(
      title=table_messages.APPROACHES[name],
      status=fit.status,
      text=' '.join(
        filter(
          None,
          [
            table_messages.sentence(fit.message),
            messages.advice(
              str(fit.status),
              needs_curves=name == 'envelope' and not has_curves,
            ),
          ],
        )
      ),
    )
    for name, fit in analysis.approaches.items()
    if not fit.ok
  ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeldOutCount:
  """How the losses of the largest budget met what was predicted of them.

  Attributes:
    inside, n: so many of n lie in their intervals.
    narrow: whether they lie further off than a true law would leave them.
  """

  inside: int
  n: int
  narrow: bool


def held_out_count(analysis: Analysis) -> HeldOutCount | None:
  """None where no loss was predicted with an interval."""
  inside, n = analysis.hold_out.counts(analysis.level)
  if not analysis.hold_out.ok or not n:
    return None
  tests = len(analysis.predictions)
  narrow = doubts.too_far(analysis.hold_out, tests)
  return HeldOutCount(inside=inside, n=n, narrow=narrow)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tested:
  """How the law behind the answer did ahead of its budgets.

  Attributes:
    ahead: the held-out budget's C over the largest that predicted it.
    asked: the answer's C over the largest that the law was fitted on.
    losses: how its losses met their predictions; None for an approach that
      states no losses.
    overlap: whether N_opt's intervals overlap, for such an approach.
  """

  ahead: float
  asked: float
  losses: HeldOutCount | None = None
  overlap: bool | None = None

  @property
  def text(self) -> str:
    if self.losses:
      outcome = messages.tested_losses(self.losses.inside, self.losses.n)
    else:
      outcome = messages.tested_optimum(bool(self.overlap))
    return messages.tested(self.ahead, outcome, self.asked)


def tested(analysis: Analysis, answer: Answer) -> Tested | None:
  """None where the law behind the answer was not tested."""
  held, ahead = analysis.hold_out, analysis.hold_out.ahead
  if not np.isfinite(ahead):
    return None
  if answer.approach == 'chinchilla':
    losses = held_out_count(analysis)
    if losses is None:
      return None
    return Tested(ahead=ahead, asked=answer.ahead, losses=losses)
  for optimum in held.optima:
    overlap = optimum.overlap(analysis.level)
    if optimum.approach == answer.approach and overlap is not None:
      return Tested(ahead=ahead, asked=answer.ahead, overlap=overlap)
  return None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Floor:
  """The fitted E beside what is known of the corpus.

  Attributes:
    fitted: E; unknown where approach 3 is not ok.
    averaged: E averaged over forms, which is what is judged; None where that is
      not possible.
    status: of approach 3.
    entropy: of the corpus in the runs' context, nats per token; None where
      that is not known.
    unit: of the runs' losses.
  """

  fitted: Interval
  status: Status
  entropy: float | None
  unit: str
  averaged: Interval | None = None

  @property
  def side(self) -> str:
    """Where the interval lies: 'inside' if it holds the entropy; '' if open."""
    if self.entropy is None:
      return ''
    judged = self.averaged or self.fitted
    held = judged.holds(self.entropy)
    if held is None:
      return ''
    if held:
      return 'inside'
    return 'above' if judged.low > self.entropy else 'below'

  @property
  def text(self) -> str:
    return messages.floor(
      entropy=self.entropy is not None,
      fitted=self.status == Status.OK,
      side=self.side,
      averaged=self.averaged is not None,
    )


def floor(analysis: Analysis) -> Floor:
  """The fitted E and the known entropy, in the unit of the runs' losses."""
  unit, fit = analysis.runs.unit, analysis.chinchilla
  corpus = analysis.provenance.corpus
  entropy = corpus.floor_nats_per_token if corpus else None
  if unit != table.NATS or entropy is None or not entropy > 0:
    entropy = None
  averaged = analysis.averaged
  return Floor(
    averaged=averaged.conf_int(analysis.level)['E'] if averaged else None,
    fitted=fit.conf_int(analysis.level)['E'] if fit.ok else Interval(np.nan),
    status=fit.status,
    entropy=entropy,
    unit=unit,
  )


def subject(analysis: Analysis) -> str:
  """What was trained on; the files or the runs where that is not known."""
  names = analysis.provenance.datasets
  if names:
    return ' and '.join(names)
  files = [path.rsplit('/', 1)[-1] for path in analysis.runs.files]
  if len(files) == 1:
    return files[0].rsplit('.', 1)[0]
  if files:
    return messages.files(len(files))
  return formatting.many(len(analysis.runs), 'run')
