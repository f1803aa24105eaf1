"""A run's numbers where people already look: TensorBoard, Weights & Biases.

Copies of what metrics.jsonl and train_loss.npy hold: a log that fails is
dropped, and training continues.
"""

from collections.abc import Callable, Mapping
import contextlib
import importlib
import re
import secrets
import tempfile
import time
from typing import Any, Protocol

from etils import epath
import ml_collections
import numpy as np

from scaling_jax import budget
from scaling_jax import records
from scaling_jax.errors import UserError

# TensorBoard shows no more of a series; train_loss.npy has every step.
LOSS_POINTS = 1000
FLUSH_EVERY_S = 10.0
PATIENCE_S = 60.0  # with a server that does not answer


class Writer(Protocol):
  """Where a run's numbers go while it trains; any method may fail."""

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Adds numbers at a step that is no smaller than the one before."""

  def close(self, result: records.Run | None) -> None:
    """Ends the log; the record is None where training was cut short."""


def check(log: ml_collections.ConfigDict, folder: epath.PathLike) -> None:
  """Raises UserError unless the config's logs can be written under folder."""
  if log.wandb not in ('', 'offline', 'online'):
    raise UserError(
      f"log.wandb={log.wandb!r} must be '', offline or online; try offline"
    )
  for field, package in (('tensorboard', 'tensorboardX'), ('wandb', 'wandb')):
    if not log[field]:
      continue
    try:
      importlib.import_module(package)
    except ImportError as error:
      raise UserError(
        f'log.{field}={log[field]} needs {package}, which cannot be imported'
        f' ({error}); try pip install "scaling_jax[logging]"'
      ) from error
  if log.wandb == 'offline' and _remote(folder):
    raise UserError(
      f'log.wandb=offline needs a local folder, and {folder} is none; choose a'
      ' local --workdir, or log.wandb=online'
    )


