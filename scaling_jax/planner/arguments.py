"""The command line of the planner: its subcommands, their flags, their help.

What is given comes out as keyword arguments of `planner.api`; what is not given
stays out, so that defaults are stated there alone.
"""

import argparse
from collections.abc import Sequence
import functools
import re
from typing import Any, NamedTuple, NoReturn

from scaling_jax import errors
from scaling_jax.errors import UserError

PROGRAM = 'python -m scaling_jax.planner'


class Flag(NamedTuple):
  """A flag that takes a value.

  Attributes:
    kind: 'number', 'whole', 'text' or 'list', of texts between commas.
    example: of a value.
    help: one line.
  """

  kind: str
  example: str
  help: str


class Command(NamedTuple):
  """A subcommand.

  Attributes:
    help: one line.
    flags: names of `FLAGS`, beside json.
    examples: of its arguments.
    configs: how many configs it takes: '' for none, '1', or '+' for some.
  """

  help: str
  flags: tuple[str, ...]
  examples: tuple[str, ...]
  configs: str = ''


FLAGS = {
  'flops': Flag('number', '5.76e23', 'compute, FLOPs'),
  'device': Flag('text', 'h100', 'a device that `devices` lists'),
  'peak_tflops': Flag(
    'number', '11.36', 'peak rate of a device that is not listed, TFLOP/s'
  ),
  'precision': Flag(
    'text', 'bfloat16', 'bfloat16, float16, tf32 or float32; the fastest listed'
  ),
  'count': Flag('whole', '8', 'devices; 1'),
  'days': Flag('number', '7', 'days on them'),
  'mfu': Flag(
    'number', '0.4', 'share of the peak rate that 6 N D a second comes to; 0.4'
  ),
  'tokens': Flag('number', '73584077', 'tokens of text to train on'),
  'corpus': Flag(
    'text', 'FOLDER', 'text to count: a file, a folder of .txt, a corpus'
  ),
  'tokenizer': Flag(
    'text', 'char', "what a token is: char, or one of tiktoken's such as gpt2"
  ),
  'epochs': Flag('number', '4', 'passes over the text that are allowed; 1'),
  'law': Flag(
    'list', 'besiroglu', 'hoffmann, besiroglu, kaplan, or the path of a fits.json'
  ),
  'level': Flag('number', '0.95', 'of the intervals; 0.95'),
  'tokens_per_step': Flag(
    'whole', '524288', 'tokens of a batch; as many as leave 10,000 steps'
  ),
  'block_size': Flag('whole', '1024', 'tokens of context; 1024'),
  'vocab_size': Flag('whole', '50257', 'kinds of tokens'),
  'noise': Flag('number', '0.003', 'sd of log L about the law; 0.003'),
  'seed_noise': Flag(
    'number', '0.00075', 'sd of log L between seeds; a quarter of noise'
  ),
  'seed': Flag('whole', '0', 'of all that is simulated; 0'),
}  # fmt: skip

COMMANDS = {
  'plan': Command(
    'what to train with compute, a machine for some days, or text',
    (
      'flops', 'device', 'peak_tflops', 'precision', 'count', 'days', 'mfu',
      'tokens', 'corpus', 'tokenizer', 'epochs', 'law', 'level',
      'tokens_per_step', 'block_size', 'vocab_size',
    ),
    (
      '--flops=5.76e23',
      '--device=h100 --count=8 --days=7 --mfu=0.4',
      '--peak_tflops=11.36 --mfu=1 --days=7 --tokens=73584077',
      '--corpus=FOLDER --device=m1 --days=1',
      '--flops=1e16 --law=besiroglu,runs/c0/report/fits.json',
    ),
  ),
  'design': Command(
    'what an experiment will resolve, before a step is trained',
    ('law', 'noise', 'seed_noise', 'level', 'seed'),
    (
      'configs/c0.py configs/c1.py configs/c2.py',
      'configs/c0.py:gpt-0,seeds=3 configs/c1.py --noise=0.005',
    ),
    '+',
  ),
  'models': Command(
    "published models against each law's optimum",
    ('law',),
    ('', '--law=besiroglu'),
  ),
  'devices': Command('the peak rates of devices', (), ('',)),
  'config': Command(
    'what a config would train: parameters, tokens, steps',
    (),
    ('configs/c0.py',),
    '1',
  ),
}  # fmt: skip

