"""What a file is shows in its bytes, and its name in what is said of it."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import zipfile

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs.readers import contents
from scaling_jax.analysis.runs.readers import files
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase

TEXT = 'N,D,loss\n1e7,1e9,2.5\n'
RUN = {'N': '1e7', 'D': '1e9', 'loss': '2.5'}


def zipped(**members):
  out = io.BytesIO()
  with zipfile.ZipFile(out, 'w') as archive:
    for name, text in members.items():
      archive.writestr(name.replace('__', '/').replace('_', '.'), text)
  return out.getvalue()


def saved(save, *args):
  out = io.BytesIO()
  save(out, *args)
  return out.getvalue()


class ReadTest(TableCase):
  @parameterized.parameters(
    TEXT.encode(),
    TEXT.encode('utf-8-sig'),
    TEXT.encode('utf-16'),
    b'\xfe\xff' + TEXT.encode('utf-16-be'),
    TEXT.encode('utf-16-le'),
    TEXT.encode('utf-16-be'),
    TEXT.encode('utf-32'),
    TEXT.replace(',', '\t').encode('utf-16'),
    gzip.compress(TEXT.encode()),
    bz2.compress(TEXT.encode()),
    lzma.compress(TEXT.encode()),
    gzip.compress(gzip.compress(TEXT.encode('utf-16'))),
    zipped(runs_csv=TEXT),
    b'[{"N": "1e7", "D": "1e9", "loss": 2.5}]',
    '{"N": "1e7", "D": "1e9", "loss": 2.5}\n'.encode('utf-16'),
  )
  def test_whatever_its_name(self, data):
    for name in ('runs.csv', 'runs', 'runs.gz', 'runs.txt.zip'):
      (sheet,) = files.read_sheets(self.write(data, name))
      self.assertEqual([line.cells for line in sheet.lines], [RUN])
      self.assertEqual((sheet.name, sheet.stem), (name, 'runs'))

  def test_text_of_windows(self):
    path = self.write('modèle,N\né,1\n'.encode('cp1252'))
    (sheet,) = files.read_sheets(path)
    self.assertEqual(sheet.lines[0].cells, {'modèle': 'é', 'N': '1'})
    self.assertLen(sheet.notes, 1)


class DamagedTest(TableCase):
  def test_is_read_or_refused_in_one_line(self):
    random = np.random.default_rng(0)
    whole = [
      TEXT.encode(),
      TEXT.replace(',', ';').encode('utf-16'),
      b'[{"N": 1e7, "loss": 2.5}, {"N": 2e7, "loss": 2.4}]',
      b'{"N": 1e7, "loss": 2.5}\n{"N": 2e7, "loss": 2.4}\n',
      gzip.compress(TEXT.encode()),
      zipped(runs_csv=TEXT),
      b'Step,a - loss,a - loss__MIN,a - loss__MAX\n1,2,2,2\n2,3,3,3\n',
      b'{"global_step": 3, "log_history": [{"eval_loss": 3, "step": 1}]}',
    ]
    seen = {'read': 0, 'refused': 0}
    for i in range(400):
      data = bytearray(whole[i % len(whole)])
      for at in random.integers(0, len(data), random.integers(1, 6)):
        data[at] = random.choice(list(b'\0\xff\x80",;{[\n\r#0-'))
      names = ('runs.csv', 'trainer_state.json')
      path = self.write(bytes(data), names[i % 5 == 0])
      try:
        self.assertNotEmpty(files.read_sheets(path)[0].lines)
        seen['read'] += 1
      except UserError as error:
        self.assertNotIn('\n', str(error))
        seen['refused'] += 1
    self.assertGreater(min(seen.values()), 50)


class RefusedTest(TableCase):
  def refused(self, data, name, *parts):
    with self.assertRaises(UserError) as caught:
      files.read_sheets(self.write(data, name))
    message = str(caught.exception)
    self.assertNotIn('\n', message)
    for part in (name, *parts):
      self.assertIn(part, message)

  @parameterized.parameters(
    (b'%PDF-1.7', 'PDF'),
    (b'\x89PNG\r\n\x1a\n', 'image'),
    (b'\xff\xd8\xff\xe0', 'image'),
    (b'  <!DOCTYPE html><html>', 'web page'),
    (b'\xef\xbb\xbf<HTML>', 'web page'),
    (b'<?xml version="1.0"?>', 'XML'),
    (pickle.dumps({'N': 1}), 'pickle'),
    (gzip.compress(pickle.dumps({'N': 1})), 'pickle'),
    (saved(np.save, np.ones(3)), 'NumPy'),
    (saved(np.savez, np.ones(3), np.ones(2)), 'NumPy'),
    (zipped(a_csv=TEXT, b_csv=TEXT), '2 files (a.csv, b.csv)'),
    (zipped(), '0 files'),
    (zipped(word__document_xml='x'), 'Word'),
    (zipped(archive__data_pkl='x'), 'PyTorch'),
    (b'version https://git-lfs.github.com/spec/v1\n', 'git lfs pull'),
    (b'a' * 257 + b'ustar\0', 'tar'),
    (gzip.compress(TEXT.encode())[:-9], 'packed'),
    (zipped(a_csv=TEXT)[:-20], 'zip'),
    (b'\x00\x01\x02', 'UTF-8'),
    (b'\xff\xfe\xfa', 'UTF-8'),
    (b'N,\xe9\x01\n1,2', 'UTF-8'),
    (b'N,\x81\n1,2\n3,4\n5,6', 'UTF-8'),
    (bytes(range(128, 256)), 'UTF-8'),
    (b'', 'empty'),
    (gzip.compress(b''), 'empty'),
    ('\ufeff \n'.encode(), 'empty'),
    (b'N,D,loss\n', 'empty'),
  )  # fmt: skip
  def test_by_its_bytes(self, data, what):
    self.refused(data, 'runs.csv', what)

  @parameterized.parameters(
    ('x.pkl', 'pickle'), ('x.PICKLE', 'to_csv'), ('x.pt', 'PyTorch'),
    ('x.safetensors', 'weights'), ('x.py', 'Python file'),
    ('x.ipynb', 'notebook'), ('x.yaml', 'YAML'),
  )  # fmt: skip
  def test_by_its_name(self, name, what):
    self.refused(TEXT, name, what)

  def test_a_database(self):
    path = self.folder / 'runs.db'
    base = sqlite3.connect(path)
    base.execute('create table runs (N)')
    base.close()
    self.refused(path.read_bytes(), 'runs.db', 'SQLite')

  def test_what_is_not_there(self):
    with self.assertRaisesRegex(UserError, 'does not exist'):
      files.read_sheets(self.folder / 'none.csv')

  def test_a_folder(self):
    with self.assertRaisesRegex(UserError, r'folder.*trainer_state\.json'):
      files.read_sheets(self.folder)

  def test_too_big(self):
    self.enter_context(absltest.mock.patch.object(contents, 'LIMIT', 1000))
    big = b'N,D\n' + b'1,2\n' * 300
    self.refused(gzip.compress(big), 'big.gz', 'unpacks')
    self.refused(zipped(a=big), 'big.zip', 'unpacks')


if __name__ == '__main__':
  absltest.main()
