"""One search of a robust minimum, by jax.scipy or by optimistix."""

import jax
import jax.numpy as jnp

MAX_STEPS = 200
ROUNDS = 3  # jax.scipy's line search gives up early; a new metric helps


def huber(residual, delta: float, xp=jnp):
  """r²/2 up to delta, delta (|r| - delta/2) beyond; xp is as NumPy."""
  size = xp.abs(residual)
  return xp.where(size < delta, 0.5 * size * size, delta * (size - 0.5 * delta))


def solve(residuals, delta, solver, start, data, weights):
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
    params = _by_optimistix(objective, residuals, delta, params, data, weights)
  metric = _metric(residuals, delta, params, data, weights)
  value, gradient = jax.value_and_grad(objective)(params)
  return params, value, jnp.max(jnp.abs(metric.T @ gradient)) / delta


def _by_optimistix(objective, residuals, delta, params, data, weights):
  import optimistix  # slow to import, and not needed for an exported program

  metric = _metric(residuals, delta, params, data, weights)
  solution: optimistix.Solution = optimistix.minimise(
    lambda u, base: objective(base + metric @ u) / delta,
    optimistix.BFGS(rtol=1e-9, atol=1e-9),
    jnp.zeros_like(params),
    params,
    max_steps=MAX_STEPS,
    throw=False,
  )
  return params + metric @ solution.value


def _jax_round(objective, residuals, delta, params, data, weights):
  import jax.scipy.optimize

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
  import jax.scipy.linalg

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
