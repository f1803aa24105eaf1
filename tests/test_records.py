"""Records that come back as they were written, whole or not at all."""

import csv
import hashlib
import json
import math

from absl.testing import absltest
from etils import epath
import numpy as np

from scaling_jax import records
from tests.example_records import make_run

COLUMNS = (
  'run_id,experiment,dataset,model,n_layer,n_head,n_embd,seed,batch_size,'
  'block_size,C,N,D,S,N_total,flops,tokens_per_param,train_loss,val_loss,'
  'val_loss_sem,val_bpb,wall_s,tokens_per_s,device,status,learning_rate,'
  'min_learning_rate,schedule,warmup_steps,tokens_per_step,text_tokens,'
  'vocab_size,text,tokenizer'
)
RECIPE = {
  'learning_rate': 1e-3, 'min_learning_rate': 1e-4, 'schedule': 'cosine',
  'warmup_steps': 100, 'tokens_per_step': 2048, 'text_tokens': 1000,
  'vocab_size': 66, 'text': '3f2a91bc-77d01e22', 'tokenizer': 'char',
}  # fmt: skip


def make_evaluation(step):
  return records.Evaluation(
    step=step, tokens=step * 2048, flops=step * 3e9, train_loss=None,
    val_loss=4.2, val_loss_sem=0.01, val_bpb=6.06, lr=None, grad_norm=None,
    tokens_per_s=None, wall_s=1.5,
  )  # fmt: skip


class RecordsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = epath.Path(self.create_tempdir().full_path)

  def folder_of(self, run):
    folder = self.folder / run.run_id
    folder.mkdir()
    return folder

  def test_columns_are_the_design_s(self):
    self.assertEqual(','.join(records.Run._fields), COLUMNS)

  def test_result_round_trip(self):
    run = make_run()
    folder = self.folder_of(run)
    self.assertIsNone(records.read_result(folder))
    records.write_result(folder, run)
    self.assertEqual(records.read_result(folder), run)

  def test_the_recipe_comes_last(self):
    self.assertEqual(records.REQUIRED, records.Run._fields[:25])
    self.assertEqual(records.RECIPE, tuple(RECIPE))

  def test_counts_stay_whole(self):
    run = make_run(**RECIPE)
    folder = self.folder_of(run)
    records.write_result(folder, run)
    (read,) = records.write_results(self.folder)
    self.assertEqual(repr(read), repr(run))
    with (self.folder / records.RESULTS).open() as file:
      (row,) = csv.DictReader(file)
    self.assertEqual(records.typed(records.Run, row), run)
    self.assertEqual((row['N'], row['warmup_steps']), ('221664', '100'))

  def test_a_record_without_a_recipe_is_read(self):
    run = make_run()
    folder = self.folder_of(run)
    old = dict(zip(records.REQUIRED, run))
    records.write_json(folder / records.RESULT, old)
    read = records.read_result(folder)
    self.assertEqual(read, run)
    self.assertEqual((read.schedule, read.vocab_size), ('', 0))
    self.assertTrue(math.isnan(read.warmup_steps))

  def test_all_else_must_be_there(self):
    for name in records.REQUIRED:
      with self.subTest(name):
        fields = make_run(**RECIPE)._asdict()
        del fields[name]
        with self.assertRaises(KeyError):
          records.typed(records.Run, fields)

  def test_sizes_that_are_no_whole_numbers(self):
    fields = {**make_run()._asdict(), 'N': '1.5e6', 'D': 2.5}
    read = records.typed(records.Run, fields)
    self.assertEqual((read.N, read.D), (1.5e6, 2.5))

  def test_nan_is_null_in_json_and_nan_again_when_read(self):
    run = make_run(val_loss=math.nan, status='diverged')
    folder = self.folder_of(run)
    records.write_result(folder, run)
    strict = json.loads((folder / records.RESULT).read_text())
    self.assertIsNone(strict['val_loss'])
    self.assertTrue(math.isnan(records.read_result(folder).val_loss))

  def test_metrics_round_trip(self):
    lines = [make_evaluation(step) for step in (0, 250, 500)]
    records.write_metrics(self.folder, lines)
    self.assertEqual(records.read_metrics(self.folder), lines)
    text = (self.folder / records.METRICS).read_text().splitlines()
    self.assertEqual([json.loads(line)['step'] for line in text], [0, 250, 500])

  def test_results_are_sorted_and_unfinished_runs_omitted(self):
    for model, C, N, seed in (
      ('b', 2.0, 5, 0),
      ('a', 1.0, 9, 1),
      ('a', 1.0, 9, 0),
    ):
      run = make_run(run_id=f'{model}{C}{seed}', C=C, N=N, seed=seed)
      records.write_result(self.folder_of(run), run)
    (self.folder / 'unfinished').mkdir()
    records.write_results(self.folder)
    with (self.folder / records.RESULTS).open() as file:
      rows = list(csv.DictReader(file))
    found = [(float(r['C']), int(r['seed'])) for r in rows]
    self.assertEqual(found, [(1.0, 0), (1.0, 1), (2.0, 0)])
    self.assertEqual(','.join(rows[0]), COLUMNS)

  def test_swept_fields_are_columns(self):
    for seed, decay, name in ((0, 0.1, 'a'), (1, 0.1, 'b'), (0, 0.3, 'c')):
      run = make_run(run_id=name, seed=seed)
      folder = self.folder_of(run)
      records.write_result(folder, run)
      train = {'weight_decay': decay, 'learning_rate': decay, 'beta1': 0.9}
      identity = {'train': train, 'seed': seed, 'sha256': {'train': name}}
      records.write_json(folder / records.CONFIG, {'identity': identity})
    lost = make_run(run_id='lost', seed=2)
    records.write_result(self.folder_of(lost), lost)
    records.write_results(self.folder)
    with (self.folder / records.RESULTS).open() as file:
      rows = list(csv.DictReader(file))
    self.assertEqual(','.join(rows[0]), f'{COLUMNS},train.weight_decay')
    self.assertEqual(
      {row['run_id']: row['train.weight_decay'] for row in rows},
      {'a': '0.1', 'b': '0.1', 'c': '0.3', 'lost': ''},
    )

  def test_seeds_are_no_sweep(self):
    settings = [{'seed': seed, 'train.beta2': 0.99} for seed in range(3)]
    self.assertEqual(records.swept(settings), [{}, {}, {}])

  def test_a_text_is_its_content(self):
    hashes = [
      {'train': hashlib.sha256(a).hexdigest(), 'val': hashlib.sha256(b).hexdigest()}
      for a, b in ((b'ab', b'c'), (b'ab', b'c'), (b'abc', b'c'), (b'ab', b'd'))
    ]  # fmt: skip
    one, same, longer, other = map(records.text_id, hashes)
    self.assertEqual(one, same)
    self.assertLen({one, longer, other}, 3)
    for nothing in (None, {}, 'abc', {'train': 'ab'}, {'train': 1, 'val': 2}):
      self.assertEqual(records.text_id(nothing), '')

  def test_a_failed_write_leaves_the_old_file(self):
    path = self.folder / 'x.json'
    records.write_json(path, {'a': 1})
    with self.assertRaises(TypeError):
      records.write_json(path, {'a': object()})
    self.assertEqual(records.read_json(path), {'a': 1})
    self.assertLen(list(self.folder.iterdir()), 1)

  def test_npy(self):
    losses = np.array([1.5, np.nan, 2.0], np.float32)
    records.write_npy(self.folder / 'l.npy', losses)
    read = np.load(self.folder / 'l.npy', allow_pickle=False)
    np.testing.assert_array_equal(read, losses)
    self.assertEqual(read.dtype, np.float32)


if __name__ == '__main__':
  absltest.main()
