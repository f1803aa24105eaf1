"""How well each form, with and without a discrepancy, explains the losses.

A component is a form and a smooth discrepancy beside it. Its evidence and its
posterior are by Laplace: the form is linear about its most probable parameters,
of which what is normal is integrated in closed form and the residual sd over
nodes. Here exponents are logarithms, so that every prior is normal.
"""

from collections.abc import Iterator
import dataclasses
from typing import Any

import numpy as np
from scipy import optimize

from scaling_jax.analysis.fitting import forms
from scaling_jax.analysis.fitting.cells import Cells
from scaling_jax.analysis.fitting.discrepancy import LENGTHS
from scaling_jax.analysis.fitting.discrepancy import RATIOS
from scaling_jax.analysis.fitting.discrepancy import Discrepancy
from scaling_jax.analysis.fitting.forms import Form
from scaling_jax.analysis.fitting.noise import LEAST_SD

P_NONE = 0.5  # before the losses are seen, that a form misses nothing
EXPONENT = (0.35, 0.5)  # of alpha and beta: log-normal, with this sd of log
FLOOR_SD = 2.0  # of log E about the mean log L
EXTRA_SD = {'interaction': 0.35, 'exponent': 0.03}  # of log k, and of g
_NODES = 33  # of the residual sd
_REACH = (-4.0, 8.0)  # of them, in standard deviations of its logarithm
_ROUNDS = 2  # of the mode, given the residual sd, and the reverse
_LOGS = slice(3, 5)  # alpha and beta, of the parameters


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
  """Cells [k] as the components take them.

  Attributes:
    n, d: log N and log D from the center.
    log_L: log loss.
    weight: one over each cell's share of the residual sd.
  """

  n: np.ndarray
  d: np.ndarray
  log_L: np.ndarray
  weight: np.ndarray

  @classmethod
  def of(
    cls, cells: Cells, center: tuple[float, float], noise_exponent: float
  ) -> 'Data':
    """Cells from a center, whose standard deviations go as D^-exponent."""
    n, d = np.log(cells.N) - center[0], np.log(cells.D) - center[1]
    return cls(n, d, np.log(cells.loss), np.exp(noise_exponent * d))

  def __len__(self) -> int:
    return len(self.log_L)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Component:
  """A form, its discrepancy, and the posterior of both.

  Attributes:
    form: of the law.
    discrepancy: beside it.
    ratio: of the discrepancy's sd to the residuals'; 0 for none.
    log_evidence: of the losses, its chance before them included.
    sd: [G] nodes of the residual sd.
    chances: [G] of each.
    centers: [G, P] most probable parameters at each, exponents as logarithms.
    precisions: [G, P, P] about it.
  """

  form: Form
  discrepancy: Discrepancy
  ratio: float
  log_evidence: float
  sd: np.ndarray
  chances: np.ndarray
  centers: np.ndarray
  precisions: np.ndarray

  def draws(
    self, rng: np.random.Generator, count: int
  ) -> tuple[np.ndarray, np.ndarray]:
    """Parameters [count, P] of the form, and the residual sd [count]."""
    k = rng.choice(len(self.sd), size=count, p=self.chances)
    # x = center + R^-T z has the precision R R^T.
    root = np.swapaxes(np.linalg.cholesky(self.precisions), 1, 2)[k]
    normal = rng.normal(size=(count, self.form.n_params, 1))
    params = self.centers[k] + np.linalg.solve(root, normal)[..., 0]
    params[:, _LOGS] = np.exp(params[:, _LOGS])
    return params, self.sd[k]


def components(data: Data, start: np.ndarray, sd: float) -> list[Component]:
  """Every form with every discrepancy.

  Args:
    data: the cells.
    start: [5] parameters of Chinchilla's form.
    sd: of its residuals.

  Returns:
    One for each; `weights` tells how much each counts.
  """
  beside = list(_discrepancies(data))
  out = []
  for form in forms.ALL:
    at = np.append(start, np.zeros(form.n_params - len(start)))
    at[_LOGS] = np.log(at[_LOGS])
    for smooth, ratio, chance in beside:
      found, at = _component(form, smooth, ratio, data, at, sd)
      log_p = found.log_evidence + np.log(chance)
      out.append(dataclasses.replace(found, log_evidence=log_p))
  return out


def weights(found: list[Component]) -> np.ndarray:
  """[K] the probability of each component."""
  log_p = np.array([one.log_evidence for one in found])
  p = np.exp(log_p - log_p.max())
  return p / p.sum()


