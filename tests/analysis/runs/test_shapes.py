"""The same 28 runs, however a table has them, are the same runs."""

import gzip
import json
import time

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import pandas as pd
import polars as pl

from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.published import HOFFMANN
from tests import shared_data
from tests.analysis.runs import shapes_case
from tests.analysis.runs.shapes_case import COUNT
from tests.analysis.runs.shapes_case import LOSS
from tests.analysis.runs.shapes_case import C
from tests.analysis.runs.shapes_case import D
from tests.analysis.runs.shapes_case import N
from tests.analysis.runs.shapes_case import ShapesCase

SIZES = list(zip(*(x.tolist() for x in (N, D, C, LOSS))))


def plain(n, d, c, loss):
  return int(n), int(d), repr(c), loss


def millions(n, d, c, loss):
  return f'{n / 1e6:.2f}', f'{d / 1e9:.3f}', c, loss


def comma(value):
  return f'{value:.4f}'.replace('.', ',')


# Name: the header, and the cells of a row.
SHAPES = {
  'ours': (('N', 'D', 'C', 'loss'), plain),
  'lower_case': (('n', 'd', 'c', 'loss'), plain),
  'upper_case': (('PARAMS', 'TOKENS', 'FLOPS', 'VAL_LOSS'), plain),
  'nanochat_like': (
    ('num_scaling_params', 'tokens_trained', 'flops_budget', 'val_loss'), plain
  ),
  'hugging_face': (
    ('num_parameters', 'num_input_tokens_seen', 'train_flops', 'eval_loss'),
    plain,
  ),
  'levanter': (
    ('parameter_count', 'throughput/total_tokens', 'total_flops', 'eval/loss'),
    plain,
  ),
  'gflops': (
    ('parameter_count', 'throughput/total_tokens', 'throughput/total_gflops',
     'eval/loss'),
    lambda n, d, c, loss: (n, d, repr(c / 1e9), loss),
  ),
  'lightning': (
    ('trainable_params', 'tokens_seen', 'train_flops', 'validation/loss'), plain
  ),
  'open_lm': (
    ('params', 'tokens', 'Training compute (FLOP)', 'loss (val)'), plain
  ),
  'epoch_ai': (
    ('Model Size', 'Training tokens', 'Training FLOP', 'Validation loss'), plain
  ),
  'suffix_M_and_B': (('params_M', 'tokens_B', 'C', 'loss'), millions),
  'in_brackets': (
    ('Parameters (millions)', 'Tokens (billions)', 'FLOPs', 'Val Loss'),
    millions,
  ),
  'other_brackets': (('N [M]', 'D【B】', 'C', 'loss'), millions),
  'german': (
    ('Parameter (Mio.)', 'Tokens (Mrd.)', 'FLOPs', 'Val Loss'), millions
  ),
  'as_powers': (('N (10⁶)', 'D (1e9)', 'C', 'loss'), millions),
  'with_suffixes': (
    ('N', 'D', 'C', 'loss'),
    lambda n, d, c, loss: (
      f'{n / 1e6:.2f}M', f'{d / 1e9:.3f} B', f'{c:.17e}', loss
    ),
  ),
  'thousands': (
    ('N', 'D', 'C', 'loss'), lambda n, d, c, loss: (
      f'{n:,.0f}', f'{d:,.0f}', c, loss
    ),
  ),
  'thin_spaces': (
    ('N', 'D', 'C', 'loss'),
    lambda n, d, c, loss: (
      f'{n:,.0f}'.replace(',', '\u202f'), f'{d:_.0f}', c, loss
    ),
  ),
  'exaflops': (
    ('N', 'D', 'C (EFLOP)', 'loss'),
    lambda n, d, c, loss: (n, d, repr(c / 1e18), loss),
  ),
  'petaflop_days': (
    ('N', 'D', 'Compute (PF-days)', 'loss'),
    lambda n, d, c, loss: (n, d, repr(c / 8.64e19), loss),
  ),
  'no_C': (
    ('N', 'D', 'loss'), lambda n, d, c, loss: (int(n), int(d), loss)
  ),
  'no_D': (('N', 'C', 'loss'), lambda n, d, c, loss: (n, repr(c), loss)),
  'no_N': (('D', 'C', 'loss'), lambda n, d, c, loss: (d, repr(c), loss)),
  'tokens_per_param': (
    ('N', 'tokens_per_param', 'loss'),
    lambda n, d, c, loss: (n, repr(d / n), loss),
  ),
  'steps_and_tokens': (
    ('N', 'step', 'total_batch_size', 'loss'),
    lambda n, d, c, loss: (n, d / 500_000, 500_000, loss),
  ),
  'steps_batch_context': (
    ('N', 'train/global_step', 'batch_size', 'seq_len', 'loss'),
    lambda n, d, c, loss: (n, d / 500_000, 500, 1000, loss),
  ),
  'batch_in_millions': (
    ('N', 'steps', 'Batch size (M tokens)', 'loss'),
    lambda n, d, c, loss: (n, d / 500_000, 0.5, loss),
  ),
  'perplexity': (
    ('N', 'D', 'C', 'val_ppl'),
    lambda n, d, c, loss: (n, d, c, repr(np.exp(loss).item())),
  ),
  'bits': (
    ('N', 'D', 'C', 'loss (bits/token)'),
    lambda n, d, c, loss: (n, d, c, repr(loss / float(np.log(2)))),
  ),
  'keras': (
    ('N', 'D', 'C', 'loss', 'val_loss'),
    lambda n, d, c, loss: (n, d, c, loss - 0.2, loss),
  ),
  'unit_in_a_column': (
    ('N', 'D', 'C', 'loss', 'loss_unit'),
    lambda n, d, c, loss: (n, d, c, repr(loss / float(np.log(2))), 'bits'),
  ),
  'layers_called_L': (
    ('N', 'D', 'L', 'loss'), lambda n, d, c, loss: (n, d, 12, loss)
  ),
  'widths_beside': (
    ('n_embd', 'n_layer', 'd_model', 'N', 'D', 'loss', 'loss_scale',
     'param_norm', 'tokens_per_sec', 'achieved_tflops'),
    lambda n, d, c, loss: (
      768, 12, 768, n, d, loss, 2.0**16, loss * 3, 1e5, 120
    ),
  ),
  'wandb_export': (
    ('Name', 'State', 'Created', 'Runtime', 'Tags', 'n_params', 'tokens',
     'train/loss', 'val/loss', 'lr', 'seed'),
    lambda n, d, c, loss: (
      f'gpt-{n:.0f}-{d:.0f}', 'finished', '2024-05-01T10:00:00Z', '3600', '',
      n, d, loss - 0.1, loss, 3e-4, 0
    ),
  ),
}  # fmt: skip


