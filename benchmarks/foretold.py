"""Intervals foretold beside those that real runs then gave.

PYTHONPATH=. python benchmarks/foretold.py RUNS [RUNS...]

RUNS is what `python -m scaling_jax.analysis` reads. The planner knows of them
which models were trained on how many tokens, and its own defaults, and no loss.
Prints half of each interval found, half of the one foretold, and the ratio.
--noise is the planner's; --drop_highest leaves out runs as the analysis does.
"""

from absl import app
from absl import flags

from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import study
from scaling_jax.planner import design
from scaling_jax.planner import foretell


def found(fits, target: float):
  """{approach: {quantity: interval}} of a fits.json, of those that are ok."""
  stated = {
    name: foretell.stated(fits['laws'][name], target)[1]
    for name in design.APPROACHES
  }
  return {name: intervals for name, intervals in stated.items() if intervals}


def compare(path: str, settings: design.Settings, drop_highest: int = 0):
  """(approach, quantity, half found, half foretold) of one study."""
  source = study.without_highest(points_lib.read([path]), drop_highest)
  fits = study.analyze(source, study.Settings(level=settings.level))
  foretold = design.simulate(source.points, None, settings)
  rows = []
  for name, intervals in found(fits, foretold.target).items():
    halves = design.approach(name, foretold.studies)['half_widths']
    for quantity in design.QUANTITIES[name]:
      half = design.half_width(quantity, intervals[quantity])
      rows.append((name, quantity, half, halves[quantity]['value']))
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
