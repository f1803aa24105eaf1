"""How a run was trained, from its folder: losses, recipe, the text it had."""

from collections.abc import Sequence
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
    text: tokens of the text it was trained on, D if unknown.
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
      point,
      np.empty(0),
      0,
      None,
      B,
      math.nan,
      '',
      point.S,
      point.D,
      point.loss,
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
    step, L = curves_lib.falling(
      self.losses[: self.unannealed], max(self.warmup, curves_lib.FIRST_STEP)
    )
    if len(step) < 2 or not np.all(L > 0):
      return None
    p, D = self.point, step * self.B
    return envelope.TrainingCurve(p.run_id, p.N, 6 * p.N * D, D, L)


def _curve(point, losses, warmup) -> envelope.TrainingCurve | None:
  if len(losses) < warmup + 30 or not np.all(losses > 0):
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
    text=text if text > 0 else point.D,
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


def alike(one: float, other: float) -> bool:
  """Whether two counts are one but for rounding."""
  return abs(math.log(one / other)) < SAME


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
  most: dict[str, float] = {}
  for t in every:
    name = t.point.dataset
    most[name] = max(most.get(name, 0.0), t.text)
  parts = {
    i for i, t in enumerate(every)
    if t.point.folder and not alike(t.text, most[t.point.dataset])
  }  # fmt: skip
  slower, batches = set(), set()
  for group in _variants(every):
    best = min(group, key=lambda i: every[i].point.loss)
    sizes = {round(math.log(every[i].B), 2) for i in group}
    if len(sizes) >= MIN_BATCHES:
      batches |= set(group)
    else:
      slower |= {i for i in group if not _recipes_agree(every[i], every[best])}
  rest = {*range(len(every))} - slower - batches
  warm = {i for i in rest - parts if _to_its_end(every[i])}
  warm = warm if rest - parts - warm else set()
  whole = sorted(rest - parts - warm)
  if not whole and batches:  # all that there is
    best = min(batches, key=lambda i: every[i].point.loss)
    whole, batches = [best], batches - {best}
  notes = [
    f'{_runs(chosen, one, many)} {said}'
    for chosen, one, many, said in (
      (parts, 'had', 'had', 'a part of the text alone: they count for'
       " Kaplan's L(D) and L(N, D)."),
      (batches, 'is', 'are', 'of a study of batch sizes: they count for the'
       ' critical batch alone.'),
      (warm, 'was', 'were', 'not annealed, as others were: they count for'
       " Kaplan's laws alone."),
      (slower, 'differs', 'differ', 'from a better one in batch size or'
       ' learning rate alone: they do not count.'),
    )
    if chosen
  ]  # fmt: skip
  return Apart(whole, sorted({*whole, *(rest & parts), *warm}), notes)


def _runs(chosen: set[int], one: str, many: str) -> str:
  n = len(chosen)
  return f'{n} run {one}' if n == 1 else f'{n} runs {many}'


def _to_its_end(t: Trained) -> bool:
  return bool(t.schedule) and t.unannealed >= t.point.S


def _variants(every: Sequence[Trained]) -> list[list[int]]:
  """Runs of one text, size, budget and seed that are known to differ."""
  groups: dict[tuple, list[int]] = {}
  for i, t in enumerate(every):
    p = t.point
    if p.folder and math.isfinite(t.rate):
      key = (p.dataset, t.text, p.N, p.C, p.seed)
      groups.setdefault(key, []).append(i)
  return [
    group
    for group in groups.values()
    if not all(_recipes_agree(every[i], every[group[0]]) for i in group)
  ]


def _recipes_agree(one: Trained, other: Trained) -> bool:
  return one.rate == other.rate and alike(one.B, other.B)