class CsvTest(ShapesCase):
  @parameterized.named_parameters(
    (name, *shape) for name, shape in SHAPES.items()
  )
  def test_shape(self, header, row):
    text = shapes_case.as_csv(header, [row(*one) for one in SIZES])
    runs = read_runs(self.write(text))
    self.assert_same(runs)
    np.testing.assert_allclose(runs.C, C, 1e-12)
    self.assertEmpty(runs.excluded)
    self.assertEmpty(runs.notes)

  def test_delimiters(self):
    for delimiter in '\t;|':
      text = shapes_case.as_csv(
        ('N', 'D', 'loss'), [(n, d, x) for n, d, _, x in SIZES], delimiter
      )
      self.assert_same(read_runs(self.write(text, f'{ord(delimiter)}.csv')))

  def test_semicolons_and_commas(self):
    rows = [
      (f'{n:,.0f}'.replace(',', '.'), f'{d / 1e9:.3f}'.replace('.', ','), comma(x))
      for n, d, _, x in SIZES
    ]  # fmt: skip
    text = shapes_case.as_csv(('N', 'D (B)', 'Loss'), rows, ';')
    self.assert_same(read_runs(self.write(text)))

  def test_encodings(self):
    text = shapes_case.as_csv(
      ('N', 'D', 'loss'), [(n, d, x) for n, d, _, x in SIZES]
    )
    for encoding in ('utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'):
      path = self.write(text.encode(encoding), f'{encoding}.csv')
      self.assert_same(read_runs(path))
    self.assert_same(
      read_runs(self.write(text.replace('\n', '\r\n'), 'dos.csv'))
    )
    self.assert_same(
      read_runs(self.write(gzip.compress(text.encode()), 'table.csv.gz'))
    )

  def test_columns_in_any_order(self):
    rng = np.random.default_rng(0)
    header = np.array(['N', 'D', 'C', 'loss', 'seed', 'val_loss_std', 'lr'])
    for _ in range(10):
      order = rng.permutation(len(header))
      rows = [np.array([*one, 0, 0.01, 3e-4])[order] for one in SIZES]
      text = shapes_case.as_csv(header[order], rows)
      self.assert_same(read_runs(self.write(text)))


