"""Robust minima from many starts at once, each with its diagnostics.

A fit minimizes the sum over the data of w · Huber_delta(residual) in float64.
Every start is first conditioned: parameters are measured in units in which
the curvature at the start is about one, by a QR decomposition of the
residuals' Jacobian. That halves the steps of a quasi-Newton method and lets
jax.scipy's line search, which stops early on the raw problem, come through.
"""

from collections.abc import Callable
import contextlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from scaling_jax.analysis.fitting import programs
from scaling_jax.analysis.fitting import solvers
from scaling_jax.analysis.fitting.result import Diagnostics
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.solvers import MAX_STEPS
from scaling_jax.analysis.fitting.solvers import huber
from scaling_jax.analysis.messages import multistart as messages

__all__ = (
  'MAX_STEPS', 'SOLVERS', 'Minimum', 'Refits', 'huber', 'minimize', 'pad',
  'refit',
)  # fmt: skip

SOLVERS = ('auto', 'jax', 'optimistix')

GRADIENT_TOLERANCE = 1e-5
AGREEMENT = 1e-6  # relative difference of objectives that are the same
SAME_PARAMS = 0.01  # and of parameters, or absolute below one
MIN_AGREE = 3
MAX_CONDITION = 1e6

FIRST = 8  # starts for jax.scipy, which is the slower one
# Problems solved at once: few shapes are compiled, and a chunk need not wait
# for the slowest of all.
LANES = {'jax': FIRST, 'optimistix': 48}
REFIT_LANES = 64
SHORTEST = 64  # data are padded to this or a power of two above
# Unoptimized, jax.scipy's program compiles in half the time, and eight starts
# take no longer than a few milliseconds.
_OPTIONS: dict[str, programs.Options] = {
  'jax': (('xla_backend_optimization_level', 0),),
  'optimistix': (),
}

Residuals = Callable[[jax.Array, Any], jax.Array]


class Minimum(NamedTuple):
  """The best minimum of many starts, and its diagnostics.

  Attributes:
    params: [P] the best minimum found.
    diagnostics: what the search ended with.
    status: 'ok', 'not_converged' or 'not_identified'.
    message: the status for people.
  """

  params: np.ndarray
  diagnostics: Diagnostics
  status: Status
  message: str


class Refits(NamedTuple):
  """Minima of many perturbed problems: params [B, P], converged [B]."""

  params: np.ndarray
  converged: np.ndarray


class _Ends(NamedTuple):
  """Where starts ended: params [S, P], objective [S], gradient [S]."""

  params: np.ndarray
  objective: np.ndarray
  gradient: np.ndarray

  @property
  def converged(self) -> np.ndarray:
    return np.isfinite(self.objective) & (self.gradient <= GRADIENT_TOLERANCE)


def pad(x: np.ndarray) -> np.ndarray:
  """[..., n] with zeros up to 64 or a power of two above.

  Data of no weight change nothing, and few shapes are compiled.

  >>> pad(np.ones(70)).shape
  (128,)
  """
  n = x.shape[-1]
  longer = max(SHORTEST, 1 << max(n - 1, 0).bit_length())
  return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, longer - n)])


def minimize(
  residuals: Residuals,
  starts: np.ndarray,
  data: Any,
  weights: np.ndarray,
  delta: float = 1e-3,
  solver: str = 'auto',
) -> Minimum:
  """The best minimum from many starts.

  Args:
    residuals: (params [P], data) -> [n]; a function at the top of a module,
      because compiled fits are kept by its name.
    starts: [S, P], the most promising first.
    data: what `residuals` takes, any pytree of float64 arrays.
    weights: [n], how often each datum counts.
    delta: where the Huber loss turns from a square to a line.
    solver: 'jax' for jax.scipy.optimize.minimize, 'optimistix' for its BFGS;
      'auto' for the first from the first starts, then the second from where
      that stopped and from all the others.
  """
  _check(solver)
  starts = np.array(starts, np.float64)  # a copy: the first are replaced
  by_jax = np.full(len(starts), solver == 'jax')
  if solver == 'auto':
    # They compile side by side, and what takes longest begins first.
    for name in ('optimistix', 'jax'):
      _compile(residuals, delta, name, starts, data, weights)
    first = _search(residuals, delta, 'jax', starts[:FIRST], data, weights)
    by_jax[:FIRST] = first.gradient <= GRADIENT_TOLERANCE
    usable = np.isfinite(first.params).all(1, keepdims=True)
    starts[:FIRST] = np.where(usable, first.params, starts[:FIRST])
    ends = _search(residuals, delta, 'optimistix', starts, data, weights)
    for one, end in zip(first, ends):
      end[:FIRST][by_jax[:FIRST]] = one[by_jax[:FIRST]]
  else:
    ends = _search(residuals, delta, solver, starts, data, weights)
  return _best(ends, by_jax, residuals, data, weights, delta)


