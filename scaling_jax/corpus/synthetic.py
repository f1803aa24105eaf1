"""The embedded corpus: text whose entropy is known exactly.

Words are drawn independently from a lexicon whose frequencies fall as
Zipf–Mandelbrot's law, (rank + 8)^-1.5, and each is followed by a space or, one
time in eight, a new line. Spelling is pronounceable and frequent words are
short, so a model first learns letters, then common words, then ever rarer
ones: a small model cannot store them, a short run does not meet them, and loss
falls with N and with D as a power law until it nears the entropy.

Everything that decides a byte is integer arithmetic on raw Philox output, so
that the bytes are the same on every machine.
"""

from collections.abc import Iterator
import math
from typing import NamedTuple

import numpy as np

SEPARATORS = ' \n'
NEW_LINE_SHARE = 8  # one separator in eight ends a line

_VOWELS = 'eaoiu'
_CONSONANTS = 'tnshrdlcmwfgypbvkjxq'
_RANK_SHIFT = 8
_WEIGHT_BITS = 48  # weights sum to 2^48, so raw bits draw them exactly
_LEXICON_SIZE = 100_000


class Lexicon(NamedTuple):
  """Words and how often each occurs.

  Attributes:
    letters: uint8 [words, longest + 1], ASCII, zero after a word's end.
    lengths: int64 [words], letters in each.
    weights: uint64 [words], whose sum is 2^48.
  """

  letters: np.ndarray
  lengths: np.ndarray
  weights: np.ndarray

  @property
  def probabilities(self) -> np.ndarray:
    return self.weights / float(1 << _WEIGHT_BITS)


def _raw(seed: int, stream: int, n: int) -> np.ndarray:
  """n uniform uint64; raw Philox output is the same in every NumPy."""
  return np.random.Philox(key=[seed, stream]).random_raw(n)


def _draw(cumulative: np.ndarray, uniform: np.ndarray) -> np.ndarray:
  return np.searchsorted(cumulative, uniform, side='right')


