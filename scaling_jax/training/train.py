"""From a config to trained models and their records."""

import contextlib
import itertools
import time
from typing import Any

import jax
import numpy as np

from scaling_jax import budget
from scaling_jax import formatting
from scaling_jax import records
from scaling_jax.corpus import batches as batches_lib
from scaling_jax.training import checkpoint as checkpoint_lib
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import evaluate as evaluate_lib
from scaling_jax.training import interrupts
from scaling_jax.training import job as job_lib
from scaling_jax.training import optimizer as optimizer_lib
from scaling_jax.training import progress as progress_lib
from scaling_jax.training import seed_run as seed_run_lib
from scaling_jax.training import settings
from scaling_jax.training import step as step_lib


class _Group:
  """Seeds of one model that train side by side."""

  def __init__(self, job: job_lib.Job, runs: list[seed_run_lib.SeedRun], line):
    self.job, self.runs, self.line = job, runs, line
    config, S = job.config, job.plan.S
    self.rates = optimizer_lib.learning_rates(config.train, S)
    self.optimizer = optimizer_lib.make_optimizer(
      optimizer_lib.AdamW.of(config.train)
    )
    train_step = step_lib.make_train_step(
      job.gpt, self.optimizer, config.train.grad_accum
    )
    self.step_many = step_lib.fuse(train_step, job.devices)
    self.evaluator = evaluate_lib.Evaluator(
      job.gpt, job.dataset, config.eval, job.devices
    )
    self.K = settings.steps_per_dispatch(
      config,
      len(runs) * job.flops_per_token * job.tokens_per_step,
      job.devices[0].platform,
    )
    self.tokens = job.dataset.train[: job.train_tokens]
    self.step = 0
    self.states: Any = None  # until they are made or restored
    self.clock = progress_lib.Clock()
    self.interval = progress_lib.Clock()  # since the last evaluation
    self.compiled: set[int] = set()  # sizes of dispatch seen so far
    self.paced_from: tuple[int, float] | None = None
    self.grad_norms = np.full(len(runs), np.nan)

  def train(self) -> list[records.Run]:
    """Resumes from the last common checkpoint and trains to the end."""
    try:
      self._restore()
      for run in self.runs:
        run.open_logs(self.line.message)
      self._loop()
      return self._finish()
    except KeyboardInterrupt:
      with interrupts.held_back():
        self._keep()
        self._close()
      raise
    finally:
      self._close()

  def _message(self, text: str) -> None:
    self.line.message(f'{self.job.label}: {text}')

  def _close(self) -> None:
    for run in self.runs:
      # What went wrong before, or a Ctrl-C, is what a person must hear of.
      for close in (run.close, run.logs.close):
        with contextlib.suppress(Exception):
          close()

  def _restore(self) -> None:
    seeds = tuple(run.seed for run in self.runs)
    self.states = step_lib.init_states(
      self.job.gpt, self.optimizer, seeds, self.job.devices
    )
    common = set.intersection(
      *(set(run.checkpoints.steps()) for run in self.runs)
    )
    if not common:
      return
    self.step = max(common)
    like = jax.tree.map(lambda x: x[0], self.states)
    restored, norms = [], []
    for run in self.runs:
      state, progress = run.checkpoints.restore(self.step, like)
      restored.append(state)
      run.losses = [progress.train_loss]
      run.evaluations = progress.evaluations
      norms.append(progress.grad_norm)
      self._note_divergence(run, progress.train_loss, 0)
    self.clock = progress_lib.Clock(
      progress.wall_s, progress.timed_tokens, progress.timed_s
    )
    states = jax.tree.map(lambda *x: np.stack(x), *restored)
    self.states = step_lib.replicate(states, self.job.devices)
    self.grad_norms = np.array(norms)
    self._message(f'resumes from step {formatting.whole(self.step)}')

  def _loop(self) -> None:
    config, S = self.job.config, self.job.plan.S
    self._evaluate_if_due()
    saved_s = self.clock.session_s
    windows = self._windows(self._chunk())
    while self.step < S and self._any_alive():
      interrupts.check()
      # Compiling takes long, and has nothing to lose by a Ctrl-C.
      seen = windows.shape[1] in self.compiled
      with interrupts.held_back() if seen else contextlib.nullcontext():
        windows = self._advance(windows)
      self._evaluate_if_due()
      self._report()
      if self.clock.session_s - saved_s >= config.checkpoint.every_seconds:
        with interrupts.held_back():
          self._save()
        saved_s = self.clock.session_s

  def _advance(self, windows: np.ndarray) -> np.ndarray:
    """One dispatch and its records; returns the windows of the next."""
    started = time.perf_counter()
    n = windows.shape[1]
    rates = self.rates[self.step : self.step + n]
    self.states, metrics = self.step_many(self.states, windows, rates)
    self.step += n
    # The next batches are drawn while the device works on these.
    windows = self._windows(self._chunk())
    self._record(metrics, n, started)
    return windows

  def _chunk(self) -> int:
    """Steps in the next dispatch: K, but one at a time at a ragged end."""
    left = self.job.plan.S - self.step
    whole = self.step % self.K == 0 and left >= self.K
    return self.K if whole else min(1, left)

  def _windows(self, n: int) -> np.ndarray:
    """The next n steps' windows, [devices, n, seeds, B / devices, T + 1]."""
    config = self.job.config
    B, T = settings.sequences_per_step(config), config.model.block_size
    windows = np.empty(
      (n, len(self.runs), B, T + 1), self.job.dataset.train.dtype
    )
    for i in range(n):
      for j, run in enumerate(self.runs):
        step = self.step + i
        windows[i, j] = batches_lib.batch_at(self.tokens, run.seed, step, B, T)
    devices = len(self.job.devices)
    shared = windows.reshape(n, len(self.runs), devices, B // devices, T + 1)
    return np.moveaxis(shared, 2, 0)

  def _record(self, metrics, n: int, started: float) -> None:
    losses_KS = np.asarray(metrics.loss)
    self.grad_norms = np.asarray(metrics.grad_norm)[-1]
    if n in self.compiled:
      seconds = time.perf_counter() - started
      for clock in (self.clock, self.interval):
        clock.count(n * self.job.tokens_per_step, seconds)
    self.compiled.add(n)  # the first dispatch of its size waits for XLA
    for run, losses in zip(self.runs, losses_KS.T):
      if run.diverged_at is None:
        run.losses.append(losses)
        self._note_divergence(run, losses, self.step - n)
        run.logs.losses(self.step - n, run.losses[-1])

  def _note_divergence(
    self, run: seed_run_lib.SeedRun, losses, first: int
  ) -> None:
    bad = np.flatnonzero(~np.isfinite(losses))
    if len(bad):
      run.diverged_at = first + int(bad[0]) + 1
      run.losses[-1] = run.losses[-1][: bad[0] + 1]

  def _any_alive(self) -> bool:
    return any(run.diverged_at is None for run in self.runs)

  def _evaluate_if_due(self) -> None:
    # Also of a run that was stopped between an update and its evaluation.
    every = self.job.config.eval.every_steps
    if self.step % every == 0 and self.step < self.job.plan.S:
      lines = [run.evaluations for run in self.runs if run.diverged_at is None]
      if any(not line or line[-1].step < self.step for line in lines):
        self._evaluate(self.evaluator.sample)

  def _evaluate(self, evaluator) -> None:
    scores = evaluator(self.states.params)
    job = self.job
    for run, score, norm in zip(self.runs, scores, self.grad_norms):
      if run.diverged_at is not None:
        continue
      done = run.evaluations[-1].step if run.evaluations else 0
      if run.evaluations and done == self.step:
        continue
      since = run.train_loss[done:]
      run.evaluations.append(
        records.Evaluation(
          step=self.step,
          tokens=self.step * job.tokens_per_step,
          flops=float(self.step * job.tokens_per_step * job.flops_per_token),
          train_loss=float(since.mean(dtype=np.float64))
          if len(since)
          else None,
          val_loss=score.loss,
          val_loss_sem=score.sem,
          val_bpb=score.bpb,
          lr=float(self.rates[self.step - 1]) if self.step else None,
          grad_norm=float(norm) if self.step else None,
          tokens_per_s=self.interval.tokens_per_s,
          wall_s=self.clock.wall_s,
        )
      )
      records.write_metrics(run.folder, run.evaluations)
      run.logs.evaluation(run.evaluations[-1])
    self.interval = progress_lib.Clock()

  def _report(self) -> None:
    job = self.job
    alive = [run for run in self.runs if run.diverged_at is None]
    if not alive:
      return
    speed = self.clock.tokens_per_s
    speed = speed and speed * len(self.runs)
    report = progress_lib.Report(
      label=job_lib.title(job, [run.seed for run in self.runs]),
      step=self.step,
      S=job.plan.S,
      train_loss=float(np.mean([run.losses[-1].mean() for run in alive])),
      val_loss=float(np.mean([run.evaluations[-1].val_loss for run in alive])),
      tokens_per_s=speed,
      flops_per_s=speed and speed * job.flops_per_token,
      left_s=self._left_s(),
    )
    self.line.show(report, force=self.step == job.plan.S)

  def _left_s(self) -> float | None:
    """At the pace since the first dispatch, whose compilation misleads."""
    now_s = self.clock.session_s
    if self.paced_from is None:
      self.paced_from = (self.step, now_s)
    step, then_s = self.paced_from
    if self.step == step:
      return None
    return (now_s - then_s) / (self.step - step) * (self.job.plan.S - self.step)

  def _save(self) -> None:
    states = jax.tree.map(np.asarray, self.states)
    for i, run in enumerate(self.runs):
      progress = checkpoint_lib.Progress(
        run.train_loss,
        run.evaluations,
        float(self.grad_norms[i]),
        self.clock.wall_s,
        self.clock.timed_tokens,
        self.clock.timed_s,
      )
      state = jax.tree.map(lambda x, i=i: x[i], states)
      run.checkpoints.save(self.step, state, progress)

  def _keep(self) -> None:
    """Saves where the run was stopped, if state and losses agree."""
    # Buffers that a dispatch took and did not give back can't be saved.
    spent = any(
      isinstance(leaf, jax.Array) and leaf.is_deleted()
      for leaf in jax.tree.leaves(self.states)
    )
    agree = all(
      sum(map(len, run.losses)) == self.step
      for run in self.runs
      if run.diverged_at is None
    )
    if not self.step or spent or not agree or not self._any_alive():
      return
    try:
      self._save()
    except Exception as error:
      self._message(f'stopped, and not kept: {error}')
    else:
      self._message(f'stopped and kept at step {formatting.whole(self.step)}')

  def _finish(self) -> list[records.Run]:
    last = self.runs[0].evaluations[-1].step if self.runs[0].evaluations else -1
    if self._any_alive() and last < self.job.plan.S:
      with interrupts.held_back():
        self._save()
      self._evaluate(self.evaluator.whole)
    self.line.end()
    results = []
    for run in self.runs:
      records.write_metrics(run.folder, run.evaluations)
      records.write_npy(run.folder / records.TRAIN_LOSS, run.train_loss)
      run.close()
      result = self._result(run)
      records.write_result(run.folder, result)
      run.logs.close(result)
      results.append(result)
    return results

  def _result(self, run: seed_run_lib.SeedRun) -> records.Run:
    job, config = self.job, self.job.config
    S = run.diverged_at or job.plan.S
    D = S * job.tokens_per_step
    losses = run.train_loss[-config.eval.every_steps :]
    final = run.evaluations[-1]
    done = run.diverged_at is None
    counts = budget.count_parameters(
      settings.shape_of(config),
      config.model.block_size,
      job.dataset.vocab_size,
      config.model.bias,
    )
    return records.Run(
      run_id=run.folder.name,
      experiment=config.experiment,
      model=job.name,
      **settings.shape_of(config)._asdict(),
      seed=run.seed,
      batch_size=settings.sequences_per_step(config),
      block_size=config.model.block_size,
      C=job.plan.C,
      N=job.plan.N,
      D=D,
      S=S,
      N_total=counts.total,
      flops=float(D * job.flops_per_token),
      tokens_per_param=D / job.plan.N,
      train_loss=float(losses.mean(dtype=np.float64)),
      val_loss=final.val_loss if done else float('nan'),
      val_loss_sem=final.val_loss_sem if done else float('nan'),
      val_bpb=final.val_bpb if done else float('nan'),
      wall_s=self.clock.wall_s,
      tokens_per_s=self.clock.tokens_per_s or D / self.clock.wall_s,
      device=devices_lib.describe(job.devices),
      status='done' if done else 'diverged',
      learning_rate=float(config.train.learning_rate),
      min_learning_rate=float(config.train.min_learning_rate),
      schedule=config.train.schedule,
      warmup_steps=config.train.warmup_steps,
      tokens_per_step=job.tokens_per_step,
      **job.corpus_fields,
    )


def train(
  job: job_lib.Job,
  seeds: tuple[int, ...],
  line: progress_lib.Line | None = None,
) -> list[records.Run]:
  """Trains one model with each of the seeds; finished runs are not repeated.

  Seeds train side by side, except on the CPU, which gains nothing by it. Every
  run leaves config.json, metrics.jsonl, train_loss.npy, checkpoints and, last,
  result.json in its folder.

  Args:
    job: see `job.make_job`.
    seeds: one run each.
    line: shows progress; by default on standard output.

  Returns:
    A record for each seed, in order.

  Raises:
    UserError: a run's folder holds another run, or can't be written.
  """
  line = line or progress_lib.Display()
  results: dict[int, records.Run] = {}
  todo = []
  for run in [seed_run_lib.SeedRun(job, seed) for seed in seeds]:
    if (found := run.claim()) is not None:
      results[run.seed] = found
    else:
      todo.append(run)
  if not todo:
    return [results[seed] for seed in seeds]
  if job.devices[0].platform == 'cpu':
    groups = [[run] for run in todo]
  else:
    # Seeds that stopped at different steps have no common one to resume from.
    todo.sort(key=lambda run: (run.last_step(), run.seed))
    groups = [
      list(group)
      for _, group in itertools.groupby(todo, lambda run: run.last_step())
    ]
  for group in groups:
    for run, result in zip(group, _Group(job, group, line).train()):
      results[run.seed] = result
  return [results[seed] for seed in seeds]
