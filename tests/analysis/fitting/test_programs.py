"""Programs that are kept: what the next process does without."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest
import jax.numpy as jnp
import numpy as np
import pytest

from scaling_jax.analysis.fitting import programs

SCRIPT = """
import sys
import numpy as np
from scaling_jax import compile_cache
from scaling_jax import published
from scaling_jax.analysis.fitting import chinchilla
from scaling_jax.analysis.fitting.bootstrap import Bootstrap

compile_cache.keep()
N, D = np.repeat([1e8, 4e8, 1.6e9], 4), np.tile([1e9, 4e9, 2e10, 9e10], 3)
L = published.HOFFMANN.loss(N, D) * (1 + 1e-3 * np.cos(np.arange(12)))
fit = chinchilla.fit(N, D, L, bootstrap=Bootstrap(50))
print(fit.status, fit.point.tolist(), 'optimistix' in sys.modules)
"""


def scaled(factor):
  return lambda x: factor * x['a'] + 1


class RunTest(absltest.TestCase):
  def test_it_is_the_function(self):
    x = jnp.arange(3.0)
    found = programs.run(scaled, (2.0,), ({'a': x},))
    np.testing.assert_allclose(found, [1, 3, 5])
    found = programs.run(scaled, (3.0,), ({'a': x},))
    np.testing.assert_allclose(found, [1, 4, 7])

  def test_each_shape_is_compiled_once(self):
    one = programs.start(scaled, (2.0,), ({'a': jnp.ones(4)},))
    same = programs.start(scaled, (2.0,), ({'a': jnp.zeros(4)},))
    other = programs.start(scaled, (2.0,), ({'a': jnp.ones(5)},))
    self.assertIs(one, same)
    self.assertIsNot(one, other)

  def test_options_of_the_compiler(self):
    quick = (('xla_backend_optimization_level', 0),)
    found = programs.run(scaled, (2.0,), ({'a': jnp.ones(3)},), quick)
    np.testing.assert_allclose(found, [3, 3, 3])


@pytest.mark.slow
class KeptTest(absltest.TestCase):
  def test_the_next_process_neither_traces_nor_imports_the_solver(self):
    folder = pathlib.Path(self.create_tempdir().full_path)

    def fitted() -> list[str]:
      environment = {**os.environ, 'JAX_COMPILATION_CACHE_DIR': str(folder)}
      done = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
      )
      return done.stdout.strip().rsplit(' ', 1)

    first = fitted()
    self.assertEqual(first[1], 'True')
    kept = list((folder / 'exported').iterdir())
    self.assertLen(kept, 3)  # two searches and a Jacobian
    self.assertEqual(fitted(), [first[0], 'False'])
    for path in kept:  # cut short, as where the disk was full
      path.write_bytes(path.read_bytes()[:100])
    self.assertEqual(fitted(), first)
    self.assertEqual(fitted(), [first[0], 'False'])


if __name__ == '__main__':
  absltest.main()
