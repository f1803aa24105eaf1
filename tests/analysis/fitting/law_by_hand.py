"""Laws that are known, and approach 3 written again in NumPy and SciPy."""

import numpy as np
from scipy import optimize

from scaling_jax import laws
from scaling_jax import published
from tests.analysis import designs

BUDGETS = (1e19, 1e20, 1e21, 1e22)
LAWS = {
  'hoffmann': published.HOFFMANN,
  'besiroglu': published.BESIROGLU,
  'much_text': laws.Chinchilla(0.5, 40.0, 9000.0, 0.21, 0.55),
  'much_model': laws.Chinchilla(1.2, 6e3, 60.0, 0.6, 0.2),
  'little_floor': laws.Chinchilla(0.05, 40.0, 60.0, 0.25, 0.3),
}


def study(law=published.HOFFMANN, noise=1e-3, seed=0, **design):
  """N, D, L of a simulated study."""
  plan = designs.design(law, **{'budgets': BUDGETS, 'models': 6} | design)
  return plan.N, plan.D, designs.noisy(law, plan, noise, seed)


def shares(law, N, D):
  """[n, 5]: d log L by log A', log B', log E, alpha, beta; by hand."""
  model, text = law.A * N**-law.alpha, law.B * D**-law.beta
  n, d = np.log(N) - np.log(N).mean(), np.log(D) - np.log(D).mean()
  columns = [model, text, np.full(len(N), law.E), -model * n, -text * d]
  return np.column_stack(columns) / law.loss(N, D)[:, None]


def standard_errors(law, N, D):
  """[5] of least squares at unit noise, from the Jacobian alone."""
  jacobian = shares(law, N, D)
  return np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))


def as_params(law, N, D):
  """[5] or [5, B] log A', log B', log E, alpha, beta."""
  return np.array([
    np.log(law.A) - law.alpha * np.log(N).mean(),
    np.log(law.B) - law.beta * np.log(D).mean(),
    np.log(law.E), law.alpha, law.beta,
  ])  # fmt: skip


def by_scipy(law, N, D, L):
  """The least sum of Huber losses of log L near a law, and where it is."""
  start, scale = as_params(law, N, D), standard_errors(law, N, D)
  n, d = np.log(N).mean(), np.log(D).mean()

  def objective(u):
    a, b, e, alpha, beta = start + 1e-2 * scale * u
    at = laws.Chinchilla(
      np.exp(e), np.exp(a + alpha * n), np.exp(b + beta * d), alpha, beta
    )
    r = np.log(at.loss(N, D)) - np.log(L)
    inside = np.abs(r) < 1e-3
    value = np.where(inside, r * r / 2, 1e-3 * (np.abs(r) - 5e-4)).sum()
    slope = shares(at, N, D).T @ np.clip(r, -1e-3, 1e-3) * 1e-2 * scale
    return value * 1e3, slope * 1e3

  found = optimize.minimize(
    objective, np.zeros(5), jac=True, options={'gtol': 1e-9}
  )
  return found.fun / 1e3, start + 1e-2 * scale * found.x
