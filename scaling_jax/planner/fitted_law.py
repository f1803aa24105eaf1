"""A law of one's own: a fit with its draws, or an analysis by its headline."""

import dataclasses
import functools
from typing import TypeVar

import numpy as np

from scaling_jax.analysis.fitting import cost_fit
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.cost_fit import CostFit
from scaling_jax.analysis.fitting.envelope import EnvelopeFit
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages.tables import APPROACHES
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import FittedRange
from scaling_jax.errors import UserError
from scaling_jax.planner import law
from scaling_jax.planner import messages
from scaling_jax.planner.resources import Token

Fit = ChinchillaFit | IsoflopFit | EnvelopeFit
FITS = (ChinchillaFit, IsoflopFit, EnvelopeFit)

_CHARACTERS = 1000  # no script has as few BPE tokens as it has letters
_SAME = 1e-6  # C that is so near to an end is inside

T = TypeVar('T')


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class FittedLaw(law.Law):
  """A fit that is ok, evaluated draw by draw at any C.

  Attributes:
    fit: of Hoffmann's approaches; the third alone states a loss.
    fitted: the FLOPs that it was fitted on; None where that is not known.
    doubts: what tests found against it, which its intervals do not hold.
  """

  counts = 'as its runs count them'

  fit: Fit
  fitted: FittedRange | None = None
  doubts: tuple[str, ...] = ()

  @property
  def ranges(self) -> dict[str, tuple[float, float]]:
    fitted, fit = self.fitted, self.fit
    out = {} if fitted is None else {'C': (fitted.low, fitted.high)}
    if isinstance(fit, ChinchillaFit) and len(fit.N):
      out |= {
        name: (float(np.min(x)), float(np.max(x)))
        for name, x in (('N', fit.N), ('D', fit.D))
      }
    return out

  def optimum(
    self,
    *,
    C: float | None = None,
    D: float | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    return self.fit.optimum(C=C, D=D, level=level)

  def loss(self, N: float, D: float, level: float = LEVEL) -> Interval:
    if not isinstance(self.fit, ChinchillaFit):
      return UNKNOWN
    return self.fit.predict(N, D, level)

  @functools.cached_property
  def cost(self) -> CostFit:
    """What compute bought the runs; 6 N D where a fit holds none."""
    fit = self.fit
    if isinstance(fit, ChinchillaFit):
      return fit.cost_fit
    if isinstance(fit, IsoflopFit):
      return cost_fit.of_budgets(fit.budgets)
    return cost_fit.fit(fit.N, fit.D, fit.C)

  def params_for(self, C: float, D: float) -> float:
    return float(self.cost.cost.params(C, D))

  def remarks(self, found: Allocation) -> list[str]:
    C, fitted, out = float(found.C.value), self.fitted, list(self.doubts)
    if self.cost.extrapolated(found.N.value):
      out.append(messages.cost_extrapolated(self.cost.low, self.cost.high))
    if fitted is None:
      return out
    if C < fitted.low * (1 - _SAME):
      out.append(messages.below(fitted.low / C, fitted.of))
    if C > fitted.high * (1 + _SAME):
      out.append(messages.beyond(C / fitted.high, fitted.of))
    return out


def of_analysis(
  analysis: Analysis, name: str = 'analysis', source: str = 'your analysis'
) -> FittedLaw:
  """The law that an analysis goes by.

  Args:
    analysis: of any runs.
    name: of the law.
    source: where it comes from, for its title and for the error.

  Raises:
    UserError: no law in it is ok.
  """
  lead = analysis.lead
  headline = lead.approach
  if headline is None:
    statuses = '; '.join(
      f'{APPROACHES[one]}: {fit.status}'
      for one, fit in analysis.approaches.items()
    )
    raise UserError(
      f'law={source} holds no law that is ok ({statuses}): a plan must rest on'
      ' one; add the runs that its report asks for, or try law=besiroglu'
    )
  corpus = analysis.provenance.corpus
  text = corpus.name if corpus else ''
  text = text or _only(analysis.provenance.datasets) or ''
  kinds = corpus.vocab_size if corpus else None
  kinds = kinds or _only({run.vocab_size for run in analysis.runs})
  title = f'{source}, approach {APPROACHES[headline]}'
  found = _law(
    analysis.approaches[headline],
    name=name,
    title=f'{title}, on {text}' if text else title,
    token=_token(kinds),
    unit=analysis.runs.unit,
    corpus=text,
    fitted=analysis.fitted_range(headline),
  )
  return dataclasses.replace(found, doubts=lead.doubts)


def of_fit(fit: FitResult, name: str = 'fit') -> FittedLaw:
  """The law of a fit.

  Raises:
    UserError: it is not ok, or states no optimum.
  """
  kind = type(fit).__name__
  if not isinstance(fit, FITS):
    raise UserError(
      f'law={kind} states no best use of compute: it must be a fit of N, D and'
      ' the loss; try sj.fit_chinchilla or sj.fit_isoflop'
    )
  if not fit.ok:
    raise UserError(
      f'law={kind} is {fit.status} ({fit.message}): a plan must rest on a law'
      ' that is ok; add the runs that it lacks, or try law=besiroglu'
    )
  return _law(
    fit,
    name=name,
    title=fit.title,
    token=Token('unknown'),
    unit=messages.own_unit(),
    fitted=_range_of(fit),
  )


def _law(
  fit: Fit,
  *,
  name: str,
  title: str,
  token: Token,
  unit: str,
  fitted: FittedRange | None,
  corpus: str = '',
) -> FittedLaw:
  formula = draws = None
  if isinstance(fit, ChinchillaFit):
    formula, drawn = fit.law, len(fit.param_draws) > 0
    draws = fit.draws if drawn else None
  else:
    drawn = fit.N_opt.line_draws is not None
  return FittedLaw(
    name=name,
    title=title,
    token=token,
    formula=formula,
    draws=draws,
    unit=unit,
    corpus=corpus,
    no_interval='' if drawn else messages.fit_has_no_draws(),
    fit=fit,
    fitted=fitted,
  )


def _range_of(fit: Fit) -> FittedRange | None:
  if isinstance(fit, ChinchillaFit):
    C, of = 6 * fit.N * fit.D if fit.C is None else fit.C, 'runs'
  elif isinstance(fit, IsoflopFit):
    C, of = np.array([b.C for b in fit.budgets if b.counts]), 'budgets'
  else:
    C, of = np.asarray(fit.C), 'envelope'
  if not len(C):
    return None
  return FittedRange(low=float(np.min(C)), high=float(np.max(C)), of=of)


def _only(values: 'set[T] | tuple[T, ...]') -> T | None:
  """The value, where there is one alone."""
  return next(iter(values)) if len(set(values)) == 1 else None


def _token(vocab_size: float | None) -> Token:
  """What a token is, by the vocabulary alone."""
  if not vocab_size:
    return Token('unknown')
  kind = 'characters' if vocab_size < _CHARACTERS else 'BPE'
  return Token(kind, int(vocab_size))
