"""Kaplan's laws of two quantities: L(N, D) and L(N, S_min).

Kaplan et al. 2020 (arXiv 2001.08361), eqs. 1.5 and 1.6. Both are fitted by
least squares of the loss, from many starts, each found by a grid over the two
exponents and a linear solution for the rest. The laws of one quantity are power
laws: `power_law`.
"""

from collections.abc import Sequence
import dataclasses
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from scaling_jax.analysis.fitting import bootstrap as bootstrap_lib
from scaling_jax.analysis.fitting import kaplan_forms as forms
from scaling_jax.analysis.fitting import multistart
from scaling_jax.analysis.fitting import newton
from scaling_jax.analysis.fitting.bootstrap import Bootstrap
from scaling_jax.analysis.fitting.kaplan_forms import Form
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Estimate
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.fitting.result import ResidualSD
from scaling_jax.analysis.fitting.result import Status
from scaling_jax.analysis.fitting.result import percentile_interval
from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.fitting.steps_to_loss import RESOLUTION
from scaling_jax.analysis.fitting.training_curve_law import student
from scaling_jax.analysis.messages import kaplan as messages

N_PARAMS = 4
MIN_POINTS = N_PARAMS + 1
MIN_CURVES = 4
CURVE_POINTS = 24  # of each curve, evenly in log S_min
DELTA = 100.0  # thousandths of a nat: least squares but for gross outliers
OPEN_DRAWS = 0.005  # the share of draws without a law that is too many
ALONG_A_LINE = 0.05  # of the scatter of log x, that is not log N's
FAR = 5.0  # an exponent beyond it is none that the data set
DRAWS = 400  # at most, of curves, whose refits are longer
_NO_DRAWS = np.empty((0, N_PARAMS))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class KaplanFit(FitResult):
  """A law of N and of D or S_min, and what it might have been.

  Attributes:
    form: 'ND' for L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, 'NS' for
      L = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S.
    N, x, L: [n] what it was fitted to; x is D or S_min.
    center: mean log N and mean log x.
    point: [4] the parameters of `kaplan_forms`; None where there is no law.
    param_draws: [B, 4] what they might have been; nan where a redrawn study
      shows no law. Empty where there is no interval.
    residual_sd: of the loss, in its unit.
  """

  title: ClassVar[str] = "Kaplan's law of two quantities"

  form: str = forms.ND.name
  N: np.ndarray
  x: np.ndarray
  L: np.ndarray
  center: tuple[float, float] = (0.0, 0.0)
  point: np.ndarray | None = None
  param_draws: np.ndarray = dataclasses.field(default_factory=_NO_DRAWS.copy)
  residual_sd: ResidualSD | None = None

  @property
  def law(self) -> forms.Law:
    """The fitted law; of nan where there is none."""
    return self._law(
      np.full(N_PARAMS, np.nan) if self.point is None else self.point
    )

  @property
  def draws(self) -> forms.Law:
    """The law of arrays [B]; [0] where there is no interval."""
    return self._law(self.param_draws.T)

  def _law(self, params: np.ndarray) -> forms.Law:
    with np.errstate(over='ignore', invalid='ignore', divide='ignore'):
      return forms.FORMS[self.form].law(params, self.center)

  def estimates(self) -> dict[str, Estimate]:
    """N_c, D_c or S_c, and the two exponents."""
    drawn = self.draws if len(self.param_draws) else None
    out = {}
    for name, value in self.law._asdict().items():
      of = None if drawn is None else getattr(drawn, name)
      log = name.endswith('_c')
      if log:
        value, of = np.log(value), None if of is None else np.log(of)
      out[name] = Estimate(float(value), of, log=log)
    return out

  def predict(
    self, N: npt.ArrayLike, x: npt.ArrayLike, level: float = LEVEL
  ) -> Interval:
    """The law's loss at N and x, which broadcast."""
    N, x = np.broadcast_arrays(np.asarray(N, float), np.asarray(x, float))
    draws = None
    if len(self.param_draws):
      columns = [
        np.reshape(column, (-1, *(1,) * N.ndim)) for column in self.draws
      ]
      draws = type(self.draws)(*columns).loss(N, x)
    return percentile_interval(self.law.loss(N, x), draws, level)


