"""Training curves fitted against the laws that made them, and bad ones refused."""

import itertools
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest
from scipy import linalg
from scipy import optimize
from scipy import signal
from scipy import stats

from scaling_jax.analysis.fitting import codec
from scaling_jax.analysis.fitting import smoothing
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.fitting import training_curve_law as curve_law
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.errors import UserError

LAW = ('floor', 'coefficient', 'exponent')


def law(S, floor=1.5, coefficient=3.0, exponent=0.4):
  return floor + coefficient * np.arange(1, S + 1.0) ** -exponent


def ar1(rng, S, phi, sd):
  innovations = rng.standard_normal(S + 500)
  noise = signal.lfilter([1.0], [1.0, -phi], innovations)[500:]
  return sd * math.sqrt(1 - phi**2) * noise


def noisy(seed, losses, sd):
  return losses + sd * np.random.default_rng(seed).standard_normal(losses.size)


class LawTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.05, 100, 4000), (0.3, 100, 22_000), (0.7, 0, 4000), (1.0, 20, 300),
    (3.0, 0, 200),
  )  # fmt: skip
  def test_exact_law(self, exponent, warmup, S):
    found = training_curve.fit(law(S, 1.5, 3.0, exponent), warmup)
    self.assertEqual(found.status, Status.OK)
    truth = dict(zip(LAW, (1.5, 3.0, exponent)))
    for name, value in truth.items():
      self.assertAlmostEqual(found.params[name] / value, 1.0, delta=2e-3)

  @parameterized.product(exponent=(0.2, 0.5, 0.9), sd=(0.003, 0.03))
  def test_agrees_with_least_squares_over_every_step(self, exponent, sd):
    S, warmup = 4000, 50
    losses = noisy(3, law(S, 1.5, 0.2 * S**exponent, exponent), sd)
    found = training_curve.fit(losses, warmup).conf_int()
    u = np.arange(warmup + 1, S + 1) / S
    (floor, _, p), covariance = optimize.curve_fit(
      lambda u, f, c, p: f + c * u**-p, u, losses[warmup:],
      (1.5, 0.2, exponent),
    )  # fmt: skip
    sems = np.sqrt(np.diagonal(covariance))
    for name, other, sem in (
      ('floor', floor, sems[0]),
      ('exponent', p, sems[2]),
    ):
      self.assertAlmostEqual(found[name].value, other, delta=sem)
      half = (found[name].high - found[name].low) / 2
      # As wide as noise alone asks at the least; a misfit may be suspected.
      self.assertBetween(half, 1.5 * sem, 8 * sem)

  def test_covariance_of_bins_is_that_of_their_steps(self):
    for phi in (0.0, 0.5, 0.95):
      binned = smoothing.bin_losses(np.zeros(60), 20, 1)
      steps = linalg.toeplitz(phi ** np.arange(60.0))
      mean = np.zeros((binned.steps.size, 60))
      ends = np.cumsum(binned.steps)
      for k, end in enumerate(ends):
        mean[k, end - binned.steps[k] : end] = 1 / binned.steps[k]
      np.testing.assert_allclose(
        curve_law.noise_covariance(binned, phi), mean @ steps @ mean.T,
        rtol=1e-12, atol=1e-15,
      )  # fmt: skip

  def test_same_seed_same_numbers(self):
    losses = noisy(6, law(1000), 0.02).astype(np.float32)
    first, again = (training_curve.fit(losses, 50, seed=2) for _ in range(2))
    self.assertEqual(first.conf_int(), again.conf_int())
    self.assertEqual(first.forecast(), again.forecast())
    self.assertEqual(first.step.shape, first.fitted.shape)
    self.assertEqual(first.step.shape, first.loss.shape)
    self.assertGreater(first.step[0], 50)
    np.testing.assert_allclose(first.loss, first.fitted, atol=0.1)

  def test_intervals_nest_by_level(self):
    found = training_curve.fit(noisy(6, law(1000), 0.02), 50, seed=2)
    levels = (0.05, 0.5, 0.8, 0.95, 0.99)
    for narrow, wide in itertools.pairwise(levels):
      inner, outer = found.conf_int(narrow), found.conf_int(wide)
      inner['end'], outer['end'] = (
        found.forecast(x).predicted for x in (narrow, wide)
      )
      for name, x in inner.items():
        self.assertBetween(x.value, x.low, x.high, name)
        self.assertLess(outer[name].low, x.low, name)
        self.assertGreater(outer[name].high, x.high, name)
    for name, one in found.estimates().items():
      self.assertEqual(one.at(0.8), found.conf_int(0.8)[name])
    with self.assertRaises(ValueError):
      found.conf_int(1.0)

  def test_as_text_and_back(self):
    for losses in (noisy(6, law(1000), 0.02), law(9)):
      fit = training_curve.fit(losses, 50, run_id='gpt-0')
      back = codec.loads(fit.to_json())
      for level in (0.5, 0.95):
        for name, one in fit.conf_int(level).items():
          other = back.conf_int(level)[name]
          np.testing.assert_allclose(list(other), list(one), rtol=1e-4)
        self.assertEqual(
          back.forecast(level).inside, fit.forecast(level).inside
        )
      self.assertEqual(
        (back.run_id, back.status, back.message, back.notes, back.cut_short),
        (fit.run_id, fit.status, fit.message, fit.notes, fit.cut_short),
      )

  def test_warmup_is_omitted(self):
    losses = law(1000)
    spoilt = np.concatenate([np.full(80, 9.0), losses[80:]])
    one, other = (training_curve.fit(x, 80) for x in (losses, spoilt))
    self.assertEqual(one.conf_int(), other.conf_int())
    np.testing.assert_array_equal(one.loss, other.loss)


