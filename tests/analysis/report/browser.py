"""A real Chromium, headless, spoken to through its debugging pipe.

No driver is needed: messages are JSON, each ended by a zero byte, on file
descriptors 3 and 4 of the browser.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
SKIP = f'no Chromium here: none of {", ".join(NAMES)} is on the path'
_FLAGS = (
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  '--remote-debugging-pipe',
)  # fmt: skip
# Python puts the pipes where the browser looks for them: a hook between fork
# and exec would do it too, but not beside JAX's threads.
_START = """
import fcntl, os, sys
# First out of the way of 3 and 4 themselves.
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
TIMEOUT_S = 60


def find() -> str | None:
  """The path of a Chromium, or None."""
  found = (shutil.which(name) for name in NAMES)
  return next((path for path in found if path), None)


class Browser:
  """One page of one browser; a context manager.

  Attributes:
    console: what the page wrote as errors or warnings, uncaught ones included.
    requests: the URLs that the page asked for.
  """

  def __init__(self):
    self.profile = tempfile.TemporaryDirectory(
      prefix='scaling_jax_chromium_', ignore_cleanup_errors=True
    )
    child_read, self.write_fd = os.pipe()
    self.read_fd, child_write = os.pipe()
    command = [
      find(), *_FLAGS, f'--user-data-dir={self.profile.name}', 'about:blank',
    ]  # fmt: skip
    self.process = subprocess.Popen(
      [sys.executable, '-c', _START, str(child_read), str(child_write),
       *command],
      pass_fds=(child_read, child_write),
      stdout=subprocess.DEVNULL,
      stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(child_read)
    os.close(child_write)
    self.buffer = b''
    self.count = 0
    self.session = None
    self.console: list[str] = []
    self.requests: list[str] = []
    self.loaded = False

  def __enter__(self) -> 'Browser':
    try:
      self._attach()
    except BaseException:
      self.__exit__()
      raise
    return self

  def _attach(self) -> None:
    made = self.send('Target.createTarget', url='about:blank')
    attached = self.send(
      'Target.attachToTarget', targetId=made['targetId'], flatten=True
    )
    self.session = attached['sessionId']
    for domain in ('Page', 'Runtime', 'Log', 'Network'):
      self.send(f'{domain}.enable')

  def __exit__(self, *_) -> None:
    self.session = None
    try:
      self.send('Browser.close')
      self.process.wait(10)
    except (OSError, TimeoutError, subprocess.TimeoutExpired):
      self.process.kill()
      self.process.wait()
    os.close(self.write_fd)
    os.close(self.read_fd)
    self.profile.cleanup()

  def send(self, method: str, **params):
    """Calls a method of the DevTools protocol and returns its result."""
    self.count += 1
    message = {'id': self.count, 'method': method, 'params': params}
    if self.session:
      message['sessionId'] = self.session
    os.write(self.write_fd, json.dumps(message).encode() + b'\0')
    while True:
      answer = self._receive()
      if answer.get('id') == self.count:
        if 'error' in answer:
          raise RuntimeError(f'{method}: {answer["error"]}')
        return answer['result']

  def _receive(self):
    """The next message; an event is noted before it is returned."""
    deadline = time.monotonic() + TIMEOUT_S
    while b'\0' not in self.buffer:
      left = max(0, deadline - time.monotonic())
      if not select.select([self.read_fd], [], [], left)[0]:
        raise TimeoutError(f'Chromium did not answer within {TIMEOUT_S} s')
      read = os.read(self.read_fd, 1 << 20)
      if not read:
        raise OSError('Chromium closed its pipe')
      self.buffer += read
    line, _, self.buffer = self.buffer.partition(b'\0')
    message = json.loads(line)
    self._note(message.get('method'), message.get('params') or {})
    return message

  def _note(self, method, params) -> None:
    if method == 'Page.loadEventFired':
      self.loaded = True
    elif method == 'Network.requestWillBeSent':
      self.requests.append(params['request']['url'])
    elif method == 'Runtime.exceptionThrown':
      self.console.append(json.dumps(params['exceptionDetails']))
    elif method == 'Runtime.consoleAPICalled':
      if params['type'] in ('error', 'warning', 'assert'):
        self.console.append(json.dumps(params['args']))
    elif method == 'Log.entryAdded':
      self.console.append(json.dumps(params['entry']))

  def open(self, path, fragment: str = '', width: int = 1280) -> None:
    """Loads a file of this machine afresh, at a width in CSS pixels."""
    self.send(
      'Emulation.setDeviceMetricsOverride', width=width, height=900,
      deviceScaleFactor=1, mobile=width < 600,
    )  # fmt: skip
    self.send('Page.navigate', url='about:blank')
    self.console, self.requests = [], []
    self.loaded = False
    url = pathlib.Path(path).resolve().as_uri()
    self.send('Page.navigate', url=url + fragment)
    # The blank page's own event may come late: ask the page itself.
    while not self.loaded or not self.run(
      "document.readyState === 'complete' && location.protocol === 'file:'"
    ):
      self._receive()

  def run(self, expression: str):
    """The value of a JavaScript expression in the page."""
    found = self.send(
      'Runtime.evaluate', expression=expression, returnByValue=True
    )
    if 'exceptionDetails' in found:
      raise RuntimeError(found['exceptionDetails'])
    return found['result'].get('value')

  def dark(self, on: bool) -> None:
    """Whether the person prefers dark pages."""
    scheme = {
      'name': 'prefers-color-scheme',
      'value': 'dark' if on else 'light',
    }
    self.send('Emulation.setEmulatedMedia', features=[scheme])

  def picture(self, path, whole: bool = True) -> None:
    """Writes a PNG of the page."""
    shot = self.send(
      'Page.captureScreenshot', format='png', captureBeyondViewport=whole
    )
    pathlib.Path(path).write_bytes(base64.b64decode(shot['data']))