def fit_ND(
  N: npt.ArrayLike,
  D: npt.ArrayLike,
  loss: npt.ArrayLike,
  *,
  bootstrap: Bootstrap | None = None,
) -> KaplanFit:
  """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

  Args:
    N: [n] parameters without embeddings.
    D: [n] tokens of the text there is.
    loss: [n] nats per token.
    bootstrap: how many refits to redrawn losses, and their seed.

  Returns:
    'ok'; 'too_few_points' with fewer than five runs; 'not_identified' where
    runs share one N or one D, where D is a power of N, or where redrawn losses
    show no law; 'not_converged'.

  >>> from scaling_jax import laws
  >>> law = laws.Kaplan(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103)
  >>> N, D = np.repeat([1e6, 1e7, 1e8], 4), np.tile([1e7, 1e8, 1e9, 1e10], 3)
  >>> found = fit_ND(N, D, law.loss(N, D), bootstrap=Bootstrap(draws=50))
  >>> str(found.status), round(found.params['alpha_D'], 3)
  ('ok', 0.103)
  >>> round(float(found.predict(1e9, 1e11).value), 3)
  2.331
  """
  N, D, L = (np.asarray(x, float) for x in (N, D, loss))
  few = _too_few(N, D, forms.ND.other)
  if few:
    return KaplanFit(status=few[0], message=few[1], N=N, x=D, L=L)
  out, data = _search(forms.ND, N, D, L)
  if not out.ok:
    return out
  residuals = forms.ND.loss(out.point, data['log_N'], data['log_x'], np) - L
  out = dataclasses.replace(out, residual_sd=ResidualSD.of(residuals, N_PARAMS))
  assert out.residual_sd is not None
  how = bootstrap or Bootstrap()
  rng = np.random.default_rng(how.seed)
  noise = bootstrap_lib.noise_draws(rng, how.draws, len(L), out.residual_sd)
  return _with_draws(out, _refits(out, data, L + residuals + noise))


def fit_NS(
  curves: Sequence[LossCurve],
  steps: Sequence[np.ndarray],
  *,
  bootstrap: Bootstrap | None = None,
  steps_drawn: Sequence[np.ndarray] | None = None,
) -> KaplanFit:
  """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S along whole curves.

  A curve's points share its seed's luck and its distance from the law, so that
  redrawn curves scatter about it as whole curves did.

  Args:
    curves: each run's smoothed loss.
    steps: [K] of each curve, S_min at its points.
    bootstrap: how many refits to redrawn curves, DRAWS at most, and their seed.
    steps_drawn: [draws, K] of each curve, where S_min is not known exactly.

  Returns:
    As `fit_ND`; 'too_few_points' with fewer than four sizes.
  """
  kinds = len({c.N for c in curves})
  if kinds < MIN_CURVES:
    return KaplanFit(
      form=forms.NS.name,
      status=Status.TOO_FEW_POINTS,
      message=messages.few_curves(kinds, MIN_CURVES),
      N=np.empty(0),
      x=np.empty(0),
      L=np.empty(0),
    )
  rows = [_evenly(S, c.L) for c, S in zip(curves, steps)]
  S_RK, L_RK = (np.stack(x) for x in zip(*rows))
  N_RK = np.broadcast_to(np.array([c.N for c in curves])[:, None], S_RK.shape)
  N, S, L = N_RK.ravel(), S_RK.ravel(), L_RK.ravel()
  out, data = _search(forms.NS, N, S, L)
  if not out.ok:
    return out
  fitted = forms.NS.loss(out.point, data['log_N'], data['log_x'], np)
  residuals_RK = (fitted - L).reshape(L_RK.shape)
  out = dataclasses.replace(
    out, residual_sd=ResidualSD.of(residuals_RK, N_PARAMS)
  )
  log_S = None
  if steps_drawn is not None:
    log_S = _log_steps(S_RK, steps, steps_drawn)
  return _of_curves(out, data, residuals_RK, log_S, bootstrap or Bootstrap())


