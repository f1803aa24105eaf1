"""What Hugging Face's Trainer leaves behind, and N by its config.json."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs.readers import architectures
from scaling_jax.analysis.runs.readers import files
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase

GPT2 = {'model_type': 'gpt2', 'n_layer': 12, 'n_embd': 768, 'n_inner': None}
LLAMA_7B = {
  'model_type': 'llama', 'hidden_size': 4096, 'intermediate_size': 11008,
  'num_hidden_layers': 32, 'num_attention_heads': 32,
}  # fmt: skip
QWEN2_HALF_B = {
  'model_type': 'qwen2', 'hidden_size': 896, 'intermediate_size': 4864,
  'num_hidden_layers': 24, 'num_attention_heads': 14, 'num_key_value_heads': 2,
}  # fmt: skip
QWEN3_HALF_B = {
  'model_type': 'qwen3', 'hidden_size': 1024, 'intermediate_size': 3072,
  'num_hidden_layers': 28, 'num_attention_heads': 16, 'num_key_value_heads': 8,
  'head_dim': 128,
}  # fmt: skip
PYTHIA_160M = {
  'model_type': 'gpt_neox', 'hidden_size': 768, 'intermediate_size': 3072,
  'num_hidden_layers': 12,
}  # fmt: skip


def state(step, *history, **changes):
  return json.dumps({
    'global_step': step, 'max_steps': 300, 'epoch': 0.5, 'total_flos': 1e15,
    'log_history': list(history), **changes,
  })  # fmt: skip


def evaluated(step, loss, **more):
  return {'eval_loss': loss, 'step': step, 'epoch': 0.1, **more}


class StateTest(TableCase):
  def test_a_run(self):
    path = self.write(
      state(
        300, {'loss': 5.0, 'step': 50}, evaluated(100, 4.0),
        evaluated(300, 3.5, num_input_tokens_seen=9000),
        {'train_loss': 4.5, 'step': 300}, num_input_tokens_seen=9000,
      ),
      'big/trainer_state.json',
    )  # fmt: skip
    self.write(json.dumps(GPT2), 'big/config.json')
    self.assertTrue(files.is_run_folder(path.parent))
    for given in (path, path.parent):
      (sheet,) = files.read_sheets(given)
      (line,) = sheet.lines
      self.assertEqual(
        line.cells,
        {
          'run_id': 'big', 'eval_loss': '3.5', 'steps': '300',
          'max_steps': '300', 'epoch': '0.5', 'num_input_tokens_seen': '9000',
          'total_flos': '1000000000000000.0', 'N': '85056000',
          'state': 'finished',
        },
      )  # fmt: skip
      self.assertLen(sheet.notes, 2)
      kept = sheet.evaluations[line.number]
      np.testing.assert_array_equal(kept.step, [100, 300])
      np.testing.assert_array_equal(kept.loss, [4, 3.5])
      np.testing.assert_array_equal(kept.tokens, [np.nan, 9000])

  def test_the_latest_checkpoint(self):
    for step in (900, 1000):
      name = f'big/checkpoint-{step}/trainer_state.json'
      path = self.write(state(step, evaluated(step, 1 / step)), name)
    self.assertTrue(files.is_run_folder(self.folder / 'big'))
    for given in (self.folder / 'big', path.parent, path):
      (line,) = files.read_sheets(given)[0].lines
      self.assertEqual(
        (line.cells['run_id'], line.cells['steps'], line.cells['eval_loss']),
        ('big', '1000', '0.001'),
      )

  @parameterized.parameters(
    (({'loss': 5.0}, {'loss': 4.0}), 'loss', '4.0'),
    (({'loss': 5.0}, {'train_loss': 5.5}), 'loss', '5.0'),
    (({'train_loss': 4.5},), 'train_loss', '4.5'),
    (({'eval_c4_loss': 3.0}, {'loss': 1.0}), 'eval_c4_loss', '3.0'),
  )
  def test_which_loss(self, history, name, text):
    path = self.write(state(200, *history), 'a/trainer_state.json')
    (sheet,) = files.read_sheets(path)
    self.assertEqual(sheet.columns[1], name)
    cells = sheet.lines[0].cells
    self.assertEqual((cells[name], cells['state']), (text, 'unfinished'))
    self.assertNotIn('num_input_tokens_seen', cells)
    self.assertNotIn('N', cells)
    self.assertLen(sheet.notes, 1 if name.startswith('eval_') else 2)

  def test_folders_that_hold_a_model_s_config(self):
    last = state(300, evaluated(300, 3.5), num_input_tokens_seen=9e7)
    first = state(100, evaluated(100, 4.5), num_input_tokens_seen=3e7)
    for name, text in (('', last), ('checkpoint-100/', first)):
      path = self.write(text, f'runs/big/{name}trainer_state.json')
      self.write(json.dumps(GPT2), f'runs/big/{name}config.json')
    for given in (self.folder / 'runs', self.folder / 'runs' / 'big'):
      runs = read_runs(given)
      self.assertEqual((runs.run_ids, runs.excluded), (('big',), ()))
      self.assertEqual((runs.D[0], runs.N[0]), (9e7, 85_056_000))
    self.assertEqual(read_runs(path.parent, include=['unfinished']).D[0], 3e7)

  def test_one_broken_of_several_is_excluded(self):
    for name in ('a', 'b', 'torn'):
      whole = state(300, evaluated(300, 3.5), num_input_tokens_seen=9e7)
      self.write(
        '{"log' if name == 'torn' else whole, f'runs/{name}/trainer_state.json'
      )
      self.write(json.dumps(GPT2), f'runs/{name}/config.json')
    runs = read_runs(self.folder / 'runs')
    self.assertEqual(runs.run_ids, ('a', 'b'))
    (out,) = runs.excluded
    self.assertEqual((out.run_id, str(out.kind)), ('torn', 'unreadable'))
    self.assertIn('is not JSON', out.reason)
    with self.assertRaisesRegex(UserError, 'is not JSON'):
      read_runs(self.folder / 'runs' / 'torn')

  def test_refused(self):
    with self.assertRaisesRegex(UserError, 'is not JSON'):
      files.read_sheets(self.write('{', 'trainer_state.json'))
    with self.assertRaisesRegex(UserError, 'log_history'):
      files.read_sheets(self.write('{}', 'trainer_state.json'))


class ArchitectureTest(parameterized.TestCase):
  # All parameters as published on the models' cards, but for the vocabulary.
  @parameterized.parameters(
    (GPT2, 124_439_808 - (50_257 + 1024) * 768),
    (LLAMA_7B, 6_738_415_616 - 2 * 32_000 * 4096),
    (QWEN2_HALF_B, 494_032_768 - 151_936 * 896),
    (QWEN3_HALF_B, 596_049_920 - 151_936 * 1024),
    (PYTHIA_160M, 85_056_000),
  )
  def test_published(self, config, N):
    self.assertEqual(architectures.non_embedding(config), N)

  def test_biases(self):
    plain = architectures.non_embedding(LLAMA_7B)
    biased = {**LLAMA_7B, 'attention_bias': True, 'mlp_bias': True}
    per_layer = 4 * 4096 + 2 * 11008 + 4096
    self.assertEqual(
      architectures.non_embedding(biased) - plain, 32 * per_layer
    )

  @parameterized.parameters(
    ({},),
    ({'model_type': 'bert', 'hidden_size': 8},),
    ({'model_type': 'gpt2', 'n_layer': 12},),
    ({**LLAMA_7B, 'num_local_experts': 8},),
    ({**LLAMA_7B, 'hidden_size': 'large'},),
    ({**LLAMA_7B, 'num_hidden_layers': -1},),
  )
  def test_unknown(self, config):
    self.assertEqual(architectures.non_embedding(config), 0)


if __name__ == '__main__':
  absltest.main()
