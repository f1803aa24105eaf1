"""Approach 3: L(N, D) = E + A/N^alpha + B/D^beta fitted to every run.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.3: the Huber loss of log L,
summed over runs, at its least from many starts. Runs that differ by their seed
are one datum, the scale of the Huber loss is asked of the residuals, and runs
beyond five standard deviations are named and excluded.
"""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting import bootstrap as bootstrap_lib
from scaling_jax.analysis.fitting import chinchilla_data
from scaling_jax.analysis.fitting import chinchilla_draws
from scaling_jax.analysis.fitting import chinchilla_posterior
from scaling_jax.analysis.fitting import chinchilla_robust
from scaling_jax.analysis.fitting import clusters as clusters_lib
from scaling_jax.analysis.fitting import form
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting import noise as noise_lib
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.cells import spread_of_means
from scaling_jax.analysis.fitting.chinchilla_data import ALONG_A_LINE
from scaling_jax.analysis.fitting.chinchilla_data import DELTA
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_data import unanswered
from scaling_jax.analysis.fitting.chinchilla_draws import refits
from scaling_jax.analysis.fitting.chinchilla_fit import ChinchillaFit
from scaling_jax.analysis.fitting.chinchilla_fit import allocation
from scaling_jax.analysis.fitting.noise import NoiseModel
from scaling_jax.analysis.fitting.noise import huber_scale
from scaling_jax.analysis.fitting.objective import EFFICIENT
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.result import Diagnostics
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.messages import chinchilla as messages

__all__ = (
  'ALONG_A_LINE', 'N_PARAMS', 'OPEN_DRAWS', 'ChinchillaFit', 'LogData',
  'allocation', 'fit', 'huber_scale', 'refits', 'unanswered',
)  # fmt: skip

OPEN_DRAWS = 0.025  # draws without a law that open an interval of 95%
_FREE = 3.0  # times the largest residual: there the Huber loss is a square


class _Data(NamedTuple):
  """What is fitted.

  Attributes:
    cells: of the runs that count.
    data: [k] the cells, at their scales.
    start: [5] near the minimum; None to search from starts alone.
    noise: of the cells about it; None to ask the fit's residuals.
    deviations: [n] of all runs, in standard deviations.
    outliers: [m] indices of runs.
  """

  cells: Cells
  data: LogData
  start: np.ndarray | None
  noise: NoiseModel | None
  deviations: np.ndarray
  outliers: np.ndarray


