"""How often the intervals hold the truth, on simulated studies.

PYTHONPATH=. python benchmarks/coverage.py --out=FILE.jsonl [--studies=400]
  [--draws=400] [--levels=0.5,0.8,0.95,0.99] [--approaches=3,3a,2,1] [--only=NAME]
PYTHONPATH=. python benchmarks/coverage.py --export=FOLDER [--studies=40]

The studies are those of coverage_studies.py. For the numbers from which the
analysis derives the others: the share of intervals that hold the truth (an open
end holds all on its side), and the median width, at each level; of approach 3
also which runs it called outliers and whether it rejected the law's form. 400
studies know a share of 95% to about 1.1 points, and one of 50% to 2.5.

Every study is written to FILE.jsonl as it is done, and the tables are made of
that file: a run that was cut off goes on, and one with more studies adds to it.
--export writes the same studies for coverage_peer.py.
"""

from collections.abc import Callable
import dataclasses
import functools
import pathlib
import time
from typing import Any

from absl import app
from absl import flags
import numpy as np

from benchmarks import coverage_records
from benchmarks.coverage_records import Record
from benchmarks.coverage_records import Stated
from benchmarks.coverage_studies import Sample
from benchmarks.coverage_studies import Study
from benchmarks.coverage_studies import studies
from scaling_jax import formatting
from scaling_jax.analysis.fitting import averaged
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import form
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval

_STUDIES = flags.DEFINE_integer('studies', 400, 'Simulated studies a row.')
_DRAWS = flags.DEFINE_integer('draws', 400, 'Bootstrap refits of each.')
_LEVELS = flags.DEFINE_list('levels', ['0.95'], 'Of the intervals.')
_APPROACHES = flags.DEFINE_list('approaches', ['3', '2'], 'Which to run.')
_OUT = flags.DEFINE_string('out', None, 'A JSON-lines file of what was found.')
_EXPORT = flags.DEFINE_string('export', None, 'A folder for .npz files.')
_ONLY = flags.DEFINE_string('only', '', 'Rows whose name holds this.')

_BEYOND = 10  # times the largest budget: where N10 and L10 are


@dataclasses.dataclass(frozen=True)
class Case:
  """Repetition i of a study, and approach 3's fit to it."""

  study: Study
  i: int

  @property
  def bootstrap(self) -> Bootstrap:
    return Bootstrap(draws=_DRAWS.value, seed=self.i)

  @functools.cached_property
  def sample(self) -> Sample:
    return self.study.sample(self.i)

  @functools.cached_property
  def law_fit(self) -> chinchilla.ChinchillaFit:
    design = self.study.design
    return chinchilla.fit(
      design.N, design.D, self.sample.losses,
      n_budgets=len(np.unique(design.C)), bootstrap=self.bootstrap,
      starts='projection', solver='optimistix',
    )  # fmt: skip


def main(argv) -> None:
  del argv
  rows = [study for study in studies() if _ONLY.value in study.key]
  if _EXPORT.value:
    return export(rows, pathlib.Path(_EXPORT.value))
  if not _OUT.value:
    raise app.UsageError('--out=FILE.jsonl or --export=FOLDER is needed')
  levels = [float(level) for level in _LEVELS.value]
  settings = {'draws': _DRAWS.value, 'levels': levels}
  records = coverage_records.Records(_OUT.value, settings)
  done = {record.key for record in records.all}
  for study in rows:
    begin = time.perf_counter()
    for i in range(_STUDIES.value):
      case = Case(study, i)
      for approach in _APPROACHES.value:
        if (study.key, i, approach) not in done:
          records.add(answer(case, approach, levels))
    took = formatting.duration(time.perf_counter() - begin)
    print(f'{study.key}: {took}', flush=True)
  keys = {study.key: study for study in rows}
  kept = [x for x in records.all if x.study in keys and x.i < _STUDIES.value]
  for level in levels:
    print(f'\n{formatting.percent(level)} intervals\n')
    print(coverage_records.held_table(kept, level))
  if '3' in _APPROACHES.value:
    print(coverage_records.runs_table(kept))


def answer(case: Case, approach: str, levels: list[float]) -> Record:
  """What one approach states of one repetition, and how long it took."""
  study = case.study
  begin = time.perf_counter()
  found = APPROACHES[approach](case)
  seconds = time.perf_counter() - begin
  record = Record(
    study=study.key,
    i=case.i,
    approach=approach,
    ok=any(np.isfinite(x.value) for _, x, _ in found),
    seconds=seconds,
    stated=[
      Stated(name, level, truth, *map(float, estimate.at(level)))
      for name, estimate, truth in found
      for level in levels
    ],
    runs=len(study.design.N),
    spoiled=np.flatnonzero(case.sample.spoiled).tolist(),
  )
  if approach == '3':
    record.outliers = case.law_fit.outliers.tolist()
    tested = form.check(case.law_fit)
    record.rejected = tested.rejected if tested else None
  return record


# What an approach states: the number's name, its estimate, the truth.
Found = list[tuple[str, Any, float]]


