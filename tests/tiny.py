"""A corpus and an experiment of seconds, for tests of whole runs."""

import functools
import shutil
import tempfile

from etils import epath
import jax

from configs import common
from scaling_jax.corpus import prepare
from scaling_jax.training import job as job_lib
from scaling_jax.training import progress
from scaling_jax.training import train as train_lib


class Silence:
  """A stream that is no terminal and keeps what was written."""

  def __init__(self):
    self.text = ''

  def isatty(self):
    return False

  def write(self, text):
    self.text += text

  def flush(self):
    pass


@functools.cache
def _corpus():
  # Counting its entropy takes two seconds: once a session.
  folder = tempfile.TemporaryDirectory(prefix='scaling_jax_corpus_')
  prepare.prepare_synthetic(epath.Path(folder.name), n_characters=20_000)
  return folder


def make_corpus(root):
  """Writes a small synthetic corpus into root/synthetic; returns root."""
  root = epath.Path(root)
  shutil.copytree(_corpus().name, root / 'synthetic')
  return root


def make_config(**changes):
  """Eighteen steps of a small model; dotted names change fields."""
  config = common.get_config('smoke')
  config.update({'experiment': 'tiny', 'steps': 18, 'data_fraction': 1.0})
  config.train.steps_per_dispatch = 5
  config.checkpoint.every_seconds = 1e9
  for name, value in changes.items():
    *sections, field = name.split('__')
    target = config
    for section in sections:
      target = target[section]
    target[field] = value
  return config


def train(config, root, seeds=(0,), devices=None, stream=None):
  """Trains the 1x16 model under root/runs; returns its records."""
  # By default updates this small would stay on one device.
  devices = jax.devices() if devices is None else devices
  job = job_lib.make_job(config, '1x16', root / 'runs', root, devices)
  line = progress.Display(stream=stream or Silence())
  return train_lib.train(job, seeds, line)


def folder(root, seed=0, experiment='tiny'):
  return root / 'runs' / experiment / job_lib.run_id('1x16', seed)