class CoverageTest(parameterized.TestCase):
  @parameterized.parameters(('white', 0), ('ar1', 0), ('wanders', 1))
  @pytest.mark.slow
  def test_intervals_hold_the_truth(self, kind, more):
    n, S = 40, 2000
    levels = (0.5, 0.8, 0.95, 0.99)
    truth = law(S, 1.5, 0.2 * S**0.4, 0.4)
    log2_step = np.log2(np.arange(1, S + 1))
    missed: dict[tuple[str, float], int] = {}
    for i in range(n):
      rng = np.random.default_rng([5, i])
      noise = ar1(rng, S, 0.8 if kind == 'ar1' else 0.0, 0.02)
      drift = np.zeros(S)
      if kind == 'wanders':
        knots = np.arange(0, 12, 0.1)
        drift = 0.01 * np.interp(log2_step, knots, ar1(rng, 120, 0.7, 1.0))
      found = training_curve.fit(truth + drift + noise, 50)
      slope = np.polyfit(log2_step[-400:], (truth + drift)[-400:], 1)[0]
      for level in levels:
        interval, ahead = found.conf_int(level), found.forecast(level)
        for name, held in (
          ('floor', interval['floor'].low <= 1.5 <= interval['floor'].high),
          ('exponent', interval['exponent'].holds(0.4)),
          ('slope', interval['slope_per_doubling'].holds(slope)),
          ('forecast', ahead.inside),
        ):
          key = name, level
          missed[key] = missed.get(key, 0) + (not held)
    # So many misses are more than chance makes in one of 70 such tests.
    for (name, level), count in missed.items():
      most = stats.binom.ppf(0.986, n, 1 - level) + more
      self.assertLessEqual(count, most, (name, level, missed))