_HELP = ('help', 'helpshort', 'helpfull', 'h', '?')
_NARGS: dict[str, Any] = {'1': 1, '+': '+'}
_WORD = re.compile(r'--?([A-Za-z?][\w-]*)(?:=(.*))?', re.DOTALL)


class Given(NamedTuple):
  """What a command line asks for.

  Attributes:
    command: a name of `COMMANDS`.
    values: of its flags that were given, by name, and 'configs'.
    json: whether to print JSON.
  """

  command: str
  values: dict[str, Any]
  json: bool


def parse(arguments: Sequence[str]) -> Given:
  """Reads a command line.

  Raises:
    UserError: it makes no sense.
    SystemExit: it asks for help, which is printed.
  """
  if arguments and flag_name(arguments[0]) in _HELP:
    print(_overview())
    raise SystemExit(0)
  if not arguments or arguments[0] not in COMMANDS:
    raise UserError(_no_command(arguments))
  command, *rest = arguments
  names = [flag_name(argument) for argument in rest]
  if set(names) & set(_HELP):
    print(_help_of(command))
    raise SystemExit(0)
  _check_names(command, [name for name in names if name])
  spelled = [
    re.sub(r'^-+[\w-]+', f'--{name}', argument) if name else argument
    for name, argument in zip(names, rest)
  ]
  found = vars(_parser(command).parse_intermixed_args(spelled))
  json = found.pop('json', False)
  for name, value in found.items():
    if value in ('', ['']):
      example = FLAGS[name].example if name in FLAGS else 'configs/c0.py'
      raise UserError(
        f'--{name} is empty: it needs a value; try --{name}={example}'
      )
  return Given(command, found, json)


def flag_name(argument: str) -> str:
  """The name of a flag, with underscores; '' of what is no flag."""
  found = _WORD.fullmatch(argument)
  return found[1].replace('-', '_') if found else ''


def as_flags(text: str) -> str:
  """A message of the API as the command line has it: flops= is --flops=."""
  names = '|'.join(FLAGS)
  return re.sub(rf'(?<![\w./=-])({names})=', r'--\1=', text)


def _no_command(arguments: Sequence[str]) -> str:
  known = ', '.join(COMMANDS)
  if not arguments:
    return (
      f'no subcommand is given: it must be one of {known}; try {PROGRAM} plan'
      ' --flops=5.76e23'
    )
  first = arguments[0]
  if '.py' in first:
    return (
      f'{first!r} is no subcommand: it must be one of {known}; try {PROGRAM}'
      f' config {first}, or design {first}'
    )
  near = errors.suggest(first, COMMANDS, 1) or ['plan --flops=5.76e23']
  return (
    f'{first!r} is no subcommand: it must be one of {known}; try {PROGRAM}'
    f' {near[0]}'
  )


def _check_names(command: str, names: Sequence[str]) -> None:
  """Every flag must be one of this command, and stand once."""
  known = (*COMMANDS[command].flags, 'json')
  for name in names:
    if name not in known:
      raise UserError(_other_flag(command, name, known))
    if names.count(name) > 1:
      raise UserError(
        f'--{name} is given {names.count(name)} times: once is enough; drop the'
        ' others'
      )


def _other_flag(command: str, name: str, known: Sequence[str]) -> str:
  elsewhere = [c for c, other in COMMANDS.items() if name in other.flags]
  if elsewhere:
    return (
      f'--{name} belongs to {" and ".join(elsewhere)}, not to {command}: it is'
      f' of another question; try {PROGRAM} {elsewhere[0]} --help'
    )
  near = errors.suggest(name, known)
  advice = (
    f'try --{" or --".join(near)}'
    if near
    else f'see {PROGRAM} {command} --help'
  )
  return f'--{name} is no flag of {command}: {_flags_of(command)}; {advice}'


