"""What the report's figures draw, against the analysis they are drawn from.

The study is simulated: the law is known, and so is what a figure shows.
"""

import dataclasses
import functools
import os
import re
import struct
from xml.etree import ElementTree

from absl.testing import absltest
from absl.testing import parameterized
import matplotlib
from matplotlib.figure import Figure
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.report import figures
from scaling_jax.analysis.report.figures import layout
from scaling_jax.analysis.report.figures import runs as run_figures
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import CountingEffect
from scaling_jax.laws import Chinchilla
from tests import axes_case
from tests.analysis import studies
from tests.analysis.report import reports
from tests.axes_case import AxesCase
from tests.axes_case import data
from tests.axes_case import drawn
from tests.axes_case import texts

SECRET = 0.987654
SMALL = Chinchilla(E=1.0, A=60.0, B=60.0, alpha=0.3, beta=0.33)


def study() -> Analysis:
  return studies.analyzed().analysis


@functools.cache
def crowded() -> Analysis:
  """24 budgets of five models and some runs beside them."""
  rng = np.random.default_rng(0)
  rows = []
  for C in np.geomspace(5e14, 3e17, 24):
    for i, N in enumerate(float(SMALL.optimum(C).N) * np.geomspace(0.25, 4, 5)):
      rows.append((C, N, 2 + i))
  rows += [
    (C, float(SMALL.optimum(C).N), 3) for C in np.geomspace(6e14, 2e17, 9)
  ]
  made = []
  for k, (C, N, depth) in enumerate(rows):
    loss = SMALL.loss(N, C / 6 / N) * np.exp(0.002 * rng.normal())
    made.append(
      records.Run(
        run_id=f'run{k}', C=C, N=N, D=C / 6 / N, val_loss=float(loss),
        val_bpb=float(loss) / 3, n_layer=depth,
      )
    )  # fmt: skip
  runs = table.Runs(runs=tuple(made))
  E, A, B, alpha, beta = SMALL
  point = np.array([np.log(A), np.log(B), np.log(E), alpha, beta])
  fitted = chinchilla.ChinchillaFit(
    status=Status.OK, N=runs.N, D=runs.D, loss=runs.loss, point=point,
    param_draws=point * (1 + 0.01 * rng.normal(size=(200, 5))),
  )  # fmt: skip
  base = study()
  return Analysis(
    runs, base.options, chinchilla=fitted, kaplan=base.kaplan,
    hold_out=base.hold_out, counting=base.counting,
  )  # fmt: skip


def spoiled() -> Analysis:
  """Every approach and every budget not ok, with a number to look for."""
  base = study()
  changes = {'status': Status.NOT_IDENTIFIED, 'message': 'for a reason'}
  budgets = tuple(
    dataclasses.replace(b, **changes) for b in base.isoflop.budgets
  )
  point = np.full(5, np.log(SECRET))
  return reports.changed(
    isoflop=dataclasses.replace(base.isoflop, budgets=budgets, **changes),
    chinchilla=dataclasses.replace(base.chinchilla, point=point, **changes),
    envelope=dataclasses.replace(base.envelope, **changes),
    hold_out=dataclasses.replace(base.hold_out, **changes),
    training_curves=tuple(
      dataclasses.replace(one, **changes) for one in base.training_curves
    ),
    counting=(),
  )


