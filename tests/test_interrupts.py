"""Real signals to this very process."""

import contextlib
import os
import signal
import threading

from absl.testing import absltest

from scaling_jax.training import interrupts


def interrupt():
  os.kill(os.getpid(), signal.SIGINT)


class HeldBackTest(absltest.TestCase):
  def test_a_block_ends_before_the_interrupt_comes(self):
    done = []
    with self.assertRaises(KeyboardInterrupt):
      with interrupts.held_back():
        interrupt()
        done.append('the rest')
      done.append('what follows')
    self.assertEqual(done, ['the rest'])
    self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

  def test_a_second_one_does_not_wait(self):
    done = []
    with self.assertRaises(KeyboardInterrupt), interrupts.held_back():
      interrupt()
      interrupt()
      done.append('the rest')
    self.assertEmpty(done)

  def test_without_any_nothing_happens(self):
    with interrupts.held_back():
      pass
    self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

  def test_an_error_goes_first(self):
    with self.assertRaises(ZeroDivisionError), interrupts.held_back():
      interrupt()
      _ = 1 / 0

  def test_a_lost_one_is_found_again(self):
    with self.assertRaises(KeyboardInterrupt), interrupts.listening():
      interrupts.check()
      with contextlib.suppress(KeyboardInterrupt):
        interrupt()
      interrupts.check()
    self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
    with interrupts.listening():
      interrupts.check()  # the next one begins afresh

  def test_an_inner_listener_keeps_what_came_before(self):
    with self.assertRaises(KeyboardInterrupt), interrupts.listening():
      with contextlib.suppress(KeyboardInterrupt):
        interrupt()
      with interrupts.listening():
        pass

  def test_other_threads_hear_no_signals(self):
    done = []

    def work():
      with interrupts.held_back():
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    self.assertEqual(done, [True])


if __name__ == '__main__':
  absltest.main()