def _flags_of(command: str) -> str:
  flags = ', '.join(f'--{name}' for name in (*COMMANDS[command].flags, 'json'))
  return (
    f'it must be one of {flags}' if ',' in flags else f'it has {flags} alone'
  )


class _Parser(argparse.ArgumentParser):
  """Raises a UserError where argparse would print its usage and exit."""

  def error(self, message: str) -> NoReturn:
    flag, _, rest = message.removeprefix('argument ').partition(': ')
    name = flag.lstrip('-')
    if name in FLAGS and 'expected' in rest:
      raise UserError(f'{flag} needs a value; try {flag}={FLAGS[name].example}')
    if 'are required' in message:
      raise UserError(
        'no config is given: it must be the path of one; try'
        f' {self.prog} configs/c0.py'
      )
    if message.startswith('unrecognized arguments'):
      extra = message.partition(': ')[2].split()[0]
      raise UserError(
        f'{extra!r} is one argument too many; see {self.prog} --help'
      )
    raise UserError(rest or message)


def _parser(name: str) -> argparse.ArgumentParser:
  command = COMMANDS[name]
  parser = _Parser(
    prog=f'{PROGRAM} {name}',
    argument_default=argparse.SUPPRESS,
    allow_abbrev=False,
    add_help=False,
  )
  if command.configs:
    parser.add_argument('configs', nargs=_NARGS[command.configs])
  for flag in command.flags:
    parser.add_argument(f'--{flag}', type=functools.partial(_value, flag))
  parser.add_argument('--json', action='store_true')
  return parser


def _overview() -> str:
  commands = [f'{name:9s}{command.help}' for name, command in COMMANDS.items()]
  return _sections(
    f'usage: {PROGRAM} COMMAND ...',
    'What to train, and what an experiment will resolve, before it is paid for.',
    commands=[*commands, '', f'{PROGRAM} COMMAND --help tells its flags.'],
    examples=_examples(COMMANDS),
  )


def _help_of(name: str) -> str:
  command = COMMANDS[name]
  configs = {'': '', '1': ' CONFIG', '+': ' CONFIG...'}[command.configs]
  flags = [
    (f'--{flag}={FLAGS[flag].example}', FLAGS[flag].help)
    for flag in command.flags
  ]
  flags.append(('--json', 'print JSON'))
  width = max(len(flag) for flag, _ in flags)
  return _sections(
    f'usage: {PROGRAM} {name}{configs} [--FLAG=VALUE ...]',
    f'Prints {command.help}.',
    configs=['CONFIG is FILE.py, or FILE.py:ARG'] if configs else [],
    flags=[f'{flag:{width}s}  {about}' for flag, about in flags],
    examples=_examples({name: command}),
  )


def _examples(commands: dict[str, Command]) -> list[str]:
  return [
    f'{PROGRAM} {name} {example}'.rstrip()
    for name, command in commands.items()
    for example in command.examples
  ]


def _sections(usage: str, about: str, **sections: list[str]) -> str:
  """Help: usage, what it prints, then each section that has lines."""
  lines = [usage, '', about]
  for title, body in sections.items():
    if body:
      lines += ['', f'{title}:', *(f'  {line}'.rstrip() for line in body)]
  return '\n'.join(lines)


def _value(name: str, text: str) -> Any:
  """The value of a flag.

  Raises:
    argparse.ArgumentTypeError: it is of another kind.
  """
  kind, example, _ = FLAGS[name]
  if kind == 'text' or not text:
    return text
  if kind == 'list':
    return text.split(',')
  try:
    return int(text) if kind == 'whole' else float(text)
  except ValueError:
    wanted = 'a whole number' if kind == 'whole' else 'a number'
    raise argparse.ArgumentTypeError(
      f'--{name}={text} must be {wanted}; try --{name}={example}'
    ) from None
