"""Recipes that were tried on one model: where they differ, and the best.

A recipe is what a record tells of it, and the settings that were swept beside:
weight decay, dropout, dtype. A seed is none.
"""

from collections.abc import Iterable, Mapping, Sequence
import math

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import sweeps
from scaling_jax.analysis.runs.histories import LoadedRun

SAME = 0.02  # batches that differ by less, relative, are one

_FIELDS = (
  'learning_rate', 'min_learning_rate', 'schedule', 'warmup_steps'
)  # fmt: skip
_BATCH = 'tokens_per_step'
# Sections of a config, and what in them changes how fast a run is alone.
_SECTIONS = ('model', 'train')
_SPEED = ('train.grad_accum', 'train.steps_per_dispatch', 'model.unroll')

Recipe = Mapping[str, str]  # name -> value as text


def of_run(one: LoadedRun) -> dict[str, str]:
  """What is known of a run's recipe but for its batch, by name.

  >>> from scaling_jax.analysis.runs import histories, table
  >>> from scaling_jax.records import Run
  >>> run = Run('a', C=6e15, N=1e6, D=1e9, val_loss=3.0, learning_rate=1e-3)
  >>> beside = {'train.beta2': '0.95', 'eval.batches': '4'}
  >>> (one,) = histories.load(table.Runs((run,), extra=(beside,)))
  >>> of_run(one)
  {'learning_rate': '0.001', 'train.beta2': '0.95'}
  """
  told = {name: str(getattr(one.run, name)) for name in _FIELDS}
  told |= {
    name: text
    for name, text in without_speed(one.extra).items()
    if name.partition('.')[0] in _SECTIONS
  }
  values = {name: columns.value(text) for name, text in told.items()}
  return {name: text for name, text in values.items() if text}


def without_speed(extra: Mapping[str, str]) -> dict[str, str]:
  """A row's other cells but for settings that change no number of a run.

  >>> without_speed({'train.grad_accum': '4', 'train.beta2': '0.95'})
  {'train.beta2': '0.95'}
  """
  return {name: text for name, text in extra.items() if name not in _SPEED}


def differ(every: Sequence[LoadedRun], group: Iterable[int]) -> bool:
  """Whether some of the runs are known to differ by their recipe."""
  return len(_tried(every, list(group))) > 1


def lost(every: Sequence[LoadedRun], group: Sequence[int]) -> sweeps.Lost:
  """Of runs that differ by their recipe all but those of the best.

  Args:
    every: runs.
    group: indices of those that differ in nothing but their recipe and seed.

  Returns:
    All but the recipe of the least mean log loss, and by what they differ from
    it.
  """
  tried = _tried(every, group)
  if len(tried) < 2:
    return sweeps.Lost()
  best = min(tried, key=lambda seeds: _mean_log_loss(every, seeds))
  losers = [i for i in group if i not in best]
  rival = every[best[0]]
  names = [name for i in losers for name in _differences(every[i], rival)]
  return sweeps.Lost(tuple(losers), tuple(dict.fromkeys(names)))


def _tried(every: Sequence[LoadedRun], group: Sequence[int]) -> list[list[int]]:
  """The runs of each recipe."""
  recipes: list[list[int]] = []
  for i in group:
    fits = [
      seeds for seeds in recipes if not _differences(every[i], every[seeds[0]])
    ]
    if fits:
      fits[0].append(i)
    else:
      recipes.append([i])
  return recipes


def _mean_log_loss(every: Sequence[LoadedRun], seeds: Sequence[int]) -> float:
  return sum(math.log(every[i].loss) for i in seeds) / len(seeds)


def _differences(one: LoadedRun, other: LoadedRun) -> list[str]:
  """By what two recipes are known to differ."""
  mine, its = of_run(one), of_run(other)
  found = [name for name in mine if name in its and mine[name] != its[name]]
  batches = one.run.tokens_per_step / other.run.tokens_per_step
  return found + [_BATCH] * (abs(math.log(batches)) >= SAME)
