"""Approach 3: L(N, D) = E + A/N^alpha + B/D^beta fitted to every run.

Hoffmann et al. 2022, section 3.3: the Huber loss (delta 1e-3) of log L, summed
over runs. Parameters are fitted as logarithms, with log N and log D measured
from their means, so that A and B do not move with the exponents.
"""

import itertools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import uncertainty

N_PARAMS = 5
DELTA = 1e-3
PAD = 32
OPEN_DRAWS = 0.005  # the share of draws without a law that is too many
MIN_FREEDOM = 3  # with fewer the intervals were measured to be too narrow
ALONG_A_LINE = 0.05  # of the scatter of log D, that is not log N's
STARTS = ('both', 'projection', 'grid')


class Parametric(NamedTuple):
  """A fitted law, what it might have been, and its verdict.

  Attributes:
    status: a word of DESIGN's list.
    sentence: the status for people.
    fit: the minimum and its certificate; None where none was looked for.
    law: the fitted law; None unless a minimum was certified.
    draws: the law with arrays [B] for numbers; None without an interval.
    noise: the scatter of log L; None where no degree of freedom is left.
    method: how the draws were made.
  """

  status: str
  sentence: str
  fit: fit_lib.Fit | None = None
  law: laws.Chinchilla | None = None
  draws: laws.Chinchilla | None = None
  noise: uncertainty.Noise | None = None
  method: str = ''

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


def residuals(params, data, xp=jnp):
  """log L̂ - log L [n]; params are log A', log B', log E, alpha, beta.

  Args:
    params: [5], or [5, ..., 1] for many laws at once.
    data: log_N, log_D and log_L, each [n].
    xp: jax.numpy, or numpy where nothing is to be differentiated.
  """
  a, b, e, alpha, beta = params
  model = xp.exp(a - alpha * data['log_N'])
  text = xp.exp(b - beta * data['log_D'])
  return xp.log(xp.exp(e) + model + text) - data['log_L']


def exponent_along(law: laws.Chinchilla, slope):
  """a in N_opt ∝ C^a along log D = log C + slope · log N + constant.

  With slope -1, where C = 6 N D, it is beta / (alpha + beta).
  """
  return law.beta / (law.alpha - law.beta * slope)


def pad(x: np.ndarray) -> np.ndarray:
  """[..., n] with zeros up to a multiple of PAD: weights of zero count not."""
  extra = -x.shape[-1] % PAD
  return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, extra)])


def optimum_along(law: laws.Chinchilla, slope, at_zero):
  """log N of the least loss along log D = slope · log N + at_zero.

  There alpha A N^-alpha = -slope beta B D^-beta. With slope -1 and at_zero
  log(C/6) it is the law's optimum at C = 6 N D; other slopes serve budgets that
  count attention and head too. A law of arrays gives an array.
  """
  with np.errstate(divide='ignore', invalid='ignore'):
    # By sums of logarithms: a draw's A or B may be near the largest float.
    log_ratio = (
      np.log(-slope * law.beta)
      + np.log(law.B)
      - np.log(law.alpha)
      - np.log(law.A)
    )
    return (log_ratio - law.beta * at_zero) / (law.beta * slope - law.alpha)


class Centred(NamedTuple):
  """Runs as the fit takes them, and the way back to a law."""

  log_N: np.ndarray
  log_D: np.ndarray
  log_L: np.ndarray
  mean_log_N: float
  mean_log_D: float

  @classmethod
  def of(cls, N, D, L) -> 'Centred':
    log_N, log_D = np.log(np.asarray(N, float)), np.log(np.asarray(D, float))
    n, d = float(log_N.mean()), float(log_D.mean())
    return cls(log_N - n, log_D - d, np.log(np.asarray(L, float)), n, d)

  @property
  def data(self) -> dict[str, np.ndarray]:
    """What `residuals` takes, padded: few shapes are compiled, not each n."""
    return {
      'log_N': pad(self.log_N),
      'log_D': pad(self.log_D),
      'log_L': pad(self.log_L),
    }

  def law(self, params: np.ndarray) -> laws.Chinchilla:
    """The law behind params [5], or a law of arrays behind params [B, 5]."""
    a, b, e, alpha, beta = np.moveaxis(params, -1, 0)
    with np.errstate(over='ignore'):
      return laws.Chinchilla(
        E=np.exp(e)[()],
        A=np.exp(a + alpha * self.mean_log_N)[()],
        B=np.exp(b + beta * self.mean_log_D)[()],
        alpha=alpha[()],
        beta=beta[()],
      )

  def params(self, law: laws.Chinchilla) -> np.ndarray:
    """[5], or [B, 5] of a law of arrays: the inverse of `law`."""
    return np.stack(
      [
        np.log(law.A) - law.alpha * self.mean_log_N,
        np.log(law.B) - law.beta * self.mean_log_D,
        np.log(law.E),
        law.alpha,
        law.beta,
      ],
      axis=-1,
    )


