"""What a column of another project's table is by its name: a recipe, or not.

Names come in every spelling: learning_rate, Learning Rate, peakLR,
optim.lr, config/lr, η. A name that tells nothing is UNKNOWN, and its values
have to.
"""

from collections.abc import Iterable
import enum
import functools
import itertools
import math
import re
import unicodedata

from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs.vocabulary import listed


class Kind(enum.Enum):
  """What rows of one N and D are that differ in a column."""

  RECIPE = 'recipe'  # they were trained in different ways
  BATCH = 'batch'  # likewise, with D rounded to whole steps
  OTHER = 'other'  # names, seeds, outputs, sizes: it doesn't tell
  UNKNOWN = 'unknown'


_WORD = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[Α-ω]|[^\W\d_]+')

# One of these words, and it is no recipe whatever else the name holds.
_NEVER = listed(
  """
  loss losses ppl perplexity bpb bpc bits nll acc accuracy err error score
  metric eval evaluation val valid validation test sem std stdev stderr
  seed seeds rng id ids uuid unnamed index idx
  time date datetime timestamp created updated started finished runtime duration
  elapsed wall walltime seconds secs sec minutes hours days ms throughput speed
  mfu memory mem cost price
  url link hash sha commit path dir folder file filename host hostname job slurm
  note notes comment comments remark remarks description
  micro device devices gpu gpus tpu tpus node nodes worker workers accum
  machine cluster region queue partition
  accumulation
  """
)
_RECIPE = listed(
  """
  lr lrs learningrate learnrate eta η
  wd weightdecay decay l1 l2
  warmup warmupsteps schedule scheduler sched lrschedule anneal annealing
  cooldown
  optimizer optimiser optim opt momentum nesterov beta betas beta1 beta2 eps
  epsilon dropout pdrop init initializer initialization clip clipping gradclip
  mup ema smoothing regularization hyperparameters
  width depth layer layers nlayer nlayers head heads nhead hidden ffn mlp dmodel
  embd
  """
)
_BATCH = frozenset(('batch', 'batchsize', 'bs', 'gbs'))
_BATCH_NAMES = frozenset(('tokensperstep', 'tokensperupdate'))
# Two words side by side.
_RECIPE_PAIRS = frozenset(
  (
    ('learning', 'rate'), ('warm', 'up'), ('cool', 'down'), ('d', 'model'),
    ('b', '1'), ('b', '2'), ('l', '1'), ('l', '2'), ('loss', 'coef'),
    ('loss', 'weight'), ('z', 'loss'), ('aux', 'loss'), ('init', 'std'),
  )
)  # fmt: skip
# Words of a name that tells nothing of how a run was trained, unless a word of
# the recipe stands beside it.
_OTHER = listed(
  """
  name run runs tag tags group user owner state status sweep version step steps
  iter iters iteration iterations batches updates flop flops compute budget
  param params parameter parameters token tokens trial trials rep reps replicate
  replicates repeat repetition replica replicas fold attempt try checkpoint ckpt
  experiment project author source row line rank no number num grad norm
  total count
  """
)
_SIZES = frozenset('cndslt')  # a name of one letter


@functools.lru_cache(10_000)
def words(name: str) -> tuple[str, ...]:
  """A name's words, in lower case.

  >>> words('config/peakLearningRate'), words('adam_b2')
  (('config', 'peak', 'learning', 'rate'), ('adam', 'b', '2'))
  """
  plain = unicodedata.normalize('NFKC', name)
  return tuple(word.casefold() for word in _WORD.findall(plain))


def kind(name: str) -> Kind:
  """What a column is by its name.

  >>> [kind(x).name for x in ('Learning Rate', 'gbs', 'seed', 'colour')]
  ['RECIPE', 'BATCH', 'OTHER', 'UNKNOWN']
  >>> [kind(x).name for x in ('warmup_steps', 'steps', 'Unnamed: 0', '')]
  ['RECIPE', 'OTHER', 'OTHER', 'OTHER']
  """
  parts = words(name)
  found, pairs = set(parts), set(itertools.pairwise(parts))
  paired = pairs & _RECIPE_PAIRS
  # z_loss_weight and init_std are no outputs.
  never = found & _NEVER - ({'loss', 'std'} if paired else set())
  if not parts or never or ''.join(parts) in _SIZES:
    return Kind.OTHER
  if found & _BATCH or ''.join(parts) in _BATCH_NAMES:
    return Kind.BATCH
  if found & _RECIPE or paired:
    return Kind.RECIPE
  return Kind.OTHER if found & _OTHER else Kind.UNKNOWN


def value(text: str) -> str:
  """A cell as it is compared: '' where nothing is known, a number as number.

  >>> value('1e-3') == value(' 0.00100'), value('N/A'), value('Cosine ')
  (True, '', 'cosine')
  """
  plain = unicodedata.normalize('NFKC', text).strip().casefold()
  if plain in numbers.MISSING:
    return ''
  number = as_number(plain)
  return plain if math.isnan(number) else f'{number:.6g}'


def as_number(text: str) -> float:
  """The number that a cell holds; nan where it holds none.

  >>> as_number('3e-4'), as_number('adam')
  (0.0003, nan)
  """
  try:
    return float(text)
  except ValueError:
    return math.nan


def whole(text: str) -> int:
  """The whole number that a cell holds, 4 and 4.0 alike; 0 where none.

  >>> whole('4.0'), whole('many')
  (4, 0)
  """
  number = numbers.parse(text)
  return int(number) if math.isfinite(number) else 0


def same_name(name: str, names: Iterable[str]) -> str:
  """The column of a name, case and signs aside; '' where there is none.

  >>> same_name('Val Loss', ('N', 'val_loss'))
  'val_loss'
  """
  names = tuple(names)
  if name in names:
    return name
  return next((one for one in names if words(one) == words(name)), '')
