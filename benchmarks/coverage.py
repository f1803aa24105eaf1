"""How often the intervals hold the truth, on simulated studies.

python benchmarks/coverage.py [--studies=400] [--draws=400] [--out=FILE.md]
  [--levels=0.5,0.8,0.95,0.99] [--approaches=1,2,3] [--only=NAME]

Laws with known answers, the grids of real studies, and the noise that seeds
make. For the numbers from which the analysis derives the others: the share of
intervals that hold the truth (an open end holds all on its side), and the
median width, at each level. 400 studies know a share of 95% to about 1.1
points, and one of 50% to 2.5. Each approach has studies of its own, the same
whichever others run beside it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
import dataclasses
import sys
import time
from typing import NamedTuple
import zlib

from absl import app
from absl import flags
import numpy as np

from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import simulate
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import Interval

_STUDIES = flags.DEFINE_integer('studies', 400, 'Simulated studies a row.')
_DRAWS = flags.DEFINE_integer('draws', 400, 'Bootstrap refits of each.')
_LEVELS = flags.DEFINE_list('levels', ['0.95'], 'Of the intervals.')
_APPROACHES = flags.DEFINE_list('approaches', ['3', '2', '1'], 'Which to run.')
_OUT = flags.DEFINE_string('out', None, 'A Markdown file for the tables.')
_ONLY = flags.DEFINE_string('only', '', 'Rows whose name holds this.')

FAMILY = np.array([221664, 443232, 997152, 1968768, 3937408.0])
NANOCHAT = np.array(
  [41943552, 70124320, 110101632, 164234784, 234883072, 324405792, 435162240.0]
)


class Study(NamedTuple):
  """A design, the truth behind it, and the noise."""

  name: str
  design: simulate.Design
  law: laws.Chinchilla
  noise: float

  def rng(self, approach: str) -> np.random.Generator:
    # Each study its own noise, so that a bad draw does not mark every row.
    seed = zlib.crc32(self.name.encode())
    return np.random.default_rng([seed, int(1e6 * self.noise), int(approach)])


class Row(NamedTuple):
  """How a number fared in all studies, at one level.

  Attributes:
    study, number, level: which.
    held: the share of intervals that hold the truth.
    open: the share without an end.
    width: the median of those with both.
    missing: the share of studies that state no such number.
  """

  study: Study
  number: str
  level: float
  held: float
  open: float
  width: float
  missing: float


# What a study states: the number's name, its estimate, the truth.
Stated = tuple[str, Estimate, float]


def studies() -> Iterator[Study]:
  homework = simulate.Design.of(
    [(6e13, FAMILY), (3e14, FAMILY[1:4]), (6e14, FAMILY[1:5])]
  )
  quick = simulate.Design.of(
    [(4.0**k * 1e12, 2e5 * 2.0 ** (k + np.arange(-2, 3))) for k in (-1, 0, 1)]
  )
  nano = simulate.Design.of(
    [(C, NANOCHAT) for C in (1e18, 2.15e18, 4.64e18, 1e19)]
  )
  nine = simulate.Design.of(
    [
      (C, published.BESIROGLU.optimum(C).N * np.geomspace(0.2, 5, 9))
      for C in np.geomspace(6e18, 3e21, 9)
    ]
  )
  lopsided = {'alpha': 0.5, 'beta': 0.3}
  for noise in (0.001, 0.003):
    for name, design, at in (
      ('homework, 5+3+4 runs', homework, (2e14, 9e5)),
      ('quickstart, 3 x 5 runs', quick, (1e12, 2e5)),
      ('nanochat, 4 x 7 runs', nano, (3e18, 2e8)),
    ):
      yield Study(name, design, simulate.law_through(*at), noise)
      law = simulate.law_through(*at, **lopsided)
      yield Study(f'{name}, lopsided law', design, law, noise)
  yield Study('Chinchilla, 9 x 9 runs', nine, published.BESIROGLU, 0.003)


def main(argv) -> None:
  del argv
  levels = [float(level) for level in _LEVELS.value]
  rows: list[Row] = []
  for study in studies():
    if _ONLY.value not in study.name:
      continue
    begin = time.perf_counter()
    rows += run(study, levels)
    took = formatting.duration(time.perf_counter() - begin)
    noise = formatting.percent(study.noise)
    print(f'{study.name}, noise {noise}: {took}', flush=True)
  text = '\n'.join(
    f'{formatting.percent(level)} intervals\n\n{table(rows, level)}'
    for level in levels
  )
  print(text)
  if _OUT.value:
    with open(_OUT.value, 'w') as file:
      file.write(text)
  for level in levels:
    worst = min(row.held for row in rows if row.level == level)
    print(
      f'{formatting.percent(level)} intervals: least often held'
      f' {formatting.percent(worst)}',
      file=sys.stderr,
    )


def run(study: Study, levels: Sequence[float]) -> Iterator[Row]:
  """Every number at every level, of all approaches that were asked for."""
  found: dict[tuple[str, float], list[tuple[Interval, float]]]
  found = defaultdict(list)
  for approach in _APPROACHES.value:
    rng = study.rng(approach)
    for i in range(_STUDIES.value):
      for name, estimate, truth in APPROACHES[approach](study, rng, i):
        for level in levels:
          found[name, level].append((estimate.at(level), truth))
  for (name, level), pairs in found.items():
    known = [(x, truth) for x, truth in pairs if np.isfinite(x.value)]
    if len(known) < len(pairs) / 2:
      continue  # most such studies state no number
    inside = [x.low <= truth <= x.high for x, truth in known]
    widths = [x.high - x.low for x, _ in known if x.known]
    yield Row(
      study,
      name,
      level,
      held=float(np.mean(inside)),
      open=1 - len(widths) / len(known),
      width=float(np.median(widths)) if widths else np.nan,
      missing=1 - len(known) / len(pairs),
    )


def drawn(seed: int) -> Bootstrap:
  return Bootstrap(draws=_DRAWS.value, seed=seed)


def fit_law(study: Study, L: np.ndarray, seed: int) -> chinchilla.ChinchillaFit:
  design = study.design
  return chinchilla.fit(
    design.N, design.D, L, n_budgets=2, bootstrap=drawn(seed),
    starts='projection', solver='optimistix',
  )  # fmt: skip


def by_law(
  study: Study, rng: np.random.Generator, seed: int
) -> Iterator[Stated]:
  """Approach 3: the five parameters, the exponent, and what to train."""
  L = simulate.losses(study.law, study.design, study.noise, rng)
  found = fit_law(study, L, seed)
  C = 10 * study.design.C.max()
  for name, of in (
    ('E', lambda x: x.E),
    ('log A', lambda x: np.log(x.A)),
    ('log B', lambda x: np.log(x.B)),
    ('alpha', lambda x: x.alpha),
    ('beta', lambda x: x.beta),
    ('a', lambda x: x.exponent_N),
    ('log N_opt(10 C)', lambda x: np.log(x.optimum(C).N)),
    ('L(10 C)', lambda x: x.optimum(C).L),
  ):
    estimate = found.estimate(of) if found.ok else Estimate()
    yield f'3: {name}', estimate, float(of(study.law))


def by_isoflop(
  study: Study, rng: np.random.Generator, seed: int
) -> Iterator[Stated]:
  """Approach 2: each minimum, the exponent, and what to train."""
  design, law = study.design, study.law
  L = simulate.losses(law, design, study.noise, rng)
  fitted = fit_law(study, L, seed)
  groups = [
    isoflop.Group(c, *(x[design.C == c] for x in (design.N, design.D, L)))
    for c in np.unique(design.C)
  ]
  found = isoflop.fit(groups, fitted.law if fitted.ok else None, drawn(seed))
  for budget in found.budgets:
    best = law.optimum(budget.C)
    minimum = {'N_opt': Estimate(), 'L_min': Estimate()}
    if budget.counts and budget.draws is not None:
      minimum = budget.estimates()
    yield '2: log N_opt', logs(minimum['N_opt']), float(np.log(best.N))
    yield '2: L_min', minimum['L_min'], float(best.L)
  exponent = at_target = Estimate()
  C = 10 * design.C.max()
  if found.ok:
    exponent = found.estimates()['exponent_N']
    at_target = logs(found.N_opt.estimate_at(C))
  yield '2: a', exponent, law.exponent_N
  yield '2: log N_opt(10 C)', at_target, float(np.log(law.optimum(C).N))


def logs(estimate: Estimate) -> Estimate:
  """A number's logarithm, as it is kept."""
  return dataclasses.replace(estimate, log=False)


