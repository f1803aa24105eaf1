"""Published laws and models against what their papers state of them."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax import laws
from scaling_jax import published


class ChinchillaTest(absltest.TestCase):
  def test_hoffmann_s_budget(self):
    best = published.HOFFMANN.optimum(5.76e23)
    self.assertAlmostEqual(best.N / 1e9, 32.19, places=2)
    self.assertAlmostEqual(best.D / 1e12, 2.982, places=3)
    self.assertAlmostEqual(best.L, 1.93075, places=5)
    self.assertAlmostEqual(best.tokens_per_param, 92.6, places=1)

  def test_hoffmann_s_exponents(self):
    # Table 2, approach 3: a = 0.46, b = 0.54.
    self.assertAlmostEqual(published.HOFFMANN.exponent_N, 0.46, delta=0.01)
    self.assertAlmostEqual(published.HOFFMANN.exponent_D, 0.54, delta=0.01)

  def test_besiroglu_s_law(self):
    # Their abstract and figure 4: a near 0.51, about 20 tokens a parameter.
    law = published.BESIROGLU
    self.assertAlmostEqual(law.exponent_N, 0.5126, places=4)
    self.assertBetween(law.optimum(5.76e23).tokens_per_param, 15, 30)


class KaplanTest(absltest.TestCase):
  def test_a_loss_of_one_is_the_law_s_constant(self):
    for law, x_c in (
      (published.KAPLAN_L_N, 8.8e13),
      (published.KAPLAN_L_D, 5.4e13),
      (published.KAPLAN_L_C, 1.6e7),
      (published.KAPLAN_L_CMIN, 3.1e8),
    ):
      self.assertAlmostEqual(law(x_c), 1)
      self.assertAlmostEqual(law.inverse(1.0) / x_c, 1)

  def test_a_pf_day(self):
    self.assertEqual(laws.FLOPS_PER_PF_DAY, 8.64e19)

  def test_doubling(self):
    # Section 1.2: doubling N scales the loss by 2^-0.076 = 0.95, and so on.
    for law, factor in (
      (published.KAPLAN_L_N, 0.95),
      (published.KAPLAN_L_D, 0.94),
      (published.KAPLAN_L_CMIN, 0.97),
    ):
      self.assertAlmostEqual(law(2e9) / law(1e9), factor, delta=0.006)

  def test_ten_times_the_compute(self):
    # As Hoffmann et al. read it: 5.5 times the parameters.
    law = published.KAPLAN_N_OPT
    self.assertAlmostEqual(law(1.0), 1.3e9)
    self.assertAlmostEqual(law(10.0) / law(1.0), 5.5, delta=0.2)

  def test_tokens_without_overfitting(self):
    # Section 4.2: 1e9 parameters overfit little on WebText2's 22e9 tokens.
    self.assertAlmostEqual(published.KAPLAN_TOKENS(1e9) / 22e9, 1, delta=0.05)

  def test_the_critical_batch_doubles(self):
    # Section 5.1: about so for every 13% that the loss falls.
    batch = published.KAPLAN_BATCH.tokens
    self.assertAlmostEqual(batch(0.87 * 3) / batch(3.0), 2, delta=0.1)

  def test_the_joint_law_s_limit(self):
    # Table 2's fit and table 5's differ, but not by much where both hold.
    joint = published.KAPLAN.loss(1e8, math.inf)
    self.assertAlmostEqual(joint / published.KAPLAN_L_N(1e8), 1, delta=0.05)


class ModelsTest(parameterized.TestCase):
  @parameterized.parameters(
    ('GPT-3', 3.14e23),  # Brown et al. 2020, table D.1
    ('Gopher', 5.76e23),  # Hoffmann et al. 2022: the budget they share
    ('Chinchilla', 5.76e23),
    ('PaLM', 2.53e24),  # Chowdhery et al. 2022, table 20
    ('Llama 3.1 405B', 3.8e25),  # Dubey et al. 2024
  )
  def test_compute_as_stated(self, name, C):
    # Authors count attention, and round: within 15%.
    self.assertAlmostEqual(published.BY_NAME[name].C / C, 1, delta=0.15)

  def test_each_is_there_once(self):
    self.assertLen(published.BY_NAME, len(published.MODELS))
    for model in published.MODELS:
      self.assertIs(published.BY_NAME[model.name], model)

  def test_years(self):
    years = [model.year for model in published.MODELS]
    self.assertSequenceEqual(years, sorted(years))
    for model in published.MODELS:
      kind, _, number = model.source.partition(' ')
      if kind == 'arXiv':  # its papers' numbers begin with year and month
        self.assertBetween(2000 + int(number[:2]), model.year, model.year + 1)

  def test_chinchilla_s_rule(self):
    model = published.BY_NAME['Chinchilla']
    self.assertAlmostEqual(model.D / model.N, 20)


if __name__ == '__main__':
  absltest.main()
