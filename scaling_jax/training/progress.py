"""What a person sees while models train: a few live lines, or plain ones."""

from collections.abc import Callable, Iterable
import math
import shutil
import sys
import time
from typing import NamedTuple, Protocol, TextIO

from scaling_jax import formatting

PLAIN_EVERY_S = 15.0  # between lines on a pipe
LIVE_EVERY_S = 0.1


class Report(NamedTuple):
  """One moment of a run; losses in nats per token, None before the first."""

  label: str
  step: int
  S: int
  train_loss: float
  val_loss: float | None
  tokens_per_s: float | None
  flops_per_s: float | None
  left_s: float | None

  def line(self) -> str:
    whole = formatting.whole
    done = formatting.percent(self.step / self.S, 2)
    parts = [
      self.label,
      f'step {whole(self.step)}/{whole(self.S)} {done:>4}',
      f'loss {formatting.loss(self.train_loss)}',
    ]
    if self.val_loss is not None:
      parts.append(f'val {formatting.loss(self.val_loss)}')
    if self.tokens_per_s is not None:
      parts.append(formatting.rate(self.tokens_per_s, 'tok/s'))
    if self.flops_per_s is not None:
      parts.append(formatting.rate(self.flops_per_s, 'FLOP/s'))
    if self.left_s is not None:
      parts.append(f'{formatting.duration(self.left_s)} left')
    return '  '.join(parts)


class Line(Protocol):
  """Where a run reports: a `Display`, or a wire to another process' one."""

  def show(self, report: Report, force: bool = False) -> None:
    """Takes a report; shows it now if forced, otherwise when it is time."""

  def message(self, text: str) -> None:
    """Prints lines that stay."""

  def end(self) -> None:
    """The run has ended."""


class Display:
  """Shows a sweep: its head and a line a run, rewritten in place on a terminal.

  On a pipe it prints a run's line now and then. One run alone has no head.

  Args:
    total: runs of the sweep.
    left_s: seconds left for all of them, asked with the reports under way.
    stream: standard output by default.
  """

  def __init__(
    self,
    total: int = 1,
    left_s: Callable[[Iterable[Report]], float | None] | None = None,
    stream: TextIO | None = None,
  ):
    self._stream = stream or sys.stdout
    self._live = self._stream.isatty()
    self._total, self._left_s = total, left_s
    self._last_s: dict[int, float] = {}
    self._reports: dict[int, Report] = {}
    self._rows = 0  # of the terminal that the live part takes
    self.done = self.failed = 0

  def show(self, report: Report, force: bool = False, slot: int = 0) -> None:
    """Takes a run's report; `slot` tells runs under way apart."""
    self._reports[slot] = report
    now = time.monotonic()
    pace = LIVE_EVERY_S if self._live else PLAIN_EVERY_S
    which = 0 if self._live else slot
    if not force and now - self._last_s.get(which, -math.inf) < pace:
      return
    self._last_s[which] = now
    if self._live:
      self._draw()
    else:
      head = self._head()
      line = report.line()
      self._stream.write(f'[{head}]  {line}\n' if head else f'{line}\n')
    self._stream.flush()

  def _head(self) -> str:
    if self._total == 1:
      return ''
    parts = [f'{self.done} of {self._total} runs done']
    if self.failed:
      parts.append(f'{self.failed} failed')
    left = self._left_s and self._left_s(self._reports.values())
    if left is not None:
      parts.append(f'about {formatting.duration(left)} left')
    return ', '.join(parts)

  def _draw(self) -> None:
    width = shutil.get_terminal_size().columns - 1
    lines = [report.line() for _, report in sorted(self._reports.items())]
    head = self._head()
    if head:
      lines = [head, *('  ' + line for line in lines)]
    self._erase()
    self._stream.write('\n'.join(line[:width] for line in lines))
    self._rows = len(lines)

  def _erase(self) -> None:
    if self._rows:
      up = f'\x1b[{self._rows - 1}A' if self._rows > 1 else ''
      self._stream.write(f'\r{up}\x1b[J')
    self._rows = 0

  def message(self, text: str) -> None:
    """Prints lines that stay, above the live ones."""
    if self._live:
      self._erase()
    print(text, file=self._stream, flush=True)
    if self._live and self._reports:
      self._draw()
      self._stream.flush()

  def close(self) -> None:
    """Takes every live line away: nothing is under way any more."""
    self._reports.clear()
    if self._live:
      self._erase()
      self._stream.flush()

  def count(self, done: int = 0, failed: int = 0) -> None:
    """Adds to the runs that are done or failed."""
    self.done += done
    self.failed += failed

  def end(self, slot: int = 0) -> None:
    """Takes a run's line away: it has ended."""
    self._reports.pop(slot, None)
    if self._live:
      self._erase()
      if self._reports:
        self._draw()
      self._stream.flush()


class Clock:
  """Seconds of a run, restarts counted, and those of its training steps."""

  def __init__(self, wall_s=0.0, timed_tokens=0, timed_s=0.0):
    self._before_s = wall_s
    self._start = time.perf_counter()
    self.timed_tokens = timed_tokens
    self.timed_s = timed_s

  @property
  def session_s(self) -> float:
    return time.perf_counter() - self._start

  @property
  def wall_s(self) -> float:
    return self._before_s + self.session_s

  def count(self, tokens: int, seconds: float) -> None:
    self.timed_tokens += tokens
    self.timed_s += seconds

  @property
  def tokens_per_s(self) -> float | None:
    return self.timed_tokens / self.timed_s if self.timed_s else None
