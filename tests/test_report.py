"""The report as HTML: whole, self-contained, escaped, and never a bare number."""

import copy
import html.parser
import itertools
import json
import re

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import calculator
from scaling_jax.analysis import headline
from scaling_jax.analysis import markup
from scaling_jax.analysis import report
from scaling_jax.analysis import summary
from scaling_jax.analysis import words
from tests import studies

# Elements that HTML closes itself.
VOID = {'meta', 'input', 'br', 'link', 'img', 'hr'}


class Page(html.parser.HTMLParser):
  """A page's elements; fails on one that is not closed where it should be."""

  def __init__(self, text):
    super().__init__()
    self.elements: list[tuple[str, dict]] = []
    self.open: list[str] = []
    self.shown: list[str] = []
    self.feed(text)
    self.close()
    assert not self.open, self.open

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    assert self.open and self.open[-1] == tag, (tag, self.open[-5:])
    self.open.pop()

  def handle_data(self, data):
    if not {'script', 'style'} & set(self.open):
      self.shown.append(data)

  @property
  def text(self):
    return ' '.join(' '.join(self.shown).split())

  def all(self, tag):
    return [attrs for name, attrs in self.elements if name == tag]


def changed(**changes):
  """The fits of the simulated study, with laws of another status."""
  fits = copy.deepcopy(studies.analyzed().fits)
  for name, status in changes.items():
    fits['laws'][name]['status'] = status
    fits['laws'][name]['sentence'] = f'{name} was made {status}'
  return fits


NOTHING = {
  'parametric': 'not_converged',
  'isoflop': 'minimum_at_edge',
  'envelope': 'not_identified',
}


def inside(text, name):
  """The HTML within a section."""
  start = text.index('>', text.index(f' id="{name}"')) + 1
  return text[start : text.index('</section>', start)]


def read(text, name):
  """What a person reads in a section."""
  return Page(inside(text, name)).text


class WholeTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.fits = studies.analyzed().fits
    cls.path, cls.alts = studies.reported()
    cls.text = cls.path.read_text()
    cls.page = Page(cls.text)

  def test_nothing_is_fetched(self):
    self.assertEqual(self.path.name, 'index.html')
    for _, attributes in self.page.elements:
      for name in ('src', 'href', 'xlink:href', 'action', 'data', 'srcset'):
        if name in attributes:
          self.assertRegex(attributes[name], r'^(#|data:image/png;base64,)')
    self.assertEmpty(self.page.all('link'))
    self.assertNotRegex(self.text, r'url\((?!#)|@import')
    self.assertNotRegex(
      self.text.replace('http://www.w3.org/', ''), r'https?:|//cdn'
    )
    (policy,) = (
      m['content'] for m in self.page.all('meta') if 'http-equiv' in m
    )
    self.assertStartsWith(policy, "default-src 'none'")

  def test_ids_are_unique_and_references_meet_them(self):
    ids = [a['id'] for _, a in self.page.elements if 'id' in a]
    self.assertEqual(sorted(set(ids)), sorted(ids))
    named = re.findall(
      r'(?:href="#|url\(#|aria-labelledby="|aria-describedby="|for=")([^")]+)',
      self.text,
    )
    self.assertGreater(len(named), 100)
    self.assertContainsSubset(set(named), set(ids))

  def test_every_figure_has_its_alt_text(self):
    pictures = self.page.all('svg')
    self.assertLen(pictures, len(self.alts))
    self.assertEqual(
      {a['aria-label'] for a in pictures}, set(self.alts.values())
    )
    for attributes in pictures:
      self.assertEqual(attributes['role'], 'img')

  def test_headings_tables_and_fields_are_named(self):
    levels = [int(tag[1]) for tag, _ in self.page.elements
              if re.fullmatch('h[1-6]', tag)]  # fmt: skip
    self.assertEqual(levels.count(1), 1)
    for one, other in itertools.pairwise(levels):
      self.assertLessEqual(other, one + 1)
    self.assertLen(self.page.all('caption'), len(self.page.all('table')))
    for attributes in self.page.all('th'):
      self.assertIn(attributes['scope'], ('col', 'row'))
    self.assertEqual(self.page.all('html')[0]['lang'], 'en')

  def test_the_headline_is_the_parametric_law(self):
    at = self.fits['laws']['parametric']['at']
    (row,) = (r for r in at if r['C'] == 10 * studies.BUDGETS[-1])
    answer = Page(
      re.search(r'<p class="answer">.*?</p>', self.text, re.S)[0]
    ).text
    self.assertIn('ten times the largest budget', answer)
    self.assertIn('1.6 × 10¹⁶ FLOPs', answer)
    for name, show in (
      ('N_opt', words.short), ('D_opt', words.short),
      ('L', words.number),
    ):  # fmt: skip
      shown = words.estimate(row[name], show=show)
      self.assertIn(shown, answer)
    self.assertIn('95 % intervals', self.page.text)

  def test_every_table_is_there(self):
    for table in summary.tables(self.fits):
      with self.subTest(table.name):
        part = self.text[self.text.index(f'id="table-{table.name}"') :]
        rows = part[: part.index('</table>')].count('<tr>')
        self.assertEqual(rows, len(table.rows) + 1)

  def test_the_floor_beside_the_entropy(self):
    E = words.estimate(self.fits['laws']['parametric']['E'])
    trust = read(self.text, 'trust')
    self.assertIn(E, trust)
    self.assertIn(f'{studies.LAW.E:.6f} nats/token', trust)
    self.assertIn('holds the known entropy', trust)
    self.assertIn('losses at 1.6e+15 FLOPs lie in the intervals', trust)

  def test_how_the_runs_were_made(self):
    made = read(self.text, 'made')
    for said in (
      'cpu x 1', 'abc1234', 'simulated', 'Seeds 0, 1', 'train.warmup_steps 20',
      'Vocabulary 66', '1e+14 (10), 4e+14 (10), 1.6e+15 (10)',
    ):  # fmt: skip
      self.assertIn(said, made)

  def test_laws_with_status_and_certificate(self):
    laws = read(self.text, 'laws')
    law = self.fits['laws']['parametric']
    self.assertIn(f'{law["n_agree"]} of {law["n_starts"]}', laws)
    self.assertIn(f'{law["objective"]:.9g}', laws)
    for name in words.TITLES:
      said = self.fits['laws'][name]['sentence']
      self.assertIn(headline.sentence(said), laws)

  def test_the_same_fits_give_the_same_bytes(self):
    again = report.write(self.fits, self.path.parent, self.alts)
    self.assertEqual(again.read_text(), self.text)

  def test_size(self):
    self.assertLess(len(self.text), 1_000_000)


