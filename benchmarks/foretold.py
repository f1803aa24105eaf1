"""Intervals foretold beside those that real runs then gave.

PYTHONPATH=. python benchmarks/foretold.py RUNS [RUNS...]

RUNS is what `python -m scaling_jax.analysis` reads. The planner knows of them
which models were trained on how many tokens, and its own defaults, and no loss.
Prints half of each interval found, half of the one foretold, and the ratio.
--noise is the planner's; --drop_highest leaves out runs as the analysis does.
"""

import math

from absl import app
from absl import flags
import numpy as np

from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import study
from scaling_jax.planner import design
from scaling_jax.planner import foretell
from scaling_jax.planner import plausible


def found(fits, target: float):
  """{approach: {quantity: interval}} of a fits.json, as `foretell` names them."""
  out = {}
  for name in design.APPROACHES:
    part = fits['laws'][name]
    if part['status'] != 'ok':
      continue
    exponents = (
      (part['N_opt']['exponent'], part['D_opt']['exponent'])
      if name == 'isoflop'
      else (part['exponent_N'], part['exponent_D'])
    )
    out[name] = dict(zip(('a', 'b'), exponents))
    if name == 'parametric':
      out[name] |= {key: part[key] for key in ('alpha', 'beta', 'E')}
    at = min(part['at'], key=lambda row: abs(math.log(row['C'] / target)))
    out[name]['N_opt'] = at['N_opt']
  return out


def compare(path: str, settings: design.Settings, drop_highest: int = 0):
  """(approach, quantity, half found, half foretold) of one study."""
  source = study.without_highest(points_lib.read([path]), drop_highest)
  C = np.array([p.C for p in source.points])
  target = foretell.AHEAD * float(C.max())
  fits = study.analyze(source, study.Settings(level=settings.level))
  rng = np.random.default_rng(settings.seed)
  laws = plausible.anywhere(math.sqrt(C.min() * C.max()), settings.laws, rng)
  studies = foretell.studies(
    source.points, laws.law, settings.noise, settings.seed_noise,
    settings.level, settings.draws, rng,
  )  # fmt: skip
  rows = []
  for name, intervals in found(fits, target).items():
    foretold = design.approach(name, studies)['half_widths']
    for quantity, interval in intervals.items():
      half = design.half_width(quantity, interval)
      rows.append((name, quantity, half, foretold[quantity]['value']))
  return rows


def main(argv: list[str]) -> None:
  asked = flags.FLAGS
  settings = design.Settings(asked.noise, asked.seed_noise or asked.noise / 4)
  for path in argv[1:]:
    print(path)
    for name, quantity, half, foretold in compare(
      path, settings, asked.drop_highest
    ):
      print(
        f'  {name:10s} {quantity:6s} found {half:.4f} foretold {foretold:.4f}'
        f' ratio {half / foretold:.2f}'
      )


if __name__ == '__main__':
  # Here, so that a test can import what is above beside other programs' flags.
  flags.DEFINE_float('noise', 0.003, 'sd of log L about the law.')
  flags.DEFINE_float('seed_noise', None, 'Between seeds; noise / 4.')
  flags.DEFINE_integer('drop_highest', 0, 'Runs to leave out.')
  app.run(main)
