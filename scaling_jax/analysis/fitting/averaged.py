"""Approach 3 without the claim that its form is right: averaged intervals.

Runs seldom tell whether E + A/N^alpha + B/D^beta is the law or something close
to it, and an interval that takes the form for granted is too narrow where it is
not. Here log L is a form, a smooth discrepancy and noise; the forms and the
sizes of the discrepancy are averaged by how well they explain the losses
(Hoeting et al. 1999, "Bayesian model averaging").
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scaling_jax import laws
from scaling_jax.analysis.fitting import mixture
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_fit import ChinchillaFit
from scaling_jax.analysis.fitting.mixture import Component
from scaling_jax.analysis.fitting.mixture import Data
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import asked
from scaling_jax.analysis.fitting.result import percentile_interval

MIN_CELLS = N_PARAMS + 4
MAX_CELLS = 1000  # beyond, eigenvectors take seconds
_HALF = 6.0  # nats of log N about the law's optimum, that are searched
_POINTS = 121


class Drawn(NamedTuple):
  """What was drawn of one component.

  Attributes:
    component: a form and its discrepancy.
    params: [B, P] of the form.
    sd: [B] of the residuals.
  """

  component: Component
  params: np.ndarray
  sd: np.ndarray

  def log_losses(
    self,
    rng: np.random.Generator,
    n: np.ndarray,
    d: np.ndarray,
    own_d: np.ndarray | None = None,
  ) -> np.ndarray:
    """[B, m] log L at n, d [m], the discrepancy included.

    `own_d` [B, m] is each draw's log D, close to d, at which the form is taken:
    the discrepancy is too smooth to tell the two apart.
    """
    of = self.component.model
    at = d if own_d is None else own_d
    with np.errstate(over='ignore', invalid='ignore'):
      curve = of.form.log_loss(self.params.T[..., None], n, at)
    if not of.ratio:
      return curve
    whitened = of.whitened(self.params)
    return curve + of.discrepancy.draws(
      rng, of.ratio, n, d, whitened=whitened, sd=self.sd
    )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class AveragedFit:
  """What approach 3 might have been, whatever its form.

  The estimates are medians. Other parameters than E mean other things in other
  forms, and have none.

  Attributes:
    law: the fit that it stands beside.
    drawn: of each component that any draw is of.
    shares: the probability of each form, by name, and of each with a
      discrepancy; they add up to one.
    seed: of the draws.
  """

  law: ChinchillaFit
  drawn: tuple[Drawn, ...]
  shares: dict[str, float]
  seed: int

  @functools.cached_property
  def floors(self) -> np.ndarray:
    """[B] E of each draw."""
    return np.exp(np.concatenate([one.params[:, 2] for one in self.drawn]))

  def estimates(self) -> dict[str, Estimate]:
    """E, what no model and no data get below."""
    return {'E': Estimate(float(np.median(self.floors)), self.floors)}

  def conf_int(self, level: float = LEVEL) -> dict[str, Interval]:
    """E with its interval at a level, by name."""
    return {name: one.at(level) for name, one in self.estimates().items()}

  def predict(
    self, N: npt.ArrayLike, D: npt.ArrayLike, level: float = LEVEL
  ) -> Interval:
    """The loss of N parameters trained on D tokens; arrays broadcast."""
    N, D = np.broadcast_arrays(np.asarray(N, float), np.asarray(D, float))
    n, d = (np.log(x).ravel() - c for x, c in zip((N, D), self.law.center))
    drawn = np.exp(self._log_losses(n, d)).reshape(-1, *N.shape)
    return _about_median(drawn, level)

  def optimum(self, *, C: npt.ArrayLike, level: float = LEVEL) -> Allocation:
    """What to train with C FLOPs, at the cost of the runs.

    Each draw has a cost of its own where that is curved.

    A draw whose least loss is more than a factor of e^6 in N from the law's
    counts as unbounded.

    Args:
      C: FLOPs, of any shape.
      level: of the intervals.

    Raises:
      ValueError: C is not positive.
    """
    C = asked(C, None)
    found = [self._at(float(one)) for one in np.ravel(C)]
    log_N, log_L = (
      np.stack(x, -1).reshape(-1, *np.shape(C)) for x in zip(*found)
    )
    log_D = self._costs.columns(np.ndim(C)).log_tokens(log_N, np.log(C))
    drawn = {
      'N': np.exp(log_N),
      'D': np.exp(log_D),
      'loss': np.exp(log_L),
    }
    return Allocation(
      C=Interval.exact(C),
      **{name: _about_median(x, level) for name, x in drawn.items()},
    )

  @functools.cached_property
  def _costs(self) -> laws.Cost:
    """What compute buys, of each draw; one where that is exact."""
    count = sum(len(one.params) for one in self.drawn)
    return self.law.cost_fit.draws(count, self.seed)

  def _log_losses(
    self, n: np.ndarray, d: np.ndarray, own_d: np.ndarray | None = None
  ) -> np.ndarray:
    rng = np.random.default_rng((self.seed, 1))
    ends = np.cumsum([len(one.params) for one in self.drawn])[:-1]
    own = [None] * len(self.drawn) if own_d is None else np.split(own_d, ends)
    return np.concatenate(
      [one.log_losses(rng, n, d, of) for one, of in zip(self.drawn, own)]
    )

  @functools.cached_property
  def _minima(self) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """By C, what was found there: another level asks for it again."""
    return {}

  def _at(self, C: float) -> tuple[np.ndarray, np.ndarray]:
    if C not in self._minima:
      self._minima[C] = self._minimum(C)
    return self._minima[C]

  def _minimum(self, C: float) -> tuple[np.ndarray, np.ndarray]:
    """[B] log N and log L of the least loss; nan where none is near."""
    cost, costs = self.law.cost, self._costs
    center = np.log(self.law.law.optimum(C, cost).N)
    log_N = center + np.linspace(-_HALF, _HALF, _POINTS)
    n = log_N - self.law.center[0]
    d = np.asarray(cost.log_tokens(log_N, np.log(C))) - self.law.center[1]
    own_d = None
    if isinstance(costs, laws.CostCurve):
      own_d = np.asarray(costs.columns(1).log_tokens(log_N, np.log(C)))
      own_d = own_d - self.law.center[1]
    return _least(log_N, self._log_losses(n, d, own_d))


def fit(
  law: ChinchillaFit, *, draws: int = 4000, seed: int = 0
) -> AveragedFit | None:
  """Averages over forms and discrepancies, on the runs that a fit counted.

  Seeds of one N and D are one datum, and cells weigh as the fit has it.

  Args:
    law: of approach 3.
    draws: how many.
    seed: of the draws.

  Returns:
    None where it is not ok, where fewer than nine data are too few for it or
    more than a thousand too many, or where residuals of one model go together.

  Raises:
    ValueError: there is no draw.

  >>> from scaling_jax import published
  >>> from scaling_jax.analysis.fitting import chinchilla
  >>> from scaling_jax.analysis.fitting.bootstrap import Bootstrap
  >>> from scaling_jax.analysis.fitting.simulate import simulate
  >>> N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
  >>> L = simulate(published.HOFFMANN, N, D, noise=1e-3)
  >>> found = fit(chinchilla.fit(N, D, L, bootstrap=Bootstrap(draws=0)))
  >>> found.conf_int()['E'].holds(1.69), round(sum(found.shares.values()), 6)
  (True, 1.0)
  >>> found.optimum(C=1e22).loss.holds(published.HOFFMANN.optimum(1e22).L)
  True
  """
  if draws < 1:
    raise ValueError(f'draws={draws} must be 1 or more; try draws=4000')
  if not law.ok or law.point is None or law.model_sd:
    return None
  cells = law.cells
  if not MIN_CELLS <= len(cells) <= MAX_CELLS or law.residual_sd is None:
    return None
  data = Data.of(cells, law.center, law.noise_exponent)
  found = mixture.components(data, law.point, law.residual_sd.sd)
  p = mixture.weights(found)
  shares: dict[str, float] = {}
  for one, share in zip(found, p):
    name = one.model.form.name
    name += ' with discrepancy' if one.model.ratio else ''
    shares[name] = shares.get(name, 0.0) + float(share)
  rng = np.random.default_rng(seed)
  counts = rng.multinomial(draws, p)
  drawn = tuple(
    Drawn(one, *one.draws(rng, count))
    for one, count in zip(found, counts)
    if count
  )
  return AveragedFit(law=law, drawn=drawn, shares=shares, seed=seed)


def _about_median(drawn: np.ndarray, level: float) -> Interval:
  """An interval of draws [B, ...]; nan where half of them are not finite."""
  known = np.where(np.isfinite(drawn), drawn, np.inf)
  return percentile_interval(np.median(known, 0), drawn, level)


def _least(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Where rows y [B, m] are least along an even x [m], and how low.

  By the parabola through the least point and its neighbours; nan where the
  least is an end.
  """
  y = np.where(np.isfinite(y), y, np.inf)
  i, row = np.argmin(y, 1), np.arange(len(y))
  inside = (i > 0) & (i < len(x) - 1)
  i = np.clip(i, 1, len(x) - 2)
  left, middle, right = (y[row, i + k] for k in (-1, 0, 1))
  with np.errstate(all='ignore'):
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    low = middle - 0.25 * (left - right) * shift
  shift = np.where(np.isfinite(shift), shift, 0.0)
  low = np.where(np.isfinite(low), low, middle)
  at = x[i] + shift * (x[1] - x[0])
  return np.where(inside, at, np.nan), np.where(inside, low, np.nan)
