"""What a machine is, and how fast its matrix products are.

python benchmarks/machine.py [--n_embd=128] [--dtype=float32] [--tokens=2048]

The products are the two of an MLP of that width, one after the other on all
devices, the tokens shared among them. Prints one JSON object. training.py runs
it in a process of its own, which leaves a GPU free when it ends.
"""

import json
import pathlib
import platform
import time

from absl import app
from absl import flags
import jax
import jax.numpy as jnp

from scaling_jax.training import devices as devices_lib

_N_EMBD = flags.DEFINE_integer('n_embd', 128, 'Width of the model.')
_TOKENS = flags.DEFINE_integer('tokens', 2048, 'Rows, on all devices together.')
_DTYPE = flags.DEFINE_enum(
  'dtype', 'float32', ('float32', 'tf32', 'bfloat16'), 'Of the products.'
)

_REPEATS = 100  # of both products in a dispatch


def main(argv):
  del argv
  devices_lib.configure()
  found = {'about': about(), 'flops_per_s': flops_per_s()}
  print(json.dumps(found))


def about():
  """Devices, processor and versions, in a line."""
  devices = jax.local_devices()
  name = ''
  if devices[0].platform == 'cpu':
    name = f' ({processor() or platform.processor()})'
  return (
    f'{devices_lib.describe(devices)}{name}, Python'
    f' {platform.python_version()}, jax {jax.__version__}'
  )


def processor():
  """What Linux calls the processor; empty elsewhere."""
  info = pathlib.Path('/proc/cpuinfo')
  if not info.exists():
    return ''
  lines = info.read_text().splitlines()
  names = [line for line in lines if line.startswith('model name')]
  return names[0].partition(':')[2].strip() if names else ''


def flops_per_s():
  """Of x @ wide @ tall, the best of ten dispatches."""
  precision = 'highest' if _DTYPE.value == 'float32' else 'default'
  dtype = jnp.bfloat16 if _DTYPE.value == 'bfloat16' else jnp.float32
  devices = jax.local_devices()
  M, P = _N_EMBD.value, _TOKENS.value // len(devices)

  def products(x_PM, wide_MF, tall_FM):
    def both(x_PM, _):
      hidden_PF = jnp.matmul(x_PM, wide_MF, precision=precision)
      return jnp.matmul(hidden_PF, tall_FM, precision=precision), None

    return jax.lax.scan(both, x_PM, length=_REPEATS)[0]

  shared = jax.pmap(products, in_axes=(0, None, None), devices=devices)
  arguments = (
    jnp.zeros((len(devices), P, M), dtype),
    jnp.zeros((M, 4 * M), dtype),
    jnp.zeros((4 * M, M), dtype),
  )
  jax.block_until_ready(shared(*arguments))
  best_s = float('inf')
  for _ in range(10):
    started = time.perf_counter()
    jax.block_until_ready(shared(*arguments))
    best_s = min(best_s, time.perf_counter() - started)
  return 16 * P * len(devices) * M * M * _REPEATS / best_s


if __name__ == '__main__':
  app.run(main)
