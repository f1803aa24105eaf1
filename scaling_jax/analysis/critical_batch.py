"""The critical batch size: how many tokens a step are worth their compute.

McCandlish et al. 2018 (arXiv 1812.06162), Kaplan et al. 2020, section 5. A
batch of B tokens reaches a loss L in S steps on E = B S tokens, and these obey
(S/S_min - 1)(E/E_min - 1) = 1. The same is S = S_min + E_min/B: that is fitted to
log S at each loss, with S_min and E_min below all that was measured. Then
B_crit = E_min/S_min is a power of the loss.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import fit as fit_lib
from scaling_jax.analysis import kaplan
from scaling_jax.analysis import log_line
from scaling_jax.analysis import steps_to_loss
from scaling_jax.analysis import uncertainty
from scaling_jax.analysis.steps_to_loss import MIN_BATCHES
from scaling_jax.analysis.steps_to_loss import BatchRun
from scaling_jax.analysis.steps_to_loss import Measured

WIDE = 100.0  # an interval whose ends are further apart tells nothing
RESOLUTION = kaplan.RESOLUTION  # what bins and interpolation leave of S
_BOUND = 6.0  # from here on the share of a bound is all of it
_FAR = 300.0  # a logarithm that no count comes near
_DELTA = 1e3  # thousandths of log S: least squares for all that is measured
PAD = 8
_STARTS = np.array([[u, v] for u in (-3, -1, 0, 2) for v in (-3, -1, 0, 2)])


class Target(NamedTuple):
  """What each batch needed to reach one loss, and the hyperbola through it.

  Attributes:
    L: nats per token.
    status, sentence: the verdict.
    B, S, rate: [n] tokens a step, steps, and the learning rate that was first.
    S_min, E_min: steps and tokens; nan where there is no hyperbola.
    S_draws, E_draws: [draws] what they might have been; nan likewise.
  """

  L: float
  status: str
  sentence: str
  B: np.ndarray
  S: np.ndarray
  rate: np.ndarray
  S_min: float = np.nan
  E_min: float = np.nan
  S_draws: np.ndarray = np.empty(0)
  E_draws: np.ndarray = np.empty(0)

  @property
  def ok(self) -> bool:
    return self.status == 'ok'


class Critical(NamedTuple):
  """B_crit(L) and what it was made from.

  Attributes:
    status, sentence: the verdict.
    targets: the losses that were looked at, from the highest.
    law: None where there is none.
    draws: the law of arrays, what it might have been.
    notes: sentences on the learning rates.
    n_batches: batch sizes of the runs.
  """

  status: str
  sentence: str
  targets: tuple[Target, ...] = ()
  law: laws.CriticalBatch | None = None
  draws: laws.CriticalBatch | None = None
  notes: tuple[str, ...] = ()
  n_batches: int = 0

  @property
  def ok(self) -> bool:
    return self.status == 'ok'

  @property
  def fitted(self) -> tuple[float, float]:
    """The lowest and the highest loss that the law goes through."""
    L = [t.L for t in self.targets if t.ok]
    return min(L), max(L)


def law_of(found: log_line.LogLine, level: float = 0.95) -> Critical:
  """The law through points of L and B_crit, such as a figure's."""
  found = log_line.must_slope(found, -1, _GROWS, level)
  if not found.ok or found.line is None or found.draws is None:
    return Critical(found.status, found.sentence)
  return Critical(
    'ok', found.sentence, (), _law(found.line), _law(found.draws.T)
  )


_GROWS = 'the critical batch grows as the loss falls'


def _law(line) -> laws.CriticalBatch:
  slope, intercept = line
  with np.errstate(over='ignore', divide='ignore'):
    return laws.CriticalBatch(np.exp(intercept), -1 / slope)


def fit(
  runs: Sequence[BatchRun],
  draws: int = 400,
  seed: int = 0,
  level: float = 0.95,
) -> Critical:
  """B_crit(L) from runs of one model and several batches.

  Args:
    runs: of one size on the same data.
    draws: redrawn studies, in which the steps of a batch at all losses move
      together as they do about their hyperbolas.
    seed: of the draws.
    level: of the intervals to be.
  """
  n_batches = len({run.B for run in runs})
  found = _fit_runs(runs, n_batches, draws, seed, level)
  return found._replace(
    notes=tuple(_about_rates(runs, found.targets)), n_batches=n_batches
  )


def _fit_runs(runs, n_batches: int, draws, seed, level) -> Critical:
  if n_batches < MIN_BATCHES:
    return Critical(
      'too_few_points',
      f'the runs of one size have {n_batches} batch'
      f' size{"s" * (n_batches != 1)}, and the hyperbola needs {MIN_BATCHES}',
    )
  measured = steps_to_loss.measure(runs)
  if not measured:
    return Critical(
      'too_few_points',
      f'no loss is reached after its warmup by {MIN_BATCHES} batch sizes: train'
      ' the slowest for longer',
    )
  padded = [_padded(at) for at in measured]
  return _through(_hyperbolas(padded, draws, seed, level), level)


