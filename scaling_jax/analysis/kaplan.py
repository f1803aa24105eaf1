"""Kaplan's laws of two quantities: L(N, D) and L(N, S_min).

Kaplan et al. 2020 (arXiv 2001.08361), eqs. 1.5 and 1.6. Both are fitted by
least squares of the loss, from many starts, each found by a grid over the two
exponents and a linear solution for the rest; log N and the other logarithm are
measured from their means. The laws of one quantity are lines in logarithms:
`log_line`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import parametric
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.envelope import TrainingCurve

N_PARAMS = 4
MIN_POINTS = N_PARAMS + 1
MIN_CURVES = 4
CURVE_POINTS = 24  # of each curve, evenly in log S_min
MILLI = 1e3  # residuals are thousandths of a nat
DELTA = 100.0  # of them: least squares but for what is wrong altogether
RESOLUTION = 0.002  # of S, relative
FAR = 5.0  # an exponent beyond it is none that the data set
OPEN_DRAWS = parametric.OPEN_DRAWS
DRAWS = 400  # of curves, whose refits are longer

Law = Any  # laws.Kaplan or laws.KaplanSteps, of numbers or of arrays


class Joint(NamedTuple):
  """A law of N and another quantity, and its verdict.

  Attributes:
    status, sentence: the verdict.
    fit: the minimum and its certificate; None where none was looked for.
    law: None unless a minimum was certified.
    draws: the law of arrays [B]; None without an interval.
    noise: the scatter of the loss, in its unit.
    N, x, L: [n] what it was fitted to.
  """

  status: str
  sentence: str
  fit: fit_lib.Fit | None = None
  law: Law | None = None
  draws: Law | None = None
  noise: uncertainty.Noise | None = None
  N: np.ndarray = np.empty(0)
  x: np.ndarray = np.empty(0)
  L: np.ndarray = np.empty(0)

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


class _Form(NamedTuple):
  """One of the two laws, in parameters a, b, alpha, beta.

  Attributes:
    other: names the quantity beside N.
    loss: (params, log_N, log_x, xp) -> [n].
    power: beta -> the exponent of L that is linear in e^a and e^b.
    slopes: (alpha, beta) -> of log N and log x in the two terms.
    law: (params, mean log N, mean log x) -> the law.
  """

  other: str
  loss: Callable
  power: Callable
  slopes: Callable
  law: Callable

  def residuals(self, params, data):
    """Thousandths of L̂ - L [n]; equal, and so compiled once, for each form."""
    fitted = self.loss(params, data['log_N'], data['log_x'], jnp)
    return MILLI * (fitted - data['L'])


def _loss_ND(params, log_N, log_x, xp):
  a, b, alpha, beta = params
  return xp.exp(beta * xp.logaddexp(a - alpha / beta * log_N, b - log_x))


def _law_ND(params, n, d) -> laws.Kaplan:
  a, b, alpha, beta = params
  return laws.Kaplan(
    np.exp(a * beta / alpha + n)[()], np.exp(b + d)[()], alpha, beta
  )


def _loss_NS(params, log_N, log_x, xp):
  a, b, alpha, beta = params
  return xp.exp(a - alpha * log_N) + xp.exp(b - beta * log_x)


def _law_NS(params, n, s) -> laws.KaplanSteps:
  a, b, alpha, beta = params
  return laws.KaplanSteps(
    np.exp(a / alpha + n)[()], np.exp(b / beta + s)[()], alpha, beta
  )


_ND = _Form(
  'D',
  _loss_ND,
  lambda beta: 1 / beta,
  lambda alpha, beta: (alpha / beta, np.ones_like(beta)),
  _law_ND,
)
_NS = _Form(
  'S_min',
  _loss_NS,
  lambda beta: np.ones_like(beta),
  lambda alpha, beta: (alpha, beta),
  _law_NS,
)


def fit_ND(
  N: np.ndarray,
  D: np.ndarray,
  L: np.ndarray,
  draws: int = 4000,
  seed: int = 0,
) -> Joint:
  """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

  Args:
    N: [n] parameters.
    D: [n] tokens of the text there is.
    L: [n] losses.
    draws: refits to redrawn losses.
    seed: of the draws.
  """
  few = _too_few(N, D, 'D')
  if few:
    return Joint(*few)
  found, data, means = _search(_ND, N, D, L)
  out = _judged(_ND, found, means)._replace(N=N, x=D, L=L)
  if not out.ok:
    return out
  left = _loss_ND(found.params, data['log_N'], data['log_x'], np)[: len(L)] - L
  noise = uncertainty.noise_of(left, N_PARAMS)
  assert noise is not None
  rng = np.random.default_rng(seed)
  redrawn = L + left + uncertainty.noise_draws(rng, draws, len(L), noise)
  return _with_draws(out._replace(noise=noise), _ND, data, means, redrawn)


def fit_NS(
  curves: Sequence[TrainingCurve],
  steps: Sequence[np.ndarray],
  draws: int = DRAWS,
  seed: int = 0,
  level: float = 0.95,
  steps_drawn: Sequence[np.ndarray] | None = None,
) -> Joint:
  """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S along whole curves.

  A curve's points share its seed's luck and its distance from the law, so that
  redrawn curves scatter about it as whole curves did.

  Args:
    curves: each run's smoothed loss.
    steps: [K] of each curve, S_min at its points.
    draws: refits to redrawn curves.
    seed: of the draws.
    level: of the intervals to be.
    steps_drawn: [draws, K] of each curve, where S_min is not known exactly.
  """
  kinds = len({c.N for c in curves})
  if kinds < MIN_CURVES:
    return Joint(
      'too_few_points',
      f'the law needs training curves of {MIN_CURVES} sizes at one batch size,'
      f' and there are {kinds}',
    )
  rows = [_evenly(S, c.L) for c, S in zip(curves, steps)]
  S_RK, L_RK = (np.stack(x) for x in zip(*rows))
  N_RK = np.broadcast_to(np.array([c.N for c in curves])[:, None], S_RK.shape)
  N, S, L = N_RK.ravel(), S_RK.ravel(), L_RK.ravel()
  found, data, means = _search(_NS, N, S, L)
  out = _judged(_NS, found, means)._replace(N=N, x=S, L=L)
  if not out.ok:
    return out
  fitted = _loss_NS(found.params, data['log_N'], data['log_x'], np)[: len(L)]
  left_RK = (fitted - L).reshape(L_RK.shape)
  noise = uncertainty.noise_of(left_RK, N_PARAMS)
  assert noise is not None
  rng = np.random.default_rng(seed)
  # The runs, and not their points, tell the size of the scatter; a line in
  # log N through them takes two.
  R = len(left_RK)
  moved = uncertainty.curve_draws(rng, draws, left_RK * np.sqrt(R / (R - 2)))
  moved *= uncertainty.wider(level, R - 2)
  redrawn = fitted + moved.reshape(len(moved), -1)
  own_x = data['log_x'][: len(L)]
  log_x = np.tile(own_x, (draws, 1))
  if steps_drawn is not None:
    # The same points of each curve, whatever S_min is there.
    at = [
      np.stack([np.interp(np.log(S), np.log(own), np.log(x)) for x in drawn])
      for S, own, drawn in zip(S_RK, steps, steps_drawn)
    ]
    log_x = np.concatenate(at, axis=-1) - means[1]
  # What bins of steps leave is the same along all curves: a shift, a tilt.
  shift, tilt = RESOLUTION * rng.normal(size=(2, draws, 1))
  log_x = log_x + shift + tilt * own_x / np.abs(own_x).max()
  return _with_draws(
    out._replace(noise=noise), _NS, data, means, redrawn, log_x
  )


def _evenly(S: np.ndarray, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """CURVE_POINTS of a curve, evenly in log S."""
  at = np.geomspace(S[0], S[-1], CURVE_POINTS)
  return at, np.interp(np.log(at), np.log(S), L)


def _too_few(N, x, other: str) -> tuple[str, str] | None:
  if len(N) < MIN_POINTS:
    return 'too_few_points', (
      f'{len(N)} run{"s" * (len(N) != 1)} cannot carry four parameters and'
      f' judge them: {MIN_POINTS} are needed'
    )
  for name, values in (('N', N), (other, x)):
    kinds = len(np.unique(np.round(np.log(values), 2)))
    if kinds < 2:
      return 'not_identified', (
        f'all runs share one {name}, and the law needs two at least'
      )
  log_N, log_x = np.log(N), np.log(x)
  line = np.polyfit(log_N, log_x, 1)
  off = np.std(log_x - np.polyval(line, log_N))
  if off < parametric.ALONG_A_LINE * np.std(log_x):
    return 'not_identified', (
      f'N and {other} move together over the runs, so that their shares cannot'
      f' be told apart: runs of one N and several {other} are needed'
    )
  return None


def _search(form: _Form, N, x, L):
  """The minimum, the data as the fit takes them, and the mean logarithms."""
  log_N, log_x = np.log(N), np.log(x)
  n, m = float(log_N.mean()), float(log_x.mean())
  plain = {'log_N': log_N - n, 'log_x': log_x - m, 'L': np.asarray(L, float)}
  data = {name: parametric.pad(values) for name, values in plain.items()}
  ones = parametric.pad(np.ones(len(L)))
  found = fit_lib.fit(form.residuals, _starts(form, plain), data, ones, DELTA)
  return found, data, (n, m)


def _starts(form: _Form, data, count: int = 24) -> np.ndarray:
  """[count, 4] by variable projection, those of the least squares."""
  grid = np.geomspace(0.02, 2.0, 24)
  alpha, beta = (x.ravel() for x in np.meshgrid(grid, grid))
  by_N, by_x = form.slopes(alpha, beta)
  L_power = np.log(data['L']) * form.power(beta)[:, None]
  columns = np.exp(
    np.stack(
      [
        -by_N[:, None] * data['log_N'] - L_power,
        -by_x[:, None] * data['log_x'] - L_power,
      ],
      axis=-1,
    )
  )  # each relative to the power of L that is their sum
  linear = np.linalg.pinv(columns).sum(-1)
  linear = np.maximum(linear, 1e-3 * np.abs(linear).max(1, keepdims=True))
  starts = np.column_stack([np.log(linear), alpha, beta])
  with np.errstate(over='ignore', invalid='ignore'):
    fitted = form.loss(
      np.moveaxis(starts, -1, 0)[..., None], data['log_N'], data['log_x'], np
    )
    off = np.sum((fitted - data['L']) ** 2, axis=-1)
  return starts[np.argsort(np.nan_to_num(off, nan=np.inf))[:count]]


def _judged(form: _Form, found: fit_lib.Fit, means) -> Joint:
  status, sentence = found.status, found.sentence
  if np.any(found.params[2:] > FAR):
    status, sentence = (
      'not_identified',
      (
        f'an exponent runs off, to {found.params[2:].max():.3g}: these runs have'
        ' another shape than this law'
      ),
    )
  elif status == 'ok' and not (found.params[2:] > 0).all():
    status, sentence = (
      'not_identified',
      (
        f'the loss does not fall with both N and {form.other}: exponents'
        f' {found.params[2]:.3g} and {found.params[3]:.3g}'
      ),
    )
  if status != 'ok':
    return Joint(status, sentence, found)
  return Joint('ok', sentence, found, form.law(found.params, *means))


def _with_draws(
  out: Joint, form: _Form, data, means, redrawn, log_x=None
) -> Joint:
  """Refits the law to redrawn losses, and log x if need be, each [B, n]."""
  assert out.fit is not None
  many = {k: np.tile(x, (len(redrawn), 1)) for k, x in data.items()}
  many['L'] = parametric.pad(redrawn)
  if log_x is not None:
    many['log_x'] = parametric.pad(log_x)
  weights = parametric.pad(np.ones_like(redrawn))
  refits = fit_lib.refit(
    form.residuals, out.fit.params, many, weights, DELTA, batched_data=True
  )
  good = refits.certified & (refits.params[:, 2:] > 0).all(1)
  params = np.where(good[:, None], refits.params, np.nan)
  with np.errstate(over='ignore', invalid='ignore'):
    drawn = form.law(params.T, *means)
  undefined = float(np.mean(~good))
  if undefined > OPEN_DRAWS:
    return out._replace(
      status='not_identified',
      law=None,
      sentence=(
        f'in {undefined:.0%} of studies redrawn with this noise no law is found'
        f' that falls with N and {form.other}, so that nothing bounds this one'
      ),
    )
  assert out.noise is not None
  said = f'{out.sentence}; losses scatter by {out.noise.sd:.2g} about it'
  return out._replace(draws=drawn, sentence=said)
