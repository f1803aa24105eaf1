"""Whether approach 3's form fits: a nested F-test against two that hold it.

E + [(A/N^alpha)^(1/k) + (B/D^beta)^(1/k)]^k is Chinchilla's law at k = 1; its
terms interact below and above. B/D^(beta + g log N) is it at g = 0; there data
helps large models more, as Li et al. 2025 (Farseer, arXiv 2506.10972) find. If
one more parameter takes more of the residuals than noise would leave it, the
form is not that of the runs.
"""

import dataclasses
from typing import Any

import numpy as np
from scipy import optimize
from scipy import special

from scaling_jax.analysis.fitting import forms
from scaling_jax.analysis.fitting.chinchilla_data import N_PARAMS
from scaling_jax.analysis.fitting.chinchilla_data import LogData
from scaling_jax.analysis.fitting.chinchilla_fit import ChinchillaFit
from scaling_jax.analysis.fitting.forms import Form

CHANCE = 0.012  # of a true law, that either form is preferred to it
MIN_FREEDOM = 3  # beyond the sixth parameter


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class FormTest:
  """How Chinchilla's form stands against a wider one.

  Attributes:
    form: 'interaction' (k) or 'exponent' (beta varies with N), whichever the
      runs prefer.
    extra: k, or g, by least squares.
    p_value: how rarely a true law would leave as much to either, by Bonferroni.
  """

  form: str
  extra: float
  p_value: float

  @property
  def rejected(self) -> bool:
    return self.p_value < CHANCE


def check(fit: ChinchillaFit) -> FormTest | None:
  """Tests a fit's form on the runs that it was fitted to.

  Residuals of log L by least squares, divided by how much runs of their D
  scatter; seeds of one N and D are one datum.

  Args:
    fit: of approach 3.

  Returns:
    None where it is not ok, where nine or fewer data leave nothing to judge by,
    or where residuals of one model go together.

  >>> from scaling_jax.analysis.fitting import chinchilla
  >>> from scaling_jax.analysis.fitting.bootstrap import Bootstrap
  >>> from scaling_jax.analysis.fitting.simulate import simulate
  >>> from scaling_jax.published import HOFFMANN
  >>> N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
  >>> L = simulate(HOFFMANN, N, D, noise=1e-3)
  >>> check(chinchilla.fit(N, D, L, bootstrap=Bootstrap(draws=0))).rejected
  False
  """
  if not fit.ok or fit.point is None or fit.model_sd:
    return None
  cells = fit.cells
  dof = len(cells) - N_PARAMS - 1
  if dof < MIN_FREEDOM:
    return None
  n, d = np.log(cells.N) - fit.center[0], np.log(cells.D) - fit.center[1]
  weight = np.exp(fit.noise_exponent * d)

  def squares(form: Form, start: np.ndarray) -> tuple[float, np.ndarray]:
    found = _least(form, start, n, d, np.log(cells.loss), weight)
    return 2 * float(found.cost), found.x

  plain, start = squares(forms.CHINCHILLA, fit.point)
  rows = []
  for form in forms.WIDER:
    wider, params = squares(form, np.append(start, 0.0))
    F = max(plain - wider, 0.0) / max(wider, 1e-300) * dof
    p = float(special.fdtrc(1, dof, F))
    rows.append((p, form.name, form.extra(params)))
  p, name, extra = min(rows)
  return FormTest(form=name, extra=extra, p_value=min(len(rows) * p, 1.0))


def log_likelihood(
  data: LogData, point: np.ndarray, weight: np.ndarray
) -> float:
  """Of independent residuals [n] about the wider form that fits them best.

  As `Clusters.log_likelihood`, which has as many parameters: what speaks more
  for a wider form than for residuals that go together by model.

  Args:
    data: the cells.
    point: [5] of approach 3's form.
    weight: [n] one over how they differ in their scatter.
  """
  start = np.append(point, 0.0)
  columns = data.log_N, data.log_D, data.log_L
  least = min(
    2 * float(_least(form, start, *columns, weight).cost)
    for form in forms.WIDER
  )
  return -0.5 * len(data.log_L) * float(np.log(max(least, 1e-300)))


def _least(
  form: Form,
  start: np.ndarray,
  n: np.ndarray,
  d: np.ndarray,
  log_L: np.ndarray,
  weight: np.ndarray,
) -> Any:
  def left(params: np.ndarray) -> np.ndarray:
    with np.errstate(all='ignore'):
      out = weight * (form.log_loss(params, n, d) - log_L)
    return np.where(np.isfinite(out), out, 1e3)

  return optimize.least_squares(
    left, start, method='lm', x_scale=_SCALES[: len(start)], xtol=1e-12,
    ftol=1e-12, gtol=1e-12, max_nfev=2000,
  )  # fmt: skip


_SCALES = np.array([1.0, 1.0, 1.0, 0.3, 0.3, 0.1])
