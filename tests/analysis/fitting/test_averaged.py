"""Averaged intervals against laws that are known."""

import dataclasses
import functools
import itertools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pytest

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import averaged
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import chinchilla_fit
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.chinchilla_data import law_of
from scaling_jax.analysis.fitting.mixture import Data
from tests.analysis import designs

BUDGETS = np.geomspace(1e18, 10**19.5, 4)
INTERACTING = laws.Interacting(*published.BESIROGLU, k=0.7)
C10 = 10 * BUDGETS[-1]


def study(law=published.BESIROGLU, noise=1e-3, seed=0, draws=0):
  plan = designs.design(law, BUDGETS)
  L = designs.noisy(law, plan, noise, seed)
  bootstrap = Bootstrap(draws, seed=seed)
  return chinchilla.fit(
    plan.N, plan.D, L, bootstrap=bootstrap, starts='projection'
  )


@functools.cache
def plain():
  return study()


@functools.cache
def of_plain():
  return averaged.fit(plain())


class AveragedTest(parameterized.TestCase):
  def test_a_law_without_noise_comes_back(self):
    law = published.BESIROGLU
    found = averaged.fit(study(noise=0.0))
    np.testing.assert_allclose(found.conf_int()['E'].value, law.E, rtol=1e-4)
    best, true = found.optimum(C=C10), law.optimum(C10)
    np.testing.assert_allclose(best.N.value, true.N, rtol=1e-3)
    np.testing.assert_allclose(best.loss.value, true.L, rtol=1e-5)
    loss = found.predict(1e10, 1e10).value
    np.testing.assert_allclose(loss, law.loss(1e10, 1e10), rtol=1e-4)

  def test_holds_its_own_law(self):
    found, law = of_plain(), published.BESIROGLU
    best, true = found.optimum(C=C10), law.optimum(C10)
    self.assertTrue(found.conf_int()['E'].holds(law.E))
    self.assertTrue(best.N.holds(true.N))
    self.assertTrue(best.D.holds(true.D))
    self.assertTrue(best.loss.holds(true.L))
    self.assertTrue(found.predict(1e9, 1e11).holds(law.loss(1e9, 1e11)))

  def test_holds_a_law_of_another_form(self):
    law = study(INTERACTING, draws=400)
    found = averaged.fit(law)
    true = INTERACTING.optimum(C10)
    self.assertFalse(law.conf_int()['E'].holds(INTERACTING.E))
    self.assertFalse(law.optimum(C=C10).loss.holds(true.L))
    self.assertTrue(found.conf_int()['E'].holds(INTERACTING.E))
    self.assertTrue(found.optimum(C=C10).loss.holds(true.L))
    self.assertTrue(found.optimum(C=C10).N.holds(true.N))
    wide = [p for name, p in found.shares.items() if 'interaction' in name]
    self.assertGreater(sum(wide), 0.9)

  def test_without_discrepancy_it_is_the_form(self):
    found = of_plain()
    one = next(
      x
      for x in found.drawn
      if x.component.model.form.name == 'chinchilla'
      and not x.component.model.ratio
    )
    alone = dataclasses.replace(found, drawn=(one,))
    drawn = law_of(one.params, found.law.center)
    by_hand = chinchilla_fit.allocation(found.law.law, drawn, C=C10)
    best = alone.optimum(C=C10)
    for name in ('N', 'D', 'loss'):
      ends = [
        (x.low, x.high) for x in (getattr(y, name) for y in (best, by_hand))
      ]
      np.testing.assert_allclose(*ends, rtol=1e-4)
    ends = alone.predict(1e9, 1e10)
    np.testing.assert_allclose(
      ends.value, np.median(drawn.loss(1e9, 1e10)), rtol=1e-12
    )

  def test_shares(self):
    shares = of_plain().shares
    self.assertAlmostEqual(sum(shares.values()), 1)
    self.assertLen(shares, 6)
    own = [p for name, p in shares.items() if name.startswith('chinchilla')]
    self.assertGreater(sum(own), 0.5)

  def test_shapes(self):
    found = of_plain()
    C = np.geomspace(1e20, 1e22, 6).reshape(2, 3)
    best = found.optimum(C=C)
    self.assertEqual(best.N.low.shape, (2, 3))
    one = found.optimum(C=float(C[1, 0]))
    self.assertAlmostEqual(one.loss.high, best.loss.high[1, 0])
    np.testing.assert_allclose(6 * best.N.value * best.D.value, C, rtol=1e-3)
    loss = found.predict(np.geomspace(1e8, 1e10, 3)[:, None], [1e10, 1e11])
    self.assertEqual(loss.value.shape, (3, 2))
    with self.assertRaisesRegex(ValueError, 'positive'):
      found.optimum(C=-1.0)

  def test_seeds(self):
    one, same, other = (averaged.fit(plain(), seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(one.floors, same.floors)
    self.assertEqual(one.optimum(C=C10).N, same.optimum(C=C10).N)
    self.assertNotEqual(one.optimum(C=C10).N, other.optimum(C=C10).N)
    self.assertLen(one.floors, 4000)

  def test_levels_are_nested(self):
    found = of_plain()
    at = [
      (found.conf_int(level)['E'], found.optimum(C=C10, level=level).N)
      for level in (0.5, 0.8, 0.95, 0.99)
    ]
    for inner, outer in itertools.pairwise(at):
      for one, two in zip(inner, outer):
        self.assertLess(two.low, one.low)
        self.assertGreater(two.high, one.high)
        self.assertEqual(two.value, one.value)

  def test_along_the_runs_own_cost_line(self):
    law = plain()
    cost = laws.CostLine(-0.9, 0.3)
    law = dataclasses.replace(law, C=cost.flops(law.N, law.D))
    found, C = averaged.fit(law), 10 * law.C.max()
    best, true = found.optimum(C=C), published.BESIROGLU.optimum(C, cost)
    self.assertTrue(best.N.holds(true.N))
    self.assertTrue(best.loss.holds(true.L))
    np.testing.assert_allclose(
      best.D.value, cost.tokens(best.N.value, C), rtol=1e-3
    )

  def test_outliers_do_not_count(self):
    law = study()
    loss = law.loss.copy()
    loss[5] *= 1.2
    off = chinchilla.fit(law.N, law.D, loss, bootstrap=Bootstrap(draws=0))
    self.assertEqual(off.outliers.tolist(), [5])
    best = averaged.fit(off).optimum(C=C10)
    self.assertTrue(best.loss.holds(published.BESIROGLU.optimum(C10).L))

  def test_seeds_of_a_model_are_one_datum(self):
    law = plain()
    twice = {x: np.tile(getattr(law, x), 2) for x in ('N', 'D', 'loss')}
    again = dataclasses.replace(law, **twice)
    np.testing.assert_allclose(
      averaged.fit(again).floors, of_plain().floors, rtol=1e-9
    )

  def test_in_another_unit(self):
    law = plain()
    bits = law.point + np.log([2, 2, 2, 1, 1])
    law = dataclasses.replace(law, loss=2 * law.loss, point=bits)
    np.testing.assert_allclose(
      averaged.fit(law).floors, 2 * of_plain().floors, rtol=1e-4
    )

  def test_where_runs_show_next_to_nothing(self):
    law = study(noise=0.05, seed=1)
    plan = plain()
    law = dataclasses.replace(
      plan, loss=law.loss, residual_sd=plan.residual_sd._replace(sd=0.05)
    )
    found = averaged.fit(law)
    self.assertTrue(found.conf_int()['E'].holds(published.BESIROGLU.E))
    self.assertTrue(found.optimum(C=1e19).loss.known)

  def test_where_there_is_none(self):
    law = plain()
    few = {x: getattr(law, x)[:8] for x in ('N', 'D', 'loss')}
    self.assertIsNone(averaged.fit(dataclasses.replace(law, **few)))
    self.assertIsNone(averaged.fit(dataclasses.replace(law, model_sd=1.5)))
    none = chinchilla.fit(law.N[:4], law.D[:4], law.loss[:4])
    self.assertIsNone(averaged.fit(none))
    with self.assertRaisesRegex(ValueError, 'draws=0'):
      averaged.fit(law, draws=0)

  def test_nine_runs(self):
    law = published.BESIROGLU
    plan = designs.design(law, BUDGETS[::2], models=5)
    L = designs.noisy(law, plan, 1e-3)[:9]
    few = chinchilla.fit(plan.N[:9], plan.D[:9], L)
    self.assertTrue(few.ok, few.message)
    found = averaged.fit(few)
    self.assertTrue(found.conf_int()['E'].holds(law.E))
    self.assertTrue(found.optimum(C=1e20).loss.holds(law.optimum(1e20).L))


@pytest.mark.slow
class CoverageTest(absltest.TestCase):
  STUDIES = 40

  def held(self, law, noise):
    """[3] how many of 40 studies hold E, N10 and L10, and widths [40, 3]."""
    true, held, ratios = law.optimum(C10), [], []
    for seed in range(self.STUDIES):
      fit = study(law, noise, seed, draws=400)
      found = averaged.fit(fit, draws=1000, seed=seed)
      rows = [
        (x.conf_int()['E'], best.N.map(np.log), best.loss)
        for x in (found, fit)
        for best in [x.optimum(C=C10)]
      ]
      truth = (law.E, np.log(true.N), true.L)
      held.append([x.holds(y) for x, y in zip(rows[0], truth)])
      ratios.append(
        [(x.high - x.low) / (y.high - y.low) for x, y in zip(*rows)]
      )
    return np.sum(held, 0), np.median(ratios, 0)

  def test_another_form(self):
    held, _ = self.held(INTERACTING, 1e-3)
    self.assertGreaterEqual(min(held), 34)

  def test_its_own_form_at_less_than_twice_the_width(self):
    for noise in (1e-3, 3e-3):
      held, ratios = self.held(published.BESIROGLU, noise)
      self.assertGreaterEqual(min(held), 35)
      self.assertLess(max(ratios), 2)


class DataTest(absltest.TestCase):
  def test_weights_fall_as_the_noise_does(self):
    law = plain()
    cells = Cells.of(law.N, law.D, law.loss)
    data = Data.of(cells, law.center, 0.5)
    np.testing.assert_allclose(
      data.weight, np.sqrt(law.D / np.exp(law.center[1])), rtol=1e-9
    )


if __name__ == '__main__':
  absltest.main()
