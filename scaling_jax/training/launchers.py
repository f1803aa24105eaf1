"""The runs of an experiment, one after the other or several at a time."""

from collections.abc import Callable, Sequence
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from typing import Any, NamedTuple

from etils import epath

from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import huge_pages
from scaling_jax.training import interrupts
from scaling_jax.training import job as job_lib
from scaling_jax.training import progress as progress_lib
from scaling_jax.training import train as train_lib

ERROR = 'error.txt'  # in the run's folder: the traceback of what went wrong
_GRACE_S = 30.0  # for a stopped process to keep where it was
_GPU_SHARE = 0.9  # of the memory, for all processes on it together


class Unit(NamedTuple):
  """Seeds of one job that train together."""

  job: job_lib.Job
  seeds: tuple[int, ...]

  @property
  def title(self) -> str:
    return job_lib.title(self.job, self.seeds)

  @property
  def run_ids(self) -> list[str]:
    return [job_lib.run_id(self.job.label, seed) for seed in self.seeds]


class Outcome(NamedTuple):
  """What became of a unit: its runs, or why it has none."""

  unit: Unit
  runs: list[records.Run]
  failure: str = ''


Report = Callable[[Outcome], None]


def one_by_one(
  units: Sequence[Unit], display: progress_lib.Display, report: Report
) -> None:
  """Trains units in this process, in order.

  Args:
    units: whose jobs know their devices.
    display: shows the run under way.
    report: takes each unit's outcome as it ends, failed or not.
  """
  for unit in units:
    interrupts.check()
    try:
      runs, failure = train_lib.train(unit.job, unit.seeds, display), ''
    except UserError as error:
      runs, failure = [], str(error)
    except Exception as error:
      runs, failure = [], f'{type(error).__name__}: {error}'
      failure = _with_traceback(unit, failure, traceback.format_exc())
    display.end()
    _report_end(Outcome(unit, runs, failure), report)


def _with_traceback(unit: Unit, reason: str, details: str) -> str:
  """Keeps a traceback in the first run's folder; tells where, in one line."""
  path = unit.job.folder / unit.run_ids[0] / ERROR
  first = ' '.join(reason.split())
  first = first if len(first) <= 200 else f'{first[:200]} …'
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(details)
  except OSError:
    return first
  return f'{first} ({path} has the details)'


def _report_end(outcome: Outcome, report: Report) -> None:
  """Reports an end; where it is a good one, what failed before is mended."""
  unit = outcome.unit
  for run_id in () if outcome.failure else unit.run_ids:
    with contextlib.suppress(OSError):
      (unit.job.folder / run_id / ERROR).unlink(missing_ok=True)
  report(outcome)


