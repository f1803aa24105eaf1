"""What people read of the tables: names, titles, notes.

Notes are whole sentences; what completes the message of a fit is not.
"""

from collections.abc import Mapping, Sequence

from scaling_jax import formatting

# The approaches in Hoffmann's order, as tables and pages name them.
APPROACHES = {
  'envelope': '1, envelope',
  'isoflop': '2, isoFLOP',
  'chinchilla': '3, parametric',
}

AVERAGED = '3, averaged over forms'
E_AVERAGED = 'E, averaged over forms'
_DISCREPANCY = 'with discrepancy'  # in the names of shares

TITLES = {
  'runs': 'Runs',
  'budgets': 'Approach 2: the optimum at each budget',
  'power_laws': 'N_opt = N0 C^a and D_opt = D0 C^b',
  'parametric': 'Approach 3: L = E + A / N^alpha + B / D^beta',
  'targets': 'What to train',
  'hold_out': 'The largest budget, predicted from the others',
  'predictions': 'Every budget, predicted from those below it',
  'counting': 'The exponent a of N_opt, by what is counted',
  'kaplan': "Kaplan's laws",
  'critical_batch': 'The critical batch size at each loss',
  'kaplan_vs_chinchilla': 'From Kaplan to Hoffmann: a in N_opt = N0 C^a',
  'curves': 'Training curves: L(s) = floor + c s^-p',
}

# How each of Kaplan's laws is written, by its name in files.
KAPLAN_LAWS = {
  'kaplan_L_N': 'L(N) = (N_c/N)^alpha_N',
  'kaplan_L_D': 'L(D) = (D_c/D)^alpha_D',
  'kaplan_L_ND': 'L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D',
  'kaplan_L_C': 'L(C) = (C_c/C)^alpha_C',
  'kaplan_N_opt': 'N_opt(C) = coefficient · C^exponent, C in PF-days',
  'critical_batch': 'B_crit(L) = B*/L^(1/alpha_B)',
  'kaplan_L_Cmin': 'L(C_min) = (C_c/C_min)^alpha_C',
  'kaplan_N_opt_Cmin': 'N_opt(C_min) likewise',
  'kaplan_B_Cmin': 'B_crit(C_min) likewise',
  'kaplan_S_Cmin': 'S_min(C_min) likewise',
  'kaplan_L_NS': 'L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S',
  'kaplan_consistency': (
    'alpha_C of L(C_min) = 1/(1/alpha_S + 1/alpha_B + 1/alpha_N)'
  ),
}
_KAPLAN_UNITS = {
  'N_c': 'N_c (parameters)',
  'D_c': 'D_c (tokens)',
  'S_c': 'S_c (steps)',
  'C_c': 'C_c (PF-days)',
  'B_star': 'B* (tokens)',
}
_COEFFICIENT_UNITS = {
  'kaplan_N_opt': 'parameters',
  'kaplan_N_opt_Cmin': 'parameters',
  'kaplan_B_Cmin': 'tokens',
  'kaplan_S_Cmin': 'steps',
}


def kaplan_number(law: str, name: str) -> str:
  """A number of one of Kaplan's laws, with its unit."""
  if name == 'coefficient':
    return f'coefficient ({_COEFFICIENT_UNITS[law]})'
  return _KAPLAN_UNITS.get(name, name)


def sentence(text: str) -> str:
  """A message with a capital and a full stop; '' stays ''."""
  text = text.strip()
  if not text:
    return ''
  return text[0].upper() + text[1:] + ('' if text[-1] in '.!?' else '.')


def about(who: Sequence[str] | str, message: str) -> str:
  """A message, after the names of all that it is about."""
  names = who if isinstance(who, str) else '; '.join(who)
  return f'{names}: {message.strip().rstrip(".")}.'


# The runs.


def standard_error(level: float) -> str:
  return (
    '± is one standard error of a loss over the tokens that it was evaluated'
    f' on, and not a {formatting.percent(level)} interval.'
  )


def excluded(run_id: str, reason: str) -> str:
  return about(f'Excluded: {run_id}', reason)


def seed_sd(shown: str) -> str:
  return f'The standard deviation between seeds is {shown} of the loss.'


def residual_sd(shown: str) -> str:
  return (
    f'The residual standard deviation about the law is {shown} of the loss.'
  )


# The laws.


def written(approach: str) -> str:
  """The name of an approach in files: 'parametric' is approach 3's."""
  return approach.replace('chinchilla', 'parametric')


def at_flops(C: float, message: str) -> str:
  return about(f'At {formatting.flops(C)} FLOPs', message)


def at_losses(losses: Sequence[str], message: str) -> str:
  return about(f'At {", ".join(losses)}', message)


def no_loss_by_1_and_2() -> str:
  return 'Approaches 1 and 2 state what to train, but not the loss it reaches.'


def held_out(inside: int, n: int, *, C: float, ahead: float) -> str:
  """How the losses of the largest budget met their predictions."""
  return (
    f'{inside} of {n} losses at {formatting.flops(C)} FLOPs lie in the intervals'
    ' predicted from the budgets below, the largest of which is'
    f' {formatting.factor(ahead)} smaller'
  )


def inside(count: int, n: int, runs: int) -> str:
  """Losses of a budget, of which n of `runs` are a test."""
  if not n:
    return '–'
  return f'{count} of {n}' + ('' if n == runs else f' ({runs - n} no test)')


def met(
  answer: bool | None,
  too_wide: bool,
  words: tuple[str, str] = ('overlap', 'apart'),
) -> str:
  """How a prediction met what was found; as wide as to hold all is no test."""
  return 'too wide to miss' if too_wide else yes_no(answer, words)


def chance(p: float) -> str:
  return '–' if p != p else formatting.number(p, 2)


def predictions() -> str:
  return (
    'Chance: how rarely a true law leaves losses as far from what was predicted,'
    ' all of a budget together.'
  )


def averaged(shares: Mapping[str, float]) -> str:
  """`shares` is the probability of each form, with a discrepancy and without."""
  smooth = sum(p for name, p in shares.items() if name.endswith(_DISCREPANCY))
  plain = shares.get('chinchilla', 0.0)
  return (
    "Averaged over forms: approach 3 without the claim that Chinchilla's form is"
    f' right, which has a probability of {_probability(plain)}; a smooth'
    f' discrepancy has {_probability(smooth)}.'
  )


def _probability(p: float) -> str:
  return 'less than 0.1%' if p < 1e-3 else formatting.percent(p, 2)


def cut_short(share: float) -> str:
  return (
    'Cut short: at the end the training loss was still falling by more than'
    f' {formatting.percent(share)} for each doubling of the steps, annealing'
    ' included.'
  )


def nothing_settled() -> str:
  return (
    'All these intervals share a number: the runs do not settle what moves the'
    ' exponent.'
  )


def yes_no(answer: bool | None, words: tuple[str, str] = ('yes', 'no')) -> str:
  return '–' if answer is None else words[0] if answer else words[1]
