"""What people read of the report's calculator."""

from scaling_jax import formatting
from scaling_jax.analysis.messages.report import RANGES
from scaling_jax.analysis.messages.tables import APPROACHES


def hint(approach: str) -> str:
  return f'By approach {APPROACHES[approach]}. Type 1e18, 2.5e9, 10B or 3T.'


def doubted() -> str:
  return (
    'These intervals take the form of the law for granted, against which a test'
    ' speaks: trust those above.'
  )


def without_loss(status: str) -> str:
  return (
    f'Approach {APPROACHES["chinchilla"]}, is {status}: without it the loss is'
    ' not known.'
  )


def needs_a_law() -> str:
  """Before the status of approach 3."""
  return f'The calculator needs a law that is ok. Approach {APPROACHES["chinchilla"]}:'


def needs_javascript() -> str:
  return 'The calculator needs JavaScript; above is one case.'


def within(of: str) -> str:
  return f'Within the {RANGES[of][0]}.'


def beyond(factor: str, of: str) -> str:
  """`factor` is of C over the largest that the law was fitted on."""
  return _extrapolated(f'{factor} the largest {RANGES[of][1]}')


def below(factor: str, of: str) -> str:
  """`factor` is of the smallest that the law was fitted on over C."""
  return _extrapolated(f'{factor} below the smallest {RANGES[of][1]}')


def _extrapolated(far: str) -> str:
  return (
    f'Extrapolated, {far}: the interval holds only if the law keeps its shape'
    ' that far.'
  )


def cost_extrapolated(low: float, high: float) -> str:
  """Of a model outside those, of low to high parameters, that tell a cost."""
  return (
    'The cost of a model of this size is extrapolated, from models of'
    f' {formatting.short(low)} to {formatting.short(high)} parameters.'
  )


def given() -> str:
  return 'given'


def no_optimum() -> str:
  return 'The law has no optimum there.'


def no_amount() -> str:
  return 'That is no amount: it must be a positive number; try 1e18, 10B or 3T.'


def decimal_comma() -> str:
  return 'Use a point for decimals, and commas for thousands only: 1.5e12.'
