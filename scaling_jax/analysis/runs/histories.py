"""How a run went: its losses, and the curve that laws are read off."""

import dataclasses
import math

from etils import epath
import numpy as np

from scaling_jax import records
from scaling_jax.analysis.fitting import smoothing
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import table
from scaling_jax.errors import UserError
from scaling_jax.records import Run

MIN_STEPS = 30  # after warmup: fewer make no curve
_SAME = 1e-6  # relative: rounding
_HALF = 0.5  # of the peak learning rate: below it a curve is being annealed
_BROKEN = (UserError, OSError, ValueError, KeyError, TypeError)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class History:
  """What a run folder tells of the way; without one, nothing of it.

  Attributes:
    folder: of the run if it holds a train_loss.npy, else ''.
    losses: [S] of every step, nats per token; empty where they can't be used.
    warmup: steps; 0 where unknown.
    unannealed: steps until the learning rate has fallen to half its peak.
    curve: for the envelope; None where there is nothing to show.
    best_loss: the lowest validation loss on the way, as early stopping would
      have it, in the unit of the runs.
    problem: why the losses can't be used, or ''.
  """

  folder: str
  losses: np.ndarray
  warmup: int
  unannealed: int
  curve: LossCurve | None
  best_loss: float
  problem: str = ''


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class LoadedRun:
  """A run, its recipe, and its history.

  Attributes:
    run: the record with its recipe; nan, 0 or '' where that is not known.
    counts: how else its N and C can be counted.
    loss: the final validation loss in the unit of the runs.
    history: how it got there.
    extra: what else is told of it, by column; see `table.Runs`.
  """

  run: Run
  counts: table.Counts
  loss: float
  history: History
  extra: dict[str, str] = dataclasses.field(default_factory=dict)

  @property
  def run_id(self) -> str:
    return self.run.run_id

  def falling_curve(self) -> LossCurve | None:
    """The curve between warmup and annealing, made to fall; C = 6ND.

    None where fewer than two points of it would be left.
    """
    history, run = self.history, self.run
    if not len(history.losses):
      return None
    step, L = smoothing.falling(
      history.losses[: history.unannealed], history.warmup
    )
    if not len(step):
      return None
    D = step * run.tokens_per_step
    return LossCurve(run.run_id, float(run.N), 6 * run.N * D, D, L)


def load(runs: table.Runs) -> list[LoadedRun]:
  """The histories of runs, in their order.

  >>> (one,) = load(table.Runs.from_columns(N=[1e6], D=[1e9], loss=[3.5]))
  >>> one.loss, one.history.best_loss, one.history.curve
  (3.5, 3.5, None)
  """
  return [
    LoadedRun(
      run=run,
      counts=counts,
      loss=runs.loss_of(run),
      history=history(run, folder, runs.loss_of(run), curve),
      extra=extra,
    )
    for run, counts, folder, extra, curve in zip(
      runs.runs, runs.counts, runs.folders, runs.extra, runs.curves
    )
  ]


def fit_curve(
  one: LoadedRun, *, draws: int = 200, seed: int = 0
) -> training_curve.TrainingCurveFit:
  """The power law with a floor of a run's training curve."""
  found = training_curve.fit(
    one.history.losses,
    one.history.warmup,
    run_id=one.run_id,
    draws=draws,
    seed=seed,
  )
  if one.history.problem:
    found = dataclasses.replace(found, message=one.history.problem)
  return found