def shares(parallel: int) -> list[dict[str, Any]]:
  """Each process' part of the machine: cores, and on GPUs memory.

  Returns:
    A dict for each: `cores` are numbers of cores, empty where the system can't
    bind a process to them; `n_cores` is how many to use; `environment` holds
    variables to set.
  """
  cores: list[int] = []
  if hasattr(os, 'sched_getaffinity'):
    cores = sorted(os.sched_getaffinity(0))
  gpus = devices_lib.gpus()
  found = []
  for i in range(parallel):
    own = _part(cores, i, parallel)
    environment = {}
    if gpus:
      beside = -(-parallel // len(gpus))  # processes on one GPU, at most
      visible = _part(gpus, i, parallel)
      environment['CUDA_VISIBLE_DEVICES'] = ','.join(visible)
      environment['XLA_PYTHON_CLIENT_MEM_FRACTION'] = os.environ.get(
        'XLA_PYTHON_CLIENT_MEM_FRACTION', f'{_GPU_SHARE / beside:.3f}'
      )
    n_cores = len(own) or max(1, devices_lib.cores() // parallel)
    found.append({'cores': own, 'n_cores': n_cores, 'environment': environment})
  return found


def _part(things: list, i: int, parallel: int) -> list:
  """The i-th of `parallel` even parts, none empty where there is anything."""
  n = len(things)
  own = things[i * n // parallel : (i + 1) * n // parallel]
  return own or ([things[i % n]] if n else [])


class _Worker:
  """A process that trains units one after the other; see `worker`."""

  def __init__(self, slot: int, share: dict[str, Any], inbox: queue.Queue):
    self.slot, self._share, self._inbox = slot, share, inbox
    self.unit: Unit | None = None
    self.last_error = ''  # what went wrong, where the process could still tell
    self._process: subprocess.Popen | None = None

  def submit(self, unit: Unit, workdir: str, data_dir: str) -> None:
    """Sends a unit, to a new process where the last one has ended."""
    self.unit = unit
    if self._process is None:
      self._start()
    self._send(
      {
        'config': unit.job.config.to_dict(),
        'model': unit.job.name,
        'label': unit.job.label,
        'seeds': unit.seeds,
        'workdir': workdir,
        'data_dir': data_dir,
      }
    )

  def _start(self) -> None:
    self._errors = tempfile.TemporaryFile('w+', errors='replace')  # noqa: SIM115
    self._process = subprocess.Popen(
      [sys.executable, '-m', 'scaling_jax.training.worker'],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=self._errors,
      text=True,
      # A Ctrl-C is for the parent, which passes it on once.
      start_new_session=True,
      env={
        **os.environ,
        **huge_pages.environment(),
        'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
      },
    )
    self._listener = threading.Thread(
      target=self._listen, args=(self._process,), daemon=True
    )
    self._listener.start()
    self._send(self._share)

  def _send(self, message: dict[str, Any]) -> None:
    assert self._process is not None and self._process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its thread tells that it died
      self._process.stdin.write(json.dumps(message) + '\n')
      self._process.stdin.flush()

  def _listen(self, process: subprocess.Popen) -> None:
    assert process.stdout is not None
    try:
      for line in process.stdout:
        self._inbox.put((self, json.loads(line)))
      process.wait()
    finally:
      self._inbox.put((self, {'kind': 'gone'}))

  def exit_reason(self) -> tuple[str, str]:
    """After the process has ended: how, and what it wrote on stderr."""
    assert self._process is not None
    code = self._process.returncode
    self._errors.seek(0)
    text = self._errors.read()
    self._close()
    how = f'signal {-code}' if code < 0 else f'exit code {code}'
    return f'its process ended with {how}', text

  def _close(self) -> None:
    assert self._process is not None
    for stream in (self._process.stdin, self._process.stdout, self._errors):
      if stream is not None:
        with contextlib.suppress(BrokenPipeError):
          stream.close()
    self._process = None

  def interrupt(self) -> None:
    if self._process is not None:
      self._process.send_signal(signal.SIGINT)

  def shut_down(self, grace_s: float) -> None:
    """Lets the process end, and ends it where it does not."""
    process = self._process
    if process is None:
      return
    with contextlib.suppress(BrokenPipeError):
      if process.stdin is not None:
        process.stdin.close()
    for end in (self.interrupt, process.kill):
      try:
        process.wait(grace_s / 2)
        break
      except subprocess.TimeoutExpired:
        end()  # a first Ctrl-C may come before it can be heard
    process.wait()
    self._listener.join()
    self._close()


class _Team:
  """Processes that share the units of an experiment."""

  def __init__(self, units, places, display, report):
    self._waiting = list(units)
    self._places = places
    self._display, self._report = display, report
    self._inbox: queue.Queue = queue.Queue()

  def train(self, parallel: int) -> None:
    workers = [
      _Worker(slot, share, self._inbox)
      for slot, share in enumerate(shares(parallel))
    ]
    try:
      for worker in workers:
        self._next(worker)
      while any(worker.unit for worker in workers):
        interrupts.check()
        with contextlib.suppress(queue.Empty):
          self._handle(*self._inbox.get(timeout=1.0))
    except BaseException:
      for worker in workers:
        worker.interrupt()
      raise
    finally:
      for worker in workers:
        worker.shut_down(_GRACE_S)
      self._handle_the_last()

  def _handle_the_last(self) -> None:
    self._waiting = []
    while not self._inbox.empty():
      worker, message = self._inbox.get()
      if message['kind'] in ('message', 'done'):
        self._handle(worker, message)

  def _next(self, worker: _Worker) -> None:
    worker.unit = None
    if self._waiting:
      worker.submit(self._waiting.pop(0), *self._places)

  def _handle(self, worker: _Worker, message: dict[str, Any]) -> None:
    kind, unit = message['kind'], worker.unit
    if kind == 'show':
      report = progress_lib.Report(**message['report'])
      self._display.show(report, message['force'], worker.slot)
    elif kind == 'message':
      self._display.message(message['text'])
    elif kind == 'done':
      runs = [records.typed(records.Run, fields) for fields in message['runs']]
      self._over(worker, runs)
    elif kind == 'failed':
      self._over(worker, [], message['reason'])
    elif kind == 'crashed':
      worker.last_error = message['reason']
    elif kind == 'gone':
      reason, details = worker.exit_reason()
      reason, worker.last_error = worker.last_error or reason, ''
      if unit is not None:
        if details:
          reason = _with_traceback(unit, reason, details)
        self._over(worker, [], reason)

  def _over(self, worker: _Worker, runs, failure: str = '') -> None:
    unit = worker.unit
    assert unit is not None
    self._display.end(worker.slot)
    _report_end(Outcome(unit, runs, failure), self._report)
    self._next(worker)


def several_at_a_time(
  units: Sequence[Unit],
  parallel: int,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  display: progress_lib.Display,
  report: Report,
) -> None:
  """Trains units in processes of their own, each with a share of the machine.

  A process trains one unit after the other, and is replaced where it dies.

  Args:
    units: the longest first, so that none is left alone at the end.
    parallel: processes.
    workdir: see `job.make_job`; so is data_dir.
    display: shows all that are under way.
    report: takes each unit's outcome as it ends, failed or not.
  """
  places = (str(workdir), str(data_dir))
  team = _Team(units, places, display, report)
  team.train(min(parallel, len(units)))
