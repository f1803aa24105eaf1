"""Fits as text and back: nothing but draws loses a digit."""

import json
import pathlib

from absl.testing import absltest
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import codec
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.errors import UserError
from tests.analysis import designs

FEW = Bootstrap(draws=200)
LEVELS = (0.5, 0.95, 0.99)


def fits():
  plan = designs.design()
  L = designs.noisy(designs.LAW, plan, 0.002)
  rng = np.random.default_rng(0)
  yield chinchilla.fit(plan.N, plan.D, L, C=plan.C, bootstrap=FEW)
  yield isoflop.fit(designs.by_budget(plan, L), law=designs.LAW, bootstrap=FEW)
  yield power_law.fit(plan.N, L, draws=200)
  yield envelope.fit(
    simulate.training_curves(designs.LAW, plan, 0.002, rng), bootstrap=FEW
  )
  yield chinchilla.fit(plan.N[:3], plan.D[:3], L[:3], bootstrap=FEW)


class CodecTest(absltest.TestCase):
  def test_every_fit_comes_back(self):
    for fit in fits():
      with self.subTest(f'{type(fit).__name__}, {fit.status}'):
        text = fit.to_json()
        json.loads(text, parse_constant=self.fail)  # strict JSON
        back = codec.loads(text)
        self.assertIs(type(back), type(fit))
        self.assertEqual(
          (back.status, back.message, back.notes, back.diagnostics),
          (fit.status, fit.message, fit.notes, fit.diagnostics),
        )
        for level in LEVELS:
          found = back.conf_int(level)
          for name, one in fit.conf_int(level).items():
            np.testing.assert_array_equal(found[name].value, one.value)
            # Draws are float32, and the widest are far out.
            np.testing.assert_allclose(list(found[name]), list(one), rtol=1e-4)

  def test_again_the_same_text(self):
    for fit in fits():
      text = codec.dumps(codec.loads(fit.to_json()))
      self.assertEqual(text, codec.dumps(codec.loads(text)))

  def test_a_file(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'fit.json'
    fit = next(fits())
    path.write_text(fit.to_json())
    back = codec.load_fit(path)
    self.assertEqual(back.law, fit.law)
    best = back.optimum(C=1e20)
    np.testing.assert_allclose(
      list(best.N), list(fit.optimum(C=1e20).N), rtol=1e-4
    )

  def test_what_is_no_fit_is_refused(self):
    path = pathlib.Path(self.create_tempdir().full_path) / 'fit.json'
    with self.assertRaises(UserError):
      codec.load_fit(path)
    for text in (
      '', '[]', '{}', '{"type": "ChinchillaFit"}',
      '{"schema": 9, "type": "ChinchillaFit", "fit": {}}',
      '{"schema": 2, "type": "os.system", "fit": {}}',
    ):  # fmt: skip
      path.write_text(text)
      with self.assertRaises(UserError, msg=text):
        codec.load_fit(path)

  def test_numbers_that_json_has_not(self):
    for x in (np.nan, np.inf, -np.inf, 1.5, 0.1 + 0.2):
      back = codec.decode(float, json.loads(json.dumps(codec.encode(x))))
      np.testing.assert_equal(back, x)

  def test_a_law_of_arrays(self):
    law = laws.PowerLaw(np.array([1.0, 2.0]), np.array([0.5, np.nan]))
    text = json.dumps(codec.encode(law))
    back = codec.decode(laws.PowerLaw, json.loads(text))
    np.testing.assert_array_equal(back.exponent, law.exponent)


if __name__ == '__main__':
  absltest.main()
