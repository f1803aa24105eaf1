"""What to train, from what there is; and what an experiment will resolve.

python -m scaling_jax.planner plan --flops=5.76e23
python -m scaling_jax.planner plan --device=h100 --count=8 --days=7 --mfu=0.4
python -m scaling_jax.planner design configs/c0.py configs/c1.py configs/c2.py
python -m scaling_jax.planner models
python -m scaling_jax.planner devices
python -m scaling_jax.planner config configs/c0.py

Each has its own --help, and with --json prints the same for machines.
"""

from collections.abc import Callable, Sequence
import sys
from typing import Any, Protocol

from scaling_jax import errors
from scaling_jax.errors import UserError
from scaling_jax.planner import arguments as arguments_lib
from scaling_jax.planner import old_spellings

_PROGRAM = 'scaling_jax.planner'
_OF_MACHINE = ('device', 'peak_tflops', 'precision', 'count', 'days', 'mfu')


class Shown(Protocol):
  """What a subcommand prints: str() for people, to_json() for machines."""

  def to_json(self) -> str: ...


def _plan(values: dict[str, Any]) -> Shown:
  from scaling_jax.planner import api

  of_machine = {
    name: values.pop(name) for name in _OF_MACHINE if name in values
  }
  if of_machine:
    values['machine'] = api.Machine(**of_machine)
  _keep_compiled(values.get('law', ()))
  return api.plan(**{'law': api.LAWS, **values})


def _design(values: dict[str, Any]) -> Shown:
  from scaling_jax import compile_cache
  from scaling_jax.planner import api

  compile_cache.keep()
  laws = values.pop('law', [None])
  if len(laws) > 1:
    raise UserError(
      f'law={",".join(laws)} names {len(laws)} laws: a design is judged near'
      ' one; drop the others'
    )
  return api.design(**values, law=laws[0])


def _models(values: dict[str, Any]) -> Shown:
  from scaling_jax.planner import api

  _keep_compiled(values.get('law', ()))
  return api.models(**values)


def _devices(values: dict[str, Any]) -> Shown:
  from scaling_jax.planner import hardware

  return hardware.Devices(**values)


def _config(values: dict[str, Any]) -> Shown:
  from scaling_jax.planner import configs

  return configs.read(values['configs'][0])


def _keep_compiled(laws: Sequence[str]) -> None:
  """A fits.json without draws is fitted again, which compiles."""
  if any('/' in law or law.endswith('.json') for law in laws):
    from scaling_jax import compile_cache

    compile_cache.keep()


_COMMANDS: dict[str, Callable[[dict[str, Any]], Shown]] = {
  'plan': _plan,
  'design': _design,
  'models': _models,
  'devices': _devices,
  'config': _config,
}


def run(arguments: Sequence[str]) -> str:
  """What a command line prints.

  Raises:
    UserError: a person got something wrong.
    SystemExit: help was asked for, and is printed.
  """
  given = arguments_lib.parse(arguments)
  try:
    made = _COMMANDS[given.command](given.values)
    text = made.to_json() if given.json else str(made)
  except UserError as error:
    raise UserError(arguments_lib.as_flags(str(error))) from error
  return text if given.json else arguments_lib.as_flags(text)


def main(argv: list[str]) -> None:
  """Prints what argv[1:] asks for; of an old spelling it names the new one."""
  arguments = argv[1:]
  if old_spellings.is_old(arguments):
    print(run(old_spellings.translate(arguments)))
    print(f'{_PROGRAM}: {old_spellings.note(arguments)}', file=sys.stderr)
  else:
    print(run(arguments))


if __name__ == '__main__':
  errors.guarded(main, sys.argv, _PROGRAM, 'stopped; nothing is lost')
