"""Simulated studies whose answer is known: what benchmarks/coverage.py fits.

A study is a design, the law behind it, and what befalls its losses: even or
uneven noise, runs that failed, seeds, checkpoints of one training, training
that was not tuned, a law of another form than the one that is fitted. Each
repetition has a generator of its own, so that any of them can be made again.
"""

from collections.abc import Callable, Iterator
import dataclasses
from typing import Any, NamedTuple, Protocol
import zlib

import numpy as np
from scipy import optimize

from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.fitting import simulate

FAMILY = np.array([221664, 443232, 997152, 1968768, 3937408.0])
NANOCHAT = np.array(
  [41943552, 70124320, 110101632, 164234784, 234883072, 324405792, 435162240.0]
)
BUDGETS = np.geomspace(1e18, 10**19.5, 4)
MIDDLE = 10**18.75  # of the budgets
FAILED = 10.9  # the loss of a run that learned nothing: log of the vocabulary
LOPSIDED = {'alpha': 0.5, 'beta': 0.3}


class Law(Protocol):
  """What losses come from: any law whose optimum can be found."""

  @property
  def E(self) -> float: ...

  def loss(self, N, D) -> Any: ...

  def optimum(self, C) -> laws.Optimum: ...


class ExponentOfN(NamedTuple):
  """E + A/N^alpha + b (D/D0)^-(beta + g log(N/N0)): data helps large models more.

  Like the law of Li et al. 2025 (Farseer, arXiv 2506.10972) to first order. N0
  and D0 are the base's optimum at the middle budget, b its data term there. No
  exponent of N_opt is constant.
  """

  g: float = 0.02
  base: laws.Chinchilla = published.BESIROGLU

  @property
  def E(self) -> float:
    return self.base.E

  @property
  def alpha(self) -> float:
    return self.base.alpha

  def loss(self, N, D):
    _, A, B, alpha, beta = self.base
    _, N0, D0, _ = self.base.optimum(MIDDLE)
    exponent = beta + self.g * np.log(N / N0)
    return self.E + A * N**-alpha + B * D0**-beta * (D / D0) ** -exponent

  def optimum(self, C):
    return searched(self, C)


def searched(law: Law, C: float) -> laws.Optimum:
  """The least loss for C FLOPs, by a search over log N."""

  def loss(log_N: float) -> float:
    return float(law.loss(np.exp(log_N), C / 6 / np.exp(log_N)))

  best = optimize.minimize_scalar(
    loss, bounds=(10, 32), method='bounded', options={'xatol': 1e-9}
  )
  N = float(np.exp(best.x))
  return laws.Optimum(C, N, C / 6 / N, float(best.fun))


class Sample(NamedTuple):
  """One repetition.

  Attributes:
    losses: [n].
    spoiled: [n] whether something befell the run that no law holds.
  """

  losses: np.ndarray
  spoiled: np.ndarray


# Clean losses [n] and their design -> what was measured.
Noise = Callable[[np.random.Generator, simulate.Design, np.ndarray], Sample]


@dataclasses.dataclass(frozen=True)
class Study:
  """A design, the truth behind it, and what befalls its losses.

  Attributes:
    name: of the row.
    design: the runs.
    law: the truth that intervals are held against.
    noise: the standard deviation of log L, for the table; `befalls` may add.
    befalls: what happens to the clean losses; None for even noise.
    budgets: whether runs lie on compute budgets, so that approach 2 applies.
    clean: whether no run is to be called an outlier.
    chinchilla: whether approach 3's form is the truth's.
  """

  name: str
  design: simulate.Design
  law: Law
  noise: float
  befalls: Noise | None = None
  budgets: bool = True
  clean: bool = True
  chinchilla: bool = True

  @property
  def key(self) -> str:
    return f'{self.name}, {100 * self.noise:g}%'

  def rng(self, i: int) -> np.random.Generator:
    # Each study its own noise, so that a bad draw does not mark every row.
    return np.random.default_rng([zlib.crc32(self.key.encode()), i])

  def sample(self, i: int) -> Sample:
    """Repetition i, the same whenever it is made."""
    befalls = self.befalls or even(self.noise)
    clean = np.asarray(self.law.loss(self.design.N, self.design.D))
    return befalls(self.rng(i), self.design, clean)


