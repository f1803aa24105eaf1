"""Minima against SciPy, closed forms, and what is no minimum."""

import unittest.mock

from absl.testing import absltest
from absl.testing import parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting import solvers

DELTA = 1e-3
RNG = np.random.default_rng(0)
# Not evenly spaced: then a sum of signs times X is never nought by accident,
# and least absolute deviations have one answer.
X = np.sort(RNG.uniform(-2, 2, 24))
COLUMNS = np.column_stack([np.ones(24), X])
ONES = np.ones(24)
HEAVY = RNG.standard_t(2, size=24)
NORMAL = RNG.normal(size=24)
LINE_STARTS = RNG.normal(scale=3, size=(8, 2))
DECAY_STARTS = RNG.uniform([0.5, 0.2, 0.0], [4.0, 2.0, 1.0], (8, 3))


def line(params, data):
  return data['X'] @ params - data['y']


def decay(params, data):
  a, b, c = params * data['unit']
  return a * jnp.exp(-b * data['x']) + c - data['y']


def unfinished(params, data):
  return decay(params, data)  # another function: `decay` is kept compiled


def two_wells(params, data):
  """Zero at 1 and not quite zero near -1."""
  return jnp.stack([params[0] ** 2 - 1, 0.3 * (params[0] - 1)]) + data


def tent(params, data):
  return 1 + jnp.abs(params - 1) * data


def root(params, data):
  return jnp.sqrt((params - 1) ** 2) * data


def line_data(scale):
  return {'X': COLUMNS, 'y': 1 + 0.5 * X + scale * HEAVY}


def decay_data(scale, unit=(1.0, 1.0, 1.0)):
  x = X + 2
  y = 2 * np.exp(-0.7 * x) + 0.5 + scale * NORMAL
  return {'x': x, 'y': y, 'unit': np.array(unit)}


def line_numpy(params, data):
  return data['X'] @ params - data['y'], data['X']


def decay_numpy(params, data):
  a, b, c = params * data['unit']
  fall = np.exp(-b * data['x'])
  slopes = np.column_stack([fall, -a * data['x'] * fall, np.ones(24)])
  return a * fall + c - data['y'], slopes * data['unit']


def huber_numpy(residual, delta=DELTA):
  total = 0.0
  for r in np.abs(residual):
    total += r * r / 2 if r < delta else delta * (r - delta / 2)
  return total


def by_scipy(problem, data, start):
  """The minimum of the same objective, in units of delta and of the start."""

  def objective(relative):
    residual, jacobian = problem(relative * start, data)
    slope = np.clip(residual / DELTA, -1, 1)
    return huber_numpy(residual) / DELTA, jacobian.T @ slope * start

  found = optimize.minimize(
    objective, np.ones_like(start), jac=True, options={'gtol': 1e-9}
  )
  return found.x * start, found.fun * DELTA


def conditioned_gradient(problem, params, data):
  """The gradient written again: R^-T gradient / delta, its largest entry."""
  residual, jacobian = problem(params, data)
  width = np.maximum(np.abs(residual), DELTA)
  triangle = np.linalg.qr(jacobian / np.sqrt(width)[:, None], mode='r')
  gradient = jacobian.T @ np.clip(residual / DELTA, -1, 1)
  return np.abs(np.linalg.solve(triangle.T, gradient)).max()


# In their own units the third's parameters differ a millionfold.
PROBLEMS = {
  'squares': (line, line_numpy, line_data(1e-4), LINE_STARTS, (1.0, 0.5)),
  'least_abs': (line, line_numpy, line_data(0.1), LINE_STARTS, (1.0, 0.5)),
  'exponential': (
    decay, decay_numpy, decay_data(0.02), DECAY_STARTS, (2.0, 0.7, 0.5)
  ),
  'ill_scaled': (
    decay, decay_numpy, decay_data(2e-3, (1e-2, 1e3, 1.0)),
    DECAY_STARTS / (1e-2, 1e3, 1.0), (200.0, 0.7e-3, 0.5),
  ),
}  # fmt: skip
MATRIX = [
  (f'{name}_{solver}', solver, *problem)
  for name, problem in PROBLEMS.items()
  for solver in multistart.SOLVERS
]