class RunsTest(AxesCase):
  def test_envelope(self):
    alt = run_figures.envelope(self.ax, study())
    fit = study().envelope
    self.assertLen(axes_case.gids(self.ax, 'curve-'), len(fit.curves))
    self.assertIn(formatting.flops(fit.C[0]), alt)
    self.assertIn(formatting.flops(fit.C[-1]), alt)

  def test_no_depth_to_compare(self):
    rows = [run._replace(n_layer=1) for run in study().runs]
    runs = dataclasses.replace(study().runs, runs=tuple(rows))
    analysis = reports.changed(runs=runs, counted=runs)
    self.assertEqual(run_figures.bpb_against_depth(self.ax, analysis), '')

  def test_bits_per_byte(self):
    run_figures.bpb_against_depth(self.ax, study())
    counted = study().counted
    own = np.array(study().grouping.budget_of) == 1
    self.assertLen(data(self.ax, 'budget-1-runs')[0], own.sum())
    depth, mean = data(self.ax, 'budget-1-means')
    bpb, layers = counted.column('val_bpb')[own], counted.column('n_layer')[own]
    np.testing.assert_array_equal(depth, np.unique(layers))
    np.testing.assert_allclose(mean, [bpb[layers == n].mean() for n in depth])
    self.assertEqual(self.ax.get_ylabel(), 'L, bits/byte')
    other = axes_case.axes()
    run_figures.bpb_against_tokens_per_param(other, study())
    np.testing.assert_array_equal(data(other, '20')[0], 20)
    np.testing.assert_allclose(
      data(other, 'budget-1-runs')[0], sorted((counted.D / counted.N)[own])
    )

  def test_loss_curves(self):
    curves = list(study().training_curves)
    curves[0] = dataclasses.replace(
      curves[0], status=Status.NOT_IDENTIFIED, message='no floor'
    )
    alt = run_figures.loss_curves(
      self.ax, reports.changed(training_curves=tuple(curves))
    )
    self.assertLen(axes_case.gids(self.ax, 'curve-'), len(curves))
    n_ok = sum(curve.ok for curve in curves)
    self.assertLen(axes_case.gids(self.ax, 'law-'), n_ok)
    self.assertIn(f'{n_ok} fitted laws', alt)


class EveryFigureTest(AxesCase):
  def axes_of(self, name):
    rows, columns = figures.FIGURES[name].panels
    if rows * columns == 1:
      return self.ax
    return list(Figure().subplots(rows, columns).flat)

  @parameterized.parameters(*figures.FIGURES)
  def test_has_a_title(self, name):
    self.assertIn(name, messages.TITLES)

  @parameterized.parameters(*figures.FIGURES)
  def test_one_run_is_no_study(self, name):
    run = records.Run(run_id='a', C=6e15, N=1e6, D=1e9, val_loss=3.0)
    analysis = studies.analyze(table.Runs(runs=(run,)))
    alt = figures.FIGURES[name].draw(self.axes_of(name), analysis)
    if name not in ('isoflop', 'contours', 'kaplan_L_ND'):  # show points
      self.assertEqual(alt, '')
      self.assertEmpty(self.ax.lines)

  @parameterized.parameters(*figures.FIGURES)
  def test_what_failed_never_shows_its_number(self, name):
    ax = self.axes_of(name)
    alt = figures.FIGURES[name].draw(ax, spoiled())
    if name == 'law_panels':
      self.assertEqual(alt, '')
      return
    shown = f'{alt} {texts(self.ax)}'
    for digits in ('0.987', '0.988', '0.99'):
      self.assertNotIn(digits, shown)
    for gid in ('frontier', 'isoflop-law', 'parametric-law', 'envelope'):
      self.assertEmpty(drawn(self.ax, gid))

  @parameterized.product(
    name=[*figures.FIGURES], make=[study, crowded, spoiled]
  )
  def test_labels_do_not_overlap(self, name, make):
    with matplotlib.rc_context(drawing.STYLE):
      page = Figure()
      if not figures.draw_on(page, figures.FIGURES[name], make()):
        return
      page.draw_without_rendering()
    for ax in page.axes:
      for axis in (ax.xaxis, ax.yaxis):
        boxes = tick_boxes(axis)
        self.assertGreaterEqual(len(boxes), 2)
        self.assert_apart(boxes)
      own = [ax.xaxis.label, *drawn(ax, 'note')]
      own += [ax.yaxis.label] if ax.get_ylabel() else []
      own += [ax.get_legend()] if ax.get_legend() else []
      own += [bar.yaxis.label for bar in ax.child_axes if bar.get_ylabel()]
      boxes = [artist.get_window_extent() for artist in own]
      self.assert_apart(boxes)
      for box in (*boxes, ax.get_tightbbox()):
        self.assertGreaterEqual(box.x0, page.bbox.x0 - 1)
        self.assertLessEqual(box.x1, page.bbox.x1 + 1)
        self.assertGreaterEqual(box.y0, page.bbox.y0 - 1)
        self.assertLessEqual(box.y1, page.bbox.y1 + 1)