def fit(
  N: np.ndarray,
  D: np.ndarray,
  L: np.ndarray,
  n_budgets: int | None = None,
  draws: int = 4000,
  method: str = 'auto',
  solver: str = 'auto',
  starts: str = 'both',
  seed: int = 0,
) -> Parametric:
  """Fits the law and draws what it might have been.

  Args:
    N: [n] parameters of each run.
    D: [n] tokens.
    L: [n] final losses.
    n_budgets: compute budgets among the runs; where it is one, the model's
      and the data's share cannot be told apart. None: not checked.
    draws: bootstrap refits; 0 for none.
    method: 'runs', 'noise' or 'auto': see `uncertainty`.
    solver: 'jax', 'optimistix' or 'auto': see `fit.fit`.
    starts: 'projection' for variable projection, 'grid' for Hoffmann's 4500,
      'both' for the first and the most promising of the second.
    seed: of the draws.
  """
  centred = Centred.of(N, D, L)
  refused = refusal(centred, n_budgets)
  if refused:
    return Parametric(*refused)
  begin = _starts(centred, starts)
  ones = pad(np.ones(len(centred.log_L)))
  found = fit_lib.fit(residuals, begin, centred.data, ones, DELTA, solver)
  status, sentence = found.status, found.sentence
  if status == 'ok' and not (found.params[3:] > 0).all():
    status, sentence = (
      'not_identified',
      (
        'the loss does not fall with both N and D:'
        f' alpha {found.params[3]:.3g}, beta {found.params[4]:.3g}'
      ),
    )
  if status != 'ok':
    return Parametric(status, sentence, found)
  law = centred.law(found.params)
  left = np.asarray(np.log(law.loss(N, D)) - centred.log_L)
  noise = uncertainty.noise_of(left, N_PARAMS)
  few = _too_few(len(left))
  if few:
    return Parametric(*few, fit=found, law=law)
  assert noise is not None
  method = uncertainty.choose_method(method, len(left), N_PARAMS)
  drawn = None
  if draws:
    drawn = draw(centred, found.params, noise, draws, method, solver, seed)
    undefined = float(np.mean(np.isnan(drawn.E)))
    if undefined > OPEN_DRAWS:
      return Parametric(
        'not_identified',
        f'in {undefined:.0%} of studies redrawn with this noise no law is found'
        ' that falls with N and D, so that nothing bounds this one',
        found,
        noise=noise,
        method=method,
      )
  return Parametric('ok', sentence, found, law, drawn, noise, method)


def draw(
  centred: Centred,
  params: np.ndarray,
  noise: uncertainty.Noise,
  draws: int,
  method: str,
  solver: str = 'auto',
  seed: int = 0,
) -> laws.Chinchilla:
  """Refits to redrawn studies: a law of arrays [draws].

  Draws whose refit is not certified, or whose loss does not fall with N and
  D, are NaN: intervals count them as unbounded.
  """
  rng = np.random.default_rng(seed)
  n = len(centred.log_L)
  if method == 'runs':
    weights = pad(uncertainty.resampled_weights(rng, draws, n))
    found = fit_lib.refit(
      residuals, params, centred.data, weights, DELTA, solver
    )
    return centred.law(_falling(found, centred))
  fitted = centred.log_L + _residuals(params, centred)
  log_L = fitted + uncertainty.noise_draws(rng, draws, n, noise)
  return centred.law(refits(centred, params, log_L, solver))


def refits(
  centred: Centred, start: np.ndarray, log_L: np.ndarray, solver: str = 'auto'
) -> np.ndarray:
  """[B, 5] parameters of studies of the same runs with other losses.

  Args:
    centred: the runs.
    start: [5], or [B, 5] for each study's own.
    log_L: [B, n].
    solver: as for `fit`.

  Returns:
    NaN where no certified law falls with N and D.
  """
  data = {name: np.tile(x, (len(log_L), 1)) for name, x in centred.data.items()}
  data['log_L'] = pad(log_L)
  weights = pad(np.ones_like(log_L))
  found = fit_lib.refit(residuals, start, data, weights, DELTA, solver, True)
  return _falling(found, centred)


