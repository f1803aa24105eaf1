"""Laws by name, by path, and as fits and analyses."""

import types

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting.chinchilla import LogData
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.study import schema
from scaling_jax.analysis.study.doubts import Lead
from scaling_jax.analysis.study.results import FittedRange
from scaling_jax.errors import UserError
from scaling_jax.planner import law_registry
from scaling_jax.planner import published_laws
from scaling_jax.planner.resources import Token
from tests.analysis import designs
from tests.analysis import studies
from tests.planner import own_fits
from tests.shared_data import CHINCHILLA


class PublishedTest(parameterized.TestCase):
  def test_hoffmann_at_chinchilla_s_compute(self):
    found = law_registry.law_of('hoffmann').optimum(C=5.76e23)
    self.assertAlmostEqual(found.N.value / 1e9, 32.19, places=2)
    self.assertAlmostEqual(found.loss.value, 1.93075, places=5)
    self.assertFalse(found.loss.known)
    self.assertEqual(found.C, Interval.exact(5.76e23))

  def test_besiroglu_has_an_interval_around_its_published_constants(self):
    law = law_registry.law_of('Besiroglu')
    found = law.optimum(C=5.76e23)
    best = published.BESIROGLU.optimum(5.76e23)
    for interval, value in (
      (found.N, best.N), (found.D, best.D), (found.loss, best.L),
    ):  # fmt: skip
      self.assertAlmostEqual(interval.value / value, 1)
      self.assertTrue(interval.holds(value))
    # Besiroglu et al. 2024 give alpha 0.348 and an exponent of 0.513 ± 0.02.
    a = np.std(law.draws.exponent_N)
    self.assertBetween(a, 0.013, 0.025)

  def test_a_lower_level_is_narrower(self):
    law = law_registry.law_of('besiroglu')
    wide, narrow = (law.optimum(C=1e22, level=x).N for x in (0.95, 0.5))
    self.assertLess(wide.low, narrow.low)
    self.assertLess(narrow.high, wide.high)

  def test_the_spread_is_that_of_the_points(self):
    if not CHINCHILLA.exists():
      self.skipTest(f'{CHINCHILLA} is not here')
    from benchmarks import published_law

    fit = published_law.fit(CHINCHILLA, draws=1000)
    law = law_registry.law_of('besiroglu')
    empty = np.empty(0)
    data = LogData(empty, empty, empty, *fit.center, empty)
    drawn = np.cov(data.params(law.draws), rowvar=False)
    covariance = np.cov(fit.param_draws, rowvar=False)
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(np.sqrt(np.diag(drawn)), sd, rtol=0.12)
    np.testing.assert_allclose(
      drawn / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=0.15
    )
    np.testing.assert_allclose(law.N, (fit.N.min(), fit.N.max()), rtol=0.01)
    np.testing.assert_allclose(law.D, (fit.D.min(), fit.D.max()), rtol=0.01)

  def test_kaplan_by_compute_and_by_tokens(self):
    law = law_registry.law_of('kaplan')
    found = law.optimum(C=laws.FLOPS_PER_PF_DAY)
    self.assertAlmostEqual(found.N.value / 1.3e9, 1)
    self.assertAlmostEqual(6 * found.N.value * found.D.value / 8.64e19, 1)
    # Not 4e10: proportional is not equal.
    by_tokens = law.optimum(D=73_584_077)
    self.assertAlmostEqual(by_tokens.N.value / 1e5, 4.287, places=2)
    loss = law.loss(by_tokens.N.value, 73_584_077)
    self.assertEqual(by_tokens.loss, loss)

  @parameterized.parameters(*law_registry.NAMES)
  def test_either_compute_or_tokens_is_asked(self, name):
    law = law_registry.law_of(name)
    with self.assertRaises(ValueError):
      law.optimum()
    with self.assertRaises(ValueError):
      law.optimum(C=1e20, D=1e9)

  def test_remarks_are_of_what_lies_outside(self):
    law = law_registry.law_of('hoffmann')
    for C, count in ((1e21, 0), (1e15, 2), (1e26, 2)):
      self.assertLen(law.remarks(law.optimum(C=C)), count)


class NamesTest(parameterized.TestCase):
  @parameterized.parameters(
    ('besiroglou', 'law=besiroglu'),
    ('hofman', 'law=hoffmann'),
    ('xyz', 'law=besiroglu'),
    ('nowhere/fits.json', 'nowhere/fits.json'),
  )
  def test_unknown(self, name, advice):
    with self.assertRaises(UserError) as raised:
      law_registry.law_of(name)
    self.assertIn(advice, str(raised.exception))

  def test_each_law_has_a_name_of_its_own(self):
    for several in (['kaplan', 'kaplan'], ['kaplan', 'Kaplan']):
      with self.assertRaises(UserError):
        law_registry.laws_of(several)
    fits = [own_fits.chinchilla_fit(), own_fits.isoflop_fit(), 'kaplan']
    found = law_registry.laws_of(fits)
    self.assertEqual([law.name for law in found], ['fit', 'fit-2', 'kaplan'])

  def test_none_is_refused(self):
    with self.assertRaises(UserError):
      law_registry.laws_of([])


