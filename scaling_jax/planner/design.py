"""An experiment judged before it is trained: what its runs will resolve."""

import collections
from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import numpy as np

from scaling_jax import budget
from scaling_jax.analysis import parametric
from scaling_jax.analysis import reach
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import study
from scaling_jax.analysis.rows import Point
from scaling_jax.errors import UserError
from scaling_jax.planner import configs as configs_lib
from scaling_jax.planner import foretell
from scaling_jax.planner import known
from scaling_jax.planner import plan
from scaling_jax.planner import plausible
from scaling_jax.planner import worth
from scaling_jax.planner.noise import Noise
from scaling_jax.training import forecast

# What each approach states, in the order in which it is told.
QUANTITIES = {
  'isoflop': ('a', 'b', 'N_opt'),
  'parametric': ('a', 'b', 'alpha', 'beta', 'E', 'N_opt'),
}
APPROACHES = tuple(QUANTITIES)
_RATIOS = (0.5, 2000.0)  # tokens a parameter of a run worth adding
_SIZES = 13  # of the models tried as the next run, from half to twice the range
_MIDDLE = (0.16, 0.5, 0.84)
_SEEN = (0.1, 0.9)  # of the plausible minima, that a budget should cover


class Settings(NamedTuple):
  """How a design is judged.

  Attributes:
    noise: sd of log L about the law.
    seed_noise: sd of log L between seeds.
    level: of the intervals.
    laws: plausible laws.
    draws: refits of each law's study.
    seed: of all that is drawn.
  """

  noise: float = 0.003
  seed_noise: float = 0.00075
  level: float = 0.95
  laws: int = 120
  draws: int = 300
  seed: int = 0

  @property
  def log_noise(self) -> Noise:
    return Noise(self.noise, self.seed_noise)


class Planned(NamedTuple):
  """A run of a design: its row, its seed, and the config it comes from."""

  row: forecast.Row
  seed: int
  config: str

  @property
  def run_id(self) -> str:
    return f'{self.row.label}_seed{self.seed}'


def split(given: str) -> list[str]:
  """The configs of 'a.py,b.py:gpt-0,seeds=3': an argument may hold commas."""
  names: list[str] = []
  for part in given.split(','):
    if '.py' in part or not names:
      names.append(part)
    else:
      names[-1] += f',{part}'
  return names


def read(given: Sequence[str]) -> list[Planned]:
  """The runs of configs, given as FILE.py or FILE.py:ARG.

  Raises:
    UserError: one can't be read, a run is named twice, or they train on
      different texts.
  """
  runs: list[Planned] = []
  loaded = [configs_lib.load(name, 'design') for name in given]
  texts = {config.dataset for config in loaded}
  if len(texts) > 1:
    raise UserError(
      f'--design={",".join(given)} trains on {" and ".join(sorted(texts))}: a law'
      ' is of one text; give configs of one dataset'
    )
  for name, config in zip(given, loaded):
    found, _ = configs_lib.rows(config, name)
    runs += [Planned(row, seed, name) for row in found for seed in config.seeds]
  seen: set[tuple] = set()
  for run in runs:
    alike = (run.run_id, run.row.C, run.row.D)
    if alike in seen:
      raise UserError(
        f'--design={",".join(given)} names {run.run_id} at {run.row.C:.3g} FLOPs'
        ' twice: each run counts once; leave one away, or repeat seeds as in'
        f' {run.config.partition(":")[0]}:seeds=2'
      )
    seen.add(alike)
  return runs


def judge(
  runs: Sequence[Planned],
  law: known.Law | None = None,
  settings: Settings | None = None,
) -> dict[str, Any]:
  """What the runs will resolve, in plain numbers (docs/planner.md).

  Args:
    runs: of `read`.
    law: that is known already, to draw plausible laws near; None for laws over
      the ranges that studies have shown.
    settings: how.
  """
  settings = settings or Settings()
  points = [_point(run) for run in runs]
  laws, studies, target = simulate(points, law, settings)
  budgets = study.isoflop_groups(points)
  return {
    'settings': settings._asdict(),
    'laws': laws.source,
    'n_runs': len(runs),
    'C_total': float(sum(run.row.flops_6ND for run in runs)),
    'target': target,
    'approaches': {name: approach(name, studies) for name in APPROACHES},
    'budgets': _budgets(points, budgets[0], laws, studies),
    'worth': _worth(runs, laws, settings, target),
    'notes': _notes(runs, points, *budgets),
  }


