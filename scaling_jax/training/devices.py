"""The machine: what computes, and how JAX is set up to use it."""

import contextlib
import functools
import glob
import importlib.util
import itertools
import math
import os
import pathlib
import platform
import subprocess
from typing import Any

import jax

from scaling_jax import compile_cache
from scaling_jax.errors import UserError

_FAKE_DEVICES_FLAG = 'xla_force_host_platform_device_count'
# On a CPU an update of fewer FLOPs than this is faster on one device: meeting
# at its end costs half a millisecond (docs/log.md has the measurements).
_WORTH_SHARING_FLOPS = 5e7


def cores() -> int:
  """Cores this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def configure(wanted: int | None = None, most: int | None = None) -> None:
  """Sets JAX up; call before the first use of a device.

  Compiled programs are kept on disk. On the CPU each core becomes a device, so
  that cores share a batch and meet once a step, instead of at every operation.

  Args:
    wanted: devices to ask for on the CPU, where there are as many cores.
    most: cores to use where others need the rest.
  """
  compile_cache.keep()
  if _FAKE_DEVICES_FLAG not in os.environ.get('XLA_FLAGS', ''):
    usable = min(cores(), most or cores())
    count = wanted if wanted and wanted <= usable else usable
    # Once JAX runs, in a notebook for example, its devices stay what they are.
    with contextlib.suppress(RuntimeError):
      jax.config.update('jax_num_cpu_devices', count)


def choose(
  wanted: int | None, batch_size: int, update_flops: float = math.inf
) -> list:
  """The devices that share each batch.

  Args:
    wanted: how many, the first ones. By default all; of a CPU's as many as
      divide the batch, or one where an update is too small to share.
    batch_size: sequences in a batch.
    update_flops: of one update of one seed, 6 N times its tokens.

  Raises:
    UserError: there are fewer than wanted.
  """
  devices = jax.local_devices()
  if wanted is None:
    if devices[0].platform != 'cpu':
      return devices
    if update_flops < _WORTH_SHARING_FLOPS:
      return devices[:1]
    counts = range(1, len(devices) + 1)
    return devices[: max(n for n in counts if n == 1 or batch_size % n == 0)]
  if not 1 <= wanted <= len(devices):
    raise UserError(
      f'devices={wanted} must be between 1 and the {len(devices)} that this'
      f' machine has; try devices={len(devices)}'
    )
  return devices[:wanted]


def gpus() -> list[str]:
  """The GPUs that a process may use, by index, without waking JAX."""
  visible = os.environ.get('CUDA_VISIBLE_DEVICES')
  if visible is not None:
    names = [name.strip() for name in visible.split(',')]
    # CUDA reads no further than the first that is none.
    valid = itertools.takewhile(lambda n: n and not n.startswith('-'), names)
    return list(valid)
  return list(_all_gpus())


@functools.cache  # a process of its own
def _all_gpus() -> tuple[str, ...]:
  try:
    found = subprocess.run(
      ['nvidia-smi', '--query-gpu=index', '--format=csv,noheader'],
      capture_output=True,
      text=True,
      timeout=20,
    )
  except (OSError, subprocess.TimeoutExpired):
    return ()
  return tuple(found.stdout.split()) if found.returncode == 0 else ()


def has_tpu() -> bool:
  """Whether this machine has a TPU, which serves one process alone."""
  chips = [*glob.glob('/dev/accel*'), *glob.glob('/dev/vfio/[0-9]*')]
  return bool(chips) and importlib.util.find_spec('libtpu') is not None


def describe(devices: list) -> str:
  """'cpu x 2' or 'NVIDIA H200 x 1': for the record."""
  return f'{devices[0].device_kind} x {len(devices)}'


def _commit(folder: pathlib.Path) -> str | None:
  """The checkout's commit, '-dirty' where it was changed; None outside one."""
  command = ['git', '-C', str(folder), 'describe', '--always', '--dirty']
  try:
    found = subprocess.run(command, capture_output=True, text=True, timeout=10)
  except (OSError, subprocess.TimeoutExpired):
    return None
  return found.stdout.strip() or None


def versions() -> dict[str, Any]:
  """The software a number was made with."""
  import flax
  import numpy as np
  import optax
  import orbax.checkpoint as ocp

  import scaling_jax

  return {
    'scaling_jax': scaling_jax.__version__,
    'commit': _commit(pathlib.Path(scaling_jax.__file__).parent),
    'python': platform.python_version(),
    'jax': jax.__version__,
    'flax': flax.__version__,
    'optax': optax.__version__,
    'orbax-checkpoint': ocp.__version__,
    'numpy': np.__version__,
  }