def by_envelope(
  study: Study, rng: np.random.Generator, seed: int
) -> Iterator[Stated]:
  """Approach 1: the exponent."""
  curves = simulate.training_curves(study.law, study.design, study.noise, rng)
  found = envelope.fit(curves, drawn(seed))
  exponent = found.estimates()['exponent_N'] if found.ok else Estimate()
  yield '1: a', exponent, study.law.exponent_N


APPROACHES = {'1': by_envelope, '2': by_isoflop, '3': by_law}


def table(rows: Sequence[Row], level: float) -> str:
  """Lines are studies, columns numbers; held in %, and the median width."""
  rows = [row for row in rows if row.level == level]
  names = list(dict.fromkeys(row.number for row in rows))
  cells = {
    (row.study.name, row.study.noise, row.number): (
      f'{100 * row.held:.1f} ({row.width:.2g}'
      + (f', {row.open:.0%} open' if row.open >= 0.005 else '')
      + (f', {row.missing:.0%} none' if row.missing >= 0.005 else '')
      + ')'
    )
    for row in rows
  }
  out = ['| study | noise | ' + ' | '.join(names) + ' |']
  out.append('|' + '---|' * (len(names) + 2))
  for name, noise in dict.fromkeys((r.study.name, r.study.noise) for r in rows):
    line = [cells.get((name, noise, number), '–') for number in names]
    out.append(f'| {name} | {noise:.1%} | ' + ' | '.join(line) + ' |')
  return '\n'.join(out) + '\n'


if __name__ == '__main__':
  app.run(main)
