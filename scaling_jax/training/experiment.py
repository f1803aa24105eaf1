"""The models of an experiment: the table before, the runs, the table after."""

from collections.abc import Sequence

from etils import epath
import ml_collections

from scaling_jax import records
from scaling_jax.corpus import dataset as dataset_lib
from scaling_jax.errors import UserError
from scaling_jax.training import devices as devices_lib
from scaling_jax.training import job as job_lib
from scaling_jax.training import progress as progress_lib
from scaling_jax.training import settings
from scaling_jax.training import train as train_lib


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Columns of text: the first flush left, the others flush right."""
  lines = [header, *rows]
  widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
  return '\n'.join(
    '  '.join(
      cell.ljust(w) if i == 0 else cell.rjust(w)
      for i, (cell, w) in enumerate(zip(line, widths))
    ).rstrip()
    for line in lines
  )


def run(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
) -> list[records.Run]:
  """Trains every model with every seed, writes results.csv, prints a table.

  Raises:
    UserError: bad input; nothing has been trained then, but for runs of models
      that come before the bad one.
  """
  devices_lib.configure(config.train.batch_size, config.devices)
  _check_names(config)
  jobs = [
    job_lib.make_job(config, name, workdir, data_dir) for name in config.models
  ]
  line = progress_lib.ProgressLine()
  results = []
  for job in jobs:
    line.say(
      f'{job.name}: N {job.plan.N:,}, {job.plan.S:,} steps of'
      f' {job.tokens_per_step:,} tokens on {devices_lib.describe(job.devices)}'
    )
    results += train_lib.train(job, tuple(config.seeds), line)
    records.write_results(job.folder)
  line.say(results_table(results))
  line.say(f'records: {jobs[0].folder}/{records.RESULTS}')
  return results


def _check_names(config: ml_collections.ConfigDict) -> None:
  if not config.models:
    raise UserError('models=() is empty: it must name a model; try gpt-0')
  if not config.seeds:
    raise UserError('seeds=() is empty: it must hold a seed; try 0')
  for seed in config.seeds:
    if not isinstance(seed, int) or not 0 <= seed < 1 << 32:
      raise UserError(
        f'seed {seed!r} must be a whole number from 0 to below 2^32; try 0'
      )


def results_table(runs: Sequence[records.Run]) -> str:
  """The runs as a person reads them."""
  header = ('run', 'N', 'D', 'S', 'val loss', '±', 'bits/byte', 'time',
            'tok/s', 'status')  # fmt: skip
  rows = [
    (
      r.run_id,
      f'{r.N:,}',
      f'{r.D:,}',
      f'{r.S:,}',
      f'{r.val_loss:.4f}',
      f'{r.val_loss_sem:.4f}',
      f'{r.val_bpb:.4f}',
      progress_lib.duration(r.wall_s),
      f'{r.tokens_per_s:,.0f}',
      r.status,
    )
    for r in runs
  ]
  return table(header, rows)


def dry_run(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike,
  data_dir: epath.PathLike,
) -> None:
  """Prints what would be trained: N, D, S, FLOPs, epochs, the time to expect.

  The time comes from a few real steps of each model on this machine, made-up
  tokens, the results thrown away. Where the corpus was never prepared, what
  depends on it stays empty.
  """
  devices_lib.configure(config.train.batch_size, config.devices)
  _check_names(config)
  missing, total_s, rows = None, 0.0, []
  for name in config.models:
    plan = settings.make_plan(settings.for_model(config, name))
    cells = [name, f'{plan.N:,}', f'{plan.D:,}', f'{plan.S:,}',
             f'{plan.flops_6ND:.3g}']  # fmt: skip
    try:
      job = job_lib.make_job(config, name, workdir, data_dir)
    except dataset_lib.NotPrepared as error:
      missing = error
      rest = ['–', f'{plan.tokens_per_param:.1f}', '–', '–']
    else:
      seconds = estimate_s(job) * len(config.seeds)
      total_s += seconds
      rest = [
        f'{plan.D * job.flops_per_token:.3g}',
        f'{plan.tokens_per_param:.1f}',
        f'{plan.D / job.train_tokens:.2f}',
        progress_lib.duration(seconds),
      ]
    rows.append(cells + rest)
  header = ('model', 'N', 'D', 'S', '6ND', 'FLOPs', 'tokens/param', 'epochs',
            'time')  # fmt: skip
  print(table(header, rows))
  seeds = f', {len(config.seeds)} seeds' if len(config.seeds) > 1 else ''
  print(f'{config.experiment} on {config.dataset}{seeds}: ', end='')
  if missing:
    print(f'FLOPs, epochs and time are not known, because {missing}')
  else:
    print(
      f'{progress_lib.duration(total_s)} in all, evaluations included, from a'
      f' few steps timed on {devices_lib.describe(job.devices)}'
    )


def estimate_s(job: job_lib.Job, steps: int = 4) -> float:
  """Seconds that one seed's run should take, from a few steps on this machine.

  An evaluation's forward pass counts as a third of a training step.
  """
  step_s = job_lib.time_step(job, steps)
  e = job.config.eval
  evaluations = 1 + (job.plan.S - 1) // e.every_steps
  block_size = job.config.model.block_size
  evaluated = evaluations * e.batches * e.batch_size * block_size
  evaluated += len(job.dataset.val)
  return step_s * (job.plan.S + evaluated / 3 / job.tokens_per_step)
