"""What a column is by its name, in every spelling."""

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.columns import Kind

RECIPE = (
  'lr', 'LR', 'peak_lr', 'Learning Rate', 'learningRate', 'learning-rate',
  'maxLR', 'η', 'ηₘₐₓ', 'optim.lr', 'config/optimizer.learning_rate',
  'weight_decay', 'wd', 'WD', 'warmup_steps', 'n_warmup', 'warm-up',
  'schedule', 'lr_schedule_name', 'optimizer', 'Optimiser', 'momentum',
  'adam_beta2', 'beta1', 'b2', 'eps', 'dropout', 'init_std', 'init scale',
  'grad_clip_norm', 'z_loss_coef', 'decay_steps', 'width', 'depth', 'd_model',
  'n_layers', 'ﬁnal_lr',
)  # fmt: skip
BATCH = (
  'batch', 'batch_size', 'Batch Size', 'batchSize', 'bs', 'gbs',
  'global_batch_size', 'tokens_per_batch', 'tokens_per_step',
)  # fmt: skip
OTHER = (
  '', 'Unnamed: 0', 'index', 'seed', 'random_seed', 'init_seed', 'run_id', 'id',
  'Name', 'run name', 'wandb_url', 'wall_s', 'wall time', 'Runtime', 'Created',
  'date', 'train_loss', 'best_lr_val_loss', 'ppl', 'accuracy', 'notes', 'step',
  '_step', 'S', 'num_iterations', 'flops', 'N_total', 'tokens_per_param',
  'device', 'grad_norm', 'val_batch_size', 'micro_batch_size', 'batch_time',
  'trial', 'replicate', 'State', 'Tags',
)  # fmt: skip
UNKNOWN = ('colour', 'model', 'dataset', '学习率', 'шаг', 'x', 'température')


class KindTest(parameterized.TestCase):
  @parameterized.parameters(
    (RECIPE, Kind.RECIPE), (BATCH, Kind.BATCH), (OTHER, Kind.OTHER),
    (UNKNOWN, Kind.UNKNOWN),
  )  # fmt: skip
  def test_names(self, names, kind):
    self.assertEqual({n: columns.kind(n) for n in names},
                     dict.fromkeys(names, kind))  # fmt: skip


class ValueTest(absltest.TestCase):
  def test_numbers_are_compared_as_numbers(self):
    for text in ('0.001', '1e-3', ' 1.0E-03', '.001', '0.0010000000001'):
      self.assertEqual(columns.value(text), '0.001')
    self.assertNotEqual(columns.value('1e-3'), columns.value('1.01e-3'))

  def test_what_is_not_known(self):
    for text in ('', '  ', 'nan', 'NaN', 'None', 'NULL', 'N/A', '<NA>', '-'):
      self.assertEqual(columns.value(text), '')

  def test_text(self):
    self.assertEqual(columns.value(' AdamW '), columns.value('adamw'))
    self.assertNotEqual(columns.value('adam'), columns.value('lion'))


if __name__ == '__main__':
  absltest.main()
