"""What columns are by their names, as projects write them."""

import itertools

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import vocabulary
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.analysis.runs.vocabulary import Rank
from scaling_jax.analysis.runs.vocabulary import Role

SIZES = {
  Role.N: """
    N | n_params | num_params | Params | params | parameters | n_parameters
    model_size | Model Size | modelSize | total_params | params_total
    non_embedding_params | Non-Embedding Parameters | num_scaling_params
    params (non-embedding) | active_params | trainable_parameters | # params
    No. of parameters | NParams | model.n_params | config/model/n_params
    parameter_count | num_parameters | N_non_emb | n_nonembedding
    params_no_embed | n_params_with_embed | paramètres | weights
    """,
  Role.D: """
    D | tokens | n_tokens | num_tokens | Tokens | tokens_trained | tokens_seen
    train/tokens_seen | num_input_tokens_seen | total_tokens | token_count
    consumed_train_tokens | training_tokens | Number of tokens | trainTokens
    throughput/total_tokens | dataset_size | D_tokens | tokens_processed
    """,
  Role.C: """
    C | flops | total_flops | FLOPs | Training FLOP | compute | flops_budget
    Training compute (FLOP) | C_budget
    Pretraining FLOPs | compute_budget | isoflop_budget | model_flops
    """,
  Role.STEPS: """
    step | steps | _step | global_step | train/global_step | num_iterations
    trainer/global_step | Step | iters
    """,
  Role.MAX_STEPS: 'max_steps | total_steps | num_train_steps | max_iters',
  Role.TOKENS_PER_STEP: """
    tokens_per_step | total_batch_size | batch_size_tokens | tokens_per_batch
    Batch size (tokens) | train_batch_tokens | batch_size_in_tokens
    """,
  Role.BATCH_SIZE: 'batch_size | global_batch_size | train_batch_size | bs',
  Role.CONTEXT: """
    seq_len | sequence_length | block_size | n_ctx | context_length | max_seq_len
    """,
  Role.LEARNING_RATE: """
    lr | learning_rate | Peak LR | peakLR | config/lr | lr_max | optim.lr | η
    """,
  Role.EPOCHS: 'epoch | epochs | train/epoch | num_train_epochs',
  Role.TEXT_TOKENS: 'unique_tokens | dataset_tokens | corpus_tokens',
  Role.TOKENS_PER_PARAM: """
    tokens_per_param | D/N | tokens/param | target_param_data_ratio
    """,
  Role.STATUS: 'status | State | job_state | run_status',
  Role.RUN_ID: 'run_id | id | Name | run | display_name | uid',
  Role.TEXT: 'dataset | data.name | data_path | corpus | text | train_dataset | mixture',
  Role.TOKENIZER: 'tokenizer | tokenizer_name',
  Role.VOCAB_SIZE: 'vocab_size | n_vocab',
  Role.SEED: 'seed | random_seed',
  Role.EXPERIMENT: 'experiment | project | study',
  Role.PROGRESS: """
    progress | fraction_done | percent_complete | % complete | progress (%)
    completed_% | train_progress
    """,
  Role.FLAG: 'crashed | is_finished | diverged | has_nan | early_stopped',
  Role.SEM: 'sem | val_loss_sem | loss_stderr',
}
NAMES = [
  (role, name.strip())
  for role, listed in SIZES.items()
  for line in listed.strip().splitlines()
  for name in line.split(' | ')
]

LOSSES = (
  ('val_loss', LossUnit.NATS, Rank.GOOD), ('eval/loss', LossUnit.NATS, Rank.GOOD),
  ('Validation Loss', LossUnit.NATS, Rank.GOOD),
  ('loss (validation)', LossUnit.NATS, Rank.GOOD),
  ('valLoss', LossUnit.NATS, Rank.GOOD), ('test_nll', LossUnit.NATS, Rank.GOOD),
  ('val_cross_entropy', LossUnit.NATS, Rank.GOOD),
  ('eval/paloma/macro_loss', LossUnit.NATS, Rank.GOOD),
  ('final_val_loss', LossUnit.NATS, Rank.GOOD),
  ('val_bpb', LossUnit.BITS_PER_BYTE, Rank.GOOD),
  ('BPB (val)', LossUnit.BITS_PER_BYTE, Rank.GOOD),
  ('eval/paloma/c4_en/bpb', LossUnit.BITS_PER_BYTE, Rank.GOOD),
  ('val loss [bits/token]', LossUnit.BITS, Rank.GOOD),
  ('eval/loss_bits', LossUnit.BITS, Rank.GOOD),
  ('val_ppl', LossUnit.PERPLEXITY, Rank.GOOD),
  ('test/perplexity', LossUnit.PERPLEXITY, Rank.GOOD),
  ('best_val_loss', LossUnit.NATS, Rank.SECOND),
  ('loss', LossUnit.NATS, Rank.FAIR), ('lm_loss', LossUnit.NATS, Rank.FAIR),
  ('bpc', LossUnit.BITS_PER_CHARACTER, Rank.FAIR),
  ('train_loss', LossUnit.NATS, Rank.POOR),
  ('loss (train)', LossUnit.NATS, Rank.POOR),
  ('L', LossUnit.NATS, Rank.POOR),
)  # fmt: skip

NOTHING = sorted(
  vocabulary.listed("""
  n_embd n_embed n_emb d_model d_k n_layer n_head depth embedding_params
  params_wte params_lm_head params_value_embeds param_norm params/norm
  log_params log10_flops sqrt_N tokens_per_sec tok/s tokens_per_second mfu
  flops_per_token flops_per_second achieved_tflops TFLOP/s tflops_per_gpu
  peak_flops gpu_hours time_budget budget_usd compute_hours cost_budget
  val_loss_std z_loss aux_loss router_z_loss load_balancing_loss loss_scale
  loss_delta predicted_loss initial_loss loss_type grad_norm accuracy
  warmup_tokens warmup_steps val_tokens pad_token_id bos_token tokens_GB
  tokens_in_context num_experts_per_tok n_seeds M B T isoflop_group notes
  created _timestamp runtime hellaswag top_k_tokens tokens_x_params
""")
)

