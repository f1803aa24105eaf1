"""The planner for Python."""

from absl.testing import absltest
from absl.testing import parameterized

from configs import quickstart
import scaling_jax as sj
from tests.analysis import designs
from tests.planner import own_fits


class PlanTest(parameterized.TestCase):
  def test_a_fit_is_a_law(self):
    fit = own_fits.chinchilla_fit()
    found = sj.plan(1e18, law=fit).laws['fit']
    best = designs.LAW.optimum(1e18)
    self.assertAlmostEqual(found.N.value / best.N, 1)
    self.assertTrue(found.loss.known)

  def test_a_level_of_one_s_own(self):
    fit = own_fits.chinchilla_fit()
    wide, narrow = (
      sj.plan(1e18, law=fit, level=x).laws['fit'].N for x in (0.99, 0.5)
    )
    self.assertLess(wide.low, narrow.low)

  def test_a_machine_and_tokens(self):
    week = sj.Machine('h100', days=7)
    found = sj.plan(tokens=1e9, machine=week, law=['hoffmann', 'kaplan'])
    self.assertEqual(
      [one.binds for one in found.laws.values()], ['tokens', 'tokens']
    )
    self.assertEqual(found.resources.C, week.compute.C)

  @parameterized.parameters(
    {}, {'flops': 1e20, 'level': 0.0}, {'flops': 1e20, 'vocab_size': 0},
    {'flops': 1e20, 'law': []}, {'flops': -1.0},
  )  # fmt: skip
  def test_bad_input(self, **given):
    with self.assertRaises(sj.UserError):
      sj.plan(**given)

  def test_html(self):
    html = sj.plan(1e20, tokens=1e9)._repr_html_()
    for part in ('<table>', 'besiroglu', 'N (parameters)'):
      self.assertIn(part, html)


class DesignTest(absltest.TestCase):
  def test_a_config_in_python(self):
    asked = {'n_laws': 3, 'draws': 30}
    found = sj.design(quickstart.get_config(), **asked)
    self.assertEqual(found.n_runs, 18)
    self.assertAlmostEqual(found.target, 4e12)
    again = sj.design(['configs/quickstart.py'], **asked)
    self.assertEqual(again.target, found.target)
    self.assertEqual(
      again.approaches['isoflop'].answers, found.approaches['isoflop'].answers
    )
    html = found._repr_html_()
    for part in ('<table>', 'N_opt', '1x16'):
      self.assertIn(part, html)

  def test_bad_input(self):
    for given in (
      {'noise': 0.0}, {'seed_noise': 1.0}, {'level': 0.99}, {'n_laws': 0},
      {'draws': 0}, {'seed': -1}, {'law': 'kaplan'},
    ):  # fmt: skip
      with self.assertRaises(sj.UserError):
        sj.design('configs/c0.py', **given)


if __name__ == '__main__':
  absltest.main()
