"""What to train, from what there is; and what an experiment will resolve.

From compute, a machine for some days, or text; any of them together:

python -m scaling_jax.planner --flops=5.76e23
python -m scaling_jax.planner --device=h100 --count=8 --days=7 --mfu=0.4
python -m scaling_jax.planner --peak_tflops=11.36 --mfu=1 --days=7 --tokens=73584077
python -m scaling_jax.planner --corpus=FOLDER --device=m1 --days=1
python -m scaling_jax.planner --flops=1e16 --law=besiroglu,runs/c0/report/fits.json

Published models against each law's optimum; the rates of devices; what a config
would train; what an experiment will resolve, before a step is trained:

python -m scaling_jax.planner --models
python -m scaling_jax.planner --devices
python -m scaling_jax.planner --config=configs/c0.py
python -m scaling_jax.planner --design=configs/c0.py,configs/c1.py,configs/c2.py

With --json any of them prints the same for machines.
"""

import collections
import functools
import json
import sys
from typing import Any

from absl import app
from absl import flags
from absl import logging

from scaling_jax import errors
from scaling_jax import records
from scaling_jax.errors import UserError

_PROGRAM = 'scaling_jax.planner'

# Flags of its own: other programs of this project have some of the same names.
FLAGS = flags.FlagValues()
_HELP = ('help', 'helpshort', 'helpfull', 'h', '?')

_bool = functools.partial(flags.DEFINE_bool, flag_values=FLAGS)
_float = functools.partial(flags.DEFINE_float, flag_values=FLAGS)
_integer = functools.partial(flags.DEFINE_integer, flag_values=FLAGS)
_list = functools.partial(flags.DEFINE_list, flag_values=FLAGS)
_string = functools.partial(flags.DEFINE_string, flag_values=FLAGS)

_FLOPS = _float('flops', None, 'Compute, FLOPs.')
_DEVICE = _string('device', None, 'One of --devices.')
_PEAK = _float(
  'peak_tflops', None, 'Peak rate of a device that is not listed, TFLOP/s.'
)
_PRECISION = _string(
  'precision', None, 'bfloat16, float16, tf32 or float32; the fastest listed.'
)
_COUNT = _integer('count', None, 'Devices; 1.')
_DAYS = _float('days', None, 'Days on them.')
_MFU = _float(
  'mfu', None, 'Share of the peak rate that 6 N D per second comes to; 0.4.'
)
_TOKENS = _float('tokens', None, 'Tokens of text to train on.')
_CORPUS = _string(
  'corpus', None, 'Text to count: a file, a folder of .txt, a prepared corpus.'
)
_TOKENIZER = _string(
  'tokenizer', None, "What a token is: char, or one of tiktoken's such as gpt2."
)
_EPOCHS = _float('epochs', None, 'Passes over the text allowed; 1.')
_LAWS = _list(
  'law', None, 'hoffmann, besiroglu, kaplan, or a fits.json; the first three.'
)
_BATCH = _integer('tokens_per_step', None, 'Tokens of a batch.')
_BLOCK = _integer('block_size', 1024, 'Tokens of context.')
_VOCAB = _integer('vocab_size', None, 'Kinds of tokens.')
_JSON = _bool('json', False, 'Print JSON.')

_MODELS = _bool('models', False, 'Published models by each law.')
_DEVICES = _bool('devices', False, 'Peak rates of devices.')
_CONFIG = _string('config', None, 'What a config would train.')
_DESIGN = _string(
  'design', None, 'Configs of one experiment, commas between them.'
)
_NOISE = _float('noise', 0.003, 'Of --design: sd of log L about the law.')
_SEED_NOISE = _float(
  'seed_noise', None, 'Of --design: sd of log L between seeds; noise / 4.'
)
_LEVEL = _float('level', 0.95, 'Of --design: of the intervals.')
_SEED = _integer('seed', 0, 'Of --design: of what is simulated.')

_QUESTIONS = ('models', 'devices', 'config', 'design')
_HAVE = ('flops', 'device', 'peak_tflops', 'tokens', 'corpus')
_WORDS = ('device', 'precision', 'corpus', 'tokenizer', 'config', 'design')
_ALL = ('hoffmann', 'besiroglu', 'kaplan')


