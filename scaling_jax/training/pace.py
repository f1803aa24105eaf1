"""The time that is left, from the runs that went before."""

from collections.abc import Iterable, Sequence
import time

from scaling_jax.training import job as job_lib
from scaling_jax.training import progress as progress_lib

# Rough seconds on two CPU cores. Only their ratios matter, and they put runs of
# small and large models on one scale until this machine has shown its own.
_TOKEN_S, _FLOP_S, _STEP_S, _RUN_S = 6e-7, 7e-12, 1e-4, 2.0
_SHOW_AFTER_S = 3.0


class Pace:
  """How much of a sweep is done, weighed by what its runs should take.

  Args:
    parallel: runs under way at a time.
  """

  def __init__(self, parallel: int = 1):
    self._parallel = parallel
    self._weight: dict[str, float] = {}
    self._first: dict[str, float] = {}  # the share that a run began with
    self._worked = 0.0
    self._start_s = time.monotonic()

  def expect(self, job: job_lib.Job, seeds: Sequence[int]) -> float:
    """Adds a run that is to be trained; returns its weight."""
    plan = job.plan
    tokens = plan.D + len(job.dataset.val) / 3
    work = tokens * (_TOKEN_S + _FLOP_S * job.flops_per_token)
    work = len(seeds) * (work + plan.S * _STEP_S) + _RUN_S
    self._weight[job_lib.title(job, seeds)] = work
    return work

  def __contains__(self, title: str) -> bool:
    """Whether this run is expected and not over."""
    return title in self._weight

  def end(self, title: str) -> None:
    """Notes a run as done."""
    work = self._weight.pop(title, 0.0)
    self._worked += work * (1 - self._first.pop(title, 0.0))

  def drop(self, title: str) -> None:
    """Notes a run as failed: what it would have taken was not worked off."""
    self._weight.pop(title, None)
    self._first.pop(title, None)

  def left_s(self, reports: Iterable[progress_lib.Report]) -> float | None:
    """Seconds until all is done, None while it is not known."""
    worked, left = self._worked, dict(self._weight)
    for report in reports:
      if report.label in left:
        share = report.step / report.S
        work = left[report.label]
        first = self._first.setdefault(report.label, share)
        worked += work * (share - first)
        left[report.label] = work * (1 - share)
    elapsed_s = time.monotonic() - self._start_s
    if elapsed_s < _SHOW_AFTER_S or worked <= 0 or not left:
      return None
    # At the end one long run may be left, which no other can help.
    longest = max(left.values()) * self._parallel
    return max(sum(left.values()), longest) * elapsed_s / worked
