"""How the losses of planned runs scatter about a law."""

import math
from typing import NamedTuple

import numpy as np


class Noise(NamedTuple):
  """Of log L: sd about the law, and the seeds' part of it.

  The rest is what the law misses, which all seeds of a run share.
  """

  about_law: float
  seeds: float

  @property
  def shared(self) -> float:
    """sd of what the law misses."""
    return math.sqrt(max(self.about_law**2 - self.seeds**2, 0.0))


def cells(N: np.ndarray, D: np.ndarray) -> np.ndarray:
  """[n] the number, from 0, of the model and tokens that a run shares."""
  pairs = np.round(np.log([N, D]), 9)
  return np.unique(pairs, axis=1, return_inverse=True)[1].ravel()
