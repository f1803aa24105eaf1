"""The critical batch size: how many tokens a step are worth their compute.

McCandlish et al. 2018 (arXiv 1812.06162), Kaplan et al. 2020 (arXiv
2001.08361), section 5. At each of some losses a hyperbola tells the least steps
S_min and the least tokens E_min that reach it; B_crit = E_min/S_min is a power
of the loss.
"""

from collections.abc import Sequence
import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from scaling_jax import laws
from scaling_jax.analysis.fitting import hyperbola
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import steps_to_loss
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.hyperbola import BatchTarget
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import UNKNOWN
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.steps_to_loss import MIN_BATCHES
from scaling_jax.analysis.fitting.steps_to_loss import BatchRun
from scaling_jax.analysis.messages import kaplan as messages

DRAWS = 400  # at most: each is a refit at every loss
_LEAST_SD = 1e-3  # of log B_crit: none is known better


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class CriticalBatchFit(FitResult):
  """B_crit(L) = B_star / L^(1/alpha_B), in tokens, and what it was made from.

  Attributes:
    targets: the losses that were looked at, from the highest.
    B_fit: B_crit against the loss at those that have a hyperbola; None where
      there is no law.
    n_batches: batch sizes of the runs.
    notes: on the learning rates.

  See `fit` for an example.
  """

  title: ClassVar[str] = 'The critical batch size'

  targets: tuple[BatchTarget, ...] = ()
  B_fit: power_law.PowerLawFit | None = None
  n_batches: int = 0

  @property
  def law(self) -> laws.CriticalBatch:
    """The fitted law; of nan where there is none."""
    if self.B_fit is None or self.B_fit.line is None:
      return laws.CriticalBatch(np.nan, np.nan)
    return _law(self.B_fit.line)

  @property
  def draws(self) -> laws.CriticalBatch:
    """The law of arrays [B]; [0] where there is none."""
    if self.B_fit is None or self.B_fit.line_draws is None:
      return _law(np.empty((2, 0)))
    return _law(self.B_fit.line_draws.T)

  @property
  def fitted_range(self) -> tuple[float, float]:
    """The lowest and the highest loss that the law goes through."""
    if self.B_fit is None:
      return np.nan, np.nan
    return float(np.min(self.B_fit.x)), float(np.max(self.B_fit.x))

  def estimates(self) -> dict[str, Estimate]:
    if self.B_fit is None:
      return {'B_star': Estimate(log=True), 'alpha_B': Estimate()}
    drawn = None
    if self.B_fit.line_draws is not None:
      drawn = np.asarray(self.draws.alpha_B)
    return {
      # Unknown where L = 1 lies beyond the points of a curve.
      'B_star': self.B_fit.estimate_at(1.0),
      'alpha_B': Estimate(float(self.law.alpha_B), drawn),
    }

  def tokens(self, L: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """B_crit at losses of any shape."""
    if self.B_fit is None:
      return Interval(*(np.full(np.shape(L), x)[()] for x in UNKNOWN))
    return self.B_fit.predict(L, level)


def _law(line: Any) -> laws.CriticalBatch:
  """Of slope and intercept [2], or of arrays [2, B] of them."""
  slope, intercept = line
  with np.errstate(over='ignore', divide='ignore'):
    return laws.CriticalBatch(np.exp(intercept), -1 / slope)


def law_of(found: power_law.PowerLawFit) -> CriticalBatchFit:
  """The law through points of L and B_crit, such as a figure's.

  >>> L = np.array([6.0, 5.0, 4.5, 4.0])
  >>> points = power_law.fit(L, 2e7 * L**-4.2)
  >>> round(law_of(points).params['alpha_B'], 3)
  0.238
  """
  found = power_law.must_slope(found, -1, messages.BATCH_GROWS)
  return CriticalBatchFit(
    status=found.status,
    message=found.message,
    notes=found.notes,
    B_fit=found if found.ok else None,
  )


def fit(
  runs: Sequence[BatchRun], *, bootstrap: Bootstrap | None = None
) -> CriticalBatchFit:
  """B_crit(L) from runs of one model and several batches.

  Args:
    runs: of one size on the same data.
    bootstrap: how many studies are redrawn, DRAWS at most, and their seed. In
      each the steps of a batch at all losses move together as they do about
      their hyperbolas.

  Returns:
    'ok'; 'too_few_points' without three batch sizes that pass the same losses,
    or without three losses whose hyperbola is identified; 'not_identified'
    where B_crit may be 100 times as large at one end as at the other, or may
    not grow as the loss falls.

  >>> from scaling_jax.analysis.fitting import simulate
  >>> runs = simulate.batch_runs(
  ...   laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76),
  ...   laws.CriticalBatch(B_star=2e7, alpha_B=0.235),
  ...   N=8e5, batches=(2e3, 4e3, 16e3, 64e3, 128e3), tokens=1e8,
  ...   noise=0.0, rng=np.random.default_rng(0),
  ... )
  >>> found = fit(runs, bootstrap=Bootstrap(draws=200))
  >>> str(found.status), round(found.params['alpha_B'], 2)
  ('ok', 0.24)
  """
  how = bootstrap or Bootstrap()
  draws = min(how.draws, DRAWS)
  n_batches = len({run.B for run in runs})
  found = _fit_runs(runs, n_batches, draws, how.seed)
  return dataclasses.replace(
    found, notes=tuple(_about_rates(runs, found.targets)), n_batches=n_batches
  )


def _fit_runs(
  runs: Sequence[BatchRun], n_batches: int, draws: int, seed: int
) -> CriticalBatchFit:
  measured = steps_to_loss.measure(runs) if n_batches >= MIN_BATCHES else []
  if not measured:
    message = messages.no_common_loss(MIN_BATCHES)
    if n_batches < MIN_BATCHES:
      message = messages.few_batches(n_batches, MIN_BATCHES)
    return CriticalBatchFit(status=Status.TOO_FEW_POINTS, message=message)
  return _through(hyperbola.fit(measured, draws=draws, seed=seed))


def _through(found: Sequence[hyperbola.Hyperbola]) -> CriticalBatchFit:
  """The power law through the losses whose hyperbola is identified."""
  targets = tuple(one.target for one in found)
  good = [one.target for one in found if one.target.ok]
  excluded = messages.excluded_losses(len(found) - len(good), len(found))
  L = np.array([t.L for t in good])
  B = np.array([t.E_min / t.S_min for t in good])
  line = power_law.fit(
    L, B, what=messages.WITH_A_HYPERBOLA, draws=0, straight=True
  )
  if not line.ok:
    return _without_law(targets, f'{line.message}; {excluded}')
  at_level = np.array([x.log_B_at_level for x in found if x.target.ok])
  weights = np.ones(len(good))
  if at_level.size:
    # A loss known to a factor of two must not outweigh one known to 5%.
    weights = 1 / np.maximum(np.std(at_level, axis=1), _LEAST_SD)

  def lines(log_B: np.ndarray) -> np.ndarray:
    """[2] of log B [k], or [draws, 2] of [k, draws]."""
    return np.polyfit(np.log(L), log_B, 1, w=weights).T

  line = dataclasses.replace(
    line,
    line=lines(np.log(B)),
    line_draws=lines(at_level) if at_level.size else None,
    residual_sd=None,  # of a line through equal weights
    message=messages.fitted_to_losses(len(good)),
  )
  line = power_law.must_slope(line, -1, messages.BATCH_GROWS)
  status, message = line.status, line.message
  if line.ok:
    high, low = float(max(L)), float(min(L))
    message = messages.fitted_to_losses(len(good), (high, low))
    wide = _wide(line, (high, low))
    if wide:
      status, message = Status.NOT_IDENTIFIED, wide
  if at_level.size:
    drawn = np.array([t.log_E_draws - t.log_S_draws for t in good])
    line = dataclasses.replace(line, line_draws=lines(drawn))
  return CriticalBatchFit(
    status=status,
    message=f'{message}; {excluded}',
    targets=targets,
    B_fit=line if status == Status.OK else None,
  )


def _wide(found: power_law.PowerLawFit, losses: Sequence[float]) -> str:
  """Why B_crit is not known at one of the losses, or ''."""
  if found.line_draws is None:
    return ''
  draws = _law(found.line_draws.T)
  for L in losses:
    with np.errstate(over='ignore'):
      low, high = np.quantile(draws.tokens(L), hyperbola.TAILS)
    if not high < hyperbola.WIDE * low:
      return messages.batch_open(L, (float(low), float(high)))
  return ''


def _without_law(
  targets: Sequence[BatchTarget], message: str
) -> CriticalBatchFit:
  """Too few losses are left: the commonest reason is the reason."""
  bad = [t for t in targets if not t.ok]
  reasons = [t.message for t in bad]
  most = max(reasons, key=reasons.count)
  at = [t for t in bad if t.message == most]
  return CriticalBatchFit(
    status=at[0].status,
    message=(
      f'{message}, '
      + messages.most_excluded(len(at), (at[0].L, at[-1].L), most)
    ),
    targets=tuple(targets),
  )


def _about_rates(
  runs: Sequence[BatchRun], targets: Sequence[BatchTarget]
) -> list[str]:
  """Notes where the best learning rate is the largest or smallest tried."""
  if not targets:
    return []
  tried = sorted(
    {run.learning_rate for run in runs if np.isfinite(run.learning_rate)}
  )
  if len(tried) < 2:
    return [messages.one_rate()]
  out = []
  for end, which in ((tried[-1], 'largest'), (tried[0], 'smallest')):
    at = {float(B) for t in targets for B in t.B[t.learning_rate == end]}
    if at:
      out.append(messages.rate_at_edge(which, end, sorted(at)))
  return out
