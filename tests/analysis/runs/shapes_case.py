"""The same 28 runs of a known law, in whatever shape a table has them."""

import csv
import io
import re
import shlex

import numpy as np

from scaling_jax.analysis.runs.table import Runs
from scaling_jax.errors import UserError
from scaling_jax.published import HOFFMANN
from tests.analysis.runs.table_case import TableCase

BUDGETS = (1e18, 3e18, 1e19, 3e19)


def _sizes():
  """N and D in round numbers, so that every unit of them is exact."""
  for C in BUDGETS:
    middle = float(HOFFMANN.optimum(C).N)
    for factor in np.geomspace(0.25, 4, 7):
      N = 10_000 * round(middle * factor / 10_000)
      yield N, 1_000_000 * round(C / (6 * N) / 1_000_000), C


N, D, BUDGET = (np.array(x, float) for x in zip(*_sizes()))
C = 6 * N * D
LOSS = np.round(np.asarray(HOFFMANN.loss(N, D), float), 4)
COUNT = len(N)


def columns(**others):
  """The runs as columns under our names, with others."""
  return {'N': N, 'D': D, 'loss': LOSS, **others}


def as_csv(header, rows, delimiter=','):
  file = io.StringIO()
  writer = csv.writer(file, delimiter=delimiter, lineterminator='\n')
  writer.writerow(header)
  writer.writerows(rows)
  return file.getvalue()


def flag(message: str) -> tuple[str, str]:
  """The first flag that a message says to add: its name and its value."""
  found = re.search(r'(?:add|by) --(\w+)=(.*)', message)
  assert found, message
  return found[1], shlex.split(found[2].replace(', ', ' '))[0].rstrip(',')


class ShapesCase(TableCase):
  def refused(self, df, *parts, **asked) -> str:
    with self.assertRaises(UserError) as caught:
      Runs.from_dataframe(df, **asked)
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in parts:
      self.assertIn(part, message)
    return message

  def assert_same(self, runs: Runs, rtol=1e-12, loss=1e-12):
    self.assertLen(runs, COUNT, runs.excluded[:1])
    np.testing.assert_allclose(runs.N, N, rtol)
    np.testing.assert_allclose(runs.D, D, rtol)
    np.testing.assert_allclose(runs.loss, LOSS, loss)

  def kinds(self, runs: Runs) -> dict[str, int]:
    """How many runs are excluded, by kind."""
    every = [str(one.kind) for one in runs.excluded]
    return {kind: every.count(kind) for kind in every}
