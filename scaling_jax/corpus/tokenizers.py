"""Text to token ids and back. Saved as JSON, never pickle."""

from typing import Any

import numpy as np

from scaling_jax import formatting
from scaling_jax.errors import UserError


def code_points(text: str) -> np.ndarray:
  """The text's Unicode code points, uint32 [len(text)]."""
  return np.frombuffer(text.encode('utf-32-le'), np.uint32)


class CharTokenizer:
  """One token a character; ids follow the sorted set of characters."""

  kind = 'char'

  def __init__(self, characters: str):
    self.characters = ''.join(sorted(set(characters)))
    if not self.characters:
      raise UserError(
        'the text has no characters: a tokenizer needs at least one; give a'
        ' text that is not empty'
      )
    points = code_points(self.characters)
    self._ids = np.full(int(points.max()) + 1, -1, np.int32)
    self._ids[points] = np.arange(len(points))

  @property
  def vocab_size(self) -> int:
    return len(self.characters)

  @property
  def dtype(self) -> np.dtype:
    """uint8 up to 256 symbols, else uint16."""
    if self.vocab_size > 1 << 16:
      raise UserError(
        f'the text has {formatting.whole(self.vocab_size)} characters: at most'
        ' 65,536 fit in uint16; give a text with fewer'
      )
    return np.dtype(np.uint8 if self.vocab_size <= 256 else np.uint16)

  def encode(self, text: str) -> np.ndarray:
    """Token ids [len(text)], of `dtype`.

    Raises:
      UserError: a character is not in the vocabulary.
    """
    points = code_points(text)
    known = points < len(self._ids)
    ids = self._ids[np.where(known, points, 0)]
    bad = ~known | (ids < 0)
    if bad.any():
      stranger = chr(points[bad][0])
      raise UserError(
        f'character {stranger!r} is not among the {self.vocab_size} of this'
        ' vocabulary; prepare the corpus again with a text that has it'
      )
    return ids.astype(self.dtype)

  def decode(self, ids: np.ndarray) -> str:
    points = code_points(self.characters)[np.asarray(ids)]
    return points.astype('<u4').tobytes().decode('utf-32-le')

  def bytes_per_id(self) -> np.ndarray:
    """UTF-8 bytes of each token, int64 [vocab_size]."""
    return np.array([len(c.encode('utf-8')) for c in self.characters])

  def to_json(self) -> dict[str, Any]:
    return {'tokenizer': self.kind, 'characters': self.characters}


def from_json(fields: dict[str, Any]) -> CharTokenizer:
  """The tokenizer that a meta.json describes."""
  if fields['tokenizer'] != CharTokenizer.kind:
    raise UserError(
      f'tokenizer {fields["tokenizer"]!r} is not known: it must be'
      f' {CharTokenizer.kind!r}; prepare the corpus again'
    )
  return CharTokenizer(fields['characters'])
