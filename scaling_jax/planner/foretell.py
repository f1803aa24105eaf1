"""The intervals that an experiment will end with, before it is trained.

For each plausible law one study is simulated and analyzed as
`scaling_jax.analysis` would: approach 3 fitted and redrawn, approach 2 with its
bias and its verdicts. All fits of approach 3 are two vmapped solves.

Real runs scatter about a law by more than their seeds do, because no law has
quite their shape, while the parabola of a budget takes that shape in. So
approach 3 is given all of the noise, the most of which all seeds of a run share,
and approach 2 the seeds' part. The quickstart's runs show 0.0032 and 0.0007,
nanochat's 0.0033 and 0.0007.

Where this differs from the analysis: one start, at the truth, in place of 48, so
that agreement of starts is not judged; fewer draws; and losses redrawn also where
50 runs or more would be resampled, which made alpha's interval a fifth wider.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import laws as laws_lib
from scaling_jax.analysis import content
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import reach
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import study
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.rows import Point
from scaling_jax.analysis.uncertainty import Estimate
from scaling_jax.planner import noise as noise_lib
from scaling_jax.planner.noise import Noise

AHEAD = 10  # times the largest budget, where N_opt is asked for

Intervals = dict[str, Estimate]


class Foretold(NamedTuple):
  """One plausible law's study, as its analysis would state it.

  Attributes:
    parametric, isoflop: the status of each approach, and its intervals.
    budgets: approach 2's verdict on each budget, in the order of C.
  """

  parametric: tuple[str, Intervals]
  isoflop: tuple[str, Intervals]
  budgets: list[dict[str, Any]]


def studies(
  points: Sequence[Point],
  law: laws_lib.Chinchilla,
  noise: Noise,
  target: float,
  level: float,
  draws: int,
  rng: np.random.Generator,
) -> list[Foretold]:
  """A study of these runs for each law.

  Args:
    points: the runs, whose losses are not looked at.
    law: of arrays [K].
    noise: of log L.
    target: FLOPs at which N_opt is asked for.
    level: of the intervals.
    draws: refits of each study.
    rng: where all noise comes from.
  """
  N, D = rows_lib.columns(points, 'N', 'D')
  groups, alone = study.isoflop_groups(points)
  each = [laws_lib.Chinchilla(*parts) for parts in np.transpose(law).tolist()]
  clean = np.log(np.array([one.loss(N, D) for one in each]))
  log_L = clean + (
    noise.shared * rng.normal(size=clean.shape)[:, noise_lib.cells(N, D)]
    + noise.seeds * rng.normal(size=clean.shape)
  )
  by_law = _parametric(
    points, each, log_L, len(groups) + len(alone), draws, rng
  )
  out = []
  for k, fitted in enumerate(by_law):
    part = content.parametric_part(fitted, points, [target], level)
    L = np.exp(clean[k] + noise.seeds * rng.normal(size=len(N)))
    noisy = [p._replace(loss=float(x)) for p, x in zip(points, L)]
    found = isoflop.fit(
      hold_out.as_groups(noisy, groups),
      fitted.law,
      draws,
      int(rng.integers(2**31)),
    )
    iso = content.isoflop_part(found, [target], level)
    out.append(
      Foretold(stated(part, target), stated(iso, target), iso['budgets'])
    )
  return out


def stated(part: dict[str, Any], target: float) -> tuple[str, Intervals]:
  """A law of fits.json as its status and its intervals; N_opt at target."""
  at = reach.stated(part, target)
  if part['status'] != 'ok' or at is None:
    return part['status'], {}
  found = {'N_opt': at['N_opt']}
  if 'alpha' not in part:  # approach 2
    exponents = part['N_opt']['exponent'], part['D_opt']['exponent']
  else:
    exponents = part['exponent_N'], part['exponent_D']
    found |= {name: part[name] for name in ('alpha', 'beta', 'E')}
  return 'ok', found | dict(zip(('a', 'b'), exponents))


def _parametric(
  points, each, log_L, n_budgets, draws, rng
) -> list[parametric.Parametric]:
  """Approach 3 on the study of each law."""
  N, D = rows_lib.columns(points, 'N', 'D')
  K, n = log_L.shape
  centred = parametric.Centred.of(N, D, np.ones(n))
  if refused := parametric.unanswered(centred, n_budgets):
    return [parametric.Parametric(*refused)] * K
  truth = np.stack([centred.params(law) for law in each])
  fitted = parametric.refits(centred, truth, log_L)
  lost = np.isnan(fitted[:, 0])
  fitted[lost] = truth[lost]  # a place to go on from; no law is made of it
  predicted = np.log(np.array([centred.law(p).loss(N, D) for p in fitted]))
  dof = n - parametric.N_PARAMS
  sd = np.sqrt(((log_L - predicted) ** 2).sum(1) / dof)
  scales = np.stack([uncertainty.Noise(s, dof).scales(rng, draws) for s in sd])
  noise = scales[..., None] * rng.normal(size=(K, draws, n))
  drawn = parametric.refits(
    centred,
    np.repeat(fitted, draws, 0),
    (predicted[:, None] + noise).reshape(K * draws, n),
  ).reshape(K, draws, -1)
  undefined = np.isnan(drawn[..., 0]).mean(1)
  open_ = lost | (undefined > parametric.OPEN_DRAWS)
  return [
    parametric.Parametric('not_identified', '')
    if open_[k]
    else parametric.Parametric(
      'ok', '', law=centred.law(fitted[k]), draws=centred.law(drawn[k])
    )
    for k in range(K)
  ]