def _falling(found: fit_lib.Refits, centred: Centred) -> np.ndarray:
  law = centred.law(found.params)
  good = found.certified & (found.params[:, 3:] > 0).all(1)
  good &= np.isfinite(law.A) & np.isfinite(law.B)
  return np.where(good[:, None], found.params, np.nan)


def projection_starts(centred: Centred, count: int = 24) -> np.ndarray:
  """[count, 5] by variable projection (Golub and Pereyra 1973).

  Given alpha and beta the law is linear in E, A and B: a grid over the two and
  a least-squares solution for the three; those best by the Huber loss.
  """
  grid = np.geomspace(0.05, 1.5, 24)
  alpha, beta = (x.ravel() for x in np.meshgrid(grid, grid))
  columns = (
    np.stack(
      [
        np.exp(-alpha[:, None] * centred.log_N),
        np.exp(-beta[:, None] * centred.log_D),
        np.ones((len(alpha), len(centred.log_L))),
      ],
      axis=-1,
    )
    / np.exp(centred.log_L)[:, None]
  )  # relative errors, as in log L
  linear = np.linalg.pinv(columns).sum(-1)
  # A share below zero has no logarithm: such starts begin near nothing.
  linear = np.maximum(linear, 1e-3 * np.abs(linear).max(1, keepdims=True))
  starts = np.column_stack([np.log(linear), alpha, beta])
  return _best(starts, centred, count)


def grid_starts(centred: Centred, count: int | None = None) -> np.ndarray:
  """Hoffmann's grid of 4500, or the `count` best of it by the Huber loss."""
  exponents = np.arange(0, 2.5, 0.5)
  logs = np.arange(0, 30, 5.0)
  grid = np.array(
    list(
      itertools.product(
        logs, logs, np.arange(-1, 1.5, 0.5), exponents, exponents
      )
    )
  )
  grid[:, 0] -= grid[:, 3] * centred.mean_log_N
  grid[:, 1] -= grid[:, 4] * centred.mean_log_D
  return grid if count is None else _best(grid, centred, count)


def _starts(centred: Centred, starts: str) -> np.ndarray:
  if starts == 'projection':
    return projection_starts(centred)
  if starts == 'grid':
    return grid_starts(centred)
  if starts != 'both':
    raise ValueError(f'starts={starts!r} must be one of {", ".join(STARTS)}')
  return np.concatenate([projection_starts(centred), grid_starts(centred, 24)])


def _best(starts: np.ndarray, centred: Centred, count: int) -> np.ndarray:
  loss = fit_lib.huber(_residuals(starts, centred), DELTA, np).sum(-1)
  return starts[np.argsort(loss, kind='stable')[:count]]


def _residuals(params: np.ndarray, centred: Centred) -> np.ndarray:
  """[..., n] of params [..., 5]."""
  return residuals(np.moveaxis(params, -1, 0)[..., None], centred._asdict(), np)


def unanswered(
  centred: Centred, n_budgets: int | None
) -> tuple[str, str] | None:
  """Why these runs will get no interval, whatever their losses, or None."""
  return refusal(centred, n_budgets) or _too_few(len(centred.log_L))


def _too_few(n: int) -> tuple[str, str] | None:
  need = N_PARAMS + MIN_FREEDOM
  if n >= need:
    return None
  return 'no_degrees_of_freedom', (
    f'{n} runs leave too little to judge five parameters by: {need} are needed'
    ' for an interval'
  )


def refusal(centred: Centred, n_budgets: int | None) -> tuple[str, str] | None:
  """Why these runs cannot carry five parameters, or None."""
  n = len(centred.log_L)
  if n < N_PARAMS:
    return 'too_few_points', f'{n} runs cannot carry five parameters'
  for name, values in (('N', centred.log_N), ('D', centred.log_D)):
    kinds = len(np.unique(np.round(values, 6)))
    if kinds < 3:
      return 'not_identified', (
        f'the runs have {kinds} different {name}, and the law needs three'
      )
  if n_budgets == 1:
    return 'not_identified', (
      'all runs share one budget, so that N and D move together: a second'
      ' budget is needed'
    )
  # The law reads the same with its two terms exchanged where D is a power of
  # N: both answers fit alike, and only one is reported.
  line = np.polyfit(centred.log_N, centred.log_D, 1)
  off = np.std(centred.log_D - np.polyval(line, centred.log_N))
  if off < ALONG_A_LINE * np.std(centred.log_D):
    return 'not_identified', (
      f'N and D move together over the runs, D as N^{line[0]:.2f}, so that'
      ' their shares cannot be told apart: runs of one N and several D are'
      ' needed'
    )
  return None
