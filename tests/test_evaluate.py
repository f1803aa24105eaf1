"""Validation loss against sums by hand."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import jax
import numpy as np

from configs import common
from scaling_jax.corpus import dataset as dataset_lib
from scaling_jax.training import evaluate
from scaling_jax.training import model as model_lib
from scaling_jax.training import step as step_lib
from tests import reference

CONFIG = model_lib.GPTConfig(
  n_layer=1, n_head=2, n_embd=16, block_size=8, vocab_size=7
)


def make_dataset(n_val):
  tokens = np.random.default_rng(0).integers(0, 7, 500).astype(np.uint8)
  meta = {
    'vocab_size': 7,
    'counts': {'val': {'tokens': n_val, 'bytes': 2 * n_val}},
  }
  return dataset_lib.Dataset('random', meta, tokens, tokens[:n_val])


def make_params(seeds):
  stacked = [step_lib.init_params(CONFIG, s) for s in seeds]
  scaled = [jax.tree.map(lambda x: 3 * x, p) for p in stacked]
  return jax.tree.map(lambda *x: np.stack(x), *scaled)


def make_evaluator(dataset, devices, batches=3, batch_size=5):
  evaluation = common.get_config().eval
  evaluation.update({'batches': batches, 'batch_size': batch_size})
  return evaluate.Evaluator(
    CONFIG, dataset, evaluation, jax.devices()[:devices]
  )


def reference_losses(params, tokens):
  """The loss of every target, in windows of T from the start."""
  T = CONFIG.block_size
  params = reference.to_float64(params)
  losses = []
  for start in range(0, len(tokens) - 1, T):
    window = tokens[start : start + T + 1].astype(int)
    z = reference.logits(params, window[None, :-1], CONFIG.n_head)[0]
    z = z - np.log(np.exp(z).sum(-1, keepdims=True))
    losses += (-z[np.arange(len(window) - 1), window[1:]]).tolist()
  return np.array(losses)


class EvaluateTest(parameterized.TestCase):
  @parameterized.product(n_val=[10, 120, 122], devices=[1, 2])
  def test_whole_split_is_the_mean_over_every_token(self, n_val, devices):
    dataset = make_dataset(n_val)
    params = make_params((0, 1))
    scores = make_evaluator(dataset, devices).whole(params)
    self.assertLen(scores, 2)
    for i, found in enumerate(scores):
      alone = jax.tree.map(lambda x, i=i: x[i], params)
      losses = reference_losses(alone, dataset.val)
      self.assertLen(losses, n_val - 1)
      self.assertAlmostEqual(found.loss, losses.mean(), delta=1e-5)
      bits = losses.mean() / math.log(2) / 2
      self.assertAlmostEqual(found.bpb, bits, delta=1e-5)

  def test_devices_share_a_batch_that_they_don_t_divide(self):
    dataset, params = make_dataset(200), make_params((0,))
    one, two = (make_evaluator(dataset, n).sample(params)[0] for n in (1, 2))
    np.testing.assert_allclose(one, two, rtol=1e-5)

  def test_many_programs_one_after_the_other(self):
    # Under way together, programs of two CPU devices wait for one another
    # until XLA ends the process.
    dataset, params = make_dataset(490), make_params((0,))
    evaluator = make_evaluator(dataset, 2, batches=1, batch_size=2)
    scores = {evaluator.whole(params)[0] for _ in range(5)}
    self.assertLen(scores, 1)

  def test_sample_is_fixed_and_near_the_whole(self):
    dataset, params = make_dataset(400), make_params((0,))
    evaluator = make_evaluator(dataset, 2, batches=40)
    sample, whole = evaluator.sample(params)[0], evaluator.whole(params)[0]
    self.assertEqual(sample, evaluator.sample(params)[0])
    self.assertAlmostEqual(sample.loss, whole.loss, delta=5 * sample.sem)

  def test_standard_error_of_independent_batches(self):
    rng = np.random.default_rng(1)
    n, repeats, counts = 40, 2000, np.full(40, 25)
    scores = [
      evaluate.score(25 * (2 + 0.3 * rng.standard_normal(n)), counts, 1.0)
      for _ in range(repeats)
    ]
    spread = np.std([s.loss for s in scores])
    self.assertAlmostEqual(spread, 0.3 / math.sqrt(n), delta=0.003)
    self.assertAlmostEqual(
      np.mean([s.sem for s in scores]), spread, delta=0.002
    )

  def test_empty_batches_don_t_count(self):
    full = evaluate.score([4.0, 6.0], [2, 2], 1.0)
    padded = evaluate.score([4.0, 6.0, 0.0], [2, 2, 0], 1.0)
    self.assertEqual(full, padded)
    self.assertEqual(full.loss, 2.5)
    self.assertTrue(math.isnan(evaluate.score([4.0], [2], 1.0).sem))


if __name__ == '__main__':
  absltest.main()