UNITS = (
  ('Parameters (millions)', Role.N, 1e6), ('params_M', Role.N, 1e6),
  ('N [M]', Role.N, 1e6), ('N, M', Role.N, 1e6), ('#Params (M)', Role.N, 1e6),
  ('Params (bn)', Role.N, 1e9), ('Parameter（M）', Role.N, 1e6),
  ('Parameter (Mio.)', Role.N, 1e6), ('Parameters (10⁶)', Role.N, 1e6),
  ('params(百万)', Role.N, 1e6), ('N (10^6)', Role.N, 1e6),
  ('Million parameters', Role.N, 1e6),
  ('Tokens (B)', Role.D, 1e9), ('tokens_billions', Role.D, 1e9),
  ('Tokens (Mrd.)', Role.D, 1e9), ('Tokens (milliards)', Role.D, 1e9),
  ('tokens【B】', Role.D, 1e9), ('D (×10⁹)', Role.D, 1e9),
  ('n_tokens (1e9)', Role.D, 1e9), ('train_tokens_1e9', Role.D, 1e9),
  ('tokens (in trillions)', Role.D, 1e12), ('B_tokens', Role.D, 1e9),
  ('C (PF-days)', Role.C, 8.64e19), ('PF-days', Role.C, 8.64e19),
  ('Training compute (PetaFLOP/s-days)', Role.C, 8.64e19),
  ('GFLOPs', Role.C, 1e9), ('train_exaflops', Role.C, 1e18),
  ('FLOPs x 1e18', Role.C, 1e18), ('C (1e18)', Role.C, 1e18),
  ('throughput/total_gflops', Role.C, 1e9), ('zettaflops', Role.C, 1e21),
  ('Batch size (M tokens)', Role.TOKENS_PER_STEP, 1e6),
  ('progress (%)', Role.PROGRESS, 0.01),
)  # fmt: skip


class MeaningTest(parameterized.TestCase):
  @parameterized.parameters(*NAMES)
  def test_role(self, role, name):
    found = roles.meaning(name)
    self.assertIsNotNone(found)
    self.assertEqual(found.role, role)

  @parameterized.parameters(*LOSSES)
  def test_losses(self, name, unit, rank):
    self.assertEqual(
      roles.meaning(name), roles.Meaning(Role.LOSS, unit, rank), name
    )

  @parameterized.parameters(*NOTHING)
  def test_no_role_of_those_that_are_fitted(self, name):
    found = roles.meaning(name)
    self.assertTrue(
      found is None
      or found.role not in (Role.N, Role.D, Role.C, Role.LOSS, Role.STEPS),
      found,
    )

  @parameterized.parameters(*UNITS)
  def test_units(self, name, role, factor):
    found = roles.meaning(name)
    self.assertIsNotNone(found)
    self.assertEqual((found.role, numbers.factor(found.unit)), (role, factor))

  def test_case_spaces_and_signs_do_not_count(self):
    for role, words in (
      (Role.N, ('num', 'params')), (Role.D, ('tokens', 'seen')),
      (Role.LOSS, ('val', 'loss')), (Role.CONTEXT, ('seq', 'len')),
      (Role.LEARNING_RATE, ('learning', 'rate')),
    ):  # fmt: skip
      for sign, case in itertools.product(
        (' ', '_', '-', '.', '/', '  '), (str.lower, str.upper, str.title)
      ):
        name = sign.join(map(case, words))
        found = roles.meaning(name)
        self.assertEqual(found and found.role, role, name)

  def test_a_role_is_known_by_its_own_name(self):
    for role in Role:
      if role is not Role.FLAG:
        found = roles.meaning(str(role))
        self.assertEqual(found and found.role, role)

  def test_nothing_at_all(self):
    for name in ('', ' ', '_', '()', '[]', '%', '0', 'Unnamed: 0', '参数', '–'):
      self.assertIsNone(roles.meaning(name), name)


class FlagTest(absltest.TestCase):
  def test_kinds(self):
    for name, kind in (
      ('crashed', 'crashed'), ('Has Diverged', 'diverged'), ('is_done', ''),
      ('run_failed', 'crashed'), ('OOM', 'crashed'), ('finished', ''),
      ('stopped_early', 'early_stopped'), ('repeated_data', 'repeated_data'),
      ('completed', ''), ('completed_%', None), ('lr', None), ('nans', None),
    ):  # fmt: skip
      self.assertEqual(roles.flag_kind(name), kind, name)


class LossUnitTest(absltest.TestCase):
  def test_spellings(self):
    for unit, names in {
      LossUnit.BITS: ('bits', 'bits/token', 'Bits per token', 'bpt', 'log2'),
      LossUnit.BITS_PER_BYTE: ('bpb', 'bits/byte', 'Bits per byte', 'BPB'),
      LossUnit.NATS: ('nats', 'nats/token', 'nat', 'nats per token'),
      LossUnit.PERPLEXITY: ('ppl', 'Perplexity', 'PPL'),
      LossUnit.BITS_PER_CHARACTER: ('bpc', 'bits/char', 'bits per character'),
      LossUnit.NATS_PER_BYTE: ('nats/byte', 'nats per byte'),
      None: ('', 'M', 'tokens', 'accuracy', 'bytes'),
    }.items():
      for name in names:
        self.assertEqual(roles.loss_unit(name), unit, name)


if __name__ == '__main__':
  absltest.main()
