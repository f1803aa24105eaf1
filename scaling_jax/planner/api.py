"""The planner for Python: `sj.plan`, `sj.design`, and what they take.

The command line is this, with flags.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from etils import epath

from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.errors import UserError
from scaling_jax.planner import law_registry
from scaling_jax.planner import models as models_lib
from scaling_jax.planner import plan as plan_lib
from scaling_jax.planner import resources as resources_lib
from scaling_jax.planner.law_registry import LawLike
from scaling_jax.planner.models import Comparison
from scaling_jax.planner.plan import Plan
from scaling_jax.planner.resources import Machine

if TYPE_CHECKING:
  from scaling_jax.planner.configs import ConfigLike
  from scaling_jax.planner.design import Design

LAWS = law_registry.NAMES  # of papers

# Three hundred draws tell nothing of what is rarer.
_DESIGN_LEVELS = (0.5, 0.98)


def plan(
  flops: float | None = None,
  tokens: float | None = None,
  *,
  machine: Machine | None = None,
  law: 'LawLike | Sequence[LawLike]' = 'besiroglu',
  corpus: epath.PathLike | None = None,
  tokenizer: str | None = None,
  epochs: float = 1.0,
  tokens_per_step: int | None = None,
  block_size: int = 1024,
  vocab_size: int | None = None,
  level: float = LEVEL,
) -> Plan:
  """What to train with what there is, by one law or by several.

  Tokens are worth an amount of compute to a law: the C whose optimum trains on
  all of them. If that is less than the compute at hand, the data bind, and the
  plan is the law's best use of all the tokens; otherwise it is the best use of
  all the compute.

  Args:
    flops: compute, FLOPs.
    tokens: of text to train on.
    machine: devices for some days; the least of it and `flops` binds.
    law: 'hoffmann', 'besiroglu' or 'kaplan'; the path of a fits.json; a fit of
      Hoffmann's approaches; an Analysis; or several of them.
    corpus: text to count in the place of `tokens`: a file, a folder of .txt
      files, or a prepared corpus.
    tokenizer: what a token is: 'char', or an encoding of tiktoken's.
    epochs: passes over the text that are allowed.
    tokens_per_step: of a batch; None for the largest power of two that leaves
      ten thousand steps, from 2^11 to 2^22.
    block_size: tokens of context, for the count of position embeddings.
    vocab_size: kinds of tokens; None for the text's own, or the law's.
    level: of the intervals.

  Raises:
    UserError: nothing bounds the plan, a number is not positive, or a law can't
      be read or is not ok.

  >>> found = plan(5.76e23).laws['besiroglu']
  >>> print(f'{found.N.value:.3g} parameters, {found.D.value:.3g} tokens')
  7.22e+10 parameters, 1.33e+12 tokens
  >>> week = Machine('h100', count=8, days=7, mfu=0.4)
  >>> both = plan(machine=week, tokens=1e9, law=['hoffmann', 'kaplan'])
  >>> [one.binds for one in both.laws.values()]
  ['tokens', 'tokens']
  """
  for name, x in (
    ('tokens_per_step', tokens_per_step), ('block_size', block_size),
    ('vocab_size', vocab_size),
  ):  # fmt: skip
    if x is not None and x < 1:
      raise UserError(f'{name}={x} must be at least 1; try {name}=1024')
  if not 0 < level < 1:
    raise UserError(f'level={level:g} must be between 0 and 1; try level=0.95')
  text = resources_lib.text_of(
    tokens, corpus, tokenizer=tokenizer, vocab_size=vocab_size, epochs=epochs
  )
  return plan_lib.make(
    resources_lib.gather(flops, machine, text),
    law_registry.laws_of(law),
    plan_lib.BuildOptions(tokens_per_step, block_size, vocab_size, level),
  )


def design(
  configs: 'ConfigLike | Sequence[ConfigLike]',
  *,
  law: 'LawLike | None' = None,
  noise: float = 0.003,
  seed_noise: float | None = None,
  level: float = LEVEL,
  n_laws: int = 120,
  draws: int = 300,
  seed: int = 0,
) -> 'Design':
  """What an experiment will resolve, before a step of it is trained.

  For each of many plausible laws a study of these runs is simulated and
  analyzed: docs/planner.md has the method, and how well it predicted.

  Args:
    configs: of one experiment: FILE.py, FILE.py:ARG, or ConfigDicts.
    law: that is known already, to draw plausible laws near; None for laws over
      the ranges that studies have shown.
    noise: sd of log L about the law.
    seed_noise: sd of log L between seeds; a quarter of `noise` if None.
    level: of the intervals, from 0.5 to 0.98.
    n_laws: how many plausible laws.
    draws: refits of each law's study.
    seed: of all that is drawn.

  Raises:
    UserError: a config can't be read, a run is named twice, or a number makes
      no sense.

  >>> found = design('configs/quickstart.py', n_laws=2, draws=20)
  >>> found.n_runs, list(found.approaches)
  (18, ['isoflop', 'chinchilla'])
  """
  low, high = _DESIGN_LEVELS
  if not low <= level <= high:
    raise UserError(
      f'level={level:g} must be from {low:g} to {high:g}; try level=0.95'
    )
  noise = resources_lib.positive('noise', noise, 'sd of log L', '0.003')
  if seed_noise is None:
    seed_noise = noise / 4
  resources_lib.positive('seed_noise', seed_noise, 'sd of log L', '0.001')
  if seed_noise > noise:
    raise UserError(
      f'seed_noise={seed_noise:g} must be at most noise={noise:g}, which holds'
      f' it; try noise={seed_noise:g}'
    )
  for name, x, least in (('seed', seed, 0), ('n_laws', n_laws, 1), ('draws', draws, 2)):  # fmt: skip
    if x < least:
      raise UserError(f'{name}={x} must be {least} or more; try {name}={least}')
  from scaling_jax.planner import configs as configs_lib
  from scaling_jax.planner import design as design_lib

  return design_lib.judge(
    configs_lib.planned_runs(configs),
    None if law is None else law_registry.law_of(law),
    design_lib.Settings(noise, seed_noise, level, n_laws, draws, seed),
  )


def models(
  law: 'LawLike | Sequence[LawLike]' = LAWS,
) -> Comparison:
  """Published models, from GPT-3 to Llama 3.1, against each law's optimum.

  Raises:
    UserError: a law can't be read, or none states a loss.

  >>> rows = models('besiroglu').laws['besiroglu'].rows
  >>> {row.name: round(row.wasted, 3) for row in rows[:4]}
  {'GPT-3': 0.392, 'Gopher': 0.503, 'MT-NLG': 0.661, 'Chinchilla': 0.001}
  """
  return models_lib.compare(law_registry.laws_of(law))
