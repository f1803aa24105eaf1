"""What plots draw, against the fits and the laws that they are drawn from."""

import dataclasses
import functools

from absl.testing import absltest
from absl.testing import parameterized
from matplotlib import colors
from matplotlib import pyplot
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import critical_batch
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import frontier
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting import plot_curves
from scaling_jax.analysis.fitting import plot_lines
from scaling_jax.analysis.fitting import plots
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.smoothing import LossCurve
from tests.axes_case import AxesCase
from tests.axes_case import axes
from tests.axes_case import data
from tests.axes_case import drawn
from tests.axes_case import gids
from tests.axes_case import texts

LAW = laws.Chinchilla(E=1.0, A=60.0, B=60.0, alpha=0.3, beta=0.33)
KAPLAN = laws.Kaplan(N_c=1.35e14, D_c=1.28e12, alpha_N=0.0762, alpha_D=0.1221)
BATCH = laws.CriticalBatch(B_star=2e7, alpha_B=0.235)
BUDGETS = (6e13, 3e14, 6e14)
DRAWN = Bootstrap(draws=200)
REASON = 'not one of the lines that were tried'


def noisy(loss, noise=0.002):
  return loss * np.exp(noise * np.random.default_rng(0).normal(size=loss.shape))


@functools.cache
def isoflop_fit(n_budgets=3) -> isoflop.IsoflopFit:
  """Five models at each budget."""
  groups = []
  for C in np.geomspace(BUDGETS[0], BUDGETS[-1], n_budgets):
    N = float(LAW.optimum(C).N) * np.geomspace(0.25, 4, 5)
    D = C / 6 / N
    groups.append(isoflop.Group(C, N, D, noisy(LAW.loss(N, D), 1e-4)))
  return isoflop.fit(groups, bootstrap=DRAWN)


@functools.cache
def curves() -> list[LossCurve]:
  D = np.geomspace(1e6, 1e9, 120)
  return [
    LossCurve(f'run{i}', N, 6 * N * D, D, LAW.loss(N, D))
    for i, N in enumerate(np.geomspace(1e5, 1e9, 13))
  ]


def chinchilla_fit(n_sizes=4) -> chinchilla.ChinchillaFit:
  """As a fit of losses without noise would be."""
  N = np.repeat(np.geomspace(1e6, 1e8, n_sizes), 5)
  D = np.tile(np.geomspace(1e8, 1e10, 5), n_sizes)
  E, A, B, alpha, beta = LAW
  return chinchilla.ChinchillaFit(
    status=Status.OK, N=N, D=D, loss=LAW.loss(N, D),
    point=np.array([np.log(A), np.log(B), np.log(E), alpha, beta]),
  )  # fmt: skip


def kaplan_fit() -> kaplan.KaplanFit:
  """Likewise."""
  N = np.repeat(np.geomspace(1e5, 1e7, 4), 4)
  D = np.tile(np.geomspace(1e6, 1e9, 4), 4)
  N_c, D_c, alpha, beta = KAPLAN
  return kaplan.KaplanFit(
    status=Status.OK, N=N, x=D, L=KAPLAN.loss(N, D),
    point=np.array([np.log(N_c) * alpha / beta, np.log(D_c), alpha, beta]),
  )  # fmt: skip


@functools.cache
def power_fit() -> power_law.PowerLawFit:
  x = np.geomspace(1e6, 1e10, 7)
  return power_law.fit(x, noisy(5e3 * x**-0.2, 0.01), draws=200)


@functools.cache
def frontier_fit() -> frontier.FrontierFit:
  return frontier.fit(curves(), bootstrap=DRAWN)