def tick_boxes(axis):
  low, high = sorted(axis.get_view_interval())
  return [
    tick.label1.get_window_extent()
    for tick in axis.get_major_ticks()
    if low <= tick.get_loc() <= high and tick.label1.get_text()
  ]


class LayoutTest(AxesCase):
  def test_panels_of_a_row_and_a_column_are_in_line(self):
    page = Figure((9, 6))
    axes = page.subplots(2, 2)
    axes[0, 0].set_ylabel('a label')
    axes[1, 0].set_yticks([0.5], ['a tick with a long label'])
    drawing.legend_beside(axes[0, 1], handles=[], title='a legend')
    layout.settle(page)
    boxes = [[ax.get_position() for ax in row] for row in axes]
    for row in boxes:
      self.assertAlmostEqual(row[0].y0, row[1].y0)
      self.assertAlmostEqual(row[0].y1, row[1].y1)
    for above, below in zip(*boxes):
      self.assertAlmostEqual(above.x0, below.x0)
      self.assertAlmostEqual(above.x1, below.x1)


class DrawAllTest(absltest.TestCase):
  def test_writes_what_has_data(self):
    folder = self.create_tempdir().full_path
    names = ['isoflop', 'contours', 'exponents', 'critical_batch']
    alts = figures.draw_all(study(), folder, png=True, names=names)
    self.assertEqual([*alts], names[:3])  # no study of batch sizes
    files = {f'{name}.{kind}' for name in alts for kind in ('svg', 'png')}
    self.assertEqual({*os.listdir(folder)}, files)
    for name, alt in alts.items():
      self.assertEndsWith(alt, '.')
      with open(f'{folder}/{name}.png', 'rb') as f:
        head = f.read(24)
      self.assertStartsWith(head, b'\x89PNG')
      width, _ = struct.unpack('>II', head[16:24])
      self.assertEqual(width, 1140 if name == 'contours' else 900)
      root = ElementTree.parse(f'{folder}/{name}.svg').getroot()
      self.assertEqual(root.tag, '{http://www.w3.org/2000/svg}svg')
      with open(f'{folder}/{name}.svg', encoding='utf-8') as f:
        self.assertIn(alt[:20], f.read())

  def test_gids_and_letters_are_in_the_file(self):
    folder = self.create_tempdir().full_path
    figures.draw_all(study(), folder, names=['isoflop'])
    with open(f'{folder}/isoflop.svg', encoding='utf-8') as f:
      svg = f.read()
    for gid in ('budget-0-runs', 'budget-2-curve', 'budget-1-minimum'):
      self.assertIn(f'id="{gid}"', svg)
    self.assertIn('>N, parameters</text>', svg)
    self.assertFalse(re.search(r'\$|mathtext', svg))

  def test_the_same_analysis_gives_the_same_bytes(self):
    pages = []
    for _ in range(2):
      folder = f'{self.create_tempdir().full_path}/new'
      figures.draw_all(study(), folder, names=['residuals', 'contours'])
      with open(f'{folder}/contours.svg', 'rb') as f:
        pages.append(f.read())
    self.assertEqual(*pages)


class ExponentsTest(AxesCase):
  def test_marks(self):
    rows = tuple(
      CountingEffect(
        name=name,
        isoflop=Estimate(0.5, np.linspace(0.45, 0.55, 101)),
        chinchilla=Estimate(0.52),
      )
      for name in ('non-embedding, 6ND', 'all parameters, every product')
    )
    alt = figures.FIGURES['exponents'].draw(
      self.ax, reports.changed(counting=rows)
    )
    for y, row in enumerate(rows):
      self.assert_interval(f'isoflop-{y}', row.isoflop.at(0.95), 'x')
      self.assertEmpty(drawn(self.ax, f'parametric-{y}-interval'))
      self.assertLen(drawn(self.ax, f'parametric-{y}'), 1)
    self.assertIn(messages.number(rows[0].isoflop.at(0.95)), alt)


if __name__ == '__main__':
  absltest.main()