class StatusTest(parameterized.TestCase):
  def test_no_law_is_said_with_its_reason_and_its_remedy(self):
    text = report.page(changed(**NOTHING))
    page = Page(text)
    answer = read(text, 'answer')
    self.assertIn('do not say yet', answer)
    for name, status in NOTHING.items():
      self.assertIn(f'{status} ', answer)
      self.assertIn(
        headline.sentence(f'{name} was made {status}'), answer
      )  # fmt: skip
      self.assertIn(headline.ADVICE[status], answer)
    self.assertNotRegex(answer, r'\d \[')
    self.assertEmpty(page.all('form'))
    calculator = read(text, 'calculate')
    self.assertIn('not_converged Parametric was made', calculator)
    self.assertNotRegex(calculator.replace('Approach 3', ''), r'\d')

  def test_a_lesser_law_speaks_and_says_so(self):
    text = report.page(changed(parametric='not_identified'))
    answer = read(text, 'answer')
    self.assertIn('By approach 2, isoFLOP', answer)
    self.assertNotIn('to reach a loss', answer)
    self.assertIn('not_identified', answer)
    trust = read(text, 'trust')
    self.assertIn('no fitted E', trust)

  def test_a_law_speaks_of_the_budgets_that_it_used(self):
    fits = changed(parametric='not_identified')
    budgets = fits['laws']['isoflop']['budgets']
    budgets[-1]['status'] = 'not_identified'
    text = report.page(fits)
    answer = read(text, 'answer')
    # 1.6e16 FLOPs, and the second of three budgets is 4e14.
    self.assertIn(
      '40 times the largest budget that the law goes through, train', answer
    )
    self.assertIn(
      'through 2 budgets, the largest 4 × 10¹⁴ FLOPs, 40 times smaller', answer
    )
    self.assertIn('a line through two points cannot test itself', answer)
    self.assertIn('40 times the largest', read(text, 'calculate'))
    law = calculator.data(fits)
    self.assertIn('goes through', calculator.where(law, 4e14))
    self.assertStartsWith(
      calculator.where(law, 1.6e15), 'Extrapolated, 4 times'
    )
    for used in ('ok', 'no_degrees_of_freedom'):
      budgets[-1]['status'] = used
      answer = read(report.page(fits), 'answer')
      self.assertIn('ten times the largest budget of the runs', answer)
      self.assertIn('through 3 budgets', answer)
      self.assertNotIn('cannot test itself', answer)

  @parameterized.parameters(
    (0.5, 'lies above the known'), (9.0, 'lies below the known')
  )
  def test_a_floor_that_is_not_the_entropy(self, entropy, said):
    fits = changed()
    fits['made']['corpus']['floor_nats_per_token'] = entropy
    self.assertIn(said, headline.floor(fits).verdict)

  @parameterized.parameters(None, 'much', 0, -1)
  def test_an_entropy_that_is_not_known(self, entropy):
    fits = changed()
    fits['made']['corpus']['floor_nats_per_token'] = entropy
    self.assertEqual(headline.floor(fits).known, 'not known')

  def test_several_targets(self):
    fits = studies.analyzed_elsewhere()
    found = headline.answers(fits)
    self.assertEqual([a.C for a in found], list(studies.ELSEWHERE))
    first, last = (headline.in_words(found[i], fits) for i in (0, -1))
    self.assertStartsWith(first, 'With 1.3 × 10¹⁴ FLOPs train')
    self.assertIn('940 times the largest budget', last)

  def test_a_table_of_another_project(self):
    plan = studies.design(models=3, budgets=[1e14])
    points = studies.as_points(plan, studies.LAW.loss(plan.N, plan.D))
    fits = studies.analyze(studies.as_source(points))
    page = Page(report.page(fits))
    self.assertIn('no whole run folder was given', page.text)
    self.assertIn('not known', page.text)


