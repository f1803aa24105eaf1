"""What the figures draw, against the laws and the numbers they are drawn from.

Every example is simulated: the law is known, and so is what a figure shows.
"""

import copy
import itertools
import os
import struct
from xml.etree import ElementTree

from absl.testing import absltest
from absl.testing import parameterized
import matplotlib
from matplotlib import colors
from matplotlib.figure import Figure
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import drawing
from scaling_jax.analysis import figures
from scaling_jax.analysis import kaplan_figures
from scaling_jax.analysis import words
from tests.simulated_fits import KINDS
from tests.simulated_fits import LAW
from tests.simulated_fits import est
from tests.simulated_fits import fail
from tests.simulated_fits import simulate

SECRET = 0.987654
AXES_FIGURES = {
  **{name: draw for name, (draw, _) in figures.FIGURES.items()},
  'optimal': figures.optimal,
}


def axes():
  return Figure((6, 4), 150, layout='constrained').subplots()


def drawn(ax, gid):
  """The artists of this gid."""
  return [a for a in ax.findobj() if a.get_gid() == gid]


def data(ax, gid):
  """[2, K] of the one line of this gid."""
  (line,) = drawn(ax, gid)
  return np.array(line.get_data(), float)


def texts(ax):
  return ' '.join(t.get_text() for t in ax.findobj(match=_has_text))


def _has_text(artist):
  return hasattr(artist, 'get_text')


