"""What people ask of tables, and what they are told where it makes no sense."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import table
from scaling_jax.analysis.runs import wanted
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.errors import UserError
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase


class OfTest(parameterized.TestCase):
  def test_aliases(self):
    for alias, name in (
      ('lr', 'learning_rate'), ('tokens', 'D'), ('params', 'N'), ('steps', 'S'),
      ('val_loss', 'loss'), ('state', 'status'), ('name', 'run_id'),
    ):  # fmt: skip
      self.assertEqual(wanted.of(columns={alias: 'x'}).columns, {name: 'x'})

  def test_bits_by_the_name_that_was_asked_for(self):
    asked = wanted.of(columns={'val_bpb': 'x'})
    self.assertEqual(asked.loss_unit, LossUnit.BITS_PER_BYTE)
    asked = wanted.of(columns={'val_bpb': 'x'}, units={'loss': 'nats'})
    self.assertEqual(asked.loss_unit, LossUnit.NATS)

  def test_what_is_no_dict_is_refused(self):
    for name in ('columns', 'units', 'where'):
      with self.assertRaisesRegex(UserError, f'{name}=.*must be a dict'):
        wanted.of(**{name: ['N']})

  def test_kinds_in_one_text(self):
    kinds = {Exclusion.CRASHED, Exclusion.REPEAT}
    self.assertEqual(wanted.of(include='crashed,repeat').include, kinds)

  def test_kinds(self):
    for name, kind in (
      ('crashed', Exclusion.CRASHED), ('Early-Stopped', Exclusion.EARLY_STOPPED),
      ('checkpoints', Exclusion.CHECKPOINT), (' repeats', Exclusion.REPEAT),
      ('repeated data', Exclusion.REPEATED_DATA),
    ):  # fmt: skip
      self.assertEqual(wanted.of(include=[name]).include, {kind})
    every = wanted.of(include=map(str, table.INCLUDABLE)).include
    self.assertEqual(every, {*table.INCLUDABLE})

  @parameterized.parameters(
    ({'columns': {'M': 'x'}}, 'M'), ({'columns': {'loss_': 'x'}}, 'try loss'),
    ({'units': {'N': 'furlongs'}}, 'furlongs'), ({'units': {'seed': 'M'}}, 'seed'),
    ({'units': {'loss': 'M'}}, 'bits/token'), ({'unit': 'nats'}, 'nats/token'),
    ({'units': {'C': 'TFLOP/s'}}, 'TFLOP/s'), ({'include': ['crash']}, 'crashed'),
    ({'include': ['bad_value']}, 'bad_value'), ({'include': ['']}, 'crashed'),
  )  # fmt: skip
  def test_refused(self, asked, named):
    with self.assertRaisesRegex(UserError, named):
      wanted.of(**asked)


class AppliedTest(ShapesCase):
  def test_constants(self):
    steps = D / 2048
    for per_step in (2048, '2048', '2,048', 2048.0):
      runs = Runs.from_dataframe(
        {'N': N, 'steps': steps, 'loss': LOSS},
        columns={'tokens_per_step': per_step},
      )
      self.assert_same(runs)
    self.assertIn('tokens_per_step = 2048 in all rows', runs.sources[0])

  def test_names_that_are_nearly_those(self):
    df = {'Big Size': N, 'D': D, 'Loss At End': LOSS}
    for size, loss in (
      ('Big Size', 'Loss At End'), ('big_size', 'loss_at_end'),
      ('BIG SIZE', 'Loss-At-End'),
    ):  # fmt: skip
      runs = Runs.from_dataframe(df, columns={'N': size, 'loss': loss})
      self.assert_same(runs)
    self.refused(df, "'Big Sizes'", 'try Big Size', columns={'N': 'Big Sizes'})

  def test_a_column_that_is_asked_for_wins(self):
    df = {'N': N * 3, 'D': D, 'loss': LOSS + 1, 'mine': N, 'also': LOSS}
    runs = Runs.from_dataframe(df, columns={'N': 'mine', 'loss': 'also'})
    self.assert_same(runs)
    self.assertIn('Not read: N, loss', runs.sources[0])

  def test_units(self):
    for unit, scale in (
      ('M', 1e6),
      ('millions', 1e6),
      ('1e6', 1e6),
      ('k', 1e3),
    ):
      runs = Runs.from_dataframe(
        {'N': N / scale, 'D': D / 1e9, 'loss': LOSS},
        units={'N': unit, 'D': 'B'},
      )
      self.assert_same(runs)

  def test_a_unit_that_is_asked_for_wins_over_the_name(self):
    runs = Runs.from_dataframe(
      {'params_M': N, 'D': D, 'loss': LOSS}, units={'N': 'params'}
    )
    self.assert_same(runs)

  def test_units_of_losses(self):
    for unit, loss in (
      ('perplexity', np.exp(LOSS)), ('ppl', np.exp(LOSS)), ('nats', LOSS),
      ('bits/token', LOSS / np.log(2)), ('bits', LOSS / np.log(2)),
    ):  # fmt: skip
      runs = Runs.from_dataframe(
        {'N': N, 'D': D, 'loss': loss}, units={'loss': unit}
      )
      self.assert_same(runs)
      self.assertEqual(runs.unit, 'nats/token')
    for unit, kept, scale in (
      ('bpb', 'bits/byte', 1), ('nats/byte', 'bits/byte', 1 / np.log(2)),
      ('bpc', 'bits/character', 1),
    ):  # fmt: skip
      runs = Runs.from_dataframe(
        {'N': N, 'D': D, 'loss': LOSS}, units={'loss': unit}
      )
      self.assertEqual(runs.unit, kept)
      np.testing.assert_allclose(runs.loss, LOSS * scale)

  def test_where(self):
    half = np.arange(len(N)) % 2
    df = {'N': np.r_[N, N], 'D': np.r_[D, D], 'loss': np.r_[LOSS, LOSS + 1],
          'Experiment': ['Llama 3'] * 28 + ['other'] * 28,
          'part': np.r_[half, half]}  # fmt: skip
    for value in ('Llama 3', 'llama 3', ' LLAMA 3 '):
      runs = Runs.from_dataframe(df, where={'experiment': value})
      self.assert_same(runs)
      self.assertEmpty(runs.excluded)
    runs = Runs.from_dataframe(df, where={'experiment': 'llama 3', 'part': 1.0})
    self.assertLen(runs, 14)
    self.refused(
      df, 'where={', 'Llama 3, other', where={'experiment': 'llama_4'}
    )
    self.refused(df, 'there is no exp', where={'exp': 'Llama 3'})
    never = {'part': 0.5, 'experiment': 'other'}
    self.refused(df, 'part=0.5', where=never)


if __name__ == '__main__':
  absltest.main()
