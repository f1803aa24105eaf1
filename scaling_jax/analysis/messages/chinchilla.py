"""Why approach 3 answers or does not."""

from scaling_jax import formatting


def too_few_runs(n: int, need: int) -> str:
  return f'{n} runs cannot carry five parameters; {need} or more are needed'


def too_few_values(name: str, kinds: int) -> str:
  return f'the runs have {kinds} different {name}, and the law needs three'


def one_budget() -> str:
  return (
    'all runs share one budget, so that N and D move together; a second budget'
    ' is needed'
  )


def along_a_line(slope: float) -> str:
  return (
    f'N and D move together over the runs, D as N^{slope:.2f}, so that their'
    ' terms cannot be told apart; runs of one N and several D are needed'
  )


def no_freedom(n: int, need: int) -> str:
  return (
    f'{n} runs leave too little to judge five parameters by; an interval needs'
    f' {need}'
  )


def rising(alpha: float, beta: float) -> str:
  return (
    'the loss does not fall with both N and D: alpha is'
    f' {formatting.number(alpha, 3)}, beta {formatting.number(beta, 3)}'
  )


def open_draws(share: float) -> str:
  return (
    f'{formatting.percent(share, 2)} of redrawn studies show no law that falls'
    ' with N and D, so that nothing bounds this one'
  )
