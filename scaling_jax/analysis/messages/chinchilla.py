"""Why approach 3 answers or does not."""

from scaling_jax import formatting


def too_few_runs(n: int, need: int) -> str:
  runs = formatting.many(n, 'run')
  return f'{runs} cannot carry five parameters; {need} or more are needed'


def too_few_values(name: str, kinds: int) -> str:
  differs = f'one {name}' if kinds == 1 else f'{kinds} different {name}'
  return f'the runs have {differs}, and the law needs three'


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


def outliers(fit, names=None) -> tuple[str, ...]:
  """Which runs lie far from the law, one message for all."""
  rows = sorted(fit.outliers, key=lambda i: -abs(fit.deviations[i]))
  if not rows:
    return ()
  told = [_distance(i, float(fit.deviations[i]), names) for i in rows[:_TOLD]]
  if len(rows) > _TOLD:
    told.append(f'{len(rows) - _TOLD} more')
  verb = 'lies' if len(rows) == 1 else 'lie'
  fate = 'excluded' if fit.excludes else 'fitted all the same'
  are = 'is' if len(rows) == 1 else 'are'
  runs = formatting.many(len(rows), 'run')
  return (f'{runs} {verb} off the law and {are} {fate}: {", ".join(told)}',)


_SEEDS_CHANCE = 0.05  # of seeds alone, that more than they is seen
_TOLD = 5  # runs that are named in one message


def _distance(i: int, off: float, names) -> str:
  name = names[i] if names is not None else f'run {i}'
  side = 'above it' if off > 0 else 'below it'
  size = formatting.plain(abs(off), 2)
  return f'{name} ({size} standard deviations {side})'


def scatter(fit) -> tuple[str, ...]:
  """How residuals scatter, where that is more than a size."""
  out = []
  if fit.model_sd:
    out.append(
      'residuals of one model go together, as of checkpoints of one training:'
      f' between models they scatter {formatting.factor(fit.model_sd)}'
      ' as much as within, and intervals allow for it'
    )
  if fit.seed_sd is not None and fit.n_cells:
    out.append(_seeds(fit))
  return tuple(out)


def _seeds(fit) -> str:
  first = (
    f'{int(fit.counted.sum())} runs are {fit.n_cells} data, the seeds of one N'
    f' and D being one; seeds scatter by {formatting.percent(fit.seed_sd.sd)},'
    f' their means about the law by {formatting.percent(fit.residual_sd.sd)}'
  )
  if fit.seeds_p_value < _SEEDS_CHANCE:
    return (
      f'{first}: more than seeds explain, so that more seeds would buy little'
    )
  return (
    f'{first}: no more than seeds explain, so that more seeds narrow intervals'
  )
