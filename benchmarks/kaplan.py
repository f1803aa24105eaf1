"""Kaplan's laws on points of published figures, and how intervals hold.

PYTHONPATH=. python benchmarks/kaplan.py --published=FOLDER
PYTHONPATH=. python benchmarks/kaplan.py --studies=100

FOLDER has nanogpt_kaplan_L_N.csv, nanogpt_kaplan_L_ND.csv and
nanogpt_critical_batch.csv, read off the figures of shehper/scaling_laws. The
second prints the share of 95 % intervals that hold the truth on simulated
studies, and their median width, for each law at several noises.
"""

from collections import defaultdict
from collections.abc import Iterator
import csv
import pathlib

from absl import app
from absl import flags
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import critical_batch
from scaling_jax.analysis import kaplan
from scaling_jax.analysis import log_line
from scaling_jax.analysis import lower_hull
from scaling_jax.analysis import simulate
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis import words
from scaling_jax.analysis.envelope import TrainingCurve

_PUBLISHED = flags.DEFINE_string('published', None, 'Folder of the points.')
_STUDIES = flags.DEFINE_integer('studies', 0, 'Simulated studies a row.')
_DRAWS = flags.DEFINE_integer('draws', 400, 'Redrawn studies of each.')

LEVEL = 0.95
STEPS = laws.KAPLAN_L_NS
BATCH = laws.CriticalBatch(B_star=2e7, alpha_B=0.235)
# What shehper/scaling_laws states of its own L(N).
STATED = {('L(N)', 'alpha_N'): '0.0823', ('L(N)', 'N_c'): '3.81e13'}

# (law, number, estimate, truth or nan)
Numbers = Iterator[tuple[str, str, uncertainty.Estimate, float]]


def _columns(name: str) -> np.ndarray:
  with (pathlib.Path(_PUBLISHED.value) / name).open(newline='') as file:
    return np.array(list(csv.reader(file))[1:], float).T


def _scale(found: log_line.LogLine, law: str, x: str, truth=None) -> Numbers:
  """alpha_x, and x_c."""
  slope, intercept = found.line
  slopes, intercepts = found.draws.T
  alpha, x_c = truth or (np.nan, np.nan)
  yield law, f'alpha_{x}', uncertainty.estimate(-slope, -slopes, LEVEL), alpha
  log_c = -intercept / slope, -intercepts / slopes
  yield law, f'{x}_c', uncertainty.exp_estimate(*log_c, LEVEL), x_c


def _joint(found: kaplan.Joint, law: str, truth=None) -> Numbers:
  for name, value, drawn in zip(found.law._fields, found.law, found.draws):
    exact = getattr(truth, name) if truth else np.nan
    if name.endswith('_c'):
      value, drawn = np.log(value), np.log(drawn)
      yield law, name, uncertainty.exp_estimate(value, drawn, LEVEL), exact
    else:
      yield law, name, uncertainty.estimate(value, drawn, LEVEL), exact


def _critical(found: critical_batch.Critical, truth=None) -> Numbers:
  law, drawn = found.law, found.draws
  B_star, alpha_B = truth or (np.nan, np.nan)
  logs = np.log(law.B_star), np.log(drawn.B_star)
  yield 'B_crit(L)', 'B*', uncertainty.exp_estimate(*logs, LEVEL), B_star
  yield (
    'B_crit(L)', 'alpha_B',
    uncertainty.estimate(law.alpha_B, drawn.alpha_B, LEVEL), alpha_B,
  )  # fmt: skip


def published() -> None:
  N, L = _columns('nanogpt_kaplan_L_N.csv')
  rows = list(_scale(log_line.fit(N, L, 'sizes'), 'L(N)', 'N'))
  joint = kaplan.fit_ND(*_columns('nanogpt_kaplan_L_ND.csv'))
  rows += _joint(joint, 'L(N, D)')
  L, B = _columns('nanogpt_critical_batch.csv')
  critical = critical_batch.law_of(log_line.fit(L, B, 'losses'))
  rows += _critical(critical)
  print('| law | number | fitted here [95 %] | stated there |')
  print('|---|---|---|---|')
  for law, name, x, _ in rows:
    stated = STATED.get((law, name), '–')
    print(f'| {law} | {name} | {words.estimate(x)} | {stated} |')
  print(f'1/alpha_B = {1 / critical.law.alpha_B:.3f}')
  sd = np.exp(np.std(np.log(joint.draws.D_c)))
  print(f'One standard error of D_c is a factor of {sd:.1f}.')