def _of_curves(
  out: KaplanFit,
  data: dict[str, np.ndarray],
  residuals_RK: np.ndarray,
  log_S: np.ndarray | None,
  bootstrap: Bootstrap,
) -> KaplanFit:
  """With refits to redrawn curves, and to log S [draws, R·K] where given."""
  draws = min(bootstrap.draws, DRAWS)
  rng = np.random.default_rng(bootstrap.seed)
  # The runs, and not their points, tell the size of the scatter; a line in
  # log N through them takes two.
  R = len(residuals_RK)
  residuals_RK = residuals_RK * np.sqrt(R / (R - 2))
  moved = bootstrap_lib.curve_draws(rng, draws, residuals_RK)
  moved = moved.reshape(draws, residuals_RK.size)
  own_x = data['log_x']
  log_x = np.tile(own_x, (draws, 1)) if log_S is None else log_S - out.center[1]
  # What bins of steps leave is the same along all curves: a shift, a tilt.
  shift, tilt = RESOLUTION * rng.normal(size=(2, draws, 1))
  log_x = log_x + shift + tilt * own_x / np.abs(own_x).max()
  # From a stream of its own: B_crit, behind S_min, has other scales.
  scales = bootstrap_lib.student_scales(
    np.random.default_rng((bootstrap.seed, 2)), draws, R - 2
  )
  # Judged by noise of Student's spread at LEVEL, which is the same in all.
  at_level = student(LEVEL, R - 2) / student(LEVEL, np.inf)
  fitted = forms.NS.loss(out.point, data['log_N'], own_x, np)
  return _with_draws(
    out,
    _refits(out, data, fitted + scales[:, None] * moved, log_x),
    judged_by=_refits(out, data, fitted + at_level * moved, log_x),
  )


def _log_steps(
  S_RK: np.ndarray,
  steps: Sequence[np.ndarray],
  steps_drawn: Sequence[np.ndarray],
) -> np.ndarray:
  """[draws, R·K] log S at the same points of each curve, in each draw."""
  at = [
    np.stack([np.interp(np.log(S), np.log(own), np.log(x)) for x in drawn])
    for S, own, drawn in zip(S_RK, steps, steps_drawn)
  ]
  return np.concatenate(at, axis=-1)


