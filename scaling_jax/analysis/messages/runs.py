"""What people read of runs: why one is excluded, what is noted of the others.

Reasons are clauses about a run, without a full stop; notes are whole sentences.
"""

from collections.abc import Sequence
import math

from scaling_jax import formatting
from scaling_jax import records

# Why a run is excluded.


def not_started() -> str:
  return f'it was not started; {records.PLANNED} has it planned'


def unfinished(step: int | None) -> str:
  """Of a run without a result, by the step of its last evaluation."""
  if step is None:
    return f'it is unfinished, without {records.RESULT} or any evaluation'
  return f'it is unfinished: its last evaluation was at step {step}'


def unreadable_result(error: Exception) -> str:
  return f'its {records.RESULT} cannot be read ({error!r})'


def two_results(first: float, second: float) -> str:
  return (
    'it was given with two results, and the first counts: val_loss='
    f'{formatting.number(first)}, and here {formatting.number(second)}'
  )


def repeat(run_id: str, first: float, second: float) -> str:
  """Of losses that differ in their last digits at most."""
  digits = 5
  while digits < 9 and f'{first:.{digits}g}' == f'{second:.{digits}g}':
    digits += 1
  one, other = f'{first:.{digits}g}', f'{second:.{digits}g}'
  if one == other:
    return f'it repeats {run_id}, with the same loss of {first:.5g}'
  return f'it repeats {run_id}, with a loss of {other} instead of {one}'


def not_done(status: str) -> str:
  return f'its status is {status!r}, not done'


def not_positive(name: str, value: float) -> str:
  return f'{name}={value:g} must be a positive number'


def empty_cell(column: str) -> str:
  return f'{column} is empty'


def no_number(column: str, text: str) -> str:
  return f'{column}={text!r} must be a number'


def wrong_cells(found: int, wanted: int) -> str:
  return f'it has {found} cells instead of {wanted}'


def duplicate(place: str) -> str:
  return f'it is a duplicate of {place}'


def at_place(place: str, reason: str) -> str:
  return f'{place}: {reason}'


def highest_loss(count: int) -> str:
  return f'its loss is one of the {count} highest, which were to be excluded'


def above_guessing(loss: float, kinds: float) -> str:
  return (
    f'its loss, {formatting.number(loss)}, is above ln V ='
    f' {formatting.number(math.log(kinds))}, that of guessing'
  )


def above_any_guessing(loss: float) -> str:
  return (
    f'its loss, {formatting.number(loss)}, is above ln V of any vocabulary, as'
    ' a perplexity would be'
  )


# What to do where no run is left; by the kind of `table.Exclusion`.
_REMEDIES = {
  'unfinished': 'finish with launch.py what is unfinished',
  'not_started': 'finish with launch.py what is unfinished',
  'unreadable': 'delete the file that cannot be read and train that run again',
  'diverged': 'train again with a lower learning rate what diverged',
  'bad_value': 'correct what is no positive number',
}


def no_usable_run(
  where: str,
  excluded: Sequence[tuple[str, str, str]],
  includable: Sequence[str] = (),
) -> str:
  """Of paths without a run that counts.

  Args:
    where: the paths.
    excluded: the name, the reason and the kind of each.
    includable: kinds that may be fitted where that is asked for.
  """
  if not excluded:
    return (
      f'{where} holds no run (nothing was found): a law needs finished runs;'
      ' give another path'
    )
  run_id, reason, _ = excluded[0]
  kinds = {kind for *_, kind in excluded}
  back = [kind for kind in includable if kind in kinds]
  todo = dict.fromkeys(_REMEDIES[kind] for kind in _REMEDIES if kind in kinds)
  if back:
    todo[f'add --include={",".join(back)} to fit them as they are'] = None
  return (
    f'{where} holds no run that can be used ({len(excluded)} excluded, the first'
    f' is {run_id}: {reason}): a law needs finished runs, each with a positive'
    f' C, N, D and loss; {", ".join([*todo, "or give another path"])}'
  )


# What is noted of all runs.


def given_twice(run_ids: Sequence[str]) -> str:
  names = ', '.join(run_ids[:5]) + ', …' * (len(run_ids) > 5)
  return f'Given twice and counted once: {names}.'


def several_formats() -> str:
  return 'The sources count N and C each in its own way.'


# What runs are of.


def unnamed_corpus() -> str:
  return 'a corpus without a name'


def kinds_of_tokens(vocab_size: int) -> str:
  """'' where that is not known."""
  return f'{vocab_size:,} kinds of tokens' if vocab_size else ''


def context(block_size: int) -> str:
  """'' where that is not known."""
  return f'context {block_size:,}' if block_size else ''


# Histories.


def unreadable_history() -> str:
  return f'its {records.TRAIN_LOSS} or {records.CONFIG} cannot be read'


def incomplete_history(found: int, steps: int) -> str:
  return f'{records.TRAIN_LOSS} holds {found:,} of {steps:,} steps'


# Selection.


def no_curve(run_id: str, problem: str) -> str:
  return f'{run_id} has no training curve here: {problem}.'


def part_of_text(count: int) -> str:
  return (
    f'{_runs(count)} had only a part of the text:'
    f" {_count(count)} for Kaplan's L(D) and L(N, D) only."
  )


def batch_size_study(count: int) -> str:
  return (
    f'{_runs(count)} {_are(count)} a study of batch sizes: {_count(count)} for'
    ' the critical batch size only.'
  )


def not_annealed(count: int) -> str:
  return (
    f'{_runs(count)} {"was" if count == 1 else "were"} not annealed, as others'
    f" were: {_count(count)} for Kaplan's laws only."
  )


def better_recipe(count: int, columns: Sequence[str]) -> str:
  """Of a sweep, by the columns or settings that tell its recipes apart."""
  return (
    f'{_runs(count)} lost to a better {_either(columns)} at the same N and D:'
    f' {_count(count)} for none of the laws of N and D.'
  )


def _either(names: Sequence[str]) -> str:
  *most, last = names
  return f'{", ".join(most)} or {last}' if most else last


def _runs(count: int) -> str:
  return '1 run' if count == 1 else f'{count} runs'


def _count(count: int) -> str:
  return 'it counts' if count == 1 else 'they count'


def _are(count: int) -> str:
  return 'is of' if count == 1 else 'are of'


# Budgets.


def no_budget(count: int) -> str:
  if count == 1:
    return (
      '1 run shares its FLOPs with fewer than two other models: it belongs to'
      " no isoFLOP budget, and counts for Chinchilla's law only."
    )
  return (
    f'{count} runs share their FLOPs with fewer than two other models: they'
    " belong to no isoFLOP budget, and count for Chinchilla's law only."
  )


# Provenance.


def no_folder() -> str:
  return 'no whole run folder was given'


def no_config() -> str:
  return f'its folder holds no {records.CONFIG}'


def no_json() -> str:
  return f'its {records.CONFIG} is no JSON'


def no_settings() -> str:
  return f'its {records.CONFIG} states no settings'
