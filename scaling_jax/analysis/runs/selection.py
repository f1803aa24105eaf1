"""Which runs count for which laws, by how they were trained."""

from collections.abc import Callable, Hashable, Iterable, Sequence
import dataclasses
import enum
import math

from scaling_jax.analysis.fitting.steps_to_loss import MIN_BATCHES
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import recipes
from scaling_jax.analysis.runs import sweeps
from scaling_jax.analysis.runs.histories import LoadedRun
from scaling_jax.records import Run

SAME = 0.02  # counts that differ by less, relative, are one


class Reason(enum.StrEnum):
  """Why runs do not count for all laws."""

  PART_OF_TEXT = 'part_of_text'  # where others had the whole: Kaplan's laws
  BATCH_SIZE_STUDY = 'batch_size_study'  # the critical batch size only
  NOT_ANNEALED = 'not_annealed'  # where others were: Kaplan's laws
  BETTER_RECIPE = 'better_recipe'  # lost to one: no law of N and D


_NOTES = {
  Reason.PART_OF_TEXT: messages.part_of_text,
  Reason.BATCH_SIZE_STUDY: messages.batch_size_study,
  Reason.NOT_ANNEALED: messages.not_annealed,
}


@dataclasses.dataclass(frozen=True)
class SetAside:
  """Runs that do not count for all laws, for one reason.

  Attributes:
    reason: which.
    run_ids: their names.
    columns: by which they lost to a better recipe: fields of a Run, settings
      by their dotted names, or columns of another project's table.
  """

  reason: Reason
  run_ids: tuple[str, ...]
  columns: tuple[str, ...] = ()

  @property
  def text(self) -> str:
    count = len(self.run_ids)
    if self.reason is Reason.BETTER_RECIPE:
      return messages.better_recipe(count, self.columns)
    return _NOTES[self.reason](count)


@dataclasses.dataclass(frozen=True)
class Problem:
  """A run whose training curve can't be used, and why."""

  run_id: str
  reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
  """Which runs count for which laws.

  Attributes:
    hoffmann: indices for laws of N and D as Hoffmann has them: without runs on
      a part of a text that others had whole, without those of a study of batch
      sizes, without runs that were not annealed where others were, and, of
      runs that differ in nothing but their recipe, those of the best alone.
    kaplan: indices for Kaplan's: those, and the runs on a part of a text or
      without annealing.
    set_aside: runs that do not count for all laws, by reason.
    problems: runs whose training curves can't be used.
  """

  hoffmann: tuple[int, ...]
  kaplan: tuple[int, ...]
  set_aside: tuple[SetAside, ...] = ()
  problems: tuple[Problem, ...] = ()

  @property
  def notes(self) -> tuple[str, ...]:
    """What was set aside, a message for each reason."""
    return (
      *(messages.no_curve(p.run_id, p.reason) for p in self.problems),
      *(one.text for one in self.set_aside),
    )


def select(every: Sequence[LoadedRun]) -> Selection:
  """Sorts runs by the laws that they count for.

  >>> from scaling_jax.analysis.runs import histories, table
  >>> fields = dict(C=6e15, N=1e6, D=1e9, schedule='cosine', tokens_per_step=1e4)
  >>> runs = table.Runs((
  ...   Run('slow', learning_rate=1e-4, val_loss=3.6, **fields),
  ...   Run('fast', learning_rate=1e-3, val_loss=3.5, **fields),
  ... ))
  >>> chosen = select(histories.load(runs))
  >>> chosen.hoffmann, str(chosen.set_aside[0].reason)
  ((1,), 'better_recipe')
  """
  most = longest_text(every)
  parts = {i for i, one in enumerate(every) if is_part(one.run, most)}
  slower, batches = _variants(every)
  rest = {*range(len(every))} - {*slower.rows} - batches
  warm = {i for i in rest - parts if _to_its_end(every[i])}
  cooled = {i for i in rest - parts - warm if every[i].run.schedule}
  warm = warm if cooled else set()
  swept = _swept(every, sorted(rest - parts - warm))
  rest -= {*swept.rows}
  whole = sorted(rest - parts - warm)
  if not whole and batches:  # all that there is
    best = _best_of(every, batches)
    whole, batches = [best], batches - {best}
  by_reason = (
    (Reason.PART_OF_TEXT, parts, ()),
    (Reason.BATCH_SIZE_STUDY, batches, ()),
    (Reason.NOT_ANNEALED, warm, ()),
    (Reason.BETTER_RECIPE, {*slower.rows}, slower.columns),
    (Reason.BETTER_RECIPE, {*swept.rows}, swept.columns),
  )
  return Selection(
    hoffmann=tuple(whole),
    kaplan=tuple(sorted({*whole, *(rest & parts), *warm})),
    set_aside=tuple(
      SetAside(reason, tuple(every[i].run_id for i in sorted(chosen)), by)
      for reason, chosen, by in by_reason
      if chosen
    ),
    problems=tuple(
      Problem(one.run_id, one.history.problem)
      for one in every
      if one.history.problem
    ),
  )


