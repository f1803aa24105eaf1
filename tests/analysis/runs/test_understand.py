"""Which column is which; what can't be told is asked with a flag that works."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis import flags
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import C
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase

AMBIGUOUS = {
  'two_losses': {'N': N, 'D': D, 'val_loss': LOSS, 'eval_loss': LOSS + 0.1},
  'three_losses': {
    'N': N, 'D': D, 'a loss': LOSS, 'b loss': LOSS + 0.1, 'c loss': LOSS + 0.2
  },
  'two_counts': {
    'total_params': N, 'active_params': N / 2, 'D': D, 'loss': LOSS
  },
  'names_of_words': {
    'total params (all)': N, 'active params': N / 2, 'D': D, 'loss': LOSS
  },
  'names_for_shells': {
    "N's params": N, 'other $params': N / 2, 'D': D, 'loss': LOSS
  },
  'names_with_signs': {
    'loss=val,c4': LOSS, 'eval loss': LOSS + 1, 'val|loss': LOSS + 2,
    'x loss=val': LOSS + 3, 'N': N, 'D': D
  },
  'two_tokens': {
    'N': N, 'tokens': D, 'train_tokens': D * 1.1, 'loss': LOSS
  },
  'two_flops': {
    'N': N, 'D': D, 'total_flops': C, 'train_flops': C * 1.2, 'loss': LOSS
  },
}  # fmt: skip


def by_flag(kind: str, value: str):
  """What the command line makes of a flag."""
  try:
    flags.FLAGS(['analysis', f'--{kind}={value}'])
    return flags.reading()
  finally:
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
      flags.FLAGS[name].unparse()


class AskedTest(ShapesCase):
  @parameterized.named_parameters(*AMBIGUOUS.items())
  def test_the_flag_that_is_named_works(self, df):
    message = self.refused(df, 'it must be clear')
    runs = Runs.from_dataframe(df, **by_flag(*shapes_case.flag(message)))
    self.assert_same(runs)

  def test_in_python_too(self):
    message = self.refused(AMBIGUOUS['two_losses'])
    found = message.partition('(in Python columns=')[2].rstrip(')')
    self.assertEqual(found, "{'loss': 'val_loss'}")

  def test_columns_that_agree_are_one(self):
    runs = Runs.from_dataframe(
      {'N': N, 'n_params': N, 'D': D, 'val_loss': LOSS, 'eval_loss': LOSS}
    )
    self.assert_same(runs)
    holes = np.where(np.arange(28) % 2, np.nan, LOSS)
    self.assert_same(
      Runs.from_dataframe(
        {'N': N, 'D': D, 'val_loss': LOSS, 'eval_loss': holes}
      )
    )

  def test_what_is_missing(self):
    for df, lacks in (
      ({'a': N, 'D': D, 'loss': LOSS}, 'N=COLUMN'),
      ({'N': N, 'a': D, 'loss': LOSS}, 'D=COLUMN'),
      ({'N': N, 'D': D, 'a': LOSS}, 'loss=COLUMN'),
    ):
      message = self.refused(df, f'--columns={lacks}')
      kind, value = shapes_case.flag(message)
      asked = by_flag(kind, value.replace('COLUMN', 'a'))
      self.assert_same(Runs.from_dataframe(df, **asked))

  def test_all_that_is_missing_is_asked_at_once(self):
    df = {'x': N, 'y': D, 'z': LOSS}
    kind, value = shapes_case.flag(self.refused(df))
    for column in 'zxy':
      value = value.replace('COLUMN', column, 1)
    self.assert_same(Runs.from_dataframe(df, **by_flag(kind, value)))

  def test_steps_ask_for_their_tokens(self):
    df = {'N': N, 'steps': D / 1000, 'loss': LOSS}
    kind, value = shapes_case.flag(self.refused(df, 'tokens_per_step=524288'))
    asked = by_flag(kind, value.replace('524288', '1000'))
    self.assert_same(Runs.from_dataframe(df, **asked))

  def test_a_name_that_two_columns_have(self):
    path = self.write('N,D,N,loss\n1e6,1e8,2e6,3\n')
    with self.assertRaisesRegex(UserError, "'N' as the name of two columns"):
      read_runs(path)
    (run,) = read_runs(self.write('x,N,x,D,loss\n1,1e6,2,1e8,3\n'))
    self.assertEqual((run.N, run.D), (1e6, 1e8))


class ChosenTest(ShapesCase):
  @parameterized.parameters(
    ({'val_loss': LOSS, 'loss': LOSS - 0.3},), ({'loss': LOSS, 'train_loss': LOSS - 1},),
    ({'loss': LOSS, 'L': np.full(28, 12)},), ({'L': LOSS},),
    ({'eval/loss': LOSS, 'train/loss': LOSS - 1},),
    ({'val_loss': LOSS, 'best_val_loss': LOSS - 0.1},),
    ({'val_loss': LOSS, 'val_bpb': LOSS / 3, 'val_ppl': np.exp(LOSS)},),
    ({'loss (val)': LOSS, 'loss (train)': LOSS - 1},),
    ({'val_loss': LOSS, 'load_balancing_loss': LOSS / 9, 'z_loss': LOSS / 99},),
    ({'loss': LOSS, 'load_balancing_loss': LOSS / 9},),
    ({'val_loss': LOSS, 'loss_type': ['ce'] * 28},),
    ({'val_loss': LOSS, 'test_loss': [''] * 28},),
  )  # fmt: skip
  def test_losses(self, losses):
    for order in (1, -1):
      given = dict([*losses.items()][::order])
      self.assert_same(Runs.from_dataframe({'N': N, 'D': D, **given}))

  def test_bits_beside_nats_if_asked(self):
    df = {'N': N, 'D': D, 'val_loss': LOSS, 'val_bpb': LOSS / 3}
    runs = Runs.from_dataframe(df, unit='bits/byte')
    self.assertEqual(runs.unit, 'bits/byte')
    np.testing.assert_allclose(runs.loss, LOSS / 3)

  def test_budgets_and_counts(self):
    budget = shapes_case.BUDGET
    runs = Runs.from_dataframe(
      shapes_case.columns(flops=C, flops_budget=budget)
    )
    np.testing.assert_allclose(runs.C, budget)
    runs = Runs.from_dataframe(
      shapes_case.columns(C=C, flops=C * 1.2, time_budget=np.full(28, 3.0))
    )
    np.testing.assert_allclose(runs.C, C)

  def test_our_own_names_win(self):
    df = {'N': N, 'total_params': N * 2, 'D': D, 'tokens': D * 2, 'loss': LOSS}
    self.assert_same(Runs.from_dataframe(df))

  def test_training_data_are_counted_or_named(self):
    runs = Runs.from_dataframe({'N': N, 'training_data': D, 'loss': LOSS})
    self.assert_same(runs)
    named = shapes_case.columns(training_data=['c4', 'pile'] * 14)
    runs = Runs.from_dataframe(named)
    self.assert_same(runs)
    self.assertEqual(runs[0].dataset, 'c4')

  def test_what_was_taken_is_told(self):
    for df, told in (
      ({'params_M': N / 1e6, 'Tokens (B)': D / 1e9, 'val_ppl': np.exp(LOSS)},
       ('N = params_M (millions)', 'D = Tokens (B) (billions)', 'C = 6ND',
        'loss = val_ppl (perplexity, read as nats/token)')),
      ({'N': N, 'C (PF-days)': C / 8.64e19, 'val_loss': LOSS, 'x': D},
       ('N;', 'D = C/6N', 'C = C (PF-days) (PF-days)', 'Not read: x')),
      ({'N': N, 'D': D, 'loss': LOSS, 'unit': ['bits'] * 28, 'same': ['a'] * 28},
       ('loss (bits/token, read as nats/token)',)),
    ):  # fmt: skip
      (source,) = Runs.from_dataframe(df).sources
      for part in told:
        self.assertIn(part, source)
      self.assertNotIn('same', source)


if __name__ == '__main__':
  absltest.main()