def _best(
  ends: _Ends, by_jax: np.ndarray, residuals, data, weights, delta: float
) -> Minimum:
  """The lowest end, with what speaks for it; by_jax [S] are jax.scipy's."""
  params, objective, gradient = ends
  finite = np.isfinite(objective)
  objective = np.where(finite, objective, np.inf)
  best = int(np.argmin(objective))
  lowest = objective[best]
  agree = finite & (objective <= lowest * (1 + AGREEMENT) + 1e-15)
  still = agree & np.isfinite(gradient)
  if still.any():
    # Of those that agree jax.scipy's, and of these the one nearest to rest.
    preferred = still & by_jax if (still & by_jax).any() else still
    best = int(np.argmin(np.where(preferred, gradient, np.inf)))
  # At a flat minimum objectives agree where parameters do not.
  size = np.maximum(np.abs(params[best]), 1.0)
  apart = (np.abs(params - params[best]) / size).max(1)
  same = agree & (apart <= SAME_PARAMS)
  found = Diagnostics(
    objective=float(lowest),
    gradient_norm=float(gradient[best]),
    condition=_condition(residuals, params[best], data, weights, delta),
    n_starts=len(params),
    n_agree=int(same.sum()),
    spread=float(apart[agree].max(initial=0.0)),
    solver='jax' if by_jax[best] else 'optimistix',
  )
  return Minimum(params[best], found, *_judged(found))


def refit(
  residuals: Residuals,
  start: np.ndarray,
  data: Any,
  weights: np.ndarray,
  *,
  delta: float = 1e-3,
  solver: str = 'auto',
  batched_data: bool = False,
) -> Refits:
  """Fits of a bootstrap, from the fit of the data themselves.

  Args:
    residuals: as for `minimize`.
    start: [P], or [B, P] for a start of each refit's own.
    data: as for `minimize`; with a leading axis [B] if `batched_data`.
    weights: [B, n].
    delta: as for `minimize`.
    solver: as for `minimize`, but 'auto' is optimistix alone: from a start this
      near both end at the same place, and it is several times faster. What
      'jax' leaves unconverged optimistix finishes.
    batched_data: whether each refit has data of its own.
  """
  solver = 'optimistix' if _check(solver) == 'auto' else solver
  B = len(weights)
  start = np.broadcast_to(start, (B, np.shape(start)[-1]))
  if not batched_data:
    data = jax.tree.map(lambda x: np.broadcast_to(x, (B, *np.shape(x))), data)
  ends = _refit(residuals, delta, solver, start, data, weights)
  if solver == 'jax' and not ends.converged.all():
    # A draw is no draw of the law only because a line search gave up.
    usable = np.isfinite(ends.params).all(1, keepdims=True)
    again = np.where(usable, ends.params, start)
    ends = _refit(residuals, delta, 'optimistix', again, data, weights)
  return Refits(ends.params, ends.converged)


def _check(solver: str) -> str:
  if solver not in SOLVERS:
    raise ValueError(f'solver={solver!r} must be one of {", ".join(SOLVERS)}')
  return solver


def _judged(found: Diagnostics) -> tuple[Status, str]:
  if not np.isfinite(found.objective):
    return Status.NOT_CONVERGED, messages.no_finite_objective()
  if not found.gradient_norm <= GRADIENT_TOLERANCE:
    return Status.NOT_CONVERGED, messages.gradient_too_large(
      found.n_starts, found.gradient_norm, GRADIENT_TOLERANCE
    )
  if found.spread <= SAME_PARAMS and found.n_agree < min(
    MIN_AGREE, found.n_starts
  ):
    return Status.NOT_CONVERGED, messages.too_few_agree(
      found.n_agree, found.n_starts, MIN_AGREE
    )
  if found.spread > SAME_PARAMS:
    return Status.NOT_IDENTIFIED, messages.flat(found.spread)
  if not found.condition <= MAX_CONDITION:
    return Status.NOT_IDENTIFIED, messages.ill_conditioned(
      found.condition, MAX_CONDITION
    )
  return Status.OK, messages.converged(
    found.n_agree, found.n_starts, found.gradient_norm, found.condition
  )


