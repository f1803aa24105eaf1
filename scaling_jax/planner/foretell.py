"""The intervals that an experiment will end with, before it is trained.

For each plausible law one study is simulated and analyzed as
`scaling_jax.analysis` would: approach 3 fitted and redrawn, approach 2 with its
bias and its verdicts. All fits of approach 3 are two vmapped solves.

Real runs scatter about a law by more than their seeds do, because no law has
quite their shape, while the parabola of a budget takes that shape in. So
approach 3 is given `noise`, the most of which all seeds of a run share, and
approach 2 `seed_noise`. The quickstart's runs
show 0.0032 and 0.0007, nanochat's 0.0033 and 0.0007.

Where this differs from the analysis: one start, at the truth, in place of 48, so
that agreement of starts is not judged; fewer draws; and losses redrawn also where
50 runs or more would be resampled, which made alpha's interval a fifth wider.
"""

from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import laws as laws_lib
from scaling_jax.analysis import content
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import parametric
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import study
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.rows import Point
from scaling_jax.analysis.uncertainty import Estimate

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
  noise: float,
  seed_noise: float,
  level: float,
  draws: int,
  rng: np.random.Generator,
) -> list[Foretold]:
  """A study of these runs for each law.

  Args:
    points: the runs, whose losses are not looked at.
    law: of arrays [K].
    noise: sd of log L about the law.
    seed_noise: sd of log L between seeds.
    level: of the intervals.
    draws: refits of each study.
    rng: where all noise comes from.
  """
  N, D, C = rows_lib.columns(points, 'N', 'D', 'C')
  groups, alone = study.isoflop_groups(points)
  each = [laws_lib.Chinchilla(*parts) for parts in np.transpose(law).tolist()]
  clean = np.log(np.array([one.loss(N, D) for one in each]))
  target = AHEAD * float(C.max())
  shared = math.sqrt(max(noise**2 - seed_noise**2, 0.0))
  about_law = shared * rng.normal(size=clean.shape)[:, _cells(N, D)]
  about_law += seed_noise * rng.normal(size=clean.shape)
  by_law = _parametric(
    points, each, clean, about_law, len(groups) + len(alone), level, draws, rng,
    target,
  )  # fmt: skip
  out = []
  for k, (status, intervals, fitted) in enumerate(by_law):
    L = np.exp(clean[k] + seed_noise * rng.normal(size=len(N)))
    noisy = [p._replace(loss=float(x)) for p, x in zip(points, L)]
    found = isoflop.fit(
      hold_out.as_groups(noisy, groups), fitted, draws, int(rng.integers(2**31))
    )
    part = content.isoflop_part(found, [target], level)
    out.append(Foretold((status, intervals), _isoflop(part), part['budgets']))
  return out


def _cells(N: np.ndarray, D: np.ndarray) -> np.ndarray:
  """[n] the number of the model and tokens that each run shares with others."""
  pairs = np.round(np.log([N, D]), 9)
  return np.unique(pairs, axis=1, return_inverse=True)[1].ravel()


def _isoflop(part: dict[str, Any]) -> tuple[str, Intervals]:
  if part['status'] != 'ok':
    return part['status'], {}
  return 'ok', {
    'a': part['N_opt']['exponent'],
    'b': part['D_opt']['exponent'],
    'N_opt': part['at'][0]['N_opt'],
  }


def _parametric(
  points, each, clean, about_law, n_budgets, level, draws, rng, target
) -> list[tuple[str, Intervals, laws_lib.Chinchilla | None]]:
  """Approach 3 on a noisy study of each law: status, intervals, its law."""
  N, D, C = rows_lib.columns(points, 'N', 'D', 'C')
  K, n = clean.shape
  dof = n - parametric.N_PARAMS
  centred = parametric.Centred.of(N, D, np.ones(n))
  refused = parametric.refusal(centred, n_budgets)
  if refused is None and dof < parametric.MIN_FREEDOM:
    refused = ('no_degrees_of_freedom', '')
  if refused:
    return [(refused[0], {}, None)] * K
  truth = np.stack([centred.params(law) for law in each])
  log_L = clean + about_law
  fitted, certified = _refit(centred, truth, log_L)
  line = content.cost_line(N, D, C)
  predicted = np.log(np.array([centred.law(p).loss(N, D) for p in fitted]))
  left = log_L - predicted
  sd = np.sqrt((left**2).sum(1) / dof)
  scales = np.stack([uncertainty.Noise(s, dof).scales(rng, draws) for s in sd])
  again = predicted[:, None] + scales[..., None] * rng.normal(
    size=(K, draws, n)
  )
  drawn, good = _refit(
    centred, np.repeat(fitted, draws, 0), again.reshape(K * draws, n)
  )
  drawn = np.where(good[:, None], drawn, np.nan).reshape(K, draws, -1)
  out: list[tuple[str, Intervals, laws_lib.Chinchilla | None]] = []
  for k in range(K):
    undefined = float(np.isnan(drawn[k, :, 0]).mean())
    if not certified[k] or undefined > parametric.OPEN_DRAWS:
      out.append(('not_identified', {}, None))
      continue
    law = centred.law(fitted[k])
    out.append(
      ('ok', _intervals(law, centred.law(drawn[k]), line, level, target), law)
    )
  return out


def _refit(centred, starts, log_L) -> tuple[np.ndarray, np.ndarray]:
  """Fits of studies [B, n] from starts [B, 5]: params, and which are good."""
  data = {name: np.tile(x, (len(log_L), 1)) for name, x in centred.data.items()}
  data['log_L'] = parametric.pad(log_L)
  weights = parametric.pad(np.ones_like(log_L))
  found = fit_lib.refit(
    parametric.residuals, starts, data, weights, parametric.DELTA,
    batched_data=True,
  )  # fmt: skip
  good = found.certified & (found.params[:, 3:] > 0).all(1)
  with np.errstate(over='ignore'):
    law = centred.law(found.params)
  return found.params, good & np.isfinite(law.A) & np.isfinite(law.B)


def _intervals(law, drawn, line, level: float, target: float) -> Intervals:
  slope, at_zero = line

  def number(of) -> Estimate:
    return uncertainty.estimate(of(law), of(drawn), level)

  at = at_zero + np.log(target)
  found = {name: number(lambda x, name=name: getattr(x, name))
           for name in ('E', 'alpha', 'beta')}  # fmt: skip
  found['a'] = number(lambda x: parametric.exponent_along(x, slope))
  found['b'] = number(lambda x: 1 + slope * parametric.exponent_along(x, slope))
  found['N_opt'] = number(
    lambda x: np.exp(parametric.optimum_along(x, slope, at))
  )
  return found
