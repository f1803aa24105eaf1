"""Predicted intervals beside those that real runs then gave.

PYTHONPATH=. python benchmarks/predicted_intervals.py RUNS [RUNS...]

RUNS is what `python -m scaling_jax.analysis` reads. The planner knows of them
which models were trained on how many tokens, and its own defaults, and no loss.
Prints half of each interval found, half of the one predicted, and the ratio.
--noise and --seed_noise are the planner's; --drop_highest excludes runs as the
analysis does.
"""

import re
from typing import NamedTuple

from absl import app
from absl import flags

from scaling_jax.analysis.fitting.simulate import Design as RunDesign
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.study import analyze
from scaling_jax.analysis.study.results import Options
from scaling_jax.planner import design
from scaling_jax.planner import predict_intervals
from scaling_jax.planner.predict_intervals import QUANTITIES
from scaling_jax.planner.predict_intervals import Ask


class Row(NamedTuple):
  """Half of an interval of one quantity by one approach.

  `widened` is by how much minima that scatter widened the one that was found,
  which chance does to one study in twenty, and no design foresees.
  """

  approach: str
  quantity: str
  found: float
  predicted: float
  widened: float = 1.0


def compare(path, settings: design.Settings, drop_highest: int = 0):
  """The rows of one study, of approaches that answered."""
  runs = run_folders.read_runs(path)
  analysis = analyze.analyze(runs, Options(drop_highest=drop_highest))
  runs = analysis.counted
  simulated = design.simulate(RunDesign(runs.C, runs.N, runs.D), None, settings)
  ask = Ask(simulated.target, settings.level, settings.draws)
  rows = []
  scatter = re.search(r'scatter ([\d.]+) times', analysis.isoflop.message)
  widened = {'isoflop': float(scatter[1]) if scatter else 1.0}
  for name, quantities in QUANTITIES.items():
    answer = predict_intervals.answer(analysis.approaches[name], ask)
    halves = design.forecast(name, simulated.studies).half_widths
    rows += [
      Row(
        name,
        x,
        design.half_width(x, answer.intervals[x]),
        halves[x].value,
        widened.get(name, 1.0),
      )
      for x in quantities
      if answer.intervals
    ]
  return rows


def main(argv: list[str]) -> None:
  asked = flags.FLAGS
  settings = design.Settings(asked.noise, asked.seed_noise or asked.noise / 4)
  for path in argv[1:]:
    print(path)
    for row in compare(path, settings, asked.drop_highest):
      print(
        f'  {row.approach:10s} {row.quantity:10s} found {row.found:.4f}'
        f' predicted {row.predicted:.4f}'
        f' ratio {row.found / row.predicted:.2f}'
      )


if __name__ == '__main__':
  # Here, so that a test can import what is above beside other programs' flags.
  flags.DEFINE_float('noise', 0.003, 'sd of log L about the law.')
  flags.DEFINE_float('seed_noise', None, 'Between seeds; noise / 4.')
  flags.DEFINE_integer('drop_highest', 0, 'Runs to exclude.')
  app.run(main)
