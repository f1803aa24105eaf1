"""Text to bins and meta.json."""

import hashlib
import unittest.mock

from absl.testing import absltest
from etils import epath
import numpy as np

from data.gutenberg_poetry import prepare as poetry_script
from scaling_jax import records
from scaling_jax.corpus import prepare
from scaling_jax.corpus import sources
from scaling_jax.errors import UserError
from tests.shared_data import POETRY


class PrepareTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = epath.Path(self.create_tempdir().full_path)

  def prepare(self, text, name='text.txt'):
    path = self.folder / name
    path.write_bytes(text.encode('utf-8'))
    meta = prepare.prepare(sources.TextSource(path), self.folder / 'out')
    return meta, self.folder / 'out'

  def test_ninety_ten_and_everything_written_down(self):
    text = 'abcdé' * 20
    meta, out = self.prepare(text)
    self.assertEqual(meta, records.read_json(out / 'meta.json'))
    self.assertEqual(meta['characters'], 'abcdé')
    self.assertEqual(meta['dtype'], 'uint8')
    self.assertEqual(meta['counts']['train'], {'tokens': 90, 'bytes': 108})
    self.assertEqual(meta['counts']['val'], {'tokens': 10, 'bytes': 12})
    ids = []
    for split in ('train', 'val'):
      raw = (out / f'{split}.bin').read_bytes()
      self.assertEqual(meta['sha256'][split], hashlib.sha256(raw).hexdigest())
      ids.append(np.frombuffer(raw, np.uint8))
    decoded = ''.join(meta['characters'][i] for i in np.concatenate(ids))
    self.assertEqual(decoded, text)

  def test_pieces_don_t_matter(self):
    text = ''.join(chr(97 + i * i % 26) for i in range(1000))
    whole, _ = self.prepare(text)
    with unittest.mock.patch.object(sources, '_PIECE', 7):
      cut, _ = self.prepare(text)
    self.assertEqual(whole, cut)

  def test_windows_line_ends_and_uint16(self):
    text = ''.join(chr(0x4E00 + i) for i in range(300)) + '\r\n'
    meta, out = self.prepare(text)
    self.assertEqual((meta['dtype'], meta['vocab_size']), ('uint16', 301))
    val = np.frombuffer((out / 'val.bin').read_bytes(), '<u2')
    self.assertLen(val, 31)
    self.assertEqual(meta['characters'][val[-1]], '\n')

  def test_a_folder_is_read_in_the_order_of_names(self):
    texts = self.folder / 'texts'
    (texts / 'deep').mkdir(parents=True)
    (texts / 'b.txt').write_text('bb')
    (texts / 'a.txt').write_text('aa\n')
    (texts / 'deep' / 'c.txt').write_text('cc')
    (texts / 'note.md').write_text('zz')
    found = ''.join(sources.TextSource(texts).pieces())
    self.assertEqual(found, 'aa\nbb\ncc\n')

  def test_bad_input(self):
    (self.folder / 'latin.txt').write_bytes('é'.encode('latin-1') * 9)
    (self.folder / 'empty').mkdir()
    for path, message in (
      ('missing.txt', 'does not exist'),
      ('latin.txt', 'is not UTF-8'),
      ('empty', 'no .txt files'),
    ):
      with self.assertRaisesRegex(UserError, message):
        prepare.prepare(
          sources.TextSource(self.folder / path), self.folder / 'o'
        )
    for text in ('', 'a'):
      with self.assertRaisesRegex(UserError, 'at least 2'):
        self.prepare(text)

  def test_script(self):
    path = self.folder / 'poem.txt'
    path.write_text('to be or not to be\n' * 9)
    out = self.folder / 'corpus'
    arguments = [f'--input={path}', f'--output={out}']
    self.assertEqual(poetry_script.main(arguments), 0)
    self.assertTrue((out / 'meta.json').exists())
    self.assertEqual(
      poetry_script.main(['--input=/nowhere', f'--output={out}']), 2
    )

  def test_synthetic_writes_its_entropy(self):
    out = self.folder / 'synthetic'
    meta = prepare.prepare_synthetic(out, n_characters=50_000)
    rate = meta['entropy_nats_per_character']
    at_32 = meta['context_entropy_nats_per_character']['32']
    self.assertBetween(rate, 1.0, at_32)
    self.assertEqual(meta['counts']['train']['tokens'], 45_000)

  def test_real_poetry(self):
    if not POETRY.exists():
      self.skipTest('no real poetry beside this checkout')
    meta = prepare.prepare(sources.TextSource(POETRY), self.folder / 'poetry')
    self.assertEqual(meta['vocab_size'], 66)
    tokens = [meta['counts'][s]['tokens'] for s in ('train', 'val')]
    self.assertEqual(sum(tokens), 34_578_190)
    self.assertEqual(tokens[0], int(34_578_190 * 0.9))


if __name__ == '__main__':
  absltest.main()
