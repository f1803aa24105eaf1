"""The bridge, against the effect that each change must have on known curves."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis import bridge
from scaling_jax.analysis import kaplan_laws
from scaling_jax.analysis import lower_hull
from scaling_jax.analysis import points
from scaling_jax.analysis import trained
from tests import kaplan_study
from tests import studies

DRAWS = kaplan_study.DRAWS


def rows(fits) -> dict:
  return {row['name']: row for row in fits['bridge']}


class RowsTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.rows = rows(kaplan_study.fits())
    every = [
      trained.Trained.of(p) for p in points.read([kaplan_study.folder()]).points
    ]
    cls.sizes = [t for t in every if t.point.run_id.startswith('n/')]

  def exponent(self, count):
    """Of the hull of the same paths, N and C multiplied run by run."""
    curves = []
    for t in self.sizes:
      N, C = t.point.counts[count]
      path = t.path()
      curves.append(
        path._replace(N=N, C=path.C * C / (6 * t.point.N * t.point.D))
      )
    return lower_hull.fit(curves, DRAWS).N_line.line[0]

  def test_every_row_is_there(self):
    self.assertEqual(tuple(self.rows), tuple(bridge.ROWS))

  @parameterized.parameters(
    ('parameters', bridge.ALL), ('head', bridge.HEAD), ('kaplan', bridge.PLAIN)
  )
  def test_what_is_counted(self, name, count):
    row = self.rows[name]
    self.assertEqual(row['status'], 'ok', row['sentence'])
    self.assertAlmostEqual(
      row['exponent']['value'], self.exponent(count), delta=1e-9
    )
    base = self.rows['kaplan']['exponent']['value']
    if name != 'kaplan':
      self.assertAlmostEqual(row['moved'], row['exponent']['value'] - base)

  def test_batch_is_the_frontier_of_C_min(self):
    of_law = kaplan_study.fits()['laws']['kaplan_N_opt_Cmin']['exponent']
    found = self.rows['batch']['exponent']
    self.assertAlmostEqual(found['value'], of_law['value'], delta=1e-9)
    # One batch for all is far above the critical one at high losses.
    self.assertLess(self.rows['batch']['moved'], -0.05)

  def test_lengths_that_are_all_one_give_no_ends(self):
    for name in ('decay', 'hoffmann'):
      row = self.rows[name]
      self.assertEqual(row['status'], 'too_few_points')
      self.assertIn('no run was annealed', row['sentence'])
      self.assertIsNone(row['moved'])

  def test_runs_are_counted(self):
    for name, row in self.rows.items():
      self.assertEqual(row['n_runs'], 0 if name in ('decay', 'hoffmann') else 7)

  def test_the_law_above_is_the_first_row(self):
    of_law = kaplan_study.fits()['laws']['kaplan_N_opt']['exponent']
    self.assertEqual(self.rows['kaplan']['exponent'], of_law)

  def test_a_warmup_s_compute_is_taken_back(self):
    def lagging(w):
      """The same runs, whose progress is slower while the rate rises."""
      out = []
      for t in self.sizes:
        s = np.arange(1.0, len(t.losses) + 1)
        progress = np.where(s < w, s**2 / (2 * w), s - w / 2)
        losses = np.interp(progress, s, t.losses)
        out.append(t._replace(losses=losses, warmup=w))
      found = kaplan_laws.fit(out, out, draws=DRAWS)
      made = bridge.compare(out, found, [], [], 0.95, DRAWS)
      return {row['name']: row['exponent']['value'] for row in made}

    without, late = lagging(1), lagging(1000)
    self.assertGreater(abs(late['kaplan'] - without['kaplan']), 0.01)
    self.assertAlmostEqual(late['warmup'], without['kaplan'], delta=0.004)


class EndsTest(absltest.TestCase):
  def test_ends_are_those_of_the_conventions(self):
    fits = studies.analyzed().fits
    by_count = {row['name']: row for row in fits['conventions']}
    found = rows(fits)
    for name, count in (('decay', bridge.PLAIN), ('hoffmann', bridge.FULL)):
      self.assertEqual(
        found[name]['exponent'], by_count[count]['isoflop'], name
      )
      self.assertEqual(found[name]['n_runs'], 30)
      self.assertEqual(found[name]['status'], 'ok')
    self.assertEqual(found['batch']['status'], 'too_few_points')
    self.assertIn('critical batch is too_few', found['batch']['sentence'])

  def test_nothing_without_curves_and_ends(self):
    found = kaplan_laws.fit([], [], draws=DRAWS)
    self.assertEmpty(bridge.compare([], found, [], [], 0.95, DRAWS))


if __name__ == '__main__':
  absltest.main()
