"""What people read of a power law through points."""

from scaling_jax import formatting


def fitted(n_points: int, residual_sd: float) -> str:
  return (
    f'fitted to {n_points} points, with a residual standard deviation of'
    f' {formatting.percent(residual_sd)}'
  )


def too_few(what: str, found: int, needed: int) -> str:
  """`what` names the different x, as in 'sizes at one D'."""
  return f'a power law needs {needed} {what}, and there are {found}'


def curved(p_value: float, low: float, high: float) -> str:
  """A line whose points, at x from `low` to `high`, lie on a curve."""
  return (
    'The points lie on a curve, not on a line (t-test,'
    f' {formatting.chance(p_value)}): the power law holds from {formatting.short(low)} to'
    f' {formatting.short(high)}, and nothing is stated beyond.'
  )


def not_shown(message: str, what: str, slope) -> str:
  """`what` the points do not show, as in 'the loss falls with N'."""
  return (
    f'{message}, and these do not show that {what}: the exponent is'
    f' {formatting.estimate(slope)}'
  )