class MinimizeTest(parameterized.TestCase):
  @parameterized.named_parameters(*MATRIX)
  def test_scipy_s_minimum(self, solver, residuals, problem, data, starts, at):
    found = multistart.minimize(residuals, starts, data, ONES, DELTA, solver)
    params, objective = by_scipy(problem, data, np.array(at))
    self.assertEqual(found.status, 'ok')
    self.assertAlmostEqual(
      found.diagnostics.objective / objective, 1, delta=1e-9
    )
    np.testing.assert_allclose(found.params, params, rtol=1e-6)
    self.assertAlmostEqual(
      found.diagnostics.objective,
      huber_numpy(problem(found.params, data)[0]),
      delta=1e-15,
    )
    # The diagnostics.
    self.assertLess(found.diagnostics.gradient_norm, 1e-6)
    self.assertLess(conditioned_gradient(problem, found.params, data), 1e-6)
    left, jacobian = problem(found.params, data)
    share = np.minimum(1, DELTA / np.abs(left))
    condition = np.linalg.cond(np.sqrt(share)[:, None] * jacobian)
    self.assertAlmostEqual(
      found.diagnostics.condition / condition, 1, delta=1e-8
    )
    self.assertEqual(found.diagnostics.n_starts, 8)
    self.assertBetween(found.diagnostics.n_agree, multistart.MIN_AGREE, 8)
    self.assertIn(
      found.diagnostics.solver,
      ('jax', 'optimistix') if solver == 'auto' else (solver,),
    )

  def test_between_the_bounds_of_least_absolute_deviations(self):
    # delta |r| - delta²/2 <= Huber <= delta |r|, and linear programming knows
    # the least sum of |r|.
    data = line_data(0.1)
    eye = np.eye(24)
    program = optimize.linprog(
      np.r_[0, 0, ONES],
      A_ub=np.block([[COLUMNS, -eye], [-COLUMNS, -eye]]),
      b_ub=np.r_[data['y'], -data['y']],
      bounds=[(None, None)] * 2 + [(0, None)] * 24,
    )
    found = multistart.minimize(line, LINE_STARTS, data, ONES)
    upper = DELTA * program.fun
    self.assertBetween(
      found.diagnostics.objective, upper - 24 * DELTA**2 / 2, upper
    )

  def test_huber(self):
    r = np.array([-3.0, -0.5, 0.0, 0.25, 0.5, 2.0])
    values = multistart.huber(jnp.asarray(r), 0.5)
    np.testing.assert_allclose(values, [1.375, 0.125, 0, 0.03125, 0.125, 0.875])

  def test_weights_count_repeated_data(self):
    data = line_data(0.1)
    times = np.random.default_rng(1).multinomial(24, ONES / 24)
    weighted = multistart.minimize(
      line, LINE_STARTS, data, times, solver='optimistix'
    )
    repeated = {name: np.repeat(x, times, 0) for name, x in data.items()}
    same = multistart.minimize(
      line, LINE_STARTS, repeated, ONES, solver='optimistix'
    )
    np.testing.assert_allclose(weighted.params, same.params, rtol=1e-9)
    self.assertAlmostEqual(
      weighted.diagnostics.objective, same.diagnostics.objective, delta=1e-14
    )

  @parameterized.parameters('jax', 'optimistix')
  def test_data_of_no_weight_change_nothing(self, solver):
    data = line_data(0.1)
    weights = np.where(np.arange(24) < 20, 1.0, 0.0)
    wild = {'X': data['X'].copy(), 'y': data['y'].copy()}
    wild['X'][20:] = 0
    wild['y'][20:] = 1e9
    found = multistart.minimize(line, LINE_STARTS, data, weights, solver=solver)
    same = multistart.minimize(line, LINE_STARTS, wild, weights, solver=solver)
    np.testing.assert_array_equal(found.params, same.params)
    self.assertEqual(found.diagnostics, same.diagnostics)
    params, _ = by_scipy(
      line_numpy, {k: v[:20] for k, v in data.items()}, np.array([1.0, 0.5])
    )
    np.testing.assert_allclose(found.params, params, rtol=1e-8)

  def test_float64_and_nothing_left_behind(self):
    starts = LINE_STARTS.copy()
    data = {'X': COLUMNS, 'y': 1 + (0.5 + 1e-12) * X}
    found = multistart.minimize(line, starts, data, ONES)
    self.assertEqual(found.params.dtype, np.float64)
    np.testing.assert_allclose(found.params, (1, 0.5 + 1e-12), atol=1e-14)
    np.testing.assert_array_equal(starts, LINE_STARTS)
    with self.assertRaises(KeyError):
      multistart.minimize(line, starts, {'X': COLUMNS}, ONES)
    self.assertFalse(jax.config.jax_enable_x64)
    self.assertEqual(jnp.ones(1).dtype, jnp.float32)

  def test_unknown_solver(self):
    message = "solver='scipy' must be one of auto, jax, optimistix"
    with self.assertRaisesRegex(ValueError, message):
      multistart.minimize(
        line, LINE_STARTS, line_data(0.1), ONES, solver='scipy'
      )
    with self.assertRaisesRegex(ValueError, message):
      multistart.refit(
        line, LINE_STARTS[0], line_data(0.1), ONES[None], solver='scipy'
      )