class FitTest(parameterized.TestCase):
  def test_intervals_are_quantiles_of_the_joint_draws(self):
    fit = own_fits.chinchilla_fit()
    law = law_registry.law_of(fit)
    for C in (4e14, 1e22):  # beyond a thousand times the largest budget too
      found = law.optimum(C=C, level=0.8)
      drawn = np.array([
        laws.Chinchilla(*one).optimum(C).N
        for one in np.transpose(fit.draws)
      ])  # fmt: skip
      expected = np.quantile(drawn, [0.1, 0.9])
      np.testing.assert_allclose([found.N.low, found.N.high], expected, 0.01)
      self.assertAlmostEqual(found.N.value / designs.LAW.optimum(C).N, 1)

  def test_compute_and_tokens_lead_to_each_other(self):
    for fit in (own_fits.chinchilla_fit(), own_fits.isoflop_fit()):
      law = law_registry.law_of(fit)
      found = law.optimum(C=3e15)
      back = law.optimum(D=found.D.value)
      self.assertAlmostEqual(back.C.value / 3e15, 1)
      self.assertAlmostEqual(back.N.value / found.N.value, 1)

  def test_approach_2_states_no_loss(self):
    law = law_registry.law_of(own_fits.isoflop_fit())
    self.assertIsNone(law.formula)
    self.assertTrue(np.isnan(law.loss(1e6, 1e8).value))
    self.assertAlmostEqual(law.optimum(C=1e15).N.value / (2 * 1e6), 1)

  def test_extrapolation_is_remarked(self):
    law = law_registry.law_of(own_fits.chinchilla_fit())
    for C, count in ((4e14, 0), (1e13, 1), (1e18, 1)):
      self.assertLen(law.remarks(law.optimum(C=C)), count)

  def test_without_draws_it_is_known_why_there_is_no_interval(self):
    law = law_registry.law_of(own_fits.chinchilla_fit(draws=0))
    self.assertNotEmpty(law.no_interval)
    self.assertIsNone(law.draws)
    self.assertFalse(law.optimum(C=1e15).N.known)

  def test_what_is_not_ok_is_refused(self):
    fit = own_fits.chinchilla_fit(status=Status.NOT_IDENTIFIED)
    with self.assertRaises(UserError) as raised:
      law_registry.law_of(fit)
    self.assertIn('not_identified', str(raised.exception))

  def test_a_fit_of_something_else_is_refused(self):
    with self.assertRaises(UserError):
      law_registry.law_of(own_fits.isoflop_fit().N_opt)


def analysis(approach='chinchilla', doubts=()):
  """What a plan asks of an Analysis."""
  fits = {
    'envelope': own_fits.isoflop_fit(),
    'isoflop': own_fits.isoflop_fit(),
    'chinchilla': own_fits.chinchilla_fit(),
  }
  corpus = types.SimpleNamespace(name='poetry', vocab_size=66)
  return types.SimpleNamespace(
    **{
      'approaches': fits,
      'lead': Lead(approach=approach, doubts=doubts),
      'provenance': types.SimpleNamespace(corpus=corpus, datasets=()),
      'runs': studies.as_runs(designs.design(), np.ones(21)),
      'fitted_range': lambda name: FittedRange(low=1e14, high=2e15),
    }
  )


class AnalysisTest(absltest.TestCase):
  def test_its_headline_counts(self):
    law = law_registry.law_of(analysis())
    self.assertEqual(law.formula, own_fits.chinchilla_fit().law)
    self.assertEqual(law.token, Token('characters', 66))
    self.assertEqual(law.corpus, 'poetry')
    self.assertEqual(law.unit, 'nats/token')
    law = law_registry.law_of(analysis('isoflop'))
    self.assertIsNone(law.formula)

  def test_no_law_that_is_ok(self):
    with self.assertRaises(UserError):
      law_registry.law_of(analysis(None))

  def test_what_speaks_against_it_is_told(self):
    law = law_registry.law_of(analysis(doubts=('its form is rejected',)))
    found = law.optimum(C=1e15)
    self.assertEqual(law.remarks(found), ['its form is rejected'])
    self.assertLen(law.remarks(law.optimum(C=1e17)), 2)


class FileTest(absltest.TestCase):
  def test_it_states_what_the_analysis_states(self):
    folder = self.create_tempdir().full_path
    plan = designs.design()
    L = designs.noisy(designs.LAW, plan, 0.002)
    known = studies.analyze(studies.as_runs(plan, L))
    schema.write(known, folder)
    law = law_registry.law_of(folder)
    self.assertEqual(law.name, folder.rpartition('/')[2])
    self.assertEqual(law_registry.law_of(f'{folder}/fits.json').name, law.name)
    C = known.targets[0]
    found, expected = law.optimum(C=C), known.chinchilla.optimum(C=C)
    for name in ('C', 'N', 'D', 'loss'):
      np.testing.assert_allclose(
        list(getattr(found, name)), list(getattr(expected, name)), rtol=1e-5
      )
    self.assertLen(law.draws.alpha, studies.DRAWS)

  def test_no_fits(self):
    path = self.create_tempfile('x.json').full_path
    for text in ('{', '{}', '[]', '{"laws": 3}'):
      with open(path, 'w') as file:
        file.write(text)
      with self.assertRaises(UserError):
        law_registry.law_of(path)


class SpreadTest(absltest.TestCase):
  def test_it_is_made_of_laws(self):
    law = published_laws.published_law('besiroglu')
    self.assertTrue(np.isfinite(np.array(law.draws)).all())


if __name__ == '__main__':
  absltest.main()
