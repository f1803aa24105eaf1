"""Whole tables: what is read of each row, and what is told of the table."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase
from tests.analysis.runs.test_understand import by_flag


class UnitColumnTest(ShapesCase):
  @parameterized.parameters(
    ('bits/token', LOSS / np.log(2), 'nats/token', LOSS),
    ('perplexity', np.exp(LOSS), 'nats/token', LOSS),
    ('nats', LOSS, 'nats/token', LOSS), ('bpb', LOSS, 'bits/byte', LOSS),
    ('nats/byte', LOSS * np.log(2), 'bits/byte', LOSS),
    ('bits per character', LOSS, 'bits/character', LOSS),
    ('', LOSS, 'nats/token', LOSS), ('seconds', LOSS, 'nats/token', LOSS),
  )  # fmt: skip
  def test_of_all_rows(self, unit, loss, kept, found):
    for name in ('unit', 'Loss Unit', 'units'):
      df = {'N': N, 'D': D, 'val_loss': loss, name: [unit] * 28}
      runs = Runs.from_dataframe(df)
      self.assertEqual(runs.unit, kept)
      np.testing.assert_allclose(runs.loss, found)
      self.assertLen(runs, 28)

  def test_of_single_rows(self):
    odd = np.arange(28) % 4 == 1
    units = np.where(odd, 'bits', 'nats')
    loss = np.where(odd, LOSS / np.log(2), LOSS)
    runs = Runs.from_dataframe(shapes_case.columns(loss=loss, unit=units))
    self.assert_same(runs)
    self.assertIn('bits/token and nats/token', runs.sources[0])

  def test_most_rows_tell_the_unit(self):
    odd = np.arange(28) % 4 == 1
    for few, most in (('bpb', 'nats'), ('nats', 'bpb'), ('bpc', 'bits/token')):
      runs = Runs.from_dataframe(
        shapes_case.columns(unit=np.where(odd, few, most))
      )
      self.assertEqual(self.kinds(runs), {'bad_value': int(odd.sum())})
      self.assertIn('and that of others in', runs.excluded[0].reason)

  def test_a_unit_that_is_asked_for_counts(self):
    df = shapes_case.columns(loss=np.exp(LOSS), unit=['nats'] * 28)
    self.assert_same(Runs.from_dataframe(df, units={'loss': 'perplexity'}))

  def test_standard_errors_are_in_the_same_unit(self):
    for name, unit, scale in (
      ('loss', 'bits', np.log(2)), ('loss', 'nats', 1.0),
      ('val_ppl', '', np.exp(-LOSS[0])),
    ):  # fmt: skip
      value = {'bits': LOSS / np.log(2), 'nats': LOSS, '': np.exp(LOSS)}[unit]
      runs = Runs.from_dataframe(
        {'N': N, 'D': D, name: value, 'sem': [0.01] * 28, 'unit': [unit] * 28}
      )
      self.assertAlmostEqual(runs.sem[0], 0.01 * scale)


class PerplexityTest(ShapesCase):
  def test_that_is_called_a_loss(self):
    df = shapes_case.columns(loss=np.exp(LOSS))
    kind, value = shapes_case.flag(self.refused(df, 'ln V'))
    self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))
    runs = Runs.from_dataframe(df, units={'loss': 'nats'})
    np.testing.assert_allclose(runs.loss, np.exp(LOSS))

  def test_below_one(self):
    ppl = np.where(np.arange(28) == 2, 0.9, np.exp(LOSS))
    runs = Runs.from_dataframe({'N': N, 'D': D, 'val_ppl': ppl})
    (out,) = runs.excluded
    self.assertIn('above 1', out.reason)


class AboveGuessingTest(ShapesCase):
  def test_one_budget_in_perplexity(self):
    first = np.arange(len(LOSS)) < 7
    df = shapes_case.columns(loss=np.where(first, np.exp(LOSS), LOSS))
    runs = Runs.from_dataframe(df)
    self.assertEqual(self.kinds(runs), {'diverged': 7})
    self.assertIn('perplexity', runs.excluded[0].reason)
    for asked in ({'include': ['diverged']}, {'units': {'loss': 'nats'}}):
      self.assertLen(Runs.from_dataframe(df, **asked), len(LOSS))


class RowsTest(ShapesCase):
  def test_fields(self):
    (run,) = Runs.from_dataframe({
      'Name': ['first'], 'n_params': ['20M'], 'tokens': ['400M'], 'loss': [3.5],
      'random_seed': [7], 'seq_len': [1024], 'vocab_size': ['50,257'],
      'corpus': ['c4'], 'tokenizer': ['gpt2'], 'model_name': ['small'],
      'total_batch_size': [2**19], 'depth': [12], 'sem': [0.01],
    })  # fmt: skip
    self.assertEqual(
      (run.run_id, run.seed, run.block_size, run.vocab_size, run.dataset,
       run.tokenizer, run.model, run.tokens_per_step, run.n_layer),
      ('first', 7, 1024, 50257, 'c4', 'gpt2', 'small', 2**19, 12),
    )  # fmt: skip
    self.assertEqual((run.N, run.D, run.C), (2e7, 4e8, 6 * 2e7 * 4e8))
    self.assertEqual(run.val_loss_sem, 0.01)

  def test_cells_that_are_none(self):
    for cell in ('', '-', 'n/a', 'nan', 'None', '?', 'tbd', 'lots'):
      text = f'N,D,loss\n1e7,1e9,2.5\n1e7,{cell},2.4\n1e7,3e9,2.3\n'
      runs = read_runs(self.write(text))
      self.assertLen(runs, 2)
      (out,) = runs.excluded
      self.assertEqual((out.run_id, str(out.kind)), ('table:3', 'bad_value'))
      self.assertIn('line 3 of table.csv: D', out.reason)

  def test_errors_beside_a_loss(self):
    runs = read_runs(
      self.write('N,D,loss\n1e7,1e9,2.5±0.01\n2e7,1e9,2.4 +/- 0.1\n')
    )
    self.assertEqual(runs.loss.tolist(), [2.5, 2.4])

  def test_every_column_that_varies_is_named_once(self):
    runs = Runs.from_dataframe(
      shapes_case.columns(
        colour=[f'c{i}' for i in range(28)], constant=['a'] * 28,
        lr=[1e-3, 2e-3] * 14, empty=[''] * 28,
        hellaswag=np.linspace(0.2, 0.4, 28),
      )
    )  # fmt: skip
    (source,) = runs.sources
    self.assertEndsWith(source, 'Not read: colour, hellaswag.')

  def test_hundreds_of_columns_stay_on_a_line(self):
    more = {f'metric_{i}_of_the_evaluation': np.arange(28) for i in range(300)}
    (source,) = Runs.from_dataframe(shapes_case.columns(**more)).sources
    self.assertLess(len(source), 400)
    self.assertRegex(source, r'and 29\d more\.$')

  def test_no_value_is_made_up(self):
    (run,) = Runs.from_dataframe({'N': [1e7], 'D': [1e9], 'loss': [3.0]})
    self.assertEqual((run.seed, run.S, run.dataset, run.model), (0, 0, '', ''))
    self.assertTrue(math.isnan(run.val_loss_sem))
    self.assertTrue(math.isnan(run.tokens_per_step))


class SeveralTablesTest(ShapesCase):
  def test_each_in_its_own_words(self):
    half = [(n, d, x) for n, d, x in zip(N, D, LOSS)]
    one = self.write(
      shapes_case.as_csv(('N', 'D', 'loss'), half[:14]), 'one.csv'
    )
    two = self.write(
      shapes_case.as_csv(
        ('Params (M)', 'Tokens (B)', 'Val PPL'),
        [(n / 1e6, d / 1e9, math.exp(x)) for n, d, x in half[14:]],
      ),
      'two.csv',
    )
    runs = read_runs(one, two)
    self.assert_same(runs)
    self.assertLen(runs.sources, 2)
    twice = read_runs(one, two, self.write(one.read_text(), 'copy.csv'))
    self.assert_same(twice)
    self.assertEqual(self.kinds(twice), {'duplicate': 14})

  def test_two_units(self):
    nats = self.write('N,D,loss\n1e7,1e9,3\n', 'nats.csv')
    bits = self.write('N,D,val_bpb\n1e7,1e9,1\n', 'bits.csv')
    with self.assertRaisesRegex(UserError, 'bits.csv in bits/byte'):
      read_runs(nats, bits)


class BytesTest(ShapesCase):
  """4 bytes a token: a bit a byte is 4 ln 2 nats a token."""

  def test_bits_per_byte_become_nats(self):
    bits = LOSS / (4 * np.log(2))
    df = {'N': N, 'D': D, 'val_bpb': bits, 'val_bpb_sem': bits / 100}
    for runs in (
      Runs.from_dataframe({**df, 'bytes/token': np.full(len(N), 4)}),
      Runs.from_dataframe(df, columns={'bytes_per_token': 4}),
    ):
      self.assertEqual(runs.unit, 'nats/token')
      np.testing.assert_allclose(runs.loss, LOSS)
      np.testing.assert_allclose(runs.sem, LOSS / 100)
    kept = Runs.from_dataframe(
      {**df, 'bytes/token': 4 + 0 * N}, unit='bits/byte'
    )
    self.assertEqual(kept.unit, 'bits/byte')
    np.testing.assert_allclose(kept.loss, bits)


if __name__ == '__main__':
  absltest.main()