def _discrepancies(data: Data) -> Iterator[tuple[Discrepancy, float, float]]:
  """Each with its ratio and its chance before the losses are seen."""
  at: dict[str, Any] = {'n': data.n, 'd': data.d, 'weight': data.weight}
  yield Discrepancy.none(**at), 0.0, P_NONE
  chance = (1 - P_NONE) / len(LENGTHS) / len(RATIOS)
  for length in LENGTHS:
    smooth = Discrepancy.of(**at, length=length)
    for ratio in RATIOS:
      yield smooth, ratio, chance


@dataclasses.dataclass(frozen=True, eq=False)
class _Problem:
  """One component's least squares: residuals, and normal priors."""

  form: Form
  smooth: Discrepancy
  ratio: float
  data: Data
  mean: np.ndarray
  precision: np.ndarray

  def residuals(self, at: np.ndarray) -> np.ndarray:
    params = np.copy(at)
    params[_LOGS] = np.exp(at[_LOGS])
    fitted = self.form.log_loss(params, self.data.n, self.data.d)
    return self.smooth.whiten(self.ratio, self.data.log_L - fitted)

  def jacobian(self, at: np.ndarray) -> np.ndarray:
    """[k, P] of the fitted losses, whitened."""
    params = np.copy(at)
    params[_LOGS] = np.exp(at[_LOGS])
    out = self.form.jacobian(params, self.data.n, self.data.d)
    out[:, _LOGS] *= params[_LOGS]
    return self.smooth.whiten(self.ratio, out)

  def mode(self, start: np.ndarray, sd: float) -> np.ndarray:
    """The most probable parameters, given the residual sd."""
    root = np.sqrt(self.precision)

    def left(at: np.ndarray) -> np.ndarray:
      return np.append(self.residuals(at) / sd, root * (at - self.mean))

    def slopes(at: np.ndarray) -> np.ndarray:
      return np.vstack([-self.jacobian(at) / sd, np.diag(root)])

    found = optimize.least_squares(
      left, start, jac=slopes, method='lm', max_nfev=100
    )
    return found.x


def _component(
  form: Form,
  smooth: Discrepancy,
  ratio: float,
  data: Data,
  start: np.ndarray,
  sd: float,
) -> tuple[Component, np.ndarray]:
  """The component, and its most probable parameters, exponents as logarithms.

  With residuals r at the mode and H = J'J, at each node of the sd s

    log p = -k log s - log|V| / 2 - log|H / s² + P| / 2 + log|P| / 2
            - min(|r - J x|² / s² + (x - o)' P (x - o)) / 2,

  flat in log s and in what has no prior.
  """
  mean = np.array([0, 0, data.log_L.mean(), *2 * (np.log(EXPONENT[0]),), 0.0])
  sds = [np.inf, np.inf, FLOOR_SD, *2 * (EXPONENT[1],)]
  sds.append(EXTRA_SD.get(form.name, np.inf))
  mean, precision = mean[: form.n_params], np.array(sds[: form.n_params]) ** -2
  problem = _Problem(form, smooth, ratio, data, mean, precision)
  mode, dof = start, max(len(data) - form.n_params, 1)
  with np.errstate(over='ignore', under='ignore'):
    for _ in range(_ROUNDS):
      mode = problem.mode(mode, sd)
      r = problem.residuals(mode)
      sd = max(float(np.sqrt(r @ r / dof)), LEAST_SD)
    J = problem.jacobian(mode)
  nodes = sd * np.exp(np.linspace(*_REACH, _NODES) / np.sqrt(2 * dof))
  off = mean - mode
  s2 = nodes**2
  A = (J.T @ J) / s2[:, None, None] + np.diag(precision)
  h = (J.T @ r) / s2[:, None] + precision * off
  x = np.linalg.solve(A, h[..., None])[..., 0]
  least = r @ r / s2 + off @ (precision * off) - np.sum(h * x, -1)
  log_p = -len(data) * np.log(nodes) - 0.5 * np.linalg.slogdet(A)[1]
  log_p -= 0.5 * least + smooth.log_volume(ratio)
  log_p += 0.5 * np.log(precision[precision > 0]).sum()
  log_p += np.log(np.log(nodes[1] / nodes[0]))
  p = np.exp(log_p - log_p.max())
  return Component(
    form=form, discrepancy=smooth, ratio=ratio,
    log_evidence=float(log_p.max() + np.log(p.sum())),
    sd=nodes, chances=p / p.sum(), centers=mode + x, precisions=A,
  ), mode  # fmt: skip
