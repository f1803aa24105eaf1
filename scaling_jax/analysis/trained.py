"""How a run was trained, from its folder: losses, recipe, the text it had."""

from collections.abc import Iterable, Sequence
import math
from typing import Any, NamedTuple

from etils import epath
import numpy as np

from scaling_jax import records
from scaling_jax.analysis import curves as curves_lib
from scaling_jax.analysis import envelope
from scaling_jax.analysis.points import Point
from scaling_jax.analysis.steps_to_loss import MIN_BATCHES
from scaling_jax.errors import UserError

SAME = 0.02  # counts that differ by less, relative, are one
_HALF = 0.5  # of the peak learning rate: below it a curve is being annealed
_BROKEN = (UserError, OSError, ValueError, KeyError, TypeError)


class Trained(NamedTuple):
  """A run with what its folder tells; without one, what its point tells.

  Attributes:
    point: the run.
    losses: [S] of every step; empty where they can't be used.
    warmup: steps.
    curve: for the envelope; None where there is nothing to show.
    B: tokens a step; nan if unknown.
    rate: the peak learning rate; nan if unknown.
    schedule: of the learning rate after warmup; '' if unknown.
    unannealed: steps until the learning rate has fallen to half its peak.
    text: tokens of the text it was trained on; nan if unknown.
    best: the lowest loss on the way, as early stopping would have it.
    problem: why the losses can't be used, or ''.
  """

  point: Point
  losses: np.ndarray
  warmup: int
  curve: envelope.TrainingCurve | None
  B: float
  rate: float
  schedule: str
  unannealed: int
  text: float
  best: float
  problem: str = ''

  @classmethod
  def of(cls, point: Point) -> 'Trained':
    B = point.D / point.S if point.S else math.nan
    bare = cls(
      point=point,
      losses=np.empty(0),
      warmup=0,
      curve=None,
      B=B,
      rate=math.nan,
      schedule='',
      unannealed=point.S,
      text=math.nan,
      best=point.loss,
    )
    if not point.folder:
      return bare
    try:
      losses, warmup = curves_lib.read_losses(point.folder)
    except _BROKEN:
      return bare._replace(
        problem='its train_loss.npy or config.json cannot be read'
      )
    bare = _with_recipe(bare)._replace(best=_best(point))
    if len(losses) != point.S:
      return bare._replace(
        problem=f'train_loss.npy holds {len(losses):,} of {point.S:,} steps'
      )
    return bare._replace(
      losses=losses, warmup=warmup, curve=_curve(point, losses, warmup)
    )

  def fitted(self, level: float, seed: int) -> dict[str, Any]:
    """The curve's own law: see `curves.fit_curve`."""
    found = curves_lib.fit_curve(self.losses, self.warmup, level, seed=seed)
    if self.problem:
      found['sentence'] = f'{self.problem}.'
    return {'run_id': self.point.run_id, **found}

  def path(self) -> envelope.TrainingCurve | None:
    """The curve between warmup and annealing, made to fall."""
    if not len(self.losses):
      return None
    step, L = curves_lib.falling(self.losses[: self.unannealed], self.warmup)
    if not len(step):
      return None
    p, D = self.point, step * self.B
    return envelope.TrainingCurve(p.run_id, p.N, 6 * p.N * D, D, L)


def _curve(point, losses, warmup) -> envelope.TrainingCurve | None:
  fine = np.isfinite(losses) & (losses > 0)
  if len(losses) < warmup + 30 or not np.all(fine):
    return None
  smooth = curves_lib.smooth(losses)
  after = smooth.step > warmup
  D = smooth.step[after] * point.D / len(losses)
  return envelope.TrainingCurve(
    point.run_id, point.N, 6 * point.N * D, D, smooth.loss[after]
  )


def _with_recipe(bare: Trained) -> Trained:
  point = bare.point
  content = records.read_json(epath.Path(point.folder) / records.CONFIG)
  train = content['config'].get('train') or {}
  text = _number((content.get('corpus') or {}).get('train_tokens'))
  return bare._replace(
    rate=_number(train.get('learning_rate')),
    schedule=str(train.get('schedule', '')),
    unannealed=unannealed(train, point.S),
    text=text if text > 0 else math.nan,
  )


def unannealed(train: dict[str, Any], S: int) -> int:
  """Steps until the schedule of `optimizer.make_schedule` halves the peak."""
  peak, floor = (
    _number(train.get(name)) for name in ('learning_rate', 'min_learning_rate')
  )
  warmup, schedule = train.get('warmup_steps') or 0, train.get('schedule')
  if schedule not in ('cosine', 'linear') or not floor < _HALF * peak:
    return S
  left = (_HALF - floor / peak) / (1 - floor / peak)  # of the way down
  gone = 1 - left
  if schedule == 'cosine':
    gone = math.acos(2 * left - 1) / math.pi
  return int(warmup + gone * max(S - warmup, 0))


def _best(point: Point) -> float:
  """The final loss, less what the sample's loss has risen from its lowest.

  On the way a run is evaluated on a sample of the validation split, at its end
  on the whole.
  """
  try:
    lines = records.read_metrics(point.folder)
  except _BROKEN:
    return point.loss
  sample = [x.val_loss for x in lines if x.step < point.S]
  if not sample or not np.all(np.isfinite(sample)):
    return point.loss
  return point.loss - (sample[-1] - min(sample))


def _number(x: Any) -> float:
  return float(x) if isinstance(x, (int, float)) else math.nan


