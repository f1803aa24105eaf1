"""The laws of papers, each with its spread where one is known."""

import dataclasses
import functools

import numpy as np

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import asked
from scaling_jax.analysis.fitting.result import percentile_interval
from scaling_jax.planner import law
from scaling_jax.planner import messages
from scaling_jax.planner.resources import Token

NAMES = ('hoffmann', 'besiroglu', 'kaplan')
_DRAWS = 2000

Range = tuple[float, float]

# Of the runs of Hoffmann's figure 4, as benchmarks/published_law.py prints it.
_FIGURE_4_FLOPS = (1.4e18, 1.3e22)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PublishedLaw(law.Law):
  """A law of a paper, fitted on models of N parameters, D tokens, C FLOPs."""

  N: Range
  D: Range
  C: Range

  @property
  def ranges(self) -> dict[str, Range]:
    return {'C': self.C, 'N': self.N, 'D': self.D}

  def remarks(self, found: Allocation) -> list[str]:
    return [
      *messages.outside('parameters', float(found.N.value), self.N),
      *messages.outside('tokens', float(found.D.value), self.D),
    ]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ChinchillaLaw(PublishedLaw):
  """L = E + A/N^alpha + B/D^beta at C = 6 N D, maybe with its spread."""

  counts = 'all parameters, embeddings included'
  with_embeddings = True

  formula: laws.Chinchilla

  def optimum(
    self,
    *,
    C: float | None = None,
    D: float | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    # With JAX behind it, and not needed by the laws of other forms.
    from scaling_jax.analysis.fitting.chinchilla import allocation

    return allocation(self.formula, self.draws, C=C, D=D, level=level)

  def loss(self, N: float, D: float, level: float = LEVEL) -> Interval:
    drawn = None if self.draws is None else self.draws.loss(N, D)
    of_law = None if drawn is None else np.asarray(drawn)
    return percentile_interval(self.formula.loss(N, D), of_law, level)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class KaplanLaw(PublishedLaw):
  """Kaplan et al. 2020: N_opt(C) of table 6, D >= 5e3 N^0.74, L(N, D)."""

  counts = 'non-embedding parameters'

  formula: laws.Kaplan = published.KAPLAN

  def optimum(
    self,
    *,
    C: float | None = None,
    D: float | None = None,
    level: float = LEVEL,
  ) -> Allocation:
    """By compute N_opt; by tokens the largest N that does not overfit."""
    x = float(asked(C, D))
    if D is None:
      N = float(published.KAPLAN_N_OPT(x / laws.FLOPS_PER_PF_DAY))
      FLOPs, tokens = Interval.exact(x), Interval(x / (6 * N))
    else:
      N = float(published.KAPLAN_TOKENS.inverse(x))
      FLOPs, tokens = Interval(6 * N * x), Interval.exact(x)
    loss = self.loss(N, float(tokens.value), level)
    return Allocation(C=FLOPs, N=Interval(N), D=tokens, loss=loss)

  def loss(self, N: float, D: float, level: float = LEVEL) -> Interval:
    return Interval(float(self.formula.loss(N, D)))


@functools.cache
def published_law(name: str) -> PublishedLaw:
  """One of `NAMES`."""
  bpe_32k, bpe_50k = Token('BPE', 32_000), Token('BPE', 50_257)
  if name == 'hoffmann':
    return ChinchillaLaw(
      name=name,
      title='Hoffmann et al. 2022 (arXiv 2203.15556), approach 3',
      token=bpe_32k,
      formula=published.HOFFMANN,
      N=(70e6, 16e9),
      D=(5e9, 500e9),
      C=_FIGURE_4_FLOPS,
      no_interval=messages.hoffmann_has_no_interval(),
    )
  if name == 'besiroglu':
    return ChinchillaLaw(
      name=name,
      title='Besiroglu et al. 2024 (arXiv 2404.10102), refit of the same',
      token=bpe_32k,
      formula=published.BESIROGLU,
      # Of the points fitted: benchmarks/published_law.py.
      N=(5.73e7, 1.62e10),
      D=(8.19e8, 3.18e11),
      C=_FIGURE_4_FLOPS,
      draws=_besiroglu_draws(),
    )
  return KaplanLaw(
    name=name,
    title='Kaplan et al. 2020 (arXiv 2001.08361): N_opt = 1.3e9 C^0.73 (C in'
    ' PF-days), D >= 5e3 N^0.74, and L(N, D)',
    token=bpe_50k,
    N=(768, 1.5e9),
    D=(22e6, 23e9),
    # Figure 1's axis: from 1e-9 to 10 PF-days.
    C=(1e-9 * laws.FLOPS_PER_PF_DAY, 10 * laws.FLOPS_PER_PF_DAY),
    no_interval=messages.kaplan_has_no_interval(),
  )


# `python benchmarks/published_law.py` prints these of the points of Hoffmann's
# figure 4 that Besiroglu et al. fitted: in log A', log B', log E, alpha, beta.
MEAN_LOG_N, MEAN_LOG_D = 20.559283, 23.553231
_COVARIANCE = np.array([
  [3.32606e-03, -1.34585e-03, -4.29794e-04, -8.48470e-04, 3.69183e-04],
  [-1.34585e-03, 4.14760e-03, -5.21694e-04, 2.93577e-04, -1.29027e-03],
  [-4.29794e-04, -5.21694e-04, 1.91027e-04, 1.18956e-04, 1.71161e-04],
  [-8.48470e-04, 2.93577e-04, 1.18956e-04, 2.22275e-04, -8.18922e-05],
  [3.69183e-04, -1.29027e-03, 1.71161e-04, -8.18922e-05, 4.12963e-04],
])  # fmt: skip


def _besiroglu_draws() -> laws.Chinchilla:
  from scaling_jax.analysis.fitting.chinchilla import LogData

  empty = np.empty(0)
  about = LogData(empty, empty, empty, MEAN_LOG_N, MEAN_LOG_D, empty)
  rng = np.random.default_rng(0)
  center = about.params(published.BESIROGLU)
  return about.law(rng.multivariate_normal(center, _COVARIANCE, _DRAWS))
