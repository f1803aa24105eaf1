"""Opening a corpus, and refusing a broken one."""

import json

from absl.testing import absltest
from etils import epath
import numpy as np

from scaling_jax.corpus import dataset
from scaling_jax.corpus import prepare
from scaling_jax.corpus import sources
from scaling_jax.errors import UserError


class DatasetTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.root = epath.Path(self.create_tempdir().full_path)
    self.folder = self.root / 'verse'
    self.folder.mkdir()
    (self.folder / 'prepare.py').write_text('')
    (self.root / 'verse.txt').write_text('roses are réd\n' * 10)

  def prepare(self):
    prepare.prepare(sources.TextSource(self.root / 'verse.txt'), self.folder)

  def assert_refused(self, message):
    with self.assertRaisesRegex(UserError, message):
      dataset.load_dataset('verse', self.root)

  def test_tokens_and_bytes(self):
    self.prepare()
    found = dataset.load_dataset('verse', self.root)
    self.assertEqual((len(found.train), len(found.val)), (126, 14))
    self.assertEqual(found.train.dtype, np.uint8)
    self.assertAlmostEqual(found.val_bytes_per_token, 15 / 14)

  def test_never_prepared_names_the_command(self):
    self.assert_refused(r"'verse' was never prepared.*prepare.py --input=FILE")

  def test_unknown_names_the_known(self):
    with self.assertRaisesRegex(
      UserError, "unknown dataset 'prose'.*try verse"
    ):
      dataset.load_dataset('prose', self.root)

  def test_size_and_contents_must_match_meta(self):
    self.prepare()
    path = self.folder / 'val.bin'
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    self.assert_refused('val.bin has 13 bytes.*calls for 14 bytes.*prepare.py')
    path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    self.assert_refused('sha256')
    path.unlink()
    self.assert_refused('val.bin is missing')

  def test_broken_meta(self):
    self.prepare()
    path = self.folder / 'meta.json'
    meta = json.loads(path.read_text())
    for text in ('{', '{}', '[]', json.dumps({**meta, 'dtype': 'nonsense'})):
      path.write_text(text)
      self.assert_refused('not a corpus description')

  def test_empty(self):
    self.prepare()
    path = self.folder / 'meta.json'
    meta = json.loads(path.read_text())
    meta['counts']['val']['tokens'] = 0
    path.write_text(json.dumps(meta))
    self.assert_refused("'verse' is empty")

  def test_lengths_and_fractions(self):
    self.prepare()
    found = dataset.load_dataset('verse', self.root)
    self.assertEqual(dataset.check_lengths(found, 8, 0.5), 63)
    for block_size, fraction, message in (
      (14, 1.0, 'validation split .* has 14 tokens'),
      (8, 0.05, 'training split .* has 6 tokens'),
      (8, 0.0, 'data_fraction=0.0 must be above 0'),
      (8, 1.1, 'at most 1'),
    ):
      with self.assertRaisesRegex(UserError, message):
        dataset.check_lengths(found, block_size, fraction)

  def test_synthetic_makes_itself(self):
    options = {'n_characters': 20_000}
    prepare.prepare_synthetic(self.root / 'synthetic', **options)
    found = dataset.load_dataset('synthetic', self.root)
    self.assertLen(found.train, 18_000)


if __name__ == '__main__':
  absltest.main()
