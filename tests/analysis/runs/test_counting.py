"""Ways to count N and C, against numbers worked out by hand."""

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.runs import counting
from tests.example_records import make_run


class OwnRunsTest(absltest.TestCase):
  def test_every_way(self):
    N, D, V, M, T = 221_664, 45_113_344, 66, 96, 32
    # Appendix F for two layers of two heads, a sequence at a time.
    layer = [
      2 * 3 * T * M * M, 2 * T * T * M, 3 * 2 * T * T, 2 * T * T * M,
      2 * T * M * M, 2 * T * (M * 4 * M + M * 4 * M),
    ]  # fmt: skip
    sequence = 3 * (2 * T * V * M + 2 * sum(layer) + 2 * T * M * V)
    expected = {
      'Kaplan: no embeddings, 6ND': (N, 6 * N * D),
      'no embeddings, every matrix product': (N, 6.4e13),
      'nanochat: with head, every matrix product': (228_000, 6.4e13),
      'Hoffmann: all parameters, 6ND': (231_072, 6 * 231_072 * D),
      'Hoffmann: all parameters, full count': (231_072, sequence // T * D),
    }
    found = counting.of_run(make_run())
    self.assertEqual(list(found), list(expected))
    for name, pair in expected.items():
      with self.subTest(name):
        np.testing.assert_allclose(found[name], pair, rtol=1e-12)

  def test_a_record_that_hides_its_vocabulary(self):
    found = counting.of_run(make_run(N_total=221664))
    self.assertEqual(
      list(found), [counting.KAPLAN, counting.KAPLAN_FULL, counting.HOFFMANN]
    )

  def test_a_record_that_counts_nothing_else(self):
    found = counting.of_run(make_run(N_total=np.nan, flops=np.nan))
    self.assertEqual(list(found), [counting.KAPLAN])


class GivenTest(absltest.TestCase):
  def test_6nd_is_dropped_where_it_is_c(self):
    near = [counting.given(1e7, 1e9, C) for C in (6e16, 6.05e16)]
    for counts in counting.without_repetition(near):
      self.assertEqual(list(counts), [counting.AS_GIVEN])
    apart = [counting.given(1e7, 1e9, C) for C in (6e16, 7e16)]
    self.assertEqual(counting.without_repetition(apart), tuple(apart))


if __name__ == '__main__':
  absltest.main()