def truths(study: Study) -> dict[str, float]:
  """The numbers of approach 3 that the law has: not every law has each."""
  law = study.law
  best = law.optimum(_BEYOND * study.design.C.max())
  out = {
    'E': law.E,
    'alpha': getattr(law, 'alpha', np.nan),
    'a': getattr(law, 'exponent_N', np.nan),
    'N10': float(np.log(best.N)),
    'L10': float(best.L),
  }
  return {name: x for name, x in out.items() if np.isfinite(x)}


def by_law(case: Case) -> Found:
  """Approach 3: parameters, the exponent, and what to train."""
  C = _BEYOND * case.study.design.C.max()
  of: dict[str, Callable] = {
    'E': lambda x: x.E,
    'alpha': lambda x: x.alpha,
    'a': lambda x: x.exponent_N,
    'N10': lambda x: np.log(x.optimum(C).N),
    'L10': lambda x: x.optimum(C).L,
  }
  found = case.law_fit
  return [
    (name, found.estimate(of[name]) if found.ok else Estimate(), truth)
    for name, truth in truths(case.study).items()
  ]


def by_isoflop(case: Case) -> Found:
  """Approach 2: each minimum, the exponent, and what to train.

  As the analysis takes it: without the outliers that approach 3 excludes.
  """
  study = case.study
  if not study.budgets:
    return []
  design, law = study.design, study.law
  columns = (design.N, design.D, case.sample.losses)
  groups = [
    isoflop.Group(
      C, *(x[case.law_fit.counted & (design.C == C)] for x in columns)
    )
    for C in np.unique(design.C)
  ]
  predicted = case.law_fit.law if case.law_fit.ok else None
  found = isoflop.fit(groups, predicted, case.bootstrap)
  out: Found = []
  for budget in found.budgets:
    best = law.optimum(budget.C)
    minimum = {'N_opt': Estimate(), 'L_min': Estimate()}
    if budget.counts and budget.draws is not None:
      minimum = budget.estimates()
    out.append(('N_opt', logs(minimum['N_opt']), float(np.log(best.N))))
    out.append(('L_min', minimum['L_min'], float(best.L)))
  exponent = at_target = Estimate()
  if found.ok:
    exponent = found.estimates()['exponent_N']
    at_target = logs(found.N_opt.estimate_at(_BEYOND * design.C.max()))
  truth = truths(study)
  if 'a' in truth:
    out.append(('a', exponent, truth['a']))
  return [*out, ('N10', at_target, truth['N10'])]


def logs(estimate: Estimate) -> Estimate:
  """A number's logarithm, as it is kept."""
  return dataclasses.replace(estimate, log=False)


def by_envelope(case: Case) -> Found:
  """Approach 1: the exponent, of curves with the study's noise alone."""
  study, truth = case.study, truths(case.study)
  if 'a' not in truth or study.befalls or not study.chinchilla:
    return []
  curves = simulate.training_curves(
    study.law, study.design, study.noise, study.rng(case.i)
  )
  found = envelope.fit(curves, case.bootstrap)
  exponent = found.estimates()['exponent_N'] if found.ok else Estimate()
  return [('a', exponent, truth['a'])]


@dataclasses.dataclass(frozen=True)
class Asked:
  """A number that is known by its interval at each level alone."""

  at: Callable[[float], Interval]

  @property
  def value(self) -> float:
    return float(self.at(LEVEL).value)


def by_averaged(case: Case) -> Found:
  """Approach 3 averaged over forms: E, and what to train."""
  truth = truths(case.study)
  found = averaged.fit(case.law_fit, draws=_DRAWS.value, seed=case.i)
  if found is None:
    return [(name, Estimate(), truth[name]) for name in ('E', 'N10', 'L10')]
  C = _BEYOND * case.study.design.C.max()

  def log_N(level: float) -> Interval:
    return Interval(*map(np.log, found.optimum(C=C, level=level).N))

  def loss(level: float) -> Interval:
    return found.optimum(C=C, level=level).loss

  return [
    ('E', found.estimates()['E'], truth['E']),
    ('N10', Asked(log_N), truth['N10']),
    ('L10', Asked(loss), truth['L10']),
  ]


APPROACHES: dict[str, Callable[[Case], Found]] = {
  '1': by_envelope,
  '2': by_isoflop,
  '3': by_law,
  '3a': by_averaged,
}


def export(rows: list[Study], folder: pathlib.Path) -> None:
  """Each study's runs, losses of all repetitions, and truth, as one .npz."""
  folder.mkdir(parents=True, exist_ok=True)
  for number, study in enumerate(rows):
    losses = [study.sample(i).losses for i in range(_STUDIES.value)]
    np.savez(
      folder / f'{number:02d}.npz',
      study=np.array(study.key),
      N=study.design.N,
      D=study.design.D,
      losses=np.stack(losses),
      budgets=np.unique(study.design.C)[[0, -1]],
      target=np.array(_BEYOND * study.design.C.max()),
      numbers=np.array(list(truths(study))),
      truths=np.array(list(truths(study).values())),
    )
  print(f'{len(rows)} studies are in {folder}')


if __name__ == '__main__':
  app.run(main)