def _main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise UserError(
      f'{argv[1]!r} is no flag: every argument must start with --; try'
      ' --flops=1e18'
    )
  given = FLAGS.flag_values_dict()
  for name in _WORDS:
    if given[name] == '':
      raise UserError(f'--{name} is empty: it must say something; see --help')
  asked = [name for name in _QUESTIONS if given[name]]
  there = [name for name in _HAVE if given[name] is not None]
  if len(asked) > 1 or (asked and there):
    both = [*asked, *there][:2]
    raise UserError(
      f'--{both[0]} and --{both[1]} ask two things: one is answered at a time;'
      ' leave one away'
    )
  if _DESIGN.value:
    made, shown = _design()
  elif _CONFIG.value:
    made, shown = _config()
  elif _MODELS.value:
    made, shown = _published()
  elif _DEVICES.value:
    made, shown = _listed()
  else:
    made, shown = _plan(there)
  print(json.dumps(records.plain(made), indent=1) if _JSON.value else shown)


def _plan(there: list[str]) -> tuple[dict[str, Any], str]:
  from scaling_jax.planner import have as have_lib
  from scaling_jax.planner import plan
  from scaling_jax.planner import say

  for one, other in (('tokens', 'corpus'), ('device', 'peak_tflops')):
    if one in there and other in there:
      raise UserError(
        f'--{one} and --{other} are two of a kind: one must be left away; try'
        f' --{one} alone'
      )
  on = _machine()
  limits = []
  if _FLOPS.value is not None:
    limits.append(have_lib.compute(_FLOPS.value))
  if _DAYS.value is not None:
    assert on is not None
    limits.append(have_lib.for_days(on, _DAYS.value))
  text = _text()
  if not limits and text is None:
    raise UserError(
      (f'--{there[0]} alone says no amount' if there else 'nothing is given')
      + ': --flops, --days on a --device, --tokens or --corpus is needed; try'
      ' --device=h100 --days=7'
    )
  limits.sort(key=lambda limit: limit.C)
  have = have_lib.Have(tuple(limits), on, text)
  made = plan.make(
    have,
    _laws(),
    _at_least_one(_BATCH),
    _at_least_one(_BLOCK),
    _at_least_one(_VOCAB),
  )
  return made, say.plan(made)


def _machine():
  from scaling_jax.planner import have as have_lib

  if _DEVICE.value is not None or _PEAK.value is not None:
    count = 1 if _COUNT.value is None else _COUNT.value
    mfu = have_lib.MFU if _MFU.value is None else _MFU.value
    return have_lib.machine(
      _DEVICE.value, _PEAK.value, _PRECISION.value, count, mfu
    )
  for flag in (_DAYS, _COUNT, _MFU, _PRECISION):
    if flag.value is not None:
      raise UserError(
        f'--{flag.name} is of a device, and none is named: --device'
        ' or --peak_tflops is needed; try --device=h100'
      )
  return None


def _text():
  from scaling_jax.planner import have as have_lib
  from scaling_jax.planner import known

  epochs = 1.0
  if _EPOCHS.value is not None:
    epochs = have_lib.positive('--epochs', _EPOCHS.value, 'passes', '4')
  if _CORPUS.value is not None:
    from scaling_jax.corpus import count

    found = count.count(_CORPUS.value, _TOKENIZER.value)
    have_lib.within(
      f'--corpus={_CORPUS.value}', found.train, have_lib.TOKENS, 'tokens'
    )
    source = (
      f'{found.source}, {found.total:,} tokens by {found.tokenizer} of'
      f' {found.vocab_size:,} kinds, less the 10 % that validate'
    )
    token = known.Token(_kind(found.tokenizer), found.vocab_size)
    return have_lib.Text(found.train, epochs, token, source)
  if _TOKENS.value is None:
    for flag in (_EPOCHS, _TOKENIZER):
      if flag.value is not None:
        raise UserError(
          f'--{flag.name} is of a text, and none is given: --tokens'
          ' or --corpus is needed; try --tokens=1e9'
        )
    return None
  unique = have_lib.positive('--tokens', _TOKENS.value, 'tokens', '73584077')
  have_lib.within('--tokens', unique, have_lib.TOKENS, 'tokens')
  token = known.Token('unknown')
  if _TOKENIZER.value is not None:
    token = known.Token(_kind(_TOKENIZER.value), _VOCAB.value)
  return have_lib.Text(unique, epochs, token, '--tokens')


def _kind(tokenizer: str) -> str:
  from scaling_jax.corpus import count

  return 'characters' if tokenizer == count.CHAR else 'BPE'


def _at_least_one(flag) -> Any:
  if flag.value is not None and flag.value < 1:
    raise UserError(
      f'--{flag.name}={flag.value} must be at least 1; try --{flag.name}=1024'
    )
  return flag.value


