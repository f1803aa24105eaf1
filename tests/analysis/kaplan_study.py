"""A study whose runs obey Kaplan's laws, as training would have left it."""

import functools
import math
import tempfile

from etils import epath
import numpy as np

from scaling_jax import budget
from scaling_jax import laws
from scaling_jax import records
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs.histories import LoadedRun
from scaling_jax.analysis.study import analyze
from scaling_jax.analysis.study import kaplan_study
from scaling_jax.analysis.study.results import Options

STEPS = laws.KaplanSteps(N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76)
BATCH = laws.CriticalBatch(B_star=2e7, alpha_B=0.235)
JOINT = laws.Kaplan(N_c=1.35e14, D_c=1.28e12, alpha_N=0.0762, alpha_D=0.1221)
ALPHA_C = laws.alpha_C_min(STEPS.alpha_S, BATCH.alpha_B, STEPS.alpha_N)

SIZES = ('2x32', '2x64', '4x64', '4x96', '6x128', '8x160', '10x224')
BLOCK = 64
B = 1024 * BLOCK  # tokens a step of the sizes
TOKENS, BATCH_TOKENS, PART_TOKENS = 2e9, 4e8, 1e8
BATCHES = tuple(BLOCK * n for n in (64, 256, 1024, 2048, 4096))
WARMUP = 20
TEXT = 10**10
BOOTSTRAP = Bootstrap(draws=200)


def curves(noise=0.0, seed=0, batch=B, sizes=SIZES, tokens=TOKENS):
  """(model, N, losses of every step) of each size."""
  rng = np.random.default_rng(seed)
  out = []
  for model in sizes:
    N = _N(model)
    run = simulate.batch_runs(
      STEPS, BATCH, N, [batch], tokens, noise, rng, warmup=WARMUP
    )[0]
    out.append((model, N, run.losses))
  return out


def _N(model: str) -> int:
  return budget.count_parameters(budget.model_shape(model), BLOCK, 0).N


def write(folder: epath.PathLike, noise: float = 0.0) -> None:
  """Three experiments: sizes, batches of one size, parts of a text."""
  folder = epath.Path(folder)
  for model, N, losses in curves(noise):
    _write(folder / 'n', model, model, N, B, losses, float(losses[-1]), TOKENS)
  rng = np.random.default_rng(1)
  model = SIZES[2]
  runs = simulate.batch_runs(
    STEPS, BATCH, _N(model), BATCHES, BATCH_TOKENS, noise, rng, warmup=WARMUP
  )
  for run in runs:
    for slower, rate in ((1.0, 1e-3), (1.3, 1e-4)):
      # At the other rate the same losses come so many times later.
      every = np.arange(1, len(run.losses) + 1)
      losses = np.interp(every / slower, every, run.losses)
      _write(
        folder / 'batches', model, f'{model}_B{run.B:g}_lr{rate:g}', _N(model),
        run.B, losses, float(losses[-1]), BATCH_TOKENS, rate=rate,
      )  # fmt: skip
  for model in SIZES[::3]:
    for text in (1e5, 1e6, 1e7, PART_TOKENS):
      L = float(JOINT.loss(_N(model), text) * np.exp(noise * rng.normal()))
      losses = np.full(1000, L)
      _write(
        folder / 'parts', model, f'{model}_text{text:g}', _N(model),
        PART_TOKENS / 1000, losses, L, PART_TOKENS, text=int(text),
        rise=0.2 * (text < PART_TOKENS),
      )  # fmt: skip


def _write(
  folder, model, label, N, tokens_a_step, losses, L, tokens, rate=1e-3,
  text=TEXT, rise=0.0,
):  # fmt: skip
  """One run folder; its loss ends `rise` above its lowest."""
  shape = budget.model_shape(model)
  S = len(losses)
  D = S * tokens_a_step
  place = epath.Path(folder) / f'{label}_seed0'
  place.mkdir(parents=True)
  train = {
    'warmup_steps': WARMUP, 'learning_rate': rate, 'schedule': 'constant',
    'batch_size': round(tokens_a_step / BLOCK),
  }  # fmt: skip
  records.write_json(
    place / records.CONFIG,
    {
      'identity': {'train': train},
      'config': {'train': train},
      'corpus': {'name': 'simulated', 'train_tokens': text},
    },
  )
  records.write_npy(place / records.TRAIN_LOSS, losses.astype(np.float32))
  lines = [(S // 2, L), (S - 1, L + rise), (S, L + rise)]
  records.write_metrics(place, [_evaluation(*line) for line in lines])
  counts = budget.count_parameters(shape, BLOCK, 66)
  per_token = budget.flops_per_token(shape, BLOCK, 66)
  run = records.Run(
    run_id=place.name, experiment=epath.Path(folder).name, dataset='simulated',
    model=model, **shape._asdict(), seed=0,
    batch_size=train['batch_size'], block_size=BLOCK, C=6.0 * N * tokens, N=N,
    D=round(D), S=S, N_total=counts.total, flops=float(per_token * D),
    tokens_per_param=D / N, train_loss=float(losses[-1]), val_loss=L + rise,
    val_loss_sem=1e-3, val_bpb=L / math.log(2), wall_s=1.0, tokens_per_s=D,
    device='cpu x 1', status='done',
  )  # fmt: skip
  records.write_result(place, run)


def _evaluation(step: int, L: float) -> records.Evaluation:
  return records.Evaluation(
    step=step, tokens=0, flops=0.0, train_loss=L, val_loss=L, val_loss_sem=1e-3,
    val_bpb=L, lr=1e-3, grad_norm=1.0, tokens_per_s=1.0, wall_s=1.0,
  )  # fmt: skip


_FOLDER = tempfile.TemporaryDirectory(prefix='scaling_jax_kaplan_')


@functools.cache
def folder() -> epath.Path:
  place = epath.Path(_FOLDER.name)
  write(place, noise=0.003)
  return place


@functools.cache
def loaded() -> tuple[LoadedRun, ...]:
  """Every run of it."""
  return tuple(histories.load(run_folders.read_runs(folder())))


@functools.cache
def fitted() -> kaplan_study.KaplanStudy:
  """Kaplan's laws on all of it; not to be changed."""
  every = loaded()
  chosen = selection.select(every)
  tuned = [every[i] for i in chosen.kaplan]
  return kaplan_study.fit(every, tuned, bootstrap=BOOTSTRAP)


@functools.cache
def analysis() -> analyze.Analysis:
  """The whole analysis of it; not to be changed."""
  return analyze.analyze(
    run_folders.read_runs(folder()), Options(bootstrap=BOOTSTRAP)
  )
