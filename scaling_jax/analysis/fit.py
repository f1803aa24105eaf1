"""Robust fits from many starts at once, each with its certificate.

A fit minimizes the sum over the data of w · Huber_delta(residual) in float64.
Every start is first conditioned: parameters are measured in units in which
the curvature at the start is about one, by a QR decomposition of the
residuals' Jacobian. That halves the steps of a quasi-Newton method and lets
jax.scipy's line search, which stops early on the raw problem, come through.
"""

from collections.abc import Callable
import contextlib
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.optimize
import numpy as np
import optimistix

SOLVERS = ('auto', 'jax', 'optimistix')

MAX_STEPS = 200
FIRST = 8  # starts for jax.scipy, which is the slower one
ROUNDS = 3  # jax.scipy's line search gives up early; a new metric helps
GRADIENT_TOLERANCE = 1e-5
AGREEMENT = 1e-6  # relative difference of objectives that are the same
MIN_AGREE = 3
MAX_CONDITION = 1e6

Residuals = Callable[[jax.Array, Any], jax.Array]


class Fit(NamedTuple):
  """A minimum and what vouches for it.

  Attributes:
    params: [P] the best minimum found.
    objective: the sum of w · Huber_delta(residual) there.
    gradient_norm: the largest entry of its gradient, per delta, in the
      conditioned parameters.
    condition: of the residuals' Jacobian in the fit's own parameters, largest
      over smallest singular value; large where the data leave a direction
      open.
    n_starts: starts tried.
    n_agree: starts that ended at this objective, within one in a million.
    solver: which solver's result this is.
    status: 'ok', 'not_converged' or 'not_identified'.
    sentence: the status for people.
  """

  params: np.ndarray
  objective: float
  gradient_norm: float
  condition: float
  n_starts: int
  n_agree: int
  solver: str
  status: str
  sentence: str


class Refits(NamedTuple):
  """Minima of many perturbed problems: params [B, P], certified [B]."""

  params: np.ndarray
  certified: np.ndarray


def huber(residual, delta: float, xp=jnp):
  """r²/2 up to delta, delta (|r| - delta/2) beyond; xp is as NumPy."""
  size = xp.abs(residual)
  return xp.where(size < delta, 0.5 * size * size, delta * (size - 0.5 * delta))


