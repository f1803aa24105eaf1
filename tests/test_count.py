"""Counting a text's tokens, by characters and by BPE."""

from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
from etils import epath
import tiktoken

from scaling_jax.corpus import count
from scaling_jax.corpus import prepare
from scaling_jax.corpus import sources
from scaling_jax.errors import UserError


class CountTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = epath.Path(self.create_tempdir().full_path)

  def write(self, name, text):
    path = self.folder / name
    path.write_text(text)
    return path

  def test_characters_of_a_file(self):
    found = count.count(self.write('a.txt', 'the cat\n' * 25))
    self.assertEqual(found, count.Count(180, 200, 7, 'char', 'a.txt'))

  def test_characters_of_a_folder(self):
    self.write('a.txt', 'ab\n')
    self.write('b.txt', 'cd')  # a line end is added, as prepare does
    self.assertEqual(count.count(self.folder).total, 6)

  def test_prepared_and_not_agree(self):
    path = self.write('a.txt', 'to be or not to be\n' * 40)
    out = self.folder / 'corpus'
    prepare.prepare(sources.TextSource(path), out)
    before, after = count.count(path), count.count(out)
    self.assertEqual(before[:4], after[:4])
    self.assertEqual(after.source, 'corpus')

  def encoding(self):
    # Bytes, and two merges: 'th' and 'the'.
    ranks = {bytes([i]): i for i in range(256)}
    ranks |= {b'th': 256, b'the': 257}
    return tiktoken.Encoding(
      'tiny', pat_str=r'\S+|\s+', mergeable_ranks=ranks, special_tokens={}
    )

  def test_bpe(self):
    path = self.write('a.txt', 'the then\n' * 10)
    with mock.patch.object(
      tiktoken, 'get_encoding', return_value=self.encoding()
    ):
      found = count.count(path, 'tiny')
    # the, space, the, n, newline
    self.assertEqual(found, count.Count(45, 50, 258, 'tiny', 'a.txt'))

  def test_bpe_in_pieces_is_bpe_in_one(self):
    path = self.write('a.txt', 'the other then\nand the\n' * 50)
    with mock.patch.object(
      tiktoken, 'get_encoding', return_value=self.encoding()
    ):
      whole = count.count(path, 'tiny')
      with mock.patch.object(sources, '_PIECE', 7):
        self.assertEqual(count.count(path, 'tiny'), whole)

  @parameterized.parameters(
    ('nowhere.txt', None, 'nowhere.txt does not exist'),
    ('empty.txt', None, 'empty.txt is empty.*give another'),
    ('a.txt', 'gpt7', 'gpt7 is not known: it must be char or one of.*gpt2'),
  )
  def test_bad_input(self, name, tokenizer, message):
    self.write('a.txt', 'abc')
    self.write('empty.txt', '')
    with self.assertRaisesRegex(UserError, message):
      count.count(self.folder / name, tokenizer)

  def test_a_vocabulary_that_cannot_be_had(self):
    path = self.write('a.txt', 'abc')
    with (
      mock.patch.object(tiktoken, 'get_encoding', side_effect=OSError('x')),
      self.assertRaisesRegex(UserError, 'gpt2 cannot be loaded.*--tokens'),
    ):
      count.count(path, 'gpt2')
    with (
      mock.patch.dict('sys.modules', tiktoken=None),
      self.assertRaisesRegex(UserError, 'needs tiktoken.*pip install'),
    ):
      count.count(path, 'gpt2')

  def test_a_prepared_corpus_keeps_its_tokenizer(self):
    prepare.prepare(
      sources.TextSource(self.write('a.txt', 'abc' * 9)), self.folder / 'c'
    )
    with self.assertRaisesRegex(UserError, "prepared with, 'char'"):
      count.count(self.folder / 'c', 'gpt2')
    (self.folder / 'c' / 'meta.json').write_text('{}')
    with self.assertRaisesRegex(UserError, 'not a corpus description'):
      count.count(self.folder / 'c')


if __name__ == '__main__':
  absltest.main()
