"""Messages in the binary form of protocol buffers, field by field.

TensorBoard and Weights & Biases keep such records; read so, neither has to be
installed. https://protobuf.dev/programming-guides/encoding
"""

import struct
from typing import Final

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_MASK: Final = (1 << 64) - 1


class Message:
  """The fields of a message by their numbers.

  Args:
    data: its bytes.

  Raises:
    ValueError: it is no message, or cut off.

  >>> message = Message(b'\\x08\\x96\\x01\\x12\\x03run')
  >>> message.whole(1), message.text(2), message.text(3)
  (150, 'run', '')
  """

  def __init__(self, data: bytes):
    self._fields: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
      key, at = _varint(data, at)
      kind, number = key & 7, key >> 3
      value: int | bytes
      if kind == _VARINT:
        value, at = _varint(data, at)
      elif kind in (_DOUBLE, _BYTES, _FLOAT):
        size = {_DOUBLE: 8, _FLOAT: 4}.get(kind, 0)
        if kind == _BYTES:
          size, at = _varint(data, at)
        value, at = data[at : at + size], at + size
      else:
        raise ValueError(f'no message: a field of the kind {kind}')
      if at > len(data) or not number:
        raise ValueError('no message: it is cut off')
      self._fields.setdefault(number, []).append(value)

  def __contains__(self, number: int) -> bool:
    return number in self._fields

  def all_bytes(self, number: int) -> list[bytes]:
    """Every value of a field that is bytes, text, a message or a float."""
    found = self._fields.get(number, [])
    return [value for value in found if isinstance(value, bytes)]

  def bytes(self, number: int) -> bytes:
    """The last of these; empty where there is none."""
    return (self.all_bytes(number) or [b''])[-1]

  def messages(self, number: int) -> list['Message']:
    """Every message in a field."""
    return [Message(data) for data in self.all_bytes(number)]

  def message(self, number: int) -> 'Message':
    """The last of these, or one without fields."""
    return Message(self.bytes(number))

  def text(self, number: int) -> str:
    """The text in a field."""
    return self.bytes(number).decode('utf-8', 'replace')

  def whole(self, number: int) -> int:
    """The whole number in a field of the type int32 or int64; 0 if none."""
    found = [v for v in self._fields.get(number, []) if isinstance(v, int)]
    value = found[-1] if found else 0
    return value - (1 << 64) if value >> 63 else value

  def zigzag(self, number: int) -> int:
    """The whole number in a field of the type sint32 or sint64."""
    value = self.whole(number) & _MASK
    return (value >> 1) ^ -(value & 1)

  def number(self, number: int) -> float:
    """The number in a field of the type float or double; 0 if none."""
    data = self.bytes(number)
    if len(data) not in (4, 8):
      return 0.0
    return struct.unpack('<f' if len(data) == 4 else '<d', data)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
  """A whole number of as many bytes as it takes, and where it ends."""
  value = shift = 0
  while True:
    if at >= len(data) or shift > 63:
      raise ValueError('no message: it is cut off')
    byte = data[at]
    value |= (byte & 127) << shift
    at, shift = at + 1, shift + 7
    if byte < 128:
      return value & _MASK, at
