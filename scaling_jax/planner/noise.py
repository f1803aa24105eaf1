"""How the losses of planned runs scatter about a law."""

import math
from typing import NamedTuple

import numpy as np


class Noise(NamedTuple):
  """Standard deviations of log L: about the law, and the seeds' part of it.

  The rest is what the law misses, which all seeds of a run share.

  >>> round(Noise(about_law=0.005, seeds=0.003).shared, 6)
  0.004
  """

  about_law: float
  seeds: float

  @property
  def shared(self) -> float:
    """Of what the law misses."""
    return math.sqrt(max(self.about_law**2 - self.seeds**2, 0.0))


def cells(N: np.ndarray, D: np.ndarray) -> np.ndarray:
  """[n] the number, from 0, of the model and tokens that a run shares.

  >>> cells(np.array([1e6, 2e6, 1e6]), np.array([1e8, 1e8, 1e8])).tolist()
  [0, 1, 0]
  """
  pairs = np.round(np.log([N, D]), 9)
  return np.unique(pairs, axis=1, return_inverse=True)[1].ravel()