def critical_fit() -> critical_batch.CriticalBatchFit:
  """Hyperbolas at five losses, and two that are not identified."""
  targets = []
  B = np.geomspace(4e3, 3e5, 6)
  for i, L in enumerate(np.geomspace(4, 3, 7)):
    S_min, E_min = 1e3, 1e3 * float(BATCH.tokens(L))
    drawn = np.log(E_min) + 0.1 * np.linspace(-1, 1, 41)
    targets.append(
      critical_batch.BatchTarget(
        L=float(L), status=Status.NOT_IDENTIFIED if i > 4 else Status.OK, B=B,
        S=S_min + E_min / B, learning_rate=np.full(6, 1e-3), S_min=S_min,
        E_min=E_min, log_S_draws=np.full(41, np.log(S_min)), log_E_draws=drawn,
      )
    )  # fmt: skip
  L = np.array([t.L for t in targets if t.ok])
  line = power_law.fit(L, noisy(BATCH.tokens(L), 0.01), draws=200)
  return critical_batch.CriticalBatchFit(
    status=Status.OK, targets=tuple(targets), B_fit=line
  )


def curve_fit() -> training_curve.TrainingCurveFit:
  step = np.geomspace(50, 3000, 200)
  fitted = 1.5 + 3 * step**-0.4
  return training_curve.TrainingCurveFit(
    status=Status.OK, run_id='a', step=step, loss=noisy(fitted, 0.01),
    fitted=fitted, n_steps=3000,
  )  # fmt: skip


FITS = {
  'isoflop': isoflop_fit,
  'envelope': lambda: envelope.fit(curves(), bootstrap=DRAWN),
  'chinchilla': chinchilla_fit,
  'kaplan': kaplan_fit,
  'power_law': power_fit,
  'frontier': frontier_fit,
  'critical_batch': critical_fit,
  'training_curve': curve_fit,
}


def failed(fit, message=REASON):
  """The fit and its parts with another status; the numbers stay behind it."""
  changes = {'status': Status.NOT_IDENTIFIED, 'message': message}
  if isinstance(fit, isoflop.IsoflopFit):
    budgets = tuple(dataclasses.replace(b, **changes) for b in fit.budgets)
    changes['budgets'] = budgets
  if isinstance(fit, frontier.FrontierFit):
    for name in ('L_fit', 'N_fit'):
      changes[name] = failed(getattr(fit, name), message)
  return dataclasses.replace(fit, **changes)


class EveryPlotTest(AxesCase):
  @parameterized.parameters(*FITS)
  def test_the_fit_draws_itself(self, name):
    fit = FITS[name]()
    self.assertTrue(fit.ok, fit.message)
    self.assertIs(fit.plot(self.ax), self.ax)
    self.assertNotEmpty(self.ax.lines)
    self.assertNotEmpty(self.ax.get_xlabel())
    self.assertNotEmpty(self.ax.get_ylabel())
    self.assertEmpty(drawn(self.ax, 'note'))

  @parameterized.parameters(*FITS)
  def test_what_is_not_ok_shows_points_and_its_message(self, name):
    failed(FITS[name]()).plot(self.ax)
    self.assertIn(REASON, texts(self.ax).replace('\n', ' '))
    lines = {'law', 'law-interval', 'envelope', 'budget-0-curve'}
    lines |= {'budget-0-minimum', 'law-a', *gids(self.ax, 'law-')}
    for gid in lines:
      self.assertEmpty(drawn(self.ax, gid), gid)
    self.assertNotEmpty(self.ax.lines)

  def test_on_axes_of_its_own(self):
    ax = power_fit().plot()
    self.addCleanup(pyplot.close, ax.figure)
    self.assertLen(drawn(ax, 'law'), 1)

  def test_the_loss_is_labelled_by_its_unit(self):
    for unit, label in (('', 'L'), ('bits/byte', 'L, bits/byte')):
      ax = plots.plot(isoflop_fit(), axes(), unit=unit)
      self.assertEqual(ax.get_ylabel(), label)

  def test_a_stranger_has_no_plot(self):
    with self.assertRaises(TypeError):
      plots.plot(object(), self.ax)  # type: ignore[arg-type]


