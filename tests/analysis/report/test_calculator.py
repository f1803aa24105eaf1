"""What the page carries, and what people may type."""

import base64
import json
import pathlib
import shutil
import subprocess
import unittest

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.report import calculator
from tests.analysis import designs
from tests.analysis import gpt_ladder
from tests.analysis import studies
from tests.analysis.report import reports


def decoded(text, width):
  return np.frombuffer(base64.b64decode(text), '<f4').reshape(-1, width)


class DataTest(absltest.TestCase):
  def test_chinchilla_s_draws(self):
    fit = studies.analyzed().analysis.chinchilla
    data = calculator.data(studies.analyzed().analysis)
    self.assertEqual(data['approach'], 'chinchilla')
    law = data['law']
    np.testing.assert_array_equal(law['point'], fit.point)
    np.testing.assert_array_equal(law['center'], fit.center)
    np.testing.assert_array_equal(law['cost'], fit.cost)
    np.testing.assert_array_equal(
      decoded(law['draws'], 5), fit.param_draws.astype('f4')
    )

  def test_power_laws_at_a_center(self):
    analysis = reports.failed(chinchilla='not_identified')
    fit, data = analysis.isoflop, calculator.data(analysis)
    self.assertEqual(data['approach'], 'isoflop')
    law = data['law']
    low, high = data['fitted']
    C = np.exp(law['center'])
    self.assertBetween(C, low, high)
    _, log_N, _, log_D = law['point']
    np.testing.assert_allclose(
      np.exp([log_N, log_D]), [fit.N_opt.law(C), fit.D_opt.law(C)], rtol=1e-12
    )
    draws = np.exp(decoded(law['draws'], 4)[:, 1])
    np.testing.assert_allclose(draws, fit.N_opt.draws(C), rtol=1e-5)
    np.testing.assert_array_equal(law['bias'], [fit.N_opt.bias, fit.D_opt.bias])

  def test_no_law(self):
    analysis = reports.failed(
      chinchilla='not_converged', isoflop='no_minimum',
      envelope='too_few_points',
    )  # fmt: skip
    self.assertIsNone(calculator.data(analysis)['approach'])
    self.assertIsNone(calculator.optimum(analysis))

  def test_first_shown_is_the_first_target(self):
    analysis = studies.analyzed().analysis
    best = calculator.optimum(analysis)
    shown = {one.name: one for one in calculator.results(best, 'nats/token')}
    truth = analysis.chinchilla.optimum(C=10 * designs.BUDGETS[-1])
    for name, x in (
      ('C', truth.C), ('N', truth.N), ('D', truth.D), ('L', truth.loss),
      ('tokens_per_param', truth.tokens_per_param),
    ):  # fmt: skip
      self.assertEqual(dict(shown[name].ends), dict(zip(
        ('value', 'low', 'high'), map(float, x)
      )))  # fmt: skip

  def test_the_analysis_own_level_is_offered(self):
    self.assertEqual(
      calculator.levels(studies.analyzed().analysis), [0.5, 0.8, 0.95, 0.99]
    )


NODE = shutil.which('node')
# What calculator.js touches of a page, and nothing else.
PAGE = """
const fs = require('fs');
const [script, page, asked] = process.argv.slice(2);
const element = () => ({
  dataset: {}, children: [{}, {}], value: '', textContent: '',
  setAttribute() {}, addEventListener() {}, options: [{value: '0.95'}],
});
const known = {law: {textContent: fs.readFileSync(page, 'utf8')}};
globalThis.document = {
  getElementById: (name) => (known[name] ||= element()),
};
known.calculator = {
  ...element(), elements: {asked: Object.assign([], {value: 'flops'})},
};
known.level = {...element(), value: '0.95'};
globalThis.window = {addEventListener() {}};
globalThis.history = {replaceState() {}};
globalThis.location = {hash: asked, pathname: '', search: ''};
globalThis.atob = (text) => Buffer.from(text, 'base64').toString('binary');
eval(fs.readFileSync(script, 'utf8'));
const found = {message: known.message.textContent};
for (const name of ['C', 'N', 'D', 'L']) {
  found[name] = known[`calculated-${name}`].dataset;
}
console.log(JSON.stringify(found));
"""