class EndTest(parameterized.TestCase):
  @parameterized.parameters(0.1, 0.3, 0.8)
  def test_slope_of_a_law(self, p):
    S = 3000
    found = training_curve.fit(law(S, 1.5, 0.3 * S**p, p), 100)
    last = -p * 0.3 * math.log(2)
    # The mean over the last fifth: at 0.9 S the slope is 0.9^-p times as steep.
    slope = found.conf_int()['slope_per_doubling']
    self.assertAlmostEqual(slope.value / (last * 0.9**-p), 1.0, delta=0.01)
    self.assertTrue(slope.holds(slope.value))

  def test_a_line_in_log2_is_exact(self):
    losses = 3.0 - 0.05 * np.log2(np.arange(1, 2001))
    found = training_curve.fit(losses, 10)
    self.assertAlmostEqual(found.params['slope_per_doubling'], -0.05)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)

  def test_cut_short_or_not(self):
    S = 20_000
    noise = noisy(8, np.zeros(S), 0.01)
    found = training_curve.fit(law(S, 1.5, 0.3 * S**0.3, 0.3) + noise, 100)
    self.assertIs(found.cut_short, True)
    found = training_curve.fit(law(S, 1.5, 3.0, 0.9) + noise, 100)
    self.assertIs(found.cut_short, False)
    losses = law(S, 1.5, 3.0, 0.9)[:500] + 9 * noise[:500]
    self.assertIsNone(training_curve.fit(losses, 50).cut_short)

  def test_forecast_of_an_exact_law(self):
    losses = law(2000)
    forecast = training_curve.fit(losses, 100).forecast()
    self.assertEqual(forecast.from_step, 1000)
    end = losses[-100:].mean()
    self.assertAlmostEqual(forecast.actual.value, end)
    self.assertAlmostEqual(forecast.predicted.value, end, delta=1e-5)
    self.assertIs(forecast.inside, True)

  def test_a_drop_after_the_half_is_outside(self):
    losses = noisy(9, law(2000), 0.01)
    losses[1500:] -= 0.1
    found = training_curve.fit(losses, 100)
    self.assertIs(found.forecast().inside, False)
    self.assertLen(found.notes, 2)


class RefusalTest(parameterized.TestCase):
  def blank(self, found):
    for interval in found.conf_int().values():
      self.assertTrue(np.isnan(list(interval)).all())
    self.assertIsNone(found.cut_short)
    self.assertIsNone(found.forecast().inside)
    self.assertEqual([x.size for x in (found.step, found.fitted)], [0, 0])

  def test_too_few_steps(self):
    for losses in (law(129), np.zeros(0, np.float32)):
      found = training_curve.fit(losses, 100)
      self.assertEqual(found.status, Status.TOO_FEW_POINTS)
      self.blank(found)

  def test_short_first_half_forecasts_nothing(self):
    forecast = training_curve.fit(law(130), 100).forecast()
    self.assertTrue(np.isnan(forecast.predicted.value))
    self.assertIsNone(forecast.inside)

  @parameterized.parameters(math.nan, math.inf)
  def test_loss_that_is_not_finite(self, wrong):
    losses = law(500)
    losses[76:90] = wrong
    found = training_curve.fit(losses, 100)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    self.blank(found)

  @parameterized.parameters('constant', 'noise', 'rises', 'linear', 'log')
  def test_no_law(self, kind):
    s = np.arange(1, 1501.0)
    noise = noisy(4, np.zeros(s.size), 0.02)
    losses = {
      'constant': np.full(s.size, 2.0),
      'noise': 2.0 + noise,
      'rises': 2.0 + 1e-3 * s + noise,
      'linear': 4.0 - 1e-3 * s + noise,
      'log': 4.0 - 0.2 * np.log(s) + noise,
    }[kind]
    found = training_curve.fit(losses, 50)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    for name in LAW:
      self.assertFalse(found.conf_int()[name].known)

  def test_floor_that_may_be_zero(self):
    found = training_curve.fit(noisy(5, law(1500, 0.0, 3.0, 0.1), 0.02), 50)
    self.assertEqual(found.status, Status.NOT_IDENTIFIED)
    interval = found.conf_int()
    self.assertTrue(np.isneginf(interval['floor'].low))
    self.assertTrue(interval['exponent'].holds(0.1))

  def test_arguments(self):
    with self.assertRaises(UserError):
      training_curve.fit(np.ones((2, 50)), 0)
    for bad in ({'warmup': -1}, {'draws': 0}):
      with self.assertRaises(UserError):
        training_curve.fit(law(100), **{'warmup': 0, **bad})


if __name__ == '__main__':
  absltest.main()