class StatusTest(parameterized.TestCase):
  def test_a_stop_on_the_way(self):
    with unittest.mock.patch.object(solvers, 'MAX_STEPS', 3):
      found = multistart.minimize(
        unfinished, DECAY_STARTS, decay_data(0.02), ONES, solver='optimistix'
      )
    self.assertEqual(found.status, 'not_converged')
    expected = conditioned_gradient(decay_numpy, found.params, decay_data(0.02))
    self.assertGreater(expected, multistart.GRADIENT_TOLERANCE)
    self.assertAlmostEqual(
      found.diagnostics.gradient_norm / expected, 1, delta=1e-6
    )

  def test_a_minimum_without_a_gradient(self):
    # Three residuals of 1 + |p - 1|: gradient 3, curvature 3 in their metric.
    found = multistart.minimize(
      tent, np.linspace(2, 9, 8)[:, None], np.ones(3), np.ones(3),
      solver='optimistix',
    )  # fmt: skip
    np.testing.assert_allclose(found.params, [1], atol=1e-6)
    self.assertAlmostEqual(
      found.diagnostics.gradient_norm, np.sqrt(3), delta=1e-6
    )
    self.assertEqual(found.status, 'not_converged')

  def test_only_one_start_finds_the_best(self):
    wrong = [-1.0, -1.2, -1.1, -0.9, -1.3, -1.4, -0.8]
    for right, status in (([1.1], 'not_converged'), ([1.1, 0.9, 1.2], 'ok')):
      starts = np.array((wrong + right)[-8:])[:, None]
      found = multistart.minimize(
        two_wells, starts, np.zeros(2), np.ones(2), 10.0, 'optimistix'
      )
      np.testing.assert_allclose(found.params, [1], rtol=1e-9)
      self.assertLess(
        found.diagnostics.gradient_norm, multistart.GRADIENT_TOLERANCE
      )
      self.assertEqual(
        (found.diagnostics.n_agree, found.status), (len(right), status)
      )
    alone = multistart.minimize(
      two_wells, np.array([[1.1]]), np.zeros(2), np.ones(2), 10.0, 'optimistix'
    )
    self.assertEqual((alone.diagnostics.n_agree, alone.status), (1, 'ok'))

  @parameterized.parameters(*multistart.SOLVERS)
  def test_two_parameters_that_matter_as_a_sum(self, solver):
    data = {'X': np.ones((24, 2)), 'y': 1 + NORMAL}
    found = multistart.minimize(line, LINE_STARTS, data, ONES, DELTA, solver)
    self.assertEqual(found.status, 'not_identified')
    self.assertGreater(found.diagnostics.condition, multistart.MAX_CONDITION)
    low, high = np.sort(data['y'])[11:13]  # any median is best
    self.assertBetween(found.params.sum(), low - DELTA, high + DELTA)

  def test_fewer_data_than_parameters(self):
    weights = np.where(np.arange(24) == 7, 1.0, 0.0)
    found = multistart.minimize(line, LINE_STARTS, line_data(0.1), weights)
    self.assertEqual(found.diagnostics.condition, np.inf)
    self.assertEqual(found.status, 'not_identified')

  @parameterized.parameters(*multistart.SOLVERS)
  def test_no_start_is_a_number(self, solver):
    starts = np.full((8, 2), np.nan)
    found = multistart.minimize(
      line, starts, line_data(0.1), ONES, DELTA, solver
    )
    self.assertEqual(found.status, 'not_converged')
    self.assertEqual(
      (found.diagnostics.objective, found.diagnostics.n_agree), (np.inf, 0)
    )
    self.assertEqual(
      found.diagnostics.solver, 'optimistix' if solver == 'auto' else solver
    )

  @parameterized.parameters(*multistart.SOLVERS)
  def test_some_starts_are_not_numbers(self, solver):
    starts = LINE_STARTS.copy()
    starts[[0, 3]] = np.nan, np.inf
    found = multistart.minimize(
      line, starts, line_data(1e-4), ONES, DELTA, solver
    )
    self.assertEqual(found.status, 'ok')
    self.assertEqual(
      (found.diagnostics.n_starts, found.diagnostics.n_agree), (8, 6)
    )

  def test_of_those_that_agree_one_with_a_gradient_is_taken(self):
    # At 1 itself the root has no derivative; next to 1 it has.
    starts = np.array([1.0, 0.5, 3, 2, 0.1, 5, 7, 8])[:, None]
    found = multistart.minimize(
      root, starts, np.ones(3), np.ones(3), solver='jax'
    )
    self.assertEqual(found.status, 'ok')
    np.testing.assert_allclose(found.params, [1], atol=1e-9)


