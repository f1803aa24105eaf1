"""How often the intervals hold the truth, on simulated studies.

python benchmarks/coverage.py [--studies=400] [--draws=400] [--out=FILE.md]

Laws with known answers, the grids of real studies, and the noise that seeds
make. For the numbers from which the analysis derives the others: the share of
95 % intervals that hold the truth (a missing bound holds all on its side), and
the median width. 400 studies know a share of 95 % to about 1.1 points.
"""

from collections import defaultdict
import sys
import time
from typing import NamedTuple
import zlib

from absl import app
from absl import flags
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import envelope
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import simulate
from scaling_jax.analysis import uncertainty

_STUDIES = flags.DEFINE_integer('studies', 400, 'Simulated studies a row.')
_DRAWS = flags.DEFINE_integer('draws', 400, 'Bootstrap refits of each.')
_OUT = flags.DEFINE_string('out', None, 'A Markdown file for the table.')
_ONLY = flags.DEFINE_string('only', '', 'Rows whose name holds this.')

LEVEL = 0.95
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


def studies():
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
      (C, laws.BESIROGLU.optimum(C).N * np.geomspace(0.2, 5, 9))
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
  yield Study('Chinchilla, 9 x 9 runs', nine, laws.BESIROGLU, 0.003)


def main(argv) -> None:
  del argv
  lines = []
  for study in studies():
    if _ONLY.value not in study.name:
      continue
    begin = time.perf_counter()
    rows = list(run(study))
    took = time.perf_counter() - begin
    print(f'{study.name}, noise {study.noise:.1%}: {took:.0f} s', flush=True)
    lines += [(study, *row) for row in rows]
  text = table(lines)
  print(text)
  if _OUT.value:
    with open(_OUT.value, 'w') as file:
      file.write(text)
  worst = min(line[2] for line in lines)
  print(f'least often held: {worst:.1%}', file=sys.stderr)


def run(study: Study):
  """[(number, share held, share without a bound, median width)]."""
  # Each study its own noise, so that a bad draw does not mark every row.
  rng = np.random.default_rng(
    [zlib.crc32(study.name.encode()), int(1e6 * study.noise)]
  )
  C_target = 10 * study.design.C.max()
  held: dict[str, list] = defaultdict(list)
  for i in range(_STUDIES.value):
    L = simulate.losses(study.law, study.design, study.noise, rng)
    found = fit_law(study, L, i)
    fits = (
      *by_law(study, found, C_target),
      *by_isoflop(study, L, found, C_target, i),
    )
    if i < 100:  # slower, and its intervals are wide
      fits += tuple(by_envelope(study, rng, i))
    for name, interval, truth in fits:
      held[name].append((interval, truth))
  for name, pairs in held.items():
    known = [(e, t) for e, t in pairs if e['value'] is not None]
    if len(known) < len(pairs) / 2:
      continue  # most such studies get no number, and say so
    inside = [holds(e, t) for e, t in known]
    open_ = [e['low'] is None or e['high'] is None for e, _ in known]
    widths = [e['high'] - e['low'] for (e, _), o in zip(known, open_) if not o]
    yield (
      name,
      float(np.mean(inside)),
      float(np.mean(open_)),
      float(np.median(widths)) if widths else np.nan,
      1 - len(known) / len(pairs),
    )


def holds(interval, truth) -> bool:
  low, high = interval['low'], interval['high']
  return bool((low is None or low <= truth) and (high is None or truth <= high))


def fit_law(study, L, seed) -> parametric.Parametric:
  design = study.design
  return parametric.fit(
    design.N, design.D, L, 2, _DRAWS.value, starts='projection',
    solver='optimistix', seed=seed,
  )  # fmt: skip


def by_law(study, found, C):
  """Approach 3: the five parameters, the exponent, and what to train."""

  def at(name, of):
    if not found.ok or found.law is None or found.draws is None:
      return name, uncertainty.unknown(), 0.0
    interval = uncertainty.estimate(of(found.law), of(found.draws), LEVEL)
    return name, interval, float(of(study.law))

  yield at('3: E', lambda x: x.E)
  yield at('3: log A', lambda x: np.log(x.A))
  yield at('3: log B', lambda x: np.log(x.B))
  yield at('3: alpha', lambda x: x.alpha)
  yield at('3: beta', lambda x: x.beta)
  yield at('3: a', lambda x: x.exponent_N)
  yield at('3: log N_opt(10 C)', lambda x: np.log(x.optimum(C).N))
  yield at('3: L(10 C)', lambda x: x.optimum(C).L)


def by_isoflop(study, L, fitted, C, seed):
  """Approach 2: each minimum, the exponents, and what to train."""
  design, law = study.design, study.law
  groups = [
    (c, *(x[design.C == c] for x in (design.N, design.D, L)))
    for c in np.unique(design.C)
  ]
  found = isoflop.fit(
    groups, fitted.law if fitted.ok else None, _DRAWS.value, seed
  )
  for budget in found.budgets:
    best = law.optimum(budget.C)
    if not budget.counts or budget.draws is None:
      yield '2: log N_opt', uncertainty.unknown(), 0.0
      yield '2: L_min', uncertainty.unknown(), 0.0
      continue
    estimates = isoflop.estimates(budget, LEVEL)
    yield '2: log N_opt', logs(estimates['N_opt']), float(np.log(best.N))
    yield '2: L_min', estimates['L_min'], best.L
  if not found.ok or found.N_opt is None or found.N_draws is None:
    yield '2: a', uncertainty.unknown(), 0.0
    yield '2: log N_opt(10 C)', uncertainty.unknown(), 0.0
    return
  a = uncertainty.estimate(found.N_opt[0], found.N_draws[:, 0], LEVEL)
  bias = None if found.N_bias is None else found.N_bias[0]
  yield '2: a', uncertainty.widen(a, bias), law.exponent_N
  N, _ = isoflop.at(found, C, LEVEL)
  yield '2: log N_opt(10 C)', logs(N), float(np.log(law.optimum(C).N))


def logs(interval):
  return {
    k: None if v is None else float(np.log(v)) for k, v in interval.items()
  }


def by_envelope(study, rng, seed):
  """Approach 1: the exponent."""
  curves = simulate.training_curves(study.law, study.design, study.noise, rng)
  found = envelope.fit(curves, 200, seed)
  if not found.ok or found.N_opt is None or found.N_draws is None:
    yield '1: a', uncertainty.unknown(), 0.0
    return
  interval = uncertainty.estimate(found.N_opt[0], found.N_draws[:, 0], LEVEL)
  yield '1: a', interval, study.law.exponent_N


def table(lines) -> str:
  """Rows are numbers, columns are studies; held in %, and the median width."""
  columns = list(dict.fromkeys((s.name, s.noise) for s, *_ in lines))
  names = list(dict.fromkeys(line[1] for line in lines))
  cells = {
    ((s.name, s.noise), name): (
      f'{100 * held:.1f} ({width:.2g}'
      + (f', {open_:.0%} open' if open_ >= 0.005 else '')
      + (f', {missing:.0%} none' if missing >= 0.005 else '')
      + ')'
    )
    for s, name, held, open_, width, missing in lines
  }
  out = ['| study | noise | ' + ' | '.join(names) + ' |']
  out.append('|' + '---|' * (len(names) + 2))
  for column in columns:
    row = [cells.get((column, name), '–') for name in names]
    out.append(f'| {column[0]} | {column[1]:.1%} | ' + ' | '.join(row) + ' |')
  return '\n'.join(out) + '\n'


if __name__ == '__main__':
  app.run(main)
