"""The wording of what is noted of runs, and of why one is refused."""

from absl.testing import absltest

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs.run_folders import read_runs
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.study.analyze import analyze
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase
from tests.golden_case import GoldenCase

ONE_AND_MORE = ('part_of_text', 'batch_size_study', 'not_annealed',
                'no_budget')  # fmt: skip


class MessagesTest(TableCase, GoldenCase):
  def refusal(self, of, *args, **kwargs):
    with self.assertRaises(UserError) as caught:
      of(*args, **kwargs)
    return str(caught.exception).replace(f'{self.folder}/', '')

  def test_reasons_and_notes(self):
    lines = [
      messages.not_started(),
      messages.unfinished(None),
      messages.unfinished(250),
      messages.unreadable_result(KeyError('C')),
      messages.two_results(1.7, 1.8),
      messages.repeat('a', 3.14151, 3.14162),
      messages.repeat('a', 3.14151, 3.14151),
      messages.not_done('diverged'),
      messages.not_positive('N', 0.0),
      messages.at_place('line 3 of a.csv', messages.empty_cell('loss')),
      messages.no_number('D', 'lots'),
      messages.wrong_cells(3, 4),
      messages.duplicate('line 2 of a.csv'),
      messages.above_any_guessing(40.9),
      messages.highest_loss(2),
      messages.given_twice(['a', 'b', 'c', 'd', 'e', 'f']),
      messages.several_formats(),
      messages.no_curve('a', messages.unreadable_history()),
      messages.no_curve('a', messages.incomplete_history(900, 1000)),
      messages.no_folder(),
      messages.no_config(),
      messages.no_json(),
      messages.no_settings(),
    ]
    for name in ONE_AND_MORE:
      lines += [getattr(messages, name)(count) for count in (1, 2)]
    for names in (
      ['lr'], ['lr', 'wd'],
      ['learning_rate', 'train.beta2', 'tokens_per_step'],
    ):  # fmt: skip
      lines += [messages.better_recipe(len(names), names)]
    self.golden('runs_notes', '\n'.join(lines))

  def test_refusals(self):
    one = self.run_folder()
    bad = self.run_folder(run_id='bad', workdir='bad', N=0)
    torn = self.run_folder(run_id='torn', workdir='torn')
    (torn / 'result.json').write_text('{')
    started = self.run_folder(run_id='started', workdir='started')
    (started / 'result.json').unlink()
    header = 'flops_budget,depth,num_scaling_params,tokens_trained,val_bpb\n'
    bits = self.write(header + '1e18,8,40e6,3e9,0.9\n', 'bits.csv')
    N = {'N': [1e6], 'D': [1e9], 'loss': [3.5]}
    two = {'N': [1e6, 2e6], 'D': [1e9, 1e9], 'loss': [3, 3], 'text': ['a', 'b']}
    lines = [
      self.refusal(read_runs),
      self.refusal(read_runs, self.folder / 'missing'),
      self.refusal(read_runs, bad),
      self.refusal(read_runs, started),
      self.refusal(read_runs, torn, started),
      self.refusal(read_runs, one, bits),
      self.refusal(read_runs, self.write('', 'empty.csv')),
      self.refusal(read_runs, self.write(b'\0\1', 'bytes.csv')),
      self.refusal(read_runs, self.write('a,b\n1,2\n', 'other.csv')),
      self.refusal(read_runs, self.write('N,D,N,loss\n1,2,3,4\n', 'twice.csv')),
      self.refusal(Runs.from_dataframe, {'N': [1e6], 'loss': [3.5]}),
      self.refusal(Runs.from_dataframe, {**N, 'D': [0.0]}),
      self.refusal(analyze, Runs.from_dataframe(two)),
      self.refusal(Runs.from_dataframe, N, columns={'M': 'N'}),
      self.refusal(Runs.from_dataframe, N, columns={'N': 'lost'}),
      self.refusal(Runs.from_dataframe, N, unit='nats'),
      self.refusal(Runs.from_dataframe, [1]),
    ]
    self.golden('runs_refused', '\n'.join(lines))


if __name__ == '__main__':
  absltest.main()