class OtherFilesTest(ShapesCase):
  def test_json_lines(self):
    lines = [
      json.dumps({'config': {'n_params': n}, 'summary': {'tokens': d, 'val/loss': x}})
      for n, d, _, x in SIZES
    ]  # fmt: skip
    self.assert_same(read_runs(self.write('\n'.join(lines), 'runs.jsonl')))

  def test_json(self):
    columns = {k: v.tolist() for k, v in shapes_case.columns().items()}
    self.assert_same(read_runs(self.write(json.dumps(columns), 'runs.json')))

  def test_parquet(self):
    path = self.folder / 'runs.parquet'
    pl.DataFrame({'n_params': N, 'tokens': D, 'eval/loss': LOSS}).write_parquet(
      path
    )
    self.assert_same(read_runs(path))

  def test_frames(self):
    for frame in (dict, pd.DataFrame, pl.DataFrame):
      self.assert_same(Runs.from_dataframe(frame(shapes_case.columns())))
      whole = frame({'N': N.astype(int), 'D': D.astype(int), 'loss': LOSS})
      self.assert_same(Runs.from_dataframe(whole))


class OddTablesTest(ShapesCase):
  def test_text_with_decimal_commas_in_a_frame(self):
    loss = [f'{x:.5f}'.replace('.', ',') for x in LOSS]
    self.assert_same(Runs.from_dataframe({'N': N, 'D': D, 'loss': loss}))

  def test_one_row(self):
    one = {name: x[:1] for name, x in shapes_case.columns(C=C).items()}
    (run,) = Runs.from_dataframe(one)
    self.assertEqual((run.N, run.D, run.val_loss), (N[0], D[0], LOSS[0]))

  def test_all_alike(self):
    runs = Runs.from_dataframe(
      {'N': [1e8] * 5, 'D': [2e9] * 5, 'loss': [3] * 5}
    )
    self.assertLen(runs, 1)
    self.assertEqual(self.kinds(runs), {'duplicate': 4})

  def test_large_tables_are_fast(self):
    rng = np.random.default_rng(0)
    count = 10_000
    n = np.exp(rng.uniform(np.log(1e7), np.log(1e9), count)).round()
    d = np.exp(rng.uniform(np.log(1e9), np.log(1e11), count)).round()
    table = {
      'run_id': [f'r{i}' for i in range(count)], 'N': n, 'D': d, 'C': 6 * n * d,
      'loss': np.asarray(HOFFMANN.loss(n, d), float),
      'status': ['finished'] * count, 'lr': [1e-3] * count,
    }  # fmt: skip
    seeds = {'N': [1e8] * count, 'D': [2e9] * count,
             'loss': rng.normal(3, 0.1, count).round(6)}  # fmt: skip
    for one, most in ((table, count), (seeds, count)):
      start = time.process_time()
      runs = Runs.from_dataframe(one)
      # Some 1 s each; quadratic ones took minutes.
      self.assertLess(time.process_time() - start, 10)
      self.assertEqual(len(runs) + len(runs.excluded), most)


class PublishedTest(absltest.TestCase):
  def read(self, name):
    path = shared_data.PUBLISHED / name
    if not path.exists():
      self.skipTest(f'{name} of the published data is not here')
    return read_runs(path), shared_data.columns

  def test_nanochat(self):
    runs, _ = self.read('nanochat_isoflop.csv')
    self.assertLen(runs, COUNT)
    self.assertEmpty(runs.excluded)
    self.assertEqual(runs.unit, 'bits/byte')

  def test_chinchilla(self):
    runs, _ = self.read('chinchilla_figure4.csv')
    self.assertLen(runs, 245)
    self.assertEmpty(runs.excluded)

  def test_nanogpt(self):
    runs, columns = self.read('nanogpt_kaplan_L_ND.csv')
    n, d, loss = columns(self, 'nanogpt_kaplan_L_ND.csv')
    np.testing.assert_array_equal(runs.N, n)
    np.testing.assert_array_equal(runs.D, d)
    np.testing.assert_array_equal(runs.loss, loss)


if __name__ == '__main__':
  absltest.main()