class Logs:
  """The writers of one run; a failure of one is reported once, and its last.

  Args:
    S: updates in the run, which decide how many losses are omitted.
    message: prints one.
  """

  def __init__(self, S: int = 1, message: Callable[[str], None] = print):
    self._stride = -(-S // LOSS_POINTS)
    self._message = message
    self._writers: dict[str, Writer] = {}

  def add(self, name: str, make: Callable[[], Writer]) -> None:
    try:
      self._writers[name] = make()
    except Exception as error:
      self._failed(name, error)

  def losses(self, first: int, losses: np.ndarray) -> None:
    """The losses of the updates after the first `first`, the last included."""
    for i in range(-(first + 1) % self._stride, len(losses), self._stride):
      self._write(first + 1 + i, {'train/loss': float(losses[i])})

  def evaluation(self, evaluation: records.Evaluation) -> None:
    """A line of metrics.jsonl, by its own names."""
    values = {
      f'eval/{name}': value
      for name, value in evaluation._asdict().items()
      if value is not None and name != 'step'
    }
    self._write(evaluation.step, values)

  def history(
    self, losses: np.ndarray, evaluations: list[records.Evaluation]
  ) -> None:
    """All that came before a resumed run's first step, in order of steps."""
    done = 0
    for evaluation in evaluations:
      self.losses(done, losses[done : evaluation.step])
      self.evaluation(evaluation)
      done = evaluation.step
    self.losses(done, losses[done:])

  def close(self, result: records.Run | None = None) -> None:
    self._each(lambda writer: writer.close(result))
    self._writers = {}

  def _write(self, step: int, values: Mapping[str, float]) -> None:
    self._each(lambda writer: writer.write(step, values))

  def _each(self, act: Callable[[Writer], None]) -> None:
    for name, writer in list(self._writers.items()):
      try:
        act(writer)
      except Exception as error:  # no log is worth a run
        del self._writers[name]
        self._failed(name, error)
        with contextlib.suppress(Exception):
          writer.close(None)

  def _failed(self, name: str, error: Exception) -> None:
    reason = ' '.join(str(error).split()) or type(error).__name__
    self._message(
      f'{name} failed ({reason}): training continues without it, and'
      f' {records.METRICS} holds every number'
    )


def open_logs(
  config: ml_collections.ConfigDict,
  plan: budget.Plan,
  folder: epath.Path,
  losses: np.ndarray,
  evaluations: list[records.Evaluation],
  message: Callable[[str], None],
) -> Logs:
  """Opens the logs that the config asks for, for a new run or a resumed one.

  Args:
    config: of one model.
    plan: its sizes.
    folder: the run's own; logs lie under it.
    losses: of the steps so far.
    evaluations: so far.
    message: prints one about a log that fails.
  """
  logs = Logs(plan.S, message)
  about = {**config.to_dict(), **plan._asdict()}
  if config.log.tensorboard:
    logs.add('TensorBoard', lambda: TensorBoard(folder / 'tensorboard'))
  if config.log.wandb:
    logs.add('W&B', lambda: WandB(config.log, folder, about))
  logs.history(losses, evaluations)
  return logs


class TensorBoard:
  """Scalars in an event file.

  A resumed run writes its history again, and has TensorBoard forget what the
  files before hold: a killed process may have left too little, or too much.
  """

  def __init__(self, folder: epath.Path):
    from tensorboardX import record_writer
    from tensorboardX import summary
    from tensorboardX.proto import event_pb2

    self._summary, self._event = summary, event_pb2.Event
    record_writer.directory_check(str(folder))
    # Not SummaryWriter: its thread dies of a full disk, and its queue blocks.
    path = folder / f'events.out.tfevents.{time.time_ns()}'
    self._file = record_writer.RecordWriter(str(path))
    self._flushed_s = -float('inf')
    self._add(file_version='brain.Event:2')
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    self._add(step=0, session_log=start)  # purges from step 0 on

  def write(self, step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
      self._add(step=step, summary=self._summary.scalar(name, value))
    if time.monotonic() - self._flushed_s >= FLUSH_EVERY_S:
      self._file.flush()
      self._flushed_s = time.monotonic()

  def close(self, result: records.Run | None) -> None:
    if result is not None:
      rows = [f'| {k} | {v} |' for k, v in result._asdict().items()]
      text = '\n'.join(['| | |', '|-|-|', *rows])
      self._add(step=result.S, summary=self._summary.text('record', text))
    self._file.close()

  def _add(self, **fields: Any) -> None:
    event = self._event(wall_time=time.time(), **fields)
    self._file.write(event.SerializeToString())


class WandB:
  """A W&B run that keeps its id for as long as its folder is there.

  Online, a resumed run continues where the server's history ends. Offline, each
  session leaves a folder that holds the run from its first step, because the
  one that is synced last replaces the others.
  """

  def __init__(
    self,
    log: ml_collections.ConfigDict,
    folder: epath.Path,
    about: dict[str, Any],
  ):
    import wandb

    # Online it prints the run's address, which people want.
    settings = wandb.Settings(console='off', silent=log.wandb == 'offline')
    settings.init_timeout = PATIENCE_S
    if hasattr(settings, 'finish_timeout'):  # what is left, wandb sync sends
      settings.finish_timeout = PATIENCE_S
    self._run = wandb.init(
      mode=log.wandb,
      project=log.project,
      group=about['experiment'],
      name=folder.name,
      id=_wandb_id(folder),
      resume='allow',
      reinit='create_new',  # seeds train side by side
      dir=tempfile.mkdtemp() if _remote(folder) else str(folder),
      config=about,
      settings=settings,
    )
    self._first = self._run.step

  def write(self, step: int, values: Mapping[str, float]) -> None:
    if step >= self._first:
      self._run.log(dict(values), step=step)

  def close(self, result: records.Run | None) -> None:
    done = result is not None and result.status == 'done'
    if result is not None:
      self._run.summary.update(result._asdict())
    self._run.finish(exit_code=0 if done else 1)


def _wandb_id(folder: epath.Path) -> str:
  """Made once a folder: two folders of one name are two runs."""
  path = folder / 'wandb' / 'run_id.txt'
  if not path.exists():
    path.parent.mkdir(parents=True, exist_ok=True)
    name = re.sub(r'[^\w.-]', '_', f'{folder.parent.name}-{folder.name}')
    records.write_atomic(path, f'{name[:50]}-{secrets.token_hex(4)}\n')
  return path.read_text().strip()


def _remote(folder: epath.PathLike) -> bool:
  return '://' in str(folder)