@unittest.skipUnless(NODE, 'no node is on the path')
class ScriptTest(parameterized.TestCase):
  """calculator.js in Node, its page being a stub."""

  def calculated(self, analysis, asked):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / 'law.json').write_text(json.dumps(calculator.data(analysis)))
    (folder / 'page.js').write_text(PAGE)
    script = pathlib.Path(calculator.__file__).with_suffix('.js')
    done = subprocess.run(
      [NODE, folder / 'page.js', script, folder / 'law.json', asked],
      capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)

  def same(self, found, best):
    for name, x in (
      ('C', best.C), ('N', best.N), ('D', best.D), ('L', best.loss)
    ):  # fmt: skip
      np.testing.assert_allclose(
        [float(found[name][end]) for end in ('value', 'low', 'high')],
        list(x),
        rtol=2e-5,  # the page's draws have seven digits
        err_msg=name,
      )

  @parameterized.parameters(
    ('#flops=2e16', {'C': 2e16}), ('#flops=8e17', {'C': 8e17}),
    ('#flops=8e20', {'C': 8e20}), ('#tokens=200M', {'D': 2e8}),
    ('#tokens=9B', {'D': 9e9}),
  )  # fmt: skip
  def test_a_curved_cost_as_python(self, asked, given):
    analysis = gpt_ladder.analyzed()
    self.assertEqual(analysis.chinchilla.cost_fit.form, 'curve')
    self.assertEqual(analysis.headline, 'chinchilla')
    self.same(
      self.calculated(analysis, asked), analysis.chinchilla.optimum(**given)
    )

  @parameterized.parameters(
    ('#flops=3e15', {'C': 3e15}), ('#tokens=3B', {'D': 3e9})
  )
  def test_6ND_as_python(self, asked, given):
    analysis = studies.analyzed().analysis
    self.same(
      self.calculated(analysis, asked), analysis.chinchilla.optimum(**given)
    )

  @parameterized.parameters(2e16, 8e17)
  def test_says_where_the_cost_is_extrapolated(self, C):
    analysis = gpt_ladder.analyzed()
    found = self.calculated(analysis, f'#flops={C}')
    text = calculator.where(
      analysis.fitted_range('chinchilla'),
      C,
      float(analysis.chinchilla.optimum(C=C).N.value),
      analysis.chinchilla.cost_fit,
    )
    self.assertEqual(found['message'], text)
    self.assertEqual('The cost of a model' in text, C == 8e17)


class WhereTest(parameterized.TestCase):
  def test_within_and_beyond(self):
    fitted = studies.analyzed().analysis.fitted_range('chinchilla')
    within = calculator.where(fitted, 4e14)
    self.assertEqual(calculator.where(fitted, 1.6e15), within)
    self.assertIn('ten times', calculator.where(fitted, 1.6e16))
    self.assertIn('100,000,000 times', calculator.where(fitted, 1.6e23))
    self.assertIn('2 times', calculator.where(fitted, 5e13))


class AmountTest(parameterized.TestCase):
  @parameterized.parameters(
    ('1e18', 1e18), ('2.5e9', 2.5e9), ('10B', 1e10), ('3T', 3e12),
    (' 1,000,000 ', 1e6), ('1_000', 1e3), ('.5k', 500), ('7 m', 7e6),
    ('1E+3', 1e3), ('2.', 2), ('', None), ('0', None), ('-1', None),
    ('1e999', None), ('abc', None), ('1e', None), ('1 G', None), ('.', None),
    ('1,234.5', 1234.5), ('12,345B', 1.2345e13), ('1,5e12', None),
    ('1,5', None), ('0,125', None), ('1,234e12', None), ('1,00', None),
    ('1234,567', None), ('1.234,5', None), (',5', None), ('1,000,', None),
    ('1..2', None), ('<b>', None), ('nan', None), ('Infinity', None),
  )  # fmt: skip
  def test_what_people_type(self, text, expected):
    self.assertEqual(calculator.amount(text), expected)

  def test_a_comma_has_a_complaint_of_its_own(self):
    self.assertEqual(calculator.complaint('1,5'), calculator.complaint('0,1'))
    self.assertNotEqual(calculator.complaint('1,5'), calculator.complaint('x'))


if __name__ == '__main__':
  absltest.main()
