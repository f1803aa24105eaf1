"""The public fits: arrays, columns of a data frame, or runs, in; a fit out.

Of runs those are fitted that count for the law: see `runs.selection`.
"""

from collections.abc import Sequence
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting import critical_batch
from scaling_jax.analysis.fitting import envelope
from scaling_jax.analysis.fitting import isoflop
from scaling_jax.analysis.fitting import kaplan
from scaling_jax.analysis.fitting import power_law
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.objective import Objective
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.fitting.steps_to_loss import BatchRun
from scaling_jax.analysis.messages import chinchilla as messages
from scaling_jax.analysis.runs import budgets
from scaling_jax.analysis.runs import identities
from scaling_jax.analysis.runs import table
from scaling_jax.analysis.study import analyze as analyze_lib
from scaling_jax.analysis.study.analyze import analyze
from scaling_jax.analysis.study.results import Options
from scaling_jax.errors import UserError

Column = npt.ArrayLike  # or anything that NumPy makes an array of

_DRAWN = Bootstrap()
_ADAPTIVE = Objective()


def fit_chinchilla(
  N: Column | table.Runs,
  D: Column | None = None,
  loss: Column | None = None,
  *,
  C: Column | None = None,
  bootstrap: Bootstrap = _DRAWN,
  objective: Objective = _ADAPTIVE,
  keep_outliers: bool | None = None,
  solver: str = 'auto',
) -> chinchilla.ChinchillaFit:
  """Fits L(N, D) = E + A/N^alpha + B/D^beta to final losses.

  Hoffmann et al. 2022 (arXiv 2203.15556), section 3.3: the Huber loss of log L,
  summed over runs, at its least from many starts. Seeds of one N and D are one
  datum; the scale of the Huber loss is asked of the residuals; runs beyond five
  standard deviations are excluded and listed in `outliers`. A published fit is
  repeated by its objective: `Objective(delta=1e-3)` for Hoffmann's.

  Args:
    N: [n] parameters; or Runs, and nothing beside them.
    D: [n] tokens.
    loss: [n] final losses, in nats per token or any other unit.
    C: [n] FLOPs that each run cost; 6 N D if None. `optimum` spends compute as
      the runs did.
    bootstrap: how draws are made.
    objective: what is minimized.
    keep_outliers: whether outliers are fitted too; None: only where the
      objective is given in full.
    solver: 'auto', 'jax' or 'optimistix'.

  Raises:
    UserError: a value is no positive number, or columns differ in length.

  >>> import numpy as np
  >>> from scaling_jax.analysis.fitting.simulate import simulate
  >>> from scaling_jax.published import HOFFMANN
  >>> N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
  >>> loss = simulate(HOFFMANN, N, D, noise=1e-4, seed=0)
  >>> fit = fit_chinchilla(N, D, loss, bootstrap=Bootstrap(draws=100))
  >>> str(fit.status), round(fit.params['alpha'], 2)
  ('ok', 0.34)
  >>> fit.optimum(C=1e21).N.known
  True
  """
  if isinstance(N, table.Runs):
    options = Options(
      bootstrap=bootstrap, objective=objective, keep_outliers=keep_outliers,
      solver=solver,
    )  # fmt: skip
    return analyze(N, options).chinchilla
  N, D, loss = columns(N=N, D=D, loss=loss)
  identities.must_be_sizes(N, D)
  if C is not None:
    _, C = columns(N=N, C=C)
  return chinchilla.fit(
    N, D, loss, C=C, bootstrap=bootstrap, objective=objective,
    keep_outliers=keep_outliers, solver=solver,
  )  # fmt: skip


def fit_isoflop(
  C: Column | table.Runs,
  N: Column | None = None,
  D: Column | None = None,
  loss: Column | None = None,
  *,
  bootstrap: Bootstrap = _DRAWN,
  keep_outliers: bool = False,
) -> isoflop.IsoflopFit:
  """Fits a curve in log N at each budget, and N_opt and D_opt in C.

  Hoffmann et al. 2022 (arXiv 2203.15556), section 3.2. Runs that spent about
  the same compute are one budget; seeds of one N are one datum; runs beyond five
  standard deviations from approach 3's law are excluded, and a note names them.

  Args:
    C: [n] FLOPs of each run; or Runs, and nothing beside them.
    N: [n] parameters.
    D: [n] tokens; C / 6N if None.
    loss: [n] final losses.
    bootstrap: how draws are made.
    keep_outliers: whether such runs are fitted too.

  Raises:
    UserError: a value is no positive number, or columns differ in length.

  >>> import numpy as np
  >>> from scaling_jax.published import HOFFMANN
  >>> C = np.repeat([1e18, 1e19, 1e20], 5)
  >>> N = HOFFMANN.optimum(C).N * np.tile([0.4, 0.6, 1, 1.6, 2.5], 3)
  >>> loss = HOFFMANN.loss(N, C / 6 / N)
  >>> fit = fit_isoflop(C, N, loss=loss, bootstrap=Bootstrap(draws=100))
  >>> str(fit.status), round(fit.params['exponent_N'], 2)
  ('ok', 0.45)
  """
  if isinstance(C, table.Runs):
    runs = _of_runs(C).counted
    C, N, D, loss = runs.C, runs.N, runs.D, runs.loss
  elif D is None:
    C, N, loss = columns(C=C, N=N, loss=loss)
    D = C / (6 * N)
  C, N, D, loss = columns(C=C, N=N, D=D, loss=loss)
  kept = np.ones(len(N), bool)
  notes: tuple[str, ...] = ()
  if not keep_outliers:
    law = chinchilla.fit(
      N, D, loss, C=C, bootstrap=Bootstrap(draws=0), starts='projection',
      solver='optimistix',
    )  # fmt: skip
    kept = law.counted
    notes = messages.outliers(law)
  groups = budgets.keeping(budgets.grouping_of(C, N).groups, kept)
  found = isoflop.fit(
    isoflop.Group.of(C, N, D, loss, groups), bootstrap=bootstrap
  )
  return dataclasses.replace(found, notes=(*found.notes, *notes))