def even(sd: float, excess: Callable | None = None) -> Noise:
  """The same for all runs; `excess` of a design multiplies all losses."""

  def noise(rng, design, clean):
    more = 1.0 if excess is None else excess(design)
    L = clean * more * np.exp(sd * rng.normal(size=clean.shape))
    return Sample(L, np.zeros(clean.shape, bool))

  return noise


def by_tokens(sd: float) -> Noise:
  """sd ∝ D^-1/2, `sd` that of the median D."""

  def noise(rng, design, clean):
    each = sd * np.sqrt(np.median(design.D) / design.D)
    L = clean * np.exp(each * rng.normal(size=clean.shape))
    return Sample(L, np.zeros(clean.shape, bool))

  return noise


def one_failed(sd: float) -> Noise:
  def noise(rng, design, clean):
    L, spoiled = even(sd)(rng, design, clean)
    spoiled[rng.integers(len(L))] = True
    return Sample(np.where(spoiled, FAILED, L), spoiled)

  return noise


def two_high(sd: float) -> Noise:
  """Two runs 3 to 10% too high."""

  def noise(rng, design, clean):
    L, spoiled = even(sd)(rng, design, clean)
    spoiled[rng.choice(len(L), 2, replace=False)] = True
    return Sample(
      L * np.where(spoiled, rng.uniform(1.03, 1.1, len(L)), 1), spoiled
    )

  return noise


def some_high(sd: float, share: float = 0.05) -> Noise:
  """Each run 3% too high with a chance of `share`."""

  def noise(rng, design, clean):
    L, _ = even(sd)(rng, design, clean)
    spoiled = rng.random(len(L)) < share
    return Sample(L * np.where(spoiled, 1.03, 1), spoiled)

  return noise


def grouped(of: Callable, between: float, within: float) -> Noise:
  """What the runs of one group share, and what each has for itself.

  Args:
    of: design -> [n] the group of each run: its (N, D), or its model.
    between: sd that a group's runs share.
    within: sd of each run beside it.
  """

  def noise(rng, design, clean):
    _, group = np.unique(of(design), return_inverse=True)
    shared = between * rng.normal(size=group.max() + 1)
    own = within * rng.normal(size=clean.shape)
    L = clean * np.exp(shared[group] + own)
    return Sample(L, np.zeros(clean.shape, bool))

  return noise


def by_cell(design: simulate.Design) -> np.ndarray:
  return design.N + 1j * design.D


def by_model(design: simulate.Design) -> np.ndarray:
  return design.N


def of_warmup(design: simulate.Design) -> np.ndarray:
  """2% of the loss at the fewest tokens, and less with more of them."""
  return 1 + 0.02 * design.D.min() / design.D


def of_one_rate(design: simulate.Design) -> np.ndarray:
  """One learning rate for all models: 0.6% a decade of N, squared."""
  return 1 + 0.006 * np.log10(design.N / design.N.min()) ** 2


def around(law: Law, models: int = 7, seeds=1) -> simulate.Design:
  """Models from a fourth of the optimum to four times it, at each budget.

  Args:
    law: whose optimum.
    models: a budget.
    seeds: of each model, or [models].
  """
  grid = np.repeat(np.geomspace(0.25, 4, models), seeds)
  return simulate.Design.of([(C, law.optimum(C).N * grid) for C in BUDGETS])


def checkpoints() -> simulate.Design:
  """Ten token counts along one training of each of seven models."""
  N, D = (
    x.ravel()
    for x in np.meshgrid(
      np.geomspace(3e7, 3e9, 7), np.geomspace(1e9, 1e11, 10), indexing='ij'
    )
  )
  return simulate.Design(6 * N * D, N, D)


def studies() -> Iterator[Study]:
  yield from as_assumed()
  yield from spoiled_runs()
  yield from dependent_runs()
  yield from other_forms()
  yield from real_grids()


