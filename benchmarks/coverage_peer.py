"""The same simulated studies, by simple-scaling-laws 0.2.0.

  PYTHONPATH=. python benchmarks/coverage.py --export=FOLDER --studies=20
  PYTHONPATH=. PYTHON benchmarks/coverage_peer.py FOLDER --out=PEER.jsonl \\
    --ours=FILE.jsonl

PYTHON is that of an environment of its own, Python 3.12 with `pip install
simple-scaling-laws==0.2.0`: nothing of this package is imported but the table.
FOLDER and FILE.jsonl are what coverage.py wrote. The peer is called as its own
pages call it, with the law of approach 3, one row a run and as many draws as
ours; the tables hold its intervals beside ours on the same losses.
"""

import argparse
import pathlib
import time
import warnings

import numpy as np
import polars as pl  # of the peer's environment
import simple_scaling_laws as peer
from simple_scaling_laws import cost

from benchmarks import coverage_records
from benchmarks.coverage_records import Record
from benchmarks.coverage_records import Stated

LEVEL = 0.95
LOSS = 'test_loss__nats'
NUMBERS = ('E', 'a', 'N10', 'L10')
ENDS = (0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2)
SUFFIXES = ('median', 'q025', 'q975')


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('folder', help='what coverage.py --export wrote')
  parser.add_argument('--out', required=True, help='a JSON-lines file')
  parser.add_argument('--ours', required=True, help="coverage.py's file")
  parser.add_argument('--studies', type=int, default=20, help='a row')
  parser.add_argument('--draws', type=int, default=400, help='of each')
  parser.add_argument('--only', default='', help='rows whose name holds this')
  args = parser.parse_args()
  settings = {'draws': args.draws, 'levels': [LEVEL]}
  records = coverage_records.Records(args.out, settings)
  done = {record.key for record in records.all}
  studies = [load(path) for path in sorted(pathlib.Path(args.folder).iterdir())]
  for study in studies:
    name = str(study['study'])
    if args.only not in name:
      continue
    for i in range(min(args.studies, len(study['losses']))):
      if (name, i, 'peer') not in done:
        records.add(answer(study, i, args.draws))
    print(name, flush=True)
  theirs = {(x.study, x.i) for x in records.all}
  ours = [
    x
    for x in coverage_records.read(args.ours)
    if x.approach == '3' and (x.study, x.i) in theirs
  ]
  print('\n' + table([*ours, *records.all]))


def load(path: pathlib.Path) -> dict[str, np.ndarray]:
  with np.load(path, allow_pickle=False) as found:
    return dict(found)


def answer(study: dict[str, np.ndarray], i: int, draws: int) -> Record:
  """What the peer states of one repetition, and how long it took."""
  losses = study['losses'][i]
  table = pl.DataFrame(
    {
      'training_run_id': [f'run{j}' for j in range(len(losses))],
      'model_size__n_params': study['N'],
      'dataset_size__n_tokens': study['D'],
      LOSS: losses,
    }
  )
  begin = time.perf_counter()
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')
      found = stated(table, study, draws)
  except (ValueError, ArithmeticError) as error:
    print(f'{study["study"]}, {i}: {error}', flush=True)
    found = {}
  seconds = time.perf_counter() - begin
  truth = dict(zip(study['numbers'].tolist(), study['truths'].tolist()))
  return Record(
    study=str(study['study']),
    i=i,
    approach='peer',
    ok=bool(found),
    seconds=seconds,
    stated=[
      Stated(x, LEVEL, truth[x], *found.get(x, 3 * (np.nan,)))
      for x in NUMBERS
      if x in truth
    ],
    runs=len(losses),
  )


def stated(
  table: pl.DataFrame, study: dict[str, np.ndarray], draws: int
) -> dict[str, tuple[float, float, float]]:
  """Number -> value, low, high."""
  model = peer.fit(table, law='separable-power', n_draws=draws, seed=0)
  spent = cost.cost_model('power', k=6.0, a=1.0, b=1.0)
  target, budgets = float(study['target']), study['budgets'].tolist()
  best = model.optimal_allocation([target], spent, quantiles=ENDS).to_dicts()[0]
  grown = model.allocation_exponents(budgets, spent, quantiles=ENDS)

  def of(column: str) -> tuple[float, float, float]:
    value, low, high = (best[f'{column}__{suffix}'] for suffix in SUFFIXES)
    return float(value), float(low), float(high)

  N = of('model_size__n_params')
  a = grown['model_size']
  return {
    'E': (model.params(LOSS)['E'], *model.conf_int(LOSS, LEVEL)['E']),
    'a': (a[SUFFIXES[0]], a[SUFFIXES[1]], a[SUFFIXES[2]]),
    'N10': (float(np.log(N[0])), float(np.log(N[1])), float(np.log(N[2]))),
    'L10': of(LOSS),
  }


def table(records: list[Record]) -> str:
  """Ours and the peer's, number by number; and the median seconds of a fit."""
  who = ('3', 'peer')
  found = coverage_records.shares(records, LEVEL)
  rows = []
  for study in dict.fromkeys(x.study for x in records):
    each = [x for x in records if x.study == study]
    of = [[x.seconds for x in each if x.approach == one] for one in who]
    cells = [
      str(found.get((study, f'{one}: {x}')) or '–')
      for x in NUMBERS
      for one in who
    ]
    seconds = [f'{np.median(x):.2f}' for x in of]
    rows.append([study, str(len(of[1])), *cells, *seconds])
  header = [f'{one}: {x}' for x in (*NUMBERS, 'seconds') for one in who]
  return coverage_records.markdown(['study', 'studies', *header], rows)


if __name__ == '__main__':
  main()
