"""fits.json: an analysis as text, and back.

The file states every law in plain numbers (docs/fits.md), for people and other
programs, and carries under `state` the fits themselves, draws included, from
which `load_analysis` makes the same Analysis again.
"""

import json
import math
from typing import Any

from etils import epath

from scaling_jax import records
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import codec
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import training_curve
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.runs import provenance
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study import kaplan_study
from scaling_jax.analysis.study import kaplan_vs_chinchilla
from scaling_jax.analysis.study import plain_numbers
from scaling_jax.analysis.study import results
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.errors import UserError

NAME = 'fits.json'

_PARTS: dict[str, Any] = {
  'selection': selection.Selection,
  'provenance': provenance.Provenance,
  'seed_sd': ResidualSD | None,
  'chinchilla': chinchilla.ChinchillaFit,
  'isoflop': isoflop.IsoflopFit,
  'envelope': envelope.EnvelopeFit,
  'form_notes': tuple[str, ...],
  'cautions': tuple[str, ...],
  'kaplan': kaplan_study.KaplanStudy,
  'hold_out': results.HoldOut,
  'earlier_hold_outs': tuple[results.HoldOut, ...],
  'counting': tuple[results.CountingEffect, ...],
  'kaplan_vs_chinchilla': tuple[kaplan_vs_chinchilla.Reading, ...],
  'training_curves': tuple[training_curve.TrainingCurveFit, ...],
  'version': str,
}

# Parts that older files of this schema lack: they are computed when asked for.
_LATER = ('cautions', 'earlier_hold_outs')


def dumps(analysis: Analysis) -> str:
  """The text of fits.json: strict JSON, what is not known is null."""
  state = {
    'runs': codec.encode(analysis.runs),
    'options': codec.encode(analysis.options),
    **{name: codec.encode(getattr(analysis, name)) for name in _PARTS},
  }
  stated = records.plain(plain_numbers.of_analysis(analysis))
  body = {'schema': codec.SCHEMA, **stated, 'state': state}
  return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + '\n'


def write(analysis: Analysis, folder: epath.PathLike) -> epath.Path:
  """Writes fits.json into a folder and returns its path."""
  path = epath.Path(folder) / NAME
  records.write_atomic(path, dumps(analysis))
  return path


def load_analysis(path: epath.PathLike) -> Analysis:
  """Reads a fits.json, or the one in a folder.

  A file of schema 1, which kept no draws, is read too: approaches 2 and 3 are
  then fitted again on the runs in it, with its own seed and number of draws,
  and what needs the runs' folders is as those are found today.

  Raises:
    UserError: it is absent, or no fits.json.
  """
  path = epath.Path(path).expanduser()
  if path.is_dir():
    path = path / NAME
  try:
    body = json.loads(path.read_text())
  except FileNotFoundError:
    raise UserError(
      f'{path} does not exist: it must be the fits.json of an analysis; python'
      ' -m scaling_jax.analysis RUNS... --out=DIR writes one'
    ) from None
  except (OSError, ValueError) as error:
    raise _not_fits(path, error) from error
  try:
    return _loaded(body)
  except (KeyError, TypeError, ValueError, AttributeError) as error:
    raise _not_fits(path, error) from error


def _not_fits(path: epath.Path, error: Exception) -> UserError:
  return UserError(
    f'{path} is no fits.json ({error!r}): it must be what python -m'
    ' scaling_jax.analysis writes; analyze the runs again'
  )


def _loaded(body: dict[str, Any]) -> Analysis:
  version = body.get('schema', 1)
  if version == 1:
    return _of_schema_1(body)
  if version != codec.SCHEMA:
    raise ValueError(f'schema {version} is newer than {codec.SCHEMA}')
  state = body['state']
  parts = {}
  for name, hint in _PARTS.items():
    if name in _LATER and name not in state:
      continue
    try:
      parts[name] = codec.decode(hint, state[name])
    except TypeError:
      # A part that an earlier version kept in another shape is fitted again.
      continue
  runs = codec.decode(table.Runs, state['runs'])
  return Analysis(
    runs, codec.decode(results.Options, state['options']), **parts
  )


def _of_schema_1(body: dict[str, Any]) -> Analysis:
  """The runs of an old file, fitted again as it says it fitted them."""
  source, asked = body['source'], body['source']['settings']
  in_bits = source['unit'] == table.BITS
  runs = table.Runs(
    runs=tuple(_run_of_schema_1(row, in_bits) for row in body['runs']),
    excluded=tuple(
      table.Excluded(entry['run_id'], entry['reason'])
      for entry in source['left_out']
    ),
    format=source['format'],
    unit=source['unit'],
    files=tuple(source['files']),
    notes=tuple(source['notes']),
  )
  options = results.Options(
    level=body['level'],
    bootstrap=Bootstrap(asked['draws'], asked['method'], asked['seed']),
    solver=asked['solver'],
    targets=tuple(source['targets']),
  )
  counted = tuple(
    i for i, row in enumerate(body['runs']) if row.get('counted', True)
  )
  chosen = selection.Selection(hoffmann=counted, kaplan=counted, set_aside=())
  return Analysis(runs, options, selection=chosen, version=source['version'])


def _run_of_schema_1(row: dict[str, Any], in_bits: bool) -> records.Run:
  def number(name: str) -> float:
    return math.nan if row.get(name) is None else float(row[name])

  return records.Run(
    run_id=row['run_id'],
    C=row['C'],
    N=row['N'],
    D=row['D'],
    S=row.get('S') or 0,
    seed=row.get('seed') or 0,
    model=row.get('model') or '',
    n_layer=row.get('depth') or 0,
    dataset=row.get('dataset') or '',
    val_loss=math.nan if in_bits else row['loss'],
    val_bpb=row['loss'] if in_bits else number('bpb'),
    val_loss_sem=number('sem'),
    device=row.get('device') or '',
    wall_s=number('wall_s'),
    tokens_per_s=number('tokens_per_s'),
  )
