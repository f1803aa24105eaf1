"""What a person sees while a model trains: one live line, or plain lines."""

import shutil
import sys
import time
from typing import NamedTuple, TextIO

PLAIN_EVERY_S = 15.0  # between lines on a pipe
LIVE_EVERY_S = 0.1


def si(value: float, unit: str) -> str:
  """1234567 -> '1.23 M', with three digits."""
  for factor, prefix in ((1e15, 'P'), (1e12, 'T'), (1e9, 'G'), (1e6, 'M')):
    if abs(value) >= factor:
      return f'{value / factor:.3g} {prefix}{unit}'
  if abs(value) >= 1e4:
    return f'{value / 1e3:.3g} k{unit}'
  return f'{value:.4g} {unit}'.rstrip()


def duration(seconds: float) -> str:
  """Seconds as a person says them: '42s', '8m05s', '3h20m', '2d04h'."""
  seconds = round(seconds)
  if seconds < 60:
    return f'{seconds}s'
  if seconds < 3600:
    return f'{seconds // 60}m{seconds % 60:02d}s'
  if seconds < 86400:
    return f'{seconds // 3600}h{seconds % 3600 // 60:02d}m'
  return f'{seconds // 86400}d{seconds % 86400 // 3600:02d}h'


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
    parts = [
      self.label,
      f'step {self.step:,}/{self.S:,} {self.step / self.S:4.0%}',
      f'loss {self.train_loss:.4f}',
    ]
    if self.val_loss is not None:
      parts.append(f'val {self.val_loss:.4f}')
    if self.tokens_per_s is not None:
      parts.append(si(self.tokens_per_s, 'tok/s'))
    if self.flops_per_s is not None:
      parts.append(si(self.flops_per_s, 'FLOP/s'))
    if self.left_s is not None:
      parts.append(f'{duration(self.left_s)} left')
    return '  '.join(parts)


class ProgressLine:
  """Shows reports: rewrites one line on a terminal, prints now and then on a
  pipe."""

  def __init__(self, stream: TextIO | None = None):
    self._stream = stream or sys.stdout
    self._live = self._stream.isatty()
    self._last_s = -float('inf')
    self._shown = False

  def show(self, report: Report, force: bool = False) -> None:
    now = time.monotonic()
    pace = LIVE_EVERY_S if self._live else PLAIN_EVERY_S
    if not force and now - self._last_s < pace:
      return
    self._last_s = now
    line = report.line()
    if self._live:
      width = shutil.get_terminal_size().columns - 1
      self._stream.write('\r\x1b[K' + line[:width])
      self._shown = True
    else:
      self._stream.write(line + '\n')
    self._stream.flush()

  def say(self, text: str) -> None:
    """Prints a line of its own, above the live one."""
    self.close()
    print(text, file=self._stream, flush=True)

  def close(self) -> None:
    """Ends the live line, so that what follows starts on a fresh one."""
    if self._shown:
      self._stream.write('\n')
      self._stream.flush()
      self._shown = False


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