def _padded(at: Measured) -> Measured:
  """With batches that reached nothing, so that few shapes are compiled."""
  extra = (0, -len(at.B) % PAD)
  return at._replace(
    B=np.pad(at.B, extra, constant_values=1.0),
    S=np.pad(at.S, extra, constant_values=np.nan),
    rate=np.pad(at.rate, extra, constant_values=np.nan),
  )


def _residuals(params, data):
  """Thousandths of log S [n]; params make S_min and E_min shares of a bound."""
  S_min = data['S_bound'] + jax.nn.log_sigmoid(params[0])
  E_min = data['E_bound'] + jax.nn.log_sigmoid(params[1])
  return 1e3 * (jnp.logaddexp(S_min, E_min - data['log_B']) - data['log_S'])


def _data(log_B: np.ndarray, log_S: np.ndarray) -> dict[str, np.ndarray]:
  """What `_residuals` takes: log_B [n], log_S [..., n]; nan counts not."""
  known = np.isfinite(log_S)
  log_E = log_S + log_B
  return {
    'log_B': np.broadcast_to(log_B, log_S.shape),
    'log_S': np.where(known, log_S, 0.0),
    'S_bound': np.min(np.where(known, log_S, np.inf), axis=-1),
    'E_bound': np.min(np.where(known, log_E, np.inf), axis=-1),
  }


def _minima(params: np.ndarray, data) -> tuple[np.ndarray, np.ndarray]:
  """log S_min and log E_min of params [..., 2]."""
  return (
    data['S_bound'] - np.logaddexp(0.0, -params[..., 0]),
    data['E_bound'] - np.logaddexp(0.0, -params[..., 1]),
  )


def _data_of(at: Measured) -> dict[str, np.ndarray]:
  return _data(np.log(at.B), np.log(at.S))


def _weights(at: Measured) -> np.ndarray:
  return at.known.astype(float)


def _fit(at: Measured) -> fit_lib.Fit | None:
  if at.known.sum() < MIN_BATCHES:
    return None
  return fit_lib.fit(_residuals, _STARTS, _data_of(at), _weights(at), _DELTA)


def _fitted(at: Measured, found: fit_lib.Fit) -> np.ndarray:
  """[n] log S on the hyperbola."""
  S_min, E_min = _minima(found.params, _data_of(at))
  return np.logaddexp(S_min, E_min - np.log(at.B))


def _hyperbolas(
  measured: Sequence[Measured], draws: int, seed: int, level: float
) -> tuple[Target, ...]:
  """A Target for each loss; a redrawn study is the same one in all."""
  fits = [_fit(at) for at in measured]
  left_BL = np.full((len(measured[0].B), len(measured)), np.nan)
  for k, (at, found) in enumerate(zip(measured, fits)):
    if found is not None:
      n = at.known.sum()
      left = np.log(at.S) - _fitted(at, found)
      left_BL[:, k] = left * np.sqrt(n / (n - 2))
  moves = _moves(left_BL, draws, seed)
  # The losses share their noise, which so few batches tell as Student's t does.
  dof = max(max(at.known.sum() for at in measured) - 2, 1)
  wider = uncertainty.wider(level, dof)
  return tuple(
    _target(at, found, moves[:, :, k], level, wider)
    for k, (at, found) in enumerate(zip(measured, fits))
  )


def _target(
  at: Measured,
  found: fit_lib.Fit | None,
  moves: np.ndarray,
  level: float,
  wider: float,
) -> Target:
  if found is None:
    return Target(
      at.L,
      'too_few_points',
      f'{at.known.sum()} batch sizes reach it after their warmup, and'
      f' {MIN_BATCHES} are needed',
      *at.at,
    )
  if found.status == 'not_converged':
    return Target(at.L, found.status, found.sentence, *at.at)
  log_min = _minima(found.params, _data_of(at))
  drawn = np.where(at.known, _fitted(at, found) + moves, np.nan)
  redrawn = _data(np.log(at.B), drawn)
  refits = fit_lib.refit(
    _residuals, np.clip(found.params, -_BOUND, _BOUND), redrawn,
    np.tile(_weights(at), (len(drawn), 1)), _DELTA,
    batched_data=True,
  )  # fmt: skip
  S_draws, E_draws = (
    np.exp(np.clip(x + wider * (drawn_x - x), -_FAR, _FAR))
    for x, drawn_x in zip(log_min, _minima(refits.params, redrawn))
  )
  S_min, E_min = (float(np.exp(x)) for x in log_min)
  said = _open(at, found, S_draws, E_draws, level)
  return Target(
    at.L,
    'not_identified' if said else 'ok',
    said or f'{at.known.sum()} batch sizes reach it',
    *at.at,
    S_min,
    E_min,
    S_draws,
    E_draws,
  )


