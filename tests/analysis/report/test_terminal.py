"""What a terminal shows of an analysis, and its wording."""

from absl.testing import absltest
import numpy as np

from scaling_jax.analysis.messages import sheets as sheet_messages
from scaling_jax.analysis.messages import terminal as messages
from scaling_jax.analysis.report import terminal
from scaling_jax.analysis.runs.table import Excluded
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.study import summary_tables
from tests import golden_case
from tests.analysis import studies

LIKELY = {'N': 'M', 'D': 'B'}


class WordingTest(golden_case.GoldenCase):
  def test_sheets(self):
    m = sheet_messages
    ratio = np.array([1e-9, 2e-9])
    lines = [
      m.column_twice('a.csv', 'N', 'N'),
      m.no_such_column('a.csv', 'N', 'size', ['sizes', 'D'], ['sizes']),
      m.no_such_column('a.csv', 'N', 'x', ['size', 'D'], []),
      m.ambiguous('a.csv', 'loss', ['val loss', 'eval_loss']),
      m.ambiguous('a.csv', 'N', [f'n_{i}' for i in range(80)]),
      m.insufficient('a.csv', 'CSV', ['a', 'b'], [], []),
      m.insufficient('a.csv', 'CSV', ['N', 'S'], ['N', 'S', 'loss'], ['N']),
      m.of_tables(['a.csv'], m.understood(['N', 'D', 'C = 6ND'], [])),
      m.of_tables(['a', 'b'], m.understood(['N'], ['lr', 'colour'])),
      m.part('N', 'params', m.unit(1e6)),
      m.part('C', 'C', m.unit(8.64e19)),
      m.part('loss', 'ppl', m.loss_unit('perplexity', 'nats/token')),
      m.constant(2048.0),
      m.no_losses('a.csv', 'loss', 20.0, 30.0),
      m.unknown_statuses('a.csv', 'state', list('abcde')),
      m.no_match(['exp=b'], {'exp': []}),
      m.no_match(['exp=x', 'lr=1'], {'exp': ['llama 3', 'b'], 'lr': ['2']}),
      m.nanochat_generations(),
      m.flagged('crashed', ' True '), m.partly(0.25), m.repeated(8.0),
      m.other_unit('bits/byte', 'nats/token'), m.no_perplexity('ppl', 0.5),
      m.checkpoint('8B', 'a'),
      m.off(1e6, LIKELY), m.off(1e3, {}), m.jumps(1.67, 1.0),
      m.many_jumps('a.csv', 5, 20), m.odd_ratio(20.0, 1e9),
      m.all_off('a.csv', ratio, LIKELY, (0.7, 4.0)),
      m.all_off('a.csv', ratio, {}, (0.7, 4.0)),
      m.all_off('a.csv', 1 / ratio, {}, (0.7, 4.0)),
      m.implausible('a.csv', ratio, ratio, LIKELY),
      m.implausible('a.csv', ratio, ratio, {}),
      m.no_value('experiment'), m.no_column_to_split('x', ['a', 'dataset']),
      m.several_laws('experiment', ['a', 'b'], 'experiment', 'a'),
      m.several_laws(m.of_texts(), ['a', 'b'], '', ''),
    ]  # fmt: skip
    for line in lines:
      self.assertNotIn('\n', line)
    self.golden('sheets', '\n'.join(lines))

  def test_terminal(self):
    x = np.array([1e18, 2e18])
    several = {'C': x, 'N': x, 'D': x, 'loss': np.array([2.5, 3.5])}
    one = {name: values[:1] for name, values in several.items()}
    out = [
      Excluded(f'r{i}', f'line {i} of a.csv: its state is crashed', kind)
      for i, kind in enumerate([Exclusion.CRASHED] * 7 + [Exclusion.REPEATED_DATA])
    ]  # fmt: skip
    lines = [
      messages.runs(1, unit='nats/token', n_budgets=0, **one),
      messages.runs(2, unit='nats/token', n_budgets=1, **several),
      messages.runs(2, unit='bits/byte', n_budgets=2, **several),
      *messages.excluded(out),
      messages.kaplan_silent([]),
      messages.kaplan_silent(['L(N)', 'L(D)']),
    ]
    self.golden('terminal_runs', '\n'.join(lines))


class ShownTest(absltest.TestCase):
  def test_sources(self):
    runs = Runs.from_dataframe(
      {'n_params': [1e7], 'tokens': [1e9], 'val_loss': [3.0]}
      | {f'a column of a long name {i}': [1] for i in range(40)}
    )
    lines = terminal.sources(runs)
    self.assertEqual(lines[-1], '')
    self.assertIn('N = n_params; D = tokens; C = 6ND', ' '.join(lines))
    self.assertEqual(terminal.sources(Runs.from_columns(N=[1e7], D=[1e9], loss=[3])
                                      .take([0]))[-1], '')  # fmt: skip

  def test_opening(self):
    analysis = studies.analyzed().analysis
    text = '\n'.join(terminal.opening(analysis))
    self.assertIn(f'{len(analysis.runs)} runs', text)
    self.assertIn('3 budgets', text)
    self.assertIn('nats/token', text)
    self.assertLessEqual(max(map(len, text.splitlines())), 100)

  def test_each_table_is_shown_once(self):
    analysis = studies.analyzed().analysis
    laws = [*terminal.laws(analysis)]
    self.assertLen(laws, len(summary_tables.brief_tables(analysis)))
    brief = [*terminal.tests(analysis, of_runs=False)]
    every = [*terminal.tests(analysis, of_runs=True)]
    self.assertLess(len(brief), len(every))
    for table in laws:
      self.assertNotIn(table, every)
    run_id = analysis.runs.run_ids[0]
    self.assertIn(run_id, '\n'.join(every))
    self.assertNotIn(run_id, '\n'.join(laws))

  def test_the_answer(self):
    lines = [*terminal.answer(studies.analyzed().analysis)]
    self.assertEqual(lines[-1], '')
    self.assertLessEqual(
      max(len(x) for line in lines for x in line.split('\n')), 100
    )
    self.assertRegex(' '.join(lines), r'\d')


if __name__ == '__main__':
  absltest.main()