def longest(runs: Sequence[Trained]) -> dict[str, float]:
  """The most tokens of text that any run of a corpus had, by the corpus."""
  most: dict[str, float] = {}
  for t in runs:
    if math.isfinite(t.text):
      name = t.point.dataset
      most[name] = max(most.get(name, 0.0), t.text)
  return most


def is_part(t: Trained, most: dict[str, float]) -> bool:
  """Whether a run is known to have had a part of what others had whole."""
  return math.isfinite(t.text) and not alike(t.text, most[t.point.dataset])


def same_text(one: Trained, other: Trained) -> bool:
  """Whether two runs had as much text; unknown is one of its own."""
  if math.isfinite(one.text) and math.isfinite(other.text):
    return alike(one.text, other.text)
  return math.isnan(one.text) and math.isnan(other.text)


def alike(one: float, other: float) -> bool:
  """Whether two counts are one but for rounding."""
  return abs(math.log(one / other)) < SAME


def kinds(counts: Iterable[float]) -> int:
  """How many counts differ by more than rounding."""
  return len({round(math.log(x), 2) for x in counts})


class Apart(NamedTuple):
  """Which runs count for which laws.

  Attributes:
    whole: indices for laws of N and D as Hoffmann has them: without runs on a
      part of a text that others had whole, without those of a study of batch
      sizes, without runs that were not annealed where others were, and, of
      runs that differ in nothing but their learning rate, the best alone.
    tuned: indices for Kaplan's: those, and the runs on a part of a text or
      without annealing.
    notes: what was set apart, in sentences.
  """

  whole: list[int]
  tuned: list[int]
  notes: list[str]


def set_apart(every: Sequence[Trained]) -> Apart:
  """Sorts runs by the laws that they count for."""
  most = longest(every)
  parts = {i for i, t in enumerate(every) if is_part(t, most)}
  slower, batches = _variants(every)
  rest = {*range(len(every))} - slower - batches
  warm = {i for i in rest - parts if _to_its_end(every[i])}
  annealed = {i for i in rest - parts - warm if every[i].schedule}
  warm = warm if annealed else set()
  whole = sorted(rest - parts - warm)
  if not whole and batches:  # all that there is
    best = _best_of(every, batches)
    whole, batches = [best], batches - {best}
  notes = [
    f'{t.point.run_id} has no training curve here: {t.problem}.'
    for t in every
    if t.problem
  ]
  notes += [
    said.format(*_forms(len(chosen)))
    for chosen, said in (
      (parts, "{} had a part of the text alone: {} for Kaplan's L(D) and"
       ' L(N, D).'),
      (batches, '{2} of a study of batch sizes: {1} for the critical batch'
       ' alone.'),
      (warm, "{3} not annealed, as others were: {1} for Kaplan's laws alone."),
      (slower, '{0} lost to a better one of the same size, length and text by'
       ' batch size or learning rate: {1} for none of the laws of N and D.'),
    )
    if chosen
  ]  # fmt: skip
  return Apart(whole, sorted({*whole, *(rest & parts), *warm}), notes)


def _forms(n: int) -> tuple[str, str, str, str]:
  """'2 runs', 'they count', '2 runs are', '2 runs were', or of one."""
  if n == 1:
    return '1 run', 'it counts', '1 run is', '1 run was'
  return f'{n} runs', 'they count', f'{n} runs are', f'{n} runs were'


def _to_its_end(t: Trained) -> bool:
  return bool(t.schedule) and t.unannealed >= t.point.S


def annealed(runs: Sequence[Trained]) -> list[str]:
  """Their run_ids; none if all are known not to have been annealed."""
  known = [t for t in runs if t.schedule]
  if known and all(map(_to_its_end, known)):
    return []
  return [t.point.run_id for t in runs]


def _variants(every: Sequence[Trained]) -> tuple[set[int], set[int]]:
  """Runs that lost to a better recipe, and those of a study of batch sizes.

  Of one model, text and seed they share the budget or the number of steps. A
  study of batch sizes is one model's; where every budget has one, the best
  batch of each counts.
  """
  slower, batches = set(), set()
  by_C = _alike(every, lambda p: p.C)
  studies = [g for g in by_C if _batch_sizes(every, g) >= MIN_BATCHES]
  for group in by_C:
    best = _best_of(every, group)
    if group in studies and len(studies) == 1:
      batches |= {*group}
    else:
      slower |= {i for i in group if not _recipes_agree(every[i], every[best])}
  for group in _alike(every, lambda p: p.S):
    if _batch_sizes(every, group) >= MIN_BATCHES:
      batches |= {*group}
  return slower - batches, batches


def _alike(every: Sequence[Trained], length) -> list[list[int]]:
  """Runs that are known to differ by their recipe, by model, text and length."""
  groups: dict[tuple, list[int]] = {}
  for i, t in enumerate(every):
    p = t.point
    if p.folder and math.isfinite(t.rate):
      key = (p.dataset, t.text, p.N, p.model, length(p), p.seed)
      groups.setdefault(key, []).append(i)
  return [
    group
    for group in groups.values()
    if not all(_recipes_agree(every[i], every[group[0]]) for i in group)
  ]


def _batch_sizes(every: Sequence[Trained], group: Sequence[int]) -> int:
  return kinds(every[i].B for i in group)


def _best_of(every: Sequence[Trained], group: Iterable[int]) -> int:
  return min(group, key=lambda i: every[i].point.loss)


def _recipes_agree(one: Trained, other: Trained) -> bool:
  return one.rate == other.rate and alike(one.B, other.B)
