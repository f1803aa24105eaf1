"""Published models by each law, against a numeric search."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import optimize

from scaling_jax.planner import known
from scaling_jax.planner import published
from scaling_jax.published_models import MODELS
from tests import studies


def rows(*names):
  made = published.compare([known.law_of(name) for name in names])
  return {
    law: {row['name']: row for row in part['rows']}
    for law, part in made['laws'].items()
  }


class CompareTest(parameterized.TestCase):
  @parameterized.parameters('hoffmann', 'besiroglu', 'kaplan')
  def test_waste_is_what_a_search_finds(self, name):
    law = known.law_of(name)
    formula = law.law

    def least_loss(C):
      found = optimize.minimize_scalar(
        lambda log_N: formula.loss(np.exp(log_N), C / 6 / np.exp(log_N)),
        bounds=(15, 32), method='bounded', options={'xatol': 1e-9},
      )  # fmt: skip
      return found.fun

    for model in MODELS:
      row = rows(name)[name][model.name]
      C = 6 * model.N * model.D
      self.assertAlmostEqual(row['L']['value'], formula.loss(model.N, model.D))
      self.assertAlmostEqual(row['L_opt']['value'], least_loss(C), places=6)
      needed = optimize.brentq(
        lambda log_C, L=row['L']['value']: least_loss(np.exp(log_C)) - L,
        np.log(C) - 8, np.log(C) + 1e-6,
      )  # fmt: skip
      self.assertAlmostEqual(row['wasted'], 1 - np.exp(needed) / C, places=3)

  def test_known_verdicts(self):
    found = rows('besiroglu', 'kaplan')
    # Chinchilla was built by 20 tokens a parameter, GPT-3 by Kaplan's law.
    self.assertLess(found['besiroglu']['Chinchilla']['wasted'], 0.01)
    self.assertGreater(found['besiroglu']['Gopher']['wasted'], 0.3)
    self.assertLess(found['kaplan']['GPT-3']['wasted'], 0.01)
    self.assertGreater(found['kaplan']['Chinchilla']['wasted'], 0.5)

  def test_one_s_own_law_where_it_states_a_loss(self):
    from scaling_jax.analysis import study

    folder = self.create_tempdir().full_path
    study.write(studies.analyzed().fits, folder)
    law = known.law_of(folder)
    self.assertLen(
      published.compare([law])['laws'][law.name]['rows'], len(MODELS)
    )
    silent = dataclasses.replace(law, law=None)
    self.assertEmpty(published.compare([silent])['laws'])


if __name__ == '__main__':
  absltest.main()