def _evenly(S: np.ndarray, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """CURVE_POINTS of a curve, evenly in log S."""
  at = np.geomspace(S[0], S[-1], CURVE_POINTS)
  return at, np.interp(np.log(at), np.log(S), L)


def _too_few(N, x, other: str) -> tuple[Status, str] | None:
  """Why these runs cannot carry four parameters, or None."""
  if len(N) < MIN_POINTS:
    return Status.TOO_FEW_POINTS, messages.few_runs(len(N), MIN_POINTS)
  for name, values in (('N', N), (other, x)):
    kinds = len(np.unique(np.round(np.log(values), 2)))
    if kinds < 2:
      return Status.NOT_IDENTIFIED, messages.one_value(name)
  log_N, log_x = np.log(N), np.log(x)
  line = np.polyfit(log_N, log_x, 1)
  off = np.std(log_x - np.polyval(line, log_N))
  if off < ALONG_A_LINE * np.std(log_x):
    return Status.NOT_IDENTIFIED, messages.along_a_line(other)
  return None


def _search(
  form: Form, N: np.ndarray, x: np.ndarray, L: np.ndarray
) -> tuple[KaplanFit, dict[str, np.ndarray]]:
  """The minimum, judged, and the data as they were fitted."""
  log_N, log_x = np.log(N), np.log(x)
  n, m = float(log_N.mean()), float(log_x.mean())
  data = {'log_N': log_N - n, 'log_x': log_x - m, 'L': np.asarray(L, float)}
  padded = {name: multistart.pad(values) for name, values in data.items()}
  ones = multistart.pad(np.ones(len(L)))
  found = multistart.minimize(
    form.residuals, _starts(form, data), padded, ones, delta=DELTA
  )
  status, message = _judged(form, found)
  fit = KaplanFit(
    form=form.name,
    status=status,
    message=message,
    diagnostics=found.diagnostics,
    N=N,
    x=x,
    L=L,
    center=(n, m),
    point=found.params if status == Status.OK else None,
  )
  return fit, data


def _starts(form: Form, data, count: int = 24) -> np.ndarray:
  """[count, 4] by variable projection, those of the least squares."""
  grid = np.geomspace(0.02, 2.0, 24)
  alpha, beta = (x.ravel() for x in np.meshgrid(grid, grid))
  by_N, by_x = form.slopes(alpha, beta)
  L_power = np.log(data['L']) * form.power(beta)[:, None]
  columns = np.exp(
    np.stack(
      [
        -by_N[:, None] * data['log_N'] - L_power,
        -by_x[:, None] * data['log_x'] - L_power,
      ],
      axis=-1,
    )
  )  # each relative to the power of L that is their sum
  linear = np.linalg.pinv(columns).sum(-1)
  linear = np.maximum(linear, 1e-3 * np.abs(linear).max(1, keepdims=True))
  starts = np.column_stack([np.log(linear), alpha, beta])
  with np.errstate(over='ignore', invalid='ignore'):
    fitted = form.loss(
      np.moveaxis(starts, -1, 0)[..., None], data['log_N'], data['log_x'], np
    )
    off = np.sum((fitted - data['L']) ** 2, axis=-1)
  return starts[np.argsort(np.nan_to_num(off, nan=np.inf))[:count]]


def _judged(form: Form, found: multistart.Minimum) -> tuple[Status, str]:
  exponents = found.params[2:]
  if np.any(exponents > FAR):
    message = messages.exponent_diverges(float(exponents.max()))
    return Status.NOT_IDENTIFIED, message
  if found.status == Status.OK and not (exponents > 0).all():
    message = messages.not_falling(form.other, *map(float, exponents))
    return Status.NOT_IDENTIFIED, message
  return found.status, found.message


def _refits(
  out: KaplanFit,
  data: dict[str, np.ndarray],
  redrawn: np.ndarray,
  log_x: np.ndarray | None = None,
) -> np.ndarray:
  """[B, 4] parameters of redrawn losses, and log x if need be, each [B, n].

  nan where no law is found that falls with both.
  """
  form = forms.FORMS[out.form]

  def problem(logs: np.ndarray, which: np.ndarray) -> newton.Residuals:
    x = data['log_x'] if log_x is None else log_x[which]
    L, slope, curvature = form.derivatives(logs, data['log_N'], x)
    falls = np.all(logs[:, 2:] > 0, axis=1, keepdims=True)
    return newton.Residuals(
      forms.MILLI * (np.where(falls, L, np.nan) - redrawn[which]),
      forms.MILLI * slope,
      lambda c: forms.MILLI * curvature(c),
    )

  if not len(redrawn):
    return _NO_DRAWS
  assert out.point is not None
  found = newton.refit(problem, form.to_logs(out.point), len(redrawn), DELTA)
  params = form.to_params(found.params)
  return np.where(found.converged[:, None], params, np.nan)


def _with_draws(
  out: KaplanFit, drawn: np.ndarray, judged_by: np.ndarray | None = None
) -> KaplanFit:
  """With parameters of redrawn studies, if those to judge by show a law."""
  judged_by = drawn if judged_by is None else judged_by
  if len(judged_by):
    undefined = float(np.mean(np.isnan(judged_by[:, 0])))
    if undefined > OPEN_DRAWS:
      return dataclasses.replace(
        out,
        status=Status.NOT_IDENTIFIED,
        point=None,
        message=messages.open_draws(undefined, forms.FORMS[out.form].other),
      )
  assert out.residual_sd is not None
  message = messages.fitted(out.message, out.residual_sd.sd)
  return dataclasses.replace(out, param_draws=drawn, message=message)
