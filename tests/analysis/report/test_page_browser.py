"""The report in a real Chromium: its calculator, its width, light and dark."""

import dataclasses
import json
import os
import pathlib
import time
import unittest

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.report import calculator
from scaling_jax.analysis.report import page
from tests.analysis import studies
from tests.analysis.report import browser
from tests.analysis.report import reports

PHONE = 390  # CSS pixels
FLOAT32 = 1e-5  # relative: the page's draws have seven digits
NAMES = ('C', 'N', 'D', 'L', 'tokens_per_param')
CALCULATED = """
Object.fromEntries([...document.querySelectorAll('[id^=calculated-]')].map(
  (e) => [e.id.slice(11), {...e.dataset, text: e.innerText}]))
"""
# The text whose contrast against what lies behind it is the least.
CONTRAST = """
(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(color)) return light(color);
    }
    return 1;
  };
  const found = [...document.querySelectorAll('main *')]
    .filter((e) => !e.closest('svg') && [...e.childNodes].some(
      (n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => {
      const a = light(getComputedStyle(e).color), b = behind(e);
      return {
        ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
        what: e.outerHTML.slice(0, 80),
      };
    });
  return found.sort((a, b) => a.ratio - b.ratio)[0];
})()
"""


@unittest.skipUnless(browser.find(), browser.SKIP)
class Case(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.analysis = studies.analyzed().analysis
    cls.path = reports.reported()
    cls.folder = cls.path.parent
    cls.browser = cls.enterClassContext(browser.Browser())

  def page(self, name, text):
    """Writes a page of another content."""
    path = pathlib.Path(self.create_tempdir().full_path) / f'{name}.html'
    path.write_text(text)
    return path

  def silent(self):
    self.assertEqual(self.browser.console, [])

  def calculated(self):
    """What the calculator shows: {name: {value, low, high, text}}."""
    shown = self.browser.run(CALCULATED)
    for found in shown.values():
      for part in ('value', 'low', 'high'):
        text = found.get(part)
        found[part] = float(text) if text else None
    return shown

  def type(self, asked, text, level=None):
    """Chooses what is asked, types into the field, and reads the results."""
    if level is not None:
      self.browser.run(
        f'document.getElementById("level").value = "{level}";'
        'document.getElementById("level").dispatchEvent(new Event("change"));'
      )
    self.browser.run(
      f'document.querySelector("input[value={asked}]").click();'
      'document.getElementById("amount").focus();'
      'document.getElementById("amount").select();'
    )
    self.browser.send('Input.insertText', text=text)
    return self.calculated()

  def message(self):
    return self.browser.run('document.getElementById("message").innerText')

  def same(self, shown, best):
    """The page finds what Python finds, and shows it as Python would."""
    for name, truth in _named(best).items():
      found = shown[name]
      for part in ('value', 'low', 'high'):
        x = getattr(truth, part)
        if not np.isfinite(x):
          self.assertIsNone(found[part], name)
          continue
        within = 1e-10 if part == 'value' else FLOAT32
        self.assertAlmostEqual(found[part] / x, 1, delta=within, msg=name)
    own = Allocation(
      **{k: _interval(shown[k]) for k in 'CND'}, loss=_interval(shown['L'])
    )
    for one in calculator.results(own, 'nats/token'):
      text = ' '.join(shown[one.name]['text'].split())
      self.assertEqual(text, f'{one.value} {one.interval}'.strip())


def _named(best):
  return {
    'C': best.C, 'N': best.N, 'D': best.D, 'L': best.loss,
    'tokens_per_param': best.tokens_per_param,
  }  # fmt: skip


def _interval(found):
  ends = (found[part] for part in ('value', 'low', 'high'))
  return Interval(*(np.nan if x is None else x for x in ends))


class QuietTest(Case):
  def test_errors_and_requests_would_be_seen(self):
    page = self.page(
      'bad',
      '<script>console.error("one"); setTimeout(() => {throw Error("two")})'
      '</script><img src="http://127.0.0.1:9/three.png">',
    )
    self.browser.open(page)
    self.browser.run('new Promise((done) => setTimeout(done, 100))')
    heard = ' '.join(self.browser.console)
    self.assertIn('one', heard)
    self.assertIn('two', heard)
    self.assertIn('http://127.0.0.1:9/three.png', self.browser.requests)

  @parameterized.product(dark=(False, True), width=(1280, PHONE))
  def test_no_error_no_request_no_overflow(self, dark, width):
    self.browser.dark(dark)
    self.browser.open(self.path, width=width)
    self.silent()
    for url in self.browser.requests:
      self.assertRegex(url, '^(file:///.*/index.html$|data:image/png)')
    self.assertEqual(self.browser.run('innerWidth'), width)
    wide = self.browser.run('document.documentElement.scrollWidth')
    self.assertLessEqual(wide, width)
    hidden = self.browser.run(
      '[...document.querySelectorAll("main > * > *")].filter((e) =>'
      ' e.getBoundingClientRect().right > innerWidth + 1).length'
    )
    self.assertEqual(hidden, 0)

  @parameterized.parameters(False, True)
  def test_light_and_dark_are_legible(self, dark):
    self.browser.dark(dark)
    self.browser.open(self.path)
    back = self.browser.run('getComputedStyle(document.body).backgroundColor')
    r, g, b = json.loads(f'[{back[4:-1]}]')
    self.assertEqual(max(r, g, b) < 64, dark)
    least = self.browser.run(CONTRAST)
    self.assertGreaterEqual(least['ratio'], 4.5, least['what'])

  def test_a_page_without_a_law_is_quiet_too(self):
    nothing = reports.failed(
      **dict.fromkeys(('chinchilla', 'isoflop', 'envelope'), 'not_identified')
    )
    self.browser.open(self.page('nothing', page.page(nothing)), '#flops=1e15')
    self.silent()
    self.assertEqual(self.calculated(), {})

  def test_pictures(self):
    # To look at: SCALING_JAX_PICTURES=/tmp/pictures names where to keep them.
    folder = os.environ.get('SCALING_JAX_PICTURES') or self.folder
    for dark in (False, True):
      for width in (1280, PHONE):
        self.browser.dark(dark)
        self.browser.open(self.path, width=width)
        shade = 'dark' if dark else 'light'
        path = pathlib.Path(folder) / f'report_{width}_{shade}.png'
        self.browser.picture(path)
        self.assertGreater(path.stat().st_size, 50_000)


class CalculatorTest(Case):
  def setUp(self):
    super().setUp()
    self.browser.open(self.path)

  @parameterized.product(
    amount=(
      ('flops', 'C', '1e14', 1e14), ('flops', 'C', '1.6E16', 1.6e16),
      ('flops', 'C', '333 T', 3.33e14), ('flops', 'C', '1.6e22', 1.6e22),
      ('tokens', 'D', '50M', 5e7), ('tokens', 'D', '1,000,000,000', 1e9),
      ('tokens', 'D', '2.5e9', 2.5e9), ('tokens', 'D', '.04b', 4e7),
    ),
    level=(0.5, 0.8, 0.95, 0.99),
  )  # fmt: skip
  def test_as_python(self, amount, level):
    asked, name, text, x = amount
    best = self.analysis.chinchilla.optimum(**{name: x}, level=level)
    self.same(self.type(asked, text, level), best)
    self.silent()

  def test_filled_in_before_any_script(self):
    best = self.analysis.chinchilla.optimum(C=1.6e16)
    self.same(self.calculated(), best)
    fitted = self.analysis.fitted_range('chinchilla')
    self.assertEqual(self.message(), calculator.where(fitted, 1.6e16))

  def test_another_level_another_interval(self):
    wide = self.type('flops', '1e16', 0.99)
    narrow = self.type('flops', '1e16', 0.5)
    for name in ('N', 'D', 'L'):
      self.assertLess(wide[name]['low'], narrow[name]['low'])
      self.assertEqual(wide[name]['value'], narrow[name]['value'])
      self.assertGreater(wide[name]['high'], narrow[name]['high'])

  def test_fragment(self):
    fit = self.analysis.chinchilla
    for fragment, best in (
      ('#flops=3e15', fit.optimum(C=3e15)),
      ('#tokens=3B', fit.optimum(D=3e9)),
      ('#tokens=3B&level=0.8', fit.optimum(D=3e9, level=0.8)),
    ):
      self.browser.open(self.path, fragment)
      self.same(self.calculated(), best)
    self.type('tokens', '2B', 0.95)
    self.assertEqual(self.browser.run('location.hash'), '#tokens=2B')
    self.type('tokens', '2B', 0.5)
    self.assertEqual(self.browser.run('location.hash'), '#tokens=2B&level=0.5')
    self.browser.run('location.hash = "#flops=5e15"')
    self.browser.run('new Promise((done) => setTimeout(done, 50))')
    self.same(self.calculated(), fit.optimum(C=5e15))
    self.browser.open(self.path, '#flops=<img/src=x>%')
    self.silent()

  def test_how_far_it_reaches(self):
    fitted = self.analysis.fitted_range('chinchilla')
    for text, C in (
      ('2e14', 2e14), ('1.6e16', 1.6e16), ('1e14', 1e14), ('5e15', 5e15),
      ('1.6e17', 1.6e17), ('3e13', 3e13), ('1.1e30', 1.1e30),
    ):  # fmt: skip
      self.type('flops', text)
      self.assertEqual(self.message(), calculator.where(fitted, C))
    self.silent()

  @parameterized.parameters(
    '1,5e12', '0,5T', '1,234e12', '1.234,5', ' ', 'much', '-3', '1e999'
  )
  def test_what_is_no_amount(self, text):
    self.assertIsNone(calculator.amount(text))
    self.type('flops', '3e15')
    self.assertEqual(self.browser.run('location.hash'), '#flops=3e15')
    shown = self.type('flops', text)
    self.assertEqual({x['value'] for x in shown.values()}, {None})
    self.assertEqual(shown['N']['text'].strip(), '–')
    self.assertEqual(self.message(), calculator.complaint(text))
    # A link copied now must not lead to the amount before.
    self.assertEqual(self.browser.run('location.hash'), '')
    self.silent()

  def test_a_choice_keeps_the_place(self):
    before = self.type('flops', '1e16')
    self.browser.run('document.querySelector("input[value=tokens]").click()')
    after = self.calculated()
    for name in NAMES:
      ratio = after[name]['value'] / before[name]['value']
      self.assertAlmostEqual(ratio, 1, delta=1e-3)

  @parameterized.parameters('isoflop', 'envelope')
  def test_a_lesser_law(self, approach):
    others = {'isoflop': 'no_minimum'} if approach == 'envelope' else {}
    analysis = reports.failed(chinchilla='not_identified', **others)
    self.browser.open(self.page('lesser', page.page(analysis)))
    fit = analysis.approaches[approach]
    for level in (0.8, 0.95):
      shown = self.type('flops', '7e15', level)
      self.same(shown, fit.optimum(C=7e15, level=level))
      shown = self.type('tokens', '2B', level)
      self.same(shown, fit.optimum(D=2e9, level=level))
    self.assertEqual(shown['L']['text'].strip(), '–')
    self.silent()

  def test_thousands_of_draws_are_quick(self):
    analysis = studies.analyzed().analysis
    fit = analysis.chinchilla
    many = np.tile(fit.param_draws, (4000 // len(fit.param_draws), 1))
    more = reports.changed(chinchilla=_with_draws(fit, many))
    self.browser.open(self.page('many', page.page(more)))
    start = time.monotonic()
    for i in range(5):
      self.type('flops', f'{i + 1}e16')
    self.assertLess((time.monotonic() - start) / 5, 0.5)


def _with_draws(fit, draws):
  return dataclasses.replace(fit, param_draws=draws)


if __name__ == '__main__':
  absltest.main()