def as_assumed() -> Iterator[Study]:
  """Even noise about Chinchilla's law, and about one whose terms differ."""
  law = published.BESIROGLU
  for noise in (0.001, 0.003):
    yield Study('28 runs', around(law), law, noise)
  lopsided = simulate.law_through(1e19, 4e8, **LOPSIDED)
  for models in (7, 5):
    name = f'4 x {models} runs, lopsided law'
    yield Study(name, around(lopsided, models), lopsided, 0.001)


def spoiled_runs() -> Iterator[Study]:
  """28 runs, of which some are not what the others are."""
  law, plan = published.BESIROGLU, around(published.BESIROGLU)
  for name, noise, befalls in (
    ('one failed run', 0.003, one_failed),
    ('two of 28 runs 3 to 10% high', 0.003, two_high),
    ('5% of runs 3% high', 0.001, some_high),
  ):
    yield Study(name, plan, law, noise, befalls(noise), clean=False)
  yield Study('sd ∝ 1/√D', plan, law, 0.003, by_tokens(0.003))


def dependent_runs() -> Iterator[Study]:
  """Seeds of one (N, D), and checkpoints of one training."""
  law = published.BESIROGLU
  unequal = np.tile([1, 4], 4)[:7]
  for name, seeds, own in (
    ('4 seeds, 0.02% each', 4, 0.0002),
    ('2 seeds, 0.02% each', 2, 0.0002),
    ('4 seeds, 0.2% each', 4, 0.002),
    ('1 or 4 seeds, 0.2% each', unequal, 0.002),
  ):
    befalls = grouped(by_cell, 0.002, own)
    yield Study(name, around(law, seeds=seeds), law, 0.002, befalls)
  yield Study(
    'ten checkpoints a model, 1.4% between models', checkpoints(), law, 0.007,
    grouped(by_model, 0.014, 0.007), budgets=False,
  )  # fmt: skip


def other_forms() -> Iterator[Study]:
  """Laws that approach 3 has no form for, and training that was not tuned."""
  base = published.BESIROGLU
  for law, name in (
    (laws.Interacting(*published.BESIROGLU, k=0.7), 'interaction, k = 0.7'),
    (laws.Interacting(*published.BESIROGLU, k=1.3), 'interaction, k = 1.3'),
    (ExponentOfN(), 'exponent of D rises with N'),
  ):
    for noise in (0.001, 0.003):
      plan = around(law)
      yield Study(name, plan, law, noise, chinchilla=False)
  for excess, name in (
    (of_warmup, 'warmup: 2% Dmin/D too high'),
    (of_one_rate, 'one learning rate for all N'),
  ):
    for noise in (0.001, 0.003):
      plan, befalls = around(base), even(noise, excess)
      yield Study(name, plan, base, noise, befalls, chinchilla=False)


def real_grids() -> Iterator[Study]:
  """The grids of three small studies, and of a large one."""
  homework = simulate.Design.of(
    [(6e13, FAMILY), (3e14, FAMILY[1:4]), (6e14, FAMILY[1:5])]
  )
  quick = simulate.Design.of(
    [(4.0**k * 1e12, 2e5 * 2.0 ** (k + np.arange(-2, 3))) for k in (-1, 0, 1)]
  )
  nano = simulate.Design.of(
    [(C, NANOCHAT) for C in (1e18, 2.15e18, 4.64e18, 1e19)]
  )
  for noise in (0.001, 0.003):
    for name, design, at in (
      ('homework, 5+3+4 runs', homework, (2e14, 9e5)),
      ('quickstart, 3 x 5 runs', quick, (1e12, 2e5)),
      ('nanochat, 4 x 7 runs', nano, (3e18, 2e8)),
    ):
      yield Study(name, design, simulate.law_through(*at), noise)
      law = simulate.law_through(*at, **LOPSIDED)
      yield Study(f'{name}, lopsided law', design, law, noise)
  grid = np.geomspace(0.2, 5, 9)
  nine = simulate.Design.of(
    [
      (C, published.BESIROGLU.optimum(C).N * grid)
      for C in np.geomspace(6e18, 3e21, 9)
    ]
  )
  yield Study('Chinchilla, 9 x 9 runs', nine, published.BESIROGLU, 0.003)
