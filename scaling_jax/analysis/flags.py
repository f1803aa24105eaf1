"""The flags of the analysis, and what they ask for."""

from collections.abc import Sequence
import functools
from typing import Any

from absl import flags

from scaling_jax.analysis.runs import numbers
from scaling_jax.errors import UserError

# Flags of its own: other programs of this project have some of the same names.
FLAGS = flags.FlagValues()

_bool = functools.partial(flags.DEFINE_bool, flag_values=FLAGS)
_enum = functools.partial(flags.DEFINE_enum, flag_values=FLAGS)
_float = functools.partial(flags.DEFINE_float, flag_values=FLAGS)
_integer = functools.partial(flags.DEFINE_integer, flag_values=FLAGS)
_list = functools.partial(flags.DEFINE_list, flag_values=FLAGS)
_multi = functools.partial(flags.DEFINE_multi_string, flag_values=FLAGS)
_string = functools.partial(flags.DEFINE_string, flag_values=FLAGS)

OUT = _string('out', None, 'The folder to write to.')
_COLUMNS = _multi(
  'columns',
  [],
  'Our names of columns: N=n_params,D=n_tokens,loss=val/loss, or a number for'
  ' all rows: tokens_per_step=524288. For what their names do not tell.',
)
_UNITS = _multi(
  'units',
  [],
  'Of columns: N:M,D:B,C:PF-days,loss:perplexity. For what their names do not'
  ' tell.',
)
_WHERE = _multi(
  'where', [], 'The rows to read: experiment=llama_3; all that are given hold.'
)
BY = _string(
  'by', None, 'A column: a law for each of its values, side by side.'
)
_INCLUDE = _list(
  'include',
  [],
  'Kinds of runs to fit that are excluded: unfinished, crashed, diverged,'
  ' early_stopped, checkpoint, repeated_data, flagged, inconsistent, duplicate,'
  ' repeat.',
)
_UNIT = _string(
  'unit', None, 'Of the loss, where columns are of several: nats/token.'
)
_WANDB = _multi(
  'wandb', [], 'A project of Weights & Biases to read: entity/project.'
)
_LEVEL = _float('level', 0.95, 'Of the intervals.')
_DRAWS = _integer('draws', 4000, 'Bootstrap refits.')
_METHOD = _enum(
  'bootstrap',
  'auto',
  ['auto', 'posterior', 'noise', 'runs'],
  'A posterior below 20 runs, residuals redrawn, runs resampled from 50 on.',
)
_KEEP = _bool(
  'keep_outliers', None, 'Fit runs beyond five standard deviations too.'
)
_DELTA = _float(
  'delta', None, 'Of the Huber loss; Hoffmann: 1e-3. From the runs if omitted.'
)
_RESIDUALS = _enum(
  'residuals', 'log', ['log', 'loss'], 'Of log L (Hoffmann) or of L (Kaplan).'
)
_OBJECTIVE = _enum(
  'objective',
  'huber',
  ['huber', 'squares'],
  'The Huber loss, or least squares.',
)
_REDUCTION = _enum(
  'reduction',
  'sum',
  ['sum', 'mean'],
  'The objective is a sum (Besiroglu) or a mean (Hoffmann) over runs.',
)
_SOLVER = _enum(
  'solver',
  'auto',
  ['auto', 'jax', 'optimistix'],
  'jax.scipy.optimize, optimistix, or the first finished by the second.',
)
_SEED = _integer('seed', 0, 'Of the bootstrap.')
_DROP = _integer(
  'drop_highest', 0, 'Exclude so many runs, the highest losses first.'
)
_TARGETS = _list(
  'C',
  [],
  'FLOPs to state the optimum at; ten times the largest budget.',
)
FIGURES = _bool('figures', True, 'Draw the figures.')
PNG = _bool('png', False, 'Write the figures as PNG too.')
RUNS = _bool('runs', False, 'Print the tables of single runs too.')


def reading() -> dict[str, Any]:
  """How `read_runs` is to read tables: its keywords.

  Raises:
    UserError: a flag is no list of pairs.
  """
  return {
    'columns': _pairs('columns', _COLUMNS.value, '='),
    'units': _pairs('units', _UNITS.value, ':'),
    'where': dict(_pair('where', text, '=') for text in _WHERE.value),
    'include': _INCLUDE.value,
    'unit': _UNIT.value,
  }


def sources(paths: Sequence[str]) -> list[str]:
  """What is to be read: paths, and projects of Weights & Biases."""
  return [*paths, *(f'wandb:{project}' for project in _WANDB.value)]


def _pairs(flag: str, given: Sequence[str], sign: str) -> dict[str, str]:
  """A flag's pairs; a part without the sign belongs to the name before it."""
  pairs: list[tuple[str, str]] = []
  for text in given:
    for part in text.split(','):
      if sign in part or not pairs:
        pairs.append(_pair(flag, part, sign))
      else:  # a comma in a column's name
        name, value = pairs[-1]
        pairs[-1] = name, f'{value},{part}'
  return dict(pairs)


def _pair(flag: str, text: str, sign: str) -> tuple[str, str]:
  name, found, value = text.partition(sign)
  if not found or not name.strip() or not value.strip():
    examples = {'columns': 'N=n_params,D=n_tokens', 'units': 'N:M,D:B'}
    raise UserError(
      f'--{flag}={text} must be a name and a value; try'
      f' --{flag}={examples.get(flag, "experiment=llama_3")}'
    )
  return name.strip(), value.strip()


def options():
  """What to fit and how: `study.results.Options`.

  Raises:
    UserError: a value that no fit can take.
  """
  level, draws, seed = _level(), _draws(), _seed()
  targets = tuple(_flops(text) for text in _TARGETS.value)
  # JAX is imported only when what was asked has proved sound.
  from scaling_jax.analysis.fitting.bootstrap import Bootstrap
  from scaling_jax.analysis.study.results import Options

  return Options(
    level=level,
    bootstrap=Bootstrap(draws, _METHOD.value, seed),
    objective=_objective(),
    keep_outliers=_KEEP.value,
    solver=_SOLVER.value,
    drop_highest=_DROP.value,
    targets=targets,
  )


def _level() -> float:
  level = _LEVEL.value
  if not 0.5 <= level < 1:
    raise UserError(
      f'--level={level:g} must be from 0.5 to below 1; try --level=0.95'
    )
  return level


def _draws() -> int:
  draws = _DRAWS.value
  if draws < 100:
    raise UserError(
      f'--draws={draws} must be 100 or more for an interval; try --draws=4000'
    )
  return draws


def _objective():
  from scaling_jax.analysis.fitting.objective import Objective

  try:
    return Objective(
      delta=_DELTA.value,
      residuals=_RESIDUALS.value,
      loss=_OBJECTIVE.value,
      reduction=_REDUCTION.value,
    )
  except ValueError as error:
    text = str(error).replace("loss='huber'", '--objective=huber')
    text = text.replace('try delta', 'try --delta').replace(
      'omit delta', 'omit --delta'
    )
    raise UserError(f'--{text}') from error


def _seed() -> int:
  seed = _SEED.value
  if seed < 0:
    raise UserError(f'--seed={seed} must be 0 or more; try --seed=0')
  return seed


def _flops(text: str) -> float:
  C = numbers.parse(text)
  if not 0 < C < float('inf'):
    raise UserError(
      f'--C={text} must be a positive number of FLOPs; try --C=1e16'
    )
  return C
