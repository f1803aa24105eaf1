"""The notebook: tidy as committed, and it runs from top to bottom."""

import os
import pathlib

from absl.testing import absltest
import pytest

nbformat = pytest.importorskip('nbformat', reason='pip install nbformat')

ROOT = pathlib.Path(__file__).parents[1]
PATH = ROOT / 'notebooks' / 'scaling_laws.ipynb'
LONGEST_CELL = 15  # lines


def read():
  return nbformat.read(PATH, as_version=4)


def code_cells(notebook):
  return [cell for cell in notebook.cells if cell.cell_type == 'code']


class CommittedTest(absltest.TestCase):
  def test_is_a_notebook(self):
    nbformat.validate(read())

  def test_holds_no_outputs(self):
    for cell in code_cells(read()):
      self.assertEqual((cell.outputs, cell.execution_count), ([], None))

  def test_cells_are_short_and_introduced(self):
    notebook = read()
    for cell in code_cells(notebook):
      self.assertLessEqual(len(cell.source.splitlines()), LONGEST_CELL, cell.id)
    words = [c for c in notebook.cells if c.cell_type == 'markdown']
    self.assertGreaterEqual(len(words), len(code_cells(notebook)) - 1)


@pytest.mark.slow
class ExecutedTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    pytest.importorskip('ipykernel', reason='pip install ipykernel')
    cls.nbclient = pytest.importorskip(
      'nbclient', reason='pip install nbclient'
    )

  def test_runs_at_smoke_size_and_shows_figures(self):
    notebook = read()
    folder = pathlib.Path(self.create_tempdir().full_path)
    before = set((ROOT / 'notebooks').iterdir())
    environment = {
      **os.environ,
      'PYTHONPATH': str(ROOT),
      'SCALING_JAX_ROOT': str(ROOT),
      'SCALING_JAX_SIZE': 'smoke',
    }
    self.nbclient.NotebookClient(
      notebook,
      timeout=300,
      kernel_name='python3',
      resources={'metadata': {'path': str(folder)}},
    ).execute(env=environment)  # a cell that fails raises here

    pictured = [
      cell.id
      for cell in code_cells(notebook)
      if any('image/png' in o.get('data', ()) for o in cell.outputs)
    ]
    self.assertGreaterEqual(len(pictured), 3, pictured)
    # Twenty steps carry no law, and the reader is told so.
    shown = str([cell.outputs for cell in code_cells(notebook)])
    self.assertIn('too_few_points', shown)
    self.assertIn('0 of 3 laws answer', shown)
    self.assertTrue(list(folder.glob('runs/*/results.csv')))
    self.assertEqual(set((ROOT / 'notebooks').iterdir()), before)


if __name__ == '__main__':
  absltest.main()