def _swept(every: Sequence[LoadedRun], rows: Sequence[int]) -> sweeps.Lost:
  """Of these rows, those that lost in a sweep of another project's table."""
  some = [every[i] for i in rows]
  found = sweeps.lost(
    [one.run.N for one in some],
    [one.run.D for one in some],
    [one.loss for one in some],
    [recipes.without_speed(one.extra) for one in some],
  )
  return sweeps.Lost(tuple(rows[i] for i in found.rows), found.columns)


def annealed(runs: Sequence[LoadedRun]) -> tuple[str, ...]:
  """Their run_ids; none if all are known not to have been annealed."""
  told = [one for one in runs if one.run.schedule]
  if told and all(map(_to_its_end, told)):
    return ()
  return tuple(one.run_id for one in runs)


def longest_text(runs: Sequence[LoadedRun]) -> dict[str, float]:
  """The most tokens that any run had of a text, by the text and by its name."""
  texts: dict[str, set[str]] = {}
  for one in runs:
    texts.setdefault(one.run.dataset, set()).update({one.run.text} - {''})
  most: dict[str, float] = {}
  for run in (one.run for one in runs):
    if not math.isfinite(run.text_tokens):
      continue
    of_name = texts[run.dataset]
    # A run that doesn't tell its text had the only one of that name.
    own = {run.text} if run.text else of_name if len(of_name) == 1 else set()
    for key in (run.dataset, *own):
      most[key] = max(most.get(key, 0.0), run.text_tokens)
  return most


def is_part(run: Run, most: dict[str, float]) -> bool:
  """Whether a run is known to have had a part of what others had whole.

  Args:
    run: a record with its recipe.
    most: see `longest_text`.
  """
  text = run.text_tokens
  return math.isfinite(text) and not alike(text, most[_text(run)])


def same_text(one: Run, other: Run) -> bool:
  """Whether two runs had as much of a text; unknown is one of its own."""
  if one.text and other.text and one.text != other.text:
    return False
  texts = one.text_tokens, other.text_tokens
  if all(map(math.isfinite, texts)):
    return alike(*texts)
  return all(map(math.isnan, texts))


def _text(run: Run) -> str:
  """The text of a run, by its content or else by its name."""
  return run.text or run.dataset


def alike(one: float, other: float) -> bool:
  """Whether two counts are one but for rounding.

  >>> alike(1e6, 1.01e6), alike(1e6, 1.03e6)
  (True, False)
  """
  return abs(math.log(one / other)) < SAME


def kinds(counts: Iterable[float]) -> int:
  """How many counts differ by more than rounding.

  >>> kinds([1e6, 1.001e6, 1.1e6])
  2
  """
  return len({round(math.log(x), 2) for x in counts})


def _to_its_end(one: LoadedRun) -> bool:
  return bool(one.run.schedule) and one.history.unannealed >= one.run.S


def _variants(every: Sequence[LoadedRun]) -> tuple[sweeps.Lost, set[int]]:
  """Runs that lost to a better recipe, and those of a study of batch sizes.

  Of one model and text they share the budget or the number of steps. A study of
  batch sizes is one model's and seed's; where every budget has one, the best
  batch of each counts, with all of its seeds.
  """
  batches = set()
  by_C = _same_but_recipe(every, lambda one: (one.run.C, one.run.seed))
  studies = [g for g in by_C if _batch_sizes(every, g) >= MIN_BATCHES]
  if len(studies) == 1:
    batches |= {*studies[0]}
  for group in _same_but_recipe(every, lambda one: (one.run.S, one.run.seed)):
    if _batch_sizes(every, group) >= MIN_BATCHES:
      batches |= {*group}
  lost: set[int] = set()
  by: dict[str, None] = {}
  # What was not annealed counts for other laws: it is no rival.
  for group in _same_but_recipe(every, lambda o: (o.run.C, _to_its_end(o))):
    found = recipes.lost(every, [i for i in group if i not in batches])
    lost |= {*found.rows}
    by |= dict.fromkeys(found.columns)
  return sweeps.Lost(tuple(sorted(lost)), tuple(by)), batches


def _same_but_recipe(
  every: Sequence[LoadedRun], length: Callable[[LoadedRun], Hashable]
) -> list[list[int]]:
  """Runs that are known to differ by their recipe, by model, text and length."""
  groups: dict[Hashable, list[int]] = {}
  for i, one in enumerate(every):
    run = one.run
    # A batch size that is not known is unlike any other.
    if math.isfinite(run.learning_rate) and math.isfinite(run.tokens_per_step):
      text = run.text_tokens if math.isfinite(run.text_tokens) else None
      key = (_text(run), text, run.N, run.model, run.block_size, length(one))
      groups.setdefault(key, []).append(i)
  return [group for group in groups.values() if recipes.differ(every, group)]


def _batch_sizes(every: Sequence[LoadedRun], group: Sequence[int]) -> int:
  return kinds(every[i].run.tokens_per_step for i in group)


def _best_of(every: Sequence[LoadedRun], group: Iterable[int]) -> int:
  return min(group, key=lambda i: every[i].loss)
