"""Weights & Biases: offline files, the server, and what it exports."""

import os
import struct
import subprocess
import sys
import textwrap
import types
from unittest import mock

from absl.testing import absltest
import numpy as np
import pytest
from wandb.proto import wandb_internal_pb2

from scaling_jax.analysis.runs.readers import files
from scaling_jax.analysis.runs.readers import loggers_wandb
from scaling_jax.errors import UserError
from tests.analysis.runs.table_case import TableCase

Record = wandb_internal_pb2.Record


def items(update, values):
  for name, text in values.items():
    update.add(key=name, value_json=text)


def started(run_id='abc', name='first', **config):
  record = Record()
  record.run.run_id, record.run.display_name = run_id, name
  items(record.run.config.update, config)
  return record


def logged(step, **values):
  record = Record()
  record.history.step.num = step
  items(record.history.item, values)
  return record


def ended(code):
  record = Record()
  record.exit.exit_code = code
  record.exit.runtime = 5
  return record


def framed(*records):
  """Records in blocks of 32 KiB, as LevelDB's log has them."""
  out = bytearray(b':W&B\xe1\xbe\0')
  for record in records:
    data, first = record.SerializeToString(), True
    while True:
      left = 32768 - len(out) % 32768
      if left < 7:
        out += bytes(left)
        left = 32768
      part, data = data[: left - 7], data[left - 7 :]
      kind = (1 if first else 4) if not data else (2 if first else 3)
      out += struct.pack('<IHB', 0, len(part), kind) + part
      first = False
      if not data:
        break
  return bytes(out)


class OfflineTest(TableCase):
  def save(self, *records, run='offline-run-20260101_000000-abc'):
    return self.write(framed(*records), f'wandb/{run}/run-abc.wandb')

  def test_a_run(self):
    config = Record()
    items(config.config.update, {'batch': '{"size": 8}'})
    summary = Record()
    items(summary.summary.update, {'best': '2.25', '_runtime': '3'})
    path = self.save(
      started(lr='0.5', _wandb='{"version": 1}'),
      config,
      logged(10, **{'val/loss': '3', 'train/tokens': '640'}),
      logged(20, **{'val/loss': '2.5', 'plot': '{"_type": "image-file"}'}),
      summary,
      ended(0),
    )
    for given in (path, path.parent, path.parent.parent):
      self.assertTrue(given is path or files.is_run_folder(given))
      (sheet,) = files.read_sheets(given)
      (line,) = sheet.lines
      self.assertEqual(
        line.cells,
        {
          'run_id': 'abc', 'Name': 'first', 'State': 'finished', 'lr': '0.5',
          'batch.size': '8', 'val/loss': '2.5', 'train/tokens': '640',
          'best': '2.25', 'Step': '20',
        },
      )  # fmt: skip
      kept = sheet.evaluations[line.number]
      np.testing.assert_array_equal(kept.step, [10, 20])
      np.testing.assert_array_equal(kept.loss, [3, 2.5])
      np.testing.assert_array_equal(kept.tokens, [640, 640])

  def test_states(self):
    for records, state in (((), 'running'), ((ended(1),), 'crashed')):
      path = self.save(started(), *records)
      cells = files.read_sheets(path)[0].lines[0].cells
      self.assertEqual(cells['State'], state)

  def test_values_that_are_no_json(self):
    record = logged(1)
    add = record.history.item.add
    add(key='a', integer=-3)
    add(key='b', number=0.5)
    add(key='c', text='x')
    add(key='d', boolean=True)
    add(nested_key=['e', 'f'], json='[1]')
    add(key='g', value_json='{')
    cells = files.read_sheets(self.save(started(), record))[0].lines[0].cells
    self.assertEqual(
      [cells[name] for name in ('a', 'b', 'c', 'd', 'e.f', 'g')],
      ['-3', '0.5', 'x', 'True', '[1]', ''],
    )

  def test_long_records_and_a_cut_end(self):
    records = [started(note=f'"{"x" * 100_000}"')]
    records += [logged(s, loss=str(s), fill='7' * 997) for s in range(200)]
    data = framed(*records)
    path = self.write(data, 'whole.wandb')
    (line,) = files.read_sheets(path)[0].lines
    self.assertEqual(
      (line.cells['loss'], len(line.cells['note'])), ('199', 100_000)
    )
    (line,) = files.read_sheets(self.write(data[:-500], 'cut.wandb'))[0].lines
    self.assertEqual(line.cells['loss'], '198')

  def test_a_run_that_was_resumed(self):
    self.save(started(), logged(1, loss='3'), ended(1))
    self.save(started(), logged(2, loss='2'), ended(0), run='run-20260202-abc')
    self.save(started('xyz', 'other'), run='run-20260303-xyz')
    first, second = files.read_sheets(self.folder / 'wandb')
    cells = first.lines[0].cells
    self.assertEqual(
      [cells[name] for name in ('run_id', 'State', 'loss', 'Step')],
      ['abc', 'finished', '2', '2'],
    )
    self.assertEqual(second.lines[0].cells['Name'], 'other')

  def test_no_run(self):
    with self.assertRaisesRegex(UserError, r'run-abc\.wandb holds no run'):
      files.read_sheets(self.save(ended(0)))

  def test_a_damaged_record_ends_the_run(self):
    data = framed(started(), logged(1, loss='3'), logged(2, loss='2'))
    inner = logged(2, loss='2').history.item[0].SerializeToString()
    self.assertEqual(data.count(inner), 1)
    damaged = data.replace(inner, b'\x0f' + inner[1:])
    (line,) = files.read_sheets(self.write(damaged, 'bad.wandb'))[0].lines
    self.assertEqual(line.cells['loss'], '3')

  @pytest.mark.slow
  def test_what_wandb_writes(self):
    code = """
      import wandb
      settings = wandb.Settings(console='off', silent=True)
      with wandb.init(
        mode='offline', project='p', name='a', config={'model': {'N': 100}},
        settings=settings,
      ) as run:
        for step in range(3):
          run.log({'val/loss': 3.5 - step, 'train/tokens': step * 10})
        run.summary['final'] = 7
    """
    subprocess.run(
      [sys.executable, '-c', textwrap.dedent(code)],
      check=True, cwd=self.folder, env={**os.environ, 'WANDB_DIR': str(self.folder)},
      capture_output=True,
    )  # fmt: skip
    (sheet,) = files.read_sheets(self.folder / 'wandb')
    cells = sheet.lines[0].cells
    self.assertEqual(
      {k: v for k, v in cells.items() if k != 'run_id'},
      {
        'Name': 'a', 'State': 'finished', 'model.N': '100', 'val/loss': '1.5',
        'train/tokens': '20', 'final': '7', 'Step': '2',
      },
    )  # fmt: skip
    np.testing.assert_array_equal(sheet.evaluations[1].loss, [3.5, 2.5, 1.5])


