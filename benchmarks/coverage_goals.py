"""What was asked of the intervals, beside what benchmarks/coverage.py found.

  PYTHONPATH=. python benchmarks/coverage_goals.py FILE.jsonl

A share that misses its goal by less than two of its standard errors is 'by
chance': as many studies cannot tell.
"""

from collections.abc import Iterator, Sequence
import math
import sys
from typing import NamedTuple

import numpy as np

from benchmarks import coverage_records
from benchmarks.coverage_records import Record
from benchmarks.coverage_studies import studies

LEVEL = 0.95
CLEAN = (
  '28 runs, 0.1%', '28 runs, 0.3%', '4 x 7 runs, lopsided law, 0.1%',
  '4 x 5 runs, lopsided law, 0.1%',
)  # fmt: skip
LAW = ('3: E', '3: alpha', '3: a', '3: N10', '3: L10')
TRUST = ('3: E', '3: a', '3: N10', '3: L10')
MINIMA = ('2: N_opt', '2: L_min', '2: a', '2: N10')
SEEDS = ('3: alpha', '3: a', '3: N10', '3: L10', '2: N_opt', '2: L_min')
TOKENS = ('3: alpha', '3: a', '3: N10', '3: L10')
# Study, numbers, the share that holds from and to.
HELD = (
  ('one failed run, 0.3%', TRUST, 0.92, 0.98),
  ('two of 28 runs 3 to 10% high, 0.3%', TRUST, 0.92, 0.98),
  ('28 runs, 0.3%', LAW, 0.93, 0.97),
  ('5% of runs 3% high, 0.1%', LAW, 0.92, 1.0),
  ('sd ∝ 1/√D, 0.3%', LAW, 0.92, 1.0),
  ('4 seeds, 0.02% each, 0.2%', SEEDS, 0.92, 0.98),
  ('2 seeds, 0.02% each, 0.2%', SEEDS, 0.92, 0.98),
  ('4 seeds, 0.2% each, 0.2%', SEEDS, 0.92, 0.98),
  ('1 or 4 seeds, 0.2% each, 0.2%', SEEDS, 0.92, 0.98),
  ('ten checkpoints a model, 1.4% between models, 0.7%', TOKENS, 0.92, 0.98),
  ('4 x 7 runs, lopsided law, 0.1%', MINIMA, 0.93, 0.97),
  ('28 runs, 0.3%', MINIMA, 0.93, 0.97),
  ('homework, 5+3+4 runs, 0.3%', ('2: L_min',), 0.92, 1.0),
)
# Study, number, the most that its interval may be wide.
WIDTHS = (
  ('28 runs, 0.3%', '3: N10', 0.20),
  ('5% of runs 3% high, 0.1%', '3: N10', 0.09),
  ('sd ∝ 1/√D, 0.3%', '3: N10', 0.22),
  ('quickstart, 3 x 5 runs, 0.3%', '3: N10', 0.28),
  ('4 x 7 runs, lopsided law, 0.1%', '2: N_opt', 0.05),
  ('4 x 7 runs, lopsided law, 0.1%', '2: a', 0.013),
  ('4 x 7 runs, lopsided law, 0.1%', '2: N10', 0.07),
  ('4 x 5 runs, lopsided law, 0.1%', '2: N_opt', 0.065),
  ('28 runs, 0.3%', '2: N_opt', 0.15),
)
# Study, the share that answers from.
ANSWERS = (
  ('one failed run, 0.3%', 0.95),
  ('two of 28 runs 3 to 10% high, 0.3%', 0.95),
  ('homework, 5+3+4 runs, 0.3%', 0.92),
)
# Study, the share of forms rejected from and to.
FORMS = (
  *((study, 0.0, 0.02) for study in CLEAN),
  ('interaction, k = 0.7, 0.1%', 0.95, 1.0),
  ('interaction, k = 0.7, 0.3%', 0.95, 1.0),
  ('interaction, k = 1.3, 0.3%', 0.60, 1.0),
)
OUTLIERS = 1e-3  # of clean runs


