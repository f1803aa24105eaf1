"""What a person sees."""

import io

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.training import progress


class Terminal(io.StringIO):
  def isatty(self):
    return True


def report(step):
  return progress.Report(
    label='gpt-2', step=step, S=24_484, train_loss=1.48312, val_loss=1.5,
    tokens_per_s=23_600.0, flops_per_s=1.54e11, left_s=492.0,
  )  # fmt: skip


class ProgressTest(parameterized.TestCase):
  @parameterized.parameters(
    (0, '0s'),
    (59.4, '59s'),
    (59.6, '1m00s'),
    (485, '8m05s'),
    (3600 * 3 + 1200, '3h20m'),
    (86400 * 2 + 3600 * 4, '2d04h'),
  )
  def test_duration(self, seconds, text):
    self.assertEqual(progress.duration(seconds), text)

  @parameterized.parameters(
    (950.0, '950 tok/s'),
    (23_600.0, '23.6 ktok/s'),
    (1.543e11, '154 Gtok/s'),
    (9.9e14, '990 Ttok/s'),
  )
  def test_si(self, value, text):
    self.assertEqual(progress.si(value, 'tok/s'), text)

  def test_line(self):
    self.assertEqual(
      report(12_242).line(),
      'gpt-2  step 12,242/24,484  50%  loss 1.4831  val 1.5000  23.6 ktok/s'
      '  154 GFLOP/s  8m12s left',
    )

  def test_a_pipe_gets_few_plain_lines(self):
    stream = io.StringIO()
    line = progress.ProgressLine(stream)
    for step in range(1, 100):
      line.show(report(step))
    line.show(report(100), force=True)
    line.close()
    text = stream.getvalue()
    self.assertNotIn('\r', text)
    self.assertNotIn('\x1b', text)
    self.assertLen(text.splitlines(), 2)

  def test_a_terminal_gets_one_line_rewritten(self):
    stream = Terminal()
    line = progress.ProgressLine(stream)
    line.show(report(1))
    line.show(report(2), force=True)
    line.say('done')
    text = stream.getvalue()
    self.assertEqual(text.count('\n'), 2)
    self.assertTrue(text.endswith('\ndone\n'))
    self.assertEqual(text.count('\r'), 2)


if __name__ == '__main__':
  absltest.main()
