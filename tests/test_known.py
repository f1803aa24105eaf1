"""Laws by name, and the laws of a fits.json."""

import copy
import json

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import numpy as np

from scaling_jax import laws
from scaling_jax.errors import UserError
from scaling_jax.planner import known
from tests import studies
from tests.shared_data import CHINCHILLA


class PublishedTest(parameterized.TestCase):
  def test_hoffmann_at_chinchilla_s_compute(self):
    found = known.law_of('hoffmann').for_compute(5.76e23)
    self.assertAlmostEqual(found.N['value'] / 1e9, 32.19, places=2)
    self.assertAlmostEqual(found.L['value'], 1.93075, places=5)
    self.assertIsNone(found.L['low'])
    self.assertEqual(found.C, known.exactly(5.76e23))

  def test_besiroglu_has_an_interval_around_its_published_constants(self):
    law = known.law_of('Besiroglu')
    found = law.for_compute(5.76e23)
    best = laws.BESIROGLU.optimum(5.76e23)
    for name in 'NDL':
      interval, value = getattr(found, name), float(getattr(best, name))
      self.assertAlmostEqual(interval['value'] / value, 1)
      self.assertBetween(value, interval['low'], interval['high'])
    # Besiroglu et al. 2024 give alpha 0.348 and an exponent of 0.513 ± 0.02.
    a = np.std(law.spread.exponent_N)
    self.assertBetween(a, 0.013, 0.025)

  def test_the_spread_is_that_of_the_points(self):
    if not CHINCHILLA.exists():
      self.skipTest(f'{CHINCHILLA} is not here')
    from benchmarks import published_law

    centred, N, D, _, covariance = published_law.spread(CHINCHILLA, draws=1000)
    law = known.law_of('besiroglu')
    drawn = np.cov(centred.params(law.spread), rowvar=False)
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(np.sqrt(np.diag(drawn)), sd, rtol=0.12)
    np.testing.assert_allclose(
      drawn / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=0.15
    )
    np.testing.assert_allclose(law.N, (N.min(), N.max()), rtol=0.01)
    np.testing.assert_allclose(law.D, (D.min(), D.max()), rtol=0.01)

  def test_kaplan_by_compute_and_by_tokens(self):
    law = known.law_of('kaplan')
    found = law.for_compute(laws.FLOPS_PER_PF_DAY)
    self.assertAlmostEqual(found.N['value'] / 1.3e9, 1)
    self.assertAlmostEqual(6 * found.N['value'] * found.D['value'] / 8.64e19, 1)
    # Not 4e10: proportional is not equal.
    by_tokens = law.for_tokens(73_584_077)
    self.assertAlmostEqual(by_tokens.N['value'] / 1e5, 4.287, places=2)
    self.assertEqual(
      by_tokens.L['value'], law.loss(by_tokens.N['value'], 73_584_077)['value']
    )

  def test_remarks_name_the_range(self):
    law = known.law_of('hoffmann')
    self.assertEmpty(law.remarks(1e9, 2e10))
    below, beyond = law.remarks(1e6, 1e13)
    self.assertIn('1.00M parameters are 70 times fewer', below)
    self.assertIn('10.0T tokens are 20 times the most', beyond)

  @parameterized.parameters(
    ('besiroglou', 'one of hoffmann, besiroglu, kaplan.*--law=besiroglu'),
    ('xyz', 'is not known.*--law=besiroglu'),
    ('nowhere/fits.json', 'does not exist.*scaling_jax.analysis'),
  )
  def test_unknown(self, name, message):
    with self.assertRaisesRegex(UserError, message):
      known.law_of(name)


class OwnTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = epath.Path(self.create_tempdir().full_path)
    self.fits = copy.deepcopy(studies.analyzed().fits)

  def law(self):
    (self.folder / 'fits.json').write_text(json.dumps(self.fits))
    return known.law_of(str(self.folder / 'fits.json'))

  def test_it_says_what_the_report_says(self):
    law = self.law()
    C = self.fits['source']['targets'][0]
    at = next(row for row in self.fits['laws']['parametric']['at']
              if abs(row['C'] / C - 1) < 1e-9)  # fmt: skip
    found = law.for_compute(C)
    for name, key in (('N', 'N_opt'), ('D', 'D_opt'), ('L', 'L')):
      for end in ('value', 'low', 'high'):
        self.assertAlmostEqual(getattr(found, name)[end] / at[key][end], 1, 6)
    back = law.for_tokens(found.D['value'])
    self.assertAlmostEqual(back.N['value'] / found.N['value'], 1, 6)
    self.assertEqual(law.token, known.Token('characters', studies.VOCAB_SIZE))
    self.assertEqual(law.corpus, 'simulated')

  def test_beyond_what_is_stated_it_has_no_interval(self):
    found = self.law().for_compute(1e30)
    self.assertIsNone(found.N['low'])
    self.assertGreater(found.N['value'], 0)
    self.assertIn('Extrapolated', self.law().remarks(1e12, 1e15)[0])

  def test_a_folder_will_do(self):
    self.law()
    self.assertEqual(known.law_of(str(self.folder)).name, self.folder.name)

  def test_without_approach_3_there_is_no_loss(self):
    self.fits['laws']['parametric']['status'] = 'not_identified'
    law = self.law()
    self.assertIsNone(law.for_compute(1e16).L)
    self.assertIsNone(law.loss(1e6, 1e8))
    self.assertGreater(law.for_tokens(1e8).N['value'], 0)

  def test_no_law_that_is_ok(self):
    for part in self.fits['laws'].values():
      part['status'] = 'too_few_points'
    with self.assertRaisesRegex(
      UserError,
      'no law that is ok .*3, parametric: too_few_points.*add the runs',
    ):
      self.law()

  def test_no_fits(self):
    path = self.folder / 'x.json'
    for text in ('{', '{}', '[]', '{"laws": 3}'):
      path.write_text(text)
      with self.assertRaisesRegex(UserError, 'is no fits.json'):
        known.law_of(str(path))


if __name__ == '__main__':
  absltest.main()
