"""Huge pages for the memory that XLA computes in, where Linux gives them.

XLA takes its buffers from malloc. In pages of 4 KB a large model's step spends a
tenth of its time on looking pages up. glibc asks for huge ones where
GLIBC_TUNABLES tells it to as the process starts.
"""

import os
import pathlib
import sys

_SETTING = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled')
_TUNABLES = 'GLIBC_TUNABLES'
_ASK = 'glibc.malloc.hugetlb=1'


def environment() -> dict[str, str]:
  """The variable that a new process needs to get huge pages.

  Returns:
    Nothing where a process gets them anyway, can't, or has asked already.
  """
  try:
    on_request = '[madvise]' in _SETTING.read_text()
  except OSError:
    return {}
  given = os.environ.get(_TUNABLES, '')
  if not on_request or _ASK.partition('=')[0] in given:
    return {}
  return {_TUNABLES: ':'.join(filter(None, (given, _ASK)))}


def ask() -> None:
  """Starts this program anew with huge pages, unless it has them; once."""
  wanted = environment()
  if not wanted or not sys.executable:
    return
  sys.stdout.flush()
  sys.stderr.flush()
  os.execve(
    sys.executable,
    [sys.executable, *sys.orig_argv[1:]],
    {**os.environ, **wanted},
  )