def fit_envelope(
  curves: Sequence[LossCurve] | table.Runs, *, bootstrap: Bootstrap = _DRAWN
) -> envelope.EnvelopeFit:
  """Fits power laws along the lowest training loss at each FLOP count.

  Hoffmann et al. 2022 (arXiv 2203.15556), section 3.1.

  Args:
    curves: of runs of several sizes; or Runs that left their losses.
    bootstrap: how draws are made.

  >>> fit_envelope([]).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  if isinstance(curves, table.Runs):
    return _of_runs(curves, bootstrap).envelope
  return envelope.fit(curves, bootstrap=bootstrap)


def fit_power_law(
  x: Column, y: Column, *, bootstrap: Bootstrap = _DRAWN
) -> power_law.PowerLawFit:
  """Fits y = coefficient · x^exponent by least squares of log y.

  Args:
    x, y: [n] positive.
    bootstrap: how draws are made.

  Raises:
    UserError: a value is no positive number, or columns differ in length.

  >>> fit = fit_power_law([1, 10, 100], [2, 20, 200])
  >>> round(fit.params['exponent'], 6), round(fit.params['coefficient'], 6)
  (1.0, 2.0)
  """
  x, y = columns(x=x, y=y)
  return power_law.fit(x, y, draws=bootstrap.draws, seed=bootstrap.seed)


def fit_kaplan(
  N: Column | table.Runs,
  D: Column | None = None,
  loss: Column | None = None,
  *,
  bootstrap: Bootstrap = _DRAWN,
) -> kaplan.KaplanFit:
  """Fits L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

  Kaplan et al. 2020 (arXiv 2001.08361), eq. 1.5, by least squares of the loss.

  Args:
    N: [n] non-embedding parameters; or Runs, and nothing beside them.
    D: [n] tokens of the text there is.
    loss: [n] nats per token.
    bootstrap: how draws are made.

  Raises:
    UserError: a value is no positive number, or columns differ in length.

  >>> import numpy as np
  >>> from scaling_jax.published import KAPLAN
  >>> N, D = np.repeat([1e6, 1e7, 1e8], 3), np.tile([1e7, 1e9, 1e11], 3)
  >>> fit = fit_kaplan(N, D, KAPLAN.loss(N, D), bootstrap=Bootstrap(draws=50))
  >>> str(fit.status), round(fit.params['alpha_N'], 3)
  ('ok', 0.076)
  """
  if isinstance(N, table.Runs):
    runs = _of_runs(N).counted
    N, D, loss = runs.N, runs.D, runs.loss
  N, D, loss = columns(N=N, D=D, loss=loss)
  return kaplan.fit_ND(N, D, loss, bootstrap=bootstrap)


def fit_critical_batch(
  curves: Sequence[BatchRun], *, bootstrap: Bootstrap = _DRAWN
) -> critical_batch.CriticalBatchFit:
  """Fits B_crit(L) = B*/L^(1/alpha_B) to runs of one size and several batches.

  McCandlish et al. 2018 (arXiv 1812.06162), eq. 2.11; Kaplan et al. 2020
  (arXiv 2001.08361), eq. 5.3.

  Args:
    curves: of one model on the same data.
    bootstrap: how draws are made.

  >>> fit_critical_batch([]).status
  <Status.TOO_FEW_POINTS: 'too_few_points'>
  """
  return critical_batch.fit(curves, bootstrap=bootstrap)


def _of_runs(
  runs: table.Runs, bootstrap: Bootstrap = _DRAWN
) -> analyze_lib.Analysis:
  """What selects the runs that count, and fits them when it is asked."""
  return analyze(runs, Options(bootstrap=bootstrap))


def columns(**given: Any) -> list[np.ndarray]:
  """Each column as floats [n], all of one length and all positive.

  Raises:
    UserError: it is missing, of another length, or holds a value that no
      logarithm can be taken of.
  """
  out = {}
  for name, values in given.items():
    if values is None:
      raise UserError(
        f'{name} is missing: {", ".join(given)} must be columns of one length;'
        f' pass {name}='
      )
    try:
      out[name] = np.atleast_1d(np.asarray(values, float))
    except (TypeError, ValueError) as error:
      raise UserError(
        f'{name} is no column of numbers ({error}): it must be an array; pass'
        f' {name} as floats'
      ) from error
  n = len(next(iter(out.values())))
  for name, array in out.items():
    if array.shape != (n,):
      raise UserError(
        f'{name} has the shape {array.shape}: all of {", ".join(given)} must be'
        f' [{n}]; pass columns of one table'
      )
    wrong = np.flatnonzero(~((array > 0) & np.isfinite(array)))
    if len(wrong):
      raise UserError(
        f'{name}[{wrong[0]}]={array[wrong[0]]:g} must be a positive number;'
        f' drop {len(wrong)} such rows of {n}'
      )
  return list(out.values())