class EscapeTest(absltest.TestCase):
  EVIL = 'a<script>alert(1)</script>&|"\''

  def test_names_from_the_data(self):
    fits = changed()
    for run in fits['runs']:
      run['run_id'] = run['model'] = self.EVIL
    fits['source']['left_out'] = [{'run_id': self.EVIL, 'reason': '<b>x'}]
    fits['source']['files'] = [f'/x/{self.EVIL}']
    fits['source']['unit'] = '</script><i>'
    fits['made']['datasets'] = [self.EVIL]
    fits['made']['common'] = {self.EVIL: self.EVIL}
    fits['laws']['isoflop']['sentence'] = self.EVIL
    page = Page(report.page(fits, {'isoflop': (SVG, self.EVIL)}))
    self.assertLen(page.all('script'), 2)
    for tag in ('b', 'i'):
      self.assertEmpty(page.all(tag))
    self.assertIn(self.EVIL, page.text)
    self.assertIn('1 run is not in these laws', page.text)
    (picture,) = page.all('svg')
    self.assertEqual(picture['aria-label'], self.EVIL)

  def test_many_left_out_are_behind_a_line(self):
    fits = changed()
    fits['source']['left_out'] = [
      {'run_id': f'run{i}', 'reason': 'it is unfinished'} for i in range(9)
    ]
    text = inside(report.page(fits), 'answer')
    self.assertIn('9 runs are not in these laws', text)
    self.assertIn('<details>', text)


SVG = """<?xml version="1.0"?>
<svg xmlns:xlink="x" width="4pt" height="2pt" viewBox="0 0 432 288">
 <title>t</title>
 <metadata>http://m</metadata>
 <defs>
  <style type="text/css">*{stroke-linejoin: round}</style>
  <path id="m1" d="M 0.123456 -1.500000
L 10.000001 100
z
" transform="scale(0.015625)"/>
 </defs>
 <g clip-path="url(#p1)"><use xlink:href="#m1" x="1.239" y="2"/></g>
</svg>
"""


class FigureTest(absltest.TestCase):
  def test_inline(self):
    found = markup.inline_svg(SVG, 'one', 'Seen & read')
    self.assertStartsWith(
      found,
      '<svg viewBox="0 0 432 288" role="img" aria-label="Seen &amp; read"',
    )
    self.assertIn('<path id="one-m1" d="M 0.12 -1.5 L 10 100 z"', found)
    self.assertIn('transform="scale(0.015625)"', found)
    self.assertIn('url(#one-p1)', found)
    self.assertIn('<use href="#one-m1" x="1.24" y="2"/>', found)
    for gone in ('<style', 'metadata', '<title', 'xmlns', 'pt"'):
      self.assertNotIn(gone, found)

  def test_drawn_to_a_hundredth_of_a_point(self):
    path, alts = studies.reported()
    sizes = []
    for name, alt in alts.items():
      svg = (path.parent / f'{name}.svg').read_text()
      inline = markup.inline_svg(svg, name, alt)
      ids = [a['id'] for _, a in Page(inline).elements if 'id' in a]
      self.assertEqual(sorted(set(ids)), sorted(ids))
      sizes.append((len(svg), len(inline)))
      points = [
        re.findall(r'-?\d+\.?\d*', path)
        for text in (svg, inline)
        for path in [' '.join(re.findall(r'\bd="([^"]*)"', text))]
      ]
      self.assertLen(points[0], len(points[1]))
      for was, now in zip(*points):
        self.assertAlmostEqual(float(was), float(now), delta=0.0051)
    before, after = map(sum, zip(*sizes))
    self.assertLess(after, 0.8 * before)


class NumberTest(parameterized.TestCase):
  @parameterized.parameters(
    (1.28e14, '1.28 × 10¹⁴'), (1e20, '10²⁰'), (6e13, '6 × 10¹³'),
    (9.999e17, '10¹⁸'), (1.0, '10⁰'),
  )  # fmt: skip
  def test_flops(self, C, expected):
    self.assertEqual(markup.flops(C), expected)

  def test_data_of_the_calculator_is_json(self):
    text = report.page(changed())
    found = re.search(r'id="law">(.*?)</script>', text, re.S)[1]
    self.assertEqual(json.loads(found)['law'], 'parametric')


if __name__ == '__main__':
  absltest.main()
