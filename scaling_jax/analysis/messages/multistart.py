"""How a search from many starts ended."""

from scaling_jax import formatting


def no_finite_objective() -> str:
  return 'no start led to a finite objective'


def gradient_too_large(n_starts: int, gradient: float, most: float) -> str:
  return (
    f'the best of {n_starts} starts stopped where the gradient is'
    f' {formatting.scientific(gradient, 2)}, above'
    f' {formatting.scientific(most, 2)}'
  )


def too_few_agree(n_agree: int, n_starts: int, least: int) -> str:
  return (
    f'{n_agree} of {n_starts} starts reached the lowest objective, and {least}'
    ' are needed'
  )


def ill_conditioned(condition: float, most: float) -> str:
  return (
    'the data leave a direction of the law open: the condition number is'
    f' {formatting.scientific(condition, 2)}, above'
    f' {formatting.scientific(most, 2)}'
  )


def converged(
  n_agree: int, n_starts: int, gradient: float, condition: float
) -> str:
  return (
    f'{n_agree} of {n_starts} starts agree, gradient'
    f' {formatting.scientific(gradient, 2)}, condition number'
    f' {formatting.number(condition, 3)}'
  )


def flat(spread: float) -> str:
  return (
    'the minimum is flat: starts that agree in the objective end'
    f' {formatting.number(spread, 2)} apart in the logarithm of a parameter, so'
    ' that the runs do not tell it'
  )
