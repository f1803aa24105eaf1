"""Kaplan's laws on points of published figures, and how intervals hold.

python benchmarks/kaplan.py --published=FOLDER
python benchmarks/kaplan.py --studies=100 [--levels=0.5,0.8,0.95,0.99]

FOLDER has nanogpt_kaplan_L_N.csv, nanogpt_kaplan_L_ND.csv and
nanogpt_critical_batch.csv, read off the figures of shehper/scaling_laws. The
second prints the share of intervals that hold the truth on simulated studies at
each level, and their median width at 95%, for each law at several noises.
100 studies know a share of 95% to about 2 points, and one of 50% to 5.
"""

from collections import defaultdict
from collections.abc import Iterator
import csv
import pathlib

from absl import app
from absl import flags
import numpy as np

from scaling_jax import compile_cache
from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax import published as published_lib
from scaling_jax.analysis.fitting import critical_batch
from scaling_jax.analysis.fitting import frontier
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.smoothing import LossCurve

_PUBLISHED = flags.DEFINE_string('published', None, 'Folder of the points.')
_STUDIES = flags.DEFINE_integer('studies', 0, 'Simulated studies a row.')
_DRAWS = flags.DEFINE_integer('draws', 400, 'Redrawn studies of each.')
_LEVELS = flags.DEFINE_list('levels', ['0.5', '0.8', '0.95', '0.99'], 'Levels.')
_ONLY = flags.DEFINE_string('only', '', 'Laws whose name holds this.')

STEPS = published_lib.KAPLAN_L_NS
BATCH = laws.CriticalBatch(B_star=2e7, alpha_B=0.235)
# What shehper/scaling_laws states of its own L(N).
STATED = {('L(N)', 'alpha_N'): '0.0823', ('L(N)', 'N_c'): '3.81e13'}

# (law, number, estimate, truth)
Numbers = Iterator[tuple[str, str, Estimate, float]]


def _columns(name: str) -> np.ndarray:
  assert _PUBLISHED.value is not None
  with (pathlib.Path(_PUBLISHED.value) / name).open(newline='') as file:
    return np.array(list(csv.reader(file))[1:], float).T


def published() -> None:
  """Fits the published points; prints each number beside what was stated."""
  x_c, alpha = power_law.fit(
    *_columns('nanogpt_kaplan_L_N.csv')
  ).kaplan_estimates()
  joint = kaplan.fit_ND(*_columns('nanogpt_kaplan_L_ND.csv'))
  batch = critical_batch.law_of(
    power_law.fit(*_columns('nanogpt_critical_batch.csv'))
  )
  print(
    f'| law | number | fitted here [{formatting.percent(LEVEL)}] | stated |'
  )
  print('|---|---|---|---|')
  for law, estimates in (
    ('L(N)', {'alpha_N': alpha, 'N_c': x_c}),
    ('L(N, D)', joint.estimates()),
    ('B_crit(L)', batch.estimates()),
  ):
    for name, one in estimates.items():
      stated = STATED.get((law, name), formatting.NOTHING)
      print(f'| {law} | {name} | {one.at()} | {stated} |')
  print(f'1/alpha_B = {1 / batch.law.alpha_B:.3f}')
  sd = np.exp(np.std(np.log(joint.draws.D_c)))
  print(f'One standard error of D_c is a factor of {sd:.1f}.')


def _against(fit: FitResult, law: str, truth) -> Numbers:
  """Each number of a fit that answers, beside the truth."""
  if fit.ok:
    for name, one in fit.estimates().items():
      yield law, name, one, getattr(truth, name)


def _how(seed: int) -> Bootstrap:
  return Bootstrap(draws=_DRAWS.value, seed=seed)


def _of_ND(noise: float, rng, seed: int) -> Numbers:
  N, D = (
    x.ravel()
    for x in np.meshgrid(np.geomspace(1e6, 1e8, 3), np.geomspace(1e7, 1e10, 5))
  )
  law = published_lib.KAPLAN
  L = law.loss(N, D) * np.exp(noise * rng.normal(size=N.size))
  found = kaplan.fit_ND(N, D, L, bootstrap=_how(seed))
  yield from _against(found, 'L(N, D), 3 x 5 runs', law)