def fit(
  N: npt.ArrayLike,
  D: npt.ArrayLike,
  loss: npt.ArrayLike,
  *,
  C: npt.ArrayLike | None = None,
  n_budgets: int | None = None,
  bootstrap: Bootstrap | None = None,
  objective: Objective | None = None,
  keep_outliers: bool | None = None,
  names: Sequence[str] | None = None,
  solver: str = 'auto',
  starts: str = 'both',
) -> ChinchillaFit:
  """Fits the law and draws what it might have been.

  Args:
    N: [n] parameters of each run.
    D: [n] tokens.
    loss: [n] final losses.
    C: [n] FLOPs; 6 N D if None.
    n_budgets: compute budgets among the runs; where it is one, the model's
      and the data's term cannot be told apart. None: not checked.
    bootstrap: how draws are made.
    objective: what is minimized; one whose delta is given, or squares, takes
      every run for a datum of its own, as the papers do.
    keep_outliers: whether runs beyond five standard deviations are fitted too.
      None: only where the objective is given in full.
    names: [n] of the runs, for messages.
    solver: 'jax', 'optimistix' or 'auto': see `multistart.minimize`.
    starts: 'projection' for variable projection, 'grid' for Hoffmann's 4500,
      'both' for the first and the most promising of the second.

  Returns:
    'ok'; 'too_few_points' and 'no_degrees_of_freedom' with fewer than five or
    eight cells; 'not_converged' where no three starts agree; 'not_identified'
    where the runs leave the law open.

  Raises:
    ValueError: no solver, or no starts, have that name.

  >>> from scaling_jax.published import HOFFMANN
  >>> N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
  >>> found = fit(N, D, HOFFMANN.loss(N, D), bootstrap=Bootstrap(draws=100))
  >>> str(found.status), round(found.params['alpha'], 3)
  ('ok', 0.34)
  >>> best = found.optimum(C=1e22, level=0.8)
  >>> print(f'{best.N.value:.2e} parameters, {best.D.value:.2e} tokens')
  5.16e+09 parameters, 3.23e+11 tokens
  >>> fit(N[:4], D[:4], HOFFMANN.loss(N[:4], D[:4])).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  bootstrap, objective = bootstrap or Bootstrap(), objective or Objective()
  N, D, loss = (np.asarray(x, float) for x in (N, D, loss))
  keep = objective.fixed if keep_outliers is None else keep_outliers
  empty = ChinchillaFit(
    status=Status.TOO_FEW_POINTS, N=N, D=D, loss=loss,
    C=None if C is None else np.asarray(C, float),
    objective=objective, excludes=not keep,
  )  # fmt: skip
  cells = Cells.of(N, D, loss)
  data = _log(cells, objective) if len(cells) else None
  refused = chinchilla_data.refusal(data, n_budgets)
  if refused:
    return dataclasses.replace(empty, status=refused[0], message=refused[1])
  of = _settled(empty, cells)
  out = _minimum(empty, of, solver, starts)
  out = dataclasses.replace(out, notes=messages.outliers(out, names))
  return _with_draws(out, of, bootstrap, solver) if out.ok else out


def _log(cells: Cells, objective: Objective) -> LogData:
  data = LogData.of(cells.N, cells.D, cells.loss)
  return dataclasses.replace(data, of_loss=objective.residuals == 'loss')


def _settled(empty: ChinchillaFit, cells: Cells) -> _Data:
  """Which runs count, and at what scale."""
  N, D, loss, objective = empty.N, empty.D, empty.loss, empty.objective
  alone = Cells.each(N, D, loss)
  cells = alone if objective.fixed else cells
  data = _log(cells, objective)
  off, outlying = np.zeros(len(loss)), np.zeros(len(loss), bool)
  if chinchilla_data.too_few(len(cells)):
    return _Data(cells, data, None, None, off, np.flatnonzero(outlying))
  if cells.seeds:  # a seed that failed is not of its cell
    found = chinchilla_robust.settle(_log(alone, objective))
    kept = Cells.of(*(x[found.clean] for x in (N, D, loss)))
    if len(kept) == len(cells):
      off, outlying = found.deviations, ~found.clean
  rows = np.flatnonzero(~outlying)
  cells = cells if objective.fixed else Cells.of(N[rows], D[rows], loss[rows])
  data = _log(cells, objective)
  found = _of_cells(data, cells, exclude=True)
  off[rows] = found.deviations[cells.index]
  outlying[rows] = ~found.clean[cells.index]
  if not empty.excludes:
    cells = alone if objective.fixed else Cells.of(N, D, loss)
    data = _log(cells, objective)
    found = _of_cells(data, cells, exclude=False)
  elif outlying.any():
    each = Cells.each if objective.fixed else Cells.of
    cells = each(*(x[~outlying] for x in (N, D, loss)))
  outliers = np.flatnonzero(outlying)
  if not objective.fixed:
    data = found.data.take(found.clean)
    return _Data(cells, data, found.params, found.noise, off, outliers)
  if objective.delta is not None:
    data = found.data.scaled(DELTA / objective.delta).take(found.clean)
    return _Data(cells, data, found.params, None, off, outliers)
  left = np.abs(chinchilla_data.residuals_of(found.params, found.data))
  cut = _FREE * max(left.max(), noise_lib.LEAST_SD)
  data = found.data.scaled(DELTA / cut).take(found.clean)
  return _Data(cells, data, found.params, None, off, outliers)


def _of_cells(
  data: LogData, cells: Cells, *, exclude: bool
) -> chinchilla_robust.Settled:
  found = chinchilla_robust.settle(data, exclude=exclude)
  spread = spread_of_means(cells.count, cells.seed_sd, found.noise.residual_sd)
  if spread is None:
    return found
  return chinchilla_robust.settle(data, spread=spread, exclude=exclude)


def _minimum(
  empty: ChinchillaFit, of: _Data, solver: str, starts: str
) -> ChinchillaFit:
  """The least of the objective, from the starts and from what is known."""
  data = of.data
  begin = chinchilla_data.starts_of(data, starts)
  if of.start is not None:
    begin = np.concatenate([of.start[None], begin[: len(begin) - 1]])
  found = multistart.minimize(
    data.residuals,
    begin,
    data.padded,
    multistart.pad(np.ones(len(data.log_L))),
    DELTA,
    solver,
  )
  status, message = found.status, found.message
  if status == Status.OK and not (found.params[3:] > 0).all():
    status = Status.NOT_IDENTIFIED
    message = messages.rising(*map(float, found.params[3:]))
  ok = status == Status.OK
  return dataclasses.replace(
    empty,
    status=status,
    message=message,
    diagnostics=_in_units(found.diagnostics, data, empty.objective),
    center=(data.mean_log_N, data.mean_log_D),
    point=found.params if ok else None,
    deviations=of.deviations,
    outliers=of.outliers,
    n_cells=len(of.cells),
    seed_sd=of.cells.seed_sd,
  )


def _in_units(
  found: Diagnostics, data: LogData, objective: Objective
) -> Diagnostics:
  """The objective as it was asked for, and not at the scale of the search.

  Of an adaptive one residuals are in their standard deviations.
  """
  unit = float(data.scale[0]) if objective.fixed else DELTA / EFFICIENT
  value = found.objective / unit**2
  if objective.reduction == 'mean':
    value /= len(data.log_L)
  return found._replace(objective=value)


def _with_draws(
  out: ChinchillaFit, of: _Data, bootstrap: Bootstrap, solver: str
) -> ChinchillaFit:
  """The fit with its draws, or why it gets none."""
  point, data = out.point, of.data
  assert point is not None
  few = chinchilla_data.too_few(len(data.log_L))
  if few:
    return dataclasses.replace(out, status=few[0], message=few[1])
  noise = of.noise
  left = chinchilla_data.residuals_of(point, data)
  if noise is None:
    sd = ResidualSD.of(left, N_PARAMS)
    assert sd is not None
    noise = NoiseModel(sd, np.ones(len(left)), data.log_D)
  if not out.objective.fixed:
    rows = chinchilla_data.jacobian(point, data) / noise.spread[:, None]
    together = clusters_lib.find(data.log_N, left / noise.spread, rows)
    if together is not None:
      # A law of another form leaves residuals that go together too.
      wider = form.log_likelihood(data, point, 1 / noise.spread)
      together = None if wider > together.log_likelihood else together
    noise = dataclasses.replace(noise, clusters=together)
  method = bootstrap_lib.choose_method(bootstrap.method, len(left), N_PARAMS)
  if noise.clusters is not None and bootstrap.method == 'auto':
    method = 'noise'
  out = dataclasses.replace(
    out,
    residual_sd=noise.residual_sd,
    noise_exponent=noise.exponent.mean if noise.exponent else 0.0,
    model_sd=noise.clusters.ratio if noise.clusters else 0.0,
    method=method,
  )
  out = dataclasses.replace(out, notes=(*out.notes, *messages.scatter(out)))
  if not bootstrap.draws:
    return out
  if method == 'posterior':
    draws, seed = bootstrap.draws, bootstrap.seed
    drawn = chinchilla_posterior.draw(data, point, noise, draws, seed)
  else:
    drawn = chinchilla_draws.draw(data, point, noise, bootstrap, method, solver)
  undefined = float(np.mean(np.isnan(drawn[:, 0])))
  if undefined > OPEN_DRAWS:
    return dataclasses.replace(
      out,
      status=Status.NOT_IDENTIFIED,
      message=messages.open_draws(undefined),
      point=None,
    )
  return dataclasses.replace(out, param_draws=drawn)
