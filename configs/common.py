"""Every knob, declared once; the files beside this one set what differs.

A config's argument names a model and settings of the experiment, separated by
commas: `gpt-2`, `gpt-2,seeds=3`, `smoke`. Any knob can be set on the command
line, as in --config.train.learning_rate=3e-4.
"""

from collections.abc import Callable

import ml_collections
from ml_collections import config_dict

from scaling_jax import budget
from scaling_jax.errors import UserError


def get_config(arg: str | None = None) -> ml_collections.ConfigDict:
  """The defaults: nanoGPT's recipe for characters, gpt-0, no budget.

  Args:
    arg: see `apply_arg`; None leaves the defaults.
  """
  c = ml_collections.ConfigDict()
  c.experiment = 'common'  # names the folder of the runs
  c.C = config_dict.placeholder(float)  # compute budget, FLOPs; 6 N D
  c.steps = config_dict.placeholder(int)  # updates; overrides C where set
  c.models = ('gpt-0',)  # trained one after the other
  c.seeds = (0,)  # of initialization and batches; one run each
  # Fields and the values they take, as in c.sweep['train.beta2'] = (0.95, 0.99);
  # the runs are the product, times models and seeds.
  c.sweep = ml_collections.ConfigDict(allow_dotted_keys=True)
  c.dataset = 'gutenberg_poetry'  # a folder of data_dir
  c.data_dir = config_dict.placeholder(str)  # None: data/ beside launch.py
  c.data_fraction = 1.0  # of the training split, its first part
  c.parallel = 1  # runs at a time, unless --parallel sets others
  c.analyze = False  # fit and report at the end, unless --analyze decides
  c.devices = config_dict.placeholder(int)  # that share a batch; None: all

  c.model = m = ml_collections.ConfigDict()
  # None takes what the model's name tells.
  m.n_layer = config_dict.placeholder(int)  # blocks
  m.n_head = config_dict.placeholder(int)  # heads; divides n_embd
  m.n_embd = config_dict.placeholder(int)  # width
  m.block_size = 32  # tokens of context
  m.bias = False  # in projections and norms; GPT-2 has them
  m.dropout = 0.0  # share; runs of one epoch don't overfit
  m.unroll = 0  # blocks unrolled in the loop over depth; 0: all

  c.train = t = ml_collections.ConfigDict()
  t.batch_size = 64  # sequences in a step, times grad_accum
  t.grad_accum = 1  # pieces of a step taken one after the other
  t.learning_rate = 1e-3  # the peak
  # Added to the peak for each unit of ln N: Kaplan et al. 2020 shrink it so.
  t.learning_rate_per_log_N = 0.0
  t.min_learning_rate = 1e-4  # at the last step
  t.warmup_steps = 100  # updates from 0 to the peak
  t.schedule = 'cosine'  # after warmup: cosine, linear, constant
  t.beta1 = 0.9  # AdamW
  t.beta2 = 0.99  # short runs forget faster
  t.weight_decay = 0.1  # on tensors of two or more axes
  t.grad_clip = 1.0  # the gradient's largest norm; 0: no clipping
  t.dtype = 'float32'  # of the computation; or bfloat16
  # Updates in one dispatch; None: about four seconds of them.
  t.steps_per_dispatch = config_dict.placeholder(int)

  c.eval = e = ml_collections.ConfigDict()
  e.every_steps = 250  # updates between evaluations
  # Of the fixed validation sample. nanoGPT takes 200, a fifth of a CPU's time; the
  # loss that counts is the last one, over the whole split.
  e.batches = 20
  e.batch_size = 64  # sequences in each, whatever the training batch

  c.checkpoint = k = ml_collections.ConfigDict()
  k.every_seconds = 60.0  # between checkpoints; shorter runs save at the end
  k.keep = 2  # the latest ones

  # Beside the records, in the run's folder: pip install "scaling_jax[logging]".
  c.log = g = ml_collections.ConfigDict()
  g.tensorboard = False  # event files
  g.wandb = ''  # Weights & Biases: '' for no log, offline, online
  g.project = 'scaling_jax'  # its name there
  return apply_arg(c, arg)


def apply_arg(
  config: ml_collections.ConfigDict,
  arg: str | None,
  smoke: Callable[[ml_collections.ConfigDict], None] | None = None,
) -> ml_collections.ConfigDict:
  """Applies a config's argument.

  Args:
    config: changed in place.
    arg: comma-separated: a model's name narrows `models` to it; `seeds=3`
      takes the seeds 0, 1, 2; `smoke` shrinks everything to seconds.
    smoke: how this experiment shrinks, where it is to show more than that
      everything works.

  Raises:
    UserError: a part is none of these.
  """
  parts = [part for part in (arg or '').split(',') if part]
  # `smoke` names models of its own: another part may narrow those.
  for part in sorted(parts, key=lambda part: part != 'smoke'):
    key, _, value = part.partition('=')
    if key == 'smoke':
      (smoke or _smoke)(config)
    elif key == 'seeds' and value.isdigit() and int(value) > 0:
      config.seeds = tuple(range(int(value)))
    elif not value:
      config.models = (part,)
      config.model.update(budget.model_shape(part)._asdict())
    else:
      raise UserError(
        f'{part!r} in the config argument {arg!r} is not known: a part must be'
        ' a model, seeds=NUMBER or smoke; try gpt-0,seeds=3'
      )
  return config


def kaplan() -> ml_collections.ConfigDict:
  """The recipe of Kaplan et al. 2020 (arXiv 2001.08361, sections 2.2, D.6).

  2^19 tokens a step, 250,000 steps of them, 3000 of warmup, a cosine to 0, a
  learning rate of 0.003239 - 0.0001395 ln N, dropout 0.1.
  """
  c = get_config()
  c.analyze = True
  c.steps = 250_000
  c.model.block_size = 1024
  c.model.dropout = 0.1
  c.train.batch_size = 8  # in pieces that 24 GB of memory hold
  c.train.grad_accum = 64
  c.train.learning_rate = 0.003239
  c.train.learning_rate_per_log_N = -0.0001395
  c.train.min_learning_rate = 0.0
  c.train.warmup_steps = 3000
  c.eval.every_steps = 1000
  c.checkpoint.every_seconds = 300.0
  return c


def kaplan_smoke(config: ml_collections.ConfigDict) -> None:
  """Shrinks a Kaplan experiment to minutes that still show its laws.

  The embedded corpus, models of one block, 128 tokens a step and a learning
  rate for all, as in the quickstart, which tells why.
  """
  config.experiment += '-smoke'
  config.dataset = 'synthetic'
  config.parallel = 2
  config.steps = 20_000
  config.model.block_size = 16
  config.model.dropout = 0.0
  config.train.batch_size = 8
  config.train.grad_accum = 1
  config.train.learning_rate = 4e-3
  config.train.learning_rate_per_log_N = 0.0
  config.train.warmup_steps = 100
  config.eval.every_steps = 1000


def _smoke(config: ml_collections.ConfigDict) -> None:
  """Shrinks an experiment to seconds, on the embedded corpus."""
  config.experiment += '-smoke'
  config.dataset = 'synthetic'
  config.models = ('1x16', '1x32')
  config.steps = 20
  config.parallel = 1
  config.sweep = ml_collections.ConfigDict(allow_dotted_keys=True)
  config.train.batch_size = 8
  config.train.warmup_steps = 5
  config.eval.every_steps = 10
  config.eval.batches = 4
  config.eval.batch_size = 8
  config.data_fraction = 0.1
