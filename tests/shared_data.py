"""Where real data lie, beside the project; tests skip where they are absent."""

import csv
import pathlib

import numpy as np

SHARED = pathlib.Path(__file__).resolve().parents[2] / 'shared' / 'data'
POETRY = SHARED / 'gutenberg_poetry.txt'
PUBLISHED = SHARED / 'published'
CHINCHILLA = PUBLISHED / 'chinchilla_figure4.csv'
NANOCHAT = PUBLISHED / 'nanochat_isoflop.csv'


def columns(test, name: str) -> np.ndarray:
  """The columns of a published figure's points; skips the test without them."""
  path = PUBLISHED / name
  if not path.exists():
    test.skipTest(f'{name} of the published data is not here')
  with path.open(newline='') as file:
    rows = list(csv.reader(file))[1:]
  return np.array(rows, float).T