def _curves(noise: float, rng) -> tuple[list[LossCurve], np.ndarray]:
  """Seven runs; a run's seed moves its curve, and a third as much each bin."""
  S = np.geomspace(100, 1e5, 100)
  curves = []
  for N in np.geomspace(1e5, 1e8, 7):
    moved = noise * (rng.normal() + 0.3 * rng.normal(size=S.size))
    L = np.minimum.accumulate(STEPS.loss(N, S) * np.exp(moved))
    curves.append(LossCurve(f'{N:g}', float(N), 6e5 * N * S, 1e5 * S, L))
  return curves, S


def _of_NS(noise: float, rng, seed: int) -> Numbers:
  curves, S = _curves(noise, rng)
  found = kaplan.fit_NS(curves, [S] * len(curves), bootstrap=_how(seed))
  yield from _against(found, 'L(N, S_min), 7 runs', STEPS)


def _of_hull(noise: float, rng, seed: int) -> Numbers:
  found = frontier.unjudged(_curves(noise, rng)[0], bootstrap=_how(seed))
  if found.ok:
    alpha = 1 / (1 / STEPS.alpha_N + 1 / STEPS.alpha_S)
    for name, truth in (
      ('alpha_C', alpha),
      ('exponent_N', alpha / STEPS.alpha_N),
    ):
      yield 'hull, 7 runs', name, found.estimates()[name], truth


def _of_batch(noise: float, rng, seed: int) -> Numbers:
  batches = (2e3, 4e3, 16e3, 64e3, 128e3)
  runs = simulate.batch_runs(
    STEPS, BATCH, 8e5, batches, 3e7, noise, rng, step_noise=0.05
  )
  found = critical_batch.fit(runs, bootstrap=_how(seed))
  for target in found.targets:
    if target.ok:
      one = target.estimates()['B_crit']
      yield 'one loss, 5 batches', 'B_crit', one, float(BATCH.tokens(target.L))
  yield from _against(found, 'B_crit(L), 5 batches', BATCH)


# Of each law: how it is simulated, and the sds of noise between runs.
SIMULATED = {
  'ND': (_of_ND, (0.003, 0.01)),
  'NS': (_of_NS, (0.003, 0.01)),
  'hull': (_of_hull, (0.003, 0.01)),
  'batch': (_of_batch, (0.02, 0.05)),
}


def coverage(studies: int, levels: list[float]) -> None:
  """Prints the share of intervals that hold the truth, by law and noise."""
  shares = [f'of {formatting.percent(level)}' for level in levels]
  width = f'median width at {formatting.percent(LEVEL)}'
  heads = ['law', 'noise', 'number', 'intervals', *shares, width]
  print(f'| {" | ".join(heads)} |')
  print('|---' * len(heads) + '|')
  for name, (simulated, noises) in SIMULATED.items():
    if _ONLY.value not in name:
      continue
    for noise in noises:
      found = defaultdict(list)
      for seed in range(studies):
        rng = np.random.default_rng(seed)
        for law, number, one, truth in simulated(noise, rng, seed):
          held = [_holds(one, truth, level) for level in levels]
          found[law, number].append([*held, _width(one)])
      for (law, number), rows in found.items():
        *held, widths = np.array(rows, float).T
        cells = [
          law,
          formatting.percent(noise),
          number,
          str(len(rows)),
          *(formatting.percent(np.mean(x)) for x in held),
          formatting.number(float(np.median(widths)), 2),
        ]
        print(f'| {" | ".join(cells)} |', flush=True)


def _holds(one: Estimate, truth: float, level: float) -> bool:
  """Whether the interval holds the truth; an open end holds all on its side."""
  _, low, high = one.at(level)
  return bool(low <= truth <= high)


def _width(one: Estimate) -> float:
  """Of the interval at LEVEL; of a scale that of its logarithm."""
  _, low, high = one.at(LEVEL)
  return float(np.log(high / low) if one.log else high - low)


def main(argv: list[str]) -> None:
  del argv
  compile_cache.keep()
  if _PUBLISHED.value:
    published()
  if _STUDIES.value:
    coverage(_STUDIES.value, [float(x) for x in _LEVELS.value])


if __name__ == '__main__':
  app.run(main)
