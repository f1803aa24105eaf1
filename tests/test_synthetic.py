"""The embedded corpus: its bytes, and its entropy by other roads."""

import collections
import hashlib
import itertools
import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.corpus import synthetic


def tiny_lexicon():
  """Five words with a shared prefix and a shared suffix."""
  words = ['ab', 'a', 'abc', 'cb', 'bab']
  letters = np.zeros((5, 4), np.uint8)
  for row, word in zip(letters, words):
    row[: len(word)] = np.frombuffer(word.encode(), np.uint8)
  lengths = np.array([len(w) for w in words])
  return words, synthetic.Lexicon(letters, lengths, synthetic.zipf_weights(5))


def window_entropy(words, p, context):
  """Entropy of a random window, by listing every text that it can show."""
  new_line = 1 / synthetic.NEW_LINE_SHARE
  chunks = collections.Counter()
  for word, chance in zip(words, p):
    chunks[word + ' '] += chance * (1 - new_line)
    chunks[word + '\n'] += chance * new_line
  mean_length = sum(len(c) * q for c, q in chunks.items())
  windows = collections.Counter()
  tails = collections.Counter()
  for chunk, q in chunks.items():
    for start in range(len(chunk)):
      tails[chunk[start:]] += q / mean_length
  while tails:
    longer = collections.Counter()
    for text, q in tails.items():
      if len(text) >= context:
        windows[text[:context]] += q
      else:
        for chunk, r in chunks.items():
          longer[text + chunk] += q * r
    tails = longer
  return -sum(q * math.log(q) for q in windows.values())


class EntropyTest(parameterized.TestCase):
  @parameterized.parameters(4, 5, 7, 9)
  def test_context_entropy_by_enumeration(self, context):
    words, lexicon = tiny_lexicon()
    expected = window_entropy(words, lexicon.probabilities, context)
    found = synthetic.context_entropy(lexicon, context)
    self.assertAlmostEqual(found, expected / context, places=12)

  def test_rate_is_the_limit_of_growing_windows(self):
    words, lexicon = tiny_lexicon()
    p = lexicon.probabilities
    step = window_entropy(words, p, 10) - window_entropy(words, p, 9)
    self.assertAlmostEqual(synthetic.entropy_rate(lexicon), step, delta=2e-3)
    far = synthetic.context_entropy(lexicon, 4000)
    self.assertAlmostEqual(synthetic.entropy_rate(lexicon), far, delta=1e-3)

  def test_short_windows_are_refused(self):
    _, lexicon = tiny_lexicon()
    with self.assertRaisesRegex(ValueError, 'longest word 3'):
      synthetic.context_entropy(lexicon, 3)

  def test_the_true_model_pays_the_entropy(self):
    source = synthetic.SyntheticSource(n_characters=2_000_000, seed=3)
    chance = {
      bytes(row[:n]).decode(): p
      for row, n, p in zip(
        source.lexicon.letters,
        source.lexicon.lengths,
        source.lexicon.probabilities,
      )
    }
    text = ''.join(source.pieces())
    lines = text[: text.rindex(' ')].split('\n')
    costs = []
    for line in lines:
      for word in line.split(' '):
        costs.append(-math.log(chance[word]))
    spaces = sum(line.count(' ') for line in lines)
    ends = len(lines) - 1
    total = sum(costs) - spaces * math.log(7 / 8) - ends * math.log(1 / 8)
    rate = synthetic.entropy_rate(source.lexicon)
    n = len('\n'.join(lines))
    # The spread of words' costs gives the sample's standard error.
    sem = np.std(np.array(costs)) * math.sqrt(len(costs)) / n
    self.assertAlmostEqual(total / n, rate, delta=4 * sem)
    self.assertLess(4 * sem, 0.01)


class SourceTest(absltest.TestCase):
  def test_same_bytes_everywhere(self):
    text = ''.join(synthetic.SyntheticSource(100_000).pieces())
    self.assertLen(text, 100_000)
    self.assertEqual(
      hashlib.sha256(text.encode()).hexdigest(),
      'fcf5dd787a3b879fd111d012df5fd87271131807c5ecb2802a41a20f45c8aa5d',
    )

  def test_seeds_differ_and_repeat(self):
    one, again, other = (
      ''.join(synthetic.SyntheticSource(1000, seed).pieces())
      for seed in (1, 1, 2)
    )
    self.assertEqual(one, again)
    self.assertNotEqual(one, other)

  def test_words_are_distinct_and_weights_exact(self):
    lexicon = synthetic.make_lexicon(0)
    words = {bytes(r[:n]) for r, n in zip(lexicon.letters, lexicon.lengths)}
    self.assertLen(words, len(lexicon.letters))
    self.assertEqual(sum(int(w) for w in lexicon.weights), 1 << 48)
    vowels = set(b'aeiou')
    for word in itertools.islice(words, 2000):
      kinds = [c in vowels for c in word]
      self.assertTrue(all(a != b for a, b in itertools.pairwise(kinds)), word)

  def test_frequencies_follow_zipf_mandelbrot(self):
    p = synthetic.make_lexicon(0).probabilities
    ranks = np.arange(1, len(p) + 1)
    law = (ranks + 8.0) ** -1.5
    np.testing.assert_allclose(p, law / law.sum(), rtol=1e-6)


if __name__ == '__main__':
  absltest.main()
