"""Compiled programs kept on disk, so that the next process starts at once."""

import os

from etils import epath
import jax


def folder() -> epath.Path:
  """Where compiled programs are kept between runs."""
  default = os.path.join('~', '.cache')
  base = os.environ.get('XDG_CACHE_HOME', default)
  return epath.Path(base).expanduser() / 'scaling_jax' / 'xla'


def keep() -> None:
  """Keeps every program; JAX_COMPILATION_CACHE_DIR says where instead."""
  if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
    jax.config.update('jax_compilation_cache_dir', str(folder()))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
