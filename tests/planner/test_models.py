"""Published models by each law, against a numeric search."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax.errors import UserError
from scaling_jax.planner import law_registry
from scaling_jax.planner import models
from scaling_jax.published import MODELS
from tests.planner import own_fits


def rows(*names):
  made = models.compare(law_registry.laws_of(names))
  return {
    name: {row.name: row for row in law.rows} for name, law in made.laws.items()
  }


class CompareTest(parameterized.TestCase):
  @parameterized.parameters(*law_registry.NAMES)
  def test_waste_is_what_a_search_finds(self, name):
    formula = law_registry.law_of(name).formula

    def least_loss(C):
      found = optimize.minimize_scalar(
        lambda log_N: formula.loss(np.exp(log_N), C / 6 / np.exp(log_N)),
        bounds=(15, 32), method='bounded', options={'xatol': 1e-9},
      )  # fmt: skip
      return found.fun

    for model in MODELS:
      row = rows(name)[name][model.name]
      C = 6 * model.N * model.D
      loss = formula.loss(model.N, model.D)
      self.assertAlmostEqual(row.loss.value, loss)
      self.assertAlmostEqual(row.loss_opt.value, least_loss(C), places=6)
      needed = optimize.brentq(
        lambda log_C, L=loss: least_loss(np.exp(log_C)) - L,
        np.log(C) - 8, np.log(C) + 1e-6,
      )  # fmt: skip
      self.assertAlmostEqual(row.wasted, 1 - np.exp(needed) / C, places=3)

  def test_what_the_models_were_built_by(self):
    found = rows('besiroglu', 'kaplan')
    # Chinchilla was built by 20 tokens a parameter, GPT-3 by Kaplan's law.
    self.assertLess(found['besiroglu']['Chinchilla'].wasted, 0.01)
    self.assertGreater(found['besiroglu']['Gopher'].wasted, 0.3)
    self.assertLess(found['kaplan']['GPT-3'].wasted, 0.01)
    self.assertGreater(found['kaplan']['Chinchilla'].wasted, 0.5)

  def test_one_s_own_law_where_it_states_a_loss(self):
    self.assertLen(rows(own_fits.chinchilla_fit())['fit'], len(MODELS))
    silent = own_fits.isoflop_fit()
    self.assertEqual(list(rows('kaplan', silent)), ['kaplan'])
    with self.assertRaises(UserError):
      rows(silent)


if __name__ == '__main__':
  absltest.main()
