"""The runs of an experiment: the table before, the runs, the table after."""

from collections.abc import Sequence
import functools
import sys

from etils import epath
import ml_collections

from scaling_jax import formatting
from scaling_jax import records
from scaling_jax import tables
from scaling_jax.corpus import dataset as dataset_lib
from scaling_jax.errors import UserError
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import forecast
from scaling_jax.training import interrupts
from scaling_jax.training import job as job_lib
from scaling_jax.training import launchers
from scaling_jax.training import pace as pace_lib
from scaling_jax.training import progress as progress_lib
from scaling_jax.training import settings
from scaling_jax.training import sweep as sweep_lib


class Incomplete(UserError):
  """Some runs failed; the others are done."""


class Stopped(KeyboardInterrupt):
  """Ctrl-C, with what was done by then."""


def run(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  parallel: int = 1,
) -> list[records.Run]:
  """Trains every model with every seed at every point of the sweep.

  A finished run is not repeated, an interrupted one resumes, and one that fails
  does not stop the others. results.csv grows with each run; at the end a table
  is printed.

  Args:
    config: of the experiment; see `configs/common.py`.
    workdir: holds a folder for each experiment.
    data_dir: holds a folder for each corpus.
    parallel: runs at a time, each in a process with its share of the machine;
      on a TPU, which serves one process, runs go one by one.

  Returns:
    The runs in the order of the sweep, those that failed omitted.

  Raises:
    UserError: bad input; nothing has been trained then.
    Incomplete: some runs failed.
    Stopped: by Ctrl-C.
  """
  parallel = _checked(parallel)
  with interrupts.listening():
    return _run(config, workdir, data_dir, parallel)


def _run(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  parallel: int,
) -> list[records.Run]:
  jobs = _jobs(config, workdir, data_dir, None if parallel == 1 else [])
  if parallel > 1:
    _check_shares(jobs, parallel)
  seeds = tuple(config.seeds)
  folder = jobs[0].folder
  _note_planned(jobs, seeds)
  # Where seeds gain nothing by training together each is a unit of its own.
  if parallel == 1:
    together = jobs[0].devices[0].platform != 'cpu'
  else:
    together = bool(devices_lib.gpus())
  groups = [seeds] if together else [(seed,) for seed in seeds]
  units = [launchers.Unit(job, group) for job in jobs for group in groups]
  log = _Log(units, parallel)
  try:
    log.train(workdir, data_dir)
  except KeyboardInterrupt as error:
    log.display.close()
    raise Stopped(log.stopped()) from error
  return log.result(folder)


def _checked(parallel: int) -> int:
  if parallel < 1:
    raise UserError(f'parallel={parallel} must be at least 1; try parallel=1')
  return 1 if devices_lib.has_tpu() else parallel


def _check_shares(jobs: list[job_lib.Job], parallel: int) -> None:
  """Raises UserError where `devices` asks for more than a process has."""
  wanted = jobs[0].config.devices
  if wanted is None or devices_lib.gpus():
    return
  n_cores = min(share['n_cores'] for share in launchers.shares(parallel))
  if wanted > n_cores:
    raise UserError(
      f'devices={wanted} must be at most {n_cores}, the cores that each of'
      f' {parallel} processes has; try devices={n_cores} or --parallel=1'
    )
  for job in jobs:
    settings.check_devices(job.config, wanted)


def _note_planned(jobs: list[job_lib.Job], seeds: tuple[int, ...]) -> None:
  planned = {
    job_lib.run_id(job.label, seed): job.plan._asdict()
    for job in jobs
    for seed in seeds
  }
  try:
    records.write_planned(jobs[0].folder, planned)
  except OSError as error:
    raise job_lib.unwritable(jobs[0].folder, error) from error


