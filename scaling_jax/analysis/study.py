"""Every law on the same records: from runs to the content of fits.json."""

import collections
from collections.abc import Sequence
from typing import Any, NamedTuple

from etils import epath
import numpy as np
from scipy import stats

import scaling_jax
from scaling_jax import records
from scaling_jax.analysis import bridge
from scaling_jax.analysis import content
from scaling_jax.analysis import conventions
from scaling_jax.analysis import envelope
from scaling_jax.analysis import hold_out
from scaling_jax.analysis import isoflop
from scaling_jax.analysis import kaplan_content
from scaling_jax.analysis import kaplan_laws
from scaling_jax.analysis import parametric
from scaling_jax.analysis import points as points_lib
from scaling_jax.analysis import provenance
from scaling_jax.analysis import rows as rows_lib
from scaling_jax.analysis import trained
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.points import Point
from scaling_jax.errors import UserError

MISFIT = 2.0  # law's scatter over the parabolas' from which it is said
MISFIT_CHANCE = 0.01  # and how rarely noise alone may make it so


class Settings(NamedTuple):
  """What a person may ask of an analysis.

  Attributes:
    level: of the intervals.
    draws: bootstrap refits.
    method: 'runs', 'noise' or 'auto': see `uncertainty`.
    solver: 'jax', 'optimistix' or 'auto': see `fit.fit`.
    seed: of the draws.
    drop_highest: runs to leave out, those of the highest losses first.
    targets: FLOP counts to state the optimum at; ten times the largest budget
      if empty.
  """

  level: float = 0.95
  draws: int = 4000
  method: str = 'auto'
  solver: str = 'auto'
  seed: int = 0
  drop_highest: int = 0
  targets: tuple[float, ...] = ()


DEFAULTS = Settings()


def analyze(
  source: points_lib.Source, settings: Settings = DEFAULTS
) -> dict[str, Any]:
  """Fits every law that the runs can carry; the others say why not.

  Args:
    source: runs, as `points.read` gives them.
    settings: levels, draws, solvers.

  Returns:
    The content of fits.json (docs/fits.md).
  """
  source = without_highest(source, settings.drop_highest)
  training = [trained.Trained.of(p) for p in source.points]
  apart = trained.set_apart(training)
  points = [source.points[i] for i in apart.whole]
  groups, alone = isoflop_groups(points)
  N, D, L = rows_lib.columns(points, 'N', 'D', 'loss')
  ask = (settings.method, settings.solver)
  n_budgets = len(groups) + len(alone)
  law = parametric.fit(
    N, D, L, n_budgets, settings.draws, *ask, seed=settings.seed
  )
  trusted = law.law if law.ok else None
  iso = isoflop.fit(
    hold_out.as_groups(points, groups), trusted, settings.draws, settings.seed
  )
  counted = [training[i] for i in apart.whole]
  hull = envelope.fit(
    [t.curve for t in counted if t.curve is not None],
    settings.draws,
    settings.seed,
    settings.level,
  )
  grid = target_grid(points, settings.targets)
  level = settings.level
  by_count = conventions.compare(
    points, groups, level, settings.draws, *ask, settings.seed, law
  )
  tuned = [training[i] for i in apart.tuned]
  kaplans = kaplan_laws.fit(
    training, tuned, level, settings.draws, settings.seed
  )
  fits: dict[str, Any] = {
    'level': level,
    'source': _source(source, points, settings, [*_alone(alone), *apart.notes]),
    'made': provenance.made(source.points),
    'runs': _runs(source.points, apart.whole, groups),
    'seed_noise': uncertainty.seed_noise(_cells(points), level),
    'laws': {
      'isoflop': content.isoflop_part(iso, grid, level),
      'envelope': content.envelope_part(hull, grid, level),
      'parametric': {
        **content.parametric_part(law, points, grid, level),
        'notes': misfit(law, iso),
      },
      **kaplan_content.parts(kaplans, level),
    },
    'hold_out': hold_out.foretell(
      points, groups, iso, level, settings.draws, *ask, settings.seed
    ),
    'conventions': by_count,
    'bridge': bridge.compare(
      tuned,
      kaplans,
      by_count,
      trained.annealed(counted),
      level,
      settings.draws,
      settings.seed,
    ),
    'curves': [
      t.fitted(level, settings.seed) for t in training if t.point.folder
    ],
  }
  _spread(fits['laws']['parametric'], apart.whole, len(source.points))
  return records.plain(fits)  # what is not known is null, here as in the file