@contextlib.contextmanager
def _float64_on_cpu():
  cpu = jax.local_devices(backend='cpu')[0]
  with jax.enable_x64(True), jax.default_device(cpu):
    yield


def _arrays(tree: Any) -> Any:
  return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), tree)


def _condition(residuals, params, data, weights, delta) -> float:
  """Of the Jacobian, runs weighted as the Huber loss weights them."""
  with _float64_on_cpu():
    jacobian, left = map(
      np.asarray, programs.run(_jacobian, (residuals,), _arrays((params, data)))
    )
  share = np.asarray(weights) * np.minimum(
    1.0, delta / np.maximum(np.abs(left), 1e-300)
  )
  jacobian = (np.sqrt(share)[:, None] * jacobian)[share > 0]
  if not np.all(np.isfinite(jacobian)) or len(jacobian) < len(params):
    return float('inf')
  singular = np.linalg.svd(jacobian, compute_uv=False)
  return float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf


def _jacobian(residuals):
  """(params, data) -> the residuals' Jacobian, and the residuals."""

  def both(params, data):
    left = residuals(params, data)
    return left, left

  return jax.jacfwd(both, has_aux=True)


def _compile(residuals, delta, solver, starts, data, weights) -> None:
  """Begins to compile what `_search` runs."""
  with _float64_on_cpu():
    rows = next(_chunks(starts, LANES[solver]))
    programs.start(
      _from_starts,
      (residuals, delta, solver),
      _arrays((rows, data, weights)),
      _OPTIONS[solver],
    )


def _search(residuals, delta, solver, starts, data, weights) -> _Ends:
  """Solves from every start."""
  out = []
  with _float64_on_cpu():
    data, weights = _arrays((data, weights))
    for rows in _chunks(starts, LANES[solver]):
      ends = programs.run(
        _from_starts,
        (residuals, delta, solver),
        (jnp.asarray(rows), data, weights),
        _OPTIONS[solver],
      )
      out.append([np.array(x) for x in ends])
  return _Ends(*(np.concatenate(x)[: len(starts)] for x in zip(*out)))


def _refit(residuals, delta, solver, start, data, weights) -> _Ends:
  """Solves every problem from its own start."""
  leaves, tree = jax.tree.flatten((start, data, weights))
  out = []
  with _float64_on_cpu():
    for rows in zip(*(_chunks(leaf, REFIT_LANES) for leaf in leaves)):
      arguments = _arrays(jax.tree.unflatten(tree, rows))
      ends = programs.run(_each, (residuals, delta, solver), arguments)
      out.append([np.array(x) for x in ends])
  if not out:
    return _Ends(np.empty((0, start.shape[-1])), np.empty(0), np.empty(0))
  return _Ends(*(np.concatenate(x)[: len(start)] for x in zip(*out)))


def _chunks(x: np.ndarray, size: int):
  """Rows of x, `size` at a time; the last are filled up with its last row."""
  for i in range(0, len(x), size):
    rows = np.asarray(x[i : i + size], np.float64)
    short = size - len(rows)
    yield np.concatenate([rows, np.repeat(rows[-1:], short, 0)])


def _from_starts(residuals, delta, solver):
  """(starts [S, P], data, weights) -> ends [S]."""

  def solve(start, data, weights):
    return solvers.solve(residuals, delta, solver, start, data, weights)

  if solver == 'optimistix':
    return jax.vmap(solve, [0, None, None])
  # One after the other: nested loops take long to trace for a batch.
  return lambda starts, data, weights: jax.lax.map(
    lambda start: solve(start, data, weights), starts
  )


def _each(residuals, delta, solver):
  """(starts [B, P], data [B], weights [B, n]) -> ends [B]."""
  return jax.vmap(
    lambda start, data, weights: solvers.solve(
      residuals, delta, solver, start, data, weights
    )
  )
