"""How well each form, with and without a discrepancy, explains the losses.

A component is a form and a smooth discrepancy beside it. Its evidence and its
posterior are by Laplace: the form is linear about its most probable parameters,
of which what is normal is integrated in closed form and the residual sd over
nodes. Here exponents are logarithms, so that every prior is normal.
"""

from collections.abc import Iterator
import dataclasses
import functools
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

P_NONE = 1 / 3  # before the losses are seen, that a form misses nothing
EXPONENT = (0.35, 0.8)  # of alpha and beta: log-normal, with this sd of log
TERMS_SD = (3.0, 3.0, 2.0)  # of log A', log B' and log E about the mean log L
EXTRA_SD = {'interaction': 0.35, 'exponent': 0.03}  # of log k, and of g
_NODES = 33  # of the residual sd
_REACH = (-4.0, 8.0)  # of them, in standard deviations of its logarithm
_ROUNDS = 2  # of the mode, given the residual sd, and the reverse
_LOGS = slice(3, 5)  # alpha and beta, of the parameters
_FAR = 1e3  # nats: a residual beyond is of no law
_TRIES = 8  # draws for each that is kept
_ENTRIES = 4_000_000  # residuals at once, of so many draws
_WIDER = 1.15  # than Laplace's posterior they are drawn


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
class Model:
  """A form, a discrepancy beside it, and cells to explain.

  Its coordinates [P] are the form's parameters with alpha and beta as
  logarithms, so that every prior is normal.

  Attributes:
    form: of the law.
    discrepancy: beside it.
    ratio: of the discrepancy's sd to the residuals'; 0 for none.
    data: the cells.
  """

  form: Form
  discrepancy: Discrepancy
  ratio: float
  data: Data

  @functools.cached_property
  def prior(self) -> tuple[np.ndarray, np.ndarray]:
    """Mean and precision [P] of the coordinates."""
    level, about = float(self.data.log_L.mean()), np.log(EXPONENT[0])
    mean = np.array([*3 * (level,), about, about, 0.0])
    extra_sd = EXTRA_SD.get(self.form.name, np.inf)
    sd = np.array([*TERMS_SD, *2 * (EXPONENT[1],), extra_sd])
    return mean[: self.form.n_params], sd[: self.form.n_params] ** -2

  def whitened(self, params: np.ndarray) -> np.ndarray:
    """[B, k] residuals about the form at params [B, P], independent."""
    with np.errstate(over='ignore', invalid='ignore'):
      fitted = self.form.log_loss(params.T[..., None], self.data.n, self.data.d)
      left = np.clip(self.data.log_L - fitted, -_FAR, _FAR)
    return self.discrepancy.whiten(self.ratio, left.T).T

  def jacobian(self, at: np.ndarray) -> np.ndarray:
    """[k, P] of the whitened fit by coordinates [P]."""
    params = in_units(at)
    out = self.form.jacobian(params, self.data.n, self.data.d)
    out[:, _LOGS] *= params[_LOGS]
    return self.discrepancy.whiten(self.ratio, out)

  def mode(self, start: np.ndarray, sd: float) -> np.ndarray:
    """[P] the most probable coordinates, given the residual sd."""
    mean, precision = self.prior
    root = np.sqrt(precision)

    def left(at: np.ndarray) -> np.ndarray:
      r = self.whitened(in_units(at)[None])[0]
      return np.append(r / sd, root * (at - mean))

    def slopes(at: np.ndarray) -> np.ndarray:
      return np.vstack([-self.jacobian(at) / sd, np.diag(root)])

    found = optimize.least_squares(
      left, start, jac=slopes, method='lm', max_nfev=100
    )
    return found.x


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Component:
  """The posterior of a model.

  Attributes:
    model: what it is of.
    log_evidence: of the losses, by Laplace.
    sd: [G] nodes of the residual sd.
    chances: [G] of each.
    centers: [G, P] most probable coordinates at each.
    precisions: [G, P, P] about it.
    least: [G] minus twice the log posterior there, but for the sd's volume.
  """

  model: Model
  log_evidence: float
  sd: np.ndarray
  chances: np.ndarray
  centers: np.ndarray
  precisions: np.ndarray
  least: np.ndarray

  def draws(
    self, rng: np.random.Generator, count: int
  ) -> tuple[np.ndarray, np.ndarray]:
    """Parameters [count, P] of the form, and the residual sd [count].

    Several times as many are drawn as by Laplace, and resampled by how much
    more probable each is than Laplace has it (Rubin 1988, SIR): the floor's
    posterior is skewed.
    """
    tries = int(np.clip(_ENTRIES // (count * len(self.model.data)), 2, _TRIES))
    size = tries * count
    k = rng.choice(len(self.sd), size=size, p=self.chances)
    # x = center + R^-T z has the precision R R^T.
    root = np.swapaxes(np.linalg.cholesky(self.precisions), 1, 2)
    normal = rng.normal(size=(size, self.centers.shape[1]))
    step = np.einsum('bij,bj->bi', np.linalg.inv(root)[k], normal)
    at = self.centers[k] + _WIDER * step
    mean, precision = self.model.prior
    squares = np.sum(self.model.whitened(in_units(at)) ** 2, 1)
    exact = squares / self.sd[k] ** 2 + (at - mean) ** 2 @ precision
    log_w = 0.5 * (self.least[k] + np.sum(normal**2, 1) - exact)
    w = np.exp(log_w - log_w.max())
    # No draw counts for more than so many, lest a few be all.
    w = np.minimum(w, np.sqrt(size) * w.mean())
    kept = rng.choice(size, size=count, p=w / w.sum())
    return in_units(at[kept]), self.sd[k[kept]]


def in_units(at: np.ndarray) -> np.ndarray:
  """Parameters [..., P] of a form behind its coordinates."""
  out = np.copy(at)
  with np.errstate(over='ignore'):
    out[..., _LOGS] = np.exp(at[..., _LOGS])
  return out


def components(data: Data, start: np.ndarray, sd: float) -> list[Component]:
  """Every form with every discrepancy.

  Args:
    data: the cells.
    start: [5] parameters of Chinchilla's form.
    sd: of its residuals.

  Returns:
    One for each; `weights` tells how much each counts.
  """
  beside = list(discrepancies(data))
  out = []
  for form in forms.ALL:
    at = np.append(start, np.zeros(form.n_params - len(start)))
    at[_LOGS] = np.log(at[_LOGS])
    for smooth, ratio, chance in beside:
      model = Model(form=form, discrepancy=smooth, ratio=ratio, data=data)
      found, at = _posterior(model, at, sd, chance)
      out.append(found)
  return out


def weights(found: list[Component]) -> np.ndarray:
  """[K] the probability of each component."""
  log_p = np.array([one.log_evidence for one in found])
  p = np.exp(log_p - log_p.max())
  return p / p.sum()


def discrepancies(data: Data) -> Iterator[tuple[Discrepancy, float, float]]:
  """Each with its ratio and its chance before the losses are seen."""
  at: dict[str, Any] = {'n': data.n, 'd': data.d, 'weight': data.weight}
  yield Discrepancy.none(**at), 0.0, P_NONE
  chance = (1 - P_NONE) / len(LENGTHS) / len(RATIOS)
  for length in LENGTHS:
    smooth = Discrepancy.of(**at, length=length)
    for ratio in RATIOS:
      yield smooth, ratio, chance


def _posterior(
  model: Model, start: np.ndarray, sd: float, chance: float
) -> tuple[Component, np.ndarray]:
  """The component, and its most probable coordinates.

  With residuals r at the mode, J their slopes, o the priors' offset from it,
  P their precision and V the covariance of residuals in units of the sd s,

    log p(s) = -k log s - log|V| / 2 - log|J'J / s² + P| / 2 + log|P| / 2
               - min(|r - J x|² / s² + (x - o)' P (x - o)) / 2,

  flat in log s.

  Args:
    model: what it is of.
    start: [P] coordinates.
    sd: of the residuals, about.
    chance: of the model, before the losses are seen.
  """
  mean, precision = model.prior
  n, mode, sd = len(model.data), start, max(sd, LEAST_SD)
  dof = max(n - model.form.n_params, 1)
  for _ in range(_ROUNDS):
    mode = model.mode(mode, sd)
    r = model.whitened(in_units(mode)[None])[0]
    sd = max(float(np.sqrt(r @ r / dof)), LEAST_SD)
  J, off = model.jacobian(mode), mean - mode
  nodes = sd * np.exp(np.linspace(*_REACH, _NODES) / np.sqrt(2 * dof))
  s2 = nodes**2
  A = (J.T @ J) / s2[:, None, None] + np.diag(precision)
  h = (J.T @ r) / s2[:, None] + precision * off
  x = np.linalg.solve(A, h[..., None])[..., 0]
  least = r @ r / s2 + off @ (precision * off) - np.sum(h * x, -1)
  log_p = -n * np.log(nodes) - 0.5 * np.linalg.slogdet(A)[1] - 0.5 * least
  log_p += 0.5 * np.log(precision).sum()
  log_p += np.log(chance) - model.discrepancy.log_volume(model.ratio)
  log_p += np.log(np.log(nodes[1] / nodes[0]))
  p = np.exp(log_p - log_p.max())
  return Component(
    model=model, log_evidence=float(log_p.max() + np.log(p.sum())), sd=nodes,
    chances=p / p.sum(), centers=mode + x, precisions=A, least=least,
  ), mode  # fmt: skip