def _laws() -> list:
  from scaling_jax.planner import known

  names = _ALL if _LAWS.value is None else _LAWS.value
  if not names:
    raise UserError(
      f'--law is empty: it must name a law; try --law={",".join(_ALL)}'
    )
  found = [known.law_of(name) for name in names]
  names_found = collections.Counter(law.name for law in found)
  twice = [name for name, n in names_found.items() if n > 1]
  if twice:
    raise UserError(
      f'--law={",".join(names)} has two of a kind, {twice[0]}: each law must have a'
      ' name of its own, which is the folder of a fits.json; leave one away'
    )
  return found


def _published() -> tuple[dict[str, Any], str]:
  from scaling_jax.planner import published
  from scaling_jax.planner import say

  made = published.compare(_laws())
  if not made['laws']:
    raise UserError(
      f'--law={",".join(_LAWS.value or [])} states no loss: --models compares losses,'
      ' and needs approach 3; try --law=besiroglu'
    )
  return made, say.published(made)


def _listed() -> tuple[dict[str, Any], str]:
  from scaling_jax.planner import hardware

  made = {name: d._asdict() for name, d in hardware.DEVICES.items()}
  return {'unit': 'TFLOP/s', 'devices': made}, hardware.listed()


def _config() -> tuple[dict[str, Any], str]:
  from scaling_jax.planner import configs
  from scaling_jax.training import forecast

  given = _CONFIG.value or ''
  found, missing = configs.rows(config := configs.load(given, 'config'), given)
  made = {
    'experiment': config.experiment,
    'runs': [
      {**row._asdict(), 'shape': row.shape._asdict()} for row in found
    ],
  }  # fmt: skip
  return made, '\n\n'.join(filter(None, [forecast.tables(found), missing]))


def _design() -> tuple[dict[str, Any], str]:
  from scaling_jax.planner import design
  from scaling_jax.planner import have
  from scaling_jax.planner import say

  noise = have.positive('--noise', _NOISE.value, 'sd of log L', '0.003')
  if _SEED_NOISE.value is None:
    seed_noise = noise / 4
  else:
    seed_noise = have.positive(
      '--seed_noise', _SEED_NOISE.value, 'sd of log L', '0.001'
    )
  if seed_noise > noise:
    raise UserError(
      f'--seed_noise={seed_noise:g} must be at most --noise={noise:g}, which'
      f' holds it; try --noise={seed_noise:g}'
    )
  settings = design.Settings(
    noise, seed_noise, _level(_LEVEL.value), seed=_not_negative(_SEED)
  )
  laws = _laws() if _LAWS.value else [None]
  if len(laws) > 1:
    raise UserError(
      f'--law={",".join(_LAWS.value or [])} names {len(laws)} laws: a design is judged'
      ' near one; leave the others away'
    )
  made = design.judge(
    design.read(design.split(_DESIGN.value or '')), laws[0], settings
  )
  return made, say.design(made)


def _level(level: float) -> float:
  # Three hundred draws say nothing of what is rarer.
  if not 0.5 <= level <= 0.98:
    raise UserError(
      f'--level={level:g} must be from 0.5 to 0.98; try --level=0.95'
    )
  return level


def _not_negative(flag) -> int:
  if flag.value < 0:
    raise UserError(
      f'--{flag.name}={flag.value} must be 0 or more; try --{flag.name}=0'
    )
  return flag.value


def _guarded(argv: list[str]) -> None:
  logging.set_verbosity(logging.WARNING)
  errors.guarded(_main, argv, _PROGRAM, 'stopped; nothing is lost')


def _parse(argv: list[str]) -> list[str]:
  named = [a.lstrip('-').partition('=')[0] for a in argv[1:] if a[:1] == '-']
  if set(named) & set(_HELP):
    print(f'{__doc__}\n{FLAGS.get_help()}')
    sys.exit(0)
  for name, n in collections.Counter(named).items():
    if n > 1:
      errors.stop(
        _PROGRAM,
        f'--{name} is given {n} times: once is enough; leave the others away',
        2,
      )
  flags.FLAGS(argv[:1])  # absl's own, which app.run wants parsed
  try:
    return FLAGS(argv)
  except flags.Error as error:
    text = ' '.join(str(error).split())
    errors.stop(_PROGRAM, f'{text}; see --help', 2)


if __name__ == '__main__':
  app.run(_guarded, flags_parser=_parse)
