"""Ctrl-C, held back while what is being written would be left in halves."""

from collections.abc import Iterator
import contextlib
import signal
import threading


@contextlib.contextmanager
def held_back() -> Iterator[None]:
  """Lets a Ctrl-C wait until the block has ended; a second one does not."""
  main = threading.current_thread() is threading.main_thread()
  usual = signal.getsignal(signal.SIGINT)
  if not main or not callable(usual):
    yield  # only the main thread hears signals, and this one has its own way
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