class Simulated(NamedTuple):
  """Plausible laws, a study of each, and the FLOPs that N_opt is asked at."""

  laws: plausible.Laws
  studies: list[foretell.Foretold]
  target: float


def simulate(
  points: Sequence[Point], law: known.Law | None, settings: Settings
) -> Simulated:
  """The studies that `judge` rests on; arguments as there."""
  rng = np.random.default_rng(settings.seed)
  C = np.array([p.C for p in points])
  middle = math.sqrt(C.min() * C.max())
  laws = (
    plausible.anywhere(middle, settings.laws, rng)
    if law is None
    else plausible.near(law, middle, settings.laws, rng)
  )
  target = foretell.AHEAD * float(C.max())
  studies = foretell.studies(
    points, laws.law, settings.log_noise, target, settings.level,
    settings.draws, rng,
  )  # fmt: skip
  return Simulated(laws, studies, target)


def _point(run: Planned) -> Point:
  row = run.row
  return Point(
    run_id=run.run_id, C=row.C, N=float(row.N), D=float(row.D), loss=1.0,
    sem=math.nan, seed=run.seed, model=row.model, depth=row.shape.n_layer,
    S=row.S, bpb=math.nan, folder='', counts={},
  )  # fmt: skip


def half_width(name: str, interval: dict[str, float | None]) -> float:
  """Half of an interval; of E as a share of it, of N_opt in log N.

  inf where it has an open end.
  """
  value, low, high = (interval[key] for key in ('value', 'low', 'high'))
  if low is None or high is None or value is None:
    return math.inf
  if name == 'N_opt':
    return math.log(high / low) / 2 if low > 0 else math.inf
  return (high - low) / 2 / (value if name == 'E' else 1)


def approach(name: str, studies: Sequence[foretell.Foretold]) -> dict[str, Any]:
  """How often it gives an answer, and the half widths of its intervals.

  Where it answers, which is what a study that did is to be held against; and
  over all of the laws, open where there is no answer, which is what designs are
  to be compared by: one that answers more often must not look worse for it.
  """
  found = [getattr(one, name) for one in studies]
  statuses = collections.Counter(status for status, _ in found)
  answered, of_all = {}, {}
  for quantity in QUANTITIES[name]:
    half = [
      half_width(quantity, intervals[quantity])
      for status, intervals in found
      if status == 'ok'
    ]
    answered[quantity] = _middle(half)
    of_all[quantity] = _middle(half + [math.inf] * (len(found) - len(half)))
  return {
    'answers': statuses['ok'] / len(found),
    'statuses': {s: n / len(found) for s, n in sorted(statuses.items())},
    'half_widths': answered,
    'half_widths_of_all': of_all,
  }


def _middle(half: list[float]) -> dict[str, float]:
  """The middle one, and the range of two in three; inf for none."""
  low, value, high = np.quantile(half or [math.inf], _MIDDLE, method='nearest')
  return {'value': float(value), 'low': float(low), 'high': float(high)}


def _budgets(
  points, groups, laws: plausible.Laws, studies
) -> list[dict[str, Any]]:
  """What each budget will show of its minimum."""
  out = []
  for b, group in enumerate(groups):
    found = [one.budgets[b] for one in studies]
    N = np.array([points[i].N for i in group])
    C = float(found[0]['C'])
    minima = np.asarray(laws.law.optimum(C).N)
    low, high = np.quantile(minima, _SEEN)
    statuses = collections.Counter(x['status'] for x in found)
    share = {status: n / len(found) for status, n in statuses.items()}
    out.append({
      'C': C,
      'n_models': len(set(N)),
      'N_low': float(N.min()),
      'N_high': float(N.max()),
      'shows_minimum': sum(share.get(x, 0.0) for x in reach.USED),
      'statuses': share,
      'N_opt_low': float(low),
      'N_opt_high': float(high),
      'add': _wanted(N, low, high),
    })  # fmt: skip
  return out