class IsoflopTest(AxesCase):
  def test_runs_curve_and_minimum(self):
    fit = isoflop_fit()
    fit.plot(self.ax)
    for i, budget in enumerate(fit.budgets):
      points = [budget.N, budget.loss]
      np.testing.assert_array_equal(data(self.ax, f'budget-{i}-runs'), points)
      N, L = data(self.ax, f'budget-{i}-curve')
      best = budget.optimum().N
      # The lowest of its points is no farther from the minimum than the next.
      step = np.log(N[1] / N[0])
      self.assertLess(abs(np.log(best.value / N[L.argmin()])), step)
      self.assertAlmostEqual(L.min(), budget.optimum().loss.value, places=3)
      np.testing.assert_allclose(N[[0, -1]], budget.N[[0, -1]])
      self.assertLess(data(self.ax, f'budget-{i}-curve-below')[0][0], N[0])
      self.assert_interval(f'budget-{i}-minimum', best, 'x')

  def test_intervals_at_a_level(self):
    plots.plot(isoflop_fit(), self.ax, level=0.5)
    best = isoflop_fit().budgets[1].optimum(level=0.5).N
    self.assert_interval('budget-1-minimum', best, 'x')

  def test_a_failed_budget_shows_points_and_its_message(self):
    fit = isoflop_fit()
    budgets = list(fit.budgets)
    budgets[1] = failed(budgets[1])
    dataclasses.replace(fit, budgets=tuple(budgets)).plot(self.ax)
    self.assertLen(drawn(self.ax, 'budget-1-runs'), 1)
    self.assertEmpty(drawn(self.ax, 'budget-1-curve'))
    self.assertEmpty(drawn(self.ax, 'budget-1-minimum'))
    self.assertLen(drawn(self.ax, 'budget-0-curve'), 1)
    (note,) = drawn(self.ax, 'note')
    self.assertIn(REASON, note.get_text().replace('\n', ' '))

  def test_no_interval_is_an_open_marker(self):
    fit = isoflop_fit()
    budgets = list(fit.budgets)
    budgets[0] = dataclasses.replace(budgets[0], draws=None)
    dataclasses.replace(fit, budgets=tuple(budgets)).plot(self.ax)
    self.assertEmpty(drawn(self.ax, 'budget-0-minimum-interval'))
    for i, is_open in ((0, True), (1, False)):
      (mark,) = drawn(self.ax, f'budget-{i}-minimum')
      white = colors.same_color(mark.get_markerfacecolor(), 'white')
      self.assertEqual(white, is_open)

  def test_an_outlier_does_not_flatten_the_others(self):
    fit = isoflop_fit()
    budgets = list(fit.budgets)
    loss = budgets[0].loss.copy()
    loss[0] = 50.0
    budgets[0] = dataclasses.replace(budgets[0], loss=loss)
    dataclasses.replace(fit, budgets=tuple(budgets)).plot(self.ax)
    self.assertLess(self.ax.get_ylim()[1], 10)
    self.assertLen(drawn(self.ax, 'note'), 1)


class FamilyTest(AxesCase):
  @parameterized.parameters(
    (chinchilla_fit, 'D', 'loss'), (kaplan_fit, 'x', 'L')
  )
  def test_points_and_the_law_for_each_N(self, make, x, L):
    fit = make()
    fit.plot(self.ax)
    for N in np.unique(fit.N):
      own = fit.N == N
      np.testing.assert_array_equal(
        data(self.ax, f'points-{N:g}'),
        [getattr(fit, x)[own], getattr(fit, L)[own]],
      )
      at, loss = data(self.ax, f'law-{N:g}')
      np.testing.assert_allclose(loss, fit.law.loss(N, at))

  def test_lines_for_some_of_many_N(self):
    fit = chinchilla_fit(40)
    fit.plot(self.ax)
    self.assertLen(gids(self.ax, 'points-'), 40)
    self.assertBetween(len(gids(self.ax, 'law-')), 3, 8)


