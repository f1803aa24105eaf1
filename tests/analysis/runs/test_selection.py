"""Which runs count for which laws."""

import math

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from scaling_jax.analysis.runs import histories
from scaling_jax.analysis.runs import selection
from scaling_jax.analysis.runs.histories import History
from scaling_jax.analysis.runs.histories import LoadedRun
from scaling_jax.analysis.runs.selection import Reason
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.records import Run


def loaded(i=0, loss=3.0, unannealed=500, problem='', extra=None, **changes):
  """A run as if its record had told all this."""
  fields = {
    'run_id': f'run{i}', 'dataset': 'text', 'C': 4e14, 'N': 1e6, 'D': 6e7,
    'S': 1000, 'val_loss': loss, 'tokens_per_step': 1e4, 'learning_rate': 1e-3,
    'schedule': 'cosine', 'text_tokens': 1e9,
  }  # fmt: skip
  return LoadedRun(
    run=Run(**{**fields, **changes}),
    counts={},
    loss=loss,
    extra=extra or {},
    history=History(
      folder='', losses=np.empty(0), warmup=0, unannealed=unannealed,
      curve=None, best_loss=loss, problem=problem,
    ),
  )  # fmt: skip


class SelectTest(parameterized.TestCase):
  def check(self, every, hoffmann, kaplan, **set_aside):
    """Compares indices, and how many are set aside for each reason."""
    found = selection.select(every)
    self.assertEqual(found.hoffmann, tuple(hoffmann))
    self.assertEqual(found.kaplan, tuple(kaplan))
    self.assertEqual(
      {one.reason: len(one.run_ids) for one in found.set_aside},
      {Reason(reason): count for reason, count in set_aside.items()},
    )
    self.assertLen(found.notes, len(set_aside) + len(found.problems))
    return found

  def test_all_count_where_nothing_differs(self):
    every = [loaded(i, N=10.0**i) for i in range(3, 6)]
    self.check(every, [0, 1, 2], [0, 1, 2])

  def test_seeds_of_one_recipe_all_count(self):
    every = [loaded(i, loss=3.0 + i) for i in range(3)]
    self.check(every, [0, 1, 2], [0, 1, 2])

  def test_of_learning_rates_the_best(self):
    every = [
      loaded(i, learning_rate=10.0**-i, loss=loss)
      for i, loss in ((1, 3.2), (2, 3.0), (3, 3.4))
    ]
    found = self.check(every, [1], [1], better_recipe=2)
    self.assertEqual(found.set_aside[0].run_ids, ('run1', 'run3'))
    self.assertEqual(found.set_aside[0].columns, ('learning_rate',))

  def test_of_learning_rates_the_best_by_the_mean_of_its_seeds(self):
    every = [
      loaded(2 * i + seed, learning_rate=10.0**-i, seed=seed, loss=loss)
      for i, losses in enumerate([(2.9, 3.3), (3.0, 3.05)])
      for seed, loss in enumerate(losses)
    ]
    self.check(every, [2, 3], [2, 3], better_recipe=2)

  @parameterized.parameters(
    'train.weight_decay', 'train.beta2', 'train.dtype', 'model.dropout',
    'model.bias',
  )  # fmt: skip
  def test_of_whatever_was_swept_the_best_with_all_of_its_seeds(self, name):
    every = [
      loaded(2 * i + seed, extra={name: value}, seed=seed, loss=loss)
      for i, (value, losses) in enumerate(
        {'0.1': (2.9, 3.3), '0.3': (3.0, 3.05), '': (3.2,)}.items()
      )
      for seed, loss in enumerate(losses)
    ]
    found = self.check(every[:4], [2, 3], [2, 3], better_recipe=2)
    self.assertEqual(found.set_aside[0].columns, (name,))
    self.assertIn(name, found.notes[0])

  @parameterized.parameters(
    ({'warmup_steps': 10}, {'warmup_steps': 100}),
    ({'min_learning_rate': 1e-4}, {'min_learning_rate': 0.0}),
    ({'schedule': 'linear'}, {'schedule': 'cosine'}),
  )
  def test_what_a_record_tells_is_a_recipe_too(self, one, other):
    every = [loaded(0, loss=3.1, **one), loaded(1, **other)]
    found = self.check(every, [1], [1], better_recipe=1)
    self.assertEqual(found.set_aside[0].columns, tuple(one))

  @parameterized.parameters(
    'train.grad_accum', 'train.steps_per_dispatch', 'eval.batches', 'notes'
  )
  def test_what_is_no_recipe_sets_nothing_aside(self, name):
    every = [loaded(i, extra={name: str(i)}) for i in range(2)]
    self.check(every, [0, 1], [0, 1])

  def test_two_texts_of_one_name_are_no_parts_of_each_other(self):
    every = [
      loaded(0, text='a'), loaded(1, text='b', text_tokens=1e6),
      loaded(2, text='a', text_tokens=1e7),
    ]  # fmt: skip
    self.check(every, [0, 1], [0, 1, 2], part_of_text=1)
    # Nor is one a better recipe of the other, if they are as long.
    every = [loaded(0, text='a'), loaded(1, text='b', learning_rate=1e-2)]
    self.check(every, [0, 1], [0, 1])

  def test_a_part_of_the_only_text_of_its_name(self):
    every = [loaded(0), loaded(1, text='a', text_tokens=1e6)]
    self.check(every, [0], [0, 1], part_of_text=1)
    every = [loaded(0, text='a'), loaded(1, text_tokens=1e6)]
    self.check(every, [0], [0, 1], part_of_text=1)

  def test_parts_of_a_text(self):
    every = [loaded(0), loaded(1, text_tokens=1e6), loaded(2, text_tokens=1e7)]
    self.check(every, [0], [0, 1, 2], part_of_text=2)

  def test_a_study_of_batch_sizes(self):
    every = [loaded(0, N=5e6)]
    every += [
      loaded(i, tokens_per_step=10.0**i, S=10 ** (5 - i), loss=2.0)
      for i in range(1, 4)
    ]
    self.check(every, [0], [0], batch_size_study=3)
    # Alone, its best run has to do.
    self.check(every[1:], [0], [0], batch_size_study=2)

  def test_batch_sizes_at_every_budget_are_a_sweep_of_it(self):
    every = [
      loaded(
        3 * n + i, N=10.0**n, tokens_per_step=10.0**i, S=10 ** (5 - i),
        loss=3 - 0.1 * i, unannealed=10 ** (5 - i) // 2,
      )
      for n in range(4, 7) for i in range(1, 4)
    ]  # fmt: skip
    kept = [i for i, t in enumerate(every) if t.run.tokens_per_step == 1e3]
    self.check(every, kept, kept, better_recipe=6)

  def test_batch_sizes_at_as_many_steps(self):
    every = [loaded(0, N=5e6)]
    every += [
      loaded(i, tokens_per_step=10.0**i, C=10.0**i, D=10.0**i)
      for i in range(1, 4)
    ]
    self.check(every, [0], [0], batch_size_study=3)

  def test_what_is_not_known_sets_nothing_aside(self):
    # One run whose record tells nothing, one that is nothing but numbers.
    every = [loaded(i, N=10.0**i, text_tokens=1e6) for i in range(4, 7)]
    nothing = {
      'text_tokens': math.nan, 'schedule': '', 'learning_rate': math.nan
    }  # fmt: skip
    lost = loaded(8, **nothing)
    alone = loaded(8, **nothing, D=1e11, tokens_per_step=math.nan)
    warm = loaded(
      9, N=7e5, text_tokens=1e6, schedule='constant', unannealed=1000
    )
    self.check([*every, lost, alone], range(5), range(5))
    self.check([warm, lost, alone], range(3), range(3))

  def test_a_batch_size_that_is_not_known_is_unlike_any(self):
    every = [loaded(0), loaded(1, tokens_per_step=math.nan)]
    self.check(every, [0, 1], [0, 1])

  def test_a_curve_that_cannot_be_read_is_named(self):
    found = self.check([loaded(0), loaded(1, problem='torn')], [0, 1], [0, 1])
    self.assertEqual(found.problems, (selection.Problem('run1', 'torn'),))
    self.assertIn('run1', found.notes[0])

  def test_unannealed_beside_annealed(self):
    every = [
      loaded(0), loaded(1, N=5e6, schedule='constant', unannealed=1000)
    ]  # fmt: skip
    self.check(every, [0], [0, 1], not_annealed=1)
    self.check(every[1:], [0], [0])
    self.assertEqual(selection.annealed(every), ('run0', 'run1'))
    self.assertEmpty(selection.annealed(every[1:]))

  def test_tables_have_no_recipe(self):
    n = np.arange(1, 13)
    runs = Runs.from_columns(N=1e6 * n, D=1e9 * n[::-1], loss=np.full(12, 3.0))
    every = histories.load(runs)
    self.check(every, range(12), range(12))
    self.assertLen(selection.annealed(every), 12)


class AlikeTest(absltest.TestCase):
  def test_but_for_rounding(self):
    self.assertTrue(selection.alike(1e6, 1.01e6))
    self.assertFalse(selection.alike(1e6, 1.03e6))
    self.assertEqual(selection.kinds([1e6, 1.001e6, 1.1e6]), 2)

  def test_texts(self):
    one, other, unknown = (
      Run('x', text_tokens=text) for text in (1e6, 2e6, math.nan)
    )
    self.assertTrue(selection.same_text(one, one))
    self.assertTrue(selection.same_text(unknown, unknown))
    self.assertFalse(selection.same_text(one, other))
    self.assertFalse(selection.same_text(one, unknown))
    of_two = [one._replace(text=text) for text in ('a', 'b')]
    self.assertFalse(selection.same_text(*of_two))
    self.assertTrue(selection.same_text(one, of_two[0]))


if __name__ == '__main__':
  absltest.main()
