"""Evidences and draws against importance sampling with dense matrices."""

import functools

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
from scipy import special
from scipy import stats

from scaling_jax import published
from scaling_jax.analysis.fitting import forms
from scaling_jax.analysis.fitting import mixture
from scaling_jax.analysis.fitting.cells import Cells
from tests.analysis.fitting import law_by_hand

N, D, L = law_by_hand.study(noise=1e-3, models=5)
CENTER = float(np.log(N).mean()), float(np.log(D).mean())
START = law_by_hand.as_params(published.HOFFMANN, N, D)
DATA = mixture.Data.of(Cells.of(N, D, L), CENTER, noise_exponent=0.1)


@functools.cache
def components():
  return mixture.components(DATA, START, 1e-3)


def named(name, ratio, length=np.inf):
  return next(
    one
    for one in components()
    if (one.model.form.name, one.model.ratio) == (name, ratio)
    and one.model.discrepancy.length == length
  )


def log_posterior(name, ratio, length, at):
  """[B] of coordinates and log sd [B, P + 1], written again."""
  n, d = np.log(N) - CENTER[0], np.log(D) - CENTER[1]
  extra = at[:, 5, None] if at.shape[1] == 7 else 0.0
  a, b, e, log_alpha, log_beta = at.T[:5, :, None]
  k = np.exp(extra if name == 'interaction' else 0.0)
  g = extra if name == 'exponent' else 0.0
  model = np.exp((a - np.exp(log_alpha) * n) / k)
  text = np.exp((b - (np.exp(log_beta) + g * n) * d) / k)
  left = np.log(L) - np.log(np.exp(e) + (model + text) ** k)
  V = np.diag(np.exp(-0.2 * d))
  if ratio:
    apart = np.subtract.outer(n, n) ** 2 + np.subtract.outer(d, d) ** 2
    V = V + ratio**2 * np.exp(-apart / 2 / length**2)
  squares = np.sum(left * np.linalg.solve(V, left.T).T, 1)
  log_sd = at[:, -1]
  out = -len(N) * log_sd - squares / 2 / np.exp(2 * log_sd)
  out -= np.linalg.slogdet(V)[1] / 2
  # Of normal priors, constants but for those that all models share.
  pi = np.log(2 * np.pi) / 2
  for i, sd in enumerate((3.0, 3.0, 2.0)):
    out += stats.norm(np.log(L).mean(), sd).logpdf(at[:, i]) + pi
  for i in (3, 4):
    out += stats.norm(np.log(0.35), 0.8).logpdf(at[:, i]) + pi
  if at.shape[1] == 7:
    sd = 0.35 if name == 'interaction' else 0.03
    out += stats.norm(0, sd).logpdf(at[:, 5]) + pi
  return out


class MixtureTest(parameterized.TestCase):
  @parameterized.parameters(
    ('chinchilla', 0.0), ('interaction', 0.0), ('exponent', 0.0),
    ('chinchilla', 4.0), ('interaction', 2.0),
  )  # fmt: skip
  def test_evidence_and_draws(self, name, ratio):
    length = 3.0 if ratio else np.inf
    one = named(name, ratio, length)
    rng = np.random.default_rng(0)
    params, sd = one.draws(rng, 4000)
    at = np.column_stack([params, np.log(sd)])
    at[:, 3:5] = np.log(at[:, 3:5])
    wide = stats.multivariate_t(at.mean(0), 1.5 * np.cov(at.T), df=5, seed=1)
    x = wide.rvs(40_000)
    log_w = log_posterior(name, ratio, length, x) - wide.logpdf(x)
    # What the components have as a whole, and each for itself.
    P = one.model.form.n_params
    log_p = (
      special.logsumexp(log_w) - np.log(len(x)) - P / 2 * np.log(2 * np.pi)
    )
    chance = 1 / 3 if not ratio else (2 / 3) / 10
    self.assertAlmostEqual(one.log_evidence, log_p + np.log(chance), delta=0.3)
    p = special.softmax(log_w)
    mean = p @ x
    spread = np.sqrt(p @ (x - mean) ** 2)
    np.testing.assert_allclose((at.mean(0) - mean) / spread, 0, atol=0.15)
    np.testing.assert_allclose(at.std(0) / spread, 1, atol=0.12)

  def test_weights(self):
    p = mixture.weights(components())
    self.assertLen(p, 33)
    self.assertAlmostEqual(p.sum(), 1)
    best = components()[int(np.argmax(p))]
    self.assertEqual(
      (best.model.form.name, best.model.ratio), ('chinchilla', 0)
    )

  def test_chances_before_the_losses_add_up(self):
    chances = [x[2] for x in mixture.discrepancies(DATA)]
    self.assertAlmostEqual(sum(chances), 1)
    self.assertEqual(len(forms.ALL) * len(chances), len(components()))


if __name__ == '__main__':
  absltest.main()
