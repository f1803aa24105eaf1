"""Command lines of before there were subcommands, in today's words."""

from collections.abc import Sequence
import shlex

from scaling_jax.errors import UserError
from scaling_jax.planner import arguments as arguments_lib
from scaling_jax.planner.arguments import COMMANDS
from scaling_jax.planner.arguments import FLAGS
from scaling_jax.planner.arguments import flag_name

_QUESTIONS = ('models', 'devices', 'config', 'design')
_RESOURCES = ('flops', 'device', 'peak_tflops', 'tokens', 'corpus')


def is_old(arguments: Sequence[str]) -> bool:
  """Whether it opens with a flag of a question, and not with a subcommand."""
  name = flag_name(arguments[0]) if arguments else ''
  return name in FLAGS or name in _QUESTIONS or name == 'json'


def translate(arguments: Sequence[str]) -> list[str]:
  """The same with a subcommand.

  Raises:
    UserError: it asks two questions at once, or names no config.

  >>> translate(['--design=a.py,b.py', '--noise=0.005'])
  ['design', 'a.py', 'b.py', '--noise=0.005']
  >>> translate(['--flops=1e20'])
  ['plan', '--flops=1e20']
  """
  names = [flag_name(argument) for argument in arguments]
  asked = [name for name in names if name in _QUESTIONS]
  there = [name for name in names if name in _RESOURCES]
  if len(asked) > 1 or (asked and there):
    one, other = [*asked, *there][:2]
    raise UserError(
      f'--{one} and --{other} ask two things: one is answered at a time; drop'
      ' one of them'
    )
  if not asked:
    return ['plan', *arguments]
  command = asked[0]
  at = names.index(command)
  rest, given = [*arguments[:at], *arguments[at + 1 :]], []
  if COMMANDS[command].configs:
    _, equals, path = arguments[at].partition('=')
    if not equals and at < len(rest):
      path = rest.pop(at)
    if not path:
      raise UserError(
        f'--{command} is empty: it must name a config; try'
        f' {arguments_lib.PROGRAM} {command} configs/c0.py'
      )
    given = split(path) if command == 'design' else [path]
  return [command, *given, *rest]


def split(given: str) -> list[str]:
  """The configs of a list with commas; an argument may hold commas too.

  >>> split('a.py,b.py:gpt-0,seeds=3')
  ['a.py', 'b.py:gpt-0,seeds=3']
  """
  names: list[str] = []
  for part in given.split(','):
    if '.py' in part or not names:
      names.append(part)
    else:
      names[-1] += f',{part}'
  return names


def note(arguments: Sequence[str]) -> str:
  """What to write in the place of an old command line."""
  return (
    'this spelling is an old one and still works; the new one is'
    f' {arguments_lib.PROGRAM} {shlex.join(translate(arguments))}'
  )
