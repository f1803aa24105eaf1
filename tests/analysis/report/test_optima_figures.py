"""The figures of the optima, against the law that the study is made from."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax import drawing
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.report.figures import optima
from tests import axes_case
from tests.analysis import studies
from tests.analysis.report import reports
from tests.axes_case import AxesCase
from tests.axes_case import data
from tests.axes_case import drawn
from tests.axes_case import texts


def study():
  return studies.analyzed().analysis


class OptimalTest(AxesCase):
  @parameterized.parameters('N_opt', 'D_opt')
  def test_lines_and_bands_are_the_fits_own(self, quantity):
    letter = quantity[0]
    alt = optima.optimal(self.ax, study(), quantity)
    for name, gid in optima.GIDS.items():
      fit = study().approaches[name]
      if not drawn(self.ax, f'{gid}-law'):
        self.assertLen(drawn(self.ax, f'{gid}-wide'), 1)
        continue
      C, y = data(self.ax, f'{gid}-law')
      best = getattr(fit.optimum(C=C), letter)
      np.testing.assert_allclose(y, best.value)
      (band,) = drawn(self.ax, f'{gid}-band')
      corners = band.get_paths()[0].vertices
      for end in (best.low, best.high):
        off = np.abs(np.log(corners[:, :, None] / [C, end])).max(1)
        np.testing.assert_array_less(off.min(0), 1e-9)
      exponent = fit.conf_int()[f'exponent_{letter}']
      self.assertIn(messages.number(exponent), alt)
    for i, budget in enumerate(study().isoflop.budgets):
      if budget.ok:
        best = getattr(budget.optimum(), letter)
        self.assert_interval(f'budget-{i}-{quantity}', best, 'y')
    self.assertEqual(self.ax.get_ylabel(), drawing.LABELS[quantity])

  def test_lines_are_the_minima_of_the_law(self):
    optima.optimal(self.ax, study())
    fit = study().chinchilla
    for C, best in data(self.ax, 'parametric-law').T[::4]:
      N = best * np.exp(np.linspace(-1, 1, 20_001))
      loss = fit.law.loss(N, fit.cost.tokens(N, C))
      self.assertAlmostEqual(N[np.argmin(loss)] / best, 1, delta=2e-3)

  def test_beyond_the_budgets(self):
    optima.optimal(self.ax, study())
    last = max(b.C for b in study().isoflop.budgets)
    (beyond,) = drawn(self.ax, 'isoflop-beyond')
    self.assertNotEqual(beyond.get_linestyle(), '-')
    self.assertAlmostEqual(beyond.get_xdata()[-1] / study().targets[-1], 1)
    (shade,) = drawn(self.ax, 'extrapolated')
    self.assertAlmostEqual(shade.get_x() / last, 1)

  def test_beyond_begins_at_the_last_budget_that_the_law_used(self):
    fit = study().isoflop
    budgets = list(fit.budgets)
    budgets[-1] = dataclasses.replace(
      budgets[-1], status=Status.NO_MINIMUM, message='it opens downward'
    )
    changed = reports.changed(
      isoflop=dataclasses.replace(fit, budgets=tuple(budgets))
    )
    optima.optimal(self.ax, changed)
    for gid, last in (
      ('isoflop', budgets[-2].C), ('parametric', budgets[-1].C),
    ):  # fmt: skip
      for part, at in (('law', -1), ('beyond', 0)):
        end = data(self.ax, f'{gid}-{part}')[0][at]
        self.assertAlmostEqual(end / last, 1, places=3)
    other = axes_case.axes()
    optima.optimal(
      other,
      reports.failed(changed, chinchilla='no_minimum', envelope='no_minimum'),
    )
    (shade,) = drawn(other, 'extrapolated')
    self.assertAlmostEqual(shade.get_x() / budgets[-2].C, 1)

  def test_a_band_wider_than_the_figure_leaves_no_bare_line(self):
    fit = study().envelope
    shaken = 40 * np.linspace(-1, 1, len(fit.N_opt.line_draws))[:, None]
    wide = dataclasses.replace(
      fit.N_opt, line_draws=fit.N_opt.line_draws + shaken * [0.0, 1.0]
    )
    changed = reports.changed(
      envelope=dataclasses.replace(fit, N_opt=wide, status=Status.OK)
    )
    optima.optimal(self.ax, changed)
    self.assertEmpty(drawn(self.ax, 'envelope-law'))
    self.assertLen(drawn(self.ax, 'envelope-wide'), 1)
    self.assertLen(drawn(self.ax, 'isoflop-band'), 1)
    # Alone it is what the page goes by, and is drawn as far as it goes.
    other = axes_case.axes()
    optima.optimal(
      other,
      reports.failed(changed, isoflop='no_minimum', chinchilla='no_minimum'),
    )
    self.assertLen(drawn(other, 'envelope-band'), 1)
    self.assertLen(drawn(other, 'envelope-law'), 1)

  def test_laws_that_failed_are_messages(self):
    changed = reports.failed(
      isoflop='too_few_points', chinchilla='too_few_points'
    )
    optima.optimal(self.ax, changed)
    self.assertEmpty(drawn(self.ax, 'isoflop-law'))
    self.assertEmpty(drawn(self.ax, 'parametric-law'))
    self.assertNotEmpty(axes_case.gids(self.ax, 'budget-'))
    for fit in (changed.isoflop, changed.chinchilla):
      self.assertIn(fit.message, texts(self.ax).replace('\n', ' '))

  def test_nothing_left(self):
    budgets = tuple(
      dataclasses.replace(b, status=Status.NO_MINIMUM)
      for b in study().isoflop.budgets
    )
    changed = reports.failed(chinchilla='no_minimum', envelope='no_minimum')
    changed = reports.changed(
      changed,
      isoflop=dataclasses.replace(
        study().isoflop, status=Status.TOO_FEW_POINTS, budgets=budgets
      ),
    )
    self.assertEqual(optima.optimal(self.ax, changed), '')
    self.assertEmpty(self.ax.lines)


if __name__ == '__main__':
  absltest.main()