def history(
  run: Run, folder: str, loss: float, curve: LossCurve | None = None
) -> History:
  """One run's history.

  Args:
    run: its record, with the recipe.
    folder: of the run, or ''.
    loss: its final validation loss.
    curve: of its loss on the way, where another project's logger kept it.
  """
  found = History(
    folder=folder,
    losses=np.empty(0),
    warmup=0,
    unannealed=unannealed(run),
    curve=curve,
    best_loss=loss if curve is None else min(loss, float(np.min(curve.L))),
  )
  if not folder:
    return found
  try:
    losses, warmup = read_losses(folder, run)
  except _BROKEN:
    return dataclasses.replace(found, problem=messages.unreadable_history())
  found = dataclasses.replace(found, best_loss=_best(run, folder, loss))
  if len(losses) != run.S:
    problem = messages.incomplete_history(len(losses), run.S)
    return dataclasses.replace(found, problem=problem)
  return dataclasses.replace(
    found, losses=losses, warmup=warmup, curve=_curve(run, losses, warmup)
  )


def read_losses(folder: epath.PathLike, run: Run) -> tuple[np.ndarray, int]:
  """A run's loss at every step, nats per token, and its warmup in steps.

  Args:
    folder: that the run left, with train_loss.npy.
    run: its record, with the recipe.

  Returns:
    losses_S: float32 [S]; empty where the file is absent or empty.
    warmup: steps.

  Raises:
    UserError: the file is no array of numbers, or the warmup is unknown.
  """
  path = epath.Path(folder) / records.TRAIN_LOSS
  if not math.isfinite(run.warmup_steps):
    raise UserError(
      f'{epath.Path(folder) / records.CONFIG} does not hold'
      ' config.train.warmup_steps; give a folder that a run left'
    )
  warmup = int(run.warmup_steps)
  try:
    if not path.exists() or not path.stat().length:
      return np.zeros(0, np.float32), warmup
    with path.open('rb') as file:
      losses_S = np.load(file, allow_pickle=False)
  except (OSError, ValueError, EOFError) as error:
    raise UserError(
      f'{path} is not an array of numbers ({error}); copy it again'
    ) from error
  return losses_S, warmup


def unannealed(run: Run) -> int:
  """Steps until the schedule of `training.optimizer` halves the peak.

  >>> unannealed(Run('a', S=1000, schedule='linear', learning_rate=1e-3,
  ...                min_learning_rate=0.0, warmup_steps=100))
  550
  """
  S, peak, floor = run.S, run.learning_rate, run.min_learning_rate
  warmup = run.warmup_steps if math.isfinite(run.warmup_steps) else 0
  schedule = run.schedule
  if schedule not in ('cosine', 'linear') or not floor < _HALF * peak:
    return S
  left = (_HALF - floor / peak) / (1 - floor / peak)  # of the way down
  gone = 1 - left
  if schedule == 'cosine':
    gone = math.acos(2 * left - 1) / math.pi
  return int(warmup + gone * max(S - warmup, 0))


def _curve(run: Run, losses: np.ndarray, warmup: int) -> LossCurve | None:
  usable = np.isfinite(losses) & (losses > 0)
  if len(losses) < warmup + MIN_STEPS or not np.all(usable):
    return None
  smooth = smoothing.smooth(losses)
  after = smooth.step > warmup
  D = smooth.step[after] * float(run.D) / len(losses)
  C = _flops_per_token(run) * D
  return LossCurve(run.run_id, float(run.N), C, D, smooth.loss[after])


def _flops_per_token(run: Run) -> float:
  """As the run counts its C: 6 N where that is 6 N D in whole steps."""
  six = 6 * float(run.N)
  step = six * float(run.D) / max(run.S, 1)
  off = six * float(run.D) - float(run.C)
  if not math.isfinite(off) or abs(off) <= step * (1 + _SAME):
    return six
  return float(run.C) / float(run.D)


def _best(run: Run, folder: str, loss: float) -> float:
  """The final loss, less what the sample's loss has risen from its lowest.

  On the way a run is evaluated on a sample of the validation split, at its end
  on the whole.
  """
  try:
    lines = records.read_metrics(folder)
  except _BROKEN:
    return loss
  sample = [x.val_loss for x in lines if x.step < run.S]
  if not sample or not np.all(np.isfinite(sample)):
    return loss
  return loss - (sample[-1] - min(sample))
