"""Whether a run counts, by what a table says of its state."""

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.vocabulary import listed

_FINISHED = listed(
  """
  done finished complete completed success succeeded successful ok ended exited
  closed stopped converged true yes 1 final finish passed
  """
)
_KINDS = {
  **dict.fromkeys(
    listed('diverged divergence diverging nan inf unstable blewup exploded'),
    Exclusion.DIVERGED,
  ),
  **dict.fromkeys(
    listed(
      """
      crashed crash failed failure fail killed oom outofmemory error errored
      exception timeout timedout nodefail dead lost broken
      """
    ),
    Exclusion.CRASHED,
  ),
  **dict.fromkeys(
    listed(
      """
      running pending queued unfinished incomplete partial inprogress started
      preempted preempting cancelled canceled aborted interrupted paused waiting
      submitted scheduled resuming training false no 0 notfinished notdone
      notstarted planned
      """
    ),
    Exclusion.UNFINISHED,
  ),
  **dict.fromkeys(
    listed('earlystopped earlystop earlystopping stoppedearly truncated cut'),
    Exclusion.EARLY_STOPPED,
  ),
}

_NEGATIONS = listed('not no never without un')
_SURE = listed(
  'running pending queued crashed failed killed diverged unfinished incomplete'
  ' oom preempted cancelled canceled aborted timeout interrupted'
)
_YES = listed('true yes y 1 t x ✓ ✔')
_NO = listed('false no n 0 f ✗ ✘')


def of_status(text: str) -> Exclusion | None:
  """Why a run of this status does not count; None where it does.

  What is not known counts: see `is_known`.

  >>> of_status('Finished'), of_status('CRASHED'), of_status('early stopped')
  (None, <Exclusion.CRASHED: 'crashed'>, <Exclusion.EARLY_STOPPED: 'early_stopped'>)
  """
  return _KINDS.get(_telling(text))


def is_known(text: str) -> bool:
  """Whether a status is known to mean finished, or something else.

  >>> is_known('done'), is_known('archived')
  (True, False)
  """
  told = _telling(text)
  return not told or told in _FINISHED or told in _KINDS


def truth(text: str) -> bool | None:
  """Whether a cell says yes; None where it says neither.

  >>> truth('True'), truth('0.0'), truth('perhaps')
  (True, False, None)
  """
  plain = columns.value(text)
  return True if plain in _YES else False if plain in _NO else None


def _telling(text: str) -> str:
  """What tells of a status: all of it, or the first word of 'failed (OOM)'."""
  words = columns.words(text)
  joined = ''.join(words) or columns.value(text)
  if joined in _FINISHED or joined in _KINDS or {*words} & _NEGATIONS:
    return joined
  first = words[0] if words else ''
  if (first in _FINISHED or first in _KINDS) and not first.isdigit():
    return first
  # 'still running' and 'job failed' tell by a later word.
  return next((word for word in words if word in _SURE), joined)
