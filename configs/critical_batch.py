"""The critical batch size: one model, five batches, three learning rates.

python launch.py --config=configs/critical_batch.py:smoke
python launch.py --config=configs/critical_batch.py

The first takes 67 seconds on two CPU cores and finds B_crit from 19 to 385 tokens
at losses of 2.88 to 1.79 on the embedded corpus. The second is for accelerators;
its losses have not been measured. Half of each of its runs, from where the cosine
has halved the rate, is not used: --config.train.schedule=constant uses all.

At each loss the steps S and the tokens E that a batch needs lie on
(S/S_min - 1)(E/E_min - 1) = 1 (McCandlish et al. 2018). Each run trains on as
many tokens, and of the learning rates the one counts that gets there first.
"""

from configs import common


def get_config(arg=None):
  c = common.kaplan()
  c.experiment = 'critical_batch'
  c.models = ('4x128',)
  # As many tokens for each batch, 20,000 steps of the largest. A model of
  # another size wants another C.
  c.steps = None
  c.C = 1.24e16
  c.train.grad_accum = 1
  c.train.learning_rate_per_log_N = 0.0  # swept instead
  c.sweep['train.batch_size'] = (2, 4, 16, 64, 128)
  c.sweep['train.learning_rate'] = (1e-2, 1.2e-3, 1e-4)
  return common.apply_arg(c, arg, _smoke)


def _smoke(c):
  common.kaplan_smoke(c)
  c.models = ('1x32h1',)
  c.steps = None
  c.C = 2.4e11
  c.train.schedule = 'constant'
  c.train.warmup_steps = 20  # the largest batch is fast
  c.eval.every_steps = 20_000