class Run(types.SimpleNamespace):
  def scan_history(self, keys):
    return iter([{k: row[k] for k in keys} for row in self.rows])


class ServerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    rows = [{'_step': 5, 'val/loss': 3.0}, {'_step': 9, 'val/loss': 2.5}]
    self.runs = [
      Run(
        id='abc', name='first', state='finished', config={'lr': 0.5},
        summary={'val/loss': 2.5, '_step': 9, 'best': {'max': 3}}, rows=rows,
      ),
      Run(id='xyz', name='b', state='crashed', config={}, summary={}, rows=[]),
    ]  # fmt: skip
    self.api = types.SimpleNamespace(runs=lambda project: self.runs)

  def test_runs(self):
    sheet = loggers_wandb.wandb_runs('me/gpts', api=self.api)
    self.assertEqual((sheet.name, sheet.stem), ('wandb:me/gpts', 'gpts'))
    first, second = sheet.lines
    self.assertEqual(
      first.cells,
      {
        'run_id': 'abc', 'Name': 'first', 'State': 'finished', 'lr': '0.5',
        'val/loss': '2.5', 'best.max': '3', 'Step': '9',
      },
    )  # fmt: skip
    self.assertEqual(
      (second.cells['State'], second.cells['lr']), ('crashed', '')
    )
    self.assertEmpty(sheet.evaluations)

  def test_histories(self):
    sheet = loggers_wandb.wandb_runs('me/gpts', histories=True, api=self.api)
    self.assertEqual(list(sheet.evaluations), [1])
    np.testing.assert_array_equal(sheet.evaluations[1].step, [5, 9])
    np.testing.assert_array_equal(sheet.evaluations[1].loss, [3, 2.5])

  def test_refused(self):
    with (
      mock.patch.dict(sys.modules, {'wandb': None}),
      self.assertRaisesRegex(UserError, r"jax\[logging\]'"),
    ):
      loggers_wandb.wandb_runs('me/gpts')
    module = types.SimpleNamespace(Api=mock.Mock(side_effect=OSError('no key')))
    with (
      mock.patch.dict(sys.modules, {'wandb': module}),
      self.assertRaisesRegex(UserError, r'no key.*wandb login'),
    ):
      loggers_wandb.wandb_runs('me/gpts')
    api = types.SimpleNamespace(runs=mock.Mock(side_effect=OSError('no net')))
    with self.assertRaisesRegex(UserError, r'me/gpts .*no net'):
      loggers_wandb.wandb_runs('me/gpts', api=api)
    self.runs.clear()
    with self.assertRaisesRegex(UserError, 'no runs'):
      loggers_wandb.wandb_runs('me/gpts', api=self.api)


