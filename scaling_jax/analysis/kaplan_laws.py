"""Which runs carry which of Kaplan's laws, and all of them on one study."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import critical_batch
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import kaplan
from scaling_jax.analysis import log_line
from scaling_jax.analysis import lower_hull
from scaling_jax.analysis import trained
from scaling_jax.analysis import words
from scaling_jax.analysis.envelope import TrainingCurve
from scaling_jax.analysis.steps_to_loss import BatchRun
from scaling_jax.analysis.trained import Trained
from scaling_jax.analysis.trained import alike

DRAWS = kaplan.DRAWS


class Adjusted(NamedTuple):
  """The laws at the critical batch size, where B_crit(L) is known.

  Attributes:
    frontier: of loss against C_min; its lines' draws hold B_crit's too.
    B_line, S_line: B_crit and S_min along the frontier against C_min.
    steps: L(N, S_min).
    beyond: the share of the curves' points whose loss lies outside the range
      that B_crit was fitted on, and of the models on the frontier.
    frontier_beyond: the same of those.
  """

  frontier: lower_hull.Frontier
  B_line: log_line.LogLine
  S_line: log_line.LogLine
  steps: kaplan.Joint
  beyond: float
  frontier_beyond: float


class Laws(NamedTuple):
  """Kaplan's laws on one study; `content` of each says if it holds.

  Attributes:
    L_N, L_D: of one quantity.
    L_ND: of both.
    frontier: L(C) and N_opt(C), C in FLOPs.
    critical: B_crit(L).
    adjusted: None without B_crit(L).
    B: tokens a step of the runs behind the frontier; nan if none.
    curves: behind the frontier.
  """

  L_N: log_line.LogLine
  L_D: log_line.LogLine
  L_ND: kaplan.Joint
  frontier: lower_hull.Frontier
  critical: critical_batch.Critical
  adjusted: Adjusted | None
  B: float
  curves: tuple[TrainingCurve, ...]


def fit(
  every: Sequence[Trained],
  tuned: Sequence[Trained],
  level: float = 0.95,
  draws: int = 4000,
  seed: int = 0,
) -> Laws:
  """Fits each law to those of the runs that can carry it.

  Args:
    every: all runs; the critical batch wants the slow ones too.
    tuned: of the runs that differ by batch size or learning rate the best, and
      all others, those on a part of the text included.
    level: of the intervals.
    draws, seed: of the bootstrap.
  """
  seen = _seen(tuned)
  same_D = _largest(seen, _at_one_D, 'N', 'D')
  N, L = _columns(same_D, 'N', 'L')
  L_N = _at(
    log_line.fit(N, L, 'sizes trained on as many tokens', draws, seed),
    same_D, 'D', 'tokens',
  )  # fmt: skip
  parts = any(s.part for s in seen)
  same_N = _largest(seen, _together if parts else _at_one_N, 'D', 'N')
  D, L = _columns(same_N, 'D', 'L')
  L_D = _at(
    log_line.fit(D, L, 'amounts of text at one size', draws, seed),
    same_N, 'N', 'parameters',
  )  # fmt: skip
  N, D, L = _columns(_for_joint(seen), 'N', 'D', 'L')
  L_ND = kaplan.fit_ND(N, D, L, draws, seed)
  batch, curves = _one_batch(tuned)
  frontier = lower_hull.fit(curves, draws, seed).judged(level)
  critical = critical_batch.fit(
    _batch_runs(every), min(draws, DRAWS), seed, level
  )
  adjusted = None
  if critical.ok and curves:
    adjusted = _adjusted(curves, batch, critical, level, draws, seed)
  return Laws(
    log_line.must_slope(L_N, -1, 'the loss falls with N', level),
    log_line.must_slope(L_D, -1, 'the loss falls with D', level),
    L_ND,
    frontier,
    critical,
    adjusted,
    batch,
    tuple(curves),
  )


def _at(
  found: log_line.LogLine, seen: Sequence['_Seen'], fixed: str, unit: str
) -> log_line.LogLine:
  """Says at how much of the other quantity a line holds."""
  if not found.ok:
    return found
  much = words.short(getattr(seen[0], fixed))
  return found._replace(sentence=f'at {much} {unit}, {found.sentence}')


class _Seen(NamedTuple):
  """A run as laws of N and D see it: D of text, and tokens trained on."""

  N: float
  D: float
  tokens: float
  L: float
  schedule: str  # of the learning rate; '' if unknown
  part: bool  # of a text that others had whole


def _seen(runs: Sequence[Trained]) -> list[_Seen]:
  """D is the text where runs had parts of it, else the tokens trained on."""
  most = trained.longest(runs)
  cut = [trained.is_part(t, most) for t in runs]
  parts = any(cut)
  out = []
  for t, part in zip(runs, cut):
    p = t.point
    # Where parts are compared, a text read once in part is what was read.
    D = np.fmin(t.text, p.D) if parts else p.D
    # A text read again and again may be learned by heart: early stopping.
    L = t.best if p.D > t.text else p.loss
    out.append(_Seen(p.N, float(D), p.D, L, t.schedule, part))
  return out


def _at_one_D(one: _Seen, other: _Seen) -> bool:
  return (
    alike(one.D, other.D)
    and alike(one.tokens, other.tokens)
    and one.schedule == other.schedule
  )


def _at_one_N(one: _Seen, other: _Seen) -> bool:
  return alike(one.N, other.N) and one.schedule == other.schedule


def _together(one: _Seen, other: _Seen) -> bool:
  # Beside parts of a text stands the whole, trained on for as long.
  return _at_one_N(one, other) and alike(one.tokens, other.tokens)


def _largest(
  seen: Sequence[_Seen], together, across: str, fixed: str
) -> list[_Seen]:
  """The runs that go together with one of them, as different as can be.

  Of groups that are equal in that, the one with the most of what is fixed.
  """
  return _first(
    seen,
    together,
    lambda anchor, group: (
      trained.kinds(getattr(s, across) for s in group),
      getattr(anchor, fixed),
    ),
  )


def _first(items: Sequence[Any], together, rank) -> list[Any]:
  """Of the groups that go together with one of the items the highest in rank."""
  groups = [(x, [y for y in items if together(x, y)]) for x in items]
  return max(groups, key=lambda pair: rank(*pair), default=(None, []))[1]


def _for_joint(seen: Sequence[_Seen]) -> list[_Seen]:
  """The runs on parts of a text, and those trained as long on the whole.

  All runs of one schedule, that of most of them, where there are no parts.
  """
  parts = [s for s in seen if s.part]
  if parts:
    return [
      s
      for s in seen
      if any(
        alike(s.tokens, p.tokens) and s.schedule == p.schedule for p in parts
      )
    ]
  schedules = [s.schedule for s in seen]
  most = max(schedules, key=schedules.count, default='')
  return [s for s in seen if s.schedule == most]


def _columns(seen: Sequence[_Seen], *names: str) -> list[np.ndarray]:
  return [np.array([getattr(s, name) for s in seen]) for name in names]


def _one_batch(
  runs: Sequence[Trained],
) -> tuple[float, list[TrainingCurve]]:
  """The tokens a step that most sizes share, and the curves of those runs.

  Of one schedule: a curve before its annealing lies above one without.
  """
  most = trained.longest(runs)
  paths = [
    (t, path)
    for t in runs
    if len(t.losses) and not trained.is_part(t, most)
    if (path := t.path()) is not None
  ]
  best = _first(
    paths,
    lambda one, other: (
      alike(one[0].B, other[0].B) and one[0].schedule == other[0].schedule
    ),
    lambda _, group: (len({path.N for _, path in group}), len(group)),
  )
  batch = float(np.mean([t.B for t, _ in best])) if best else float('nan')
  return batch, [path for _, path in best]


def _batch_runs(every: Sequence[Trained]) -> list[BatchRun]:
  """The runs of the size that has the most batch sizes, before annealing."""
  known = [t for t in every if len(t.losses) and np.isfinite(t.B)]
  best = _first(
    known,
    lambda one, other: (
      one.point.N == other.point.N
      and trained.same_text(one, other)
      and one.schedule == other.schedule
      and one.warmup == other.warmup
    ),
    lambda _, group: trained.kinds(t.B for t in group),
  )
  return [
    BatchRun(t.point.run_id, t.B, t.rate, t.warmup, t.losses[: t.unannealed])
    for t in best
  ]


def _adjusted(curves, batch, critical, level, draws, seed) -> Adjusted:
  law, drawn = critical.law, critical.draws
  bent = [c._replace(C=law.C_min(c.C, batch, c.L)) for c in curves]
  found = lower_hull.fit(bent, draws, seed)
  found, B_line, S_line = _along(found, batch, law, drawn, draws, seed)
  steps = [law.S_min(c.D / batch, batch, c.L) for c in curves]
  few = slice(None, min(draws, DRAWS))
  redrawn = laws.CriticalBatch(*(x[few, None] for x in drawn))
  by_draw = [np.asarray(redrawn.S_min(c.D / batch, batch, c.L)) for c in curves]
  low, high = critical.fitted
  L = np.concatenate([c.L for c in curves])
  touched = np.array([t.L for t in found.inner])
  return Adjusted(
    found.judged(level),
    log_line.must_slope(B_line, 1, 'B_crit grows with C_min', level),
    S_line,
    kaplan.fit_NS(curves, steps, min(draws, DRAWS), seed, level, by_draw),
    float(np.mean((low > L) | (high < L))),
    float(np.mean((low > touched) | (high < touched))) if len(touched) else 0.0,
  )


def _along(found, batch, law, drawn, draws, seed):
  """The frontier's lines with B_crit's draws, and B_crit's and S_min's own.

  At each model's best C_min = 6 N B_crit S_min. A redrawn B_crit moves C_min of
  the same points: C stays, since that is what the runs spent.
  """
  C, N, L = (
    np.array([getattr(t, name) for t in found.inner]) for name in 'CNL'
  )
  B = law.tokens(L)
  what = 'models that have their best on the hull'
  B_line = log_line.fit(C, B, what, draws, seed)
  S_line = log_line.fit(C, C / (6 * N * B), what, draws, seed)
  if not found.L_line.ok:
    return found, B_line, S_line
  rng = np.random.default_rng(seed)
  chosen = rng.integers(len(drawn.B_star), size=draws)
  redrawn = laws.CriticalBatch(*(x[chosen, None] for x in drawn))
  spent = C * (1 + batch / B)
  B_DK = redrawn.tokens(L)
  C_DK = spent / (1 + batch / B_DK)

  def again(line: log_line.LogLine, y_DK) -> log_line.LogLine:
    moved = isoflop.lines(np.log(C_DK), np.log(y_DK))
    return line._replace(draws=line.draws + moved - line.line)

  tall = np.broadcast_to(L, C_DK.shape)
  wide = np.broadcast_to(N, C_DK.shape)
  return (
    found._replace(
      L_line=again(found.L_line, tall), N_line=again(found.N_line, wide)
    ),
    again(B_line, B_DK),
    again(S_line, C_DK / (6 * N * B_DK)),
  )