def zipf_weights(n: int) -> np.ndarray:
  """Integer weights of n ranks, ∝ (rank + 8)^-1.5, summing to 2^48."""
  ranks = range(1, n + 1)
  weights = [math.isqrt((1 << 150) // (r + _RANK_SHIFT) ** 3) for r in ranks]
  total = sum(weights)
  weights = [max(1, (w << _WEIGHT_BITS) // total) for w in weights]
  weights[0] += (1 << _WEIGHT_BITS) - sum(weights)
  return np.array(weights, np.uint64)


def _spell(lengths: np.ndarray, bits: np.ndarray) -> np.ndarray:
  """Letters that alternate between consonants and vowels, [words, width]."""
  width = bits.shape[1] - 1
  letters = np.zeros((len(lengths), width), np.uint8)
  starts_with_vowel = bits[:, -1] % 3 == 0
  for alphabet, parity in ((_VOWELS, 0), (_CONSONANTS, 1)):
    # Weights 1/rank, in 1/5040ths, make some letters more frequent.
    shares = np.array([5040 // (i + 1) for i in range(len(alphabet))])
    cumulative = np.cumsum(shares)
    uniform = bits[:, :-1] % np.uint64(cumulative[-1])
    symbols = np.frombuffer(alphabet.encode(), np.uint8)
    drawn = symbols[_draw(cumulative, uniform.astype(np.int64))]
    odd = (np.arange(width) + starts_with_vowel[:, None] + 1) % 2 == 1 - parity
    letters = np.where(~odd, drawn, letters)
  return np.where(np.arange(width) < lengths[:, None], letters, 0)


def _codes(letters: np.ndarray) -> np.ndarray:
  """One int64 a row: five bits a letter, so at most twelve letters."""
  codes = np.zeros(len(letters), np.int64)
  for column in letters.T:
    codes = codes << 5 | (column.astype(np.int64) & 31)
  return codes


def make_lexicon(seed: int = 0, n_words: int = _LEXICON_SIZE) -> Lexicon:
  """A lexicon of distinct words; the frequent ones are short."""
  bit_length = np.array([r.bit_length() for r in range(1, n_words + 1)])
  lengths = 2 + bit_length // 2
  width = int(lengths.max()) + 1
  letters = np.zeros((n_words, width), np.uint8)
  todo = np.arange(n_words)
  attempt = 0
  while len(todo):
    attempt += 1
    bits = _raw(seed, attempt, len(todo) * (width + 1))
    letters[todo] = _spell(lengths[todo], bits.reshape(len(todo), width + 1))
    _, first = np.unique(_codes(letters), return_index=True)
    todo = np.setdiff1d(np.arange(n_words), first)
  return Lexicon(letters, lengths, zipf_weights(n_words))


def _entropy(probabilities: np.ndarray) -> float:
  p = probabilities[probabilities > 0]
  return -math.fsum(p * np.log(p))


def _grouped_entropy(codes: np.ndarray, probabilities: np.ndarray) -> float:
  """Entropy of the codes, equal ones taken together."""
  _, group = np.unique(codes, return_inverse=True)
  return _entropy(np.bincount(group, probabilities))


_NEW_LINE = 1 / NEW_LINE_SHARE
_SEPARATOR_ENTROPY = _entropy(np.array([_NEW_LINE, 1 - _NEW_LINE]))


def entropy_rate(lexicon: Lexicon) -> float:
  """Nats per character of the source, exactly: no model predicts better.

  The entropy of a word and its separator over their mean length.
  """
  p = lexicon.probabilities
  return (_entropy(p) + _SEPARATOR_ENTROPY) / math.fsum(
    p * (lexicon.lengths + 1)
  )


def context_entropy(lexicon: Lexicon, context: int) -> float:
  """Nats per character of the best model that sees one window at a time.

  A model that reads windows of `context` characters does not know where in a
  word its window starts, so its floor lies above the entropy rate: the entropy
  of a window placed at random, over its length. The window is a word's end
  (known by its suffix), then whole words, whose letters come from the tree of
  prefixes.

  Args:
    lexicon: the source.
    context: window length, longer than the longest word.
  """
  letters, lengths, _ = lexicon
  longest = int(lengths.max())
  if context <= longest:
    raise ValueError(
      f'context={context} must exceed the longest word {longest}'
    )
  p = lexicon.probabilities
  mean_length = math.fsum(p * (lengths + 1))
  length_p = np.bincount(lengths, p, minlength=longest + 1)

  # by_depth[d]: entropy of the symbol that follows d letters of a word, times
  # the chance that a word has d letters. A padded row ends with zeros, so its
  # prefix of d + 1 columns tells "ended" from every letter.
  truncated = [
    _grouped_entropy(_codes(letters[:, :d]), p) for d in range(longest + 2)
  ]
  by_depth = np.diff(truncated) + _SEPARATOR_ENTROPY * length_p

  # starts[t]: the chance that a word starts t characters after one started.
  starts = np.zeros(context + 1)
  starts[0] = 1.0
  for t in range(1, context + 1):
    reach = min(t, longest + 1)
    starts[t] = starts[t - reach : t] @ length_p[:reach][::-1]
  each = np.convolve(starts, by_depth)[:context]
  from_start = np.concatenate([[0.0], np.cumsum(each)])

  total, suffix_p = 0.0, np.zeros(longest + 1)
  for size in range(longest + 1):
    has = lengths >= size
    suffix_p[size] = p[has].sum() / mean_length
    columns = lengths[has, None] - size + np.arange(size)
    suffix = np.take_along_axis(letters[has], columns, axis=1)
    total += _grouped_entropy(_codes(suffix), p[has] / mean_length)
  total += _SEPARATOR_ENTROPY
  rest = from_start[context - 1 - np.arange(longest + 1)]
  return float((total + suffix_p @ rest) / context)


class SyntheticSource:
  """`n_characters` of text from the lexicon of a seed."""

  def __init__(self, n_characters: int = 10_000_000, seed: int = 0):
    self.n_characters = n_characters
    self.seed = seed
    self.lexicon = make_lexicon(seed)
    self.description = f'synthetic, seed {seed}'

  def pieces(self) -> Iterator[str]:
    letters, lengths, weights = self.lexicon
    cumulative = np.cumsum(weights)
    ending = np.frombuffer(SEPARATORS.encode(), np.uint8)
    left, piece = self.n_characters, 0
    while left > 0:
      piece += 1
      bits = _raw(self.seed, (1 << 32) + piece, 1 << 18)
      words = _draw(cumulative, bits >> np.uint64(64 - _WEIGHT_BITS))
      new_line = bits % np.uint64(NEW_LINE_SHARE) == 0
      rows, ends = letters[words], lengths[words]
      rows[np.arange(len(rows)), ends] = ending[new_line.astype(np.int64)]
      text = rows[np.arange(rows.shape[1]) <= ends[:, None]]
      yield text[:left].tobytes().decode('ascii')
      left -= len(text)
