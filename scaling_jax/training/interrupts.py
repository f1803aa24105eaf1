"""Ctrl-C: never lost, and held back while records would be left in halves."""

from collections.abc import Iterator
import contextlib
import signal
import threading

_noted = False  # a Ctrl-C came since `listening` began


def _note(number, frame):
  global _noted
  del number, frame
  _noted = True
  raise KeyboardInterrupt


def _in_main_thread() -> bool:
  return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def listening() -> Iterator[None]:
  """Remembers a Ctrl-C for `check`, also where its exception gets lost.

  Python drops exceptions in finalizers and in callbacks of the garbage
  collector, and JAX has some of them.
  """
  global _noted
  if not _in_main_thread() or signal.getsignal(signal.SIGINT) is _note:
    check()
    yield  # only the main thread hears signals, and it listens already
    return
  _noted = False
  before = signal.signal(signal.SIGINT, _note)
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, before)


def check() -> None:
  """Raises the KeyboardInterrupt that came before, if one did."""
  if _noted:
    raise KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[None]:
  """Lets a Ctrl-C wait until the block has ended; a second one does not."""
  usual = signal.getsignal(signal.SIGINT)
  if not _in_main_thread() or not callable(usual):
    yield  # another thread, or a process that has its own way with signals
    return
  waiting: list[tuple] = []

  def note(number, frame):
    if waiting:
      usual(number, frame)
    waiting.append((number, frame))

  signal.signal(signal.SIGINT, note)
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, usual)
  if waiting:
    usual(*waiting[0])
