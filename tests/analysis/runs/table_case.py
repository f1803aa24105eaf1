"""A folder of its own for each test, with files and run folders in it."""

import pathlib

from absl.testing import parameterized
import numpy as np

from scaling_jax import records
from tests.example_records import make_run

LOSSES = np.ones(3, np.float32)


class TableCase(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def write(self, text, name='table.csv'):
    path = self.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
      path.write_bytes(text)
    else:
      path.write_text(text)
    return path

  def run_folder(
    self,
    run=None,
    workdir='runs',
    losses=LOSSES,
    config='{}',
    **changes,
  ):
    """A run's folder; losses of None leave no train_loss.npy."""
    run = run or make_run(**changes)
    folder = self.folder / workdir / run.experiment / run.run_id
    folder.mkdir(parents=True)
    if isinstance(config, str):
      (folder / records.CONFIG).write_text(config)
    else:
      records.write_json(folder / records.CONFIG, config)
    records.write_result(folder, run)
    if losses is not None:
      records.write_npy(folder / records.TRAIN_LOSS, losses)
    return folder
