"""A process that trains runs for another: jobs come in, reports go out.

`launchers` starts it as `python -m scaling_jax.training.worker`. Both ways one
JSON object a line: on stdin first its share of the machine, then runs; on stdout
what `_Wire` sends of them. It ends where stdin does.
"""

import json
import os
import signal
import sys
import traceback
from typing import TextIO

from scaling_jax import records
from scaling_jax.errors import UserError
from scaling_jax.training import interrupts


class _Wire:
  """A progress display that another process draws."""

  def __init__(self, stream: TextIO):
    self._stream = stream

  def send(self, **message) -> None:
    try:
      self._stream.write(json.dumps(records.plain(message)) + '\n')
      self._stream.flush()
    except BrokenPipeError:
      # Nobody is left to train for: keep what is done and go.
      raise KeyboardInterrupt from None

  def show(self, report, force: bool = False) -> None:
    self.send(kind='show', report=report._asdict(), force=force)

  def message(self, text: str) -> None:
    self.send(kind='message', text=text)

  def end(self) -> None:
    pass


def _take(share: dict) -> None:
  """Keeps to a share of the machine; before JAX is imported."""
  if share['cores'] and hasattr(os, 'sched_setaffinity'):
    os.sched_setaffinity(0, share['cores'])
  os.environ.update(share['environment'])


def _train(order: dict, cores: int, wire: _Wire) -> None:
  import ml_collections

  from scaling_jax.training import devices as devices_lib
  from scaling_jax.training import job as job_lib
  from scaling_jax.training import train as train_lib

  config = ml_collections.ConfigDict(order['config'])
  devices_lib.configure(config.devices, cores)
  job = job_lib.make_job(
    config,
    order['model'],
    order['workdir'],
    order['data_dir'],
    label=order['label'],
  )
  results = train_lib.train(job, tuple(order['seeds']), wire)
  wire.send(kind='done', runs=[run._asdict() for run in results])


def main() -> None:
  """Trains what comes, until nothing does."""
  signal.signal(signal.SIGINT, signal.default_int_handler)
  try:
    with interrupts.listening():
      _serve()
  except KeyboardInterrupt:
    sys.exit(130)


def _serve() -> None:
  # What libraries print must not be taken for a message.
  wire = _Wire(os.fdopen(os.dup(1), 'w'))
  os.dup2(2, 1)
  share = json.loads(sys.stdin.readline())
  _take(share)
  # Not an iterator: it would read ahead.
  while line := sys.stdin.readline():
    interrupts.check()
    try:
      _train(json.loads(line), share['n_cores'], wire)
    except UserError as error:
      wire.send(kind='failed', reason=str(error))
    except Exception as error:
      traceback.print_exc()
      wire.send(kind='crashed', reason=f'{type(error).__name__}: {error}')
      return  # what is left of this process is not to be trusted


if __name__ == '__main__':
  main()