class ExportTest(TableCase):
  def test_a_table_of_runs(self):
    text = (
      '"Name","State","Notes","User","Tags","Created","Runtime","lr",'
      '"val/loss"\n'
      '"a","finished","-","me","","2026-01-01T00:00:00.000Z","61","0.5","2.5"\n'
      '"b","crashed","","me","x, y","2026-01-01T00:00:00.000Z","9","0.5",""\n'
    )
    (sheet,) = files.read_sheets(self.write(text))
    self.assertEqual(
      [(x.cells['Name'], x.cells['State'], x.cells['val/loss'], x.fault)
       for x in sheet.lines],
      [('a', 'finished', '2.5', ''), ('b', 'crashed', '', '')],
    )  # fmt: skip
    self.assertEqual(sheet.kind, 'CSV')

  def chart(self, axis, *rows, metric='val/loss'):
    names = [axis]
    for run in ('big - wide', 'small'):
      names += [f'{run} - {metric}{x}' for x in ('', '__MIN', '__MAX')]
    lines = [names, *rows]
    text = '\n'.join(','.join(f'"{x}"' for x in line) for line in lines)
    (sheet,) = files.read_sheets(self.write(text))
    self.assertEqual(sheet.kind, 'W&B chart')
    self.assertLen(sheet.notes, 1)
    return sheet

  def test_a_chart(self):
    sheet = self.chart(
      'Step',
      [100, 4.5, 4.5, 4.5, 5.5, 5.5, 5.5],
      [200, 3.5, 3.5, 3.6, '', '', ''],
      [300, '', '', '', 4.25, 4.25, 4.25],
      [400, '', '', '', 'NaN', 'NaN', 'NaN'],
    )
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [
        {'run_id': 'big - wide', 'Name': 'big - wide', 'val/loss': '3.5',
         'Step': '200.0'},
        {'run_id': 'small', 'Name': 'small', 'val/loss': '4.25',
         'Step': '400.0'},
      ],
    )  # fmt: skip
    np.testing.assert_array_equal(sheet.evaluations[1].step, [100, 200])
    np.testing.assert_array_equal(sheet.evaluations[2].step, [100, 300])
    np.testing.assert_array_equal(sheet.evaluations[2].loss, [5.5, 4.25])
    self.assertTrue(np.isnan(sheet.evaluations[1].tokens).all())

  def test_a_chart_over_tokens(self):
    sheet = self.chart(
      'train/tokens', [1e6, 4.5, 4.5, 4.5, 5.5, 5.5, 5.5],
      [2e6, 3.5, 3.5, 3.5, 4.5, 4.5, 4.5],
    )  # fmt: skip
    self.assertEqual(sheet.lines[0].cells['train/tokens'], '2000000.0')
    np.testing.assert_array_equal(sheet.evaluations[1].tokens, [1e6, 2e6])
    np.testing.assert_array_equal(sheet.evaluations[1].loss, [4.5, 3.5])

  def test_a_chart_of_something_else(self):
    row = [100, 1, 1, 1, 2, 2, 2]
    sheet = self.chart('Step', row, metric='accuracy')
    self.assertEqual(sheet.lines[1].cells['accuracy'], '2.0')
    self.assertEmpty(sheet.evaluations)
    self.assertLen(self.chart('Step', row, metric='loss').evaluations, 2)
    self.assertEmpty(self.chart('Step', row, metric='train_loss_ema').notes[1:])

  def test_a_chart_of_a_single_run(self):
    text = 'Step,loss,loss__MIN,loss__MAX\n1,3,3,3\n2,2,2,2\n'
    (sheet,) = files.read_sheets(self.write(text, 'big.csv'))
    self.assertEqual(
      [line.cells for line in sheet.lines],
      [{'run_id': 'big', 'Name': 'big', 'loss': '2.0', 'Step': '2.0'}],
    )
    np.testing.assert_array_equal(sheet.evaluations[1].loss, [3, 2])

  def test_runs_of_one_name(self):
    names = ['a - loss', 'a - loss__MIN', 'a - loss__MAX']
    text = ','.join(['Step', *names, *names]) + '\n1,2,2,2,3,3,3\n'
    (sheet,) = files.read_sheets(self.write(text))
    self.assertEqual([line.cells['loss'] for line in sheet.lines], ['2.0'])
    self.assertLen(sheet.notes, 2)

  def test_steps_of_their_own(self):
    text = (
      'Relative Time (Process),a - _step,a - _step__MIN,a - _step__MAX,'
      'a - val/loss,a - val/loss__MIN,a - val/loss__MAX\n'
      '0.5,10,10,10,4,4,4\n1.5,20,20,20,3,3,3\n'
    )
    (sheet,) = files.read_sheets(self.write(text))
    self.assertEqual(sheet.lines[0].cells['Step'], '20.0')
    np.testing.assert_array_equal(sheet.evaluations[1].step, [10, 20])


if __name__ == '__main__':
  absltest.main()
