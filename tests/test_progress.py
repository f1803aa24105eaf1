"""What a person sees."""

import io
import re
import unittest.mock

from absl.testing import absltest

from scaling_jax.training import progress


class Terminal(io.StringIO):
  def isatty(self):
    return True


def screen(text):
  """What a terminal shows in the end, of the few codes that are used."""
  rows, row = [''], 0
  for piece in re.findall(r'\x1b\[\d*[AJ]|\r|\n|[^\x1b\r\n]+', text):
    if piece == '\n':
      row += 1
      if row == len(rows):
        rows.append('')
    elif piece == '\x1b[J':
      rows[row:] = ['']
    elif piece.endswith('A') and piece[0] == '\x1b':
      row -= int(piece[2:-1])
    elif piece != '\r':
      rows[row] = piece
  return rows


def report(step):
  return progress.Report(
    label='gpt-2', step=step, S=24_484, train_loss=1.48312, val_loss=1.5,
    tokens_per_s=23_600.0, flops_per_s=1.54e11, left_s=492.0,
  )  # fmt: skip


class ProgressTest(absltest.TestCase):
  def test_line(self):
    self.assertEqual(
      report(12_242).line(),
      'gpt-2  step 12,242/24,484  50%  loss 1.4831  val 1.5000  23.6 ktok/s'
      '  154 GFLOP/s  8m12s left',
    )

  def test_a_pipe_gets_few_plain_lines(self):
    stream = io.StringIO()
    line = progress.Display(stream=stream)
    for step in range(1, 100):
      line.show(report(step))
    line.show(report(100), force=True)
    line.end()
    text = stream.getvalue()
    self.assertNotIn('\r', text)
    self.assertNotIn('\x1b', text)
    self.assertLen(text.splitlines(), 2)

  def test_a_terminal_gets_one_line_rewritten(self):
    stream = Terminal()
    line = progress.Display(stream=stream)
    line.show(report(1))
    line.show(report(2), force=True)
    line.end()
    line.message('done')
    self.assertEqual(screen(stream.getvalue()), ['done', ''])
    self.assertNotIn('runs', stream.getvalue())


class SweepTest(absltest.TestCase):
  """What is left on the screen while several runs are under way."""

  def setUp(self):
    super().setUp()
    self.stream = Terminal()
    self.display = progress.Display(4, lambda reports: 75.0, self.stream)
    patch = unittest.mock.patch.object(progress, 'LIVE_EVERY_S', 0.0)
    self.enterContext(patch)

  def screen(self):
    return screen(self.stream.getvalue())

  def test_a_head_and_a_line_a_run(self):
    self.display.show(report(1), slot=0)
    self.display.show(report(3)._replace(label='gpt-1'), slot=1)
    head, first, second = self.screen()
    self.assertEqual(head, '0 of 4 runs done, about 1m15s left')
    self.assertStartsWith(first, '  gpt-2  step 1/')
    self.assertStartsWith(second, '  gpt-1  step 3/')

  def test_ended_runs_make_room(self):
    self.display.show(report(1), slot=0)
    self.display.show(report(3)._replace(label='gpt-1'), slot=1)
    self.display.end(0)
    self.display.count(done=1, failed=1)
    self.display.message('gpt-2_seed0: val loss 1.5')
    kept, head, line = self.screen()
    self.assertEqual(kept, 'gpt-2_seed0: val loss 1.5')
    self.assertEqual(head, '1 of 4 runs done, 1 failed, about 1m15s left')
    self.assertStartsWith(line, '  gpt-1')

  def test_a_pipe_shows_how_far_the_sweep_is(self):
    stream = io.StringIO()
    display = progress.Display(4, lambda reports: None, stream)
    display.show(report(1), slot=0)
    display.show(report(2), slot=1)
    display.show(report(3), slot=0)
    lines = stream.getvalue().splitlines()
    self.assertLen(lines, 2)
    self.assertStartsWith(lines[1], '[0 of 4 runs done]  gpt-2  step 2/')


if __name__ == '__main__':
  absltest.main()
