"""Event files as tensorboardX and TensorFlow write them."""

import math
import struct

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import tensorboardX
from tensorboardX.proto import event_pb2

from scaling_jax.analysis.runs.readers import files
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase


def framed(*events):
  version = event_pb2.Event(wall_time=1.0, file_version='brain.Event:2')
  out = b''
  for event in (version, *events):
    data = event.SerializeToString()
    out += struct.pack('<QI', len(data), 0) + data + bytes(4)
  return out


def scalar(tag, step, value, time=2.0):
  event = event_pb2.Event(wall_time=time, step=step)
  event.summary.value.add(tag=tag, simple_value=value)
  return event


class EventsTest(TableCase):
  def test_what_a_writer_writes(self):
    folder = self.folder / 'big'
    with tensorboardX.SummaryWriter(str(folder)) as writer:
      for step in (100, 200):
        writer.add_scalar('train/loss', 5 - step / 100, step)
        writer.add_scalar('val/loss', 6 - step / 100, step)
        writer.add_scalar('train/tokens', step * 1024, step)
      writer.add_scalar('val/loss', math.nan, 300)
      writer.add_text('note', 'of the run', 1)
      writer.add_histogram('w', np.arange(5), 1)
    self.assertTrue(files.is_run_folder(folder))
    (path,) = folder.iterdir()
    for given in (folder, path):
      (sheet,) = files.read_sheets(given)
      (line,) = sheet.lines
      self.assertEqual(
        line.cells,
        {
          'run_id': 'big', 'train/loss': '3.0', 'val/loss': '',
          'train/tokens': '204800.0', 'Step': '300',
        },
      )  # fmt: skip
      self.assertEqual((sheet.kind, sheet.stem), ('TensorBoard', 'big'))
      kept = sheet.evaluations[line.number]
      np.testing.assert_array_equal(kept.step, [100, 200])
      np.testing.assert_array_equal(kept.loss, [5, 4])
      np.testing.assert_array_equal(kept.tokens, [102400, 204800])

  def test_hyperparameters(self):
    with tensorboardX.SummaryWriter(str(self.folder / 'a')) as writer:
      writer.add_hparams({'lr': 0.5, 'opt': 'adam', 'tie': True}, {'loss': 2.5})
    (folder,) = (p for p in (self.folder / 'a').iterdir() if p.is_dir())
    cells = files.read_sheets(folder)[0].lines[0].cells
    self.assertEqual(
      [cells[name] for name in ('lr', 'opt', 'tie', 'loss')],
      ['0.5', 'adam', 'True', '2.5'],
    )

  @parameterized.parameters(
    ({'dtype': 1, 'float_val': [2.5]}, '2.5'),
    ({'dtype': 2, 'double_val': [0.1]}, '0.1'),
    ({'dtype': 1, 'tensor_content': struct.pack('<f', 2.5)}, '2.5'),
    ({'dtype': 2, 'tensor_content': struct.pack('<d', 0.1)}, '0.1'),
    ({'dtype': 9, 'tensor_content': struct.pack('<q', -3)}, '-3.0'),
    ({'dtype': 14, 'tensor_content': b'\x20\x40'}, '2.5'),
    ({'dtype': 1, 'float_val': [2.5, 3.5]}, None),
    ({'dtype': 7, 'string_val': [b'x']}, None),
  )
  def test_tensors(self, tensor, text):
    event = event_pb2.Event(step=3)
    value = event.summary.value.add(tag='eval/loss')
    for name, given in tensor.items():
      if isinstance(given, list):
        getattr(value.tensor, name).extend(given)
      else:
        setattr(value.tensor, name, given)
    data = framed(scalar('x', 1, 1), event)
    (sheet,) = files.read_sheets(self.write(data, 'run/events.out.tfevents.1'))
    self.assertEqual(sheet.lines[0].cells.get('eval/loss'), text)

  def test_a_restart_goes_on_from_its_first_step(self):
    losses = [scalar('val/loss', s, 9 - s, time=s) for s in (1, 2, 3, 4)]
    self.write(framed(*losses), 'run/events.out.tfevents.2')
    again = [scalar('val/loss', s, 0.5, time=9) for s in (3, 5)]
    restarted = framed(*again).replace(
      struct.pack('<d', 1.0), struct.pack('<d', 8.0)
    )
    self.write(restarted, 'run/events.out.tfevents.1')
    (sheet,) = files.read_sheets(self.folder / 'run')
    kept = sheet.evaluations[1]
    np.testing.assert_array_equal(kept.step, [1, 2, 3, 5])
    np.testing.assert_array_equal(kept.loss, [8, 7, 0.5, 0.5])

  def test_a_file_that_is_cut_off(self):
    whole = framed(*(scalar('val/loss', s, 9 - s) for s in (1, 2, 3)))
    for cut in (1, 5, 20):
      path = self.write(whole[:-cut], f'run{cut}/events.out.tfevents.1')
      (sheet,) = files.read_sheets(path)
      self.assertEqual(sheet.lines[0].cells['Step'], '2')

  def test_plain_names_of_folders(self):
    data = framed(scalar('val/loss', 1, 2.5))
    path = self.write(data, 'large/version_0/events.out.tfevents.1')
    (sheet,) = files.read_sheets(path.parent)
    self.assertEqual(sheet.lines[0].cells['run_id'], 'large/version_0')

  def test_no_scalars(self):
    with self.assertRaisesRegex(UserError, 'no scalars'):
      files.read_sheets(self.write(framed(), 'run/events.out.tfevents.1'))


if __name__ == '__main__':
  absltest.main()
