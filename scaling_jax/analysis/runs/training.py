"""How runs were trained, by their records or by another project's columns."""

from collections.abc import Callable, Iterable
import dataclasses
import math

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.records import Run

_HALF = 0.5  # of the peak: a rate that ends above it was hardly lowered

_RATE = frozenset(('lr', 'learningrate', 'η', 'eta'))
_NOT_PEAK = frozenset(
  ('min', 'final', 'end', 'last', 'init', 'start', 'base', 'schedule', 'sched',
   'scheduler', 'decay', 'warmup', 'warm', 'scale', 'scaling', 'mult', 'rule',
   'multiplier', 'ratio', 'frac', 'fraction', 'anneal', 'cooldown', 'embedding',
   'matrix', 'tuned', 'best', 'type', 'name', 'policy', 'kind')
)  # fmt: skip
_SHARE = frozenset(('ratio', 'frac', 'fraction', 'share', 'proportion'))
_PERCENT = frozenset(('percent', 'percentage', 'pct'))
_STEPS = frozenset(
  ('steps', 'numsteps', 'nsteps', 'trainsteps', 'trainingsteps', 'totalsteps',
   'maxsteps', 'iterations', 'numiterations', 'iters', 'numiters', 'maxiters',
   'updates', 'numupdates', 's')
)  # fmt: skip
_TOKENS_PER_STEP = frozenset(
  ('tokensperstep', 'tokensperupdate', 'tokensperbatch', 'batchtokens',
   'batchsizetokens', 'batchsizeintokens')
)  # fmt: skip
_FLAT = frozenset(
  ('constant', 'const', 'flat', 'fixed', 'none', 'no', 'off', 'false',
   'constant with warmup', 'warmup constant', 'no decay')
)  # fmt: skip
_NO = frozenset(('', '0', '1', 'false', 'no', 'off', 'sp', 'standard'))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
  """How a run was trained, as far as that is told.

  Attributes:
    learning_rate: the peak; nan where unknown.
    warmup: share of the steps; nan likewise.
    decays: whether the rate was lowered to the end; None where unknown.
    scaled: whether the rate is one that a rule changes with the size.
  """

  learning_rate: float = math.nan
  warmup: float = math.nan
  decays: bool | None = None
  scaled: bool = False


def of_runs(runs: Runs) -> tuple[Training, ...]:
  """[n] of a table.

  >>> runs = Runs.from_dataframe({
  ...   'N': [1e6], 'D': [1e9], 'loss': [3.0], 'Peak LR': ['3e-4'],
  ...   'warmup_ratio': [0.02], 'lr_schedule': ['cosine'],
  ... })
  >>> of_runs(runs)
  (Training(learning_rate=0.0003, warmup=0.02, decays=True, scaled=False),)
  """
  return tuple(of_run(run, extra) for run, extra in zip(runs, runs.extra))


def of_run(run: Run, extra: dict[str, str]) -> Training:
  """Of one run, and the other cells of its row by column."""
  cells = [(frozenset(columns.words(c)), c, text) for c, text in extra.items()]
  rate = _known(run.learning_rate, lambda: _peak(cells))
  return Training(
    learning_rate=rate,
    warmup=_warmup(run, cells),
    decays=_decays(run, cells),
    scaled=any(_scales(words, text) for words, _, text in cells),
  )


_Cells = Iterable[tuple[frozenset[str], str, str]]


def _known(x: float, otherwise: Callable[[], float]) -> float:
  return float(x) if math.isfinite(x) and x > 0 else otherwise()


def _number(text: str) -> float:
  value = columns.as_number(columns.value(text) or 'nan')
  return value if value > 0 and math.isfinite(value) else math.nan


def _only(found: Iterable[float]) -> float:
  """The number that all that are known agree on, or nan."""
  known = {x for x in found if math.isfinite(x)}
  return known.pop() if len(known) == 1 else math.nan


def _is_rate(words: frozenset[str]) -> bool:
  return bool(words & _RATE) or {'learning', 'rate'} <= words


def _peak(cells: _Cells) -> float:
  rates = [
    (words, _number(text))
    for words, _, text in cells
    if _is_rate(words) and not words & _NOT_PEAK
  ]
  named = [x for words, x in rates if words & {'peak', 'max'}]
  return _only(named or [x for _, x in rates])


def _scales(words: frozenset[str], text: str) -> bool:
  rule = _is_rate(words) and words & {
    'scale', 'scaling', 'mult', 'multiplier', 'rule',
  }  # fmt: skip
  mup = words & {'mup', 'parametrization', 'parameterization'}
  return bool(rule or mup) and columns.value(text) not in _NO


def _cools(words: frozenset[str], text: str) -> bool:
  """Whether a cell tells of a decay after a constant rate."""
  told = words & {'cooldown', 'anneal', 'annealing', 'decay'}
  other = words & {'weight', 'wd', 'optimizer', 'ema'}
  return bool(told) and not other and columns.value(text) not in _NO - {'1'}


def _warmup(run: Run, cells: _Cells) -> float:
  """Share of the steps that a run warmed up for; nan where unknown."""
  S = _known(run.S, lambda: _steps(run, cells))
  if math.isfinite(run.warmup_steps):
    return float(run.warmup_steps) / S
  found = []
  for words, _, text in cells:
    x = _number(text)
    if not words & {'warmup', 'warmupsteps'} and not {'warm', 'up'} <= words:
      continue
    if words & {'lr', 'type', 'start', 'init', 'schedule', 'rate', 'epochs'}:
      continue
    if words & _PERCENT:
      found.append(x / 100)
    elif words & _SHARE or x < 1:
      found.append(x)
    elif words & {'tokens', 'token'}:
      found.append(x / float(run.D))
    else:
      found.append(x / S)
  share = _only(found)
  return share if share <= 1 else math.nan


def _steps(run: Run, cells: _Cells) -> float:
  names = [(''.join(columns.words(name)), text) for _, name, text in cells]
  steps = _only(_number(text) for name, text in names if name in _STEPS)
  per_step = _only(
    _number(text) for name, text in names if name in _TOKENS_PER_STEP
  )
  batch = _known(run.tokens_per_step, lambda: per_step)
  return steps if math.isfinite(steps) else float(run.D) / batch


def _decays(run: Run, cells: _Cells) -> bool | None:
  """Whether the rate was lowered to the end; None where that is not told."""
  told = [run.schedule] if run.schedule else []
  told += [
    text
    for words, _, text in cells
    if words & {'schedule', 'scheduler', 'sched', 'lrschedule'}
    and not words & {'free', 'steps', 'id', 'tokens'}
  ]
  kinds = {' '.join(columns.words(text)) for text in told} - {'', 'nan', 'na'}
  if not kinds:
    return None
  if kinds <= _FLAT:
    return (
      None if any(_cools(words, text) for words, _, text in cells) else False
    )
  floor, peak = run.min_learning_rate, run.learning_rate
  return not (peak > 0 and floor > _HALF * peak)