def _wanted(N: np.ndarray, low: float, high: float) -> list[str]:
  """Models that would bring the plausible minima inside, by name."""
  ends = [x for x, off in ((low, low < N.min()), (high, high > N.max())) if off]
  return [budget.shape_name(budget.shape_near(x)) for x in ends]


def _worth(runs, laws, settings: Settings, target: float) -> dict[str, Any]:
  """Each planned run's worth, and the best to add; {} without freedom."""
  N = np.array([float(run.row.N) for run in runs])
  D = np.array([float(run.row.D) for run in runs])
  ask = (laws.law, settings.log_noise, target, settings.level)
  if not np.isfinite(worth.spread(N, D, *ask)).any():
    return {}  # approach 3 would refuse these runs, and the notes say why
  planned = [
    {'run_id': run.run_id, 'config': run.config, 'C': run.row.C,
     **trial._asdict()}
    for run, trial in zip(runs, worth.each_run(N, D, *ask))
  ]  # fmt: skip
  shapes = _shapes(N)
  new = [
    (shape, C, budget.count_parameters(shape, 0, 0).N)
    for C in sorted({run.row.C for run in runs})
    for shape in shapes
  ]
  there = {(run.row.C, float(run.row.N)) for run in runs}
  new = [
    (shape, C, n)
    for shape, C, n in new
    if (C, float(n)) not in there
    and _RATIOS[0] <= C / (6 * n * n) <= _RATIOS[1]
  ]
  sizes = [(float(n), C / (6 * n)) for _, C, n in new]
  tried = [
    {'model': budget.shape_name(shape), 'C': C, **trial._asdict()}
    for (shape, C, _), trial in zip(new, worth.added(N, D, sizes, *ask))
  ]
  once = {(run.row.label, run.config): run for run in runs}
  again = worth.added(
    N, D, [(float(r.row.N), float(r.row.D)) for r in once.values()], *ask
  )
  repeated = [
    {'model': run.row.label, 'config': run.config, 'C': run.row.C,
     **trial._asdict()}
    for run, trial in zip(once.values(), again)
  ]  # fmt: skip

  def best(of, by):
    return max(of, key=lambda x: x[by], default=None)

  return {
    'runs': planned,
    'next': best(tried, 'narrows'),
    'next_per_flop': best(tried, 'per_percent'),
    'repeat': best(repeated, 'narrows'),
  }


def _shapes(N: np.ndarray) -> list[budget.Shape]:
  """Of half the smallest to twice the largest planned, each once."""
  sizes = np.geomspace(N.min() / 2, N.max() * 2, _SIZES)
  return sorted({budget.shape_near(float(x)) for x in sizes})


def _notes(
  runs: Sequence[Planned], points: Sequence[Point], groups, alone
) -> list[str]:
  notes = []
  often = [run for run in runs if (run.row.epochs or 0) > plan.EPOCHS_FREE]
  if often:
    named = (f'{r.row.label} ({r.row.epochs:.1f})' for r in often)
    names = ', '.join(dict.fromkeys(named))
    notes.append(
      f'More than {plan.EPOCHS_FREE} epochs: {names}. Repeated tokens are worth'
      ' less than new ones (Muennighoff et al. 2023), which the laws drawn here'
      ' leave out.'
    )
  N, D = rows_lib.columns(points, 'N', 'D')
  centred = parametric.Centred.of(N, D, np.ones(len(N)))
  refused = parametric.unanswered(centred, len(groups) + len(alone))
  if refused:
    notes.append(f'Approach 3 will not answer: {refused[1]}.')
  if alone:
    notes.append(
      f'{len(alone)} runs share their FLOPs with fewer than two other models: they'
      ' count for approach 3 alone.'
    )
  if sum(len({points[i].N for i in group}) >= 3 for group in groups) < 2:
    notes.append(
      'Approach 2 will not answer: it needs two budgets or more, each of three'
      ' models or more.'
    )
  return notes
