"""Trains an experiment and hands over its runs: the whole road in Python."""

import os
import pathlib

from etils import epath
import ml_collections

from scaling_jax import compile_cache
from scaling_jax.analysis.runs import run_folders
from scaling_jax.analysis.runs import table
from scaling_jax.training import experiment

_BESIDE = pathlib.Path(__file__).resolve().parent.parent / 'data'


def run_experiment(
  config: ml_collections.ConfigDict,
  workdir: epath.PathLike = 'runs',
  *,
  data_dir: os.PathLike | str | None = None,
  parallel: int | None = None,
) -> table.Runs:
  """Trains every run of an experiment that is not finished, and reads them.

  Args:
    config: as `configs/quickstart.py` makes one by get_config().
    workdir: holds a folder for each experiment.
    data_dir: holds a folder for each corpus; the config's own if None, or else
      the one beside the package.
    parallel: runs at a time; the config's own if None.

  Raises:
    UserError: bad input, or some runs failed: the others are done, and the same
      call resumes.
  """
  compile_cache.keep()
  experiment.run(
    config,
    workdir,
    data_dir or config.data_dir or _BESIDE,
    config.parallel if parallel is None else parallel,
  )
  return run_folders.read_runs(epath.Path(workdir) / config.experiment)
