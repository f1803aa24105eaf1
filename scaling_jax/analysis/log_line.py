"""A straight line through logarithms: the power law of one quantity.

By least squares of log y, which is what one noise for all relative errors
asks for, and with Student's intervals, which are exact for it.
"""

from typing import NamedTuple

import numpy as np

from scaling_jax.analysis import uncertainty
from scaling_jax.analysis import words

MIN_POINTS = 3  # different x: two parameters, and one to judge them by


class LogLine(NamedTuple):
  """log y = slope · log x + intercept, and what it might have been.

  Attributes:
    status: 'ok', 'too_few_points' or 'not_identified'.
    sentence: the status for people.
    x, y: [n] what it goes through.
    line: [2] slope and intercept; None where there is none.
    draws: [B, 2] what they might have been.
    noise: the scatter of log y.
  """

  status: str
  sentence: str
  x: np.ndarray
  y: np.ndarray
  line: np.ndarray | None = None
  draws: np.ndarray | None = None
  noise: uncertainty.Noise | None = None

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


def fit(
  x: np.ndarray,
  y: np.ndarray,
  what: str,
  draws: int = 4000,
  seed: int = 0,
) -> LogLine:
  """The line, or why there is none.

  Args:
    x, y: [n], positive.
    what: names the x for the sentence, as in 'sizes at one D'.
    draws: of the coefficients.
    seed: of the draws.
  """
  x, y = np.asarray(x, float), np.asarray(y, float)
  log_x, log_y = np.log(x), np.log(y)
  kinds = len(np.unique(np.round(log_x, 6)))
  if kinds < MIN_POINTS:
    return LogLine(
      'too_few_points',
      f'a power law needs {MIN_POINTS} {what}, and there are {kinds}',
      x,
      y,
    )
  center = log_x.mean()
  basis = np.column_stack([log_x - center, np.ones(len(x))])
  orthogonal, triangle = np.linalg.qr(basis)
  at_center = np.linalg.solve(triangle, orthogonal.T @ log_y)
  noise = uncertainty.noise_of(basis @ at_center - log_y, 2)
  assert noise is not None
  rng = np.random.default_rng(seed)
  scatter = uncertainty.noise_draws(rng, draws, 2, noise)
  drawn = at_center + np.linalg.solve(triangle, scatter.T).T
  moved = np.array([[1.0, -center], [0.0, 1.0]])  # from center to x = 1
  return LogLine(
    'ok',
    f'through {len(x)} points, which scatter by {100 * noise.sd:.2g} %',
    x,
    y,
    at_center @ moved,
    drawn @ moved,
    noise,
  )


def must_slope(found: LogLine, sign: int, said: str, level: float) -> LogLine:
  """The line, or 'not_identified' where its slope may have the other sign.

  Args:
    found: a line.
    sign: of the slope to be, 1 or -1.
    said: what the points don't show, as in 'the loss falls with N'.
    level: of the interval that must not hold a slope of zero.
  """
  if not found.ok or found.line is None or found.draws is None:
    return found
  slope = uncertainty.estimate(found.line[0], found.draws[:, 0], level)
  bound = slope['low'] if sign > 0 else slope['high']
  if bound is not None and sign * bound > 0:
    return found
  return found._replace(
    status='not_identified',
    sentence=(
      f'{found.sentence}, and these do not show that {said}: the slope is'
      f' {words.estimate(slope)}'
    ),
  )
