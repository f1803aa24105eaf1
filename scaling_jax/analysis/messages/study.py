"""What is told of tests: the held-out budget, the form of the law."""

from scaling_jax import formatting


def form_misfit(ratio: float) -> str:
  return (
    f'Residuals are {formatting.factor(ratio)} as large about this law as about'
    ' the isoFLOP curves of its budgets: the law misses a shape that the runs show,'
    ' and its intervals take that for noise. The held-out budget tells how far'
    ' to trust it beyond the runs.'
  )


def too_few_budgets(usable: int) -> str:
  return (
    f'{usable} budgets have three models or more; holding one out needs three'
    ' such budgets'
  )


def without_largest(message: str) -> str:
  return f'without the largest budget: {message}'
