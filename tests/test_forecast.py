"""What a config would train, against the homework's own numbers."""

from absl.testing import absltest
from absl.testing import parameterized

from configs import c0
from configs import c1
from configs import c2
from scaling_jax.training import forecast
from scaling_jax.training import sweep

META = {
  'vocab_size': 66,
  'counts': {'train': {'tokens': 31_120_371}, 'val': {'tokens': 3_457_819}},
}
# DESIGN.md's table: S = ceil(C / (6 N 2048)).
STEPS = {
  c0: (22_028, 11_017, 4_897, 2_481),
  c1: (55_082, 24_484, 12_401),
  c2: (110_164, 48_968, 24_802, 12_402),
}


class RowsTest(parameterized.TestCase):
  @parameterized.parameters(*STEPS)
  def test_steps(self, config):
    found = forecast.rows(sweep.expand(config.get_config()))
    self.assertEqual(tuple(row.S for row in found), STEPS[config])

  def test_every_way_of_counting(self):
    row = forecast.rows(sweep.expand(c0.get_config('gpt-2')), META)[0]
    self.assertEqual(row.N, 997_152)
    self.assertEqual(row.N_without_positions, 997_152 + 66 * 96)
    self.assertEqual(row.N_total, 997_152 + (66 + 32) * 96)
    self.assertEqual(row.D, 4_897 * 2048)
    self.assertAlmostEqual(row.epochs, row.D / 31_120_371)
    self.assertEqual(row.flops_6ND, 6 * row.N * row.D)
    self.assertGreater(row.flops, row.flops_6ND)

  def test_a_part_of_the_text(self):
    config = c0.get_config('gpt-2')
    config.data_fraction = 0.5
    row = forecast.rows(sweep.expand(config), META)[0]
    self.assertAlmostEqual(row.epochs, row.D / 15_560_185)

  def test_a_corpus_never_prepared_omits_what_needs_it(self):
    row = forecast.rows(sweep.expand(c0.get_config('gpt-2')))[0]
    self.assertEqual(row.N, 997_152)
    for name in ('N_without_positions', 'N_total', 'flops', 'epochs'):
      self.assertIsNone(getattr(row, name))


class TablesTest(absltest.TestCase):
  def test_both_tables(self):
    found = forecast.rows(sweep.expand(c0.get_config()), META)
    lines = forecast.tables(found, [60.0, 61, 62, 3723]).splitlines()
    self.assertEqual(
      lines[2].split(),
      ['gpt-0', '2', '2', '96', '221,664', '228,000', '231,072'],
    )
    last = lines[-1].split()
    self.assertEqual(
      last[:5], ['gpt-3', '1,968,768', '5,081,088', '2,481', '6e13']
    )
    self.assertEqual(last[-1], '1h02m')
    for unit in ('(tokens)', '(steps)', '(FLOPs)'):
      self.assertIn(unit, lines[-5])

  def test_a_model_is_counted_once_however_often_it_is_swept(self):
    config = c0.get_config('gpt-0')
    config.sweep['train.beta2'] = (0.95, 0.99)
    text = forecast.tables(forecast.rows(sweep.expand(config)))
    self.assertEqual(text.count('gpt-0 '), 1 + 0)
    self.assertEqual(text.count('gpt-0_beta20.9'), 2)


if __name__ == '__main__':
  absltest.main()