def fit(
  residuals: Residuals,
  starts: np.ndarray,
  data: Any,
  weights: np.ndarray,
  delta: float = 1e-3,
  solver: str = 'auto',
) -> Fit:
  """The best minimum from many starts.

  Args:
    residuals: (params [P], data) -> [n]; a function at the top of a module,
      because compiled fits are kept by its identity.
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
  run = functools.partial(
    _run, residuals, delta, data=data, weights=weights, batched=(1, 0, 0)
  )
  if solver == 'auto':
    first = run('jax', starts[:FIRST])
    certified = np.zeros(len(starts), bool)
    certified[:FIRST] = first[2] <= GRADIENT_TOLERANCE
    usable = np.isfinite(first[0]).all(1, keepdims=True)
    starts[:FIRST] = np.where(usable, first[0], starts[:FIRST])
    ends = run('optimistix', starts)
    for by_jax, end in zip(first, ends):
      kept = certified[:FIRST]
      end[:FIRST][kept] = by_jax[kept]
    params, objective, gradient = ends
  else:
    certified = np.full(len(starts), solver == 'jax')
    params, objective, gradient = run(solver, starts)
  finite = np.isfinite(objective)
  objective = np.where(finite, objective, np.inf)
  best = int(np.argmin(objective))
  lowest = objective[best]
  agree = finite & (objective <= lowest * (1 + AGREEMENT) + 1e-15)
  still = agree & np.isfinite(gradient)
  if still.any():
    # Of those that agree jax.scipy's, and of these the one nearest to rest.
    preferred = still & certified if (still & certified).any() else still
    best = int(np.argmin(np.where(preferred, gradient, np.inf)))
  condition = _condition(residuals, params[best], data, weights)
  found = Fit(
    params[best],
    float(lowest),
    float(gradient[best]),
    condition,
    len(starts),
    int(agree.sum()),
    'jax' if certified[best] else 'optimistix',
    'ok',
    '',
  )
  status, sentence = _verdict(found)
  return found._replace(status=status, sentence=sentence)


def refit(
  residuals: Residuals,
  start: np.ndarray,
  data: Any,
  weights: np.ndarray,
  delta: float = 1e-3,
  solver: str = 'auto',
  batched_data: bool = False,
) -> Refits:
  """Fits of a bootstrap, from the fit of the data themselves.

  Args:
    residuals: as for `fit`.
    start: [P], or [B, P] for a start of each refit's own.
    data: as for `fit`; with a leading axis [B] if `batched_data`.
    weights: [B, n].
    delta: as for `fit`.
    solver: as for `fit`, but 'auto' is optimistix alone: from a start this
      near both end at the same place, and it is several times faster. What
      'jax' leaves uncertified optimistix finishes.
    batched_data: whether each refit has data of its own.
  """
  solver = 'optimistix' if _check(solver) == 'auto' else solver
  batched = (int(np.ndim(start) == 2), int(batched_data), 1)
  params, objective, gradient = _run(
    residuals, delta, solver, start, data, weights, batched
  )
  certified = np.isfinite(objective) & (gradient <= GRADIENT_TOLERANCE)
  if solver == 'jax' and not certified.all():
    # A draw is no draw of the law only because a line search gave up.
    usable = np.isfinite(params).all(1, keepdims=True)
    params, objective, gradient = _run(
      residuals, delta, 'optimistix', np.where(usable, params, start), data,
      weights, (1, int(batched_data), 1),
    )  # fmt: skip
    certified = np.isfinite(objective) & (gradient <= GRADIENT_TOLERANCE)
  return Refits(params, certified)


def _check(solver: str) -> str:
  if solver not in SOLVERS:
    raise ValueError(f'solver={solver!r} must be one of {", ".join(SOLVERS)}')
  return solver


def _verdict(found: Fit) -> tuple[str, str]:
  if not np.isfinite(found.objective):
    return 'not_converged', 'no start led to a finite objective'
  if not found.gradient_norm <= GRADIENT_TOLERANCE:
    return 'not_converged', (
      f'the best of {found.n_starts} starts stopped where the gradient is'
      f' {found.gradient_norm:.1e}, above {GRADIENT_TOLERANCE:g}'
    )
  if found.n_agree < min(MIN_AGREE, found.n_starts):
    return 'not_converged', (
      f'only {found.n_agree} of {found.n_starts} starts reached the lowest'
      f' objective, and {MIN_AGREE} are asked for'
    )
  if not found.condition <= MAX_CONDITION:
    return 'not_identified', (
      'the data leave a direction of the law open: condition number'
      f' {found.condition:.1e}, above {MAX_CONDITION:g}'
    )
  return 'ok', (
    f'{found.n_agree} of {found.n_starts} starts agree, gradient'
    f' {found.gradient_norm:.1e}, condition {found.condition:.3g}'
  )


def _condition(residuals, params, data, weights) -> float:
  with _float64_on_cpu():
    jacobian = np.asarray(jax.jacfwd(residuals)(jnp.asarray(params), data))
  jacobian = jacobian[np.asarray(weights) > 0]
  if not np.all(np.isfinite(jacobian)) or len(jacobian) < len(params):
    return float('inf')
  singular = np.linalg.svd(jacobian, compute_uv=False)
  return float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf


@contextlib.contextmanager
def _float64_on_cpu():
  cpu = jax.local_devices(backend='cpu')[0]
  with jax.enable_x64(True), jax.default_device(cpu):
    yield


def _run(residuals, delta, solver, starts, data, weights, batched):
  """Solves from every start: params [S, P], objective [S], gradient [S]."""
  with _float64_on_cpu():
    arguments = jax.tree.map(
      lambda x: jnp.asarray(x, jnp.float64), (starts, data, weights)
    )
    solve = _compiled(residuals, delta, solver, batched)
    return [np.array(x) for x in solve(*arguments)]


@functools.lru_cache(maxsize=64)
def _compiled(residuals, delta, solver, batched):
  one = functools.partial(_solve, residuals, delta, solver)
  return jax.jit(jax.vmap(one, [0 if b else None for b in batched]))


def _solve(residuals, delta, solver, start, data, weights):
  """One start: params, objective, gradient norm in conditioned parameters."""

  def objective(params):
    return jnp.sum(weights * huber(residuals(params, data), delta))

  params = start
  if solver == 'jax':
    params = jax.lax.fori_loop(
      0,
      ROUNDS,
      lambda _, p: _jax_round(objective, residuals, delta, p, data, weights),
      params,
    )
  else:
    metric = _metric(residuals, delta, params, data, weights)
    solution: optimistix.Solution = optimistix.minimise(
      lambda u, base: objective(base + metric @ u) / delta,
      optimistix.BFGS(rtol=1e-9, atol=1e-9),
      jnp.zeros_like(params),
      params,
      max_steps=MAX_STEPS,
      throw=False,
    )
    params = params + metric @ solution.value
  metric = _metric(residuals, delta, params, data, weights)
  value, gradient = jax.value_and_grad(objective)(params)
  return params, value, jnp.max(jnp.abs(metric.T @ gradient)) / delta


def _jax_round(objective, residuals, delta, params, data, weights):
  metric = _metric(residuals, delta, params, data, weights)
  solution = jax.scipy.optimize.minimize(
    lambda u: objective(params + metric @ u) / delta,
    jnp.zeros_like(params),
    method='BFGS',
    tol=1e-9,
    options={'maxiter': MAX_STEPS // ROUNDS},
  )
  moved = params + metric @ solution.x
  better = objective(moved) < objective(params)
  return jnp.where(better, moved, params)


def _metric(residuals, delta, params, data, weights):
  """[P, P] M such that params + M u has curvature near one in u.

  The Huber loss is met by a square of the same slope (its iteratively
  reweighted form), whose Hessian is J' W J; M inverts its Cholesky factor.
  """
  jacobian = jax.jacfwd(residuals)(params, data)
  size = jnp.maximum(jnp.abs(residuals(params, data)), delta)
  scaled = jacobian * jnp.sqrt(weights / size)[:, None]
  triangle = jnp.linalg.qr(scaled, mode='r')
  # A direction that the data leave open gets a long step, not an endless one.
  diagonal = jnp.diag(triangle)
  floor = 1e-6 * jnp.max(jnp.abs(diagonal)) + 1e-30
  short = jnp.abs(diagonal) < floor
  triangle = triangle + jnp.diag(jnp.where(short, floor, 0.0))
  return jax.scipy.linalg.solve_triangular(
    triangle, jnp.eye(len(params), dtype=params.dtype)
  )