def _of_ND(noise: float, rng, seed: int) -> Numbers:
  N, D = (
    x.ravel()
    for x in np.meshgrid(np.geomspace(1e6, 1e8, 3), np.geomspace(1e7, 1e10, 5))
  )
  L = laws.KAPLAN.loss(N, D) * np.exp(noise * rng.normal(size=N.size))
  found = kaplan.fit_ND(N, D, L, _DRAWS.value, seed)
  if found.ok:
    yield from _joint(found, 'L(N, D), 3 x 5 runs', laws.KAPLAN)


def _curves(noise: float, rng) -> tuple[list[TrainingCurve], np.ndarray]:
  """Seven runs; a run's seed moves its curve, and a third as much each bin."""
  S = np.geomspace(100, 1e5, 100)
  curves = []
  for N in np.geomspace(1e5, 1e8, 7):
    moved = noise * (rng.normal() + 0.3 * rng.normal(size=S.size))
    L = np.minimum.accumulate(STEPS.loss(N, S) * np.exp(moved))
    curves.append(TrainingCurve(f'{N:g}', float(N), 6e5 * N * S, 1e5 * S, L))
  return curves, S


def _of_NS(noise: float, rng, seed: int) -> Numbers:
  curves, S = _curves(noise, rng)
  found = kaplan.fit_NS(curves, [S] * len(curves), _DRAWS.value, seed)
  if found.ok:
    yield from _joint(found, 'L(N, S_min), 7 runs', STEPS)


def _of_hull(noise: float, rng, seed: int) -> Numbers:
  found = lower_hull.fit(_curves(noise, rng)[0], _DRAWS.value, seed)
  if found.ok:
    alpha = 1 / (1 / STEPS.alpha_N + 1 / STEPS.alpha_S)
    law = 'hull, 7 runs'
    for name, line, sign, truth in (
      ('alpha_C', found.L_line, -1, alpha),
      ('exponent of N_opt', found.N_line, 1, alpha / STEPS.alpha_N),
    ):
      x = uncertainty.estimate(
        sign * line.line[0], sign * line.draws[:, 0], LEVEL
      )
      yield law, name, x, truth


def _of_batch(noise: float, rng, seed: int) -> Numbers:
  batches = (2e3, 4e3, 16e3, 64e3, 128e3)
  runs = simulate.batch_runs(
    STEPS, BATCH, 8e5, batches, 3e7, noise, rng, step_noise=0.05
  )
  found = critical_batch.fit(runs, _DRAWS.value, seed)
  for target in found.targets:
    if target.ok:
      x = uncertainty.estimate(
        target.E_min / target.S_min, target.E_draws / target.S_draws, LEVEL
      )
      yield 'one loss, 5 batches', 'B_crit', x, float(BATCH.tokens(target.L))
  if found.ok:
    for _, name, x, truth in _critical(found, BATCH):
      yield 'B_crit(L), 5 batches', name, x, truth


def coverage(studies: int) -> None:
  print('| law | noise | number | intervals | hold the truth | median width |')
  print('|---|---|---|---|---|---|')
  for simulated, noises in (
    (_of_ND, (0.003, 0.01)),
    (_of_NS, (0.003, 0.01)),
    (_of_hull, (0.003, 0.01)),
    (_of_batch, (0.02, 0.05)),
  ):
    for noise in noises:
      held, widths = defaultdict(list), defaultdict(list)
      for seed in range(studies):
        rng = np.random.default_rng(seed)
        for law, name, x, truth in simulated(noise, rng, seed):
          low = -np.inf if x['low'] is None else x['low']
          high = np.inf if x['high'] is None else x['high']
          held[law, name].append(low <= truth <= high)
          log = name.endswith(('_c', '*')) or name == 'B_crit'
          widths[law, name].append(np.log(high / low) if log else high - low)
      for (law, name), inside in held.items():
        print(
          f'| {law} | {100 * noise:g} % | {name} | {len(inside)} |'
          f' {100 * np.mean(inside):.1f} % |'
          f' {np.median(widths[law, name]):.2g} |',
          flush=True,
        )


def main(argv: list[str]) -> None:
  del argv
  if _PUBLISHED.value:
    published()
  if _STUDIES.value:
    coverage(_STUDIES.value)


if __name__ == '__main__':
  app.run(main)