class CurvesTest(AxesCase):
  def test_envelope(self):
    fit = FITS['envelope']()
    fit.plot(self.ax)
    for c in fit.curves:
      np.testing.assert_array_equal(
        data(self.ax, f'curve-{c.run_id}'), [c.C, c.L]
      )
    C, L = np.concatenate(
      [line.get_xydata() for line in drawn(self.ax, 'envelope')]
    ).T
    at = np.searchsorted(fit.C, C * (1 - 1e-12))
    np.testing.assert_array_equal(fit.L[at], L)
    self.assertLess(len(C), 320)

  def test_an_envelope_is_cut_where_shorter_runs_end(self):
    C = np.array([1e12, 2e12, 3e12, 4e12, 5e12, 6e12])
    L = np.array([5.0, 4.0, 4.5, 4.2, 4.3, 4.1])
    # One curve ends between the second and the third; the rise between the
    # fourth and the fifth is no end of any.
    ends = [
      LossCurve(
        str(i), i + 1.0, np.array([1e11, end]), np.ones(2), np.array([9.0, 4.0])
      )
      for i, end in enumerate((2.5e12, 3.5e12, 6e12))
    ]
    fit = dataclasses.replace(
      FITS['envelope'](), C=C, L=L, N=np.ones(6), D=np.ones(6),
      curves=tuple(ends),
    )  # fmt: skip
    pieces = plot_curves.envelope_pieces(fit)
    self.assertLen(pieces, 2)
    np.testing.assert_array_equal(pieces[0], [C[:2], L[:2]])
    np.testing.assert_array_equal(pieces[1], [C[2:], L[2:]])
    fit.plot(self.ax)
    self.assertLen(drawn(self.ax, 'envelope'), 2)

  def test_training_curves(self):
    good = curve_fit()
    bad = dataclasses.replace(failed(good), run_id='b')
    plot_curves.training_curves(self.ax, [good, bad], {'a': 1e6, 'b': 2e6})
    self.assertLen(drawn(self.ax, 'curve-b'), 1)
    self.assertEmpty(drawn(self.ax, 'law-b'))
    step, loss = data(self.ax, 'law-a')
    np.testing.assert_array_equal(step[[0, -1]], good.step[[0, -1]])
    at = np.searchsorted(good.step, step)
    np.testing.assert_array_equal(loss, good.fitted[at])

  def test_the_hull(self):
    fit = frontier_fit()
    plot_lines.frontier(self.ax, fit, curves=curves(), labels=('C', 1e12))
    x, y = data(self.ax, 'hull')
    np.testing.assert_array_equal(x[[0, -1]] * 1e12, fit.C[[0, -1]])
    self.assertTrue(np.all(np.diff(y) <= 0))
    touches = data(self.ax, 'touches')
    np.testing.assert_allclose(touches[0] * 1e12, [t.C for t in fit.inner])
    n_ends = len(fit.touches) - len(fit.inner)
    self.assertLen(data(self.ax, 'ends')[0], n_ends)
    for c in curves():
      np.testing.assert_array_equal(data(self.ax, f'curve-{c.run_id}')[1], c.L)
    x, y = data(self.ax, 'law')
    np.testing.assert_allclose(y, fit.L_fit.law(x * 1e12))


class PowerLawTest(AxesCase):
  def test_points_line_and_band(self):
    fit = power_fit()
    fit.plot(self.ax)
    np.testing.assert_array_equal(data(self.ax, 'points'), [fit.x, fit.y])
    x, y = data(self.ax, 'law')
    np.testing.assert_allclose(y, fit.law(x))
    (band,) = drawn(self.ax, 'law-interval')
    corners = band.get_paths()[0].vertices
    for end in ('low', 'high'):
      edge = np.array([x, getattr(fit.predict(x), end)])
      off = np.abs(np.log(corners[:, :, None] / edge)).max(1)
      np.testing.assert_array_less(off.min(0), 1e-9)

  def test_B_crit(self):
    fit = critical_fit()
    fit.plot(self.ax)
    L, B = data(self.ax, 'law')
    np.testing.assert_allclose(B, fit.law.tokens(L))
    low, high = self.ax.get_xlim()
    self.assertGreater(low, high)  # the loss falls as training goes
    good = [target for target in fit.targets if target.ok]
    for i, target in enumerate(good):
      B = target.E_min / target.S_min
      np.testing.assert_allclose(data(self.ax, f'loss-{i}'), [[target.L], [B]])


if __name__ == '__main__':
  absltest.main()
