"""The report in a real Chromium: its calculator, its width, light and dark."""

import json
import os
import pathlib
import unittest

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import calculator
from scaling_jax.analysis import markup
from scaling_jax.analysis import report
from scaling_jax.analysis import words
from tests import browser
from tests import studies

PHONE = 390  # CSS pixels
SHARE = 0.03  # of an interval's width: see `calculator`
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
    cls.fits = studies.analyzed().fits
    cls.path, _ = studies.reported()
    cls.folder = cls.path.parent
    cls.browser = cls.enterClassContext(browser.Browser())

  def page(self, name, text):
    """Writes a page of another content."""
    path = pathlib.Path(self.folder) / f'{name}.html'
    path.write_text(text)
    return path

  def silent(self):
    self.assertEqual(self.browser.console, [])

  def calculated(self):
    """What the calculator shows: {name: {value, low, high, text}}."""
    shown = self.browser.run(CALCULATED)
    for found in shown.values():
      for part in ('value', 'low', 'high'):
        text = found.get(part, '')
        found[part] = float(text) if text else None
    return shown

  def type(self, asked, text):
    """Chooses what is asked, types into the field, and reads the results."""
    self.browser.run(
      f'document.querySelector("input[value={asked}]").click();'
      'document.getElementById("amount").focus();'
      'document.getElementById("amount").select();'
    )
    self.browser.send('Input.insertText', text=text)
    return self.calculated()

  def said(self):
    return self.browser.run('document.getElementById("said").innerText')


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
    fits = json.loads(json.dumps(self.fits))
    for law in fits['laws'].values():
      law['status'] = 'not_identified'
    self.browser.open(self.page('nothing', report.page(fits)), '#flops=1e15')
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
    self.law = calculator.data(self.fits)

  def same(self, shown, reading):
    """The page shows what Python reads, to the last digits and in words."""
    for name in NAMES:
      expected = getattr(reading, name)
      for part in ('value', 'low', 'high'):
        found, truth = shown[name][part], expected[part]
        self.assertAlmostEqual(found / truth, 1, delta=1e-12, msg=name)
      if expected['low'] != expected['high']:
        show = words.number if name in ('L', 'tokens_per_param') else (
          markup.flops if name == 'C' else words.amount)  # fmt: skip
        text = ' '.join(shown[name]['text'].split())
        self.assertEqual(text, words.estimate(expected, show=show))

  def test_flops_as_an_analysis_at_those_targets(self):
    at = studies.analyzed_elsewhere()['laws']['parametric']['at']
    truths = {row['C']: row for row in at}
    for C in studies.ELSEWHERE:
      shown = self.type('flops', f'{C:g}')
      for name, truth in (
        ('N', truths[C]['N_opt']), ('D', truths[C]['D_opt']),
        ('L', truths[C]['L']),
      ):  # fmt: skip
        found, width = shown[name], truth['high'] - truth['low']
        self.assertAlmostEqual(found['value'] / truth['value'], 1, delta=1e-4)
        for end in ('low', 'high'):
          self.assertAlmostEqual(found[end], truth[end], delta=SHARE * width)
    self.silent()

  @parameterized.parameters(
    ('flops', 'C', '1e14', 1e14), ('flops', 'C', '1.6E16', 1.6e16),
    ('flops', 'C', '333 T', 3.33e14), ('flops', 'C', '1.6e18', 1.6e18),
    ('tokens', 'D', '50M', 5e7), ('tokens', 'D', '1,000,000,000', 1e9),
    ('tokens', 'D', '2.5e9', 2.5e9), ('tokens', 'D', '.04b', 4e7),
  )  # fmt: skip
  def test_as_python(self, asked, name, text, x):
    reading = calculator.read(self.law, name, x)
    self.same(self.type(asked, text), reading)

  def test_filled_in_before_any_script(self):
    self.same(self.calculated(), calculator.read(self.law, 'C', 1.6e16))
    self.assertEqual(self.said(), calculator.where(self.law, 1.6e16))

  def test_fragment(self):
    for fragment, name, x in (
      ('#flops=3e15', 'C', 3e15), ('#tokens=3B', 'D', 3e9),
    ):  # fmt: skip
      self.browser.open(self.path, fragment)
      self.same(self.calculated(), calculator.read(self.law, name, x))
    self.type('tokens', '2B')
    self.assertEqual(self.browser.run('location.hash'), '#tokens=2B')
    self.browser.run('location.hash = "#flops=5e15"')
    self.browser.run('new Promise((done) => setTimeout(done, 50))')
    shown = self.calculated()
    self.assertEqual(shown['C']['value'], 5e15)
    self.browser.open(self.path, '#flops=<img/src=x>%')
    self.silent()

  def test_how_far_it_reaches(self):
    self.type('flops', '2e14')
    self.assertEqual(self.said(), 'Within the range of the runs.')
    self.type('flops', '1.6e17')
    self.assertIn('100 times the largest budget', self.said())
    self.assertIn('only if the law keeps its shape', self.said())
    for text, C in (('1.6e16', 1.6e16), ('1e14', 1e14), ('5e15', 5e15)):
      self.type('flops', text)
      self.assertEqual(self.said(), calculator.where(self.law, C))
    shown = self.type('flops', '1e30')
    self.assertIn('stated from 10¹⁴ to 1.6 × 10¹⁸ FLOPs', self.said())
    self.assertEqual({x['value'] for x in shown.values()}, {None})
    for text in ('', 'much', '-3', '1e999'):
      shown = self.type('flops', text or ' ')
      self.assertIn('try 1e18', self.said())
      self.assertEqual(shown['N']['text'].strip(), '–')

  @parameterized.parameters('1,5e12', '0,5T', '1,234e12', '1.234,5')
  def test_a_decimal_comma_is_no_thousands(self, text):
    self.assertIsNone(calculator.amount(text))
    self.type('flops', '3e15')
    self.assertEqual(self.browser.run('location.hash'), '#flops=3e15')
    shown = self.type('flops', text)
    self.assertEqual({x['value'] for x in shown.values()}, {None})
    self.assertEqual(self.said(), calculator.complaint(text))
    self.assertEqual(self.browser.run('location.hash'), '')
    self.silent()

  def test_a_choice_keeps_the_place(self):
    before = self.type('flops', '1e16')
    self.browser.run('document.querySelector("input[value=tokens]").click()')
    after = self.calculated()
    for name in NAMES:
      ratio = after[name]['value'] / before[name]['value']
      self.assertAlmostEqual(ratio, 1, delta=1e-3)

  def test_a_lesser_law(self):
    fits = json.loads(json.dumps(self.fits))
    fits['laws']['parametric']['status'] = 'not_identified'
    self.browser.open(self.page('lesser', report.page(fits)))
    shown = self.type('flops', '7e15')
    reading = calculator.read(calculator.data(fits), 'C', 7e15)
    self.assertAlmostEqual(shown['N']['high'] / reading.N['high'], 1)
    self.assertEqual(shown['L']['text'].strip(), '–')
    self.assertTrue(
      self.browser.run('document.querySelector("input[value=tokens]").disabled')
    )
    self.silent()


if __name__ == '__main__':
  absltest.main()
