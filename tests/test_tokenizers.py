"""Characters to ids and back."""

from absl.testing import absltest
import numpy as np

from scaling_jax.corpus import tokenizers
from scaling_jax.errors import UserError


class CharTokenizerTest(absltest.TestCase):
  def test_ids_follow_the_sorted_characters(self):
    tokenizer = tokenizers.CharTokenizer('hello\n')
    self.assertEqual(tokenizer.characters, '\nehlo')
    np.testing.assert_array_equal(tokenizer.encode('hello'), [2, 1, 3, 3, 4])
    self.assertEqual(tokenizer.dtype, np.uint8)

  def test_round_trip_beyond_ascii_and_the_basic_plane(self):
    text = 'naïve Ψ 詩 🜁 naïve'
    tokenizer = tokenizers.from_json(tokenizers.CharTokenizer(text).to_json())
    self.assertEqual(tokenizer.decode(tokenizer.encode(text)), text)
    sizes = tokenizer.bytes_per_id()[tokenizer.encode(text)]
    self.assertEqual(sizes.sum(), len(text.encode('utf-8')))

  def test_dtype_grows_past_256_symbols(self):
    for n, dtype in ((256, np.uint8), (257, np.uint16)):
      characters = ''.join(chr(0x4E00 + i) for i in range(n))
      tokenizer = tokenizers.CharTokenizer(characters)
      ids = tokenizer.encode(characters)
      self.assertEqual(ids.dtype, dtype)
      np.testing.assert_array_equal(ids, np.arange(n))

  def test_strangers_are_refused(self):
    tokenizer = tokenizers.CharTokenizer('ac')
    for text in ('abc', 'a詩'):
      with self.assertRaisesRegex(UserError, 'is not among the 2'):
        tokenizer.encode(text)

  def test_no_characters(self):
    with self.assertRaisesRegex(UserError, 'no characters'):
      tokenizers.CharTokenizer('')


if __name__ == '__main__':
  absltest.main()