class Goal(NamedTuple):
  study: str
  what: str
  asked: str
  found: str
  verdict: str


def main(path: str) -> None:
  records = coverage_records.read(path)
  rows = [*held(records), *widths(records), *of_runs(records)]
  print(
    coverage_records.markdown(
      ['study', 'what', 'asked', 'found', ''], map(list, rows)
    )
  )
  for verdict in ('met', 'by chance', 'missed'):
    print(f'{verdict}: {sum(row.verdict == verdict for row in rows)}')


def judged(share: float, count: int, low: float, high: float) -> str:
  """Whether a share of `count` lies between low and high."""
  if low <= share <= high:
    return 'met'
  bound = low if share < low else high
  sd = math.sqrt(max(bound * (1 - bound), 1 / count) / count)
  return 'by chance' if abs(share - bound) < 2 * sd else 'missed'


def asked(low: float, high: float) -> str:
  if high == 1.0:
    return f'at least {low:.0%}'
  return f'at most {high:.0%}' if low == 0 else f'{low:.0%} to {high:.0%}'


def held(records: Sequence[Record]) -> Iterator[Goal]:
  found = coverage_records.shares(records, LEVEL)
  for study, numbers, low, high in HELD:
    known = [(n, found.get((study, n))) for n in numbers]
    shares = {number: share for number, share in known if share}
    for number, share in shares.items():
      # Minima of one study are four, whose noise differs.
      verdict = judged(share.held, share.intervals, low, high)
      yield Goal(
        study, f'{number} held', asked(low, high), f'{share.held:.1%}', verdict
      )


def widths(records: Sequence[Record]) -> Iterator[Goal]:
  found = coverage_records.shares(records, LEVEL)
  for study, number, most in WIDTHS:
    share = found.get((study, number))
    if share:
      verdict = 'met' if share.width <= most else 'missed'
      yield Goal(
        study, f'{number} width', f'at most {most:g}', f'{share.width:.3g}',
        verdict,
      )  # fmt: skip


def of_runs(records: Sequence[Record]) -> Iterator[Goal]:
  """Answers, outliers and the form's test, of approach 3."""
  of: dict[str, list[Record]] = {}
  for record in records:
    if record.approach == '3':
      of.setdefault(record.study, []).append(record)
  for study, low in ANSWERS:
    if study in of:
      yield goal(study, 'answers', [x.ok for x in of[study]], low, 1.0)
  for study, low, high in FORMS:
    tested = [x.rejected for x in of.get(study, []) if x.rejected is not None]
    if tested:
      yield goal(study, 'form rejected', tested, low, high)
  high_runs = of.get('5% of runs 3% high, 0.1%', [])
  named = [i in x.outliers for x in high_runs for i in x.spoiled]
  if named:
    yield goal(
      '5% of runs 3% high, 0.1%', 'spoiled runs named', named, 1.0, 1.0
    )
  true_form = [study for study in studies() if study.chinchilla]
  tested = [
    x.rejected
    for study in true_form
    for x in of.get(study.key, [])
    if x.rejected is not None
  ]
  if tested:
    yield goal(
      "all laws of approach 3's form", 'form rejected', tested, 0, 0.02
    )
  clean = [
    x for study in true_form if study.clean for x in of.get(study.key, [])
  ]
  if clean:
    share = sum(len(x.outliers) for x in clean) / sum(x.runs for x in clean)
    yield Goal(
      'all of them that are clean', 'runs called outliers',
      'at most 1 in 1,000', f'{1000 * share:.2f} in 1,000',
      'met' if share <= OUTLIERS else 'missed',
    )  # fmt: skip


def goal(
  study: str, what: str, yes: Sequence[bool], low: float, high: float
) -> Goal:
  share = float(np.mean(yes))
  verdict = judged(share, len(yes), low, high)
  return Goal(study, what, asked(low, high), f'{share:.1%}', verdict)


if __name__ == '__main__':
  main(sys.argv[1])
