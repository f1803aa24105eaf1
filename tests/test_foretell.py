"""Intervals foretold against those of the analysis itself."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from benchmarks import foretold
from scaling_jax import laws as laws_lib
from scaling_jax.planner import design
from scaling_jax.planner import foretell
from scaling_jax.planner.noise import Noise
from tests import studies
from tests.shared_data import NANOCHAT

ROOT = pathlib.Path(__file__).parents[1]
NOISE, SEEDS = 0.002, 0.0005
LAWS = 8


def points(plan):
  return studies.as_points(plan, np.ones(len(plan.N)))


def foretold_of(plan, count=LAWS, noise=NOISE, seed_noise=SEEDS):
  same = laws_lib.Chinchilla(*(np.full(count, x) for x in studies.LAW))
  return foretell.studies(
    points(plan), same, Noise(noise, seed_noise),
    foretell.AHEAD * max(studies.BUDGETS), 0.95, studies.DRAWS,
    np.random.default_rng(0),
  )  # fmt: skip


def widths(approach, quantity, found):
  return np.median(
    [
      design.half_width(quantity, getattr(one, approach)[1][quantity])
      for one in found
    ]
  )


class StudiesTest(parameterized.TestCase):
  def analyzed(self, plan, noise, approach):
    """Half widths of studies that the analysis was given, by quantity."""
    halves = {}
    target = foretell.AHEAD * max(studies.BUDGETS)
    for seed in range(5):
      L = studies.noisy(studies.LAW, plan, noise, seed)
      fits = studies.analyze(studies.as_source(studies.as_points(plan, L)))
      for name, interval in foretold.found(fits, target)[approach].items():
        half = design.half_width(name, interval)
        halves.setdefault(name, []).append(half)
    return {name: np.median(x) for name, x in halves.items()}

  @parameterized.parameters(('parametric', NOISE), ('isoflop', SEEDS))
  def test_they_are_those_of_the_analysis(self, approach, noise):
    plan = studies.design()
    actual = self.analyzed(plan, noise, approach)
    found = foretold_of(plan)
    for quantity, half in actual.items():
      ratio = widths(approach, quantity, found) / half
      self.assertBetween(ratio, 0.65, 1.5, f'{quantity}: {ratio:.2f}')

  def test_they_hold_the_truth_as_often_as_they_say(self):
    target = foretell.AHEAD * max(studies.BUDGETS)
    truth = {'alpha': studies.LAW.alpha, 'E': studies.LAW.E,
             'a': studies.LAW.exponent_N,
             'N_opt': float(studies.LAW.optimum(target).N)}  # fmt: skip
    found = foretold_of(studies.design(), count=100)
    answers = [one.parametric[1] for one in found if one.parametric[0] == 'ok']
    self.assertGreater(len(answers), 95)
    for name, value in truth.items():
      inside = np.mean(
        [x[name]['low'] <= value <= x[name]['high'] for x in answers]
      )
      # Of a hundred at 95 %, fewer than 88 have a chance of 0.4 %.
      self.assertGreaterEqual(inside, 0.88, name)

  def test_more_noise_is_wider(self):
    plan = studies.design()
    one, other = foretold_of(plan), foretold_of(plan, noise=2 * NOISE)
    self.assertGreater(
      widths('parametric', 'alpha', other),
      1.4 * widths('parametric', 'alpha', one),
    )
    np.testing.assert_allclose(
      widths('isoflop', 'a', other), widths('isoflop', 'a', one), rtol=0.2
    )

  def test_models_off_the_minimum(self):
    found = foretold_of(studies.design(shift=30.0, reach=2.0))
    for one in found:
      self.assertEqual(one.isoflop[0], 'too_few_points')
      for budget in one.budgets:
        self.assertEqual(budget['status'], 'minimum_at_edge')

  @parameterized.parameters(
    ({'budgets': studies.BUDGETS[:1]}, 'not_identified'),
    ({'budgets': studies.BUDGETS[:2], 'models': 3}, 'no_degrees_of_freedom'),
    ({'budgets': studies.BUDGETS[:2], 'models': 2}, 'too_few_points'),
  )
  def test_what_approach_3_refuses(self, changes, status):
    for one in foretold_of(studies.design(**changes)):
      self.assertEqual(one.parametric, (status, {}))


class RealTest(parameterized.TestCase):
  def assert_foretold(self, rows):
    self.assertLen(rows, 9)  # both approaches answered
    for approach, quantity, found, expected in rows:
      self.assertBetween(
        found / expected, 0.5, 2, f'{approach} {quantity}: {found:.3g} found,'
        f' {expected:.3g} foretold',
      )  # fmt: skip

  @pytest.mark.slow
  def test_the_quickstart_ends_as_foretold(self):
    runs = self.create_tempdir().full_path
    found = subprocess.run(
      [sys.executable, 'launch.py', '--config=configs/quickstart.py',
       f'--workdir={runs}', '--noanalyze'],
      cwd=ROOT, capture_output=True, text=True, timeout=1200,
      env={**os.environ, 'XLA_FLAGS': ''},
    )  # fmt: skip
    self.assertEqual(found.returncode, 0, found.stderr)
    rows = foretold.compare(f'{runs}/quickstart', design.Settings())
    self.assert_foretold(rows)

  @pytest.mark.slow
  def test_nanochat_s_runs_ended_as_foretold(self):
    if not NANOCHAT.exists():
      self.skipTest(f'{NANOCHAT} is not here')
    self.assert_foretold(foretold.compare(NANOCHAT, design.Settings()))


if __name__ == '__main__':
  absltest.main()
