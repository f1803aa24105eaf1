"""Points for Kaplan's laws from the command line to their page."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

import scaling_jax as sj
from tests.analysis import test_main

TABLES = {
  'L(N)': 'N,val_loss\n1e6,5\n1e7,4.2\n1e8,3.5\n1e9,2.93\n',
  'L(D)': 'tokens (B),loss\n.1,5\n1,4.2\n10,3.5\n100,2.93\n',
  'L(C)': 'C (PF-days),loss\n1e-4,5\n1e-2,4.2\n1,3.5\n100,2.93\n',
  'B_crit(L)': 'loss,B_crit\n5,1e5\n4.2,2.2e5\n3.5,5.3e5\n2.93,1.2e6\n',
}


class PointsTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.out = self.folder / 'out'

  def write(self, text, name='points.csv'):
    path = self.folder / name
    path.write_text(text)
    return path

  def call(self, *arguments):
    return test_main.call(*arguments, f'--out={self.out}')

  @parameterized.parameters(*TABLES)
  def test_each_law(self, law):
    status, out, err = self.call(self.write(TABLES[law]))
    self.assertEqual((status, err), (0, ''))
    self.assertIn(f'4 points of {law}', out)
    self.assertEqual(out.splitlines()[-1], f'report: {self.out / "index.html"}')
    self.assertSameElements(
      [path.name for path in self.out.iterdir()],
      ['index.html', 'law.json', 'law.svg', 'points.csv'],
    )
    page = (self.out / 'index.html').read_text()
    self.assertIn(law, page)
    self.assertEqual(page.count('<svg'), 1)
    self.assertIn('of points.csv', page)
    self.assertEqual(page.count('://'), 0)  # it fetches nothing
    # What the page shows is what the file holds.
    fit = sj.load_fit(self.out / 'law.json')
    self.assertEqual(fit.status, 'ok')
    alpha = fit.params.get('alpha_B', -fit.params.get('exponent', np.nan))
    self.assertIn(f'{alpha:.4g}', page)
    self.assertIn(f'{alpha:.4g}', out)

  def test_python_gives_the_same(self):
    path = self.write(TABLES['L(N)'])
    self.call(path, '--nofigures')
    self.assertFalse((self.out / 'law.svg').exists())
    points = sj.read_points(path)
    fit = sj.fit_power_law(points.x, points.y)
    self.assertEqual(fit.params, sj.load_fit(self.out / 'law.json').params)

  def test_flags_for_reading_and_options(self):
    path = self.write('size,L,text\n1,5,a\n10,4,a\n100,3.3,a\n100,9,b\n')
    status, out, err = self.call(
      path, '--columns=N=size', '--units=N:M', '--where=text=a',
      '--level=0.8', '--png',
    )  # fmt: skip
    self.assertEqual((status, err), (0, ''))
    self.assertIn('3 points of L(N): N 1M to 100M', out)
    self.assertIn('80% interval', out)
    self.assertTrue((self.out / 'law.png').exists())

  def test_a_status_stands_in_a_number_s_place(self):
    status, out, _ = self.call(self.write('N,loss\n1e6,5\n1e7,4.2\n'))
    self.assertEqual(status, 0)
    self.assertIn('too_few_points', out)
    page = (self.out / 'index.html').read_text()
    self.assertIn('not-ok', page)
    self.assertNotRegex(page + out, r'\bnan\b')

  def refused(self, named, *arguments):
    status, out, err = self.call(*arguments)
    self.assertEqual((status, out), (2, ''))
    self.assertLen(err.splitlines(), 1)
    self.assertIn(named, err)
    self.assertFalse(self.out.exists())

  def test_what_points_have_none_of(self):
    path = self.write(TABLES['L(N)'])
    self.refused('--by=text', path, '--by=text')
    self.refused('--C', path, '--C=1e20')
    self.refused('--drop_highest', path, '--drop_highest=1')

  def test_beside_runs(self):
    runs = self.write('N,D,loss\n1e6,1e8,5\n1e7,1e9,4\n', 'runs.csv')
    path = self.write(TABLES['L(N)'])
    self.refused('points.csv holds points of L(N)', path, runs)
    self.refused('points.csv holds points of L(N)', runs, path)


if __name__ == '__main__':
  absltest.main()
