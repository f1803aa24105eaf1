"""The intervals that an experiment will end with, before it is trained.

For each plausible law one study is simulated and analyzed as
`scaling_jax.analysis` would: approach 3 fitted and redrawn, approach 2 with its
bias and its statuses. All fits of approach 3 are two batches of refits.

Real runs scatter about a law by more than their seeds do, because no law has
quite their shape, while the curve of a budget takes that shape in. So
approach 3 is given all of the noise, the most of which all seeds of a run share,
and approach 2 the seeds' part. The quickstart's runs show 0.0032 and 0.0007,
nanochat's 0.0033 and 0.0007.

Where this differs from the analysis: one start, at the truth, in place of 48, so
that agreement of starts is not judged; fewer draws; and losses redrawn also where
50 runs or more would be resampled, which made alpha's interval a fifth wider.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling_jax import laws as laws_lib
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.isoflop import IsoflopFit
from scaling_jax.analysis.fitting.isoflop_budget import Group
from scaling_jax.analysis.fitting.isoflop_budget import IsoflopBudget
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.simulate import Design
from scaling_jax.analysis.runs import budgets as budgets_lib
from scaling_jax.planner import noise as noise_lib
from scaling_jax.planner.noise import Noise

AHEAD = 10  # times the largest budget, where N_opt is asked for

# What each approach states, in the order in which it is shown.
QUANTITIES = {
  'isoflop': ('exponent_N', 'exponent_D', 'N_opt'),
  'chinchilla': ('exponent_N', 'exponent_D', 'alpha', 'beta', 'E', 'N_opt'),
}


class Answer(NamedTuple):
  """What an approach states of a study: a status, and where ok intervals.

  Attributes:
    status: of the fit.
    intervals: of `QUANTITIES`; empty unless ok.
  """

  status: Status
  intervals: dict[str, Interval]


class PredictedStudy(NamedTuple):
  """One plausible law's study, as its analysis would state it.

  Attributes:
    chinchilla, isoflop: approaches 3 and 2.
    budgets: approach 2's, in the order of C.
  """

  chinchilla: Answer
  isoflop: Answer
  budgets: tuple[IsoflopBudget, ...]


class Ask(NamedTuple):
  """How the studies are analyzed.

  Attributes:
    target: FLOPs at which N_opt is asked for.
    level: of the intervals.
    draws: refits of each study.
  """

  target: float
  level: float
  draws: int


def studies(
  runs: Design,
  law: laws_lib.Chinchilla,
  noise: Noise,
  *,
  ask: Ask,
  rng: np.random.Generator,
) -> list[PredictedStudy]:
  """A study of these runs for each law.

  Args:
    runs: C, N and D of each, [n].
    law: of arrays [K].
    noise: of log L.
    ask: how each study is analyzed.
    rng: where all noise comes from.
  """
  C, N, D = runs
  grouping = budgets_lib.grouping_of(C, N)
  each = [laws_lib.Chinchilla(*parts) for parts in np.transpose(law).tolist()]
  clean = np.log(np.array([one.loss(N, D) for one in each]))
  log_L = clean + (
    noise.shared * rng.normal(size=clean.shape)[:, noise_lib.cells(N, D)]
    + noise.seeds * rng.normal(size=clean.shape)
  )
  by_law = _chinchilla(
    runs, each, log_L, n_budgets=grouping.n_budgets, noise=noise, ask=ask,
    rng=rng,
  )  # fmt: skip
  out = []
  for k, fitted in enumerate(by_law):
    L = np.exp(clean[k] + noise.seeds * rng.normal(size=len(N)))
    found = isoflop.fit(
      Group.of(*runs, L, grouping.groups),
      fitted.law if fitted.ok else None,
      Bootstrap(draws=ask.draws, seed=int(rng.integers(2**31))),
    )
    out.append(
      PredictedStudy(answer(fitted, ask), answer(found, ask), found.budgets)
    )
  return out


def answer(fit: ChinchillaFit | IsoflopFit, ask: Ask) -> Answer:
  """What a fit states at a level, N_opt at the target included."""
  if not fit.ok:
    return Answer(fit.status, {})
  name = 'chinchilla' if isinstance(fit, ChinchillaFit) else 'isoflop'
  found = fit.conf_int(ask.level)
  found['N_opt'] = fit.optimum(C=ask.target, level=ask.level).N
  return Answer(fit.status, {x: found[x] for x in QUANTITIES[name]})


def _chinchilla(
  runs: Design,
  each: Sequence[laws_lib.Chinchilla],
  log_L: np.ndarray,
  *,
  n_budgets: int,
  noise: noise_lib.Noise,
  ask: Ask,
  rng: np.random.Generator,
) -> list[ChinchillaFit]:
  """Approach 3 on the study [n] of each law [K], seeds of a cell as one."""
  draws = ask.draws
  cells = Cells.of(runs.N, runs.D, np.ones(len(runs.N)))
  share = (
    np.equal.outer(np.arange(len(cells)), cells.index) / (cells.count[:, None])
  )
  N, D, C = cells.N, cells.D, np.exp(share @ np.log(runs.C))
  log_L = log_L @ share.T
  K, n = log_L.shape
  size = np.hypot(noise.shared, noise.seeds / np.sqrt(np.mean(cells.count)))
  data = chinchilla.LogData.of(N, D, np.ones(n)).scaled(
    chinchilla.huber_scale(size)
  )
  if refused := chinchilla.unanswered(data, n_budgets):
    status, message = refused
    nothing = ChinchillaFit(
      status=status, message=message, N=N, D=D, loss=np.exp(log_L[0]), C=C
    )
    return [nothing] * K
  truth = np.stack([data.params(law) for law in each])
  fitted = chinchilla.refits(data, truth, log_L)
  lost = np.isnan(fitted[:, 0])
  fitted[lost] = truth[lost]  # a place to start from; no law is made of it
  predicted = np.log(np.array([data.law(p).loss(N, D) for p in fitted]))
  dof = n - chinchilla.N_PARAMS
  sd = np.sqrt(((log_L - predicted) ** 2).sum(1) / dof)
  scales = np.stack([ResidualSD(s, dof).scales(rng, draws) for s in sd])
  drawn_noise = scales[..., None] * rng.normal(size=(K, draws, n))
  drawn = chinchilla.refits(
    data,
    np.repeat(fitted, draws, 0),
    (predicted[:, None] + drawn_noise).reshape(K * draws, n),
  ).reshape(K, draws, -1)
  undefined = np.isnan(drawn[..., 0]).mean(1)
  open_ = lost | (undefined > chinchilla.OPEN_DRAWS)
  return [
    ChinchillaFit(
      status=Status.NOT_IDENTIFIED if open_[k] else Status.OK,
      N=N,
      D=D,
      loss=np.exp(log_L[k]),
      C=C,
      center=(data.mean_log_N, data.mean_log_D),
      point=fitted[k],
      param_draws=drawn[k],
    )
    for k in range(K)
  ]