def _jobs(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  devices: list | None,
  most: int | None = None,
) -> list[job_lib.Job]:
  """Every job of the experiment, checked; `most` cores are there for each."""
  cells = sweep_lib.expand(config)
  if devices is None:
    devices_lib.configure(config.devices, most)
  load = functools.cache(dataset_lib.load_dataset)  # it reads the whole corpus
  return [
    job_lib.make_job(
      cell.config, cell.model, workdir, data_dir, devices, cell.label, load
    )
    for cell in cells
  ]


class _Log:
  """What became of each unit, as it is reported and shown."""

  def __init__(self, units: list[launchers.Unit], parallel: int):
    self.units, self.parallel = units, parallel
    self.finished: list[launchers.Unit] = []
    self.todo: list[launchers.Unit] = []
    for unit in units:
      (self.finished if _is_finished(unit) else self.todo).append(unit)
    self.pace = pace_lib.Pace(min(parallel, max(len(self.todo), 1)))
    self.total = sum(len(unit.seeds) for unit in units)
    self.display = progress_lib.Display(self.total, self.pace.left_s)
    self.found: dict[str, records.Run] = {}
    self.failures: list[tuple[launchers.Unit, str]] = []

  def train(self, workdir: epath.PathLike, data_dir: epath.PathLike) -> None:
    todo = self.todo
    self.display.count(done=sum(len(unit.seeds) for unit in self.finished))
    # Nothing is trained here, but whose folder it is must be checked.
    launchers.one_by_one(self.finished, self.display, self.note)
    work = [self.pace.expect(unit.job, unit.seeds) for unit in todo]
    if self.parallel == 1 or not todo:
      launchers.one_by_one(todo, self.display, self.note)
      return
    longest_first = sorted(range(len(todo)), key=lambda i: -work[i])
    launchers.several_at_a_time(
      [todo[i] for i in longest_first], self.parallel, workdir, data_dir,
      self.display, self.note,
    )  # fmt: skip

  def note(self, outcome: launchers.Outcome) -> None:
    unit = outcome.unit
    fresh = unit.title in self.pace
    if outcome.failure:
      self.pace.drop(unit.title)
      self.failures.append((unit, outcome.failure))
      self.display.count(done=0 if fresh else -len(unit.seeds))
      self.display.count(failed=len(unit.seeds))
      self.display.message(f'{unit.title}: failed: {outcome.failure}')
      return
    self.pace.end(unit.title)
    if fresh:
      self.display.count(done=len(unit.seeds))
    for run in outcome.runs:
      self.found[run.run_id] = run
      if fresh and self.total > 1:
        self.display.message(_end_message(run))
    try:
      records.write_results(unit.job.folder)
    except OSError as error:
      raise job_lib.unwritable(unit.job.folder, error) from error

  def stopped(self) -> str:
    done = len(self.found)
    return (
      f'stopped with {done} of {self.total} runs done; the same command resumes'
      ' from there'
    )

  def result(self, folder: epath.Path) -> list[records.Run]:
    order = [run_id for unit in self.units for run_id in unit.run_ids]
    runs = [self.found[run_id] for run_id in order if run_id in self.found]
    if runs:
      self.display.message(results_table(runs))
      self.display.message(f'records: {folder}/{records.RESULTS}')
    if self.failures:
      raise Incomplete(_failure_message(self.failures, self.total))
    return runs


def _is_finished(unit: launchers.Unit) -> bool:
  folders = [unit.job.folder / run_id for run_id in unit.run_ids]
  return all((folder / records.RESULT).exists() for folder in folders)


def _end_message(run: records.Run) -> str:
  if run.status != 'done':
    return f'{run.run_id}: {run.status} at step {formatting.whole(run.S)}'
  return (
    f'{run.run_id}: val loss {formatting.loss(run.val_loss)} ±'
    f' {formatting.loss(run.val_loss_sem)} in {formatting.duration(run.wall_s)}'
  )