class PadTest(absltest.TestCase):
  def test_few_lengths(self):
    for n, padded in ((1, 64), (63, 64), (64, 64), (65, 128), (245, 256)):
      x = np.arange(1.0, n + 1)
      wide = multistart.pad(np.stack([x, -x]))
      self.assertEqual(wide.shape, (2, padded))
      np.testing.assert_array_equal(wide[:, :n], [x, -x])
      self.assertFalse(wide[:, n:].any())
      np.testing.assert_array_equal(multistart.pad(x), wide[0])


class RefitTest(parameterized.TestCase):
  @parameterized.parameters(*multistart.SOLVERS)
  def test_weights_are_resampled_data(self, solver):
    rows = np.random.default_rng(1).integers(0, 24, (40, 24))
    weights = np.array([np.bincount(row, minlength=24) for row in rows])
    data = line_data(3e-3)
    start = multistart.minimize(line, LINE_STARTS, data, ONES).params
    found = multistart.refit(line, start, data, weights, solver=solver)
    self.assertEqual(found.params.shape, (40, 2))
    self.assertTrue(found.converged.all())
    for row, params in zip(rows[:5], found.params):
      resampled = {name: x[row] for name, x in data.items()}
      again = multistart.minimize(line, LINE_STARTS, resampled, ONES)
      np.testing.assert_allclose(params, again.params, atol=1e-7)
    # Noise of a hundred deltas is hard, and yet few are lost.
    data = line_data(0.1)
    start = multistart.minimize(line, LINE_STARTS, data, ONES).params
    found = multistart.refit(line, start, data, weights, solver=solver)
    self.assertGreaterEqual(found.converged.mean(), 0.95)

  def test_data_of_their_own(self):
    data = [decay_data(scale) for scale in (0.0, 0.003, 0.02, -0.02, np.nan)]
    stacked = {name: np.stack([d[name] for d in data]) for name in data[0]}
    found = multistart.refit(
      decay,
      np.array([2.0, 0.7, 0.5]),
      stacked,
      np.ones((5, 24)),
      batched_data=True,
    )
    # What has no minimum did not converge.
    self.assertSequenceEqual(list(found.converged), [1, 1, 1, 1, 0])
    np.testing.assert_allclose(found.params[0], (2, 0.7, 0.5), rtol=1e-9)
    for one, params in zip(data[:4], found.params):
      best, _ = by_scipy(decay_numpy, one, np.array([2.0, 0.7, 0.5]))
      np.testing.assert_allclose(params, best, rtol=1e-6)

  @parameterized.parameters(*multistart.SOLVERS)
  def test_starts_of_their_own(self, solver):
    # Fits of different curves, from where each of them is, not from one place.
    truths = np.array([[2.0, 0.7, 0.5], [20, 0.1, 0.2], [1, 1.5, 0.9]])
    data = decay_data(0.0)
    stacked = {name: np.stack([x] * 3) for name, x in data.items()}
    stacked['y'] = np.stack(
      [a * np.exp(-b * data['x']) + c for a, b, c in truths]
    )
    found = multistart.refit(
      decay, truths * 1.05, stacked, np.ones((3, 24)), solver=solver,
      batched_data=True,
    )  # fmt: skip
    self.assertTrue(found.converged.all())
    np.testing.assert_allclose(found.params, truths, rtol=1e-5)


if __name__ == '__main__':
  absltest.main()