class Case(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.fits = simulate(**KINDS['homework'])
    self.laws = self.fits['laws']
    self.ax = axes()

  def assert_interval(self, gid, estimate, along):
    """The marker sits on the value, the whisker ends at low and high."""
    k = 'xy'.index(along)
    self.assertEqual(data(self.ax, gid)[k], estimate['value'])
    ends = data(self.ax, f'{gid}-interval')[k]
    np.testing.assert_array_equal(ends, [estimate['low'], estimate['high']])


class IsoflopTest(Case):
  def test_draws_the_runs_parabola_and_minimum(self):
    fits = simulate(**KINDS['homework'], seeds=3)
    alt = figures.isoflop(self.ax, fits)
    for i, budget in enumerate(fits['laws']['isoflop']['budgets']):
      own = [r for r in fits['runs'] if r['budget'] == i]
      points = [[r['N'] for r in own], [r['loss'] for r in own]]
      np.testing.assert_array_equal(
        data(self.ax, f'budget-{i}-runs'), points
      )  # every seed
      # Three points on a parabola give it back.
      N, L = data(self.ax, f'budget-{i}-parabola')
      again = np.polyfit(np.log(N), L, 2)
      turn = -again[1] / 2 / again[0]
      self.assertAlmostEqual(np.log(budget['N_opt']['value']), turn, places=6)
      np.testing.assert_allclose(N[[0, -1]], [min(points[0]), max(points[0])])
      self.assertLess(data(self.ax, f'budget-{i}-parabola-below')[0][0], N[0])
      self.assert_interval(f'budget-{i}-minimum', budget['N_opt'], 'x')
      self.assertIn(words.short(budget['N_opt']['value']), alt)
    self.assertEqual(self.ax.get_xlabel(), 'N, parameters')
    self.assertEqual(self.ax.get_ylabel(), 'L, nats/token')

  def test_a_failed_budget_shows_points_and_its_sentence(self):
    budget = self.laws['isoflop']['budgets'][1]
    fail(budget, 'No minimum was bracketed.')
    alt = figures.isoflop(self.ax, self.fits)
    self.assertLen(drawn(self.ax, 'budget-1-runs'), 1)
    self.assertEmpty(drawn(self.ax, 'budget-1-parabola'))
    self.assertEmpty(drawn(self.ax, 'budget-1-minimum'))
    self.assertIn('C = 3e14: No minimum was bracketed.', texts(self.ax))
    self.assertNotIn(words.short(budget['N_opt']['value']), alt)

  def test_no_interval_is_an_open_marker(self):
    budget = self.laws['isoflop']['budgets'][0]
    budget['N_opt'] = est(budget['N_opt']['value'])
    figures.isoflop(self.ax, self.fits)
    self.assertEmpty(drawn(self.ax, 'budget-0-minimum-interval'))
    for i, is_open in ((0, True), (1, False)):
      (mark,) = drawn(self.ax, f'budget-{i}-minimum')
      white = colors.same_color(mark.get_markerfacecolor(), 'white')
      self.assertEqual(white, is_open)

  def test_an_outlier_does_not_flatten_the_others(self):
    self.fits['runs'][0]['loss'] = 50.0
    figures.isoflop(self.ax, self.fits)
    self.assertLess(self.ax.get_ylim()[1], 10)
    self.assertIn('Above the figure: 1 of 12 runs, up to 50.', texts(self.ax))


class LawTest(Case):
  def test_contours_lie_on_the_law(self):
    alt = figures.contours(self.ax, self.fits)
    (surface,) = [a for a in self.ax.collections if hasattr(a, 'levels')]
    for level, path in zip(surface.levels, surface.get_paths()):
      D, N = path.vertices.T
      np.testing.assert_allclose(LAW.loss(N, D), level, rtol=1e-3)
    D, N = data(self.ax, 'frontier')
    # Along the frontier no exchange of N for D at the same C helps.
    for shift in (0.9, 1.1):
      np.testing.assert_array_less(
        LAW.loss(N, D), LAW.loss(N * shift, D / shift)
      )
    (runs,) = drawn(self.ax, 'runs')
    at = [(r['D'], r['N']) for r in self.fits['runs']]
    np.testing.assert_array_equal(runs.get_offsets(), at)
    self.assertIn('alpha = 0.300 [0.270, 0.330]', alt)

  def test_contours_of_a_failed_law_are_the_runs(self):
    fail(self.laws['parametric'])
    self.assertNotIn('0.3', figures.contours(self.ax, self.fits))
    self.assertLen(self.ax.collections, 1)
    self.assertIn('Too few points', texts(self.ax))

  def test_residuals(self):
    self.laws['parametric']['predicted'][0] = None
    figures.residuals(self.ax, self.fits)
    for i in range(3):
      own = [r for r in self.fits['runs'][1:] if r['budget'] == i]
      x, y = data(self.ax, f'residuals-{i}')
      np.testing.assert_allclose(x * np.exp(y / 100), [r['loss'] for r in own])
    (band,) = drawn(self.ax, 'noise')
    self.assertAlmostEqual(band.get_y(), -0.2)
    self.assertAlmostEqual(band.get_height(), 0.4)

  def test_residuals_far_off_are_arrows(self):
    self.laws['parametric']['residuals'][2] = 0.9
    self.assertIn('90 % off', figures.residuals(self.ax, self.fits))
    self.assertLess(self.ax.get_ylim()[1], 10)
    self.assertLen(drawn(self.ax, 'beyond-run2'), 1)

  def test_predicted(self):
    alt = figures.predicted(self.ax, self.fits)
    self.assertIn('of 4 runs held out at C = 6e14, 1 lie inside', alt)
    runs = self.fits['hold_out']['runs']
    self.ax.child_axes[0].remove()  # repeats what it magnifies
    for run in runs:
      self.assert_interval(f'held-out-{run["run_id"]}', run['predicted'], 'y')
    marks = [drawn(self.ax, f'held-out-{r["run_id"]}')[0] for r in runs]
    self.assertLen({m.get_marker() for m in marks}, 2)

  def test_four_panels_of_a_law(self):
    four = Figure().subplots(2, 2).ravel()
    alt = figures.law_panels(four, laws.HOFFMANN, 'Hoffmann et al.')
    for i, D in enumerate((1e9, 1e10, 1e11, 1e12, 1e13)):
      N, L = data(four[0], f'D-{i}')
      expected = 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28
      np.testing.assert_allclose(L, expected)
      np.testing.assert_array_equal(data(four[0], 'floor')[1], 1.69)
    C, N = data(four[2], 'frontier')
    np.testing.assert_allclose(
      np.diff(np.log(N)) / np.diff(np.log(C)), 0.28 / 0.62
    )
    spots = {m: data(four[2], m)[:, 0] for m in ('GPT-3', 'Chinchilla')}
    np.testing.assert_allclose(spots['GPT-3'], (3.15e23, 175e9))
    np.testing.assert_allclose(spots['Chinchilla'], (5.88e23, 70e9))
    self.assertIn('LLaMA-65B', texts(four[2]))
    self.assertIn('Hoffmann et al.', alt)
    self.assertEqual([ax.get_xlabel()[0] for ax in four], ['N', 'D', 'C', 'C'])


class RunsTest(Case):
  def test_envelope(self):
    alt = figures.envelope(self.ax, self.fits)
    part = self.laws['envelope']
    for c in part['curves']:
      np.testing.assert_array_equal(
        data(self.ax, f'curve-{c["run_id"]}'), [c['C'], c['L']]
      )
    C, L = data(self.ax, 'envelope')
    np.testing.assert_allclose(LAW.optimum(C).L, L)
    self.assertIn('envelope falls', alt)

  def test_an_envelope_is_cut_where_shorter_runs_end(self):
    part = self.laws['envelope']
    C = [1e12, 2e12, 3e12, 4e12, 5e12, 6e12]
    L = [5.0, 4.0, 4.5, 4.2, 4.3, 4.1]
    part['points'] = [
      {'C': x, 'L': y, 'N': 1.0, 'D': 1.0} for x, y in zip(C, L)
    ]
    # One curve ends between the second and the third; the rise between the
    # fourth and the fifth is no end of any.
    part['curves'] = [
      {'run_id': str(i), 'N': i + 1.0, 'C': [1e11, end], 'L': [9.0, 4.0]}
      for i, end in enumerate((2.5e12, 3.5e12, 6e12))
    ]
    alt = figures.envelope(self.ax, self.fits)
    pieces = [line.get_xdata() for line in drawn(self.ax, 'envelope')]
    self.assertLen(pieces, 2)
    np.testing.assert_array_equal(pieces[0], C[:2])
    np.testing.assert_array_equal(pieces[1], C[2:])
    self.assertIn('steps up where shorter runs, annealed by then, end', alt)

  def test_no_depth_to_compare(self):
    fits = simulate(**KINDS['nanochat'])
    for run in fits['runs']:
      run['depth'] = 1
    self.assertEqual(figures.bpb_against_depth(self.ax, fits), '')

  def test_bits_per_byte(self):
    fits = simulate(**KINDS['nanochat'], seeds=2)
    figures.bpb_against_depth(self.ax, fits)
    own = [r for r in fits['runs'] if r['budget'] == 1]
    self.assertLen(data(self.ax, 'budget-1-runs')[0], len(own))
    depth, mean = data(self.ax, 'budget-1-means')
    np.testing.assert_array_equal(depth, np.arange(2, 9))
    pairs = np.reshape([r['bpb'] for r in own], (7, 2))
    np.testing.assert_allclose(mean, pairs.mean(axis=1))
    self.assertEqual(self.ax.get_ylabel(), 'L, bits/byte')
    other = axes()
    figures.bpb_against_tokens_per_param(other, fits)
    np.testing.assert_array_equal(data(other, '20')[0], 20)
    np.testing.assert_allclose(
      sorted(data(other, 'budget-0-runs')[0]),
      sorted(r['D'] / r['N'] for r in fits['runs'] if r['budget'] == 0),
    )

  def test_loss_curves(self):
    failed, kept = self.fits['curves'][:2]
    fail(failed, 'The floor was not found.')
    figures.loss_curves(self.ax, self.fits)
    self.assertLen(drawn(self.ax, f'curve-{failed["run_id"]}'), 1)
    self.assertEmpty(drawn(self.ax, f'law-{failed["run_id"]}'))
    law = data(self.ax, f'law-{kept["run_id"]}')
    np.testing.assert_array_equal(law[1], kept['fitted'])
    self.assertIn('1 of 12 curves carry no such law', texts(self.ax))

  def test_exponents(self):
    alt = figures.exponents(self.ax, self.fits)
    rows = self.fits['conventions']
    for y, row in enumerate(rows):
      self.assert_interval(f'isoflop-{y}', row['isoflop'], 'x')
      self.assertEmpty(drawn(self.ax, f'parametric-{y}-interval'))
    self.assertIn('isoFLOP 0.500 [0.450, 0.550], parametric 0.52', alt)


class EveryFigureTest(Case):
  @parameterized.parameters(*AXES_FIGURES)
  def test_nothing_to_draw(self, name):
    empty: tuple[drawing.Fits, ...] = ({}, {'runs': [], 'laws': {}})
    for fits in empty:
      self.assertEqual(AXES_FIGURES[name](self.ax, fits), '')
    self.assertEmpty(self.ax.lines)

  @parameterized.parameters(*AXES_FIGURES)
  def test_what_failed_never_shows_its_number(self, name):
    def spoil(part):
      for key, item in part.items():
        if isinstance(item, dict) and 'value' in item and key != 'noise':
          part[key] = dict.fromkeys(item, SECRET)
        elif isinstance(item, dict):
          spoil(item)

    parts = [*self.laws.values(), *self.laws['isoflop']['budgets']]
    parts += [*self.fits['curves'], self.fits['hold_out']]
    for part in parts:
      spoil(part)
      fail(part)
    self.fits['conventions'] = []
    for run in self.fits['runs']:
      run['bpb'] = run['loss'] / 3
    alt = AXES_FIGURES[name](self.ax, self.fits)
    shown = f'{alt} {texts(self.ax)}'
    for digits in ('0.98', '0.99'):
      self.assertNotIn(digits, shown)
    for line in self.ax.lines:
      self.assertFalse(np.any(np.isclose(line.get_xydata(), SECRET)))

  @parameterized.product(kind=[*KINDS], name=[*figures.FIGURES])
  def test_labels_do_not_overlap(self, kind, name):
    draw, size = figures.FIGURES[name]
    fits = simulate(**KINDS[kind])
    for budget in fits['laws']['isoflop']['budgets'][::2]:
      fail(budget, 'A sentence that is long enough to need two lines at least.')
    with matplotlib.rc_context(drawing.STYLE):
      figure = Figure(size, 150, layout='constrained')
      ax = figure.subplots()
      if not draw(ax, fits):
        return
      figure.draw_without_rendering()
    for axis in (ax.xaxis, ax.yaxis):
      boxes = tick_boxes(axis)
      self.assertGreaterEqual(len(boxes), 2)
      self.assert_apart(boxes)
    own = [ax.xaxis.label, *drawn(ax, 'note')]
    if ax.get_ylabel():
      own.append(ax.yaxis.label)
    if ax.get_legend():
      own.append(ax.get_legend())
    boxes = [artist.get_window_extent() for artist in own]
    self.assert_apart(boxes)
    for box in boxes:
      self.assertGreaterEqual(box.x0, figure.bbox.x0 - 1)
      self.assertLessEqual(box.x1, figure.bbox.x1 + 1)

  def assert_apart(self, boxes):
    for one, other in itertools.combinations(boxes, 2):
      self.assertFalse(one.overlaps(other))


def tick_boxes(axis):
  low, high = sorted(axis.get_view_interval())
  return [
    tick.label1.get_window_extent()
    for tick in axis.get_major_ticks()
    if low <= tick.get_loc() <= high and tick.label1.get_text()
  ]


class DrawAllTest(Case):
  def test_writes_what_has_data(self):
    folder = self.create_tempdir().full_path
    before = copy.deepcopy(self.fits)
    alts = figures.draw_all(self.fits, folder)
    self.assertEqual(self.fits, before)
    missing = {'bpb_against_depth', 'bpb_against_tokens_per_param'}
    missing |= {*kaplan_figures.FIGURES}  # these fits know nothing of Kaplan
    self.assertEqual({*figures.FIGURES, 'law_panels'} - missing, {*alts})
    files = {f'{name}.{kind}' for name in alts for kind in ('svg', 'png')}
    self.assertEqual({*os.listdir(folder)}, files)
    for name, alt in alts.items():
      self.assertEndsWith(alt, '.')
      with open(f'{folder}/{name}.png', 'rb') as f:
        head = f.read(24)
      self.assertStartsWith(head, b'\x89PNG')
      width, _ = struct.unpack('>II', head[16:24])
      if name in ('contours', 'law_panels'):
        self.assertGreater(width, 900)
      else:
        self.assertEqual(width, 900)
      root = ElementTree.parse(f'{folder}/{name}.svg').getroot()
      self.assertEqual(root.tag, '{http://www.w3.org/2000/svg}svg')
      with open(f'{folder}/{name}.svg', encoding='utf-8') as f:
        self.assertIn(alt[:20], f.read())

  def test_the_same_fits_give_the_same_bytes(self):
    few = {'conventions': self.fits['conventions']}
    pages = []
    for _ in range(2):
      folder = f'{self.create_tempdir().full_path}/new'
      self.assertEqual([*figures.draw_all(few, folder)], ['exponents'])
      with open(f'{folder}/exponents.svg', 'rb') as f:
        pages.append(f.read())
    self.assertEqual(*pages)


if __name__ == '__main__':
  absltest.main()