def without_highest(source: points_lib.Source, count: int) -> points_lib.Source:
  """Leaves out the runs of the highest losses, and says so."""
  if not 0 <= count < len(source.points):
    raise UserError(
      f'drop_highest={count} must be 0 or more and leave one of the'
      f' {len(source.points)} runs; try drop_highest=0'
    )
  order = sorted(source.points, key=lambda p: p.loss)
  dropped = order[len(order) - count :]
  reason = f'one of the {count} highest losses, as was asked for'
  return source._replace(
    points=tuple(p for p in source.points if p not in dropped),
    left_out=(
      *source.left_out,
      *(points_lib.LeftOut(p.run_id, reason) for p in dropped),
    ),
  )


def target_grid(
  points: Sequence[Point], targets: Sequence[float] = ()
) -> list[float]:
  """FLOP counts to state laws at: eight a decade, and those asked for.

  From the smallest budget to a thousand times the largest.
  """
  low = min(p.C for p in points)
  high = max(p.C for p in points)
  count = int(np.ceil(8 * np.log10(1e3 * high / low))) + 1
  grid = list(np.geomspace(low, 1e3 * high, count))
  return sorted({float(C) for C in [*grid, *(targets or [10 * high])]})


def isoflop_groups(
  points: Sequence[Point],
) -> tuple[list[list[int]], list[int]]:
  """The budgets, and the runs that belong to none.

  Runs at FLOP counts of their own are no budgets that lack models, unless most
  groups are of three models or more, or there are few: then someone left a
  budget unfinished, and should be told.
  """
  groups = points_lib.budgets(points)
  small = [g for g in groups if len({points[i].N for i in g}) < 3]
  if len(small) <= max(2, len(groups) // 4):
    return groups, []
  return [g for g in groups if g not in small], [i for g in small for i in g]


def misfit(law: parametric.Parametric, iso: isoflop.IsoFlop) -> list[str]:
  """A warning where runs scatter more about the law than about parabolas."""
  known = {b.noise for b in iso.budgets if b.noise}
  if not law.ok or law.noise is None or not known:
    return []
  dof = sum(noise.dof for noise in known)
  variance = sum(noise.dof * noise.sd**2 for noise in known) / dof
  ratio = law.noise.sd / float(np.sqrt(variance)) if variance else np.inf
  chance = stats.f.sf(ratio**2, law.noise.dof, dof)
  if ratio < MISFIT or chance > MISFIT_CHANCE:
    return []
  return [
    f'Runs scatter {ratio:.1f} times as much about this law as about the'
    ' parabolas of their budgets: the law misses a shape that they show, and'
    " the law's intervals take that for noise. The held-out budget tells how far"
    ' to trust it beyond the runs.'
  ]


def _alone(alone: Sequence[int]) -> list[str]:
  if not alone:
    return []
  return [
    f'{len(alone)} runs share their FLOPs with fewer than two other models: they'
    ' are no isoFLOP budget, and count for the parametric law alone.'
  ]


def _source(
  source: points_lib.Source,
  points: Sequence[Point],
  settings: Settings,
  notes: Sequence[str],
) -> dict[str, Any]:
  C = [p.C for p in points]
  return {
    'format': source.format,
    'unit': source.unit,
    'files': list(source.files),
    'notes': [*source.notes, *notes],
    'left_out': [entry._asdict() for entry in source.left_out],
    'n_runs': len(source.points),
    'targets': list(settings.targets or [10 * max(C)]),
    'settings': settings._asdict(),
    'version': scaling_jax.__version__,
  }


def _runs(
  points: Sequence[Point], whole: Sequence[int], groups
) -> list[dict[str, Any]]:
  """Every run, with its budget where it belongs to one."""
  budget_of = {whole[i]: b for b, group in enumerate(groups) for i in group}
  counted, out = set(whole), []
  for i, point in enumerate(points):
    fields = point._asdict()
    del fields['counts'], fields['folder']
    out.append({**fields, 'budget': budget_of.get(i), 'counted': i in counted})
  return out


def _spread(part: dict[str, Any], whole: Sequence[int], n_runs: int) -> None:
  """Puts what is said of some runs in the order of all, null for the others."""
  for name in ('predicted', 'residuals'):
    if part[name]:
      by_run = dict(zip(whole, part[name]))
      part[name] = [by_run.get(i) for i in range(n_runs)]


def _cells(points: Sequence[Point]) -> list[np.ndarray]:
  """Losses of runs that differ by their seed alone."""
  cells: dict[tuple, dict[int, float]] = {}
  counts: collections.Counter[tuple] = collections.Counter()
  for p in points:
    alike = (p.dataset, p.model, p.C, p.N, p.D, p.S)
    cells.setdefault(alike, {})[p.seed] = p.loss
    counts[alike] += 1
  # Runs of one seed in one cell differ by something that no column tells.
  return [
    np.array(list(cell.values()))
    for alike, cell in cells.items()
    if len(cell) == counts[alike]
  ]


def write(fits: dict[str, Any], folder: epath.PathLike) -> None:
  """Writes fits.json; NaN and infinity become null."""
  records.write_json(epath.Path(folder) / 'fits.json', fits)
