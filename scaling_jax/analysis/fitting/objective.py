"""What a fit of approach 3 minimizes, so that a published fit can be repeated.

Papers differ in what they call the residual, in how far they trust it, and in
whether they add or average. The default asks the runs for the scale.
"""

import dataclasses

RESIDUALS = ('log', 'loss')
LOSSES = ('huber', 'squares')
REDUCTIONS = ('sum', 'mean')

EFFICIENT = 2.0  # standard deviations: 99% efficient for normal residuals


@dataclasses.dataclass(frozen=True, kw_only=True)
class Objective:
  """The sum, or mean, over runs of a loss of residuals.

  Attributes:
    delta: where the Huber loss turns from a square to a line, in the units of
      the residuals. None: twice their standard deviation, which the runs
      tell (Huber 1981, section 4.5), smaller for longer runs where those
      scatter less. Hoffmann et al. 2022 (arXiv 2203.15556) and Besiroglu et
      al. 2024 (arXiv 2404.10102) have 1e-3.
    residuals: 'log' for log L̂ - log L, as Hoffmann has it; 'loss' for L̂ - L, as
      Muennighoff et al. 2023 (arXiv 2305.16264) report theirs and Kaplan et al.
      2020 (arXiv 2001.08361) draw them.
    loss: 'huber', or 'squares' for least squares.
    reduction: 'sum', as Besiroglu et al.; 'mean', as Hoffmann et al. by their
      replication. The minimum is the same; the value of the objective is not,
      and a search that stops at an absolute tolerance stops earlier.

  Raises:
    ValueError: a word is none of these, or delta is not positive.

  >>> Objective(delta=1e-3).fixed, Objective().fixed
  (True, False)
  """

  delta: float | None = None
  residuals: str = 'log'
  loss: str = 'huber'
  reduction: str = 'sum'

  def __post_init__(self):
    for name, words in (
      ('residuals', RESIDUALS),
      ('loss', LOSSES),
      ('reduction', REDUCTIONS),
    ):
      if getattr(self, name) not in words:
        raise ValueError(
          f'{name}={getattr(self, name)!r} must be one of {", ".join(words)}'
        )
    if self.delta is not None and not 0 < self.delta < float('inf'):
      raise ValueError(f'delta={self.delta} must be positive; try delta=1e-3')
    if self.delta is not None and self.loss == 'squares':
      raise ValueError(
        "delta belongs to loss='huber': squares have none; omit delta"
      )

  @property
  def fixed(self) -> bool:
    """Whether nothing of it is asked of the runs: a fit to be repeated."""
    return self.delta is not None or self.loss == 'squares'