def _failure_message(
  failures: list[tuple[launchers.Unit, str]], total: int
) -> str:
  if total == 1:
    return failures[0][1]
  reasons = '; '.join(f'{unit.title}: {reason}' for unit, reason in failures)
  count = sum(len(unit.seeds) for unit, _ in failures)
  return (
    f'{count} of {total} runs failed ({reasons}); the same command tries them'
    ' again'
  )


def results_table(runs: Sequence[records.Run]) -> str:
  """The runs as a person reads them."""
  header = ('run', 'N', 'D', 'S', 'val loss', '±', 'bits/byte', 'time',
            'tok/s', 'status')  # fmt: skip
  rows = [
    (
      r.run_id,
      formatting.whole(r.N),
      formatting.whole(r.D),
      formatting.whole(r.S),
      formatting.loss(r.val_loss),
      formatting.loss(r.val_loss_sem),
      formatting.loss(r.val_bpb),
      formatting.duration(r.wall_s),
      formatting.whole(r.tokens_per_s),
      r.status,
    )
    for r in runs
  ]
  return tables.columns(header, rows)


def dry_run(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
  parallel: int = 1,
) -> None:
  """Prints what would be trained: every count, D, S, FLOPs, epochs, the time.

  The time comes from a few real steps of each model on this machine, made-up
  tokens, the results thrown away. Where the corpus was never prepared, what
  depends on it stays empty.

  Args:
    config: see `run`, as for workdir and data_dir.
    parallel: runs at a time; steps are timed on one's share of the cores.
  """
  parallel = _checked(parallel)
  n_cores = launchers.shares(parallel)[0]['n_cores']
  cells = sweep_lib.expand(config)
  missing, seconds = None, None
  jobs: list[job_lib.Job] = []
  try:
    jobs = _jobs(config, workdir, data_dir, None, n_cores)
  except dataset_lib.NotPrepared as error:
    missing = error
  if jobs:
    seconds = [s * len(config.seeds) for s in _estimates_s(jobs)]
  meta = jobs[0].dataset.meta if jobs else None
  print(forecast.tables(forecast.rows(cells, meta), seconds))
  seeds = f', {len(config.seeds)} seeds' if len(config.seeds) > 1 else ''
  print(f'\n{config.experiment} on {config.dataset}{seeds}: ', end='')
  if seconds is None:
    print(f'what depends on its tokens is not known, because {missing}')
  else:
    at_once = min(parallel, len(jobs) * len(config.seeds))
    together = f', {at_once} at a time' if at_once > 1 else ''
    print(
      f'{formatting.duration(sum(seconds) / at_once)} in all{together},'
      ' evaluations included, from a few steps timed on'
      f' {devices_lib.describe(jobs[0].devices)}'
    )


def _estimates_s(jobs: Sequence[job_lib.Job]) -> list[float]:
  """Seconds of each job's run of one seed; steps that are alike timed once."""
  timed: dict[tuple, float] = {}
  out = []
  for job in jobs:
    train = job.config.train
    alike = (job.gpt, train.batch_size, train.grad_accum)
    if alike not in timed:
      # Beside the tables, which may go to a file: slow steps take minutes.
      sys.stderr.write(f'timing a few steps of {job.name}\n')
      sys.stderr.flush()
      timed[alike] = job_lib.time_step(job)
    out.append(estimate_s(job, timed[alike]))
  return out


def evaluated_tokens(job: job_lib.Job) -> int:
  """Tokens that a run's evaluations go through, the whole split's included."""
  e = job.config.eval
  evaluations = 1 + (job.plan.S - 1) // e.every_steps
  sampled = e.batches * e.batch_size * job.config.model.block_size
  return evaluations * sampled + len(job.dataset.val)


def estimate_s(job: job_lib.Job, step_s: float) -> float:
  """Seconds that one seed's run should take, from those of a step.

  An evaluation's forward pass counts as a third of a training step.
  """
  evaluated = evaluated_tokens(job)
  return step_s * (job.plan.S + evaluated / 3 / job.tokens_per_step)
