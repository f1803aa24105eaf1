"""Our reader of protocol buffers against theirs."""

from absl.testing import absltest
from absl.testing import parameterized
from tensorboardX.proto import event_pb2

from scaling_jax.analysis.runs.readers.wire import Message


class MessageTest(parameterized.TestCase):
  @parameterized.parameters(0, 1, 127, 128, 300, 2**40, 2**63 - 1, -1, -(2**63))
  def test_whole_numbers(self, step):
    data = event_pb2.Event(step=step, wall_time=1.5).SerializeToString()
    message = Message(data)
    self.assertEqual((message.whole(2), message.number(1)), (step, 1.5))

  def test_messages_in_messages(self):
    event = event_pb2.Event()
    for i, name in enumerate(('a', 'é')):
      event.summary.value.add(tag=name, simple_value=i + 0.5)
    first, second = Message(event.SerializeToString()).message(5).messages(1)
    self.assertEqual((first.text(1), first.number(2)), ('a', 0.5))
    self.assertEqual((second.text(1), second.number(2)), ('é', 1.5))

  def test_what_is_not_there(self):
    message = Message(b'')
    self.assertNotIn(1, message)
    self.assertEqual(
      (message.whole(1), message.text(1), message.number(1)), (0, '', 0.0)
    )
    self.assertEmpty(message.messages(1))

  @parameterized.parameters(
    (0, 0), (1, -1), (2, 1), (3, -2), (2**64 - 1, -(2**63))
  )
  def test_zigzag(self, raw, value):
    data = bytearray([0x28])
    while raw > 127:
      data.append(raw & 127 | 128)
      raw >>= 7
    data.append(raw)
    self.assertEqual(Message(bytes(data)).zigzag(5), value)

  @parameterized.parameters(
    b'\x08', b'\x08\x80', b'\x12\x05abc', b'\x09\0\0', b'\x0b', b'\x00\x01',
    b'\x08' + b'\xff' * 11,
  )  # fmt: skip
  def test_no_message(self, data):
    with self.assertRaises(ValueError):
      Message(data)


if __name__ == '__main__':
  absltest.main()
