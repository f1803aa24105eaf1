"""Predicted intervals against those of the analysis itself."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from benchmarks import predicted_intervals as benchmark
from scaling_jax import laws as laws_lib
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.planner import design
from scaling_jax.planner import predict_intervals
from scaling_jax.planner.noise import Noise
from scaling_jax.planner.predict_intervals import Ask
from tests.analysis import designs
from tests.shared_data import NANOCHAT

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOISE, SEEDS = 0.002, 0.0005
LAWS, DRAWS = 8, 200
TARGET = predict_intervals.AHEAD * max(designs.BUDGETS)
ASK = Ask(TARGET, 0.95, DRAWS)


def predicted(plan, count=LAWS, noise=NOISE, seed_noise=SEEDS):
  same = laws_lib.Chinchilla(*(np.full(count, x) for x in designs.LAW))
  return predict_intervals.studies(
    plan,
    same,
    Noise(noise, seed_noise),
    ask=ASK,
    rng=np.random.default_rng(0),
  )


def width(approach, quantity, found):
  return np.median(
    [
      design.half_width(quantity, getattr(one, approach).intervals[quantity])
      for one in found
    ]
  )


def fitted(approach, plan, L):
  bootstrap = Bootstrap(DRAWS)
  law = chinchilla.fit(plan.N, plan.D, L, n_budgets=3, bootstrap=bootstrap)
  if approach == 'chinchilla':
    return law
  groups = designs.by_budget(plan, L)
  return isoflop.fit(groups, law.law, bootstrap)


class StudiesTest(parameterized.TestCase):
  @parameterized.parameters(('chinchilla', NOISE), ('isoflop', SEEDS))
  def test_they_are_those_of_the_analysis(self, approach, noise):
    plan = designs.design()
    halves = {}
    for seed in range(5):
      fit = fitted(
        approach, plan, designs.noisy(designs.LAW, plan, noise, seed)
      )
      answer = predict_intervals.answer(fit, ASK)
      for name, interval in answer.intervals.items():
        half = design.half_width(name, interval)
        halves.setdefault(name, []).append(half)
    self.assertLen(halves, len(predict_intervals.QUANTITIES[approach]))
    found = predicted(plan)
    for quantity, half in halves.items():
      ratio = width(approach, quantity, found) / np.median(half)
      self.assertBetween(ratio, 0.65, 1.5, f'{quantity}: {ratio:.2f}')

  def test_they_hold_the_truth_as_often_as_their_level(self):
    law = designs.LAW
    truth = {'alpha': law.alpha, 'E': law.E, 'exponent_N': law.exponent_N,
             'N_opt': float(law.optimum(TARGET).N)}  # fmt: skip
    found = [one.chinchilla for one in predicted(designs.design(), count=100)]
    answers = [one.intervals for one in found if one.status == 'ok']
    self.assertGreater(len(answers), 95)
    for name, value in truth.items():
      inside = np.mean([bool(x[name].holds(value)) for x in answers])
      # Of a hundred at 95%, fewer than 88 have a chance of 0.4%.
      self.assertGreaterEqual(inside, 0.88, name)

  def test_more_noise_is_wider(self):
    plan = designs.design()
    one, other = predicted(plan), predicted(plan, noise=2 * NOISE)
    self.assertGreater(
      width('chinchilla', 'alpha', other),
      1.4 * width('chinchilla', 'alpha', one),
    )
    np.testing.assert_allclose(
      width('isoflop', 'exponent_N', other),
      width('isoflop', 'exponent_N', one),
      rtol=0.2,
    )

  def test_models_off_the_minimum(self):
    for one in predicted(designs.design(shift=30.0, reach=2.0)):
      self.assertEqual(one.isoflop.status, 'too_few_points')
      for budget in one.budgets:
        self.assertEqual(budget.status, 'minimum_at_edge')

  @parameterized.parameters(
    ({'budgets': designs.BUDGETS[:1]}, 'not_identified'),
    ({'budgets': designs.BUDGETS[:2], 'models': 3}, 'no_degrees_of_freedom'),
    ({'budgets': designs.BUDGETS[:2], 'models': 2}, 'too_few_points'),
  )
  def test_what_approach_3_refuses(self, changes, status):
    for one in predicted(designs.design(**changes)):
      self.assertEqual(one.chinchilla, (status, {}))


class RealTest(parameterized.TestCase):
  def assert_predicted(self, rows):
    self.assertLen(rows, 9)  # both approaches answered
    for row in rows:
      ratio = row.found / row.predicted
      self.assertBetween(ratio, 0.5, 2 * row.widened, str(row))

  @pytest.mark.slow
  def test_the_quickstart_ends_as_predicted(self):
    runs = self.create_tempdir().full_path
    found = subprocess.run(
      [sys.executable, 'launch.py', '--config=configs/quickstart.py',
       f'--workdir={runs}', '--noanalyze'],
      cwd=ROOT, capture_output=True, text=True, timeout=1200,
      env={**os.environ, 'XLA_FLAGS': ''},
    )  # fmt: skip
    self.assertEqual(found.returncode, 0, found.stderr)
    rows = benchmark.compare(f'{runs}/quickstart', design.Settings())
    self.assert_predicted(rows)

  @pytest.mark.slow
  def test_nanochat_s_runs_ended_as_predicted(self):
    if not NANOCHAT.exists():
      self.skipTest(f'{NANOCHAT} is not here')
    self.assert_predicted(benchmark.compare(NANOCHAT, design.Settings()))


if __name__ == '__main__':
  absltest.main()
