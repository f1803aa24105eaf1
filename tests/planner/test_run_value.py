"""Linear theory against simulated studies fitted by SciPy."""

from absl.testing import absltest
import numpy as np
from scipy import optimize
from scipy import stats

from scaling_jax import laws as laws_lib
from scaling_jax.planner import run_value
from scaling_jax.planner.noise import Noise
from scaling_jax.planner.run_value import Question
from tests.analysis import designs

LAW = laws_lib.Chinchilla(*(np.array([x]) for x in designs.LAW))
TARGET = 10 * max(designs.BUDGETS)
LEVEL = 0.95


def ask(noise) -> Question:
  return Question(LAW, noise, TARGET, LEVEL)


def simulated_sd(N, D, noise, count=400):
  """sd of log N_opt over studies, each fitted by least squares of log L."""
  rng = np.random.default_rng(0)
  law = designs.LAW
  cells = {pair: i for i, pair in enumerate(dict.fromkeys(zip(N, D)))}
  cell = np.array([cells[pair] for pair in zip(N, D)])
  shared = np.sqrt(noise.about_law**2 - noise.seeds**2)
  clean = np.log(law.loss(N, D))

  def predicted(p):
    E, A, B = np.exp(p[:3])
    return np.log(E + A * N ** -p[3] + B * D ** -p[4])

  start = [*np.log([law.E, law.A, law.B]), law.alpha, law.beta]
  found = []
  for _ in range(count):
    log_L = clean + shared * rng.normal(size=len(cells))[cell]
    log_L += noise.seeds * rng.normal(size=len(N))
    p = optimize.least_squares(
      lambda p, log_L=log_L: predicted(p) - log_L, start, x_scale='jac'
    ).x
    fitted = laws_lib.Chinchilla(*np.exp(p[:3]), *p[3:])
    found.append(np.log(fitted.optimum(TARGET).N))
  return np.std(found)


class SpreadTest(absltest.TestCase):
  def test_it_is_what_simulated_studies_show(self):
    plan = designs.design(seeds=2)
    quantile = stats.t.ppf(0.975, len(set(plan.N)) - 5)
    for noise in (Noise(4e-4, 4e-4), Noise(4e-4, 1e-4)):
      expected = quantile * simulated_sd(plan.N, plan.D, noise)
      found = run_value.spread(plan.N, plan.D, ask(noise))
      self.assertAlmostEqual(float(found[0]) / expected, 1, delta=0.12)

  def test_noise_is_a_factor(self):
    plan = designs.design()
    one, two = (
      run_value.spread(plan.N, plan.D, ask(Noise(x, x / 4)))
      for x in (1e-3, 2e-3)
    )
    np.testing.assert_allclose(two, 2 * one)

  def test_what_cannot_be_fitted_has_none(self):
    plan = designs.design()
    asked = ask(Noise(1e-3, 1e-3))
    few = run_value.spread(plan.N[:5], plan.D[:5], asked)
    self.assertEqual(few[0], np.inf)
    same_N = np.full(9, 1e6), np.geomspace(1e7, 1e9, 9)
    self.assertEqual(run_value.spread(*same_N, asked)[0], np.inf)


class TrialTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.plan = designs.design()
    self.asked = ask(Noise(2e-3, 5e-4))

  def test_omitting_and_adding_are_two_sides(self):
    N, D, asked = self.plan.N, self.plan.D, self.asked
    out = run_value.each_run(N, D, asked)[3]
    rest = np.arange(len(N)) != 3
    (back,) = run_value.added(N[rest], D[rest], [(N[3], D[3])], asked=asked)
    self.assertAlmostEqual(out.narrows, back.narrows)
    whole, without = (
      run_value.spread(*x, asked)[0] for x in ((N, D), (N[rest], D[rest]))
    )
    self.assertAlmostEqual(out.narrows, 1 - whole / without)
    share = N[3] * D[3] / np.sum(N * D)
    self.assertAlmostEqual(out.per_percent, out.narrows / (100 * share))

  def test_a_seed_again_helps_as_far_as_seeds_are_the_noise(self):
    N, D = self.plan.N, self.plan.D
    trials = [
      run_value.added(N, D, [(N[0], D[0])], asked=ask(Noise(2e-3, seeds)))[0]
      for seeds in (2e-3, 1e-3, 0.0)
    ]
    narrows = [trial.narrows for trial in trials]
    self.assertEqual(narrows, sorted(narrows, reverse=True))
    self.assertGreater(narrows[0], 0)
    self.assertLessEqual(narrows[-1], 1e-12)

  def test_without_a_run_there_may_be_no_law(self):
    plan = designs.design(models=4, budgets=designs.BUDGETS[:2])
    trials = run_value.each_run(plan.N, plan.D, self.asked)  # eight are needed
    self.assertEqual({trial.narrows for trial in trials}, {1.0})

  def test_where_there_is_no_law_either_way_a_run_adds_nothing(self):
    plan = designs.design(models=3, budgets=designs.BUDGETS[:2])
    (trial,) = run_value.added(plan.N, plan.D, [(3e6, 1e8)], asked=self.asked)
    self.assertEqual(trial.narrows, 0)

  def test_what_the_analysis_refuses_adds_nothing(self):
    plan = designs.design(models=9, budgets=designs.BUDGETS[:1])
    spread = run_value.spread(plan.N, plan.D, self.asked)
    self.assertEqual(spread[0], np.inf)


if __name__ == '__main__':
  absltest.main()