def _open(
  at: Measured, found: fit_lib.Fit, S_draws, E_draws, level: float
) -> str:
  """Why one of the two is not identified, or ''."""
  span = f'{at.at[0].min():,.0f} to {at.at[0].max():,.0f} tokens'
  for name, param, drawn, which in (
    ('S_min', found.params[0], S_draws, 'larger'),
    ('E_min', found.params[1], E_draws, 'smaller'),
  ):
    if param > _BOUND:
      return (
        f'the least of {name[0]} that was measured is itself {name}: noise hides'
        f' how {name[0]} falls over batches of {span}'
      )
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    if not high < WIDE * low:
      return f'batches of {span} do not bound {name}: {which} ones are needed'
  return '' if found.status == 'ok' else found.sentence


def _moves(left_BL: np.ndarray, draws: int, seed: int) -> np.ndarray:
  """[draws, B, L] by which log S of a redrawn study differs from the fit's.

  A loss whose hyperbola happens to be met well has the noise of all of them:
  it is those that are identified, and taken for themselves they foretold too
  little.
  """
  rng = np.random.default_rng(seed)
  known = np.isfinite(left_BL)
  squares = np.where(known, left_BL, 0.0) ** 2
  own = np.sqrt(squares.sum(0) / np.maximum(known.sum(0), 1))
  every = np.sqrt(squares.sum() / np.maximum(known.sum(), 1))
  left = left_BL * np.maximum(1.0, every / np.maximum(own, 1e-9))
  moves = uncertainty.curve_draws(rng, draws, left)
  return moves + RESOLUTION * rng.normal(size=moves.shape)


def _through(targets: tuple[Target, ...], level: float) -> Critical:
  """The power law through the losses whose hyperbola is identified."""
  good = [t for t in targets if t.ok]
  out = f'{len(targets) - len(good)} of {len(targets)} losses are left out'
  L = np.array([t.L for t in good])
  B = np.array([t.E_min / t.S_min for t in good])
  found = log_line.fit(L, B, 'losses with a hyperbola')
  if not found.ok:
    return _without_law(targets, found, out)
  drawn_B = np.log([t.E_draws / t.S_draws for t in good])
  # A loss that is known to a factor of two must not outweigh one known to 5 %.
  weights = 1 / np.maximum(np.std(drawn_B, axis=1), 1e-3)
  line = np.polyfit(np.log(L), np.log(B), 1, w=weights)
  drawn = np.polyfit(np.log(L), drawn_B, 1, w=weights).T
  found = found._replace(line=line)
  found = log_line.must_slope(
    found._replace(draws=drawn, sentence=f'through {len(good)} losses'),
    -1, _GROWS, level,
  )  # fmt: skip
  if not found.ok:
    return Critical(found.status, f'{found.sentence}; {out}', targets)
  law, draws = _law(line), _law(drawn.T)
  ends = (1 - level) / 2, (1 + level) / 2
  for end in (max(L), min(L)):
    low, high = np.quantile(draws.tokens(end), ends)
    if not high < WIDE * low:
      return Critical(
        'not_identified',
        f'at a loss of {end:.4g} B_crit may be {low:,.0f} to {high:,.0f} tokens:'
        f' more batch sizes or seeds are needed; {out}',
        targets,
      )
  return Critical(
    'ok',
    f'through {len(good)} losses from {max(L):.4g} to {min(L):.4g}; {out}',
    targets,
    law,
    draws,
  )


def _without_law(targets, found: log_line.LogLine, out: str) -> Critical:
  """Too few losses are left: the commonest reason is the reason."""
  bad = [t for t in targets if not t.ok]
  reasons = [t.sentence for t in bad]
  most = max(reasons, key=reasons.count)
  at = [t for t in bad if t.sentence == most]
  return Critical(
    at[0].status,
    f'{found.sentence}; {out}, {len(at)} of them ({at[0].L:.4g} to'
    f' {at[-1].L:.4g}) because {most}',
    targets,
  )


def _about_rates(
  runs: Sequence[BatchRun], targets: Sequence[Target]
) -> list[str]:
  """Says where the best learning rate is the largest or smallest tried."""
  if not targets:
    return []
  tried = sorted({run.rate for run in runs if np.isfinite(run.rate)})
  if len(tried) < 2:
    return [
      'One learning rate for all batches: those that it suits less need more'
      ' steps than they would.'
    ]
  out = []
  for end, word in ((tried[-1], 'largest'), (tried[0], 'smallest')):
    at = {float(B) for t in targets for B in t.B[t.rate == end]}
    if at:
      out.append(
        f'The {word} learning rate tried, {end:g}, was first at batches of'
        f' {", ".join(f"{B:,.0f}" for B in sorted(at))} tokens: beyond it'
        ' they may be faster.'
      )
  return out
