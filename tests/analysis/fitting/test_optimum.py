"""What to train by two power laws: given C, and given D."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.fitting.result import Status
from tests.analysis import designs
from tests.analysis.fitting.bowls import LOPSIDED
from tests.analysis.fitting.bowls import bowls


def fitted(noise=0.002, draws=400, **kwargs):
  plan = designs.design()
  L = designs.noisy(designs.LAW, plan, noise)
  groups = designs.by_budget(plan, L)
  bootstrap = Bootstrap(draws=draws)
  return isoflop.fit(groups, bootstrap=bootstrap, **kwargs)


def power(line, draws, bias=None):
  return PowerLawFit(
    status=Status.OK, x=np.ones(2), y=np.ones(2), line=np.array(line),
    line_draws=np.array(draws), bias=bias,
  )  # fmt: skip


class OptimumTest(parameterized.TestCase):
  def test_exact_laws(self):
    found = isoflop.fit(
      bowls(), bootstrap=Bootstrap(draws=50), curve='parabola'
    )
    # D = C^0.52 / 1.8 and N = 0.3 C^0.48.
    best = found.optimum(D=1e10)
    C = (1.8e10) ** (1 / 0.52)
    np.testing.assert_allclose(list(best.C), C, rtol=1e-6)
    np.testing.assert_allclose(list(best.N), 0.3 * C**0.48, rtol=1e-6)
    self.assertEqual(list(best.D), [1e10] * 3)

  def test_there_and_back(self):
    found = fitted()
    C = 3e16
    tokens = found.optimum(C=C).D.value
    best = found.optimum(D=tokens)
    np.testing.assert_allclose(best.C.value, C, rtol=1e-9)
    np.testing.assert_allclose(
      best.N.value, found.optimum(C=C).N.value, rtol=1e-9
    )

  def test_draws_are_joint(self):
    found, D = fitted(), 1e11
    (a, log_N0), (b, log_D0) = (
      found.N_opt.line_draws.T,
      found.D_opt.line_draws.T,
    )
    log_C = (np.log(D) - log_D0) / b
    for level in (0.5, 0.95):
      best = found.optimum(D=D, level=level)
      for one, logs in ((best.C, log_C), (best.N, log_N0 + a * log_C)):
        tail = (1 - level) / 2
        low = np.quantile(logs, tail, method='lower')
        high = np.quantile(logs, 1 - tail, method='higher')
        np.testing.assert_allclose(np.log([one.low, one.high]), [low, high])

  def test_bias_to_first_order(self):
    found, D, step = fitted(law=LOPSIDED, curve='parabola'), 1e11, 1e-4

    def log_N(of):
      N, D_opt = of
      log_C = (np.log(D) - D_opt[1]) / D_opt[0]
      return N @ [log_C, 1.0]

    lines = np.array([found.N_opt.line, found.D_opt.line])
    bias = np.array([found.N_opt.bias, found.D_opt.bias])
    shift = (log_N(lines + step * bias) - log_N(lines)) / step
    plain = dataclasses.replace(
      found,
      N_opt=dataclasses.replace(found.N_opt, bias=None),
      D_opt=dataclasses.replace(found.D_opt, bias=None),
    )
    narrow, wide = plain.optimum(D=D).N, found.optimum(D=D).N
    self.assertAlmostEqual(
      np.log(wide.low / narrow.low), -max(shift, 0), places=3
    )
    self.assertAlmostEqual(
      np.log(wide.high / narrow.high), -min(shift, 0), places=3
    )

  def test_draws_that_want_no_more_tokens_open_the_interval(self):
    slopes = np.where(np.arange(100) < 10, -0.1, 0.5)
    found = isoflop.IsoflopFit(
      status=Status.OK,
      N_opt=power([0.5, 0.0], np.tile([0.5, 0.0], (100, 1))),
      D_opt=power([0.5, 0.0], np.column_stack([slopes, np.zeros(100)])),
    )
    best = found.optimum(D=1e5)
    self.assertAlmostEqual(best.C.value, 1e10, delta=1)
    self.assertTrue(np.isposinf(best.C.high) and np.isposinf(best.N.high))
    falling = dataclasses.replace(
      found, D_opt=power([-0.5, 0.0], np.tile([0.5, 0.0], (100, 1)))
    )
    best = falling.optimum(D=1e5)
    self.assertTrue(np.isnan(best.C.value) and np.isnan(best.N.value))

  def test_arrays(self):
    found = fitted()
    for name, x in (('C', [1e15, 1e16]), ('D', [1e9, 1e10])):
      both = found.optimum(**{name: np.array(x)})
      for i, one in enumerate(x):
        single = found.optimum(**{name: one})
        for part in ('C', 'N', 'D'):
          self.assertEqual(getattr(both, part).rows()[i], getattr(single, part))

  @parameterized.parameters(
    ({},), ({'C': 1e20, 'D': 1e10},), ({'C': 0.0},), ({'D': [1e9, -1.0]},),
    ({'C': 1e20, 'level': 1.0},),
  )  # fmt: skip
  def test_arguments(self, asked):
    with self.assertRaises(ValueError):
      fitted(draws=20).optimum(**asked)


if __name__ == '__main__':
  absltest.main()
