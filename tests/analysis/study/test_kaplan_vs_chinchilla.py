"""Readings of a study, against the effect that each must have on its curves."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import frontier
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.study import kaplan_study
from scaling_jax.analysis.study import kaplan_vs_chinchilla as comparison
from scaling_jax.analysis.study.results import CountingEffect
from tests.analysis import kaplan_study as simulated

ENDS = ('decay', 'hoffmann')


def compare(runs, study, effects=(), annealed=()):
  readings = comparison.compare(
    runs, study, effects, annealed=annealed, bootstrap=simulated.BOOTSTRAP
  )
  return {reading.name: reading for reading in readings}


def sizes():
  return [one for one in simulated.loaded() if one.run_id.startswith('n/')]


class ReadingsTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.sizes = sizes()
    cls.found = compare(simulated.loaded(), simulated.fitted())

  def exponent(self, count):
    """Of the hull of the same curves, N and C multiplied run by run."""
    curves = []
    for one in self.sizes:
      N, C = one.counts[count]
      curve = one.falling_curve()
      curves.append(
        dataclasses.replace(
          curve, N=N, C=curve.C * C / (6 * one.run.N * one.run.D)
        )
      )
    return frontier.fit(curves).params['exponent_N']

  def test_every_reading_is_there(self):
    self.assertEqual(tuple(self.found), comparison.NAMES)
    for reading in self.found.values():
      self.assertNotEmpty(reading.what)
      self.assertNotEmpty(reading.why)

  @parameterized.parameters(
    ('kaplan', counting.KAPLAN),
    ('parameters', counting.HOFFMANN),
    ('head', counting.KAPLAN_FULL),
  )
  def test_what_is_counted(self, name, count):
    reading, base = self.found[name], self.found['kaplan']
    self.assertTrue(reading.ok, reading.message)
    self.assertAlmostEqual(
      reading.exponent.value, self.exponent(count), delta=1e-9
    )
    if name == 'kaplan':
      self.assertIsNone(reading.moved(base))
    else:
      self.assertAlmostEqual(
        reading.moved(base), reading.exponent.value - base.exponent.value
      )

  def test_batch_is_the_frontier_of_C_min(self):
    of_law = simulated.fitted().at_critical_batch.N_opt.params['exponent']
    reading = self.found['batch']
    self.assertAlmostEqual(reading.exponent.value, of_law, delta=1e-9)
    # One batch for all is far above the critical one at high losses.
    self.assertLess(reading.moved(self.found['kaplan']), -0.05)
    self.assertLen(reading.notes, 1)  # it is extrapolated

  def test_lengths_that_are_all_one_give_no_ends(self):
    for name in ENDS:
      reading = self.found[name]
      self.assertEqual(reading.status, Status.TOO_FEW_POINTS)
      self.assertIsNone(reading.moved(self.found['kaplan']))

  def test_runs_are_counted(self):
    for name, reading in self.found.items():
      self.assertEqual(reading.n_runs, 0 if name in ENDS else 7)

  def test_the_first_reading_is_the_law(self):
    of_law = simulated.fitted().N_opt.conf_int(0.8)['exponent']
    self.assertEqual(self.found['kaplan'].exponent.at(0.8), of_law)

  def test_a_warmup_s_compute_is_taken_back(self):
    def lagging(w):
      """The same runs, whose progress is slower while the rate rises."""
      out = []
      for one in self.sizes:
        s = np.arange(1.0, len(one.history.losses) + 1)
        progress = np.where(s < w, s**2 / (2 * w), s - w / 2)
        losses = np.interp(progress, s, one.history.losses)
        history = dataclasses.replace(one.history, losses=losses, warmup=w)
        out.append(dataclasses.replace(one, history=history))
      study = kaplan_study.fit(out, out, bootstrap=simulated.BOOTSTRAP)
      found = compare(out, study)
      return {name: r.exponent.value for name, r in found.items()}

    without, late = lagging(1), lagging(1000)
    self.assertGreater(abs(late['kaplan'] - without['kaplan']), 0.01)
    self.assertAlmostEqual(late['warmup'], without['kaplan'], delta=0.004)


class EndsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    unknown, draws = Estimate(), np.linspace(0.4, 0.6, 50)
    self.effects = [
      CountingEffect(
        name=counting.KAPLAN,
        isoflop=Estimate(0.5, draws),
        chinchilla=Estimate(0.51, draws),
      ),
      CountingEffect(
        name=counting.HOFFMANN_FULL,
        isoflop=unknown,
        chinchilla=Estimate(0.48, draws),
      ),
    ]

  def compare(self, annealed):
    return compare(
      simulated.loaded(), simulated.fitted(), self.effects, annealed
    )

  def test_ends_are_those_of_the_counting_effects(self):
    found = self.compare([one.run_id for one in sizes()])
    base = found['kaplan']
    for name, value in (('decay', 0.5), ('hoffmann', 0.48)):
      self.assertEqual(found[name].status, Status.OK)
      self.assertEqual(found[name].exponent.value, value)
      self.assertEqual(found[name].n_runs, 7)
      self.assertAlmostEqual(
        found[name].moved(base), value - base.exponent.value
      )

  def test_ends_of_other_runs_are_not_compared(self):
    found = self.compare([one.run_id for one in sizes()[1:]])
    for name in ENDS:
      self.assertTrue(found[name].ok)
      self.assertFalse(found[name].comparable)
      self.assertIsNone(found[name].moved(found['kaplan']))

  def test_nothing_without_curves_and_ends(self):
    study = kaplan_study.fit([], [], bootstrap=simulated.BOOTSTRAP)
    self.assertEmpty(compare([], study))


if __name__ == '__main__':
  absltest.main()
